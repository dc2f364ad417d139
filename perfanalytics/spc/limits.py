"""Limits: the parameters of a chart, stage by stage, as an object that can be saved and carried on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Limits(Result):
    """Limits of a chart: P panels, K stages.

    Parameters
    ----------
    chart : str
        Name of the chart type.
    measure : Measure
    sigmas : float
        Width of the limits in sigma.
    parameters : mapping of str to float array, shape (K,); (K, p) and (K, p, p) for several measures
        What the limits follow from ("center", "sigma"; "center", "sigma_z"): this is what is carried onto
        new data, where the limits are computed with the new denominators.
    panels : tuple of str, length P
    center, sigma, lower, upper : float arrays, shape (P, K)
        In the unit of the measure; NaN where they vary from point to point (or there are none).
    n : int array, shape (K,)
        Points the limits rest on.
    first, last : int arrays, shape (K,)
        First and last point of each stage (0-based).
    first_when, last_when : datetime64[us] arrays, shape (K,), or None
    """

    kind: ClassVar[str] = "limits"
    schema_version: ClassVar[int] = 1

    chart: str
    measure: Measure
    sigmas: float
    parameters: Mapping[str, Floats] = field(default_factory=dict)
    panels: tuple[str, ...]
    center: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    n: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    first_when: NDArray[Any] | None = None
    last_when: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name in ("center", "sigma", "lower", "upper", "n", "first", "last", "first_when", "last_when"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(value))
        object.__setattr__(
            self, "parameters", {k: read_only(np.asarray(v)) for k, v in self.parameters.items()}
        )

    def summary(self) -> pd.DataFrame:
        """One row: the main panel in its last stage."""
        return (
            self.to_frame().iloc[[len(self.n) - 1]].reset_index(drop=True) if len(self.n) else self.to_frame()
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per panel and stage.

        Columns: panel, stage (0-based), center, sigma, lower, upper (in the unit of the measure; NaN where
        they vary from point to point), n (points behind them), first, last (0-based points), first_when,
        last_when.
        """
        import pandas as pd

        p, k = len(self.panels), len(self.n)
        blank = np.full(k, "NaT", dtype="datetime64[us]")
        return pd.DataFrame(
            {
                "panel": np.repeat(np.array(self.panels, dtype=object), k),
                "stage": np.tile(np.arange(k), p),
                "center": self.center.ravel(),
                "sigma": self.sigma.ravel(),
                "lower": self.lower.ravel(),
                "upper": self.upper.ravel(),
                "n": np.tile(self.n, p),
                "first": np.tile(self.first, p),
                "last": np.tile(self.last, p),
                "first_when": np.tile(blank if self.first_when is None else self.first_when, p),
                "last_when": np.tile(blank if self.last_when is None else self.last_when, p),
            }
        )
