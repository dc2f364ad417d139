"""Actions, effect and lesson: the last three sections of a causal review, and the verdict of all."""

from __future__ import annotations

from typing import Any

from perfanalytics.baselines.wording import count
from perfanalytics.core.result import Caveat
from perfanalytics.practices.car.action_plan import ActionPlan, action_plan
from perfanalytics.practices.car.causal_material import Case, Section, frame_table, source, table
from perfanalytics.practices.car.causal_review import CausalTable
from perfanalytics.practices.car.causal_search import EFFECTS, effects_of, search_analyses

#: What an outcome is called.
OUTCOMES = {"worked": "worked", "did_not": "did not work", "cannot_tell": "cannot be told yet"}


def actions(case: Case) -> tuple[Section, ActionPlan]:
    """The proposals with every field, and the action plan."""
    plan = action_plan(case.archive, case.analysis.name)
    found = [(e, w) for e, w in case.saved("action_plan") if w == "its own"][:1]
    priced = [(e, w) for e, w in case.saved("cost_benefit", "power") if w.startswith(("named", "its own"))]
    return (
        Section(
            plan.verdict,
            (*_proposals(plan), *_action_table(plan)),
            tuple(source(5, e, w) for e, w in (*found, *priced)),
            plan.caveats,
        ),
        plan,
    )


def _proposals(plan: ActionPlan) -> tuple[CausalTable, ...]:
    """A table a proposal, so that every field can be read, also on paper."""
    frame = plan.proposals_frame()
    out: list[CausalTable] = []
    for k in range(len(frame)):
        row = frame.iloc[[k]].rename(columns=lambda c: str(c).replace("_", " "))
        out += frame_table(5, f"Proposal: {row['proposal'].iloc[0]}", row.drop(columns="proposal"))
    return tuple(out)


def _action_table(plan: ActionPlan) -> tuple[CausalTable, ...]:
    rows = [
        (
            f"{r.action}: {r.what}",
            r.owner,
            r.due,
            r.state,
            r.closed_on,
            r.days_late,
            r.cost,
            r.change,
            r.missing,
        )
        for r in plan.to_frame().itertuples()
    ]
    columns = ("action", "owner", "due", "state", "closed on", "days late", "cost", "change", "missing")
    return table(5, "Actions", columns, rows)


def effect(case: Case) -> tuple[Section, str, str]:
    """Evaluations of what was done; the section, the newest outcome and its verdict."""
    found = effects_of(case.archive, case.analysis.name)
    if not found:
        text = "Whether what was done worked has not been evaluated."
        if not any(a.analysis == case.analysis.name for a in case.archive.of_kind("action")):
            text = "Nothing was done yet, so there is no effect to evaluate."
        return Section(text, (), (), (Caveat("no-effect", text),)), "", ""
    rows = [
        (name, version, OUTCOMES[r.outcome], getattr(r, "asked", ""), r.verdict) for name, version, r in found
    ]
    entries = {e.name: e for e in case.archive.saved_of(*EFFECTS)}
    sources = [source(6, entries[name], "evaluates what was done") for name, _, _ in found]
    tables: list[Any] = list(
        table(6, "Evaluations", ("evaluation", "version", "outcome", "asked for", "verdict"), rows)
    )
    doubts: list[Caveat] = []
    for _, _, r in found:
        doubts += r.caveats
        if r.kind != "effect_evaluation":
            continue
        measure = r.measure.name
        tables += frame_table(6, f"Baselines of {measure} before and after", r.side_frame())
        tables += frame_table(6, f"Before and after: {measure}", r.to_frame())
        tables += frame_table(6, f"Costs and benefits of a year: {measure}", r.benefit_frame())
        tables += frame_table(6, f"What to look at: {measure}", r.check_frame())
    last = found[-1][2]
    return (
        Section(" ".join(r.verdict for _, _, r in found), tuple(tables), tuple(sources), tuple(doubts)),
        last.outcome,
        last.verdict,
    )


def lesson(case: Case) -> Section:
    """What was learned, and other analyses of the same measure, subprocess or objective."""
    a = case.analysis
    rows = []
    whole = search_analyses(case.archive).to_frame().to_dict("records")
    for row in whole:
        same = [
            name
            for name in ("measure", "subprocess", "objective")
            if getattr(a, name) and row[name] == getattr(a, name)
        ]
        if row["analysis"] != a.name and same:
            rows.append(
                (
                    row["analysis"],
                    row["outcome"],
                    f"same {' and '.join(same)}",
                    row["state"],
                    row["causes"],
                    OUTCOMES.get(str(row["effect"]), ""),
                    row["lesson"],
                )
            )
    says = f"Lesson: {a.lesson}" if a.lesson else "No lesson is on record: others cannot learn from it."
    says += "" if says.endswith(".") else "."
    says += (
        f" {count(len(rows), 'related case')} on record." if rows else " No related analysis is on record."
    )
    doubts = () if a.lesson else (Caveat("no-lesson", "No lesson is on record."),)
    columns = ("analysis", "outcome", "related by", "state", "causes", "effect", "lesson")
    return Section(says, table(7, "Related analyses", columns, rows), (), doubts)


def verdict(case: Case, plan: ActionPlan, outcome: str) -> str:
    """Where the analysis stands, in one or two sentences."""
    a = case.analysis
    sure = [c.name for c in case.causes if c.state == "confirmed" and c.root] or [
        c.name for c in case.causes if c.state == "confirmed"
    ]
    cause = f"confirmed: {'; '.join(sure)}" if sure else "no cause is confirmed"
    done = sum(1 for x in plan.actions if x.state == "done")
    acts = f"{done} of {count(len(plan.actions), 'action')} done" if plan.actions else "no action on record"
    effect_said = {
        "worked": "what was done worked",
        "did_not": "what was done did not work",
        "cannot_tell": "whether it worked cannot be told yet",
        "": "the effect is not evaluated",
    }[outcome]
    head = a.outcome.rstrip(".")
    return f"{a.name} ({a.state}): {head}. Causes: {cause}. {acts[:1].upper()}{acts[1:]}; {effect_said}."
