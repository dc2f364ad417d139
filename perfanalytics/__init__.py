"""perfanalytics: quantitative process performance.

Baselines, control charts, before/after comparisons and process performance models, on measurements
kept in a DuckDB repository. The public names are loaded when first used, so that the import is cheap::

    import perfanalytics as perf

    perf.control_chart([5, 4, 6, 5, 12, 5, 6])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfanalytics._version import __version__

if TYPE_CHECKING:
    from perfanalytics.baselines.baseline import baseline
    from perfanalytics.baselines.bulk import baselines_of
    from perfanalytics.baselines.bulk_result import Baselines
    from perfanalytics.baselines.capability import capability
    from perfanalytics.baselines.capability_bulk import capabilities
    from perfanalytics.baselines.capability_bulk_result import Capabilities
    from perfanalytics.baselines.capability_result import Capability
    from perfanalytics.baselines.distribution_result import DistributionFit
    from perfanalytics.baselines.distributions import fit_distribution
    from perfanalytics.baselines.drift import Drift
    from perfanalytics.baselines.measurement_systems.agreement import agreement
    from perfanalytics.baselines.measurement_systems.agreement_result import Agreement
    from perfanalytics.baselines.measurement_systems.gauge_result import GaugeStudy
    from perfanalytics.baselines.measurement_systems.gauge_study import gauge_study
    from perfanalytics.baselines.result import Baseline
    from perfanalytics.baselines.strata import strata
    from perfanalytics.baselines.strata_result import Strata
    from perfanalytics.comparisons.change_point import change_point
    from perfanalytics.comparisons.compare import compare
    from perfanalytics.comparisons.difference_in_differences import difference_in_differences
    from perfanalytics.comparisons.groups import compare_groups
    from perfanalytics.comparisons.interrupted import interrupted
    from perfanalytics.comparisons.many import adjust, compare_many
    from perfanalytics.comparisons.many_result import Comparisons
    from perfanalytics.comparisons.power import minimum_detectable_effect, power, sample_size
    from perfanalytics.comparisons.power_result import Power
    from perfanalytics.comparisons.result import Comparison
    from perfanalytics.core.archive import Archive, Saved
    from perfanalytics.core.bulk import method
    from perfanalytics.core.calendars import Calendar, working_hours
    from perfanalytics.core.data_quality import DataQuality
    from perfanalytics.core.errors import (
        InputError,
        LoadError,
        PerfAnalyticsError,
        PlanError,
        RepositoryError,
        RepositoryLockedError,
        UnknownNameError,
    )
    from perfanalytics.core.improvement_records import (
        CausalAnalysis,
        Cause,
        Deployment,
        FailureMode,
        Pilot,
        Proposal,
        SuccessCriterion,
    )
    from perfanalytics.core.measure import Measure
    from perfanalytics.core.practice_records import Action, Decision, Review, Risk, Work
    from perfanalytics.core.records import (
        BusinessObjective,
        Change,
        Event,
        Exclusion,
        Objective,
        PlannedAnalysis,
        Process,
    )
    from perfanalytics.core.result import Caveat, Estimate, Interval, Method, Result
    from perfanalytics.core.series import Series, SeriesBatch
    from perfanalytics.figures.plot import plot
    from perfanalytics.models.backtest import Backtest, backtest
    from perfanalytics.models.calibration import Calibration, calibrate, prior_items
    from perfanalytics.models.cost_benefit import CostBenefit, cost_benefit
    from perfanalytics.models.factors import Factor
    from perfanalytics.models.from_products import fit_products
    from perfanalytics.models.goals import Goal
    from perfanalytics.models.model import fit
    from perfanalytics.models.optimum import Optimum
    from perfanalytics.models.prediction_errors import PredictionErrors, prediction_errors
    from perfanalytics.models.predictions import Predictions, predictions
    from perfanalytics.models.profile import Profile
    from perfanalytics.models.queues.capacity import Capacity, capacity
    from perfanalytics.models.queues.forecast import forecast_queue
    from perfanalytics.models.queues.queue import Queue, queue
    from perfanalytics.models.queues.simulation import simulate_queue
    from perfanalytics.models.queues.simulation_result import QueueSimulation
    from perfanalytics.models.queues.staffing import Staffing, staffing
    from perfanalytics.models.reliability.availability import Availability, availability
    from perfanalytics.models.reliability.containment import Containment, containment
    from perfanalytics.models.reliability.growth import Growth, reliability_growth
    from perfanalytics.models.reliability.lifetimes import Lifetimes, lifetimes
    from perfanalytics.models.reliability.structure import Structure, structure
    from perfanalytics.models.result import Model
    from perfanalytics.models.review import ModelReview
    from perfanalytics.models.selection import ModelSelection, select_model
    from perfanalytics.models.sensitivity import Sensitivity
    from perfanalytics.models.simulation.alternatives import compare_processes
    from perfanalytics.models.simulation.alternatives_result import ProcessComparison
    from perfanalytics.models.simulation.distribution import Distribution
    from perfanalytics.models.simulation.parts import batch, branch, parallel, rework, sequence, step
    from perfanalytics.models.simulation.result import Simulation
    from perfanalytics.models.simulation.simulate import simulate
    from perfanalytics.models.what_if_result import WhatIf
    from perfanalytics.plan.pages.causal import CausalRun, review_causal_analysis
    from perfanalytics.plan.pages.reviewing import WorkReviewRun, review_work
    from perfanalytics.plan.pages.service_reporting import ServiceReportRun, service_report
    from perfanalytics.plan.running import run_plan
    from perfanalytics.practices.car.action_plan import ActionPlan, action_plan
    from perfanalytics.practices.car.candidate_causes import candidate_causes
    from perfanalytics.practices.car.candidate_result import CandidateCauses
    from perfanalytics.practices.car.causal_page import causal_review
    from perfanalytics.practices.car.causal_review import CausalReview
    from perfanalytics.practices.car.causal_search import CausalSearch, search_analyses
    from perfanalytics.practices.car.cause_effect import CauseEffect, cause_effect
    from perfanalytics.practices.car.cause_phase import DefectsByCauseAndPhase, defects_by_cause_and_phase
    from perfanalytics.practices.car.check_sheet import CheckSheet, check_sheet
    from perfanalytics.practices.car.effect import evaluate_effect
    from perfanalytics.practices.car.effect_result import EffectEvaluation
    from perfanalytics.practices.car.fmea import Fmea, fmea
    from perfanalytics.practices.car.group_distributions import GroupDistributions, group_distributions
    from perfanalytics.practices.car.pareto import pareto
    from perfanalytics.practices.car.pareto_result import Pareto
    from perfanalytics.practices.car.recurrence import Recurrence, evaluate_recurrence
    from perfanalytics.practices.car.what_changed import WhatChanged, what_changed
    from perfanalytics.practices.car.why_tree import WhyTree, why_tree
    from perfanalytics.practices.catalogue.catalogue import Catalogue, catalogue
    from perfanalytics.practices.catalogue.entry import CatalogueEntry
    from perfanalytics.practices.opm.benefit_result import PredictedBenefit
    from perfanalytics.practices.opm.benefits import predict_benefit
    from perfanalytics.practices.opm.deployment_result import DeploymentEvaluation
    from perfanalytics.practices.opm.deployments import evaluate_deployment
    from perfanalytics.practices.opm.improvement_register import ImprovementRegister, improvement_register
    from perfanalytics.practices.opm.organization import organization_capability
    from perfanalytics.practices.opm.organization_result import OrganizationCapability
    from perfanalytics.practices.opm.pilot_judgement import judge_pilot
    from perfanalytics.practices.opm.pilot_judgement_result import PilotJudgement
    from perfanalytics.practices.opm.pilot_plan import PilotPlan
    from perfanalytics.practices.opm.pilots import plan_pilot
    from perfanalytics.practices.opm.portfolio import portfolio
    from perfanalytics.practices.opm.portfolio_result import Portfolio
    from perfanalytics.practices.opp.objective_tree import ObjectiveTree, objective_tree
    from perfanalytics.practices.opp.register import Register, register
    from perfanalytics.practices.opp.selection_criteria import Candidate
    from perfanalytics.practices.opp.subprocess_selection import SubprocessSelection, select_subprocesses
    from perfanalytics.practices.qwm.work_review_checks import PredictionCheck, check_predictions
    from perfanalytics.practices.qwm.work_review_conflicts import ObjectiveConflicts, objective_conflicts
    from perfanalytics.practices.qwm.work_review_predicting import predict_objective
    from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
    from perfanalytics.practices.qwm.work_review_result import WorkReview
    from perfanalytics.practices.qwm.work_review_risks import RiskRegister, risk_register
    from perfanalytics.practices.qwm.work_review_tradeoff import TradeOff, trade_off
    from perfanalytics.practices.service_reports.period_figures import period_figures
    from perfanalytics.practices.service_reports.period_figures_result import PeriodFigures
    from perfanalytics.practices.service_reports.service_report_result import ServiceReport
    from perfanalytics.practices.service_reports.trend import Trend, trend
    from perfanalytics.reports.report import ReportItem, report
    from perfanalytics.repository.load_report import LoadReport
    from perfanalytics.repository.mapping import Run
    from perfanalytics.repository.repository import Repository
    from perfanalytics.repository.selection import Selection
    from perfanalytics.repository.source import EventLog, Source, SourceMeasure, WorkingDuration
    from perfanalytics.spc.chart import control_chart
    from perfanalytics.spc.charts import control_charts
    from perfanalytics.spc.charts_result import ControlCharts
    from perfanalytics.spc.limits import Limits
    from perfanalytics.spc.operating_characteristic import OperatingCharacteristic, operating_characteristic
    from perfanalytics.spc.phase_one import phase_one
    from perfanalytics.spc.phase_one_result import ExclusionDraft, PhaseOne
    from perfanalytics.spc.result import ControlChart, StageTest
    from perfanalytics.spc.risk_adjusted_length import (
        design_risk_adjusted_cusum,
        risk_adjusted_run_length,
    )
    from perfanalytics.spc.rules import (
        AIAG,
        ANHOEJ,
        IHI,
        JURAN,
        LIMITS_ONLY,
        MONTGOMERY,
        NELSON,
        NHS_MDC,
        WESTERN_ELECTRIC,
        WHEELER,
        Rule,
        RuleSet,
    )
    from perfanalytics.spc.run_length import RunLengths, average_run_length
    from perfanalytics.spc.schemes import (
        CusumScheme,
        EwmaScheme,
        MewmaScheme,
        design_cusum,
        design_ewma,
        design_mewma,
    )
    from perfanalytics.spc.scorecard import Scorecard, scorecard
    from perfanalytics.spc.suggested_stages import SuggestedStages, suggest_stages
    from perfanalytics.spc.transforms import Transform

_PUBLIC = {
    "baselines.baseline": ("baseline",),
    "baselines.capability": ("capability",),
    "baselines.capability_bulk": ("capabilities",),
    "baselines.capability_bulk_result": ("Capabilities",),
    "baselines.capability_result": ("Capability",),
    "baselines.distributions": ("fit_distribution",),
    "baselines.distribution_result": ("DistributionFit",),
    "baselines.bulk": ("baselines_of",),
    "baselines.bulk_result": ("Baselines",),
    "baselines.measurement_systems.agreement": ("agreement",),
    "baselines.measurement_systems.agreement_result": ("Agreement",),
    "baselines.measurement_systems.gauge_result": ("GaugeStudy",),
    "baselines.measurement_systems.gauge_study": ("gauge_study",),
    "baselines.drift": ("Drift",),
    "baselines.result": ("Baseline",),
    "baselines.strata": ("strata",),
    "baselines.strata_result": ("Strata",),
    "comparisons.change_point": ("change_point",),
    "comparisons.compare": ("compare",),
    "comparisons.groups": ("compare_groups",),
    "comparisons.difference_in_differences": ("difference_in_differences",),
    "comparisons.interrupted": ("interrupted",),
    "comparisons.power": ("minimum_detectable_effect", "power", "sample_size"),
    "comparisons.power_result": ("Power",),
    "comparisons.many": ("adjust", "compare_many"),
    "comparisons.many_result": ("Comparisons",),
    "comparisons.result": ("Comparison",),
    "core.archive": ("Archive", "Saved"),
    "core.bulk": ("method",),
    "core.calendars": ("Calendar", "working_hours"),
    "core.data_quality": ("DataQuality",),
    "core.errors": (
        "InputError",
        "LoadError",
        "PerfAnalyticsError",
        "PlanError",
        "RepositoryError",
        "RepositoryLockedError",
        "UnknownNameError",
    ),
    "core.measure": ("Measure",),
    "core.improvement_records": (
        "CausalAnalysis",
        "Cause",
        "Deployment",
        "FailureMode",
        "Pilot",
        "Proposal",
        "SuccessCriterion",
    ),
    "core.practice_records": ("Action", "Decision", "Review", "Risk", "Work"),
    "core.records": (
        "BusinessObjective",
        "Change",
        "Event",
        "Exclusion",
        "Objective",
        "PlannedAnalysis",
        "Process",
    ),
    "core.result": ("Caveat", "Estimate", "Interval", "Method", "Result"),
    "core.series": ("Series", "SeriesBatch"),
    "figures.plot": ("plot",),
    "models.backtest": ("Backtest", "backtest"),
    "models.calibration": ("Calibration", "calibrate", "prior_items"),
    "models.cost_benefit": ("CostBenefit", "cost_benefit"),
    "models.factors": ("Factor",),
    "models.from_products": ("fit_products",),
    "models.goals": ("Goal",),
    "models.model": ("fit",),
    "models.optimum": ("Optimum",),
    "models.prediction_errors": ("PredictionErrors", "prediction_errors"),
    "models.predictions": ("Predictions", "predictions"),
    "models.profile": ("Profile",),
    "models.review": ("ModelReview",),
    "models.sensitivity": ("Sensitivity",),
    "models.what_if_result": ("WhatIf",),
    "models.queues.capacity": ("Capacity", "capacity"),
    "models.queues.forecast": ("forecast_queue",),
    "models.queues.queue": ("Queue", "queue"),
    "models.queues.simulation": ("simulate_queue",),
    "models.queues.simulation_result": ("QueueSimulation",),
    "models.queues.staffing": ("Staffing", "staffing"),
    "models.reliability.availability": ("Availability", "availability"),
    "models.reliability.containment": ("Containment", "containment"),
    "models.reliability.growth": ("Growth", "reliability_growth"),
    "models.reliability.lifetimes": ("Lifetimes", "lifetimes"),
    "models.reliability.structure": ("Structure", "structure"),
    "models.result": ("Model",),
    "models.selection": ("ModelSelection", "select_model"),
    "models.simulation.alternatives": ("compare_processes",),
    "models.simulation.alternatives_result": ("ProcessComparison",),
    "models.simulation.distribution": ("Distribution",),
    "models.simulation.parts": ("batch", "branch", "parallel", "rework", "sequence", "step"),
    "models.simulation.result": ("Simulation",),
    "models.simulation.simulate": ("simulate",),
    "spc.chart": ("control_chart",),
    "spc.charts": ("control_charts",),
    "spc.charts_result": ("ControlCharts",),
    "spc.limits": ("Limits",),
    "spc.operating_characteristic": ("OperatingCharacteristic", "operating_characteristic"),
    "spc.phase_one": ("phase_one",),
    "spc.phase_one_result": ("ExclusionDraft", "PhaseOne"),
    "spc.result": ("ControlChart", "StageTest"),
    "spc.risk_adjusted_length": ("design_risk_adjusted_cusum", "risk_adjusted_run_length"),
    "spc.run_length": ("RunLengths", "average_run_length"),
    "spc.transforms": ("Transform",),
    "spc.schemes": (
        "CusumScheme",
        "EwmaScheme",
        "MewmaScheme",
        "design_cusum",
        "design_ewma",
        "design_mewma",
    ),
    "spc.suggested_stages": ("SuggestedStages", "suggest_stages"),
    "spc.scorecard": ("Scorecard", "scorecard"),
    "spc.rules": (
        "AIAG",
        "ANHOEJ",
        "IHI",
        "JURAN",
        "LIMITS_ONLY",
        "MONTGOMERY",
        "NELSON",
        "NHS_MDC",
        "WESTERN_ELECTRIC",
        "WHEELER",
        "Rule",
        "RuleSet",
    ),
    "practices.car.action_plan": ("ActionPlan", "action_plan"),
    "practices.car.causal_page": ("causal_review",),
    "practices.car.causal_review": ("CausalReview",),
    "practices.car.causal_search": ("CausalSearch", "search_analyses"),
    "practices.car.effect": ("evaluate_effect",),
    "practices.car.effect_result": ("EffectEvaluation",),
    "practices.car.recurrence": ("Recurrence", "evaluate_recurrence"),
    "practices.opp.objective_tree": ("ObjectiveTree", "objective_tree"),
    "practices.car.pareto": ("pareto",),
    "practices.car.pareto_result": ("Pareto",),
    "practices.car.cause_effect": ("CauseEffect", "cause_effect"),
    "practices.car.why_tree": ("WhyTree", "why_tree"),
    "practices.car.fmea": ("Fmea", "fmea"),
    "practices.car.check_sheet": ("CheckSheet", "check_sheet"),
    "practices.car.group_distributions": ("GroupDistributions", "group_distributions"),
    "practices.car.cause_phase": ("DefectsByCauseAndPhase", "defects_by_cause_and_phase"),
    "practices.car.candidate_causes": ("candidate_causes",),
    "practices.car.candidate_result": ("CandidateCauses",),
    "practices.car.what_changed": ("WhatChanged", "what_changed"),
    "practices.opp.register": ("Register", "register"),
    "practices.opp.selection_criteria": ("Candidate",),
    "practices.opp.subprocess_selection": ("SubprocessSelection", "select_subprocesses"),
    "practices.service_reports.period_figures": ("period_figures",),
    "practices.service_reports.period_figures_result": ("PeriodFigures",),
    "practices.service_reports.service_report_result": ("ServiceReport",),
    "practices.service_reports.trend": ("Trend", "trend"),
    "practices.opm.benefit_result": ("PredictedBenefit",),
    "practices.opm.benefits": ("predict_benefit",),
    "practices.opm.deployment_result": ("DeploymentEvaluation",),
    "practices.opm.deployments": ("evaluate_deployment",),
    "practices.opm.improvement_register": ("ImprovementRegister", "improvement_register"),
    "practices.opm.organization": ("organization_capability",),
    "practices.opm.organization_result": ("OrganizationCapability",),
    "practices.opm.pilot_judgement": ("judge_pilot",),
    "practices.opm.pilot_judgement_result": ("PilotJudgement",),
    "practices.opm.pilot_plan": ("PilotPlan",),
    "practices.opm.pilots": ("plan_pilot",),
    "practices.opm.portfolio_result": ("Portfolio",),
    "practices.opm.portfolio": ("portfolio",),
    "practices.qwm.work_review_checks": ("PredictionCheck", "check_predictions"),
    "practices.qwm.work_review_conflicts": ("ObjectiveConflicts", "objective_conflicts"),
    "practices.qwm.work_review_predicting": ("predict_objective",),
    "practices.qwm.work_review_prediction": ("ObjectivePrediction",),
    "practices.qwm.work_review_result": ("WorkReview",),
    "practices.qwm.work_review_risks": ("RiskRegister", "risk_register"),
    "practices.qwm.work_review_tradeoff": ("TradeOff", "trade_off"),
    "plan.pages.causal": ("CausalRun", "review_causal_analysis"),
    "plan.pages.reviewing": ("WorkReviewRun", "review_work"),
    "plan.pages.service_reporting": ("ServiceReportRun", "service_report"),
    "plan.running": ("run_plan",),
    "practices.catalogue.catalogue": ("Catalogue", "catalogue"),
    "practices.catalogue.entry": ("CatalogueEntry",),
    "reports.report": ("ReportItem", "report"),
    "repository.load_report": ("LoadReport",),
    "repository.mapping": ("Run",),
    "repository.repository": ("Repository",),
    "repository.selection": ("Selection",),
    "repository.source": ("EventLog", "Source", "SourceMeasure", "WorkingDuration"),
}
_WHERE = {name: module for module, names in _PUBLIC.items() for name in names}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    module = _WHERE.get(name)
    if module is None:
        from perfanalytics.core.errors import nearest

        hint = nearest(name, _WHERE)
        raise AttributeError(
            f"module 'perfanalytics' has no attribute {name!r}"
            + (f"; did you mean {hint!r}?" if hint else "")
        )
    import importlib

    value = getattr(importlib.import_module(f"perfanalytics.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
