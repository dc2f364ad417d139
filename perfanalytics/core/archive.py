"""Archive: everything that was declared and saved, as the practices need it.

The repository makes one (``repo.archive()``); tests and notebooks make one by hand (:meth:`Archive.of`). The
practices compute from it, so that what they say always rests on records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from perfanalytics.core.errors import UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Result


@dataclass(frozen=True, slots=True)
class Saved:
    """One version of a saved result, without its content.

    Parameters
    ----------
    name, version
        The key of the saved result.
    result_kind : str
        Kind of the result ("baseline", "model" ...).
    measure, verdict, by, note : str
    saved_at : datetime, UTC
    """

    name: str
    version: int
    _: KW_ONLY
    result_kind: str
    measure: str
    verdict: str
    saved_at: dt.datetime
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What is on record at a point in time.

    Parameters
    ----------
    records : mapping of kind to tuple of records
        Each record in its last version ("objective", "work", "action" ...; measures too).
    saved : tuple of Saved
        Every version of every saved result, the oldest first.
    on : date
        The day the practices speak of: ages are counted from it. The last day of the data, not the clock.
    newest : mapping of measure to datetime
        Time of the newest observation of each measure that has any.
    earlier : mapping of kind to records
        Versions of records that were replaced by a later one of the same name, the oldest first.
    withdrawn : mapping of kind to tuple of names
        Records that are in force no more.
    read : callable
        ``read(name, version)`` gives a saved result.

    Examples
    --------
    >>> from perfanalytics.core.records import Objective
    >>> archive = Archive.of([Objective("fast", measure="hours", target=24, direction="at_most")])
    >>> archive.get("objective", "fast").target
    24
    >>> archive.saved_of("baseline")
    ()
    """

    records: Mapping[str, tuple[Any, ...]]
    saved: tuple[Saved, ...]
    on: dt.date
    newest: Mapping[str, dt.datetime] = field(default_factory=dict)
    earlier: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    withdrawn: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    read: Callable[[str, int | None], Result] = field(repr=False)

    @classmethod
    def of(
        cls,
        records: Iterable[Any] = (),
        results: Mapping[str, Result] | None = None,
        *,
        on: dt.date | None = None,
        newest: Mapping[str, dt.datetime] | None = None,
        earlier: Iterable[Any] = (),
        withdrawn: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Archive:
        """An archive of records and named results that are in no repository.

        Parameters
        ----------
        records : iterable of records (measures too)
        results : mapping of name to Result, each as version 1
        on : date, optional
            Default the day of the newest observation in ``newest``, else today.
        newest : mapping of measure to datetime, optional
        earlier : iterable of records
            Replaced by those in ``records`` of the same name.
        withdrawn : mapping of kind to names, optional
        """
        kinds: dict[str, list[Any]] = {}
        for record in records:
            kinds.setdefault(record.kind, []).append(record)
        replaced: dict[str, list[Any]] = {}
        for record in earlier:
            replaced.setdefault(record.kind, []).append(record)
        held = dict(results or {})
        moment = dt.datetime(2000, 1, 1)
        saved = tuple(
            Saved(
                name,
                1,
                result_kind=result.kind,
                measure=result.provenance.measure,
                verdict=result.verdict,
                saved_at=moment,
            )
            for name, result in held.items()
        )
        times = dict(newest or {})

        def read(name: str, version: int | None) -> Result:
            if name not in held:
                raise UnknownNameError("saved result", name, held)
            return held[name]

        day = on or (max(times.values()).date() if times else dt.date.today())
        return cls(
            records={kind: tuple(found) for kind, found in kinds.items()},
            saved=saved,
            on=day,
            newest=times,
            earlier={kind: tuple(found) for kind, found in replaced.items()},
            withdrawn=dict(withdrawn or {}),
            read=read,
        )

    def of_kind(self, kind: str) -> tuple[Any, ...]:
        """The records of a kind; empty when there are none."""
        return self.records.get(kind, ())

    def get(self, kind: str, name: str) -> Any:
        """The record of a kind and name.

        Raises
        ------
        UnknownNameError
        """
        found = {r.name: r for r in self.of_kind(kind)}
        if name not in found:
            raise UnknownNameError(kind.replace("_", " "), name, found)
        return found[name]

    def measure(self, name: str) -> Measure | None:
        """The measure of a name, or None when it is not declared."""
        return next((m for m in self.of_kind("measure") if m.name == name), None)

    def saved_of(self, *kinds: str, measure: str | None = None) -> tuple[Saved, ...]:
        """The newest version of each saved result of these kinds (any when none is named)."""
        newest: dict[str, Saved] = {}
        for entry in self.saved:
            newest[entry.name] = entry
        return tuple(
            e
            for e in newest.values()
            if (not kinds or e.result_kind in kinds) and (measure is None or e.measure == measure)
        )

    def versions(self, name: str) -> tuple[Saved, ...]:
        """Every saved version of a name, the oldest first; empty when nothing was saved under it."""
        return tuple(e for e in self.saved if e.name == name)

    def result(self, name: str, *, version: int | None = None) -> Any:
        """A saved result; default its last version.

        Raises
        ------
        UnknownNameError
        """
        return self.read(name, version)
