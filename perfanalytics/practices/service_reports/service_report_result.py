"""ServiceReport: what a service did in a period, for an audience, each value with what it rests on."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

#: What a service report tells, in its order (ISO/IEC 20000-1:2011, 6.2); the last for operations only.
CONTENTS = (
    "Performance against targets",
    "Significant events",
    "Workload and its changes",
    "Nonconformities and their causes",
    "Trends",
    "Satisfaction and complaints",
    "Data behind this report",
)
Audience = Literal["management", "customer", "operations"]
AUDIENCES: tuple[Audience, ...] = ("management", "customer", "operations")
#: Table -> what its first column is called.
SUBJECTS = {
    "Targets": "target",
    "Workload": "measure",
    "Satisfaction": "measure",
    "Trends": "measure",
    "Data quality": "measure",
    "Targets missed and what is done": "target",
    "Causal analyses": "analysis",
    "Signals": "chart",
    "Events": "event",
    "Nonconformities": "measure",
    "Causes": "cause",
    "Actions": "action",
}
#: Quantities that another column says in words.
IN_WORDS = ("required", "side")
_TEXTS = ("table", "subject", "quantity", "text", "unit", "source_kind", "source", "field")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ServiceReport(Result):
    """The report on a service, a period and for an audience.

    Attributes
    ----------
    name : str
        What it is a report of.
    audience : {"management", "customer", "operations"}
    since, until : date
        The period; ``until`` is not included.
    on : date
        What was known at the end of this day was used.
    where : mapping of attribute to value
        Which part of the data; empty: all.
    by : tuple of str
        Attributes whose values have figures of their own.
    statements : tuple of str, length 7
        A sentence or two for each of :data:`CONTENTS`; "" where the audience is not told.
    section : int array, shape (k,)
        1 to 7: which of the contents.
    table, subject, quantity : text arrays, shape (k,)
        What a row is about.
    number : float array, shape (k,)
        NaN where it is a text.
    text, unit : text arrays, shape (k,)
        The unit "share" says that the number is told as a percentage.
    source_kind, source : text arrays, shape (k,)
        Kind and name of the record or saved result the row rests on.
    version : int array, shape (k,)
        Version of the saved result; 0 for a record.
    field : text array, shape (k,)
        Which value of it: as in :class:`perfanalytics.WorkReview`.
    """

    kind: ClassVar[str] = "service_report"

    name: str
    audience: str
    since: dt.date
    until: dt.date
    on: dt.date
    where: Mapping[str, Any]
    by: tuple[str, ...]
    statements: tuple[str, ...]
    section: NDArray[np.int64]
    table: NDArray[Any]
    subject: NDArray[Any]
    quantity: NDArray[Any]
    number: Floats
    text: NDArray[Any]
    unit: NDArray[Any]
    source_kind: NDArray[Any]
    source: NDArray[Any]
    version: NDArray[np.int64]
    field: NDArray[Any]

    def __post_init__(self) -> None:
        for name in ("section", "number", "version", *_TEXTS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_frame(self) -> pd.DataFrame:
        """One row a value: section, table, subject, quantity, number, text, unit, source_kind, source,
        version, field."""
        import pandas as pd

        names = ("section", "table", "subject", "quantity", "number", "text", "unit", "source_kind", "source")
        return pd.DataFrame({name: getattr(self, name) for name in (*names, "version", "field")})

    def summary(self) -> pd.DataFrame:
        """One row: name, audience, since, until, on, targets, met, missed, rows, caveats, verdict."""
        import pandas as pd

        standing = self.standings()
        row = {
            "name": self.name,
            "audience": self.audience,
            "since": self.since,
            "until": self.until,
            "on": self.on,
            "targets": len(standing),
            "met": sum(s == "met" for s in standing.values()),
            "missed": sum(s == "missed" for s in standing.values()),
            "rows": len(self.section),
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def standings(self) -> dict[str, str]:
        """Target -> "met", "missed" or "no data"."""
        at = (self.table == "Targets") & (self.quantity == "met")
        return dict(zip(self.subject[at].tolist(), self.text[at].tolist(), strict=True))

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """A line for each content, to management after the table of targets; the page has the rest."""
        import pandas as pd

        targets = dict(self.content_tables(1)).get("Targets")
        told = [(c, s) for c, s in zip(CONTENTS, self.statements, strict=True) if s]
        if targets is None or self.audience != "management":
            return (("The contents in short", pd.DataFrame(told, columns=["content", "in short"])),)
        rest = pd.DataFrame(told[1:], columns=["content", "in short"])
        return ("Targets", targets), ("The other contents in short", rest)

    def content_tables(self, content: int) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables of a content (1 to 7): one row a subject, a column a quantity.

        For operations the last column says what a row rests on; everybody finds it in :meth:`to_frame`.
        """
        here = self.section == content
        names = [str(name) for name in dict.fromkeys(self.table[here].tolist())]
        return tuple((n, self._wide(np.flatnonzero(here & (self.table == n)).tolist(), n)) for n in names)

    def _wide(self, rows: Sequence[int], table: str) -> pd.DataFrame:
        import pandas as pd

        columns = [c for c in dict.fromkeys(str(self.quantity[k]) for k in rows) if c not in IN_WORDS]
        subjects: dict[str, dict[str, str]] = {}
        rests: dict[str, dict[str, None]] = {}
        for k in rows:
            subject = str(self.subject[k])
            value = float(self.number[k])
            cell = str(self.text[k]) if math.isnan(value) else said(value, str(self.unit[k]))
            subjects.setdefault(subject, {})[str(self.quantity[k])] = cell
            version = int(self.version[k])
            # not its own name again: "target, version 2"
            name = str(self.source[k]).removeprefix(f"{self.name}: ").removesuffix(f": {subject}")
            if not version and name == subject:
                continue
            told = f"{name}, version {version}" if version else f"record: {name}"
            rests.setdefault(subject, {})[told] = None
        # "By service", "made_sla by service": the attribute
        attribute = re.search(r"\b[Bb]y (.+)$", table)
        first = SUBJECTS.get(table) or (attribute[1] if attribute else "what")
        made = [{first: s} | {c: cells.get(c, "") for c in columns} for s, cells in subjects.items()]
        frame = pd.DataFrame(made, columns=[first, *columns])
        if "a year before" in columns and (frame["a year before"] == "no data").all():
            frame = frame.drop(columns="a year before")  # a caveat says so
        if self.audience == "management" and "n" in columns:
            frame = frame.drop(columns="n")
        if self.audience == "operations":
            frame["rests on"] = ["; ".join(rests.get(s, {})) or "record" for s in subjects]
        return frame


def said(value: float, unit: str) -> str:
    """A number of a row as people read it.

    Examples
    --------
    >>> said(0.8312, "share"), said(1234.0, ""), said(12.345, "hours")
    ('83.1%', '1,234', '12.3 hours')
    """
    return percent(value, fine=True) if unit == "share" else number(value, unit)
