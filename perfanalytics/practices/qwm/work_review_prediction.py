"""ObjectivePrediction: with which probability an objective will be met by the end of its period."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from scipy import special

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ObjectivePrediction(Result):
    """The prediction of one objective at one day: what was so far, what is expected, how probable it is.

    Attributes
    ----------
    measure : Measure
    objective : Objective
    basis : {"calibrated model", "own data"}
        Where the expected level of the items ahead comes from.
    basis_name : str
        Name of the saved calibration or baseline behind it; "" where it was not saved.
    basis_version : int
        Its version; 0 where it was not saved.
    on : date
        What was known at the end of this day was used.
    since, until : date or None
        The period of the objective; ``until`` is its last day. None: no end is declared, and the
        probability is that of the level of the process.
    form : {"share", "mean"}
        Whether a share of items is predicted (of items that meet the target, of items that are 1), or a mean
        (a rate: sum by sizes).
    required : float
        The share, mean or rate that is asked for.
    side : {"at_least", "at_most"}
        On which side of ``required`` the objective is met.
    n_observed : int
        Items (of rates: periods) whose outcome is known.
    observed : float
        Share, mean or rate of them; NaN without any.
    n_ahead : int
        Items expected until the end at the pace so far, with those whose outcome is not known yet.
    design_effect : float
        As many items as this count as one, because neighbours are alike (1: independent).
    level, level_low, level_high : float
        Expected share, mean or rate of items ahead, with its interval (of the level, not of single items).
    level_sd, item_sd, df : float
        Standard deviation of the level, and of single items about it; degrees of freedom (share: infinite).
    expected, low, high : float
        Of the whole period, what was so far included: median and prediction interval.
    probability : float
        That the objective is met at the end.
    least_possible : float
        What is measured cannot be less (0 for durations, counts, shares; minus infinity where it can).
    confidence : float
        Of both intervals.
    """

    kind: ClassVar[str] = "objective_prediction"

    measure: Measure
    objective: Objective
    basis: str
    basis_name: str
    basis_version: int
    on: dt.date
    since: dt.date | None
    until: dt.date | None
    form: str
    required: float
    side: str
    n_observed: int
    observed: float
    n_ahead: int
    design_effect: float
    level: float
    level_low: float
    level_high: float
    level_sd: float
    item_sd: float
    df: float
    expected: float
    low: float
    high: float
    probability: float
    least_possible: float
    confidence: float

    @property
    def is_over(self) -> bool:
        """Whether the period of the objective has ended and every outcome is known."""
        return self.until is not None and self.on >= self.until and self.n_ahead == 0

    @property
    def outcome(self) -> bool | None:
        """Whether the objective was met; None while its period runs."""
        return self.probability >= 0.5 if self.is_over else None

    def ahead(self, m: int) -> tuple[float, float]:
        """The prediction interval for the share, mean or rate of the next ``m`` items.

        Examples
        --------
        See :func:`perfanalytics.predict_objective`.
        """
        low, high = ahead_interval(
            self.form, self.level, self.level_sd, self.item_sd, self.df, self.design_effect, m,
            self.confidence,
        )  # fmt: skip
        return max(low, self.least_possible) if low == low else low, high

    def summary(self) -> pd.DataFrame:
        """One row: objective, period, what was so far, what is expected, the probability."""
        import pandas as pd

        names = (
            "on", "since", "until", "basis", "form", "required", "side", "n_observed", "observed", "n_ahead",
            "design_effect", "level", "level_low", "level_high", "expected", "low", "high", "probability",
            "confidence",
        )  # fmt: skip
        row = {"objective": self.objective.name, "measure": self.measure.name, "unit": self.unit}
        row |= {name: getattr(self, name) for name in names}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """Three rows, "so far", "items ahead", "whole period": part, n, estimate, low, high, unit.

        The interval of "items ahead" is that of their level; of the whole period it is a prediction
        interval.
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "part": ["so far", "items ahead", "whole period"],
                "n": [self.n_observed, self.n_ahead, self.n_observed + self.n_ahead],
                "estimate": [self.observed, self.level, self.expected],
                "low": [math.nan, self.level_low, self.low],
                "high": [math.nan, self.level_high, self.high],
                "unit": self.unit,
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """What was so far, what is ahead, the whole; the verdict says the rest."""
        return (("Numbers", self.to_frame()),)

    @property
    def unit(self) -> str:
        """Unit of what is predicted: "1" for a share and for a rate, which is per size."""
        return self.measure.unit if self.objective.statistic == "mean" else "1"


def beta_binomial(level: float, level_sd: float, design_effect: float, m: int) -> tuple[float, float] | None:
    """The (a, b) of the beta-binomial law of ``m`` items ahead; None where the binomial is enough.

    Its variance is that of the level plus that of ``m / design_effect`` independent items.

    Examples
    --------
    >>> a, b = beta_binomial(0.6, (0.6 * 0.4 / 11) ** 0.5, 1.0, 20)  # the level is Beta(6, 4)
    >>> round(a, 6), round(b, 6)
    (6.0, 4.0)
    """
    spread = level * (1 - level)
    if m < 2 or spread <= 0:
        return None
    own = min(level_sd**2 / spread, 1.0)
    correlation = ((1 - own) * design_effect + m * own - 1) / (m - 1)
    if correlation <= 1e-9:
        return None
    total = 1 / min(correlation, 0.999) - 1
    return level * total, (1 - level) * total


def ahead_interval(
    form: str,
    level: float,
    level_sd: float,
    item_sd: float,
    df: float,
    design_effect: float,
    m: int,
    confidence: float,
) -> tuple[float, float]:
    """The prediction interval for ``m`` items ahead; NaN where nothing can be said."""
    tail = (1 - confidence) / 2
    if m < 1 or math.isnan(level):
        return math.nan, math.nan
    if form == "mean":
        if not df > 0 or math.isnan(level_sd):
            return math.nan, math.nan
        t = float(special.stdtrit(df, 1 - tail)) if math.isfinite(df) else float(special.ndtri(1 - tail))
        half = t * math.sqrt(level_sd**2 + item_sd**2 * design_effect / m)
        return level - half, level + half
    from scipy import stats

    law = beta_binomial(level, level_sd, design_effect, m)
    made = stats.binom(m, level) if law is None else stats.betabinom(m, *law)
    return float(made.ppf(tail)) / m, float(made.ppf(1 - tail)) / m
