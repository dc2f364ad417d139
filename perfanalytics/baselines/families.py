"""Families of distributions: density, distribution function, quantiles, and coordinates without bounds.

Parameters stand in the last axis: ``p[..., i]`` is the i-th one, and a row of parameters broadcasts against
the values, so that many likelihoods are one call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import UnknownNameError

#: (value, parameters with a last axis of one entry for each) -> number
Function = Callable[[Floats, Floats], Floats]
_HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


@dataclass(frozen=True, slots=True)
class Family:
    """What a family of distributions must supply.

    Parameters
    ----------
    name : str
    label : str
        The name in a sentence ("Weibull").
    parameters : tuple of str
    positive : bool
        Whether values lie above the threshold (0 unless another one is stated).
    logs : tuple of bool
        Which parameters are positive and vary on the log scale.
    log_density, log_sf, cdf, quantile : callable
        Of values above the threshold and parameters; ``quantile`` of probabilities.
    reference : str
    """

    name: str
    label: str
    parameters: tuple[str, ...]
    positive: bool
    logs: tuple[bool, ...]
    log_density: Function
    log_sf: Function
    cdf: Function
    quantile: Function
    reference: str = ""


def _part(p: Floats, i: int) -> Floats:
    """One parameter, ready to broadcast against values in the last axis."""
    return np.asarray(p)[..., i, None] if np.ndim(p) > 1 else np.asarray(np.asarray(p)[i])


def _z(x: Floats, p: Floats) -> Floats:
    return np.asarray((x - _part(p, 0)) / _part(p, 1))


def _log_phi(z: Floats) -> Floats:
    return -0.5 * z * z - _HALF_LOG_TAU


def _logs(x: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(x)


NORMAL = Family(
    name="normal",
    label="normal",
    parameters=("mean", "sd"),
    positive=False,
    logs=(False, True),
    log_density=lambda x, p: _log_phi(_z(x, p)) - np.log(_part(p, 1)),
    log_sf=lambda x, p: np.asarray(special.log_ndtr(-_z(x, p))),
    cdf=lambda x, p: np.asarray(special.ndtr(_z(x, p))),
    quantile=lambda q, p: np.asarray(_part(p, 0) + _part(p, 1) * special.ndtri(q)),
)

LOGNORMAL = Family(
    name="lognormal",
    label="lognormal",
    parameters=("meanlog", "sdlog"),
    positive=True,
    logs=(False, True),
    log_density=lambda x, p: _log_phi(_z(_logs(x), p)) - np.log(_part(p, 1)) - _logs(x),
    log_sf=lambda x, p: np.asarray(special.log_ndtr(-_z(_logs(x), p))),
    cdf=lambda x, p: np.asarray(special.ndtr(_z(_logs(x), p))),
    quantile=lambda q, p: np.exp(_part(p, 0) + _part(p, 1) * special.ndtri(q)),
)

EXPONENTIAL = Family(
    name="exponential",
    label="exponential",
    parameters=("scale",),
    positive=True,
    logs=(True,),
    log_density=lambda x, p: -x / _part(p, 0) - np.log(_part(p, 0)),
    log_sf=lambda x, p: -x / _part(p, 0),
    cdf=lambda x, p: -np.expm1(-x / _part(p, 0)),
    quantile=lambda q, p: -_part(p, 0) * np.log1p(-q),
)


def _hazard(x: Floats, p: Floats) -> Floats:
    """Cumulative hazard of the Weibull distribution."""
    return np.exp(_part(p, 0) * (_logs(x) - np.log(_part(p, 1))))


WEIBULL = Family(
    name="weibull",
    label="Weibull",
    parameters=("shape", "scale"),
    positive=True,
    logs=(True, True),
    log_density=lambda x, p: (
        np.log(_part(p, 0)) - _part(p, 0) * np.log(_part(p, 1)) + (_part(p, 0) - 1) * _logs(x) - _hazard(x, p)
    ),
    log_sf=lambda x, p: -_hazard(x, p),
    cdf=lambda x, p: -np.expm1(-_hazard(x, p)),
    quantile=lambda q, p: _part(p, 1) * (-np.log1p(-q)) ** (1 / _part(p, 0)),
)


def _log_gammaincc(x: Floats, p: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(special.gammaincc(_part(p, 0), x / _part(p, 1))))


GAMMA = Family(
    name="gamma",
    label="gamma",
    parameters=("shape", "scale"),
    positive=True,
    logs=(True, True),
    log_density=lambda x, p: np.asarray(
        (_part(p, 0) - 1) * _logs(x)
        - x / _part(p, 1)
        - _part(p, 0) * np.log(_part(p, 1))
        - special.gammaln(_part(p, 0))
    ),
    log_sf=_log_gammaincc,
    cdf=lambda x, p: np.asarray(special.gammainc(_part(p, 0), x / _part(p, 1))),
    quantile=lambda q, p: np.asarray(_part(p, 1) * special.gammaincinv(_part(p, 0), q)),
)


def _su(x: Floats, p: Floats) -> Floats:
    """The normal score of a value of Johnson's unbounded family."""
    return np.asarray(_part(p, 0) + _part(p, 1) * np.arcsinh((x - _part(p, 2)) / _part(p, 3)))


def _su_density(x: Floats, p: Floats) -> Floats:
    u = (x - _part(p, 2)) / _part(p, 3)
    return np.asarray(_log_phi(_su(x, p)) + np.log(_part(p, 1)) - np.log(_part(p, 3)) - 0.5 * np.log1p(u * u))


def _sb(x: Floats, p: Floats) -> Floats:
    """The normal score of a value of Johnson's bounded family; infinite outside its bounds."""
    low, width = _part(p, 2), _part(p, 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.log(np.clip(x - low, 0, None)) - np.log(np.clip(low + width - x, 0, None))
    return np.asarray(_part(p, 0) + _part(p, 1) * logit)


def _sb_density(x: Floats, p: Floats) -> Floats:
    low, width = _part(p, 2), _part(p, 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        out = _log_phi(_sb(x, p)) + np.log(_part(p, 1)) + np.log(width) - np.log(x - low)
        out = out - np.log(low + width - x)
    return np.asarray(np.where(np.isnan(out), -np.inf, out))


def _sb_quantile(q: Floats, p: Floats) -> Floats:
    z = (special.ndtri(q) - _part(p, 0)) / _part(p, 1)
    return np.asarray(_part(p, 2) + _part(p, 3) * special.expit(z))


_JOHNSON = "Johnson (1949), Biometrika 36, 149-176"

JOHNSON_SU = Family(
    name="johnson_su",
    label="Johnson SU",
    parameters=("gamma", "delta", "xi", "lambda"),
    positive=False,
    logs=(False, True, False, True),
    log_density=_su_density,
    log_sf=lambda x, p: np.asarray(special.log_ndtr(-_su(x, p))),
    cdf=lambda x, p: np.asarray(special.ndtr(_su(x, p))),
    quantile=lambda q, p: np.asarray(
        _part(p, 2) + _part(p, 3) * np.sinh((special.ndtri(q) - _part(p, 0)) / _part(p, 1))
    ),
    reference=_JOHNSON,
)

JOHNSON_SB = Family(
    name="johnson_sb",
    label="Johnson SB",
    parameters=("gamma", "delta", "xi", "lambda"),
    positive=False,
    logs=(False, True, False, True),
    log_density=_sb_density,
    log_sf=lambda x, p: np.asarray(special.log_ndtr(-_sb(x, p))),
    cdf=lambda x, p: np.asarray(special.ndtr(_sb(x, p))),
    quantile=_sb_quantile,
    reference=_JOHNSON,
)

#: Name -> family.
FAMILIES: dict[str, Family] = {
    f.name: f for f in (NORMAL, LOGNORMAL, WEIBULL, GAMMA, EXPONENTIAL, JOHNSON_SU, JOHNSON_SB)
}
#: Names that stand for several families.
GROUPS: dict[str, tuple[str, ...]] = {"johnson": ("johnson_su", "johnson_sb")}


def families_of(names: str | tuple[str, ...]) -> tuple[Family, ...]:
    """The families of these names, "johnson" standing for SU and SB, each once.

    Raises
    ------
    UnknownNameError

    Examples
    --------
    >>> [f.name for f in families_of(("normal", "johnson"))]
    ['normal', 'johnson_su', 'johnson_sb']
    """
    found: dict[str, Family] = {}
    for name in (names,) if isinstance(names, str) else names:
        for one in GROUPS.get(name, (name,)):
            if one not in FAMILIES:
                raise UnknownNameError("family of distributions", str(name), (*FAMILIES, *GROUPS))
            found[one] = FAMILIES[one]
    return tuple(found.values())
