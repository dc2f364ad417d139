"""Tables of the practices -> records, and what they must refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.improvement_records import (
    CausalAnalysis,
    Cause,
    Deployment,
    FailureMode,
    Pilot,
    Proposal,
    SuccessCriterion,
)
from perfanalytics.core.practice_records import Action, Decision, Review, Risk, Work
from perfanalytics.core.records import BusinessObjective
from perfanalytics.plan.mistakes import undeclared
from perfanalytics.plan.practice_tables import PracticeTables

if TYPE_CHECKING:
    from perfanalytics.plan.plan import Plan

PracticeRecord = (
    BusinessObjective
    | Work
    | Risk
    | CausalAnalysis
    | Cause
    | FailureMode
    | Proposal
    | SuccessCriterion
    | Pilot
    | Deployment
    | Action
    | Review
    | Decision
)

#: Table of the plan -> the record it declares.
RECORDS: dict[str, Callable[..., PracticeRecord]] = {
    "business_objective": BusinessObjective,
    "work": Work,
    "risk": Risk,
    "causal_analysis": CausalAnalysis,
    "cause": Cause,
    "failure_mode": FailureMode,
    "proposal": Proposal,
    "success_criterion": SuccessCriterion,
    "pilot": Pilot,
    "deployment": Deployment,
    "action": Action,
    "review": Review,
    "decision": Decision,
}

#: Table -> key -> what the name in it (or each of the names) must be declared as.
REFERENCES: dict[str, dict[str, str]] = {
    "work": {"objectives": "objective", "subprocesses": "process", "derived": "objective"},
    "risk": {"objective": "objective", "work": "work"},
    "causal_analysis": {"measure": "measure", "subprocess": "process", "objective": "objective"},
    "cause": {"analysis": "causal_analysis", "because_of": "cause"},
    "failure_mode": {"process": "process", "analysis": "causal_analysis"},
    "proposal": {"analysis": "causal_analysis", "objective": "objective"},
    "success_criterion": {"proposal": "proposal", "measure": "measure"},
    "pilot": {"proposal": "proposal", "measure": "measure"},
    "deployment": {"proposal": "proposal"},
    "action": {"proposal": "proposal", "work": "work", "analysis": "causal_analysis", "change": "happening"},
}


def practice_records(plan: PracticeTables) -> list[PracticeRecord]:
    """The records of the practices, as declared."""
    out = []
    for key, make in RECORDS.items():
        for table in getattr(plan, key):
            given = {k: tuple(v) if isinstance(v, list) else v for k, v in table.model_dump().items()}
            out.append(make(**given))
    return out


def references(plan: Plan, known: Mapping[str, set[str]]) -> Iterator[str]:
    """Names in the tables of the practices that refer to nothing."""
    declared = dict(known) | {key: {t.name for t in getattr(plan, key)} for key in RECORDS}
    for key, refers in REFERENCES.items():
        for table in getattr(plan, key):
            for field, to in refers.items():
                for name in _names(getattr(table, field)):
                    yield from undeclared(f"[[{key}]] '{table.name}'", field, name, declared[to])


def mistakes(plan: PracticeTables) -> Iterator[str]:
    """What the records say of themselves when they cannot be made."""
    for key, make in RECORDS.items():
        for table in getattr(plan, key):
            try:
                make(**table.model_dump())
            except PerfAnalyticsError as error:
                yield f"[[{key}]] '{table.name}': {error}"


def _names(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)
