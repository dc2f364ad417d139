"""Pareto, distributions, check sheets, changes, candidate causes, FMEA and diagrams of causes in a plan."""

from __future__ import annotations

import pytest

import perfanalytics as perf
from perfanalytics.core.errors import PlanError

HEAD = """
[plan]
name = "desk"
repository = "desk.duckdb"
report = "report.html"

[[source]]
name = "incidents"
file = "incidents.csv"
columns = { opened = "date", hours = "number" }
formats = { opened = "%Y-%m-%d" }
key = "number"

[[measure]]
name = "hours"
source = "incidents"
definition = "Opened to resolved"
unit = "hours"
better = "lower"
scale = "duration"
value = "hours"
when = "opened"
item = "number"
attributes = ["team", "channel"]

[[change]]
name = "New triage"
when = 2024-04-01
what = "First-line triage"

[[causal_analysis]]
name = "CAR-1"
outcome = "Incidents take too long"

[[cause]]
name = "No triage"
analysis = "CAR-1"
category = "Method"
because_of = ["Habit", "No time"]
state = "confirmed"
evidence = "what changed"

[[cause]]
name = "Habit"
analysis = "CAR-1"

[[cause]]
name = "No time"
analysis = "CAR-1"

[[failure_mode]]
name = "Wrong group"
effect = "Hours lost"
cause = "Guessing"
severity = 5
occurrence = 8
detection = 6
"""
ASKED = '''
[[pareto]]
name = "Teams"
measure = "hours"
by = "team"
cost = true

[[group_distributions]]
name = "Teams side by side"
measure = "hours"
by = "team"

[[check_sheet]]
name = "Teams by week"
measure = "hours"
rows = "team"

[[check_sheet]]
name = "Teams by channel"
measure = "hours"
rows = "team"
columns = "channel"

[[what_changed]]
name = "What changed"
measure = "hours"
every = "week"
statistic = "median"

[[candidate_causes]]
name = "Candidates"
measure = "hours"
candidates = ["team", "channel"]

[[fmea]]
name = "Failure modes"

[[cause_effect]]
name = "Diagram"
causal_analysis = "CAR-1"

[[why_tree]]
name = "Why"
text = """
Incidents take too long
  No triage [confirmed: What changed]
    Habit
"""
'''


@pytest.fixture
def folder(tmp_path):
    rows = ["number,opened,hours,team,channel"]
    for day in range(180):
        for k in range(4):
            team = "ABCA"[k]
            hours = (2 + (day * 7 + k * 3) % 5 / 10) * (2 if team == "C" else 1) * (0.5 if day >= 91 else 1)
            date = perf.Series([0.0], when=["2024-01-01"]).when[0].astype("datetime64[D]") + day
            rows.append(f"{day}-{k},{date},{hours:.2f},{team},{'phone' if day % 2 else 'mail'}")
    (tmp_path / "incidents.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def written(folder, text):
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return folder / "plan.toml"


def test_only_what_failed_is_counted(folder):
    table = """
[[pareto]]
name = "Late by team"
measure = "hours"
by = "team"
value = 4.6

[[check_sheet]]
name = "Late sheet"
measure = "hours"
rows = "team"
columns = "channel"
value = 99
"""
    run = perf.run_plan(written(folder, HEAD + table))
    made = {i.name: i for i in run.items}
    late = made["Late by team"].result
    assert late.category.tolist() == ["C"]
    assert "observations of value 4.6" in late.verdict
    assert made["Late sheet"].error == "no item of 'hours' has the value 99"


def test_all_of_it_runs(folder):
    run = perf.run_plan(written(folder, HEAD + ASKED))
    assert [f"{i.name}: {i.error}" for i in run.failures] == []
    results = {i.name: i.result for i in run.items}
    assert results["Teams"].category[0] == "A"
    assert results["Teams"].unit == "hours"
    assert results["Teams side by side"].group.tolist() == ["A", "B", "C"]
    assert results["Teams by week"].counts.shape == (3, 26)
    assert results["Teams by channel"].column.tolist() == ["mail", "phone"]
    assert results["What changed"].recorded.tolist() == ["New triage"]
    assert results["Candidates"].standing.tolist() == ["explains", "nothing shown"]
    assert results["Failure modes"].priority.tolist() == ["high"]
    assert results["Diagram"].name.tolist() == ["No triage", "Habit", "No time"]
    assert results["Why"].effect == "Incidents take too long"
    assert {i.group for i in run.items if i.name in ("Teams", "Why")} == {"Selection of outcomes", "Causes"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('by = "team"\ncost', 'by = "teem"\ncost', "did you mean 'team'"),
        ('rows = "team"\n\n', 'rows = "teams"\n\n', "rows: attribute of hours 'teams'"),
        ('columns = "channel"', 'columns = "channel"\nevery = "week"', "one of the two"),
        ('candidates = ["team"', 'candidates = ["desk"', "candidates: attribute of hours 'desk'"),
        ('causal_analysis = "CAR-1"', 'causal_analysis = "CAR-2"', "CAR-2"),
        ('causal_analysis = "CAR-1"', 'causal_analysis = "CAR-1"\ntext = "a"', "one of the two"),
        ("No triage [confirmed:", "No triage [confirmd:", "did you mean 'confirmed'"),
    ],
)
def test_mistakes_are_told_before_anything_runs(folder, old, new, said):
    assert old in ASKED
    with pytest.raises(PlanError, match=said):
        perf.run_plan(written(folder, HEAD + ASKED.replace(old, new, 1)))
