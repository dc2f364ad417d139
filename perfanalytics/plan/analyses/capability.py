"""Capability against specification limits or an objective: ``[[capability]]``."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import Literal

from pydantic import Field, model_validator

from perfanalytics.baselines.capability import capability
from perfanalytics.baselines.capability_bulk import capabilities
from perfanalytics.baselines.capability_bulk_result import Capabilities
from perfanalytics.baselines.capability_sample import SAID
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.specification import specification
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import names, unknown
from perfanalytics.plan.tables import OfSeries, Texts, When
from perfanalytics.reports.report import ReportItem


class CapabilityTable(OfSeries):
    """``[[capability]]``: indices against specification limits, or the limit an objective gives.

    With ``by`` those of every value of the attributes, a row each.
    """

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
    by: str | Texts = []

    @model_validator(mode="after")
    def _many(self) -> CapabilityTable:
        single = ("method", "distribution", "minimum", "stages")
        given = [key for key in single if getattr(self, key)]
        if self.by and (given or self.transform in ("box_cox", "johnson")):
            said = ", ".join(given) or f"transform = '{self.transform}'"
            raise ValueError(f"with by every series is judged by its sigma: leave {said} out")
        return self


def _capability(table: CapabilityTable, context: Context) -> list[ReportItem]:
    if table.by:
        return [item(table, _many(table, context), context)]
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


def _many(table: CapabilityTable, context: Context) -> Capabilities:
    """A row for each value of the attributes; the limits are the same for all."""
    batch = context.repo.batch(table.measure, by=names(table.by), **selection(table, context))
    asked = specification(table.lower, table.upper, table.target, context.objective(table), batch.measure)
    return capabilities(
        batch,
        lower=None if isnan(asked.lower) else asked.lower,
        upper=None if isnan(asked.upper) else asked.upper,
        target=table.target,
        confidence=table.confidence,
        sigma=table.sigma,
        transform=table.transform,
    )


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
    known = declared.attributes.get(table.measure, frozenset())
    for name in names(table.by):
        yield from unknown(where, f"by: attribute of {table.measure}", name, known)


CAPABILITY = Kind(
    table=CapabilityTable,
    chapter="Capability",
    many="capability analyses",
    analyze=_capability,
    check=_check,
    references=_references,
)
