"""What people declare and decide: objectives, processes, changes, events, exclusions, actions ...

Records are declared in the plan or in Python, stored by the repository, computed with by the
practices. They are small frozen values; dates are ``datetime.date``, times ``datetime.datetime``
(compared in UTC when they carry a zone, as local wall time otherwise).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Literal, get_args

from perfanalytics.core.errors import InputError, UnknownNameError

When = dt.date | dt.datetime


def _need(kind: str, **texts: str) -> None:
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{kind} needs {name}: a non-empty text")


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
        The business objective it serves. Nothing is charted that traces to nothing.
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
        _need("an objective", name=self.name, measure=self.measure, statistic=self.statistic)
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
        _need("a process", name=self.name, version=self.version)


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
        _need("a change", name=self.name, what=self.what)


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
        _need("an event", name=self.name, what=self.what)


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
class Proposal:
    """An improvement or action proposal, with what it shall bring and what it costs."""

    kind: ClassVar[str] = "proposal"

    name: str
    _: KW_ONLY
    originator: str
    outcome: str
    cause: str = ""
    category: str = ""
    phase: str = ""
    what: str = ""
    cost: float | None = None
    expected_benefit: float | None = None
    cost_of_not_fixing: float | None = None
    success_criterion: str = ""
    declared_on: dt.date | None = None

    def __post_init__(self) -> None:
        _need("a proposal", name=self.name, originator=self.originator, outcome=self.outcome)


@dataclass(frozen=True, slots=True)
class Action:
    """Something somebody will do by a date, and what became of it."""

    kind: ClassVar[str] = "action"

    name: str
    _: KW_ONLY
    what: str
    owner: str = ""
    due: dt.date | None = None
    proposal: str | None = None
    state: Literal["open", "done", "dropped"] = "open"
    closed_on: dt.date | None = None

    def __post_init__(self) -> None:
        _need("an action", name=self.name, what=self.what)
        states = get_args(Literal["open", "done", "dropped"])
        if self.state not in states:
            raise UnknownNameError("state of an action", self.state, states)


@dataclass(frozen=True, slots=True)
class Review:
    """A review that was held: of what, when, by whom, with which saved results before it."""

    kind: ClassVar[str] = "review"

    name: str
    _: KW_ONLY
    subject: str
    held_on: dt.date
    participants: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        _need("a review", name=self.name, subject=self.subject)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by whom, when and why."""

    kind: ClassVar[str] = "decision"

    name: str
    _: KW_ONLY
    what: str
    who: str
    decided_on: dt.date
    why: str = ""
    subject: str | None = None

    def __post_init__(self) -> None:
        _need("a decision", name=self.name, what=self.what, who=self.who)
