"""Which outcome to look into: ``[[pareto]]``, ``[[group_distributions]]``, ``[[check_sheet]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from perfanalytics.core.periods import Every
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Name, OfMeasure
from perfanalytics.practices.check_sheet import check_sheet
from perfanalytics.practices.group_distributions import group_distributions
from perfanalytics.practices.pareto import pareto
from perfanalytics.reports.report import ReportItem


class ParetoTable(OfMeasure):
    """``[[pareto]]``: which values of an attribute make up most, by count or by the measure added up."""

    by: Name
    cost: bool = False
    every: Every | None = "week"
    most: int = Field(20, ge=2)
    vital_share: float = Field(0.8, gt=0, le=1)
    confidence: float = Field(0.95, gt=0.5, lt=1)


class GroupDistributionsTable(OfMeasure):
    """``[[group_distributions]]``: histograms and box plots by an attribute."""

    by: Name
    bins: int | None = Field(None, ge=1, le=1000)
    scale: Literal["log", "raw"] | None = None
    most: int = Field(30, ge=1)
    confidence: float = Field(0.95, gt=0.5, lt=1)


class CheckSheetTable(OfMeasure):
    """``[[check_sheet]]``: a tally of an attribute by another, or by period."""

    rows: Name
    columns: str | None = None
    every: Every | None = None
    confidence: float = Field(0.95, gt=0.5, lt=1)


def _pareto(table: ParetoTable, context: Context) -> list[ReportItem]:
    frame = context.repo.frame(table.measure, **selection(table, context))
    result = pareto(
        frame,
        by=table.by,
        cost=table.measure if table.cost else None,
        when=None if table.every is None else "when",
        every=table.every or "week",
        most=table.most,
        vital_share=table.vital_share,
        unit=context.measure(table.measure).unit if table.cost else "observations",
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _group_distributions(table: GroupDistributionsTable, context: Context) -> list[ReportItem]:
    result = group_distributions(
        context.repo.frame(table.measure, **selection(table, context)),
        value=table.measure,
        by=table.by,
        bins=table.bins,
        scale=table.scale,
        most=table.most,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _check_sheet(table: CheckSheetTable, context: Context) -> list[ReportItem]:
    every: Every | None = table.every or ("week" if table.columns is None else None)
    result = check_sheet(
        context.repo.frame(table.measure, **selection(table, context)),
        rows=table.rows,
        columns=table.columns or "when",
        every=every,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _by(where: str, table: ParetoTable | GroupDistributionsTable, declared: Declared) -> Iterator[str]:
    known = declared.attributes.get(table.measure, frozenset())
    yield from unknown(where, f"by: attribute of {table.measure}", table.by, known)


def _sheet(where: str, table: CheckSheetTable, declared: Declared) -> Iterator[str]:
    known = declared.attributes.get(table.measure, frozenset())
    yield from unknown(where, f"rows: attribute of {table.measure}", table.rows, known)
    if table.columns is not None:
        yield from unknown(where, f"columns: attribute of {table.measure}", table.columns, known)
        if table.every is not None:
            yield f"{where}: columns are an attribute, or periods (every = 'week'): give one of the two"


CHAPTER = "Selection of outcomes"
PARETO = Kind(table=ParetoTable, chapter=CHAPTER, many="Pareto analyses", analyze=_pareto, check=_by)
GROUP_DISTRIBUTIONS = Kind(
    table=GroupDistributionsTable,
    chapter=CHAPTER,
    many="distributions by group",
    analyze=_group_distributions,
    check=_by,
)
CHECK_SHEET = Kind(
    table=CheckSheetTable, chapter=CHAPTER, many="check sheets", analyze=_check_sheet, check=_sheet
)
