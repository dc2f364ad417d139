"""Series and SeriesBatch: values in order of time, with everything known about each point.

A batch is flat columns plus offsets: series ``i`` is ``values[offsets[i]:offsets[i + 1]]``. A series
is a batch of one, and every method of the package works on batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfanalytics.core.columns import (
    Floats,
    any_column,
    check_offsets,
    check_values,
    flags,
    instant,
    not_negative,
    texts,
    times,
)
from perfanalytics.core.data_hash import hashes_of, joined_hash
from perfanalytics.core.errors import InputError
from perfanalytics.core.exclusions import named_points
from perfanalytics.core.measure import UNNAMED, Measure, require_definition
from perfanalytics.core.periods import check_every, period_number
from perfanalytics.core.records import Change, Event, Exclusion
from perfanalytics.core.result import Provenance

if TYPE_CHECKING:
    import pandas as pd

#: The optional columns: one entry a point.
COLUMNS = ("when", "sizes", "weights", "censored", "subgroups", "labels", "items")


class SeriesBatch:
    """Many series of one measure, as flat read-only columns.

    Parameters
    ----------
    values : array_like of float, shape (n,) or (n, k)
        All values, series after series, each in order of time. NaN is a gap. (n, k) for multivariate charts.
    offsets : array_like of int, shape (m + 1,)
        Series ``i`` is ``values[offsets[i]:offsets[i + 1]]``; starts at 0, ends at n, never decreases.
    measure : Measure
    ids : sequence of str, length m
        What each series is called ("group=Network"); unique.
    when : array_like of datetime64, shape (n,), optional
        Non-decreasing within a series. With a zone: converted to UTC; without: local wall time.
    sizes : array_like of float, shape (n,), optional
        Denominators (units inspected, incidents closed, hours at risk), in their own unit; not negative.
    weights : array_like of float, shape (n,), optional
        Weight of each value (for example the number of items behind a mean); not negative.
    censored : array_like of bool, shape (n,), optional
        True where the item is still open: the value is a lower bound.
    subgroups : array_like, shape (n,), optional
        Rational subgroup of each value.
    labels, items : array_like of str, shape (n,), optional
        Text shown at the point; the item (ticket, project) it belongs to.
    covariates : mapping of name to array_like of shape (n,), optional
    events : sequence of Event or Change
        What happened; drawn on charts, offered as explanations.
    exclusions : sequence of Exclusion
        Points not to be used for limits, each with its cause.
    expected_every : {"hour", "day", "week", "month", "quarter", "year"}, optional
        The rhythm of the series: a period without a point is then a gap (see :attr:`breaks`).
    selection, load_ids :
        Where the data came from; filled by the repository.

    Raises
    ------
    InputError
        For columns of other lengths, infinite values, times that go backwards, negative sizes.

    Examples
    --------
    >>> b = SeriesBatch([1.0, 2, 3, 10, 20], [0, 3, 5], measure=UNNAMED, ids=["a", "b"])
    >>> len(b), b[1].values.tolist()
    (2, [10.0, 20.0])
    """

    __slots__ = (
        "_hashes",
        "censored",
        "clock",
        "covariates",
        "events",
        "exclusions",
        "expected_every",
        "ids",
        "items",
        "labels",
        "load_ids",
        "measure",
        "offsets",
        "selection",
        "sizes",
        "subgroups",
        "values",
        "weights",
        "when",
    )

    def __init__(
        self,
        values: ArrayLike,
        offsets: ArrayLike,
        *,
        measure: Measure = UNNAMED,
        ids: Sequence[str],
        when: ArrayLike | None = None,
        sizes: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        subgroups: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        items: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
        events: Sequence[Event | Change] = (),
        exclusions: Sequence[Exclusion] = (),
        expected_every: str | None = None,
        selection: Mapping[str, Any] | None = None,
        load_ids: Sequence[int] = (),
        clock: str | None = None,
    ) -> None:
        require_definition(measure)
        self.values = check_values(values)
        n = len(self.values)
        self.offsets = check_offsets(offsets, n)
        self.measure = measure
        self.ids = tuple(str(i) for i in ids)
        if len(self.ids) != len(self.offsets) - 1:
            raise InputError(f"{len(self.offsets) - 1} series need as many ids, got {len(self.ids)}")
        if len(set(self.ids)) != len(self.ids):
            raise InputError("the ids of a batch must be unique")
        self.when, self.clock = times(when, n, self.offsets)
        if clock is not None and self.when is not None:
            self.clock = clock
        self.sizes = not_negative("sizes", sizes, n)
        self.weights = not_negative("weights", weights, n)
        self.censored = flags(censored, n)
        self.subgroups = any_column("subgroups", subgroups, n)
        self.labels = texts("labels", labels, n)
        self.items = texts("items", items, n)
        self.covariates = {
            str(k): cast("NDArray[Any]", any_column(f"covariate {k!r}", v, n))
            for k, v in (covariates or {}).items()
        }
        self.events = tuple(events)
        self.exclusions = tuple(exclusions)
        if any(not isinstance(e, Exclusion) for e in self.exclusions):
            raise InputError(
                "exclusions are Exclusion('reason', point=...) records: no point is excluded without one"
            )
        self.expected_every = None if expected_every is None else check_every(expected_every)
        self.selection = dict(selection or {})
        self.load_ids = tuple(int(i) for i in load_ids)
        self._hashes: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int | str) -> Series:
        i = self.ids.index(index) if isinstance(index, str) else range(len(self))[index]
        name = self.ids[i]
        own = [e for e in self.exclusions if e.series is None or e.series == name]
        return _cut(self, int(self.offsets[i]), int(self.offsets[i + 1]), exclusions=own, id=name)

    def __iter__(self) -> Iterator[Series]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<SeriesBatch of {self.measure.name}: {len(self):,} series, {len(self.values):,} points>"

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Points of each series, gaps included; shape (m,)."""
        return np.diff(self.offsets)

    @property
    def breaks(self) -> NDArray[np.bool_] | None:
        """True where at least one expected period is missing before the point; shape (n,).

        None when the series has no declared rhythm (``expected_every``) or no times. Moving ranges,
        runs and trends do not cross a break.
        """
        if self.expected_every is None or self.when is None:
            return None
        number = period_number(self.when, self.expected_every)
        breaks = np.zeros(len(number), dtype=bool)
        breaks[1:] = np.diff(number) > 1
        breaks[self.offsets[:-1][self.lengths > 0]] = False
        return breaks

    def excluded(self) -> tuple[NDArray[np.bool_], dict[int, Exclusion]]:
        """Which points are excluded, and by which record (keyed by flat position)."""
        return resolve_exclusions(self, self.exclusions)

    def hashes(self) -> tuple[str, ...]:
        """One hash of values, sizes, times, weights, censoring, subgroups and float covariates a series."""
        if self._hashes is None:
            columns = [self.values, *(getattr(self, c) for c in COLUMNS[:5])]
            self._hashes = hashes_of(columns, self.covariates, self.offsets)
        return self._hashes

    def data_hash(self) -> str:
        """One hash for the whole batch; that of its series when there is only one."""
        if len(self) == 1:
            return self.hashes()[0]
        return joined_hash(self.hashes())

    def provenance(self) -> Provenance:
        """Where the data came from, for the result."""
        return Provenance(
            self.measure.name,
            data_hash=self.data_hash(),
            n=len(self.values),
            selection=self.selection,
            load_ids=self.load_ids,
            clock=self.clock,
        )

    @classmethod
    def from_series(cls, series: Mapping[str, Series] | Sequence[Series]) -> SeriesBatch:
        """One batch of several series of the same measure (a mapping gives the ids)."""
        parts = list(series.values()) if isinstance(series, Mapping) else list(series)
        ids = list(series) if isinstance(series, Mapping) else [s.id or str(i) for i, s in enumerate(parts)]
        if not parts:
            raise InputError("a batch needs at least one series")
        first = parts[0]
        if any(s.measure != first.measure for s in parts):
            raise InputError("the series of a batch must be of the same measure")

        def column(name: str) -> NDArray[Any] | None:
            have = [getattr(s, name) for s in parts]
            if all(c is None for c in have):
                return None
            if any(c is None for c in have):
                raise InputError(f"some series of the batch have {name}, others not")
            return np.concatenate(have)

        covariates = {k: np.concatenate([s.covariates[k] for s in parts]) for k in first.covariates}
        exclusions: dict[Exclusion, None] = {}
        for name, s in zip(ids, parts, strict=True):
            for e in s.exclusions:
                exclusions[_for_series(e, name)] = None
        return cls(
            np.concatenate([s.values for s in parts]),
            np.concatenate([[0], np.cumsum([len(s) for s in parts])]),
            measure=first.measure,
            ids=ids,
            **{c: column(c) for c in COLUMNS},
            covariates=covariates,
            events=first.events,
            exclusions=list(exclusions),
            expected_every=first.expected_every,
            selection=first.selection,
            load_ids=sorted({i for s in parts for i in s.load_ids}),
            clock=first.clock if first.when is not None else None,
        )


class Series:
    """Values of one measure in order of time. See :class:`SeriesBatch` for the columns.

    Examples
    --------
    >>> s = Series([3.0, 4.0, float("nan"), 5.0])
    >>> len(s), s.measure.name
    (4, 'values')
    """

    __slots__ = ("_batch", "id")

    def __init__(
        self,
        values: ArrayLike,
        *,
        measure: Measure = UNNAMED,
        when: ArrayLike | None = None,
        sizes: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        subgroups: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        items: ArrayLike | None = None,
        covariates: Mapping[str, ArrayLike] | None = None,
        events: Sequence[Event | Change] = (),
        exclusions: Sequence[Exclusion] = (),
        expected_every: str | None = None,
        selection: Mapping[str, Any] | None = None,
        load_ids: Sequence[int] = (),
        clock: str | None = None,
        id: str = "",
    ) -> None:
        array = check_values(values)
        self.id = id
        self._batch = SeriesBatch(
            array,
            [0, len(array)],
            measure=measure,
            ids=[id],
            when=when,
            sizes=sizes,
            weights=weights,
            censored=censored,
            subgroups=subgroups,
            labels=labels,
            items=items,
            covariates=covariates,
            events=events,
            exclusions=exclusions,
            expected_every=expected_every,
            selection=selection,
            load_ids=load_ids,
            clock=clock,
        )

    @property
    def values(self) -> Floats:
        """Values, shape (n,) or (n, k), read-only; NaN is a gap."""
        return self._batch.values

    @property
    def measure(self) -> Measure:
        """What the values mean."""
        return self._batch.measure

    @property
    def when(self) -> NDArray[np.datetime64] | None:
        """Times, datetime64[us], shape (n,)."""
        return self._batch.when

    @property
    def sizes(self) -> Floats | None:
        """Denominators, shape (n,)."""
        return self._batch.sizes

    @property
    def weights(self) -> Floats | None:
        """Weights, shape (n,)."""
        return self._batch.weights

    @property
    def censored(self) -> NDArray[np.bool_] | None:
        """True where the item is still open, shape (n,)."""
        return self._batch.censored

    @property
    def subgroups(self) -> NDArray[Any] | None:
        """Rational subgroup of each value, shape (n,)."""
        return self._batch.subgroups

    @property
    def labels(self) -> NDArray[Any] | None:
        """Texts shown at the points, shape (n,)."""
        return self._batch.labels

    @property
    def items(self) -> NDArray[Any] | None:
        """Items the values belong to, shape (n,)."""
        return self._batch.items

    @property
    def covariates(self) -> dict[str, NDArray[Any]]:
        """Further columns, each of shape (n,)."""
        return self._batch.covariates

    @property
    def events(self) -> tuple[Event | Change, ...]:
        """What happened."""
        return self._batch.events

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """Points not used for limits, each with its cause."""
        return self._batch.exclusions

    @property
    def expected_every(self) -> str | None:
        """The declared rhythm."""
        return self._batch.expected_every

    @property
    def selection(self) -> dict[str, Any]:
        """How the repository was asked."""
        return self._batch.selection

    @property
    def load_ids(self) -> tuple[int, ...]:
        """The loads the values came from."""
        return self._batch.load_ids

    @property
    def clock(self) -> str:
        """ "UTC", "local" (wall time) or "none"."""
        return self._batch.clock

    @property
    def breaks(self) -> NDArray[np.bool_] | None:
        """See :attr:`SeriesBatch.breaks`."""
        return self._batch.breaks

    def __len__(self) -> int:
        return len(self._batch.values)

    def __repr__(self) -> str:
        span = (
            ""
            if self.when is None or not len(self)
            else f", {self.when[0]} to {self.when[-1]} ({self.clock})"
        )
        return (
            f"<Series of {self.measure.name}{f' [{self.id}]' if self.id else ''}: {len(self):,} points{span}>"
        )

    def as_batch(self) -> SeriesBatch:
        """The batch of one."""
        return self._batch

    def excluded(self) -> tuple[NDArray[np.bool_], dict[int, Exclusion]]:
        """Which points are excluded, and by which record (keyed by position)."""
        return self._batch.excluded()

    def data_hash(self) -> str:
        """Hash of values, sizes, times, weights, censoring and subgroups."""
        return self._batch.data_hash()

    def provenance(self) -> Provenance:
        """Where the data came from, for the result."""
        return self._batch.provenance()

    def take(self, start: int | None = None, stop: int | None = None) -> Series:
        """The points ``start`` to ``stop`` (as a slice) as a series of their own.

        Exclusions that name a point by position are renumbered, those outside are left out.

        Examples
        --------
        >>> Series([1.0, 2.0, 3.0]).take(1).values.tolist()
        [2.0, 3.0]
        """
        a, b, _ = slice(start, stop).indices(len(self))
        b = max(a, b)
        kept = []
        for e in self.exclusions:
            if e.point is None:
                kept.append(e)
            elif a <= range(len(self))[e.point] < b:
                kept.append(_moved(e, range(len(self))[e.point] - a))
        return _cut(self._batch, a, b, exclusions=kept, id=self.id)

    def between(self, since: object = None, until: object = None) -> Series:
        """The points with ``since <= when < until`` (dates, datetimes or ISO texts).

        Raises
        ------
        InputError
            When the series has no times.
        """
        if self.when is None:
            raise InputError("this series has no times: cut it by position with take(start, stop)")
        a = 0 if since is None else int(np.searchsorted(self.when, instant(since, self.clock)))
        b = len(self) if until is None else int(np.searchsorted(self.when, instant(until, self.clock)))
        return self.take(a, b)

    def to_frame(self) -> pd.DataFrame:
        """One row per point: when, label, value, size, weight, censored, subgroup, item and covariates."""
        import pandas as pd

        blank = [None] * len(self)
        frame = pd.DataFrame(
            {
                "when": self.when if self.when is not None else np.full(len(self), "NaT", "datetime64[us]"),
                "label": self.labels if self.labels is not None else blank,
                "value": self.values if self.values.ndim == 1 else list(self.values),
                "size": self.sizes if self.sizes is not None else np.nan,
                "weight": self.weights if self.weights is not None else np.nan,
                "censored": self.censored if self.censored is not None else False,
                "subgroup": self.subgroups if self.subgroups is not None else blank,
                "item": self.items if self.items is not None else blank,
            }
        )
        for name, column in self.covariates.items():
            frame[name] = column
        return frame


def _cut(batch: SeriesBatch, a: int, b: int, *, exclusions: Sequence[Exclusion], id: str) -> Series:
    """The flat points ``a`` to ``b - 1`` as a series, with all that is known of them."""
    columns = {name: getattr(batch, name) for name in COLUMNS}
    return Series(
        batch.values[a:b],
        measure=batch.measure,
        **{name: None if column is None else column[a:b] for name, column in columns.items()},
        covariates={name: column[a:b] for name, column in batch.covariates.items()},
        events=batch.events,
        exclusions=exclusions,
        expected_every=batch.expected_every,
        selection=batch.selection,
        load_ids=batch.load_ids,
        clock=batch.clock if batch.when is not None else None,
        id=id,
    )


def resolve_exclusions(
    batch: SeriesBatch, exclusions: Sequence[Exclusion]
) -> tuple[NDArray[np.bool_], dict[int, Exclusion]]:
    """Which flat points the records name.

    Raises
    ------
    InputError
        When a record names a point that does not exist, or one by time where there are no times.
    """
    mask = np.zeros(len(batch.values), dtype=bool)
    by_point: dict[int, Exclusion] = {}
    for record in exclusions:
        if record.series is not None and record.series not in batch.ids:
            continue
        which = range(len(batch)) if record.series is None else [batch.ids.index(record.series)]
        for i in which:
            a, b = int(batch.offsets[i]), int(batch.offsets[i + 1])
            positions = named_points(
                record,
                n=b - a,
                when=None if batch.when is None else batch.when[a:b],
                clock=batch.clock,
                labels=None if batch.labels is None else batch.labels[a:b],
                items=None if batch.items is None else batch.items[a:b],
                lenient=len(batch) > 1 and record.series is None,
            )
            for position in positions:
                mask[a + position] = True
                by_point.setdefault(a + position, record)
    return mask, by_point


def _for_series(record: Exclusion, name: str) -> Exclusion:
    return record if record.series is not None else replace(record, series=name)


def _moved(record: Exclusion, point: int) -> Exclusion:
    return replace(record, point=point)
