"""Period values of both sides for the series methods, and the checks on them: drift before, whiteness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.classical import Contrast, midranks, t_p_value, t_quantile
from perfanalytics.comparisons.levels import slope_design
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.reml import Fit, fit_reml
from perfanalytics.comparisons.rows import contrast_row
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat

#: Joint level of the two checks (drift before the change, whiteness), divided by Holm.
CHECK_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class PeriodSeries:
    """Period values of both sides on two scales, with their distances."""

    values: Floats  # (2, n): analysis scale, ranks
    weights: Floats
    after: NDArray[np.bool_]
    gap: Floats
    position: Floats


def period_series(sides: Sides, scale: AnalysisScale) -> PeriodSeries:
    """Weighted means a period on the analysis scale and of the ranks of all items."""
    ranks, _ = midranks(sides.values)
    n1 = len(sides.before.values)
    rows = []
    for values in ((ranks if scale.name == "rank" else scale.forward(sides.values)), ranks):
        parts = [
            side.by_period(part) for side, part in ((sides.before, values[:n1]), (sides.after, values[n1:]))
        ]
        rows.append(np.concatenate([p[0] for p in parts]))
    positions = [p[2] for p in parts]
    gap = np.concatenate(
        [[np.inf], np.diff(positions[0]), [sides.boundary_gap], np.diff(positions[1])]
    ).astype(float)
    return PeriodSeries(
        values=np.stack(rows),
        weights=np.concatenate([p[1] for p in parts]),
        after=np.repeat([False, True], [len(p) for p in positions]),
        gap=gap,
        position=positions[0].astype(float),
    )


def fitted_contrast(fit: Fit, row: int, confidence: float) -> Contrast:
    """The contrast of one fitted series with its interval."""
    b, se, df = float(fit.estimate[row]), float(fit.se[row]), float(fit.df[row])
    half = t_quantile(df, confidence) * se
    return Contrast(b, b - half, b + half, b / se, df, t_p_value(b / se, df), se)


def slope_before(data: PeriodSeries, seasonal: Floats | None = None) -> Effect:
    """The slope a period within the before period, by the same engine; with the season taken out."""
    before = ~data.after
    y = data.values[:1, before]
    gap = data.gap[None, before]
    terms = _estimable(seasonal, before)
    design = slope_design(
        y,
        time=(data.position - data.position[0])[None],
        gap=gap,
        weights=data.weights[None, before],
        seasonal=terms,
    )
    contrast = np.zeros(2 + (0 if terms is None else terms.shape[1]))
    contrast[1] = 1.0
    fit = fit_reml(design, contrast)
    found = fitted_contrast(fit, 0, 0.95)
    return contrast_row(
        "slope_before",
        found,
        role="companion",
        unit="a period, on the analysis scale",
        method="REML slope within the before period (95% interval)",
    )


def _estimable(seasonal: Floats | None, before: NDArray[np.bool_]) -> Floats | None:
    """The seasonal terms of the before period, where it is long enough to tell them from a slope."""
    if seasonal is None:
        return None
    terms = seasonal[before]
    n = len(terms)
    whole = np.column_stack([np.ones(n), np.arange(n), terms])
    if n < 2 * whole.shape[1] or np.linalg.matrix_rank(whole) < whole.shape[1]:
        return None
    return terms


def failed_checks(slope: Effect, white: Contrast) -> tuple[tuple[str, ...], tuple[Caveat, ...]]:
    """Holm over both checks: what speaks against putting a difference down to the change."""
    p = {"drift-before": slope.p_value, "not-white": white.p_value}
    known = sorted((value, name) for name, value in p.items() if not np.isnan(value))
    failed: set[str] = set()
    for k, (value, name) in enumerate(known):
        if value > CHECK_LEVEL / (len(known) - k):
            break
        failed.add(name)
    doubts, caveats = [], []
    if "drift-before" in failed:
        doubts.append("the series was already drifting before the change")
        caveats.append(
            Caveat(
                "drift-before",
                f"The before period already drifts (slope p = {slope.p_value:.2g}): a difference cannot be "
                "put down to the change.",
                {"slope": slope.estimate, "p_value": slope.p_value},
            )
        )
    if "not-white" in failed:
        doubts.append("the model does not describe how neighbouring values depend on each other")
        caveats.append(
            Caveat(
                "not-white",
                f"The whitened residuals are still correlated (Ljung-Box p = {white.p_value:.2g}): standard "
                "error and interval are doubtful; seasons or several changes are the usual reasons.",
                {"statistic": white.statistic, "p_value": white.p_value},
            )
        )
    return tuple(doubts), tuple(caveats)
