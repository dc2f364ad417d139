"""The figure of many baselines: median (or share, rate) with its interval, P10 to P90, one row a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from perfanalytics.baselines.bulk_result import Baselines
from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.core.columns import Floats
from perfanalytics.figures.rows import Rows, draw_rows, standing_of

#: What stands for a series: the first of these that it has, and how it is called.
_CENTERS = {"share": "pooled share", "rate": "pooled rate", "p50": "median", "mean": "mean"}


def info(result: Baselines) -> Rows:
    """The series, the worst first: in the direction the measure should not go, else the highest."""
    parts = [_center(result, part) for part in ("estimate", "low", "high")]
    center, low, high = parts
    drawn = np.flatnonzero(np.isfinite(center))
    worst = center[drawn] if result.measure.better == "higher" else -center[drawn]
    order = drawn[np.argsort(worst, kind="stable")]
    reach = [_known(result, name)[order] for name in ("p10", "p90")]
    log = bool((result.scale[order] == "log").all()) and all(
        bool((c[np.isfinite(c)] > 0).all()) for c in (*(p[order] for p in parts), *reach)
    )
    meeting = _known(result, SHARE_MEETING)[order]
    judged = bool(np.isfinite(meeting).any())
    goal = result.objective
    lines: tuple[tuple[float, str], ...] = ()
    if goal is not None and (not log or goal.target > 0):
        about = "" if goal.statistic == "item" else f" ({goal.statistic})"
        lines = ((goal.target, f"objective{about}: {goal.direction.replace('_', ' ')} {goal.target:g}"),)
    counts = result.n[order].tolist()
    return Rows(
        title=f"{len(result):,} baselines of {result.measure.name}",
        axis=result.measure.label,
        log=log and len(order) > 0,
        percent="share" in result.quantity.tolist(),
        name=np.array(result.ids, dtype=object)[order],
        center=center[order],
        low=low[order],
        high=high[order],
        reach_low=reach[0],
        reach_high=reach[1],
        standing=standing_of(result.judged, result.stable)[order],
        note=np.array(
            [
                f"{n:,}" + (f"; {share:.0%}" if share == share else "")
                for n, share in zip(counts, meeting.tolist(), strict=True)
            ],
            dtype=object,
        ),
        head="values; meeting the objective" if judged else "values",
        lines=lines,
        bar="P10 to P90",
        dot=_name(result),
        hidden=len(result) - len(order),
    )


def draw(result: Baselines) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    return draw_rows(info(result))


def _known(result: Baselines, quantity: str) -> Floats:
    if not (result.quantity == quantity).any():
        return np.full(len(result), np.nan)
    return result.column(quantity)


def _center(result: Baselines, part: str) -> Floats:
    """The pooled share or rate; of numbers the median."""
    out = np.full(len(result), np.nan)
    missing = np.ones(len(result), dtype=bool)
    for name in _CENTERS:
        if (result.quantity == name).any():
            here = missing & np.isfinite(result.column(name))
            out = np.where(here, result.column(name, part), out)
            missing &= ~here
    return out


def _name(result: Baselines) -> str:
    known = result.quantity.tolist()
    return next((said for quantity, said in _CENTERS.items() if quantity in known), "center")
