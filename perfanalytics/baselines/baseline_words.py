"""The verdict of a baseline: what is typical and how wide, whether it holds still, the objective."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.rows import Row
from perfanalytics.baselines.stability import Stability
from perfanalytics.baselines.wording import count, day, number, percent, share_interval, span
from perfanalytics.core.measure import Measure
from perfanalytics.core.series import Series

#: From this relative half-width of the interval of the center on, the verdict says how many points lack.
WIDE = 0.2


#: Kinds of values that are pooled over periods.
PERIODS = ("shares", "rates", "ratios")
#: Fewer values than this are not put into words.
TOO_FEW = 5


def _wide(rows: Sequence[Row], measure: Measure, more_points: int, *, of: str) -> str:
    """A sentence where the center is known poorly for what it is, and what would halve the interval."""
    center = rows[0]
    half = (center.high - center.low) / 2
    if measure.scale in (None, "real", "ordinal") or more_points < 1 or not center.estimate > 0:
        return ""
    if not half > WIDE * center.estimate:
        return ""
    name = center.quantity
    known = percent(half / center.estimate)
    return f" The {name} is known to within {known} of it only; {more_points:,} more {of} would halve that."


def verdict_of(
    series: Series,
    kind: str,
    rows: Sequence[Row],
    judged: Stability,
    assessed: str,
    when: NDArray[np.datetime64] | None,
    n: int,
    more_points: int,
) -> str:
    """Two or three sentences: what is typical and how wide, whether it holds still, the objective."""
    by_name = {r.quantity: r for r in rows}
    name, unit = series.measure.name, series.measure.unit
    period = "" if when is None else f" from {day(when[0])} to {day(when[-1])}"
    if kind in PERIODS:
        row = by_name["share" if kind == "shares" else "rate"]
        points = count(n, "period" if series.sizes is not None else "item")
        if kind == "shares":
            said, interval = share_interval(row.estimate, row.low, row.high, row.confidence)
        elif kind == "ratios":
            apart = (row.high - row.low) / 10
            said = number(row.estimate, row.unit, spread=apart)
            interval = f"({percent(row.confidence)} interval {span(row.low, row.high)})"
            if math.isnan(row.low):
                interval = "(no interval)"
        else:
            said = number(row.estimate)
            interval = f"({percent(row.confidence)} interval {span(row.low, row.high)})"
        text = f"{name}: {said} over {points}{period} {interval}."
    else:
        # told from the side that matters: a high value is bad unless higher is better
        side, tail = ("at least", "p10") if series.measure.better == "higher" else ("at most", "p90")
        middle, far = by_name["p50"], by_name[tail]
        if n < TOO_FEW:
            few = f"{name}: only {count(n, 'value')}{period}, too few to say what the process does."
            return f"{few} {assessed}".strip()
        apart = abs(far.estimate - middle.estimate) / 10
        half = number(middle.estimate, unit, spread=apart)
        text = f"{name}: half of {count(n, 'value')}{period} are {side} {half}"
        if np.isfinite(far.estimate) and n >= 10:
            text += f", nine in ten {side} {number(far.estimate, unit, spread=apart)}"
        ahead = by_name.get("next item")
        if "sd" in by_name and by_name["sd"].estimate == 0:
            text = f"{name}: all {count(n, 'value')}{period} are {half}"
        elif ahead is not None and not np.isnan(ahead.low):
            text += f"; the next one is expected {span(ahead.low, ahead.high, unit)}"
            text += f" ({percent(ahead.confidence)})"
        text += "."
    if judged.stable is False:
        text += (
            f" The process was not stable ({count(judged.signals, 'signal')}): it may not go on like this."
        )
    elif judged.stable:
        text += " The process was stable."
    text += _wide(rows, series.measure, more_points, of="periods" if kind in PERIODS else "points")
    return f"{text} {assessed}".strip()
