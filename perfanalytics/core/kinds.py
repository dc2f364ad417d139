"""Kind of a saved record -> "module:Class", as text.

This is the one declared exception to the import order: a saved result names its kind, and the class
is found here when it is read back. Nothing is imported until then.
"""

from __future__ import annotations

import importlib
from typing import Any

from perfanalytics.core.errors import RecordError, nearest

KINDS: dict[str, str] = {
    # values inside results
    "measure": "perfanalytics.core.measure:Measure",
    "interval": "perfanalytics.core.result:Interval",
    "estimate": "perfanalytics.core.result:Estimate",
    "caveat": "perfanalytics.core.result:Caveat",
    "method": "perfanalytics.core.result:Method",
    "provenance": "perfanalytics.core.result:Provenance",
    # what people declare and decide
    "objective": "perfanalytics.core.records:Objective",
    "process": "perfanalytics.core.records:Process",
    "change": "perfanalytics.core.records:Change",
    "event": "perfanalytics.core.records:Event",
    "exclusion": "perfanalytics.core.records:Exclusion",
    "calendar": "perfanalytics.core.calendars:Calendar",
    "business_objective": "perfanalytics.core.records:BusinessObjective",
    "planned_analysis": "perfanalytics.core.records:PlannedAnalysis",
    "work": "perfanalytics.core.practice_records:Work",
    "risk": "perfanalytics.core.practice_records:Risk",
    "causal_analysis": "perfanalytics.core.improvement_records:CausalAnalysis",
    "cause": "perfanalytics.core.improvement_records:Cause",
    "failure_mode": "perfanalytics.core.improvement_records:FailureMode",
    "proposal": "perfanalytics.core.improvement_records:Proposal",
    "success_criterion": "perfanalytics.core.improvement_records:SuccessCriterion",
    "pilot": "perfanalytics.core.improvement_records:Pilot",
    "deployment": "perfanalytics.core.improvement_records:Deployment",
    "action": "perfanalytics.core.practice_records:Action",
    "review": "perfanalytics.core.practice_records:Review",
    "decision": "perfanalytics.core.practice_records:Decision",
    # the repository
    "data_quality": "perfanalytics.core.data_quality:DataQuality",
    "load_report": "perfanalytics.repository.load_report:LoadReport",
    # control charts
    "rule": "perfanalytics.spc.rules:Rule",
    "rule-set": "perfanalytics.spc.rules:RuleSet",
    "transform": "perfanalytics.spc.transforms:Transform",
    "limits": "perfanalytics.spc.limits:Limits",
    "control_chart": "perfanalytics.spc.result:ControlChart",
    "control_charts": "perfanalytics.spc.charts_result:ControlCharts",
    "phase_one": "perfanalytics.spc.phase_one_result:PhaseOne",
    "exclusion-draft": "perfanalytics.spc.phase_one_result:ExclusionDraft",
    "scorecard": "perfanalytics.spc.scorecard:Scorecard",
    "stage-test": "perfanalytics.spc.result:StageTest",
    "ewma-scheme": "perfanalytics.spc.schemes:EwmaScheme",
    "cusum-scheme": "perfanalytics.spc.schemes:CusumScheme",
    "mewma-scheme": "perfanalytics.spc.schemes:MewmaScheme",
    "suggested_stages": "perfanalytics.spc.suggested_stages:SuggestedStages",
    "run_lengths": "perfanalytics.spc.run_length:RunLengths",
    "operating_characteristic": "perfanalytics.spc.operating_characteristic:OperatingCharacteristic",
    # comparisons
    "effect": "perfanalytics.comparisons.method:Effect",
    "comparison_side": "perfanalytics.comparisons.result:SideTable",
    "comparison_course": "perfanalytics.comparisons.course:Course",
    "power": "perfanalytics.comparisons.power_result:Power",
    "comparison": "perfanalytics.comparisons.result:Comparison",
    "comparisons": "perfanalytics.comparisons.many_result:Comparisons",
    # baselines
    "baseline": "perfanalytics.baselines.result:Baseline",
    "gauge_study": "perfanalytics.baselines.measurement_systems.gauge_result:GaugeStudy",
    "agreement": "perfanalytics.baselines.measurement_systems.agreement_result:Agreement",
    "baselines": "perfanalytics.baselines.bulk_result:Baselines",
    "drift": "perfanalytics.baselines.drift:Drift",
    "strata": "perfanalytics.baselines.strata_result:Strata",
    "fitted_distribution": "perfanalytics.baselines.fitted:Fitted",
    "distribution_fit": "perfanalytics.baselines.distribution_result:DistributionFit",
    "capability": "perfanalytics.baselines.capability_result:Capability",
    "capabilities": "perfanalytics.baselines.capability_bulk_result:Capabilities",
    # models
    "factor": "perfanalytics.models.factors:Factor",
    "model_check": "perfanalytics.models.tabulating:Check",
    "model": "perfanalytics.models.result:Model",
    "what_if": "perfanalytics.models.what_if_result:WhatIf",
    "factor_profile": "perfanalytics.models.profile:Profile",
    "sensitivity": "perfanalytics.models.sensitivity:Sensitivity",
    "optimum": "perfanalytics.models.optimum:Optimum",
    "model_review": "perfanalytics.models.review:ModelReview",
    "calibration": "perfanalytics.models.calibration:Calibration",
    "backtest": "perfanalytics.models.backtest:Backtest",
    "predictions": "perfanalytics.models.predictions:Predictions",
    "prediction_errors": "perfanalytics.models.prediction_errors:PredictionErrors",
    "cost_benefit": "perfanalytics.models.cost_benefit:CostBenefit",
    "model_selection": "perfanalytics.models.selection:ModelSelection",
    "queue": "perfanalytics.models.queues.queue:Queue",
    "staffing": "perfanalytics.models.queues.staffing:Staffing",
    "capacity_threshold": "perfanalytics.models.queues.capacity:Capacity",
    "availability": "perfanalytics.models.reliability.availability:Availability",
    "structure": "perfanalytics.models.reliability.structure:Structure",
    "lifetimes": "perfanalytics.models.reliability.lifetimes:Lifetimes",
    "containment": "perfanalytics.models.reliability.containment:Containment",
    "growth": "perfanalytics.models.reliability.growth:Growth",
    "growth_fit": "perfanalytics.models.reliability.growth_fit:GrowthFit",
    "queue_simulation": "perfanalytics.models.queues.simulation_result:QueueSimulation",
    "named_distribution": "perfanalytics.models.simulation.distribution:Distribution",
    "sampled_values": "perfanalytics.models.simulation.sources:Sample",
    "model_item": "perfanalytics.models.simulation.sources:ModelItem",
    "process_step": "perfanalytics.models.simulation.parts:Step",
    "process_sequence": "perfanalytics.models.simulation.parts:Sequence",
    "process_parallel": "perfanalytics.models.simulation.parts:Parallel",
    "process_branch": "perfanalytics.models.simulation.parts:Branch",
    "process_rework": "perfanalytics.models.simulation.parts:Rework",
    "process_batch": "perfanalytics.models.simulation.parts:Batch",
    "simulation": "perfanalytics.models.simulation.result:Simulation",
    "process_comparison": "perfanalytics.models.simulation.alternatives_result:ProcessComparison",
    # organizational process performance
    "register": "perfanalytics.practices.opp.register:Register",
    "subprocess_selection": "perfanalytics.practices.opp.subprocess_selection:SubprocessSelection",
    "objective_tree": "perfanalytics.practices.opp.objective_tree:ObjectiveTree",
    "objective_prediction": "perfanalytics.practices.qwm.work_review_prediction:ObjectivePrediction",
    "trade_off": "perfanalytics.practices.qwm.work_review_tradeoff:TradeOff",
    "objective_conflicts": "perfanalytics.practices.qwm.work_review_conflicts:ObjectiveConflicts",
    "risk_register": "perfanalytics.practices.qwm.work_review_risks:RiskRegister",
    "prediction_check": "perfanalytics.practices.qwm.work_review_checks:PredictionCheck",
    # causal analysis and resolution: act and evaluate
    "effect_evaluation": "perfanalytics.practices.car.effect_result:EffectEvaluation",
    "effect_side": "perfanalytics.practices.car.effect_result:EffectSide",
    "effect_benefit": "perfanalytics.practices.car.effect_benefit:Benefit",
    "effect_on_objective": "perfanalytics.practices.car.effect_objective:OnObjective",
    "recurrence": "perfanalytics.practices.car.recurrence:Recurrence",
    "action_plan": "perfanalytics.practices.car.action_plan:ActionPlan",
    "causal_search": "perfanalytics.practices.car.causal_search:CausalSearch",
    "causal_table": "perfanalytics.practices.car.causal_review:CausalTable",
    "causal_source": "perfanalytics.practices.car.causal_review:CausalSource",
    "causal_review": "perfanalytics.practices.car.causal_review:CausalReview",
    "work_review": "perfanalytics.practices.qwm.work_review_result:WorkReview",
    # service reports
    "trend": "perfanalytics.practices.service_reports.trend:Trend",
    "period_figures": "perfanalytics.practices.service_reports.period_figures_result:PeriodFigures",
    "service_report": "perfanalytics.practices.service_reports.service_report_result:ServiceReport",
    # causal analysis: select and analyze
    "pareto": "perfanalytics.practices.car.pareto_result:Pareto",
    "cause_effect": "perfanalytics.practices.car.cause_effect:CauseEffect",
    "why_tree": "perfanalytics.practices.car.why_tree:WhyTree",
    "candidate_causes": "perfanalytics.practices.car.candidate_result:CandidateCauses",
    "fmea": "perfanalytics.practices.car.fmea:Fmea",
    "check_sheet": "perfanalytics.practices.car.check_sheet:CheckSheet",
    "group_distributions": "perfanalytics.practices.car.group_distributions:GroupDistributions",
    "defects_by_cause_and_phase": "perfanalytics.practices.car.cause_phase:DefectsByCauseAndPhase",
    "what_changed": "perfanalytics.practices.car.what_changed:WhatChanged",
    # organizational performance management
    "improvement_register": "perfanalytics.practices.opm.improvement_register:ImprovementRegister",
    "organization_capability": "perfanalytics.practices.opm.organization_result:OrganizationCapability",
    "predicted_benefit": "perfanalytics.practices.opm.benefit_result:PredictedBenefit",
    "pilot_plan": "perfanalytics.practices.opm.pilot_plan:PilotPlan",
    "pilot_judgement": "perfanalytics.practices.opm.pilot_judgement_result:PilotJudgement",
    "portfolio": "perfanalytics.practices.opm.portfolio_result:Portfolio",
    "deployment_evaluation": "perfanalytics.practices.opm.deployment_result:DeploymentEvaluation",
}

#: Methods that run over batches in bulk (``perf.method(name, ...)``) -> "module:function".
BULK_METHODS: dict[str, str] = {
    "control_charts": "perfanalytics.spc.charts:bulk_method",
    "level_change": "perfanalytics.comparisons.bulk:bulk_method",
    "compare": "perfanalytics.comparisons.bulk_compare:bulk_method",
    "capability": "perfanalytics.baselines.capability_bulk:bulk_method",
    "baselines": "perfanalytics.baselines.bulk:bulk_method",
}


def load(reference: str) -> Any:
    """The object behind "module:name"."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def class_of(kind: str) -> type[Any]:
    """The class of a kind.

    Raises
    ------
    RecordError
        When no class is known for it.
    """
    reference = KINDS.get(kind)
    if reference is None:
        hint = nearest(kind, KINDS)
        raise RecordError(f"unknown kind of record {kind!r}" + (f"; did you mean {hint!r}?" if hint else ""))
    cls = load(reference)
    assert isinstance(cls, type)
    return cls
