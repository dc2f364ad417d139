"""Write the tables of docs/catalogue.md from the catalogue itself; a test checks that they are its newest."""

from __future__ import annotations

import sys
from pathlib import Path

import perfanalytics as perf

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "catalogue.md"
BEGIN, END = "<!-- tables: scripts/write_catalogue_page.py -->\n", "<!-- end of tables -->\n"


def tables() -> str:
    """Counts, then a table for each area."""
    every = perf.catalogue()
    lacking = every.missing(ROOT / "sample_data" / "catalogue.toml")
    bases = {b.name for e in every for b in e.base}
    lines = [
        f"{len(every)} measures in {len(every.areas)} areas, computed from {len(bases)} base measures. On "
        f"the sample data {len(every) - len(lacking)} run through their recommended chart; {len(lacking)} "
        "say which base measure is missing (marked with †).",
    ]
    for area in every.areas:
        lines += [
            "",
            f"### {area}",
            "",
            "| measure | formula | chart | CMMI-SVC | clauses | processes |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for e in (e for e in every if e.area == area):
            chart = e.advice.chart
            drawn = f"{chart['chart']}, {chart.get('every') or chart.get('subgroups') or 'item by item'}"
            cells = (
                f"`{e.name}`{' †' if e.name in lacking else ''}: {e.title.lower()}",
                f"`{e.formula}`",
                drawn,
                ", ".join(e.trace.practices),
                ", ".join(e.trace.clauses),
                ", ".join(e.trace.processes),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with its tables made new."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.relative_to(ROOT)}\n")
