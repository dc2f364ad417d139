"""Is a signal an improvement or a concern? From the measure's ``better`` and the side it points to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.spc.families import family_of

if TYPE_CHECKING:
    from perfanalytics.spc.chart import ControlChart


def directions(chart: ControlChart) -> NDArray[Any]:
    """Direction of every point of every panel; "" where no rule fired.

    On the main panel a signal points up or down: by the side of the center line for limits, zones and
    runs on a side, by the slope for a trend alone. Patterns that point nowhere (alternating, hugging the
    center line, both sides) and measures without a better direction are neutral. On panels of variation,
    more is a concern and less an improvement.

    Returns
    -------
    object array of str, shape (P, n)
    """
    out = np.full(chart.fired.shape, "", dtype=object)
    sided = slope = 0
    for bit, rule in enumerate(chart.rules.rules):
        if rule.pattern == "beyond" and (rule.side == "same" or rule.window == 1):
            sided |= 1 << bit
        elif rule.pattern == "trend":
            slope |= 1 << bit
    better = chart.measure.better
    for k, panel in enumerate(family_of(chart.chart).panels):
        fired = chart.fired[k]
        here = np.flatnonzero(fired)
        points_to = np.zeros(len(here), dtype=int)
        bits = fired[here].astype(np.int64)
        by_side = (bits & sided) != 0
        points_to[by_side] = np.sign(chart.value[k, here] - chart.center[k, here])[by_side].astype(int)
        by_slope = ~by_side & ((bits & slope) != 0)
        for j in np.flatnonzero(by_slope):
            before = chart.value[k, : here[j]]
            seen = before[~np.isnan(before)]
            points_to[j] = int(np.sign(chart.value[k, here[j]] - seen[-1])) if len(seen) else 0
        good = -1 if panel.spread else {"higher": 1, "lower": -1}.get(better, 0)
        word = np.where(points_to * good > 0, "improvement", "concern").astype(object)
        word[points_to * good == 0] = "neutral"
        out[k, here] = word
    return out
