# ruff: noqa: E501  (a mistake and what is said of it stand on one line)
"""Composed processes of a plan: [[composed_process]], [[simulation]], [[process_comparison]]."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", v = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "repair_hours"
source = "s"
definition = "Hours of repair"
unit = "hours"
better = "lower"
scale = "duration"
value = "v"
when = "day"
item = "id"
attributes = ["team"]
[[measure]]
name = "total_hours"
source = "s"
definition = "Hours from call to end"
unit = "hours"
better = "lower"
scale = "duration"
value = "v + 3"
when = "day"
item = "id"
[[objective]]
name = "within a day"
measure = "total_hours"
target = 16
direction = "at_most"
share = 0.8
[[baseline]]
name = "repair, as it is"
measure = "repair_hours"
[[composed_process]]
name = "repair and test"
steps = [
    { rework = [
        { name = "repair", baseline = "repair, as it is" },
        { name = "test", distribution = "gamma", mean = 1, sd = 0.5 },
    ], probability = 0.18, at_most = 3, name = "not good yet" },
]
[[composed_process]]
name = "today"
steps = [
    { name = "triage", distribution = "lognormal", median = 0.5, sigma = 0.6 },
    { parallel = [
        { name = "parts", measure = "repair_hours", where = { team = "a" }, until = 2024-03-01 },
        [{ name = "access", distribution = "pert", low = 1, mode = 2, high = 7 }, { name = "badge", value = 0.5 }],
    ], wait_for = "all" },
    { composed_process = "repair and test" },
    { branch = [
        { share = 0.8, name = "by phone", values = [0.2, 0.3, 0.4] },
        { share = 0.2, steps = [
            { name = "drive", value = 1 },
            { name = "visit", distribution = "discrete", values = [1, 5], probabilities = [0.75, 0.25] },
        ] },
    ] },
    { batch = { name = "inform", value = 0.1 }, size = 3 },
]
[[composed_process]]
name = "checked first"
steps = [{ name = "second pair of eyes", value = 0.5 }, { composed_process = "today" }]
[[simulation]]
name = "how long"
question = "Will it be done within a day?"
composed_process = "today"
objective = "within a day"
correlation = 0.3
runs = 20_000
seed = 7
resamples = 40
interim = 0.8
[[process_comparison]]
name = "which one"
composed_processes = ["today", "checked first"]
runs = 5_000
unit = "hours"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    days = np.datetime64("2024-01-01") + np.arange(120)
    values = rng.lognormal(1.2, 0.5, 120)
    rows = [f"{i},{day},{v:.3f},{'ab'[i % 2]}" for i, (day, v) in enumerate(zip(days, values, strict=True))]
    (tmp_path / "s.csv").write_text("\n".join(["id,day,v,team", *rows]) + "\n", encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_a_plan_composes_processes(plan: Path) -> None:
    run = perf.run_plan(plan, report_to=plan.parent / "r.html")
    assert not run.failures
    items = {i.name: i for i in run.items}
    found = items["how long"].result
    with perf.Repository.open(plan.parent / "r.duckdb") as repo:
        assert repo.result("how long") == found
        repair = repo.result("repair, as it is")
        parts = perf.baseline(repo.series("repair_hours", where={"team": "a"}, until="2024-03-01"))
        total = next(m for m in repo.measures() if m.name == "total_hours")
    d = perf.Distribution
    process = perf.sequence(
        perf.step("triage", d.lognormal(median=0.5, sigma=0.6)),
        perf.parallel(
            perf.step("parts", parts),
            perf.sequence(perf.step("access", d.pert(low=1, mode=2, high=7)), perf.step("badge", 0.5)),
        ),
        perf.rework(
            perf.sequence(perf.step("repair", repair), perf.step("test", d.gamma(mean=1, sd=0.5))),
            probability=0.18,
            at_most=3,
            name="not good yet",
        ),
        perf.branch(
            [
                (0.8, perf.step("by phone", [0.2, 0.3, 0.4])),
                (
                    0.2,
                    perf.sequence(
                        perf.step("drive", 1.0), perf.step("visit", d.discrete({1: 0.75, 5: 0.25}))
                    ),
                ),
            ]
        ),
        perf.batch(perf.step("inform", 0.1), size=3),
    )
    objective = perf.Objective(
        "within a day", measure="total_hours", target=16, direction="at_most", share=0.8
    )
    direct = perf.simulate(
        process, runs=20_000, rng=7, objective=objective, measure=total, correlation=0.3, resamples=40
    )
    assert found == direct
    title, interim = items["how long"].extra[0]
    assert "80%" in title
    assert interim.equals(direct.interim(share=0.8))
    assert items["how long"].group == "Composed processes"
    both = items["which one"].result
    assert list(both.names) == ["today", "checked first"]
    assert both.difference[1] == pytest.approx(0.5)  # common random numbers: exactly what was added
    assert both.measure.unit == "hours"
    page = (plan.parent / "r.html").read_text(encoding="utf-8")
    assert "The process and where its time goes" in page
    assert "Data quality: repair_hours" in page


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("median = 0.5", "medan = 0.5", "[[composed_process]] 2 'today': steps 1 'triage': key 'medan' is not known; did you mean 'median'"),
        ('"lognormal"', '"lognormall"', "steps 1 'triage': distribution 'lognormall' is not known; did you mean 'lognormal'"),
        ("median = 0.5", "mean = 0.5", "needs median and sigma, or mean and sd; given: mean, sigma"),
        ("{ parallel = [", "{ paralel = [", "steps 2: key 'paralel' is not known; did you mean 'parallel'"),
        ('wait_for = "all"', 'wait_for = "al"', "steps 2: wait_for is 'all' or a number of parts"),
        ('name = "badge", value = 0.5', 'value = 0.5', "steps 2, parallel 2, steps 2: key 'name' is missing"),
        ('name = "badge", value = 0.5', 'name = "badge"', "'badge': its time comes from one of measure"),
        ("share = 0.8, name", "name", "steps 4, branch 1: share is missing"),
        ("probability = 0.18", "probability = 1.8", "key 'probability'"),
        ("size = 3", "size = 0", "steps 5: key 'size'"),
        ('measure = "repair_hours", where', 'measure = "repair_hour", where', "did you mean 'repair_hours'"),
        ("correlation = 0.3", 'correlation = "much"', "[[simulation]] 1 'how long': key 'correlation'"),
        ("[{ name = \"second pair of eyes\", value = 0.5 },", "[3,", "steps 1: expected a part like"),
    ],
)  # fmt: skip
def test_mistakes_of_form(plan: Path, right: str, wrong: str, said: str) -> None:
    assert PLAN.count(right) >= 1
    plan.write_text(PLAN.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(perf.PlanError) as told:
        read_plan(plan)
    assert said in str(told.value)


def test_all_mistakes_are_told_each_on_a_line(plan: Path) -> None:
    wrong = PLAN.replace("median = 0.5", "medan = 0.5").replace("size = 3", "siz = 3")
    plan.write_text(wrong, encoding="utf-8")
    with pytest.raises(perf.PlanError) as told:
        read_plan(plan)
    lines = str(told.value).splitlines()
    assert sum("medan" in line for line in lines) == 1
    assert sum("'siz' is not known; did you mean 'size'" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('baseline = "repair, as it is" }', 'baseline = "repair, as it was" }', "did you mean 'repair, as it is'"),
        ("where = { team", "where = { teem", "did you mean 'team'"),
        ('{ composed_process = "repair and test" }', '{ composed_process = "repair and tests" }', "did you mean 'repair and test'"),
        ('{ composed_process = "repair and test" }', '{ composed_process = "today" }', "contains itself"),
        ('composed_process = "today"\nobjective', 'composed_process = "todai"\nobjective', "did you mean 'today'"),
        ('"checked first"]', '"checked fist"]', "did you mean 'checked first'"),
        ("share = 0.8, name", "share = 0.7, name", "sum to 1"),
        ('wait_for = "all"', "wait_for = 3", "wait_for is 1 to 2"),
        ('name = "badge"', 'name = "triage"', "'triage' stands more than once"),
        ("low = 1, mode", "low = 3, mode", "step 'access': PERT needs low <= mode"),
        ("correlation = 0.3", "correlation = { repare = 0.3 }", "did you mean 'repair'"),
        ("correlation = 0.3", 'pairs = [{ steps = ["repair", "tset"], rank = 0.3 }]', "did you mean 'test'"),
        ("resamples = 40", "resamples = 4", "too few"),
        ('measure = "total_hours"\ntarget', 'measure = "total_hours"\nstatistic = "mean"\ntarget', "one item meets a target"),
        ('direction = "at_most"', 'direction = "at_least"', "interim = 0.8 needs an objective"),
        ("interim = 0.8", 'measure = "repair_hours"', "the objective is about 'total_hours'"),
    ],
)  # fmt: skip
def test_mistakes_before_any_data(plan: Path, right: str, wrong: str, said: str) -> None:
    assert right in PLAN
    plan.write_text(PLAN.replace(right, wrong), encoding="utf-8")
    told = "\n".join(check_plan(read_plan(plan)))
    assert said in told


def test_pairs_of_steps_are_correlated(plan: Path) -> None:
    pairs = 'pairs = [{ steps = ["parts", "repair"], rank = 0.5 }]'
    plan.write_text(PLAN.replace("correlation = 0.3", pairs), encoding="utf-8")
    assert not list(check_plan(read_plan(plan)))
    run = perf.run_plan(plan, only=["how long", "repair*"])
    assert run.items[-1].result.dependence == "pairs"


def test_a_baseline_that_could_not_be_made_is_not_replaced_by_an_older_one(plan: Path) -> None:
    perf.run_plan(plan, only=["repair*"])
    late = 'measure = "repair_hours"\nsince = 2030-01-01\n[[composed_process]]'
    plan.write_text(PLAN.replace('measure = "repair_hours"\n[[composed_process]]', late), encoding="utf-8")
    run = perf.run_plan(plan)
    errors = {i.name: i.error for i in run.failures}
    assert "could not be done" in errors["how long"]


def test_saved_results_and_models_are_steps(plan: Path) -> None:
    more = """
[[model]]
name = "by team"
measure = "repair_hours"
formula = "repair_hours ~ C(team)"
[[simulation]]
name = "from the shelf"
steps = [
    { name = "old", saved = "repair, as it is", version = 1, use = "fitted" },
    { name = "new", model = "by team", at = { team = "a" } },
    { name = "fitted", measure = "repair_hours", distribution = "lognormal" },
]
runs = 1000
sensitivity = 0
"""
    plan.write_text(PLAN + more, encoding="utf-8")
    run = perf.run_plan(plan, only=["repair*", "by team*", "from*"])
    assert not run.failures
    steps = run.items[-1].result.process.steps
    assert steps[0].origin.startswith("fitted")
    assert steps[1].origin == "model of repair_hours"
    assert steps[2].source.family == "lognormal"
    plan.write_text((PLAN + more).replace(', at = { team = "a" }', ""), encoding="utf-8")
    assert "says which item the model 'by team' shall predict" in "\n".join(check_plan(read_plan(plan)))
