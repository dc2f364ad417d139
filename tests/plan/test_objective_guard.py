"""A chart that traces to no objective says so; only the plan can know."""

from __future__ import annotations

import pytest

import perfanalytics as perf
from perfanalytics.plan.running import run_plan

PLAN = """
[plan]
name = "p"
repository = "r.duckdb"
report = "report.html"
[[source]]
name = "s"
file = "s.csv"
key = "id"
columns = { day = "date", v = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "real"
value = "v"
when = "day"
item = "id"
[[objective]]
name = "fast"
measure = "m"
target = 12
direction = "at_most"
[[chart]]
name = "traced"
measure = "m"
objective = "fast"
[[chart]]
name = "untraced"
measure = "m"
"""


@pytest.fixture
def folder(tmp_path):
    rows = [f"{k},2024-01-{k + 1:02d},{10 + k % 3}" for k in range(30)]
    (tmp_path / "s.csv").write_text("id,day,v\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "plan.toml").write_text(PLAN, encoding="utf-8")
    return tmp_path


def test_a_chart_without_an_objective(folder):
    run_plan(folder / "plan.toml")
    with perf.Repository.open(folder / "r.duckdb", read_only=True) as repo:
        traced, untraced = (repo.result(name) for name in ("traced", "untraced"))
    assert "no-objective" not in traced.caveat_codes
    assert untraced.caveat_codes[-1] == "no-objective"
    assert untraced.caveats[-1].evidence == {"chart": "untraced"}
