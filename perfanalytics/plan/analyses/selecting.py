"""Which outcome to look into: ``[[pareto]]``, ``[[group_distributions]]``, ``[[check_sheet]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from perfanalytics.core.errors import InputError
from perfanalytics.core.periods import Every
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Name, OfMeasure
from perfanalytics.practices.car.check_sheet import check_sheet
from perfanalytics.practices.car.group_distributions import group_distributions
from perfanalytics.practices.car.pareto import pareto
from perfanalytics.reports.report import ReportItem

if TYPE_CHECKING:
    import pandas as pd


class ParetoTable(OfMeasure):
    """``[[pareto]]``: which values of an attribute make up most, by count or by the measure added up."""

    by: Name
    value: float | None = None
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
    value: float | None = None
    every: Every | None = None
    confidence: float = Field(0.95, gt=0.5, lt=1)


def _items(table: ParetoTable | CheckSheetTable, context: Context) -> pd.DataFrame:
    """The items of the measure; with ``value`` those of this value only: what failed, for example.

    Raises
    ------
    InputError
        Where no item has the value.
    """
    frame = context.repo.frame(table.measure, **selection(table, context))
    if table.value is None:
        return frame
    chosen = frame[frame[table.measure].astype(float) == table.value]
    if chosen.empty:
        raise InputError(f"no item of {table.measure!r} has the value {table.value:g}")
    return chosen


def _pareto(table: ParetoTable, context: Context) -> list[ReportItem]:
    frame = _items(table, context)
    result = pareto(
        frame,
        by=table.by,
        cost=table.measure if table.cost else None,
        when=None if table.every is None else "when",
        every=table.every or "week",
        most=table.most,
        vital_share=table.vital_share,
        unit=_unit(table, context),
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _unit(table: ParetoTable, context: Context) -> str:
    if table.cost:
        return context.measure(table.measure).unit
    return "observations" if table.value is None else f"observations of value {table.value:g}"


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
        _items(table, context),
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
