"""What an interrupted series says: rows, doubts, and what the meeting asks next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perfanalytics.comparisons.classical import Contrast, ljung_box
from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.interrupted_fit import TITLE, Segmented, course_of, least_squares
from perfanalytics.comparisons.levels import effective_periods
from perfanalytics.comparisons.method import Answer, Effect, Options
from perfanalytics.comparisons.methods.series import FEW
from perfanalytics.comparisons.regression import Regression
from perfanalytics.comparisons.rows import contrast_row, whiteness_row
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.segmented import period_word, row
from perfanalytics.comparisons.series_checks import CHECK_LEVEL, PeriodSeries
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.words import number, with_unit
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat


def answer_of(
    fitted: Regression,
    residuals: Floats,
    data: PeriodSeries,
    model: Segmented,
    keep: np.ndarray,
    sides: Sides,
    scale: AnalysisScale,
    options: Options,
    primary: str,
) -> tuple[Answer, Course]:
    """All rows, the doubts and the course."""
    confidence = options.confidence
    unit, word = sides.measure.unit, period_word(sides)
    fit = fitted.fit
    rho, v = float(fit.rho[0]), float(fit.noise[0])
    rows: list[Effect] = []
    for name, weights in model.contrasts.items():
        slope = name.startswith("slope")
        role = (
            "primary"
            if name == primary
            else "companion"
            if name in ("slope_before", "slope_after")
            else "secondary"
        )
        rows.append(
            row(
                name,
                fitted.contrast(weights, confidence),
                scale,
                role=role,  # type: ignore[arg-type]
                unit=f"{unit} a {word}".strip() if slope else unit,
                method=TITLE,
            )
        )
    course, total = course_of(fitted, data, model, keep, sides, scale, confidence)
    white = ljung_box(residuals, fitted=1 if v == 0 else 2)
    naive = least_squares(data, model, keep, primary, confidence)
    rows += [
        contrast_row(
            "cumulative_effect",
            total,
            role="secondary",
            unit=unit,
            method=f"{TITLE}; sum over the {word}s after the change"
            + ("" if scale.name == "raw" else ", delta method"),
        ),
        row(
            primary,
            naive,
            scale,
            role="companion",
            unit=f"{unit} a {word}".strip() if primary.startswith("slope") else unit,
            method="least squares, periods independent",
        ),
        whiteness_row(white),
    ]
    rows.sort(key=lambda e: ("primary", "secondary", "companion").index(e.role))
    inner = fitted.contrast(model.contrasts[primary], 2 * confidence - 1)
    n1, n2 = sides.before.periods, int((keep & data.after).sum())
    worth = [float(effective_periods(n, fit.rho[:1], fit.noise[:1])[0]) for n in (n1, n2)]
    doubts, caveats = _doubts(white, n1, n2)
    if fit.at_bound[0]:
        text = (
            f"The correlation lies at the bound of the search (rho {rho:.3f}): slopes and intervals are "
            "doubtful."
        )
        caveats.append(Caveat("parameter-at-bound", text, {"rho": rho, "noise_share": v}))
    return (
        Answer(
            effects=tuple(rows),
            doubts=doubts,
            equivalence=(scale.back(inner.low), scale.back(inner.high)),
            effective=(worth[0], worth[1]),
            scale=scale.name,
            notes=(*_notes(rows, total, sides, word, n2), *scale.notes),
            caveats=(*scale.caveats, *caveats),
            parameters={
                "scale": scale.name,
                "model": "AR(1)" if v == 0 else "AR(1) plus independent noise",
                "periods": {"before": n1, "after": n2},
                "rho": rho,
                "noise_share": v,
                "noise_gain": float(fit.gain[0]),
                "log_ratio_of_sds": float(fit.log_spread[0]),
                "sigma_before": float(fit.sigma[0]),
                "minus_2_reml": float(fit.deviance[0]),
                "degrees_of_freedom": "Satterthwaite, for each row",
            },
        ),
        course,
    )


def _doubts(white: Contrast, n1: int, n2: int) -> tuple[tuple[str, ...], list[Caveat]]:
    doubts: tuple[str, ...] = ()
    caveats = []
    if white.p_value < CHECK_LEVEL:
        doubts = ("the model does not describe how neighbouring values depend on each other",)
        text = (
            f"The whitened residuals are still correlated (Ljung-Box p = {white.p_value:.2g}): a season "
            "that is left in, a bend, or further changes are the usual reasons."
        )
        evidence = {"statistic": white.statistic, "p_value": white.p_value}
        caveats.append(Caveat("not-white", text, evidence))
    if min(n1, n2) < FEW:
        text = (
            f"Only {n1} periods before and {n2} after: below {FEW} a side slope and correlation are hardly "
            "known."
        )
        caveats.append(Caveat("too-few-periods", text, {"before": n1, "after": n2, "needed": FEW}))
    return doubts, caveats


def _notes(rows: Sequence[Effect], total: Contrast, sides: Sides, word: str, n: int) -> tuple[str, ...]:
    """What the meeting asks next: how much in all, over the time since."""
    average = next(e for e in rows if e.quantity == "average_effect")
    unit = sides.measure.unit
    share = sides.measure.scale == "proportion"
    parts = []
    if average.role != "primary":
        if average.form == "ratio":
            said = f"{number(average.estimate)} times ({number(average.low)} to {number(average.high)})"
            parts.append(
                f"Over the {n} {word}s after it, the level was {said} what was to be expected without it."
            )
        else:
            factor, name = (100.0, "points") if share else (1.0, unit)
            low, high = number(factor * average.low), number(factor * average.high)
            size = with_unit(number(abs(factor * average.estimate)), name)
            side = "below" if average.estimate < 0 else "above"
            parts.append(
                f"Over the {n} {word}s after it, the level was on average {size} {side} what was to be "
                f"expected without it (difference {low} to {high})."
            )
    if not share:
        low, high = number(total.low), number(total.high)
        said = with_unit(number(total.estimate), unit)
        parts.append(f"Summed over these {word}s that is {said} ({low} to {high}).")
    return tuple(parts)
