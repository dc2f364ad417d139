"""fit(formula, frame) -> Model, and what a model family must supply.

A family is a function ``(frame, Asked) -> Model`` and its line in :data:`FAMILIES`. What it gives must have
coefficients with their covariance, predictions with intervals for a mean and for a new item, and the
probability that a new item meets an objective; see :class:`perfanalytics.models.result.Model`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.models.factors import Factor
from perfanalytics.models.formula import parse
from perfanalytics.models.glm import fit_law
from perfanalytics.models.mixed import fit_mixed
from perfanalytics.models.preparing import Asked
from perfanalytics.models.quantile import fit_quantiles
from perfanalytics.models.regression import fit_gaussian
from perfanalytics.models.result import Model
from perfanalytics.models.tabulating import role_list

if TYPE_CHECKING:
    import pandas as pd

#: How standard errors are made.
ERRORS = ("classical", "robust", "hac")
#: Columns with a part of their own -> the families that know them.
ROLES = {
    "exposure": ("poisson", "negative_binomial"),
    "sizes": ("binomial",),
    "groups": ("mixed",),
    "weights": ("gaussian", "gamma", "binomial", "poisson", "negative_binomial", "quantile"),
    "offset": ("gaussian", "gamma", "binomial", "poisson", "negative_binomial"),
}
#: Name of a family -> the function that fits it.
FAMILIES: dict[str, Callable[[pd.DataFrame, Asked], Model]] = {
    "gaussian": fit_gaussian,
    "gamma": fit_law,
    "binomial": fit_law,
    "poisson": fit_law,
    "negative_binomial": fit_law,
    "mixed": fit_mixed,
    "quantile": fit_quantiles,
}


def fit(
    formula: str,
    frame: pd.DataFrame,
    *,
    family: str = "gaussian",
    controllable: Sequence[str | Factor] | str = (),
    measure: Measure | None = None,
    objective: Objective | None = None,
    time: str | None = None,
    weights: str | None = None,
    offset: str | None = None,
    exposure: str | None = None,
    sizes: str | None = None,
    groups: str | None = None,
    quantile: float | Sequence[float] = 0.5,
    errors: str = "classical",
    confidence: float = 0.95,
    folds: int = 10,
    seed: int = 1,
) -> Model:
    """Fit a process performance model by formula.

    Parameters
    ----------
    formula : str
        ``"hours ~ log(size) + team"``. The left side is a column or ``log(column)``. The right side knows
        ``+ - : * **``, ``C(column)`` for factors written as numbers, ``Q("odd name")``, ``I(x**2)``, and the
        functions log, log2, log10, log1p, exp, sqrt, abs. Texts, categories and true/false are factors,
        whole: their first level is the reference.
    frame : DataFrame
        One row per item.
    family : {"gaussian", "gamma", "binomial", "poisson", "negative_binomial", "mixed", "quantile"}
        The law of an item around what the factors say: normal (lognormal where the measure is a duration or
        positive); gamma, for durations whose mean is wanted (log link); outcomes 0/1 or counts out of
        ``sizes`` (logit link); counts (log link), negative binomial where they vary more than Poisson's
        law lets them; normal with a random intercept for each of ``groups``; none at all, quantiles only.
    controllable : sequence of str or Factor
        Columns of the formula that somebody can set; a :class:`Factor` names its subprocess and feasible
        range too. Without one the result is not called a process performance model.
    measure : Measure, optional
        Of the response, with its name. Where its scale is "duration" or "positive", the logarithm is
        modelled (gaussian, mixed, quantile). Where it is "proportion", the response of a binomial model with
        ``sizes`` is a share, otherwise a count.
    objective : Objective, optional
        Used by :meth:`Model.probability` where no other is given.
    time : str, optional
        Column with the time of the rows: residuals are then checked for dependence in time.
    weights : str, optional
        Column of weights: an item of weight w has the variance of one of weight 1 over w (gaussian, gamma);
        counts as w items (the others). New rows without the column have weight 1.
    offset : str, optional
        Column added to the linear predictor with coefficient 1, on the scale of the fit.
    exposure : str, optional
        Column the mean of a count is proportional to (hours, items at risk): its logarithm is an offset.
    sizes : str, optional
        Column with the number of trials of a binomial response. New rows without it are single items.
    groups : str, optional
        Column of a mixed model: the teams, services or sites. A new row of a known group is predicted with
        its own level, shrunken towards the others; of another group with the spread of groups.
    quantile : float or sequence of float
        Shares of a quantile model, 0.9 for P90; the first one is what the model is judged by.
    errors : {"classical", "robust", "hac"}
        Standard errors: of the family; HC3, where the variance is another; Newey-West, where rows depend in
        time (needs ``time``). They change tests and intervals of the mean, not the spread of an item.
    confidence : float
        Of the intervals of the coefficients, in (0, 1).
    folds, seed : int
        Of the cross-validation.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        For a formula that cannot be read or uses something that is not allowed, terms that depend on each
        other, too few rows, a negative duration, a count that is none, infinite values, a response without
        variation, a measure that is not the response, an option the family does not know.
    UnknownNameError
        For a column or family that does not exist.

    Notes
    -----
    Rows with a missing value are left out and counted in a caveat. Without an intercept ``r2`` is measured
    from 0 (as by R's ``lm``); the verdict and ``r2_cv`` are measured from the mean always. The
    computation (QR on scaled columns, refined) keeps 7 to 14 digits on the reference sets of NIST.

    References
    ----------
    Montgomery, Peck and Vining (2012), Introduction to Linear Regression Analysis. CMMI-SVC V1.3 (2010),
    OPP SP 1.5.

    Examples
    --------
    >>> import pandas as pd
    >>> data = pd.DataFrame({"hours": [2.1, 3.9, 6.2, 7.8, 10.1, 12.2], "size": [1, 2, 3, 4, 5, 6]})
    >>> model = fit("hours ~ size", data, controllable=["size"])
    >>> round(float(model.coefficients[1]), 2)
    2.02
    >>> model.predict({"size": [4, 60]})["extrapolates"].tolist()
    [False, True]
    """
    import pandas as pd

    if family not in FAMILIES:
        raise UnknownNameError("family", str(family), FAMILIES)
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"frame is a pandas DataFrame with one row per item, got {type(frame).__name__}")
    twice = sorted({str(c) for c in frame.columns[frame.columns.duplicated()]})
    if twice:
        raise InputError(f"the frame has two columns of the name {twice[0]!r}: which one is meant?")
    if not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence!r}")
    for name, value, least in (("folds", folds, 2), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name}= is a whole number from {least} on, got {value!r}")
    parsed = parse(formula)
    if measure is not None and measure.is_named and measure.name != parsed.response:
        raise InputError(
            f"the measure {measure.name!r} is not the response {parsed.response!r} of the formula: give the "
            "measure of the response, or rename the column"
        )
    if measure is None:
        measure = Measure(parsed.response, definition="", unit="", better="unknown", scale=None)
    if objective is not None and objective.measure not in (measure.name, parsed.response):
        raise InputError(
            f"objective {objective.name!r} is about {objective.measure!r}, the response is "
            f"{parsed.response!r}"
        )
    asked = Asked(
        formula=formula,
        family=family,
        roles=_roles(parsed.columns, controllable),
        measure=measure,
        objective=objective,
        columns=own_columns(
            family,
            errors,
            weights=weights,
            offset=offset,
            exposure=exposure,
            sizes=sizes,
            groups=groups,
            time=time,
        ),
        quantiles=own_quantiles(family, quantile),
        errors=errors,
        confidence=confidence,
        folds=folds,
        seed=seed,
    )
    return FAMILIES[family](frame, asked)


def _roles(used: tuple[str, ...], controllable: Sequence[str | Factor] | str | Factor) -> tuple[Factor, ...]:
    """The role of each column of the formula."""
    if isinstance(controllable, str | Factor):
        controllable = (controllable,)
    declared = {}
    for given in controllable:
        factor = given if isinstance(given, Factor) else Factor(given)
        if factor.name not in used:
            raise UnknownNameError("controllable factor (columns of the formula):", factor.name, used)
        declared[factor.name] = factor
    return role_list(used, declared)


def own_columns(
    family: str,
    errors: str,
    *,
    weights: str | None,
    offset: str | None,
    exposure: str | None,
    sizes: str | None,
    groups: str | None,
    time: str | None,
) -> dict[str, str]:
    """The columns with a part of their own, each where its family knows it.

    Raises
    ------
    InputError, UnknownNameError
        For a column or errors that the family does not take, or lacks.
    """
    given = {
        "weights": weights,
        "offset": offset,
        "exposure": exposure,
        "sizes": sizes,
        "groups": groups,
        "time": time,
    }
    if errors not in ERRORS:
        raise UnknownNameError("standard errors (errors=)", str(errors), ERRORS)
    columns = {role: name for role, name in given.items() if name is not None}
    for role, families in ROLES.items():
        if role in columns and family not in families:
            raise InputError(f"{role}= is for {' and '.join(families)}, not for family {family!r}")
    if family == "mixed" and "groups" not in columns:
        raise InputError("family 'mixed' needs groups=: the column of the teams, services ...")
    if errors == "hac" and "time" not in columns:
        raise InputError("errors='hac' needs time=: the column that puts the rows in order")
    if errors != "classical" and family in ("mixed", "quantile"):
        raise InputError(f"errors={errors!r} is not for family {family!r}: it has errors of its own")
    return columns


def own_quantiles(family: str, quantile: float | Sequence[float]) -> tuple[float, ...]:
    """The shares of a quantile model, in order; none of the others.

    Raises
    ------
    InputError
        For shares of another family, and shares that are none.
    """
    asked = tuple(float(q) for q in ((quantile,) if isinstance(quantile, int | float) else tuple(quantile)))
    if family != "quantile":
        if asked != (0.5,):
            raise InputError(f"quantile= is for family 'quantile', not for {family!r}")
        return ()
    if not asked or any(not 0 < q < 1 for q in asked) or len(set(asked)) < len(asked):
        raise InputError(f"quantile= holds different shares between 0 and 1 (0.9 for P90), got {quantile}")
    return asked
