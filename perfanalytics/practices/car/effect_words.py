"""The outcome of an evaluation, why, and the sentences a meeting reads out."""

from __future__ import annotations

import math

from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.effect_words import change_words, range_words
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.improvement_records import SuccessCriterion
from perfanalytics.practices.car.effect_benefit import Benefit
from perfanalytics.practices.car.effect_criterion import Judged
from perfanalytics.practices.car.effect_objective import OnObjective
from perfanalytics.practices.car.effect_time import POWER, Needed

HEADS = {"worked": "It worked", "did_not": "It did not work", "cannot_tell": "It cannot be told yet"}
#: More weeks than this are no plan.
MOST_WEEKS = 520.0


def outcome_of(comparison: Comparison, judged: Judged | None) -> tuple[str, str]:
    """(outcome, reason).

    A change for the better must be detected and attributable, and the criterion must be reached by the whole
    interval; where the interval lies short of the criterion, or the change is for the worse, it did not work.
    """
    primary, found = comparison.primary, comparison.outcome
    better = _better(comparison, judged)
    if found == "not_attributable":
        return "cannot_tell", "there is a difference, but it cannot be attributed to the change"
    if found == "detected" and better is False:
        return "did_not", "the change is for the worse"
    if judged is not None and judged.standing == "missed":
        less = "better, but by less than asked for" if found == "detected" else "less than asked for"
        if judged.is_target:
            less = "the target is not reached"
        return "did_not", less
    if found == "equivalent":
        return "did_not", "no change of a size that matters"
    if found == "detected" and better is None and judged is None:
        return "cannot_tell", "a change, but whether it is for the better nobody declared"
    if judged is None:
        if found == "detected":
            return "worked", "a change for the better is detected"
        return "cannot_tell", _untold(primary)
    if judged.standing == "met":
        if found == "detected":
            return (
                "worked",
                "a change for the better is detected, and all of its interval reaches what is asked",
            )
        what = "the target is reached" if judged.is_target else "the criterion is reached"
        return "cannot_tell", f"{what}, but a change is not shown"
    if found == "detected":
        if judged.standing == "unknown":
            return "cannot_tell", "better, but the criterion cannot be computed from these data"
        return "cannot_tell", "better, but whether by as much as asked for is open"
    return "cannot_tell", _untold(primary)


def _untold(primary: Effect) -> str:
    if math.isnan(primary.p_value):
        return "there are too few values for a test"
    return "the data are compatible with no change"


def _better(comparison: Comparison, judged: Judged | None) -> bool | None:
    """Whether the primary effect is for the better; None where no direction is declared."""
    primary = comparison.primary
    if primary.estimate == primary.null or math.isnan(primary.estimate):
        return None
    down = {"lower": True, "higher": False}.get(comparison.measure.better)
    if down is None and judged is not None and not judged.is_target:
        down = judged.lower
    return None if down is None else (primary.estimate < primary.null) == down


def verdict_of(
    outcome: str,
    reason: str,
    comparison: Comparison,
    judged: Judged | None,
    criterion: SuccessCriterion | None,
    need: Needed,
) -> str:
    """Two sentences: outcome and effect; criterion, and the time that is still needed."""
    primary, unit = comparison.primary, comparison.measure.unit
    share = comparison.measure.scale == "proportion"
    name = comparison.measure.name
    if math.isnan(primary.low) or primary.quantity == "predicted_mean_after":
        said = f"{HEADS[outcome]}: {reason}."
    else:
        effect = change_words(primary, unit, share)
        level = percent(comparison.confidence)
        ends = range_words(primary, unit, share)
        told = f"of {name}, {effect} ({level} interval {ends})"
        said = f"{HEADS[outcome]}: {told}."
        if outcome != "worked":
            said = f"{HEADS[outcome]} ({reason}): {told}."
    parts = []
    if judged is not None and criterion is not None:
        parts.append(_criterion(judged, criterion, comparison).removesuffix("."))
    time = time_sentence(comparison, judged, need) if outcome == "cannot_tell" else ""
    if time:
        parts.append((f"{time[:1].lower()}{time[1:]}" if parts else time).removesuffix("."))
    return f"{said} {'; '.join(parts)}." if parts else said


def meanings_of(on_objective: OnObjective | None, benefit: Benefit | None) -> list[tuple[str, str]]:
    """What the effect means beyond the measure: (about, sentence) of the objective and of the benefit."""
    out = []
    if on_objective is not None:
        sentence = on_objective.sentence()
        out.append(("objective", f"{sentence[:1].upper()}{sentence[1:]}"))
    if benefit is not None:
        out.append(("benefit", benefit.sentence()))
    return out


_SAYS = {"met": "is met", "missed": "is missed", "open": "is open", "unknown": "cannot be judged"}


def _criterion(judged: Judged, criterion: SuccessCriterion, comparison: Comparison) -> str:
    text = f"The criterion ({judged.asked}, declared on {criterion.declared_on}) {_SAYS[judged.standing]}"
    same = judged.row.quantity == comparison.primary.quantity
    if same or judged.standing == "unknown":
        return f"{text}."
    unit = comparison.measure.unit
    if judged.is_target:
        value = percent if judged.row.unit == "share" else (lambda v: number(v, unit))
        return (
            f"{text}: it is {value(judged.row.after)} (interval {value(judged.row.low)} to "
            f"{value(judged.row.high)})."
        )
    share = comparison.measure.scale == "proportion" or criterion.statistic == "item"
    row = judged.row
    ends = range_words(row, unit, share)
    if row.form == "ratio":
        what = row.quantity.removeprefix("ratio_of_").replace("_", " ")
        return f"{text}: the ratio of the {what} is {number(row.estimate)} ({ends})."
    if share:
        return f"{text}: the change is {100 * row.estimate:+.1f} points ({ends})."
    return f"{text}: {change_words(row, unit, share)} ({ends})."


def time_sentence(comparison: Comparison, judged: Judged | None, need: Needed) -> str:
    """How long it still takes, or that no time is enough."""
    if comparison.outcome == "not_attributable":
        return (
            "More weeks do not change that: an interrupted time series (perf.interrupted) or a comparison "
            "group is needed."
        )
    if judged is None:
        if math.isnan(need.detectable):
            return ""
        least = _detectable(comparison, need.detectable)
        return (
            f"How many more weeks it needs depends on the effect that is asked for, and no criterion is "
            f"declared; these data tell an effect of {least} with {percent(POWER)} power."
        )
    if math.isnan(need.periods):
        return "How much longer it takes cannot be said from these data."
    aim = "to tell the effect asked for" if comparison.outcome != "detected" else "to settle it"
    if math.isinf(need.periods) or need.weeks > MOST_WEEKS:
        return (
            f"No number of weeks after the change is enough {aim} with {percent(POWER)} power: there are too "
            "few data before it for a distance as small as this."
            if math.isinf(need.periods)
            else f"It would take more than ten years {aim} with {percent(POWER)} power."
        )
    if need.periods == 0:
        return (
            f"The data are already enough {aim} with {percent(POWER)} power: an effect of that size would "
            "probably show."
        )
    weeks = need.weeks if not math.isnan(need.weeks) else need.periods
    what = "week" if not math.isnan(need.weeks) else "period"
    whole = math.ceil(weeks - 1e-9)
    many = f"{whole:,} more {what} is" if whole == 1 else f"{whole:,} more {what}s are"
    return f"About {many} needed {aim} with {percent(POWER)} power."


def _detectable(comparison: Comparison, detectable: float) -> str:
    primary = comparison.primary
    if primary.form == "ratio":
        return f"a factor of {number(detectable)}"
    if comparison.measure.scale == "proportion":
        return f"{number(100 * detectable)} points"
    return number(detectable, comparison.measure.unit)
