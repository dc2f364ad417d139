"""plot: one verb for every result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.kinds import load
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from perfanalytics.models.simulation.parts import Part

#: Kind of result -> "module:function"; the function turns a result into a plain plotly dict.
FIGURES: dict[str, str] = {
    "control_charts": "perfanalytics.figures.control_charts:draw",
    "phase_one": "perfanalytics.figures.phase_one:draw",
    "scorecard": "perfanalytics.figures.scorecard:draw",
    "baseline": "perfanalytics.figures.baseline:draw",
    "baselines": "perfanalytics.figures.baselines:draw",
    "strata": "perfanalytics.figures.strata:draw",
    "drift": "perfanalytics.figures.drift:draw",
    "data_quality": "perfanalytics.figures.data_quality:draw",
    "capability": "perfanalytics.figures.capability:draw",
    "capabilities": "perfanalytics.figures.capabilities:draw",
    "distribution_fit": "perfanalytics.figures.distribution:draw",
    "gauge_study": "perfanalytics.figures.gauge_study:draw",
    "agreement": "perfanalytics.figures.agreement:draw",
    "model": "perfanalytics.figures.model:draw",
    "model_selection": "perfanalytics.figures.model_selection:draw",
    "what_if": "perfanalytics.figures.what_if:draw",
    "factor_profile": "perfanalytics.figures.profile:draw",
    "sensitivity": "perfanalytics.figures.sensitivity:draw",
    "optimum": "perfanalytics.figures.optimum:draw",
    "model_review": "perfanalytics.figures.model_review:draw",
    "calibration": "perfanalytics.figures.calibration:draw",
    "backtest": "perfanalytics.figures.backtest:draw",
    "predictions": "perfanalytics.figures.backtest:draw",
    "prediction_errors": "perfanalytics.figures.prediction_errors:draw",
    "cost_benefit": "perfanalytics.figures.cost_benefit:draw",
    "queue": "perfanalytics.figures.queue:draw",
    "staffing": "perfanalytics.figures.staffing:draw",
    "capacity_threshold": "perfanalytics.figures.capacity:draw",
    "queue_simulation": "perfanalytics.figures.queue_simulation:draw",
    "growth": "perfanalytics.figures.growth:draw",
    "availability": "perfanalytics.figures.availability:draw",
    "structure": "perfanalytics.figures.structure:draw",
    "lifetimes": "perfanalytics.figures.lifetimes:draw",
    "containment": "perfanalytics.figures.containment:draw",
    "simulation": "perfanalytics.figures.simulation:draw",
    "risk_register": "perfanalytics.figures.risk_register:draw",
    "objective_prediction": "perfanalytics.figures.objective_prediction:draw",
    "trade_off": "perfanalytics.figures.trade_off:draw",
    "effect_evaluation": "perfanalytics.figures.effect_evaluation:draw",
    "recurrence": "perfanalytics.figures.recurrence:draw",
    "work_review": "perfanalytics.figures.work_review:draw",
    "service_report": "perfanalytics.figures.service_report:draw",
    "process_comparison": "perfanalytics.figures.process_comparison:draw",
    "objective_tree": "perfanalytics.figures.objective_tree:draw",
    "register": "perfanalytics.figures.register:draw",
    "subprocess_selection": "perfanalytics.figures.subprocess_selection:draw",
    "pareto": "perfanalytics.figures.pareto:draw",
    "cause_effect": "perfanalytics.figures.cause_effect:draw",
    "why_tree": "perfanalytics.figures.why_tree:draw",
    "candidate_causes": "perfanalytics.figures.candidate_causes:draw",
    "fmea": "perfanalytics.figures.fmea:draw",
    "check_sheet": "perfanalytics.figures.check_sheet:draw",
    "group_distributions": "perfanalytics.figures.group_distributions:draw",
    "defects_by_cause_and_phase": "perfanalytics.figures.cause_phase:draw",
    "what_changed": "perfanalytics.figures.what_changed:draw",
    "improvement_register": "perfanalytics.figures.improvement_register:draw",
    "organization_capability": "perfanalytics.figures.organization_capability:draw",
    "predicted_benefit": "perfanalytics.figures.predicted_benefit:draw",
    "pilot_plan": "perfanalytics.figures.pilot_plan:draw",
    "pilot_judgement": "perfanalytics.figures.pilot_judgement:draw",
    "portfolio": "perfanalytics.figures.portfolio:draw",
    "deployment_evaluation": "perfanalytics.figures.deployment_evaluation:draw",
    "suggested_stages": "perfanalytics.figures.suggested_stages:draw",
    "run_lengths": "perfanalytics.figures.run_lengths:draw",
    "operating_characteristic": "perfanalytics.figures.operating_characteristic:draw",
    "control_chart": "perfanalytics.figures.control_chart:draw",
    "power": "perfanalytics.figures.power:draw",
    "comparison": "perfanalytics.figures.comparison:draw",
    "comparisons": "perfanalytics.figures.forest:draw",
}


#: Kind of result -> "module:function" for the figures that stand beside its own in a report.
FURTHER: dict[str, str] = {
    "simulation": "perfanalytics.figures.process:of_simulation",
    "process_comparison": "perfanalytics.figures.process:of_alternatives",
    "predicted_benefit": "perfanalytics.figures.predicted_benefit:money",
    "effect_evaluation": "perfanalytics.figures.effect_evaluation:further",
}


#: Kinds of the parts of a composed process. They are no results; known by name, so that the models behind
#: them need not be loaded before a chart is drawn.
PARTS = tuple(f"process_{part}" for part in ("step", "sequence", "parallel", "branch", "rework", "batch"))


def further_figures(result: Result) -> list[dict[str, Any]]:
    """Figures beside the figure of a result: the process behind a simulation, drawn as boxes."""
    reference = FURTHER.get(result.kind)
    if reference is None:
        return []
    drawn: list[dict[str, Any]] = load(reference)(result)
    return drawn


def figure_dict(result: Result | Part) -> dict[str, Any]:
    """The figure of a result as a plain dict ``{"data": [...], "layout": {...}}``; plotly is not imported.

    Raises
    ------
    InputError
        When it is no result.
    UnknownNameError
        When there is no figure for this kind of result.
    """
    if str(getattr(result, "kind", "")) in PARTS:
        found: dict[str, Any] = load("perfanalytics.figures.process:draw")(result)
        return found
    if not isinstance(result, Result):
        raise InputError(
            f"plot takes a result (a control chart, baseline, comparison, model ...), got "
            f"{type(result).__name__}: draw perf.control_chart(...) of the values, for example"
        )
    reference = FIGURES.get(result.kind)
    if reference is None:
        raise UnknownNameError("figure for results of kind", result.kind, FIGURES)
    drawn: dict[str, Any] = load(reference)(result)
    return drawn


def plot(result: Result | Part) -> go.Figure:
    """Draw a result.

    Parameters
    ----------
    result : Result or Part
        A control chart, baseline, comparison, model, ...; a composed process is drawn as boxes.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    InputError
        When it is no result.
    UnknownNameError
        When there is no figure for this kind of result.
    """
    import plotly.graph_objects as go

    return go.Figure(figure_dict(result))
