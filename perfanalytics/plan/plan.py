"""The whole plan: what is declared, and what is to be analyzed."""

from __future__ import annotations

from perfanalytics.plan.analyses import ANALYSES
from perfanalytics.plan.analyses.baselines import BaselineTable
from perfanalytics.plan.analyses.capability import CapabilityTable
from perfanalytics.plan.analyses.charts import ChartTable
from perfanalytics.plan.analyses.comparisons import ComparisonTable
from perfanalytics.plan.analyses.drift import DriftTable
from perfanalytics.plan.analyses.measurement_systems import AgreementTable, GaugeStudyTable
from perfanalytics.plan.analyses.models import ModelTable
from perfanalytics.plan.practice_tables import PracticeTables
from perfanalytics.plan.tables import (
    Analysis,
    CalendarTable,
    ChangeTable,
    EventTable,
    ExclusionTable,
    MeasureTable,
    ObjectiveTable,
    PlanTable,
    ProcessTable,
    SourceTable,
)


class Plan(PracticeTables):
    """The whole file."""

    plan: PlanTable
    process: list[ProcessTable] = []
    calendar: list[CalendarTable] = []
    source: list[SourceTable] = []
    measure: list[MeasureTable] = []
    objective: list[ObjectiveTable] = []
    change: list[ChangeTable] = []
    event: list[EventTable] = []
    exclusion: list[ExclusionTable] = []
    gauge_study: list[GaugeStudyTable] = []
    agreement: list[AgreementTable] = []
    chart: list[ChartTable] = []
    baseline: list[BaselineTable] = []
    drift: list[DriftTable] = []
    capability: list[CapabilityTable] = []
    comparison: list[ComparisonTable] = []
    model: list[ModelTable] = []

    def analyses(self) -> list[Analysis]:
        """Every analysis, in the order of the report."""
        return [table for kind in ANALYSES for table in getattr(self, kind.key)]
