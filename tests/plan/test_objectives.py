"""What traces to what, from a plan: the first chapter of the report, the commands, the selection."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from click.testing import CliRunner

import perfanalytics as perf
from perfanalytics.cli import cli
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

PLAN = """
[plan]
name = "desk"
repository = "desk.duckdb"
by = "me"

[[process]]
name = "Desk"
version = "1"

[[process]]
name = "Routing"
parent = "Desk"

[[business_objective]]
name = "Customers can work again"

[[objective]]
name = "fast"
measure = "hours"
target = 12
direction = "at_most"
share = 0.8
serves = "Customers can work again"
declared_on = 2023-12-01

[[source]]
name = "incidents"
file = "incidents.csv"
key = "item"
columns = { day = "date", hours = "number", hand_overs = "integer" }
formats = { day = "%Y-%m-%d" }

[[measure]]
name = "hours"
source = "incidents"
definition = "Opened to resolved"
unit = "hours"
better = "lower"
scale = "duration"
subprocess = "Desk"
value = "hours"
when = "day"
item = "item"
attributes = ["hand_overs"]

[[measure]]
name = "hand_overs"
source = "incidents"
definition = "Hand-overs of an incident"
unit = "hand-overs"
better = "lower"
scale = "count"
subprocess = "Routing"
value = "hand_overs"
when = "day"
item = "item"

[[baseline]]
name = "Base"
measure = "hours"
objective = "fast"
process = "Desk"

[[model]]
name = "Drivers"
measure = "hours"
formula = "np.log(hours) ~ hand_overs"
controllable = ["hand_overs"]
objective = "fast"

[[subprocess_selection]]
name = "Which?"
outcome = "hours"
weights = { share = 2, quality = 1 }
candidates = [{ name = "Routing", measure = "hand_overs" }]

[[decision]]
name = "Watch routing"
what = "Chart the hand-overs"
subject = "Routing"
chosen = true
who = "Board"
decided_on = 2024-03-01
why = "Drives the time"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(4)
    hand_overs = rng.poisson(1.0, 60)
    hours = np.exp(1.2 + 0.4 * hand_overs + rng.normal(0, 0.2, 60))
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=k) for k in range(60)]
    lines = [
        f"{k},{day},{h:.4f},{c}" for k, (day, h, c) in enumerate(zip(days, hours, hand_overs, strict=True))
    ]
    (tmp_path / "incidents.csv").write_text("\n".join(["item,day,hours,hand_overs", *lines]) + "\n")
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_report_begins_with_the_objectives(folder):
    run = perf.run_plan("plan.toml")
    assert [i.group for i in run.items[:4]] == ["Objectives", "Objectives", "Objectives", "Data"]
    assert not run.failures
    tree = run.items[0].result
    assert tree.name[tree.order()].tolist() == [
        "Customers can work again", "fast", "Desk", "hours", "Base", "Drivers", "Serves no objective",
        "Routing", "hand_overs",
    ]  # fmt: skip
    assert tree.on == dt.date(2024, 2, 29)
    # the day the data end, whatever the clock says
    assert tree.age[tree.name == "Base"].tolist() == [0.0]
    models = next(i.result for i in run.items if i.name == "Register of models")
    # a model of a plan says from which days its data are
    assert (str(models.first[0]), str(models.last[0]), models.age[0]) == ("2024-01-01", "2024-02-29", 0.0)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.index("Objective tree") < page.index("Load: incidents")


def test_the_selection_of_a_plan_uses_data_quality_and_model(folder):
    run = perf.run_plan("plan.toml")
    chosen = next(i.result for i in run.items if i.name == "Which?")
    assert chosen.decision.tolist() == ["chosen"]
    evidence = dict(zip(chosen.criterion, chosen.evidence[0], strict=True))
    assert "'Drivers'" in evidence["share"]
    assert "60 points" in evidence["data"]
    assert evidence["quality"].startswith("data:")


def test_a_part_of_a_run_says_nothing_of_the_whole(folder):
    run = perf.run_plan("plan.toml", only=["Base"])
    assert "Objectives" not in {i.group for i in run.items}


def test_what_the_plan_no_longer_names_is_withdrawn_and_told(folder):
    first = perf.run_plan("plan.toml")
    assert "Withdrawn" not in [i.name for i in first.items]
    begin, end = PLAN.index("[[model]]"), PLAN.index("[[subprocess_selection]]")
    (folder / "plan.toml").write_text(PLAN[:begin] + PLAN[end:])
    second = perf.run_plan("plan.toml")
    told = next(i for i in second.items if i.name == "Withdrawn")
    assert told.verdict.endswith("(every version is kept): planned analysis 'Drivers'.")
    assert "planned analysis &#39;Drivers&#39;" in (folder / "report.html").read_text(encoding="utf-8")
    tree = second.items[0].result
    assert "Drivers" not in tree.name
    assert "objective-without-model" in tree.gap_code
    with perf.Repository.open("desk.duckdb", read_only=True) as repo:
        assert repo.result("Drivers").kind == "model"
        assert repo.record_history("planned_analysis", "Drivers")["withdrawn"].tolist() == [False, True]
    third = CliRunner().invoke(cli, ["run", "plan.toml"])
    assert "Withdrawn" not in third.output
    (folder / "plan.toml").write_text(PLAN)
    assert "Drivers" in perf.run_plan("plan.toml").items[0].result.name
    (folder / "plan.toml").write_text(PLAN[:begin] + PLAN[end:])
    assert "planned analysis 'Drivers'" in CliRunner().invoke(cli, ["run", "plan.toml"]).output


def test_commands(folder):
    runner = CliRunner()
    # before the first run: from the plan alone
    before = runner.invoke(cli, ["objectives", "plan.toml"])
    assert before.exit_code == 0
    assert "objective-without-data: 'fast'" in before.output
    perf.run_plan("plan.toml")
    after = runner.invoke(cli, ["objectives", "plan.toml"])
    assert "objective: fast" in after.output
    assert "baseline: Base" in after.output
    assert "objective-without-data" not in after.output
    books = runner.invoke(cli, ["register", "desk.duckdb"])
    assert "1 baseline in 1 version" in books.output
    assert "1 model in 1 version" in books.output
    one = runner.invoke(cli, ["register", "desk.duckdb", "--what", "model"])
    assert "Drivers, version 1 (model of hours)" in one.output
    assert "baseline" not in one.output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{ share = 2,", "{ shares = 2,", "weights: criterion 'shares' is not known; did you mean 'share'?"),
        ('outcome = "hours"', 'outcome = "hour"', "outcome = 'hour' is not declared; did you mean 'hours'?"),
        ('measure = "hand_overs" }', 'measure = "hands" }', "candidates = 'hands' is not declared"),
        ("{ share = 2, quality = 1 }", "{ share = -2 }", "weights are at least 0"),
        ("{ share = 2, quality = 1 }", "{ share = 0 }", "weights are at least 0, and one of them is more"),
    ],
)
def test_mistakes(folder, old, new, message):
    (folder / "plan.toml").write_text(PLAN.replace(old, new))
    with pytest.raises(perf.PlanError, match=message.replace("?", r"\?")):
        raise perf.PlanError("\n".join(check_plan(read_plan("plan.toml"))))
