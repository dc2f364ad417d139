"""Optimum: the best setting that was found, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Optimum(Result):
    """The best setting that was found, and what the uncertainty of the parameters makes of it.

    Attributes
    ----------
    factors : text array, shape (f,)
    setting : array, shape (f,)
        Best setting of each controllable factor: of a number its text, of a category its level.
    low, high : text arrays, shape (f,)
        Of a number: interval of the best setting over draws of the parameters; of a category: the levels
        that are best in a draw, joined.
    share : float array, shape (f,)
        Of a category: share of draws in which this level is best; NaN for numbers.
    feasible_low, feasible_high : float arrays, shape (f,)
        Range that was searched; NaN for categories.
    goals : text array, shape (g,)
    today, today_low, today_high : float arrays, shape (g,)
        Of each goal without any setting.
    outcome, outcome_low, outcome_high : float arrays, shape (g,)
        Of each goal at the best setting.
    desirability : float array, shape (g,)
    whole, whole_today, whole_low, whole_high : float
        Weighted geometric mean of the desirabilities at the best setting, without it, and its interval.
    regret : float
        Mean loss of desirability against the best setting of each draw: what not knowing them costs.
    candidates, draws, seed : int
    confidence : float
    unit : text array, shape (g,)
    """

    kind: ClassVar[str] = "optimum"

    factors: NDArray[Any]
    setting: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    share: Floats
    feasible_low: Floats
    feasible_high: Floats
    goals: NDArray[Any]
    today: Floats
    today_low: Floats
    today_high: Floats
    outcome: Floats
    outcome_low: Floats
    outcome_high: Floats
    desirability: Floats
    whole: float
    whole_today: float
    whole_low: float
    whole_high: float
    regret: float
    candidates: int
    draws: int
    seed: int
    confidence: float
    unit: NDArray[Any]

    def settings(self) -> dict[str, Any]:
        """Factor -> best setting (number or level), as a scenario for ``what_if``."""
        out: dict[str, Any] = {}
        for name, value, low in zip(self.factors, self.setting, self.feasible_low, strict=True):
            out[str(name)] = value if math.isnan(low) else float(value)
        return out

    def to_frame(self) -> pd.DataFrame:
        """One row per goal: goal, today, today_low, today_high, outcome, outcome_low, outcome_high,
        desirability, confidence, unit."""
        import pandas as pd

        names = ("today", "today_low", "today_high", "outcome", "outcome_low", "outcome_high", "desirability")
        columns = {"goal": self.goals} | {n: getattr(self, n) for n in (*names, "confidence", "unit")}
        return pd.DataFrame(columns)

    def setting_frame(self) -> pd.DataFrame:
        """One row per controllable factor: factor, setting, low, high, share, feasible_low, feasible_high."""
        import pandas as pd

        names = ("setting", "low", "high", "share", "feasible_low", "feasible_high")
        return pd.DataFrame({"factor": self.factors} | {n: getattr(self, n) for n in names})

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The summary, the goals, the settings."""
        return ("Summary", self.summary()), ("Goals", self.to_frame()), ("Settings", self.setting_frame())

    def summary(self) -> pd.DataFrame:
        """One row: settings, desirability, desirability_low, desirability_high, desirability_today, regret,
        candidates, draws, caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "settings": ", ".join(
                        f"{k} = {v}" for k, v in zip(self.factors, self.setting, strict=True)
                    ),
                    "desirability": self.whole,
                    "desirability_low": self.whole_low,
                    "desirability_high": self.whole_high,
                    "desirability_today": self.whole_today,
                    "regret": self.regret,
                    "candidates": self.candidates,
                    "draws": self.draws,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )
