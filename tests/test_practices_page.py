"""Every name in docs/practices.md exists, every practice has its row, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import perfanalytics as perf
from perfanalytics.cli import cli
from perfanalytics.core.kinds import KINDS, class_of
from perfanalytics.figures.plot import FIGURES
from perfanalytics.plan.plan import Plan

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "practices.md").read_text(encoding="utf-8")
COLUMNS = ["practice", "functions", "plan and commands", "figures", "records", "example"]
#: Specific practices of CMMI-SVC V1.3.
PRACTICES = {
    "OPP": ["1.1", "1.2", "1.3", "1.4", "1.5"],
    "QWM": ["1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3"],
    "CAR": ["1.1", "1.2", "2.1", "2.2", "2.3"],
    "OPM": ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3"],
    "MA": ["1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "2.4"],
}


def tables() -> dict[str, list[list[str]]]:
    """Process area -> the rows of its table."""
    found: dict[str, list[list[str]]] = {}
    area = ""
    for line in TEXT.splitlines():
        if line.startswith("## "):
            area = line[3:].partition(":")[0]
        elif line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == len(COLUMNS), line
            if cells != COLUMNS:
                found.setdefault(area, []).append(cells)
    return found


ROWS = [pytest.param(row, id=f"{area} {row[0][:3]}") for area, rows in tables().items() for row in rows]


def names(cell: str) -> list[str]:
    """What stands in code marks; every entry of these columns does."""
    found = re.findall(r"`([^`]+)`", cell)
    assert re.sub(r"`[^`]+`|[, ]", "", cell) == "", cell
    assert found, "a practice that nothing supports"
    assert len(set(found)) == len(found), f"named twice: {cell}"
    return found


def test_every_practice_has_its_row():
    assert {area: [row[0].split()[0] for row in rows] for area, rows in tables().items()} == PRACTICES


@pytest.mark.parametrize("row", ROWS)
def test_functions_exist(row):
    for name in names(row[1]):
        head, first, *rest = name.split(".")
        assert head == "perf"
        assert first in perf.__all__, name
        found = getattr(perf, first)
        for part in rest:
            found = getattr(found, part, None)
        assert found is not None, name


@pytest.mark.parametrize("row", ROWS)
def test_tables_and_commands_exist(row):
    for name in names(row[2]):
        table = re.fullmatch(r"\[{1,2}(\w+)\]{1,2}", name)
        if table:
            assert table[1] in Plan.model_fields, name
        else:
            program, command = name.split()
            assert program == "perfanalytics"
            assert command in cli.commands, name


@pytest.mark.parametrize("row", ROWS)
def test_figures_and_records_exist(row):
    for name in names(row[3]):
        assert name in FIGURES, name
    for name in names(row[4]):
        assert name in KINDS, name
        assert class_of(name).kind == name


@pytest.mark.parametrize("row", ROWS)
def test_examples_lead_to_a_section(row):
    links = re.findall(r"\[[^\]]+\]\(([^)]+)\)", row[5])
    assert links
    for link in links:
        page, _, anchor = link.partition("#")
        text = (DOCS / page).read_text(encoding="utf-8")
        heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}
        assert not anchor or anchor in anchors, link


def test_every_practice_result_of_the_package_is_on_the_page():
    """What the practices compute stands in a table: nothing is built that supports no practice."""
    told = {name for rows in tables().values() for row in rows for name in names(row[4])}
    parts = {"effect_side", "effect_benefit", "effect_on_objective", "causal_table", "causal_source"}
    made = {kind for kind, where in KINDS.items() if where.startswith("perfanalytics.practices.")}
    assert made - parts - told == set(), "name them in docs/practices.md"
