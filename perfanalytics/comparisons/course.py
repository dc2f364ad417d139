"""Course: a series through the change, with what was to be expected without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only, same
from perfanalytics.core.columns import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Course:
    """The periods of a series through a change; n periods, values in the unit of the measure.

    Parameters
    ----------
    when : datetime64 array, shape (n,), or None
        Start of each period; None without times.
    observed : float array, shape (n,)
        Value of each period (geometric mean of its items on the log scale).
    fitted : float array, shape (n,)
        What the model says; NaN where a period was left out.
    expected, low, high : float arrays, shape (n,)
        What was to be expected without the change (the counterfactual), with its interval; NaN before it.
    reference : float array, shape (n,)
        The comparison group; NaN where there is none.
    change, earliest, latest : int
        First period after the change (0-based), and its interval where the date was estimated; all equal
        where it was known.
    """

    kind: ClassVar[str] = "comparison_course"

    when: NDArray[np.datetime64] | None
    observed: Floats
    fitted: Floats
    expected: Floats
    low: Floats
    high: Floats
    reference: Floats
    change: int
    earliest: int
    latest: int

    def __post_init__(self) -> None:
        for name in ("when", "observed", "fitted", "expected", "low", "high", "reference"):
            array = getattr(self, name)
            if array is not None:
                object.__setattr__(self, name, read_only(array))

    def __repr__(self) -> str:
        return f"<Course of {len(self.observed)} periods, change at {self.change}>"

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, Course) else NotImplemented

    def __hash__(self) -> int:
        return hash((len(self.observed), self.change))
