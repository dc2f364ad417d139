"""Is a measure measured well? ``[[gauge_study]]`` and ``[[agreement]]``, from its single observations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from perfanalytics.baselines.measurement_systems.agreement import agreement
from perfanalytics.baselines.measurement_systems.gauge_study import gauge_study
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Name, OfObservations
from perfanalytics.reports.report import ReportItem


class GaugeStudyTable(OfObservations):
    """``[[gauge_study]]``: how much of the variation of a measure comes from measuring it."""

    part: Name
    operator: str | None = None
    replicate: str | None = None
    method: Literal["anova", "average_range", "reml"] = "anova"
    interaction: Literal["pool", "keep", "none"] = "pool"
    pool_alpha: float = Field(0.25, ge=0, le=1)
    nested: bool = False
    tolerance: float | None = Field(None, gt=0)
    study_sigmas: float = Field(6.0, gt=0)
    step: float | None = Field(None, gt=0)


class AgreementTable(OfObservations):
    """``[[agreement]]``: do people who classify, order or score say the same of the same items?"""

    item: Name = "item"
    rater: Name
    rating: str | None = None
    method: Literal[
        "fleiss", "cohen", "gwet", "krippendorff", "kendall", "icc", "bland_altman", "attribute"
    ] = "fleiss"
    weights: Literal["linear", "quadratic"] | None = None
    scale: Literal["nominal", "ordinal", "interval", "ratio"] | None = None
    trial: str | None = None
    standard: str | None = None
    categories: list[str | float] | None = None
    margin: float | None = Field(None, gt=0)


def _study(table: GaugeStudyTable, context: Context) -> list[ReportItem]:
    result = gauge_study(
        context.repo.frame(table.measure, **selection(table, context)),
        value=table.measure,
        part=table.part,
        operator=table.operator,
        replicate=table.replicate,
        method=table.method,
        interaction=table.interaction,
        pool_alpha=table.pool_alpha,
        nested=table.nested,
        tolerance=table.tolerance,
        study_sigmas=table.study_sigmas,
        step=table.step,
        confidence=table.confidence,
        measure=context.measure(table.measure),
    )
    return [item(table, result, context)]


def _agreement(table: AgreementTable, context: Context) -> list[ReportItem]:
    result = agreement(
        context.repo.frame(table.measure, **selection(table, context)),
        item=table.item,
        rater=table.rater,
        rating=table.rating or table.measure,
        method=table.method,
        weights=table.weights,
        scale=table.scale,
        trial=table.trial,
        standard=table.standard,
        categories=table.categories,
        margin=table.margin,
        confidence=table.confidence,
        measure=context.measure(table.measure),
    )
    return [item(table, result, context)]


def _check_study(where: str, table: GaugeStudyTable, declared: Declared) -> Iterator[str]:
    named = {"part": table.part, "operator": table.operator, "replicate": table.replicate}
    yield from _columns(where, table, declared, named)


def _check_agreement(where: str, table: AgreementTable, declared: Declared) -> Iterator[str]:
    named = {
        "item": table.item,
        "rater": table.rater,
        "rating": table.rating,
        "trial": table.trial,
        "standard": table.standard,
    }
    yield from _columns(where, table, declared, named)


def _columns(
    where: str, table: OfObservations, declared: Declared, named: dict[str, str | None]
) -> Iterator[str]:
    """Keys that name columns: attributes of the measure, or what says which item it is."""
    known = declared.attributes.get(table.measure, frozenset())
    for key, name in named.items():
        if name is not None:
            besides = {"item"} if key in ("item", "part") else set()
            yield from unknown(where, f"{key}: attribute of {table.measure}", name, known | besides)


GAUGE_STUDY = Kind(
    table=GaugeStudyTable,
    chapter="Measurement systems",
    many="gauge studies",
    analyze=_study,
    check=_check_study,
)
AGREEMENT = Kind(
    table=AgreementTable,
    chapter="Measurement systems",
    many="agreements",
    analyze=_agreement,
    check=_check_agreement,
)
