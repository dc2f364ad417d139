"""fit(formula, frame) -> Model, and what a model family must supply.

A family is a function ``(frame, Asked) -> Model`` and its line in :data:`FAMILIES`. What it gives must have
coefficients with their covariance, predictions with intervals for a mean and for a new item, and the
probability that a new item meets an objective; see :class:`perfanalytics.models.result.Model`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.models.formula import parse
from perfanalytics.models.regression import Asked, fit_gaussian
from perfanalytics.models.result import Model

if TYPE_CHECKING:
    import pandas as pd

#: Name of a family -> the function that fits it.
FAMILIES: dict[str, Callable[[pd.DataFrame, Asked], Model]] = {"gaussian": fit_gaussian}


def fit(
    formula: str,
    frame: pd.DataFrame,
    *,
    family: str = "gaussian",
    controllable: Sequence[str] = (),
    measure: Measure | None = None,
    objective: Objective | None = None,
    time: str | None = None,
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
    family : {"gaussian"}
    controllable : sequence of str
        Columns of the formula that somebody can set. Without one the result is not called a process
        performance model.
    measure : Measure, optional
        Of the response, with its name. Where its scale is "duration" or "positive", the logarithm is
        modelled.
    objective : Objective, optional
        Used by :meth:`Model.probability` where no other is given.
    time : str, optional
        Column with the time of the rows: residuals are then checked for dependence in time.
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
        other, too few rows, a negative duration, infinite values, a response without variation, a measure
        that is not the response.
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
    if not 0 < confidence < 1:
        raise InputError(f"confidence lies between 0 and 1 (0.95 for 95%), got {confidence}")
    if folds < 2:
        raise InputError(f"cross-validation needs at least 2 folds, got {folds}")
    parsed = parse(formula)
    if isinstance(controllable, str):
        controllable = (controllable,)
    for name in controllable:
        if name not in parsed.columns:
            raise UnknownNameError("controllable factor (columns of the formula):", name, parsed.columns)
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
    asked = Asked(formula, tuple(controllable), measure, objective, time, confidence, folds, seed)
    return FAMILIES[family](frame, asked)
