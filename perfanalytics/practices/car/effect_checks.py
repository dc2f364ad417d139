"""What to look at when the benefit did not come: fixed questions, chosen by what is on record."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.improvement_records import Cause, Proposal
from perfanalytics.core.practice_records import Action
from perfanalytics.core.records import Change, Event
from perfanalytics.practices.car.effect_criterion import Judged
from perfanalytics.practices.car.effect_time import Needed
from perfanalytics.practices.on_record import day

#: Fewer weeks than this after a change: it may still be settling.
SETTLING = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is on record around a change.

    Parameters
    ----------
    proposal : Proposal or None
    actions : tuple of Action
    causes : tuple of Cause
        Of the causal analysis.
    change : Change or None
        The change that is evaluated.
    happenings : tuple of Event or Change
        Others within the time of the data.
    weeks_after : float
    """

    proposal: Proposal | None
    actions: tuple[Action, ...]
    causes: tuple[Cause, ...]
    change: Change | None
    happenings: tuple[Event | Change, ...]
    weeks_after: float


#: code -> the question a meeting asks.
QUESTIONS = {
    "carried-out": "Was it carried out, and everywhere?",
    "measured-right": "Is it measured as before?",
    "other-cause": "Is it the right cause?",
    "something-else": "Did something else happen at the same time?",
    "already-moving": "Was the process moving before the change?",
    "not-steady": "Are the sides steady enough to compare?",
    "somewhere": "Did it help somewhere?",
    "too-early": "Is it too early?",
    "too-few-data": "Could these data show an effect of that size at all?",
    "too-much-expected": "Was more expected than the cause can give?",
    "will-come-back": "Would it have come back by itself?",
}


def checks(
    record: Record, comparison: Comparison, judged: Judged | None, need: Needed
) -> tuple[tuple[str, str, str], ...]:
    """(code, question, what on record asks for it), in the order in which a meeting goes through them."""
    found = dict(_found(record, comparison, judged, need))
    return tuple((code, QUESTIONS[code], found[code]) for code in QUESTIONS if code in found)


def _found(
    record: Record, comparison: Comparison, judged: Judged | None, need: Needed
) -> Iterator[tuple[str, str]]:
    yield "carried-out", _carried_out(record)
    codes = comparison.caveat_codes
    measured = [c.text for c in comparison.caveats if c.code in ("censored", "values-left-out", "ties")]
    yield (
        "measured-right",
        measured[0]
        if measured
        else "Nothing on record speaks against it; ask whether definition, source and people are the same.",
    )
    unsure = [c.name for c in record.causes if c.state != "confirmed"]
    if record.causes and not any(c.state == "confirmed" for c in record.causes):
        yield "other-cause", f"No cause is confirmed; suspected or refuted: {'; '.join(unsure)}."
    elif record.proposal is not None and not record.proposal.cause:
        yield "other-cause", "The proposal names no cause that it removes."
    elif record.proposal is not None:
        named = next((c for c in record.causes if c.name == record.proposal.cause), None)
        if named is None:
            yield "other-cause", f"The cause '{record.proposal.cause}' of the proposal is not on record."
        elif named.state != "confirmed":
            yield "other-cause", f"The cause '{named.name}' is {named.state}, not confirmed."
    if record.happenings:
        said = "; ".join(f"{h.name} ({day(h.when)})" for h in record.happenings)
        yield "something-else", f"On record in the time of these data: {said}."
    if "drift-before" in codes or comparison.outcome == "not_attributable":
        text = next((c.text for c in comparison.caveats if c.code == "drift-before"), "")
        yield "already-moving", text or "The comparison cannot attribute the difference to the change."
    unsteady = [c.text for c in comparison.caveats if c.code == "not-stable"]
    if unsteady:
        yield "not-steady", unsteady[0]
    yield (
        "somewhere",
        f"Only in {_where(record.change)} by its record."
        if record.change is not None and record.change.where
        else "One number for all groups hides a part where it helped: compare by group (compare_many).",
    )
    if record.weeks_after < SETTLING:
        yield "too-early", f"Only {number(record.weeks_after)} weeks of data since the change."
    if not math.isnan(need.power_now) and need.power_now < 0.8:
        yield (
            "too-few-data",
            f"The present data tell the effect that is asked for with {percent(need.power_now)} power only.",
        )
    if judged is not None and judged.standing == "missed":
        yield "too-much-expected", f"Asked for: {judged.asked}; what was reached lies short of it."


def _carried_out(record: Record) -> str:
    """What the records say about the actions."""
    if not record.actions and record.change is None:
        return "Neither an action nor a change is on record."
    if not record.actions:
        assert record.change is not None
        return f"The change '{record.change.name}' is on record, no action that carried it out."
    open_ones = [a.name for a in record.actions if a.state == "open"]
    dropped = [a.name for a in record.actions if a.state == "dropped"]
    done = len(record.actions) - len(open_ones) - len(dropped)
    text = f"{done} of {count(len(record.actions), 'action')} done"
    text += f"; open: {'; '.join(open_ones)}" if open_ones else ""
    text += f"; dropped: {'; '.join(dropped)}" if dropped else ""
    return f"{text}. Whether it reached everybody is not on record."


def _where(change: Change) -> str:
    return ", ".join(f"{k} {v}" for k, v in change.where.items())


def within(
    happenings: Sequence[Event | Change], first: dt.date, last: dt.date, *, but: Change | None, measure: str
) -> tuple[Event | Change, ...]:
    """Events and changes in the time of the data, the evaluated change left out."""
    return tuple(
        h
        for h in happenings
        if day(h.when) <= last
        and day(getattr(h, "until", None) or h.when) >= first
        and (but is None or h.name != but.name)
        and getattr(h, "measure", None) in (None, measure)
    )
