"""The default for values in order of time: a level change with autocorrelated errors, by REML."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from perfanalytics.comparisons.classical import (
    Contrast,
    ewc_welch,
    ljung_box,
    pairwise_order_statistics,
    t_quantile,
)
from perfanalytics.comparisons.criteria import NOISE_PRIOR, RHO_BOUND
from perfanalytics.comparisons.levels import (
    FEWEST,
    LEVEL_CONTRAST,
    effective_periods,
    level_design,
    whitened,
)
from perfanalytics.comparisons.method import NAN, Answer, ComparisonMethod, Effect, Options
from perfanalytics.comparisons.methods.means import NAIVE, center_effect, independent_companions
from perfanalytics.comparisons.prediction import predicted_mean
from perfanalytics.comparisons.reml import NOISE_GAIN, Fit, fit_reml
from perfanalytics.comparisons.rows import CENTERS, contrast_row, whiteness_row
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.seasons import season_caveat, season_terms
from perfanalytics.comparisons.series_checks import (
    CHECK_LEVEL,
    PeriodSeries,
    failed_checks,
    fitted_contrast,
    period_series,
    slope_before,
)
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

#: Fewer periods than this on a side: a caveat.
FEW = 20
#: Effective share of the periods below which the series is called autocorrelated.
AUTOCORRELATED_BELOW = 0.75


class AR1LevelChange(ComparisonMethod):
    """Level change by REML: AR(1) errors, own spread a side, noise term where it pays, Satterthwaite df."""

    name = "ar1_level_change"
    title = "REML level change, AR(1) errors"
    assumes_order = True

    def __call__(self, sides: Sides, options: Options) -> Answer:
        if not sides.ordered:
            raise InputError("ar1_level_change needs values in order of time, and order='none' was given")
        scale = analysis_scale(sides, options.scale)
        used = scale.used(sides)
        if used.fewest_periods < FEWEST or any(_flat(side.values) for side in (used.before, used.after)):
            return _without_test(sides, used, options, scale)
        return _tested(sides, used, options, scale)


AR1_LEVEL_CHANGE = AR1LevelChange()


def _flat(values: Floats) -> bool:
    return bool(np.ptp(values) <= 1e-13 * np.abs(values).max())


def _tested(sides: Sides, used: Sides, options: Options, scale: AnalysisScale) -> Answer:
    data = period_series(used, scale)
    seasonal = None if options.season is None else season_terms(used, options.season)
    both = np.broadcast_to(data.after, data.values.shape)
    design = level_design(
        data.values,
        after=both,
        gap=np.broadcast_to(data.gap, data.values.shape),
        weights=np.broadcast_to(data.weights, data.values.shape),
        seasonal=seasonal,
    )
    contrast = LEVEL_CONTRAST if seasonal is None else np.r_[LEVEL_CONTRAST, np.zeros(seasonal.shape[1])]
    fit = fit_reml(design, contrast)
    found = fitted_contrast(fit, 0, options.confidence)
    inner = fitted_contrast(fit, 0, 2 * options.confidence - 1)
    rho, v = float(fit.rho[0]), float(fit.noise[0])
    n1, n2 = used.before.periods, used.after.periods
    worth = [float(effective_periods(n, fit.rho[:1], fit.noise[:1])[0]) for n in (n1, n2)]
    residuals = whitened(design, fit)
    white = ljung_box(residuals, fitted=1 if v == 0 else 2)
    slope = slope_before(data, seasonal)
    doubts, check_caveats = failed_checks(slope, white)
    companions = (
        _rank_companion(fit, used, options.confidence),
        _ewc_companion(data, sides, scale, options.confidence),
        *independent_companions(sides, _no_rank(scale), options.confidence),
        slope,
        whiteness_row(white),
    )
    naive = next(c for c in companions if c.method == NAIVE)
    return Answer(
        effects=(
            _primary(found, fit, used, scale),
            _shift(fit, sides, options.confidence, ranked=len(used.values)),
            *companions,
        ),
        doubts=doubts,
        equivalence=_as_effect(inner, scale, used)[1:],
        effective=(worth[0], worth[1]),
        block=block_length(rho, max(n1, n2)),
        center_se=found.se,
        center_df=found.df,
        scale=scale.name,
        residuals=(residuals[~data.after], residuals[data.after]),
        rank_half=t_quantile(float(fit.df[1]), options.confidence) * float(fit.se[1]) / len(used.values),
        notes=scale.notes,
        caveats=(
            *scale.caveats,
            *(
                season_caveat(
                    used,
                    data.values[0],
                    np.column_stack([~data.after, data.after]).astype(float),
                    gap=data.gap,
                    weights=data.weights,
                )
                if seasonal is None
                else ()
            ),
            *_size_caveats(used),
            *_dependence(rho, v, n1 + n2, sum(worth), naive),
            *_fit_caveats(fit),
            *check_caveats,
        ),
        parameters={
            "scale": scale.name,
            "scale_chosen": scale.chosen,
            "model": "AR(1)" if v == 0 else "AR(1) plus independent noise",
            "season": options.season,
            "periods": {"before": n1, "after": n2},
            "rho": rho,
            "noise_share": v,
            "noise_gain": float(fit.gain[0]),
            "noise_used_above": NOISE_GAIN,
            "noise_prior": NOISE_PRIOR,
            "rho_bound": RHO_BOUND,
            "log_ratio_of_sds": float(fit.log_spread[0]),
            "sigma_before": float(fit.sigma[0]),
            "minus_2_reml": float(fit.deviance[0]),
            "df": found.df,
            "degrees_of_freedom": "Satterthwaite",
            "weights": "values behind each period" if np.ptp(data.weights) else "equal",
            "checks": {"joint_level": CHECK_LEVEL, "adjustment": "Holm"},
        },
        references=(
            "Pinheiro and Bates (2000), Mixed-Effects Models in S and S-PLUS, ch. 5",
            "Satterthwaite (1946), Biometrics Bulletin 2",
        ),
    )


def _as_effect(found: Contrast, scale: AnalysisScale, sides: Sides) -> tuple[float, float, float]:
    """Estimate and interval in the terms of the primary row."""
    if scale.name == "rank":
        return _probability(found, len(sides.values))
    return scale.back(found.estimate), scale.back(found.low), scale.back(found.high)


def _probability(found: Contrast, n: int) -> tuple[float, float, float]:
    """A difference of mean ranks of n values as a probability that a value after is higher."""
    return 0.5 + found.estimate / n, max(0.0, 0.5 + found.low / n), min(1.0, 0.5 + found.high / n)


def _primary(found: Contrast, fit: Fit, sides: Sides, scale: AnalysisScale) -> Effect:
    quantity, form = CENTERS[scale.name]
    estimate, low, high = _as_effect(found, scale, sides)
    levels = np.array([NAN, NAN]) if scale.name == "rank" else scale.levels(fit.beta[0])
    if sides.measure.scale == "proportion" and form == "difference":
        low, high = max(low, -1.0), min(high, 1.0)
    return contrast_row(
        quantity,
        replace(found, estimate=estimate, low=low, high=high),
        role="primary",
        before=float(levels[0]),
        after=float(levels[1]),
        form=form,
        unit=sides.measure.unit if form == "difference" else "",
        method=AR1LevelChange.title,
    )


def _shift(fit: Fit, sides: Sides, confidence: float, *, ranked: int) -> Effect:
    """Hodges-Lehmann shift; its interval takes the standard error of the rank fit.

    The shifts D for which the share of pairs with after - before > D stays within t SE of one half;
    ``ranked`` values were in the rank fit.
    """
    x, y = sides.before.values, sides.after.values
    pairs = len(x) * len(y)
    half = t_quantile(float(fit.df[1]), confidence) * float(fit.se[1]) / ranked
    k = max(1, int(np.floor(pairs * (0.5 - half))))
    wanted = [(pairs + 1) // 2, pairs // 2 + 1, k, pairs + 1 - k]
    a, b, low, high = pairwise_order_statistics(x, y, wanted)
    reached = half < 0.5
    return Effect(
        "hodges_lehmann_shift",
        role="secondary",
        before=float(np.median(x)),
        after=float(np.median(y)),
        estimate=0.5 * (a + b),
        low=low if reached else -np.inf,
        high=high if reached else np.inf,
        unit=sides.measure.unit,
        method="order statistics of the differences, standard error from the rank fit",
    )


def _no_rank(scale: AnalysisScale) -> AnalysisScale:
    return AnalysisScale("raw", scale.chosen) if scale.name == "rank" else scale


def _rank_companion(fit: Fit, sides: Sides, confidence: float) -> Effect:
    found = fitted_contrast(fit, 1, confidence)
    estimate, low, high = _probability(found, len(sides.values))
    return contrast_row(
        "probability_of_superiority",
        replace(found, estimate=estimate, low=low, high=high),
        role="companion",
        form="probability",
        method="REML level change of the ranks",
    )


def _ewc_companion(data: PeriodSeries, sides: Sides, scale: AnalysisScale, confidence: float) -> Effect:
    y = data.values[0]
    found = ewc_welch(y[~data.after], y[data.after], confidence)
    effect = center_effect(
        found,
        sides,
        _no_rank(scale),
        role="companion",
        method="Welch's t with cosine long-run variances (EWC)",
    )
    if scale.name != "rank":
        return effect
    return contrast_row(
        "difference_of_mean_ranks",
        found,
        role="companion",
        method=effect.method,
    )


def _size_caveats(sides: Sides) -> tuple[Caveat, ...]:
    n1, n2 = sides.before.periods, sides.after.periods
    if min(n1, n2) >= FEW:
        return ()
    text = f"Only {n1} periods before and {n2} after: below {FEW} a side the autocorrelation is hardly known."
    return (Caveat("too-few-periods", text, {"before": n1, "after": n2, "needed": FEW}),)


def _dependence(rho: float, v: float, n: int, worth: float, naive: Effect) -> tuple[Caveat, ...]:
    if worth >= n * AUTOCORRELATED_BELOW:
        return ()
    text = (
        f"Neighbouring periods are correlated (rho {rho:.2f}"
        + (f", {v:.0%} of the variance is independent noise" if v else "")
        + f"): {n} periods tell as much as about {worth:.0f} independent ones. "
        f"Welch's test, which takes all values as independent, would have said {p_text(naive.p_value)}."
    )
    evidence = {"rho": rho, "noise_share": v, "effective_n": worth, "naive_p_value": naive.p_value}
    return (Caveat("autocorrelated", text, evidence),)


def _fit_caveats(fit: Fit) -> tuple[Caveat, ...]:
    if not fit.at_bound[0]:
        return ()
    text = (
        "A parameter of the correlation lies at the bound of the search "
        f"(rho {fit.rho[0]:.3f}): the series may have no fixed level."
    )
    return (
        Caveat("parameter-at-bound", text, {"rho": float(fit.rho[0]), "noise_share": float(fit.noise[0])}),
    )


def block_length(rho: float, n: int) -> int:
    """Periods a block for the resampled intervals, from the fitted correlation.

    References
    ----------
    Carlstein (1986), Annals of Statistics 14: ``(2 rho / (1 - rho^2))^(2/3) n^(1/3)`` for AR(1).
    """
    rho = max(rho, 0.0)
    length = (2 * rho / (1 - rho**2)) ** (2 / 3) * n ** (1 / 3)
    return int(min(max(1, np.ceil(length)), max(1, n // 3)))


def _without_test(sides: Sides, used: Sides, options: Options, scale: AnalysisScale) -> Answer:
    """Fewer than 8 periods a side, or no variation: the mean after against what was to be expected."""
    scale = _no_rank(scale)
    n1, n2 = used.before.periods, used.after.periods
    found = predicted_mean(used, scale, options.confidence)
    caveats = list(scale.caveats)
    if min(n1, n2) < FEWEST:
        text = (
            f"{n1} periods before and {n2} after: fewer than {FEWEST} on a side allow no test; the mean "
            "after is held against the range predicted from the before period."
        )
        caveats.append(Caveat("too-few-periods", text, {"before": n1, "after": n2, "needed": FEWEST}))
    return Answer(
        effects=(found, *independent_companions(sides, scale, options.confidence)),
        tested=False,
        effective=(NAN, NAN),
        scale=scale.name,
        notes=scale.notes,
        caveats=tuple(caveats),
        parameters={
            "scale": scale.name,
            "scale_chosen": scale.chosen,
            "no_test": f"fewer than {FEWEST} periods on a side"
            if min(n1, n2) < FEWEST
            else "no variation on a side",
        },
    )
