"""Control charts: ``[[chart]]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from pydantic import Field, model_validator

from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.funnels import units_of
from perfanalytics.plan.mistakes import names, tried, unknown
from perfanalytics.plan.tables import OfSeries, Texts, When
from perfanalytics.reports.report import ReportItem
from perfanalytics.repository.repository import Repository
from perfanalytics.repository.selection import PERIODS
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.phase_one import phase_one
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import RULE_SETS
from perfanalytics.spc.stages import Stage
from perfanalytics.spc.transforms import as_transform

#: Charts whose points depend on each other, or that have no limits over time.
_NO_SINGLE_POINTS = ("run", "ewma", "cusum", "moving_average", "mewma", "risk_adjusted_cusum", "funnel")


class ChartTable(OfSeries):
    """``[[chart]]``: a control chart, or with ``by`` one for each value of the attributes."""

    chart: str = "individuals"
    rules: str = "western_electric"
    estimate: str | None = None
    options: dict[str, int | float | str | dict[str, float]] = {}
    limits: str | None = None
    sigmas: float | None = Field(None, gt=0)
    transform: str | dict[str, str | float] | None = None
    stages: list[When | str] = []
    stage_column: str | None = None
    carry: int | None = Field(None, ge=0)
    by: str | Texts = []
    subgroups: str | Texts = []
    covariates: str | Texts = []
    limits_until: When | None = None
    limits_from: str | None = None
    phase_one: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> ChartTable:
        given = [k for k in ("estimate", "limits_until", "limits_from") if getattr(self, k) is not None]
        if self.limits_from is not None and len(given) > 1:
            raise ValueError(f"limits come from one place: {' or '.join(given)}")
        return self


def chart_series(table: ChartTable, context: Context) -> list[tuple[str, Series]]:
    """The series a ``[[chart]]`` table asks for, each with its name: one, or with ``by`` several.

    A funnel with ``by`` is one series: its points are the values of the attributes.
    """
    if table.rules not in RULE_SETS:
        raise UnknownNameError("rule set", table.rules, RULE_SETS)
    chosen = selection(table, context)
    columns = list(names(table.covariates))
    if table.stage_column is not None:
        columns.append(table.stage_column)
    chosen |= {"subgroups": table.subgroups, "covariates": columns}
    if not table.by:
        return [(table.name, context.repo.series(table.measure, **chosen))]
    by = names(table.by)
    batch = context.repo.batch(table.measure, by=by, **chosen)
    if table.chart == "funnel":
        return [(table.name, units_of(batch, by=by, options=table.options))]
    return [(f"{table.name}: {s.id}", s) for s in batch]


def limits_from(table: ChartTable, series: Series, context: Context) -> str | slice | Limits | None:
    """Where the limits come from: the named estimator, points before ``limits_until``, or saved ones.

    Raises
    ------
    InputError
        When there are no times to find ``limits_until`` in, or when what was saved are no limits.
    UnknownNameError
        When nothing was saved under the name.
    """
    if table.limits_from is not None:
        return saved_limits(context.repo, table.limits_from)
    if table.limits_until is None:
        return table.estimate
    if series.when is None:
        raise InputError("limits_until needs a series with times")
    return slice(0, int(np.searchsorted(series.when, instant(table.limits_until, series.clock))))


def saved_limits(repo: Repository, name: str) -> Limits:
    """The newest limits saved under a name; of a chart, its limits.

    Raises
    ------
    InputError, UnknownNameError
    """
    saved = repo.result(name)
    found = getattr(saved, "limits", saved)
    if not isinstance(found, Limits):
        raise InputError(f"the saved result {name!r} is a {saved.kind}: limits or a control chart are needed")
    return found


def draw_chart(table: ChartTable, series: Series, context: Context) -> ControlChart:
    """The control chart a ``[[chart]]`` table asks for; one that serves no objective says so."""
    made = control_chart(
        series,
        chart=table.chart,
        rules=RULE_SETS[table.rules],
        estimate=limits_from(table, series, context),
        options=table.options,
        limits=table.limits,
        sigmas=table.sigmas,
        transform=table.transform,
        stages=stages_of(table, context),
        carry=table.carry,
    )
    if table.objective:
        return made
    doubt = Caveat(
        "no-objective",
        "The plan names no objective this chart serves: what is decided by it, and what would be lost "
        "without it?",
        {"chart": table.name},
    )
    return replace(made, caveats=(*made.caveats, doubt))


def stages_of(table: ChartTable, context: Context) -> list[Stage]:
    """The stages of a ``[[chart]]`` table: dates, changes and events by name, and a column."""
    out: list[Stage] = [context.happening(s) for s in table.stages]
    return out if table.stage_column is None else [*out, {"column": table.stage_column}]


def _charts(table: ChartTable, context: Context) -> list[ReportItem]:
    out = []
    for name, series in chart_series(table, context):
        made = draw_chart(table, series, context)
        out.append(item(table, made, context, name=name))
        if table.phase_one:
            found = phase_one(
                series,
                chart=table.chart,
                rules=RULE_SETS[table.rules],
                estimate=table.estimate,
                options=table.options,
                limits=table.limits,
                sigmas=table.sigmas,
                stages=stages_of(table, context),
                transform=table.transform,
            )
            out.append(item(table, found, context, name=f"{name}: phase I"))
    return out


def _references(table: ChartTable) -> Iterator[Reference]:
    for stage in table.stages:
        if isinstance(stage, str):
            yield Reference("stages", stage, "happening")


def _check(where: str, table: ChartTable, declared: Declared) -> Iterator[str]:
    yield from unknown(where, "chart", table.chart, CHARTS)
    yield from unknown(where, "rules", table.rules, RULE_SETS)
    if table.chart in CHARTS and table.estimate is not None:
        yield from unknown(where, "estimate", table.estimate, CHARTS[table.chart].all_estimators)
    if table.chart in CHARTS:
        yield from tried(where, _chosen, table)
    known = declared.attributes.get(table.measure, frozenset())
    for name in names(table.by):
        yield from unknown(where, f"by: attribute of {table.measure}", name, known)
    yield from _columns(where, table, known)


def _columns(where: str, table: ChartTable, known: frozenset[str]) -> Iterator[str]:
    """Attributes that a chart takes as columns."""
    for name in names(table.covariates):
        yield from unknown(where, f"covariates: attribute of {table.measure}", name, known)
    if table.stage_column is not None:
        yield from unknown(where, f"stage_column: attribute of {table.measure}", table.stage_column, known)
    subgroups = names(table.subgroups)
    for name in subgroups:
        said = f"subgroups: period or attribute of {table.measure}"
        yield from unknown(where, said, name, known | set(PERIODS))
    if subgroups and table.every is not None:
        yield f"{where}: subgroups are of single observations: leave every = '{table.every}' out"
    if table.chart == "funnel" and table.by:
        for key in ("every", "statistic", "subgroups", "stages", "stage_column"):
            if getattr(table, key):
                yield f"{where}: the points of a funnel are the values of by, over all time: leave {key} out"
    if table.carry is not None and not table.stages and table.stage_column is None:
        yield f"{where}: carry = {table.carry} needs stages or a stage_column"
    if table.phase_one and table.chart in _NO_SINGLE_POINTS:
        yield f"{where}: phase_one looks into single points: take a Shewhart chart, not '{table.chart}'"


def _chosen(table: ChartTable) -> object:
    """Options, kind and width of the limits as the chart type takes them."""
    as_transform(table.transform)
    return CHARTS[table.chart].check(table.options, table.limits, table.sigmas)


CHART = Kind(
    table=ChartTable,
    chapter="Control charts",
    many="charts",
    analyze=_charts,
    check=_check,
    references=_references,
)
