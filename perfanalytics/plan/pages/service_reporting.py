"""A service report: compute on the data of its period, save, put together, keep, write the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from perfanalytics.comparisons.compare import compare
from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError, PlanError, UnknownNameError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.core.series import Series
from perfanalytics.plan import objects
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.mistakes import names
from perfanalytics.plan.pages.measure_charts import measure_chart, weekly
from perfanalytics.plan.pages.review_data import Keeping, save_new
from perfanalytics.plan.pages.service_periods import a_year_before, before, last_complete
from perfanalytics.plan.pages.service_report_names import measures_of, objectives_of, without_target
from perfanalytics.plan.pages.service_report_page import write_page
from perfanalytics.plan.pages.service_report_table import MEASURES, ServiceReportTable
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.reading import read_plan
from perfanalytics.practices.service_reports.period_figures import STATISTICS, WHOLE, Part, period_figures
from perfanalytics.practices.service_reports.service_report import service_report_of
from perfanalytics.practices.service_reports.service_report_material import ReportMaterial
from perfanalytics.practices.service_reports.service_report_result import AUDIENCES, ServiceReport
from perfanalytics.practices.service_reports.trend import trend
from perfanalytics.repository.repository import Repository
from perfanalytics.spc.chart import control_chart

#: Key of the table -> role of what is kept for it.
ROLES = {"workload": "workload", "nonconformities": "nonconformity", "satisfaction": "satisfaction"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReportRun:
    """What a service report gave.

    Parameters
    ----------
    service_report : ServiceReport
    name, version
        Under which it is kept.
    saved : dict of name to version
        The results it rests on, in the order in which they were made.
    report : Path or None
        The page written.
    repository : Path
    """

    service_report: ServiceReport
    name: str
    version: int
    saved: dict[str, int] = field(default_factory=dict)
    report: Path | None
    repository: Path


def service_report(
    name: str | None = None,
    *,
    plan: str | Path = "plan.toml",
    repository: str | Path | None = None,
    report_to: str | Path | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    audience: str | None = None,
    where: Mapping[str, Any] | None = None,
    on: dt.date | None = None,
    confidence: float = 0.95,
) -> ServiceReportRun:
    """Report on a service, for a period and an audience, from what is in the repository.

    The contents are those that ISO/IEC 20000-1 asks for: performance against targets, significant events,
    workload and its changes, nonconformities and causes, trends, satisfaction and complaints. Which measure
    is of which content stands in ``[[service_report]]`` of the plan; what is missing is said. Everything is
    saved under ``NAME: ...`` before it is used, the report as ``service report: NAME, AUDIENCE``.

    Parameters
    ----------
    name : str, optional
        Name of a ``[[service_report]]``; may be left out where the plan has one.
    plan : path
    repository : path, optional
        Instead of the one named in the plan. It must have been loaded (``perfanalytics run``).
    report_to : path, optional
        The page to write; none when left out.
    since, until : date, optional
        First day of the period, and the day after its last one. Default those of the table, or its last
        complete period before ``on``.
    audience : {"management", "customer", "operations"}, optional
        Instead of that of the table. To management: the targets and a line for each content, on one page; to
        customers: with the figures of each service, without internal records; to operations: everything.
    where : mapping of attribute to value, optional
        Instead of that of the table.
    on : date, optional
        What was known at the end of this day is used; default the last day of the data.
    confidence : float
        Of all intervals.

    Returns
    -------
    ServiceReportRun

    Raises
    ------
    PlanError
        For a mistake in the plan, or a plan without service reports.
    InputError
        When there is no repository, or no period is said.
    UnknownNameError
        For a report, audience or attribute that does not exist.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> run = perf.service_report(plan="sample_data/plan.toml")   # doctest: +SKIP
    """
    path = Path(plan)
    read = read_plan(path)
    mistakes = list(check_plan(read))
    if mistakes:
        raise PlanError("\n".join(f"{path.name}: {m}" for m in mistakes))
    table = _table(read, name, path)
    if audience is not None and audience not in AUDIENCES:
        raise UnknownNameError("audience of a service report", audience, AUDIENCES)
    if (since is None) != (until is None):
        raise InputError("since and until belong together: the first day, and the day after the last")
    database = Path(repository) if repository is not None else path.parent / read.plan.repository
    if not database.exists():
        raise InputError(
            f"there is no repository at {database}; 'perfanalytics run {path}' makes and loads it"
        )
    with Repository.open(database) as repo:
        repo.declare(*objects.records(read))
        archive = repo.archive(on=on)
        first, end = _period(table, since, until, archive.on)
        making = _Making(
            plan=read,
            table=table,
            archive=archive,
            repo=repo,
            where=dict(table.where if where is None else where),
            since=first,
            until=end,
            keeping=Keeping(
                repo=repo,
                work=table.name,
                by=read.plan.by,
                note=f"service report of {first} to {end}, on {archive.on}",
            ),
            confidence=confidence,
        )
        making.check_where()
        making.compute()
        material = making.material(audience or table.audience)
        made = service_report_of(material)
        kept_as = f"service report: {table.name}, {made.audience}"
        note = f"of {first} to {end}, as known on {archive.on}"
        version = save_new(repo, made, name=kept_as, by=read.plan.by, note=note)
        told = repo.result(kept_as, version=version)
    written = None
    if report_to is not None:
        written = write_page(told, material, Path(report_to), version=version, plan=path.name)
    return ServiceReportRun(
        service_report=told,
        name=kept_as,
        version=version,
        saved={k.name: k.version for k in material.kept},
        report=written,
        repository=database,
    )


def _table(plan: Plan, name: str | None, path: Path) -> ServiceReportTable:
    known = {t.name: t for t in plan.service_report}
    if not known:
        raise PlanError(
            f"{path.name} declares no [[service_report]]: say there which measure is of which content"
        )
    if name is None:
        if len(known) > 1:
            raise InputError(f"{path.name} has several service reports: name one of {', '.join(known)}")
        return next(iter(known.values()))
    if name not in known:
        raise UnknownNameError("service report", name, known)
    return known[name]


def _period(
    table: ServiceReportTable, since: dt.date | None, until: dt.date | None, on: dt.date
) -> tuple[dt.date, dt.date]:
    if since is not None and until is not None:
        if since >= until:
            raise InputError(f"since = {since} is not before until = {until}: the period has no day")
        return since, until
    if table.since is not None and table.until is not None:
        return table.since, table.until
    if table.period is not None:
        return last_complete(table.period, on)
    raise InputError(
        f"the service report {table.name!r} names no period: give since and until, or write "
        "period = 'quarter' into its table"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """A service report in the making: computed, saved, read back."""

    plan: Plan
    table: ServiceReportTable
    archive: Archive
    repo: Repository
    where: dict[str, Any]
    since: dt.date
    until: dt.date
    keeping: Keeping
    confidence: float

    def check_where(self) -> None:
        """A part of the data that no measure of the report knows is a slip, not a period without data."""
        if not self.where:
            return
        slips: list[UnknownNameError] = []
        for measure in measures_of(self.table, self.plan):
            try:
                self._series(measure, since=self.since, until=self.until)
            except UnknownNameError as slip:
                slips.append(slip)
            else:
                return
        if slips:
            raise slips[0]

    def compute(self) -> None:
        known = {o.name: o for o in self.archive.of_kind("objective")}
        for name in objectives_of(self.table, self.plan):
            by = names(self.table.by)
            self._figures("performance", name, known[name].measure, by=by, objective=known[name])
        for key in MEASURES:
            for name in getattr(self.table, key):
                wrong = key == "nonconformities"
                statistic = "nonconforming" if wrong else self.table.statistics.get(name)
                by = tuple(self.table.categories) if wrong else ()
                self._figures(ROLES[key], name, name, by=by, statistic=statistic)
        for name in measures_of(self.table, self.plan):
            self._moving(name)

    def material(self, audience: str) -> ReportMaterial:
        """What was kept, for the report."""
        t = self.table
        return ReportMaterial(
            name=t.name,
            audience=audience,
            since=self.since,
            until=self.until,
            archive=self.archive,
            where=self.where,
            by=names(t.by),
            performance=objectives_of(t, self.plan),
            workload=tuple(t.workload),
            nonconformities=tuple(t.nonconformities),
            satisfaction=tuple(t.satisfaction),
            categories=tuple(t.categories),
            events=t.events,
            without_target=without_target(t, self.plan),
            kept=tuple(self.keeping.kept),
            not_done=tuple(self.keeping.not_done),
        )

    def _figures(
        self,
        role: str,
        subject: str,
        measure: str,
        *,
        by: tuple[str, ...] = (),
        objective: Objective | None = None,
        statistic: str | None = None,
    ) -> None:
        make = partial(self._period_figures, measure, by, objective, statistic)
        what = {"performance": "target", "nonconformity": "nonconformities"}.get(role, role)
        self.keeping.save(role, subject, f"{what}: {subject}", make)

    def _period_figures(
        self, measure: str, by: tuple[str, ...], objective: Objective | None, statistic: str | None
    ) -> Result:
        parts = self._parts(measure, by, self.since, self.until)
        if WHOLE not in parts:
            raise InputError(f"there is no observation of {measure} in the period")
        return period_figures(
            parts,
            previous=self._parts(measure, by, *before(self.since, self.until)),
            year_before=self._parts(measure, by, *a_year_before(self.since, self.until)),
            since=self.since,
            until=self.until,
            statistic=statistic,
            objective=objective,
            confidence=self.confidence,
        )

    def _parts(self, measure: str, by: tuple[str, ...], since: dt.date, until: dt.date) -> dict[Part, Series]:
        """The observations of a period: all, and those of each value of each attribute."""
        found: dict[Part, Series] = {}
        whole = self._series(measure, since=since, until=until)
        if not len(whole):
            return found
        found[WHOLE] = whole
        known = self.repo.attributes(measure)
        for attribute in by:
            if attribute not in known:
                continue
            for series in self.repo.batch(
                measure,
                by=attribute,
                where=self.where or None,
                since=since,
                until=until,
                as_of=self.archive.on,
            ):
                found[(attribute, series.id.partition("=")[2])] = series
        return found

    def _series(self, measure: str, **selection: Any) -> Series:
        where = dict(selection.pop("where", None) or {}) | self.where
        return self.repo.series(measure, where=where or None, as_of=self.archive.on, **selection)

    def _moving(self, name: str) -> None:
        """Trend, comparison with the period before, control chart, data quality of a measure."""
        save = self.keeping.save
        save("trend", name, f"trend: {name}", lambda: trend(self._periods(name), confidence=self.confidence))
        save("change", name, f"against the period before: {name}", partial(self._compared, name))
        save("chart", name, f"chart: {name}", partial(self._chart, name))
        save("data_quality", name, f"data quality: {name}", partial(self.repo.data_quality, name))

    def _periods(self, name: str, since: dt.date | None = None, until: dt.date | None = None) -> Series:
        """The series of periods of a measure, default over the time of the trends."""
        first = since or self.table.trend_since or a_year_before(self.until, self.until)[0]
        return self._series(
            name,
            since=first,
            until=until or self.until,
            every=self.table.every,
            statistic=self._statistic(name),
        )

    def _statistic(self, name: str) -> str | None:
        """The statistic of a period: that of the table, of its objective, else by the scale."""
        if name in self.table.statistics:
            return self.table.statistics[name]
        asked = [o for o in self.plan.objective if o.measure == name]
        for o in asked:
            if o.name in self.table.performance and (o.statistic in STATISTICS or o.statistic[0] == "p"):
                return o.statistic
        return weekly(self.archive.measure(name))[1]

    def _compared(self, name: str) -> Result:
        return compare(
            self._periods(name, *before(self.since, self.until)),
            self._periods(name, self.since, self.until),
            confidence=self.confidence,
            question="Is this period another than the one before?",
        )

    def _chart(self, name: str) -> Result:
        measure = self.archive.measure(name)
        series_of: Callable[..., Series] = partial(self._series, until=self.until)
        if name in self.table.statistics:
            # what the table says of the measure goes before the chart of the plan
            return control_chart(self._series(name, until=self.until, every=self.table.every,
                                              statistic=self.table.statistics[name]))  # fmt: skip
        return measure_chart(self.plan, name, measure, series_of)
