"""Model: the result of a fit, which can be saved, read back and asked for predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.models import tabulating
from perfanalytics.models.checking import influence_table
from perfanalytics.models.factors import Factor
from perfanalytics.models.goals import Goal
from perfanalytics.models.optimize import optimize
from perfanalytics.models.optimum import Optimum
from perfanalytics.models.predicting import predictive_of
from perfanalytics.models.prediction import NewRows, read_new
from perfanalytics.models.predictive import Predictive
from perfanalytics.models.profile import Profile, profile
from perfanalytics.models.review import ModelReview, review
from perfanalytics.models.sensitivity import Sensitivity, sensitivity
from perfanalytics.models.tabulating import Check
from perfanalytics.models.what_if import WhatIf, what_if

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Model(Result):
    """A fitted regression model, whatever its family.

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

    def predict(self, new: pd.DataFrame | Mapping[str, Any], *, confidence: float = 0.95) -> pd.DataFrame:
        """What the model expects for new rows.

        Parameters
        ----------
        new : DataFrame or mapping of column to values (or to one value: one row)
            With the columns on the right side of the formula, and those of ``offset=`` and ``exposure=``;
            where there is one of ``weights=``, ``sizes=`` and ``groups=``, it is used.
        confidence : float
            Of both intervals, in (0, 1).

        Returns
        -------
        DataFrame, one row per new row (same index)
            - estimate: the typical (median) value, in the unit of the measure; of counts and shares the mean;
            - mean, mean_low, mean_high: the expected value and its confidence interval. On the log scale
              the median is multiplied by the smearing factor (Duan 1983), taken as known, of a mixed model
              also by the mean of the lognormal law of the level of a group;
            - item_low, item_high: prediction interval for one new item, with the uncertainty of the
              parameters in it: Student's t (gaussian, mixed), quadrature over the parameters (gamma,
              binomial, Poisson, negative binomial; whole numbers where items are), quantiles calibrated on
              items left out (quantile);
            - confidence;
            - extrapolates: True where the row lies outside the data; why: in which way. A level that the
              data did not have, a missing value, and an exposure, weight or size that is none give NaN. A
              group that a mixed model does not know is predicted as a new one.

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
        rows, law = self._new(new)
        low, high = law.mean_interval(confidence)
        return pd.DataFrame(
            {
                "estimate": law.typical(),
                "mean": law.mean(),
                "mean_low": low,
                "mean_high": high,
                "item_low": law.quantile((1 - confidence) / 2),
                "item_high": law.quantile((1 + confidence) / 2),
                "confidence": confidence,
                "extrapolates": rows.extrapolates,
                "why": rows.why,
            },
            index=rows.index,
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
            probability (of the same law as the item interval: the uncertainty of the parameters is in it),
            at_least, at_most (the bounds), extrapolates, why.

        Raises
        ------
        InputError
            Without any bound, with both an objective and a bound, or an objective about another measure.
        """
        import pandas as pd

        low, high = tabulating.bounds_of(self, objective, at_most, at_least)
        rows, law = self._new(new)
        typical = law.mean()
        above = law.cdf(high) if high < math.inf else np.ones(len(typical))
        under = law.below(low) if low > -math.inf else np.zeros(len(typical))
        return pd.DataFrame(
            {
                "probability": np.where(np.isnan(typical), np.nan, np.clip(above - under, 0.0, 1.0)),
                "at_least": np.nan if low == -math.inf else low,
                "at_most": np.nan if high == math.inf else high,
                "extrapolates": rows.extrapolates,
                "why": rows.why,
            },
            index=rows.index,
        )

    def simulate_items(
        self, new: pd.DataFrame | Mapping[str, Any], *, draws: int = 1000, rng: np.random.Generator | int
    ) -> Floats:
        """Draws of new items, with the uncertainty of the parameters and of single items in them.

        Parameters
        ----------
        new : DataFrame or mapping of column to values
            As for :meth:`predict`; one new item a row.
        draws : int
            How many times all items are drawn. One draw of the parameters serves all rows of a draw, so that
            sums and maxima over items are right.
        rng : Generator or int
            A generator, or a seed. The same seed and number of rows give the same luck: differences between
            two calls are then those of the rows (common random numbers).

        Returns
        -------
        float array, shape (draws, rows)
            In the unit of the measure; NaN where a row cannot be predicted. A share of draws p has a Monte
            Carlo standard error of ``sqrt(p (1 - p) / draws)``.

        Raises
        ------
        InputError
            When draws is not a positive whole number, or rng neither a generator nor a seed.

        Examples
        --------
        >>> import pandas as pd
        >>> from perfanalytics.models.model import fit
        >>> data = pd.DataFrame({"hours": [2.1, 3.9, 6.2, 7.8, 10.1, 12.2], "size": [1, 2, 3, 4, 5, 6]})
        >>> items = fit("hours ~ size", data).simulate_items({"size": [2, 5]}, draws=200, rng=1)
        >>> items.shape
        (200, 2)
        """
        if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
            raise InputError(f"draws is a positive whole number, got {draws!r}")
        if not isinstance(rng, np.random.Generator | int | np.integer):
            raise InputError(f"rng is a numpy Generator or a whole number as seed, got {type(rng).__name__}")
        _, law = self._new(new)
        return law.draw(int(draws), np.random.default_rng(rng))

    def what_if(
        self,
        scenarios: Mapping[str, Mapping[str, Any]] | Sequence[Mapping[str, Any]],
        *,
        today: Mapping[str, Any] | None = None,
        objective: Objective | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
        mean_of: int | None = None,
        confidence: float = 0.95,
        rows: int = 500,
        seed: int = 1,
    ) -> WhatIf:
        """What the outcome would be if factors were set otherwise, beside today.

        Parameters
        ----------
        scenarios : mapping of name to settings, or sequence of settings
            Settings map columns to what they would be: a number or level; or a distribution:
            ``perf.Distribution``, a baseline, a fitted distribution, values, of a category a mapping of level
            to share. Factors that are not set vary as they did in the data, together.
        today : mapping, optional
            What differs already from the data, in all scenarios: the factor's newest baseline, the column of
            ``exposure=``.
        objective, at_most, at_least : optional
            As for :meth:`probability`; without any, and without an objective of the model, no probability.
        mean_of : int, optional
            Also the interval of the average of so many items (1 to 500).
        confidence : float
        rows : int
            Rows of the factors that are evaluated, from 50 on.
        seed : int

        Returns
        -------
        WhatIf

        Raises
        ------
        InputError, UnknownNameError
            Without scenarios, for columns or levels that the model does not know.

        Notes
        -----
        Intervals of means, probabilities and differences come from 1,000 draws of the parameters, the same
        for all scenarios (common random numbers). A model says what goes with what: only a controllable
        factor can be expected to bring what the scenario says.
        """
        return what_if(
            self,
            scenarios,
            today=today,
            objective=objective,
            at_most=at_most,
            at_least=at_least,
            mean_of=mean_of,
            confidence=confidence,
            rows=rows,
            seed=seed,
        )

    def profile(
        self,
        *,
        factors: Sequence[str] | None = None,
        at: Mapping[str, Any] | None = None,
        objective: Objective | None = None,
        at_most: float | None = None,
        at_least: float | None = None,
        points: int = 25,
        confidence: float = 0.95,
    ) -> Profile:
        """Prediction profiler: the outcome along each factor, the others held.

        Parameters
        ----------
        factors : sequence of str, optional
            Default all, in the order of the formula.
        at : mapping, optional
            Where the others are held; default medians and most frequent levels.
        objective, at_most, at_least : optional
            As for :meth:`probability`.
        points : int
            Along a number, over its feasible range.
        confidence : float

        Returns
        -------
        Profile

        Raises
        ------
        InputError, UnknownNameError
        """
        return profile(
            self,
            factors=factors,
            at=at,
            objective=objective,
            at_most=at_most,
            at_least=at_least,
            points=points,
            confidence=confidence,
        )

    def sensitivity(
        self,
        *,
        today: Mapping[str, Any] | None = None,
        n: int = 1024,
        confidence: float = 0.95,
        seed: int = 1,
    ) -> Sensitivity:
        """What drives the outcome: a tornado over P10 to P90 of each factor, and Sobol shares of variance.

        Parameters
        ----------
        today : mapping, optional
            As for :meth:`what_if`: newer distributions of factors.
        n : int
            Sobol points, a power of 2 from 64 on.
        confidence : float
        seed : int

        Returns
        -------
        Sensitivity

        Raises
        ------
        InputError, UnknownNameError

        References
        ----------
        Saltelli, Annoni, Azzini, Campolongo, Ratto and Tarantola (2010), Computer Physics Communications
        181, 259-270.
        """
        return sensitivity(self, today=today, n=n, confidence=confidence, seed=seed)

    def optimize(
        self,
        goals: Sequence[Goal] | Goal | None = None,
        *,
        within: Mapping[str, Any] | None = None,
        today: Mapping[str, Any] | None = None,
        confidence: float = 0.95,
        rows: int = 200,
        seed: int = 1,
    ) -> Optimum:
        """The best setting of the controllable factors, and how sure it is.

        Parameters
        ----------
        goals : Goal or sequence of Goal, optional
            May be about several models (their controllable factors of the same name are one). Default: the
            probability of the objective of the model, without one its mean in the better direction.
        within : mapping of factor to (low, high), value or levels, optional
            Narrower than the feasible ranges of the factors.
        today : mapping, optional
            As for :meth:`what_if`.
        confidence : float
        rows, seed : int

        Returns
        -------
        Optimum

        Raises
        ------
        InputError, UnknownNameError
            Without a controllable factor or a direction.

        References
        ----------
        Derringer and Suich (1980), Journal of Quality Technology 12, 214-219.
        """
        if goals is None:
            single = self.objective is not None and self.objective.statistic == "item"
            goals = (Goal(self, of="probability" if single else "mean"),)
        chosen = (goals,) if isinstance(goals, Goal) else tuple(goals)
        return optimize(chosen, within=within, today=today, confidence=confidence, rows=rows, seed=seed)

    def review(
        self,
        *,
        stability: Sequence[Result] | Result = (),
        backtest: Result | None = None,
        calibration: Result | None = None,
        errors: Result | None = None,
        outcome: str | None = None,
    ) -> ModelReview:
        """Report card: is it a process performance model in CMMI's sense? Criterion by criterion.

        Parameters
        ----------
        stability : Baseline, ControlChart, or a sequence of them
            Of the outcome and the factors, over the period the model was made from.
        backtest : Backtest, optional
            Of :func:`perfanalytics.backtest`.
        calibration : Calibration, optional
            Of :func:`perfanalytics.calibrate`, to the work that uses the model.
        errors : PredictionErrors, optional
            Of :func:`perfanalytics.prediction_errors`.
        outcome : {"final", "interim"}, optional
            What is predicted.

        Returns
        -------
        ModelReview
            A row for each criterion: "yes", "no" or "unknown" (nobody gave the evidence), never guessed.

        Raises
        ------
        InputError
            For a result of another kind.

        References
        ----------
        CMMI Product Team (2010), CMMI for Services, Version 1.3, OPP SP 1.5 and glossary.
        """
        return review(
            self,
            stability=stability,
            backtest=backtest,
            calibration=calibration,
            errors=errors,
            outcome=outcome,
        )

    def _new(self, new: pd.DataFrame | Mapping[str, Any]) -> tuple[NewRows, Predictive]:
        rows = read_new(self, new)
        return rows, predictive_of(self, rows)
