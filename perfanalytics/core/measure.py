"""Measure: what a number means, before anything is computed with it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, get_args

from perfanalytics.core.errors import InputError, UnknownNameError

Better = Literal["lower", "higher", "target", "unknown"]
Scale = Literal["real", "positive", "duration", "count", "proportion", "ordinal"]

#: Scales on which methods work with logarithms by default: positive and skewed to the right.
LOG_SCALES: frozenset[str] = frozenset({"positive", "duration"})

#: Scales of measured quantities (minutes, money): their unit is a choice, no law of counts holds for them.
MEASURED_SCALES: frozenset[str] = frozenset({"real", "positive", "duration"})


@dataclass(frozen=True, slots=True)
class Measure:
    """The operational definition of a measure.

    Parameters
    ----------
    name : str
        Short identifier, as used in the plan and in the repository ("resolution_hours").
    definition : str
        What is counted or measured, included and excluded, so that two people get the same number.
    unit : str
        Unit of one value ("hours", "incidents"; "1" for a share).
    better : {"lower", "higher", "target", "unknown"}
        Which direction is an improvement.
    scale : {"real", "positive", "duration", "count", "proportion", "ordinal"} or None
        The kind of number. It fixes the default methods: durations and other positive measures are
        analysed on the log scale, proportions with their denominators. ``None`` says that the scale
        was not declared; a method that needs one then records how it decided.
    subprocess : str, optional
        The subprocess the measure describes.

    Raises
    ------
    InputError
        When the name is empty.
    UnknownNameError
        When ``better`` or ``scale`` is not one of the allowed values.

    Examples
    --------
    >>> m = Measure("resolution_hours", definition="From opened to resolved, elapsed time",
    ...             unit="hours", better="lower", scale="duration")
    >>> m.label
    'resolution_hours (hours)'
    """

    kind: ClassVar[str] = "measure"

    name: str
    _: KW_ONLY
    definition: str
    unit: str
    better: Better
    scale: Scale | None
    subprocess: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError("a measure needs a name (a non-empty string)")
        if self.better not in get_args(Better):
            raise UnknownNameError("direction (better=)", str(self.better), get_args(Better))
        if self.scale is not None and self.scale not in get_args(Scale):
            raise UnknownNameError("scale", str(self.scale), get_args(Scale))

    @property
    def label(self) -> str:
        """Name with unit, for an axis or a table head."""
        return self.name if self.unit in ("", "1", self.name) else f"{self.name} ({self.unit})"

    @property
    def is_named(self) -> bool:
        """False for the stand-in measure of bare numbers."""
        return self != UNNAMED


def require_definition(measure: Measure) -> None:
    """Raise for a measure that declares a unit, direction or scale, but not what is measured.

    A column name alone (no unit, direction and scale) is a stand-in for bare numbers, and passes.

    Raises
    ------
    InputError

    Examples
    --------
    >>> bare = Measure("hours", definition="", unit="hours", better="lower", scale="duration")
    >>> try:
    ...     require_definition(bare)
    ... except InputError as error:
    ...     print(str(error)[:48])
    measure 'hours' has no operational definition: s
    """
    bare = measure.unit == "" and measure.better == "unknown" and measure.scale is None
    if not measure.definition.strip() and not bare:
        raise InputError(
            f"measure {measure.name!r} has no operational definition: say what is counted or measured, what "
            "is included and excluded (definition=), before its data are analyzed"
        )


#: The measure of bare numbers (a list, an array): no definition, direction and scale unknown.
UNNAMED = Measure("values", definition="", unit="", better="unknown", scale=None)
