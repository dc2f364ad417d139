"""What a model says at draws of its parameters: expected values and chances, with common random numbers.

The luck (one set of normal scores) is drawn once and used for every set of rows, so that the difference of
two sets of rows is that of the rows alone.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.models.predicting import predictive_of
from perfanalytics.models.prediction import read_new
from perfanalytics.models.predictive import LawPredictive, NormalPredictive, Predictive
from perfanalytics.models.quantile_predictive import QuantilePredictive

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Scores at which a quantile model is shifted; in between its answers are interpolated.
SHIFTS = np.linspace(-3.5, 3.5, 9)


@dataclass(frozen=True, slots=True, eq=False)
class Luck:
    """Draws of the parameters of one model as normal scores.

    ``steps`` has shape (draws, coefficients), ``scale`` (true over estimated residual spread) and ``other``
    (score of the shape) have shape (draws, 1).
    """

    steps: Floats
    scale: Floats
    other: Floats


def draw_luck(model: Any, draws: int, rng: np.random.Generator) -> Luck:
    """Draws of the parameters of a model."""
    df = float(model.df)
    if model.family in ("gaussian", "mixed") and math.isfinite(df):
        scale = np.sqrt(df / rng.chisquare(df, (draws, 1)))
    else:
        scale = np.ones((draws, 1))
    steps = rng.standard_normal((draws, len(model.coefficients)))
    return Luck(steps, scale, rng.standard_normal((draws, 1)))


def law_of(model: Any, new: pd.DataFrame | Mapping[str, Any]) -> Predictive:
    """The predictive law of new rows."""
    return predictive_of(model, read_new(model, new))


def expected_at(law: Predictive, luck: Luck) -> Floats:
    """Expected value of an item of each row at each draw, shape (draws, rows)."""
    if isinstance(law, NormalPredictive):
        center = law.center + luck.scale * (luck.steps @ (law.rows @ law.root).T)
        return np.asarray((np.exp(center) if law.logged else center) * law.to_mean)
    if isinstance(law, LawPredictive):
        mu, _ = _of_law(law, luck)
        return np.asarray(mu / (law.sizes if law.divided else 1.0))
    assert isinstance(law, QuantilePredictive)
    at = [dataclasses.replace(law, values=_shifted(law, s)).mean() for s in SHIFTS.tolist()]
    return _interpolated(np.array(at), luck)


def chance_at(law: Predictive, luck: Luck, low: float, high: float) -> Floats:
    """P(low <= item <= high) of each row at each draw, shape (draws, rows)."""
    if isinstance(law, NormalPredictive):
        center = law.center + luck.scale * (luck.steps @ (law.rows @ law.root).T)
        spread = np.sqrt((luck.scale * law.item.sd) ** 2 + law.group_spread.sd**2 + law.extra_sd**2)
        ends = [_log(v) if law.logged else v for v in (low, high)]
        with np.errstate(divide="ignore"):
            below, above = (special.ndtr((v - center) / spread) for v in ends)
        return np.asarray(above - below)
    if isinstance(law, LawPredictive):
        mu, shape = _of_law(law, luck)
        unit = law.sizes if law.divided else np.ones(len(law.sizes))
        above = law.law.cdf(high * unit * (1 + 1e-12), mu, shape, law.sizes)
        under = low * unit
        if law.law.whole and math.isfinite(low):
            under = np.ceil(under * (1 - 1e-12)) - 1.0
        below = law.law.cdf(under, mu, shape, law.sizes) if low > -math.inf else np.zeros_like(mu)
        above = above if high < math.inf else np.ones_like(mu)
        return np.asarray(np.clip(above - below, 0.0, 1.0))
    assert isinstance(law, QuantilePredictive)
    at = []
    for score in SHIFTS.tolist():
        moved = dataclasses.replace(law, values=_shifted(law, score))
        above = moved.cdf(high) if high < math.inf else np.ones(len(law.values))
        below = moved.cdf(low) if low > -math.inf else np.zeros(len(law.values))
        at.append(np.clip(above - below, 0.0, 1.0))
    return _interpolated(np.array(at), luck)


def _of_law(law: LawPredictive, luck: Luck) -> tuple[Floats, Floats | float]:
    eta = law.eta + luck.steps @ (law.rows @ law.root).T
    shape: Floats | float = law.shape
    if law.shape_log_sd > 0:
        shape = law.shape * np.exp(law.shape_log_sd * luck.other)
    if law.law.name == "gamma":
        shape = shape * law.weights
    return law.law.mean(eta, law.sizes), shape


def _shifted(law: QuantilePredictive, score: float) -> Floats:
    return np.asarray(law.values + score * law.median_sd[:, None])


def _interpolated(at: Floats, luck: Luck) -> Floats:
    """Between the shifts; the rows of a quantile model move together."""
    score = np.clip(luck.other[:, 0], SHIFTS[0], SHIFTS[-1])
    return np.array([np.interp(score, SHIFTS, column) for column in at.T]).reshape(at.shape[1], -1).T


def _log(bound: float) -> float:
    if bound == math.inf:
        return math.inf
    return math.log(bound) if bound > 0 else -math.inf
