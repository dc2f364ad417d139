"""Items still open: Kaplan-Meier percentiles and shares, with log-log intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True)
class KaplanMeier:
    """The share not yet done at each time an item was done.

    Parameters
    ----------
    times : float array, shape (k,)
        Different times at which items were done, rising.
    survival : float array, shape (k,)
        Share still open just after each time.
    low, high : float arrays, shape (k,)
        Pointwise interval of ``survival`` (log-log transform of Greenwood's variance).
    last : float
        Longest time seen, done or open.
    """

    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    last: float

    def quantile(self, p: float) -> tuple[float, float, float]:
        """Estimate, low and high of the p-quantile; infinite where the items seen do not reach it."""
        return (
            _first_at_or_below(self.times, self.survival, 1 - p),
            _first_at_or_below(self.times, self.low, 1 - p),
            _first_at_or_below(self.times, self.high, 1 - p),
        )

    def done_by(self, time: float, *, inclusive: bool = True) -> tuple[float, float, float]:
        """Share done at ``time`` (or before it), with its interval."""
        k = int(np.searchsorted(self.times, time, side="right" if inclusive else "left")) - 1
        if k < 0:
            return 0.0, 0.0, math.nan
        return 1 - float(self.survival[k]), 1 - float(self.high[k]), 1 - float(self.low[k])


def kaplan_meier(
    values: NDArray[np.float64], censored: NDArray[np.bool_], *, confidence: float
) -> KaplanMeier:
    """The Kaplan-Meier estimate.

    Parameters
    ----------
    values : float array, shape (n,)
        Times; a lower bound where ``censored``.
    censored : bool array, shape (n,)
        True where the item is still open.
    confidence : float

    Raises
    ------
    InputError
        When every item is still open.

    References
    ----------
    Kaplan and Meier (1958), JASA 53; Brookmeyer and Crowley (1982), Biometrics 38 (interval of a
    quantile); Kalbfleisch and Prentice (2002), section 1.4 (log-log interval).

    Examples
    --------
    >>> km = kaplan_meier(np.array([1.0, 2, 3, 4]), np.array([False, True, False, False]), confidence=0.95)
    >>> km.survival.tolist()
    [0.75, 0.375, 0.0]
    """
    if censored.all():
        raise InputError("every item is still open (censored): nothing can be said about how long they take")
    times, position = np.unique(values, return_inverse=True)
    done = np.bincount(position, weights=~censored, minlength=len(times))
    leaving = np.bincount(position, minlength=len(times))
    at_risk = len(values) - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    survival = np.cumprod(1 - done / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(done / (at_risk * (at_risk - done)))
        z = float(special.ndtri((1 + confidence) / 2))
        # log(-log S) +- z se; S = 1 and S = 0 have no interval
        half = z * np.sqrt(greenwood) / np.abs(np.log(survival))
        low = survival ** np.exp(half)
        high = survival ** np.exp(-half)
    undefined = (survival <= 0) | (survival >= 1)
    low[undefined] = high[undefined] = np.nan
    keep = done > 0
    return KaplanMeier(times[keep], survival[keep], low[keep], high[keep], float(values.max()))


def _first_at_or_below(times: NDArray[np.float64], curve: NDArray[np.float64], level: float) -> float:
    """First time the falling curve is at or below the level; halfway to the next where it equals it."""
    below = np.flatnonzero(curve <= level * (1 + 1e-12))
    if not len(below):
        return math.inf
    k = int(below[0])
    if abs(float(curve[k]) - level) <= 1e-12 and k + 1 < len(times):
        return float(times[k] + times[k + 1]) / 2
    return float(times[k])
