"""The before period's prediction interval for the mean of the next m periods: what needs no test."""

from __future__ import annotations

import numpy as np

from perfanalytics.comparisons.classical import t_quantile
from perfanalytics.comparisons.method import NAN, Effect
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation


def predicted_mean(sides: Sides, scale: AnalysisScale, confidence: float) -> Effect:
    """The mean after (estimate) and the range expected for it from the before period (low, high).

    ``mean +- t s sqrt(1/n' + 1/m')`` on the analysis scale with effective sizes n' and m' of the periods,
    back-transformed (a geometric mean for logarithms). The correlation between the two means, which would
    narrow the range, is left out.

    References
    ----------
    Hahn and Meeker (1991), Statistical Intervals, 4.8 (independent values).
    """
    y, weight, _ = sides.before.by_period(scale.forward(sides.before.values))
    after, after_weight, _ = sides.after.by_period(scale.forward(sides.after.values))
    n, m = len(y), len(after)
    mean, next_mean = float(np.average(y, weights=weight)), float(np.average(after, weights=after_weight))
    low = high = df = NAN
    if n >= 2:
        r = float(corrected_lag1(lag1_autocorrelation(y, np.array([0, n])), np.array([n]))[0])
        n_eff, m_eff = float(effective_size(n, r)), max(1.0, float(effective_size(m, r)))
        df = max(1.0, n_eff - 1)
        half = t_quantile(df, confidence) * float(y.std(ddof=1)) * np.sqrt(1 / max(n_eff, 1.0) + 1 / m_eff)
        low, high = mean - half, mean + half
    mean, next_mean, low, high = scale.levels(np.array([mean, next_mean, low, high])).tolist()
    return Effect(
        "predicted_mean_after",
        role="primary",
        before=mean,
        after=next_mean,
        estimate=next_mean,
        low=float(low),
        high=float(high),
        df=df,
        form="test",
        unit=sides.measure.unit,
        method="prediction interval of the before period for the mean of the next periods",
    )
