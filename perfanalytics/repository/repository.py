"""Repository: the measurement repository, one DuckDB file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from perfanalytics.core.archive import Archive
from perfanalytics.core.bulk import BulkMethod
from perfanalytics.core.cross_products import CrossProducts
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.core.measure import Measure, require_definition
from perfanalytics.core.records import When
from perfanalytics.core.result import Result
from perfanalytics.core.series import Series, SeriesBatch
from perfanalytics.repository import (
    archiving,
    checks,
    definitions,
    frames,
    loading,
    mapping,
    migrations,
    quality,
    records_store,
)
from perfanalytics.repository.assembling import fetch, prepare
from perfanalytics.repository.cross_products import cross_products
from perfanalytics.repository.duckdb_engine import DuckDBEngine
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.load_report import LoadReport
from perfanalytics.repository.mapping import Progress, Run
from perfanalytics.repository.selection import (
    Selection,
    Where,
    attribute_types,
    check_load,
    measure_row,
    select,
)
from perfanalytics.repository.source import Source

if TYPE_CHECKING:
    import pandas as pd


class Repository:
    """The measurement repository. Open it with :meth:`open`; use it as a context manager.

    Examples
    --------
    >>> import pandas as pd
    >>> from perfanalytics.core.measure import Measure
    >>> from perfanalytics.repository.source import Source, SourceMeasure
    >>> hours = Measure("repair_hours", definition="From reported to repaired", unit="hours",
    ...                 better="lower", scale="duration")
    >>> records = pd.DataFrame({"ticket": ["a", "b"], "h": [2.0, 5.0],
    ...                         "done": pd.to_datetime(["2024-05-01 10:00", "2024-05-02 09:00"])})
    >>> with Repository.open(":memory:") as repo:
    ...     report = repo.load(Source("tickets", frame=records, key="ticket",
    ...                               measures=[SourceMeasure(hours, value="h", when="done", item="ticket")]))
    ...     series = repo.series("repair_hours")
    >>> report.verdict
    'The frame: 2 rows read; 2 new; none rejected.'
    >>> series.values.tolist()
    [2.0, 5.0]
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False) -> Repository:
        """Open a repository, or make it; pending migrations are applied, each in a transaction.

        Parameters
        ----------
        path : path
            The DuckDB file; ":memory:" for one that is gone when closed.
        read_only : bool
            Several processes may read at the same time; none while another one writes.

        Raises
        ------
        RepositoryLockedError
            When another process has it open; says which.
        MigrationError
            When the schema cannot be brought up to date.
        RepositoryError
            When there is no such file (read-only), or it is no repository (a CSV file, another database).

        Notes
        -----
        A process may open the same file several times for writing, as happens when a cell of a notebook is
        run again: each sees what the others have committed. Of two writes at the same moment (threads) one
        is undone with a RepositoryError.
        """
        engine = DuckDBEngine(path, read_only=read_only)
        try:
            migrations.migrate(engine)
        except BaseException:
            engine.close()
            raise
        return cls(engine)

    def close(self) -> None:
        """Write everything to disk and let go of the file; what is asked afterwards is a RepositoryError."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Repository {self._engine.path}{', read-only' if self._engine.read_only else ''}>"

    def load(self, source: Source, *, by: str = "") -> LoadReport:
        """Load the records of a source, all or nothing.

        The same content again changes nothing. What changed since the last load is retired and inserted
        anew: the old values stay in the history (``load_id=`` shows them).

        Parameters
        ----------
        source : Source
        by : str
            Who loads; default the user of the operating system.

        Returns
        -------
        LoadReport

        Raises
        ------
        LoadError
            When the file cannot be read, when more than ``source.max_rejected`` of the rows are rejected, or
            when it does not fit what is in the repository. Nothing is kept then.
        InputError, UnknownNameError
            For a mistake in the source: an expression, a column that does not exist.
        """
        return loading.load(self._engine, source, by=by)

    def select(
        self,
        measure: str,
        *,
        by: str | Sequence[str] = (),
        where: Where | None = None,
        since: When | str | None = None,
        until: When | str | None = None,
        time: str | None = None,
        every: str | None = None,
        statistic: str | None = None,
        as_of: When | str | None = None,
        week_start: str = "monday",
        minimum: int | None = None,
        load_id: int | None = None,
        zone: str | None = None,
        subgroups: str | Sequence[str] = (),
        covariates: str | Sequence[str] = (),
    ) -> Selection:
        """Which observations, how grouped, how aggregated; for :meth:`map`.

        Parameters
        ----------
        measure : str
        by : str or sequence of str
            Attributes whose combinations are the series.
        where : mapping of attribute to value or list of values
            Compared by value: 3 and "3" are one for an attribute that is a number. None is "missing".
        since, until : date, datetime or ISO text
            Half-open: ``since <= time < until``.
        time : {"when", "start", "known"}
            Which time of an observation counts; default "when".
        every : {"hour", "day", "week", "month", "quarter", "year"}, optional
            One value a period instead of one an observation. Counts and sums of empty periods are 0, other
            statistics are gaps; periods that the data cover only in part are flagged in the covariate
            ``incomplete``, and of counts and sums excluded with the reason. A series runs from its first
            period to the last of the data.
        statistic : str, optional
            "count", "sum", "mean", "median", "share", "rate", "minimum", "maximum", "p1" to "p99". Default
            share for a proportion, rate for a measure with denominators, sum for a count, mean for others.
            Share and rate divide by the sum of the denominators, or by the number of observations where there
            are none (share: only of values 0 and 1). A count is in items, a rate in units per denominator,
            and the measure of the series says so.
        as_of : date, datetime or ISO text, optional
            What was known then (a date: at its end). Default the last event of the data, never the clock.
            Items begun and not finished by then are right-censored at this time.
        week_start : str
        minimum : int, optional
            Periods with fewer observations are gaps.
        load_id : int, optional
            As the repository stood after that load.
        zone : str, optional
            The zone in which periods are cut and in which ``since``, ``until``, ``as_of`` and the times of
            records without an offset are read; default the ``time_zone`` of the source of the measure, UTC
            when there is none or the sources differ. Periods then stand at their local start (clock "local");
            hours and single observations stay in UTC. Not for measures in local wall time.
        subgroups : str or sequence of str
            Of single observations: the rational subgroup of each, for charts of subgroups. A period ("week":
            the observations of a week), an attribute ("shift": neighbours of one shift), or both: ("day",
            "shift").
            For ``short_run`` the attribute that names the product.
        covariates : str or sequence of str
            Attributes that come with the points as columns, for ``stages={"column": ...}``. Of a period it is
            the value most of its observations have.

        Raises
        ------
        UnknownNameError
            For a measure, attribute, attribute value, load or zone that does not exist; names the nearest.
        InputError
        """
        return select(
            self._engine,
            measure,
            by=by,
            where=where,
            since=since,
            until=until,
            time=time,
            every=every,
            statistic=statistic,
            as_of=as_of,
            week_start=week_start,
            minimum=minimum,
            load_id=load_id,
            zone=zone,
            subgroups=subgroups,
            covariates=covariates,
        )

    def series(
        self,
        measure: str,
        *,
        where: Where | None = None,
        since: When | str | None = None,
        until: When | str | None = None,
        time: str | None = None,
        every: str | None = None,
        statistic: str | None = None,
        as_of: When | str | None = None,
        week_start: str = "monday",
        minimum: int | None = None,
        load_id: int | None = None,
        zone: str | None = None,
        subgroups: str | Sequence[str] = (),
        covariates: str | Sequence[str] = (),
    ) -> Series:
        """The observations of a measure, or one value a period, in order of time.

        Parameters as for :meth:`select`. Events, changes and exclusions declared in the repository come with
        the series when their measure and attributes match; ``series.selection`` says what was asked for.
        A proportion with denominators comes as shares with sizes.

        Raises
        ------
        UnknownNameError, InputError
        """
        selection = select(
            self._engine,
            measure,
            where=where,
            since=since,
            until=until,
            time=time,
            every=every,
            statistic=statistic,
            as_of=as_of,
            week_start=week_start,
            minimum=minimum,
            load_id=load_id,
            zone=zone,
            subgroups=subgroups,
            covariates=covariates,
        )
        return fetch(self._engine, prepare(self._engine, selection))[0]

    def batch(
        self,
        measure: str,
        *,
        by: str | Sequence[str],
        where: Where | None = None,
        since: When | str | None = None,
        until: When | str | None = None,
        time: str | None = None,
        every: str | None = None,
        statistic: str | None = None,
        as_of: When | str | None = None,
        week_start: str = "monday",
        minimum: int | None = None,
        load_id: int | None = None,
        zone: str | None = None,
        subgroups: str | Sequence[str] = (),
        covariates: str | Sequence[str] = (),
    ) -> SeriesBatch:
        """One series for each combination of attributes, with ids like "group=Network, priority=1".

        Parameters as for :meth:`select`. Combinations without an observation in the selection are left out.

        Raises
        ------
        UnknownNameError, InputError
        """
        selection = select(
            self._engine,
            measure,
            by=by,
            where=where,
            since=since,
            until=until,
            time=time,
            every=every,
            statistic=statistic,
            as_of=as_of,
            week_start=week_start,
            minimum=minimum,
            load_id=load_id,
            zone=zone,
            subgroups=subgroups,
            covariates=covariates,
        )
        return fetch(self._engine, prepare(self._engine, selection))

    def frame(
        self,
        measures: str | Sequence[str],
        *,
        where: Where | None = None,
        since: When | str | None = None,
        until: When | str | None = None,
        time: str | None = None,
        as_of: When | str | None = None,
        load_id: int | None = None,
        zone: str | None = None,
    ) -> pd.DataFrame:
        """One row per observation with its attributes.

        Columns: item, when, start, then ``<measure>``, ``<measure>_size``, ``<measure>_censored`` and the
        attributes in their own types. Several measures are joined on the item (all items of either).

        Values are those of an unaggregated :meth:`series`: with a denominator (``<measure>_size``) a
        proportion is the share, any other measure the numerator. Times are in UTC or local wall time as the
        measure was loaded: ``frame.attrs["clock"]`` says which. ``zone`` is that of the bounds.

        Raises
        ------
        UnknownNameError, InputError
            InputError when measures are to be joined that have several observations of an item.
        """
        return frames.frame(
            self._engine,
            measures,
            where=where,
            since=since,
            until=until,
            time=time,
            as_of=as_of,
            load_id=load_id,
            zone=zone,
        )

    def cross_products(
        self,
        measure: str,
        *,
        terms: Sequence[str],
        with_measures: Sequence[str] = (),
        where: Where | None = None,
        since: When | str | None = None,
        until: When | str | None = None,
        time: str | None = None,
        as_of: When | str | None = None,
        load_id: int | None = None,
        zone: str | None = None,
    ) -> CrossProducts:
        """Means and centered sums of products of millions of rows, computed in the database in two passes.

        Parameters
        ----------
        measure : str
            The response; its logarithm where it is a duration or positive.
        terms : sequence of str
            Attributes and other measures; ``"log(size)"`` for a logarithm. Texts are factors, whole.
        with_measures : sequence of str
            Measures the terms name, joined on the item (items that have all of them).
        where, since, until, time, as_of, load_id, zone
            As for :meth:`frame`; ``where`` is about ``measure``.

        Returns
        -------
        CrossProducts
            For :func:`perfanalytics.fit_products`. Where the terms are nearly dependent (condition number of
            their correlations above 1e6), the rows are fetched and factored instead, and it says so.

        Raises
        ------
        UnknownNameError, InputError
        """
        return cross_products(
            self._engine,
            measure,
            terms,
            with_measures,
            where=where,
            since=since,
            until=until,
            time=time,
            as_of=as_of,
            load_id=load_id,
            zone=zone,
        )

    def map(self, selection: Selection, method: BulkMethod, *, progress: bool | Progress = True) -> Run:
        """Apply a bulk method to every series of a selection, in bounded memory.

        Parameters
        ----------
        selection : Selection
            From :meth:`select`.
        method : BulkMethod
            ``perf.method("control_charts", chart="p")``. Item names are not handed to it.
        progress : bool or callable
            True shows a bar on a terminal; a function is called with (series done, series in all).

        Returns
        -------
        Run
            Named by a hash of method, selection, last load and version. The same run again returns what
            is there; an interrupted one goes on after its last block.

        Raises
        ------
        RepositoryError
            When the repository is open read-only and the run is not there yet.
        """
        return mapping.run(self._engine, selection, method, progress=progress)

    def run(self, key: str) -> Run:
        """A finished run by its key (the ``name`` in :meth:`history`)."""
        return mapping.runs(self._engine, key)

    def declare(self, *records: records_store.Record) -> None:
        """Keep records: objectives, processes, changes, events, exclusions, measures ...

        Declaring the same again changes nothing; a changed one is a new version, the old ones stay.

        Raises
        ------
        InputError
            For something that is no record, an exclusion that names its point by position, or a measure whose
            values were loaded in another unit.
        """
        with self._engine.transaction():
            for record in records:
                if isinstance(record, Measure):
                    require_definition(record)
                    definitions.check_unit(self._engine, record)
            records_store.declare(self._engine, records)

    def declare_plan(self, plan: str, records: Sequence[records_store.Record]) -> tuple[tuple[str, str], ...]:
        """Keep the records of a plan, and withdraw what the plan named before and no longer names.

        Parameters
        ----------
        plan : str
            Name of the plan. What other plans, or people in Python, declared is left alone.
        records : sequence of records
            All that the plan declares.

        Returns
        -------
        tuple of (kind, name)
            What was withdrawn. Every version stays in :meth:`record_history`.
        """
        with self._engine.transaction():
            return records_store.declare_plan(self._engine, plan, records)

    def withdraw(self, kind: str, name: str) -> None:
        """Say that a record holds no more: it gets a last version that says so, and its history stays.

        Declaring it again brings it back.

        Raises
        ------
        UnknownNameError
            When there is no such record in force.
        """
        with self._engine.transaction():
            records_store.withdraw(self._engine, kind, name)

    def records(self, kind: str) -> tuple[Any, ...]:
        """The records of a kind ("objective", "event", ...), each in its last version.

        Those that were withdrawn are left out.

        Raises
        ------
        UnknownNameError
        """
        return records_store.records(self._engine, kind)

    def record_history(self, kind: str, name: str | None = None) -> pd.DataFrame:
        """Every version of the records of a kind: nothing that was declared is ever overwritten.

        Columns: name, version, declared_at (UTC), plan (that declared it), withdrawn (whether this version
        says that it holds no more), then the fields of the record.

        Raises
        ------
        UnknownNameError
        """
        return archiving.record_history(self._engine, kind, name)

    def archive(self, *, on: dt.date | None = None) -> Archive:
        """Everything that was declared and saved, as the practices need it.

        Parameters
        ----------
        on : date, optional
            The day the practices speak of; default the last day the data speak of.
        """
        return archiving.archive(self._engine, on=on)

    def export(self, folder: str | Path) -> tuple[Path, ...]:
        """Write all records and saved results, every version, as CSV tables and JSON.

        Parameters
        ----------
        folder : path
            A new or empty folder. It gets a table for each kind of record, ``records.json``, ``results.csv``
            (the history), and for each saved result its JSON and its table in ``results/``.

        Returns
        -------
        tuple of Path
            The files written.

        Raises
        ------
        InputError
            When the folder is not empty.
        """
        return archiving.export(self._engine, Path(folder))

    def save(self, result: Result, *, name: str, by: str, note: str = "") -> int:
        """Keep a result under a name; the version it got, from 1. Nothing is ever overwritten."""
        return records_store.save(self._engine, result, name=name, by=by, note=note)

    def result(self, name: str, *, version: int | None = None) -> Any:
        """A saved result, typed and equal to the last bit; default its last version.

        Raises
        ------
        UnknownNameError
        """
        return records_store.result(self._engine, name, version=version)

    def history(self, name: str | None = None) -> pd.DataFrame:
        """Saved results and finished runs.

        Columns: name, version, kind, measure, verdict, saved_at, saved_by, note, package_version.
        """
        return records_store.history(self._engine, name)

    def measures(self) -> tuple[Measure, ...]:
        """Every measure that was loaded or declared, in its last version."""
        return records_store.records(self._engine, "measure")

    def attributes(self, measure: str) -> dict[str, int]:
        """Attribute -> number of different values (missing not counted)."""
        measure_id, _ = measure_row(self._engine, measure)
        return {
            name: int(
                self._engine.rows(
                    f"SELECT count(DISTINCT attribute_values[{place}]) FROM series WHERE measure_id = ?",
                    [measure_id],
                )[0][0]
            )
            for name, (place, _) in attribute_types(self._engine, measure_id).items()
        }

    def rejected(self, load_id: int | None = None) -> pd.DataFrame:
        """Rejected rows and values: load_id, line, column, measure, reason, original.

        Raises
        ------
        UnknownNameError
            For a load that does not exist.
        """
        import pandas as pd

        check_load(self._engine, load_id)
        return pd.DataFrame(
            self._engine.columns(
                'SELECT load_id, line, "column", measure, reason, original FROM rejected '
                "WHERE ?::INTEGER IS NULL OR load_id = ? ORDER BY load_id, line",
                [load_id, load_id],
            )
        )

    def loads(self) -> pd.DataFrame:
        """Every load: when, by whom, which file with which content, and what became of its rows."""
        import pandas as pd

        return pd.DataFrame(
            self._engine.columns(
                'SELECT load_id, s.name AS source, file, content_hash, mode, "read", "rows", accepted, '
                "updated, unchanged, retired, rejected, rejected_values, changed, "
                "last_event, loaded_at, loaded_by, package_version "
                "FROM load JOIN source s USING (source_id) ORDER BY load_id"
            )
        )

    def data_quality(
        self,
        measure: str,
        *,
        where: Where | None = None,
        since: When | str | None = None,
        as_of: When | str | None = None,
    ) -> DataQuality:
        """The integrity of the data of one measure: a table of checks with a verdict, a figure, caveats.

        Missing and impossible values, values out of the declared range, duplicates, impossible orders of
        times, missing attributes, rounding habits (last digits), sudden changes of the volume and of the mix
        of attributes, observations that arrived late, and the lag until they were known.

        Parameters
        ----------
        measure : str
        where, since, as_of
            As for :meth:`select`: the observations of a part of the organization, from a time on, as they
            were known at a time. Default everything that is loaded. What the loads rejected belongs to no
            part, and is counted whole.

        Returns
        -------
        DataQuality

        Raises
        ------
        UnknownNameError
        """
        return quality.data_quality(self._engine, measure, where=where, since=since, as_of=as_of)

    def checks(self) -> pd.DataFrame:
        """Data-integrity checks: measure, check, meaning, found, observations, share, example.

        Missing and impossible values, duplicates, impossible order of times, for each measure; then records
        that refer to nothing (an unknown measure, an attribute that no measure has, an exclusion that no
        observation meets), one row each.
        """
        return checks.checks(self._engine)
