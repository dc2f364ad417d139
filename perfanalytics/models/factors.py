"""Factor: the role of a column in a model: who can set it, in which subprocess, within which range."""

from __future__ import annotations

import math
import numbers
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Factor:
    """The role of one column on the right side of a formula.

    Parameters
    ----------
    name : str
        The column.
    controllable : bool
        Whether somebody can set it; default True, because a factor is mostly declared for that.
    subprocess : str, optional
        The subprocess in which it is set.
    low, high : float, optional
        Feasible range of a number, in its unit; without them that of the data is used.
    choices : tuple, optional
        Feasible levels of a category; without them all levels of the data.
    unit : str

    Raises
    ------
    InputError
        For an empty name or range, a range that is not finite, or a range together with choices.

    Examples
    --------
    >>> Factor("reviewers", subprocess="peer review", low=1, high=4).controllable
    True
    """

    kind: ClassVar[str] = "factor"

    name: str
    _: KW_ONLY
    controllable: bool = True
    subprocess: str | None = None
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError("a factor needs the name of its column")
        ends = [v for v in (self.low, self.high) if v is not None]
        if any(isinstance(v, bool) or not isinstance(v, numbers.Real) for v in ends):
            raise InputError(f"the feasible range of {self.name!r} is two numbers, got {ends}")
        if any(not math.isfinite(v) for v in ends):
            raise InputError(f"the feasible range of {self.name!r} is finite; leave an end out that is open")
        if len(ends) == 2 and ends[0] > ends[1]:
            raise InputError(f"the feasible range of {self.name!r} is empty: {ends[0]:g} to {ends[1]:g}")
        if self.choices is not None and (ends or not self.choices):
            raise InputError(f"{self.name!r} has a range (low=, high=) or choices (at least one), not both")
