"""The tables of a model, and its record of the first schema version brought up to date."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.factors import Factor
from perfanalytics.models.formula import columns_of, parse
from perfanalytics.models.least_squares import wald
from perfanalytics.models.predictive import t_cdf, t_quantile

if TYPE_CHECKING:
    import pandas as pd

    from perfanalytics.core.measure import Measure
    from perfanalytics.core.records import Objective

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a model.

    Parameters
    ----------
    name : str
        What was looked at ("linearity", "variance", "influence" ...).
    statistic, p_value : float
        NaN where there is none.
    verdict : {"fine", "look", "serious"}
    meaning : str
        One or two sentences: what was found and what follows.
    """

    kind: ClassVar[str] = "model_check"

    name: str
    statistic: float
    p_value: float
    verdict: str
    meaning: str


def terms_table(model: Any) -> pd.DataFrame:
    """See :meth:`perfanalytics.models.result.Model.to_frame`."""
    import pandas as pd

    if model.family == "quantile":
        shares, p = model.arrays["quantiles"], len(model.terms)
        whole = model.arrays["quantile_covariance"]
        parts = [
            _terms(model, b, whole[k * p : (k + 1) * p, k * p : (k + 1) * p], float(shares[k]))
            for k, b in enumerate(model.arrays["quantile_asked"])
        ]
        return pd.concat(parts, ignore_index=True)
    return _terms(model, model.coefficients, model.covariance, math.nan)


def _terms(model: Any, b: Floats, covariance: Floats, share: float) -> pd.DataFrame:
    import pandas as pd

    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = b / se
    half = t_quantile(model.df_test, (1 + model.confidence) / 2) * se
    low, high = b - half, b + half
    ratio = model.logged or model.link != "identity"
    with np.errstate(over="ignore"):
        ratios = [np.exp(x) if ratio else np.full(len(x), np.nan) for x in (b, low, high)]
    names = model.factors.tolist()
    joint = {f: joint_test(b, covariance, model.factors == f, model.df_test) for f in dict.fromkeys(names)}
    scale = {"log": "log ", "logit": "log odds of "}.get("log" if model.logged else model.link, "")
    return pd.DataFrame(
        {
            "term": model.terms,
            "factor": model.factors,
            "controllable": [_is_controllable(model, f) for f in names],
            "estimate": b,
            "std_error": se,
            "statistic": t,
            "df": model.df_test,
            "p_value": 2 * t_cdf(model.df_test, -np.abs(t)),
            "low": low,
            "high": high,
            "ratio": ratios[0],
            "ratio_low": ratios[1],
            "ratio_high": ratios[2],
            "factor_statistic": [joint[f][0] for f in names],
            "factor_df": [joint[f][1] for f in names],
            "factor_p_value": [joint[f][2] for f in names],
            "quantile": share,
            "unit": f"{scale}{model.measure.unit}".strip(),
        }
    )


def joint_test(
    b: Floats, covariance: Floats, own: NDArray[np.bool_], df: float
) -> tuple[float, float, float]:
    """F (or chi-squared over its df), df and p-value of some coefficients at once.

    Examples
    --------
    >>> joint_test(np.array([2.0]), np.array([[0.25]]), np.array([True]), 10.0)[:2]
    (16.0, 1.0)
    """
    place = np.flatnonzero(own)
    f, p = wald(b[place], covariance[np.ix_(place, place)], df)
    return f, float(len(place)), p


def _is_controllable(model: Any, factor: str) -> bool:
    return factor != "Intercept" and any(c in model.controllable for c in columns_of(factor))


def summary_table(model: Any) -> pd.DataFrame:
    """See :meth:`perfanalytics.models.result.Model.summary`."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "response": model.response,
                "unit": model.measure.unit,
                "formula": model.formula,
                "family": model.family,
                "scale": "log" if model.logged else "raw",
                "link": model.link,
                "errors": model.errors,
                "n": model.n,
                "n_dropped": model.n_dropped,
                "coefficients": len(model.terms),
                "df": model.df,
                "r2": model.r2,
                "r2_adjusted": model.r2_adjusted,
                "r2_cv": model.r2_cv,
                "sigma": model.sigma,
                "error_cv": model.error_cv,
                "relative_error_cv": model.relative_error_cv,
                "f_statistic": model.f_statistic,
                "f_p_value": model.f_p_value,
                "breusch_pagan_p": model.breusch_pagan_p,
                "residual_lag1": model.residual_lag1,
                "largest_vif": model.largest_vif,
                "largest_cook": model.largest_cook,
                "condition": model.condition,
                "controllable": ", ".join(model.controllable),
                "objective": model.objective.name if model.objective else None,
                "caveats": ", ".join(model.caveat_codes),
                "verdict": model.verdict,
            }
        ]
    )


def checks_table(checks: tuple[Check, ...]) -> pd.DataFrame:
    """See :meth:`perfanalytics.models.result.Model.checks`."""
    import pandas as pd

    return pd.DataFrame(
        {
            "check": [c.name for c in checks],
            "statistic": [c.statistic for c in checks],
            "p_value": [c.p_value for c in checks],
            "verdict": [c.verdict for c in checks],
            "meaning": [c.meaning for c in checks],
        }
    )


def groups_table(model: Any) -> pd.DataFrame:
    """See :meth:`perfanalytics.models.result.Model.groups`."""
    import pandas as pd

    if model.family != "mixed":
        names = ("group", "n", "effect", "low", "high")
        return pd.DataFrame({name: np.zeros(0) for name in names})
    n, sigma2, tau2 = model.arrays["group_sizes"], model.sigma**2, model.parameters["group_sd"] ** 2
    shrink = n * tau2 / (sigma2 + n * tau2) if tau2 > 0 else np.zeros(len(n))
    rows = model.arrays["group_rows"]
    effect = shrink * (model.arrays["group_response"] - rows @ model.coefficients)
    spread = np.sum((rows @ model.covariance) * rows, axis=1) * shrink**2 + tau2 * (1 - shrink)
    half = float(special.ndtri(0.975)) * np.sqrt(spread)
    return pd.DataFrame(
        {
            "group": list(model.group_levels),
            "n": n.astype(int),
            "effect": effect,
            "low": effect - half,
            "high": effect + half,
        }
    )


def factor_table(model: Any) -> pd.DataFrame:
    """See :meth:`perfanalytics.models.result.Model.factor_frame`."""
    import pandas as pd

    out = {}
    for name, values in model.kept.items():
        if name in model.levels:
            out[name] = [model.levels[name][k] for k in values.tolist()]
        else:
            out[name] = values
    return pd.DataFrame(out)


def role_of(roles: tuple[Factor, ...], name: str) -> Factor:
    """The role of a column."""
    for role in roles:
        if role.name == name:
            return role
    raise UnknownNameError("factor (columns of the formula):", name, [r.name for r in roles])


def feasible_of(model: Any, name: str) -> tuple[Any, ...]:
    """See :meth:`perfanalytics.models.result.Model.feasible`."""
    role = role_of(model.roles, name)
    if name in model.levels:
        return tuple(model.levels[name]) if role.choices is None else role.choices
    low, high = model.ranges[name]
    return (low if role.low is None else role.low, high if role.high is None else role.high)


def from_first_version(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had gaussian models only, with the covariance as ``sigma**2 * unscaled``."""
    from perfanalytics.core.codec import read_only

    used = parse(fields["formula"]).columns
    empty = read_only(np.zeros(0))
    return fields | {
        "link": "identity",
        "roles": tuple(Factor(name, controllable=name in fields["controllable"]) for name in used),
        "columns": {},
        "kept": {},
        "covariance": read_only(fields["sigma"] ** 2 * fields["unscaled"]),
        "errors": "classical",
        "df_test": fields["df"],
        "parameters": {},
        "group_levels": (),
        "arrays": {},
        "checked": (),
        "residuals": empty,
    }


def bounds_of(
    model: Any, objective: Objective | None, at_most: float | None, at_least: float | None
) -> tuple[float, float]:
    """The range of values that meets what was asked."""
    if objective is not None and (at_most is not None or at_least is not None):
        raise InputError("give an objective, or at_most= and at_least=, not both")
    if objective is None and at_most is None and at_least is None:
        objective = model.objective
        if objective is None:
            raise InputError("probability of what? Give objective=, at_most= or at_least=")
    if objective is not None:
        measure: Measure = model.measure
        if objective.measure not in (measure.name, model.response):
            raise InputError(
                f"objective {objective.name!r} is about {objective.measure!r}, the model predicts "
                f"{model.response!r}"
            )
        if objective.statistic != "item":
            raise InputError(
                f"objective {objective.name!r} speaks of the {objective.statistic}, not of single items: "
                "give at_most= or at_least="
            )
        if objective.direction == "at_most":
            return -math.inf, float(objective.target)
        return float(objective.target), math.inf
    low = -math.inf if at_least is None else _bound("at_least", at_least)
    high = math.inf if at_most is None else _bound("at_most", at_most)
    if low > high:
        raise InputError(f"at_least={low:g} lies above at_most={high:g}: no value meets both")
    return low, high


def _bound(name: str, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, numbers.Real) or math.isnan(given):
        raise InputError(f"{name}= is a number in the unit of the measure, got {given!r}")
    return float(given)


def role_list(used: tuple[str, ...], declared: Mapping[str, Factor]) -> tuple[Factor, ...]:
    """The roles of all columns: declared ones, and what is only observed."""
    return tuple(declared.get(name, Factor(name, controllable=False)) for name in used)
