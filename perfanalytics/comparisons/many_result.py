"""Comparisons: many comparisons side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

#: The columns that are texts, and the numbers of each primary row.
_TEXTS = ("names", "measures", "units", "methods", "quantities", "forms", "outcomes", "better", "doubts")
NUMBERS = ("before", "after", "estimate", "low", "high", "statistic", "df", "p_value", "p_adjusted")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparisons(Result):
    """The primary rows of many comparisons, with p-values adjusted for their number; m comparisons.

    Attributes
    ----------
    names : text array, shape (m,)
        The measures or strata.
    measures, units, methods, quantities, forms : text arrays, shape (m,)
        Of each primary row; ``forms`` says what no effect is (difference 0, ratio 1, probability 0.5).
    before, after, estimate, low, high, statistic, df, p_value : float arrays, shape (m,)
        The primary rows. Intervals hold each for itself: they are not adjusted.
    p_adjusted : float array, shape (m,)
        NaN where there was no test; such comparisons do not count.
    outcomes : text array, shape (m,)
        Of each comparison by itself.
    differs : bool array, shape (m,)
        Whether a difference is found after adjustment.
    better : text array, shape (m,)
        "improvement", "deterioration" or "" where no direction is better or nothing differs.
    doubts : text array, shape (m,)
        Codes of the caveats of each comparison, separated by commas.
    confidence : float
    adjust : str
    """

    kind: ClassVar[str] = "comparisons"

    names: NDArray[np.object_]
    measures: NDArray[np.object_]
    units: NDArray[np.object_]
    methods: NDArray[np.object_]
    quantities: NDArray[np.object_]
    forms: NDArray[np.object_]
    before: Floats
    after: Floats
    estimate: Floats
    low: Floats
    high: Floats
    statistic: Floats
    df: Floats
    p_value: Floats
    p_adjusted: Floats
    outcomes: NDArray[np.object_]
    differs: NDArray[np.bool_]
    better: NDArray[np.object_]
    doubts: NDArray[np.object_]
    confidence: float
    adjust: str

    def __post_init__(self) -> None:
        for name in (*_TEXTS, *NUMBERS, "differs"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.names)

    def to_frame(self) -> pd.DataFrame:
        """One row a comparison.

        Columns: name, measure, unit, method, quantity, form, before, after, estimate, low, high, statistic,
        df, p_value, p_adjusted, outcome, differs, better, role, caveats.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "name": self.names,
                "measure": self.measures,
                "unit": self.units,
                "method": self.methods,
                "quantity": self.quantities,
                "form": self.forms,
                **{n: getattr(self, n) for n in NUMBERS},
                "outcome": self.outcomes,
                "differs": self.differs,
                "better": self.better,
                "role": np.full(len(self), "primary", dtype=object),
                "caveats": self.doubts,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row a comparison.

        Columns: name, quantity, estimate, low, high, p_value, p_adjusted, differs, outcome.
        """
        columns = [
            "name",
            "quantity",
            "estimate",
            "low",
            "high",
            "p_value",
            "p_adjusted",
            "differs",
            "outcome",
        ]
        return self.to_frame()[columns]
