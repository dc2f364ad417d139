"""Agreement of numbers and rankings: Kendall's W and the intraclass correlation."""

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
    complete,
    few_items,
)
from perfanalytics.baselines.measurement_systems.ratings import Ratings
from perfanalytics.baselines.wording import percent
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.result import Caveat

Floats = NDArray[np.float64]


def mid_ranks(values: Floats) -> tuple[Floats, float]:
    """Ranks of one rater's values, ties sharing their mean rank, and the sum of t^3 - t over ties.

    Examples
    --------
    >>> mid_ranks(np.array([5.0, 1, 5]))[0].tolist()
    [2.5, 1.0, 2.5]
    """
    _, where, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return (last - (times - 1) / 2)[where], float(np.sum(times.astype(float) ** 3 - times))


def kendall(ratings: Ratings, options: Options) -> Found:
    """Kendall's coefficient of concordance W, corrected for ties."""
    complete(ratings, "Kendall's W")
    ranked = [mid_ranks(c) for c in ratings.codes.T]
    n, m = ratings.codes.shape
    sums = np.sum([r for r, _ in ranked], axis=0)
    spread = float(np.sum((sums - sums.mean()) ** 2))
    ties = float(sum(t for _, t in ranked))
    most = m**2 * (n**3 - n) - m * ties
    w = 12 * spread / most if most > 0 else math.nan
    p = math.nan if math.isnan(w) else float(special.chdtrc(n - 1, m * (n - 1) * w))
    pairs = (m * w - 1) / (m - 1)
    lines = (
        Line("W", ALL, w, p=p, how="chi-square, corrected for ties"),
        Line("mean rank correlation", ALL, pairs, how="of all pairs, (m W - 1) / (m - 1)"),
    )
    caveats = []
    if n < 8:
        text = f"Only {n} items: the chi-square p-value of W is rough below 8."
        caveats.append(Caveat("few-items", text, {"n": n}))
    if math.isnan(w):
        text = "No rater gives different values to different items: there is no order to compare."
        caveats.append(Caveat("zero-variance", text, {"n": n}))
        words = f"no rater tells the {n} items apart: whether they order them alike cannot be said."
    else:
        strength = "strongly" if w >= 0.7 else "moderately" if w >= 0.5 else "weakly"
        scale = f"1 is the same order, 0 none; {p_text(p)}"
        words = f"{m} raters order {n} items {strength} alike: W is {w:.2f} ({scale})."
    return Found(
        lines=lines,
        headline=0,
        words=words,
        caveats=tuple(caveats),
        references=("Kendall and Gibbons (1990), Rank Correlation Methods, 5th ed., chapter 6",),
        choices={"ties": "corrected", "test": f"chi-square with {n - 1} degrees of freedom"},
    )


def icc(ratings: Ratings, options: Options) -> Found:
    """The six intraclass correlations of Shrout and Fleiss with their F-based intervals."""
    complete(ratings, "the intraclass correlation")
    x = ratings.codes
    n, k = x.shape
    items, raters, grand = x.mean(axis=1), x.mean(axis=0), x.mean()
    total = float(np.sum((x - grand) ** 2))
    ss_items, ss_raters = k * float(np.sum((items - grand) ** 2)), n * float(np.sum((raters - grand) ** 2))
    between = ss_items / (n - 1)
    within = (total - ss_items) / (n * (k - 1))
    rater = ss_raters / (k - 1)
    error = max(0.0, total - ss_items - ss_raters) / ((n - 1) * (k - 1))
    tail = 1 - (1 - options.confidence) / 2
    lines: list[Line] = []
    if error <= 1e-14 * total:
        error = 0.0
    for name, mean in (("1", False), ("2", False), ("3", False), ("1", True), ("2", True), ("3", True)):
        value, low, high, p = _form(name, between, within, rater, error, n, k, tail)
        if mean:  # the mean of k raters: Spearman and Brown
            value, low, high = (_stepped(v, k) for v in (value, low, high))
        how = {"1": "one way", "2": "two way, absolute agreement", "3": "two way, consistency"}[name]
        how += f", mean of the {k} raters" if mean else ", one rater"
        lines.append(Line(f"ICC({name},{k if mean else 1})", ALL, value, math.nan, low, high, p, how))
    head = lines[1]
    caveats = list(few_items(n))
    if total == 0:
        caveats.append(Caveat("zero-variance", "All ratings are equal: there is nothing to tell apart.", {}))
    if rater > 0 and error > 0 and lines[2].estimate - head.estimate > 0.1:
        text = (
            f"Raters differ in level: they agree better on differences between items "
            f"(ICC(3,1) {lines[2].estimate:.2f}) than on the values (ICC(2,1) {head.estimate:.2f})."
        )
        caveats.append(
            Caveat("raters-differ-in-level", text, {"icc3": lines[2].estimate, "icc2": head.estimate})
        )
    return Found(
        lines=tuple(lines),
        headline=1,
        words=_words(head, n, k, options.confidence),
        caveats=tuple(caveats),
        references=(
            "Shrout and Fleiss (1979), Psychological Bulletin 86",
            "McGraw and Wong (1996), Psychological Methods 1",
            "Koo and Li (2016), Journal of Chiropractic Medicine 15 (words)",
        ),
        choices={
            "headline": "ICC(2,1): any rater, absolute agreement",
            "mean_squares": {"items": between, "raters": rater, "error": error, "within": within},
        },
    )


def _form(
    name: str, between: float, within: float, rater: float, error: float, n: int, k: int, tail: float
) -> tuple[float, float, float, float]:
    """Single-rater coefficient, its interval and p-value."""
    noise = within if name == "1" else error
    df2 = float(n * (k - 1) if name == "1" else (n - 1) * (k - 1))
    if between == 0 and within == 0:
        return math.nan, math.nan, math.nan, math.nan
    if noise == 0 and (name != "2" or rater == 0):
        return 1.0, math.nan, math.nan, math.nan
    f = between / noise if noise > 0 else math.inf
    p = float(special.fdtrc(n - 1, df2, f)) if noise > 0 else 0.0
    if name == "2":
        value = (between - error) / (between + (k - 1) * error + k * (rater - error) / n)
        if noise == 0:
            return value, math.nan, math.nan, p
        ratio = rater / error
        free = n * (1 + (k - 1) * value) - k * value
        df = (k - 1) * (n - 1) * (k * value * ratio + free) ** 2
        df /= (n - 1) * (k * value * ratio) ** 2 + free**2
        upper, lower = float(special.fdtri(n - 1, df, tail)), float(special.fdtri(df, n - 1, tail))
        rest = k * rater + (k * n - k - n) * error
        low = n * (between - upper * error) / (upper * rest + n * between)
        high = n * (lower * between - error) / (rest + n * lower * between)
        return value, low, high, p
    value = (between - noise) / (between + (k - 1) * noise)
    low_f = f / float(special.fdtri(n - 1, df2, tail))
    high_f = f * float(special.fdtri(df2, n - 1, tail))
    return value, (low_f - 1) / (low_f + k - 1), (high_f - 1) / (high_f + k - 1), p


def _stepped(value: float, k: int) -> float:
    """Reliability of the mean of k raters."""
    return k * value / (1 + (k - 1) * value)


def _words(head: Line, n: int, k: int, confidence: float) -> str:
    if math.isnan(head.estimate):
        return f"all ratings of the {n} items are equal: whether raters can tell items apart cannot be said."
    if math.isnan(head.low):
        return f"{k} raters of {n} items: ICC(2,1) is {head.estimate:.2f}; its interval is not defined here."
    ends = f"({percent(confidence)} interval {head.low:.2f} to {head.high:.2f})"
    sure, most = _grade(head.low), _grade(head.high)
    grade = f"{sure} agreement" if sure == most else f"between {sure} and {most} agreement by the interval"
    share = max(0.0, head.estimate)
    return (
        f"{percent(share)} of the variation of single ratings ({k} raters, {n} items) comes from the items, "
        f"the rest from the rating: ICC(2,1) is {head.estimate:.2f} {ends}, {grade}."
    )


def _grade(value: float) -> str:
    for limit, word in ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate")):
        if value >= limit:
            return word
    return "poor"
