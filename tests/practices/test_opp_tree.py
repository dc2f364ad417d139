"""The objective tree: states and gaps of archives whose answers are known by construction."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from opp_samples import BUSINESS, COUNT, HOURS, PROCESSES, newest, objective, planned, series

import perfanalytics as perf
from perfanalytics.core.archive import Saved
from perfanalytics.figures import objective_tree as figure
from perfanalytics.practices.opp.tree_gaps import SAID, SINGULAR, say
from perfanalytics.practices.opp.tree_nodes import NO_BUSINESS, NO_OBJECTIVE


def rows(tree):
    """Name -> row of the frame, for names that stand once."""
    frame = tree.to_frame()
    return {(r.level, r.name): r for r in frame.itertuples()}


def whole(**more):
    """Everything there is for one objective: met, stable, up to date, with a model."""
    goal = objective()
    made = {
        "Base": perf.baseline(series(), objective=goal, process=PROCESSES[0]),
        "Chart": perf.control_chart(series()),
        "Model": perf.fit(
            "hours ~ size",
            series().to_frame().assign(hours=series().values, size=np.arange(60)),
            measure=HOURS,
            objective=goal,
        ),
    }
    plans = [
        planned("Base", "baseline", measure="hours", objective="fast"),
        planned("Chart", "chart", measure="hours", objective="fast"),
        planned("Model", "model", measure="hours", objective="fast"),
    ]
    records = [HOURS, goal, BUSINESS, PROCESSES[0], PROCESSES[1], *plans]
    return perf.Archive.of(
        [*records, *more.get("records", ())], made | more.get("results", {}), newest=newest()
    )


def test_an_objective_with_everything_has_no_gap():
    tree = perf.objective_tree(whole())
    assert tree.gap_code.tolist() == []
    assert tree.caveats == ()
    assert tree.verdict == "1 objective: 1 met. No gap."
    found = rows(tree)
    assert found["business objective", BUSINESS.name].state == "met"
    assert found["objective", "fast"].state == "met"
    assert found["subprocess", "Resolution"].state == "stable"
    assert found["measure", "hours"].state == "stable"
    # 60 days from 1 January 2024 end on 29 February, the day of the newest data
    assert found["baseline", "Base"].age == 0
    assert [tree.depth(k) for k in tree.order()] == [0, 1, 2, 3, 4, 4, 4]


def test_it_survives_being_saved_and_shows_itself():
    tree = perf.objective_tree(whole())
    again = perf.ObjectiveTree.from_record(json.loads(json.dumps(tree.to_record())))
    assert again == tree
    assert len(perf.plot(tree).layout.shapes) == 4  # a box for each node above the results
    assert "✓ objective: fast [met; met by 'Base'; data to 2024-02-29]" in tree.text()
    assert tree.summary()["objectives"].tolist() == [1]


def test_states_of_objectives():
    hard = objective("hard", target=7.0)
    near = objective("near", target=8.0)
    far = objective("far", target=20.0)
    made = {
        "hard base": perf.baseline(series(), objective=hard),
        "near base": perf.baseline(series(), objective=replace(near, share=0.65)),
        "far base": perf.baseline(series(shift=40), objective=far),
    }
    # share within 7 hours is about 0.4, within 8 hours 0.65: missed, and not decided
    assert made["hard base"].standing == "missed"
    assert made["near base"].standing == "undecided"
    tree = perf.objective_tree(perf.Archive.of([HOURS, BUSINESS, hard, near, far], made, newest=newest()))
    assert tree.state_of("hard") == "not met"
    assert tree.state_of("near") == "at risk"
    assert tree.state_of("far") in ("at risk", "not met")
    assert tree.state_of(BUSINESS.name) == "not met"


def test_met_by_an_unstable_baseline_is_at_risk():
    goal = objective(target=60.0)
    base = perf.baseline(series(shift=40), objective=goal, dependence="independent")
    assert (base.standing, base.stable) == ("met", False)
    tree = perf.objective_tree(perf.Archive.of([HOURS, BUSINESS, goal], {"B": base}, newest=newest()))
    assert tree.state_of("fast") == "at risk"
    assert "baseline-unstable" in tree.caveat_codes


@pytest.mark.parametrize(
    ("day", "state", "code"),
    [
        ("2024-02-29", "met", None),
        ("2024-03-01", "met", "data-newer-than-baseline"),
        ("2024-05-29", "met", "data-newer-than-baseline"),  # 90 days
        ("2024-05-30", "at risk", "baseline-stale"),  # 91 days
    ],
)
def test_stale_by_the_stated_limit(day, state, code):
    goal = objective()
    made = {"B": perf.baseline(series(), objective=goal)}
    tree = perf.objective_tree(perf.Archive.of([HOURS, BUSINESS, goal], made, newest=newest(day)))
    assert tree.state_of("fast") == state
    codes = {c for c in tree.caveat_codes if c in ("data-newer-than-baseline", "baseline-stale")}
    assert codes == ({code} if code else set())
    if code == "baseline-stale":
        assert "91 days before the newest" in str(tree.gap_text[tree.gap_code == code][0])


def test_stale_by_a_newer_process_a_change_or_a_drift_test():
    goal = objective()
    old = perf.baseline(series(), objective=goal, process=replace(PROCESSES[0], version="2"))
    change = perf.Change("Triage", when=dt.date(2024, 3, 5), what="x", process="Incident management")
    elsewhere = perf.Change("Paint", when=dt.date(2024, 3, 5), what="x", process="Housekeeping")
    drift = old.drift(series(40, start="2024-03-01", shift=0))
    assert drift.still_fits is False
    records = [HOURS, BUSINESS, goal, *PROCESSES, change, elsewhere]
    archive = perf.Archive.of(records, {"B": old, "D": drift}, newest=newest("2024-04-09"))
    stale = rows(perf.objective_tree(archive))["baseline", "B"].stale
    assert stale == (
        "made for version 2 of 'Incident management', now 3; 'Triage' changed the process on 2024-03-05, "
        "after its data; newer data no longer fit it ('D')"
    )


def test_a_newer_baseline_supersedes_and_leaves_no_gap():
    goal = objective()
    made = {
        "January": perf.baseline(series(30), objective=goal),
        "February": perf.baseline(series(29, start="2024-02-01"), objective=goal),
    }
    tree = perf.objective_tree(perf.Archive.of([HOURS, BUSINESS, goal], made, newest=newest()))
    found = rows(tree)
    assert found["baseline", "January"].state == "superseded"
    assert found["baseline", "February"].state == "stable"
    assert "data-newer-than-baseline" not in tree.caveat_codes
    assert "'February'" in found["objective", "fast"].words


def test_gaps_of_objectives_without_anything():
    tree = perf.objective_tree(
        perf.Archive.of(
            [HOURS, objective(declared_on=None, serves=None), objective("ghost", measure="nothing")],
            on=dt.date(2024, 3, 1),
        )
    )
    assert set(tree.caveat_codes) == {
        "objective-serves-nothing", "business-objective-undeclared", "objective-without-measure",
        "objective-without-data", "objective-without-baseline", "objective-without-model",
        "objective-not-judged", "objective-without-date",
    }  # fmt: skip
    assert NO_BUSINESS in tree.name
    assert tree.state_of("fast") == tree.state_of("ghost") == "unknown"
    assert tree.gap_subject[tree.gap_code == "objective-without-data"].tolist() == ["fast"]
    assert tree.gap_subject[tree.gap_code == "objective-without-measure"].tolist() == ["ghost"]
    assert (tree.caveats[2].code, tree.caveats[2].evidence["n"]) == ("objective-without-measure", 1)


def test_nothing_declared_at_all():
    tree = perf.objective_tree(perf.Archive.of([], on=dt.date(2024, 3, 1)))
    assert tree.caveat_codes == ("no-objectives",)
    assert len(tree.name) == 0
    assert perf.plot(tree) is not None
    assert tree.verdict.startswith("No objective is declared")


@pytest.mark.parametrize(
    ("declared", "part"),
    [
        (dt.date(2024, 1, 1), None),
        (dt.date(2024, 1, 2), "after the first of the data"),
        (dt.date(2024, 2, 29), "after the first of the data"),
        (dt.date(2024, 3, 1), "after all the data"),
    ],
)
def test_objectives_declared_after_the_data_that_judge_them(declared, part):
    goal = objective(declared_on=declared)
    made = {"B": perf.baseline(series(), objective=goal)}
    tree = perf.objective_tree(perf.Archive.of([HOURS, BUSINESS, goal], made, newest=newest()))
    found = tree.gap_text[tree.gap_code == "objective-declared-late"].tolist()
    assert bool(found) == (part is not None)
    if part:
        assert part in found[0]


def test_what_serves_nothing():
    stray = planned("Stray", "chart", measure="hand_overs")
    factor = planned("Model", "model", measure="hours", objective="fast", measures=("hand_overs",))
    archive = whole(records=[COUNT, PROCESSES[2], stray], results={"Stray": perf.control_chart(series())})
    tree = perf.objective_tree(archive)
    assert set(tree.caveat_codes) == {"measure-without-objective", "chart-without-objective"}
    assert rows(tree)["objective", NO_OBJECTIVE].parent == -1
    # a factor of a model that serves an objective serves it too; the chart still says of none
    plans = [factor if p.name == "Model" else p for p in archive.of_kind("planned_analysis")]
    served = replace(archive, records={**archive.records, "planned_analysis": tuple(plans)})
    assert perf.objective_tree(served).caveat_codes == ("chart-without-objective",)


def test_subprocesses_without_measure_and_plans_without_result():
    tree = perf.objective_tree(
        whole(records=[PROCESSES[2], planned("Later", "baseline", measure="hours", objective="fast")])
    )
    assert set(tree.caveat_codes) == {"subprocess-without-measure", "analysis-without-result"}
    assert tree.gap_subject[tree.gap_code == "subprocess-without-measure"].tolist() == ["Routing"]
    assert rows(tree)["baseline", "Later"].state == "missing"


@pytest.mark.parametrize(
    ("what", "level"),
    [
        ("chart", "chart"),
        ("gauge_study", "measurement system"),
        ("queue_replay", "model"),
        ("model", "model"),
    ],
)
def test_what_is_planned_and_not_saved_is_in_the_tree(what, level):
    tree = perf.objective_tree(whole(records=[planned("Later", what, measure="hours", objective="fast")]))
    assert rows(tree)[level, "Later"].state == "missing"
    assert tree.caveat_codes == ("analysis-without-result",)


def test_contradictions_are_said():
    floor = objective("floor", target=20, direction="at_least", share=None, statistic="mean")
    ceiling = objective("ceiling", target=12, share=None, statistic="mean", by=dt.date(2024, 6, 1))
    interim = objective("interim", serves="ceiling", by=dt.date(2024, 7, 1))
    one = objective("one", serves="other")
    other = objective("other", serves="one")
    tree = perf.objective_tree(
        perf.Archive.of([HOURS, BUSINESS, floor, ceiling, interim, one, other], on=dt.date(2024, 8, 1))
    )
    codes = dict(zip(tree.gap_code.tolist(), tree.gap_subject.tolist(), strict=True))
    assert codes["objectives-contradict"] == "floor / ceiling"
    assert codes["objective-against-direction"] == "floor"
    assert codes["interim-after-its-objective"] == "interim"
    assert {
        n for c, n in zip(tree.gap_code, tree.gap_subject, strict=True) if c == "objectives-in-circle"
    } == {
        "one",
        "other",
    }
    assert "objective-overdue" in codes
    # the interim objective stands below the one it serves, and every objective is in the tree once
    found = rows(tree)
    assert tree.name[found["objective", "interim"].parent] == "ceiling"
    names = tree.name[tree.level == "objective"].tolist()
    assert sorted(names) == ["ceiling", "floor", "interim", "one", "other"]


def test_objectives_about_different_shares_do_not_contradict():
    floor = objective("slowest", target=20, direction="at_least", share=0.1)
    tree = perf.objective_tree(perf.Archive.of([HOURS, BUSINESS, floor, objective()], on=dt.date(2024, 3, 1)))
    assert "objectives-contradict" not in tree.caveat_codes


def test_charts_that_contradict_each_other():
    jump = series(shift=40)
    charts = {"steady": perf.control_chart(series()), "jump": perf.control_chart(jump)}
    plans = [planned(n, "chart", measure="hours", objective="fast") for n in charts]
    tree = perf.objective_tree(
        perf.Archive.of([HOURS, BUSINESS, objective(), *plans], charts, newest=newest())
    )
    assert rows(tree)["measure", "hours"].state == "not stable"
    assert "charts-disagree" in tree.caveat_codes


def test_one_chart_for_each_stratum_is_one_node_as_bad_as_the_worst():
    charts = {"By team: a": perf.control_chart(series()), "By team: b": perf.control_chart(series(shift=40))}
    plans = [planned("By team", "chart", measure="hours", objective="fast")]
    tree = perf.objective_tree(
        perf.Archive.of([HOURS, BUSINESS, objective(), *plans], charts, newest=newest())
    )
    assert tree.name[tree.level == "chart"].tolist() == ["By team"]
    assert rows(tree)["chart", "By team"].words == "1 of 2 not stable"


def test_of_stages_the_newest_counts():
    chart = perf.control_chart(series(80, shift=40), stages=[40])
    assert chart.stage_stable[-1] is True
    plans = [planned("Chart", "chart", measure="hours", objective="fast")]
    tree = perf.objective_tree(
        perf.Archive.of([HOURS, BUSINESS, objective(), *plans], {"Chart": chart}, newest=newest())
    )
    assert rows(tree)["chart", "Chart"].state == "stable"


def test_the_newest_version_counts():
    goal = objective()
    first, second = (perf.baseline(series(n), objective=goal) for n in (30, 60))
    moment = dt.datetime(2024, 3, 1)
    saved = tuple(
        Saved("B", k, result_kind="baseline", measure="hours", verdict="", saved_at=moment) for k in (1, 2)
    )
    archive = perf.Archive(
        records={"measure": (HOURS,), "objective": (goal,)},
        saved=saved,
        on=dt.date(2024, 2, 29),
        newest=newest(),
        read=lambda name, version: first if version == 1 else second,
    )
    row = rows(perf.objective_tree(archive))["baseline", "B"]
    assert (row.version, row.age) == (2, 0)


def test_a_work_lends_what_it_borrows():
    made = {"Borrowed": perf.baseline(series())}
    archive = perf.Archive.of([HOURS, BUSINESS, objective()], made, newest=newest())
    assert "objective-without-baseline" in perf.objective_tree(archive).caveat_codes
    work = perf.Work("Mail", objectives=["fast"], borrowed=["Borrowed"])
    lent = replace(archive, records={**archive.records, "work": (work,)})
    assert "objective-without-baseline" not in perf.objective_tree(lent).caveat_codes


def test_agreement_is_a_recorded_decision():
    yes = perf.Decision(
        "d", what="agreed", who="Board", decided_on=dt.date(2024, 3, 2), subject="Base", chosen=True
    )
    tree = perf.objective_tree(whole(records=[yes]))
    assert rows(tree)["baseline", "Base"].agreed == "Board, 2024-03-02"
    assert rows(tree)["objective", "fast"].agreed == "Board, 2024-03-02"


def test_every_gap_can_be_said_of_one_and_of_many():
    for code, (_, rest) in SAID.items():
        assert rest.split(" ")[0] in SINGULAR, code
        assert say(code, 1).startswith("1 ")
        assert say(code, 3).startswith("3 ")


def test_bad_input():
    with pytest.raises(perf.InputError, match="stale_after counts days"):
        perf.objective_tree(perf.Archive.of([], on=dt.date(2024, 1, 1)), stale_after=-1)


def test_the_figure_keeps_boxes_apart():
    from perfanalytics.figures.objective_tree import info

    records, made, times = [], {}, {}
    for k in range(8):
        measure = replace(HOURS, name=f"hours_of_a_very_long_measure_{k}", subprocess=f"Subprocess {k % 3}")
        goal = objective(f"Objective number {k} with many words in its name", measure=measure.name)
        records += [measure, goal, objective(f"Interim {k}", measure=measure.name, serves=goal.name)]
        made[f"Baseline {k}"] = perf.baseline(series(measure=measure), objective=goal)
        times[measure.name] = dt.datetime(2024, 3, 1)
    tree = perf.objective_tree(perf.Archive.of([BUSINESS, *records], made, newest=times))
    assert len(tree.name) >= 40
    boxes, heads, total = info(tree)
    assert heads.count("Interim objective") == 1
    for column in range(len(heads)):
        own = sorted((b.top, b.bottom) for b in boxes if b.column == column)
        assert all(low <= top for (_, low), (top, _) in itertools.pairwise(own))
        assert all(top >= 0 and bottom <= total for top, bottom in own)
    # the way from a node to one below it crosses no box
    where = {b.node: b for b in boxes}
    for b in boxes:
        if b.parent >= 0:
            between = [o for o in boxes if where[b.parent].column < o.column < b.column]
            assert not any(o.top < b.middle < o.bottom for o in between)


def test_what_was_withdrawn_is_not_in_the_tree_and_is_stale_in_the_register():
    goal = objective()
    made = {
        "Old": perf.baseline(series(), objective=goal),
        "Old: by team": perf.baseline(series(), objective=goal),
        "Kept": perf.baseline(series(), objective=goal),
    }
    plans = [planned("Kept", "baseline", measure="hours", objective="fast")]
    archive = perf.Archive.of(
        [HOURS, goal, BUSINESS, *plans], made, newest=newest(), withdrawn={"planned_analysis": ("Old",)}
    )
    tree = perf.objective_tree(archive)
    assert "Kept" in tree.name
    assert "Old" not in tree.name
    assert "Old: by team" not in tree.name
    book = perf.register(archive, "baseline")
    stale = dict(zip(book.name.tolist(), book.stale.tolist(), strict=True))
    assert stale["Kept"] == ""
    assert "withdrawn" in stale["Old"]
    assert "withdrawn" in stale["Old: by team"]


def test_an_objective_that_serves_itself_is_said_so():
    alone = objective(serves="fast")
    tree = perf.objective_tree(perf.Archive.of([HOURS, alone]))
    said = dict(zip(tree.gap_code.tolist(), tree.gap_text.tolist(), strict=True))
    assert said["objectives-in-circle"] == "'fast' serves itself."


def test_a_tree_taller_than_a_page_is_drawn_branch_by_branch():
    tops = [perf.BusinessObjective(f"top {k}") for k in range(3)]
    goals = [objective(f"goal {k}", serves=f"top {k}", share=None, statistic="median") for k in range(3)]
    plans = [
        planned(f"Chart {k}.{j}", "chart", measure="hours", objective=f"goal {k}")
        for k in range(3)
        for j in range(12)
    ]
    tree = perf.objective_tree(perf.Archive.of([HOURS, *tops, *goals, *plans], newest=newest()))
    boxes, heads, height = figure.info(tree)
    assert figure.is_cut(tree)
    assert height <= figure.PAGE
    assert "On record" not in heads
    assert {tree.level[b.node] for b in boxes} == {"business objective", "objective", "subprocess", "measure"}
    assert tree.roots() == ["top 0", "top 1", "top 2"]
    seen = []
    for name in tree.roots():
        part = tree.branch(name)
        assert not figure.is_cut(part)
        assert figure.info(part)[2] <= figure.PAGE
        assert (
            part.verdict == "1 objective: 1 unknown. 1 objective has no baseline; 1 objective has no model."
        )
        assert set(part.gap_subject.tolist()) <= set(part.name.tolist())
        seen += part.to_frame()["name"].tolist()
    assert sorted(seen) == sorted(tree.name.tolist())
    assert type(tree).from_record(json.loads(json.dumps(part.to_record()))) == part
    with pytest.raises(perf.UnknownNameError, match="did you mean 'top 1'"):
        tree.branch("top1")


@pytest.mark.parametrize(
    ("before", "changed"),
    [
        (objective(target=7), True),
        (objective(share=0.5), True),
        (objective(by=dt.date(2030, 1, 1)), False),
        (objective(target=7, declared_on=dt.date(2023, 1, 1)), False),  # it was declared anew
    ],
)
def test_a_target_that_was_changed_without_a_new_date(before, changed):
    goal = objective()
    archive = perf.Archive.of([HOURS, BUSINESS, goal], earlier=[before], newest=newest())
    assert ("objective-changed" in perf.objective_tree(archive).caveat_codes) is changed


def test_the_repository_knows_the_earlier_target(tmp_path):
    with perf.Repository.open(tmp_path / "r.duckdb") as repo:
        repo.declare(HOURS, BUSINESS, objective(target=7))
        assert "objective-changed" not in perf.objective_tree(repo.archive()).caveat_codes
        repo.declare(objective())
        assert [o.target for o in repo.archive().earlier["objective"]] == [7]
        assert "objective-changed" in perf.objective_tree(repo.archive()).caveat_codes
