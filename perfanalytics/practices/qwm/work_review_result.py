"""WorkReview: the review of a piece of work, every number with the record or saved result it rests on."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core import codec
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.practice_records import Work
from perfanalytics.core.result import Result

if TYPE_CHECKING:
    import pandas as pd

#: The sections of a review, in their order.
SECTIONS = (
    "Objectives and where they come from",
    "Data and its quality",
    "Stability, then capability",
    "Predictions",
    "What changed since the last review",
    "Risks and conflicts",
    "Actions",
)
_TEXTS = ("table", "subject", "quantity", "text", "unit", "source_kind", "source", "field")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WorkReview(Result):
    """The review of a piece of work at one day.

    Attributes
    ----------
    work : Work
    on : date
        What was known at the end of this day was used.
    held_by : tuple of str
    previous : int
        Version of the review before it (saved under the same name); 0 for the first.
    previous_on : date or None
    section : int array, shape (k,)
        1 to 7: the sections of :data:`SECTIONS`.
    table, subject, quantity : text arrays, shape (k,)
        What a row is about.
    number : float array, shape (k,)
        NaN where it is a text.
    text, unit : text arrays, shape (k,)
    source_kind, source : text arrays, shape (k,)
        Kind and name of the record or saved result the row rests on.
    version : int array, shape (k,)
        Version of the saved result; 0 for a record.
    field : text array, shape (k,)
        Which value of it: an attribute, ``"summary: column"``, ``"quantity: name"``
        (``"quantity: name: low"``), ``"last: name"`` (the last of several), ``"table: row: column"`` of its
        table, or "" where it was computed from several.
    """

    kind: ClassVar[str] = "work_review"

    work: Work
    on: dt.date
    held_by: tuple[str, ...]
    previous: int
    previous_on: dt.date | None
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
        """One row: work, on, held_by, previous_on, rows, objectives, least probability predicted, verdict."""
        import pandas as pd

        chances = self.number[(self.table == "Predictions") & (self.quantity == "probability")]
        known = chances[~np.isnan(chances)]
        row = {
            "work": self.work.name,
            "on": self.on,
            "held_by": ", ".join(self.held_by),
            "previous_on": self.previous_on,
            "objectives": len(self.work.objectives),
            "lowest_probability": float(known.min()) if len(known) else math.nan,
            "rows": len(self.section),
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Every value with what it rests on; a page shows the sections by :meth:`section_tables`."""
        return (("Every value and what it rests on", self.to_frame()),)

    def value(self, table: str, subject: str, quantity: str) -> float | str:
        """The number, or where there is none the text, of a row.

        Raises
        ------
        UnknownNameError
        """
        found = np.flatnonzero(
            (self.table == table) & (self.subject == subject) & (self.quantity == quantity)
        )
        if not len(found):
            known = [
                f"{t}: {s}: {q}" for t, s, q in zip(self.table, self.subject, self.quantity, strict=True)
            ]
            raise UnknownNameError("row of this review", f"{table}: {subject}: {quantity}", known)
        k = int(found[0])
        return str(self.text[k]) if np.isnan(self.number[k]) else float(self.number[k])

    def section_tables(self, section: int) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The tables of a section (1 to 7): one row a subject, a column a quantity, and what it rests on."""
        here = self.section == section
        names = [str(name) for name in dict.fromkeys(self.table[here].tolist())]
        return tuple(
            (name, self._wide(np.flatnonzero(here & (self.table == name)).tolist(), name)) for name in names
        )

    def _wide(self, rows: Sequence[int], table: str) -> pd.DataFrame:
        import pandas as pd

        columns = [
            c for c in dict.fromkeys(str(self.quantity[k]) for k in rows) if c not in IN_WORDS.get(table, ())
        ]
        subjects: dict[str, dict[str, Any]] = {}
        rests: dict[str, dict[str, None]] = {}
        for k in rows:
            subject = str(self.subject[k])
            cell = (
                self.text[k]
                if np.isnan(self.number[k])
                else _shown(float(self.number[k]), f"{self.subject[k]} {self.quantity[k]}")
            )
            subjects.setdefault(subject, {})[str(self.quantity[k])] = cell
            if self.source[k]:
                version = f", version {self.version[k]}" if self.version[k] else ""
                kind = str(self.source_kind[k]).replace("_", " ")
                name = str(self.source[k]).removeprefix(f"{self.work.name}: ")
                own = kind if self.source[k] == subject else f"{kind} '{self.source[k]}'"
                told = f"{name}{version}" if version else f"record: {own}"
                rests.setdefault(subject, {})[told] = None
        first = SUBJECTS.get(table, table.lower())
        made = [
            {first: s} | {c: cells.get(c, "") for c in columns} | {"rests on": "; ".join(rests.get(s, {}))}
            for s, cells in subjects.items()
        ]
        return pd.DataFrame(made, columns=[first, *columns, "rests on"])


#: Table -> what its first column is called.
SUBJECTS = {
    "Objectives": "objective",
    "Interim objectives": "objective",
    "Data": "measure",
    "Stability": "subprocess: measure",
    "Borrowed baselines": "baseline",
    "Capability": "objective",
    "Predictions": "objective",
    "Calibrated models": "model",
    "Other predictions": "model",
    "Changes": "what",
    "Unchanged": "what",
    "Predictions of the last review": "objective",
    "Risks": "risk",
    "Conflicts": "objectives",
    "Alternatives": "alternative",
    "Actions open and due": "action",
    "Actions done since the last review": "action",
}


#: Table -> quantities that another column says in words.
IN_WORDS = {"Objectives": ("statistic", "direction", "target", "share", "owner")}


def _shown(value: float, about: str) -> float | int | str:
    """A number as a person reads it in a table: whole numbers whole, probabilities not to the ninth digit."""
    if "probability" in about and 0 < value < 0.001:
        return "below 0.001"
    if "probability" in about and 0.999 < value < 1:
        return "above 0.999"
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def hash_of(*parts: object) -> str:
    """A hash of plain values: where a result has no series behind it."""
    text = json.dumps(codec.encode(list(parts)), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
