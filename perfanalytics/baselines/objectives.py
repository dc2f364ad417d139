"""A baseline against an objective: how sure is it that the objective is met?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.censoring import KaplanMeier
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.intervals import Effective, clopper_pearson, effective
from perfanalytics.baselines.numbers import PERCENTILES, Options
from perfanalytics.baselines.rows import Row
from perfanalytics.baselines.wording import number, percent, share_interval, span
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective

Standing = Literal["met", "missed", "undecided"]

#: Name of the row that holds the share of items meeting the objective.
SHARE_MEETING = "share meeting the objective"


@dataclass(frozen=True, slots=True)
class Assessment:
    """The row to add, whether the objective is met, and the sentence that says so."""

    row: Row | None
    standing: Standing | None
    sentence: str


def check_objective(objective: Objective, measure: Measure, rows: Sequence[Row]) -> None:
    """Raise when the objective speaks of another measure, or of a statistic the baseline does not have.

    Raises
    ------
    InputError, UnknownNameError
    """
    if measure.is_named and objective.measure != measure.name:
        raise InputError(
            f"objective {objective.name!r} is about {objective.measure!r}, the series is {measure.name!r}"
        )
    known = [r.quantity for r in rows if r.quantity in ("mean", "share", "rate")]
    known += [f"p{p}" for p in PERCENTILES if any(r.quantity == f"p{p}" for r in rows)]
    if "mean" in known:
        known += ["item", "median"]
    if objective.statistic not in known:
        raise UnknownNameError(
            f"statistic of objective {objective.name!r} in this baseline:", objective.statistic, known
        )


def assess_items(
    in_time: NDArray[np.float64], size: Effective, objective: Objective, options: Options, unit: str
) -> Assessment:
    """The share of items that meet the target, with the exact binomial interval.

    Under dependence the interval is that of the effective number of items, from the lag-1 correlation of
    "meets it or not" (of the values, where all items do the same): an approximation, labelled so.
    """
    known = ~np.isnan(in_time)
    meets = np.where(known, _meets(in_time, objective), np.nan)
    n, met = int(known.sum()), int(np.nansum(meets))
    own = effective(meets, options.dependence)
    rest = (own if not math.isnan(own.r1) else size).n_mean / n
    low, high = clopper_pearson(met * rest, n * rest, confidence=options.confidence)
    method = "Clopper-Pearson, exact binomial"
    if rest < 1:
        method += " for the effective number of items (approximation)"
    return _item_assessment(met / n, low, high, objective, options, unit, method)


def fitted_share(fitted: Fitted, objective: Objective, options: Options) -> Row:
    """The share of items that meet the target, read from a fitted distribution; delta-method interval."""
    at_most = objective.direction == "at_most"
    # the share outside the other side is the share that meets it
    ends = {"upper": objective.target} if at_most else {"lower": objective.target}
    share, interval = fitted.share_interval(**ends, confidence=options.confidence)
    how = f"{fitted.label}, maximum likelihood; {interval.method}"
    how += ", effective number of items" if fitted.inflation > 1 else ""
    return Row(
        f"{SHARE_MEETING}, fitted",
        share,
        interval.low,
        interval.high,
        options.confidence,
        method=how,
        unit="share",
    )


def assess_censored(km: KaplanMeier, objective: Objective, options: Options, unit: str) -> Assessment:
    """The share of items that meet the target, with items still open, by Kaplan-Meier."""
    if objective.target > km.last:
        estimate = low = high = math.nan
    elif objective.direction == "at_most":
        estimate, low, high = km.done_by(objective.target)
    else:
        done, done_low, done_high = km.done_by(objective.target, inclusive=False)
        estimate, low, high = 1 - done, 1 - done_high, 1 - done_low
    return _item_assessment(estimate, low, high, objective, options, unit, "Kaplan-Meier, log-log interval")


def assess_statistic(row: Row, objective: Objective) -> Assessment:
    """A statistic of the baseline against its target, by its interval."""
    at_most = objective.direction == "at_most"
    standing: Standing = "undecided"
    if (at_most and row.high <= objective.target) or (not at_most and row.low >= objective.target):
        standing = "met"
    elif (at_most and row.low > objective.target) or (not at_most and row.high < objective.target):
        standing = "missed"
    name = {"p50": "median"}.get(row.quantity, row.quantity)
    if row.quantity == "share":
        said, interval = share_interval(row.estimate, row.low, row.high, row.confidence)
        target = percent(objective.target)
    else:
        said, target = number(row.estimate, row.unit), number(objective.target, row.unit)
        interval = f"({percent(row.confidence)} interval {span(row.low, row.high)})"
    if math.isnan(row.estimate):
        sentence = f"Objective {objective.name!r}: the {name} is {row.method}, so nobody can say."
        return Assessment(None, standing, sentence)
    sentence = (
        f"Objective {objective.name!r}: the {name} shall be {_side(objective)} {target}; it is {said} "
        f"{interval}, so it is {_SAY[standing]}."
    )
    return Assessment(None, standing, sentence)


_SAY = {"met": "met", "missed": "missed", "undecided": "not decided by these data"}


def _item_assessment(
    share: float,
    low: float,
    high: float,
    objective: Objective,
    options: Options,
    unit: str,
    method: str,
) -> Assessment:
    row = Row(SHARE_MEETING, share, low, high, options.confidence, method=method, unit="share")
    said, interval = share_interval(share, low, high, options.confidence)
    what = f"{_side(objective)} {number(objective.target, unit)}"
    if math.isnan(share):
        return Assessment(row, "undecided", f"No item was followed up to {number(objective.target, unit)}.")
    if objective.share is None:
        sentence = f"Objective {objective.name!r} ({what}): {said} of items meet it {interval}."
        return Assessment(row, None, sentence)
    standing: Standing = "undecided"
    if low >= objective.share:
        standing = "met"
    elif high < objective.share:
        standing = "missed"
    sentence = (
        f"Objective {objective.name!r}: {percent(objective.share)} of items shall be {what}; "
        f"{said} are {interval}, so it is {_SAY[standing]}."
    )
    return Assessment(row, standing, sentence)


def _side(objective: Objective) -> str:
    return "at most" if objective.direction == "at_most" else "at least"


def _meets(values: NDArray[np.float64], objective: Objective) -> NDArray[np.bool_]:
    if objective.direction == "at_most":
        return np.asarray(values <= objective.target)
    return np.asarray(values >= objective.target)
