"""Statistical doubts about a chart, each with its number: computed per segment, told per chart.

In bulk they are codes; for one chart each is a Caveat with a sentence and its evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import LOG_SCALES, MEASURED_SCALES, Measure
from perfanalytics.core.result import Caveat
from perfanalytics.core.segments import Flags
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.kernel import Counted, Setting
from perfanalytics.spc.wording import number

#: Share of moving ranges that are 0 when the unit of recording is about one sigma (0.28 for a normal series).
MANY_TIES = 0.25
#: Skewness and excess kurtosis of n transformed values that are doubtful, times sqrt(n): 2.5 and 3.5 standard
#: errors; of 8,000 normal series a length, 15 to 500 points, 0.4 to 1.6% have either.
SKEWED, PEAKED = 2.5 * math.sqrt(6.0), 3.5 * math.sqrt(24.0)
#: The normal approximation of binomial and Poisson limits wants about so many expected in the rarer class.
FEWEST_EXPECTED = 5.0


def doubtful(counted: Counted, setting: Setting, measure: Measure) -> dict[str, Flags]:
    """Which doubt holds for which segment; codes in the order they are told.

    Parameters
    ----------
    counted : Counted
        m segments.
    setting : Setting
    measure : Measure

    Returns
    -------
    mapping of code to bool array of shape (m,)
    """
    n, family = counted.n, setting.family
    root = np.sqrt(np.maximum(n, 1))
    free = setting.frozen is None
    none = np.zeros(len(n), dtype=bool)
    empty = n == 0
    no_limits = ~empty & ~counted.no_variation & np.isnan(counted.farthest) & (not family.limitless)
    with np.errstate(invalid="ignore"):
        r = counted.lag1
        out = {
            "no-points": empty,
            "no-limits": no_limits,
            "too-few-points": (counted.n_kept < family.needed) & ~empty & free,
            "zero-variation": counted.no_variation,
            "autocorrelated": (np.abs(r) > np.maximum(0.2, 2.0 / root)) & (n >= 10),
            "overdispersed": (counted.spread > counted.spread_high) & (n >= 8) & ~counted.no_variation,
            "underdispersed": (counted.spread < counted.spread_low) & (n >= 8) & ~counted.no_variation,
            "few-expected-counts": counted.smallest_count < FEWEST_EXPECTED,
            "few-distinct-values": (counted.ties > MANY_TIES) & (n >= 8) & ~counted.no_variation,
            "skewed": (np.abs(counted.skewness) > np.maximum(1.0, 2.0 * math.sqrt(6.0) / root))
            & (n >= 15)
            & np.isnan(counted.kurtosis),
            "transformed-not-normal": (
                (np.abs(counted.skewness) > SKEWED / root) | (np.abs(counted.kurtosis) > PEAKED / root)
            )
            & (n >= 15)
            & np.isfinite(counted.kurtosis),
            "limit-out-of-range": _out_of_range(counted, setting, measure),
        }
        if len(counted.own):
            out |= {d.code: d.holds(counted.own[k], n) for k, d in enumerate(family.doubts)}
    return {code: np.asarray(flag, dtype=bool) | none for code, flag in out.items()}


def not_counts(setting: Setting, measure: Measure) -> bool:
    """Whether the limits come from a law of counts, and the measure declares that it is no count."""
    family = setting.family
    by_law = family.model_sigma or (
        family.name == "funnel" and setting.asked.options.get("law") in ("binomial", "poisson")
    )
    return by_law and measure.scale in MEASURED_SCALES


def _out_of_range(counted: Counted, setting: Setting, measure: Measure) -> Flags:
    main = setting.family.panels[0]
    if main.floor is not None or main.unitless or measure.scale in (None, "real", "ordinal"):
        return np.zeros(len(counted.n), dtype=bool)
    out = counted.lowest < 0
    if measure.scale == "proportion":
        out |= counted.highest > 1
    # where limits vary there is no one sigma, and there is variation
    return np.asarray(out & ~(counted.sigma == 0))


def caveats_of(
    counted: Counted, setting: Setting, measure: Measure, *, unattributed: int = 0, still_open: int = 0
) -> tuple[Caveat, ...]:
    """The doubts about one chart; of several stages the latest one that shows the doubt is told.

    ``unattributed`` counts exclusions without who or when, ``still_open`` used points that are censored.
    """
    found = doubtful(counted, setting, measure)
    stages = len(counted.n)
    out = []
    for code, flags in found.items():
        where = np.flatnonzero(flags)
        if not len(where):
            continue
        i = int(where[-1])
        text, evidence = _told(code, counted, i, setting, measure)
        if stages > 1:
            evidence = dict(evidence) | {"stage": i}
            text = f"Stage {i} (of stages 0 to {stages - 1}): {text}"
        out.append(Caveat(code, text, evidence))
    if not_counts(setting, measure) and counted.n.any():
        out.append(_measured(setting, measure))
    if still_open:
        out.append(
            Caveat(
                "open-items",
                f"{still_open} of {int(counted.n.sum())} points are still open: charted with their value so "
                "far, which is a lower bound.",
                {"points": still_open},
            )
        )
    if unattributed:
        out.append(
            Caveat(
                "exclusion-unattributed",
                f"{unattributed} excluded point{'s' if unattributed > 1 else ''} without who decided it "
                "and when.",
                {"points": unattributed},
            )
        )
    return tuple(out)


Told = tuple[str, Mapping[str, Any]]


def _told(code: str, c: Counted, i: int, s: Setting, m: Measure) -> Told:
    for k, doubt in enumerate(s.family.doubts):
        if doubt.code == code:
            figure, n = float(c.own[k, i]), int(c.n[i])
            return doubt.text(figure, n), {doubt.name: figure, "n": n}
    return _TEXTS[code](c, i, s, m)


def _no_points(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    return "No usable point: there is nothing to chart.", {"n": 0}


def _no_limits(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    n = int(c.n_kept[i])
    return (
        f"No limits: {n} usable point{'' if n == 1 else 's'} {'is' if n == 1 else 'are'} "
        "not enough for this way of estimating them.",
        {"n": n},
    )


def _too_few(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    n = int(c.n_kept[i])
    return (
        f"Limits rest on {n} point{'' if n == 1 else 's'}; below about {s.family.needed} they are "
        "provisional.",
        {"n": n, "needed": s.family.needed},
    )


def _zero_variation(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    return (
        f"The sigma of the {int(c.n_kept[i])} points behind the limits is 0 (no variation, or none that this "
        "estimate sees): no rule was applied.",
        {"n": int(c.n_kept[i]), "center": float(c.center[i])},
    )


def _autocorrelated(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    r, n = float(c.lag1[i]), int(c.n[i])
    evidence: dict[str, Any] = {"lag1": r, "n": n}
    text = f"Successive points are correlated (lag 1: {r:.2f}, n = {n}), or the level moved"
    estimate = s.family.modes.get(s.estimator, "")
    if estimate in ("moving_range", "median_moving_range"):
        # a moving range of an AR(1) series sees sigma sqrt(1 - r)
        share = 2.0 * float(special.ndtr(-s.sigmas * math.sqrt(max(1.0 - r, 0.0))))
        nominal = 2.0 * float(special.ndtr(-s.sigmas))
        evidence |= {"false_share": share, "nominal_share": nominal}
        text += (
            ". Were it correlation alone, limits from moving ranges would be too "
            f"{'narrow' if r > 0 else 'wide'}: "
            f"{100 * share:.2g}% of the points of a stable series outside instead of {100 * nominal:.2g}%."
            + (" A residual chart takes correlation into account." if s.family.name == "individuals" else "")
        )
    else:
        what = "run rules fire" if s.family.panels[0].independent else "this chart signals"
        text += f". The rules assume independent points: with correlation, {what} too often."
    return text, evidence


def _measured(s: Setting, m: Measure) -> Caveat:
    advice = (
        "Take options={'law': 'normal'} with weights = 1 / standard error^2."
        if s.family.name == "funnel"
        else "Take chart='i_prime' for ratios of measured quantities, or 'individuals'."
    )
    text = (
        f"The limits of a {s.family.name} chart follow from a law of counts, but {m.name} is a measured "
        f"quantity (scale {m.scale!r}): in another unit the same data would have other limits. {advice}"
    )
    return Caveat("not-counts", text, {"scale": m.scale, "chart": s.family.name})


def _dispersed(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    z, n = float(c.spread[i]), int(c.n[i])
    if not s.family.ordered:
        return _units_dispersed(z, n, bool(c.spread[i] > c.spread_high[i]))
    more = z > 1
    text = (
        f"The points vary {z:.2f} times as much from one to the next as the {s.family.name} chart's model "
        f"says (sigma_z = {z:.2f}, n = {n}): its limits are too {'narrow' if more else 'wide'}."
    )
    if f"laney_{s.family.name}" in CHARTS:
        text += f" A laney_{s.family.name} chart takes this into account."
    return text, {"sigma_z": z, "n": n}


def _units_dispersed(z: float, n: int, more: bool) -> Told:
    phi = z * z
    text = (
        f"The {n} units vary {'more' if more else 'less'} than chance makes units of their size vary (phi = "
        f"{phi:.3g}). "
    )
    if more:
        text += (
            "Limits that allow for chance alone call many of them different: options={'adjust': 'additive'} "
            "or 'multiplicative' allows for differences between units."
        )
    else:
        text += "Look at how the numbers were made: independent cases do not agree so well."
    return text, {"phi": phi, "n": n}


def _few_expected(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    k = float(c.smallest_count[i])
    return (
        f"On average {k:.2g} are expected in the rarer class of a point; below about {FEWEST_EXPECTED:g} "
        "the symmetric limits are rough.",
        {"expected": k, "needed": FEWEST_EXPECTED},
    )


def _few_distinct(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    share = float(c.ties[i])
    return (
        f"{100 * share:.0f}% of successive points are equal: the values are recorded too coarsely (or are "
        "too often the same) for limits from moving ranges.",
        {"equal_neighbours": share, "threshold": MANY_TIES},
    )


def _skewed(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    g = float(c.skewness[i])
    share = float(gamma_tail(np.array([abs(g)]), s.sigmas)[0])
    side = "upper" if g > 0 else "lower"
    return (
        f"The values are skewed (skewness {g:.1f}), or a few points are extreme: of a stable gamma-shaped "
        f"process that skewed about {100 * share:.2g}% lie beyond the {side} limit instead of "
        f"{100 * float(special.ndtr(-s.sigmas)):.2g}%.{_advice(s, m)}",
        {"skewness": g, "beyond_limit": share},
    )


def _advice(s: Setting, m: Measure) -> str:
    """Which transformation would help, where the chart takes one."""
    if not s.family.transformable:
        return ""
    name = "log" if m.scale in LOG_SCALES else "box_cox" if m.scale == "count" else "yeo_johnson"
    return f" transform='{name}' charts them on a scale where they may be nearer to normal."


def _not_normal(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    g, k = float(c.skewness[i]), float(c.kurtosis[i])
    return (
        f"Also after the transformation the values are not normal (skewness {g:.1f}, excess kurtosis {k:.1f}"
        "), or a few points are extreme: limits and rules have other false-alarm rates than stated.",
        {"skewness": g, "kurtosis": k, "n": int(c.n[i])},
    )


def _range(c: Counted, i: int, s: Setting, m: Measure) -> Told:
    lower = float(c.lowest[i])
    bound = "lower" if lower < 0 else "upper"
    value = lower if lower < 0 else float(c.highest[i])
    told = number(value, float(c.sigma[i]))
    if np.isnan(c.lower[i]):
        told = f"{number(value)} at the farthest"
    return (
        f"The {bound} limit ({told}) lies where a {m.scale} cannot be: "
        "on that side the chart cannot signal by its limit, and the limits are not those of such a measure.",
        {"limit": value},
    )


def gamma_tail(skewness: Floats, sigmas: float) -> Floats:
    """P(X > mean + sigmas sd) of a gamma distribution with this (positive) skewness: shape 4 / skewness^2.

    Examples
    --------
    >>> gamma_tail(np.array([2.0]), 3.0).round(4).tolist()
    [0.0183]
    """
    shape = 4.0 / np.asarray(skewness, dtype=float) ** 2
    return np.asarray(special.gammaincc(shape, shape + sigmas * np.sqrt(shape)))


_TEXTS: dict[str, Callable[[Counted, int, Setting, Measure], Told]] = {
    "no-points": _no_points,
    "no-limits": _no_limits,
    "too-few-points": _too_few,
    "zero-variation": _zero_variation,
    "autocorrelated": _autocorrelated,
    "overdispersed": _dispersed,
    "underdispersed": _dispersed,
    "few-expected-counts": _few_expected,
    "few-distinct-values": _few_distinct,
    "skewed": _skewed,
    "transformed-not-normal": _not_normal,
    "limit-out-of-range": _range,
}
