"""OrganizationCapability: objectives by units, where they are met, and what falling short of them costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Result
from perfanalytics.practices.opm.organization_cells import WHOLE

if TYPE_CHECKING:
    import pandas as pd

#: Below this probability that the next period meets its objective, a cell that is met is called at risk.
AT_RISK = 0.5


TEXTS = ("objective", "serves", "unit", "measure_unit", "standing", "trend", "stability", "why")


NUMBERS = (
    "target", "value", "low", "high", "probability", "newest", "items", "shortfall", "missed",
    "cost_now", "expected_cost",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OrganizationCapability(Result):
    """A scorecard of objectives by units (services, groups); k cells.

    Attributes
    ----------
    objective, serves, unit : text arrays, shape (k,)
        The objective, the business objective it serves, the unit; "whole organization" first.
    measure_unit : text array, shape (k,)
        Unit of value and target ("1" for a share).
    standing : text array, shape (k,)
        "met", "missed", "undecided" (the interval holds the target) or "not judged".
    trend : text array, shape (k,)
        At the newest period: "concern", "improvement", "neutral", "common cause", or "" where no chart was
        made.
    stability : text array, shape (k,)
        "stable", "not stable" or "not judged".
    why : text array, shape (k,)
        Why a cell is not judged; else "".
    target, value, low, high : float arrays, shape (k,)
        What is asked for, what the period of the data gave, with the interval of ``confidence``. For an
        objective about items the share of items that meet it.
    probability : float array, shape (k,)
        That the next period meets the objective, if the process goes on as it is.
    newest : float array, shape (k,)
        Value of the newest period.
    n : int array, shape (k,)
        Periods.
    items : float array, shape (k,)
        Items a period; NaN where they are not known.
    shortfall : float array, shape (k,)
        How far the value lies on the wrong side of the target; 0 on the right side.
    missed : float array, shape (k,)
        Items a period more than the objective allows (shares and rates); NaN for others.
    cost_now, expected_cost : float arrays, shape (k,)
        Of the shortfall at the present value, and expected over the variation of periods, a period; NaN where
        no cost is declared.
    every : str
        What a period is.
    currency : str
    confidence : float
    """

    kind: ClassVar[str] = "organization_capability"

    objective: NDArray[Any]
    serves: NDArray[Any]
    unit: NDArray[Any]
    measure_unit: NDArray[Any]
    standing: NDArray[Any]
    trend: NDArray[Any]
    stability: NDArray[Any]
    why: NDArray[Any]
    target: Floats
    value: Floats
    low: Floats
    high: Floats
    probability: Floats
    newest: Floats
    n: NDArray[np.int64]
    items: Floats
    shortfall: Floats
    missed: Floats
    cost_now: Floats
    expected_cost: Floats
    every: str
    currency: str
    confidence: float

    def __post_init__(self) -> None:
        for name in (*TEXTS, *NUMBERS, "n"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: objective, serves, unit, standing, value, low, high, target, measure_unit,
        probability, stability, trend, newest, n, items, shortfall, missed, cost_now, expected_cost, why."""
        import pandas as pd

        names = (
            "objective", "serves", "unit", "standing", "value", "low", "high", "target", "measure_unit",
            "probability", "stability", "trend", "newest", "n", "items", "shortfall", "missed", "cost_now",
            "expected_cost", "why",
        )  # fmt: skip
        return pd.DataFrame({n: getattr(self, n) for n in names})

    def summary(self) -> pd.DataFrame:
        """One row an objective: objective, serves, units (judged, the whole not counted), met, undecided,
        missed_units, not_stable, lowest_probability, worst_unit, expected_cost (a period, of all units)."""
        import pandas as pd

        rows = []
        for name in dict.fromkeys(self.objective.tolist()):
            own = (self.objective == name) & (self.unit != WHOLE)
            judged = own & (self.standing != "not judged")
            known = own & ~np.isnan(self.probability)
            worst = np.flatnonzero(known)[np.argmin(self.probability[known])] if known.any() else -1
            cost = self.expected_cost[own]
            rows.append(
                {
                    "objective": name,
                    "serves": str(self.serves[self.objective == name][0]),
                    "units": int(judged.sum()),
                    "met": int((judged & (self.standing == "met")).sum()),
                    "undecided": int((judged & (self.standing == "undecided")).sum()),
                    "missed_units": int((judged & (self.standing == "missed")).sum()),
                    "not_stable": int((judged & (self.stability == "not stable")).sum()),
                    "lowest_probability": float(self.probability[worst]) if worst >= 0 else math.nan,
                    "worst_unit": str(self.unit[worst]) if worst >= 0 else "",
                    "expected_cost": float(np.nansum(cost)) if (~np.isnan(cost)).any() else math.nan,
                }
            )
        return pd.DataFrame(rows)

    def shortfalls(self) -> pd.DataFrame:
        """Cells beyond their target, or more likely than not to miss it next, the costliest first.

        Columns: objective, serves, unit, standing, value, target, measure_unit, shortfall, missed, items,
        probability_of_missing, cost_now, expected_cost.
        """
        import pandas as pd

        bad = (self.standing == "missed") | (self.shortfall > 0) | (self.probability < AT_RISK)
        bad &= (self.unit != WHOLE) | (np.count_nonzero(self.unit != WHOLE) == 0)
        names = ("objective", "serves", "unit", "standing", "value", "target", "measure_unit", "shortfall")
        frame = pd.DataFrame({n: getattr(self, n)[bad] for n in (*names, "missed", "items")})
        frame["probability_of_missing"] = 1 - self.probability[bad]
        frame["cost_now"], frame["expected_cost"] = self.cost_now[bad], self.expected_cost[bad]
        order = ["expected_cost", "probability_of_missing"]
        return frame.sort_values(order, ascending=False, na_position="last", ignore_index=True)

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Objectives; shortfalls; every cell, how it stands and what it costs: each fits a page."""
        frame = self.to_frame()
        stands = [
            "objective", "unit", "standing", "value", "low", "high", "target", "measure_unit", "probability",
            "stability", "trend", "why",
        ]  # fmt: skip
        costs = [
            "objective",
            "unit",
            "n",
            "newest",
            "items",
            "shortfall",
            "missed",
            "cost_now",
            "expected_cost",
        ]
        return (
            ("Objectives", self.summary()),
            (f"Shortfalls, a {self.every}", self.shortfalls()),
            ("Cells", frame[stands]),
            (f"Cells: volume and cost, a {self.every}", frame[costs]),
        )
