"""Power of each test as a function of effect and sample sizes: what :mod:`.power` solves for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.comparisons.noncentral import legendre, nct_cdf


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What besides effect and sample sizes the power depends on."""

    alpha: float
    sd_ratio: float = 1.0
    before: float = math.nan
    margin: float = math.nan
    groups: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A test that can be planned.

    Parameters
    ----------
    power : callable
        (effect, n before, n after, design) -> power; sizes may be fractions.
    effect : str
        What the effect is, with its unit.
    null : float
        The effect that is no effect.
    sides : int
        2 where two sides are sampled, 1 for pairs and one sample.
    fewest : float
        Smallest sample a side.
    needs : tuple of str
        Arguments that must be given.
    top : float
        Largest effect that is searched.
    reference : str
    """

    power: Callable[[float, float, float, Design], float]
    effect: str
    null: float = 0.0
    sides: int = 2
    fewest: float = 2.0
    needs: tuple[str, ...] = ()
    top: float = 20.0
    reference: str


def _t_power(nc: float, df: float, alpha: float) -> float:
    """Both tails of the noncentral t."""
    if df < 1:
        return alpha
    edge = float(special.stdtrit(df, 1 - alpha / 2))
    return nct_cdf(-edge, df, nc) + 1.0 - nct_cdf(edge, df, nc)


def _two_means(d: float, n1: float, n2: float, design: Design) -> float:
    return _t_power(d * math.sqrt(n1 * n2 / (n1 + n2)), n1 + n2 - 2, design.alpha)


def _welch(d: float, n1: float, n2: float, design: Design) -> float:
    """d in standard deviations of the side before; Satterthwaite df of the true variances."""
    v1, v2 = 1.0 / n1, design.sd_ratio**2 / n2
    df = (v1 + v2) ** 2 / (v1**2 / (n1 - 1) + v2**2 / (n2 - 1))
    return _t_power(d / math.sqrt(v1 + v2), df, design.alpha)


def _one_mean(d: float, n1: float, n2: float, design: Design) -> float:
    return _t_power(d * math.sqrt(n2), n2 - 1, design.alpha)


def _mann_whitney(p: float, n1: float, n2: float, design: Design) -> float:
    """Noether (1987), eq. 4: variance of U under the null hypothesis, no ties."""
    z = float(special.ndtri(1 - design.alpha / 2))
    nc = abs(p - 0.5) * math.sqrt(12 * n1 * n2 / (n1 + n2))
    return float(special.ndtr(nc - z) + special.ndtr(-nc - z))


def _score(difference: float, null: float, true: float, alpha: float) -> float:
    z = float(special.ndtri(1 - alpha / 2)) * null
    return float(special.ndtr((difference - z) / true) + special.ndtr((-difference - z) / true))


def _proportions(difference: float, n1: float, n2: float, design: Design) -> float:
    """The score test, its variance pooled under no difference (Fleiss, Levin and Paik 2003, eq. 4.14)."""
    p1 = design.before
    p2 = p1 + difference
    if not 0 <= p2 <= 1:
        return 1.0
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    null = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    true = math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    return _score(difference, null, max(true, 1e-12), design.alpha)


def _rates(ratio: float, n1: float, n2: float, design: Design) -> float:
    """The score test of two Poisson rates; n is exposure (Shiue and Bain 1982)."""
    a = design.before
    b = a * ratio
    pooled = (n1 * a + n2 * b) / (n1 + n2)
    return _score(b - a, math.sqrt(pooled * (1 / n1 + 1 / n2)), math.sqrt(a / n1 + b / n2), design.alpha)


def _anova(f: float, n1: float, n2: float, design: Design) -> float:
    """Noncentral F, n a group, f = SD of the group means over the SD within."""
    k, n = design.groups, n2
    df1, df2 = k - 1, k * (n - 1)
    if df2 < 1:
        return design.alpha
    edge = float(special.fdtri(df1, df2, 1 - design.alpha))
    if f == 0:
        return design.alpha
    return float(1 - special.ncfdtr(df1, df2, f * f * n * k, edge))


def _tost(d: float, n1: float, n2: float, design: Design) -> float:
    """Two one-sided t tests at alpha: both must reject (Phillips 1990, by Owen's integral)."""
    df = n1 + n2 - 2
    root = math.sqrt(n1 * n2 / (n1 + n2))
    edge = float(special.stdtrit(df, 1 - design.alpha))
    # given the standard deviation seen (u = s / sigma), the estimate must lie within margin -+ edge s / root
    node, weight = legendre()
    top = design.margin * root / edge
    u = 0.5 * top * (node + 1)
    constant = (df / 2) * math.log(df / 2) - float(special.gammaln(df / 2)) + math.log(2.0)
    density = np.exp(constant + (df - 1) * np.log(u) - df * u * u / 2)
    inside = special.ndtr(root * (design.margin - d) - edge * u) - special.ndtr(
        -root * (design.margin + d) + edge * u
    )
    return float(0.5 * top * (weight * density) @ np.maximum(inside, 0.0))


#: The tests that can be planned, by the names of ``METHODS``.
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        "welch": Law(
            power=_welch,
            effect="difference in standard deviations of the side before",
            reference="Welch (1947), Biometrika 34; noncentral t with Satterthwaite df",
        ),
        "student": Law(
            power=_two_means,
            effect="difference in standard deviations",
            reference="Cohen (1988), Statistical Power Analysis, 2; noncentral t, both tails",
        ),
        "ar1_level_change": Law(
            power=_two_means,
            effect="difference in standard deviations of single periods",
            reference="noncentral t on effective sizes n (1 - rho) / (1 + rho)",
        ),
        "paired_t": Law(
            power=_one_mean,
            effect="mean difference in standard deviations of the differences",
            sides=1,
            reference="Cohen (1988), 2; noncentral t, both tails",
        ),
        "one_sample_t": Law(
            power=_one_mean,
            effect="difference from the given value in standard deviations",
            sides=1,
            reference="Cohen (1988), 2; noncentral t, both tails",
        ),
        "mann_whitney": Law(
            power=_mann_whitney,
            effect="probability that a value after is higher",
            null=0.5,
            top=0.9999,
            reference="Noether (1987), JASA 82, 645-647",
        ),
        "two_proportions": Law(
            power=_proportions,
            effect="difference of the shares",
            needs=("before",),
            top=1.0,
            reference="Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 4.14",
        ),
        "poisson_rates": Law(
            power=_rates,
            effect="ratio of the rates",
            null=1.0,
            fewest=1e-9,
            needs=("before",),
            top=100.0,
            reference="Shiue and Bain (1982), Applied Statistics 31, 130-134; score test",
        ),
        "anova": Law(
            power=_anova,
            effect="Cohen's f: SD of the group means over the SD within groups",
            sides=1,
            needs=("groups",),
            reference="Cohen (1988), 8; noncentral F",
        ),
        "tost": Law(
            power=_tost,
            effect="true difference in standard deviations (0: none)",
            needs=("margin",),
            reference="Phillips (1990), J. Pharmacokinetics and Biopharmaceutics 18, 137-144",
        ),
    }
)


def parameters_of(design: Design, law: Law) -> dict[str, Any]:
    """What is recorded of a design."""
    found: dict[str, Any] = {"alpha": design.alpha}
    if design.sd_ratio != 1:
        found["sd_ratio"] = design.sd_ratio
    found |= {name: getattr(design, name) for name in law.needs}
    return found
