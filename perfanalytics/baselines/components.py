"""One-way analysis of groups: F, Welch, Kruskal-Wallis, variance components, intraclass correlation.

Everything works on group sizes, means and sums of squares (and ranks), so that ten thousand items cost as
much as ten. Distributions are those of ``scipy.special``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats

NAN = math.nan


@dataclass(frozen=True, slots=True)
class Groups:
    """Sizes, means and sums of squares of k groups of values.

    ``factor`` is what dependence multiplies the variance of a mean with, ``df`` the degrees of freedom of the
    variance within: 1 and N - k for independent values.
    """

    n: Floats
    mean: Floats
    squares: Floats
    factor: float
    df: float

    @property
    def k(self) -> int:
        """Number of groups."""
        return len(self.n)

    @property
    def total(self) -> float:
        """Number of values."""
        return float(self.n.sum())

    @property
    def effective(self) -> Floats:
        """Independent values that know the mean of each group as well."""
        return self.n / self.factor

    @property
    def grand_mean(self) -> float:
        """Mean of all values."""
        return float(np.average(self.mean, weights=self.n))

    @property
    def between(self) -> float:
        """Sum of squares between the groups."""
        return float(np.sum(self.n * (self.mean - self.grand_mean) ** 2))

    @property
    def within(self) -> float:
        """Mean square within the groups."""
        free = self.total - self.k
        return float(self.squares.sum() / free) if free > 0 else NAN


def groups_of(
    y: Floats, code: NDArray[np.int64], k: int, *, factor: float = 1.0, df_factor: float = 1.0
) -> Groups:
    """Group ``y`` by ``code`` (0 ... k - 1, each at least once).

    Examples
    --------
    >>> g = groups_of(np.array([1.0, 2, 3, 5]), np.array([0, 0, 1, 1]), 2)
    >>> g.mean.tolist(), g.within
    ([1.5, 4.0], 1.25)
    """
    n: Floats = np.bincount(code, minlength=k).astype(np.float64)
    center = float(y.mean())
    mean = np.bincount(code, weights=y - center, minlength=k) / n
    squares: Floats = np.bincount(code, weights=(y - center - mean[code]) ** 2, minlength=k).astype(
        np.float64
    )
    return Groups(n, mean + center, squares, factor, max(len(y) / df_factor - k, 1.0))


@dataclass(frozen=True, slots=True)
class FTest:
    """A statistic with its degrees of freedom and p-value."""

    statistic: float
    df1: float
    df2: float
    p_value: float


def f_test(g: Groups) -> FTest:
    """Fisher's analysis of variance; F divided by the factor of dependence.

    Groups that differ and do not vary within have an infinite F; where nothing varies at all it is NaN.
    """
    if g.within == 0 and g.between > 0 and g.k > 1:
        return FTest(math.inf, g.k - 1, g.df, 0.0)
    if not g.within > 0 or g.k < 2:
        return FTest(NAN, g.k - 1, g.df, NAN)
    f = g.between / (g.k - 1) / g.within / g.factor
    return FTest(f, g.k - 1, g.df, float(special.fdtrc(g.k - 1, g.df, f)))


def welch_test(g: Groups) -> FTest:
    """Welch's analysis of variance, for groups that spread differently; NaN where one has no spread.

    References
    ----------
    Welch (1951), Biometrika 38; R ``oneway.test``.
    """
    if (g.n < 2).any() or (g.squares <= 0).any() or g.k < 2:
        return FTest(NAN, g.k - 1, NAN, NAN)
    w = g.n * (g.n - 1) / g.squares / g.factor
    mean = float(np.average(g.mean, weights=w))
    a = float(np.sum((1 - w / w.sum()) ** 2 / (g.n - 1)))
    k = g.k
    f = float(np.sum(w * (g.mean - mean) ** 2)) / (k - 1) / (1 + 2 * (k - 2) / (k * k - 1) * a)
    df2 = (k * k - 1) / (3 * a)
    return FTest(f, k - 1, df2, float(special.fdtrc(k - 1, df2, f)))


def kruskal_wallis(y: Floats, code: NDArray[np.int64], k: int, *, factor: float = 1.0) -> FTest:
    """Kruskal-Wallis test with correction for ties; H divided by the factor of dependence.

    References
    ----------
    Kruskal and Wallis (1952), JASA 47; R ``kruskal.test``.
    """
    n = len(y)
    _, place, ties = np.unique(y, return_inverse=True, return_counts=True)
    after = np.cumsum(ties)
    rank = (after - (ties - 1) / 2)[place]
    corrected = 1 - float(np.sum(ties.astype(float) ** 3 - ties)) / (float(n) ** 3 - n)
    if not corrected > 0 or k < 2:
        return FTest(NAN, k - 1, math.inf, NAN)
    g = groups_of(rank, code, k)
    h = 12 / (n * (n + 1)) * float(np.sum(g.n * (g.mean - (n + 1) / 2) ** 2)) / corrected / factor
    return FTest(h, k - 1, math.inf, float(special.chdtrc(k - 1, h)))


def levene_test(y: Floats, code: NDArray[np.int64], k: int, *, factor: float = 1.0) -> FTest:
    """Brown-Forsythe test of equal spread (Levene's with medians).

    References
    ----------
    Brown and Forsythe (1974), JASA 69; R ``car::leveneTest``.
    """
    order = np.lexsort((y, code))
    n = np.bincount(code, minlength=k)
    first = np.cumsum(n) - n
    ordered = y[order]
    medians = (ordered[first + (n - 1) // 2] + ordered[first + n // 2]) / 2
    return f_test(groups_of(np.abs(y - medians[code]), code, k, factor=factor))


def added(y: Floats, one: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[FTest, float]:
    """What the groups ``other`` add to the groups ``one``, and their share of the variation left (adjusted).

    The reduction of the sum of squares from the model of ``one`` alone to the additive model of both, from
    the table of counts: no design matrix is built.

    References
    ----------
    Searle (1971), Linear Models, section 7.2 (reduced normal equations of the two-way table).
    """
    k1, k2 = int(one.max()) + 1, int(other.max()) + 1
    counts = np.zeros((k1, k2))
    np.add.at(counts, (one, other), 1.0)
    n1 = counts.sum(axis=1)
    mean1 = np.bincount(one, weights=y, minlength=k1) / n1
    rest = y - mean1[one]
    r = np.bincount(other, weights=rest, minlength=k2)
    left = np.diag(counts.sum(axis=0)) - counts.T @ (counts / n1[:, None])
    values, vectors = np.linalg.eigh(left)
    keep = values > 1e-9 * max(float(values.max()), 1.0)
    rank = int(keep.sum())
    gain = float(np.sum((vectors[:, keep].T @ r) ** 2 / values[keep])) if rank else 0.0
    whole = float(rest @ rest)
    df2 = len(y) - k1 - rank
    if not rank or df2 <= 0 or whole - gain <= 0:
        return FTest(NAN, rank, df2, NAN), 0.0
    noise = (whole - gain) / df2
    f = gain / rank / noise
    share = (gain - rank * noise) / whole
    return FTest(f, rank, df2, float(special.fdtrc(rank, df2, f))), max(0.0, share)


@dataclass(frozen=True, slots=True)
class Components:
    """Variances between and within groups, and the overall mean they go with."""

    between: float
    within: float
    mean: float

    @property
    def icc(self) -> float:
        """Share of the variance that lies between the groups: the intraclass correlation."""
        whole = self.between + self.within
        return self.between / whole if whole > 0 else NAN


def components_anova(g: Groups) -> tuple[Components, bool]:
    """Variance components by equating mean squares; the flag says that one was negative and set to 0.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, section 3.6 (unbalanced one-way).
    """
    free = g.k - 1
    n0 = (g.total - float(np.sum(g.n**2)) / g.total) / free
    between = (g.between / free - g.factor * g.within) / n0
    return Components(max(0.0, between), g.within, g.grand_mean), between < 0


def components_reml(g: Groups) -> Components:
    """Variance components by restricted maximum likelihood, for groups of any sizes.

    The likelihood is profiled over the ratio of the variances, in which it is closed:
    ``(N - 1) log Q + sum log(1 + ratio n_i) + log sum w_i``, ``w_i = n_i / (1 + ratio n_i)``,
    ``Q = SS within + sum w_i (mean_i - mean)^2``. Under dependence sizes are the effective ones.

    References
    ----------
    Searle, Casella and McCulloch (1992), section 3.8; R ``lme4::lmer(y ~ 1 + (1 | group))``.
    """
    n = g.effective
    ss = g.within * g.df
    free = g.df + g.k - 1

    def parts(ratio: float) -> tuple[float, float, float]:
        w = n / (1 + ratio * n)
        mean = float(np.average(g.mean, weights=w))
        return float(w.sum()), mean, ss + float(np.sum(w * (g.mean - mean) ** 2))

    def criterion(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        total, _, q = parts(ratio)
        return free * math.log(q) + float(np.sum(np.log1p(ratio * n))) + math.log(total)

    best = _minimum(criterion, -20.0, 20.0)
    ratio = math.exp(best)
    total, mean, q = parts(0.0)
    none = free * math.log(q) + math.log(total)
    if none <= criterion(best) + 1e-10:
        return Components(0.0, q / free, mean)
    _, mean, q = parts(ratio)
    return Components(ratio * q / free, q / free, mean)


def icc_interval(g: Groups, *, confidence: float) -> tuple[float, float]:
    """Interval of the intraclass correlation, exact for normal values also where group sizes differ.

    The ratio of variances ``t`` for which ``sum w_i (mean_i - mean)^2 / (k - 1)`` over the mean square within
    is a quantile of F; that ratio falls in ``t``, ``w_i = n_i / (1 + t n_i)``. For equal sizes this is the
    usual exact interval.

    References
    ----------
    Wald (1940), Annals of Mathematical Statistics 11; Searle, Casella and McCulloch (1992), section 3.6d.
    """
    n = g.effective
    if not g.within > 0:
        return NAN, NAN

    def f_at(ratio: float) -> float:
        w = n / (1 + ratio * n)
        mean = float(np.average(g.mean, weights=w))
        return float(np.sum(w * (g.mean - mean) ** 2)) / (g.k - 1) / g.within

    def solve(p: float) -> float:
        target = float(special.fdtri(g.k - 1, g.df, p))
        if f_at(0.0) <= target:
            return 0.0
        low, high = -40.0, 40.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if f_at(math.exp(middle)) > target else (low, middle)
        ratio = math.exp((low + high) / 2)
        return ratio / (1 + ratio)

    return solve((1 + confidence) / 2), solve((1 - confidence) / 2)


def share_interval(test: FTest, total: float, *, confidence: float) -> tuple[float, float]:
    """Interval of the share of the variation between the groups at hand, from the noncentral F distribution.

    ``share = ncp / (ncp + total)``, ``total`` the (effective) number of values; the noncentrality for which
    the F seen lies at a tail.

    References
    ----------
    Smithson (2003), Confidence Intervals, section 4.2; R ``MBESS::ci.pvaf``.

    Examples
    --------
    >>> low, high = share_interval(FTest(5.0, 3, 96, 0.003), 100, confidence=0.95)
    >>> round(low, 3), round(high, 3)
    (0.019, 0.244)
    """
    if math.isnan(test.statistic):
        return NAN, NAN
    if test.statistic > 1e10:  # both ends are 1 to eight digits, and the series of the distribution very long
        return 1.0, 1.0

    def below(ncp: float) -> float:
        return float(special.ncfdtr(test.df1, test.df2, ncp, test.statistic))

    def solve(p: float) -> float:
        if below(0.0) <= p:
            return 0.0
        high = 1.0 + 4.0 * test.df1 * test.statistic
        while below(high) > p:
            high *= 2
        low = 0.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if below(middle) > p else (low, middle)
        ncp = (low + high) / 2
        return ncp / (ncp + total)

    return solve((1 + confidence) / 2), solve((1 - confidence) / 2)


def holm(p_values: Floats) -> Floats:
    """Holm's adjusted p-values; NaN stays and does not count.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6; R ``p.adjust(method = "holm")``.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    out = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    m = len(order)
    out[order] = np.minimum(1.0, np.maximum.accumulate(p_values[order] * (m - np.arange(m))))
    return out


def _minimum(f: Callable[[float], float], low: float, high: float) -> float:
    """Minimum of a function on an interval: the best of a grid, then golden section."""
    grid = np.linspace(low, high, 81)
    best = int(np.argmin([f(float(x)) for x in grid]))
    a, b = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 80)])
    gold = (math.sqrt(5) - 1) / 2
    c, d = b - gold * (b - a), a + gold * (b - a)
    fc, fd = f(c), f(d)
    while b - a > 1e-11:
        if fc < fd:
            b, d, fd = d, c, fc
            c = b - gold * (b - a)
            fc = f(c)
        else:
            a, c, fc = c, d, fd
            d = a + gold * (b - a)
            fd = f(d)
    return (a + b) / 2
