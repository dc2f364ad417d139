"""[[prediction_errors]] and [[cost_benefit]]: what a plan gives is what the functions give."""

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
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", done = "date", size = "number" }
formats = { day = "%Y-%m-%d", done = "%Y-%m-%d" }
[[measure]]
name = "days"
source = "s"
definition = "d"
unit = "days"
better = "lower"
scale = "duration"
value = "date_diff('day', day, done) + 1"
when = "day"
start = "day"
known = "done"
item = "id"
attributes = ["size", "team"]
[[measure]]
name = "size"
source = "s"
definition = "d"
unit = "p"
better = "unknown"
scale = "positive"
value = "size"
when = "day"
item = "id"
attributes = ["team"]
[[baseline]]
name = "Sizes"
measure = "size"
[[model]]
name = "Days"
measure = "days"
formula = "days ~ log(size)"
until = 2024-04-01
calibrate = { where = { team = "A" }, prior_n = 10 }
[[prediction_errors]]
name = "Still right?"
measure = "days"
model = "Days"
since = 2024-04-01
[[cost_benefit]]
name = "Tool"
periods = 3
rate = 0.08
unit = "kEUR"
investment = { licence = 100, training = [10, 20, 40] }
benefits = { hours = { distribution = "normal", mean = 80, sd = 10 }, smaller = { baseline = "Sizes" } }
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(11)
    n = 300
    size = np.exp(rng.normal(2, 0.5, n)).round(2)
    day = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) // 2, unit="D")
    took = np.maximum(np.exp(1 + 0.5 * np.log(size) + rng.normal(0, 0.3, n)).round(), 1)
    took[day >= pd.Timestamp("2024-04-01")] *= 2
    done = (pd.Series(day) + pd.to_timedelta(took, unit="D")).dt.strftime("%Y-%m-%d")
    done.iloc[-15:] = ""
    frame = pd.DataFrame(
        {
            "id": [f"W{i}" for i in range(n)],
            "day": day.strftime("%Y-%m-%d"),
            "done": done,
            "size": size,
            "team": rng.choice(["A", "B"], n),
        }
    )
    frame.to_csv(tmp_path / "s.csv", index=False)
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_a_model_is_held_against_items_it_has_not_seen(plan: Path) -> None:
    run = perf.run_plan(plan)
    assert not run.failures, [i.error for i in run.failures]
    found = {i.name: i.result for i in run.items}
    model, errors, held = found["Days"], found["Still right?"], found["Still right?: predictions"]
    assert isinstance(model, perf.Model)
    assert isinstance(errors, perf.PredictionErrors)
    assert isinstance(held, perf.Predictions)
    with perf.Repository.open(run.repository) as repo:
        frame = repo.frame("days", since="2024-04-01")
        frame = frame[~frame["days_censored"].astype(bool)]
    assert len(frame) == 300 - 2 * 91 - 15
    expected = perf.predictions(model, frame, items="item").with_outcomes(
        dict(zip(frame["item"], frame["days"], strict=True))
    )
    assert held == expected
    assert errors == perf.prediction_errors(expected)
    assert errors.advice in ("recalibrate", "retire")  # durations doubled


def test_a_calibrated_model_can_be_named(plan: Path) -> None:
    text = PLAN.replace('model = "Days"\n', 'model = "Days: calibration"\n')
    plan.write_text(text, encoding="utf-8")
    assert list(check_plan(read_plan(plan))) == []
    run = perf.run_plan(plan, only=["Days", "Still*"])
    assert not run.failures, [i.error for i in run.failures]
    found = {i.name: i.result for i in run.items}
    calibration, held = found["Days: calibration"], found["Still right?: predictions"]
    assert isinstance(calibration, perf.Calibration)
    assert isinstance(held, perf.Predictions)
    model = found["Days"]
    assert isinstance(model, perf.Model)
    with perf.Repository.open(run.repository) as repo:
        frame = repo.frame("days", since="2024-04-01").iloc[:1]
    assert held.estimate[0] == calibration.model.predict(frame)["estimate"].iloc[0]
    assert held.estimate[0] != model.predict(frame)["estimate"].iloc[0]


def test_open_items_in_a_model_are_a_doubt(plan: Path) -> None:
    text = PLAN[: PLAN.index("[[prediction_errors]]")].replace("until = 2024-04-01\n", "")
    plan.write_text(text, encoding="utf-8")
    run = perf.run_plan(plan, only=["Days"])
    model = next(i.result for i in run.items if i.name == "Days")
    assert isinstance(model, perf.Model)
    doubt = next(c for c in model.caveats if c.code == "censored-outcomes")
    assert doubt.evidence["n"] == 15


def test_costs_and_benefits(plan: Path) -> None:
    run = perf.run_plan(plan, only=["Sizes", "Tool"])
    assert not run.failures, [i.error for i in run.failures]
    found = {i.name: i for i in run.items}
    expected = perf.cost_benefit(
        investment={"licence": 100, "training": (10, 20, 40)},
        benefits={
            "hours": perf.Distribution.normal(mean=80, sd=10),
            "smaller": found["Sizes"].result,
        },
        periods=3,
        rate=0.08,
        unit="kEUR",
    )
    assert found["Tool"].result == expected
    assert found["Tool"].group == "Costs and benefits"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("until = 2024-04-01\n", "", "is made from items without end: give it until = 2024-04-01"),
        ("until = 2024-04-01\n", "until = 2024-05-01\n", "until 2024-05-01: give it until = 2024-04-01"),
        ('model = "Days"', 'model = "Sizes"', "'Sizes' is no [[model]] of the plan"),
        (
            '"Still right?"\nmeasure = "days"',
            '"Still right?"\nmeasure = "size"',
            "the model 'Days' is about days, not about size",
        ),
        ("[10, 20, 40]", "[10, 40, 20]", "investment: training: [low, likely, high]"),
        ('"normal", mean', '"normaal", mean', "did you mean 'normal'"),
        ("{ baseline =", "{ basline =", "benefits: smaller: give { baseline = NAME }"),
    ],
)
def test_mistakes_are_told_before_anything_runs(plan: Path, old: str, new: str, said: str) -> None:
    assert old in PLAN
    plan.write_text(PLAN.replace(old, new), encoding="utf-8")
    found = list(check_plan(read_plan(plan)))
    assert len(found) == 1, found
    assert said in found[0]


def test_without_outcomes_there_is_nothing_to_hold_against(plan: Path) -> None:
    plan.write_text(PLAN.replace('model = "Days"\nsince = 2024-04-01', 'model = "Days"\nsince = 2024-05-29'))
    run = perf.run_plan(plan, only=["Days", "Still*"])
    assert "no item with an outcome" in run.failures[0].error
