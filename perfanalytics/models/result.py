"""Model: the result of a fit, which can be saved, read back and asked for predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.models import tabulating
from perfanalytics.models.asks_what_if import AsksWhatIf
from perfanalytics.models.checking import influence_table
from perfanalytics.models.factors import Factor
from perfanalytics.models.predicts_items import PredictsItems
from perfanalytics.models.tabulating import Check

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Model(AsksWhatIf, PredictsItems, Result):
    """A fitted regression model, whatever its family.

    What it predicts is in :class:`perfanalytics.models.predicts_items.PredictsItems`, what it answers about
    its factors in :class:`perfanalytics.models.asks_what_if.AsksWhatIf`.

    Attributes
    ----------
    family : str
        "gaussian", "gamma", "binomial", "poisson", "negative_binomial", "mixed" or "quantile".
    link : str
        "identity", "log" or "logit": what of the expected value is linear in the terms.
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
    roles : tuple of Factor
        The role of each column on the right side, in their order.
    columns : mapping of str to str
        Columns with a part of their own: "weights", "offset", "exposure", "sizes", "groups", "time".
    levels : mapping of column to tuple
        Levels of each factor; the first is the reference.
    ranges : mapping of column to (low, high)
        Smallest and largest value of each number in the data.
    kept : mapping of column to array
        Rows of the right side as they were seen together (numbers; of factors the position of the level),
        at most 5,000 of them drawn with the seed: :meth:`factor_frame` gives them back.
    terms, factors : text arrays, shape (p,)
        Name of each coefficient, and the term of the formula it belongs to.
    coefficients : float array, shape (p,)
        On the scale of the linear predictor; of a quantile model those of its first ``quantile=``.
    unscaled : float array, shape (p, p)
        Inverse of X'X.
    covariance : float array, shape (p, p)
        Of the coefficients, as ``errors`` says.
    errors : str
        "classical", "robust" (HC3) or "hac" (Newey-West).
    steps : float array, shape (p,)
        What the figure shows the effect of: 1 for a level of a factor, one standard deviation for a number.
    sigma : float
        Residual standard deviation on the scale of the fit; of gamma, binomial and count families the root
        of the dispersion (Pearson's, or 1).
    df : float
        Residual degrees of freedom.
    df_test : float
        Degrees of freedom of the t tests; infinite for tests with the normal law.
    smearing : float
        Mean of exp(residual) on the log scale, 1 otherwise: turns a median into a mean.
    parameters : mapping of str to float
        What the family has besides: "shape" (gamma: 1 / dispersion of an item; negative binomial: size),
        "shape_log_sd", "dispersion", "group_sd", "intraclass" ...
    group_levels : tuple
        Groups of a mixed model.
    arrays : mapping of str to array
        Arrays of the family: group sizes and effects, coefficients of all quantiles ...
    n, n_dropped : int
        Rows used; rows left out because a value was missing.
    r2, r2_adjusted, r2_cv : float
        Explained share of the variation on the scale of the fit; ``r2_cv`` out of sample. Without an
        intercept the first two are measured from 0, ``r2_cv`` from the mean (``.method`` says so). Of the
        families other than gaussian the explained share of the deviance (quantile: of the check loss).
    f_statistic, f_df, f_p_value : float
        All terms together: F, or chi-squared over its degrees of freedom where tests are normal.
    error_cv : float
        Root mean squared error out of sample, on the scale of the fit (raw for links other than identity).
    relative_error_cv : float
        Median of ``|predicted - observed| / observed`` out of sample, on the original scale.
    folds, seed : int
        Of the cross-validation.
    largest_leverage : float
        Of the rows used: beyond it a new row is an unusual combination.
    breusch_pagan_p, residual_lag1, largest_vif, largest_cook, condition : float
        What the checks found; NaN where one does not apply.
    checked : tuple of Check
        All checks with what they mean; :meth:`checks` shows them as a table.
    observed, fitted, leverage, residuals : float arrays, shape (n,)
        Response (original scale), its fit and leverage; residuals are quantile residuals: standard normal
        when the model holds, whatever the family.
    confidence : float
        Of the intervals of :meth:`to_frame`.
    """

    kind: ClassVar[str] = "model"
    schema_version: ClassVar[int] = 2

    family: str
    link: str
    formula: str
    response: str
    logged: bool
    measure: Measure
    objective: Objective | None
    controllable: tuple[str, ...]
    roles: tuple[Factor, ...]
    columns: Mapping[str, str]
    levels: Mapping[str, tuple[Any, ...]]
    ranges: Mapping[str, tuple[float, float]]
    kept: Mapping[str, NDArray[Any]]
    terms: NDArray[Any]
    factors: NDArray[Any]
    coefficients: Floats
    unscaled: Floats
    covariance: Floats
    errors: str
    steps: Floats
    sigma: float
    df: float
    df_test: float
    smearing: float
    parameters: Mapping[str, float]
    group_levels: tuple[Any, ...]
    arrays: Mapping[str, NDArray[Any]]
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
    checked: tuple[Check, ...]
    observed: Floats
    fitted: Floats
    leverage: Floats
    residuals: Floats
    confidence: float

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 knew gaussian models only."""
        return tabulating.from_first_version(fields) if version == 1 else fields

    def to_frame(self) -> pd.DataFrame:
        """One row per coefficient.

        term, factor (term of the formula it belongs to), controllable, estimate, std_error, statistic (t,
        or z where df is infinite), df, p_value, low, high (interval with ``confidence``), ratio, ratio_low,
        ratio_high (what the response is multiplied with on a log scale or link, the odds ratio on a logit
        link; NaN otherwise), factor_statistic (F, or Wald chi-squared over its df), factor_df,
        factor_p_value (the whole factor at once), quantile (of a quantile model: the share the row belongs
        to; NaN otherwise), unit (of the estimate).
        """
        return tabulating.terms_table(self)

    def summary(self) -> pd.DataFrame:
        """One row: the fit as a whole, its error out of sample, what the checks found."""
        return tabulating.summary_table(self)

    def checks(self) -> pd.DataFrame:
        """One row per check: check, statistic, p_value, verdict ("fine", "look", "serious"), meaning."""
        return tabulating.checks_table(self.checked)

    def influence(self) -> pd.DataFrame:
        """The rows that move the model most (at most 20), one a row: row (its label), cook, term (moved
        most), dfbetas (by how many of its standard errors, if the row were left out)."""
        table: pd.DataFrame = influence_table(self)
        return table

    def groups(self) -> pd.DataFrame:
        """One row per group of a mixed model: group, n, effect (shrunken towards 0), low, high (95%)."""
        return tabulating.groups_table(self)

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """What a report shows: the summary, the terms, the checks."""
        return ("Summary", self.summary()), ("Numbers", self.to_frame()), ("Checks", self.checks())

    def factor_frame(self) -> pd.DataFrame:
        """The kept rows of the right side, levels as they were: what the factors were, together."""
        return tabulating.factor_table(self)

    def role(self, name: str) -> Factor:
        """The role of a column.

        Raises
        ------
        UnknownNameError
            When the formula does not use it.
        """
        return tabulating.role_of(self.roles, name)

    def feasible(self, name: str) -> tuple[float, float] | tuple[Any, ...]:
        """The range (low, high) a number may be set to, or the levels of a category: as declared in its role,
        otherwise what the data had.

        Raises
        ------
        UnknownNameError
            When the formula does not use it.
        """
        return tabulating.feasible_of(self, name)

    @property
    def std_errors(self) -> Floats:
        """Standard errors of the coefficients, shape (p,)."""
        return np.asarray(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))
