from __future__ import annotations

from pathlib import Path

import pytest

from perfanalytics.core.errors import PlanError
from perfanalytics.plan.reading import read_plan

ROOT = Path(__file__).parents[2]
PLANS = [
    ROOT / "sample_data" / "plan.toml",
    ROOT / "examples" / "servicenow" / "plan.toml",
    ROOT / "perfanalytics" / "plan" / "template.toml",
]
MINIMAL = """
[plan]
name = "p"
[[source]]
name = "s"
file = "s.csv"
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "duration"
value = "v"
when = "t"
[[chart]]
name = "c"
measure = "m"
"""


def mistakes(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as caught:
        read_plan(path)
    return str(caught.value)


@pytest.mark.parametrize("path", PLANS, ids=lambda p: p.parent.name)
def test_the_plans_of_this_repository_are_valid(path):
    assert read_plan(path).analyses()


def test_a_minimal_plan_is_enough(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    assert read_plan(path).measure[0].name == "m"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'better = "lower"',
            'bettr = "lower"',
            "[[measure]] 1 'm': key 'bettr' is not known; did you mean 'better'?",
        ),
        ('better = "lower"', "", "[[measure]] 1 'm': key 'better' is missing"),
        ('scale = "duration"', 'scale = "durations"', "did you mean 'duration'?"),
        (
            'measure = "m"',
            'measure = "mm"',
            "[[chart]] 'c': measure = 'mm' is not declared; did you mean 'm'?",
        ),
        ('source = "s"', 'source = "ss"', "[[measure]] 'm': source = 'ss' is not declared"),
        ('name = "c"', 'name = "c"\nevery = "wek"', "did you mean 'week'?"),
        ('name = "c"', 'name = "c"\nstages = ["x"]', "stages = 'x' is not declared"),
        ("[[chart]]", "[[chrt]]", "did you mean 'chart'?"),
        ('when = "t"', 'when = "t"\nvalid = [1]', "a valid range has two ends"),
        ('file = "s.csv"', 'file = "s.csv"\nmax_rejected = 2', "key 'max_rejected'"),
        ('[plan]\nname = "p"', "", "key 'plan' is missing"),
        ("[plan]", "[plan", "not valid TOML"),
    ],
)
def test_a_mistake_is_told_with_table_key_and_hint(tmp_path, old, new, expected):
    told = mistakes(
        tmp_path, MINIMAL.replace(old, new, 1) if old != 'measure = "m"' else MINIMAL.replace(old, new)
    )
    assert expected in told
    assert told.startswith("plan.toml: ")


def test_all_mistakes_are_told_at_once(tmp_path):
    told = mistakes(
        tmp_path, MINIMAL.replace('better = "lower"', 'bettr = "lower"').replace('"duration"', '"durations"')
    )
    assert len(told.splitlines()) == 3


def test_a_comparison_needs_its_two_sides(tmp_path):
    for sides in ("", "at = 2024-01-01\nbefore = {}\nafter = {}", "before = {}"):
        told = mistakes(tmp_path, MINIMAL + f'[[comparison]]\nname = "x"\nmeasure = "m"\n{sides}\n')
        assert "give either at" in told


def test_names_are_used_once(tmp_path):
    assert "is used twice" in mistakes(tmp_path, MINIMAL + '[[source]]\nname = "s"\nfile = "t.csv"\n')
    assert "two analyses are called 'c'" in mistakes(
        tmp_path, MINIMAL + '[[baseline]]\nname = "c"\nmeasure = "m"\n'
    )


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(PlanError, match="perfanalytics init"):
        read_plan(tmp_path / "none.toml")
