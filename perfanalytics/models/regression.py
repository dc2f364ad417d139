"""Linear regression by formula, on the raw or the log scale of the response."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import bytes_of
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.models.diagnostics import check
from perfanalytics.models.formula import (
    Design,
    Levels,
    Parsed,
    check_columns,
    design,
    levels_of,
    parse,
    row_label,
)
from perfanalytics.models.least_squares import LeastSquares, joint_f, least_squares
from perfanalytics.models.result import Model

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a fit, whatever the family."""

    formula: str
    controllable: tuple[str, ...]
    measure: Measure
    objective: Objective | None
    time: str | None
    confidence: float
    folds: int
    seed: int


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """Cross-validated errors."""

    rmse: float
    r2: float
    relative: float
    folds: int


def fit_gaussian(frame: pd.DataFrame, asked: Asked) -> Model:
    """Least squares; the logarithm of the response where its measure is a duration or positive.

    Raises
    ------
    InputError, UnknownNameError
        See :func:`perfanalytics.fit`.
    """
    parsed = parse(asked.formula)
    time = () if asked.time is None else (asked.time,)
    check_columns(frame, (parsed.response, *parsed.columns, *time))
    logged = parsed.logged or asked.measure.scale in LOG_SCALES
    rows, caveats = _complete(frame, parsed, logged)
    levels = levels_of(rows, parsed)
    observed = rows[parsed.response].to_numpy(dtype=np.float64)
    y = np.log(observed) if logged else observed
    _refuse_constant(observed, parsed.response)
    made = design(rows, parsed, levels)
    n, p = made.matrix.shape
    if n <= p:
        raise InputError(
            f"{count(n, 'complete row')} cannot tell {count(p, 'coefficient')} apart: at least {p + 1} are "
            f"needed, {10 * p} are wanted"
        )
    solved = least_squares(made.matrix, y, list(made.names))
    df = float(n - p)
    sigma = math.sqrt(solved.rss / df)
    # R2 is measured from 0 without an intercept, as everywhere; what is said and cross-validated is measured
    # from the mean always, so that models with and without one can be compared.
    about_mean = float(np.sum((y - y.mean()) ** 2))
    total = about_mean if made.has_intercept else float(np.sum(y**2))
    r2 = 1 - solved.rss / total
    df_model = float(p - int(made.has_intercept))
    f = (total - solved.rss) / df_model / (solved.rss / df) if df_model and solved.rss > 0 else math.nan
    f_p = float(special.fdtrc(df_model, df, f)) if not math.isnan(f) else math.nan
    unseen = _cross_validate(solved, y, observed, about_mean, logged, asked)
    checked = check(
        made,
        solved,
        order=_order(rows, asked.time),
        rows=[str(label) for label in rows.index.tolist()],
        logged=logged,
        f_p_value=f_p,
        r2_cv=unseen.r2,
        spread=about_mean,
    )
    caveats += [*checked.caveats, *_role_doubts(parsed, asked), *_scale_doubts(asked.measure, logged)]
    smearing = float(np.mean(np.exp(solved.residuals))) if logged else 1.0
    ranges = {
        name: (float(rows[name].min()), float(rows[name].max()))
        for name in parsed.columns
        if name not in levels
    }
    return Model(
        verdict=_verdict(
            asked,
            parsed,
            made,
            solved,
            logged,
            n,
            sigma,
            df,
            1 - solved.rss / about_mean,
            unseen.r2,
            exact=checked.exact,
        ),
        caveats=tuple(caveats),
        method=_method(asked, parsed, logged, levels, made.has_intercept),
        provenance=_provenance(rows, parsed, asked.measure),
        family="gaussian",
        formula=asked.formula,
        response=parsed.response,
        logged=logged,
        measure=asked.measure,
        objective=asked.objective,
        controllable=asked.controllable,
        levels=levels,
        ranges=ranges,
        terms=read_only(np.array(made.names, dtype=object)),
        factors=read_only(np.array(made.factor_of, dtype=object)),
        coefficients=read_only(solved.coefficients),
        unscaled=read_only(solved.unscaled),
        steps=read_only(_steps(made.matrix)),
        sigma=sigma,
        df=df,
        smearing=smearing,
        n=n,
        n_dropped=len(frame) - n,
        r2=r2,
        r2_adjusted=1 - (1 - r2) * (n - int(made.has_intercept)) / df,
        r2_cv=unseen.r2,
        f_statistic=f,
        f_df=df_model,
        f_p_value=f_p,
        error_cv=unseen.rmse,
        relative_error_cv=unseen.relative,
        folds=unseen.folds,
        seed=asked.seed,
        largest_leverage=float(solved.leverage.max()),
        breusch_pagan_p=checked.breusch_pagan_p,
        residual_lag1=checked.lag1,
        largest_vif=checked.largest_vif,
        largest_cook=checked.largest_cook,
        condition=solved.condition,
        observed=read_only(observed),
        fitted=read_only(np.exp(y - solved.residuals) if logged else y - solved.residuals),
        leverage=read_only(solved.leverage),
        confidence=asked.confidence,
    )


def _refuse_constant(observed: Floats, response: str) -> None:
    """A response that is the same everywhere (but for rounding) has no variation to explain."""
    if len(observed) and np.ptp(observed) <= 1e-15 * np.abs(observed).max():
        raise InputError(
            f"the response {response!r} is {observed[0]:g} in all {count(len(observed), 'row')}: there is no "
            "variation to explain"
        )


def _complete(frame: pd.DataFrame, parsed: Parsed, logged: bool) -> tuple[pd.DataFrame, list[Caveat]]:
    """The rows that can be used; those that cannot are counted in caveats."""
    import pandas as pd

    names = [parsed.response, *parsed.columns]
    if not pd.api.types.is_numeric_dtype(frame[parsed.response].dtype):
        raise InputError(f"the response {parsed.response!r} must hold numbers")
    rows = frame[frame[names].notna().all(axis=1)]
    caveats = []
    missing = len(frame) - len(rows)
    if missing:
        share = percent(missing / len(frame))
        text = f"{count(missing, 'row')} ({share}) left out because a value was missing."
        caveats.append(Caveat("rows-with-missing-values", text, {"rows": missing, "of": len(frame)}))
    values = rows[parsed.response]
    for name in names:
        if not pd.api.types.is_numeric_dtype(rows[name].dtype):
            continue
        infinite = np.isinf(rows[name].to_numpy(dtype=np.float64))
        if infinite.any():
            raise InputError(
                f"infinite input: column {name!r} is infinite in {count(int(infinite.sum()), 'row')}, the "
                f"first is {row_label(rows.index[infinite][0])}; leave the value empty where it is not known"
            )
    if logged:
        negative = values < 0
        if negative.any():
            raise InputError(
                f"{parsed.response} is negative in {count(int(negative.sum()), 'row')}, the first is "
                f"{row_label(values[negative].index[0])}: it has no logarithm"
            )
        zero = values == 0
        if zero.any():
            rows = rows[~zero]
            text = (
                f"{count(int(zero.sum()), 'row')} left out because {parsed.response} is 0, which has no "
                "logarithm: the model speaks of the other items."
            )
            caveats.append(Caveat("rows-with-zero-response", text, {"rows": int(zero.sum())}))
    return rows, caveats


def _cross_validate(
    solved: LeastSquares, y: Floats, observed: Floats, about_mean: float, logged: bool, asked: Asked
) -> OutOfSample:
    """k-fold errors; the folds are drawn with the stated seed; R2 is measured from the mean.

    In the orthonormal basis Q the rows of a fold are taken out by ``Q'Q = I - Qk'Qk``: each fold is an
    exact refit at the price of a small system. A level that occurs in one fold only gets no effect there.
    """
    n = len(y)
    folds = min(asked.folds, n)
    fold = np.random.default_rng(asked.seed).permutation(n) % folds
    q, whole = solved.q, solved.q.T @ y
    predicted = np.empty(n)
    for k in range(folds):
        out = fold == k
        gram = np.eye(q.shape[1]) - q[out].T @ q[out]
        b = np.linalg.lstsq(gram, whole - q[out].T @ y[out], rcond=1e-10)[0]
        predicted[out] = q[out] @ b
    squares = float(np.mean((y - predicted) ** 2))
    back = np.exp(np.minimum(predicted, 700.0)) if logged else predicted
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(back - observed) / np.abs(observed)
    relative = relative[np.isfinite(relative)]
    return OutOfSample(
        rmse=math.sqrt(squares),
        r2=1 - squares * n / about_mean,
        relative=float(np.median(relative)) if len(relative) else math.nan,
        folds=folds,
    )


def _steps(x: Floats) -> Floats:
    """1 for columns of zeros and ones, the standard deviation for others."""
    coded = ((x == 0) | (x == 1)).all(axis=0)
    return np.where(coded, 1.0, x.std(axis=0, ddof=1))


def _order(rows: pd.DataFrame, time: str | None) -> NDArray[np.int64] | None:
    if time is None:
        return None
    column = rows[time]
    if column.isna().any():
        raise InputError(f"column {time!r} (time=) has missing values in rows that are used")
    return np.asarray(np.argsort(column.to_numpy(), kind="stable"))


def _role_doubts(parsed: Parsed, asked: Asked) -> list[Caveat]:
    if asked.controllable:
        return []
    text = (
        "No factor is named as controllable: the model predicts, but without something to control it is "
        "not a process performance model."
    )
    return [Caveat("no-controllable-factor", text, {"factors": ", ".join(parsed.columns)})]


def _scale_doubts(measure: Measure, logged: bool) -> list[Caveat]:
    if logged or measure.scale not in ("count", "proportion", "ordinal"):
        return []
    text = (
        f"{measure.name} is a {measure.scale}, fitted here as if it were normal: predictions may leave its "
        "range, and its variance changes with its level."
    )
    return [Caveat("scale-not-modelled", text, {"scale": str(measure.scale)})]


def _method(asked: Asked, parsed: Parsed, logged: bool, levels: Levels, intercept: bool) -> Method:
    because = "raw"
    if logged:
        because = "log in the formula" if parsed.logged else f"declared {asked.measure.scale}"
    return Method(
        "fit",
        {
            "formula": asked.formula,
            "family": "gaussian",
            "scale": "log" if logged else "raw",
            "scale_because": because,
            "back_transform": "median exp(x b); mean by smearing (Duan 1983)" if logged else "none",
            "r2_measured_from": "mean" if intercept else "0 (no intercept); verdict and r2_cv from the mean",
            "computation": "QR on scaled columns with iterative refinement",
            "factors": {name: f"reference {values[0]}" for name, values in levels.items()},
            "controllable": list(asked.controllable),
            "confidence": asked.confidence,
            "cross_validation": f"{asked.folds} folds, seed {asked.seed}",
            "time": asked.time,
            "objective": None if asked.objective is None else asked.objective.name,
        },
        (
            "Bjorck (1967), BIT 7, 257-278",
            "Duan (1983), JASA 78, 605-610",
            "Koenker (1981), Journal of Econometrics 17",
            "Fox and Monette (1992), JASA 87",
        ),
    )


def _provenance(rows: pd.DataFrame, parsed: Parsed, measure: Measure) -> Provenance:
    digest = hashlib.blake2b(digest_size=16)
    for name in (parsed.response, *parsed.columns):
        column = rows[name].to_numpy()
        digest.update(name.encode())
        if column.dtype.kind in "fiub":
            digest.update(np.ascontiguousarray(column, dtype=np.float64).tobytes())
        else:
            digest.update(bytes(bytes_of(column.astype(object))[:]))
    return Provenance(measure.name, data_hash=digest.hexdigest(), n=len(rows))


def _verdict(
    asked: Asked,
    parsed: Parsed,
    made: Design,
    solved: LeastSquares,
    logged: bool,
    n: int,
    sigma: float,
    df: float,
    r2: float,
    r2_cv: float,
    *,
    exact: bool,
) -> str:
    """What drives the response, how well a new item is predicted, whether it may be called a model."""
    explained = "" if math.isnan(r2_cv) else f" ({percent(max(r2_cv, 0.0))} out of sample)"
    text = f"{parsed.response}, {count(n, 'item')}: "
    drivers = _drivers(made, solved, sigma, df)
    if len(made.names) == int(made.has_intercept):
        text += "no factor in the model."
    elif exact:
        text += (
            "the terms reproduce every value without error: a formula, not a relation measured with error."
        )
    elif r2 < 0:
        text += "without an intercept the factors describe it worse than its plain mean does."
    else:
        text += f"the factors explain {percent(r2)} of its variation{' on the log scale' if logged else ''}"
        text += f"{explained}; "
        text += f"it depends on {_listed(drivers)}." if drivers else "none of them shows an effect."
    half = float(special.stdtrit(df, (1 + asked.confidence) / 2)) * sigma
    level = percent(asked.confidence)
    if exact:
        pass
    elif logged:
        factor = number(math.exp(min(half, 700.0)))
        text += f" A new item is predicted within a factor of {factor} either way ({level})."
    else:
        text += f" A new item is predicted within {number(half, asked.measure.unit)} either way ({level})."
    if not asked.controllable:
        text += " None of its factors is controllable, so it is no process performance model."
    return text


def _drivers(made: Design, solved: LeastSquares, sigma: float, df: float) -> list[str]:
    """Factors whose joint test is significant at 5%, the strongest first."""
    found = []
    for factor in dict.fromkeys(made.factor_of):
        own = np.flatnonzero([f == factor for f in made.factor_of])
        f, p = joint_f(solved.coefficients, solved.unscaled, own, sigma, df)
        if factor != "Intercept" and p < 0.05:
            found.append((p, -f, factor))
    return [factor for _, _, factor in sorted(found)]


def _listed(names: Sequence[str]) -> str:
    names = [re.sub(r"C\((\w+).*?\)", r"\1", name) for name in names]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
