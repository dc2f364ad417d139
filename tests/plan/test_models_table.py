"""What a [[model]] table asks for: families, roles of factors, and the questions put to the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

HEAD = """
[plan]
name = "p"
repository = "r.duckdb"
by = "measurement group"
[[process]]
name = "Change review"
[[process]]
name = "Release"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { COLUMNS }
formats = { day = "%Y-%m-%d" }
"""
MEASURE = """
[[measure]]
name = "NAME"
source = "s"
definition = "d"
unit = "UNIT"
better = "lower"
scale = "SCALE"
subprocess = "Release"
value = "NAME"
when = "day"
item = "id"
attributes = ["size", "reviewers", "team", "load", "level"]
"""
NAMES = (
    ("hours", "h", "duration"),
    ("defects", "1", "count"),
    ("passed", "1", "proportion"),
    ("size", "p", "positive"),
)
COLUMNS = ("hours", "size", "reviewers", "passed", "defects", "load", "level")
PLAN = (
    HEAD.replace("COLUMNS", ", ".join(['day = "date"', *(f'{name} = "number"' for name in COLUMNS)]))
    + "".join(MEASURE.replace("NAME", n).replace("UNIT", u).replace("SCALE", s) for n, u, s in NAMES)
    + """
[[objective]]
name = "fast"
measure = "hours"
target = 12
direction = "at_most"
share = 0.8
[[baseline]]
name = "Sizes now"
measure = "size"
since = 2024-04-01
"""
)
HOURS = """
[[model]]
name = "Hours"
measure = "hours"
formula = "hours ~ log(size) + reviewers + team"
objective = "fast"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(5)
    n = 240
    frame = pd.DataFrame(
        {
            "id": range(n),
            "day": pd.date_range("2024-01-01", periods=n, freq="12h").strftime("%Y-%m-%d"),
            "size": np.exp(rng.normal(2, 0.5, n)).round(2),
            "reviewers": rng.integers(1, 5, n),
            "team": rng.choice(["blue", "green", "red"], n),
            "load": rng.uniform(5, 40, n).round(1),
            "level": rng.choice([1, 2, 3], n),
        }
    )
    effect = frame["team"].map({"blue": 0.0, "green": 0.2, "red": -0.3})
    mean = 1 + 0.5 * np.log(frame["size"]) - 0.2 * frame["reviewers"] + effect
    frame["hours"] = np.exp(mean + rng.normal(0, 0.4, n)).round(3)
    frame["defects"] = rng.poisson(frame["load"] * np.exp(-2.5 + 0.4 * effect))
    frame["passed"] = rng.binomial(1, 1 / (1 + np.exp(-0.5 - 2 * effect)))
    frame.to_csv(tmp_path / "s.csv", index=False)
    path = tmp_path / "plan.toml"
    path.write_text(PLAN + HOURS, encoding="utf-8")
    return path


def write(path: Path, *tables: str) -> Path:
    path.write_text(PLAN + "".join(tables), encoding="utf-8")
    return path


def results(run: perf.PlanRun) -> dict[str, perf.Result]:
    assert not run.failures, [i.error for i in run.failures]
    return {i.name: i.result for i in run.items if i.result is not None}


def frame_of(run: perf.PlanRun, measure: str) -> pd.DataFrame:
    with perf.Repository.open(run.repository) as repo:
        return repo.frame(measure)


@pytest.mark.parametrize(
    ("measure", "formula", "keys"),
    [
        ("hours", "log(size) + team", {"family": "gaussian", "weights": "load", "errors": "robust"}),
        ("hours", "log(size) + team", {"family": "gaussian", "errors": "hac"}),
        ("hours", "log(size) + team", {"family": "gamma", "offset": "reviewers"}),
        ("defects", "team", {"family": "poisson", "exposure": "load"}),
        ("defects", "team + reviewers", {"family": "negative_binomial"}),
        ("passed", "team", {"family": "binomial"}),
        ("hours", "log(size)", {"family": "mixed", "groups": "team"}),
        ("hours", "log(size) + reviewers", {"family": "quantile", "quantile": [0.9, 0.5]}),
    ],
)
def test_every_family_with_its_columns(
    plan: Path, measure: str, formula: str, keys: dict[str, object]
) -> None:
    lines = "".join(f"{k} = {v!r}\n".replace("'", '"') for k, v in keys.items())
    table = f'[[model]]\nname = "M"\nmeasure = "{measure}"\nformula = "{measure} ~ {formula}"\n{lines}'
    run = perf.run_plan(write(plan, table), only=["M"])
    made = results(run)["M"]
    assert isinstance(made, perf.Model)
    if keys.get("errors") == "hac":
        keys = keys | {"time": "when"}
    with perf.Repository.open(run.repository) as repo:
        own = next(m for m in repo.measures() if m.name == measure)
        expected = perf.fit(f"{measure} ~ {formula}", repo.frame(measure), measure=own, **keys)
    np.testing.assert_array_equal(made.coefficients, expected.coefficients)
    np.testing.assert_array_equal(made.covariance, expected.covariance)
    assert made.family == keys["family"]


def test_roles_of_factors_and_the_report_card(plan: Path) -> None:
    asked = """review = true
stability = ["Sizes now"]
outcome = "interim"
backtest = true
calibrate = { where = { team = "red" }, prior_n = 10, group = "red" }
[[model.factor]]
name = "reviewers"
subprocess = "Change review"
low = 1
high = 4
[[model.factor]]
name = "team"
controllable = false
"""
    run = perf.run_plan(write(plan, HOURS, asked))
    found = results(run)
    assert [n for n in found if n.startswith("Hours")] == [
        "Hours",
        "Hours: backtest",
        "Hours: prediction errors",
        "Hours: calibration",
        "Hours: review",
    ]
    model, card = found["Hours"], found["Hours: review"]
    assert isinstance(model, perf.Model)
    assert isinstance(card, perf.ModelReview)
    assert model.controllable == ("reviewers",)
    assert model.role("reviewers").subprocess == "Change review"
    assert model.feasible("reviewers") == (1.0, 4.0)
    assert card.is_process_performance_model
    evidence = card.to_frame().set_index("criterion")["evidence"]
    assert "Change review" in evidence["controllable factor"]
    assert "Change review -> Release" in evidence["connects upstream with downstream"]
    assert "size" in evidence["stable data"]
    assert "backtest" in evidence["validated out of sample"]
    calibration = found["Hours: calibration"]
    assert isinstance(calibration, perf.Calibration)
    assert calibration.n_local == int((frame_of(run, "hours")["team"] == "red").sum())
    expected = perf.calibrate(
        model,
        frame_of(run, "hours").query("team == 'red'"),
        prior_n=10,
        group="red",
    )
    assert calibration.calibrated == expected.calibrated


def test_scenarios_take_baselines_and_distributions(plan: Path) -> None:
    asked = """controllable = ["reviewers", "team"]
mean_of = 10
profile = true
sensitivity = true
optimize = true
within = { reviewers = [2, 3] }
[[model.factor]]
name = "size"
controllable = false
baseline = "Sizes now"
[[model.what_if]]
name = "three reviewers"
set = { reviewers = 3 }
[[model.what_if]]
name = "smaller"
set = { size = { distribution = "lognormal", median = 5, sigma = 0.3 }, team = { blue = 0.5, red = 0.5 } }
[[model.what_if]]
name = "as it was"
set = { size = [2, 4, 8], reviewers = 2 }
"""
    found = results(perf.run_plan(write(plan, HOURS, asked)))
    model, now, told = found["Hours"], found["Sizes now"], found["Hours: what if"]
    assert isinstance(model, perf.Model)
    assert isinstance(told, perf.WhatIf)
    expected = model.what_if(
        {
            "three reviewers": {"reviewers": 3},
            "smaller": {
                "size": perf.Distribution.lognormal(median=5, sigma=0.3),
                "team": {"blue": 0.5, "red": 0.5},
            },
            "as it was": {"size": [2, 4, 8], "reviewers": 2},
        },
        today={"size": now},
        mean_of=10,
    )
    assert told == expected
    assert found["Hours: profile"] == model.profile()
    assert found["Hours: sensitivity"] == model.sensitivity(today={"size": now})
    best = found["Hours: optimum"]
    assert best == model.optimize(within={"reviewers": (2, 3)}, today={"size": now})
    assert 2 <= best.settings()["reviewers"] <= 3


def test_levels_that_are_numbers_are_found_by_their_text(plan: Path) -> None:
    table = """
[[model]]
name = "L"
measure = "hours"
formula = "hours ~ C(level)"
controllable = ["level"]
[[model.what_if]]
name = "half and half"
set = { level = { 1 = 0.5, 3 = 0.5 } }
"""
    told = results(perf.run_plan(write(plan, table), only=["L"]))["L: what if"]
    assert isinstance(told, perf.WhatIf)
    assert np.isfinite(told.mean).all()


def test_a_declared_threshold_stands_in_place_of_the_objective(plan: Path) -> None:
    rows = 'predict = [{ size = 5, reviewers = 2, team = "blue" }]\n'
    asked = "at_most = 6\n" + rows + '[[model.what_if]]\nname = "w"\nset = { reviewers = 4 }\n'
    run = perf.run_plan(write(plan, HOURS, asked))
    model = results(run)["Hours"]
    assert isinstance(model, perf.Model)
    new = {"size": [5], "reviewers": [2], "team": ["blue"]}
    table = next(i for i in run.items if i.name == "Hours").extra[0][1]
    assert table["probability"].tolist() == model.probability(new, at_most=6)["probability"].tolist()
    told = results(run)["Hours: what if"]
    assert isinstance(told, perf.WhatIf)
    assert told.at_most == 6
    run = perf.run_plan(write(plan, HOURS, rows))
    table = next(i for i in run.items if i.name == "Hours").extra[0][1]
    assert table["probability"].tolist() == model.probability(new, at_most=12)["probability"].tolist()


def test_selection(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from perfanalytics.plan.analyses import models

    def quick(formula, frame, *, method, measure):
        return perf.select_model(
            formula, frame, method=method, measure=measure, folds=3, repeats=1, permutations=19
        )

    monkeypatch.setattr(models, "select_model", quick)
    run = perf.run_plan(write(plan, HOURS, 'select = "stepwise"\n'), only=["Hours"])
    with perf.Repository.open(run.repository) as repo:
        own = next(m for m in repo.measures() if m.name == "hours")
    formula = "hours ~ log(size) + reviewers + team"
    expected = quick(formula, frame_of(run, "hours"), method="stepwise", measure=own)
    assert results(run)["Hours: selection"] == expected


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ('family = "gaussain"', "did you mean 'gaussian'"),
        ('family = "poisson"\nweights = "lod"', "weights 'lod' is not known; did you mean 'load'"),
        ('groups = "team"', "groups= is for mixed"),
        ('family = "mixed"', "needs groups="),
        ("quantile = 0.9", "quantile= is for family 'quantile'"),
        ('family = "quantile"\nquantile = 1.5', "between 0 and 1"),
        ('family = "mixed"\ngroups = "team"\nerrors = "robust"', "errors of its own"),
        ('family = "gamma"\nselect = "lasso"', "chooses terms of a gaussian model"),
        ('controllable = ["load"]', "controllable 'load' is not known"),
        ("predict = [{ size = 3 }]", "predict 1 does not say what reviewers and team is"),
        ('[[model.factor]]\nname = "load"', "factor 'load' is not known"),
        ('[[model.factor]]\nname = "reviewers"\nlow = 4\nhigh = 1', "feasible range of 'reviewers' is empty"),
        ('[[model.factor]]\nname = "size"\nbaseline = "Hours"', "'Hours' is no [[baseline]] of the plan"),
        ('[[model.what_if]]\nname = "w"\nset = { sise = 3 }', "did you mean 'size'"),
        (
            '[[model.what_if]]\nname = "w"\nset = { size = { distribution = "lognormall", median = 3 } }',
            "did you mean 'lognormal'",
        ),
        (
            '[[model.what_if]]\nname = "w"\nset = { size = { distribution = "normal", sigma = 1 } }',
            "a normal distribution takes mean, sd, not sigma",
        ),
        (
            '[[model.what_if]]\nname = "w"\nset = { size = { distribution = "normal", mean = 3 } }',
            "a normal distribution needs mean, sd",
        ),
        ('[[model.what_if]]\nname = "w"\nset = { team = { blue = "much" } }', "the share of each level"),
        ("today = { sizes = 3 }", "did you mean 'size'"),
        ("optimize = true", "name them in controllable or factor"),
        (
            'controllable = ["reviewers"]\noptimize = true\nwithin = { revs = [1, 2] }',
            "within 'revs' is not known",
        ),
        ('review = true\nstability = ["Hours"]', "'Hours' is no [[baseline]] or [[chart]] of the plan"),
        ('calibrate = { where = { taem = "red" }, prior_n = 5 }', "did you mean 'team'"),
    ],
)
def test_mistakes_are_told_before_anything_runs(plan: Path, asked: str, said: str) -> None:
    found = list(check_plan(read_plan(write(plan, HOURS, asked + "\n"))))
    assert len(found) == 1, found
    assert said in found[0]
    assert found[0].startswith("[[model]] 'Hours'")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("within = { reviewers = [1, 2] }", "within belongs to optimize = true"),
        ('stability = ["Sizes now"]', "stability belongs to review = true"),
        ("mean_of = 5", "mean_of belongs to what_if"),
        (
            'today = { size = 3 }\n[[model.factor]]\nname = "size"\nbaseline = "Sizes now"',
            "both say what size is",
        ),
        ('[[model.what_if]]\nname = "today"\nset = { size = 3 }', "none is called 'today'"),
        ('[[model.what_if]]\nname = "w"', "'set' is missing"),
        ('[[model.factor]]\nname = "size"\nlowest = 3', "key 'lowest' is not known; did you mean 'low'"),
        ('[[model.factor]]\nname = "size"\nsubprocess = "Chang review"', "did you mean 'Change review'"),
        ("calibrate = { prior_n = 0 }", "greater than 0"),
        ('errors = "hc3"', "expected 'classical', 'robust' or 'hac'"),
    ],
)
def test_misuse_is_told_when_the_plan_is_read(plan: Path, asked: str, said: str) -> None:
    import re

    with pytest.raises(perf.PlanError, match=re.escape(said)):
        read_plan(write(plan, HOURS, asked + "\n"))
