"""The effect on an objective: the value it speaks of and the probability that it is met, before and after."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.known_correlation import DAYS
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.periods import period_number
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series
from perfanalytics.practices.car.effect_criterion import DIFFERENCES, find_row
from perfanalytics.practices.qwm.work_review_predicting import predict_objective
from perfanalytics.practices.qwm.work_review_terms import asked_of, meets


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
    every = str(comparison.method.parameters.get("every") or "").split(" ", 1)[0]
    chances = [_probability(s, objective, b, every) for s, b in zip(series, baselines, strict=True)]
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


def _probability(series: Series, objective: Objective, side: Baseline, every: str) -> float:
    """That the level of one side meets the objective, whatever its end; NaN where it cannot be given.

    Items of a share are alike within a period and in neighbouring ones: where that makes them count for fewer
    than their order shows, the probability says so, as the interval of the difference does.
    """
    try:
        made = predict_objective(series, replace(objective, by=None), baseline=side)
    except PerfAnalyticsError:
        return math.nan
    if made.form != "share" or series.when is None or series.sizes is not None or every not in DAYS:
        return made.probability
    excluded, _ = series.excluded()
    hit = meets(np.where(excluded, np.nan, series.values), objective, asked_of(objective))
    n = items_by_period(hit, period_number(series.when, every).astype(np.int64))
    if not n < made.n_observed / made.design_effect:
        return made.probability
    a, b = made.observed * n + 0.5, (1 - made.observed) * n + 0.5
    below = float(special.betainc(a, b, made.required))
    return below if made.side == "at_most" else 1 - below


def items_by_period(hit: Floats, period: NDArray[np.int64]) -> float:
    """As how many independent items those of periods count for their share; NaN where nobody can say.

    The variance of the share is that of the sums of a period about what the share lets expect, with the
    covariance of neighbouring periods where it is positive.

    Examples
    --------
    >>> period = np.repeat(np.arange(20), 50)
    >>> round(items_by_period(np.repeat(np.tile([0.0, 1, 1, 1], 5), 50), period))  # weeks all alike within
    19
    """
    known = ~np.isnan(hit)
    if not known.any():
        return math.nan
    at = period[known] - period[known].min()
    share, n = float(hit[known].mean()), int(known.sum())
    size = np.bincount(at)
    rest = np.bincount(at, weights=hit[known] - share)
    k = int((size > 0).sum())
    if k < 2 or not 0 < share < 1:
        return math.nan
    summed = float((rest**2).sum()) + max(0.0, 2 * float((rest[1:] * rest[:-1]).sum()))
    variance = summed * k / (k - 1) / n**2
    return share * (1 - share) / variance if variance > 0 else math.nan
