"""The own data of a work as they were known on a day, and results that are saved before they are used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from perfanalytics.core.data_quality import DataQuality
from perfanalytics.core.errors import PerfAnalyticsError, UnknownNameError
from perfanalytics.core.practice_records import Work
from perfanalytics.core.records import Change, Event, Exclusion
from perfanalytics.core.result import Result
from perfanalytics.core.series import Series
from perfanalytics.practices.qwm.work_review_rows import Kept, NotDone
from perfanalytics.repository.repository import Repository

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnData:
    """The observations of a work, as known at the end of a day.

    Parameters
    ----------
    repo : Repository
    work : Work
    on : date
    """

    repo: Repository
    work: Work
    on: dt.date

    def series(self, measure: str, **selection: Any) -> Series:
        """Observations of the work since it began; ``every`` and ``statistic`` as in the repository."""
        where = dict(selection.pop("where", None) or {}) | dict(self.work.where)
        found = self.repo.series(
            measure, where=_lists(where), since=self.work.since, as_of=self.on, **selection
        )
        return known_on(found, self.on)

    def quality(self, measure: str) -> DataQuality:
        """The integrity checks of the own observations, as they were known."""
        return self.repo.data_quality(
            measure, where=_lists(self.work.where), since=self.work.since, as_of=self.on
        )

    def frame(self, measures: list[str], *, everybody: bool = False) -> Any:
        """Observations with their attributes; of ``everybody`` those of the whole organization."""
        where = None if everybody else _lists(self.work.where)
        since = None if everybody else self.work.since
        return self.repo.frame(measures, where=where, since=since, as_of=self.on)


def _lists(where: Any) -> Any:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in dict(where).items()} or None


def known_on(series: Series, on: dt.date) -> Series:
    """The series with the events, changes and exclusions that were known on a day."""
    events = tuple(e for e in series.events if _day(e) <= on)
    exclusions = tuple(e for e in series.exclusions if _decided(e) is None or _decided(e) <= on)  # type: ignore[operator]
    if len(events) == len(series.events) and len(exclusions) == len(series.exclusions):
        return series
    return Series(
        series.values,
        measure=series.measure,
        when=series.when,
        sizes=series.sizes,
        weights=series.weights,
        censored=series.censored,
        subgroups=series.subgroups,
        labels=series.labels,
        items=series.items,
        covariates=series.covariates,
        events=events,
        exclusions=exclusions,
        expected_every=series.expected_every,
        selection=series.selection,
        load_ids=series.load_ids,
        clock=series.clock if series.when is not None else None,
    )


def _day(event: Event | Change) -> dt.date:
    return event.when.date() if isinstance(event.when, dt.datetime) else event.when


def _decided(exclusion: Exclusion) -> dt.date | None:
    return exclusion.decided_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Saves what a review computes under names of its work, and gives it back as it was read.

    Parameters
    ----------
    repo : Repository
    work : str
    by : str
    note : str
        Goes into the history with each result.
    """

    repo: Repository
    work: str
    by: str
    note: str
    kept: list[Kept] = field(default_factory=list)
    not_done: list[NotDone] = field(default_factory=list)

    def save(
        self, role: str, subject: str, what: str, make: Callable[[], Result], *, note: str = ""
    ) -> Kept | None:
        """Compute, save as ``WORK: what``, read back; None, with the reason kept, where it cannot be done."""
        result = self.tried(role, subject, make)
        if result is None:
            return None
        name = f"{self.work}: {what}"
        version = save_new(self.repo, result, name=name, by=self.by, note=self.note)
        return self.use(role, subject, name, version=version, note=note)

    def use(
        self, role: str, subject: str, name: str, *, version: int | None = None, note: str = ""
    ) -> Kept | None:
        """A result that is saved already; None, with the reason kept, where there is none."""
        found = self.tried(role, subject, lambda: self.repo.result(name, version=version))
        if found is None:
            return None
        assert isinstance(found, Result)
        entry = Kept(
            role=role,
            subject=subject,
            name=name,
            version=version or newest_version(self.repo, name),
            result=found,
            note=note,
        )
        self.kept.append(entry)
        return entry

    def tried(self, role: str, subject: str, make: Callable[[], T]) -> T | None:
        """What ``make`` gives; where it cannot be done, the reason is kept."""
        try:
            return make()
        except PerfAnalyticsError as error:
            self.missing(role, subject, str(error))
            return None

    def missing(self, role: str, subject: str, reason: str) -> None:
        """Keep that something is not there, and why."""
        self.not_done.append(NotDone(role=role, subject=subject, reason=reason))


def newest_version(repo: Repository, name: str) -> int:
    """The newest version saved under a name; 0 when there is none."""
    try:
        return int(repo.history(name)["version"].max())
    except UnknownNameError:
        return 0


def save_new(repo: Repository, result: Result, *, name: str, by: str, note: str = "") -> int:
    """Save a result as a new version, unless the newest or one with this note equals it; its version."""
    try:
        history = repo.history(name)
    except UnknownNameError:
        return repo.save(result, name=name, by=by, note=note)
    newest = int(history["version"].max())
    alike = history.loc[(history["note"] == note) | (history["version"] == newest), "version"]
    for version in sorted((int(v) for v in alike), reverse=True):
        if repo.result(name, version=version) == result:
            return version
    return repo.save(result, name=name, by=by, note=note)
