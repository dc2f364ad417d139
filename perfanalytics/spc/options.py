"""What a chart type lets its user choose: declared as data, checked by name, range and kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from perfanalytics.core.errors import InputError, UnknownNameError

Value = int | float | str | Mapping[str, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a chart type.

    Parameters
    ----------
    default : int, float, str, mapping or None
    text : str
        What it is, for messages and documentation.
    low, high : float
        Numbers: ``low <= value <= high`` (``low < value`` where ``open``).
    open : bool
    whole : bool
        True where only whole numbers make sense.
    choices : tuple of str
        Texts that are allowed; empty: numbers.
    by_name : bool
        True where a mapping of name to number is allowed.
    """

    default: Value
    text: str
    low: float = float("-inf")
    high: float = float("inf")
    open: bool = False
    whole: bool = False
    choices: tuple[str, ...] = ()
    by_name: bool = False

    def check(self, name: str, chart: str, value: object) -> Value:
        """``value``, if it is allowed.

        Raises
        ------
        InputError, UnknownNameError
        """
        if value is None and self.default is None:
            return None
        if self.choices:
            if value not in self.choices:
                raise UnknownNameError(f"option {name!r} of a {chart} chart", str(value), self.choices)
            return str(value)
        if self.by_name:
            if not isinstance(value, Mapping):
                raise InputError(
                    f"option {name!r} of a {chart} chart ({self.text}) is a mapping of name to number"
                )
            return {str(k): self._number(name, chart, v) for k, v in value.items()}
        number = self._number(name, chart, value)
        return int(number) if self.whole else number

    def _number(self, name: str, chart: str, value: object) -> float:
        good = _is_number(value)
        if good:
            x = float(value)  # type: ignore[arg-type]
            good = (self.low < x if self.open else self.low <= x) and x <= self.high
            good = good and (not self.whole or x == int(x)) and abs(x) != float("inf")
        if not good:
            kind = "a whole number" if self.whole else "a number"
            span = (
                ""
                if self.low == float("-inf")
                else f" {'above' if self.open else 'of at least'} {self.low:g}"
            )
            span += "" if self.high == float("inf") else f"{' and' if span else ''} at most {self.high:g}"
            raise InputError(
                f"option {name!r} of a {chart} chart ({self.text}) is {kind}{span}; got {value!r}"
            )
        return float(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    """A number of Python or NumPy; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was chosen for a chart: options with their defaults, kind of limits, width in sigma."""

    options: Mapping[str, Any] = field(default_factory=dict)
    limits: str = "sigma"
    sigmas: float = 3.0
    #: How the parameters were estimated, also where they were carried on from another chart.
    estimator: str = ""


#: Letters books use for the width of the limits.
_WIDTHS = ("h", "L", "H", "nsigmas", "sigma")


def check_asked(
    chart: str,
    declared: Mapping[str, Option],
    limit_kinds: Mapping[str, str],
    width: float,
    *,
    options: object,
    limits: object,
    sigmas: object,
) -> Asked:
    """What was asked, checked against what a chart type declares.

    Raises
    ------
    InputError, UnknownNameError
    """
    if options is None:
        options = {}
    if not isinstance(options, Mapping):
        raise InputError(
            f"options= is a mapping of name to value; a {chart} chart has "
            + (", ".join(declared) if declared else "none")
        )
    for name in options:
        if name not in declared:
            if name in _WIDTHS:
                raise InputError(f"the width of the limits ({name}) of a {chart} chart is given as sigmas=")
            if not declared:
                raise InputError(f"a {chart} chart has no options, got {name!r}")
            raise UnknownNameError(f"option of a {chart} chart", str(name), declared)
    chosen = {
        name: option.check(name, chart, options[name]) if name in options else option.default
        for name, option in declared.items()
    }
    if limits is None:
        limits = next(iter(limit_kinds))
    if limits not in limit_kinds:
        raise UnknownNameError(f"limits= of a {chart} chart", str(limits), limit_kinds)
    if sigmas is None:
        sigmas = width
    if not _is_number(sigmas) or not 0 < float(sigmas) < 100:  # type: ignore[arg-type]
        raise InputError(f"sigmas= is the width of the limits in sigma, a positive number; got {sigmas!r}")
    return Asked(options=chosen, limits=str(limits), sigmas=float(sigmas))  # type: ignore[arg-type]
