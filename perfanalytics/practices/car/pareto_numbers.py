"""The numbers behind a Pareto: counting, intervals of shares, the first against the second."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import period_number
from perfanalytics.practices.table_columns import clock_in, column, moments, numbers, texts

OTHER = "other"
#: Items are drawn again in portions of about so many numbers at once.
_PORTION = 2_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """Items with their category (``code`` into ``names``), weight and period; amounts and items a category.

    Categories counted by somebody else come as one row each, with ``bunch`` items.
    """

    names: tuple[str, ...]
    code: NDArray[np.int64]
    weight: Floats
    bunch: NDArray[np.int64]
    period: NDArray[np.int64] | None
    together: int = 0
    no_cost: int = 0
    no_time: int = 0
    clock: str = "local"

    @property
    def amount(self) -> Floats:
        """What each category makes up."""
        return np.bincount(self.code, weights=self.weight, minlength=len(self.names)).astype(float)

    @property
    def items(self) -> NDArray[np.int64]:
        """Items of each category."""
        found = np.bincount(self.code, weights=self.bunch, minlength=len(self.names))
        return np.rint(found).astype(np.int64)

    @property
    def n_periods(self) -> int:
        """Periods from the first to the last, empty ones too."""
        return 0 if self.period is None else int(self.period.max()) + 1

    def table(self) -> Floats:
        """Amounts a period and category; shape (periods, k). One row an item where there are no times."""
        period = np.arange(len(self.code)) if self.period is None else self.period
        k = len(self.names)
        found = np.bincount(
            period * k + self.code, weights=self.weight, minlength=(int(period.max()) + 1) * k
        )
        return found.reshape(-1, k).astype(float)

    def reordered(self, order: NDArray[np.int64]) -> Counted:
        """The categories in another order."""
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        return replace(self, names=tuple(self.names[i] for i in order.tolist()), code=place[self.code])

    def grouped(self, most: int) -> Counted:
        """At most ``most`` categories, the smaller ones added up as the last."""
        k = len(self.names)
        if k <= most:
            return self
        kept = most - 1
        name = OTHER if OTHER not in self.names[:kept] else f"{OTHER} ({k - kept} together)"
        return replace(
            self,
            names=(*self.names[:kept], name),
            code=np.minimum(self.code, kept),
            together=k - kept,
        )

    def dispersion(self) -> tuple[float, float]:
        """How much more the mixture varies between periods than chance, and the p-value; NaN without times.

        Pearson's chi-squared of the table of periods and categories over its degrees of freedom.
        """
        counting = bool((self.weight == 1).all())
        if self.period is None or not counting or len(self.names) < 2:
            return math.nan, math.nan
        table = self.table()
        table = table[table.sum(axis=1) > 0]
        free = (len(table) - 1) * (table.shape[1] - 1)
        if free < 1:
            return math.nan, math.nan
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        chi2 = float(((table - expected) ** 2 / expected).sum())
        return chi2 / free, float(special.chdtrc(free, chi2))


def counted(data: object, *, by: str | None, cost: str | None, when: str | None, every: str) -> Counted:
    """Read what was handed over.

    Raises
    ------
    InputError, UnknownNameError
    """
    if by is None:
        if cost is not None or when is not None:
            raise InputError("cost= and when= are columns of a table: give by=, its column of categories")
        return _bare(data)
    labels = texts(column(data, by))
    n = len(labels)
    weight = np.ones(n) if cost is None else numbers(column(data, cost), cost)
    keep = ~np.isnan(weight)
    no_cost = int(n - keep.sum())
    period, no_time = None, 0
    if when is not None:
        times = moments(column(data, when), when)
        no_time = int((np.isnat(times) & keep).sum())
        keep &= ~np.isnat(times)
    if len(weight) != n:
        raise InputError(f"{by!r} and {cost!r} have {n} and {len(weight)} entries")
    if not keep.any():
        raise InputError(f"no row has a category of {by!r}" + (f" and {cost!r}" if cost else ""))
    if when is not None:
        period = period_number(times[keep], every)
        period = (period - period.min()).astype(np.int64)
    if (weight[keep] < 0).any():
        raise InputError(
            f"{cost!r} is negative in {int((weight[keep] < 0).sum())} rows: costs are at least 0"
        )
    if not weight[keep].sum() > 0:
        raise InputError(f"{cost!r} is 0 in every row: there is nothing to share out")
    names, code = np.unique(labels[keep].astype(str), return_inverse=True)
    return Counted(
        names=tuple(str(v) for v in names.tolist()),
        code=code.astype(np.int64),
        weight=weight[keep],
        bunch=np.ones(int(keep.sum()), dtype=np.int64),
        period=period,
        no_cost=no_cost,
        no_time=no_time,
        clock=clock_in(data),
    )


def _bare(data: object) -> Counted:
    if isinstance(data, Mapping) and all(np.ndim(v) == 0 for v in data.values()):
        names = tuple(str(v) for v in data)
        count = numbers(list(data.values()), "counts")
        if (
            not len(names)
            or not (count >= 0).all()
            or (count != np.floor(count)).any()
            or not count.sum() > 0
        ):
            raise InputError("counts of categories are whole numbers of at least 0, one of them more")
        return Counted(names, np.arange(len(names)), count, count.astype(np.int64), None)
    if isinstance(data, str | Mapping) or hasattr(data, "columns"):
        raise InputError("a table needs by=, the name of its column of categories")
    if not isinstance(data, Sequence) and not hasattr(data, "__len__"):
        raise InputError(
            f"pareto takes a table, a sequence of categories or counts, got {type(data).__name__}"
        )
    labels = texts(data)
    if not len(labels):
        raise InputError("there is no category to count")
    found, code = np.unique(labels.astype(str), return_inverse=True)
    one = np.ones(len(labels))
    names = tuple(str(v) for v in found.tolist())
    return Counted(names, code.astype(np.int64), one, one.astype(np.int64), None)


def goodman(counts: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """Simultaneous intervals of multinomial shares, one a category.

    References
    ----------
    Goodman (1965), Technometrics 7, 247-254, equation 2.11; R ``DescTools::MultinomCI(method = "goodman")``.

    Examples
    --------
    >>> low, high = goodman(np.array([56.0, 72, 73, 59, 62, 87, 58]), confidence=0.95)
    >>> low[:2].round(4).tolist(), high[:2].round(4).tolist()
    ([0.0852, 0.1145], [0.1663, 0.2044])
    """
    n, k = float(counts.sum()), len(counts)
    # chi-squared of one degree of freedom, as the square of a normal quantile
    a = float(special.ndtri(1 - (1 - confidence) / (2 * k))) ** 2
    half = np.sqrt(a * (a + 4 * counts * (n - counts) / n))
    low, high = (a + 2 * counts - half) / (2 * (n + a)), (a + 2 * counts + half) / (2 * (n + a))
    return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class First:
    """The first against the second: their ratio with its interval, the two-sided p-value."""

    ratio: float
    low: float
    high: float
    p: float


def first_against_second(ordered: Floats, confidence: float) -> First:
    """Exact: given their sum, the larger of two equal counts is binomial with 1/2.

    Examples
    --------
    >>> round(first_against_second(np.array([60.0, 30, 10]), 0.95).p, 6)
    0.00206
    """
    if len(ordered) < 2:
        return First(math.nan, math.nan, math.nan, math.nan)
    a, b = float(ordered[0]), float(ordered[1])
    # the binomial is symmetric: both tails are alike
    p = min(1.0, 2.0 * float(special.bdtr(b, int(a + b), 0.5)))
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(a, b + 1, tail))
    high = 1.0 if b == 0 else float(special.betaincinv(a + 1, b, 1 - tail))
    return First(a / b if b else math.inf, low / (1 - low), high / (1 - high) if high < 1 else math.inf, p)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Percentiles of amounts and shares over bootstrap samples, and the first against the second."""

    low: Floats
    high: Floats
    amount_low: Floats
    amount_high: Floats
    first: First


def bootstrapped(shown: Counted, ranked: Counted, *, confidence: float, draws: int, seed: int) -> Drawn:
    """Draw the periods (the items, where there are no times) again.

    ``shown`` has the categories of the table, ``ranked`` all of them: the first two are compared there.
    """
    rng = np.random.default_rng(seed)
    two = min(2, len(ranked.names))
    # the first two stand apart even where they were added up in "other"
    table = np.column_stack([shown.table(), ranked.table()[:, :two]])
    n, k = len(table), len(shown.names)
    sums = np.empty((draws, k + two))
    step = max(1, _PORTION // n)
    for a in range(0, draws, step):
        many = min(step, draws - a)
        drawn = rng.integers(0, n, size=(many, n)) + n * np.arange(many)[:, None]
        weight = np.bincount(drawn.ravel(), minlength=many * n).reshape(many, n).astype(float)
        sums[a : a + many] = weight @ table
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    whole = sums[:, :k].sum(axis=1)
    amount_low, amount_high = np.quantile(sums[:, :k], tails, axis=0)
    filled = whole > 0
    low, high = np.quantile(sums[filled, :k] / whole[filled, None], tails, axis=0)
    if two < 2:
        first = First(math.nan, math.nan, math.nan, math.nan)
    else:
        one, other = sums[:, k], sums[:, k + 1]
        above = (1 + np.count_nonzero(one <= other)) / (draws + 1)
        below = (1 + np.count_nonzero(one >= other)) / (draws + 1)
        ratio = np.divide(one, other, out=np.full(draws, np.inf), where=other > 0)
        ends = np.quantile(ratio, tails, method="inverted_cdf")
        a, b = ranked.amount[:2].tolist()
        first = First(
            a / b if b else math.inf, float(ends[0]), float(ends[1]), min(1.0, 2 * min(above, below))
        )
    return Drawn(low, high, amount_low, amount_high, first)
