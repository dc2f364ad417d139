"""From the numbers of a fit to a Model: what is alike in every family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.result import Caveat, Method
from perfanalytics.models.preparing import Asked, Prepared, kept_rows, provenance_of, steps_of
from perfanalytics.models.result import Model
from perfanalytics.models.tabulating import Check, joint_test
from perfanalytics.models.wording import listed

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """Cross-validated errors."""

    rmse: float
    r2: float
    relative: float
    folds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a family found: the fields of :class:`Model` that differ between families.

    ``reach`` is the largest ``x (X'X)^-1 x`` of the rows: beyond it a new row is an unusual combination.
    """

    link: str
    coefficients: Floats
    unscaled: Floats
    covariance: Floats
    sigma: float
    df: float
    df_test: float
    smearing: float = 1.0
    parameters: Mapping[str, float] = field(default_factory=dict)
    arrays: Mapping[str, Floats] = field(default_factory=dict)
    r2: float
    r2_adjusted: float
    f_statistic: float
    f_df: float
    f_p_value: float
    fitted: Floats
    leverage: Floats
    residuals: Floats
    condition: float
    reach: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the checks found."""

    checks: tuple[Check, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    breusch_pagan_p: float = math.nan
    lag1: float = math.nan
    largest_vif: float = math.nan
    largest_cook: float = math.nan
    exact: bool = False
    influence: Floats = field(default_factory=lambda: np.zeros((0, 4)))


def build(
    asked: Asked,
    ready: Prepared,
    fit: Fitted,
    unseen: OutOfSample,
    found: Found,
    *,
    verdict: str,
    method: Mapping[str, Any],
    references: tuple[str, ...],
) -> Model:
    """The model."""
    return Model(
        verdict=verdict,
        caveats=(*ready.caveats, *found.caveats),
        method=Method("fit", {**_choices(asked, ready), **method}, references),
        provenance=provenance_of(ready, asked),
        family=asked.family,
        link=fit.link,
        formula=asked.formula,
        response=ready.parsed.response,
        logged=ready.logged,
        measure=asked.measure,
        objective=asked.objective,
        controllable=asked.controllable,
        roles=asked.roles,
        columns=dict(asked.columns),
        levels=ready.levels,
        ranges=ready.ranges,
        kept=kept_rows(ready, asked.seed),
        terms=read_only(np.array(ready.made.names, dtype=object)),
        factors=read_only(np.array(ready.made.factor_of, dtype=object)),
        coefficients=read_only(fit.coefficients),
        unscaled=read_only(fit.unscaled),
        covariance=read_only(fit.covariance),
        errors=asked.errors,
        steps=read_only(steps_of(ready.made.matrix)),
        sigma=fit.sigma,
        df=fit.df,
        df_test=fit.df_test,
        smearing=fit.smearing,
        parameters=dict(fit.parameters),
        group_levels=ready.group_levels,
        arrays=_arrays(ready, fit, found),
        n=len(ready.y),
        n_dropped=ready.dropped,
        r2=fit.r2,
        r2_adjusted=fit.r2_adjusted,
        r2_cv=unseen.r2,
        f_statistic=fit.f_statistic,
        f_df=fit.f_df,
        f_p_value=fit.f_p_value,
        error_cv=unseen.rmse,
        relative_error_cv=unseen.relative,
        folds=unseen.folds,
        seed=asked.seed,
        largest_leverage=fit.reach,
        breusch_pagan_p=found.breusch_pagan_p,
        residual_lag1=found.lag1,
        largest_vif=found.largest_vif,
        largest_cook=found.largest_cook,
        condition=fit.condition,
        checked=found.checks,
        observed=read_only(ready.observed),
        fitted=read_only(fit.fitted),
        leverage=read_only(fit.leverage),
        residuals=read_only(fit.residuals),
        confidence=asked.confidence,
    )


def _arrays(ready: Prepared, fit: Fitted, found: Found) -> dict[str, NDArray[Any]]:
    """Arrays of the family, and the rows that move the model most, with their labels."""
    labels = ready.labels
    out: dict[str, NDArray[Any]] = {
        name: read_only(np.asarray(a, dtype=np.float64)) for name, a in fit.arrays.items()
    }
    if len(found.influence):
        names = np.array([labels[int(k)] for k in found.influence[:, 0]], dtype=object)
        out |= {"influence": read_only(found.influence), "influence_labels": read_only(names)}
    return out


def _choices(asked: Asked, ready: Prepared) -> dict[str, Any]:
    because = "raw"
    if ready.logged:
        because = "log in the formula" if ready.parsed.logged else f"declared {asked.measure.scale}"
    return {
        "formula": asked.formula,
        "family": asked.family,
        "scale": "log" if ready.logged else "raw",
        "scale_because": because,
        "errors": asked.errors,
        "columns": dict(asked.columns),
        "factors": {name: f"reference {values[0]}" for name, values in ready.levels.items()},
        "controllable": list(asked.controllable),
        "confidence": asked.confidence,
        "cross_validation": f"{asked.folds} folds, seed {asked.seed}",
        "time": asked.columns.get("time"),
        "objective": None if asked.objective is None else asked.objective.name,
        "rows_kept": f"at most 5,000, drawn with seed {asked.seed}",
    }


def folds_of(n: int, asked: Asked) -> tuple[int, NDArray[np.int64]]:
    """How many folds, and the fold of each row, drawn with the stated seed."""
    folds = min(asked.folds, n)
    return folds, np.random.default_rng(asked.seed).permutation(n) % folds


def relative_error(predicted: Floats, observed: Floats) -> float:
    """Median of |predicted - observed| / |observed|, where that exists."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(predicted - observed) / np.abs(observed)
    relative = relative[np.isfinite(relative)]
    return float(np.median(relative)) if len(relative) else math.nan


def opening(
    asked: Asked, ready: Prepared, fit: Fitted, r2: float, r2_cv: float, *, exact: bool, what: str
) -> str:
    """The first sentence of a verdict: how much the factors explain, and which of them do."""
    made = ready.made
    explained = "" if math.isnan(r2_cv) else f" ({percent(max(r2_cv, 0.0))} out of sample)"
    text = f"{ready.parsed.response}, {count(len(ready.y), 'item')}: "
    if len(made.names) == int(made.has_intercept):
        return f"{text}no factor in the model."
    if exact:
        return (
            f"{text}the terms reproduce every value without error: a formula, not a relation measured with "
            "error."
        )
    if r2 < 0:
        return f"{text}without an intercept the factors describe it worse than its plain mean does."
    found = drivers(ready, fit)
    text += f"the factors explain {percent(r2)} of its {what}{explained}; "
    return text + (f"it depends on {listed(found)}." if found else "none of them shows an effect.")


def closing(asked: Asked) -> str:
    """The last sentence: what is missing for a process performance model."""
    if asked.controllable:
        return ""
    return " None of its factors is controllable, so it is no process performance model."


def drivers(ready: Prepared, fit: Fitted) -> list[str]:
    """Factors whose joint test is significant at 5%, the strongest first."""
    found = []
    names = np.array(ready.made.factor_of, dtype=object)
    for factor in dict.fromkeys(ready.made.factor_of):
        f, _, p = joint_test(fit.coefficients, fit.covariance, names == factor, fit.df_test)
        if factor != "Intercept" and p < 0.05:
            found.append((p, -f, factor))
    return [factor for _, _, factor in sorted(found)]
