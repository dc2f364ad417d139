"""Where the stages of a chart begin: at positions, dates, events, changes, or where a column changes."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Change, Event
from perfanalytics.core.segments import Flags
from perfanalytics.core.series import SeriesBatch

#: What can begin a new stage; a mapping is ``{"column": name of a covariate}``.
Stage = int | str | dt.date | np.datetime64 | Change | Event | Mapping[str, str]
Stages = Sequence[Stage] | Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """Stages, resolved.

    Parameters
    ----------
    starts : int array
        Flat positions at which new stages begin, rising; the first stage of a series is not among them.
    said : tuple
        The stages as JSON, for ``.method``.
    labels : mapping of flat position to str
        What the stage that begins there is called; filled for one series only.
    """

    starts: NDArray[np.int64]
    said: tuple[Any, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)


def column_of(stage: object) -> str | None:
    """The covariate a stage is taken from; None for stages of another kind.

    Raises
    ------
    InputError
        For a mapping of another form.

    Examples
    --------
    >>> column_of({"column": "version"}), column_of("2024-03-01")
    ('version', None)
    """
    if not isinstance(stage, Mapping):
        return None
    name = stage.get("column")
    if set(stage) != {"column"} or not isinstance(name, str) or not name:
        raise InputError(f'stages by a column are written {{"column": "name of a covariate"}}, got {stage!r}')
    return name


def stage_starts(
    batch: SeriesBatch, source: SeriesBatch, offsets: NDArray[np.int64], seen: Flags, stages: object
) -> Staged:
    """Where new stages begin.

    A text is the name of an event or change that came with the series, or an ISO time. A mapping ``{"column":
    name}`` begins a stage wherever the covariate changes its value. In a batch a stage that a series does not
    reach, or that begins at its first point, changes nothing there; for one series it is a mistake (a column
    that never changes is none).

    Parameters
    ----------
    batch, source : SeriesBatch
        The series as they came, and their points (subgroups).
    offsets : int array, shape (m + 1,)
    seen : bool array, shape (n,)
        Points that have a value: only these must have one in the column.

    Raises
    ------
    InputError
        For a stage outside the data, a time where there are none, a used point without a value in the column.
    UnknownNameError
        For a column that the series does not have.
    """
    if isinstance(stages, str | int | dt.date | Event | Change | Mapping | np.datetime64 | np.integer):
        stages = (stages,)
    if not isinstance(stages, Iterable):
        raise InputError(
            'stages= takes positions, dates, names of events, Change/Event records, or {"column": name}'
        )
    when, alone = source.when, len(offsets) == 2
    flat: list[NDArray[np.int64]] = []
    said: list[Any] = []
    labels: dict[int, list[str]] = {}
    named = {e.name: e for e in batch.events}
    for stage in stages:
        column = column_of(stage)
        if column is not None:
            values = _column(batch, source, column, seen, offsets)
            at = _changes(values, offsets)
            said.append({"column": column})
            if alone and len(values):
                for k in [0, *at.tolist()]:
                    labels.setdefault(k, []).append(_told(values[k]))
            flat.append(at)
            continue
        if isinstance(stage, str):
            stage = named.get(stage, stage)
        if isinstance(stage, int | np.integer) and not isinstance(stage, bool):
            at = offsets[:-1] + int(stage)
            said.append(int(stage))
            label = f"point {int(stage)}"
            if alone and not 0 < stage < offsets[-1]:
                raise InputError(f"stage at point {stage}: a stage begins at point 1 to {offsets[-1] - 1}")
            if stage < 0:
                raise InputError("a stage is a 0-based position, not negative")
        else:
            moment = stage.when if isinstance(stage, Event | Change) else stage
            if when is None:
                raise InputError(f"stage {moment!r} is a time, but the series has none: give a position")
            start = instant(moment, source.clock)
            said.append(str(start))
            label = (
                stage.name
                if isinstance(stage, Event | Change)
                else str(start.astype("datetime64[m]")).replace("T", " ").removesuffix(" 00:00")
            )
            at = np.array(
                [a + np.searchsorted(when[a:b], start) for a, b in itertools.pairwise(offsets.tolist())],
                dtype=np.int64,
            )
            if alone and not 0 < at[0] < offsets[-1]:
                raise InputError(f"stage at {start}: there must be points before and after it")
        inside = (at > offsets[:-1]) & (at < offsets[1:])
        flat.append(at[inside])
        if alone:
            labels.setdefault(int(at[0]), []).append(label)
    starts = np.unique(np.concatenate(flat)) if flat else np.empty(0, dtype=np.int64)
    return Staged(
        starts=starts.astype(np.int64),
        said=tuple(said),
        labels={k: ", ".join(dict.fromkeys(texts)) for k, texts in labels.items()},
    )


def _column(
    batch: SeriesBatch, source: SeriesBatch, name: str, seen: Flags, offsets: NDArray[np.int64]
) -> NDArray[Any]:
    """The covariate at each point; a gap belongs to the stage before it, one at the beginning to the next."""
    if name not in source.covariates:
        if name in batch.covariates:
            raise InputError(
                f"stages by column {name!r}: it changes within a subgroup; a stage begins with a whole one"
            )
        raise UnknownNameError("covariate for stages by a column", name, batch.covariates)
    column = source.covariates[name]
    missing = _missing(column)
    bad = np.flatnonzero(missing & seen)
    if len(bad):
        raise InputError(
            f"stages by column {name!r}: point {int(bad[0])} is charted but has no value in the column"
        )
    if not missing.any():
        return column
    known = np.where(missing, -1, np.arange(len(column)))
    last = np.maximum.accumulate(known)
    behind = np.repeat(offsets[:-1], np.diff(offsets))
    following = np.minimum.accumulate(np.where(missing, len(column), np.arange(len(column)))[::-1])[::-1]
    ends = np.repeat(offsets[1:], np.diff(offsets))
    take = np.where(last >= behind, last, np.where(following < ends, following, behind))
    return np.asarray(column[take])


def _missing(column: NDArray[Any]) -> Flags:
    if column.dtype == object:
        return np.array([v is None or v != v for v in column.tolist()], dtype=bool)
    if column.dtype.kind == "M":
        return np.asarray(np.isnat(column))
    return np.asarray(column != column)


def _changes(values: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Flat positions at which the value differs from the one before, within a series."""
    if len(values) < 2:
        return np.empty(0, dtype=np.int64)
    change = np.zeros(len(values), dtype=bool)
    change[1:] = np.asarray(values[1:] != values[:-1], dtype=bool) & ~(
        _missing(values[1:]) & _missing(values[:-1])
    )
    change[offsets[:-1][np.diff(offsets) > 0]] = False
    return np.flatnonzero(change).astype(np.int64)


def _told(value: Any) -> str:
    """A value of the column as the label of a stage.

    Examples
    --------
    >>> _told(3.0), _told("v2"), _told(np.datetime64("2024-03-01T00:00", "us"))
    ('3', 'v2', '2024-03-01')
    """
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]")).replace("T", " ").removesuffix(" 00:00:00")
    return "" if value is None or value != value else str(value)
