"""Variance components from the analysis of variance, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.measurement_systems.gauge_layout import GaugeData
from perfanalytics.baselines.measurement_systems.variance import Ends, mls_interval, mls_ratio

#: The components in the order of the table.
GRR = "gauge R&R"
REPEATABILITY = "repeatability"
REPRODUCIBILITY = "reproducibility"
OPERATOR = "operator"
INTERACTION = "operator by part"
PART = "part"
TOTAL = "total"
ORDER = (GRR, REPEATABILITY, REPRODUCIBILITY, OPERATOR, INTERACTION, PART, TOTAL)
_UNKNOWN: Ends = (math.nan, math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Variances with intervals.

    ``raw`` are the estimates before negative ones were set to 0; ``part_to_gauge`` is the interval of the
    ratio of the part variance to that of the gauge.
    """

    variance: Mapping[str, float]
    raw: Mapping[str, float]
    interval: Mapping[str, Ends]
    part_to_gauge: Ends
    intervals_by: str


@dataclass(frozen=True, slots=True)
class AnovaLine:
    """One line of the table; F and p are NaN where there is nothing to test."""

    source: str
    df: float
    ss: float
    ms: float
    f: float = math.nan
    p: float = math.nan


@dataclass(frozen=True, slots=True)
class Anova:
    """The table and what was done with the interaction."""

    lines: tuple[AnovaLine, ...]
    interaction: str
    interaction_p: float

    def line(self, source: str) -> AnovaLine:
        """One line by its source."""
        return next(x for x in self.lines if x.source == source)


def anova(data: GaugeData, *, interaction: str, pool_alpha: float) -> Anova:
    """The analysis of variance of balanced data.

    Parameters
    ----------
    interaction : {"pool", "keep", "none"}
        "pool": the interaction joins the repeatability when its p-value is above ``pool_alpha``.

    References
    ----------
    AIAG (2010), Measurement Systems Analysis, 4th ed., appendix A. Montgomery (2013), Design and Analysis of
    Experiments, 8th ed., sections 13.2 and 14.2.
    """
    cube = data.cube()
    o, p, r = cube.shape
    grand, cells = cube.mean(), cube.mean(axis=2)
    by_operator = cells.mean(axis=1)
    within = float(np.sum((cube - cells[:, :, None]) ** 2))
    df_within = o * p * (r - 1)
    ss_operator = p * r * float(np.sum((by_operator - grand) ** 2))
    total = AnovaLine(TOTAL, o * p * r - 1, float(np.sum((cube - grand) ** 2)), math.nan)
    if data.nested:
        ss_part = r * float(np.sum((cells - by_operator[:, None]) ** 2))
        e = _line(REPEATABILITY, df_within, within)
        b = _line(PART, o * (p - 1), ss_part, e)
        return Anova((_line(OPERATOR, o - 1, ss_operator, b), b, e, total), "not in a nested study", math.nan)
    by_part = cells.mean(axis=0)
    ss_part = o * r * float(np.sum((by_part - grand) ** 2))
    if o == 1:
        e = _line(REPEATABILITY, df_within, within)
        return Anova((_line(PART, p - 1, ss_part, e), e, total), "one operator: none", math.nan)
    ss_both = r * float(np.sum((cells - by_operator[:, None] - by_part + grand) ** 2))
    df_both = (o - 1) * (p - 1)
    if r > 1:
        e = _line(REPEATABILITY, df_within, within)
        both = _line(INTERACTION, df_both, ss_both, e)
        if interaction == "keep" or (interaction == "pool" and not both.p > pool_alpha):
            tested = (_line(PART, p - 1, ss_part, both), _line(OPERATOR, o - 1, ss_operator, both))
            return Anova((*tested, both, e, total), "kept", both.p)
        p_both = both.p
    else:
        p_both = math.nan
    e = _line(REPEATABILITY, df_within + df_both, within + ss_both)
    lines = (_line(PART, p - 1, ss_part, e), _line(OPERATOR, o - 1, ss_operator, e), e)
    return Anova((*lines, total), "pooled" if interaction == "pool" else "not in the model", p_both)


def _line(source: str, df: int, ss: float, error: AnovaLine | None = None) -> AnovaLine:
    ms = ss / df if df else math.nan
    if error is None:
        return AnovaLine(source, df, ss, ms)
    f = ms / error.ms if error.ms > 0 else (math.inf if ms > 0 else math.nan)
    p = float(special.fdtrc(df, error.df, f)) if math.isfinite(f) else (0.0 if f == math.inf else math.nan)
    return AnovaLine(source, df, ss, ms, f, p)


def from_anova(data: GaugeData, table: Anova, *, confidence: float) -> Components:
    """Components by equating the mean squares with what they are expected to be.

    Negative components are set to 0; a sum of components is that of its parts after this, so that the table
    adds up. The intervals are those of the linear combinations, cut at 0.
    """
    o, p = len(data.operators), len(data.parts) // (len(data.operators) if data.nested else 1)
    r = data.repeats
    sources = [x.source for x in table.lines if x.source != TOTAL]
    at = {s: np.array([float(s == t) for t in sources]) for s in sources}
    squares = np.array([table.line(s).ms for s in sources])
    df = np.array([table.line(s).df for s in sources])
    e = at[REPEATABILITY]
    parts: dict[str, NDArray[np.float64]] = {REPEATABILITY: e}
    if data.nested:
        parts[OPERATOR] = (at[OPERATOR] - at[PART]) / (p * r)
        parts[PART] = (at[PART] - e) / r
    elif o == 1:
        parts[PART] = (at[PART] - e) / r
    else:
        error = at.get(INTERACTION, e)
        parts[OPERATOR] = (at[OPERATOR] - error) / (p * r)
        parts[PART] = (at[PART] - error) / (o * r)
        if INTERACTION in at:
            parts[INTERACTION] = (at[INTERACTION] - e) / r
    zero = np.zeros(len(sources))
    reproducibility = parts.get(OPERATOR, zero) + parts.get(INTERACTION, zero)
    gauge = e + reproducibility
    wanted = parts | {GRR: gauge, TOTAL: gauge + parts[PART]}
    if o > 1:
        wanted[REPRODUCIBILITY] = reproducibility
    interval = {}
    for name, c in wanted.items():
        low, high = mls_interval(c, squares, df, confidence=confidence)
        interval[name] = (max(0.0, low), max(0.0, high))
    # the gauge is never better than its repeatability: sums with a negative sign do not know this
    for name, least in ((GRR, REPEATABILITY), (TOTAL, GRR)):
        interval[name] = (max(interval[name][0], interval[least][0]), interval[name][1])
    low, high = mls_ratio(parts[PART], gauge, squares, df, confidence=confidence)
    high = min(high, mls_ratio(parts[PART], e, squares, df, confidence=confidence)[1])
    return Components(
        variance=add_up({k: max(0.0, float(c @ squares)) for k, c in parts.items()}),
        raw={k: float(c @ squares) for k, c in parts.items()},
        interval=interval,
        part_to_gauge=(low, high),
        intervals_by="modified large sample (Burdick, Borror and Montgomery 2003)",
    )


def add_up(parts: Mapping[str, float]) -> dict[str, float]:
    """The components and their sums, in the order of the table."""
    out = dict(parts)
    if OPERATOR in parts:
        out[REPRODUCIBILITY] = parts[OPERATOR] + parts.get(INTERACTION, 0.0)
    out[GRR] = parts[REPEATABILITY] + out.get(REPRODUCIBILITY, 0.0)
    out[TOTAL] = out[GRR] + parts[PART]
    return {name: out[name] for name in ORDER if name in out}


def unknown_intervals(variance: Mapping[str, float], why: str) -> Components:
    """Components without intervals."""
    return Components(
        variance=variance,
        raw=dict(variance),
        interval=dict.fromkeys(variance, _UNKNOWN),
        part_to_gauge=_UNKNOWN,
        intervals_by=why,
    )
