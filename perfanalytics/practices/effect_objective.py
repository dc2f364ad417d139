"""The effect on an objective: the value it speaks of and the probability that it is met, before and after."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series
from perfanalytics.practices.effect_criterion import DIFFERENCES, find_row
from perfanalytics.practices.work_review_predicting import predict_objective


@dataclass(frozen=True, slots=True, kw_only=True)
class OnObjective:
    """What an effect did to an objective.

    Parameters
    ----------
    name, statistic : str
    asked : str
        In words.
    required : float
        The value asked for (of items with a share: the share).
    before, after, difference, low, high : float
        The value the objective speaks of, on both sides; their difference with its interval.
    probability_before, probability_after : float
        That the level of the process meets the objective; NaN where it cannot be given.
    standing_before, standing_after : str
        "met", "missed", "undecided", or "" where the objective names no share.
    unit : str
        "share", or that of the measure.
    """

    kind: ClassVar[str] = "effect_on_objective"

    name: str
    statistic: str
    asked: str
    required: float
    before: float
    after: float
    difference: float
    low: float
    high: float
    probability_before: float
    probability_after: float
    standing_before: str
    standing_after: str
    unit: str

    def sentence(self) -> str:
        """Before and after in words, with the probabilities."""
        share = self.unit == "share"
        if math.isnan(self.before) or math.isnan(self.after):
            text = f"'{self.name}' asks for {self.asked}"
        elif share:
            what = "of items meet" if self.statistic == "item" else "is the share for"
            text = (
                f"{percent(self.after)} {what} '{self.name}', {percent(self.before)} before "
                f"({100 * self.low:+.0f} to {100 * self.high:+.0f} points)"
            )
        else:
            text = (
                f"For '{self.name}' the {self.statistic} is {number(self.after, self.unit)}, "
                f"{number(self.before)} before"
            )
        if not math.isnan(self.required):
            text += f"; {percent(self.required) if share else number(self.required, self.unit)} asked for"
        if not math.isnan(self.probability_after) and not math.isnan(self.probability_before):
            text += (
                f": the probability that the process meets it went from {percent(self.probability_before)} "
                f"to {percent(self.probability_after)}"
            )
        return f"{text}."


def on_objective(
    objective: Objective,
    comparison: Comparison,
    series: tuple[Series, Series],
    baselines: tuple[Baseline, Baseline],
) -> OnObjective:
    """The effect on an objective."""
    statistic = objective.statistic
    row = find_row(comparison, DIFFERENCES.get(statistic, ()))
    share = statistic in ("item", "share")
    nan = math.nan
    sides = [_value(statistic, b) for b in baselines]
    chances = [_probability(s, objective, b) for s, b in zip(series, baselines, strict=True)]
    side = "at most" if objective.direction == "at_most" else "at least"
    target = (
        percent(objective.target) if statistic == "share" else number(objective.target, _unit(comparison))
    )
    asked = f"{side} {target}"
    required = objective.target
    if statistic == "item":
        required = nan if objective.share is None else objective.share
        many = "items" if objective.share is None else f"{percent(objective.share)} of items"
        asked = f"{many} of {side} {target}"
    return OnObjective(
        name=objective.name,
        statistic=statistic,
        asked=asked,
        required=required,
        before=row.before if row is not None and not math.isnan(row.before) else sides[0],
        after=row.after if row is not None and not math.isnan(row.after) else sides[1],
        difference=nan if row is None else row.estimate,
        low=nan if row is None else row.low,
        high=nan if row is None else row.high,
        probability_before=chances[0],
        probability_after=chances[1],
        standing_before=baselines[0].standing or "",
        standing_after=baselines[1].standing or "",
        unit="share" if share else _unit(comparison),
    )


def _unit(comparison: Comparison) -> str:
    return comparison.measure.unit


def _value(statistic: str, side: Baseline) -> float:
    try:
        return side[SHARE_MEETING if statistic == "item" else statistic].value
    except PerfAnalyticsError:
        return math.nan


def _probability(series: Series, objective: Objective, side: Baseline) -> float:
    """That the level of one side meets the objective, whatever its end; NaN where it cannot be given."""
    try:
        made = predict_objective(series, replace(objective, by=None), baseline=side)
    except PerfAnalyticsError:
        return math.nan
    return made.probability
