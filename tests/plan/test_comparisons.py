"""Comparisons of a plan: options of a method, strata, groups."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import PlanError
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.reading import read_plan

PLAN = """
[plan]
name = "p"
repository = "p.duckdb"
report = "p.html"

[[source]]
name = "tickets"
file = "tickets.csv"
key = ["id"]
columns = { id = "integer", day = "date", hours = "number", team = "text", tier = "text" }
formats = { day = "%Y-%m-%d" }

[[measure]]
name = "hours"
source = "tickets"
definition = "elapsed"
unit = "h"
better = "lower"
scale = "duration"
value = "hours"
when = "day"
item = "id"
attributes = { team = "team", tier = "tier" }
"""
WAYS = """
[[comparison]]
name = "one"
measure = "hours"
at = 2024-02-10
order = "none"
method = "permutation"
options = { permutations = 199 }

[[comparison]]
name = "strata"
measure = "hours"
at = 2024-02-10
order = "none"
by = "team"
adjust = "hochberg"

[[comparison]]
name = "spans"
measure = "hours"
before = { until = 2024-02-10 }
after = { since = 2024-02-10 }
order = "none"
by = ["team"]

[[comparison]]
name = "teams"
measure = "hours"
groups = "team"

[[comparison]]
name = "both"
measure = "hours"
groups = ["team", "tier"]
method = "two_way"
options = { type = "3" }
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(4)
    days = np.datetime64("2024-01-01") + np.arange(80)
    rows = ["id,day,hours,team,tier"]
    for i, day in enumerate(np.repeat(days, 6)):
        team = "abc"[i % 3]
        factor = (0.5 if team == "a" and day >= np.datetime64("2024-02-10") else 1.0) * (
            2 if team == "c" else 1
        )
        rows.append(f"{i},{day},{factor * np.exp(rng.normal(2, 0.4)):.3f},{team},{'xy'[(i // 3) % 2]}")
    (tmp_path / "tickets.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_a_plan_compares_strata_and_groups(folder):
    path = folder / "plan.toml"
    path.write_text(PLAN + WAYS, encoding="utf-8")
    assert list(check_plan(read_plan(path))) == []
    run = perf.run_plan(path)
    results = {item.name: item.result for item in run.items}
    assert all(r is not None for r in results.values()), [item.error for item in run.items]
    assert results["one"].method.name == "permutation"
    assert "199 random arrangements" in results["one"].primary.method
    assert results["strata"].kind == "comparisons"
    assert results["strata"].adjust == "hochberg"
    assert results["strata"].differs.tolist() == [True, False, False]
    assert results["spans"].p_value.tolist() == results["strata"].p_value.tolist()
    assert results["teams"].method.name == "welch_anova"
    assert [g.name for g in results["teams"].groups] == ["a", "b", "c"]
    assert results["teams"].outcome == "detected"
    assert results["both"].method.parameters["type"] == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("permutations = 199", "permutation = 199", "did you mean 'permutations'?"),
        ('method = "permutation"\n', "", "options belong to a method"),
        ('by = "team"', 'by = "tem"', "by: attribute of hours 'tem' is not known"),
        ('groups = "team"', 'groups = "tea"', "groups: attribute of hours 'tea' is not known"),
        ('groups = "team"', 'groups = "team"\nmethod = "welch"', "method 'welch' is not known"),
        ('groups = "team"', 'groups = "team"\npost_hoc = "dun"', "did you mean 'dunn'?"),
        ('type = "3"', 'type = "4"', "option 'type' of two_way"),
    ],
)
def test_mistakes_are_told(folder, old, new, told):
    path = folder / "plan.toml"
    text = PLAN + WAYS
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert told in "\n".join(check_plan(read_plan(path)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('groups = "team"', 'groups = "team"\nat = 2024-02-10', "give either at"),
        ('groups = "team"', 'groups = "team"\nevery = "week"', "single observations"),
        ('by = "team"', 'by = "team"\npost_hoc = "dunn"', "belong to groups"),
    ],
)
def test_what_does_not_go_together(folder, old, new, told):
    path = folder / "plan.toml"
    path.write_text((PLAN + WAYS).replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlanError, match=told):
        read_plan(path)
