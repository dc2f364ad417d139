"""PredictedBenefit: what an improvement will bring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result
from perfanalytics.models.cost_benefit import CostBenefit

if TYPE_CHECKING:
    import pandas as pd

#: Shares of draws that are kept.
LEVELS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PredictedBenefit(Result):
    """What an improvement will bring.

    Attributes
    ----------
    proposal : str
    measure : Measure or None
    basis : {"model", "simulation", "measured", "assumed"}
        What the improvement rests on.
    source : str
        The same in words.
    quantity : {"mean", "share"}
        Whether an item improves in the unit of the measure, or more items meet the objective.
    improvement_mean, improvement_low, improvement_high : float
        Of one item (in the unit of the measure; of a share from 0 to 1), positive = better, with the interval
        of ``confidence``.
    probability_better : float
        Of an improvement above 0.
    volume_mean, worth_mean : float
        Items a period, and money a unit of improvement.
    benefit_mean, benefit_low, benefit_high : float
        In money, a period.
    improvement_quantiles, benefit_quantiles : float arrays, shape (101,)
        At 0%, 1% ... 100%.
    confidence : float
    unit, period : str
        Of money; what a period is.
    money : CostBenefit or None
        With costs: net present value, payback, probability that it pays.
    draws, seed : int
    """

    kind: ClassVar[str] = "predicted_benefit"

    proposal: str
    measure: Measure | None
    basis: str
    source: str
    quantity: str
    improvement_mean: float
    improvement_low: float
    improvement_high: float
    probability_better: float
    volume_mean: float
    worth_mean: float
    benefit_mean: float
    benefit_low: float
    benefit_high: float
    improvement_quantiles: Floats
    benefit_quantiles: Floats
    confidence: float
    unit: str
    period: str
    money: CostBenefit | None
    draws: int
    seed: int

    def __post_init__(self) -> None:
        for name in ("improvement_quantiles", "benefit_quantiles"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: proposal, measure, basis, source, quantity, improvement_mean, improvement_low,
        improvement_high, probability_better, volume_mean, worth_mean, benefit_mean, benefit_low,
        benefit_high, unit, period, npv_mean, npv_low, npv_high, probability_pays, payback_median, caveats,
        verdict."""
        import pandas as pd

        names = (
            "basis", "source", "quantity", "improvement_mean", "improvement_low", "improvement_high",
            "probability_better", "volume_mean", "worth_mean", "benefit_mean", "benefit_low", "benefit_high",
            "unit", "period",
        )  # fmt: skip
        row: dict[str, Any] = {
            "proposal": self.proposal,
            "measure": self.measure.name if self.measure else "",
        }
        row |= {n: getattr(self, n) for n in names}
        money = ("npv_mean", "npv_low", "npv_high", "probability_pays", "payback_median")
        row |= {n: math.nan if self.money is None else getattr(self.money, n) for n in money}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row a percentile: level, improvement, benefit."""
        import pandas as pd

        columns = {"improvement": self.improvement_quantiles, "benefit": self.benefit_quantiles}
        return pd.DataFrame({"level": LEVELS} | columns)

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The summary, the amounts of the cost-benefit analysis, the percentiles."""
        money = () if self.money is None else (("Amounts", self.money.to_frame()),)
        return ("Summary", self.summary()), *money, ("Percentiles", self.to_frame())
