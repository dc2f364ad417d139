"""Do people round? Last digits of recorded values against what their neighbours let expect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats

#: Steps that are tried, from coarse to fine, in the unit of the measure; minutes and seconds for other units.
_STEPS = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001)
_CLOCK = {"hours": (1 / 60, 1 / 3600), "days": (1 / 24, 1 / 1440), "minutes": (1 / 60,), "weeks": (1 / 7,)}
#: So many of the values must lie on a step for it to be the one they are recorded in.
_ON_STEP = 0.95
#: Values of fewer steps have too few digits; larger ones than this are not smoothed.
_FROM, _TO = 10, 200_000
#: Fewer values than this tell nothing of digits.
_FEWEST = 50


@dataclass(frozen=True, slots=True)
class DigitPreference:
    """Last digits of values recorded in steps.

    Parameters
    ----------
    step : float
        In the unit of the measure; NaN where the values lie on none.
    n : int
        Values of at least 10 steps: those that were judged.
    seen, expected : float arrays, shape (10,)
        By last digit; empty where not judged.
    statistic, p_value : float
        Chi-square with 9 degrees of freedom.
    effect : float
        Cohen's w: root of the chi-square over n.
    multiple : int
        Of 2, 5 and 10 steps the one whose multiples are most in excess.
    rounded, rounded_expected : float
        Share of the values that are multiples of it, and what neighbouring values let expect.
    """

    step: float
    n: int
    seen: Floats
    expected: Floats
    statistic: float
    p_value: float
    effect: float
    multiple: int
    rounded: float
    rounded_expected: float


def digit_preference(values: Floats, unit: str = "") -> DigitPreference:
    """Judge the last digits of values.

    Parameters
    ----------
    values : float array, shape (n,)
        Without NaN.
    unit : str
        Unit of time, where values may lie on minutes or seconds.

    Notes
    -----
    The step is the coarsest of 1, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001 (and, for units of time, minutes and
    seconds) on which 95% of the values lie. The number expected at a value is the mean of the ten values
    around it, so that a distribution that rises or falls does not count as preference. Values below ten steps
    have no last digit.

    References
    ----------
    Camarda, Eilers and Gampe (2008), Statistical Modelling 8 (digit preference as heaping over a smooth law).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> exact = np.round(rng.gamma(3, 15, 2000))
    >>> digit_preference(exact).effect < 0.1
    True
    >>> rounded = np.where(rng.random(2000) < 0.5, 5 * np.round(exact / 5), exact)
    >>> found = digit_preference(rounded)
    >>> found.step, found.multiple, found.rounded > 0.5
    (1.0, 5, True)
    """
    nothing = np.empty(0)
    values = values[np.isfinite(values) & (values >= 0)]
    step = step_of(values, unit)
    if np.isnan(step):
        return DigitPreference(step, 0, nothing, nothing, np.nan, np.nan, np.nan, 1, np.nan, np.nan)
    whole = np.round(values / step).astype(np.int64)
    whole = whole[whole < _TO]
    n = int(np.sum(whole >= _FROM))
    if n < _FEWEST:
        return DigitPreference(step, n, nothing, nothing, np.nan, np.nan, np.nan, 1, np.nan, np.nan)
    counts = np.bincount(whole, minlength=int(whole.max()) + 12).astype(float)
    digit = np.arange(len(counts)) % 10
    # ten neighbours, centered: each digit counts once, and a straight slope not at all
    kernel = np.array([0.5, *[1.0] * 9, 0.5]) / 10
    smooth = np.convolve(counts, kernel, mode="same")
    counts[:_FROM] = smooth[:_FROM] = 0.0
    seen: Floats = np.bincount(digit, weights=counts, minlength=10).astype(np.float64)
    expected: Floats = np.bincount(digit, weights=smooth, minlength=10).astype(np.float64)
    expected *= n / expected.sum()
    digits = np.arange(10)
    excess = {h: float(np.sum((seen - expected)[digits % h == 0])) / n for h in (10, 5, 2)}
    multiple = max(excess, key=lambda h: excess[h])
    on = digits % multiple == 0
    statistic = float(np.sum((seen - expected) ** 2 / np.maximum(expected, 1e-9)))
    return DigitPreference(
        step=step,
        n=n,
        seen=seen,
        expected=expected,
        statistic=statistic,
        p_value=float(special.chdtrc(9, statistic)),
        effect=float(np.sqrt(statistic / n)),
        multiple=multiple,
        rounded=float(seen[on].sum() / n),
        rounded_expected=float(expected[on].sum() / n),
    )


def step_of(values: Floats, unit: str = "") -> float:
    """The steps in which values are recorded; NaN where they lie on none.

    Examples
    --------
    >>> step_of(np.array([1.5, 2.0, 7.5])), step_of(np.array([10 / 60, 25 / 60, 1.0]), "hours") * 60
    (0.5, 1.0)
    """
    candidates: NDArray[np.float64] = np.array(sorted({*_STEPS, *_CLOCK.get(unit, ())}, reverse=True))
    if not len(values):
        return float("nan")
    for step in candidates.tolist():
        at = values / step
        if float(np.mean(np.abs(at - np.round(at)) < 1e-6 * np.maximum(1.0, np.abs(at)))) >= _ON_STEP:
            return float(step)
    return float("nan")
