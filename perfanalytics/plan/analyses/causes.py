"""What changed, and why: ``[[what_changed]]``, ``[[candidate_causes]]``, ``[[fmea]]``, diagrams of causes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from perfanalytics.core.periods import Every
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import tried, unknown
from perfanalytics.plan.tables import Analysis, Name, OfMeasure, OfSeries
from perfanalytics.practices.car.candidate_causes import candidate_causes
from perfanalytics.practices.car.cause_effect import cause_effect
from perfanalytics.practices.car.fmea import fmea
from perfanalytics.practices.car.what_changed import what_changed
from perfanalytics.practices.car.why_tree import why_tree
from perfanalytics.reports.report import ReportItem


class WhatChangedTable(OfSeries):
    """``[[what_changed]]``: shifts of a series beside the changes and events of the plan."""

    of: list[Literal["level", "spread", "point"]] = ["level", "point"]
    false_alarms: float = Field(0.05, gt=0, lt=1)


class CandidateCausesTable(OfMeasure):
    """``[[candidate_causes]]``: attributes that may explain a measure, each alone and beside the others."""

    candidates: list[Name] = Field(min_length=1)
    as_levels: list[Name] = []
    every: Every | None = "week"
    scale: Literal["log", "raw"] | None = None
    adjust: str = "holm"
    confidence: float = Field(0.95, gt=0.5, lt=1)


class FmeaTable(Analysis):
    """``[[fmea]]``: the failure modes of the plan, or of one causal analysis, in order of urgency."""

    causal_analysis: str | None = None


class _Diagram(Analysis):
    """Causes as an indented ``text``, or the records of a causal analysis."""

    text: str = ""
    causal_analysis: str | None = None

    @model_validator(mode="after")
    def _one(self) -> _Diagram:
        if bool(self.text) == bool(self.causal_analysis):
            raise ValueError("give text (the causes, indented), or causal_analysis: one of the two")
        return self


class CauseEffectTable(_Diagram):
    """``[[cause_effect]]``: a cause-and-effect diagram."""


class WhyTreeTable(_Diagram):
    """``[[why_tree]]``: a why-tree."""


def _what_changed(table: WhatChangedTable, context: Context) -> list[ReportItem]:
    series = context.repo.series(table.measure, **selection(table, context))
    return [item(table, what_changed(series, of=table.of, false_alarms=table.false_alarms), context)]


def _candidates(table: CandidateCausesTable, context: Context) -> list[ReportItem]:
    result = candidate_causes(
        context.repo.frame(table.measure, **selection(table, context)),
        value=table.measure,
        candidates=table.candidates,
        when=None if table.every is None else "when",
        every=table.every or "week",
        as_levels=table.as_levels,
        scale=table.scale,
        adjust=table.adjust,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _fmea(table: FmeaTable, context: Context) -> list[ReportItem]:
    return [item(table, fmea(context.repo.archive(), analysis=table.causal_analysis), context)]


def _cause_effect(table: CauseEffectTable, context: Context) -> list[ReportItem]:
    if table.text:
        return [item(table, cause_effect(table.text), context)]
    return [item(table, cause_effect(context.repo.archive(), analysis=table.causal_analysis), context)]


def _why_tree(table: WhyTreeTable, context: Context) -> list[ReportItem]:
    if table.text:
        return [item(table, why_tree(table.text), context)]
    return [item(table, why_tree(context.repo.archive(), analysis=table.causal_analysis), context)]


def _attributes(where: str, table: CandidateCausesTable, declared: Declared) -> Iterator[str]:
    known = declared.attributes.get(table.measure, frozenset())
    for name in table.candidates:
        yield from unknown(where, f"candidates: attribute of {table.measure}", name, known)
    for name in table.as_levels:
        yield from unknown(where, "as_levels: candidate", name, table.candidates)


def _text_of_diagram(where: str, table: CauseEffectTable, declared: Declared) -> Iterator[str]:
    if table.text:
        yield from tried(where, cause_effect, table.text)


def _text_of_tree(where: str, table: WhyTreeTable, declared: Declared) -> Iterator[str]:
    if table.text:
        yield from tried(where, why_tree, table.text)


def _analysis(table: FmeaTable | CauseEffectTable | WhyTreeTable) -> Iterator[Reference]:
    yield Reference("causal_analysis", table.causal_analysis, "causal_analysis")


CHAPTER = "Causes"
WHAT_CHANGED = Kind(
    table=WhatChangedTable, chapter=CHAPTER, many="searches for changes", analyze=_what_changed
)
CANDIDATE_CAUSES = Kind(
    table=CandidateCausesTable,
    chapter=CHAPTER,
    many="comparisons of candidate causes",
    analyze=_candidates,
    check=_attributes,
)
FMEA = Kind(table=FmeaTable, chapter=CHAPTER, many="FMEAs", analyze=_fmea, references=_analysis)
CAUSE_EFFECT = Kind(
    table=CauseEffectTable,
    chapter=CHAPTER,
    many="cause-and-effect diagrams",
    analyze=_cause_effect,
    check=_text_of_diagram,
    references=_analysis,
)
WHY_TREE = Kind(
    table=WhyTreeTable,
    chapter=CHAPTER,
    many="why-trees",
    analyze=_why_tree,
    check=_text_of_tree,
    references=_analysis,
)
