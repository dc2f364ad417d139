"""Process performance baselines, whole and by stratum: ``[[baseline]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.bulk import baselines_of
from perfanalytics.baselines.bulk_result import Baselines
from perfanalytics.baselines.families import FAMILIES
from perfanalytics.baselines.strata import strata
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import names, unknown
from perfanalytics.plan.tables import OfSeries, Texts
from perfanalytics.reports.report import ReportItem


class BaselineTable(OfSeries):
    """``[[baseline]]``: a process performance baseline; with ``strata`` also which subgroups differ.

    ``split`` names the attributes whose combinations make the strata, instead of those that are proposed.
    With ``by`` only a baseline for each value of the attributes, a row each.
    """

    coverage: float = Field(0.95, gt=0, lt=1)
    confidence: float = Field(0.95, gt=0, lt=1)
    process: str | None = None
    distribution: str | None = None
    tolerance: Literal["howe", "exact"] = "howe"
    dependence: Literal["ar1", "independent"] | None = None
    strata: str | Texts = []
    split: str | Texts = []
    minimum_share: float = Field(0.05, gt=0, lt=1)
    by: str | Texts = []

    @model_validator(mode="after")
    def _together(self) -> BaselineTable:
        if self.strata and (self.every is not None or self.statistic is not None):
            raise ValueError("strata are of single observations: leave every and statistic out")
        if not self.strata and (self.split or "minimum_share" in self.model_fields_set):
            raise ValueError("split and minimum_share belong to strata = ATTRIBUTES")
        single = ("strata", "process", "distribution")
        given = [key for key in single if getattr(self, key)]
        if self.by and (given or "tolerance" in self.model_fields_set):
            raise ValueError(f"with by every series has a row: leave {', '.join(given) or 'tolerance'} out")
        return self


def _baseline(table: BaselineTable, context: Context) -> list[ReportItem]:
    if table.by:
        return [item(table, _many(table, context, names(table.by)), context)]
    series = context.repo.series(table.measure, **selection(table, context))
    result = baseline(
        series,
        distribution=table.distribution,
        tolerance=table.tolerance,
        coverage=table.coverage,
        confidence=table.confidence,
        dependence=table.dependence,
        objective=context.objective(table),
        process=None if table.process is None else context.processes[table.process],
    )
    made = [item(table, result, context)]
    return [*made, *_strata(table, context)] if table.strata else made


def _strata(table: BaselineTable, context: Context) -> list[ReportItem]:
    """Which attributes separate subgroups, and a baseline for each where there is something to split by."""
    chosen = selection(table, context)
    # neither belongs to single observations; both are None, the table has seen to that
    del chosen["every"], chosen["statistic"]
    frame = context.repo.frame(table.measure, **chosen)
    found = strata(
        frame,
        value=table.measure,
        by=names(table.strata),
        split=names(table.split),
        measure=context.measure(table.measure),
        minimum_share=table.minimum_share,
        dependence=table.dependence,
        coverage=table.coverage,
        confidence=table.confidence,
    )
    out = [item(table, found, context, name=f"{table.name}: strata")]
    split = names(table.split) or found.proposed
    if split:
        each = _many(table, context, split)
        out.append(item(table, each, context, name=f"{table.name}: by {' and '.join(split)}"))
    return out


def _many(table: BaselineTable, context: Context, by: tuple[str, ...]) -> Baselines:
    """A row for each combination of attributes."""
    return baselines_of(
        context.repo.batch(table.measure, by=by, **selection(table, context)),
        objective=context.objective(table),
        dependence=table.dependence,
        coverage=table.coverage,
        confidence=table.confidence,
    )


def _references(table: BaselineTable) -> Iterator[Reference]:
    yield Reference("process", table.process, "process")


def _check(where: str, table: BaselineTable, declared: Declared) -> Iterator[str]:
    if table.distribution is not None:
        yield from unknown(where, "distribution", table.distribution, FAMILIES)
    known = declared.attributes.get(table.measure, frozenset())
    for key, given in (("strata", table.strata), ("split", table.split), ("by", table.by)):
        for name in names(given):
            yield from unknown(where, f"{key}: attribute of {table.measure}", name, known)


BASELINE = Kind(
    table=BaselineTable,
    chapter="Baselines",
    many="baselines",
    analyze=_baseline,
    check=_check,
    references=_references,
)
