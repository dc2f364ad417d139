"""Charts with memory: EWMA, CUSUM and moving average of single values or of the means of subgroups.

What they plot sums up earlier points, so their panels use the limits only. Missing and excluded points change
nothing: the statistic goes on from the last used point; a stage begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.individuals import ESTIMATORS, estimate
from perfanalytics.spc.families.subgroups import WITHIN, subgroup_points
from perfanalytics.spc.families.subgroups import estimate as within
from perfanalytics.spc.family import ChartFamily, Mode, one_column
from perfanalytics.spc.options import Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points

#: Weights of earlier points below this share are nothing in double precision.
_NOTHING = 1e-18


def _points(chart: str) -> Callable[[SeriesBatch, Mapping[str, Any]], Points]:
    def points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
        return Points(offsets=batch.offsets, value=one_column(batch, chart))

    return points


def decayed(x: Floats, keep: float, age: NDArray[np.int64]) -> Floats:
    """``y_i = x_i + keep y_(i-1)``, from 0 at the beginning of each segment; shape (n,).

    By doubling: the sum over a window of 2 w points is that over w, plus keep^w times the one w points back.
    Every point is reckoned from its own segment alone and in the same order wherever it stands.

    Parameters
    ----------
    x : float array, shape (n,)
    keep : float
        In [0, 1).
    age : int array, shape (n,)
        0-based position of each point in its segment.

    Examples
    --------
    >>> decayed(np.array([1.0, 0.0, 0.0, 5.0]), 0.5, np.array([0, 1, 2, 0])).tolist()
    [1.0, 0.5, 0.25, 5.0]
    """
    y = x.copy()
    window, longest = 1, int(age.max(initial=0))
    while window <= longest and keep**window > _NOTHING:
        step = keep**window * y[:-window]
        step[age[window:] < window] = 0.0
        y[window:] += step
        window *= 2
    return y


def one_sided(z: Floats, start: float, age: NDArray[np.int64]) -> Floats:
    """``c_i = max(0, c_(i-1) + z_i)``, from ``start`` at the beginning of each segment; shape (n,).

    By doubling, too: a stretch of points turns what it is given into ``max(most, given + total)``, and two
    stretches one after the other do so again.

    Examples
    --------
    >>> one_sided(np.array([1.0, -3.0, 2.0, 1.0]), 0.5, np.arange(4)).tolist()
    [1.5, 0.0, 2.0, 3.0]
    """
    total, most = z.copy(), np.zeros(len(z))
    first = age == 0
    most[first] = np.maximum(start + z[first], 0.0)
    total[first] = -np.inf
    window, longest = 1, int(age.max(initial=0))
    while window <= longest:
        before = most[:-window] + total[window:]
        before[age[window:] < window] = -np.inf
        sums = total[:-window] + total[window:]
        far = age[window:] < window
        np.copyto(sums, total[window:], where=far)
        most[window:] = np.maximum(most[window:], before)
        total[window:] = sums
        window *= 2
    return most


class Path:
    """The used points of a block, close together, and the way back."""

    def __init__(self, block: Block) -> None:
        seg = block.segments
        self.block = block
        self.where = None if block.use is None else np.flatnonzero(block.use)
        if self.where is None:
            self.age = np.arange(seg.n) - np.repeat(seg.starts, seg.lengths)
        else:
            many = seg.counts(block.use) if block.use is not None else seg.lengths
            first = np.cumsum(many) - many
            self.age = np.arange(len(self.where)) - np.repeat(first, many)

    def used(self, x: Floats) -> Floats:
        """``x`` at the used points."""
        return x if self.where is None else x[self.where]

    def back(self, y: Floats, before: Floats) -> Floats:
        """``y`` in its places; an excluded point shows the last value (``before`` where there is none)."""
        if self.where is None:
            return y
        seg, use = self.block.segments, self.block.use
        assert use is not None
        last = np.cumsum(use) - 1
        none = last < np.repeat(np.cumsum(seg.counts(use)) - seg.counts(use), seg.lengths)
        out = np.where(none, before, y[np.maximum(last, 0)] if len(y) else np.nan)
        return np.asarray(out)


def _shown(block: Block, value: Floats) -> Floats:
    """NaN where the value is missing; what was before where it is excluded."""
    return np.where(np.isnan(block.points.value), np.nan, value)


def _spread(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """Sigma of each point: that of single values, over the square root of the size of a subgroup."""
    sigma, size = block.segments.expand(parameters["sigma"]), block.points.size
    return sigma if size is None else sigma / np.sqrt(size)


def _deviations(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    seg = block.segments
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (block.points.value - seg.expand(parameters["center"])) / _spread(block, parameters)
    return np.where(np.isfinite(z), z, np.nan)


def _exact(block: Block) -> bool:
    return block.asked.limits == "exact"


def _ewma_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    lam = float(block.asked.options["lam"])
    seg, path = block.segments, Path(block)
    center, sigma = seg.expand(parameters["center"]), seg.expand(parameters["sigma"])
    value = decayed(lam * path.used(block.points.value - center), 1.0 - lam, path.age)
    return (
        Lines(
            value=_shown(block, center + path.back(value, np.zeros(seg.n))),
            center=center,
            sigma=sigma * np.sqrt(ewma_variance(block, path, lam, exact=_exact(block))),
        ),
    )


def ewma_variance(block: Block, path: Path, lam: float, *, exact: bool) -> Floats:
    """Variance of the EWMA at each point in variances of single values; shape (n,).

    ``lam^2 sum_j (1 - lam)^(2 (i - j)) / n_j`` over the points so far, or ``lam / (2 - lam) / n_i``.
    """
    size = block.points.size
    if not exact:
        flat = np.full(block.segments.n, lam / (2.0 - lam))
        return flat if size is None else flat / size
    if size is not None:
        back = decayed(lam * lam / path.used(size), (1.0 - lam) ** 2, path.age)
        return path.back(back, lam * lam / size)
    share = np.full(len(path.age), 1.0)
    # points so far: age + 1
    share = -np.expm1(2.0 * (path.age + 1.0) * np.log1p(-lam)) if lam < 1 else share
    # where no point was used yet the limits are those of the first
    first = np.full(block.segments.n, 1.0 - (1.0 - lam) ** 2)
    return lam / (2.0 - lam) * path.back(share, first)


def _cusum_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    k, start = float(block.asked.options["k"]), float(block.asked.options["head_start"])
    if start >= block.asked.sigmas:
        raise InputError(
            f"head_start = {start:g} is not below the decision interval, sigmas = {block.asked.sigmas:g}: "
            "the chart would signal before its first point (a fast initial response is half the interval)"
        )
    seg, path = block.segments, Path(block)
    # subgroups: what is summed up is in standard errors, what is drawn in the unit of the measure
    sigma = _spread(block, parameters)
    z = path.used(np.nan_to_num(_deviations(block, parameters)))
    out = []
    for sign in (1.0, -1.0):
        value = path.back(one_sided(sign * z - k, start, path.age), np.full(seg.n, start))
        out.append(
            Lines(
                value=_shown(block, sign * value * sigma),
                center=np.zeros(seg.n),
                sigma=sigma,
            )
        )
    return tuple(out)


def _average_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    span, size = int(block.asked.options["span"]), block.points.size
    seg, path = block.segments, Path(block)
    center, sigma = seg.expand(parameters["center"]), seg.expand(parameters["sigma"])

    def summed(d: Floats) -> Floats:
        total = d.copy()
        for back in range(1, min(span, len(d))):
            step = d[:-back].copy()
            step[path.age[back:] < back] = 0.0
            total[back:] += step
        return total

    many = np.minimum(path.age + 1.0, span)
    width = path.back(many, np.ones(seg.n))
    if size is None:
        share = 1.0 / np.sqrt(width)
    else:
        share = np.sqrt(path.back(summed(1.0 / path.used(size)), 1.0 / size)) / width
    average = summed(path.used(block.points.value - center)) / many
    return (
        Lines(
            value=_shown(block, center + path.back(average, np.zeros(seg.n))),
            center=center,
            sigma=sigma * share,
        ),
    )


def _subgroups(family: ChartFamily, **changed: Any) -> ChartFamily:
    """The chart with its twin for subgroups: means, sigma within them, each point by its own size."""

    def points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
        return subgroup_points(batch, family.name)

    return replace(
        family,
        subgrouped=replace(
            family,
            grouped=True,
            estimators=WITHIN,
            modes=dict.fromkeys(WITHIN, "family"),
            points=points,
            estimate=within,
            **changed,
        ),
    )


_FROM = ESTIMATORS
_MODES: dict[str, Mode] = dict.fromkeys(_FROM, "family")
_BOOK = "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed."

_EWMA = ChartFamily(
    name="ewma",
    title="Exponentially weighted moving average (EWMA)",
    transformable=True,
    panels=(Panel(name="ewma", independent=False, axis="EWMA of {label}", level=True),),
    parameters=("center", "sigma"),
    estimators=_FROM,
    modes=_MODES,
    points=_points("ewma"),
    estimate=estimate,
    lines=_ewma_lines,
    deviations=_deviations,
    options={
        "lam": Option(
            default=0.2, text="lambda, the weight of the newest point", low=0.0, high=1.0, open=True
        )
    },
    limit_kinds={
        "exact": "center -+ L sigma sqrt(lambda / (2 - lambda) (1 - (1 - lambda)^(2 i))), i points so far; "
        "of subgroups lambda^2 times the sum of (1 - lambda)^(2 (i - j)) / n_j under the root",
        "asymptotic": "center -+ L sigma sqrt(lambda / (2 - lambda)) at every point, of subgroups "
        "over sqrt(n_i)",
    },
    varies="they widen over the first points",
    references=("Roberts (1959), Technometrics 1, 239-250", f"{_BOOK}, eq. 9.22 to 9.26"),
)

_CUSUM = ChartFamily(
    name="cusum",
    title="Cumulative sum (tabular CUSUM)",
    transformable=True,
    panels=(
        Panel(name="cusum above", independent=False, floor=0.0, constant=True, axis="cusum above{unit}"),
        Panel(
            name="cusum below",
            independent=False,
            ceiling=0.0,
            constant=True,
            main=True,
            axis="cusum below{unit}",
        ),
    ),
    parameters=("center", "sigma"),
    estimators=_FROM,
    modes=_MODES,
    points=_points("cusum"),
    estimate=estimate,
    lines=_cusum_lines,
    deviations=_deviations,
    options={
        "k": Option(default=0.5, text="allowance in sigma, half the shift to be found", low=0.0),
        "head_start": Option(
            default=0.0, text="where both sums start, in sigma (fast initial response: h / 2)", low=0.0
        ),
    },
    limit_kinds={
        "sigma": "h sigma; C+ = max(0, C+ + x - center - k sigma), C- the same downwards and drawn below 0; "
        "of subgroups sigma is that of their mean, sigma / sqrt(n_i)"
    },
    sigmas=5.0,
    references=(
        "Page (1954), Biometrika 41, 100-115",
        "Lucas and Crosier (1982), Technometrics 24, 199-205 (head start)",
        f"{_BOOK}, eq. 9.2 and 9.3",
    ),
)

_MOVING_AVERAGE = ChartFamily(
    name="moving_average",
    title="Moving average",
    transformable=True,
    panels=(Panel(name="moving average", independent=False, axis="moving average of {label}", level=True),),
    parameters=("center", "sigma"),
    estimators=_FROM,
    modes=_MODES,
    points=_points("moving_average"),
    estimate=estimate,
    lines=_average_lines,
    deviations=_deviations,
    options={"span": Option(default=5, text="number of points averaged", low=2, high=1000, whole=True)},
    limit_kinds={
        "sigma": "center -+ k sigma / sqrt(span); the first points average what there is; of subgroups "
        "center -+ k sigma sqrt(sum of 1 / n_j) / span"
    },
    varies="they narrow over the first points",
    references=(f"{_BOOK}, section 9.3",),
)

EWMA = _subgroups(_EWMA, varies="they follow the sizes and widen over the first points")
CUSUM = _subgroups(
    _CUSUM,
    # of unequal sizes each point has a standard error of its own
    panels=tuple(replace(p, constant=False) for p in _CUSUM.panels),
)
MOVING_AVERAGE = _subgroups(_MOVING_AVERAGE, varies="they follow the sizes and narrow over the first points")

__all__ = ["CUSUM", "EWMA", "MOVING_AVERAGE", "Path", "decayed", "ewma_variance", "one_sided"]
