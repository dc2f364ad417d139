"""The average and range method of the AIAG manual, with exact constants."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from perfanalytics.baselines.measurement_systems.components import (
    OPERATOR,
    PART,
    REPEATABILITY,
    Components,
    add_up,
    unknown_intervals,
)
from perfanalytics.baselines.measurement_systems.gauge_layout import GaugeData
from perfanalytics.spc.constants import d2, d3

#: With more ranges than this the AIAG tables use d2 in place of d2*.
MANY_RANGES = 15


@dataclass(frozen=True, slots=True)
class Ranges:
    """The ranges and constants behind the numbers, for ``.method``."""

    mean_range: float
    operator_range: float
    part_range: float
    k1: float
    k2: float
    k3: float


def d2_star(n: int, groups: int) -> float:
    """Divisor that makes the squared mean range of ``groups`` samples of ``n`` an unbiased variance.

    ``sqrt(d2^2 + d3^2 / groups)``.

    References
    ----------
    Duncan (1986), Quality Control and Industrial Statistics, 5th ed., appendix D3.

    Examples
    --------
    >>> round(1 / d2_star(3, 1), 4), round(1 / d2_star(10, 1), 4)
    (0.5231, 0.3146)
    """
    return math.sqrt(d2(n) ** 2 + d3(n) ** 2 / groups)


def from_ranges(data: GaugeData) -> tuple[Components, Ranges]:
    """Components from mean ranges: repeatability, operator and part; no interaction.

    References
    ----------
    AIAG (2010), Measurement Systems Analysis, 4th ed., chapter III, section B: K1, K2, K3.
    """
    cube = data.cube()
    o, p, r = cube.shape
    groups = o * p
    k1 = 1 / (d2(r) if groups > MANY_RANGES else d2_star(r, groups))
    mean_range = float(np.ptp(cube, axis=2).mean())
    ev = mean_range * k1
    part_range, k3 = float(np.ptp(cube.mean(axis=(0, 2)))), 1 / d2_star(p, 1)
    parts = {REPEATABILITY: ev**2, PART: (part_range * k3) ** 2}
    raw = dict(parts)
    operator_range, k2 = 0.0, math.nan
    if o > 1:
        operator_range, k2 = float(np.ptp(cube.mean(axis=(1, 2)))), 1 / d2_star(o, 1)
        raw[OPERATOR] = (operator_range * k2) ** 2 - ev**2 / (p * r)
        parts[OPERATOR] = max(0.0, raw[OPERATOR])
    made = unknown_intervals(add_up(parts), "none: the average and range method has no intervals")
    made = Components(
        variance=made.variance,
        raw=raw,
        interval=made.interval,
        part_to_gauge=made.part_to_gauge,
        intervals_by=made.intervals_by,
    )
    return made, Ranges(mean_range, operator_range, part_range, k1, k2, k3)
