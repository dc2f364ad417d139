"""When did the level (or the spread) of a series change? CUSUM with an AR(1) sieve bootstrap.

Successive values of a process resemble each other, and a test that takes them for independent finds changes
where there are none (Pettitt 10 to 50%, PELT 20 to 88% of stable series at lag-1 correlations of 0.2 to
0.6). Here the cumulative sum of a series is compared with those of series that are correlated as much and do
not change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1
from perfanalytics.core.errors import InputError

#: Neither side of a change is shorter than this.
FEWEST = 8
#: Share of the false alarms that goes to the test around two means; the rest to the one by differences.
MAIN = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """One change of the mean of an array.

    Parameters
    ----------
    at : int
        0-based position of the first value after the change.
    low, high : int
        Interval of that position.
    p_value : float
        Of the segment it was found in.
    first, last : int
        That segment: positions ``first`` to ``last - 1``.
    lag1 : float
        Correlation of neighbours within the two sides, bias corrected.
    """

    at: int
    low: int
    high: int
    p_value: float
    first: int
    last: int
    lag1: float


@dataclass(frozen=True, slots=True)
class _Steps:
    """Of each row: CUSUM over two long-run standard deviations, the likely change, two correlations; (b,)."""

    around_two_means: Floats
    by_differences: Floats
    at: NDArray[np.int64]
    r: Floats
    r_differences: Floats


def _steps(x: Floats, fewest: int) -> _Steps:
    """The largest |cumulative sum| of deviations of each row, and where one step fits best."""
    n = x.shape[1]
    k = np.arange(1, n)
    deviation = x - x.mean(axis=1, keepdims=True)
    sums = np.cumsum(deviation, axis=1)[:, :-1]
    gain = sums * sums / (k * (n - k) / n)
    inside = slice(fewest - 1, n - fewest)
    at = np.argmax(gain[:, inside], axis=1) + fewest - 1
    rows = np.arange(len(x))
    # deviations around the two means
    total = -sums[rows, at]
    after = np.arange(n) > at[:, None]
    deviation -= np.where(after, (total / (n - 1 - at))[:, None], (-total / (at + 1))[:, None])
    product = (deviation[:, 1:] * deviation[:, :-1]).sum(axis=1) - deviation[rows, at] * deviation[
        rows, at + 1
    ]
    square = np.maximum((deviation * deviation).sum(axis=1), 1e-300)
    r = product / square
    corrected = _corrected(r, n)
    r_differences, variance = _from_differences(x)
    largest = np.abs(sums[:, inside]).max(axis=1)

    def over(variance: Floats, r: Floats) -> Floats:
        return np.asarray(largest / np.sqrt(np.maximum(variance * (1 + r) / (1 - r), 1e-300) * n))

    return _Steps(over(square / (n - 2), corrected), over(variance, r_differences), at + 1, r, r_differences)


def _corrected(r: Floats, n: int) -> Floats:
    """Lag-1 correlation corrected for the bias that two means bring, within [0, 0.95]."""
    return np.asarray(corrected_lag1(r, n / 2))


def _from_differences(x: Floats) -> tuple[Floats, Floats]:
    """Lag-1 correlation and variance of AR(1) rows from differences over one and two steps; shapes (b,).

    ``E (x_t - x_(t-1))^2 = 2 v (1 - r)`` and ``E (x_t - x_(t-2))^2 = 2 v (1 - r^2)``: each change of level
    touches only one and two of them, while it inflates every estimate around a mean.
    """
    one = np.mean((x[:, 1:] - x[:, :-1]) ** 2, axis=1)
    two = np.mean((x[:, 2:] - x[:, :-2]) ** 2, axis=1)
    r = np.clip(two / np.maximum(one, 1e-300) - 1.0, 0.0, 0.95)
    return r, one / (2.0 * (1.0 - r))


def _two_means(x: Floats, at: int) -> Floats:
    return np.concatenate([np.full(at, x[:at].mean()), np.full(len(x) - at, x[at:].mean())])


def _sieve(residual: Floats, at: int, r: float, draws: int, rng: np.random.Generator) -> Floats:
    """``draws`` AR(1) series with correlation ``r`` and the innovations of the residuals; (draws, n)."""
    n = len(residual)
    shock = residual[1:] - r * residual[:-1]
    shock = np.delete(shock, at - 1)
    shock = shock - shock.mean()
    warm = int(np.ceil(np.log(0.01) / np.log(r))) if r > 0.01 else 0
    e = rng.choice(shock, size=(n + warm, draws))
    for i in range(1, n + warm):
        e[i] += r * e[i - 1]
    return np.ascontiguousarray(e[warm:].T)


def find_change(
    x: Floats, *, draws: int, rng: np.random.Generator, coverage: float = 0.95, fewest: int = FEWEST
) -> ChangePoint | None:
    """The most likely change of the mean, with its p-value; None where the series is too short or constant.

    Parameters
    ----------
    x : float array, shape (n,)
        In order of time, without missing values.
    draws : int
        Bootstrap series.
    rng : numpy.random.Generator
    coverage : float
        Of the interval for the position.
    fewest : int
        Smallest number of values on a side.

    Notes
    -----
    The correlation and the innovations of the AR(1) sieve come from the residuals around the two means, so
    that a real change is not taken for correlation; a second test with a fifth of the false alarms takes them
    from differences, for series with several changes. The interval holds the positions found again in series
    with the estimated change, correlation and innovations.

    References
    ----------
    Antoch, Huskova and Praskova (1997), Effect of dependence on statistics for determination of change,
    Journal of Statistical Planning and Inference 60, 291-310; Buehlmann (1997), Sieve bootstrap for time
    series, Bernoulli 3, 123-148.
    """
    n = len(x)
    if n < 2 * fewest or float(np.ptp(x)) <= 1e-12 * max(float(np.abs(x).max()), 1e-300):
        return None
    seen = _steps(x[None, :], fewest)
    at = int(seen.at[0])
    level = _two_means(x, at)
    residual = x - level
    if not residual.any():
        # two constants: nothing is left that could be random
        return ChangePoint(at=at, low=at, high=at, p_value=1 / (draws + 1), first=0, last=n, lag1=0.0)
    r = float(_corrected(seen.r, n)[0])
    # the best of many steps takes more of the correlation away than two fixed means: as in series like these
    bias = float(seen.r[0] - _steps(_sieve(residual, at, r, draws, rng), fewest).r.mean())
    r = float(np.clip(r + bias, 0.0, 0.95))
    noise = _sieve(residual, at, r, draws, rng)
    p = _share(_steps(noise, fewest).around_two_means, seen.around_two_means[0]) / MAIN
    # several changes look like correlation around two means, and do not in the differences
    other_r = float(seen.r_differences[0])
    other = _sieve(residual, at, other_r, draws, rng)
    p_other = _share(_steps(other, fewest).by_differences, seen.by_differences[0]) / (1.0 - MAIN)
    if p_other < p:
        p, r, noise = p_other, other_r, other
    again = _steps(level + noise, fewest).at
    low, high = np.quantile(again, [(1 - coverage) / 2, (1 + coverage) / 2], method="inverted_cdf")
    return ChangePoint(
        at=at, low=min(int(low), at), high=max(int(high), at), p_value=min(p, 1.0), first=0, last=n, lag1=r
    )


def _share(stable: Floats, statistic: float) -> float:
    """Share of stable series that reach the statistic, the series itself counted."""
    return (1 + int(np.count_nonzero(stable >= statistic))) / (len(stable) + 1)


def find_changes(
    x: Floats,
    *,
    false_alarms: float,
    draws: int,
    rng: np.random.Generator,
    coverage: float = 0.95,
    fewest: int = FEWEST,
) -> tuple[ChangePoint, ...]:
    """Changes of the mean by binary segmentation: the whole series, then the parts a change leaves.

    ``false_alarms`` is the share of stable series in which any change is found; see :func:`find_change`.

    Raises
    ------
    InputError
        For a rate outside (0, 1), or too few draws to reach it.

    Examples
    --------
    >>> x = np.concatenate([np.tile([1.0, 2, 3], 8), np.tile([5.0, 6, 7], 8)])
    >>> found = find_changes(x, false_alarms=0.05, draws=199, rng=np.random.default_rng(1))
    >>> [c.at for c in found]
    [24]
    """
    if not 0 < false_alarms < 1:
        raise InputError(f"false_alarms= is a rate between 0 and 1, got {false_alarms!r}")
    if draws + 1 < 1.0 / (1.0 - MAIN) / false_alarms - 1e-9:
        fewest_draws = int(np.ceil(1.0 / (1.0 - MAIN) / false_alarms - 1e-9)) - 1
        raise InputError(f"a rate of {false_alarms:g} needs at least {fewest_draws} draws")
    found: list[ChangePoint] = []
    open_parts = [(0, len(x))]
    while open_parts:
        a, b = open_parts.pop(0)
        change = find_change(x[a:b], draws=draws, rng=rng, coverage=coverage, fewest=fewest)
        if change is None or change.p_value > false_alarms:
            continue
        found.append(
            ChangePoint(
                at=a + change.at,
                low=a + change.low,
                high=a + change.high,
                p_value=change.p_value,
                first=a,
                last=b,
                lag1=change.lag1,
            )
        )
        open_parts += [(a, a + change.at), (a + change.at, b)]
    return tuple(sorted(found, key=lambda c: c.at))
