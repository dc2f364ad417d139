"""What an improvement is worth: ``[[cost_benefit]]``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.models.cost_benefit import cost_benefit
from perfanalytics.plan.analyses.context import Context, item
from perfanalytics.plan.analyses.factor_settings import drawn_from, stated
from perfanalytics.plan.analyses.kind import Declared, Kind
from perfanalytics.plan.tables import Analysis, Value
from perfanalytics.reports.report import ReportItem

#: A number; ``[low, likely, high]``; ``{ distribution = ... }`` with its parameters; ``{ baseline = NAME }``.
Amounts = dict[str, int | float | list[float] | dict[str, Value]]


class CostBenefitTable(Analysis):
    """``[[cost_benefit]]``: net present value and payback of an improvement."""

    investment: Amounts
    benefits: Amounts
    running_costs: Amounts = {}
    periods: int = Field(ge=1)
    rate: float = Field(0.0, gt=-1)
    starts: int = Field(1, ge=1)
    ramp: int = Field(0, ge=0)
    period: str = "year"
    unit: str = "EUR"
    confidence: float = Field(0.9, gt=0, lt=1)


def _cost_benefit(table: CostBenefitTable, context: Context) -> list[ReportItem]:
    def amounts(written: Amounts) -> dict[str, Any]:
        return {
            name: tuple(given) if isinstance(given, list) else drawn_from(given, context)
            for name, given in written.items()
        }

    result = cost_benefit(
        investment=amounts(table.investment),
        benefits=amounts(table.benefits),
        running_costs=amounts(table.running_costs),
        periods=table.periods,
        rate=table.rate,
        starts=table.starts,
        ramp=table.ramp,
        period=table.period,
        unit=table.unit,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _check(where: str, table: CostBenefitTable, declared: Declared) -> Iterator[str]:
    for key in ("investment", "benefits", "running_costs"):
        for name, given in getattr(table, key).items():
            said = f"{where}: {key}: {name}"
            if isinstance(given, list) and (len(given) != 3 or sorted(given) != given):
                yield f"{said}: [low, likely, high] are three numbers in their order, got {given}"
            if isinstance(given, dict) and "distribution" in given:
                try:
                    stated(given)
                except PerfAnalyticsError as error:
                    yield f"{said}: {error}"
            elif isinstance(given, dict) and set(given) != {"baseline"}:
                yield f"{said}: give {{ baseline = NAME }}, or {{ distribution = ... }} with its parameters"


COST_BENEFIT = Kind(
    table=CostBenefitTable,
    chapter="Costs and benefits",
    many="cost-benefit analyses",
    analyze=_cost_benefit,
    check=_check,
)
