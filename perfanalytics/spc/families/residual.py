"""Residual chart: a series whose neighbours resemble each other, judged by its one-step prediction errors.

An autoregressive model says what the next value is likely to be; the values are drawn as they are, around
that prediction. Where the model holds its errors are independent, so that all rules apply to them. Behind a
gap, a missing or excluded point and a stage border the prediction begins anew with the mean, and each next
point is predicted from the points since then, by the best predictor from so many.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import burg, partial_autocorrelations, portmanteau, predictors
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import Flags, Segments, moving_ranges, since_break
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.constants import c4, d2, d4_median
from perfanalytics.spc.families.individuals import range_lines
from perfanalytics.spc.families.memory import decayed
from perfanalytics.spc.family import ChartFamily, Doubt, one_column
from perfanalytics.spc.options import Asked, Option
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points

#: A model may be chosen with at most one coefficient for so many points.
_POINTS_A_COEFFICIENT = 5
#: Fewer points for each number of the model than this is a doubt.
_POINTS_A_NUMBER = 10.0
#: Significance of the doubt that errors are still correlated, and the lags it looks at.
_STILL, _LAGS = 0.01, 10
#: Given models nearer to the border than this have no stationary law.
_STATIONARY_BELOW = 1e-7
#: Lag-1 correlations of the stable series that stability is judged by.
_NULL = (0.0, 0.3, 0.6, 0.8)


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    return Points(offsets=batch.offsets, value=one_column(batch, "residual"))


def _order_of(coefficients: Floats) -> NDArray[np.int64]:
    """Order of each model, shape (m,): its last coefficient that is not 0."""
    p = coefficients.shape[1]
    return np.asarray(np.where(coefficients != 0, np.arange(1, p + 1), 0).max(axis=1), dtype=np.int64)


def _chosen(partial: Floats, pairs: NDArray[np.int64], n: Floats, options: Mapping[str, Any]) -> Floats:
    """Partial autocorrelations of the chosen order of each segment: 0 beyond it, NaN where there is none."""
    order = options["order"]
    if order is not None:
        return partial
    m, most = partial.shape
    with np.errstate(invalid="ignore", divide="ignore"):
        # of orders 0, 1, ...: the variance each leaves, in variances of the values
        left = np.cumsum(np.log1p(-(partial**2)), axis=1)
        numbers = np.arange(2.0, most + 3.0)
        if options["criterion"] == "bic":
            price = np.log(n)[:, None] * numbers
        else:
            price = 2.0 * numbers * np.ones((m, 1))
            if options["criterion"] == "aicc":
                rest = n[:, None] - numbers - 1.0
                price = np.where(rest > 0, price * n[:, None] / rest, np.inf)
        told = n[:, None] * np.concatenate([np.zeros((m, 1)), left], axis=1) + price
    may = (np.arange(1, most + 1) * _POINTS_A_COEFFICIENT <= n[:, None]) & (pairs > 0)
    told[:, 1:][~may] = np.inf
    # few points or none: the model of order 0
    told[~np.isfinite(told[:, 0]), 0] = 0.0
    best = np.argmin(np.where(np.isnan(told), np.inf, told), axis=1)
    return np.where(np.arange(1, most + 1) <= best[:, None], partial, 0.0)


def _width(options: Mapping[str, Any]) -> int:
    order = options["order"]
    return max(int(options["max_order"] if order is None else order), 1)


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    """Mean, coefficients of the chosen AR model (Burg), and sigma of its one-step errors."""
    seg, n, options = block.segments, block.n_kept(), block.asked.options
    width = _width(options)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = seg.sums(block.kept(block.points.value)) / n
    d = block.kept(block.points.value - seg.expand(center))
    partial, pairs = burg(d, since_break(block.keep_link, width), seg, width)
    if options["order"] == 0:
        partial = np.zeros_like(partial)
    partial = _chosen(partial, pairs, n, options)
    coefficients = predictors(partial)[:, -1]
    order = _order_of(np.nan_to_num(coefficients))
    fits = ~np.isnan(coefficients).any(axis=1)
    predicted, ratio = _predicted(d, block.keep_link, seg, np.nan_to_num(coefficients))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = block.kept((d - predicted) / np.sqrt(ratio))
        if estimator == "standard_deviation":
            free = n - 1.0 - order
            sigma = np.sqrt(seg.sums(error * error) / free) / c4(free + 1.0)
            sigma[free < 1] = np.nan
        else:
            ranges = moving_ranges(error, block.keep_link)
            if estimator == "moving_range":
                sigma = seg.sums(ranges) / block.kept_pairs() / d2(2)
            else:
                sigma = seg.medians(ranges, block.keep_link) / d4_median()
    sigma[(n < 2) | ~fits] = np.nan
    return {"center": center, "sigma": sigma, "coefficients": coefficients}


def _predicted(d: Floats, link: Flags, seg: Segments, coefficients: Floats) -> tuple[Floats, Floats]:
    """Predicted deviation of each point, and the variance of its error in variances of the model's errors."""
    m, width = coefficients.shape
    # rounding may carry the lower partial autocorrelations of a model near the border over it
    partial = np.clip(partial_autocorrelations(coefficients), -1.0 + 1e-9, 1.0 - 1e-9)
    by_age = predictors(partial)
    ratio = np.ones((m, width + 1))
    for age in range(width - 1, -1, -1):
        ratio[:, age] = ratio[:, age + 1] / (1.0 - partial[:, age] ** 2)
    which = np.repeat(np.arange(m), seg.lengths)
    known = np.minimum(since_break(link, width), _order_of(coefficients)[which])
    out = np.zeros(seg.n)
    for age in range(1, width + 1):
        where = np.flatnonzero(known == age)
        for back in range(1, age + 1 if len(where) else 1):
            out[where] += by_age[which[where], age - 1, back - 1] * d[where - back]
    return out, ratio[which, known]


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    seg, value = block.segments, block.points.value
    coefficients = parameters["coefficients"].reshape(len(seg), -1)
    if block.frozen and (np.abs(partial_autocorrelations(coefficients)) > 1.0 - _STATIONARY_BELOW).any():
        raise InputError(
            "the coefficients of a residual chart are those of a stationary series, such as [0.6]; "
            f"{coefficients[0].tolist()} are not: difference the series, or give others"
        )
    d = np.where(np.isnan(value), 0.0, value - seg.expand(parameters["center"]))
    predicted, ratio = _predicted(d, block.link, seg, np.nan_to_num(coefficients))
    # where a value is missing the mean is expected, as behind it
    center, wide = predicted + seg.expand(parameters["center"]), np.sqrt(ratio)
    return (
        Lines(value=value, center=center, sigma=seg.expand(parameters["sigma"]) * wide),
        range_lines((value - center) / wide, block, parameters["sigma"]),
    )


def _errors(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """Standardized errors, 0 where a point is not used."""
    line = _lines(block, parameters)[0]
    z = line.standardized(block.asked.sigmas)
    if block.use is not None:
        z[~block.use] = 0.0
    return np.nan_to_num(z)


def _still_correlated(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """p-value of Ljung and Box's test of the errors."""
    seg = block.segments
    n = seg.lengths.astype(np.int64) if block.use is None else seg.counts(block.use)
    order = _order_of(np.nan_to_num(parameters["coefficients"].reshape(len(seg), -1)))
    since = since_break(block.link, _LAGS)
    q = portmanteau(_errors(block, parameters), since, seg, n, _LAGS)
    free = _LAGS - order
    with np.errstate(invalid="ignore"):
        p = special.chdtrc(np.maximum(free, 1), q)
    return np.where((free >= 1) & (n >= 3 * _LAGS), p, np.nan)


def _points_a_number(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    """Points behind the limits for each number of the model: mean, sigma and coefficients."""
    m = len(block.segments)
    if block.frozen:
        return np.full(m, np.nan)
    order = _order_of(np.nan_to_num(parameters["coefficients"].reshape(m, -1)))
    return np.where(order > 0, block.n_kept() / (order + 2.0), np.nan)


def _model(coefficients: Floats) -> list[float]:
    return [float(c) for c in coefficients[: int(_order_of(np.nan_to_num(coefficients[None]))[0])]]


def _found(parameters: Mapping[str, Floats], asked: Asked) -> dict[str, Any]:
    models = [_model(c) for c in parameters["coefficients"].reshape(len(parameters["center"]), -1)]
    return {"model_order": [len(c) for c in models], "model_coefficients": models}


def _sentence(parameters: Mapping[str, Floats], stage: int) -> str:
    found = _model(parameters["coefficients"].reshape(len(parameters["center"]), -1)[stage])
    if not found:
        return "The prediction is the mean: order 0, no correlation between neighbours was found."
    numbers = ", ".join(f"{c:.2f}" for c in found)
    many = "coefficient" if len(found) == 1 else "coefficients"
    return f"The prediction follows an AR({len(found)}) model ({many} {numbers})."


def _null(rng: np.random.Generator, shape: Any) -> Floats:
    """Stable series of several correlations: one long series of each, to be cut into pieces."""
    parts = np.array_split(rng.standard_normal(shape), len(_NULL))
    out = []
    for rho, part in zip(_NULL, parts, strict=True):
        age = np.arange(len(part))
        out.append(part if rho == 0 else decayed(np.sqrt(1.0 - rho * rho) * part, rho, age))
    return np.concatenate(out)


_ERRORS = "mean; AR model by Burg's method, its order by the criterion; sigma of the one-step errors = "

RESIDUAL = ChartFamily(
    name="residual",
    title="One-step prediction and its errors (residual chart)",
    transformable=True,
    panels=(
        Panel(name="value and prediction", independent=True, level=True),
        Panel(
            name="moving range of errors",
            independent=False,
            spread=True,
            floor=0.0,
            constant=True,
            axis="moving range of errors{unit}",
        ),
    ),
    parameters=("center", "sigma", "coefficients"),
    estimators={
        "moving_range": f"{_ERRORS}their mean moving range of two / d2",
        "median_moving_range": f"{_ERRORS}their median moving range of two / d4",
        "standard_deviation": f"{_ERRORS}root of their mean square, n - 1 - order degrees of freedom, / c4",
    },
    modes=dict.fromkeys(("moving_range", "median_moving_range", "standard_deviation"), "family"),
    points=_points,
    estimate=_estimate,
    lines=_lines,
    options={
        "order": Option(
            default=None,
            text="order of the AR model; None: by the criterion",
            low=0,
            high=30,
            whole=True,
        ),
        "criterion": Option(default="aicc", text="what chooses the order", choices=("aicc", "bic", "aic")),
        "max_order": Option(
            default=5, text="highest order the criterion may choose", low=1, high=30, whole=True
        ),
    },
    limit_kinds={
        "sigma": "one-step prediction -+ k sigma of the errors, wider for the first points of a stretch "
        "(behind a gap, a missing or excluded point), by the best prediction from so many points"
    },
    null=_null,
    known_as="known_two_panels",
    varies="they follow the prediction",
    needed=50,
    found=_found,
    sentence=_sentence,
    doubts=(
        Doubt(
            code="few-points-for-order",
            measured=_points_a_number,
            holds=lambda figure, n: figure < _POINTS_A_NUMBER,
            text=lambda figure, n: (
                f"Only {figure:.1f} points for each number of the model (mean, sigma, "
                f"coefficients); below about {_POINTS_A_NUMBER:g} it is provisional."
            ),
            name="points_a_number",
        ),
        Doubt(
            code="errors-correlated",
            measured=_still_correlated,
            holds=lambda figure, n: figure < _STILL,
            text=lambda figure, n: (
                "The one-step errors are still correlated (Ljung-Box test over "
                f"{_LAGS} lags, p = {figure:.2g}): the model misses something, such as a season or a change."
            ),
            name="p_value",
        ),
    ),
    references=(
        "Alwan and Roberts (1988), Journal of Business and Economic Statistics 6, 87-95",
        "Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., section 10.4",
        "Burg (1975); de Waele and Broersen (2000), IEEE Transactions on Signal Processing 48, 2876-2880",
        "Hurvich and Tsai (1989), Biometrika 76, 297-307 (AICc)",
        "Schwarz (1978), Annals of Statistics 6, 461-464 (BIC)",
    ),
)

__all__ = ["RESIDUAL"]
