"""Bland and Altman: how far two ways of measuring the same items differ."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.measurement_systems.agreement_rows import (
    ALL,
    Found,
    Line,
    Options,
    few_items,
    interval,
)
from perfanalytics.baselines.measurement_systems.ratings import Ratings
from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

#: The limits of agreement hold this share of the differences.
COVERAGE = 0.95


def noncentral_t(level: float, df: float, shift: float) -> float:
    """Quantile of the noncentral t distribution.

    The root of its distribution function, bracketed around the normal approximation.

    Examples
    --------
    >>> round(noncentral_t(0.95, 16, 1.959964 * 17 ** 0.5), 3)
    12.011
    """
    spread = math.sqrt(1 + shift**2 / (2 * df))
    low, high = shift - 4 * spread, shift + 4 * spread
    while float(special.nctdtr(df, shift, low)) > level:
        low -= 4 * spread
    while float(special.nctdtr(df, shift, high)) < level:
        high += 4 * spread
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if float(special.nctdtr(df, shift, middle)) < level else (low, middle)
    return (low + high) / 2


def limits_of_agreement(
    mean: float, sd: float, n: int, confidence: float
) -> tuple[tuple[float, float, float], ...]:
    """Lower and upper limit, each with its exact interval: (estimate, low, high).

    A limit is a quantile of a normal distribution; ``sqrt(n) (limit - mean) / sd`` follows a noncentral t.

    References
    ----------
    Carkeet (2015), Optometry and Vision Science 92. Hahn and Meeker (1991), Statistical Intervals, section
    4.4.
    """
    z = float(special.ndtri((1 + COVERAGE) / 2))
    tail = (1 - confidence) / 2
    near, far = (sd * noncentral_t(p, n - 1, z * math.sqrt(n)) / math.sqrt(n) for p in (tail, 1 - tail))
    return (mean - z * sd, mean - far, mean - near), (mean + z * sd, mean + near, mean + far)


def bland_altman(ratings: Ratings, options: Options) -> Found:
    """Bias and limits of agreement of two raters, first minus second."""
    if ratings.codes.shape[1] != 2:
        raise InputError(
            f"Bland and Altman's comparison is of two raters or instruments, got {ratings.codes.shape[1]}: "
            "choose two, or use method='icc'"
        )
    both = np.asarray(~np.isnan(ratings.codes).any(axis=1))
    n = int(both.sum())
    if n < 3:
        raise InputError(f"two ways of measuring need at least 3 items in common, got {n}")
    first, second = ratings.codes[both].T
    difference, level = first - second, (first + second) / 2
    mean, sd = float(difference.mean()), float(difference.std(ddof=1))
    se = sd / math.sqrt(n)
    low, high = interval(mean, se, n - 1, options.confidence, bound=math.inf)
    p = float(2 * special.stdtr(n - 1, -abs(mean / se))) if se > 0 else math.nan
    lines = [Line("bias", ALL, mean, se, low, high, p, "Student's t")]
    ends = ((mean, mean, mean),) * 2 if sd == 0 else limits_of_agreement(mean, sd, n, options.confidence)
    for name, (value, a, b) in zip(("lower limit", "upper limit"), ends, strict=True):
        lines.append(Line(name, ALL, value, low=a, high=b, how="exact, noncentral t"))
    chi = [
        float(special.chdtri(n - 1, t)) for t in ((1 - options.confidence) / 2, (1 + options.confidence) / 2)
    ]
    lines.append(
        Line(
            "sd",
            ALL,
            sd,
            low=sd * math.sqrt((n - 1) / chi[0]),
            high=sd * math.sqrt((n - 1) / chi[1]),
            how="chi-square",
        )
    )
    slope, slope_p = trend(level, difference)
    lines.append(Line("slope", ALL, slope, p=slope_p, how="of the difference on the mean, Student's t"))
    caveats = list(few_items(n))
    if slope_p < 0.05:
        text = (
            f"The difference changes with the size measured (slope {number(slope)}, p = {slope_p:.2g}): one "
            "bias and one pair of limits do not fit all; look at the figure, perhaps take logarithms."
        )
        caveats.append(Caveat("difference-depends-on-size", text, {"slope": slope, "p": slope_p}))
    if sd == 0:
        caveats.append(
            Caveat(
                "zero-variance", "All differences are equal: the limits have no width.", {"difference": mean}
            )
        )
    lost = len(both) - n
    if lost:
        caveats.append(
            Caveat("missing-ratings", f"{lost} items without both values left out.", {"items": lost})
        )
    return Found(
        lines=tuple(lines),
        headline=0,
        words=_words(ratings, lines, n, options),
        caveats=tuple(caveats),
        references=(
            "Bland and Altman (1986), Lancet 327",
            "Carkeet (2015), Optometry and Vision Science 92 (exact intervals of the limits)",
        ),
        choices={"coverage": COVERAGE, "difference": "first minus second", "margin": options.margin},
    )


def trend(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Slope of y on x and its p-value; NaN when x does not vary."""
    n = len(x)
    dx, dy = x - x.mean(), y - y.mean()
    sxx = float(dx @ dx)
    if sxx == 0:
        return math.nan, math.nan
    slope = float(dx @ dy) / sxx
    rest = max(0.0, float(dy @ dy) - slope**2 * sxx)
    if rest == 0:
        return slope, math.nan if slope == 0 else 0.0
    return slope, float(2 * special.stdtr(n - 2, -abs(slope / math.sqrt(rest / (n - 2) / sxx))))


def _words(ratings: Ratings, lines: list[Line], n: int, options: Options) -> str:
    bias, lower, upper = lines[:3]
    first, second = ratings.raters[int(ratings.rater_of[0])], ratings.raters[int(ratings.rater_of[1])]
    spread = abs(upper.estimate - lower.estimate) / 20
    reads = f"{number(abs(bias.estimate), spread=spread)} {'higher' if bias.estimate > 0 else 'lower'}"
    if not (bias.low > 0 or bias.high < 0):
        reads += " (which may be chance)"
    compared = f"reads {reads} than" if bias.estimate else "reads the same as"
    ends = " to ".join(number(x.estimate, spread=spread) for x in (lower, upper))
    text = (
        f"over {n} items {first} {compared} {second} on average, and for {percent(COVERAGE)} of "
        f"items the two differ by {ends}"
    )
    if options.margin is None:
        return text + "."
    inside = lower.low >= -options.margin and upper.high <= options.margin
    outside = lower.high < -options.margin or upper.low > options.margin
    said = "they can stand in for each other" if inside else "they cannot stand in for each other"
    if not inside and not outside:
        said = "whether they can stand in for each other is not settled"
    return f"{text}; with a margin of {number(options.margin)} {said}."
