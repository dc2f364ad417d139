"""Statistical doubts about a baseline, as caveats."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.goodness import FEWEST_TESTED, anderson_darling, p_normal
from perfanalytics.baselines.intervals import Dependence, Effective
from perfanalytics.baselines.wording import count
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat

#: Fewer values than this carry a caveat.
FEW = 20
#: A family is doubted where the values speak against it at this level.
CLEARLY = 0.01


def few_points(n: int) -> list[Caveat]:
    """A caveat for fewer than 20 points."""
    if n >= FEW:
        return []
    text = f"Only {count(n, 'point')}: a baseline needs about {FEW} to be worth the name."
    return [Caveat("too-few-points", text, {"n": n, "needed": FEW})]


def doubts(
    values: NDArray[np.float64],
    size: Effective,
    dependence: Dependence,
    measure: Measure,
    *,
    blocked: bool,
    asked: bool = True,
) -> list[Caveat]:
    """Doubts about measured values and their intervals."""
    n = len(values)
    out = few_points(n)
    if n > 1 and float(values.min()) == float(values.max()):
        out.append(
            Caveat(
                "zero-variance",
                f"All {n} values are {values[0]:g}: the intervals have no width, which says more about how "
                "the values are recorded than about the process.",
                {"value": float(values[0])},
            )
        )
    if blocked:
        zeros = int(np.sum(values == 0))
        out.append(
            Caveat(
                "zero-on-log-scale",
                f"{zeros} of {n} values are 0 and have no logarithm: lognormal intervals are not computed "
                "(the distribution-free ones are), and the chart is that of the values as they are.",
                {"zeros": zeros, "n": n},
            )
        )
    out += dependence_doubts(size, dependence, asked=asked)
    if measure.scale == "ordinal":
        text = (
            "An ordinal scale has an order but no distances: mean, spread, natural process limits and normal "
            "intervals are not computed. The stability verdict takes the steps of the scale as equal."
        )
        out.append(Caveat("ordinal-scale", text, {}))
    if measure.scale == "proportion":
        out.append(
            Caveat(
                "no-denominators",
                "Shares without their denominators (sizes): each counts the same, and the intervals are "
                "those of measured numbers, cut at 0 and 1.",
                {},
            )
        )
    return out


def misfit_doubts(values: NDArray[np.float64], *, logged: bool) -> list[Caveat]:
    """A caveat where the values are clearly not normal (with ``logged``: not lognormal).

    Anderson-Darling with the p-value for estimated parameters; from 8 values on, at 1%.
    """
    n = len(values)
    if n < FEWEST_TESTED:
        return []
    y = np.sort(np.log(values) if logged else values)
    sd = float(y.std(ddof=1))
    if not sd > 1e-12 * float(np.abs(y).max()):
        return []
    u = special.ndtr((y - y.mean()) / sd)
    p = p_normal(float(anderson_darling(u)), n)
    if p >= CLEARLY:
        return []
    steps = np.arange(n + 1) / n
    distance = float(np.max(np.maximum(np.abs(u - steps[:-1]), np.abs(u - steps[1:]))))
    family = "lognormal" if logged else "normal"
    said = "below 0.001" if p < 0.001 else f"= {p:.3f}"
    text = (
        f"The values are not {family} (Anderson-Darling p {said}; shares "
        f"read from it are off by up to {100 * distance:.0f} percentage points): prefer the "
        "distribution-free intervals, or look for a family that fits (perf.fit_distribution)."
    )
    evidence = {"family": family, "p_value": p, "distance": distance}
    return [Caveat("distribution-does-not-fit", text, evidence)]


def dependence_doubts(size: Effective, dependence: Dependence, *, asked: bool = True) -> list[Caveat]:
    """Caveats about values that follow each other; ``asked``: the dependence was, not taken by default."""
    n = size.n
    if math.isnan(size.r1) or n < 8:
        return []
    evidence = {"lag1": size.r1, "n": n, "n_effective": size.n_mean}
    out = []
    if size.r >= 0.95:
        out.append(
            Caveat(
                "autocorrelation-capped",
                f"Neighbouring values are almost the same (lag-1 correlation {size.r1:.2f}): no interval can "
                "be trusted; look for a trend or a level that moves.",
                evidence,
            )
        )
    elif size.r1 > 2 / math.sqrt(n) and dependence == "ar1":
        out.append(
            Caveat(
                "autocorrelated",
                f"Neighbouring values are alike (lag-1 correlation {size.r1:.2f}): {n} values tell as "
                f"much as about {size.n_mean:.0f} independent ones. The intervals allow for it.",
                evidence,
            )
        )
    elif size.r1 > 2 / math.sqrt(n):
        out.append(
            Caveat(
                "dependence-ignored",
                f"Neighbouring values are alike (lag-1 correlation {size.r1:.2f}), "
                + (
                    "but independence was asked for: the intervals are too narrow."
                    if asked
                    else "but without times nobody knows whether their order is that of time: the intervals "
                    "take them as independent and are too narrow if it is. Give when=, or dependence='ar1'."
                ),
                evidence,
            )
        )
    if not size.usable and n > 1:
        out.append(
            Caveat(
                "no-effective-data",
                "The values depend so much on each other that they tell less than one independent value "
                "does: no interval is given.",
                evidence,
            )
        )
    return out


def open_items(n_open: int, n: int, confidence: float) -> Caveat:
    """A caveat about items still open, which are neither dropped nor taken as done."""
    text = (
        f"{n_open} of {n} items are still open: percentiles are Kaplan-Meier estimates, and mean, spread and "
        "the intervals for the next item are not estimated. The control chart takes their age so far, so "
        "that its limits are not those of the process and are withheld."
    )
    return Caveat("censored", text, {"open": n_open, "n": n, "confidence": confidence})


def stability_doubts(stable: bool | None, signals: int, verdict: str) -> list[Caveat]:
    """A caveat where the process is not stable, or nobody can say."""
    if stable:
        return []
    if stable is None:
        return [Caveat("stability-unknown", f"Whether the process is stable cannot be said: {verdict}", {})]
    text = (
        f"The process is not stable ({count(signals, 'point')} with signals): the baseline describes what "
        "was, it does not predict."
    )
    return [Caveat("not-stable", text, {"signals": signals})]


def ignored_weights() -> Caveat:
    """A caveat where the series has weights, which a baseline does not use."""
    text = "The series has weights; each value counts the same here. Give counts with sizes, or the items."
    return Caveat("weights-ignored", text, {})
