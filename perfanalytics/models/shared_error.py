"""What predictions of one model have in common: all rest on the same estimated parameters.

The error of a prediction has a part of its own and one it shares with the others. On the scale of normal
scores the shared part of item i is ``L_i u`` with standard normal u, ``L_i = R' x_i f_i`` where ``R R'`` is
the covariance of the coefficients and ``f_i`` what a unit of the linear predictor is on that scale (delta
method). The mean of m scores then has the variance ``sum(1 - |L_i|^2) / m^2 + |mean L|^2``, not 1 / m.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.models.predicting import root_of
from perfanalytics.models.predictive import LawPredictive, NormalPredictive, Predictive
from perfanalytics.models.quantile_predictive import QuantilePredictive

Floats = NDArray[np.float64]


def loadings(model: Any, law: Predictive, x: Floats, scores: Floats, quantiles: Floats) -> Floats:
    """Shared part of the score of each item, shape (n, p): with a column more for each known group.

    ``quantiles`` of the items at normal ``scores``, shapes (n, s) and (s,).
    """
    if isinstance(law, NormalPredictive):
        out = (law.rows @ law.root) / law.item_sd[:, None]
        levels = np.unique(law.group[law.group >= 0])
        own = (law.group[:, None] == levels) * (law.extra_sd / law.item_sd)[:, None]
        return np.hstack([out, own])
    if isinstance(law, LawPredictive):
        m = law.sizes
        mu = law.law.mean(law.eta, m)
        slope = law.law.slope(mu, m)
        variance = law.law.variance(mu, law.shape, m)
        if law.law.name == "gamma":
            variance = variance / (law.shape * law.weights)
        # how the mean score moves with the mean: E[z (y - mu)] / variance, less than 1 / sd where the
        # score is no straight line in y (outcomes 0 and 1, small counts, skewed durations)
        density = np.exp(-(scores**2) / 2) / math.sqrt(2 * math.pi)
        steps = np.diff(quantiles, axis=1) * (m if law.divided else 1.0 + 0 * m)[:, None]
        moves = steps @ ((density[1:] + density[:-1]) / 2)
        factor = slope * moves / np.maximum(variance + (slope * law.eta_sd) ** 2, 1e-300)
        return np.asarray((law.rows @ law.root) * factor[:, None])
    assert isinstance(law, QuantilePredictive)
    # one standard deviation of the item, from the scores at its median and around it
    at = law._at(np.array([-1.0, 1.0]))
    spread = np.maximum((at[:, 1] - at[:, 0]) / 2, 1e-300)
    return np.asarray((x @ root_of(model.arrays["median_covariance"])) / spread[:, None])


def spread_df(model: Any) -> float:
    """Degrees of freedom of the spread of an item: infinite where it follows from the mean."""
    if model.family in ("gaussian", "mixed", "quantile"):
        return float(model.df)
    sd = float(model.parameters.get("shape_log_sd", 0.0))
    # log of a variance with d degrees of freedom has the variance 2 / d, as has that of the shape
    return 2 / sd**2 if sd > 0 else math.inf


def mean_variance(shared: Floats, origin: NDArray[np.int64], effective: float) -> float:
    """Variance of the mean score while the model holds.

    Fits of later origins know what was predicted before: their errors have nothing in common with those
    (recursive residuals: Brown, Durbin and Evans 1975, JRSS B 37, lemma 1), those of one origin have.
    """
    n = len(shared)
    own = max(1 - float(np.mean(np.sum(shared**2, axis=1))), 0.0) / effective
    sums = [shared[origin == k].sum(axis=0) for k in np.unique(origin).tolist()]
    return own + float(sum(s @ s for s in sums)) / n**2


def joint_df(df: Floats, origin: NDArray[np.int64]) -> float:
    """Degrees of freedom of the spread that several fits stand for, each with its items."""
    shares = [(float(np.mean(origin == k)), float(df[origin == k][0])) for k in np.unique(origin).tolist()]
    doubt = sum(w**2 / d for w, d in shares)
    return 1 / doubt if doubt > 0 else math.inf


def nothing_shared(n: int) -> dict[str, Floats]:
    """Of n predictions of which it is not known what they share."""
    return {"shared": read_only(np.zeros((n, 0))), "spread_df": read_only(np.full(n, math.inf))}
