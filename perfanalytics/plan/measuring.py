"""Gauge studies and agreement of a plan, from the single observations of a measure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from perfanalytics.baselines.measurement_systems.agreement import agreement
from perfanalytics.baselines.measurement_systems.agreement_result import Agreement
from perfanalytics.baselines.measurement_systems.gauge_result import GaugeStudy
from perfanalytics.baselines.measurement_systems.gauge_study import gauge_study
from perfanalytics.core.measure import Measure
from perfanalytics.plan.tables import AgreementTable, GaugeStudyTable

if TYPE_CHECKING:
    import pandas as pd


def study_of(table: GaugeStudyTable, frame: pd.DataFrame, measure: Measure) -> GaugeStudy:
    """The gauge study a ``[[gauge_study]]`` table asks for, from one row per measurement."""
    return gauge_study(
        frame,
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
        measure=measure,
    )


def agreement_of(table: AgreementTable, frame: pd.DataFrame, measure: Measure) -> Agreement:
    """The agreement an ``[[agreement]]`` table asks for, from one row per rating."""
    return agreement(
        frame,
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
        measure=measure,
    )


def columns_of(table: GaugeStudyTable | AgreementTable) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each key that names a column: key, name, and what it may name besides attributes of the measure."""
    if isinstance(table, GaugeStudyTable):
        named = {"part": table.part, "operator": table.operator, "replicate": table.replicate}
    else:
        named = {
            "item": table.item,
            "rater": table.rater,
            "rating": table.rating,
            "trial": table.trial,
            "standard": table.standard,
        }
    for key, name in named.items():
        if name is not None:
            yield key, name, ("item",) if key in ("item", "part") else ()
