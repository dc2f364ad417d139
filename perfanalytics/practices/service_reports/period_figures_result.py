"""PeriodFigures: what a measure was in a period, beside the period before and a year before."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PeriodFigures(Result):
    """The figure of a measure in a period: of the whole, and of each value of some attributes.

    Attributes
    ----------
    measure : Measure
    objective : Objective or None
    statistic : str
        What the figure is: "share meeting" (of items that meet the target), or a name of ``STATISTICS`` or
        "p1" to "p99". "nonconforming" counts what went wrong: the zeros of a proportion of which more is
        better, the ones of one of which less is better, the sum of counts.
    required : float
        What the objective asks of the figure; NaN without one.
    side : {"at_least", "at_most", ""}
    since, until : date
        ``until`` is not included. The period before has as many days, or calendar months.
    attribute, category : text arrays, shape (k,)
        Which part; both "" for the whole, which comes first.
    n, n_open : int arrays, shape (k,)
        Observations with a value in the period; those that are still open.
    value, low, high : float arrays, shape (k,)
        The figure; its interval where there is an objective, wide enough for neighbours that are alike.
    previous, year_before : float arrays, shape (k,)
        The same in the period before, and in the same period a year before; NaN without data.
    n_previous, n_year_before : int arrays, shape (k,)
    standing : text array, shape (k,)
        "met", "missed", or "" without an objective or data.
    sure : text array, shape (k,)
        "clear" where the interval does not hold what is asked for, else "within chance"; "" as above.
    periods, previous_periods : int
        Where the observations are figures of weeks (or months): how many of them lie in the period, and in
        the one before; 0 for single observations.
    confidence : float
    """

    kind: ClassVar[str] = "period_figures"

    measure: Measure
    objective: Objective | None
    statistic: str
    required: float
    side: str
    since: dt.date
    until: dt.date
    attribute: NDArray[Any]
    category: NDArray[Any]
    n: NDArray[np.int64]
    n_open: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats
    previous: Floats
    n_previous: NDArray[np.int64]
    year_before: Floats
    n_year_before: NDArray[np.int64]
    standing: NDArray[Any]
    sure: NDArray[Any]
    periods: int
    previous_periods: int
    confidence: float

    def __post_init__(self) -> None:
        for name in ("attribute", "category", "n", "n_open", "value", "low", "high", "previous"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("n_previous", "year_before", "n_year_before", "standing", "sure"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share, to be told as a percentage."""
        return self.statistic in ("share", "share meeting")

    @property
    def unit(self) -> str:
        """Unit of the figure."""
        if self.is_share or self.statistic in ("count", "nonconforming", "rate"):
            return ""
        return "" if self.measure.unit in ("1", self.measure.name) else self.measure.unit

    def said(self, value: float) -> str:
        """A figure as people read it; "no data" for NaN."""
        if math.isnan(value):
            return "no data"
        if self.is_share:
            return percent(value, fine=True)
        return number(value, self.unit)

    def to_frame(self) -> pd.DataFrame:
        """One row a part: attribute, category, n, n_open, value, low, high, standing, sure, previous,
        n_previous, year_before, n_year_before."""
        import pandas as pd

        names = ("attribute", "category", "n", "n_open", "value", "low", "high", "standing", "sure")
        more = ("previous", "n_previous", "year_before", "n_year_before")
        return pd.DataFrame({name: getattr(self, name) for name in (*names, *more)})

    def summary(self) -> pd.DataFrame:
        """One row, of the whole: measure, objective, statistic, since, until, required, side and the columns
        of :meth:`to_frame`, then caveats and verdict."""
        import pandas as pd

        row = {
            "measure": self.measure.name,
            "objective": "" if self.objective is None else self.objective.name,
            "statistic": self.statistic,
            "since": self.since,
            "until": self.until,
            "required": self.required,
            "side": self.side,
        }
        whole = self.to_frame().iloc[0].drop(["attribute", "category"]).to_dict()
        said = {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row | whole | said])
