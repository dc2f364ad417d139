"""DeploymentEvaluation: a staged deployment, realized against predicted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

TEXTS = ("stage", "units", "compared_with", "outcome", "why")
NUMBERS = ("improvement", "low", "high", "effect", "effect_low", "effect_high", "p_value", "level_before")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DeploymentEvaluation(Result):
    """A deployment in k stages, each against what was not deployed yet.

    Attributes
    ----------
    proposal : str
    measure : Measure
    scale : {"raw", "log"}
    stage, units, compared_with, outcome, why : text arrays, shape (k,)
        Names; its units; the units it is compared with; outcome of the difference in differences, or "not
        evaluated" with the reason.
    since, until : datetime64[D] arrays, shape (k,)
        First day of the stage, and where its comparison ends (not included).
    n_units, n_before, n_after : int arrays, shape (k,)
        Units; common periods.
    improvement, low, high : float arrays, shape (k,)
        In the unit of the measure, positive = better, with the interval of ``confidence``; NaN where it was
        not evaluated.
    effect, effect_low, effect_high, p_value : float arrays, shape (k,)
        Of the difference in differences: a ratio on the log scale, a difference else.
    level_before, cost : float arrays, shape (k,)
        Mean of the periods before; cost of the stage, NaN where it is not recorded.
    realized, realized_low, realized_high : float
        Improvement over all evaluated stages, weighted by their units.
    predicted, predicted_low, predicted_high : float
        What was predicted, in the same terms; NaN where nothing was.
    probability_as_predicted : float
        That what came is at least what was predicted, both with their uncertainty; NaN without prediction.
    benefit, benefit_low, benefit_high, benefit_predicted : float
        Realized and predicted, in money a period; NaN without a prediction in money.
    money, period : str
        Unit of money and what a period is; "" without.
    heterogeneity : float
        p-value of the test that all stages have the same effect; NaN for one stage.
    standing : {"as predicted", "less than predicted", "more than predicted", "cannot tell", ""}
    confidence : float
    comparisons : tuple of Comparison
        Those of the stages that were evaluated, in order.
    """

    kind: ClassVar[str] = "deployment_evaluation"

    proposal: str
    measure: Measure
    scale: str
    stage: NDArray[Any]
    units: NDArray[Any]
    compared_with: NDArray[Any]
    outcome: NDArray[Any]
    why: NDArray[Any]
    since: NDArray[np.datetime64]
    until: NDArray[np.datetime64]
    n_units: NDArray[np.int64]
    n_before: NDArray[np.int64]
    n_after: NDArray[np.int64]
    improvement: Floats
    low: Floats
    high: Floats
    effect: Floats
    effect_low: Floats
    effect_high: Floats
    p_value: Floats
    level_before: Floats
    cost: Floats
    realized: float
    realized_low: float
    realized_high: float
    predicted: float
    predicted_low: float
    predicted_high: float
    probability_as_predicted: float
    benefit: float
    benefit_low: float
    benefit_high: float
    benefit_predicted: float
    money: str
    period: str
    heterogeneity: float
    standing: str
    confidence: float
    comparisons: tuple[Comparison, ...]

    def __post_init__(self) -> None:
        for name in (*TEXTS, *NUMBERS, "since", "until", "n_units", "n_before", "n_after", "cost"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_frame(self) -> pd.DataFrame:
        """One row a stage: stage, since, until, units, n_units, compared_with, n_before, n_after,
        level_before, improvement, low, high, effect, effect_low, effect_high, p_value, outcome, why, cost,
        unit."""
        import pandas as pd

        names = (
            "stage", "since", "until", "units", "n_units", "compared_with", "n_before", "n_after",
            "level_before", "improvement", "low", "high", "effect", "effect_low", "effect_high", "p_value",
            "outcome", "why", "cost",
        )  # fmt: skip
        return pd.DataFrame({n: getattr(self, n) for n in names} | {"unit": self.measure.unit})

    def summary(self) -> pd.DataFrame:
        """One row: proposal, measure, unit, stages, evaluated, realized, realized_low, realized_high,
        predicted, predicted_low, predicted_high, probability_as_predicted, standing, benefit, benefit_low,
        benefit_high, benefit_predicted, money, period, cost, heterogeneity, caveats, verdict."""
        import pandas as pd

        row: dict[str, Any] = {
            "proposal": self.proposal,
            "measure": self.measure.name,
            "unit": self.measure.unit,
        }
        row |= {"stages": len(self.stage), "evaluated": len(self.comparisons)}
        names = (
            "realized", "realized_low", "realized_high", "predicted", "predicted_low", "predicted_high",
            "probability_as_predicted", "standing", "benefit", "benefit_low", "benefit_high",
            "benefit_predicted", "money", "period",
        )  # fmt: skip
        row |= {n: getattr(self, n) for n in names}
        row |= {"cost": float(np.nansum(self.cost)) if (~np.isnan(self.cost)).any() else math.nan}
        row |= {"heterogeneity": self.heterogeneity, "caveats": ", ".join(self.caveat_codes)}
        return pd.DataFrame([row | {"verdict": self.verdict}])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Realized against predicted; the stages."""
        return ("Realized against predicted", self._against()), ("Stages", self.to_frame())

    def _against(self) -> pd.DataFrame:
        import pandas as pd

        names = ("predicted", "predicted_low", "predicted_high", "realized", "realized_low", "realized_high")
        rows = [["improvement of an item", *(getattr(self, n) for n in names), self.measure.unit]]
        if self.money:
            found = (self.benefit_predicted, math.nan, math.nan, self.benefit, self.benefit_low)
            rows.append([f"benefit a {self.period}", *found, self.benefit_high, self.money])
        frame = pd.DataFrame(rows, columns=["of", *names, "unit"])
        frame["share realized"] = frame["realized"] / frame["predicted"]
        return frame
