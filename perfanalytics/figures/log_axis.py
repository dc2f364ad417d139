"""Ticks of a log axis that can be read."""

from __future__ import annotations

import numpy as np


def value_ticks(low: float, high: float) -> list[float]:
    """Ticks of a log axis from ``low`` to ``high``: 1, 2, 5 a decade; closer where fewer than 4 fit.

    Examples
    --------
    >>> value_ticks(0.8, 45.0), value_ticks(31.0, 38.0)
    ([0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0], [30.0, 32.0, 34.0, 36.0, 38.0])
    >>> value_ticks(6.0, 45.0)
    [5.0, 7.0, 10.0, 20.0, 30.0, 50.0]
    """
    first, last = np.floor(np.log10(low)), np.ceil(np.log10(high))
    wide = (1.0, 2.0, 5.0) if last - first <= 4 else (1.0,)
    for steps in (wide, (1.0, 2.0, 3.0, 5.0, 7.0)):
        ticks = [float(f"{s}e{int(d)}") for d in np.arange(first, last + 1) for s in steps]
        inside = [t for t in ticks if low <= t <= high]
        if len(inside) >= 4 or high <= low:
            below, above = [t for t in ticks if t < low], [t for t in ticks if t > high]
            return [*below[-1:], *inside, *above[:1]]
    rough = (high - low) / 4
    scale = 10.0 ** np.floor(np.log10(rough))
    step = float(next(s * scale for s in (1, 2, 5, 10) if s * scale >= rough))
    count = range(int(np.floor(low / step)), int(np.ceil(high / step)) + 1)
    return [float(f"{k * step:.12g}") for k in count if k > 0]
