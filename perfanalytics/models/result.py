"""Model: the result of a fit, which can be saved, read back and asked for predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.models.formula import check_columns, columns_of, design, parse
from perfanalytics.models.least_squares import joint_f
from perfanalytics.models.prediction import Known, explain_new, known_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Model(Result):
    """A fitted regression model.

    Attributes
    ----------
    family : str
        "gaussian".
    formula : str
        As it was given.
    response : str
        Column on the left side.
    logged : bool
        Whether the logarithm of the response was modelled.
    measure : Measure
        The measure of the response.
    objective : Objective or None
    controllable : tuple of str
        Columns that somebody can set.
    levels : mapping of column to tuple
        Levels of each factor; the first is the reference.
    ranges : mapping of column to (low, high)
        Smallest and largest value of each number in the data.
    terms, factors : text arrays, shape (p,)
        Name of each coefficient, and the term of the formula it belongs to.
    coefficients : float array, shape (p,)
    unscaled : float array, shape (p, p)
        Inverse of X'X; times ``sigma**2`` it is the covariance of the coefficients.
    steps : float array, shape (p,)
        What the figure shows the effect of: 1 for a level of a factor, one standard deviation for a number.
    sigma : float
        Residual standard deviation, on the scale of the fit.
    df : float
        Residual degrees of freedom.
    smearing : float
        Mean of exp(residual) on the log scale, 1 otherwise: turns a median into a mean.
    n, n_dropped : int
        Rows used; rows left out because a value was missing.
    r2, r2_adjusted, r2_cv : float
        Explained share of the variation on the scale of the fit; ``r2_cv`` out of sample. Without an
        intercept the first two are measured from 0, ``r2_cv`` from the mean (``.method`` says so).
    f_statistic, f_df, f_p_value : float
        All terms together.
    error_cv : float
        Root mean squared error out of sample, on the scale of the fit.
    relative_error_cv : float
        Median of ``|predicted - observed| / observed`` out of sample, on the original scale.
    folds, seed : int
        Of the cross-validation.
    largest_leverage : float
        Of the rows used: beyond it a new row is an unusual combination.
    breusch_pagan_p, residual_lag1, largest_vif, largest_cook, condition : float
        What the checks found; NaN where one does not apply.
    observed, fitted, leverage : float arrays, shape (n,)
        Response (original scale), its fit and leverage, for the figure.
    confidence : float
        Of the intervals of :meth:`to_frame`.
    """

    kind: ClassVar[str] = "model"

    family: str
    formula: str
    response: str
    logged: bool
    measure: Measure
    objective: Objective | None
    controllable: tuple[str, ...]
    levels: Mapping[str, tuple[Any, ...]]
    ranges: Mapping[str, tuple[float, float]]
    terms: NDArray[Any]
    factors: NDArray[Any]
    coefficients: NDArray[np.float64]
    unscaled: NDArray[np.float64]
    steps: NDArray[np.float64]
    sigma: float
    df: float
    smearing: float
    n: int
    n_dropped: int
    r2: float
    r2_adjusted: float
    r2_cv: float
    f_statistic: float
    f_df: float
    f_p_value: float
    error_cv: float
    relative_error_cv: float
    folds: int
    seed: int
    largest_leverage: float
    breusch_pagan_p: float
    residual_lag1: float
    largest_vif: float
    largest_cook: float
    condition: float
    observed: NDArray[np.float64]
    fitted: NDArray[np.float64]
    leverage: NDArray[np.float64]
    confidence: float

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient.

        term, factor (term of the formula it belongs to), controllable, estimate, std_error, statistic (t),
        df, p_value, low, high (interval with ``confidence``), ratio, ratio_low, ratio_high (what the
        response is multiplied with, on the log scale; NaN otherwise), factor_statistic (F), factor_df,
        factor_p_value (the whole factor at once), unit.
        """
        import pandas as pd

        se = self.std_errors
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.coefficients / se
        half = float(special.stdtrit(self.df, (1 + self.confidence) / 2)) * se
        low, high = self.coefficients - half, self.coefficients + half
        joint = {f: self._joint(f) for f in dict.fromkeys(self.factors.tolist())}
        with np.errstate(over="ignore"):
            ratios = [
                np.exp(x) if self.logged else np.full(len(x), np.nan) for x in (self.coefficients, low, high)
            ]
        unit = f"log {self.measure.unit}".strip() if self.logged else self.measure.unit
        return pd.DataFrame(
            {
                "term": self.terms,
                "factor": self.factors,
                "controllable": [self._is_controllable(f) for f in self.factors.tolist()],
                "estimate": self.coefficients,
                "std_error": se,
                "statistic": t,
                "df": self.df,
                "p_value": 2 * special.stdtr(self.df, -np.abs(t)),
                "low": low,
                "high": high,
                "ratio": ratios[0],
                "ratio_low": ratios[1],
                "ratio_high": ratios[2],
                "factor_statistic": [joint[f][0] for f in self.factors.tolist()],
                "factor_df": [joint[f][1] for f in self.factors.tolist()],
                "factor_p_value": [joint[f][2] for f in self.factors.tolist()],
                "unit": unit,
            }
        )

    def summary(self) -> pd.DataFrame:
        """One row: the fit as a whole, its error out of sample, what the checks found."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "response": self.response,
                    "unit": self.measure.unit,
                    "formula": self.formula,
                    "family": self.family,
                    "scale": "log" if self.logged else "raw",
                    "n": self.n,
                    "n_dropped": self.n_dropped,
                    "coefficients": len(self.terms),
                    "df": self.df,
                    "r2": self.r2,
                    "r2_adjusted": self.r2_adjusted,
                    "r2_cv": self.r2_cv,
                    "sigma": self.sigma,
                    "error_cv": self.error_cv,
                    "relative_error_cv": self.relative_error_cv,
                    "f_statistic": self.f_statistic,
                    "f_p_value": self.f_p_value,
                    "breusch_pagan_p": self.breusch_pagan_p,
                    "residual_lag1": self.residual_lag1,
                    "largest_vif": self.largest_vif,
                    "largest_cook": self.largest_cook,
                    "condition": self.condition,
                    "controllable": ", ".join(self.controllable),
                    "objective": self.objective.name if self.objective else None,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    @property
    def std_errors(self) -> NDArray[np.float64]:
        """Standard errors of the coefficients, shape (p,)."""
        return np.asarray(self.sigma * np.sqrt(np.diag(self.unscaled)))

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance of the coefficients, shape (p, p)."""
        return np.asarray(self.sigma**2 * self.unscaled)

    def predict(self, new: pd.DataFrame | Mapping[str, Any], *, confidence: float = 0.95) -> pd.DataFrame:
        """What the model expects for new rows.

        Parameters
        ----------
        new : DataFrame or mapping of column to values
            With the columns on the right side of the formula.
        confidence : float
            Of both intervals, in (0, 1).

        Returns
        -------
        DataFrame, one row per new row (same index)
            - estimate: the typical (median) value, in the unit of the measure;
            - mean, mean_low, mean_high: the expected value and its confidence interval. On the log scale
              the median is multiplied by the smearing factor (Duan 1983), taken as known;
            - item_low, item_high: prediction interval for one new item (Student's t);
            - confidence;
            - extrapolates: True where the row lies outside the data; why: in which way. A level that the
              data did not have, and a missing value, give NaN.

        Raises
        ------
        UnknownNameError
            When a column is missing.

        References
        ----------
        Duan (1983), JASA 78, 605-610 (smearing).
        """
        import pandas as pd

        if not 0 < confidence < 1:
            raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
        frame, known, center, leverage, outside = self._new_rows(new)
        t = float(special.stdtrit(self.df, (1 + confidence) / 2))
        half_mean = t * self.sigma * np.sqrt(leverage)
        half_item = t * self.sigma * np.sqrt(1 + leverage)
        back = np.exp if self.logged else (lambda x: x)
        with np.errstate(over="ignore"):
            return pd.DataFrame(
                {
                    "estimate": back(center),
                    "mean": back(center) * self.smearing,
                    "mean_low": back(center - half_mean) * self.smearing,
                    "mean_high": back(center + half_mean) * self.smearing,
                    "item_low": back(center - half_item),
                    "item_high": back(center + half_item),
                    "confidence": confidence,
                    "extrapolates": outside | known.outside,
                    "why": explain_new(known, outside),
                },
                index=frame.index,
            )

    def probability(
        self,
        new: pd.DataFrame | Mapping[str, Any],
        *,
        objective: Objective | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> pd.DataFrame:
        """Probability that a new item meets an objective.

        Parameters
        ----------
        new : DataFrame or mapping of column to values
        objective : Objective, optional
            About single items. Without it and without a bound: the objective of the model.
        at_most, at_least : float, optional
            Bounds in the unit of the measure, instead of an objective; both together make a range.

        Returns
        -------
        DataFrame, one row per new row (same index)
            probability (from Student's t of the prediction error: the uncertainty of the coefficients and
            of the residual variance is in it), at_least, at_most (the bounds), extrapolates, why.

        Raises
        ------
        InputError
            Without any bound, with both an objective and a bound, or an objective about another measure.
        """
        import pandas as pd

        low, high = self._bounds(objective, at_most, at_least)
        frame, known, center, leverage, outside = self._new_rows(new)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = self.sigma * np.sqrt(1 + leverage)
            below = special.stdtr(self.df, (self._scaled_bound(high) - center) / spread)
            under = special.stdtr(self.df, (self._scaled_bound(low) - center) / spread)
        return pd.DataFrame(
            {
                "probability": np.where(np.isnan(center), np.nan, np.maximum(below - under, 0.0)),
                "at_least": np.nan if low == -math.inf else low,
                "at_most": np.nan if high == math.inf else high,
                "extrapolates": outside | known.outside,
                "why": explain_new(known, outside),
            },
            index=frame.index,
        )

    def _new_rows(
        self, new: pd.DataFrame | Mapping[str, Any]
    ) -> tuple[pd.DataFrame, Known, NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """The frame, what is known of its rows, their prediction and leverage on the scale of the fit."""
        import pandas as pd

        frame = new if isinstance(new, pd.DataFrame) else pd.DataFrame(dict(new))
        parsed = parse(self.formula)
        check_columns(frame, parsed.columns)
        known = known_rows(frame, parsed, self.levels, self.ranges)
        center = np.full(len(frame), np.nan)
        leverage = np.full(len(frame), np.nan)
        if known.usable.any():
            x = design(frame[known.usable], parsed, self.levels).matrix
            center[known.usable] = x @ self.coefficients
            leverage[known.usable] = np.maximum(np.sum((x @ self.unscaled) * x, axis=1), 0.0)
        outside = np.nan_to_num(leverage, nan=0.0) > self.largest_leverage * (1 + 1e-6)
        return frame, known, center, leverage, outside

    def _bounds(
        self, objective: Objective | None, at_most: float | None, at_least: float | None
    ) -> tuple[float, float]:
        if objective is not None and (at_most is not None or at_least is not None):
            raise InputError("give an objective, or at_most= and at_least=, not both")
        if objective is None and at_most is None and at_least is None:
            objective = self.objective
            if objective is None:
                raise InputError("probability of what? Give objective=, at_most= or at_least=")
        if objective is not None:
            if objective.measure not in (self.measure.name, self.response):
                raise InputError(
                    f"objective {objective.name!r} is about {objective.measure!r}, the model predicts "
                    f"{self.response!r}"
                )
            if objective.statistic != "item":
                raise InputError(
                    f"objective {objective.name!r} speaks of the {objective.statistic}, not of single items: "
                    "give at_most= or at_least="
                )
            if objective.direction == "at_most":
                return -math.inf, float(objective.target)
            return float(objective.target), math.inf
        low = -math.inf if at_least is None else float(at_least)
        high = math.inf if at_most is None else float(at_most)
        if low > high:
            raise InputError(f"at_least={low:g} lies above at_most={high:g}: no value meets both")
        return low, high

    def _scaled_bound(self, bound: float) -> float:
        if not self.logged:
            return bound
        return math.log(bound) if bound > 0 else -math.inf

    def _joint(self, factor: str) -> tuple[float, float, float]:
        """F statistic, numerator degrees of freedom and p-value of all coefficients of a factor."""
        own = np.flatnonzero(self.factors == factor)
        f, p = joint_f(self.coefficients, self.unscaled, own, self.sigma, self.df)
        return f, float(len(own)), p

    def _is_controllable(self, factor: str) -> bool:
        if factor == "Intercept":
            return False
        return any(c in self.controllable for c in columns_of(factor))
