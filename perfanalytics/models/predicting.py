"""From the numbers of a model to the predictive law of new rows, family by family."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from perfanalytics.models.laws import LAWS
from perfanalytics.models.prediction import NewRows, Readable
from perfanalytics.models.predictive import (
    LawPredictive,
    NormalPredictive,
    Predictive,
    Spread,
)
from perfanalytics.models.quantile_predictive import QuantilePredictive

Floats = NDArray[np.float64]


class Predictable(Readable, Protocol):
    """What of a model makes its predictions."""

    @property
    def family(self) -> str: ...
    @property
    def logged(self) -> bool: ...
    @property
    def coefficients(self) -> Floats: ...
    @property
    def covariance(self) -> Floats: ...
    @property
    def sigma(self) -> float: ...
    @property
    def df(self) -> float: ...
    @property
    def df_test(self) -> float: ...
    @property
    def smearing(self) -> float: ...
    @property
    def parameters(self) -> Mapping[str, float]: ...
    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]: ...


def predictive_of(model: Predictable, rows: NewRows) -> Predictive:
    """The predictive law of new items."""
    if model.family in LAWS:
        return _law(model, rows)
    if model.family == "quantile":
        return _quantile(model, rows)
    return _mixed(model, rows) if model.family == "mixed" else _gaussian(model, rows)


def root_of(covariance: Floats) -> Floats:
    """A matrix R with R R' = covariance, also of one that is not of full rank."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _center(model: Predictable, rows: NewRows) -> tuple[Floats, Floats]:
    """Linear predictor of each row and its standard error."""
    variance = np.sum((rows.x @ model.covariance) * rows.x, axis=1)
    with np.errstate(invalid="ignore"):
        return rows.x @ model.coefficients + rows.offset, np.sqrt(np.maximum(variance, 0.0))


def _gaussian(model: Predictable, rows: NewRows) -> NormalPredictive:
    center, sd = _center(model, rows)
    none = np.zeros(len(center))
    with np.errstate(divide="ignore"):
        item = model.sigma / np.sqrt(rows.weights)
    return NormalPredictive(
        center=center,
        center_sd=sd,
        rows=rows.x,
        root=root_of(model.covariance),
        group=np.full(len(center), -1),
        extra_sd=none,
        group_spread=Spread(sd=none, df=math.inf),
        item=Spread(sd=item, df=model.df),
        df=np.full(len(center), model.df),
        df_mean=model.df_test,
        logged=model.logged,
        smearing=model.smearing,
    )


def _mixed(model: Predictable, rows: NewRows) -> NormalPredictive:
    """A known group has its own (shrunken) level; a new one is drawn from the groups.

    Given the coefficients b, the effect of a group with n items, mean response y and mean row x is normal
    with mean ``g (y - x b)`` and variance ``tau^2 (1 - g)``, ``g = n tau^2 / (sigma^2 + n tau^2)``.
    """
    known = rows.group >= 0
    place = np.where(known, rows.group, 0)
    sigma2, tau2 = model.sigma**2, model.parameters["group_sd"] ** 2
    sizes = model.arrays["group_sizes"][place]
    shrink = np.where(known, sizes * tau2 / (sigma2 + sizes * tau2) if tau2 > 0 else 0.0, 0.0)
    x = rows.x - shrink[:, None] * model.arrays["group_rows"][place]
    center = x @ model.coefficients + rows.offset + shrink * model.arrays["group_response"][place]
    with np.errstate(invalid="ignore"):
        sd = np.sqrt(np.maximum(np.sum((x @ model.covariance) * x, axis=1), 0.0))
    fresh = np.where(known, 0.0, math.sqrt(tau2))
    # Satterthwaite: degrees of freedom of the sum of the two estimated variances
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(known, sigma2, sigma2 + tau2)
        spread = model.parameters["var_sigma2"] + np.where(
            known, 0.0, model.parameters["var_tau2"] + 2 * model.parameters["cov_sigma2_tau2"]
        )
        df = np.clip(2 * total**2 / spread, 1.0, 1e6)
    return NormalPredictive(
        center=center,
        center_sd=sd,
        rows=x,
        root=root_of(model.covariance),
        group=rows.group,
        extra_sd=np.where(known, np.sqrt(tau2 * (1 - shrink)), 0.0),
        group_spread=Spread(sd=fresh, df=model.parameters["group_df"]),
        item=Spread(sd=np.full(len(center), model.sigma), df=model.df),
        df=df,
        df_mean=model.df_test,
        logged=model.logged,
        smearing=model.smearing,
    )


def _law(model: Predictable, rows: NewRows) -> LawPredictive:
    eta, sd = _center(model, rows)
    return LawPredictive(
        law=LAWS[model.family],
        eta=eta,
        eta_sd=sd,
        rows=rows.x,
        root=root_of(model.covariance),
        sizes=rows.sizes,
        weights=rows.weights,
        shape=model.parameters.get("shape", math.nan),
        shape_log_sd=model.parameters.get("shape_log_sd", 0.0),
        divided=bool(model.parameters.get("divided", 0.0)),
        df_mean=model.df_test,
    )


def _quantile(model: Predictable, rows: NewRows) -> QuantilePredictive:
    coefficients = model.arrays["quantile_coefficients"]
    variance = np.sum((rows.x @ model.arrays["median_covariance"]) * rows.x, axis=1)
    return QuantilePredictive(
        shares=model.arrays["quantile_shares"],
        values=rows.x @ coefficients.T + rows.offset[:, None],
        median_sd=np.sqrt(np.maximum(variance, 0.0)),
        calibration=model.arrays["calibration"],
        df=model.df_test,
        logged=model.logged,
    )
