"""What a Pareto says: the verdict and its doubts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.independence import visible_lag1
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.core.result import Caveat
from perfanalytics.practices.car.pareto_numbers import Counted
from perfanalytics.practices.car.pareto_result import Pareto
from perfanalytics.practices.table_columns import MISSING

#: Fewer periods say little about how periods differ; fewer items about a category.
FEW_PERIODS, FEW_ITEMS = 10, 30
#: Chance of calling a mixture that does not change one that does.
_VARIES = 0.01


def doubts_of(data: Counted, *, k: int, every: str, cost: bool) -> Iterator[Caveat]:
    """The doubts about a Pareto."""
    n = int(data.items.sum())
    if data.no_cost or data.no_time:
        said = [f"{data.no_cost:,} without a cost"] if data.no_cost else []
        said += [f"{data.no_time:,} without a time"] if data.no_time else []
        yield Caveat(
            "missing-rows",
            f"Rows left out: {' and '.join(said)}.",
            {"no_cost": data.no_cost, "no_time": data.no_time},
        )
    if MISSING in data.names:
        at = data.names.index(MISSING)
        share = float(data.amount[at] / data.amount.sum())
        yield Caveat(
            "missing-category",
            f"{int(data.items[at]):,} items ({percent(share)} of the total) have no category; they stand as "
            f"{MISSING}.",
            {"items": int(data.items[at]), "share": share},
        )
    if n < FEW_ITEMS:
        yield Caveat(
            "too-few-items", f"Only {n} items: shares are hardly known.", {"n": n, "needed": FEW_ITEMS}
        )
    if k == 1:
        yield Caveat("one-category", f"There is a single category, {data.names[0]}.", {"categories": 1})
    if data.period is None:
        if cost and n < 200:
            yield Caveat(
                "heavy-costs",
                f"{n} costs: where few items cost most, intervals from drawing them again are too narrow.",
                {"n": n},
            )
        return
    periods = data.n_periods
    if periods < FEW_PERIODS:
        yield Caveat(
            "too-few-periods",
            f"Only {periods} {every}s: how {every}s differ is hardly known, intervals are too narrow.",
            {"periods": periods, "needed": FEW_PERIODS},
        )
    factor, p = data.dispersion()
    if not math.isnan(p) and p < _VARIES:
        yield Caveat(
            "mixture-varies",
            f"The mixture of categories varies more from {every} to {every} than by chance ({number(factor)} "
            f"times as much, {p_text(p)}): look what the {every}s with many of one category have in common.",
            {"dispersion": factor, "p_value": p},
        )
    if k > 1 and periods >= 3:
        table = data.table()
        difference = table[:, 0] - table[:, 1]
        r = lag1_autocorrelation(difference, np.array([0, periods]))
        seen = visible_lag1(r, np.array([float(periods)]))
        if seen is not None:
            yield Caveat(
                "autocorrelated",
                f"The difference between the first two is alike in neighbouring {every}s (lag-1 about "
                f"{seen:.2f}), but {every}s are drawn as independent: give a longer period (every=).",
                {"lag1": seen},
            )


def verdict_of(result: Pareto, *, of: int) -> str:
    """Two sentences: who is first and whether really; how many make up most."""
    of_what = f"{number(result.total)} {result.unit}".rstrip()
    if result.cost:
        of_what += f" of {result.cost}"
    first, k = str(result.category[0]), len(result.category)
    if k == 1:
        return f"{first} is the only category: {of_what}."
    among = f"{of} categories" + (f" of {result.by}" if result.by != "category" else "")
    equal = int((result.amount == result.amount[0]).sum())
    if equal == len(result.amount) == of:
        return f"All {among} are equal: {percent(float(result.share[0]))} each of {of_what}; none is first."
    lead = (
        f"{first} is the largest of {among}: {percent(float(result.share[0]))} of "
        f"{of_what} ({percent(result.confidence)} interval {percent(float(result.share_low[0]))} to "
        f"{percent(float(result.share_high[0]))})."
    )
    second = str(result.category[1])
    size = f"{percent(float(result.share[1]))}, {p_text(result.p_first)}"
    if result.first_is_larger:
        middle = f" It is really larger than the second, {second} ({size})."
    elif equal > 1:
        middle = f" The second, {second}, is as large ({percent(float(result.share[1]))})."
    else:
        middle = f" Whether it is larger than the second, {second}, cannot be told ({size})."
    whole = percent(result.vital_share)
    few = "The first makes" if result.vital == 1 else f"The first {result.vital} make"
    if result.vital > max(1, of // 2):
        few = f"No vital few: it takes {result.vital} of {of} to make"
        return f"{lead}{middle} {few} up {whole}."
    return f"{lead}{middle} {few} up at least {whole}."
