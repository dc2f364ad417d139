"""What the organization can do against its objectives: ``[[organization_capability]]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from perfanalytics.plan.analyses.context import Context, item
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import names, undeclared, unknown
from perfanalytics.plan.tables import Analysis, Texts, When, Where
from perfanalytics.practices.opm.organization import organization_capability
from perfanalytics.reports.report import ReportItem


class OrganizationCapabilityTable(Analysis):
    """``[[organization_capability]]``: objectives by units (services), with what missing them costs."""

    objectives: Texts = Field(min_length=1)
    by: str | Texts
    every: Literal["day", "week", "month", "quarter", "year"] = "week"
    costs: dict[str, Annotated[float, Field(ge=0)]] = {}
    currency: str = "EUR"
    where: Where = {}
    since: When | None = None
    until: When | None = None
    confidence: float = Field(0.95, gt=0, lt=1)

    _measures: dict[str, str] = PrivateAttr(default_factory=dict)

    def knows(self, measures: Mapping[str, str]) -> None:
        """The measure of each objective of the plan; told once, when the plan is put together."""
        self._measures.update(measures)

    def looks_into(self) -> tuple[str, ...]:
        """The measures of its objectives."""
        return tuple(dict.fromkeys(self._measures[o] for o in self.objectives if o in self._measures))


def _capability(table: OrganizationCapabilityTable, context: Context) -> list[ReportItem]:
    objectives = [context.objectives[name] for name in table.objectives]
    batches = {
        measure: context.repo.batch(
            measure,
            by=names(table.by),
            where=table.where or None,
            since=table.since or context.since,
            until=table.until,
        )
        for measure in dict.fromkeys(o.measure for o in objectives)
    }
    result = organization_capability(
        objectives,
        batches,
        every=table.every,
        costs=table.costs,
        currency=table.currency,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _references(table: OrganizationCapabilityTable) -> Iterator[Reference]:
    for name in table.objectives:
        yield Reference("objectives", name, "objective")


def _check(where: str, table: OrganizationCapabilityTable, declared: Declared) -> Iterator[str]:
    for name in table.costs:
        yield from undeclared(where, "costs", name, table.objectives)
    for objective in table.objectives:
        measure = declared.objectives[objective].measure if objective in declared.objectives else ""
        known = declared.attributes.get(measure, frozenset())
        for name in (*names(table.by), *table.where):
            yield from unknown(where, f"by, where: attribute of {measure}", name, known)


ORGANIZATION_CAPABILITY = Kind(
    table=OrganizationCapabilityTable,
    chapter="Capability of the organization",
    many="scorecards of the organization",
    analyze=_capability,
    check=_check,
    references=_references,
)
