"""Strata: the result, with the tests of the attributes and the table of the strata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.bulk_result import Baselines
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

#: One entry an attribute.
ATTRIBUTE_COLUMNS = (
    "attribute", "levels", "missing", "f", "df1", "df2", "p_anova", "p_welch", "h", "p_kruskal",
    "p_anova_holm", "p_kruskal_holm", "eta_squared", "epsilon_squared", "share_low", "share_high",
    "rank_epsilon_squared", "between", "within", "icc", "icc_low", "icc_high", "icc_anova", "added_share",
    "p_added_holm", "proposal", "reason",
)  # fmt: skip
#: One entry a stratum.
STRATUM_COLUMNS = (
    "center",
    "weight",
    "shrunk",
    "shrunk_low",
    "shrunk_high",
    "next_low",
    "next_high",
    "small",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Strata(Result):
    """Which attributes separate subgroups of a measure, and a baseline for each subgroup.

    Attributes
    ----------
    measure : Measure
    n, n_missing, n_censored : int
        Values used; rows without a value (or time); items still open among those used.
    scale : {"log", "raw"}
        On which the groups are compared.
    dependence : {"ar1", "independent"}
    lag1, factor : float
        Lag-1 correlation within the groups as seen, and what the variance of a mean was multiplied with.
    confidence, minimum_share : float
        Level of intervals and tests (jointly over the attributes); the share of the variation that an
        attribute must separate to be worth a split.
    attribute, proposal, reason : text arrays, shape (a,)
        ``proposal`` is "split", "pool" or "undecided".
    levels, missing : int arrays, shape (a,)
    f, df1, df2, p_anova, p_welch, h, p_kruskal, p_anova_holm, p_kruskal_holm : float arrays, shape (a,)
        Analysis of variance, Welch's, Kruskal-Wallis; adjusted by Holm over the attributes.
    eta_squared, epsilon_squared, share_low, share_high, rank_epsilon_squared : float arrays, shape (a,)
        Share of the variation between the groups: as seen; adjusted for the number of groups, with its
        interval (noncentral F); of the ranks.
    between, within, icc, icc_low, icc_high, icc_anova : float arrays, shape (a,)
        Variance components by REML on the analysis scale, the intraclass correlation with its interval, and
        that of the components by mean squares.
    added_share, p_added_holm : float arrays, shape (a,)
        What the attribute separates within the groups of the first one proposed; NaN for that one.
    split_by : tuple of str
        The attributes that made the strata below: those asked for, else the one that separates most.
    proposed : tuple of str
        The attributes a split is proposed by; empty: pool. A proposal: nothing is split by it.
    baselines : Baselines
        One baseline a stratum, from its own values alone.
    center, weight, shrunk, shrunk_low, shrunk_high, next_low, next_high : float arrays, shape (k,)
        Mean (on the log scale: geometric mean) of the stratum; the weight of its own data; the mean shrunk
        towards the whole, with its interval; the prediction interval for its next item from the pooled
        spread.
    small : bool array, shape (k,)
        Fewer than 20 values: to be read by the shrunk numbers.
    """

    kind: ClassVar[str] = "strata"

    measure: Measure
    n: int
    n_missing: int
    n_censored: int
    scale: str
    dependence: str
    lag1: float
    factor: float
    confidence: float
    minimum_share: float
    attribute: NDArray[Any]
    levels: NDArray[np.int64]
    missing: NDArray[np.int64]
    f: Floats
    df1: Floats
    df2: Floats
    p_anova: Floats
    p_welch: Floats
    h: Floats
    p_kruskal: Floats
    p_anova_holm: Floats
    p_kruskal_holm: Floats
    eta_squared: Floats
    epsilon_squared: Floats
    share_low: Floats
    share_high: Floats
    rank_epsilon_squared: Floats
    between: Floats
    within: Floats
    icc: Floats
    icc_low: Floats
    icc_high: Floats
    icc_anova: Floats
    added_share: Floats
    p_added_holm: Floats
    proposal: NDArray[Any]
    reason: NDArray[Any]
    split_by: tuple[str, ...]
    proposed: tuple[str, ...]
    baselines: Baselines
    center: Floats
    weight: Floats
    shrunk: Floats
    shrunk_low: Floats
    shrunk_high: Floats
    next_low: Floats
    next_high: Floats
    small: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name in (*ATTRIBUTE_COLUMNS, *STRATUM_COLUMNS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row an attribute: its tests, effect sizes, components, what it adds, the proposal and why."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in ATTRIBUTE_COLUMNS})

    def to_frame(self) -> pd.DataFrame:
        """One row a stratum of ``split_by``.

        Columns: stratum, n, center (mean, on the log scale the geometric mean), median, p90, weight (of its
        own data), shrunk, shrunk_low, shrunk_high, next_low, next_high, small, stable, caveats.
        """
        import pandas as pd

        own = self.baselines.summary()
        return pd.DataFrame(
            {
                "stratum": own["id"],
                "n": own["n"],
                "center": self.center,
                "median": own["median"],
                "p90": own["p90"],
                "weight": self.weight,
                "shrunk": self.shrunk,
                "shrunk_low": self.shrunk_low,
                "shrunk_high": self.shrunk_high,
                "next_low": self.next_low,
                "next_high": self.next_high,
                "small": self.small,
                "stable": own["stable"],
                "caveats": own["caveats"],
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The attributes and the strata."""
        return ("Attributes", self.summary()), ("Strata", self.to_frame())
