"""Doubts about the evaluation of an effect: late criteria, missing links, other things that happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import count
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.improvement_records import SuccessCriterion
from perfanalytics.core.result import Caveat
from perfanalytics.practices.car.effect_benefit import Benefit
from perfanalytics.practices.car.effect_checks import Record
from perfanalytics.practices.car.effect_criterion import Judged
from perfanalytics.practices.car.effect_objective import OnObjective
from perfanalytics.practices.on_record import day


def doubts(
    comparison: Comparison,
    baselines: tuple[Baseline, ...],
    judged: Judged | None,
    criterion: SuccessCriterion | None,
    record: Record,
    on: OnObjective | None,
    worth: Benefit | None,
    *,
    first_after: dt.date | None,
) -> tuple[Caveat, ...]:
    """All of them; those of the comparison last, each code once."""
    found = [
        *_of_criterion(criterion, judged, record, first_after),
        *_of_links(record, on),
        *_of_money(record, worth),
        *_of_time(record),
        *_of_sides(baselines),
        *comparison.caveats,
    ]
    return tuple({c.code: c for c in reversed(found)}[code] for code in dict.fromkeys(c.code for c in found))


def _of_criterion(
    criterion: SuccessCriterion | None, judged: Judged | None, record: Record, first_after: dt.date | None
) -> Iterator[Caveat]:
    if criterion is None:
        text = "No success criterion is declared: a change for the better of any size counts as success."
        yield Caveat("no-criterion", text)
        return
    declared, told = criterion.declared_on, {"declared_on": str(criterion.declared_on)}
    if first_after is not None and declared > first_after:
        text = (
            f"The criterion '{criterion.name}' was declared on {declared}, when data after the change were "
            f"there from {first_after} on: it may have been chosen to fit them."
        )
        yield Caveat("criterion-after-data", text, told | {"first_after": str(first_after)})
    elif record.change is not None and declared > day(record.change.when):
        when = day(record.change.when)
        text = f"The criterion '{criterion.name}' was declared on {declared}, after the change ({when})."
        yield Caveat("criterion-after-change", text, told | {"change": str(when)})
    if record.proposal is not None and criterion.proposal != record.proposal.name:
        text = f"The criterion '{criterion.name}' is that of '{criterion.proposal}', another proposal."
        yield Caveat("criterion-of-another", text, {"proposal": criterion.proposal})
    if judged is not None and judged.standing == "unknown":
        text = f"The criterion ({judged.asked}) cannot be judged: there is no interval, or no direction."
        yield Caveat("criterion-not-judged", text)


def _of_links(record: Record, on: OnObjective | None) -> Iterator[Caveat]:
    if record.change is None:
        yield Caveat(
            "no-change", "No recorded change is linked: which day parts before from after is not on record."
        )
    if record.proposal is None:
        yield Caveat("no-proposal", "No proposal is linked: what was expected is not on record.")
    if not record.actions:
        yield Caveat("no-action", "No action is linked: whether and how it was carried out is not on record.")
    still = [a.name for a in record.actions if a.state == "open"]
    if still:
        text = f"{count(len(still), 'action')} still open: {'; '.join(still)}."
        yield Caveat("action-open", text, {"open": len(still)})
    if on is None:
        yield Caveat("no-objective", "No objective is linked: whom the effect helps is not on record.")
    named = record.proposal.cause if record.proposal is not None else ""
    cause = next((c for c in record.causes if c.name == named), None)
    if cause is not None and cause.state != "confirmed":
        text = f"The cause it removes, '{cause.name}', is {cause.state}, not confirmed."
        yield Caveat("cause-not-confirmed", text, {"state": cause.state})


def _of_money(record: Record, worth: Benefit | None) -> Iterator[Caveat]:
    bare = [a.name for a in record.actions if a.state == "done" and a.cost is None]
    if bare:
        text = f"What it cost is not on record for {'; '.join(bare)}."
        yield Caveat("cost-not-known", text, {"actions": len(bare)})
    if worth is None:
        text = "What a unit of the measure is worth is not declared: the benefit is not told in money."
        yield Caveat("benefit-not-valued", text)
    if record.proposal is not None and record.proposal.expected_benefit is None:
        text = f"The proposal '{record.proposal.name}' states no expected benefit to hold the effect against."
        yield Caveat("no-expected-benefit", text)


def _of_time(record: Record) -> Iterator[Caveat]:
    if record.happenings:
        said = "; ".join(f"{h.name} ({day(h.when)})" for h in record.happenings)
        text = f"In the time of these data are also on record: {said}."
        yield Caveat("something-else", text, {"happenings": len(record.happenings)})


def _of_sides(baselines: tuple[Baseline, ...]) -> Iterator[Caveat]:
    unsteady = [n for n, b in zip(("before", "after"), baselines, strict=True) if b.stable is False]
    if unsteady:
        text = (
            f"The process was not stable {' and '.join(unsteady)}: a baseline describes what was, and the "
            "difference need not stay."
        )
        yield Caveat("not-stable", text, {"sides": " and ".join(unsteady)})
