"""Is a signal an improvement or a concern? From the measure's ``better`` and the side it points to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.measure import Better
from perfanalytics.spc.panel import Panel
from perfanalytics.spc.rules import RuleSet


def directions(
    panels: tuple[Panel, ...],
    rules: RuleSet,
    fired: NDArray[Any],
    value: Floats,
    center: Floats,
    better: Better,
) -> NDArray[Any]:
    """Direction of every point of every panel; "" where no rule fired.

    On the main panel a signal points up or down: by the side of the center line for limits, zones and
    runs on a side, by the slope for a trend alone. Patterns that point nowhere (alternating, hugging the
    center line, both sides) and measures without a better direction are neutral. On panels of variation,
    more is a concern and less an improvement.

    Parameters
    ----------
    panels : tuple of Panel, length P
    rules : RuleSet
    fired, value, center : arrays, shape (P, n)
    better : {"lower", "higher", "target", "unknown"}

    Returns
    -------
    object array of str, shape (P, n)
    """
    out = np.full(fired.shape, "", dtype=object)
    sided = slope = 0
    for bit, rule in enumerate(rules.rules):
        if rule.pattern == "beyond" and (rule.side == "same" or rule.window == 1):
            sided |= 1 << bit
        elif rule.pattern == "trend":
            slope |= 1 << bit
    for k, panel in enumerate(panels):
        here = np.flatnonzero(fired[k])
        points_to = np.zeros(len(here), dtype=int)
        bits = fired[k, here].astype(np.int64)
        by_side = (bits & sided) != 0
        points_to[by_side] = np.sign(value[k, here] - center[k, here])[by_side].astype(int)
        by_slope = ~by_side & ((bits & slope) != 0)
        for j in np.flatnonzero(by_slope):
            before = value[k, : here[j]]
            seen = before[~np.isnan(before)]
            points_to[j] = int(np.sign(value[k, here[j]] - seen[-1])) if len(seen) else 0
        good = -1 if panel.spread else {"higher": 1, "lower": -1}.get(better, 0)
        word = np.where(points_to * good > 0, "improvement", "concern").astype(object)
        word[points_to * good == 0] = "neutral"
        out[k, here] = word
    return out
