"""One series, several contrasts: a regression with autocorrelated errors fitted once by REML."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from perfanalytics.comparisons.classical import Contrast, t_p_value, t_quantile
from perfanalytics.comparisons.criteria import AR1Criterion, Criterion, Design, NoiseCriterion
from perfanalytics.comparisons.newton import minimize
from perfanalytics.comparisons.reml import NOISE_GAIN, Fit, describe
from perfanalytics.core.columns import Floats


@dataclass(frozen=True, slots=True)
class Regression:
    """A fitted series: ``fit`` is that of the first contrast, others are had without fitting again."""

    fit: Fit
    criterion: Criterion
    theta: Floats
    covariance: Floats

    @property
    def beta(self) -> Floats:
        """Coefficients, shape (p,)."""
        return np.asarray(self.fit.beta[0])

    def contrast(self, weights: Floats, confidence: float) -> Contrast:
        """A combination of the coefficients with its own Satterthwaite degrees of freedom."""
        other = copy.copy(self.criterion)
        other.contrast = np.asarray(weights, dtype=float)
        found = describe(other, self.theta)
        b, se, df = float(found.estimate[0]), float(found.se[0]), float(found.df[0])
        half = t_quantile(df, confidence) * se
        return Contrast(b, b - half, b + half, b / se, df, t_p_value(b / se, df), se)

    def standard_errors(self, rows: Floats) -> Floats:
        """Standard error of each row of combinations, rows (k, p); shape (k,)."""
        return np.asarray(np.sqrt(np.maximum(np.einsum("kp,pq,kq->k", rows, self.covariance, rows), 0.0)))


def fit_regression(design: Design, contrast: Floats, *, noise: bool = True) -> Regression:
    """Fit a design of one series (see :func:`perfanalytics.comparisons.reml.fit_reml`)."""
    criterion: Criterion = AR1Criterion(design, contrast)
    assert isinstance(criterion, AR1Criterion)
    theta = minimize(criterion, criterion.start())
    fit = describe(criterion, theta)
    gain = 0.0
    if noise:
        full = NoiseCriterion(design, contrast)
        richer = minimize(full, full.start(theta), give_up_above=fit.deviance - NOISE_GAIN)
        gain = float((fit.deviance - full.deviance(richer))[0])
        if gain > NOISE_GAIN:
            criterion, theta = full, richer
            fit = describe(full, richer)
    columns = {name: getattr(fit, name) for name in Fit.__slots__}
    columns["gain"] = np.array([max(gain, 0.0)])
    gram, _ = criterion.gram(theta[:, None, :])
    covariance = np.linalg.inv(gram[0, 0, 1:, 1:]) * fit.sigma[0] ** 2
    return Regression(Fit(**columns), criterion, theta, np.asarray(covariance))
