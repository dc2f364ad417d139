"""What an analysis needs to know of its plan; its selection of the data; the item it gives to the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from perfanalytics.core.calendars import Calendar
from perfanalytics.core.errors import InputError, PlanError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Objective, Process
from perfanalytics.core.result import Result
from perfanalytics.plan.tables import Analysis, OfMeasure, OfSeries, When
from perfanalytics.reports.report import ReportItem
from perfanalytics.repository.repository import Repository

R = TypeVar("R", bound=Result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an analysis needs to know of its plan.

    Parameters
    ----------
    repo : Repository
    objectives : mapping of name to Objective
    happenings : mapping of name to Change or Event
    calendars : mapping of name to Calendar
    since : date, optional
        First day of the analyses that do not name one.
    processes : mapping of name, and of name and version, to Process
    undone : dict of name to reason
        Analyses of this run that could not be done: what an earlier run saved of them may be old.
    """

    repo: Repository
    objectives: Mapping[str, Objective]
    happenings: Mapping[str, Change | Event]
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    since: dt.date | None = None
    processes: Mapping[str, Process] = field(default_factory=dict)
    undone: dict[str, str] = field(default_factory=dict)

    def objective(self, table: Analysis) -> Objective | None:
        """The objective the analysis serves."""
        return self.objectives.get(table.objective or "")

    def happening(self, named: When | str) -> When | Change | Event:
        """A date as it is, a change or an event by its name."""
        return self.happenings[named] if isinstance(named, str) else named

    def instant(self, named: When | str) -> When:
        """A date as it is; of a change or an event, when it was."""
        return self.happenings[named].when if isinstance(named, str) else named

    def measure(self, name: str) -> Measure:
        """A measure by its name."""
        return next(m for m in self.repo.measures() if m.name == name)

    def saved(self, name: str, of: type[R] | tuple[type[R], ...]) -> R:
        """The newest saved result of a name: of an analysis before this one, or of an earlier run.

        Raises
        ------
        PlanError
            When the analysis of this name could not be done in this run.
        UnknownNameError
            When nothing was saved under the name.
        InputError
            When what was saved is another kind of result.
        """
        wanted = of if isinstance(of, tuple) else (of,)
        kinds = " or ".join(kind.kind.replace("_", " ") for kind in wanted)
        if name in self.undone:
            raise PlanError(f"'{name}' could not be done, and what was saved of it earlier may be old")
        known = list(dict.fromkeys(self.repo.history()["name"]))
        if name not in known:
            raise UnknownNameError(f"saved {kinds}", name, known)
        result = self.repo.result(name)
        for kind in wanted:
            if isinstance(result, kind):
                return result
        raise InputError(f"the saved result {name!r} is a {result.kind}: a {kinds} is needed")


def selection(table: OfMeasure, context: Context) -> dict[str, Any]:
    """Which data: keyword arguments for the repository."""
    chosen: dict[str, Any] = {
        "where": table.where or None,
        "since": table.since or context.since,
        "until": table.until,
    }
    if isinstance(table, OfSeries):
        chosen |= {
            "time": table.time,
            "every": table.every,
            "statistic": table.statistic,
            "zone": table.zone,
        }
    return chosen


def item(table: Analysis, result: Result, context: Context, *, name: str | None = None) -> ReportItem:
    """A result as an entry of the report; its chapter is set by whoever knows the kind of analysis."""
    objective = context.objective(table)
    serves = ""
    if objective is not None:
        serves = objective.name + (f" ({objective.serves})" if objective.serves else "")
    return ReportItem(name or table.name, result, question=table.question, serves=serves)
