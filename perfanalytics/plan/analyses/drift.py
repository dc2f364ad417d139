"""Do new data still fit a baseline, or shall it be made anew? ``[[drift]]``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from pydantic import Field

from perfanalytics.baselines.result import Baseline
from perfanalytics.plan.analyses.baselines import BaselineTable
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.tables import Name, OfSeries
from perfanalytics.reports.report import ReportItem


class DriftTable(OfSeries):
    """``[[drift]]``: new data held against a ``[[baseline]]`` of the plan, or one saved in the repository."""

    baseline: Name
    confidence: float = Field(0.95, gt=0.5, lt=1)
    process: str | None = None
    valid_until: dt.date | None = None


def _drift(table: DriftTable, context: Context) -> list[ReportItem]:
    held = context.saved(table.baseline, Baseline)
    result = held.drift(
        context.repo.series(table.measure, **selection(table, context)),
        confidence=table.confidence,
        process=None if table.process is None else context.processes[table.process],
        valid_until=table.valid_until,
    )
    return [item(table, result, context)]


def _references(table: DriftTable) -> Iterator[Reference]:
    yield Reference("process", table.process, "process")


def _check(where: str, table: DriftTable, declared: Declared) -> Iterator[str]:
    held = declared.analyses.get(table.baseline)
    if held is None:
        # a baseline that an earlier run saved: looked up when the plan is run
        return
    if not isinstance(held, BaselineTable):
        yield f"{where}: baseline = '{table.baseline}' is no [[baseline]] of the plan"
        return
    if held.by:
        yield f"{where}: baseline = '{table.baseline}' has a row for each of many series, and no values"
        return
    for key in ("measure", "every", "statistic", "where"):
        here, there = getattr(table, key), getattr(held, key)
        if here != there:
            yield (
                f"{where}: {key} is {_said(here)}, that of the baseline '{held.name}' is {_said(there)}: "
                "only the same can be held against it"
            )


def _said(given: object) -> str:
    return "left out" if given in (None, {}) else repr(given)


DRIFT = Kind(
    table=DriftTable,
    chapter="Baselines",
    many="drift checks",
    analyze=_drift,
    check=_check,
    references=_references,
)
