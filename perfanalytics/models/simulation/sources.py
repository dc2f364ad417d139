"""What a step takes its values from: a distribution, observed values, a fitted distribution, a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.distribution_result import DistributionFit
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.result import Baseline
from perfanalytics.core import codec
from perfanalytics.core.coerce import as_series
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.series import Series
from perfanalytics.models.result import Model
from perfanalytics.models.simulation.distribution import Distribution

#: New items drawn from a model that has no closed form, and the seed they are drawn with.
MODEL_DRAWS, MODEL_SEED = 20_000, 20260101


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Observed values, drawn with replacement.

    Parameters
    ----------
    values : float array, shape (n,)
        Sorted.
    n_effective : float
        How many independent values they are worth; the uncertainty of the input follows it. Infinite where
        the uncertainty is in the values already (items drawn from a model).
    """

    kind: ClassVar[str] = "sampled_values"

    values: NDArray[np.float64]
    n_effective: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", codec.read_only(np.sort(self.values)))

    def __eq__(self, other: object) -> bool:
        return codec.same(self, other) if isinstance(other, Sample) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.values.tobytes(), self.n_effective))

    def __repr__(self) -> str:
        return f"<{len(self.values):,} values, mean {self.values.mean():.4g}>"


@dataclass(frozen=True, slots=True)
class ModelItem:
    """A new item as a gaussian model predicts it: normal, or lognormal where logarithms were modelled.

    Parameters
    ----------
    center, spread : float
        Mean and residual standard deviation on the scale of the fit.
    error : float
        Standard error of ``center``.
    df : float
        Residual degrees of freedom.
    logged : bool
    """

    kind: ClassVar[str] = "model_item"

    center: float
    spread: float
    error: float
    df: float
    logged: bool


Source = Distribution | Sample | Fitted | ModelItem


@dataclass(frozen=True, slots=True)
class Found:
    """A source with what is known of it."""

    source: Source
    origin: str
    unit: str
    stable: bool | None = None
    doubts: tuple[str, ...] = ()


def find_source(name: str, given: object, *, use: str, at: Mapping[str, Any] | None) -> Found:
    """The source behind what somebody gave to a step.

    Raises
    ------
    InputError
        When nothing can be drawn from it; the message says what would be right.
    """
    if use not in ("values", "fitted"):
        raise UnknownNameError("use", str(use), ("values", "fitted"))
    if at is not None and not isinstance(given, Model):
        raise InputError(f"step {name!r}: at= is the item that a model predicts; the source is no model")
    if use == "fitted" and not isinstance(given, Baseline):
        raise InputError(f"step {name!r}: use='fitted' is for baselines; the source is no baseline")
    if isinstance(given, Distribution):
        return Found(given, f"stated, {given.family}", "")
    if isinstance(given, bool):
        raise InputError(f"step {name!r}: {given} is no time; give a number, a distribution, a baseline ...")
    if isinstance(given, int | float):
        return Found(Distribution.constant(float(given)), "stated, constant", "")
    if isinstance(given, Fitted):
        return _fitted(name, given, f"fitted {given.label}", "", None)
    if isinstance(given, DistributionFit):
        best = next((f for f in given.fits if f.converged), None)
        if best is None:
            raise InputError(f"step {name!r}: no distribution of this fit converged")
        return _fitted(name, best, f"fitted {best.label} of {given.measure.name}", given.measure.unit, None)
    if isinstance(given, Baseline):
        return _baseline(name, given, use)
    if isinstance(given, Model):
        return _model(name, given, at)
    try:
        series = as_series(given)
    except (InputError, TypeError, ValueError) as error:
        raise InputError(
            f"step {name!r} needs a distribution, a number, a baseline, a fitted distribution, a model or "
            f"values, got {type(given).__name__}"
        ) from error
    return _series(name, series)


def _series(name: str, series: Series) -> Found:
    if series.censored is not None and bool(np.any(series.censored)):
        raise InputError(
            f"step {name!r}: some values are only the age so far of open items; make a baseline of them and "
            "give use='fitted'"
        )
    values = series.values[~np.isnan(series.values)]
    if series.values.ndim != 1 or not len(values):
        raise InputError(f"step {name!r}: there is no value to draw from")
    unit = series.measure.unit
    gone = len(series.values) - len(values)
    doubts = (f"{gone:,} of its {len(series.values):,} values are missing and were left out",) if gone else ()
    return Found(Sample(values, float(len(values))), f"{len(values):,} values", unit, None, doubts)


def _baseline(name: str, baseline: Baseline, use: str) -> Found:
    unit, stable = baseline.measure.unit, baseline.stable
    if baseline.values_are not in ("numbers", "open items"):
        raise InputError(
            f"step {name!r}: the baseline is one of {baseline.values_are}, not of single items; a step needs "
            "a time, an effort or a cost for each item"
        )
    if use == "fitted":
        if baseline.fitted is None:
            raise InputError(f"step {name!r}: this baseline has no fitted distribution; use='values'")
        label = f"fitted {baseline.fitted.label} of the baseline of {baseline.measure.name}"
        return _fitted(name, baseline.fitted, label, unit, stable)
    if baseline.values_are == "open items":
        raise InputError(
            f"step {name!r}: some items of the baseline are still open, so its values are not all final: "
            "give use='fitted'"
        )
    n = len(baseline.values)
    size = baseline.n_effective if math.isfinite(baseline.n_effective) else float(n)
    origin = f"{n:,} values of the baseline of {baseline.measure.name}"
    return Found(Sample(baseline.values, max(1.0, min(size, float(n)))), origin, unit, stable)


def _fitted(name: str, fitted: Fitted, origin: str, unit: str, stable: bool | None) -> Found:
    if not fitted.converged:
        raise InputError(f"step {name!r}: the {fitted.label} distribution did not converge: {fitted.why}")
    doubts: tuple[str, ...] = ()
    if fitted.p_value < 0.05:
        doubts = (f"the {fitted.label} distribution does not fit its values (p = {fitted.p_value:.2g})",)
    return Found(fitted, origin, unit, stable, doubts)


def _model(name: str, model: Model, at: Mapping[str, Any] | None) -> Found:
    if at is None:
        raise InputError(f"step {name!r}: say which item the model shall predict: at={{'size': 5, ...}}")
    new = {k: [v] if np.ndim(v) == 0 else list(v) for k, v in at.items()}
    if any(len(v) != 1 for v in new.values()):
        raise InputError(f"step {name!r}: at= is one item; branch() mixes several")
    predicted = model.predict(new).iloc[0]
    if not math.isfinite(float(predicted["estimate"])):
        raise InputError(f"step {name!r}: the model cannot predict this item: {predicted['why']}")
    doubts = (f"it extrapolates: {predicted['why']}",) if bool(predicted["extrapolates"]) else ()
    unit = model.measure.unit
    if model.family != "gaussian":
        rng = np.random.default_rng(MODEL_SEED)
        draws = np.asarray(model.simulate_items(new, draws=MODEL_DRAWS, rng=rng), dtype=float).ravel()
        origin = f"{MODEL_DRAWS:,} items drawn from the {model.family} model of {model.response}"
        # the uncertainty of the parameters is in the draws already: nothing is resampled again
        return Found(Sample(draws, math.inf), origin, unit, None, doubts)
    back = np.log if model.logged else np.asarray
    t = float(special.stdtrit(model.df, 0.975))
    center, low, high = (float(back(predicted[k])) for k in ("estimate", "mean_low", "mean_high"))
    item = ModelItem(center, model.sigma, (high - low) / 2 / t, model.df, model.logged)
    return Found(item, f"model of {model.response}", unit, None, doubts)
