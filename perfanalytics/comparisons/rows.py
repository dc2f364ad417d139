"""Rows of a comparison from tested contrasts."""

from __future__ import annotations

from dataclasses import replace

from perfanalytics.comparisons.classical import Contrast
from perfanalytics.comparisons.method import NAN, Effect, Form, Role
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.core.columns import Floats

#: What the center is called on each analysis scale, and what its change is.
CENTERS: dict[str, tuple[str, Form]] = {
    "raw": ("difference_of_means", "difference"),
    "log": ("ratio_of_geometric_means", "ratio"),
    "logit": ("ratio_of_odds", "ratio"),
    "rank": ("probability_of_superiority", "probability"),
}


def contrast_row(
    quantity: str,
    found: Contrast,
    *,
    role: Role,
    method: str,
    form: Form = "difference",
    unit: str = "",
    before: float = NAN,
    after: float = NAN,
) -> Effect:
    """A contrast as a row: its estimate, interval and test as they are."""
    return Effect(
        quantity,
        role=role,
        before=before,
        after=after,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        statistic=found.statistic,
        df=found.df,
        p_value=found.p_value,
        form=form,
        unit=unit,
        method=method,
    )


def check_row(quantity: str, found: Contrast, method: str) -> Effect:
    """The test of an assumption: a companion without an estimate."""
    return Effect(
        quantity,
        role="companion",
        statistic=found.statistic,
        df=found.df,
        p_value=found.p_value,
        form="test",
        method=method,
    )


def whiteness_row(found: Contrast) -> Effect:
    """The Ljung-Box test of whitened residuals."""
    return check_row("whiteness", found, "Ljung-Box test of the whitened residuals")


def in_terms_of_measure(found: Contrast, scale: AnalysisScale) -> Contrast:
    """A contrast on the analysis scale with estimate and interval in the terms of the measure."""
    return replace(
        found,
        estimate=scale.back(found.estimate),
        low=scale.back(found.low),
        high=scale.back(found.high),
    )


def center_row(
    found: Contrast, scale: AnalysisScale, levels: Floats, *, role: Role, unit: str, method: str
) -> Effect:
    """The change of the center, ``found`` and ``levels`` (before, after) on the analysis scale."""
    quantity, form = CENTERS[scale.name]
    before, after = scale.levels(levels).tolist()
    return contrast_row(
        quantity,
        in_terms_of_measure(found, scale),
        role=role,
        method=method,
        form=form,
        unit=unit if form == "difference" else "",
        before=before,
        after=after,
    )
