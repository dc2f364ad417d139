"""The tests behind drift: each aspect of new data against a baseline, honest about dependence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.intervals import Dependence, Effective, effective
from perfanalytics.baselines.ratios import pool
from perfanalytics.comparisons.compare import compare
from perfanalytics.core.columns import Floats
from perfanalytics.core.order_statistics import prediction_ranks
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series

#: Permutations behind the p-value of the shape.
PERMUTATIONS = 399


@dataclass(frozen=True, slots=True)
class Finding:
    """One aspect: both sides, statistic and p-value; NaN where not judged, ``how`` then says why."""

    aspect: str
    how: str
    before: float = math.nan
    after: float = math.nan
    statistic: float = math.nan
    p_value: float = math.nan


def location(
    old: Series,
    new: Series,
    u: Floats,
    v: Floats,
    dependence: Dependence,
    *,
    logged: bool,
    enough: bool,
    measured: bool = False,
) -> Finding:
    """The level: by ``compare`` (AR(1) by REML, Welch for values without order); for few new values by the
    prediction interval of the baseline for their mean (``measured``: for their pooled ratio)."""
    if enough:
        made = compare(old, new, order=None if dependence == "ar1" else "none")
        first = made.primary
        if not math.isnan(first.p_value):
            return Finding(
                "location", made.method.name, first.before, first.after, first.statistic, first.p_value
            )
    if measured:
        return _pooled_ratio(old, new, dependence)
    size = effective(u, dependence)
    mean, after = float(u.mean()), float(v.mean())
    sd = float(u.std(ddof=1)) if len(u) > 1 else math.nan
    back = math.exp if logged else float
    how = "mean of the new values against the baseline's prediction interval for it"
    if not size.usable or not sd > 0:
        return Finding("location", how, back(mean), back(after))
    m = len(v)
    se = sd * math.sqrt(size.variance_factor * (size.mean_factor(m) / m + 1 / size.n_mean))
    t = (after - mean) / se
    p = float(2 * special.stdtr(size.df, -abs(t)))
    return Finding("location", how, back(mean), back(after), t, p)


def _pooled_ratio(old: Series, new: Series, dependence: Dependence) -> Finding:
    """The pooled ratio of the new periods against the baseline's prediction interval for it."""
    assert old.sizes is not None
    assert new.sizes is not None
    base = pool(old.values * old.sizes, old.sizes, dependence)
    whole = float(new.sizes.sum())
    after = float((new.values * new.sizes).sum()) / whole
    how = "pooled ratio of the new periods against the baseline's prediction interval for it"
    size = base.size
    if not size.usable or not base.sd > 0:
        return Finding("location", how, base.center, after)
    ahead = size.mean_factor(len(new)) * base.typical / whole
    se = base.sd * math.sqrt(size.variance_factor * (ahead + 1 / size.n_mean))
    t = (after - base.center) / se
    return Finding("location", how, base.center, after, t, float(2 * special.stdtr(size.df, -abs(t))))


def spread(u: Floats, v: Floats, dependence: Dependence, *, logged: bool) -> Finding:
    """Distances from the own median, by Welch with effective sizes (Brown and Forsythe).

    A short stretch of dependent values stays near its own median: distances are multiplied with the root of
    ``(1 - 1/n) / (1 - 1/n_mean)``, with the correlation of both sides together.
    """
    how = "Brown-Forsythe by Welch, effective sizes"
    r = _pooled([u, v], dependence)
    one, two = (np.abs(x - np.median(x)) * math.sqrt(_sized(len(x), r).variance_factor) for x in (u, v))
    before, after = float(u.std(ddof=1)), float(v.std(ddof=1))
    if logged:
        before, after = math.exp(before), math.exp(after)
    t, df = _welch(one, two, dependence)
    p = math.nan if math.isnan(t) else float(2 * special.stdtr(df, -abs(t)))
    return Finding("spread", how, before, after, t, p)


def _pooled(sides: Sequence[Floats], dependence: Dependence) -> float:
    """Lag-1 correlation of both sides, each with the weight of its size."""
    return float(np.average([effective(x, dependence).r for x in sides], weights=[len(x) for x in sides]))


def _sized(n: int, r: float) -> Effective:
    """The effective sizes of n values with a known correlation."""
    n_mean = n * (1 - r) / (1 + r)
    factor = (1 - 1 / n) / (1 - 1 / n_mean) if n_mean > 1 else math.nan
    return Effective(n, r, r, n_mean, n * (1 - r * r) / (1 + r * r) - 1, factor)


def _welch(one: Floats, two: Floats, dependence: Dependence) -> tuple[float, float]:
    r = _pooled([one, two], dependence)
    variances, frees = [], []
    for x in (one, two):
        size = _sized(len(x), r)
        if not size.usable:
            return math.nan, math.nan
        variances.append(float(x.var(ddof=1)) * size.variance_factor / size.n_mean)
        frees.append(size.df)
    total = sum(variances)
    if not total > 0:
        return math.nan, math.nan
    df = total**2 / sum(s**2 / f for s, f in zip(variances, frees, strict=True))
    return (float(two.mean()) - float(one.mean())) / math.sqrt(total), df


def shape(u: Floats, v: Floats, dependence: Dependence, *, seed: int) -> Finding:
    """Two-sample Anderson-Darling statistic of values freed from location and spread, by permuted blocks.

    Each side is centered at its mean and divided by its standard deviation; blocks of neighbours are
    exchanged between the sides, as long as the dependence reaches, and each side is freed again, so that the
    estimates do not count. ``before`` and ``after`` are the skewness.

    References
    ----------
    Pettitt (1976), Biometrika 63; Kuensch (1989), Annals of Statistics 17 (blocks).
    """
    a, b = _freed(u), _freed(v)
    how = "Anderson-Darling after standardizing, permuted blocks"
    if a is None or b is None:
        return Finding("shape", "not judged: a side does not vary")
    r = max(effective(x, dependence).r for x in (u, v))
    length = 1 if r == 0 else max(1, min(len(v) // 4, math.ceil((1 + r) / (1 - r))))
    pooled = np.concatenate([a, b])
    seen = _anderson_darling(a, b)
    rng = np.random.default_rng(seed)
    starts = np.arange(0, len(pooled), length)
    blocks = [pooled[s : s + length] for s in starts]
    beyond = 0
    for _ in range(PERMUTATIONS):
        mixed = (
            np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])
            if length > 1
            else rng.permutation(pooled)
        )
        one, two = _freed(mixed[: len(a)]), _freed(mixed[len(a) :])
        if one is None or two is None:
            continue
        beyond += _anderson_darling(one, two) >= seen
    p = (beyond + 1) / (PERMUTATIONS + 1)
    return Finding("shape", how, float(np.mean(a**3)), float(np.mean(b**3)), seen, p)


def _freed(x: Floats) -> Floats | None:
    sd = float(x.std())
    return None if not sd > 1e-12 * max(1.0, float(np.abs(x).max())) else (x - x.mean()) / sd


def _anderson_darling(a: Floats, b: Floats) -> float:
    """Pettitt's two-sample statistic."""
    m, n = len(a), len(b)
    total = m + n
    mine = np.cumsum(np.argsort(np.concatenate([a, b]), kind="stable") < m)[:-1]
    i = np.arange(1, total)
    return float(np.sum((mine * total - i * m) ** 2 / (i * (total - i))) / (m * n))


def outside_limits(
    x: Floats, y: Floats, dependence: Dependence, *, confidence: float
) -> tuple[float, float, float, float, float]:
    """Interval, share expected outside, and limits of the share outside for so many new values."""
    ranks = prediction_ranks(len(x))
    low, high = ranks.bounds(np.sort(x))
    a, b, m = _outside_law(x, y, dependence)
    if m < 1 or a <= 0 or b <= 0:
        return low, high, 1 - ranks.achieved, math.nan, math.nan
    k = np.arange(math.floor(m) + 1)
    cumulative = np.cumsum(_beta_binomial(k, m, a, b))
    cumulative /= cumulative[-1]
    alpha = (1 - confidence) / 2
    lower = int(np.searchsorted(cumulative, alpha))
    upper = int(np.searchsorted(cumulative, 1 - alpha))
    return low, high, 1 - ranks.achieved, lower / m, min(1.0, upper / m)


def outside_interval(x: Floats, y: Floats, dependence: Dependence) -> Finding:
    """The number of new values outside the middle order statistics of the baseline.

    Exactly beta-binomial for independent values of any continuous distribution: the interval itself is
    estimated, so that plain binomial limits would be too narrow. Under dependence both sizes are effective
    ones.

    References
    ----------
    Guttman (1970), Statistical Tolerance Regions, section 2.2.
    """
    ranks = prediction_ranks(len(x))
    low, high = ranks.bounds(np.sort(x))
    share = float(np.mean((y < low) | (y > high)))
    a, b, m = _outside_law(x, y, dependence)
    how = "beta-binomial" + (" for effective sizes (approximation)" if m < len(y) else ", exact")
    k = np.arange(math.floor(m) + 1)
    mass = _beta_binomial(k, m, a, b)
    mass /= mass.sum()
    seen = round(share * m)
    p = 2 * min(float(mass[: seen + 1].sum()), float(mass[seen:].sum()))
    return Finding(
        "share outside", how, 1 - ranks.achieved, share, float(np.sum((y < low) | (y > high))), min(1.0, p)
    )


def _outside_law(x: Floats, y: Floats, dependence: Dependence) -> tuple[float, float, float]:
    """Parameters of the beta law of the share outside, and the effective number of new values."""
    n = len(x)
    ranks = prediction_ranks(n)
    span = ranks.high - ranks.low
    size = effective(x, dependence)
    k = (size.n_mean + 1) / (n + 1) if size.r > 0 else 1.0
    low, high = ranks.bounds(np.sort(x))
    own = effective(((y < low) | (y > high)).astype(float), dependence)
    rest = max(size.r**2, own.r) if size.r > 0 else own.r
    # whether a value lies outside depends on its neighbours about as squares do
    m = len(y) * (1 - rest) / (1 + rest)
    return (n + 1 - span) * k, span * k, max(m, 1.0)


def _beta_binomial(k: NDArray[np.int64], m: float, a: float, b: float) -> Floats:
    log = (
        special.gammaln(m + 1)
        - special.gammaln(k + 1)
        - special.gammaln(m - k + 1)
        + special.betaln(k + a, m - k + b)
        - special.betaln(a, b)
    )
    return np.asarray(np.exp(log))


def objective_share(x: Floats, y: Floats, objective: Objective, dependence: Dependence) -> Finding:
    """The share of items that meet the objective, before and after: score test with effective sizes."""
    at_most = objective.direction == "at_most"
    one, two = ((s <= objective.target if at_most else s >= objective.target).astype(float) for s in (x, y))
    before, after = float(one.mean()), float(two.mean())
    sizes = [effective(s, dependence) for s in (one, two)]
    pooled = (before * sizes[0].n_mean + after * sizes[1].n_mean) / (sizes[0].n_mean + sizes[1].n_mean)
    how = "two proportions, score, effective sizes"
    if not 0 < pooled < 1:
        return Finding("share meeting the objective", how, before, after, 0.0, 1.0)
    # continuity: a step of one effective item
    step = 0.5 / sizes[0].n_mean + 0.5 / sizes[1].n_mean
    apart = max(0.0, abs(after - before) - step)
    z = apart / math.sqrt(pooled * (1 - pooled) * (1 / sizes[0].n_mean + 1 / sizes[1].n_mean))
    sign = math.copysign(1.0, after - before)
    return Finding("share meeting the objective", how, before, after, sign * z, float(2 * special.ndtr(-z)))


def open_items_location(old: Series, new: Series) -> Finding:
    """Log-rank test of items of which some are still open; medians by the items that are done.

    References
    ----------
    Mantel (1966), Cancer Chemotherapy Reports 50; R ``survival::survdiff``.
    """
    values = np.concatenate([old.values, new.values])
    opened = np.concatenate(
        [np.zeros(len(s), bool) if s.censored is None else s.censored for s in (old, new)]
    )
    newer = np.arange(len(values)) >= len(old)
    times = np.unique(values[~opened])
    rank = np.searchsorted(times, values, side="right")
    at_risk = np.array([np.sum(rank[g] > 0) for g in (~newer, newer)], dtype=float)[:, None] - np.array(
        [
            np.concatenate([[0], np.cumsum(np.bincount(rank[g], minlength=len(times) + 1)[1:-1])])
            for g in (~newer, newer)
        ]
    )
    done = np.array(
        [np.bincount(rank[g & ~opened] - 1, minlength=len(times)) for g in (~newer, newer)], dtype=float
    )
    n, d = at_risk.sum(axis=0), done.sum(axis=0)
    expected = at_risk[1] * d / n
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(n > 1, at_risk[0] * at_risk[1] * d * (n - d) / (n**2 * (n - 1)), 0.0)
    total = float(variance.sum())
    before, after = (float(np.median(s.values)) for s in (old, new))
    how = "log-rank (items taken as independent); medians of values so far"
    if not total > 0:
        return Finding("location", how, before, after)
    z = float((done[1] - expected).sum()) / math.sqrt(total)
    return Finding("location", how, before, after, z * z, float(special.chdtrc(1, z * z)))
