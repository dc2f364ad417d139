"""Whether methods that take items as independent can be believed: their lag-1 correlation."""

from __future__ import annotations

import numpy as np

from perfanalytics.comparisons.sides import Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.result import Caveat


def lag1_of_sides(sides: Sides) -> tuple[float, float]:
    """Lag-1 autocorrelation of the period values of each side; NaN where it is not defined."""
    found = []
    for side in (sides.before, sides.after):
        y, _, position = side.by_period(side.values)
        # a missing period is a gap: pairs across it do not count
        spread = np.full(int(position[-1] - position[0]) + 1 if len(y) < 100_000 else len(y), np.nan)
        if len(spread) > 50 * len(y):
            spread = y
        else:
            spread[position - position[0]] = y
        found.append(float(lag1_autocorrelation(spread, np.array([0, len(spread)]))[0]))
    return found[0], found[1]


def visible_lag1(r: Floats, n: Floats) -> float | None:
    """The pooled lag-1 correlation of several stretches of n values, where it is above 1.645 / sqrt(n)."""
    known = ~np.isnan(r)
    if not known.any():
        return None
    pooled = float(np.average(corrected_lag1(r[known], n[known]), weights=n[known]))
    return pooled if pooled > 1.645 / np.sqrt(n[known].sum()) else None


def dependence_caveat(sides: Sides) -> tuple[Caveat, ...]:
    """A caveat where ordered items are visibly autocorrelated but taken as independent."""
    if not sides.ordered:
        return ()
    n = np.array([sides.before.periods, sides.after.periods], dtype=float)
    r = np.array(lag1_of_sides(sides))
    pooled = visible_lag1(r, n)
    if pooled is None:
        return ()
    text = (
        f"Neighbouring values are correlated (lag-1 about {pooled:.2f}), but this method takes them as "
        "independent: its interval is too narrow and its p-value too small. "
        "method='ar1_level_change' accounts for it."
    )
    return (Caveat("autocorrelated", text, {"lag1": pooled, "before": float(r[0]), "after": float(r[1])}),)
