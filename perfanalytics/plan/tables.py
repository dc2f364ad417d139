"""What may stand in a measurement plan: one class a table, one field a key."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from perfanalytics.core.measure import Better, Scale
from perfanalytics.core.periods import Every

When = dt.datetime | dt.date
Name = Annotated[str, Field(min_length=1)]
Texts = list[str]
Value = str | int | float | bool
Where = dict[str, Value | list[Value]]
Season = Literal["hour", "weekday", "month", "quarter", "year"]


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
    """What every analysis has: a name, its question, the measure and the selection."""

    name: Name
    question: str = ""
    measure: Name
    where: Where = {}
    since: When | None = None
    until: When | None = None
    time: str | None = None
    every: Every | None = None
    statistic: str | None = None
    zone: str | None = None
    objective: str | None = None


class ChartTable(Analysis):
    """``[[chart]]``: a control chart, or with ``by`` one for each value of the attributes."""

    chart: str = "individuals"
    rules: str = "western_electric"
    estimate: str | None = None
    options: dict[str, int | float | str | dict[str, float]] = {}
    limits: str | None = None
    sigmas: float | None = Field(None, gt=0)
    transform: str | dict[str, str | float] | None = None
    stages: list[When | str] = []
    stage_column: str | None = None
    carry: int | None = Field(None, ge=0)
    by: str | Texts = []
    subgroups: str | Texts = []
    covariates: str | Texts = []
    limits_until: When | None = None
    limits_from: str | None = None
    phase_one: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> ChartTable:
        given = [k for k in ("estimate", "limits_until", "limits_from") if getattr(self, k) is not None]
        if self.limits_from is not None and len(given) > 1:
            raise ValueError(f"limits come from one place: {' or '.join(given)}")
        return self


class BaselineTable(Analysis):
    """``[[baseline]]``: a process performance baseline."""

    coverage: float = Field(0.95, gt=0, lt=1)
    confidence: float = Field(0.95, gt=0, lt=1)
    process: str | None = None
    distribution: str | None = None
    tolerance: Literal["howe", "exact"] = "howe"


class CapabilityTable(Analysis):
    """``[[capability]]``: indices against specification limits, or the limit an objective gives."""

    lower: float | None = None
    upper: float | None = None
    target: float | None = None
    sigma: str | None = None
    method: Literal["sigma", "percentile", "transform"] | None = None
    distribution: str | None = None
    transform: Literal["log", "box_cox", "johnson"] | None = None
    minimum: float | None = Field(None, gt=0)
    confidence: float = Field(0.95, gt=0, lt=1)
    stages: list[When | str] = []


class ComparisonTable(Analysis):
    """``[[comparison]]``: before and after (``at`` a date or change, or two spans), or ``groups``.

    ``kind`` is the function of that name: two levels, level and slope, against a comparison group, or a
    search for the date.
    """

    kind: Literal["compare", "interrupted", "difference_in_differences", "change_point"] = "compare"
    at: When | str | None = None
    before: Span | None = None
    after: Span | None = None
    groups: str | Texts | None = None
    by: str | Texts = []
    method: str | None = None
    options: dict[str, Value] = {}
    order: Literal["time", "none"] | None = None
    scale: Literal["raw", "log", "logit", "rank"] | None = None
    season: Season | None = None
    comparison_group: Span | None = None
    block: str | None = None
    post_hoc: str | None = None
    adjust: Literal["holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"] = "holm"
    confidence: float = Field(0.95, gt=0, lt=1)
    tail: float = Field(0.9, gt=0, lt=1)
    margin: float | None = Field(None, gt=0)
    declared_on: dt.date | None = None

    @model_validator(mode="after")
    def _sides(self) -> ComparisonTable:
        self._series_kind()
        spans = self.before is not None and self.after is not None
        if self.kind == "change_point":
            return self
        if (self.at is not None) + spans + (self.groups is not None) != 1:
            raise ValueError(
                "give either at = DATE or CHANGE, or both before = {...} and after = {...}, or "
                "groups = ATTRIBUTE"
            )
        if self.groups is None and (self.block is not None or self.post_hoc is not None):
            raise ValueError("block and post_hoc belong to groups = ATTRIBUTE")
        if self.groups is not None and (self.by or self.every or self.statistic or self.order or self.margin):
            raise ValueError(
                "groups compare single observations: leave by, every, statistic, order, margin out"
            )
        if self.by and self.options:
            raise ValueError("with by every stratum is compared with the defaults of the method: no options")
        if self.season is not None and (self.by or self.groups is not None or self.order == "none"):
            raise ValueError("season belongs to one series in order of time: leave by, groups, order out")
        return self

    def _series_kind(self) -> None:
        """What goes with a kind other than "compare"."""
        if (self.comparison_group is not None) != (self.kind == "difference_in_differences"):
            raise ValueError(
                'kind = "difference_in_differences" and comparison_group = { where = {...} } belong together'
            )
        if self.kind == "compare":
            return
        spans = self.before is not None or self.after is not None
        if spans or self.groups is not None or self.by or self.method is not None or self.order is not None:
            raise ValueError(
                f'kind = "{self.kind}" is about one series: leave before, after, groups, by, method, order '
                "out"
            )
        if self.kind != "change_point" and self.at is None:
            raise ValueError(f'kind = "{self.kind}" needs at = DATE or CHANGE')
        declared = (self.at, self.season, self.margin, self.declared_on)
        if self.kind == "change_point" and any(given is not None for given in declared):
            raise ValueError(
                'kind = "change_point" searches for the date: leave at, season, margin, declared_on out'
            )


class OfObservations(Table):
    """What the analyses of single observations have."""

    name: Name
    question: str = ""
    measure: Name
    where: Where = {}
    since: When | None = None
    until: When | None = None
    objective: str | None = None
    confidence: float = Field(0.95, gt=0, lt=1)


class GaugeStudyTable(OfObservations):
    """``[[gauge_study]]``: how much of the variation of a measure comes from measuring it."""

    part: Name
    operator: str | None = None
    replicate: str | None = None
    method: Literal["anova", "average_range", "reml"] = "anova"
    interaction: Literal["pool", "keep", "none"] = "pool"
    pool_alpha: float = Field(0.25, ge=0, le=1)
    nested: bool = False
    tolerance: float | None = Field(None, gt=0)
    study_sigmas: float = Field(6.0, gt=0)
    step: float | None = Field(None, gt=0)


class AgreementTable(OfObservations):
    """``[[agreement]]``: do people who classify, order or score say the same of the same items?"""

    item: Name = "item"
    rater: Name
    rating: str | None = None
    method: Literal[
        "fleiss", "cohen", "gwet", "krippendorff", "kendall", "icc", "bland_altman", "attribute"
    ] = "fleiss"
    weights: Literal["linear", "quadratic"] | None = None
    scale: Literal["nominal", "ordinal", "interval", "ratio"] | None = None
    trial: str | None = None
    standard: str | None = None
    categories: list[str | float] | None = None
    margin: float | None = Field(None, gt=0)


class ModelTable(OfObservations):
    """``[[model]]``: a regression model over measures and attributes."""

    formula: Name
    with_measures: Texts = []
    family: str = "gaussian"
    controllable: Texts = []
    predict: list[dict[str, Any]] = []


AnalysisTable = (
    GaugeStudyTable
    | AgreementTable
    | ChartTable
    | BaselineTable
    | CapabilityTable
    | ComparisonTable
    | ModelTable
)


def table_name(table: AnalysisTable) -> str:
    """The table as it stands in the plan.

    Examples
    --------
    >>> table_name(GaugeStudyTable(name="sizes", measure="size", part="package"))
    'gauge_study'
    """
    return re.sub(r"(?<=.)(?=[A-Z])", "_", type(table).__name__.removesuffix("Table")).lower()


class Plan(Table):
    """The whole file."""

    plan: PlanTable
    process: list[ProcessTable] = []
    calendar: list[CalendarTable] = []
    source: list[SourceTable] = []
    measure: list[MeasureTable] = []
    objective: list[ObjectiveTable] = []
    change: list[ChangeTable] = []
    event: list[EventTable] = []
    exclusion: list[ExclusionTable] = []
    gauge_study: list[GaugeStudyTable] = []
    agreement: list[AgreementTable] = []
    chart: list[ChartTable] = []
    baseline: list[BaselineTable] = []
    capability: list[CapabilityTable] = []
    comparison: list[ComparisonTable] = []
    model: list[ModelTable] = []

    def analyses(self) -> list[AnalysisTable]:
        """Every analysis, in the order of the report: whether measuring can be trusted comes first."""
        return [
            *self.gauge_study,
            *self.agreement,
            *self.chart,
            *self.baseline,
            *self.capability,
            *self.comparison,
            *self.model,
        ]
