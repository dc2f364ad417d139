"""Rows of a review: each value is read from the record or saved result it names."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import day
from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.practice_records import Work
from perfanalytics.core.result import Result
from perfanalytics.practices.qwm.work_review_result import WorkReview


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A saved result that a review rests on.

    Parameters
    ----------
    role : str
        What it is for the review: "data_quality", "own_baseline", "chart", "borrowed", "capability",
        "calibration", "prediction", "other_prediction", "trade_off", "conflicts", "risks", "checks",
        "alternatives", "derived".
    subject : str
        What it is about: a measure, an objective, a baseline, a model.
    name, version
        Under which it is saved.
    result : Result
        As it was read back.
    note : str
        More about the subject (the subprocess of a chart).
    """

    role: str
    subject: str
    name: str
    version: int
    result: Result
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """Something a review needs and does not have, with the reason."""

    role: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a review is made of.

    Parameters
    ----------
    work : Work
    archive : Archive
        Of the day of the review.
    kept : tuple of Kept
    not_done : tuple of NotDone
    previous : Kept or None
        The review before this one.
    held_by : tuple of str
    """

    work: Work
    archive: Archive
    kept: tuple[Kept, ...] = ()
    not_done: tuple[NotDone, ...] = ()
    previous: Kept | None = None
    held_by: tuple[str, ...] = ()

    @property
    def on(self) -> dt.date:
        """The day of the review."""
        return self.archive.on

    def of(self, *roles: str) -> tuple[Kept, ...]:
        """What was kept for these roles, in order."""
        return tuple(k for k in self.kept if k.role in roles)

    def last(self) -> WorkReview | None:
        """The review before this one."""
        if self.previous is None:
            return None
        assert isinstance(self.previous.result, WorkReview)
        return self.previous.result


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the sections, in order."""

    section: list[int] = field(default_factory=list)
    columns: list[tuple[str, str, str, float, str, str, str, str, int, str]] = field(default_factory=list)

    def add(
        self,
        section: int,
        table: str,
        subject: str,
        quantity: str,
        source: Kept | Any,
        field: str = "",
        *,
        value: object = None,
        unit: str = "",
    ) -> None:
        """One value. With ``field`` it is looked up in the source; ``value`` is for what was computed."""
        if field and value is None:
            value = looked_up(source.result if isinstance(source, Kept) else source, field)
        number, text = told(value)
        if isinstance(source, Kept):
            kind, name, version = source.result.kind, source.name, source.version
        else:
            kind, name, version = source.kind, source.name, 0
        self.section.append(section)
        self.columns.append((table, subject, quantity, number, text, unit, kind, name, version, field))

    def fill(
        self, section: int, table: str, subject: str, source: Kept | Any, wanted: dict[str, str]
    ) -> None:
        """Several values of one source: quantity -> field."""
        for quantity, name in wanted.items():
            self.add(section, table, subject, quantity, source, name)

    def arrays(self) -> dict[str, Any]:
        """The columns of a :class:`WorkReview`."""
        names = ("table", "subject", "quantity", "number", "text", "unit", "source_kind", "source")
        made: dict[str, Any] = {"section": np.array(self.section, dtype=np.int64)}
        types: dict[str, Any] = {"number": float, "version": np.int64}
        for k, name in enumerate((*names, "version", "field")):
            made[name] = np.array([row[k] for row in self.columns], dtype=types.get(name, object))
        return made


def looked_up(source: Any, field: str) -> object:
    """A value of a record or result, by the ``field`` of a row.

    Raises
    ------
    UnknownNameError
        For a field that the source does not have.

    Examples
    --------
    >>> from perfanalytics.core.records import Objective
    >>> looked_up(Objective("fast", measure="hours", target=24, direction="at_most"), "target")
    24
    """
    place, _, rest = field.partition(": ")
    found: object
    if rest and place == "summary":
        found = source.summary()[rest].iloc[0]
    elif rest and place == "quantity":
        name, _, part = rest.partition(": ")
        estimate = source[name]
        found = estimate.value
        if part:
            found = math.nan if estimate.interval is None else getattr(estimate.interval, part)
    elif rest and place == "last":
        found = getattr(source, rest)[-1]
    elif rest and place == "table":
        row, _, column = rest.rpartition(": ")
        found = source.to_frame()[column].iloc[int(row)]
    elif hasattr(source, field):
        found = getattr(source, field)
    else:
        raise UnknownNameError(f"field of a {source.kind}", field, ())
    return found


def told(value: object) -> tuple[float, str]:
    """A value as number and text of a row.

    Examples
    --------
    >>> told(0.5), told(True), told(None), told(("a", "b"))
    ((0.5, ''), (nan, 'yes'), (nan, ''), (nan, 'a, b'))
    """
    if value is None or (isinstance(value, np.datetime64) and np.isnat(value)):
        return math.nan, ""
    if isinstance(value, bool | np.bool_):
        return math.nan, "yes" if value else "no"
    if isinstance(value, int | float | np.integer | np.floating):
        return float(value), ""
    if isinstance(value, np.datetime64):
        return math.nan, day(value)
    if isinstance(value, dt.datetime):
        return math.nan, value.date().isoformat()
    if isinstance(value, dt.date):
        return math.nan, value.isoformat()
    if isinstance(value, tuple | list):
        return math.nan, ", ".join(str(v) for v in value)
    if type(value).__name__ == "NAType":
        return math.nan, ""
    return math.nan, str(value)
