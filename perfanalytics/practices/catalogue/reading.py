"""The texts of the catalogue -> entries."""

from __future__ import annotations

import math
import tomllib
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from perfanalytics.practices.catalogue.entry import (
    Advice,
    BaseMeasure,
    CatalogueEntry,
    Column,
    RecordKind,
    Trace,
    names_in,
)

DATA = Path(__file__).parent / "data"
#: Files of the areas, in the order of the catalogue.
AREAS = (
    "incidents",
    "requests",
    "problems",
    "changes",
    "releases",
    "availability",
    "capacity",
    "continuity",
    "service_level",
    "satisfaction",
    "suppliers",
    "security",
    "cost",
    "effort_and_defects",
)


@lru_cache(maxsize=1)
def entries() -> tuple[CatalogueEntry, ...]:
    """All entries, area by area. Read once."""
    kinds = {r["name"]: _kind(r) for r in _toml("records")["record"]}
    files = {area: _toml(area) for area in AREAS}
    base = {
        b["name"]: BaseMeasure(
            name=b["name"],
            definition=b["definition"],
            record=kinds[b["record"]],
            value=b["value"],
            where=b.get("where", ""),
        )
        for file in files.values()
        for b in file["base"]
    }
    return tuple(_entry(m, file["area"], base) for file in files.values() for m in file["measure"])


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


def _kind(table: dict[str, Any]) -> RecordKind:
    key = table["key"]
    return RecordKind(
        name=table["name"],
        row=table["row"],
        key=(key,) if isinstance(key, str) else tuple(key),
        attributes=tuple(table["attributes"]),
        columns=tuple(Column(name, c["type"], c["definition"]) for name, c in table["columns"].items()),
    )


def _entry(table: dict[str, Any], area: str, base: dict[str, BaseMeasure]) -> CatalogueEntry:
    baseline = dict(table["baseline"])
    model = table["model"]
    valid = table.get("valid")
    return CatalogueEntry(
        name=table["name"],
        title=table["title"],
        area=area,
        definition=table["definition"],
        unit=table["unit"],
        per=table.get("per", ""),
        better=table["better"],
        scale=table["scale"],
        formula=table["formula"],
        each=table.get("each", False),
        base=tuple(base[n] for n in names_in(table["formula"])),
        when=table["when"],
        start=table.get("start", ""),
        known=table.get("known", ""),
        valid=None if valid is None else (float(valid[0]), math.inf if math.isinf(valid[1]) else valid[1]),
        advice=Advice(
            percentiles=tuple(baseline.pop("percentiles", ())),
            distribution=baseline.pop("distribution", ""),
            of_chart=baseline.pop("of_chart", False),
            chart=MappingProxyType(table["chart"]),
            baseline=MappingProxyType(baseline),
            model=model["kind"],
            factors=tuple(model["factors"]),
            controllable=tuple(model["controllable"]),
        ),
        traps=table["traps"],
        trace=Trace(
            practices=tuple(table["practices"]),
            clauses=tuple(table["clauses"]),
            processes=tuple(table["processes"]),
            itil=tuple(table["itil"]),
        ),
        keywords=tuple(table["keywords"]),
    )
