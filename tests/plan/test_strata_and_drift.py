"""Strata of a [[baseline]], and [[drift]]: what a plan gives is what the functions give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
by = "measurement group"
[[process]]
name = "Resolution"
version = "1"
[[process]]
name = "Resolution"
version = "2"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", hours = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "hours"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "duration"
value = "hours"
when = "day"
item = "id"
attributes = ["team", "shift"]
[[objective]]
name = "fast"
measure = "hours"
target = 8
direction = "at_most"
share = 0.9
[[change]]
name = "new tool"
when = 2024-05-01
what = "a tool"
[[baseline]]
name = "before"
measure = "hours"
until = 2024-05-01
objective = "fast"
process = "Resolution 1"
strata = ["team", "shift"]
[[drift]]
name = "still?"
question = "Does it still fit?"
measure = "hours"
since = 2024-05-01
baseline = "before"
process = "Resolution 2"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    n = 600
    team = rng.choice(["A", "B", "C"], n)
    frame = pd.DataFrame(
        {
            "id": range(n),
            "day": pd.date_range("2024-01-01", periods=n, freq="6h").strftime("%Y-%m-%d"),
            "hours": (rng.lognormal(1.5, 0.5, n) * np.where(team == "A", 2.5, 1.0)).round(3),
            "team": team,
            "shift": rng.choice(["day", "night"], n),
        }
    )
    frame.loc[484:, "hours"] *= 3
    frame.to_csv(tmp_path / "s.csv", index=False)
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def mistakes(path: Path, old: str, new: str) -> list[str]:
    assert old in PLAN
    path.write_text(PLAN.replace(old, new), encoding="utf-8")
    return list(check_plan(read_plan(path)))


def test_the_plan_gives_what_the_functions_give(plan: Path) -> None:
    run = perf.run_plan(plan)
    assert not run.failures
    found = {i.name: i for i in run.items}
    assert [i.name for i in run.items if i.group == "Baselines"] == [
        "before",
        "before: strata",
        "before: by team",
        "still?",
    ]
    goal = perf.Objective("fast", measure="hours", target=8, direction="at_most", share=0.9)
    with perf.Repository.open(run.repository) as repo:
        until = "2024-05-01"
        hours = next(m for m in repo.measures() if m.name == "hours")
        made = perf.strata(
            repo.frame("hours", until=until), value="hours", by=["team", "shift"], measure=hours
        )
        each = perf.baselines_of(repo.batch("hours", by="team", until=until), objective=goal)
        assert repo.result("still?") == found["still?"].result
    assert found["before: strata"].result == made
    assert made.proposed == ("team",)
    assert found["before: by team"].result == each
    assert each.ids == ("team=A", "team=B", "team=C")
    drift = found["still?"].result
    assert isinstance(drift, perf.Drift)
    assert drift.rebaseline
    assert drift.still_fits is False
    said = "; ".join(drift.reasons)
    assert "new tool" in said
    # the versions of the process are those that the plan declares
    assert "Resolution" in said
    assert found["still?"].question == "Does it still fit?"


def test_split_says_which_strata_are_made(plan: Path) -> None:
    plan.write_text(PLAN.replace('"shift"]\n[[drift]]', '"shift"]\nsplit = ["team", "shift"]\n[[drift]]'))
    run = perf.run_plan(plan, only=["before"])
    each = next(i.result for i in run.items if i.name == "before: by team and shift")
    assert isinstance(each, perf.Baselines)
    assert len(each) == 6


def test_nothing_to_split_by_makes_no_baselines_of_strata(plan: Path) -> None:
    plan.write_text(PLAN.replace('strata = ["team", "shift"]', 'strata = "shift"'))
    run = perf.run_plan(plan, only=["before"])
    assert [i.name for i in run.items if i.group == "Baselines"] == ["before", "before: strata"]


def test_by_gives_a_row_for_each_value(plan: Path) -> None:
    asked = """
[[baseline]]
name = "weekly"
measure = "hours"
every = "week"
statistic = "mean"
by = "team"
[[capability]]
name = "capable?"
measure = "hours"
objective = "fast"
until = 2024-05-01
by = ["team", "shift"]
"""
    plan.write_text(PLAN + asked, encoding="utf-8")
    run = perf.run_plan(plan, only=["weekly", "capable?"])
    assert not run.failures, [i.error for i in run.failures]
    found = {i.name: i.result for i in run.items}
    with perf.Repository.open(run.repository) as repo:
        weekly = repo.batch("hours", by="team", every="week", statistic="mean")
        each = repo.batch("hours", by=["team", "shift"], until="2024-05-01")
    assert found["weekly"] == perf.baselines_of(weekly)
    assert found["capable?"] == perf.capabilities(each, upper=8.0)


def test_drift_alone_is_held_against_the_saved_baseline(plan: Path) -> None:
    alone = perf.run_plan(plan, only=["still?"])
    assert "saved baseline 'before'" in alone.failures[0].error
    perf.run_plan(plan, only=["before"])
    run = perf.run_plan(plan, only=["still?"])
    assert not run.failures
    assert run.saved["still?"] == 1


def test_what_was_saved_of_an_analysis_that_failed_now_is_not_used(plan: Path) -> None:
    perf.run_plan(plan, only=["before"])
    plan.write_text(PLAN.replace("until = 2024-05-01\nobj", "until = 2023-05-01\nobj"), encoding="utf-8")
    run = perf.run_plan(plan)
    told = {i.name: i.error for i in run.failures}
    assert "'before' could not be done" in told["still?"]


def test_a_saved_result_of_another_kind_is_told(plan: Path) -> None:
    perf.run_plan(plan, only=["before"])
    with perf.Repository.open(plan.parent / "r.duckdb") as repo:
        repo.save(repo.result("before: strata"), name="agreed", by="board")
    plan.write_text(PLAN.replace('baseline = "before"', 'baseline = "agreed"'), encoding="utf-8")
    run = perf.run_plan(plan, only=["still?"])
    assert "'agreed' is a strata: a baseline is needed" in run.failures[0].error
    plan.write_text(PLAN.replace('baseline = "before"', 'baseline = "befor"'), encoding="utf-8")
    run = perf.run_plan(plan, only=["still?"])
    assert "did you mean 'before'" in run.failures[0].error


def test_mistakes_are_told_before_anything_runs(plan: Path) -> None:
    assert mistakes(plan, '"team", "shift"]\n[[drift', '"teem", "shift"]\n[[drift') == [
        "[[baseline]] 'before': strata: attribute of hours 'teem' is not known; did you mean 'team'?"
    ]
    assert mistakes(plan, 'baseline = "before"\n', 'baseline = "before"\nwhere = { team = "A" }\n') == [
        "[[drift]] 'still?': where is {'team': 'A'}, that of the baseline 'before' is left out: only the "
        "same can be held against it"
    ]
    every = mistakes(
        plan, 'baseline = "before"\n', 'baseline = "before"\nevery = "week"\nstatistic = "mean"\n'
    )
    assert [m.split(": ")[1].split(" is ")[0] for m in every] == ["every", "statistic"]
    several = 'by = "team"'
    found = mistakes(plan, 'process = "Resolution 1"\nstrata = ["team", "shift"]', several)
    assert "has a row for each of many series" in found[0]
    assert mistakes(plan, 'baseline = "before"\n', 'baseline = "still?"\n') == [
        "[[drift]] 'still?': baseline = 'still?' is no [[baseline]] of the plan"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('strata = ["team", "shift"]', 'split = "team"', "belong to strata"),
        ('strata = ["team", "shift"]', "minimum_share = 0.1", "belong to strata"),
        ('strata = ["team", "shift"]', 'strata = "team"\nevery = "week"', "single observations"),
        ('"Resolution 1"', '"Resolution 3"', "process = 'Resolution 3' is not declared"),
        ('"Resolution 2"', '"Resolutions"', "did you mean 'Resolution'"),
        ('baseline = "before"', "confidence = 0.9", "'baseline' is missing"),
        ('strata = ["team", "shift"]', 'by = "team"', "leave process out"),
        (
            "[[drift]]",
            '[[capability]]\nname = "c"\nmeasure = "hours"\nupper = 8\nminimum = 1\nby = "team"\n[[drift]]',
            "leave minimum out",
        ),
    ],
)
def test_misuse_is_told_when_the_plan_is_read(plan: Path, old: str, new: str, said: str) -> None:
    assert old in PLAN
    plan.write_text(PLAN.replace(old, new), encoding="utf-8")
    with pytest.raises(perf.PlanError, match=said):
        read_plan(plan)
