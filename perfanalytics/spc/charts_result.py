"""ControlCharts: one row for each of many charts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result
from perfanalytics.core.segments import Flags
from perfanalytics.spc.rules import RuleSet

if TYPE_CHECKING:
    import pandas as pd


_COLUMNS = (
    "center", "sigma", "lower", "upper", "n", "n_missing", "n_excluded", "stages", "n_signals", "by_rule",
    "expected_signals", "newest_signal", "newest_signal_when", "farthest", "judged", "stable", "p_value",
    "lag1", "transform_lambda", "caveats_of_series", "data_hashes", "worst", "worst_value", "worst_center",
    "worst_lower", "worst_upper", "worst_signal",
)  # fmt: skip

#: Series whose newest points are kept for the figure, and how many points of each.
WORST, RECENT = 12, 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ControlCharts(Result):
    """Control charts of m series, one row each.

    Parameters
    ----------
    chart : str
        Name of the chart type.
    measure : Measure
    ids : tuple of str, length m
    rules : RuleSet
        r rules.
    sigmas : float
    center, sigma, lower, upper : float arrays, shape (m,)
        Main panel, last stage, in the unit of the measure; NaN where they vary from point to point.
    n, n_missing, n_excluded, stages, n_signals : int arrays, shape (m,)
        Used, missing and excluded points, stages, points at which any rule fired in any panel.
    by_rule : int array, shape (r, m)
        Points at which each rule fired.
    expected_signals : float array, shape (m,)
        Signalling points expected of a stable process of that length.
    newest_signal : int array, shape (m,)
        0-based point of the newest signal, -1 for none.
    newest_signal_when : datetime64[us] array, shape (m,)
        Its time, NaT where there is none.
    farthest : float array, shape (m,)
        Largest distance from the center line in sigma.
    judged, stable : bool arrays, shape (m,)
        ``stable`` is True only where it was judged.
    p_value : float array, shape (m,)
        The evidence against stability, NaN where not judged; ranks the series.
    lag1 : float array, shape (m,)
        Lag-1 correlation in the last stage.
    transform_lambda : float array, shape (m,)
        Power of the transformation; NaN without one, and for logarithms.
    caveats_of_series : object array of str, shape (m,)
        Caveat codes, "; " between.
    data_hashes : object array of str, shape (m,)
    worst : int array, shape (w,)
        Positions of the series with the strongest evidence against stability, at most 12, for the figure. One
        that cannot be charted by itself (a stage that it does not reach) is left out.
    worst_value, worst_center, worst_lower, worst_upper : float arrays, shape (w, 60)
        Their newest points (main panel), the newest last; NaN before the first.
    worst_signal : bool array, shape (w, 60)
        Where a rule fires on that panel.
    """

    kind: ClassVar[str] = "control_charts"
    schema_version: ClassVar[int] = 3

    chart: str
    measure: Measure
    ids: tuple[str, ...]
    rules: RuleSet
    sigmas: float
    center: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    n: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    n_excluded: NDArray[np.int64]
    stages: NDArray[np.int64]
    n_signals: NDArray[np.int64]
    by_rule: NDArray[np.int64]
    expected_signals: Floats
    newest_signal: NDArray[np.int64]
    newest_signal_when: NDArray[Any]
    farthest: Floats
    judged: Flags
    stable: Flags
    p_value: Floats
    lag1: Floats
    transform_lambda: Floats
    caveats_of_series: NDArray[Any]
    data_hashes: NDArray[Any]
    worst: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    worst_value: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_center: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_lower: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_upper: Floats = field(default_factory=lambda: np.empty((0, RECENT)))
    worst_signal: Flags = field(default_factory=lambda: np.empty((0, RECENT), dtype=bool))

    def __post_init__(self) -> None:
        for name in _COLUMNS:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 kept no points for the figure, version 2 knew no transformed values."""
        return {"transform_lambda": np.full(len(fields["ids"]), np.nan)} | fields

    def __len__(self) -> int:
        return len(self.ids)

    def summary(self) -> pd.DataFrame:
        """One row per series, strongest evidence against stability first.

        Columns: id, n, n_missing, n_excluded, stages, center, sigma, lower, upper, n_signals,
        expected_signals, newest_signal, newest_signal_when, farthest, judged, stable, p_value,
        lag1, transform_lambda, signals_by_rule, caveats, data_hash.
        ``stable`` is a nullable boolean, NA where it was not judged. ``signals_by_rule`` names the rules that
        fired and at how many points ("beyond_limits 2; eight_one_side 1"); one row a rule is in
        :meth:`to_frame`.
        """
        import pandas as pd

        frame = pd.DataFrame(self._columns())
        frame["stable"] = pd.arrays.BooleanArray(self.stable.copy(), ~self.judged)
        return frame.sort_values("p_value", kind="stable", na_position="last").reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """One row per series and rule, in the order of the batch: id, rule, n_signals."""
        import pandas as pd

        m, r = len(self.ids), len(self.rules.rules)
        return pd.DataFrame(
            {
                "id": np.repeat(np.array(self.ids, dtype=object), r),
                "rule": np.tile(np.array(self.rules.names, dtype=object), m),
                "n_signals": self.by_rule.T.ravel(),
            }
        )

    def _by_rule_texts(self) -> NDArray[Any]:
        """Of each series the rules that fired and how often; "" where none did."""
        out = np.full(len(self.ids), "", dtype=object)
        for name, counts in zip(self.rules.names, self.by_rule, strict=True):
            for i in np.flatnonzero(counts).tolist():
                out[i] += f"{'; ' if out[i] else ''}{name} {counts[i]}"
        return out

    def _columns(self) -> dict[str, Any]:
        return {
            "id": np.array(self.ids, dtype=object),
            "n": self.n,
            "n_missing": self.n_missing,
            "n_excluded": self.n_excluded,
            "stages": self.stages,
            "center": self.center,
            "sigma": self.sigma,
            "lower": self.lower,
            "upper": self.upper,
            "n_signals": self.n_signals,
            "expected_signals": self.expected_signals,
            "newest_signal": self.newest_signal,
            "newest_signal_when": self.newest_signal_when,
            "farthest": self.farthest,
            "judged": self.judged,
            "stable": self.stable,
            "p_value": self.p_value,
            "lag1": self.lag1,
            "transform_lambda": self.transform_lambda,
            "signals_by_rule": self._by_rule_texts(),
            "caveats": self.caveats_of_series,
            "data_hash": self.data_hashes,
        }
