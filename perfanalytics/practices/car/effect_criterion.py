"""A success criterion held against a comparison: which row, what is asked, is it reached?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.improvement_records import SuccessCriterion
from perfanalytics.core.measure import Measure

Standing = Literal["met", "missed", "open", "unknown"]

#: statistic of a criterion -> rows of a comparison that are a ratio of it, or a difference.
RATIOS: dict[str, tuple[str, ...]] = {
    "geometric mean": ("ratio_of_geometric_means",),
    "mean": ("ratio_of_means",),
    "share": ("ratio_of_proportions", "ratio_of_means"),
    "rate": ("ratio_of_rates", "ratio_of_means"),
    "sd": ("ratio_of_sds",),
}
DIFFERENCES: dict[str, tuple[str, ...]] = {
    "mean": ("difference_of_means",),
    "share": ("difference_of_proportions", "difference_of_means"),
    "rate": ("difference_of_rates", "difference_of_means"),
    "median": ("difference_of_medians",),
    "item": ("difference_of_shares_meeting_objective",),
    **{f"p{k}": (f"difference_of_p{k}",) for k in (5, 10, 20, 30, 40, 60, 70, 80, 90, 95)},
}
STATISTICS = tuple(dict.fromkeys((*RATIOS, *DIFFERENCES)))


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion and what the data say of it.

    ``row`` is the effect it is held against (of a target: the value after, ``form`` "test"), ``required``
    what is asked for on its scale, ``lower`` whether it must be at most that.
    """

    row: Effect
    asked: str
    required: float
    lower: bool
    standing: Standing

    @property
    def is_target(self) -> bool:
        """Whether a level is asked for, not a change."""
        return self.row.form == "test"


def improves_downward(statistic: str, measure: Measure) -> bool | None:
    """Whether a lower value of a statistic is better; None where the measure does not say."""
    if statistic == "item":
        return False
    if statistic == "sd":
        return True
    return {"lower": True, "higher": False}.get(measure.better)


def judge(criterion: SuccessCriterion, comparison: Comparison, after: Baseline) -> Judged:
    """Hold a criterion against a comparison, or its target against the baseline after.

    Raises
    ------
    UnknownNameError
        For a statistic that neither has.
    """
    statistic, unit = criterion.statistic, comparison.measure.unit
    if criterion.target is not None:
        assert criterion.direction is not None
        row, lower = _level(statistic, after), criterion.direction == "at_most"
        said = percent(criterion.target) if row.unit == "share" else number(criterion.target, unit)
        asked = f"{_name(statistic)} of {'at most' if lower else 'at least'} {said}"
        return Judged(row, asked, criterion.target, lower, _standing(row, criterion.target, lower))
    if statistic not in STATISTICS:
        raise UnknownNameError("statistic of a success criterion", statistic, STATISTICS)
    if criterion.least_ratio is not None:
        row, required = _ratio(statistic, comparison), criterion.least_ratio
        lower = required < 1
        change = f"{percent(abs(1 - required))} {'lower' if lower else 'higher'}"
        return Judged(
            row, f"{_name(statistic)} at least {change}", required, lower, _standing(row, required, lower)
        )
    assert criterion.least_change is not None
    row = _difference(statistic, comparison)
    down = improves_downward(statistic, comparison.measure)
    amount = criterion.least_change
    if statistic == "item" or comparison.measure.scale == "proportion":
        said = f"{number(100 * amount)} points"
    else:
        said = number(amount, unit)
    if down is None:
        asked = f"{_name(statistic)} better by at least {said}"
        return Judged(row, asked, math.nan, False, "unknown")
    required = -amount if down else amount
    asked = f"{_name(statistic)} at least {said} {'lower' if down else 'higher'}"
    return Judged(row, asked, required, down, _standing(row, required, down))


def _name(statistic: str) -> str:
    return {"item": "the share of items that meet the objective", "sd": "the spread"}.get(
        statistic, f"the {statistic.upper() if statistic[1:].isdigit() else statistic}"
    )


def _standing(row: Effect, required: float, lower: bool) -> Standing:
    """By the whole interval: all of it reaches what is asked, none of it does, or neither."""
    if math.isnan(row.low) or math.isnan(row.high):
        return "unknown"
    if lower:
        return "met" if row.high <= required else "missed" if row.low > required else "open"
    return "met" if row.low >= required else "missed" if row.high < required else "open"


def find_row(comparison: Comparison, quantities: tuple[str, ...]) -> Effect | None:
    """The first row of these quantities that is no companion."""
    for quantity in quantities:
        for e in comparison.effects:
            if e.quantity == quantity and e.role != "companion":
                return e
    return None


def _ratio(statistic: str, comparison: Comparison) -> Effect:
    row = find_row(comparison, RATIOS.get(statistic, ()))
    if row is not None:
        return row
    base = find_row(comparison, DIFFERENCES.get(statistic, ()))
    if base is None or not base.before > 0:
        raise UnknownNameError(f"ratio of the {statistic} in this comparison:", statistic, _known(comparison))
    # the value before is taken as known: the interval of the difference, in units of it
    return replace(
        base,
        quantity=base.quantity.replace("difference_of", "ratio_of"),
        estimate=base.after / base.before,
        low=1 + base.low / base.before,
        high=1 + base.high / base.before,
        form="ratio",
        unit="",
        method=f"{base.method}; difference over the value before, taken as known",
    )


def _difference(statistic: str, comparison: Comparison) -> Effect:
    row = find_row(comparison, DIFFERENCES.get(statistic, ()))
    if row is not None:
        return row
    base = find_row(comparison, RATIOS.get(statistic, ()))
    if base is None or math.isnan(base.before):
        raise UnknownNameError(
            f"difference of the {statistic} in this comparison:", statistic, _known(comparison)
        )
    return replace(
        base,
        quantity=base.quantity.replace("ratio_of", "difference_of"),
        estimate=base.after - base.before,
        low=base.before * (base.low - 1),
        high=base.before * (base.high - 1),
        form="difference",
        unit=comparison.measure.unit,
        method=f"{base.method}; ratio times the value before, taken as known",
    )


def _known(comparison: Comparison) -> list[str]:
    have = {e.quantity for e in comparison.effects if e.role != "companion"}
    return [s for s in STATISTICS if have & {*RATIOS.get(s, ()), *DIFFERENCES.get(s, ())}]


def _level(statistic: str, after: Baseline) -> Effect:
    """The value after with its interval, as a row without an effect."""
    found = after[SHARE_MEETING if statistic == "item" else statistic]
    inside = found.interval
    return Effect(
        f"{statistic}_after",
        role="primary",
        after=found.value,
        estimate=found.value,
        low=math.nan if inside is None else inside.low,
        high=math.nan if inside is None else inside.high,
        form="test",
        unit=found.unit,
        method="" if inside is None else inside.method,
    )
