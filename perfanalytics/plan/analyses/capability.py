"""Capability against specification limits or an objective: ``[[capability]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from perfanalytics.baselines.capability import capability
from perfanalytics.baselines.capability_sample import SAID
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import OfSeries, When
from perfanalytics.reports.report import ReportItem


class CapabilityTable(OfSeries):
    """``[[capability]]``: indices against specification limits, or the limit an objective gives."""

    lower: float | None = None
    upper: float | None = None
    target: float | None = None
    sigma: str | None = None
    method: Literal["sigma", "percentile", "transform"] | None = None
    distribution: str | None = None
    transform: Literal["log", "box_cox", "johnson"] | None = None
    minimum: float | None = Field(None, gt=0)
    confidence: float = Field(0.95, gt=0, lt=1)
    stages: list[When | str] = []


def _capability(table: CapabilityTable, context: Context) -> list[ReportItem]:
    series = context.repo.series(table.measure, **selection(table, context))
    result = capability(
        series,
        lower=table.lower,
        upper=table.upper,
        target=table.target,
        objective=context.objective(table),
        confidence=table.confidence,
        sigma=table.sigma,
        method=table.method,
        distribution=table.distribution,
        transform=table.transform,
        minimum=table.minimum,
        stages=[context.happening(s) for s in table.stages],
    )
    return [item(table, result, context)]


def _references(table: CapabilityTable) -> Iterator[Reference]:
    for stage in table.stages:
        if isinstance(stage, str):
            yield Reference("stages", stage, "happening")


def _check(where: str, table: CapabilityTable, declared: Declared) -> Iterator[str]:
    """Names of sigma and distribution, limits in their order."""
    if table.sigma is not None:
        yield from unknown(where, "sigma", table.sigma, SAID)
    if table.distribution is not None:
        yield from unknown(where, "distribution", table.distribution, (*FAMILIES, "empirical"))
    if table.lower is not None and table.upper is not None and table.lower >= table.upper:
        yield f"{where}: lower = {table.lower:g} must lie below upper = {table.upper:g}"


CAPABILITY = Kind(
    table=CapabilityTable,
    chapter="Capability",
    many="capability analyses",
    analyze=_capability,
    check=_check,
    references=_references,
)
