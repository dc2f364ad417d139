"""WhatIf: scenarios beside today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WhatIf(Result):
    """Scenarios beside today.

    Attributes
    ----------
    measure : Measure
    objective : Objective or None
    at_least, at_most : float
        What the probability is about; NaN where open.
    scenarios : text array, shape (s,)
        Names; the first is "today".
    settings : text array, shape (s,)
        What was set, in words.
    mean, mean_low, mean_high : float arrays, shape (s,)
        Expected value of an item, with the interval from the uncertainty of the parameters.
    levels, quantiles : float arrays, shapes (7,), (s, 7)
        Of one item: the uncertainty of the parameters, the variation of the factors that were not set and
        that of single items are in it.
    item_low, item_high : float arrays, shape (s,)
        Interval of one item with ``confidence``.
    mean_of : int
        How many items an average is taken of; 0 when not asked for.
    average_low, average_high : float arrays, shape (s,)
        Interval of that average; NaN when not asked for.
    probability, probability_low, probability_high : float arrays, shape (s,)
        Of an item meeting the objective; NaN without one.
    difference, difference_low, difference_high : float arrays, shape (s,)
        Of the expected values, less today's, with common random numbers.
    gain, gain_low, gain_high : float arrays, shape (s,)
        Of the probabilities, less today's.
    extrapolates : float array, shape (s,)
        Share of rows outside the data of the model.
    why : text array, shape (s,)
        In which way; "" where none is.
    feasible : bool array, shape (s,)
        False where a controllable factor is set outside its declared range.
    confidence : float
    rows, draws, seed : int
    """

    kind: ClassVar[str] = "what_if"

    measure: Measure
    objective: Objective | None
    at_least: float
    at_most: float
    scenarios: NDArray[Any]
    settings: NDArray[Any]
    mean: Floats
    mean_low: Floats
    mean_high: Floats
    levels: Floats
    quantiles: Floats
    item_low: Floats
    item_high: Floats
    mean_of: int
    average_low: Floats
    average_high: Floats
    probability: Floats
    probability_low: Floats
    probability_high: Floats
    difference: Floats
    difference_low: Floats
    difference_high: Floats
    gain: Floats
    gain_low: Floats
    gain_high: Floats
    extrapolates: Floats
    why: NDArray[Any]
    feasible: NDArray[np.bool_]
    confidence: float
    rows: int
    draws: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row per scenario: scenario, settings, mean, mean_low, mean_high, p10, p50, p90, item_low,
        item_high, mean_of, average_low, average_high, probability, probability_low, probability_high,
        difference, difference_low, difference_high, gain, gain_low, gain_high, extrapolates (share of rows),
        why, feasible, confidence, unit (of the measure)."""
        import pandas as pd

        columns: dict[str, Any] = {"scenario": self.scenarios, "settings": self.settings}
        columns |= {n: getattr(self, n) for n in ("mean", "mean_low", "mean_high")}
        columns |= {f"p{round(100 * q)}": self._quantile(q) for q in (0.1, 0.5, 0.9)}
        names: tuple[str, ...] = ("item_low", "item_high", "mean_of", "average_low", "average_high")
        columns |= {n: getattr(self, n) for n in names}
        for n in ("probability", "difference", "gain"):
            columns |= {f"{n}{end}": getattr(self, f"{n}{end}") for end in ("", "_low", "_high")}
        names = ("extrapolates", "why", "feasible", "confidence")
        columns |= {n: getattr(self, n) for n in names}
        return pd.DataFrame(columns | {"unit": self.measure.unit})

    def summary(self) -> pd.DataFrame:
        """One row: measure, unit, scenarios (number, today not counted), best, objective, rows, draws,
        caveats, verdict."""
        import pandas as pd

        best = best_scenario(self)
        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "scenarios": len(self.scenarios) - 1,
                    "best": None if best is None else str(self.scenarios[best]),
                    "objective": self.objective.name if self.objective else None,
                    "rows": self.rows,
                    "draws": self.draws,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def _quantile(self, level: float) -> Floats:
        return np.asarray(self.quantiles[:, int(np.argmin(np.abs(self.levels - level)))])


def best_scenario(result: WhatIf) -> int | None:
    """Position of the scenario that surely (interval without 0) improves most on today, or None."""
    with_probability = bool(np.isfinite(result.probability).all())
    sign = {"lower": -1.0, "higher": 1.0}.get(result.measure.better, 0.0)
    if with_probability:
        value, sure = result.gain, result.gain_low > 0
    elif sign:
        value = sign * result.difference
        sure = (result.difference_low > 0) if sign > 0 else (result.difference_high < 0)
    else:
        return None
    sure = sure & result.feasible
    if not sure.any():
        return None
    return int(np.argmax(np.where(sure, value, -np.inf)))
