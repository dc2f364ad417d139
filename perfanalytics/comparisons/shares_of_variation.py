"""Effect sizes of several groups: how much of the variation lies between them."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import special

from perfanalytics.comparisons.method import NAN, Effect
from perfanalytics.comparisons.noncentral import bisect


def noncentral_bounds(
    falling: Callable[[float], float], confidence: float, start: float
) -> tuple[float, float]:
    """The noncentralities for which what was seen lies at the two tails; 0 where none is small enough.

    ``falling`` is the probability of no more than what was seen, as a function of the noncentrality.
    """
    tail = (1 - confidence) / 2

    def end(wanted: float) -> float:
        if falling(0.0) <= wanted:
            return 0.0
        high = max(1.0, 2 * start)
        while falling(high) > wanted and high < 1e7:
            high *= 2
        return bisect(lambda nc: falling(nc) - wanted, 0.0, high)

    return end(1 - tail), end(tail)


def size_of_f(
    f: float, df1: float, df2: float, confidence: float, *, name: str, ratio: float
) -> tuple[Effect, ...]:
    """Eta squared with its interval, omega and epsilon squared.

    Parameters
    ----------
    f, df1, df2 : float
        The F statistic.
    confidence : float
    name : str
        "eta_squared", or "partial_eta_squared" where other terms are taken out.
    ratio : float
        Sum of squares of the term over itself and the error.

    References
    ----------
    Steiger (2004), Psychological Methods 9, 164-182 (interval by the noncentral F; eta squared is
    ``nc / (nc + df1 + df2 + 1)``); Olejnik and Algina (2003), Psychological Methods 8; Kelley (1935).
    """
    low = high = NAN
    if not math.isnan(f):
        a, b = noncentral_bounds(lambda nc: float(special.ncfdtr(df1, df2, nc, f)), confidence, f * df1)
        n = df1 + df2 + 1
        low, high = a / (a + n), b / (b + n)
    rows = [_size(name, ratio, low, high, "noncentral F interval")]
    rows.append(_size(name.replace("eta", "omega"), *_from_f(f, df1, df2, 1.0)))
    rows.append(_size(name.replace("eta", "epsilon"), *_from_f(f, df1, df2, 0.0)))
    return tuple(rows)


def _from_f(f: float, df1: float, df2: float, more: float) -> tuple[float, float, float, str]:
    """``(F - 1) df1 / (F df1 + df2 + more)``: epsilon squared, with one more omega squared; not below 0."""
    value = NAN if math.isnan(f) else max(0.0, (f - 1) * df1 / (f * df1 + df2 + more))
    return value, NAN, NAN, "bias-corrected, no interval"


def size_of_h(h: float, k: int, n: int) -> tuple[Effect, ...]:
    """Epsilon and eta squared of Kruskal and Wallis's H.

    References
    ----------
    Tomczak and Tomczak (2014), Trends in Sport Sciences 1, 19-25.
    """
    return (
        _size("epsilon_squared", h / (n - 1), NAN, NAN, "H / (n - 1), no interval"),
        _size(
            "eta_squared",
            max(0.0, (h - k + 1) / (n - k)) if n > k else NAN,
            NAN,
            NAN,
            "(H - k + 1) / (n - k)",
        ),
    )


def kendalls_w(x: float, k: int, blocks: int) -> tuple[Effect, ...]:
    """Kendall's W: agreement of the blocks on the order of the groups, 0 to 1."""
    return (_size("kendalls_w", x / (blocks * (k - 1)), NAN, NAN, "chi-square / (b (k - 1)), no interval"),)


def cohens_w(x: float, df: float, n: float, confidence: float) -> tuple[Effect, ...]:
    """Cohen's w of k proportions (Cramer's V, as one side of the table has two columns) with its interval.

    References
    ----------
    Steiger (2004), Psychological Methods 9: interval by the noncentral chi-square, ``w = sqrt(nc / n)``.
    """
    low = high = NAN
    if not math.isnan(x):
        a, b = noncentral_bounds(lambda nc: float(special.chndtr(x, df, nc)), confidence, x)
        low, high = math.sqrt(a / n), math.sqrt(b / n)
    return (_size("cohens_w", math.sqrt(x / n), low, high, "noncentral chi-square interval"),)


def _size(quantity: str, estimate: float, low: float, high: float, how: str) -> Effect:
    return Effect(quantity, role="secondary", estimate=estimate, low=low, high=high, form="size", method=how)
