"""What may stand in a measurement plan: one class a table, one field a key.

Here are the tables that declare something, and what all analyses have in common; the tables that ask for an
analysis stand with it in ``plan/analyses/``, and :mod:`perfanalytics.plan.plan` puts them together.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from perfanalytics.core.measure import Better, Scale
from perfanalytics.core.periods import Every

When = dt.datetime | dt.date
Name = Annotated[str, Field(min_length=1)]
Texts = list[str]
Value = str | int | float | bool
Where = dict[str, Value | list[Value]]


class Table(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlanTable(Table):
    """``[plan]``: what the plan is called and where it writes to."""

    name: Name
    title: str = ""
    repository: str = "measurements.duckdb"
    report: str = "report.html"
    by: str = ""


class ProcessTable(Table):
    """``[[process]]``: a process or subprocess in one version."""

    name: Name
    version: str = "1"
    parent: str | None = None
    valid_from: When | None = None
    owner: str | None = None
    description: str = ""


class CalendarTable(Table):
    """``[[calendar]]``: working hours ("08:00-18:00", several a day allowed) and holidays."""

    name: Name
    hours: dict[str, str | Texts]
    holidays: list[dt.date] = []


class EventLogTable(Table):
    """``[source.event_log]``: how an event log becomes one row per item."""

    key: Name
    order: Texts
    keep: Literal["last", "first", "both"] = "last"
    time: str | None = None
    reached: dict[str, str] = {}


class DurationTable(Table):
    """``[[source.duration]]``: working time between two times, the clock stopped in some states."""

    name: Name
    start: Name
    end: Name
    calendar: Name
    stopped: Texts = []
    state: str = "state"


class SourceTable(Table):
    """``[[source]]``: a file and how to read it."""

    name: Name
    file: Name
    format: Literal["csv", "parquet"] | None = None
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    decimal: str = "."
    missing: Texts = [""]
    columns: dict[str, Literal["text", "integer", "number", "boolean", "date", "time"]] = {}
    formats: dict[str, str | Texts] = {}
    time_zone: str | None = None
    key: str | Texts = []
    mode: Literal["append", "snapshot"] = "append"
    max_rejected: float = Field(0.05, ge=0, le=1)
    event_log: EventLogTable | None = None
    duration: list[DurationTable] = []


class MeasureTable(Table):
    """``[[measure]]``: an operational definition, and how the value is computed from the source."""

    name: Name
    source: Name
    definition: Name
    unit: str
    better: Better
    scale: Scale
    subprocess: str | None = None
    value: Name
    when: Name
    item: str | None = None
    size: str | None = None
    censored: str | None = None
    start: str | None = None
    known: str | None = None
    attributes: Texts | dict[str, str] = []
    valid: list[float | None] | None = None
    where: str | None = None

    @field_validator("valid")
    @classmethod
    def _two(cls, valid: list[float | None] | None) -> list[float | None] | None:
        if valid is not None and len(valid) != 2:
            raise ValueError("a valid range has two ends: [low, high] (nan leaves an end open)")
        return None if valid is None else [None if v is None or v != v else v for v in valid]


class ObjectiveTable(Table):
    """``[[objective]]``: what shall be reached, by when, for which business objective, declared when."""

    name: Name
    measure: Name
    target: float
    direction: Literal["at_most", "at_least"]
    statistic: str = "item"
    share: float | None = Field(None, gt=0, le=1)
    by: dt.date | None = None
    serves: str | None = None
    declared_on: dt.date | None = None


class ChangeTable(Table):
    """``[[change]]``: what was changed on purpose."""

    name: Name
    when: When
    what: Name
    where: dict[str, str] = {}
    process: str | None = None
    who: str | None = None
    why: str = ""


class EventTable(Table):
    """``[[event]]``: what happened (special causes, outages, holidays)."""

    name: Name
    when: When
    what: Name
    until: When | None = None
    where: dict[str, str] = {}
    measure: str | None = None
    who: str | None = None
    why: str = ""


class ExclusionTable(Table):
    """``[[exclusion]]``: points not used for limits, with the cause that was found."""

    measure: Name
    reason: Name
    when: When
    until: When | None = None
    who: Name
    decided_on: dt.date


class Span(Table):
    """``{ since = 2024-01-01, until = 2024-07-01 }``: since is included, until is not."""

    since: When | None = None
    until: When | None = None
    where: Where = {}


class Analysis(Table):
    """What every analysis has: a name of its own, its question and the objective it serves."""

    name: Name
    question: str = ""
    objective: str | None = None

    def looks_into(self) -> tuple[str, ...]:
        """The measures whose data it looks into."""
        return ()


class OfMeasure(Analysis):
    """An analysis of the data of one measure, or of a selection of them."""

    measure: Name
    where: Where = {}
    since: When | None = None
    until: When | None = None

    def looks_into(self) -> tuple[str, ...]:
        """The measures whose data it looks into."""
        return (self.measure,)


class OfObservations(OfMeasure):
    """What the analyses of single observations have."""

    confidence: float = Field(0.95, gt=0, lt=1)


class OfSeries(OfMeasure):
    """What the analyses of values in order of time have."""

    time: str | None = None
    every: Every | None = None
    statistic: str | None = None
    zone: str | None = None


def key_of(table: type[Table]) -> str:
    """The table as it stands in the plan.

    Examples
    --------
    >>> key_of(ProcessTable), key_of(EventLogTable)
    ('process', 'event_log')
    """
    return re.sub(r"(?<=.)(?=[A-Z])", "_", table.__name__.removesuffix("Table")).lower()
