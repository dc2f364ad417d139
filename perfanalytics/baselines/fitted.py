"""Fitted: one fitted distribution, with probabilities, quantiles and their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from perfanalytics.baselines.families import FAMILIES, Family
from perfanalytics.core import codec
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Interval


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A distribution fitted by maximum likelihood.

    Parameters
    ----------
    family : str
        "normal", "lognormal", "weibull", "gamma", "exponential", "johnson_su", "johnson_sb".
    parameters : tuple of str
        Names of the estimated parameters; "threshold" the last where it was fitted.
    estimate, standard_error : float arrays, shape (p,)
    covariance : float array, shape (p, p)
        From the observed information, times ``inflation``; NaN where it cannot be had.
    threshold : float
        Where the values begin; 0 unless stated or fitted.
    n, n_censored : int
    inflation : float
        Number of values over the effective number: 1 for independent values.
    log_likelihood, aicc, bic : float
    anderson_darling, p_value : float
        NaN with censored values, and where the fit did not converge.
    p_how : str
        Where the p-value comes from.
    distance : float
        Largest distance between the fitted and the empirical distribution function (Kaplan-Meier).
    converged : bool
    why : str
        What went wrong, "" where nothing did.
    """

    kind: ClassVar[str] = "fitted_distribution"
    schema_version: ClassVar[int] = 1

    family: str
    parameters: tuple[str, ...]
    estimate: Floats
    covariance: Floats
    threshold: float
    n: int
    n_censored: int
    inflation: float
    log_likelihood: float
    aicc: float
    bic: float
    anderson_darling: float
    p_value: float
    p_how: str
    distance: float
    converged: bool
    why: str

    def __post_init__(self) -> None:
        for name in ("estimate", "covariance"):
            object.__setattr__(self, name, codec.read_only(getattr(self, name)))

    def __eq__(self, other: object) -> bool:
        return codec.same(self, other) if isinstance(other, Fitted) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.family, self.estimate.tobytes()))

    @property
    def label(self) -> str:
        """The family as it is called in a sentence."""
        return FAMILIES[self.family].label

    @property
    def standard_error(self) -> Floats:
        """Standard errors of the parameters, shape (p,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diag(self.covariance)))

    def cdf(self, x: ArrayLike) -> Floats:
        """Probability of a value of at most ``x``."""
        return self._cdf(np.asarray(x, dtype=float), self.estimate)

    def sf(self, x: ArrayLike) -> Floats:
        """Probability of a value above ``x``, accurate where it is tiny."""
        x = np.asarray(x, dtype=float)
        family = FAMILIES[self.family]
        shifted, p = self._shifted(x, self.estimate)
        if family.positive:
            inside = shifted > 0
            with np.errstate(divide="ignore", invalid="ignore"):
                out = np.exp(family.log_sf(np.where(inside, shifted, 1.0), p))
            return np.asarray(np.where(inside, out, 1.0))
        return np.exp(family.log_sf(shifted, p))

    def pdf(self, x: ArrayLike) -> Floats:
        """Density."""
        family = FAMILIES[self.family]
        shifted, p = self._shifted(np.asarray(x, dtype=float), self.estimate)
        if not family.positive:
            return np.exp(family.log_density(shifted, p))
        inside = shifted > 0
        return np.asarray(
            np.where(inside, np.exp(family.log_density(np.where(inside, shifted, 1.0), p)), 0.0)
        )

    def quantile(self, p: ArrayLike) -> Floats:
        """The value that a share ``p`` of values do not exceed.

        Raises
        ------
        InputError
            For shares outside (0, 1).
        """
        p = np.asarray(p, dtype=float)
        if not ((p > 0) & (p < 1)).all():
            raise InputError(f"a quantile needs a share between 0 and 1 (0.9), got {p}")
        return self._quantile(p, self.estimate)

    def quantile_interval(self, p: float, *, confidence: float = 0.95) -> Interval:
        """Interval of a quantile: delta method, for positive values on the log scale above the threshold.

        References
        ----------
        Meeker and Escobar (1998), Statistical Methods for Reliability Data, section 8.4.
        """
        value = float(self.quantile(p))
        positive = FAMILIES[self.family].positive and "threshold" not in self.parameters
        spread = self.standard_error_of(lambda e: float(self._quantile(np.asarray(p), e)))
        z = float(special.ndtri((1 + confidence) / 2))
        if positive and value > self.threshold:
            above = value - self.threshold
            factor = math.exp(min(700.0, z * spread / above))
            low, high = self.threshold + above / factor, self.threshold + above * factor
        else:
            low, high = value - z * spread, value + z * spread
        return Interval(low, high, confidence=confidence, method="delta method, observed information")

    def share_interval(
        self, *, lower: float = -math.inf, upper: float = math.inf, confidence: float = 0.95
    ) -> tuple[float, Interval]:
        """Share of values from ``lower`` to ``upper``, with its interval: delta method on the logit scale.

        Examples
        --------
        >>> from perfanalytics.baselines.fitting import fit_family
        >>> from perfanalytics.baselines.families import NORMAL
        >>> fitted = fit_family(NORMAL, np.array([9.0, 10, 11, 10, 12, 8]))
        >>> round(fitted.share_interval(upper=12)[0], 3)
        0.939
        """

        def outside(e: Floats) -> float:
            below = 0.0 if lower == -math.inf else float(self._cdf(np.asarray(lower), e))
            above = 0.0 if upper == math.inf else float(1 - self._cdf(np.asarray(upper), e))
            return below + above

        value = (0.0 if lower == -math.inf else float(self.cdf(lower))) + (
            0.0 if upper == math.inf else float(self.sf(upper))
        )
        method = "delta method on the logit scale, observed information"
        if not 0 < value < 1:
            nothing = Interval(math.nan, math.nan, confidence=confidence, method=method)
            return 1 - value, nothing
        spread = self.standard_error_of(lambda e: _logit(outside(e)))
        z = float(special.ndtri((1 + confidence) / 2))
        at = _logit(value)
        low, high = float(special.expit(-at - z * spread)), float(special.expit(-at + z * spread))
        return 1 - value, Interval(low, high, confidence=confidence, method=method)

    def standard_error_of(self, f: Callable[[Floats], float]) -> float:
        """Standard error of a function of the parameters (delta method, numerical derivatives)."""
        spread = self.standard_error
        if not np.isfinite(spread).all():
            return math.nan
        gradient = np.empty(len(spread))
        for i, s in enumerate(spread):
            step = np.zeros(len(spread))
            step[i] = 0.01 * s
            near = f(self.estimate + step) - f(self.estimate - step)
            far = f(self.estimate + 2 * step) - f(self.estimate - 2 * step)
            gradient[i] = (8 * near - far) / (12 * step[i]) if s > 0 else 0.0
        return math.sqrt(max(0.0, float(gradient @ self.covariance @ gradient)))

    def _shifted(self, x: Floats, estimate: Floats) -> tuple[Floats, Floats]:
        if self.parameters[-1] == "threshold":
            return x - estimate[-1], estimate[:-1]
        return x - self.threshold, estimate

    def _cdf(self, x: Floats, estimate: Floats) -> Floats:
        family: Family = FAMILIES[self.family]
        shifted, p = self._shifted(x, estimate)
        if not family.positive:
            return family.cdf(shifted, p)
        inside = shifted > 0
        return np.asarray(np.where(inside, family.cdf(np.where(inside, shifted, 1.0), p), 0.0))

    def _quantile(self, p: Floats, estimate: Floats) -> Floats:
        zero, parameters = self._shifted(np.zeros(()), estimate)
        return np.asarray(FAMILIES[self.family].quantile(p, parameters) - zero)


def _logit(p: float) -> float:
    p = min(max(p, 1e-300), 1 - 1e-16)
    return math.log(p / (1 - p))
