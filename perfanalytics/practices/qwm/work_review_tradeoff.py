"""trade_off(one, other) -> TradeOff: when one objective does better, does the other do worse?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import special

from perfanalytics.baselines.wording import count, number
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Provenance, Result

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: Fewer periods than this say nothing about how two measures hang together.
FEWEST, FEW = 6, 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TradeOff(Result):
    """How two objectives hang together from period to period.

    Attributes
    ----------
    measure, other : Measure
    objective, other_objective : Objective
    every : str
        The period ("week").
    n : int
        Periods with both values.
    n_effective : float
        As many independent pairs tell as much, because neighbouring periods are alike.
    correlation, low, high : float
        Spearman's rank correlation of how well each does (the direction of each objective is taken into
        account: -1 means that one is best when the other is worst), with its interval.
    p_value : float
        Of no correlation, two-sided.
    trades_off : bool or None
        True when the whole interval lies below 0; None where it was not judged.
    when : datetime64 array, shape (n,)
    value, other_value : float arrays, shape (n,)
        As measured.
    confidence : float
    """

    kind: ClassVar[str] = "trade_off"

    measure: Measure
    other: Measure
    objective: Objective
    other_objective: Objective
    every: str
    n: int
    n_effective: float
    correlation: float
    low: float
    high: float
    p_value: float
    trades_off: bool | None
    when: NDArray[np.datetime64]
    value: Floats
    other_value: Floats
    confidence: float

    def __post_init__(self) -> None:
        for name in ("when", "value", "other_value"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: both objectives, the correlation with its interval, whether they trade off."""
        import pandas as pd

        names = (
            "every",
            "n",
            "n_effective",
            "correlation",
            "low",
            "high",
            "p_value",
            "trades_off",
            "confidence",
        )
        row = {"objective": self.objective.name, "other_objective": self.other_objective.name}
        row |= {name: getattr(self, name) for name in names}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row a period: when, value, other_value (as measured)."""
        import pandas as pd

        return pd.DataFrame({"when": self.when, "value": self.value, "other_value": self.other_value})


def trade_off(
    one: object,
    other: object,
    *,
    objectives: tuple[Objective, Objective],
    confidence: float = 0.95,
) -> TradeOff:
    """Whether two objectives pull against each other: the rank correlation over common periods.

    Parameters
    ----------
    one, other : Series
        One value a period each ("week"), of different measures, with times.
    objectives : (Objective, Objective)
        Which direction of each is better.
    confidence : float

    Returns
    -------
    TradeOff

    Raises
    ------
    InputError
        For series without times, or with fewer than 6 common periods.

    Notes
    -----
    Spearman's rank correlation; interval by Fisher's z with the variance ``(1 + r^2 / 2) / (n - 3)`` of
    Bonett and Wright (2000); n is the effective number of pairs ``n (1 - a b) / (1 + a b)``, with the lag-1
    correlations a and b of the ranks (Bartlett 1935), never more than n. A correlation is no proof: both may
    follow a third thing, the load for example.

    References
    ----------
    Bonett and Wright (2000), Psychometrika 65, 23-28. Bartlett (1935), JRSS 98, 536-543.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> weeks = np.datetime64("2024-01-01") + 7 * np.arange(8)
    >>> def made(name, values, better):
    ...     measure = perf.Measure(name, definition=name, unit="1", better=better, scale="real")
    ...     return perf.Series(values, measure=measure, when=weeks)
    >>> fast = made("hours", [5.0, 4, 6, 3, 7, 2, 8, 1], "lower")
    >>> good = made("score", [5.0, 4, 6, 3.5, 7, 2, 8, 1], "higher")
    >>> goals = (perf.Objective("fast", measure="hours", statistic="mean", target=4, direction="at_most"),
    ...          perf.Objective("good", measure="score", statistic="mean", target=4, direction="at_least"))
    >>> trade_off(fast, good, objectives=goals).correlation
    -1.0
    """
    a, b = as_series(one), as_series(other)
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if a.when is None or b.when is None:
        raise InputError("which values belong together is told by their times: both series need them")
    when, i, j = np.intersect1d(a.when, b.when, return_indices=True)
    x, y = np.asarray(a.values[i]), np.asarray(b.values[j])
    out_a, out_b = a.excluded()[0], b.excluded()[0]
    use = ~np.isnan(x) & ~np.isnan(y) & ~out_a[i] & ~out_b[j]
    x, y, when = x[use], y[use], when[use]
    n = len(x)
    first, second = objectives
    if n < FEWEST:
        raise InputError(
            f"{count(n, 'period')} with both {first.measure} and {second.measure}: {FEWEST} are needed to "
            "see whether they trade off"
        )
    u = _ranks(x if first.direction == "at_least" else -x)
    v = _ranks(y if second.direction == "at_least" else -y)
    r = _correlation(u, v)
    alike = max(_lag1(u) * _lag1(v), 0.0)
    size = n * (1 - alike) / (1 + alike)
    low, high, p = _interval(r, size, confidence)
    judged = not math.isnan(low)
    every = str(a.selection.get("every") or a.expected_every or "period")
    doubts = []
    if n < FEW:
        text = f"Only {count(n, 'period')}: how two measures hang together is seen in about {FEW}."
        doubts.append(Caveat("too-few-points", text, {"n": n, "needed": FEW}))
    made = bool(high < 0) if judged else None
    if made:
        text = "A correlation is no proof: both may follow a third thing, the load for example."
        doubts.append(Caveat("not-causal", text, {"correlation": r}))
    said = {
        True: f"{first.name} and {second.name} trade off: when one does better, the other does worse",
        False: f"{first.name} and {second.name}: no trade-off is seen",
        None: f"{first.name} and {second.name}: whether they trade off cannot be said",
    }[made]
    return TradeOff(
        verdict=f"{said} (rank correlation {number(r)}, {number(low)} to {number(high)}, {count(n, every)})."
        if judged
        else f"{said} ({count(n, every)}).",
        caveats=tuple(doubts),
        method=Method(
            "trade_off",
            {
                "correlation": "Spearman",
                "interval": "Fisher z, Bonett and Wright",
                "effective": "Bartlett",
                "confidence": confidence,
            },
            ("Bonett and Wright (2000), Psychometrika 65", "Bartlett (1935), JRSS 98"),
        ),
        provenance=Provenance(
            a.measure.name,
            data_hash=a.data_hash() + b.data_hash(),
            n=n,
            selection={"one": dict(a.selection), "other": dict(b.selection)},
            load_ids=tuple(sorted({*a.load_ids, *b.load_ids})),
            clock=a.clock,
        ),
        measure=a.measure,
        other=b.measure,
        objective=first,
        other_objective=second,
        every=every,
        n=n,
        n_effective=size,
        correlation=r,
        low=low,
        high=high,
        p_value=p,
        trades_off=made,
        when=when,
        value=x,
        other_value=y,
        confidence=confidence,
    )


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, ties share their mean rank."""
    _, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    return np.asarray((ends - (sizes - 1) / 2)[place], dtype=float)


def _correlation(u: Floats, v: Floats) -> float:
    u, v = u - u.mean(), v - v.mean()
    scale = math.sqrt(float((u**2).sum() * (v**2).sum()))
    return float((u * v).sum()) / scale if scale > 0 else math.nan


def _lag1(u: Floats) -> float:
    u = u - u.mean()
    total = float((u**2).sum())
    return float((u[1:] * u[:-1]).sum()) / total if total > 0 else 0.0


def _interval(r: float, n: float, confidence: float) -> tuple[float, float, float]:
    if math.isnan(r) or n <= 3:
        return math.nan, math.nan, math.nan
    if abs(r) >= 1:
        return r, r, 0.0
    z, sd = math.atanh(r), math.sqrt((1 + r * r / 2) / (n - 3))
    half = float(special.ndtri((1 + confidence) / 2)) * sd
    p = 2 * float(special.ndtr(-abs(z) * math.sqrt(n - 3)))
    return math.tanh(z - half), math.tanh(z + half), p
