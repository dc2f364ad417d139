"""Hotelling's T2: several measures of one process watched together, single values or subgroups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import Segments
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.families.subgroups import cut
from perfanalytics.spc.family import ChartFamily, OwnTests
from perfanalytics.spc.options import Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import LIMITS_ONLY

#: Stages of fewer points are not judged.
_FEWEST = 8
#: Two measures that agree to this share are the same: their covariance cannot be inverted.
_SINGULAR = 1e-12


def rows(batch: SeriesBatch, chart: str) -> Points:
    """Means, scatter and count of each point: a row of measures, or a subgroup of such rows.

    Raises
    ------
    InputError
    """
    if batch.values.ndim != 2 or batch.values.shape[1] < 2:
        raise InputError(f"the {chart} chart takes two or more measures: values of shape (n, k), k >= 2")
    complete = np.asarray(~np.isnan(batch.values).any(axis=1), dtype=bool)
    p = batch.values.shape[1]
    if batch.subgroups is None:
        none = np.zeros((len(complete), p, p))
        return Points(
            offsets=batch.offsets,
            value=np.where(complete, 0.0, np.nan),
            columns={
                "mean": np.where(complete[:, None], batch.values, 0.0),
                "scatter": none,
                "count": complete.astype(np.float64),
            },
            how={"points": "single values; a row with a missing measure is a gap"},
        )
    single = SeriesBatch(
        np.where(complete, 0.0, np.nan),
        batch.offsets,
        measure=batch.measure,
        ids=batch.ids,
        when=batch.when,
        subgroups=batch.subgroups,
        covariates=batch.covariates,
        exclusions=batch.exclusions,
        clock=batch.clock if batch.when is not None else None,
    )
    kept, first, offsets, source = cut(single, chart)
    if not len(first):
        blank: dict[str, Floats] = {
            "mean": np.zeros((0, p)),
            "scatter": np.zeros((0, p, p)),
            "count": np.zeros(0),
        }
        return Points(offsets=offsets, value=np.empty(0), columns=blank, batch=source)
    seg = Segments(first, len(kept))
    seen = ~np.isnan(kept)
    count = seg.counts(seen).astype(np.float64)
    x = np.where(seen[:, None], batch.values, 0.0)
    mean = np.add.reduceat(x, first, axis=0) / np.maximum(count, 1.0)[:, None]
    d = np.where(seen[:, None], x - np.repeat(mean, seg.lengths, axis=0), 0.0)
    return Points(
        offsets=offsets,
        value=np.where(count > 0, 0.0, np.nan),
        size=np.where(count > 0, count, np.nan),
        columns={
            "mean": mean,
            "scatter": np.add.reduceat(d[:, :, None] * d[:, None, :], first, axis=0),
            "count": count,
        },
        batch=source,
        how={"points": "means of subgroups; a row with a missing measure is left out of its subgroup"},
    )


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    return rows(batch, "hotelling_t2")


def estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Mean and covariance of each segment, with the observations and degrees of freedom behind them."""
    seg, columns = block.segments, block.points.columns
    keep = block.mask()
    count = np.where(keep, columns["count"], 0.0)
    total = np.add.reduceat(count, seg.starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = np.add.reduceat(count[:, None] * columns["mean"], seg.starts, axis=0) / total[:, None]
        if block.points.size is None:
            d = np.where(keep[:, None], columns["mean"] - np.repeat(center, seg.lengths, axis=0), 0.0)
            scatter = np.add.reduceat(d[:, :, None] * d[:, None, :], seg.starts, axis=0)
            degrees = total - 1.0
        else:
            scatter = np.add.reduceat(
                np.where(keep[:, None, None], columns["scatter"], 0.0), seg.starts, axis=0
            )
            degrees = total - seg.counts(keep)
        covariance = scatter / degrees[:, None, None]
    return {"center": center, "covariance": covariance, "observations": total, "degrees": degrees}


def whitened(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """Deviations of the points from the mean, made independent of variance 1 (for single rows); shape (n, k).

    NaN where a point is missing, or where the covariance cannot be inverted.

    Raises
    ------
    InputError
        For parameters of another number of measures.
    """
    seg = block.segments
    center, covariance = parameters["center"], parameters["covariance"]
    wide = block.points.columns["mean"].shape[1]
    if center.shape != (len(seg), wide) or covariance.shape != (len(seg), wide, wide):
        raise InputError(
            f"these are {wide} measures: center takes {wide} numbers, covariance a table of {wide} by {wide}"
        )
    known = invertible(covariance)
    p = center.shape[1]
    root = np.full(covariance.shape, np.nan)
    if known.any():
        root[known] = np.linalg.inv(np.linalg.cholesky(covariance[known]))
    d = block.points.columns["mean"] - np.repeat(center, seg.lengths, axis=0)
    out = np.zeros(d.shape)
    for i in range(p):
        for j in range(i + 1):
            out[:, i] += seg.expand(root[:, i, j]) * d[:, j]
    out[np.isnan(block.points.value)] = np.nan
    return out


def _statistic(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """T2 of each point; NaN where it is missing, or where the covariance cannot be inverted."""
    z = whitened(block, parameters)
    scale = 1.0 if block.points.size is None else block.points.columns["count"]
    return np.asarray(scale * np.sum(z * z, axis=1))


def invertible(covariance: Floats) -> NDArray[np.bool_]:
    """Whether each covariance of shape (m, k, k) tells its measures apart; shape (m,)."""
    spread = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
    good = np.isfinite(covariance).all(axis=(1, 2)) & (spread > 0).all(axis=1)
    out = np.zeros(len(covariance), dtype=bool)
    if good.any():
        scaled = covariance[good] / (spread[good][:, :, None] * spread[good][:, None, :])
        out[good] = np.linalg.eigvalsh(scaled)[:, 0] > _SINGULAR
    return out


def _laws(block: Block, parameters: Mapping[str, Floats]) -> tuple[NDArray[np.bool_], Floats, Floats, Floats]:
    """Of each point: whether its law is a beta (else F), its factor, its degrees (0: chi2), and k."""
    seg, columns = block.segments, block.points.columns
    p = columns["mean"].shape[1]
    missing = np.isnan(block.points.value)
    # where a row is missing stands the limit of the others
    own = np.ones(seg.n, dtype=bool) if block.keep is None else block.keep | missing
    if block.frozen:
        own[:] = False
    total, degrees = seg.expand(parameters["observations"]), seg.expand(parameters["degrees"])
    count = np.ones(seg.n) if block.points.size is None else np.where(missing, np.nan, columns["count"])
    rest = degrees - p + 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        share = count / total
        factor = np.where(own, 1.0 - share, 1.0 + share) * degrees * p / rest
    factor = np.where(degrees > 0, factor, 1.0)
    if block.points.size is None:
        # a point behind its own covariance: beta instead of F
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(own & (degrees > 0), degrees * degrees / total, factor)
        beta = own & (degrees > 0)
        rest = np.where(beta, degrees - p, rest)
    else:
        beta = np.zeros(seg.n, dtype=bool)
    bad = (degrees > 0) & (rest <= 0)
    # too few points for a law: NaN, which is not the 0 of parameters that are known
    rest = np.where(degrees > 0, np.where(bad, np.nan, rest), 0.0)
    return beta, np.where(bad, np.nan, factor), rest, np.full(seg.n, float(p))


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    value = _statistic(block, parameters)
    beta, factor, rest, p = _laws(block, parameters)
    alpha = _alpha(block)
    with np.errstate(invalid="ignore", divide="ignore"):
        f = factor * special.fdtri(p, np.maximum(rest, 1e-9), 1.0 - alpha)
        b = factor * special.betaincinv(p / 2, np.maximum(rest, 1e-9) / 2, 1.0 - alpha)
        upper = np.where(rest == 0, special.chdtri(p, alpha), np.where(beta, b, f))
        middle = np.where(
            rest == 0,
            p,
            np.where(beta, factor * p / (p + rest), np.where(rest > 2, factor * rest / (rest - 2), np.nan)),
        )
    unknown = ~np.repeat(invertible(parameters["covariance"]), block.segments.lengths)
    upper[unknown], middle[unknown] = np.nan, np.nan
    return (
        Lines(
            value=value,
            center=middle,
            sigma=(upper - middle) / block.asked.sigmas,
            lower=np.where(np.isnan(upper), np.nan, 0.0),
            upper=upper,
        ),
    )


def _alpha(block: Block) -> float:
    asked = block.asked.options.get("alpha")
    return 2.0 * float(special.ndtr(-block.asked.sigmas)) if asked is None else float(asked)


def _tails(block: Block, parameters: Mapping[str, Floats], value: Floats) -> Floats:
    """Chance of a stable point to lie at least so far out."""
    beta, factor, rest, p = _laws(block, parameters)
    with np.errstate(invalid="ignore", divide="ignore"):
        x = value / factor
        return np.where(
            rest == 0,
            special.chdtrc(p, value),
            np.where(
                beta,
                special.betaincc(p / 2, np.maximum(rest, 1e-9) / 2, np.clip(x, 0.0, 1.0)),
                special.fdtrc(p, np.maximum(rest, 1e-9), x),
            ),
        )


def deviations(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """T2 of each point as a normal value: independent in a stable process."""
    tail = _tails(block, parameters, _statistic(block, parameters))
    return np.asarray(-special.ndtri(np.clip(tail, 1e-300, 1.0 - 1e-16)))


def _tests(block: Block, parameters: Mapping[str, Floats]) -> OwnTests:
    seg = block.segments
    line = _lines(block, parameters)[0]
    assert line.upper is not None
    use = ~np.isnan(line.value) & ~np.isnan(line.upper)
    if block.use is not None:
        use &= block.use
    fired = (use & (line.value > line.upper)).astype(np.uint8)
    tail = np.where(use, _tails(block, parameters, line.value), 1.0)
    z = np.where(use, -special.ndtri(np.maximum(tail, 1e-300) / 2.0), np.nan)
    alpha = _alpha(block)
    n, signals = seg.counts(use).astype(np.float64), seg.counts(fired != 0)
    smallest = seg.minima(tail)
    far = -np.expm1(n * np.log1p(-np.minimum(smallest, 1.0 - 1e-16)))
    # at least so many of n: the binomial tail as an incomplete beta function
    some = np.maximum(signals, 1)
    many = np.where(signals > 0, special.betainc(some, np.maximum(n - some + 1.0, 1.0), alpha), 1.0)
    p_value = np.where(n >= _FEWEST, np.minimum(1.0, 2.0 * np.minimum(far, many)), np.nan)
    return OwnTests(
        fired=fired, p_value=p_value, expected=n * alpha, useful=n.astype(np.int64), tests=(), z=z
    )


HOTELLING_T2 = ChartFamily(
    name="hotelling_t2",
    title="Several measures together (Hotelling T2)",
    panels=(Panel(name="T2", independent=False, spread=True, floor=0.0, axis="T2 of {name}", unitless=True),),
    parameters=("center", "covariance", "observations", "degrees"),
    estimators={
        "covariance": "means; sample covariance of single values, pooled within subgroups; upper limit from "
        "the beta (single values) or F law of points behind the limits, from F for new ones, chi2 where given"
    },
    modes={"covariance": "own"},
    points=_points,
    estimate=estimate,
    lines=_lines,
    deviations=deviations,
    own=_tests,
    own_rules=LIMITS_ONLY,
    optional={"observations": 0.0, "degrees": 0.0},
    options={
        "alpha": Option(
            default=None,
            text="false-alarm rate of a point; None: 2 Phi(-sigmas)",
            low=0.0,
            high=0.5,
            open=True,
        )
    },
    varies="they differ between points behind the limits and new ones, and with the size",
    needed=20,
    references=(
        "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 11.3",
        "Tracy, Young and Mason (1992), Journal of Quality Technology 24, 88-95",
    ),
)
