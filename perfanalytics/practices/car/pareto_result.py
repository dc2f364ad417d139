"""Pareto: the result, one entry a category."""

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

_ARRAYS = ("category", "amount", "amount_low", "amount_high", "items", "share", "share_low", "share_high")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Pareto(Result):
    """Categories from the largest to the smallest: k categories, "other" last where small ones are together.

    Attributes
    ----------
    by, cost, unit : str
        The column of categories; the column added up ("" where items are counted); unit of the amounts.
    category : text array, shape (k,)
    amount, amount_low, amount_high : float arrays, shape (k,)
        Items, or their cost, with its interval.
    items : int array, shape (k,)
    share, share_low, share_high : float arrays, shape (k,)
        Of the total. Intervals of counts without times hold together for all categories (Goodman); the others
        each for itself.
    cumulative : float array, shape (k,)
    together : int
        Categories that are added up in the last, "other"; 0 where there is none.
    total : float
    n : int
        Items.
    periods : int
        Periods between which the amounts vary; 0 without times.
    every : str
    dispersion : float
        By how much the mixture of categories varies more between periods than chance (1: not more); NaN
        without times or of costs.
    ratio, ratio_low, ratio_high : float
        How many times the first is the second; NaN where there is no second.
    p_first : float
        Of the test that the first is larger than the second.
    first_is_larger : bool
        Whether it is, at the confidence.
    vital : int
        How many of the largest make up ``vital_share`` of the total.
    vital_share, confidence : float
    """

    kind: ClassVar[str] = "pareto"
    schema_version: ClassVar[int] = 1

    by: str
    cost: str
    unit: str
    category: NDArray[Any]
    amount: Floats
    amount_low: Floats
    amount_high: Floats
    items: NDArray[np.int64]
    share: Floats
    share_low: Floats
    share_high: Floats
    cumulative: Floats
    together: int
    total: float
    n: int
    periods: int
    every: str
    dispersion: float
    ratio: float
    ratio_low: float
    ratio_high: float
    p_first: float
    first_is_larger: bool
    vital: int
    vital_share: float
    confidence: float

    def __post_init__(self) -> None:
        for name in (*_ARRAYS, "cumulative"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: by, cost, n, total, unit, categories, first, first_share, second, ratio, ratio_low,
        ratio_high, p_first, first_is_larger, vital, vital_share, periods, dispersion, caveats, verdict."""
        import pandas as pd

        second = str(self.category[1]) if len(self.category) > 1 else ""
        return pd.DataFrame(
            [
                {
                    "by": self.by,
                    "cost": self.cost,
                    "n": self.n,
                    "total": self.total,
                    "unit": self.unit,
                    "categories": len(self.category) + max(self.together - 1, 0),
                    "first": str(self.category[0]),
                    "first_share": float(self.share[0]),
                    "second": second,
                    "ratio": self.ratio,
                    "ratio_low": self.ratio_low,
                    "ratio_high": self.ratio_high,
                    "p_first": self.p_first,
                    "first_is_larger": self.first_is_larger,
                    "vital": self.vital,
                    "vital_share": self.vital_share,
                    "periods": self.periods,
                    "dispersion": self.dispersion,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a category: category, items, amount, amount_low, amount_high, share, share_low, share_high,
        cumulative."""
        import pandas as pd

        names = ["category", "items", "amount", "amount_low", "amount_high"]
        names += ["share", "share_low", "share_high", "cumulative"]
        return pd.DataFrame({name: getattr(self, name) for name in names})
