from __future__ import annotations

from dataclasses import fields

import pytest

import perfanalytics as perf
from perfanalytics.core.errors import PlanError
from perfanalytics.plan import objects, practice_tables
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.practice_records import RECORDS, practice_records
from perfanalytics.plan.reading import read_plan

BASE = """
[plan]
name = "p"
repository = "r.duckdb"

[[process]]
name = "Resolution"

[[source]]
name = "hours"
file = "hours.csv"
columns = { day = "date", hours = "number" }
formats = { day = "%Y-%m-%d" }

[[measure]]
name = "hours"
source = "hours"
definition = "Elapsed hours"
unit = "hours"
better = "lower"
scale = "duration"
value = "hours"
when = "day"

[[objective]]
name = "fast"
measure = "hours"
target = 10
direction = "at_most"
serves = "Quick service"

[[chart]]
name = "Hours"
measure = "hours"
objective = "fast"
question = "Stable?"

[[change]]
name = "triage"
when = 2024-02-01
what = "new triage"
"""
PRACTICES = """
[[business_objective]]
name = "Quick service"

[[work]]
name = "Desk"
where = { team = ["A", "B"] }
objectives = ["fast"]
subprocesses = ["Resolution"]
derived = { fast = "What drives it?" }
least_probability = 0.8

[[risk]]
name = "late"
what = "too late"
objective = "fast"
work = "Desk"

[[causal_analysis]]
name = "CAR-1"
outcome = "slow week"
measure = "hours"
subprocess = "Resolution"

[[cause]]
name = "slow"
analysis = "CAR-1"

[[cause]]
name = "no triage"
analysis = "CAR-1"
because_of = "slow"

[[failure_mode]]
name = "lost call"
effect = "late"
cause = "no log"
severity = 7
occurrence = 3
detection = 5

[[proposal]]
name = "bot"
originator = "ana"
outcome = "faster"
analysis = "CAR-1"

[[success_criterion]]
name = "a tenth"
proposal = "bot"
measure = "hours"
least_ratio = 0.9
declared_on = 2024-01-15

[[pilot]]
name = "trial"
proposal = "bot"
measure = "hours"
since = 2024-02-01
until = 2024-03-01

[[deployment]]
name = "stage 1"
proposal = "bot"
since = 2024-04-01

[[action]]
name = "train"
what = "train the desk"
change = "triage"
analysis = "CAR-1"

[[decision]]
name = "go"
what = "roll out"
who = "board"
decided_on = 2024-03-15

[[review]]
name = "q1"
subject = "Desk"
held_on = 2024-04-01
"""


@pytest.fixture
def plan_file(tmp_path):
    def write(text):
        path = tmp_path / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_table_of_the_practices_becomes_its_record(plan_file):
    plan = read_plan(plan_file(BASE + PRACTICES))
    assert not list(check_plan(plan))
    made = practice_records(plan)
    assert {r.kind for r in made} == set(RECORDS)
    work = next(r for r in made if r.kind == "work")
    assert work.where == {"team": ("A", "B")}
    assert work.least_probability == 0.8
    assert next(r for r in made if r.name == "no triage").because_of == "slow"


@pytest.mark.parametrize("key", RECORDS)
def test_a_table_has_the_fields_of_its_record(key):
    table = practice_tables.PracticeTables.model_fields[key].annotation.__args__[0]
    assert set(table.model_fields) == {f.name for f in fields(RECORDS[key]) if f.init}


def test_the_plan_is_on_record_with_what_each_analysis_serves(plan_file, tmp_path):
    plan = read_plan(plan_file(BASE + PRACTICES))
    with perf.Repository.open(tmp_path / "r.duckdb") as repo:
        repo.declare(*objects.records(plan))
        assert repo.records("planned_analysis") == (
            perf.PlannedAnalysis(
                "Hours", what="chart", measure="hours", objective="fast", question="Stable?"
            ),
        )
        assert repo.archive().get("action", "train").change == "triage"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('analysis = "CAR-1"\n\n[[decision]]', 'analysis = "CAR-2"\n\n[[decision]]', "did you mean 'CAR-1'"),
        (
            'change = "triage"',
            'change = "triag"',
            r"'train': change = 'triag' is not declared",
        ),
        ('because_of = "slow"', 'because_of = "sloe"', "did you mean 'slow'"),
        ('objectives = ["fast"]', 'objectives = ["fest"]', "did you mean 'fast'"),
        ("severity = 7", "severity = 17", "severity"),
        ('subject = "Desk"', 'subjekt = "Desk"', "did you mean 'subject'"),
        ('name = "slow"', 'name = "no triage"', "used twice"),
    ],
)
def test_a_mistake_is_told_with_table_key_and_the_nearest_name(plan_file, old, new, said):
    assert old in BASE + PRACTICES
    with pytest.raises(PlanError, match=said):
        read_plan(plan_file((BASE + PRACTICES).replace(old, new)))


def test_a_record_that_makes_no_sense_is_a_mistake_of_the_plan(plan_file):
    text = (BASE + PRACTICES).replace("until = 2024-03-01", "until = 2024-01-01")
    assert [m for m in check_plan(read_plan(plan_file(text))) if "[[pilot]] 'trial'" in m and "ends" in m]
    text = (BASE + PRACTICES).replace("least_ratio = 0.9", "")
    assert [m for m in check_plan(read_plan(plan_file(text))) if "exactly one of" in m]
