"""What a service report says of its targets and figures, in words."""

from __future__ import annotations

import datetime as dt
import math

from perfanalytics.baselines.wording import count, percent
from perfanalytics.practices.service_reports.period_figures_result import PeriodFigures
from perfanalytics.practices.service_reports.service_report_material import ReportMaterial


def period_text(since: dt.date, until: dt.date) -> str:
    """A period in words, its last day included.

    Examples
    --------
    >>> period_text(dt.date(2024, 10, 1), dt.date(2025, 1, 1))
    '2024-10-01 to 2024-12-31'
    """
    return f"{since} to {until - dt.timedelta(days=1)}"


def targets_sentence(material: ReportMaterial) -> str:
    """How many targets were met, and which were missed by how much."""
    found = [k.result for k in material.of("performance") if isinstance(k.result, PeriodFigures)]
    if not material.performance:
        return "No target is declared."
    judged = [f for f in found if f.standing[0]]
    met = [f for f in judged if f.standing[0] == "met"]
    text = f"{len(met)} of {count(len(material.performance), 'target')} met"
    if not judged:
        text = f"None of {count(len(material.performance), 'target')} could be judged"
    lacking = [_lacking(f) for f in judged if f.standing[0] == "missed"]
    if lacking:
        text += f"; missed: {'; '.join(lacking)}"
    silent = len(material.performance) - len(judged)
    if judged and silent:
        text += f"; {silent} could not be judged"
    return f"{text}."


def _lacking(f: PeriodFigures) -> str:
    assert f.objective is not None
    side = "at least" if f.side == "at_least" else "at most"
    text = f"{f.objective.name} ({f.said(float(f.value[0]))} instead of {side} {f.said(f.required)}"
    return text + (", within chance)" if f.sure[0] == "within chance" else ")")


def change_text(f: PeriodFigures) -> str:
    """How the figure changed since the period before: "5.2% more", "" where nobody knows.

    Shares in percentage points.
    """
    now, before = float(f.value[0]), float(f.previous[0])
    each = ""
    if f.statistic in ("sum", "count", "nonconforming") and f.periods and f.previous_periods:
        now, before = now / f.periods, before / f.previous_periods
        each = "" if f.periods == f.previous_periods else ", each"
    if math.isnan(now) or math.isnan(before):
        return ""
    if f.is_share:
        points = 100 * (now - before)
        return (
            f"{abs(points):.1f} points {'more' if points > 0 else 'less'}"
            if abs(points) >= 0.05
            else "the same"
        )
    if before == 0:
        return "the same" if now == 0 else "none before"
    ratio = now / before - 1
    return (
        f"{percent(abs(ratio))} {'more' if ratio > 0 else 'less'}{each}"
        if abs(ratio) >= 0.0005
        else "the same"
    )
