"""Two by two tables: exact odds ratio, score interval of a difference, chi-square, McNemar's pairs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from perfanalytics.comparisons.classical import NAN, Contrast
from perfanalytics.comparisons.noncentral import bisect
from perfanalytics.core.columns import Floats


def log_choose(n: float, k: Floats | float) -> Floats:
    """Logarithm of the binomial coefficient."""
    return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))


class Hypergeometric:
    """Successes on the side after, given both totals and all successes; log odds ratio ``t``.

    Parameters
    ----------
    x1, n1, x2, n2 : float
        Successes and totals before and after, whole numbers.
    """

    def __init__(self, x1: float, n1: float, x2: float, n2: float) -> None:
        k = x1 + x2
        self.seen = x2
        self.support = np.arange(max(0.0, k - n1), min(k, n2) + 1)
        self.log_ways = log_choose(n2, self.support) + log_choose(n1, k - self.support)

    @property
    def lowest(self) -> bool:
        """Whether no fewer successes were possible."""
        return bool(self.seen == self.support[0])

    @property
    def highest(self) -> bool:
        """Whether no more successes were possible."""
        return bool(self.seen == self.support[-1])

    def probabilities(self, t: float) -> Floats:
        """Of each number of successes in the support."""
        log_p = self.log_ways + t * (self.support - self.seen)
        p = np.exp(log_p - log_p.max())
        return np.asarray(p / p.sum())

    def odds_ratio(self) -> float:
        """Conditional maximum likelihood estimate: where the expected number is the one seen."""
        if self.lowest and self.highest:
            return NAN
        if self.lowest:
            return 0.0
        if self.highest:
            return math.inf
        return math.exp(self._root(lambda t: self.seen - float(self.probabilities(t) @ self.support)))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Odds ratios with at least (1 - confidence) / 2 on either tail of what was seen."""
        if self.lowest and self.highest:
            return 0.0, math.inf
        tail = (1 - confidence) / 2
        low, high = 0.0, math.inf
        if not self.lowest:
            up = self.support >= self.seen
            low = math.exp(self._root(lambda t: tail - float(self.probabilities(t)[up].sum())))
        if not self.highest:
            down = self.support <= self.seen
            high = math.exp(self._root(lambda t: float(self.probabilities(t)[down].sum()) - tail))
        return low, high

    def p_value(self) -> float:
        """Sum of all tables no more likely than the one seen (equal within 1e-7, as R)."""
        p = self.probabilities(0.0)
        here = float(p[round(self.seen - float(self.support[0]))])
        return min(1.0, float(p[p <= here * (1 + 1e-7)].sum()))

    @staticmethod
    def _root(falling: Callable[[float], float]) -> float:
        """Where a falling function of the log odds ratio is zero."""
        low, high = -1.0, 1.0
        while falling(low) < 0 and low > -700:
            low *= 2
        while falling(high) > 0 and high < 700:
            high *= 2
        return bisect(falling, low, high)


def wilson(x: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of one proportion."""
    z = float(special.ndtri(0.5 + confidence / 2))
    p = x / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def score_interval(x1: float, n1: float, x2: float, n2: float, confidence: float) -> tuple[float, float]:
    """Score interval of the difference of two proportions, after minus before.

    The differences that a score test with the proportions estimated under that difference does not reject,
    with the factor N / (N - 1) of Miettinen and Nurminen.

    References
    ----------
    Miettinen and Nurminen (1985), Statistics in Medicine 4, 213-226, eq. 8 and 9.

    Examples
    --------
    >>> [round(v, 4) for v in score_interval(48, 80, 56, 70, 0.95)]
    [0.0528, 0.3382]
    """
    wanted = float(special.ndtri(0.5 + confidence / 2))
    d = x2 / n2 - x1 / n1

    def z(delta: float) -> float:
        """Falls with delta."""
        one = constrained(x1, n1, x2, n2, delta)
        two = min(max(one + delta, 0.0), 1.0)
        n = n1 + n2
        variance = (two * (1 - two) / n2 + one * (1 - one) / n1) * n / (n - 1)
        if variance <= 0:
            return 0.0 if d == delta else math.copysign(1e9, d - delta)
        return (d - delta) / math.sqrt(variance)

    low = -1.0 if d <= -1 else bisect(lambda t: z(t) - wanted, -1.0 + 1e-12, d)
    high = 1.0 if d >= 1 else bisect(lambda t: z(t) + wanted, d, 1.0 - 1e-12)
    return low, high


def constrained(x1: float, n1: float, x2: float, n2: float, delta: float) -> float:
    """Most likely proportion before when the one after is larger by ``delta``: a cubic in closed form."""
    n, x = n1 + n2, x1 + x2
    l3 = n
    l2 = (n2 + 2 * n1) * delta - n - x
    l1 = (n1 * delta - n - 2 * x1) * delta + x
    l0 = x1 * delta * (1 - delta)
    q = l2**3 / (3 * l3) ** 3 - l1 * l2 / (6 * l3**2) + l0 / (2 * l3)
    inner = max(0.0, l2**2 / (3 * l3) ** 2 - l1 / (3 * l3))
    p = math.copysign(math.sqrt(inner), q)
    ratio = 0.0 if p == 0 else min(1.0, max(-1.0, q / p**3))
    angle = (math.pi + math.acos(ratio)) / 3
    return min(max(2 * p * math.cos(angle) - l2 / (3 * l3), max(0.0, -delta)), min(1.0, 1.0 - delta))


def chi_square(x1: float, n1: float, x2: float, n2: float, *, continuity: bool) -> tuple[float, float]:
    """Pearson's chi-square of a two by two table and its p-value, with Yates's correction if asked for.

    References
    ----------
    Yates (1934), Supplement to the J. Royal Statistical Society 1; R ``chisq.test``.
    """
    n, k = n1 + n2, x1 + x2
    if not 0 < k < n:
        return NAN, NAN
    gap = abs(x2 * n1 - x1 * n2) / n
    if continuity:
        gap = max(0.0, gap - 0.5)
    x = gap**2 * n**3 / (n1 * n2 * k * (n - k))
    return x, float(special.chdtrc(1, x))


def smallest_expected(x1: float, n1: float, x2: float, n2: float) -> float:
    """The smallest count to be expected in a two by two table when both sides are alike."""
    return min(n1, n2) * min(x1 + x2, n1 + n2 - x1 - x2) / (n1 + n2)


#: Whether McNemar's p-value is exact, mid-p, or normal with or without continuity correction.
MCNEMAR_P = ("exact", "mid_p", "asymptotic", "asymptotic_corrected")


def mcnemar(lost: float, won: float, *, how: str) -> tuple[float, float]:
    """Statistic and p-value of pairs that changed: ``lost`` from 1 to 0, ``won`` from 0 to 1.

    Exact: the binomial test of the changes. Mid-p counts what was seen half. The statistic is the number won
    for these two, chi-square for the asymptotic ones.

    References
    ----------
    McNemar (1947), Psychometrika 12; Fagerland, Lydersen and Laake (2013), BMC Medical Research Methodology
    13, 91; R ``binom.test``, ``mcnemar.test``.
    """
    n = lost + won
    if n == 0:
        return (0.0 if how in ("exact", "mid_p") else NAN), (1.0 if how in ("exact", "mid_p") else NAN)
    if how in ("exact", "mid_p"):
        smaller = min(lost, won)
        p = min(1.0, 2 * float(special.bdtr(smaller, int(n), 0.5)))
        if how == "mid_p":
            if lost == won:
                return won, 1.0 - 0.5 * math.exp(float(log_choose(n, smaller)) + n * math.log(0.5))
            p -= math.exp(float(log_choose(n, smaller)) + n * math.log(0.5))
        return won, p
    gap = abs(lost - won)
    x = (max(0.0, gap - 1) if how == "asymptotic_corrected" else gap) ** 2 / n
    return x, float(special.chdtrc(1, x))


def clopper_pearson(x: float, n: float, confidence: float) -> tuple[float, float]:
    """Exact interval of one binomial proportion."""
    tail = (1 - confidence) / 2
    low = 0.0 if x == 0 else float(special.betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(special.betaincinv(x + 1, n - x, 1 - tail))
    return low, high


def paired_difference(both: float, lost: float, won: float, neither: float, confidence: float) -> Contrast:
    """Difference of two proportions of the same items, after minus before, with Newcombe's interval.

    References
    ----------
    Newcombe (1998), Statistics in Medicine 17, 2635-2650, method 10.

    Examples
    --------
    >>> found = paired_difference(36, 2, 12, 0, 0.95)
    >>> round(found.estimate, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0569, 0.3404)
    """
    n = both + lost + won + neither
    x1, x2 = both + lost, both + won
    (l1, u1), (l2, u2) = wilson(x1, n, confidence), wilson(x2, n, confidence)
    p1, p2 = x1 / n, x2 / n
    product = x1 * x2 * (n - x1) * (n - x2)
    cross = both * neither - lost * won
    if cross > 0:
        cross = max(cross - n / 2, 0.0)
    phi = cross / math.sqrt(product) if product > 0 else 0.0
    a, b, c, d = p2 - l2, u2 - p2, p1 - l1, u1 - p1
    low = (p2 - p1) - math.sqrt(max(0.0, a * a - 2 * phi * a * d + d * d))
    high = (p2 - p1) + math.sqrt(max(0.0, b * b - 2 * phi * b * c + c * c))
    return Contrast(p2 - p1, low, high, NAN, NAN, NAN)
