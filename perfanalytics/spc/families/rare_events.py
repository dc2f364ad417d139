"""Charts of rare events: g (opportunities between events) and t (time between events)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import d2
from perfanalytics.spc.families.attributes import KINDS, limited
from perfanalytics.spc.family import ChartFamily, one_column
from perfanalytics.spc.options import Asked, Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.scores import Law

#: Nelson (1994): the 1 / 3.6 power of an exponential time is nearly normal.
POWER = 3.6
#: Steps of Newton's method for the Weibull shape: it doubles its digits, and always takes as many.
_STEPS = 40


def _gaps(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values = one_column(batch, "g")
    seen = values[~np.isnan(values)]
    least = float(options["minimum"])
    if (seen < least).any() or (seen != np.floor(seen)).any():
        raise InputError(
            f"a g chart takes whole numbers of opportunities between events, {least:g} or more "
            "(options={'minimum': ...} says how few there can be)"
        )
    return Points(offsets=batch.offsets, value=values)


def _mean(block: Block, estimator: str) -> dict[str, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"center": block.segments.sums(block.kept(block.points.value)) / block.n_kept()}


def _geometric(block: Block, parameters: Mapping[str, Floats]) -> Law:
    least = float(block.asked.options["minimum"])
    return Law(
        kind="geometric",
        count=block.points.value - least,
        a=np.maximum(block.segments.expand(parameters["center"]) - least, 0.0),
        shift=-least,
        same=True,
    )


def _g_lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    law = _geometric(block, parameters)
    center = block.segments.expand(parameters["center"])
    return (limited(block, law, center, np.sqrt(law.a * (law.a + 1.0))),)


G = ChartFamily(
    name="g",
    title="Opportunities between events (g chart)",
    panels=(Panel(name="opportunities between events", independent=True, floor=0.0, constant=True),),
    parameters=("center",),
    estimators={
        "mean": "mean number between events, zeros too; sigma = sqrt((m - a)(m - a + 1)), a the minimum"
    },
    modes={"mean": "model"},
    points=_gaps,
    estimate=_mean,
    lines=_g_lines,
    law=_geometric,
    options={
        "minimum": Option(
            default=0, text="fewest opportunities there can be between two events", low=0, high=1, whole=True
        )
    },
    limit_kinds=KINDS,
    references=(
        "Kaminsky, Benneyan, Davis and Burke (1992), Journal of Quality Technology 24, 63-69",
        "Benneyan (2001), Health Care Management Science 4, 305-318",
    ),
)


def _times(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values = one_column(batch, "t")
    if (values < 0).any():
        raise InputError("a t chart takes times between events: none is negative")
    return Points(offsets=batch.offsets, value=values)


def _times_estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Location and scale: of x^(1/3.6), or of log x (exponential and Weibull: ln eta and 1 / beta)."""
    seg, x, n = block.segments, block.points.value, block.n_kept()
    with np.errstate(invalid="ignore", divide="ignore"):
        if estimator == "nelson":
            y = x ** (1.0 / POWER)
            ranges = np.abs(np.diff(y, prepend=np.nan))
            ranges[~block.keep_link] = 0.0
            location = seg.sums(block.kept(y)) / n
            scale = seg.sums(ranges) / block.kept_pairs() / d2(2)
        elif estimator == "exponential":
            location = np.log(seg.sums(block.kept(x)) / n)
            scale = np.ones(len(seg))
        else:
            location, scale = _weibull(block)
        few = n < (1 if estimator == "exponential" else 2)
        location[few], scale[few] = np.nan, np.nan
        return {"location": np.where(np.isfinite(location), location, np.nan), "scale": scale}


def _weibull(block: Block) -> tuple[Floats, Floats]:
    """Maximum likelihood by Newton's method: ``sum x^b ln x / sum x^b - 1 / b = mean ln x``."""
    seg, n = block.segments, block.n_kept()
    x = block.points.value
    keep = ~np.isnan(x) if block.keep is None else block.keep
    if (x[keep] <= 0).any():
        raise InputError(
            "a Weibull t chart takes times above 0: give more exact times, or take the law 'nelson' "
            "(options={'law': 'nelson'})"
        )
    y = np.where(keep, np.log(np.where(keep, x, 1.0)), 0.0)
    top = seg.maxima(np.where(keep, y, -np.inf))
    mean = seg.sums(y) / n
    # in units of the largest time, so that no power overflows
    y = np.where(keep, y - seg.expand(np.where(np.isfinite(top), top, 0.0)), 0.0)
    low = mean - top
    spread = np.sqrt(np.maximum(seg.sums(y * y) / n - low * low, 0.0))
    shape = np.pi / np.sqrt(6.0) / spread
    for _ in range(_STEPS):
        power = np.where(keep, np.exp(seg.expand(shape) * y), 0.0)
        s0, s1, s2 = seg.sums(power), seg.sums(power * y), seg.sums(power * y * y)
        value = s1 / s0 - 1.0 / shape - low
        slope = s2 / s0 - (s1 / s0) ** 2 + 1.0 / shape**2
        step = value / slope
        # never more than half way to 0
        shape = np.where(step < shape / 2.0, shape - step, shape / 2.0)
    scale = np.exp(seg.expand(shape) * y)
    eta = top + np.log(seg.sums(np.where(keep, scale, 0.0)) / n) / shape
    return eta, 1.0 / shape


def _t_lines(block: Block, parameters: Mapping[str, Floats], *, estimator: str) -> tuple[Lines, ...]:
    seg, x, k = block.segments, block.points.value, block.asked.sigmas
    location, scale = seg.expand(parameters["location"]), seg.expand(parameters["scale"])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if estimator == "nelson":
            z = (x ** (1.0 / POWER) - location) / scale
            at = [np.maximum(location + c * scale, 0.0) ** POWER for c in (-k, 0.0, k)]
        else:
            # H = -ln P(X > x), exponential of mean 1 in a stable process
            hazard = np.exp((np.log(x) - location) / scale)
            z = np.where(
                hazard < math.log(2.0), special.ndtri(-np.expm1(-hazard)), -special.ndtri(np.exp(-hazard))
            )
            z = np.clip(z, -38.0, 38.0)
            tails = [-np.log(special.ndtr(-c)) for c in (-k, 0.0, k)]
            at = [np.exp(location + scale * np.log(t)) for t in tails]
        z = np.where(scale > 0, z, np.nan)
    lower, center, upper = at
    return (Lines(value=x, center=center, sigma=(upper - center) / k, lower=lower, upper=upper, z=z),)


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    return _t_lines(block, parameters, estimator=str(block.asked.options["law"]))


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    return _times_estimate(block, str(block.asked.options["law"]))


def _null(rng: np.random.Generator, shape: Any) -> Floats:
    return np.asarray(rng.standard_exponential(shape))


def _known(asked: Asked) -> dict[str, float]:
    if asked.options["law"] != "nelson":
        return {"location": 0.0, "scale": 1.0}
    mean, square = math.gamma(1.0 + 1.0 / POWER), math.gamma(1.0 + 2.0 / POWER)
    return {"location": mean, "scale": math.sqrt(square - mean * mean)}


_T_KINDS = "limits and zones at k sigma of the normal scores, that is at the quantiles Phi(-k) and Phi(k)"

T = ChartFamily(
    name="t",
    title="Time between events (t chart)",
    panels=(Panel(name="time between events", independent=True, floor=0.0, constant=True),),
    parameters=("location", "scale"),
    estimators={
        "fitted": "nelson: mean of x^(1/3.6), sigma = mean moving range / d2, back to the power 3.6; "
        "exponential: mean; weibull: maximum likelihood; center line: back-transformed mean (nelson), median"
    },
    modes={"fitted": "family"},
    points=_times,
    estimate=_estimate,
    lines=_lines,
    options={
        "law": Option(
            default="nelson",
            text="how times are brought to the normal scale",
            choices=("nelson", "exponential", "weibull"),
        )
    },
    limit_kinds={"sigma": _T_KINDS, "probability": _T_KINDS},
    null=_null,
    known=_known,
    references=(
        "Nelson (1994), A control chart for parts-per-million nonconforming items, JQT 26, 239-240",
        "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 7.3.5",
        "Xie, Goh and Ranjan (2002), Reliability Engineering and System Safety 77, 143-150 (Weibull)",
    ),
)

__all__ = ["POWER", "G", "T"]
