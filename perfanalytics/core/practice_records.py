"""Records of managing work by numbers: works, risks, actions, reviews, decisions.

The records of the practices, with those of :mod:`perfanalytics.core.improvement_records`. Like all records
they are declared in the plan or in Python, kept by the repository in versions that are never overwritten, and
refer to each other by name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Literal, get_args

from perfanalytics.core.errors import InputError
from perfanalytics.core.records import check_amount, check_name, check_probability, checked_where, need

ActionState = Literal["open", "done", "dropped"]
RiskState = Literal["open", "closed", "occurred"]


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work (a project, a service, a contract) that is managed quantitatively.

    Parameters
    ----------
    name : str
    where : mapping of attribute to value
        Which observations are its own; empty means all.
    since, until : date, optional
        First day of its data, and the planned end of the work.
    objectives : tuple of str
        Its objectives and interim objectives, by name.
    subprocesses : tuple of str
        The subprocesses (processes of the plan) that were selected to be managed statistically.
    borrowed : tuple of str
        Names of saved baselines it took over from the organization, to be tested against its own data.
    models : tuple of str
        Names of saved models and simulations that predict its objectives.
    derived : mapping of objective to saved result
        Which interim objectives were derived from which saved model or simulation.
    least_probability : float, optional
        The probability of meeting an objective that a prediction must at least give, declared beforehand;
        below it, the work acts.
    declared_on : date, optional
        When the objectives and the least probability were declared for this work.
    owner : str, optional
    what : str
        What it delivers, to whom.

    Examples
    --------
    >>> Work("Mail service 2024", where={"service": "Mail"}, objectives=["SLA attainment"]).objectives
    ('SLA attainment',)
    """

    kind: ClassVar[str] = "work"

    name: str
    _: KW_ONLY
    what: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)
    since: dt.date | None = None
    until: dt.date | None = None
    objectives: tuple[str, ...] = ()
    subprocesses: tuple[str, ...] = ()
    borrowed: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    derived: Mapping[str, str] = field(default_factory=dict)
    least_probability: float | None = None
    declared_on: dt.date | None = None
    owner: str | None = None

    def __post_init__(self) -> None:
        need("a work", name=self.name)
        check_probability("the least probability of a work", self.least_probability)
        object.__setattr__(self, "where", checked_where("a work", self.where))
        for name in ("objectives", "subprocesses", "borrowed", "models"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InputError(f"the work {self.name!r} begins ({self.since}) after it ends ({self.until})")


@dataclass(frozen=True, slots=True)
class Risk:
    """What may keep an objective from being met.

    Parameters
    ----------
    name, what : str
    objective : str, optional
        The objective at risk.
    work : str, optional
        The work it concerns.
    probability : float, optional
        As judged by people; None where a prediction gives it.
    consequence : str
        What happens when it occurs.
    cost : float, optional
        What it then costs, in the plan's currency or effort.
    response : str
        What is done about it.
    owner : str
    state : {"open", "closed", "occurred"}
    raised_on : date, optional
    """

    kind: ClassVar[str] = "risk"

    name: str
    _: KW_ONLY
    what: str
    objective: str | None = None
    work: str | None = None
    probability: float | None = None
    consequence: str = ""
    cost: float | None = None
    response: str = ""
    owner: str = ""
    state: RiskState = "open"
    raised_on: dt.date | None = None

    def __post_init__(self) -> None:
        need("a risk", name=self.name, what=self.what)
        check_probability("the probability of a risk", self.probability)
        check_amount("the cost of a risk", self.cost)
        check_name("state of a risk", self.state, get_args(RiskState))


@dataclass(frozen=True, slots=True)
class Action:
    """Something somebody will do by a date, and what became of it.

    Parameters
    ----------
    name, what : str
    owner : str
        Empty is allowed, and is said wherever the action is shown.
    due : date, optional
    proposal, work, analysis : str, optional
        What it comes from: a proposal, the review of a work, a causal analysis.
    change : str, optional
        The recorded change by which it was carried out; its date separates before and after.
    state : {"open", "done", "dropped"}
    closed_on : date, optional
    cost : float, optional
        What it really cost.
    opened_on : date, optional
    """

    kind: ClassVar[str] = "action"
    schema_version: ClassVar[int] = 2

    name: str
    _: KW_ONLY
    what: str
    owner: str = ""
    due: dt.date | None = None
    proposal: str | None = None
    state: ActionState = "open"
    closed_on: dt.date | None = None
    work: str | None = None
    analysis: str | None = None
    change: str | None = None
    cost: float | None = None
    opened_on: dt.date | None = None

    def __post_init__(self) -> None:
        need("an action", name=self.name, what=self.what)
        check_name("state of an action", self.state, get_args(ActionState))
        check_amount("the cost of an action", self.cost)

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Fields that were added since have their defaults."""
        return fields


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
        need("a review", name=self.name, subject=self.subject)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, by whom, when and why.

    ``subject`` is what it is about: the name of a subprocess, a proposal, a model ...; ``chosen`` says
    whether the subject was chosen, where it was a choice.
    """

    kind: ClassVar[str] = "decision"
    schema_version: ClassVar[int] = 2

    name: str
    _: KW_ONLY
    what: str
    who: str
    decided_on: dt.date
    why: str = ""
    subject: str | None = None
    chosen: bool | None = None

    def __post_init__(self) -> None:
        need("a decision", name=self.name, what=self.what, who=self.who)

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Fields that were added since have their defaults."""
        return fields
