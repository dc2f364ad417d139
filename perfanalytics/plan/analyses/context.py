"""What an analysis needs to know of its plan; its selection of the data; the item it gives to the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Objective
from perfanalytics.core.result import Result
from perfanalytics.plan.tables import Analysis, OfMeasure, OfSeries, When
from perfanalytics.reports.report import ReportItem
from perfanalytics.repository.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an analysis needs to know of its plan.

    Parameters
    ----------
    repo : Repository
    objectives : mapping of name to Objective
    happenings : mapping of name to Change or Event
    since : date, optional
        First day of the analyses that do not name one.
    """

    repo: Repository
    objectives: Mapping[str, Objective]
    happenings: Mapping[str, Change | Event]
    since: dt.date | None = None

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
