"""Tables of a plan that declare what people want, propose, decide and do: the records of the practices.

One class a table, one field a key; the keys are the fields of the record of the same name, which says what
they mean.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from perfanalytics.core.improvement_records import AnalysisState
from perfanalytics.core.practice_records import ActionState, RiskState
from perfanalytics.plan.tables import Name, Table, Texts, When, Where


class BusinessObjectiveTable(Table):
    """``[[business_objective]]``: what the organization wants to reach."""

    name: Name
    what: str = ""
    owner: str | None = None
    by: dt.date | None = None
    declared_on: dt.date | None = None


class WorkTable(Table):
    """``[[work]]``: a piece of work that is managed quantitatively."""

    name: Name
    what: str = ""
    where: Where = {}
    since: dt.date | None = None
    until: dt.date | None = None
    objectives: Texts = []
    subprocesses: Texts = []
    borrowed: Texts = []
    models: Texts = []
    derived: dict[str, str] = {}
    least_probability: float | None = Field(None, ge=0, le=1)
    declared_on: dt.date | None = None
    owner: str | None = None


class RiskTable(Table):
    """``[[risk]]``: what may keep an objective from being met."""

    name: Name
    what: Name
    objective: str | None = None
    work: str | None = None
    probability: float | None = Field(None, ge=0, le=1)
    consequence: str = ""
    cost: float | None = Field(None, ge=0)
    response: str = ""
    owner: str = ""
    state: RiskState = "open"
    raised_on: dt.date | None = None


class CausalAnalysisTable(Table):
    """``[[causal_analysis]]``: an outcome that was selected, its scope, and who looks for its causes."""

    name: Name
    outcome: Name
    measure: str | None = None
    where: Where = {}
    since: When | None = None
    until: When | None = None
    subprocess: str | None = None
    objective: str | None = None
    selected_because: str = ""
    participants: Texts = []
    opened_on: dt.date | None = None
    closed_on: dt.date | None = None
    state: AnalysisState = "open"
    lesson: str = ""


class CauseTable(Table):
    """``[[cause]]``: a cause found or suspected in a causal analysis."""

    name: Name
    analysis: Name
    what: str = ""
    because_of: str | Texts | None = None
    category: str = ""
    phase: str = ""
    evidence: str = ""
    state: Literal["suspected", "confirmed", "refuted"] = "suspected"
    root: bool = False


class FailureModeTable(Table):
    """``[[failure_mode]]``: one line of a failure mode and effects analysis."""

    name: Name
    effect: Name
    cause: Name
    severity: int = Field(ge=1, le=10)
    occurrence: int = Field(ge=1, le=10)
    detection: int = Field(ge=1, le=10)
    process: str | None = None
    control: str = ""
    analysis: str | None = None


class ProposalTable(Table):
    """``[[proposal]]``: an improvement or action proposal."""

    name: Name
    originator: Name
    outcome: Name
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


class SuccessCriterionTable(Table):
    """``[[success_criterion]]``: by what a proposal is judged, declared before the data."""

    name: Name
    proposal: Name
    measure: Name
    declared_on: dt.date
    statistic: str = "mean"
    least_change: float | None = None
    least_ratio: float | None = Field(None, gt=0)
    target: float | None = None
    direction: Literal["at_most", "at_least"] | None = None


class PilotTable(Table):
    """``[[pilot]]``: a trial of a proposal in a part of the organization."""

    name: Name
    proposal: Name
    measure: Name
    since: dt.date
    until: dt.date
    where: Where = {}
    compared_with: Where = {}
    before_since: dt.date | None = None


class DeploymentTable(Table):
    """``[[deployment]]``: one stage of the deployment of a proposal."""

    name: Name
    proposal: Name
    since: dt.date
    where: Where = {}
    cost: float | None = Field(None, ge=0)


class ActionTable(Table):
    """``[[action]]``: something somebody will do by a date."""

    name: Name
    what: Name
    owner: str = ""
    due: dt.date | None = None
    proposal: str | None = None
    state: ActionState = "open"
    closed_on: dt.date | None = None
    work: str | None = None
    analysis: str | None = None
    change: str | None = None
    cost: float | None = Field(None, ge=0)
    opened_on: dt.date | None = None


class ReviewTable(Table):
    """``[[review]]``: a review that was held."""

    name: Name
    subject: Name
    held_on: dt.date
    participants: Texts = []
    results: Texts = []
    notes: str = ""


class DecisionTable(Table):
    """``[[decision]]``: what was decided, by whom, when and why."""

    name: Name
    what: Name
    who: Name
    decided_on: dt.date
    why: str = ""
    subject: str | None = None
    chosen: bool | None = None


class PracticeTables(Table):
    """The part of a plan that holds the records of the practices."""

    business_objective: list[BusinessObjectiveTable] = []
    work: list[WorkTable] = []
    risk: list[RiskTable] = []
    causal_analysis: list[CausalAnalysisTable] = []
    cause: list[CauseTable] = []
    failure_mode: list[FailureModeTable] = []
    proposal: list[ProposalTable] = []
    success_criterion: list[SuccessCriterionTable] = []
    pilot: list[PilotTable] = []
    deployment: list[DeploymentTable] = []
    action: list[ActionTable] = []
    review: list[ReviewTable] = []
    decision: list[DecisionTable] = []
