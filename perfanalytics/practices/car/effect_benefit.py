"""What an effect was worth: the measured change times volume times value, against what was expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.errors import InputError
from perfanalytics.core.series import Series
from perfanalytics.models.cost_benefit import CostBenefit, cost_benefit
from perfanalytics.models.factor_values import quantiles_of
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.practices.car.effect_criterion import find_row

RUNS, SEED = 20_000, 20260101
#: Rows that say by how much a value changed on average, in the unit of the measure.
AVERAGES = ("difference_of_means", "difference_of_proportions", "difference_of_rates")
#: A number, (low, likely, high), or a distribution.
Amount = float | tuple[float, float, float] | Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """The realized benefit of a year.

    Parameters
    ----------
    unit : str
        Of money or effort.
    change, change_low, change_high : float
        Improvement of the average, in the unit of the measure (positive is better), with its interval.
    volume : float
        Items of a year (the mean where it is uncertain).
    value : float
        What one unit of the measure is worth for one item (the mean).
    benefit, low, high : float
        Of a year: mean and interval with ``confidence``.
    cost : float
        What the actions cost; NaN where it is not on record.
    expected : float
        What the proposal expected of a year; NaN where it said nothing.
    probability_pays : float
        That the benefits of the first year exceed the cost; NaN without a cost.
    probability_expected : float
        That the benefit is at least the one expected; NaN without one.
    confidence : float
    account : CostBenefit or None
        The first year as a cost-benefit analysis; None without a cost.
    """

    kind: ClassVar[str] = "effect_benefit"

    unit: str
    change: float
    change_low: float
    change_high: float
    volume: float
    value: float
    benefit: float
    low: float
    high: float
    cost: float
    expected: float
    probability_pays: float
    probability_expected: float
    confidence: float
    account: CostBenefit | None = None

    @property
    def share_of_expected(self) -> float:
        """Realized over expected; NaN without an expectation."""
        return self.benefit / self.expected if self.expected else math.nan

    def sentence(self) -> str:
        """What it brought, in words."""
        level = percent(self.confidence)
        said = "benefit" if self.benefit >= 0 else "loss"
        text = (
            f"The {said} is {number(abs(self.benefit), self.unit)} a year "
            f"({level} interval {number(self.low)} to {number(self.high, self.unit)})"
        )
        if not math.isnan(self.expected):
            text += f", {number(self.expected)} were expected"
        if math.isnan(self.cost):
            return f"{text}; what the actions cost is not on record."
        return (
            f"{text}; the actions cost {number(self.cost, self.unit)}, which the first year pays back with a "
            f"probability of {percent(self.probability_pays)}."
        )


def realized(
    comparison: Comparison,
    after: Series,
    *,
    value: Amount | None,
    volume: Amount | None,
    costs: Mapping[str, float],
    expected: float | None,
    unit: str,
    confidence: float,
) -> Benefit | None:
    """The benefit of a year; None where no value is declared or no average was compared.

    Raises
    ------
    InputError
        When the volume must be declared: the data do not say how many items a year has.
    """
    row = find_row(comparison, AVERAGES)
    if value is None or row is None or math.isnan(row.low):
        return None
    better = comparison.measure.better
    if better not in ("lower", "higher"):
        raise InputError(
            f"what a change of {comparison.measure.name!r} is worth needs a direction: better= of the "
            f"measure is {better!r}"
        )
    sign = -1.0 if better == "lower" else 1.0
    rng = np.random.default_rng(SEED)
    change = sign * _changes(row, comparison.confidence, rng)
    many = _draws(_of_a_year(after) if volume is None else volume, "volume", rng)
    worth = _draws(value, "value", rng)
    money = change * many * worth
    cost = math.fsum(costs.values()) if costs else math.nan
    account = None
    if costs:
        account = cost_benefit(
            investment=dict(costs),
            benefits={f"change of {comparison.measure.name}": money},
            periods=1,
            unit=unit,
            confidence=confidence,
            runs=RUNS,
        )
    tail = (1 - confidence) / 2
    ends = sorted((sign * row.low, sign * row.high))
    wanted = math.nan if expected is None else float(expected)
    return Benefit(
        unit=unit,
        change=sign * row.estimate,
        change_low=ends[0],
        change_high=ends[1],
        volume=float(np.mean(many)),
        value=float(np.mean(worth)),
        benefit=float(money.mean()),
        low=float(np.quantile(money, tail)),
        high=float(np.quantile(money, 1 - tail)),
        cost=cost,
        expected=wanted,
        probability_pays=math.nan if math.isnan(cost) else float(np.mean(money > cost)),
        probability_expected=math.nan if expected is None else float(np.mean(money >= expected)),
        confidence=confidence,
        account=account,
    )


def _changes(row: Effect, confidence: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draws of a change: normal, each side as wide as its side of the interval."""
    from scipy import special

    z = special.ndtri((rng.permutation(RUNS) + 0.5) / RUNS)
    q = float(special.ndtri((1 + confidence) / 2))
    up, down = (row.high - row.estimate) / q, (row.estimate - row.low) / q
    return np.asarray(row.estimate + np.where(z > 0, up, down) * z)


def _draws(given: Any, name: str, rng: np.random.Generator) -> NDArray[np.float64]:
    if isinstance(given, tuple) and len(given) == 3:
        low, likely, high = (float(v) for v in given)
        if not low <= likely <= high:
            raise InputError(f"{name} is (low, likely, high) in this order, got {given}")
        given = low if low == high else Distribution.pert(low=low, mode=likely, high=high)
    if isinstance(given, bool) or not isinstance(given, int | float | Distribution):
        raise InputError(f"{name} is a number, (low, likely, high) or a distribution, got {given!r}")
    if isinstance(given, int | float):
        if not (math.isfinite(given) and given >= 0):
            raise InputError(f"{name} is a finite number of at least 0, got {given}")
        return np.full(RUNS, float(given))
    share = (rng.permutation(RUNS) + rng.uniform(size=RUNS)) / RUNS
    return np.asarray(quantiles_of(given, share, name), dtype=np.float64)


def _of_a_year(after: Series) -> float:
    """Items of a year at the pace after the change: values, or the sum of their sizes."""
    when = after.when
    days = math.nan if when is None or len(when) < 2 else float((when[-1] - when[0]) / np.timedelta64(1, "D"))
    if not days > 0:
        raise InputError("how many items a year has is not in the data: give volume=, items of a year")
    if after.sizes is not None:
        return float(np.nansum(after.sizes)) * 365.25 / (days + 1)
    if after.selection.get("every") is not None:
        raise InputError(
            f"the values are those of a {after.selection['every']}, not of items: give volume=, how many of "
            "them a year has"
        )
    return float(np.count_nonzero(~np.isnan(after.values))) * 365.25 / (days + 1)
