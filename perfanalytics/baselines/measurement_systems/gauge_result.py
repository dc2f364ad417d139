"""GaugeStudy: the result, with its table of components."""

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
class GaugeStudy(Result):
    """A gauge study: how much of the variation comes from measuring.

    Attributes
    ----------
    measure : Measure
    design : {"crossed", "nested", "one operator"}
    estimator : {"anova", "average_range", "reml"}
    interaction : str
        What was done with it: "kept", "pooled", "not in the model", or why there is none.
    interaction_p : float
        p-value of the interaction, NaN when it was not tested.
    n, n_missing : int
        Measurements used, and rows without a value.
    repeats : int
        Of each part by each operator; 0 when they differ.
    parts, operators : text arrays
        Names, in order; in a nested study parts are "operator: part". One empty operator where none is named.
    values : float array, shape (n,)
        Sorted by operator and part.
    part_of, operator_of : int arrays, shape (n,)
        Position of the part and operator of each value in ``parts`` and ``operators``.
    component : text array, shape (c,)
        "gauge R&R", "repeatability", "reproducibility", "operator", "operator by part", "part", "total":
        those the design has.
    variance, variance_low, variance_high : float arrays, shape (c,)
        With intervals; NaN where the method has none. In squared units of the measure.
    share_low, share_high : float arrays, shape (c,)
        Interval of the share of the total variance, for the gauge and the part.
    anova_source, anova_df, anova_ss, anova_ms, anova_f, anova_p : arrays, shape (a,)
        The analysis of variance; of length 0 when it was not made.
    confidence : float
    study_sigmas : float
        The study variation is this many standard deviations.
    tolerance : float
        Width of the tolerance, NaN when none was given.
    distinct_categories : int
        How many groups of parts the system can tell apart: sqrt(2) times the standard deviation of parts over
        that of the gauge, cut to a whole number, at least 1; 0 where it cannot be said.
    step : float
        Smallest step of the scale: declared, or the smallest difference seen.
    standing : {"acceptable", "marginal", "unacceptable", "cannot be judged"}
        By AIAG's 10 and 30 percent.
    """

    kind: ClassVar[str] = "gauge_study"

    measure: Measure
    design: str
    estimator: str
    interaction: str
    interaction_p: float
    n: int
    n_missing: int
    repeats: int
    parts: NDArray[Any]
    operators: NDArray[Any]
    values: NDArray[np.float64]
    part_of: NDArray[np.int64]
    operator_of: NDArray[np.int64]
    component: NDArray[Any]
    variance: NDArray[np.float64]
    variance_low: NDArray[np.float64]
    variance_high: NDArray[np.float64]
    share_low: NDArray[np.float64]
    share_high: NDArray[np.float64]
    anova_source: NDArray[Any]
    anova_df: NDArray[np.float64]
    anova_ss: NDArray[np.float64]
    anova_ms: NDArray[np.float64]
    anova_f: NDArray[np.float64]
    anova_p: NDArray[np.float64]
    confidence: float
    study_sigmas: float
    tolerance: float
    distinct_categories: int
    step: float
    standing: str

    def __getitem__(self, component: str) -> Estimate:
        """The standard deviation of one component, with its interval.

        Raises
        ------
        UnknownNameError
        """
        found = np.flatnonzero(self.component == component)
        if not len(found):
            raise UnknownNameError("component of this study", component, self.component.tolist())
        k = int(found[0])
        interval = None
        if not math.isnan(self.variance_low[k]):
            interval = Interval(
                math.sqrt(self.variance_low[k]),
                math.sqrt(self.variance_high[k]),
                confidence=self.confidence,
                method=str(self.method.parameters["intervals"]),
            )
        value = math.sqrt(self.variance[k])
        return Estimate(component, value, unit=self.measure.unit, interval=interval)

    def share(self, component: str) -> float:
        """Standard deviation of a component over the total one ("percent study variation" / 100)."""
        total = self["total"].value
        return self[component].value / total if total > 0 else math.nan

    def to_frame(self) -> pd.DataFrame:
        """One row per component.

        Columns: component; variance with variance_low and variance_high; share_of_variance (0 to 1) with
        its interval; sd, sd_low, sd_high; study_variation (``study_sigmas`` standard deviations);
        share_of_study (0 to 1) and share_of_tolerance. Variances are in squared units of the measure.
        """
        import pandas as pd

        total = self.variance[-1]
        share = self.variance / total if total > 0 else np.full(len(self.variance), np.nan)
        sd = np.sqrt(self.variance)
        return pd.DataFrame(
            {
                "component": self.component,
                "variance": self.variance,
                "variance_low": self.variance_low,
                "variance_high": self.variance_high,
                "share_of_variance": share,
                "share_of_variance_low": self.share_low,
                "share_of_variance_high": self.share_high,
                "sd": sd,
                "sd_low": np.sqrt(self.variance_low),
                "sd_high": np.sqrt(self.variance_high),
                "study_variation": self.study_sigmas * sd,
                "share_of_study": np.sqrt(share),
                "share_of_tolerance": self.study_sigmas * sd / self.tolerance,
            }
        )

    def anova(self) -> pd.DataFrame:
        """The analysis of variance: source, df, ss, ms, f, p; no row when it was not made."""
        import pandas as pd

        names = ("source", "df", "ss", "ms", "f", "p")
        return pd.DataFrame({name: getattr(self, f"anova_{name}") for name in names})

    def summary(self) -> pd.DataFrame:
        """One row; shares are between 0 and 1."""
        import pandas as pd

        gauge = int(np.flatnonzero(self.component == "gauge R&R")[0])

        def sd(component: str) -> float:
            return self[component].value if component in self.component else math.nan

        row = {
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "design": self.design,
            "estimator": self.estimator,
            "interaction": self.interaction,
            "n": self.n,
            "n_missing": self.n_missing,
            "parts": len(self.parts),
            "operators": len(self.operators),
            "repeats": self.repeats,
            "gauge_sd": sd("gauge R&R"),
            "repeatability_sd": sd("repeatability"),
            "reproducibility_sd": sd("reproducibility"),
            "part_sd": sd("part"),
            "total_sd": sd("total"),
            "share_of_study": self.share("gauge R&R"),
            "share_of_study_low": math.sqrt(self.share_low[gauge]),
            "share_of_study_high": math.sqrt(self.share_high[gauge]),
            "share_of_tolerance": self.study_sigmas * sd("gauge R&R") / self.tolerance,
            "distinct_categories": self.distinct_categories,
            "step": self.step,
            "standing": self.standing,
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, components, analysis of variance."""
        return (
            ("Summary", self.summary()),
            ("Variance components", self.to_frame()),
            ("Analysis of variance", self.anova()),
        )
