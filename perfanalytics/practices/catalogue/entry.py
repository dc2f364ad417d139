"""CatalogueEntry: one ready-made service measure, with the base measures and records it is computed from."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perfanalytics.core.measure import Better, Measure, Scale

_NAME = re.compile(r"[A-Za-z_]\w*")
_TEXT = re.compile(r"'[^']*'")


def names_in(expression: str) -> tuple[str, ...]:
    """The names in an expression, each once, texts left out.

    Examples
    --------
    >>> names_in("(agreed - down) / agreed")
    ('agreed', 'down')
    """
    return tuple(dict.fromkeys(_NAME.findall(_TEXT.sub("''", expression))))


@dataclass(frozen=True, slots=True)
class Column:
    """A column that records should have.

    Parameters
    ----------
    name : str
    type : {"text", "integer", "number", "boolean", "date", "time"}
    definition : str
    """

    name: str
    type: str
    definition: str


@dataclass(frozen=True, slots=True)
class RecordKind:
    """Records that base measures are counted on: what one row is, and which columns it should have.

    Parameters
    ----------
    name : str
        "incidents", "service_days" ...
    row : str
        What one row is.
    key : tuple of str
        Columns that identify a row.
    attributes : tuple of str
        Columns to select and group by.
    columns : tuple of Column
    """

    name: str
    row: str
    key: tuple[str, ...]
    attributes: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(c for c in self.columns if c.name == name)

    @property
    def times(self) -> tuple[str, ...]:
        """Names of the columns that are dates or times."""
        return tuple(c.name for c in self.columns if c.type in ("date", "time"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseMeasure:
    """What is counted directly on records; measures are computed from it.

    Parameters
    ----------
    name : str
    definition : str
        What is counted, included and excluded.
    record : RecordKind
    value : str
        SQL over the columns of the record, for one row.
    where : str
        Condition on the rows that count; "" for all.
    """

    name: str
    definition: str
    record: RecordKind
    value: str
    where: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the record it needs."""
        known = {c.name for c in self.record.columns}
        return tuple(n for n in names_in(f"{self.value} {self.where}") if n in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The chart, baseline and model recommended for a measure.

    Parameters
    ----------
    chart, baseline : mapping
        Keys of ``[[chart]]`` and ``[[baseline]]`` in a plan ("chart", "every", "statistic" ...).
    percentiles : tuple of int
        What to read off the baseline.
    distribution : str
        The family of distributions to fit to single values; "" for none.
    of_chart : bool
        True where center and limits of the chart are the baseline: for shares of measured time, which a
        baseline of a proportion would read as so many trials.
    model : str
        Public function that makes the model ("fit", "staffing" ...).
    factors, controllable : tuple of str
        Likely factors; those, or others, that can be set.
    """

    chart: Mapping[str, Any]
    baseline: Mapping[str, Any]
    percentiles: tuple[int, ...]
    distribution: str = ""
    of_chart: bool = False
    model: str
    factors: tuple[str, ...]
    controllable: tuple[str, ...]

    @property
    def baseline_told(self) -> str:
        """The recommended baseline in one line."""
        if self.of_chart:
            return "center and limits of the chart, agreed"
        parts = [told(self.baseline) or "of the single values"]
        parts += [self.distribution] if self.distribution else []
        return ", ".join([*parts, "read " + " and ".join(f"P{p}" for p in self.percentiles)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a measure traces to; identifiers as in :mod:`perfanalytics.practices.catalogue.trace`.

    Parameters
    ----------
    practices : tuple of str
        Specific practices of CMMI-SVC V1.3 ("OPP-1.3").
    clauses : tuple of str
        Clauses of ISO/IEC 20000-1:2011 ("8.1").
    processes : tuple of str
        Processes of the process reference model ("RAF.1").
    itil : tuple of str
        ITIL processes.
    """

    practices: tuple[str, ...]
    clauses: tuple[str, ...]
    processes: tuple[str, ...]
    itil: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class CatalogueEntry:
    """A ready-made service measure.

    Parameters
    ----------
    name, title, area : str
        Identifier; what a heading says; where it stands in the catalogue.
    definition : str
        Operational definition: what is counted, included and excluded.
    unit, per : str
        Unit of the numerator ("1" for a share), and of the denominator ("" for none, and for a share).
    better : {"lower", "higher", "target", "unknown"}
    scale : {"real", "positive", "duration", "count", "proportion", "ordinal"}
    formula : str
        How it is computed from base measures. ``a / b`` means the sum of a over the sum of b in a period,
        unless ``each``.
    each : bool
        True where the ratio is taken item by item.
    base : tuple of BaseMeasure
        The base measures of the formula, all of the same kind of record.
    when : str
        Column of the record that places an observation in time.
    start, known : str
        Columns of a duration: when the item began, and when its value became known; "" for none.
    valid : (low, high) or None
        Range of valid values.
    advice : Advice
        Recommended chart, baseline and model.
    traps : str
        What usually goes wrong with it.
    trace : Trace
    keywords : tuple of str

    Examples
    --------
    >>> import perfanalytics as perf
    >>> entry = perf.catalogue().get("incident_reopen_rate")
    >>> entry.title, entry.formula
    ('Resolved incidents that were opened again', 'incidents_reopened / incidents_resolved')
    >>> entry.advice.chart["chart"], entry.trace.clauses
    ('p', ('6.2', '8.1'))
    """

    name: str
    title: str
    area: str
    definition: str
    unit: str
    per: str = ""
    better: Better
    scale: Scale
    formula: str
    each: bool = False
    base: tuple[BaseMeasure, ...]
    when: str
    start: str = ""
    known: str = ""
    valid: tuple[float, float] | None = None
    advice: Advice
    traps: str
    trace: Trace
    keywords: tuple[str, ...] = field(default=())

    @property
    def record(self) -> RecordKind:
        """The kind of records it is computed from."""
        return self.base[0].record

    @property
    def numerator(self) -> str:
        """Formula of the value of one observation, in base measures."""
        return self.formula if self.each else self.formula.split(" / ")[0].strip()

    @property
    def denominator(self) -> str:
        """Formula of its size, in base measures; "" where there is none."""
        parts = self.formula.split(" / ")
        return "" if self.each or len(parts) == 1 else parts[1].strip()

    @property
    def full_unit(self) -> str:
        """The unit of the measure ("hours per request")."""
        return f"{self.unit} per {self.per}" if self.per else self.unit

    def measure(self) -> Measure:
        """The entry as a measure, for a series of its values.

        Examples
        --------
        >>> import perfanalytics as perf
        >>> perf.catalogue().get("request_handling_time").measure().label
        'request_handling_time (hours per request)'
        """
        return Measure(
            self.name, definition=self.definition, unit=self.full_unit, better=self.better, scale=self.scale
        )

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Everything that is known of it, as pairs of what and text."""
        a, t = self.advice, self.trace
        model = f"{a.model}; factors: {', '.join(a.factors)}"
        if a.controllable:
            model += f"; controllable: {', '.join(a.controllable)}"
        return (
            ("definition", self.definition),
            ("unit", "share" if self.full_unit == "1" else self.full_unit),
            ("better", self.better),
            ("scale", self.scale),
            ("formula", self.formula + (", item by item" if self.each else "")),
            *((f"base measure {b.name}", b.definition) for b in self.base),
            ("records", f"{self.record.name}: {self.record.row}"),
            ("time", self.when),
            ("chart", told(a.chart)),
            ("baseline", a.baseline_told),
            ("model", model),
            ("traps", self.traps),
            ("CMMI-SVC", ", ".join(t.practices)),
            ("ISO/IEC 20000-1", ", ".join(t.clauses)),
            ("process reference model", ", ".join(t.processes)),
            ("ITIL", ", ".join(t.itil)),
            ("keywords", ", ".join(self.keywords)),
        )

    def to_record(self) -> dict[str, Any]:
        """Plain values that can be written as JSON."""
        a, t = self.advice, self.trace
        return {
            "name": self.name,
            "title": self.title,
            "area": self.area,
            "definition": self.definition,
            "unit": self.full_unit,
            "better": self.better,
            "scale": self.scale,
            "formula": self.formula,
            "each": self.each,
            "base_measures": [{"name": b.name, "definition": b.definition} for b in self.base],
            "records": {"name": self.record.name, "row": self.record.row},
            "chart": dict(a.chart),
            "baseline": {
                **a.baseline,
                "percentiles": list(a.percentiles),
                "distribution": a.distribution,
                "of_chart": a.of_chart,
            },
            "model": {
                "kind": a.model,
                "factors": list(a.factors),
                "controllable": list(a.controllable),
            },
            "traps": self.traps,
            "trace": {
                "practices": list(t.practices),
                "clauses": list(t.clauses),
                "processes": list(t.processes),
                "itil": list(t.itil),
            },
            "keywords": list(self.keywords),
        }

    def text(self) -> str:
        """Everything that is known of it, as plain text."""
        parts = [f"{self.name}: {self.title} ({self.area})"]
        for what, said in self.lines():
            parts += textwrap.wrap(f"{what}: {said}", 100, initial_indent="  ", subsequent_indent="      ")
        return "\n".join(parts)

    def __repr__(self) -> str:
        unit = "share" if self.full_unit == "1" else self.full_unit
        return f"CatalogueEntry({self.name}: {self.title}, {unit}, {self.advice.chart['chart']} chart)"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left;vertical-align:top'>{html.escape(what)}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for what, text in self.lines()
        )
        where = f"<code>{html.escape(self.name)}</code>, {html.escape(self.area)}"
        head = f"<p><strong>{html.escape(self.title)}</strong> ({where})</p>"
        return f"<div>{head}<table>{rows}</table></div>"


def told(options: Mapping[str, Any]) -> str:
    """Keys of a plan in one line ("laney_p, every week, statistic share").

    Examples
    --------
    >>> told({"chart": "p", "every": "week", "statistic": "share"})
    'p, every week, statistic share'
    """
    return ", ".join(
        str(v) if k == "chart" else told(v) if isinstance(v, Mapping) else f"{k} {v}"
        for k, v in options.items()
    )
