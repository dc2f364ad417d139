"""The list of analyses and the plan agree, so that adding an analysis takes one place."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from perfanalytics.cli import cli
from perfanalytics.plan.analyses import ANALYSES, kind_of
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.tables import Analysis


def test_every_analysis_of_the_list_is_a_field_of_the_plan_and_the_other_way_round():
    fields = {
        name: field.annotation.__args__[0]
        for name, field in Plan.model_fields.items()
        if getattr(field.annotation, "__args__", ()) and issubclass(field.annotation.__args__[0], Analysis)
    }
    assert fields == {kind.key: kind.table for kind in ANALYSES}


def test_kinds_are_told_apart():
    for of in ("key", "many", "table"):
        named = [getattr(kind, of) for kind in ANALYSES]
        assert len(set(named)) == len(named)


@pytest.mark.parametrize("kind", ANALYSES, ids=lambda kind: kind.key)
def test_a_table_finds_its_kind(kind):
    assert kind_of(kind.table.model_construct(name="a")) is kind


def test_the_plan_lists_its_analyses_in_the_order_of_the_list():
    raw = {"plan": {"name": "p"}}
    for kind in reversed(ANALYSES):
        raw[kind.key] = [kind.table.model_construct(name=kind.key)]
    assert [table.name for table in Plan.model_construct(**raw).analyses()] == [k.key for k in ANALYSES]


def test_check_counts_what_the_plan_asks_for(tmp_path):
    text = """
[plan]
name = "p"
[[source]]
name = "s"
file = "s.csv"
columns = { day = "date", v = "number" }
formats = { day = "%Y-%m-%d" }
[[measure]]
name = "m"
source = "s"
definition = "d"
unit = "h"
better = "lower"
scale = "duration"
value = "v"
when = "day"
[[baseline]]
name = "one"
measure = "m"
[[baseline]]
name = "two"
measure = "m"
[[drift]]
name = "three"
measure = "m"
baseline = "one"
"""
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    told = CliRunner().invoke(cli, ["check", str(tmp_path / "plan.toml")])
    assert told.exit_code == 0, told.output
    assert "1 source, 1 measure, 0 objectives, 2 baselines, 1 drift check\n" in told.output


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("gauge studies", "gauge study"),
        ("capability analyses", "capability analysis"),
        ("containment matrices", "containment matrix"),
        ("forecasts of queues", "forecast of queues"),
        ("baselines", "baseline"),
    ],
)
def test_one_is_counted_in_the_singular(many, one):
    from perfanalytics.cli import _counted

    assert (_counted(1, many), _counted(2, many)) == (f"1 {one}", f"2 {many}")
