"""What is asked of a process: limits and target, or an objective that gives one of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective


@dataclass(frozen=True, slots=True)
class Specification:
    """Limits and target; NaN where there is none. ``because`` says where the target comes from."""

    lower: float
    upper: float
    target: float
    because: str


def specification(
    lower: float | None,
    upper: float | None,
    target: float | None,
    objective: Objective | None,
    measure: Measure,
) -> Specification:
    """The limits, checked; an objective about items gives the one on its side.

    Raises
    ------
    InputError
        Without any limit, with limits in the wrong order, a target outside of them, an objective that is not
        about items or about another measure, or both an objective and a limit on its side.

    Examples
    --------
    >>> from perfanalytics.core.measure import UNNAMED
    >>> specification(9.0, 11.0, None, None, UNNAMED)
    Specification(lower=9.0, upper=11.0, target=10.0, because='the middle of the limits')
    """
    for name, value in (("lower", lower), ("upper", upper), ("target", target)):
        if value is not None and not math.isfinite(value):
            raise InputError(f"{name} is a number in the unit of the measure, or left out; got {value}")
    if objective is not None:
        if measure.is_named and objective.measure != measure.name:
            raise InputError(
                f"objective {objective.name!r} is about {objective.measure!r}, the series is {measure.name!r}"
            )
        if objective.statistic != "item":
            raise InputError(
                f"objective {objective.name!r} speaks of the {objective.statistic}; a specification limit is "
                "about each item (statistic 'item'): use perf.baseline(..., objective=) for the others"
            )
        side = "upper" if objective.direction == "at_most" else "lower"
        if (upper if side == "upper" else lower) is not None:
            raise InputError(
                f"objective {objective.name!r} already gives the {side} limit: leave {side}= out"
            )
        if side == "upper":
            upper = objective.target
        else:
            lower = objective.target
    if lower is None and upper is None:
        raise InputError("capability needs a limit: give lower=, upper= or an objective about items")
    if lower is not None and upper is not None and not lower < upper:
        raise InputError(f"the lower limit ({lower:g}) lies below the upper one ({upper:g})")
    because = "none: one limit only"
    if target is not None:
        because = "given"
        if (lower is not None and target < lower) or (upper is not None and target > upper):
            raise InputError(f"the target ({target:g}) lies outside the limits")
    elif lower is not None and upper is not None:
        target, because = (lower + upper) / 2, "the middle of the limits"
    nothing = math.nan
    return Specification(
        nothing if lower is None else float(lower),
        nothing if upper is None else float(upper),
        nothing if target is None else float(target),
        because,
    )
