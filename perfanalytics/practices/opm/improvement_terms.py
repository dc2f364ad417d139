"""What a success criterion asks for, as a number on the scale on which it is judged."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import SuccessCriterion
from perfanalytics.core.measure import LOG_SCALES, Measure


def sign_of(measure: Measure) -> float:
    """1 where higher is better, -1 where lower is.

    Raises
    ------
    InputError
        When the measure does not say which direction is better.
    """
    sign = {"lower": -1.0, "higher": 1.0}.get(measure.better, 0.0)
    if not sign:
        raise InputError(
            f"the measure {measure.name!r} does not say which direction is better "
            f"(better={measure.better!r}): "
            "an improvement of it cannot be judged"
        )
    return sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a criterion asks for.

    Parameters
    ----------
    form : {"change", "ratio", "level"}
    scale : {"raw", "log"}
        On which the periods are analyzed: logarithms for ratios, and for levels of durations.
    sign : float
        1 where higher is better, -1 where lower is.
    value : float
        Improvement asked for on that scale (positive = better); of a level the level, times ``sign``.
    """

    form: Literal["change", "ratio", "level"]
    scale: Literal["raw", "log"]
    sign: float
    value: float

    def forward(self, values: Floats) -> Floats:
        """Values on the scale; times ``sign``, so that more is better.

        Raises
        ------
        InputError
            For values without a logarithm.
        """
        if self.scale == "raw":
            return np.asarray(self.sign * values)
        if (values <= 0).any():
            raise InputError("a ratio cannot be judged where a period has the value 0: declare least_change")
        return np.asarray(self.sign * np.log(values))

    def back(self, improvement: float) -> float:
        """An improvement (or level) on the scale, in the terms of the criterion."""
        if math.isnan(improvement):
            return math.nan
        if self.form == "change":
            return improvement
        plain = self.sign * improvement
        return math.exp(plain) if self.scale == "log" else plain

    def said(self, value: float, unit: str) -> str:
        """A number in the terms of the criterion, in words."""
        if self.form == "ratio":
            return f"{percent(abs(1 - value))} {'more' if value > 1 else 'less'}"
        if unit in ("", "1") and self.form == "change":
            return f"{number(100 * value)} percentage points"
        if unit in ("", "1"):
            return percent(value)
        return number(value, unit)

    def range_said(self, low: float, high: float, unit: str) -> str:
        """Two numbers in the terms of the criterion, in words, the unit once."""
        first = self.said(low, unit)
        end = " percentage points" if unit in ("", "1") and self.form == "change" else f" {unit}"
        return f"{first.removesuffix(end)} to {self.said(high, unit)}"


def requirement_of(criterion: SuccessCriterion, measure: Measure) -> Requirement:
    """What a criterion asks for of a measure.

    Raises
    ------
    InputError
        For a criterion about another measure, or one that asks for the opposite of an improvement.

    Examples
    --------
    >>> import datetime as dt
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    >>> less = SuccessCriterion("a fifth less", proposal="P", measure="hours", least_ratio=0.8,
    ...                         declared_on=dt.date(2024, 1, 1))
    >>> asked = requirement_of(less, hours)
    >>> asked.form, round(asked.value, 4), round(asked.back(asked.value), 4)
    ('ratio', 0.2231, 0.8)
    """
    if criterion.measure != measure.name:
        raise InputError(
            f"the criterion {criterion.name!r} is about {criterion.measure!r}, the data are of "
            f"{measure.name!r}"
        )
    sign = sign_of(measure)
    if criterion.least_ratio is not None:
        value = sign * math.log(criterion.least_ratio)
        _check_better(value, criterion, measure)
        return Requirement(form="ratio", scale="log", sign=sign, value=value)
    if criterion.least_change is not None:
        _check_better(criterion.least_change, criterion, measure)
        return Requirement(form="change", scale="raw", sign=sign, value=criterion.least_change)
    assert criterion.target is not None
    if {"at_most": -1.0, "at_least": 1.0}[str(criterion.direction)] != sign:
        raise InputError(
            f"the criterion {criterion.name!r} asks for {str(criterion.direction).replace('_', ' ')} "
            f"{criterion.target:g} of {measure.name!r}, of which {measure.better} is better"
        )
    logs = measure.scale in LOG_SCALES and criterion.target > 0
    level = math.log(criterion.target) if logs else criterion.target
    return Requirement(form="level", scale="log" if logs else "raw", sign=sign, value=sign * level)


def _check_better(value: float, criterion: SuccessCriterion, measure: Measure) -> None:
    if value <= 0:
        raise InputError(
            f"the criterion {criterion.name!r} asks for no improvement: of {measure.name!r} {measure.better} "
            "is better (a least_change is positive when it is better, a least_ratio is after over before)"
        )


def asked_for(criterion: SuccessCriterion, measure: Measure) -> str:
    """A criterion in words.

    Examples
    --------
    >>> import datetime as dt
    >>> hours = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    >>> asked_for(SuccessCriterion("c", proposal="P", measure="hours", statistic="median", least_ratio=0.8,
    ...                            declared_on=dt.date(2024, 1, 1)), hours)
    'the median of hours at least 20% less'
    """
    of = f"the {criterion.statistic} of {measure.name}"
    asked = requirement_of(criterion, measure)
    if asked.form == "level":
        said = str(criterion.direction).replace("_", " ")
        return f"{of} {said} {asked.said(float(criterion.target or 0.0), measure.unit)}"
    if asked.form == "ratio":
        return f"{of} at least {asked.said(float(criterion.least_ratio or 1.0), measure.unit)}"
    return f"{of} better by at least {asked.said(asked.value, measure.unit)}"


def text_array(values: Iterable[Any]) -> NDArray[Any]:
    """Texts as an array of objects."""
    return np.array(list(values), dtype=object)
