"""Capabilities: the result for many series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Capabilities(Result):
    """Capability of m series, one row each.

    Attributes
    ----------
    measure : Measure
    ids : tuple of str, length m
    scale : {"raw", "log"}
        Scale of the analysis.
    sigma : str
    confidence : float
    lower, upper, target : float arrays, shape (m,)
    n, signals : int arrays, shape (m,)
    mean, sd_within, df_within, sd_overall, df_overall, n_effective : float arrays, shape (m,)
    quantity : text array, shape (q,)
    estimate, low, high : float arrays, shape (q, m)
    judged, stable : bool arrays, shape (m,)
        ``stable`` is True only where it was judged.
    caveats_of_series : text array, shape (m,)
        Codes, "; " between.
    """

    kind: ClassVar[str] = "capabilities"
    schema_version: ClassVar[int] = 1

    measure: Measure
    ids: tuple[str, ...]
    scale: str
    sigma: str
    confidence: float
    lower: Floats
    upper: Floats
    target: Floats
    n: NDArray[np.int64]
    signals: NDArray[np.int64]
    mean: Floats
    sd_within: Floats
    df_within: Floats
    sd_overall: Floats
    df_overall: Floats
    n_effective: Floats
    quantity: NDArray[Any]
    estimate: Floats
    low: Floats
    high: Floats
    judged: NDArray[np.bool_]
    stable: NDArray[np.bool_]
    caveats_of_series: NDArray[Any]

    def __len__(self) -> int:
        return len(self.ids)

    def column(self, quantity: str, part: str = "estimate") -> Floats:
        """One quantity of every series, shape (m,).

        Raises
        ------
        UnknownNameError
        """
        found = np.flatnonzero(self.quantity == quantity)
        if not len(found):
            raise UnknownNameError("quantity", quantity, self.quantity.tolist())
        if part not in ("estimate", "low", "high"):
            raise UnknownNameError("part of a quantity", part, ("estimate", "low", "high"))
        matrix: Floats = getattr(self, part)
        return np.asarray(matrix[int(found[0])])

    def summary(self) -> pd.DataFrame:
        """One row per series, the smallest Ppk first.

        Columns: id, n, lower, upper, mean, sd_within, sd_overall, cp, cpk, pp, ppk (cpk and ppk with _low
        and _high), cpm, ppm_observed, ppm_overall, z_bench_overall, judged, stable, signals,
        caveats.
        """
        import pandas as pd

        frame = pd.DataFrame(self.columns())
        frame["stable"] = pd.arrays.BooleanArray(self.stable.copy(), ~self.judged)
        return frame.sort_values("ppk", kind="stable", na_position="last").reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """One row per series and quantity, in the order of the batch: id, quantity, estimate, low, high."""
        import pandas as pd

        q, m = self.estimate.shape
        return pd.DataFrame(
            {
                "id": np.repeat(np.array(self.ids, dtype=object), q),
                "quantity": np.tile(self.quantity, m),
                "estimate": self.estimate.T.ravel(),
                "low": self.low.T.ravel(),
                "high": self.high.T.ravel(),
            }
        )

    def columns(self) -> dict[str, Any]:
        """The columns of :meth:`summary`, in the order of the batch."""
        out: dict[str, Any] = {
            "id": np.array(self.ids, dtype=object),
            "n": self.n,
            "lower": self.lower,
            "upper": self.upper,
            "mean": self.mean,
            "sd_within": self.sd_within,
            "sd_overall": self.sd_overall,
        }
        for name in ("cp", "cpk", "pp", "ppk"):
            out[name] = self.column(name)
            if name in ("cpk", "ppk"):
                out |= {f"{name}_{part}": self.column(name, part) for part in ("low", "high")}
        for name in ("cpm", "ppm_observed", "ppm_overall", "z_bench_overall"):
            out[name] = self.column(name)
        return out | {
            "judged": self.judged,
            "stable": self.stable,
            "signals": self.signals,
            "caveats": self.caveats_of_series,
        }
