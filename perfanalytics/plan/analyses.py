"""One analysis of a plan -> its results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.capability import capability
from perfanalytics.comparisons.change_point import change_point
from perfanalytics.comparisons.compare import compare
from perfanalytics.comparisons.difference_in_differences import difference_in_differences
from perfanalytics.comparisons.groups import compare_groups
from perfanalytics.comparisons.interrupted import interrupted
from perfanalytics.comparisons.many import compare_many
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.columns import instant
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event, Objective
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series, SeriesBatch
from perfanalytics.models.model import fit
from perfanalytics.plan.funnels import units_of
from perfanalytics.plan.measuring import agreement_of, study_of
from perfanalytics.plan.tables import (
    AgreementTable,
    AnalysisTable,
    BaselineTable,
    CapabilityTable,
    ChartTable,
    ComparisonTable,
    GaugeStudyTable,
    ModelTable,
    OfObservations,
    Span,
)
from perfanalytics.reports.report import ReportItem
from perfanalytics.repository.repository import Repository
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.phase_one import phase_one
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import RULE_SETS
from perfanalytics.spc.stages import Stage

Analysis = AnalysisTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an analysis needs to know of its plan."""

    repo: Repository
    objectives: Mapping[str, Objective]
    happenings: Mapping[str, Change | Event]
    since: dt.date | None = None


def analyze(table: Analysis, context: Context) -> list[ReportItem]:
    """Do one analysis.

    Returns
    -------
    list of ReportItem
        One, or one for each series of a chart with ``by``.

    Raises
    ------
    PerfAnalyticsError
        When it cannot be done; nothing of it is saved then.
    """
    match table:
        case GaugeStudyTable() | AgreementTable():
            return [_measuring(table, context)]
        case ChartTable():
            return _charts(table, context)
        case BaselineTable():
            return [_baseline(table, context)]
        case CapabilityTable():
            return [_capability(table, context)]
        case ComparisonTable():
            return [_comparison(table, context)]
        case ModelTable():
            return [_model(table, context)]


def _selection(table: Analysis, context: Context) -> dict[str, Any]:
    """Keyword arguments for the repository."""
    since = table.since or context.since
    selection: dict[str, Any] = {"where": table.where or None, "since": since, "until": table.until}
    if not isinstance(table, OfObservations):
        selection |= {
            "time": table.time,
            "every": table.every,
            "statistic": table.statistic,
            "zone": table.zone,
        }
    return selection


def _item(
    table: Analysis, result: Any, group: str, context: Context, *, name: str | None = None
) -> ReportItem:
    objective = context.objectives.get(table.objective or "")
    serves = ""
    if objective is not None:
        serves = objective.name + (f" ({objective.serves})" if objective.serves else "")
    return ReportItem(name or table.name, result, question=table.question, group=group, serves=serves)


def chart_series(table: ChartTable, context: Context) -> list[tuple[str, Series]]:
    """The series a ``[[chart]]`` table asks for, each with its name: one, or with ``by`` several.

    A funnel with ``by`` is one series: its points are the values of the attributes.
    """
    if table.rules not in RULE_SETS:
        raise UnknownNameError("rule set", table.rules, RULE_SETS)
    selection = _selection(table, context)
    columns = [table.covariates] if isinstance(table.covariates, str) else list(table.covariates)
    if table.stage_column is not None:
        columns.append(table.stage_column)
    selection |= {"subgroups": table.subgroups, "covariates": columns}
    if not table.by:
        return [(table.name, context.repo.series(table.measure, **selection))]
    by = (table.by,) if isinstance(table.by, str) else tuple(table.by)
    batch = context.repo.batch(table.measure, by=by, **selection)
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
    out: list[Stage] = [context.happenings[s] if isinstance(s, str) else s for s in table.stages]
    return out if table.stage_column is None else [*out, {"column": table.stage_column}]


def _charts(table: ChartTable, context: Context) -> list[ReportItem]:
    out = []
    for name, series in chart_series(table, context):
        made = draw_chart(table, series, context)
        out.append(_item(table, made, "Control charts", context, name=name))
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
            out.append(_item(table, found, "Control charts", context, name=f"{name}: phase I"))
    return out


def _baseline(table: BaselineTable, context: Context) -> ReportItem:
    series = context.repo.series(table.measure, **_selection(table, context))
    result = baseline(
        series,
        distribution=table.distribution,
        tolerance=table.tolerance,
        coverage=table.coverage,
        confidence=table.confidence,
        objective=context.objectives.get(table.objective or ""),
        process=table.process,
    )
    return _item(table, result, "Baselines", context)


def _capability(table: CapabilityTable, context: Context) -> ReportItem:
    series = context.repo.series(table.measure, **_selection(table, context))
    result = capability(
        series,
        lower=table.lower,
        upper=table.upper,
        target=table.target,
        objective=context.objectives.get(table.objective or ""),
        confidence=table.confidence,
        sigma=table.sigma,
        method=table.method,
        distribution=table.distribution,
        transform=table.transform,
        minimum=table.minimum,
        stages=[context.happenings[s] if isinstance(s, str) else s for s in table.stages],
    )
    return _item(table, result, "Capability", context)


def _groups(table: ComparisonTable, context: Context) -> ReportItem:
    """Single observations by one attribute, or two."""
    assert table.groups is not None
    frame = context.repo.frame(
        table.measure, where=table.where or None, since=table.since or context.since, until=table.until
    )
    result = compare_groups(
        frame,
        value=table.measure,
        by=table.groups,
        block=table.block,
        when="when" if table.block is None else None,
        method=table.method,
        post_hoc=table.post_hoc,
        adjust=table.adjust,
        measure=next(m for m in context.repo.measures() if m.name == table.measure),
        scale=table.scale,
        confidence=table.confidence,
        tail=table.tail,
        question=table.question,
        declared_on=table.declared_on,
        options=table.options or None,
    )
    return _item(table, result, "Before and after", context)


def _strata(table: ComparisonTable, context: Context, selection: dict[str, Any]) -> ReportItem:
    """Before and after in every stratum, the p-values adjusted for their number."""
    by = (table.by,) if isinstance(table.by, str) else tuple(table.by)

    def batch(span: Span | None) -> SeriesBatch:
        own = {"since": span.since, "until": span.until} if span and (span.since or span.until) else {}
        where = {**table.where, **(span.where if span else {})} or None
        return context.repo.batch(table.measure, by=by, **(selection | own | {"where": where}))

    if table.at is not None:
        happening = context.happenings[table.at].when if isinstance(table.at, str) else table.at
        sides: Any = batch(None)
        at = happening
    else:
        one, two = batch(table.before), batch(table.after)
        sides = {name: (one[name], two[name]) for name in one.ids if name in two.ids}
        at = None
    result = compare_many(
        sides,
        at=at,
        adjust=table.adjust,
        method=table.method,
        order=table.order,
        every=table.every if table.statistic is None else None,
        scale=table.scale,
        confidence=table.confidence,
        margin=table.margin,
    )
    return _item(table, result, "Before and after", context)


def _comparison(table: ComparisonTable, context: Context) -> ReportItem:
    if table.groups is not None:
        return _groups(table, context)
    selection = _selection(table, context)
    # without a statistic the items themselves are compared, and `every` is the period of the comparison
    period = table.every if table.statistic is None else None
    if table.statistic is None:
        selection |= {"every": None}
    if table.by:
        return _strata(table, context, selection)

    def side(span: Span) -> Series:
        own = {"since": span.since, "until": span.until} if span.since or span.until else {}
        where = {**table.where, **span.where} or None
        return context.repo.series(table.measure, **(selection | own | {"where": where}))

    if table.kind != "compare":
        whole = context.repo.series(table.measure, **selection)
        other = None if table.comparison_group is None else side(table.comparison_group)
        return _item(table, _one_series(table, context, whole, other, period), "Before and after", context)
    if table.at is not None:
        at = context.happenings[table.at].when if isinstance(table.at, str) else table.at
        whole = context.repo.series(table.measure, **selection)
        before, after = whole.between(None, at), whole.between(at, None)
    else:
        assert table.before is not None
        assert table.after is not None
        before, after = side(table.before), side(table.after)
    result = compare(
        before,
        after,
        method=table.method,
        options=table.options or None,
        order=table.order,
        scale=table.scale,
        season=table.season,
        confidence=table.confidence,
        every=period,
        tail=table.tail,
        margin=table.margin,
        objective=context.objectives.get(table.objective or ""),
        question=table.question,
        declared_on=table.declared_on,
    )
    return _item(table, result, "Before and after", context)


def _one_series(
    table: ComparisonTable, context: Context, whole: Series, other: Series | None, period: str | None
) -> Comparison:
    """The comparisons of one series: level and slope, against a comparison group, or the date."""
    shared: dict[str, Any] = {
        "every": period,
        "scale": table.scale,
        "confidence": table.confidence,
        "tail": table.tail,
        "question": table.question,
        **table.options,
    }
    if table.kind == "change_point":
        return change_point(whole, **shared)
    shared |= {
        "at": context.happenings[table.at] if isinstance(table.at, str) else table.at,
        "season": table.season,
        "margin": table.margin,
        "declared_on": table.declared_on,
    }
    if table.kind == "interrupted":
        return interrupted(whole, **shared)
    return difference_in_differences(whole, other, **shared)


def _declared(table: OfObservations, context: Context) -> Measure:
    return next(m for m in context.repo.measures() if m.name == table.measure)


def _measuring(table: GaugeStudyTable | AgreementTable, context: Context) -> ReportItem:
    frame = context.repo.frame(table.measure, **_selection(table, context))
    measure = _declared(table, context)
    if isinstance(table, GaugeStudyTable):
        return _item(table, study_of(table, frame, measure), "Measurement systems", context)
    return _item(table, agreement_of(table, frame, measure), "Measurement systems", context)


def _model(table: ModelTable, context: Context) -> ReportItem:
    import pandas as pd

    names = [table.measure, *table.with_measures]
    frame = context.repo.frame(names, **_selection(table, context))
    measure = _declared(table, context)
    model = fit(
        table.formula,
        frame,
        family=table.family,
        controllable=tuple(table.controllable),
        measure=measure,
        objective=context.objectives.get(table.objective or ""),
    )
    item = _item(table, model, "Models", context)
    if not table.predict:
        return item
    new = pd.DataFrame(table.predict)
    told = pd.concat([new, model.predict(new, confidence=table.confidence)], axis=1)
    return replace(item, extra=(("What-if: predictions for new items", told),))
