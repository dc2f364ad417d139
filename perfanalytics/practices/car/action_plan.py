"""action_plan(archive, analysis) -> ActionPlan: proposals and actions of an analysis, and what they lack."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.archive import Archive
from perfanalytics.core.improvement_records import CausalAnalysis, Proposal, SuccessCriterion
from perfanalytics.core.practice_records import Action, Decision
from perfanalytics.core.records import Change
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.on_record import day
from perfanalytics.practices.qwm.work_review_result import hash_of

if TYPE_CHECKING:
    import pandas as pd

#: Fields that a proposal shall fill -> what they are called.
FIELDS = {
    "cause": "cause",
    "category": "category of the cause",
    "phase": "phase of the cause",
    "what": "the action proposed",
    "cost": "cost",
    "expected_benefit": "expected benefit",
    "cost_of_not_fixing": "cost of not fixing",
    "objective": "objective",
    "declared_on": "date",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ActionPlan(Result):
    """The proposals and actions of a causal analysis.

    Attributes
    ----------
    analysis : CausalAnalysis
    on : date
        Actions are overdue as of this day.
    proposals : tuple of Proposal
    criteria : tuple of SuccessCriterion
        Of these proposals.
    decisions : tuple of Decision
        About them.
    actions : tuple of Action
        Of the analysis or of one of its proposals.
    changes : tuple of Change
        By which actions were carried out.
    """

    kind: ClassVar[str] = "action_plan"

    analysis: CausalAnalysis
    on: dt.date
    proposals: tuple[Proposal, ...]
    criteria: tuple[SuccessCriterion, ...]
    decisions: tuple[Decision, ...]
    actions: tuple[Action, ...]
    changes: tuple[Change, ...]

    def proposals_frame(self) -> pd.DataFrame:
        """One row a proposal: proposal, originator, outcome, cause, category, phase, what, cost,
        expected_benefit, cost_of_not_fixing, success_criterion (in words), criterion_declared_on,
        declared_on, objective, decision, decided_by, decided_on, actions, missing."""
        import pandas as pd

        rows = [self._proposal(p) for p in self.proposals]
        first = ("proposal", "originator", "outcome", "cause", "category", "phase", "what", "cost")
        more = ("expected_benefit", "cost_of_not_fixing", "success_criterion", "criterion_declared_on")
        last = ("declared_on", "objective", "decision", "decided_by", "decided_on", "actions", "missing")
        return pd.DataFrame(rows, columns=[*first, *more, *last])

    def _proposal(self, p: Proposal) -> dict[str, Any]:
        own = [c for c in self.criteria if c.proposal == p.name]
        decided = [d for d in self.decisions if d.subject == p.name]
        last = max(decided, key=lambda d: d.decided_on) if decided else None
        said = "; ".join(criterion_in_words(c) for c in own) or p.success_criterion
        return {
            "proposal": p.name,
            "originator": p.originator,
            "outcome": p.outcome,
            "cause": p.cause,
            "category": p.category,
            "phase": p.phase,
            "what": p.what,
            "cost": _number(p.cost),
            "expected_benefit": _number(p.expected_benefit),
            "cost_of_not_fixing": _number(p.cost_of_not_fixing),
            "success_criterion": said,
            "criterion_declared_on": min((c.declared_on for c in own), default=None),
            "declared_on": p.declared_on,
            "objective": p.objective or "",
            "decision": "" if last is None else _decision(last),
            "decided_by": "" if last is None else last.who,
            "decided_on": None if last is None else last.decided_on,
            "actions": sum(1 for a in self.actions if a.proposal == p.name),
            "missing": ", ".join(missing_of(p, own)),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row an action: action, proposal, what, owner, opened_on, due, state, closed_on, days_late,
        cost, change, changed_on, missing."""
        import pandas as pd

        when = {c.name: day(c.when) for c in self.changes}
        rows = [
            {
                "action": a.name,
                "proposal": a.proposal or "",
                "what": a.what,
                "owner": a.owner,
                "opened_on": a.opened_on,
                "due": a.due,
                "state": a.state,
                "closed_on": a.closed_on,
                "days_late": days_late(a, self.on),
                "cost": _number(a.cost),
                "change": a.change or "",
                "changed_on": when.get(a.change or ""),
                "missing": ", ".join(_lacks(a)),
            }
            for a in self.actions
        ]
        first = ("action", "proposal", "what", "owner", "opened_on", "due", "state", "closed_on", "days_late")
        return pd.DataFrame(rows, columns=[*first, "cost", "change", "changed_on", "missing"])

    def summary(self) -> pd.DataFrame:
        """One row: analysis, on, proposals, criteria, decisions, actions, open, done, overdue, caveats,
        verdict."""
        import pandas as pd

        state = [a.state for a in self.actions]
        row = {
            "analysis": self.analysis.name,
            "on": self.on,
            "proposals": len(self.proposals),
            "criteria": len(self.criteria),
            "decisions": len(self.decisions),
            "actions": len(self.actions),
            "open": state.count("open"),
            "done": state.count("done"),
            "overdue": len(_overdue(self.actions, self.on)),
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Proposals, actions."""
        return ("Action proposals", self.proposals_frame()), ("Actions", self.to_frame())


def action_plan(archive: Archive, analysis: str, *, on: dt.date | None = None) -> ActionPlan:
    """The action proposals of a causal analysis with every field, and the actions that carry them out.

    Parameters
    ----------
    archive : Archive
    analysis : str
        Name of the causal analysis.
    on : date, optional
        Default the day of the archive.

    Returns
    -------
    ActionPlan

    Raises
    ------
    UnknownNameError
        For an analysis that is not on record.

    Notes
    -----
    Caveats: "no-proposal", "proposal-incomplete", "proposal-not-decided", "proposal-without-action",
    "no-criterion", "criterion-after-change", "cause-not-on-record", "no-action", "action-without-owner",
    "action-without-due", "action-overdue", "action-without-change" (done, but by which recorded change?),
    "action-without-proposal", "action-against-decision".

    Examples
    --------
    >>> from perfanalytics.core.improvement_records import CausalAnalysis
    >>> case = CausalAnalysis("C1", outcome="Too slow")
    >>> idea = Proposal("Triage", originator="A. Meier", outcome="Too slow", analysis="C1")
    >>> action_plan(Archive.of([case, idea]), "C1").caveat_codes[:2]
    ('proposal-incomplete', 'no-criterion')
    """
    case: CausalAnalysis = archive.get("causal_analysis", analysis)
    day = on or archive.on
    proposals = tuple(p for p in archive.of_kind("proposal") if p.analysis == analysis)
    names = {p.name for p in proposals}
    criteria = tuple(c for c in archive.of_kind("success_criterion") if c.proposal in names)
    decisions = tuple(d for d in archive.of_kind("decision") if d.subject in names)
    actions = tuple(
        a for a in archive.of_kind("action") if a.analysis == analysis or (a.proposal or "") in names
    )
    wanted = {a.change for a in actions}
    changes = tuple(c for c in archive.of_kind("change") if c.name in wanted)
    causes = {c.name for c in archive.of_kind("cause") if c.analysis == analysis}
    found = (case, proposals, criteria, decisions, actions, changes)
    return ActionPlan(
        verdict=_verdict(proposals, actions, day),
        caveats=tuple(_doubts(proposals, criteria, decisions, actions, changes, causes, day)),
        method=Method("action_plan", {"overdue": "open after the day it was due"}),
        provenance=Provenance(
            case.measure or "", data_hash=hash_of(*found, day), n=len(proposals) + len(actions)
        ),
        analysis=case,
        on=day,
        proposals=proposals,
        criteria=criteria,
        decisions=decisions,
        actions=actions,
        changes=changes,
    )


def missing_of(p: Proposal, criteria: list[SuccessCriterion]) -> list[str]:
    """What a proposal does not say."""
    out = [said for field, said in FIELDS.items() if getattr(p, field) in (None, "")]
    return out if criteria else [*out, "success criterion" + (" in numbers" if p.success_criterion else "")]


def criterion_in_words(c: SuccessCriterion) -> str:
    """What a criterion asks for.

    Examples
    --------
    >>> criterion_in_words(SuccessCriterion("c", proposal="p", measure="hours", least_ratio=0.85,
    ...                                     declared_on=dt.date(2024, 1, 1)))
    'mean of hours at least 15% lower'
    """
    what = f"{c.statistic} of {c.measure}"
    if c.least_ratio is not None:
        return (
            f"{what} at least {percent(abs(1 - c.least_ratio))} {'lower' if c.least_ratio < 1 else 'higher'}"
        )
    if c.least_change is not None:
        return f"{what} better by at least {number(c.least_change)}"
    assert c.target is not None
    return f"{what} {'at most' if c.direction == 'at_most' else 'at least'} {number(c.target)}"


def days_late(a: Action, on: dt.date) -> float:
    """Days after the day it was due: of an open action until now, of a closed one until then; 0 in time.

    NaN where no day was due, and of dropped actions.
    """
    if a.due is None or a.state == "dropped":
        return math.nan
    until = on if a.state == "open" else a.closed_on
    return math.nan if until is None else float(max(0, (until - a.due).days))


def _overdue(actions: tuple[Action, ...], on: dt.date) -> list[Action]:
    return [a for a in actions if a.state == "open" and a.due is not None and a.due < on]


def _lacks(a: Action) -> list[str]:
    out = [said for field, said in (("owner", "owner"), ("due", "due date")) if not getattr(a, field)]
    if a.state == "done":
        out += [] if a.change else ["change"]
        out += [] if a.closed_on else ["day it was closed"]
        out += [] if a.cost is not None else ["cost"]
    return out


def _decision(d: Decision) -> str:
    return {True: "chosen", False: "not chosen", None: d.what}[d.chosen]


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _named(code: str, found: list[str], text: str) -> Iterator[Caveat]:
    if found:
        yield Caveat(code, f"{text}: {'; '.join(found)}.", {"records": len(found)})


def _doubts(
    proposals: tuple[Proposal, ...],
    criteria: tuple[SuccessCriterion, ...],
    decisions: tuple[Decision, ...],
    actions: tuple[Action, ...],
    changes: tuple[Change, ...],
    causes: set[str],
    on: dt.date,
) -> Iterator[Caveat]:
    if not proposals:
        yield Caveat("no-proposal", "No action proposal is on record.")
    own = {p.name: [c for c in criteria if c.proposal == p.name] for p in proposals}
    bare = [
        f"{p.name} ({', '.join(lacks)})"
        for p in proposals
        if (lacks := [m for m in missing_of(p, own[p.name]) if not m.startswith("success criterion")])
    ]
    yield from _named("proposal-incomplete", bare, "Proposals do not say everything")
    yield from _named(
        "no-criterion",
        [p.name for p in proposals if not own[p.name]],
        "No success criterion in numbers is declared for",
    )
    decided = {d.subject for d in decisions}
    refused = {d.subject for d in decisions if d.chosen is False}
    yield from _named(
        "proposal-not-decided", [p.name for p in proposals if p.name not in decided], "Nobody decided about"
    )
    acted = {a.proposal for a in actions if a.state != "dropped"}
    bare = [p.name for p in proposals if p.name not in acted and p.name not in refused]
    yield from _named("proposal-without-action", bare, "Nothing is done about")
    bare = [f"{p.name} ('{p.cause}')" for p in proposals if p.cause and p.cause not in causes]
    yield from _named("cause-not-on-record", bare, "The cause of a proposal is not among those on record")
    when = {c.name: day(c.when) for c in changes}
    late = []
    for c in criteria:
        days = [when[a.change] for a in actions if a.proposal == c.proposal and a.change in when]
        if days and c.declared_on > min(days):
            late.append(f"{c.name} (declared on {c.declared_on}, changed on {min(days)})")
    yield from _named("criterion-after-change", late, "Success criteria were declared after the change")
    if not actions:
        yield Caveat("no-action", "No action is on record.")
    still = [a for a in actions if a.state == "open"]
    yield from _named(
        "action-without-owner", [a.name for a in still if not a.owner], "Actions without an owner"
    )
    yield from _named(
        "action-without-due", [a.name for a in still if a.due is None], "Actions without a due date"
    )
    over = [f"{a.name} (due {a.due})" for a in _overdue(actions, on)]
    yield from _named("action-overdue", over, "Actions are overdue")
    yield from _named(
        "action-without-change",
        [a.name for a in actions if a.state == "done" and not a.change],
        "Done, but by which recorded change is not said",
    )
    yield from _named(
        "action-without-proposal",
        [a.name for a in actions if not a.proposal],
        "Actions that come from no proposal",
    )
    bare = [a.name for a in actions if a.proposal in refused and a.state != "dropped"]
    yield from _named("action-against-decision", bare, "Actions for proposals that were not chosen")


def _verdict(proposals: tuple[Proposal, ...], actions: tuple[Action, ...], on: dt.date) -> str:
    if not proposals and not actions:
        return "Nothing is proposed and nothing is done yet."
    done = sum(1 for a in actions if a.state == "done")
    still = [a for a in actions if a.state == "open"]
    text = f"{count(len(proposals), 'proposal')}; {count(len(actions), 'action')}"
    text += f", {done} done, {len(still)} open" if actions else ""
    over = _overdue(actions, on)
    text += f", {len(over)} of them overdue" if over else ""
    bare = [a.name for a in still if not a.owner]
    return text + (f"; without an owner: {'; '.join(bare)}" if bare else "") + "."
