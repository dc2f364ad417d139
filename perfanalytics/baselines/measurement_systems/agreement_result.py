"""Agreement: the result, with its table of quantities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Estimate, Interval, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Agreement(Result):
    """How far raters, or ways of measuring, agree.

    Attributes
    ----------
    measure : Measure
    statistic : str
        The method: "fleiss", "cohen", "gwet", "krippendorff", "kendall", "icc", "bland_altman" or
        "attribute".
    items : text array, shape (n,)
    raters : text array, shape (k,)
    categories : text array, shape (q,)
        Empty where numbers are compared.
    ratings : float array, shape (n, c)
        Position in ``categories``, or the numbers themselves; NaN is missing. One column a
        rater, or a trial of one.
    rater_of : int array, shape (c,)
        Position in ``raters`` of each column.
    standard : float array, shape (n,), or None
        The right answers, in the code of ``ratings``.
    n_missing : int
        Missing ratings.
    quantity, about, how : text arrays, shape (r,)
    estimate, standard_error, low, high, p : float arrays, shape (r,)
        The table of :meth:`to_frame`.
    headline : int
        Row of the table the verdict speaks of.
    confidence : float
    """

    kind: ClassVar[str] = "agreement"

    measure: Measure
    statistic: str
    items: NDArray[Any]
    raters: NDArray[Any]
    categories: NDArray[Any]
    ratings: NDArray[np.float64]
    rater_of: NDArray[np.int64]
    standard: NDArray[np.float64] | None
    n_missing: int
    quantity: NDArray[Any]
    about: NDArray[Any]
    estimate: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]
    how: NDArray[Any]
    headline: int
    confidence: float

    @property
    def value(self) -> float:
        """The headline figure: kappa, alpha, W, ICC(2,1), the bias, or the share of items agreed on."""
        return float(self.estimate[self.headline])

    def __getitem__(self, quantity: str | tuple[str, str]) -> Estimate:
        """One quantity with its interval: ``a["kappa"]``, ``a["kappa", "category B"]``.

        Raises
        ------
        UnknownNameError
        """
        name, about = (quantity, None) if isinstance(quantity, str) else quantity
        rows = [k for k, q in enumerate(self.quantity) if q == name and about in (None, self.about[k])]
        if not rows:
            known = [f"{q}, {a}" for q, a in zip(self.quantity, self.about, strict=True)]
            raise UnknownNameError(
                "quantity of this agreement", name if about is None else f"{name}, {about}", known
            )
        k = rows[0]
        ends = None
        if not math.isnan(self.low[k]):
            ends = Interval(
                float(self.low[k]), float(self.high[k]), confidence=self.confidence, method=str(self.how[k])
            )
        return Estimate(name, float(self.estimate[k]), interval=ends)

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity.

        Columns: quantity; about (all, a rater, a pair, a category); estimate, standard_error, low, high; p
        (against chance, or 0); method.
        """
        import pandas as pd

        names = ("quantity", "about", "estimate", "standard_error", "low", "high", "p")
        return pd.DataFrame({n: getattr(self, n) for n in names} | {"method": self.how})

    def summary(self) -> pd.DataFrame:
        """One row: the headline figure."""
        import pandas as pd

        k = self.headline
        row = {
            "measure": self.measure.name,
            "statistic": self.statistic,
            "items": len(self.items),
            "raters": len(self.raters),
            "categories": len(self.categories),
            "n_missing": self.n_missing,
            "quantity": self.quantity[k],
            "about": self.about[k],
            "estimate": self.estimate[k],
            "low": self.low[k],
            "high": self.high[k],
            "p": self.p[k],
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])
