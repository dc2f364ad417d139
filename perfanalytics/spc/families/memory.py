"""Charts with memory: EWMA, CUSUM and moving average of one value a point.

What they plot sums up earlier points, so their panels use the limits only. Missing and excluded points change
nothing: the statistic goes on from the last used point; a stage begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.individuals import INDIVIDUALS, estimate
from perfanalytics.spc.family import Block, ChartFamily, Lines, Mode, Panel, Points, one_column
from perfanalytics.spc.options import Option

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


def _deviations(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    seg = block.segments
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (block.points.value - seg.expand(parameters["center"])) / seg.expand(parameters["sigma"])
    return np.where(np.isfinite(z), z, np.nan)


def _ewma_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    lam = float(block.asked.options["lam"])
    seg, path = block.segments, Path(block)
    center, sigma = seg.expand(parameters["center"]), seg.expand(parameters["sigma"])
    value = decayed(lam * path.used(block.points.value - center), 1.0 - lam, path.age)
    share = np.full(len(value), 1.0)
    if block.asked.limits == "exact":
        # points so far: age + 1
        share = -np.expm1(2.0 * (path.age + 1.0) * np.log1p(-lam)) if lam < 1 else share
    share = path.back(share, np.full(seg.n, np.nan))
    if block.use is not None:
        # where no point was used yet the limits are those of the first
        first = 1.0 - (1.0 - lam) ** 2 if block.asked.limits == "exact" else 1.0
        share = np.where(np.isnan(share), first, share)
    return (
        Lines(
            value=_shown(block, center + path.back(value, np.zeros(seg.n))),
            center=center,
            sigma=sigma * np.sqrt(lam / (2.0 - lam) * share),
        ),
    )


def _cusum_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    k, start = float(block.asked.options["k"]), float(block.asked.options["head_start"])
    seg, path = block.segments, Path(block)
    sigma = seg.expand(parameters["sigma"])
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
    span = int(block.asked.options["span"])
    seg, path = block.segments, Path(block)
    center, sigma = seg.expand(parameters["center"]), seg.expand(parameters["sigma"])
    d = path.used(block.points.value - center)
    total = d.copy()
    for back in range(1, min(span, len(d))):
        step = d[:-back].copy()
        step[path.age[back:] < back] = 0.0
        total[back:] += step
    many = np.minimum(path.age + 1.0, span)
    width = path.back(many, np.ones(seg.n))
    return (
        Lines(
            value=_shown(block, center + path.back(total / many, np.zeros(seg.n))),
            center=center,
            sigma=sigma / np.sqrt(width),
        ),
    )


_FROM = INDIVIDUALS.estimators
_MODES: dict[str, Mode] = dict.fromkeys(_FROM, "family")
_BOOK = "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed."

EWMA = ChartFamily(
    name="ewma",
    title="Exponentially weighted moving average (EWMA)",
    panels=(Panel(name="ewma", independent=False, axis="EWMA of {label}"),),
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
        "exact": "center -+ L sigma sqrt(lambda / (2 - lambda) (1 - (1 - lambda)^(2 i))), i points so far",
        "asymptotic": "center -+ L sigma sqrt(lambda / (2 - lambda)) at every point",
    },
    varies="they widen over the first points",
    references=("Roberts (1959), Technometrics 1, 239-250", f"{_BOOK}, eq. 9.22 to 9.26"),
)

CUSUM = ChartFamily(
    name="cusum",
    title="Cumulative sum (tabular CUSUM)",
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
        "sigma": "h sigma; C+ = max(0, C+ + x - center - k sigma), C- the same downwards and drawn below 0"
    },
    sigmas=5.0,
    references=(
        "Page (1954), Biometrika 41, 100-115",
        "Lucas and Crosier (1982), Technometrics 24, 199-205 (head start)",
        f"{_BOOK}, eq. 9.2 and 9.3",
    ),
)

MOVING_AVERAGE = ChartFamily(
    name="moving_average",
    title="Moving average",
    panels=(Panel(name="moving average", independent=False, axis="moving average of {label}"),),
    parameters=("center", "sigma"),
    estimators=_FROM,
    modes=_MODES,
    points=_points("moving_average"),
    estimate=estimate,
    lines=_average_lines,
    deviations=_deviations,
    options={"span": Option(default=5, text="number of points averaged", low=2, high=1000, whole=True)},
    limit_kinds={"sigma": "center -+ k sigma / sqrt(span); the first points average what there is"},
    varies="they narrow over the first points",
    references=(f"{_BOOK}, section 9.3",),
)

__all__ = ["CUSUM", "EWMA", "MOVING_AVERAGE", "Path", "decayed", "one_sided"]
