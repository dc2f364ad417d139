"""Doubts about a gauge study, and what a meeting is told."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.measurement_systems.components import (
    GRR,
    PART,
    REPEATABILITY,
    REPRODUCIBILITY,
    TOTAL,
    Components,
)
from perfanalytics.baselines.measurement_systems.gauge_layout import GaugeData
from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.result import Caveat

#: AIAG's limits for the share of the gauge in the study variation or the tolerance.
ACCEPTABLE, UNACCEPTABLE = 0.10, 0.30
CANNOT = "cannot be judged"


def smallest_step(values: NDArray[np.float64]) -> float:
    """Smallest difference between distinct values; 0 when all are equal.

    Differences below 1e-9 of the largest value are rounding of the computer, not of the scale.

    Examples
    --------
    >>> round(smallest_step(np.array([0.3, 0.1 + 0.2, 0.5])), 9)
    0.2
    """
    gaps = np.diff(np.unique(values))
    gaps = gaps[gaps > 1e-9 * float(np.max(np.abs(values)))] if len(gaps) else gaps
    # 12 digits: 0.3 - 0.2 is 0.1 to the reader
    return float(f"{gaps.min():.12g}") if len(gaps) else 0.0


def worst_share(made: Components, step: float, tolerance_sds: float) -> float:
    """Largest share of the gauge when the repeatability is at least half a step of the scale."""
    v = made.variance
    repeat = max(v[REPEATABILITY], (step / 2) ** 2)
    gauge = repeat + v[GRR] - v[REPEATABILITY]
    total = gauge + v[PART]
    study = math.sqrt(gauge / total) if total > 0 else math.nan
    return study if math.isnan(tolerance_sds) else max(study, math.sqrt(gauge) / tolerance_sds)


def standing_of(share: float) -> str:
    """AIAG's words for a share of the gauge."""
    if math.isnan(share):
        return CANNOT
    if share < ACCEPTABLE:
        return "acceptable"
    return "marginal" if share <= UNACCEPTABLE else "unacceptable"


def too_coarse(made: Components, step: float) -> bool:
    """Whether the steps of the scale hide the repeatability: its standard deviation is below half a step."""
    return made.variance[TOTAL] == 0 or 2 * math.sqrt(made.variance[REPEATABILITY]) < step


def doubts(
    data: GaugeData, made: Components, *, step: float, interaction_p: float, kept: bool, estimator: str
) -> list[Caveat]:
    """Caveats of a gauge study."""
    out = []
    repeat = math.sqrt(made.variance[REPEATABILITY])
    parts, operators = len(data.parts), len(data.operators)
    if made.variance[TOTAL] == 0:
        text = f"All {len(data.values)} measurements are {data.values[0]:g}: there is no variation to divide."
        out.append(Caveat("zero-variance", text, {"value": float(data.values[0])}))
    elif too_coarse(made, step):
        text = (
            f"Repeated measurements differ by less (standard deviation {number(repeat)}) than half a step of "
            f"the scale ({number(step)}): small errors are rounded away and cannot be seen."
        )
        out.append(Caveat("too-coarse", text, {"step": step, "repeatability": repeat}))
    elif step > repeat:
        text = (
            f"One step of the scale ({number(step)}) is more than the standard deviation of repeated "
            f"measurements ({number(repeat)}): the rounding is a good part of the error."
        )
        out.append(Caveat("coarse-step", text, {"step": step, "repeatability": repeat}))
    negative = {k: v for k, v in made.raw.items() if v < 0}
    for name, value in negative.items():
        text = f"The variance of {name} was estimated below 0 ({value:.3g}) and is set to 0."
        out.append(Caveat("negative-component", text, {"component": name, "estimate": value}))
    if data.missing:
        text = f"{count(data.missing, 'row')} without a value left out."
        out.append(Caveat("missing-values", text, {"missing": data.missing}))
    if parts < 10 and not data.nested:
        text = f"Only {parts} parts: how much parts differ is known roughly; AIAG asks for 10."
        out.append(Caveat("few-parts", text, {"parts": parts, "needed": 10}))
    if 1 < operators < 3:
        text = f"Only {operators} operators: how much operators differ is hardly known; AIAG asks for 3."
        out.append(Caveat("few-operators", text, {"operators": operators, "needed": 3}))
    if operators == 1:
        text = "One operator: the differences between people are not in these figures."
        out.append(Caveat("one-operator", text, {}))
    if len(data.values) == len(np.unique(data.cell)):
        text = "No part was measured twice by the same operator: the repeatability holds the interaction too."
        out.append(Caveat("no-repeats", text, {}))
    if kept and interaction_p < 0.05:
        text = (
            f"Operators differ from part to part (interaction, p = {interaction_p:.2g}): look which parts "
            "and operators disagree before averages are compared."
        )
        out.append(Caveat("interaction", text, {"p": interaction_p}))
    if estimator == "average_range" and operators > 1:
        text = (
            "The average and range method cannot see an interaction of operators and parts, and counts it "
            "with the parts and the operators."
        )
        out.append(Caveat("interaction-not-seen", text, {}))
    return out


def verdict(
    name: str,
    made: Components,
    *,
    standing: str,
    unit: str,
    coarse: bool,
    share: float,
    low: float,
    high: float,
    confidence: float,
    tolerance_share: float,
    categories: int,
    worst: float,
    step: float,
) -> str:
    """Two or three sentences."""
    v: Mapping[str, float] = made.variance
    if v[TOTAL] == 0:
        return f"{name}: all measurements are equal; the measurement system cannot be judged."
    if standing == CANNOT:
        return (
            f"{name}: the measurement system cannot be judged. Repeated measurements hardly differ because "
            f"the scale moves in steps of {number(step, unit)}; errors up to half a step are hidden, and "
            f"with them the standard deviation of measuring may be up to {percent(worst)} of the total one. "
            "Measure with a finer scale."
        )
    ends = ""
    if math.isfinite(low) and math.isfinite(high):
        ends = f" ({percent(confidence)} interval {percent(low)} to {percent(high)})"
    spread = number(math.sqrt(v[GRR]), unit)
    text = f"{name}: measuring has a standard deviation of {spread}, {percent(share)} of the total one{ends}"
    if coarse:
        text += f", at most {percent(worst)} when what rounding hides is counted"
    if not math.isnan(tolerance_share):
        text += f" and takes {percent(tolerance_share)} of the tolerance"
    said = {
        "acceptable": "by the rule of 10 and 30 percent it is acceptable",
        "marginal": "by the rule of 10 and 30 percent it is marginal, good enough for some uses",
        "unacceptable": "by the rule of 10 and 30 percent it is not good enough",
    }[standing]
    text += f"; {said}."
    if categories == 1:
        text += " It cannot tell parts apart (5 groups of them are asked for)."
    elif categories:
        text += f" It can tell {categories} groups of parts apart (5 are asked for)."
    if math.isfinite(low) and math.isfinite(high):
        named = {standing_of(low), standing_of(high)}
        if len(named) > 1 and not tolerance_share > share:
            text += " A study of this size does not settle which side of the rule it is on."
    if REPRODUCIBILITY in v and standing != "acceptable" and v[GRR] > 0:
        people = v[REPRODUCIBILITY] / v[GRR]
        if people > 0.5:
            text += (
                f" Most of the error ({percent(people)} of its variance) is between people: agree how to "
                "measure."
            )
        else:
            text += (
                f" Most of the error ({percent(1 - people)} of its variance) is between repeats: look at the "
                "instrument and how it is read."
            )
    return text
