"""What people declare: objectives, processes, changes, events, exclusions, what shall be analyzed.

Records are declared in the plan or in Python, stored by the repository, computed with by the practices (whose
own records are in :mod:`perfanalytics.core.practice_records` and
:mod:`perfanalytics.core.improvement_records`). They are small frozen values; dates are ``datetime.date``,
times ``datetime.datetime`` (compared in UTC when they carry a zone, as local wall time otherwise).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Literal

from perfanalytics.core.errors import InputError, UnknownNameError

When = dt.date | dt.datetime


def need(kind: str, **texts: str) -> None:
    """Raise for a text that is missing or empty."""
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{kind} needs {name}: a non-empty text")


def check_probability(what: str, value: float | None) -> None:
    """Raise for a number that is no probability; None passes."""
    if value is not None and not 0 <= value <= 1:
        raise InputError(f"{what} is between 0 and 1, got {value}")


def checked_where(kind: str, where: Mapping[str, object]) -> dict[str, object]:
    """Attribute values as they are kept, lists as tuples; raise for what cannot be kept."""
    out: dict[str, object] = {}
    for name, value in where.items():
        parts = tuple(value) if isinstance(value, tuple | list) else (value,)
        if not isinstance(name, str) or not all(isinstance(v, str | int | float | bool) for v in parts):
            raise InputError(
                f"{kind}: where says which attribute has which value (a text, a number, yes or no, or a list "
                f"of them); got {name!r}: {value!r}"
            )
        out[name] = parts if isinstance(value, tuple | list) else value
    return out


def check_name(what: str, value: str, allowed: tuple[str, ...]) -> None:
    """Raise for a value that is not one of those allowed."""
    if value not in allowed:
        raise UnknownNameError(what, value, allowed)


def check_amount(what: str, value: float | None) -> None:
    """Raise for a negative amount of money or effort; None passes."""
    if value is not None and not value >= 0:
        raise InputError(f"{what} is an amount of money or effort, not negative; got {value}")


@dataclass(frozen=True, slots=True)
class Objective:
    """A quantitative quality and process performance objective.

    Parameters
    ----------
    name : str
    measure : str
        Name of the measure it is about.
    statistic : str
        Of what the target speaks: "item" (each item), "mean", "median", "share", "p90" ...
    target : float
        In the unit of the measure.
    direction : {"at_most", "at_least"}
        Which side of the target meets the objective.
    share : float, optional
        With ``statistic="item"``: the share of items that shall meet the target (0.9 = 90%).
    by : date, optional
        By when.
    serves : str, optional
        The business objective it serves, or the objective an interim objective serves. Nothing is charted
        that traces to nothing.
    declared_on : date, optional
        When it was declared; a threshold chosen after seeing the result is worth little.

    Examples
    --------
    >>> Objective("fast", measure="resolution_hours", statistic="item", target=24, direction="at_most",
    ...           share=0.9).met_by(20.0)
    True
    """

    kind: ClassVar[str] = "objective"

    name: str
    _: KW_ONLY
    measure: str
    target: float
    direction: Literal["at_most", "at_least"]
    statistic: str = "item"
    share: float | None = None
    by: dt.date | None = None
    serves: str | None = None
    declared_on: dt.date | None = None

    def __post_init__(self) -> None:
        need("an objective", name=self.name, measure=self.measure, statistic=self.statistic)
        if self.direction not in ("at_most", "at_least"):
            raise UnknownNameError("direction", str(self.direction), ("at_most", "at_least"))
        if self.share is not None and not 0 < self.share <= 1:
            raise InputError(
                f"the share of items that shall meet an objective is in (0, 1], got {self.share}"
            )

    def met_by(self, value: float) -> bool:
        """Whether one value of the statistic meets the target."""
        return value <= self.target if self.direction == "at_most" else value >= self.target


@dataclass(frozen=True, slots=True)
class Process:
    """A process or, with ``parent``, a subprocess, in one version of its definition."""

    kind: ClassVar[str] = "process"

    name: str
    _: KW_ONLY
    version: str = "1"
    parent: str | None = None
    valid_from: When | None = None
    owner: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        need("a process", name=self.name, version=self.version)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was changed on purpose: what, where, when, by whom and why."""

    kind: ClassVar[str] = "change"

    name: str
    _: KW_ONLY
    when: When
    what: str
    where: Mapping[str, str] = field(default_factory=dict)
    process: str | None = None
    who: str | None = None
    why: str = ""

    def __post_init__(self) -> None:
        need("a change", name=self.name, what=self.what)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened and may explain data: a special cause, an outage, a holiday.

    ``where`` limits it to series whose attributes have these values; empty means everywhere.
    """

    kind: ClassVar[str] = "event"

    name: str
    _: KW_ONLY
    when: When
    what: str
    until: When | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    measure: str | None = None
    who: str | None = None
    why: str = ""

    def __post_init__(self) -> None:
        need("an event", name=self.name, what=self.what)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A point that is not used for the limits, with its cause. It stays visible.

    Exactly one of ``point``, ``when``, ``label`` and ``item`` says which point is meant.

    Parameters
    ----------
    reason : str
        The cause that was found. Without one, nothing is excluded.
    point : int, optional
        0-based position in the series.
    when : date or datetime, optional
        Time stamp of the point; with ``until``, every point from ``when`` to ``until`` (both included).
    label, item : str, optional
        Label of the point, or the item it belongs to.
    who : str
        Who decided it.
    decided_on : date, optional
        When it was decided.
    series : str, optional
        In a batch: the id of the series it is about; None means every series.

    Raises
    ------
    InputError
        Without a reason, or when not exactly one way of naming the point is used.

    Examples
    --------
    >>> Exclusion("power failure", point=14, who="A. Meier").reason
    'power failure'
    """

    kind: ClassVar[str] = "exclusion"

    reason: str
    _: KW_ONLY
    point: int | None = None
    when: When | None = None
    until: When | None = None
    label: str | None = None
    item: str | None = None
    who: str = ""
    decided_on: dt.date | None = None
    series: str | None = None
    measure: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise InputError("a point is excluded only with a reason: give Exclusion('what caused it', ...)")
        named = [n for n in ("point", "when", "label", "item") if getattr(self, n) is not None]
        if len(named) != 1:
            raise InputError(
                "an exclusion names its point by exactly one of point=, when=, label=, item=; got "
                + (", ".join(named) or "none")
            )


@dataclass(frozen=True, slots=True)
class BusinessObjective:
    """What the organization wants to reach, in the words of its management.

    Quality and process performance objectives serve it (``Objective.serves`` is its name).

    Examples
    --------
    >>> BusinessObjective("Customers can work again the next day", owner="Head of service").name
    'Customers can work again the next day'
    """

    kind: ClassVar[str] = "business_objective"

    name: str
    _: KW_ONLY
    what: str = ""
    owner: str | None = None
    by: dt.date | None = None
    declared_on: dt.date | None = None

    def __post_init__(self) -> None:
        need("a business objective", name=self.name)


@dataclass(frozen=True, slots=True)
class PlannedAnalysis:
    """What the plan asks for: which saved results belong to it, and what they serve.

    Parameters
    ----------
    name : str
        Name of the analysis; its results are saved under it (or under ``name: stratum``).
    what : str
        The table of the plan: "chart", "baseline", "model" ...
    measure : str, optional
        The measure it is about; None where it is about no measure of the repository.
    objective : str, optional
        The objective it serves.
    question : str
    measures : tuple of str
        Further measures it uses (factors of a model, steps of a composed process).
    """

    kind: ClassVar[str] = "planned_analysis"

    name: str
    _: KW_ONLY
    what: str
    measure: str | None = None
    objective: str | None = None
    question: str = ""
    measures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        need("a planned analysis", name=self.name, what=self.what)
