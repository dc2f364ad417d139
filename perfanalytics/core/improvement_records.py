"""Records of improving: causal analyses, causes, failure modes, proposals, criteria, pilots, deployments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Literal, get_args

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import When, check_amount, check_name, checked_where, need

AnalysisState = Literal["open", "acting", "closed"]


@dataclass(frozen=True, slots=True)
class CausalAnalysis:
    """A causal analysis: which outcome was selected, its scope, who took part, where it stands.

    Parameters
    ----------
    name : str
        Its identifier ("CAR-2024-03").
    outcome : str
        What is seen, in a sentence.
    measure : str, optional
        The measure in which it is seen.
    where : mapping of attribute to value
        Scope: which part of the data.
    since, until : date or datetime, optional
        Scope: when it was seen.
    subprocess, objective : str, optional
        Where it arises; which objective it harms.
    selected_because : str
        Why this outcome and not another.
    participants : tuple of str
    opened_on, closed_on : date, optional
    state : {"open", "acting", "closed"}
    lesson : str
        What others can learn from it.
    """

    kind: ClassVar[str] = "causal_analysis"

    name: str
    _: KW_ONLY
    outcome: str
    measure: str | None = None
    where: Mapping[str, Any] = field(default_factory=dict)
    since: When | None = None
    until: When | None = None
    subprocess: str | None = None
    objective: str | None = None
    selected_because: str = ""
    participants: tuple[str, ...] = ()
    opened_on: dt.date | None = None
    closed_on: dt.date | None = None
    state: AnalysisState = "open"
    lesson: str = ""

    def __post_init__(self) -> None:
        need("a causal analysis", name=self.name, outcome=self.outcome)
        object.__setattr__(self, "where", checked_where("a causal analysis", self.where))
        object.__setattr__(self, "participants", tuple(self.participants))
        check_name("state of a causal analysis", self.state, get_args(AnalysisState))


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause found or suspected in a causal analysis.

    Parameters
    ----------
    name : str
    analysis : str
        Name of the causal analysis.
    because_of : str or tuple of str, optional
        The cause behind it (the next "why"), by name; several where it has several.
    category : str
        Branch of the cause-and-effect diagram (people, method, tool, material, environment, measurement ...).
    phase : str
        Where it came in.
    evidence : str
        What supports it: a saved result, an observation.
    state : {"suspected", "confirmed", "refuted"}
    root : bool
        Whether it is one that shall be removed.
    """

    kind: ClassVar[str] = "cause"

    name: str
    _: KW_ONLY
    analysis: str
    what: str = ""
    because_of: str | tuple[str, ...] | None = None
    category: str = ""
    phase: str = ""
    evidence: str = ""
    state: Literal["suspected", "confirmed", "refuted"] = "suspected"
    root: bool = False

    def __post_init__(self) -> None:
        need("a cause", name=self.name, analysis=self.analysis)
        if not isinstance(self.because_of, str | None):
            # one name stays a text: what was saved before there could be several reads the same
            names = tuple(self.because_of)
            object.__setattr__(self, "because_of", names if len(names) > 1 else (names or (None,))[0])
        check_name("state of a cause", self.state, ("suspected", "confirmed", "refuted"))

    @property
    def behind(self) -> tuple[str, ...]:
        """The causes behind it, by name; empty at the end of a branch.

        Examples
        --------
        >>> Cause("slow", analysis="CAR-1", because_of=["no triage", "few people"]).behind
        ('no triage', 'few people')
        """
        if self.because_of is None:
            return ()
        return (self.because_of,) if isinstance(self.because_of, str) else self.because_of


@dataclass(frozen=True, slots=True)
class FailureMode:
    """One line of a failure mode and effects analysis (FMEA).

    ``severity``, ``occurrence`` and ``detection`` are ratings from 1 (harmless, rare, surely detected) to 10.
    """

    kind: ClassVar[str] = "failure_mode"

    name: str
    _: KW_ONLY
    effect: str
    cause: str
    severity: int
    occurrence: int
    detection: int
    process: str | None = None
    control: str = ""
    analysis: str | None = None

    def __post_init__(self) -> None:
        need("a failure mode", name=self.name, effect=self.effect, cause=self.cause)
        for name in ("severity", "occurrence", "detection"):
            rating = getattr(self, name)
            if not isinstance(rating, int) or isinstance(rating, bool) or not 1 <= rating <= 10:
                raise InputError(f"{name} of a failure mode is a whole number from 1 to 10, got {rating!r}")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An improvement or action proposal, with what it shall bring and what it costs.

    Parameters
    ----------
    name : str
    originator : str
        Who proposes it.
    outcome : str
        The outcome it is about.
    cause : str
        The cause it removes.
    category, phase : str
        Of the cause.
    what : str
        The action proposed.
    cost, expected_benefit, cost_of_not_fixing : float, optional
        In the plan's currency or effort; the benefit per year unless ``what`` says otherwise.
    success_criterion : str
        In words; :class:`SuccessCriterion` says it in numbers.
    declared_on : date, optional
    analysis : str, optional
        The causal analysis it comes from.
    objective : str, optional
        The objective it serves.
    """

    kind: ClassVar[str] = "proposal"
    schema_version: ClassVar[int] = 2

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
    analysis: str | None = None
    objective: str | None = None

    def __post_init__(self) -> None:
        need("a proposal", name=self.name, originator=self.originator, outcome=self.outcome)

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Fields that were added since have their defaults."""
        return fields


@dataclass(frozen=True, slots=True)
class SuccessCriterion:
    """By what a proposal is judged; it counts only when it was declared before the data.

    Parameters
    ----------
    name : str
    proposal : str
        Name of the proposal.
    measure : str
    statistic : {"mean", "median", "share", "p90", ...}
        Of what the criterion speaks.
    least_change : float, optional
        How much better it must become, as a difference in the unit of the measure (positive = better).
    least_ratio : float, optional
        How much better it must become, as a ratio of after to before (0.8: a fifth less; 1.1: a tenth more).
    target, direction : float and {"at_most", "at_least"}, optional
        Or the level to be reached. Exactly one of ``least_change``, ``least_ratio`` and ``target`` is given.
    declared_on : date
    """

    kind: ClassVar[str] = "success_criterion"

    name: str
    _: KW_ONLY
    proposal: str
    measure: str
    declared_on: dt.date
    statistic: str = "mean"
    least_change: float | None = None
    least_ratio: float | None = None
    target: float | None = None
    direction: Literal["at_most", "at_least"] | None = None

    def __post_init__(self) -> None:
        need("a success criterion", name=self.name, proposal=self.proposal, measure=self.measure)
        given = [n for n in ("least_change", "least_ratio", "target") if getattr(self, n) is not None]
        if len(given) != 1:
            raise InputError(
                "a success criterion gives exactly one of least_change, least_ratio and target; got "
                + (", ".join(given) or "none")
            )
        if (self.target is not None) != (self.direction is not None):
            raise InputError(
                "target and direction (at_most, at_least) of a success criterion belong together"
            )
        if self.direction not in (None, "at_most", "at_least"):
            raise UnknownNameError("direction", str(self.direction), ("at_most", "at_least"))
        if self.least_ratio is not None and not self.least_ratio > 0:
            raise InputError(f"least_ratio of a success criterion is positive, got {self.least_ratio}")


@dataclass(frozen=True, slots=True)
class Pilot:
    """A trial of a proposal in a part of the organization.

    Parameters
    ----------
    name : str
    proposal : str
    measure : str
    since, until : date
        The pilot period, ``until`` not included.
    where : mapping of attribute to value
        Where it is tried; empty: everywhere.
    compared_with : mapping of attribute to value
        The comparison group, where nothing is changed; empty: before against after only.
    before_since : date, optional
        First day of the data before it.
    """

    kind: ClassVar[str] = "pilot"

    name: str
    _: KW_ONLY
    proposal: str
    measure: str
    since: dt.date
    until: dt.date
    where: Mapping[str, Any] = field(default_factory=dict)
    compared_with: Mapping[str, Any] = field(default_factory=dict)
    before_since: dt.date | None = None

    def __post_init__(self) -> None:
        need("a pilot", name=self.name, proposal=self.proposal, measure=self.measure)
        object.__setattr__(self, "where", checked_where("a pilot", self.where))
        object.__setattr__(self, "compared_with", checked_where("a pilot", self.compared_with))
        if self.since >= self.until:
            raise InputError(f"the pilot {self.name!r} begins ({self.since}) after it ends ({self.until})")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One stage of the deployment of a proposal: where, from when on."""

    kind: ClassVar[str] = "deployment"

    name: str
    _: KW_ONLY
    proposal: str
    since: dt.date
    where: Mapping[str, Any] = field(default_factory=dict)
    cost: float | None = None

    def __post_init__(self) -> None:
        need("a deployment", name=self.name, proposal=self.proposal)
        object.__setattr__(self, "where", checked_where("a deployment", self.where))
        check_amount("the cost of a deployment", self.cost)
