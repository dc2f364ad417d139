"""Action plans, the search for causal analyses, and the review of one, from records alone."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.practices.car.action_plan import days_late
from perfanalytics.practices.car.causal_first_sections import tree_of

HOURS = perf.Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="real")
ON = dt.date(2024, 7, 1)
CASE = perf.CausalAnalysis(
    "C1",
    outcome="Mail is down",
    measure="hours",
    subprocess="Resolution",
    objective="fast",
    since=dt.date(2024, 3, 4),
    until=dt.date(2024, 3, 8),
    selected_because="See 'Weekly hours'",
    participants=["A", "B"],
    opened_on=dt.date(2024, 3, 10),
    lesson="Rehearse",
)
OTHER = perf.CausalAnalysis(
    "C2", outcome="Printing fails", measure="hours", subprocess="Printing", opened_on=dt.date(2024, 5, 1)
)
CAUSES = [
    perf.Cause("Migration failed", analysis="C1", category="tool", because_of="Not rehearsed", evidence="x"),
    perf.Cause(
        "Not rehearsed", analysis="C1", category="method", phase="planning", state="confirmed", root=True,
        evidence="minutes",
    ),
    perf.Cause("Paper is damp", analysis="C2", category="environment"),
]  # fmt: skip
FULL = perf.Proposal(
    "Rehearse", originator="P", outcome="Mail is down", cause="Not rehearsed", category="method",
    phase="planning", what="Rehearse all", cost=1.0, expected_benefit=2.0, cost_of_not_fixing=3.0,
    declared_on=dt.date(2024, 3, 12), analysis="C1", objective="fast",
)  # fmt: skip
CRITERION = perf.SuccessCriterion(
    "none", proposal="Rehearse", measure="hours", least_ratio=0.9, declared_on=dt.date(2024, 3, 12)
)
DECISION = perf.Decision(
    "yes", what="Do it", subject="Rehearse", chosen=True, who="Board", decided_on=dt.date(2024, 3, 20)
)
CHANGE = perf.Change("Rule", when=dt.date(2024, 4, 1), what="New rule")
DONE = perf.Action(
    "Make it a rule", what="Write it", owner="O", due=dt.date(2024, 3, 31), proposal="Rehearse",
    analysis="C1", change="Rule", state="done", closed_on=dt.date(2024, 4, 2), cost=1.0,
)  # fmt: skip
PROCESSES = [perf.Process("IT"), perf.Process("Resolution", parent="IT"), perf.Process("Printing")]


def archive(*more, results=None) -> perf.Archive:
    records = [HOURS, CASE, OTHER, *CAUSES, FULL, CRITERION, DECISION, CHANGE, DONE, *PROCESSES, *more]
    return perf.Archive.of(records, results, on=ON)


def without(*dropped, add=()) -> perf.Archive:
    records = [HOURS, CASE, OTHER, *CAUSES, FULL, CRITERION, DECISION, CHANGE, DONE, *PROCESSES]
    return perf.Archive.of([r for r in records if r not in dropped] + list(add), on=ON)


def test_a_complete_plan_has_every_field_and_no_doubt():
    plan = perf.action_plan(archive(), "C1")
    assert plan.caveat_codes == ()
    row = plan.proposals_frame().iloc[0]
    assert row["missing"] == ""
    assert row["success_criterion"] == "mean of hours at least 10% lower"
    assert (row["cost"], row["expected_benefit"], row["cost_of_not_fixing"]) == (1.0, 2.0, 3.0)
    assert (row["decision"], row["decided_by"], row["actions"]) == ("chosen", "Board", 1)
    action = plan.to_frame().iloc[0]
    assert action["days_late"] == 2
    assert action["changed_on"] == dt.date(2024, 4, 1)
    assert perf.Result.from_record(json.loads(json.dumps(plan.to_record()))) == plan


@pytest.mark.parametrize(
    ("found", "code", "named"),
    [
        (
            without(FULL, add=[replace(FULL, cost=None, objective=None)]),
            "proposal-incomplete",
            "cost, objective",
        ),
        (without(CRITERION), "no-criterion", "Rehearse"),
        (without(DECISION), "proposal-not-decided", "Rehearse"),
        (without(DONE), "proposal-without-action", "Rehearse"),
        (without(DONE), "no-action", "No action"),
        (without(FULL, CRITERION, DECISION, DONE), "no-proposal", "No action proposal"),
        (without(CAUSES[1]), "cause-not-on-record", "Not rehearsed"),
        (
            without(CRITERION, add=[replace(CRITERION, declared_on=dt.date(2024, 4, 2))]),
            "criterion-after-change",
            "2024-04-02",
        ),
        (without(add=[perf.Action("a", what="x", analysis="C1")]), "action-without-owner", "a"),
        (without(add=[perf.Action("a", what="x", analysis="C1")]), "action-without-due", "a"),
        (without(add=[perf.Action("a", what="x", analysis="C1")]), "action-without-proposal", "a"),
        (
            without(add=[perf.Action("a", what="x", analysis="C1", due=dt.date(2024, 6, 30))]),
            "action-overdue",
            "2024-06-30",
        ),
        (without(DONE, add=[replace(DONE, change=None)]), "action-without-change", "Make it a rule"),
        (
            without(DECISION, add=[replace(DECISION, chosen=False)]),
            "action-against-decision",
            "Make it a rule",
        ),
    ],
)
def test_what_is_missing_is_said(found, code, named):
    plan = perf.action_plan(found, "C1")
    texts = {c.code: c.text for c in plan.caveats}
    assert code in texts
    assert named in texts[code]


def test_days_late_counts_until_today_or_until_it_was_closed():
    late = perf.Action("a", what="x", due=dt.date(2024, 6, 1))
    assert days_late(late, ON) == 30
    assert days_late(replace(late, state="done", closed_on=dt.date(2024, 6, 3)), ON) == 2
    assert np.isnan(days_late(replace(late, state="dropped"), ON))
    assert np.isnan(days_late(replace(late, due=None), ON))


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, ["C2", "C1"]),
        ({"outcome": "MAIL"}, ["C1"]),
        ({"outcome": "hours"}, ["C2", "C1"]),
        ({"cause": "rehearsed planning"}, ["C1"]),
        ({"cause": "environment"}, ["C2"]),
        ({"cause": "mail"}, []),
        ({"subprocess": "it"}, ["C1"]),
        ({"subprocess": "Resolution"}, ["C1"]),
        ({"subprocess": "resol"}, ["C1"]),
        ({"text": "board rule"}, []),
        ({"text": "rehearse write"}, ["C1"]),
        ({"outcome": "Mail", "cause": "paper"}, []),
    ],
)
def test_analyses_are_found_by_outcome_cause_subprocess_and_words(asked, names):
    found = perf.search_analyses(archive(), **asked)
    assert found.analysis.tolist() == names
    assert len(found.to_frame()) == len(names)
    assert perf.Result.from_record(json.loads(json.dumps(found.to_record()))) == found
    assert ("No causal analysis" in found.verdict) == (not names)


def test_the_search_tells_lesson_causes_and_effect():
    values = np.r_[np.random.default_rng(2).normal(30, 2, 60), np.random.default_rng(3).normal(20, 2, 40)]
    when = np.datetime64("2024-01-01") + np.arange(100)
    series = perf.Series(values, measure=HOURS, when=when)
    effect = perf.evaluate_effect(series.take(0, 60), series.take(60), proposal=FULL, criterion=CRITERION)
    found = perf.search_analyses(archive(results={"Effect": effect}), cause="rehearsed")
    row = found.to_frame().iloc[0]
    assert (row["effect"], row["lesson"], row["causes"]) == ("worked", "Rehearse", "Not rehearsed")
    assert row["effect_verdict"] == effect.verdict
    assert "worked for 1" in found.verdict
    assert "no-lesson" in perf.search_analyses(archive()).caveat_codes


def test_whys_are_told_once_from_what_is_seen_down():
    told = [(d, c.name) for d, c in tree_of(tuple(CAUSES[:2]))]
    assert told == [(0, "Migration failed"), (1, "Not rehearsed")]
    circle = (perf.Cause("a", analysis="C", because_of="b"), perf.Cause("b", analysis="C", because_of="a"))
    assert sorted(c.name for _, c in tree_of(circle)) == ["a", "b"]


def weekly() -> perf.ControlChart:
    values = np.tile([9.0, 11.0, 10.0, 10.5, 9.5], 6)
    values[9] = 40.0
    when = np.datetime64("2024-01-01") + 7 * np.arange(30)
    return perf.control_chart(perf.Series(values, measure=HOURS, when=when, expected_every="week"))


def test_a_review_goes_from_selection_to_lesson_and_says_where_it_is_from():
    event = perf.Event("Outage", when=dt.date(2024, 3, 5), what="Mail down")
    far = perf.Event("Elsewhere", when=dt.date(2023, 1, 5), what="Long ago")
    found = archive(event, far, results={"Weekly hours": weekly()})
    review = perf.causal_review(found, "C1")
    assert len(review.says) == 7
    assert review.table("Signals")["when"].tolist() == [dt.date(2024, 3, 4)]
    assert review.table("Changes and events on record")["what"].tolist() == [
        "Outage: Mail down",
        "Rule: New rule",
    ]
    assert review.table("Causes on record")["why"].tolist() == ["Migration failed", "→ Not rehearsed"]
    assert review.table("Proposal: Rehearse")["originator"].tolist() == ["P"]
    assert review.table("Related analyses")["analysis"].tolist() == ["C2"]
    sources = review.source_frame()
    assert sources["name"].tolist() == ["Weekly hours"]
    assert sources["why"].tolist() == ["named in the reason for selecting it"]
    assert "no-effect" in review.caveat_codes
    assert "Not rehearsed" in review.verdict
    assert "not evaluated" in review.verdict
    assert perf.Result.from_record(json.loads(json.dumps(review.to_record()))) == review
    with pytest.raises(UnknownNameError):
        review.table("Signal")


def test_what_a_review_lacks_is_said_in_each_section():
    bare = perf.CausalAnalysis("C9", outcome="Something")
    review = perf.causal_review(perf.Archive.of([bare], on=ON), "C9")
    assert {
        "no-measure", "no-subprocess", "no-objective", "no-participants", "no-opened-on", "no-reason",
        "no-happening", "no-cause", "no-proposal", "no-action", "no-effect", "no-lesson",
    } <= set(review.caveat_codes)  # fmt: skip
    assert review.says[1] == "No measure is linked, so no chart can show it."
    with pytest.raises(UnknownNameError):
        perf.causal_review(perf.Archive.of([bare], on=ON), "C8")


def test_contradictory_causes_are_said():
    wrong = [
        perf.Cause("a", analysis="C2", state="refuted", root=True),
        perf.Cause("b", analysis="C2", state="confirmed"),
    ]
    review = perf.causal_review(archive(*wrong), "C2")
    texts = {c.code: c.text for c in review.caveats}
    assert texts["refuted-root"].endswith("a.")
    assert texts["no-evidence"].endswith("a; b.")
