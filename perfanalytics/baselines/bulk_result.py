"""Baselines: the result of many, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

#: Columns with one entry (or row) a series.
PER_SERIES = (
    "n", "n_missing", "n_excluded", "n_censored", "first", "last", "scale", "lag1", "n_effective", "estimate",
    "low", "high", "achieved", "judged", "stable", "signals", "center_line", "lower_limit", "upper_limit",
    "standing", "points_to_halve", "caveats_of_series",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Baselines(Result):
    """Baselines of m series of one measure, q quantities each.

    Attributes
    ----------
    measure : Measure
    ids : tuple of str, length m
    dependence : {"ar1", "independent"}
    objective : Objective or None
    quantity : text array, shape (q,)
    estimate, low, high, achieved : float arrays, shape (m, q)
        In the unit of the measure; NaN where a series has no such quantity.
    n, n_missing, n_excluded, n_censored : int arrays, shape (m,)
    first, last : datetime64[us] arrays, shape (m,)
        NaT without times.
    scale, standing, caveats_of_series : text arrays, shape (m,)
        Caveat codes with "; " between.
    lag1, n_effective : float arrays, shape (m,)
    judged, stable : bool arrays, shape (m,)
        ``stable`` is True only where it was judged.
    signals, points_to_halve : int arrays, shape (m,)
    center_line, lower_limit, upper_limit : float arrays, shape (m,)
        Natural process limits.
    """

    kind: ClassVar[str] = "baselines"

    measure: Measure
    ids: tuple[str, ...]
    dependence: str
    objective: Objective | None
    quantity: NDArray[Any]
    estimate: Floats
    low: Floats
    high: Floats
    achieved: Floats
    n: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    n_excluded: NDArray[np.int64]
    n_censored: NDArray[np.int64]
    first: NDArray[Any]
    last: NDArray[Any]
    scale: NDArray[Any]
    lag1: Floats
    n_effective: Floats
    judged: NDArray[np.bool_]
    stable: NDArray[np.bool_]
    signals: NDArray[np.int64]
    center_line: Floats
    lower_limit: Floats
    upper_limit: Floats
    standing: NDArray[Any]
    points_to_halve: NDArray[np.int64]
    caveats_of_series: NDArray[Any]

    def __post_init__(self) -> None:
        for name in PER_SERIES:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, quantity: str, part: str = "estimate") -> Floats:
        """One quantity of every series, shape (m,); NaN where no series has it ("median" is "p50").

        Parameters
        ----------
        quantity : str
        part : {"estimate", "low", "high", "achieved"}

        Raises
        ------
        UnknownNameError
        """
        if part not in ("estimate", "low", "high", "achieved"):
            raise UnknownNameError("part of a quantity", part, ("estimate", "low", "high", "achieved"))
        name = "p50" if quantity == "median" else quantity
        found = np.flatnonzero(self.quantity == name)
        if not len(found):
            raise UnknownNameError("quantity of these baselines", quantity, self.quantity.tolist())
        column: Floats = getattr(self, part)[:, found[0]]
        return column

    def _column(self, quantity: str, part: str = "estimate") -> Floats:
        known = (self.quantity == quantity).any()
        return self.column(quantity, part) if known else np.full(len(self), np.nan)

    def summary(self) -> pd.DataFrame:
        """One row per series, in their order.

        ``center`` is the mean, pooled share or rate, or the median of open and ordinal items; ``stable`` is a
        nullable boolean, NA where it was not judged.
        """
        import pandas as pd

        center, low, high = (self._center(p) for p in ("estimate", "low", "high"))
        ahead = {p: self._either("next item", "next period", p) for p in ("low", "high")}
        return pd.DataFrame(
            {
                "id": np.array(self.ids, dtype=object),
                "n": self.n,
                "n_missing": self.n_missing,
                "n_excluded": self.n_excluded,
                "n_censored": self.n_censored,
                "first": self.first,
                "last": self.last,
                "scale": self.scale,
                "lag1": self.lag1,
                "n_effective": self.n_effective,
                "center": center,
                "center_low": low,
                "center_high": high,
                "median": self._column("p50"),
                "sd": self._column("sd"),
                "p10": self._column("p10"),
                "p90": self._column("p90"),
                "lower_limit": self.lower_limit,
                "upper_limit": self.upper_limit,
                "next_low": ahead["low"],
                "next_high": ahead["high"],
                "stable": pd.arrays.BooleanArray(self.stable.copy(), ~self.judged),
                "signals": self.signals,
                "share_meeting": self._column(SHARE_MEETING),
                "share_meeting_low": self._column(SHARE_MEETING, "low"),
                "share_meeting_high": self._column(SHARE_MEETING, "high"),
                "standing": self.standing,
                "points_to_halve": self.points_to_halve,
                "caveats": self.caveats_of_series,
            }
        )

    def _either(self, one: str, other: str, part: str) -> Floats:
        first = self._column(one, part)
        return np.where(np.isnan(first), self._column(other, part), first)

    def _center(self, part: str) -> Floats:
        out = self._column("mean", part)
        missing = np.isnan(self._column("mean"))
        for name in ("share", "rate", "p50"):
            here = missing & ~np.isnan(self._column(name))
            out = np.where(here, self._column(name, part), out)
            missing &= ~here
        return out

    def to_frame(self) -> pd.DataFrame:
        """One row per series and quantity: id, quantity, estimate, low, high, achieved."""
        import pandas as pd

        m, q = len(self), len(self.quantity)
        return pd.DataFrame(
            {
                "id": np.repeat(np.array(self.ids, dtype=object), q),
                "quantity": np.tile(self.quantity, m),
                "estimate": self.estimate.ravel(),
                "low": self.low.ravel(),
                "high": self.high.ravel(),
                "achieved": self.achieved.ravel(),
            }
        )
