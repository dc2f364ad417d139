"""What [[gauge_study]] and [[agreement]] tables ask for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

ROOT = Path(__file__).parents[2]
SAID = {
    "Ann": ["bug", "bug", "wish", "question", "bug", "wish", "bug", "question", "wish", "bug"],
    "Bob": ["bug", "wish", "wish", "question", "bug", "wish", "bug", "bug", "wish", "bug"],
    "Cem": ["bug", "bug", "wish", "question", "bug", "bug", "bug", "question", "wish", "wish"],
}
PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
[[source]]
name = "counts"
file = "counts.csv"
columns = { size_points = "number", turn = "integer" }
key = ["package", "counter", "turn"]
[[measure]]
name = "size_points"
source = "counts"
definition = "Size of a work package by the counting rules"
unit = "points"
better = "unknown"
scale = "positive"
value = "size_points"
when = "date '2024-03-01'"
item = "package"
attributes = ["package", "counter", "turn"]
[[source]]
name = "labels"
file = "labels.csv"
key = ["ticket", "who"]
[[measure]]
name = "labels"
source = "labels"
definition = "Class given to a ticket by one person"
unit = "1"
better = "unknown"
scale = "count"
value = "1"
when = "date '2024-03-01'"
item = "ticket"
attributes = ["ticket", "who", "class"]
[[gauge_study]]
name = "counting sizes"
question = "Do two people count the same size?"
measure = "size_points"
part = "item"
operator = "counter"
replicate = "turn"
tolerance = 30
[[agreement]]
name = "classes"
measure = "labels"
rater = "who"
rating = "class"
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "counts.csv").write_bytes((ROOT / "sample_data" / "size_counts.csv").read_bytes())
    rows = [f"T{k:02},{who},{said}" for who, given in SAID.items() for k, said in enumerate(given)]
    (tmp_path / "labels.csv").write_text("\n".join(["ticket,who,class", *rows]) + "\n", encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(PLAN, encoding="utf-8")
    return path


def test_a_plan_asks_whether_measuring_can_be_trusted(plan: Path) -> None:
    run = perf.run_plan(plan, report_to=plan.parent / "r.html")
    assert not run.failures
    items = {i.name: i for i in run.items}
    study, kappa = items["counting sizes"].result, items["classes"].result
    direct = perf.gauge_study(
        pd.read_csv(ROOT / "sample_data" / "size_counts.csv"),
        value="size_points",
        part="package",
        operator="counter",
        tolerance=30,
    )
    assert study.variance.tolist() == pytest.approx(direct.variance.tolist(), rel=1e-12)
    assert study.measure.unit == "points"
    assert kappa.value == pytest.approx(perf.agreement(SAID).value, rel=1e-12)
    assert items["classes"].group == "Measurement systems"
    assert items["counting sizes"].question
    # what was saved is what was found
    with perf.Repository.open(plan.parent / "r.duckdb") as repo:
        assert repo.result("counting sizes") == study
        assert repo.result("classes") == kappa


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('operator = "counter"', 'operator = "countr"', "did you mean 'counter'"),
        ('rating = "class"', 'rating = "klass"', "did you mean 'class'"),
        ('rater = "who"', 'rater = "item"', "rater: attribute of labels 'item' is not known"),
    ],
)
def test_mistakes_are_told(plan: Path, right: str, wrong: str, said: str) -> None:
    plan.write_text(PLAN.replace(right, wrong), encoding="utf-8")
    told = " ".join(check_plan(read_plan(plan)))
    assert said in told
    assert "[[gauge_study]]" in told or "[[agreement]]" in told


def test_unknown_methods_are_mistakes_of_form(plan: Path) -> None:
    plan.write_text(PLAN + 'method = "fleis"\n', encoding="utf-8")
    with pytest.raises(perf.PlanError, match="fleiss"):
        read_plan(plan)
