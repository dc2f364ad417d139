"""Which saved results belong to a causal analysis: named by its records, or about its measure and scope."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perfanalytics.comparisons.known_correlation import DAYS
from perfanalytics.core.archive import Archive, Saved
from perfanalytics.core.improvement_records import CausalAnalysis, Cause
from perfanalytics.core.records import PlannedAnalysis
from perfanalytics.core.result import Caveat
from perfanalytics.practices.car.causal_review import CausalSource, CausalTable
from perfanalytics.practices.car.causal_search import causes_of
from perfanalytics.practices.on_record import day

#: Kinds of results that say of which causal analysis they are.
OF_AN_ANALYSIS = ("cause_effect", "why_tree", "fmea")


@dataclass(frozen=True, slots=True)
class Section:
    """What a section says, shows and lacks."""

    says: str
    tables: tuple[CausalTable, ...] = ()
    sources: tuple[CausalSource, ...] = ()
    doubts: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A causal analysis with what is on record around it."""

    archive: Archive
    analysis: CausalAnalysis
    causes: tuple[Cause, ...]
    planned: dict[str, PlannedAnalysis] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: Archive, name: str) -> Case:
        """The case of a name.

        Raises
        ------
        UnknownNameError
        """
        analysis: CausalAnalysis = archive.get("causal_analysis", name)
        planned = {p.name: p for p in archive.of_kind("planned_analysis")}
        return cls(archive, analysis, causes_of(archive, name), planned)

    @property
    def first(self) -> dt.date | None:
        """First day of the scope."""
        return None if self.analysis.since is None else day(self.analysis.since)

    @property
    def last(self) -> dt.date | None:
        """Last day of the scope."""
        return None if self.analysis.until is None else day(self.analysis.until)

    def saved(self, *kinds: str) -> list[tuple[Saved, str]]:
        """Saved results of these kinds that belong here, each with the reason; those named first."""
        found = []
        for entry in self.archive.saved_of(*kinds):
            why = self.why(entry)
            if why:
                found.append((entry, why))
        order = ("named", "its own", "same measure")
        return sorted(found, key=lambda f: next(k for k, o in enumerate(order) if f[1].startswith(o)))

    def why(self, entry: Saved) -> str:
        """Why a saved result belongs to the analysis; "" where it does not."""
        named = self.named_in(entry.name)
        if named:
            return f"named in {named}"
        if self.analysis.name in entry.name or self._drawn_for(entry):
            return "its own"
        measure = self.analysis.measure
        planned = self.planned.get(entry.name) or self.planned.get(entry.name.split(": ")[0])
        about = {entry.measure} | (set() if planned is None else {planned.measure, *planned.measures})
        if measure is not None and measure in about:
            return "same measure"
        return ""

    def _drawn_for(self, entry: Saved) -> bool:
        """Whether a diagram or FMEA that the plan asks for is of this analysis."""
        if entry.result_kind not in OF_AN_ANALYSIS:
            return False
        drawn: Any = self.archive.result(entry.name, version=entry.version)
        return bool(drawn.analysis == self.analysis.name)

    def named_in(self, name: str) -> str:
        """Which record of the analysis names a saved result; the longest name that fits counts."""
        texts = {
            "the reason for selecting it": self.analysis.selected_because,
            "the lesson": self.analysis.lesson,
        }
        texts |= {f"the evidence of '{c.name}'": c.evidence for c in self.causes}
        longer = [e.name for e in self.archive.saved_of() if name in e.name and e.name != name]
        for where, text in texts.items():
            for other in longer:
                text = text.replace(other, "")
            if name in text:
                return where
        return ""

    def in_scope(self, when: np.ndarray | None, every: str | None) -> np.ndarray | None:
        """Which points (first days of periods) lie in the scope; None without a scope or times."""
        if when is None or (self.first is None and self.last is None):
            return None
        days = when.astype("datetime64[D]")
        inside = np.ones(len(days), dtype=bool)
        if self.first is not None:
            length = round(DAYS.get(every or "", 1.0)) if every else 1
            inside &= days + np.timedelta64(max(length, 1) - 1, "D") >= np.datetime64(self.first)
        if self.last is not None:
            inside &= days <= np.datetime64(self.last)
        return inside

    def covers(self, result: Any) -> bool:
        """Whether a result is about the part of the data the analysis is about, or about all of it."""
        own = dict(result.provenance.selection.get("where") or {})
        wanted = dict(self.analysis.where)
        return all(str(wanted.get(k, v)) == str(v) for k, v in own.items()) if wanted else not own


def source(section: int, entry: Saved, why: str) -> CausalSource:
    """A saved result as a source of a section."""
    return CausalSource(section, entry.name, entry.version, entry.result_kind, why)


def table(section: int, title: str, columns: tuple[str, ...], rows: Any) -> tuple[CausalTable, ...]:
    """A table where it has rows; columns without any value are left out."""
    made = [tuple(_plain(v) for v in row) for row in rows]
    if not made:
        return ()
    kept = [k for k in range(len(columns)) if any(r[k] not in (None, "") for r in made)]
    return (
        CausalTable(
            section, title, tuple(columns[k] for k in kept), tuple(tuple(r[k] for k in kept) for r in made)
        ),
    )


def frame_table(section: int, title: str, frame: Any) -> tuple[CausalTable, ...]:
    """A data frame as a table of a section."""
    return table(section, title, tuple(frame.columns), frame.itertuples(index=False))


def _plain(value: Any) -> Any:
    """A value as it is kept: plain numbers, dates and texts, None where nothing is known."""
    if value is None or value is False or value is True:
        return value
    if hasattr(value, "item") and not isinstance(value, np.datetime64):
        value = value.item()
    if isinstance(value, np.datetime64) or type(value).__name__ in ("Timestamp", "NaTType"):
        value = np.datetime64(value, "us").item()
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, dt.datetime) and value.time() == dt.time() and value.tzinfo is None:
        return value.date()
    return value
