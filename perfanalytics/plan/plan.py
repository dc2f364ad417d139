"""The whole plan: what is declared, and what is to be analyzed."""

from __future__ import annotations

from pydantic import model_validator

from perfanalytics.plan.analyses import ANALYSES
from perfanalytics.plan.analyses.baselines import BaselineTable
from perfanalytics.plan.analyses.capability import CapabilityTable
from perfanalytics.plan.analyses.causes import (
    CandidateCausesTable,
    CauseEffectTable,
    FmeaTable,
    WhatChangedTable,
    WhyTreeTable,
)
from perfanalytics.plan.analyses.charts import ChartTable
from perfanalytics.plan.analyses.comparisons import ComparisonTable
from perfanalytics.plan.analyses.cost_benefit import CostBenefitTable
from perfanalytics.plan.analyses.drift import DriftTable
from perfanalytics.plan.analyses.effects import EffectTable, RecurrenceTable
from perfanalytics.plan.analyses.improvements import (
    DeploymentEvaluationTable,
    PortfolioTable,
    PredictedBenefitTable,
)
from perfanalytics.plan.analyses.measurement_systems import AgreementTable, GaugeStudyTable
from perfanalytics.plan.analyses.models import ModelTable
from perfanalytics.plan.analyses.organization import OrganizationCapabilityTable
from perfanalytics.plan.analyses.pilots import PilotJudgementTable, PilotPlanTable
from perfanalytics.plan.analyses.prediction_errors import PredictionErrorsTable
from perfanalytics.plan.analyses.queue_simulations import QueueForecastTable, QueueReplayTable
from perfanalytics.plan.analyses.queues import CapacityTable, QueueTable, StaffingTable
from perfanalytics.plan.analyses.reliability import (
    AvailabilityTable,
    ContainmentTable,
    GrowthTable,
    LifetimesTable,
)
from perfanalytics.plan.analyses.selecting import CheckSheetTable, GroupDistributionsTable, ParetoTable
from perfanalytics.plan.analyses.selections import SubprocessSelectionTable
from perfanalytics.plan.analyses.simulations import (
    ComposedProcessTable,
    ProcessComparisonTable,
    SimulationTable,
)
from perfanalytics.plan.pages.service_report_table import ServiceReportTable
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
    composed_process: list[ComposedProcessTable] = []
    gauge_study: list[GaugeStudyTable] = []
    agreement: list[AgreementTable] = []
    chart: list[ChartTable] = []
    baseline: list[BaselineTable] = []
    drift: list[DriftTable] = []
    capability: list[CapabilityTable] = []
    comparison: list[ComparisonTable] = []
    model: list[ModelTable] = []
    prediction_errors: list[PredictionErrorsTable] = []
    simulation: list[SimulationTable] = []
    process_comparison: list[ProcessComparisonTable] = []
    queue: list[QueueTable] = []
    staffing: list[StaffingTable] = []
    capacity: list[CapacityTable] = []
    queue_replay: list[QueueReplayTable] = []
    queue_forecast: list[QueueForecastTable] = []
    availability: list[AvailabilityTable] = []
    lifetimes: list[LifetimesTable] = []
    growth: list[GrowthTable] = []
    containment: list[ContainmentTable] = []
    pareto: list[ParetoTable] = []
    group_distributions: list[GroupDistributionsTable] = []
    check_sheet: list[CheckSheetTable] = []
    what_changed: list[WhatChangedTable] = []
    candidate_causes: list[CandidateCausesTable] = []
    fmea: list[FmeaTable] = []
    cause_effect: list[CauseEffectTable] = []
    why_tree: list[WhyTreeTable] = []
    subprocess_selection: list[SubprocessSelectionTable] = []
    cost_benefit: list[CostBenefitTable] = []
    organization_capability: list[OrganizationCapabilityTable] = []
    predicted_benefit: list[PredictedBenefitTable] = []
    pilot_plan: list[PilotPlanTable] = []
    pilot_judgement: list[PilotJudgementTable] = []
    portfolio: list[PortfolioTable] = []
    deployment_evaluation: list[DeploymentEvaluationTable] = []
    effect: list[EffectTable] = []
    recurrence: list[RecurrenceTable] = []
    service_report: list[ServiceReportTable] = []

    @model_validator(mode="after")
    def _compose(self) -> Plan:
        """Processes are composed by name: each analysis of them knows those of the plan."""
        composed = {table.name: table for table in self.composed_process}
        for table in (*self.simulation, *self.process_comparison):
            table.knows(composed)
        piloted = {pilot.name: pilot.measure for pilot in self.pilot}
        for planned in (*self.pilot_plan, *self.pilot_judgement):
            planned.knows(piloted)
        for scorecard in self.organization_capability:
            scorecard.knows({o.name: o.measure for o in self.objective})
        return self

    def analyses(self) -> list[Analysis]:
        """Every analysis, in the order of the report."""
        return [table for kind in ANALYSES for table in getattr(self, kind.key)]
