"""The analyses a plan can ask for.

Adding one takes a file here with its table, what it checks and what it does; its line in ``ANALYSES``; and
its field in :class:`perfanalytics.plan.plan.Plan`. Everything else (reading, checking, running, the order of
the report, what ``perfanalytics check`` counts) is taken from the list.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from perfanalytics.plan.analyses.baselines import BASELINE
from perfanalytics.plan.analyses.capability import CAPABILITY
from perfanalytics.plan.analyses.causes import CANDIDATE_CAUSES, CAUSE_EFFECT, FMEA, WHAT_CHANGED, WHY_TREE
from perfanalytics.plan.analyses.charts import CHART
from perfanalytics.plan.analyses.comparisons import COMPARISON
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.analyses.cost_benefit import COST_BENEFIT
from perfanalytics.plan.analyses.drift import DRIFT
from perfanalytics.plan.analyses.effects import EFFECT, RECURRENCE
from perfanalytics.plan.analyses.improvements import DEPLOYMENT_EVALUATION, PORTFOLIO, PREDICTED_BENEFIT
from perfanalytics.plan.analyses.kind import Kind
from perfanalytics.plan.analyses.measurement_systems import AGREEMENT, GAUGE_STUDY
from perfanalytics.plan.analyses.models import MODEL
from perfanalytics.plan.analyses.organization import ORGANIZATION_CAPABILITY
from perfanalytics.plan.analyses.pilots import PILOT_JUDGEMENT, PILOT_PLAN
from perfanalytics.plan.analyses.prediction_errors import PREDICTION_ERRORS
from perfanalytics.plan.analyses.queue_simulations import QUEUE_FORECAST, QUEUE_REPLAY
from perfanalytics.plan.analyses.queues import CAPACITY, QUEUE, STAFFING
from perfanalytics.plan.analyses.reliability import AVAILABILITY, CONTAINMENT, GROWTH, LIFETIMES
from perfanalytics.plan.analyses.selecting import CHECK_SHEET, GROUP_DISTRIBUTIONS, PARETO
from perfanalytics.plan.analyses.selections import SUBPROCESS_SELECTION
from perfanalytics.plan.analyses.simulations import PROCESS_COMPARISON, SIMULATION
from perfanalytics.plan.tables import Analysis
from perfanalytics.reports.report import ReportItem

#: In the order of the report: whether measuring can be trusted comes first.
ANALYSES: tuple[Kind[Any], ...] = (
    GAUGE_STUDY,
    AGREEMENT,
    CHART,
    BASELINE,
    DRIFT,
    CAPABILITY,
    COMPARISON,
    MODEL,
    PREDICTION_ERRORS,
    SIMULATION,
    PROCESS_COMPARISON,
    QUEUE,
    STAFFING,
    CAPACITY,
    QUEUE_REPLAY,
    QUEUE_FORECAST,
    AVAILABILITY,
    LIFETIMES,
    GROWTH,
    CONTAINMENT,
    PARETO,
    GROUP_DISTRIBUTIONS,
    CHECK_SHEET,
    WHAT_CHANGED,
    CANDIDATE_CAUSES,
    FMEA,
    CAUSE_EFFECT,
    WHY_TREE,
    COST_BENEFIT,
    EFFECT,
    RECURRENCE,
    SUBPROCESS_SELECTION,
    ORGANIZATION_CAPABILITY,
    PREDICTED_BENEFIT,
    PILOT_PLAN,
    PILOT_JUDGEMENT,
    PORTFOLIO,
    DEPLOYMENT_EVALUATION,
)
_KINDS: dict[type[Analysis], Kind[Any]] = {kind.table: kind for kind in ANALYSES}


def kind_of(table: Analysis) -> Kind[Any]:
    """The kind of analysis a table asks for."""
    return _KINDS[type(table)]


def analyze(table: Analysis, context: Context) -> list[ReportItem]:
    """Do one analysis.

    Returns
    -------
    list of ReportItem
        One, or several (one for each series of a chart with ``by``), in the chapter of its kind.

    Raises
    ------
    PerfAnalyticsError
        When it cannot be done; nothing of it is saved then.
    """
    kind = kind_of(table)
    return [replace(item, group=kind.chapter) for item in kind.analyze(table, context)]
