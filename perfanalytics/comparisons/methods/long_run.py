"""Other methods for series, by name: rank AR(1), EWC, Newey-West, Welch with effective sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from perfanalytics.comparisons.classical import Contrast, ewc_welch, t_p_value, t_quantile
from perfanalytics.comparisons.levels import FEWEST
from perfanalytics.comparisons.method import NAN, Answer, ComparisonMethod, Options
from perfanalytics.comparisons.methods.means import independent_companions, mean_answer
from perfanalytics.comparisons.methods.series import AR1_LEVEL_CHANGE, block_length
from perfanalytics.comparisons.rows import center_row
from perfanalytics.comparisons.scales import analysis_scale
from perfanalytics.comparisons.series_checks import period_series
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat


class AR1Ranks(ComparisonMethod):
    """The default engine on ranks: the probability that a value after is higher."""

    name = "ar1_ranks"
    title = "REML level change of the ranks, AR(1) errors"
    assumes_order = True

    def __call__(self, sides: Sides, options: Options) -> Answer:
        return AR1_LEVEL_CHANGE(sides, replace(options, scale="rank"))


class LongRunWelch(ComparisonMethod):
    """A difference of period means over a long-run standard error."""

    assumes_order = True

    def __init__(
        self,
        name: str,
        title: str,
        contrast: Callable[[Floats, Floats, float], Contrast],
        reference: str,
        caveat: tuple[Caveat, ...] = (),
    ) -> None:
        self.name = name
        self.title = title
        self._contrast = contrast
        self._reference = reference
        self._caveat = caveat

    def __call__(self, sides: Sides, options: Options) -> Answer:
        if not sides.ordered:
            raise InputError(f"{self.name} needs values in order of time, and order='none' was given")
        scale = analysis_scale(sides, options.scale)
        if scale.name == "rank":
            raise InputError(f"{self.name} compares means: for an ordinal measure use method='ar1_ranks'")
        used = scale.used(sides)
        if used.fewest_periods < FEWEST:
            raise InputError(f"{self.name} needs at least {FEWEST} periods a side, got {used.fewest_periods}")
        data = period_series(used, scale)
        y = data.values[0]
        before, after = y[~data.after], y[data.after]
        found = self._contrast(before, after, options.confidence)
        inner = self._contrast(before, after, 2 * options.confidence - 1)
        means = np.array([before.mean(), after.mean()])
        primary = center_row(found, scale, means, role="primary", unit=sides.measure.unit, method=self.title)
        pair = [_lag1(before), _lag1(after)]
        worth = [float(effective_size(len(p), r)) for p, r in zip((before, after), pair, strict=True)]
        return mean_answer(
            found,
            inner,
            scale,
            effects=(primary, *independent_companions(sides, scale, options.confidence)),
            effective=(worth[0], worth[1]),
            block=block_length(float(np.mean(pair)), max(len(before), len(after))),
            caveats=self._caveat,
            parameters={
                "lag1": {"before": pair[0], "after": pair[1]},
                "df": found.df,
            },
            references=(self._reference,),
        )


def _lag1(y: Floats) -> float:
    n = np.array([len(y)])
    return float(corrected_lag1(lag1_autocorrelation(y, np.array([0, len(y)])), n)[0])


def effective_n_welch(before: Floats, after: Floats, confidence: float) -> Contrast:
    """Welch's test with effective sizes n (1 - r) / (1 + r), r the bias-corrected lag-1 correlation.

    References
    ----------
    Zwiers and von Storch (1995), J. Climate 8, 336-351.
    """
    estimate = float(after.mean() - before.mean())
    parts, sizes = [], []
    for y in (before, after):
        n = len(y)
        r = _lag1(y)
        worth = max(2.0, float(effective_size(n, r)))
        # dependence also takes from the variance seen: E s^2 = sigma^2 (1 - VIF / n) n / (n - 1)
        inflate = (1 - 1 / n) / max(1 - (1 + r) / (1 - r) / n, 0.1)
        parts.append(float(y.var(ddof=1)) * inflate / worth)
        sizes.append(worth)
    total = sum(parts)
    if total <= 0:
        return Contrast(estimate, NAN, NAN, NAN, NAN, NAN)
    df = total**2 / sum(v**2 / max(n - 1, 1.0) for v, n in zip(parts, sizes, strict=True))
    return _t(estimate, float(np.sqrt(total)), df, confidence)


def newey_west(before: Floats, after: Floats, confidence: float) -> Contrast:
    """A regression on the step with Newey-West standard error, Bartlett weights, lags 4 (n / 100)^(2/9).

    References
    ----------
    Newey and West (1987), Econometrica 55; R ``sandwich::NeweyWest(lag =, prewhite = FALSE, adjust = TRUE)``.
    """
    y = np.concatenate([before, after])
    n = len(y)
    x = np.column_stack([np.ones(n), np.arange(n) >= len(before)]).astype(float)
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    score = x * (y - x @ beta)[:, None]
    lags = int(4 * (n / 100) ** (2 / 9))
    meat = score.T @ score
    for k in range(1, lags + 1):
        cross = score[k:].T @ score[:-k]
        meat = meat + (1 - k / (lags + 1)) * (cross + cross.T)
    covariance = n / (n - 2) * bread @ meat @ bread
    se = float(np.sqrt(max(covariance[1, 1], 0.0)))
    if se == 0:
        return Contrast(float(beta[1]), NAN, NAN, NAN, NAN, NAN)
    return _t(float(beta[1]), se, float(n - 2), confidence)


def _t(estimate: float, se: float, df: float, confidence: float) -> Contrast:
    half = t_quantile(df, confidence) * se
    t = estimate / se
    return Contrast(estimate, estimate - half, estimate + half, t, df, t_p_value(t, df), se)


AR1_RANKS = AR1Ranks()
EWC_WELCH = LongRunWelch(
    "ewc_welch",
    "Welch's t with cosine long-run variances (EWC)",
    ewc_welch,
    "Lazarus, Lewis, Stock and Watson (2018), J. Business and Economic Statistics 36, eq. 7 and 10",
)
EFFECTIVE_N_WELCH = LongRunWelch(
    "effective_n_welch",
    "Welch's t with effective sample sizes",
    effective_n_welch,
    "Zwiers and von Storch (1995), J. Climate 8, 336-351",
)
NEWEY_WEST = LongRunWelch(
    "newey_west",
    "step regression with Newey-West standard error",
    newey_west,
    "Newey and West (1987), Econometrica 55, 703-708",
    (
        Caveat(
            "liberal-method",
            "Newey-West intervals are too narrow in short series: 7 to 15% false alarms instead of 5% with "
            "correlations of 0 to 0.6 and 30 to 100 periods a side.",
            {"false_alarms_low": 0.07, "false_alarms_high": 0.15},
        ),
    ),
)
