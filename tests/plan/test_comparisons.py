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


KINDS = """
[[change]]
name = "new triage"
what = "a triage board"
when = 2024-02-10

[[comparison]]
name = "levels"
measure = "hours"
where = { team = "a" }
at = "new triage"
season = "weekday"

[[comparison]]
name = "slopes"
measure = "hours"
kind = "interrupted"
where = { team = "a" }
at = "new triage"
season = "weekday"
options = { primary = "average_effect", transition = 4 }
margin = 1.1
declared_on = 2023-12-01

[[comparison]]
name = "against b"
measure = "hours"
kind = "difference_in_differences"
where = { team = "a" }
comparison_group = { where = { team = "b" } }
at = "new triage"

[[comparison]]
name = "when"
question = "When did it change?"
measure = "hours"
kind = "change_point"
where = { team = "a" }
options = { draws = 199 }
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


def test_a_plan_asks_for_every_kind_of_comparison(folder):
    path = folder / "plan.toml"
    path.write_text(PLAN + KINDS, encoding="utf-8")
    assert list(check_plan(read_plan(path))) == []
    run = perf.run_plan(path)
    results = {item.name: item.result for item in run.items}
    assert all(r is not None for r in results.values()), [item.error for item in run.items]
    kinds = ("comparison", "baseline")
    assert {name: r.method.name for name, r in results.items() if r.kind in kinds} == {
        "levels": "ar1_level_change",
        "slopes": "interrupted_time_series",
        "against b": "difference_in_differences",
        "when": "change_point",
    }
    assert results["levels"].method.parameters["season"] == "weekday"
    slopes = results["slopes"]
    assert (slopes.primary.quantity, slopes.method.parameters["transition"]) == ("average_effect", 4)
    assert slopes.method.parameters["season"] == "weekday"
    assert results["against b"].primary.high < 0.7
    assert results["when"].question == "When did it change?"
    assert results["when"].course.earliest <= 40 <= results["when"].course.latest


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("transition = 4", "transitions = 4", "did you mean 'transition'?"),
        ("draws = 199", "draws = 50", "at least 199"),
        ('"average_effect"', '"average"', "option 'primary' of interrupted"),
        ('{ where = { team = "b" } }', '{ where = { tem = "b" } }', "comparison_group: attribute of hours"),
        ('season = "weekday"', 'season = "weekday"\nmethod = "welch"', "season works with method"),
    ],
)
def test_mistakes_of_a_kind_are_told(folder, old, new, told):
    path = folder / "plan.toml"
    text = PLAN + KINDS
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert told in "\n".join(check_plan(read_plan(path)))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "interrupted"', 'kind = "interupted"', "kind"),
        ('kind = "interrupted"', 'kind = "interrupted"\norder = "time"', "about one series"),
        ('kind = "change_point"', 'kind = "change_point"\nmargin = 2.0', "searches for the date"),
        ('kind = "difference_in_differences"\n', "", "belong together"),
        ('at = "new triage"\nseason = "weekday"\noptions', "options", "needs at"),
        ('season = "weekday"', 'season = "weekday"\norder = "none"', "in order of time"),
    ],
)
def test_what_does_not_go_with_a_kind(folder, old, new, told):
    path = folder / "plan.toml"
    text = PLAN + KINDS
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlanError, match=told):
        read_plan(path)


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
