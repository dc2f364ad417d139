"""Process performance baselines: ``[[baseline]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import OfSeries
from perfanalytics.reports.report import ReportItem


class BaselineTable(OfSeries):
    """``[[baseline]]``: a process performance baseline."""

    coverage: float = Field(0.95, gt=0, lt=1)
    confidence: float = Field(0.95, gt=0, lt=1)
    process: str | None = None
    distribution: str | None = None
    tolerance: Literal["howe", "exact"] = "howe"


def _baseline(table: BaselineTable, context: Context) -> list[ReportItem]:
    series = context.repo.series(table.measure, **selection(table, context))
    result = baseline(
        series,
        distribution=table.distribution,
        tolerance=table.tolerance,
        coverage=table.coverage,
        confidence=table.confidence,
        objective=context.objective(table),
        process=table.process,
    )
    return [item(table, result, context)]


def _check(where: str, table: BaselineTable, declared: Declared) -> Iterator[str]:
    if table.distribution is not None:
        yield from unknown(where, "distribution", table.distribution, FAMILIES)


BASELINE = Kind(table=BaselineTable, chapter="Baselines", many="baselines", analyze=_baseline, check=_check)
