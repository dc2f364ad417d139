"""What a comparison method lets its user choose: declared as data, checked by name and value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perfanalytics.core.errors import InputError, UnknownNameError

Value = str | bool | int


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a method.

    Parameters
    ----------
    default : str, bool or int
    text : str
        What it is, for messages.
    choices : tuple of str
        The texts that are allowed; a default of True or False allows these two; else a whole number.
    low : int
        Smallest whole number allowed.
    """

    default: Value
    text: str
    choices: tuple[str, ...] = ()
    low: int = 1

    def check(self, name: str, method: str, value: object) -> Value:
        """``value``, if it is allowed.

        Raises
        ------
        InputError, UnknownNameError
        """
        if self.choices:
            if value not in self.choices:
                raise UnknownNameError(f"option {name!r} of {method}", str(value), self.choices)
            return str(value)
        if isinstance(self.default, bool):
            if not isinstance(value, bool):
                raise InputError(f"option {name!r} of {method} ({self.text}) is true or false, got {value!r}")
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < self.low:
            raise InputError(
                f"option {name!r} of {method} ({self.text}) is a whole number of at least {self.low}, "
                f"got {value!r}"
            )
        return value


def check_choices(method: str, declared: Mapping[str, Choice], given: object) -> dict[str, Any]:
    """The options of a method with their defaults.

    Raises
    ------
    InputError, UnknownNameError

    Examples
    --------
    >>> declared = {"interval": Choice("newcombe", "how", choices=("newcombe", "score"))}
    >>> check_choices("two_proportions", declared, None)
    {'interval': 'newcombe'}
    >>> check_choices("two_proportions", declared, {"interval": "score"})
    {'interval': 'score'}
    """
    if given is None:
        given = {}
    if not isinstance(given, Mapping):
        raise InputError(f"options= is a mapping of name to value, got {type(given).__name__}")
    for name in given:
        if not declared:
            raise InputError(f"the method {method!r} has no options, got {name!r}")
        if name not in declared:
            raise UnknownNameError(f"option of {method}", str(name), declared)
    return {
        name: choice.check(name, method, given[name]) if name in given else choice.default
        for name, choice in declared.items()
    }


@dataclass(frozen=True, slots=True)
class StatisticChoice(Choice):
    """An option that is a name from a list, or a function of an array of values with a name of its own."""

    def check(self, name: str, method: str, value: object) -> Any:
        """``value``, if it is a known name or a named function.

        Raises
        ------
        InputError, UnknownNameError
        """
        if not callable(value):
            return Choice.check(self, name, method, value)
        label = getattr(value, "__name__", "")
        if not label.isidentifier():
            raise InputError(
                f"option {name!r} of {method}: a function needs a name, so that the result can say what was "
                "compared; define it with def"
            )
        return value


def named(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they are recorded: functions by their name."""
    return {name: value.__name__ if callable(value) else value for name, value in chosen.items()}
