"""Source: where raw records come from, how they are read, and what is measured on them.

A source is data: it can be written down in a plan. Expressions are SQL over the columns of the source
and nothing else (:mod:`perfanalytics.repository.expressions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from perfanalytics.core.calendars import Calendar
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure, require_definition

ColumnType = Literal["text", "integer", "number", "boolean", "date", "time"]

#: Seconds in the units in which an open item can be given a value.
UNIT_SECONDS = {
    "seconds": 1.0,
    "minutes": 60.0,
    "hours": 3600.0,
    "days": 86400.0,
    "weeks": 7 * 86400.0,
}


@dataclass(frozen=True, slots=True)
class EventLog:
    """How an event log (many rows per item) becomes one row per item.

    Parameters
    ----------
    key : str
        Column that names the item.
    order : str or tuple of str
        Columns that put the rows of an item in order; ties keep the order of the file.
    keep : {"last", "first", "both"}
        Which row of the item is kept. With "both" it is the last one, and the columns of the first row
        come beside it as ``first_<column>``.
    time : str, optional
        Column with the time of each event. Its latest value is the last event of the data.
    reached : mapping of name to SQL condition
        ``{"first_resolved_at": "incident_state = 'Resolved'"}``: a new column with the ``time`` of the
        first row of the item that meets the condition; missing when none does.

    Examples
    --------
    >>> EventLog("number", order="sys_mod_count", time="sys_updated_at",
    ...          reached={"first_resolved_at": "incident_state = 'Resolved'"}).order
    ('sys_mod_count',)
    """

    key: str
    _: KW_ONLY
    order: str | Sequence[str]
    keep: Literal["last", "first", "both"] = "last"
    time: str | None = None
    reached: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", _names(self.order))
        if not self.order:
            raise InputError("an event log needs order=: the columns that put the rows of an item in order")
        if self.keep not in ("last", "first", "both"):
            raise UnknownNameError("row to keep (keep=)", str(self.keep), ("last", "first", "both"))
        if self.reached and self.time is None:
            raise InputError("reached= takes the time of a row: say which column it is with time=")


@dataclass(frozen=True, slots=True)
class WorkingDuration:
    """A further column of the source: the working hours between two times.

    Parameters
    ----------
    name : str
        Name of the new column; its unit is hours.
    start, end : str
        Time columns. The duration is missing where one of them is.
    calendar : Calendar
        When work is done. Without a zone of its own it is on the clock of the source.
    stopped : tuple of str
        States during which the clock stands still; needs an event log with ``time``: an item is in a
        state from the row that says so to its next row.
    state : str
        Column of the event log that holds the state.
    """

    name: str
    _: KW_ONLY
    start: str
    end: str
    calendar: Calendar
    stopped: Sequence[str] = ()
    state: str = "state"

    def __post_init__(self) -> None:
        if not isinstance(self.calendar, Calendar):
            raise InputError(f"calendar of {self.name!r} must be a Calendar(...)")
        object.__setattr__(self, "stopped", _names(self.stopped))


@dataclass(frozen=True, slots=True)
class SourceMeasure:
    """How a measure is read off the rows of a source: SQL expressions over its columns.

    Parameters
    ----------
    measure : Measure
    value : str
        The value, in the unit of the measure. Booleans count as 1 and 0. With ``size``, the numerator.
    when : str
        Time of the observation: where it stands on a chart.
    item : str, optional
        The item it belongs to (ticket, project).
    size : str, optional
        The denominator (units inspected, hours at risk). The value is then the count over it.
    censored : str, optional
        Condition under which the value is only a lower bound.
    start : str, optional
        Time at which the item began. An item without a value is then still open: at any ``as_of`` it is
        right-censored with the time since it began, in the unit of the measure.
    known : str, optional
        Time at which the value became known; default the time of the observation.
    attributes : tuple of column names, or mapping of name to expression
        What observations can be filtered and grouped by.
    valid : (low, high), optional
        Range of valid values, ends included, None for open; a value outside is rejected with the reason.
    where : str, optional
        Condition on the rows that belong to the measure.

    Raises
    ------
    InputError
        When ``start`` is given and the unit of the measure is no unit of time.
    """

    measure: Measure
    _: KW_ONLY
    value: str
    when: str
    item: str | None = None
    size: str | None = None
    censored: str | None = None
    start: str | None = None
    known: str | None = None
    attributes: Sequence[str] | Mapping[str, str] = ()
    valid: tuple[float | None, float | None] | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.measure, Measure):
            raise InputError("SourceMeasure takes a Measure(...) first")
        require_definition(self.measure)
        if self.start is not None and self.measure.unit not in UNIT_SECONDS:
            raise InputError(
                f"{self.measure.name}: start= gives open items the time since they began, which needs a unit "
                f"of time ({', '.join(UNIT_SECONDS)}); the unit is {self.measure.unit!r}"
            )
        if not isinstance(self.attributes, Mapping):
            object.__setattr__(self, "attributes", _names(self.attributes))
        if self.valid is not None:
            low, high = self.valid
            if low is not None and high is not None and low > high:
                raise InputError(f"{self.measure.name}: the valid range ends before it begins: {self.valid}")
            object.__setattr__(self, "valid", (low, high))

    def expressions(self) -> dict[str, str]:
        """Every expression by the name of its part, attributes as "attribute <name>"."""
        parts = ("value", "when", "item", "size", "censored", "start", "known", "where")
        out = {part: getattr(self, part) for part in parts}
        return {k: v for k, v in out.items() if v is not None} | {
            f"attribute {name}": text for name, text in self.attribute_expressions().items()
        }

    def attribute_expressions(self) -> dict[str, str]:
        """Attribute name -> expression; a bare column name is quoted."""
        if isinstance(self.attributes, Mapping):
            return dict(self.attributes)
        return {name: quoted(name) for name in self.attributes}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file or frame of raw records, how it is read, and what is measured on it.

    Parameters
    ----------
    name : str
        What the source is called. Rows are recognised again within a source: load the next extract of the
        same records under the same name.
    file : path, optional
        CSV (plain or gzip) or Parquet. Either ``file`` or ``frame``.
    frame : pandas.DataFrame or pyarrow.Table, optional
    format : {"csv", "parquet", "frame"}, optional
        Default from the suffix.
    delimiter, quote, encoding, decimal : str
        How a CSV file is written. The first line is the header. A byte that is not of the declared
        encoding rejects its row.
    missing : tuple of str
        Texts that stand for a missing value, in every column, compared with the whole field.
    columns : mapping of column to {"text", "integer", "number", "boolean", "date", "time"}
        Types of the columns that are not text; columns of Parquet and frames keep their own type unless
        named. A field that is not of its type rejects the row.
    formats : mapping of column to str or tuple of str
        ``strptime`` formats of date and time columns, tried in order; without, ISO 8601. Days and months
        need no leading zero. Nothing is ever guessed. ISO times of a column all have an offset or Z (they
        are then stored in UTC) or none: a row in the rarer form is rejected.
    time_zone : str, optional
        Zone of the wall times in the source ("Europe/Berlin"); they are then stored in UTC, and a row with
        a local time that does not exist or exists twice is rejected. Without: local wall time.
    key : str or tuple of str
        Columns that identify a record, so that a correction replaces it. Without: the content of the row
        and its occurrence number, so that identical rows are separate records; a correction is then a
        new row (and, in a snapshot, the old one is retired).
    mode : {"append", "snapshot"}
        Only in a snapshot does the absence of a row mean that it is gone.
    event_log : EventLog, optional
    durations : sequence of WorkingDuration
    measures : sequence of SourceMeasure
    max_rejected : float
        Share of rejected rows above which the load stops and keeps nothing.

    Raises
    ------
    InputError, UnknownNameError
        For a source that contradicts itself.
    """

    name: str
    _: KW_ONLY
    file: str | Path | None = None
    frame: Any = None
    format: Literal["csv", "parquet", "frame"] | None = None
    delimiter: str = ","
    quote: str | None = '"'
    encoding: str = "utf-8"
    decimal: str = "."
    missing: Sequence[str] = ("",)
    columns: Mapping[str, str] = field(default_factory=dict)
    formats: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    time_zone: str | None = None
    key: str | Sequence[str] = ()
    mode: Literal["append", "snapshot"] = "append"
    event_log: EventLog | None = None
    durations: Sequence[WorkingDuration] = ()
    measures: Sequence[SourceMeasure] = ()
    max_rejected: float = 0.05

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError("a source needs a name (a non-empty string)")
        if (self.file is None) == (self.frame is None):
            raise InputError(f"source {self.name!r} needs either file= or frame=")
        put("format", self._format())
        put("key", _names(self.key))
        put("missing", _names(self.missing))
        put("formats", {column: _names(f) for column, f in self.formats.items()})
        put("columns", dict(self.columns))
        put("durations", tuple(self.durations))
        put("measures", tuple(self.measures))
        for column, kind in self.columns.items():
            if kind not in get_args(ColumnType):
                raise UnknownNameError(f"type of column {column!r}", str(kind), get_args(ColumnType))
        for column in self.formats:
            if self.columns.get(column) not in ("date", "time"):
                raise InputError(
                    f"column {column!r} has a date format: declare it in columns= as 'date' or 'time'"
                )
        if self.mode not in ("append", "snapshot"):
            raise UnknownNameError("mode", str(self.mode), ("append", "snapshot"))
        if self.decimal not in (".", ","):
            raise InputError(f"the decimal mark is '.' or ',', got {self.decimal!r}")
        if len(self.delimiter) != 1 or (self.quote is not None and len(self.quote) != 1):
            raise InputError("delimiter and quote are single characters (quote=None for none)")
        if not 0 <= self.max_rejected <= 1:
            raise InputError(f"max_rejected is a share between 0 and 1, got {self.max_rejected}")
        if self.event_log is not None and self.key not in ((), (self.event_log.key,)):
            raise InputError(
                f"the rows of an event log are identified by its key {self.event_log.key!r}: leave key= out"
            )
        names = [m.measure.name for m in self.measures]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"measure {name!r} is defined twice in source {self.name!r}")
        for duration in self.durations:
            if duration.stopped and (self.event_log is None or self.event_log.time is None):
                raise InputError(
                    f"duration {duration.name!r}: states that stop the clock need an event log with time="
                )
            for m in self.measures:
                if m.start is not None and m.value.strip().strip('"') == duration.name:
                    raise InputError(
                        f"{m.measure.name}: start= counts open items in elapsed time, its value is working "
                        "time: leave start= out (open items are then counted as missing)"
                    )

    def _format(self) -> str:
        if self.frame is not None:
            if self.format not in (None, "frame"):
                raise InputError(f"source {self.name!r}: a frame is not of format {self.format!r}")
            return "frame"
        if self.format in ("csv", "parquet"):
            return str(self.format)
        if self.format is not None:
            raise UnknownNameError("format of a file", str(self.format), ("csv", "parquet"))
        name = str(self.file).lower()
        if name.endswith((".csv", ".csv.gz")):
            return "csv"
        if name.endswith(".parquet"):
            return "parquet"
        raise InputError(
            f"cannot tell the format of {self.file} from its suffix: give format='csv' or 'parquet'"
        )

    def definition(self) -> dict[str, Any]:
        """How the source was declared, as plain JSON values: what the load keeps on record."""
        log = self.event_log
        return {
            "name": self.name,
            "file": None if self.file is None else Path(self.file).name,
            "format": self.format,
            "delimiter": self.delimiter,
            "quote": self.quote,
            "encoding": self.encoding,
            "decimal": self.decimal,
            "missing": list(self.missing),
            "columns": dict(self.columns),
            "formats": {k: list(v) for k, v in self.formats.items()},
            "time_zone": self.time_zone,
            "key": list(self.key),
            "mode": self.mode,
            "event_log": None
            if log is None
            else {
                "key": log.key,
                "order": list(log.order),
                "keep": log.keep,
                "time": log.time,
                "reached": dict(log.reached),
            },
            "durations": [
                {"name": d.name, "start": d.start, "end": d.end, "calendar": d.calendar.name}
                | {"stopped": list(d.stopped), "state": d.state}
                for d in self.durations
            ],
            "measures": {
                m.measure.name: m.expressions() | {"valid": None if m.valid is None else list(m.valid)}
                for m in self.measures
            },
            "max_rejected": self.max_rejected,
        }


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal, for places where a parameter cannot be bound."""
    return "'" + text.replace("'", "''") + "'"


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
