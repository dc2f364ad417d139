"""Capability: the result, with its table of indices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.fitted import Fitted
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Estimate, Interval, Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Capability(Result):
    """Capability of a process against what is asked of it.

    Attributes
    ----------
    measure : Measure
    values_are : {"numbers", "shares", "rates", "ratios"}
    n : int
        Values used (shares, rates: periods or items).
    subgroups : int
        Subgroups used; 0 for individual values.
    lower, upper, target : float
        Specification in the unit of the measure; NaN where there is none.
    objective : Objective or None
    distribution : str
        "normal", "log", "box_cox", "johnson" (of the transformed values), a fitted family, "empirical",
        "binomial" or "poisson".
    analysis : {"sigma", "percentile", "transform", "attribute"}
    sigma : str
        Estimator of the spread within; "" where there is none.
    mean, sd_within, sd_overall : float
        On the scale of the analysis (transformed values for "transform").
    df_within, df_overall, n_effective, lag1 : float
    transform : mapping of str to float
        Parameters of the transform ("lambda" of Box-Cox; those of Johnson's family); empty without one.
    fitted : Fitted or None
        The distribution behind the indices, on the scale of the analysis.
    values : float array, shape (n,)
        Values used, in order, in the unit of the measure (shares and rates: per period).
    subgroup : int array, shape (n,)
        Position of the subgroup of each value among the points of the chart; its own for individual values.
    quantity, how, unit : text arrays, shape (q,)
    estimate, low, high, confidence, achieved : float arrays, shape (q,)
        The table of :meth:`to_frame`.
    panels : tuple of str
        Panels of the chart behind the stability verdict (of the transformed values for "transform").
    chart_value, chart_center, chart_lower, chart_upper : float arrays, shape (P, k)
        Its points and limits.
    chart_signal : bool array, shape (P, k)
    chart_excluded : bool array, shape (k,)
    stable : bool or None
    stability : str
    signals : int
    minimum : float
        Index that was asked for; NaN without one.
    standing : {"met", "missed", "undecided"} or None
        Of the minimum, or of the objective with a share of items; None without either.
    """

    kind: ClassVar[str] = "capability"
    schema_version: ClassVar[int] = 1

    measure: Measure
    values_are: str
    n: int
    subgroups: int
    lower: float
    upper: float
    target: float
    objective: Objective | None
    distribution: str
    analysis: str
    sigma: str
    mean: float
    sd_within: float
    sd_overall: float
    df_within: float
    df_overall: float
    n_effective: float
    lag1: float
    transform: Mapping[str, float]
    fitted: Fitted | None
    values: NDArray[np.float64]
    subgroup: NDArray[np.int64]
    quantity: NDArray[Any]
    how: NDArray[Any]
    unit: NDArray[Any]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: NDArray[np.float64]
    achieved: NDArray[np.float64]
    panels: tuple[str, ...]
    chart_value: NDArray[np.float64]
    chart_center: NDArray[np.float64]
    chart_lower: NDArray[np.float64]
    chart_upper: NDArray[np.float64]
    chart_signal: NDArray[np.bool_]
    chart_excluded: NDArray[np.bool_]
    stable: bool | None
    stability: str
    signals: int
    minimum: float
    standing: str | None

    def __getitem__(self, quantity: str) -> Estimate:
        """One quantity with its interval: "cpk", "ppk", "ppm_observed", "z_bench_overall" ...

        Raises
        ------
        UnknownNameError
        """
        found = np.flatnonzero(self.quantity == quantity)
        if not len(found):
            raise UnknownNameError("quantity of this capability study", quantity, self.quantity.tolist())
        k = int(found[0])
        interval = None
        if not math.isnan(self.low[k]):
            interval = Interval(
                float(self.low[k]),
                float(self.high[k]),
                confidence=float(self.confidence[k]),
                method=str(self.how[k]),
            )
        return Estimate(quantity, float(self.estimate[k]), unit=str(self.unit[k]), interval=interval)

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity: quantity, estimate, low, high, confidence, method, unit.

        Of measured values: cp, cpl, cpu, cpk (spread within), pp, ppl, ppu, ppk (overall spread), cpm;
        ppm_observed, ppm_within, ppm_overall, each also with _below and _above; z_bench_within,
        z_bench_overall. NaN where a quantity does not exist; ``method`` says why.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "quantity": self.quantity,
                "estimate": self.estimate,
                "low": self.low,
                "high": self.high,
                "confidence": self.confidence,
                "method": self.how,
                "unit": self.unit,
            }
        )

    def value(self, quantity: str, part: str = "estimate") -> float:
        """Estimate (or ``low``, ``high``) of a quantity; NaN where this study does not have it."""
        found = np.flatnonzero(self.quantity == quantity)
        return float(getattr(self, part)[found[0]]) if len(found) else math.nan

    def summary(self) -> pd.DataFrame:
        """One row; columns of measured values are NaN for shares and rates, and the other way round."""
        import pandas as pd

        row: dict[str, Any] = {
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "n": self.n,
            "subgroups": self.subgroups,
            "lower": self.lower,
            "upper": self.upper,
            "target": self.target,
            "analysis": self.analysis,
            "distribution": self.distribution,
            "sigma": self.sigma,
            "mean": self.mean,
            "sd_within": self.sd_within,
            "sd_overall": self.sd_overall,
        }
        for name in ("cp", "cpk", "pp", "ppk"):
            for part, suffix in (("estimate", ""), ("low", "_low"), ("high", "_high")):
                row[name + suffix] = self.value(name, part)
        row |= {
            "cpm": self.value("cpm"),
            "z_bench_overall": self.value("z_bench_overall"),
            "ppm_observed": self.value("ppm_observed"),
            "ppm_overall": self.value("ppm_overall"),
            "defective": self.value("defective"),
            "dpu": self.value("dpu"),
            "stable": self.stable,
            "signals": self.signals,
            "objective": self.objective.name if self.objective else None,
            "standing": self.standing,
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The indices, then one row in all."""
        return ("Indices", self.to_frame()), ("Summary", self.summary())
