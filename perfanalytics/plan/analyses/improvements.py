"""Benefits predicted, portfolios chosen, deployments evaluated: ``[[predicted_benefit]]``, ``[[portfolio]]``,
``[[deployment_evaluation]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, model_validator

from perfanalytics.baselines.result import Baseline
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.improvement_records import Proposal
from perfanalytics.models.cost_benefit import CostBenefit
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.models.what_if_result import WhatIf
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.cost_benefit import Amounts
from perfanalytics.plan.analyses.factor_settings import drawn_from, stated
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import names, undeclared, unknown
from perfanalytics.plan.tables import Analysis, Name, OfSeries, Texts, Value
from perfanalytics.practices.opm.benefit_result import PredictedBenefit
from perfanalytics.practices.opm.benefits import predict_benefit
from perfanalytics.practices.opm.deployments import evaluate_deployment
from perfanalytics.practices.opm.portfolio import portfolio
from perfanalytics.reports.report import ReportItem

#: A number; ``[low, likely, high]``; ``{ distribution = ... }`` with its parameters; ``{ baseline = NAME }``.
Amount = int | float | list[float] | dict[str, Value]
Pair = tuple[str, str]


class PredictedBenefitTable(Analysis):
    """``[[predicted_benefit]]``: what a proposal will bring, from a saved result or an assumption."""

    proposal: str | None = None
    source: str | None = None
    scenario: str | None = None
    improvement: float | list[float] | None = None
    ratio: float | list[float] | None = None
    level: float | dict[str, Value] | None = None
    measure: str | None = None
    quantity: Literal["mean", "share"] = "mean"
    volume: Amount
    worth: Amount
    investment: Amounts = {}
    running_costs: Amounts = {}
    periods: int = Field(3, ge=1)
    rate: float = Field(0.0, gt=-1)
    starts: int = Field(1, ge=1)
    ramp: int = Field(0, ge=0)
    period: str = "year"
    unit: str = "EUR"
    confidence: float = Field(0.9, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_source(self) -> PredictedBenefitTable:
        if sum(given is not None for given in (self.source, self.improvement, self.ratio)) != 1:
            raise ValueError("give exactly one of source (a saved result), improvement and ratio")
        if (self.ratio is None) != (self.level is None):
            raise ValueError("ratio and level (today's mean, or { baseline = NAME }) belong together")
        if self.source is None and self.scenario is not None:
            raise ValueError("scenario belongs to source = a what-if or a comparison of processes")
        return self


class PortfolioTable(Analysis):
    """``[[portfolio]]``: which ``[[proposal]]`` to choose under a budget."""

    budget: float = Field(ge=0)
    proposals: Texts = []
    values: dict[str, str | float | list[float]] = {}
    costs: dict[str, float] = {}
    must: Texts = []
    excludes: list[Pair] = []
    requires: list[Pair] = []
    periods: int = Field(3, ge=1)
    rate: float = Field(0.0, gt=-1)
    unit: str = "EUR"
    confidence: float = Field(0.9, gt=0, lt=1)
    draws: int = Field(400, ge=2)
    seed: int = 1


class DeploymentEvaluationTable(OfSeries):
    """``[[deployment_evaluation]]``: the stages of a proposal against what was not deployed yet."""

    proposal: Name
    by: str | Texts
    predicted: str | list[float] | None = None
    confidence: float = Field(0.95, gt=0, lt=1)


def _amount(given: Any, context: Context) -> Any:
    return tuple(given) if isinstance(given, list) else drawn_from(given, context)


def _benefit(table: PredictedBenefitTable, context: Context) -> list[ReportItem]:
    source: Any
    if table.source is not None:
        source = context.saved(table.source, (WhatIf, ProcessComparison, Comparison))
    else:
        given = table.improvement if table.ratio is None else table.ratio
        source = tuple(given) if isinstance(given, list) else given
    level = table.level
    if isinstance(level, dict):
        level = context.saved(str(level["baseline"]), Baseline)  # type: ignore[assignment]
    result = predict_benefit(
        source,
        volume=_amount(table.volume, context),
        worth=_amount(table.worth, context),
        scenario=table.scenario,
        level=level,  # type: ignore[arg-type]
        quantity=table.quantity,
        measure=None if table.measure is None else context.measure(table.measure),
        investment={n: _amount(a, context) for n, a in table.investment.items()} or None,
        running_costs={n: _amount(a, context) for n, a in table.running_costs.items()} or None,
        periods=table.periods,
        rate=table.rate,
        starts=table.starts,
        ramp=table.ramp,
        period=table.period,
        unit=table.unit,
        proposal=table.proposal or "",
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _portfolio(table: PortfolioTable, context: Context) -> list[ReportItem]:
    known: tuple[Proposal, ...] = context.repo.archive().of_kind("proposal")
    chosen = [p for p in known if not table.proposals or p.name in table.proposals]
    values = {
        name: context.saved(given, (PredictedBenefit, CostBenefit))
        if isinstance(given, str)
        else tuple(given)
        if isinstance(given, list)
        else given
        for name, given in table.values.items()
    }
    result = portfolio(
        chosen,
        budget=table.budget,
        values=values,
        costs=table.costs,
        must=table.must,
        excludes=table.excludes,
        requires=table.requires,
        periods=table.periods,
        rate=table.rate,
        unit=table.unit,
        confidence=table.confidence,
        draws=table.draws,
        seed=table.seed,
    )
    return [item(table, result, context)]


def _deployment(table: DeploymentEvaluationTable, context: Context) -> list[ReportItem]:
    stages = [d for d in context.repo.archive().of_kind("deployment") if d.proposal == table.proposal]
    chosen = {"every": table.every or "week"} | {
        k: v for k, v in selection(table, context).items() if k != "every"
    }
    batch = context.repo.batch(table.measure, by=names(table.by), **chosen)
    predicted: Any = table.predicted
    if isinstance(predicted, str):
        predicted = context.saved(predicted, PredictedBenefit)
    elif isinstance(predicted, list):
        predicted = tuple(predicted)
    result = evaluate_deployment(batch, stages, predicted=predicted, confidence=table.confidence)
    return [item(table, result, context)]


def _refer_benefit(table: PredictedBenefitTable) -> Iterator[Reference]:
    yield Reference("proposal", table.proposal, "proposal")
    yield Reference("measure", table.measure, "measure")


def _check_benefit(where: str, table: PredictedBenefitTable, declared: Declared) -> Iterator[str]:
    given: dict[str, Any] = {"volume": table.volume, "worth": table.worth}
    given |= {f"investment: {n}": a for n, a in table.investment.items()}
    given |= {f"running_costs: {n}": a for n, a in table.running_costs.items()}
    for said, amount in (given | {"improvement": table.improvement, "ratio": table.ratio}).items():
        yield from _amount_mistakes(f"{where}: {said}", amount)
    if isinstance(table.level, dict) and set(table.level) != {"baseline"}:
        yield f"{where}: level: give a number, or {{ baseline = NAME }}"
    if table.running_costs and not table.investment:
        yield f"{where}: running_costs belong to an investment"


def _amount_mistakes(where: str, given: Any) -> Iterator[str]:
    """Three numbers out of order; a distribution that cannot be; anything else in braces."""
    if isinstance(given, list) and (len(given) != 3 or sorted(given) != given):
        yield f"{where}: [low, likely, high] are three numbers in their order, got {given}"
    if isinstance(given, dict) and "distribution" in given:
        try:
            stated(given)
        except PerfAnalyticsError as error:
            yield f"{where}: {error}"
    elif isinstance(given, dict) and set(given) != {"baseline"}:
        yield f"{where}: give {{ baseline = NAME }}, or {{ distribution = ... }} with its parameters"


def _refer_portfolio(table: PortfolioTable) -> Iterator[Reference]:
    pairs = (*table.excludes, *table.requires)
    named = (*table.proposals, *table.values, *table.costs, *table.must, *(n for p in pairs for n in p))
    for name in dict.fromkeys(named):
        yield Reference("proposals", name, "proposal")


def _check_portfolio(where: str, table: PortfolioTable, declared: Declared) -> Iterator[str]:
    pairs = (*table.excludes, *table.requires)
    for name in (*table.values, *table.costs, *table.must, *(n for p in pairs for n in p)):
        if table.proposals:
            yield from undeclared(where, "proposals", name, table.proposals)
    for name, given in table.values.items():
        yield from _amount_mistakes(f"{where}: values: {name}", given)
    for a, b in table.excludes:
        if a in table.must and b in table.must:
            yield f"{where}: excludes: {a!r} and {b!r} exclude each other, and both stand under must"


def _refer_deployment(table: DeploymentEvaluationTable) -> Iterator[Reference]:
    yield Reference("proposal", table.proposal, "proposal")


def _check_deployment(where: str, table: DeploymentEvaluationTable, declared: Declared) -> Iterator[str]:
    known = declared.attributes.get(table.measure, frozenset())
    for name in names(table.by):
        yield from unknown(where, f"by: attribute of {table.measure}", name, known)
    yield from _amount_mistakes(f"{where}: predicted", table.predicted)


PREDICTED_BENEFIT = Kind(
    table=PredictedBenefitTable,
    chapter="Improvement: benefits",
    many="predicted benefits",
    analyze=_benefit,
    check=_check_benefit,
    references=_refer_benefit,
)
PORTFOLIO = Kind(
    table=PortfolioTable,
    chapter="Improvement: portfolio",
    many="portfolios",
    analyze=_portfolio,
    check=_check_portfolio,
    references=_refer_portfolio,
)
DEPLOYMENT_EVALUATION = Kind(
    table=DeploymentEvaluationTable,
    chapter="Improvement: deployment",
    many="evaluations of deployments",
    analyze=_deployment,
    check=_check_deployment,
    references=_refer_deployment,
)
