"""Entries of the catalogue as the text of a measurement plan."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.practices.catalogue.bindings import Binding, measure_table
from perfanalytics.practices.catalogue.entry import CatalogueEntry

_HEAD = """\
# A measurement plan with measures of the catalogue. Review and version it like code.
#   perfanalytics check PLAN      checks it
#   perfanalytics run PLAN        loads the data, does every analysis, writes the report
# What is called otherwise with you: change the columns of the sources and the expressions of the measures.

[plan]
name = {name}
repository = {repository}
report = {report}
by = "measurement group"

# A chart that serves no objective says so. Declare yours before looking at the data; name it in the charts:
# [[objective]]
# name = "..."
# measure = {first}
# statistic = "item"        # each item; or mean, median, share, p90 ...
# target = 0
# direction = "at_most"     # or at_least
# serves = "the business objective behind it"
# declared_on = 2025-01-15
"""


def plan_text(
    entries: Sequence[CatalogueEntry], bindings: Mapping[str, Binding], *, name: str, proposed: bool
) -> str:
    """A plan with the entries, their charts and baselines.

    Parameters
    ----------
    entries : sequence of CatalogueEntry
    bindings : mapping of kind of record to Binding
    name : str
        What the plan is called.
    proposed : bool
        True where the sources are those the catalogue proposes: their columns are then explained.
    """
    head = _HEAD.format(
        name=_toml(name),
        repository=_toml(f"{name}.duckdb"),
        report=_toml(f"{name}.html"),
        first=_toml(entries[0].name),
    )
    used: dict[str, list[CatalogueEntry]] = {}
    for entry in entries:
        used.setdefault(bindings[entry.record.name].source["name"], []).append(entry)
    parts = [head]
    parts += [
        _source(bindings[of_source[0].record.name].source, of_source, proposed=proposed)
        for of_source in used.values()
    ]
    parts += [_entry(e, bindings[e.record.name]) for e in entries]
    return "\n".join(parts)


def _source(table: Mapping[str, Any], entries: Sequence[CatalogueEntry], *, proposed: bool) -> str:
    lines: list[str] = []
    if proposed:
        kind = entries[0].record
        lines.append(f"# {kind.row}; dates are ISO 8601 unless formats = says otherwise. Columns it needs:")
        lines += [
            f"#   {c.name} ({c.type}): {c.definition}" for c in kind.columns if c.name in table["columns"]
        ]
    durations = table.get("duration", [])
    lines.append(_table("source", {k: v for k, v in table.items() if k != "duration"}))
    lines += ["\n" + _table("source.duration", d) for d in durations]
    return "\n".join(lines).rstrip("\n") + "\n"


def _entry(entry: CatalogueEntry, binding: Binding) -> str:
    advice = entry.advice
    notes = [
        f"--- {entry.title} " + "-" * max(3, 90 - len(entry.title)),
        f"Formula: {entry.formula}{', item by item' if entry.each else ''}",
        *(f"  {b.name}: {b.definition}" for b in entry.base),
        *textwrap.wrap(f"Traps: {entry.traps}", 105),
    ]
    after = f"Baseline: {advice.baseline_told}. Model: perf.{advice.model}, likely factors: "
    after += ", ".join(advice.factors)
    if advice.controllable:
        after += f"; controllable: {', '.join(advice.controllable)}"
    return "\n".join(
        [
            *(f"# {n}" for n in notes),
            _table("measure", measure_table(entry, binding)),
            _table("chart", {"name": entry.title, "measure": entry.name, **advice.chart}),
            *([] if advice.of_chart else [_table("baseline", _baseline(entry))]),
            "".join(f"# {line}\n" for line in textwrap.wrap(after, 105)),
        ]
    )


def _baseline(entry: CatalogueEntry) -> dict[str, Any]:
    """The ``[[baseline]]`` table. A family that is the default of the scale is not asked for by name: then
    values it cannot hold (a duration of 0) cost the fit and not the baseline."""
    advice = entry.advice
    table = {"name": f"{entry.title}: baseline", "measure": entry.name, **advice.baseline}
    usual = "lognormal" if entry.scale in LOG_SCALES else ""
    return table if advice.distribution in ("", usual) else table | {"distribution": advice.distribution}


def _table(key: str, values: Mapping[str, Any]) -> str:
    lines = [f"[[{key}]]", *(f"{_key(k)} = {_toml(v)}" for k, v in values.items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else json.dumps(name, ensure_ascii=False)


def _toml(value: Any) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return str(value)
