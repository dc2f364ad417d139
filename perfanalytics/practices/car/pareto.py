"""pareto(frame, by=) -> Pareto: which categories make up most, and is the first really larger?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import Every
from perfanalytics.core.result import Method, Provenance
from perfanalytics.practices.car.pareto_numbers import (
    bootstrapped,
    counted,
    first_against_second,
    goodman,
)
from perfanalytics.practices.car.pareto_result import Pareto
from perfanalytics.practices.car.pareto_words import doubts_of, verdict_of
from perfanalytics.practices.table_columns import hash_of

if TYPE_CHECKING:
    pass


def pareto(
    data: object,
    *,
    by: str | None = None,
    cost: str | None = None,
    when: str | None = None,
    every: Every = "week",
    most: int = 20,
    vital_share: float = 0.8,
    unit: str = "",
    confidence: float = 0.95,
    draws: int = 1999,
    seed: int = 20260101,
) -> Pareto:
    """Which categories make up most of something, with intervals, and is the first really larger?

    Parameters
    ----------
    data : table (pandas DataFrame or mapping of name to column), sequence of str, or mapping of str to int
        With ``by`` a table with one row an item; without it the category of each item, or counts by category.
    by : str, optional
        Column of the categories. A missing one is the category ``(missing)``.
    cost : str, optional
        Column that is added up (hours, money) instead of counting; at least 0. Rows without it are left out
        and counted.
    when : str, optional
        Column of times: amounts are then known to vary from period to period, and intervals and test show
        it. Rows without it are left out and counted.
    every : {"hour", "day", "week", "month", "quarter", "year"}
        The period.
    most : int
        Categories shown; smaller ones are added up as "other", which is never ranked.
    vital_share : float
        The largest categories that make up this share are the vital few.
    unit : str
        Of the amounts, for the figure and the verdict.
    confidence : float
    draws, seed : int
        Bootstrap samples, and their seed.

    Returns
    -------
    Pareto

    Raises
    ------
    InputError
        For no item, negative costs, other values of the parameters.
    UnknownNameError
        For a column or period that does not exist.

    Notes
    -----
    Counts without times: intervals of shares by Goodman (they hold together); the first against the second by
    the exact conditional test, binomial with p = 1/2. That the two were picked as the largest does not make
    this two-sided test wrong (Hung and Fithian). With times the periods are drawn again, all categories of a
    period together: where bad weeks bring many of one category, counting each item as independent says more
    than is known. The time from the first period to the last includes periods without any item. Costs without
    times: the items are drawn again.

    References
    ----------
    Goodman (1965), Technometrics 7, 247-254 (simultaneous intervals). Hung and Fithian (2019), Annals of
    Statistics 47, 758-782 (the winner against the runner-up). Clopper and Pearson (1934), Biometrika 26.
    Davison and Hinkley (1997), Bootstrap Methods, section 3.8 (clustered data). Juran (1951), Quality
    Control Handbook.

    Examples
    --------
    >>> p = pareto({"Network": 60, "Mail": 30, "Printer": 10})
    >>> p.category[0], round(float(p.share_low[0]), 3), p.first_is_larger, p.vital
    ('Network', 0.48, True, 2)
    """
    _check(most, vital_share, confidence, draws)
    found = counted(data, by=by, cost=cost, when=when, every=every)
    order = np.lexsort((np.array(found.names), -found.amount))
    ranked = found.reordered(order)
    shown = ranked.grouped(most)
    k = len(shown.names)
    total = float(shown.amount.sum())
    share = shown.amount / total
    if cost is None and when is None:
        how = "Goodman, all categories together"
        low, high = goodman(shown.amount, confidence=confidence)
        amount_low, amount_high = low * total, high * total
        second = first_against_second(ranked.amount, confidence)
        test = "exact binomial test of the first against the second"
    else:
        unit_drawn = "items" if when is None else f"{every}s"
        how = f"bootstrap of {unit_drawn}, percentiles, each category for itself"
        drawn = bootstrapped(shown, ranked, confidence=confidence, draws=draws, seed=seed)
        low, high, amount_low, amount_high = drawn.low, drawn.high, drawn.amount_low, drawn.amount_high
        second = drawn.first
        test = f"paired bootstrap of {unit_drawn}"
    cumulative = np.cumsum(share)
    vital = int(np.searchsorted(np.cumsum(ranked.amount) / total, vital_share * (1 - 1e-12))) + 1
    larger = second.p <= (1 - confidence) * (1 + 1e-9)
    what: dict[str, Any] = {
        "by": by or "category",
        "cost": cost or "",
        "unit": unit or ("" if cost else "items"),
        "category": _texts(shown.names),
        "amount": shown.amount,
        "amount_low": amount_low,
        "amount_high": amount_high,
        "items": shown.items,
        "share": share,
        "share_low": low,
        "share_high": high,
        "cumulative": cumulative,
        "together": shown.together,
        "total": total,
        "n": int(shown.items.sum()),
        "periods": 0 if found.period is None else found.n_periods,
        "every": every if when is not None else "",
        "dispersion": ranked.dispersion()[0],
        "ratio": second.ratio,
        "ratio_low": second.low,
        "ratio_high": second.high,
        "p_first": second.p,
        "first_is_larger": bool(larger),
        "vital": vital,
        "vital_share": vital_share,
        "confidence": confidence,
    }
    made = Pareto(
        verdict="",
        caveats=tuple(doubts_of(ranked, k=len(ranked.names), every=every, cost=cost is not None)),
        method=Method(
            "pareto",
            {
                "by": by,
                "cost": cost,
                "when": when,
                "every": every if when is not None else None,
                "most": most,
                "intervals": how,
                "first": test,
                "draws": 0 if how.startswith("Goodman") else draws,
                "seed": seed,
                "confidence": confidence,
                "vital_share": vital_share,
            },
            (
                "Goodman (1965), Technometrics 7, 247-254",
                "Hung and Fithian (2019), Annals of Statistics 47, 758-782",
                "Davison and Hinkley (1997), Bootstrap Methods, section 3.8",
            ),
        ),
        provenance=Provenance(
            by or "category",
            data_hash=hash_of(found.code, found.weight, found.period, _texts(found.names)),
            n=len(found.code),
            clock="none" if when is None else found.clock,
        ),
        **what,
    )
    return replace(made, verdict=verdict_of(made, of=k + max(shown.together - 1, 0)))


def _check(most: int, vital_share: float, confidence: float, draws: int) -> None:
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise InputError(f"most= is a whole number of at least 2, got {most!r}")
    if not 0 < vital_share <= 1:
        raise InputError(f"vital_share= is a share in (0, 1], got {vital_share!r}")
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence lies between 0.5 and 1 (0.95 for 95%), got {confidence!r}")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 199:
        raise InputError(f"draws= is a whole number of at least 199, got {draws!r}")


def _texts(names: Sequence[str]) -> NDArray[Any]:
    out = np.empty(len(names), dtype=object)
    out[:] = list(names)
    return out
