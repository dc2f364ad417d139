"""The scale a capability study is made on: the choices, the transformation, the limits on that scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from perfanalytics.baselines.capability_sample import Sample
from perfanalytics.baselines.families import FAMILIES, JOHNSON_SB, JOHNSON_SU
from perfanalytics.baselines.fitted import Fitted
from perfanalytics.baselines.fitting import fit_family
from perfanalytics.baselines.specification import Specification
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES
from perfanalytics.core.segments import Segments
from perfanalytics.core.series import Series
from perfanalytics.spc.transforms import forward as power_forward
from perfanalytics.spc.transforms import powers

METHODS = ("sigma", "percentile", "transform")


TRANSFORMS = ("log", "box_cox", "johnson")


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of the analysis: how values become those that are analysed, and with which parameters."""

    method: str
    distribution: str
    forward: Callable[[Floats], Floats] | None = None
    parameters: Mapping[str, float] = field(default_factory=dict)
    because: str = ""


def choices_of(
    series: Series, method: str | None, distribution: str | None, transform: str | None
) -> tuple[str, str, str | None, str]:
    """Method, distribution, transform and why, checked against each other."""
    if method is not None and method not in METHODS:
        raise UnknownNameError("method", str(method), METHODS)
    if transform is not None and transform not in TRANSFORMS:
        raise UnknownNameError("transform", str(transform), TRANSFORMS)
    known = (*FAMILIES, "empirical")
    if distribution is not None and distribution not in known:
        raise UnknownNameError("distribution", str(distribution), known)
    because = "asked for"
    if method is None:
        if transform is not None:
            method, because = "transform", "a transform was named"
        elif distribution not in (None, "normal"):
            method, because = "percentile", "a distribution was named"
        elif distribution is None and series.measure.scale in LOG_SCALES:
            method, transform = "transform", "log"
            because = f"declared {series.measure.scale}"
        else:
            method = "sigma"
            because = "asked for" if distribution else "default of the declared scale"
    if method == "transform":
        if transform is None:
            raise InputError("method 'transform' needs transform= 'log', 'box_cox' or 'johnson'")
        if distribution not in (None, "normal"):
            raise InputError("after a transform the values are taken as normal: leave distribution= out")
    elif transform is not None:
        raise InputError(f"transform= goes with method 'transform', not with {method!r}")
    if method == "sigma" and distribution not in (None, "normal"):
        raise InputError(
            f"method 'sigma' takes values as normal; for {distribution!r} use method 'percentile', or "
            "a transform"
        )
    return method, distribution or "normal", transform, because


def scale_of(
    plain: Sample, method: str, distribution: str, transform: str | None, because: str, series: Series
) -> Scale:
    """The transformation, estimated from the values used."""
    smallest = float(plain.values.min())
    if transform in ("log", "box_cox") and smallest <= 0:
        raise InputError(
            f"the smallest value is {smallest:g}: {'logarithms' if transform == 'log' else 'Box-Cox powers'} "
            "need positive values; use transform='johnson', a distribution, or method='sigma'"
        )
    if transform == "log":
        return Scale(method, "log", _log, {}, because)
    if transform == "box_cox":
        lam = powers(
            "box_cox",
            plain.values,
            np.ones(len(plain.values), dtype=bool),
            Segments(np.array([0]), len(plain.values)),
            0.0,
        )[0]

        def power(x: Floats) -> Floats:
            return power_forward("box_cox", x, np.asarray(lam), 0.0)

        return Scale(method, "box_cox", power, {"lambda": float(lam)}, because)
    if transform == "johnson":
        fits = [fit_family(f, plain.values) for f in (JOHNSON_SU, JOHNSON_SB)]
        good = sorted((f for f in fits if f.converged), key=lambda f: f.aicc)
        if not good:
            raise InputError(
                "Johnson's transform could not be fitted ("
                + "; ".join(f"{f.label}: {f.why}" for f in fits)
                + "): use another transform or a distribution"
            )
        best = good[0]
        parameters = {"su": float(best.family == "johnson_su")}
        parameters |= dict(zip(best.parameters, best.estimate.tolist(), strict=True))
        return Scale(method, "johnson", lambda x: _johnson_score(best, x), parameters, because)
    if method == "percentile" and series.measure.scale in LOG_SCALES and smallest > 0:
        # only the chart behind the stability verdict is one of logarithms, as for a baseline
        return Scale(method, distribution, _log, {}, because)
    return Scale(method, distribution, None, {}, because)


def _log(x: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0, np.log(x), np.nan)


def _johnson_score(fitted: Fitted, x: Floats) -> Floats:
    gamma, delta, xi, lam = fitted.estimate.tolist()
    with np.errstate(divide="ignore", invalid="ignore"):
        u = (x - xi) / lam
        if fitted.family == "johnson_su":
            return np.asarray(gamma + delta * np.arcsinh(u))
        return np.asarray(gamma + delta * (np.log(u) - np.log1p(-u)))


def on_scale(asked: Specification, scale: Scale) -> Specification:
    """The limits on the scale of the analysis; one that no value can pass is none."""
    if scale.method != "transform" or scale.forward is None:
        return asked

    def one(value: float) -> float:
        moved = float(scale.forward(np.asarray(value))) if scale.forward is not None else value
        return moved if math.isfinite(moved) else math.nan

    return Specification(one(asked.lower), one(asked.upper), one(asked.target), asked.because)
