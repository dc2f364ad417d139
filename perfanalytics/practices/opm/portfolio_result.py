"""Portfolio: the choice of proposals that is worth most under a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Portfolio(Result):
    """The choice of k proposals under a budget that is worth most.

    Attributes
    ----------
    budget : float
    unit : str
        Of money.
    proposal : text array, shape (k,)
    cost : float array, shape (k,)
        Counts against the budget.
    npv_mean, npv_low, npv_high : float arrays, shape (k,)
        Net present value, with the interval of ``confidence``.
    basis : text array, shape (k,)
        What the value rests on ("stated", "model", "measured" ...).
    chosen : bool array, shape (k,)
    share_chosen : float array, shape (k,)
        In how many of the draws the proposal belongs to the best choice for the values drawn.
    rule : text array, shape (k,)
        "must", "excludes ...", "requires ..." or "".
    spent : float
    value_mean, value_low, value_high : float
        Net present value of the choice.
    probability_pays : float
        Of a value above 0.
    share_same : float
        In how many of the draws exactly this choice is the best.
    regret : float
        What would be gained on average if the values were known before choosing.
    budgets, best : float arrays, shape (b,)
        Other budgets, and the expected value of the best choice with each.
    confidence : float
    draws, seed : int
    """

    kind: ClassVar[str] = "portfolio"

    budget: float
    unit: str
    proposal: NDArray[Any]
    cost: Floats
    npv_mean: Floats
    npv_low: Floats
    npv_high: Floats
    basis: NDArray[Any]
    chosen: NDArray[np.bool_]
    share_chosen: Floats
    rule: NDArray[Any]
    spent: float
    value_mean: float
    value_low: float
    value_high: float
    probability_pays: float
    share_same: float
    regret: float
    budgets: Floats
    best: Floats
    confidence: float
    draws: int
    seed: int

    def __post_init__(self) -> None:
        for name in (
            "proposal", "cost", "npv_mean", "npv_low", "npv_high", "basis", "chosen", "share_chosen", "rule",
            "budgets", "best",
        ):  # fmt: skip
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_frame(self) -> pd.DataFrame:
        """One row a proposal: proposal, chosen, share_chosen, cost, npv_mean, npv_low, npv_high, basis, rule,
        unit."""
        import pandas as pd

        names = (
            "proposal",
            "chosen",
            "share_chosen",
            "cost",
            "npv_mean",
            "npv_low",
            "npv_high",
            "basis",
            "rule",
        )
        return pd.DataFrame({n: getattr(self, n) for n in names} | {"unit": self.unit})

    def summary(self) -> pd.DataFrame:
        """One row: budget, spent, proposals, chosen (names), value_mean, value_low, value_high,
        probability_pays, share_same, regret, unit, draws, caveats, verdict."""
        import pandas as pd

        row: dict[str, Any] = {"budget": self.budget, "spent": self.spent, "proposals": len(self.proposal)}
        row |= {"chosen": ", ".join(self.proposal[self.chosen].tolist())}
        names = ("value_mean", "value_low", "value_high", "probability_pays", "share_same", "regret", "unit")
        row |= {n: getattr(self, n) for n in (*names, "draws")}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Proposals; the summary; the best value for other budgets."""
        import pandas as pd

        curve = pd.DataFrame({"budget": self.budgets, "best expected value": self.best})
        return ("Proposals", self.to_frame()), ("Summary", self.summary()), ("Other budgets", curve)
