"""Practical importance: the effect held against the smallest one anybody would act on."""

from __future__ import annotations

import math

from perfanalytics.comparisons.method import Effect
from perfanalytics.core.errors import InputError


def bounds(primary: Effect, margin: float) -> tuple[float, float]:
    """The margin as a range around no effect.

    Raises
    ------
    InputError
        When the margin does not fit the form of the primary effect.
    """
    if primary.form == "ratio":
        if not margin > 1:
            raise InputError(
                f"the primary effect is a ratio ({primary.quantity}): the margin is a factor above 1, "
                f"1.1 for 'within 10%'; got {margin:g}"
            )
        return 1 / margin, margin
    if not margin > 0:
        raise InputError(f"the margin must be positive, in the unit of the measure; got {margin:g}")
    if primary.form == "probability":
        if margin >= 0.5:
            raise InputError(f"the primary effect is a probability: the margin is below 0.5, got {margin:g}")
        return 0.5 - margin, 0.5 + margin
    return -margin, margin


def importance_of(primary: Effect, margin: float | None) -> str:
    """Whether the effect is as large as the smallest effect of interest.

    Returns
    -------
    {"important", "unimportant", "open", ""}
        The whole interval at or beyond the margin; within it; neither; "" without a margin or an interval.

    Examples
    --------
    >>> importance_of(Effect("difference_of_means", role="primary", estimate=-5, low=-7, high=-3), 2.0)
    'important'
    """
    if margin is None or primary.form == "test" or math.isnan(primary.low) or math.isnan(primary.high):
        return ""
    low, high = bounds(primary, margin)
    if primary.high <= low or primary.low >= high:
        return "important"
    return "unimportant" if low < primary.low and primary.high < high else "open"
