"""Whether what was done worked: ``[[effect]]`` and, for special causes, ``[[recurrence]]``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from pydantic import Field, model_validator

from perfanalytics.baselines.result import Baseline
from perfanalytics.comparisons.methods import METHODS
from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.improvement_records import CausalAnalysis, Proposal
from perfanalytics.core.practice_records import Action
from perfanalytics.core.records import Change, Event
from perfanalytics.core.series import Series
from perfanalytics.plan.analyses.context import Context, item, selection
from perfanalytics.plan.analyses.factor_settings import stated
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Analysis, OfSeries, Span, Value, When
from perfanalytics.practices.car.effect import evaluate_effect
from perfanalytics.practices.car.recurrence import evaluate_recurrence
from perfanalytics.reports.report import ReportItem
from perfanalytics.spc.result import ControlChart

#: A number, ``[low, likely, high]``, or ``{ distribution = ... }`` with its parameters.
Amount = int | float | list[float] | dict[str, Value]


class EffectTable(OfSeries):
    """``[[effect]]``: an improvement judged by criterion, objective, costs and benefits."""

    causal_analysis: str | None = None
    proposal: str | None = None
    criterion: str | None = None
    at: When | str | None = None
    before: Span | None = None
    after: Span | None = None
    baselines: list[str] = []
    method: str | None = None
    process: str | None = None
    chart: str | None = None
    value: Amount | None = None
    volume: Amount | None = None
    unit: str = "EUR"
    confidence: float = Field(0.95, gt=0.5, lt=1)

    @model_validator(mode="after")
    def _sides(self) -> EffectTable:
        spans = (self.before is not None) + (self.after is not None)
        if spans == 1 or (self.at is None) == (spans == 0):
            raise ValueError(
                "say where before ends: at = a date or the name of a change, or before and after"
            )
        if len(self.baselines) not in (0, 2):
            raise ValueError("baselines are two: the one before and the one after")
        return self


class RecurrenceTable(Analysis):
    """``[[recurrence]]``: whether a special cause has come back, on a chart of the plan."""

    causal_analysis: str | None = None
    chart: str = Field(min_length=1)
    at: When | str
    what: str = ""
    every_signal: bool = False
    least: float | None = None
    apart: int = Field(1, ge=1)
    confidence: float = Field(0.95, gt=0.5, lt=1)


def _effect(table: EffectTable, context: Context) -> list[ReportItem]:
    archive = context.repo.archive()
    records = {kind: {r.name: r for r in archive.of_kind(kind)} for kind in
               ("proposal", "success_criterion", "causal_analysis", "change")}  # fmt: skip
    case: CausalAnalysis | None = records["causal_analysis"].get(table.causal_analysis or "")
    proposal: Proposal | None = records["proposal"].get(table.proposal or "")
    if proposal is None and case is not None:
        own = [p for p in records["proposal"].values() if p.analysis == case.name]
        proposal = own[0] if len(own) == 1 else None
    criterion = records["success_criterion"].get(table.criterion or "")
    if criterion is None and proposal is not None:
        fits = [
            c
            for c in records["success_criterion"].values()
            if c.proposal == proposal.name and c.measure == table.measure
        ]
        criterion = fits[0] if len(fits) == 1 else None
    name = case.name if case is not None else (proposal.analysis or "" if proposal is not None else "")
    actions: tuple[Action, ...] = tuple(
        a
        for a in archive.of_kind("action")
        if (proposal is not None and a.proposal == proposal.name) or (name and a.analysis == name)
    )
    happening = records["change"].get(table.at) if isinstance(table.at, str) else None
    change: Change | None = happening or next(
        (records["change"][a.change] for a in actions if a.change in records["change"]), None
    )
    before, after = _sides(table, context)
    saved = [context.saved(n, Baseline) for n in table.baselines]
    same = saved and all(
        b.n + b.n_missing + b.n_excluded == len(s) for b, s in zip(saved, (before, after), strict=True)
    )
    period = table.every if table.statistic is None else None
    result = evaluate_effect(
        before,
        after,
        objective=context.objective(table),
        criterion=criterion,
        proposal=proposal,
        actions=actions,
        causes=[c for c in archive.of_kind("cause") if c.analysis == name],
        change=change,
        analysis=name,
        baselines=(table.baselines[0], table.baselines[1]) if same else ("", ""),
        versions=(_version(context, table.baselines[0]), _version(context, table.baselines[1]))
        if same
        else (0, 0),
        process=context.processes.get(table.process or ""),
        chart=None if table.chart is None else context.saved(table.chart, ControlChart),
        every=period,
        method=table.method,
        value=_amount(table.value),
        volume=_amount(table.volume),
        unit=table.unit,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _version(context: Context, name: str) -> int:
    return int(context.repo.history(name)["version"].max())


def _sides(table: EffectTable, context: Context) -> tuple[Series, Series]:
    chosen = selection(table, context)
    if table.statistic is None:
        # the items themselves are compared; `every` is the period of the comparison
        chosen |= {"every": None}
    if table.at is not None:
        at = context.instant(table.at)
        whole = context.repo.series(table.measure, **chosen)
        return whole.between(None, at), whole.between(at, None)
    assert table.before is not None
    assert table.after is not None

    def side(span: Span) -> Series:
        own = {"since": span.since, "until": span.until} if span.since or span.until else {}
        return context.repo.series(
            table.measure, **(chosen | own | {"where": {**table.where, **span.where} or None})
        )

    return side(table.before), side(table.after)


def _amount(given: Amount | None) -> Any:
    if isinstance(given, list):
        return tuple(given)
    return stated(given) if isinstance(given, dict) else given


def _recurrence(table: RecurrenceTable, context: Context) -> list[ReportItem]:
    chart = context.saved(table.chart, ControlChart)
    happening = context.happening(table.at)
    at = context.instant(table.at)
    what = table.what or (happening.name if isinstance(happening, Change | Event) else "")
    result = evaluate_recurrence(
        chart,
        at=at.date() if isinstance(at, dt.datetime) else at,
        what=what if table.what or isinstance(happening, Change) else "",
        analysis=table.causal_analysis or "",
        beyond_limits_only=not table.every_signal,
        least=table.least,
        apart=table.apart,
        confidence=table.confidence,
    )
    return [item(table, result, context)]


def _effect_references(table: EffectTable) -> Iterator[Reference]:
    yield Reference("causal_analysis", table.causal_analysis, "causal_analysis")
    yield Reference("proposal", table.proposal, "proposal")
    yield Reference("criterion", table.criterion, "success_criterion")
    yield Reference("process", table.process, "process")
    if isinstance(table.at, str):
        yield Reference("at", table.at, "happening")


def _recurrence_references(table: RecurrenceTable) -> Iterator[Reference]:
    yield Reference("causal_analysis", table.causal_analysis, "causal_analysis")
    if isinstance(table.at, str):
        yield Reference("at", table.at, "happening")


def _check_effect(where: str, table: EffectTable, declared: Declared) -> Iterator[str]:
    if table.method is not None:
        yield from unknown(where, "method", table.method, METHODS)
    for name in table.baselines:
        yield from _analysis(where, "baselines", name, declared, "baseline")
    if table.chart is not None:
        yield from _analysis(where, "chart", table.chart, declared, "chart")
    for key, given in (("value", table.value), ("volume", table.volume)):
        if isinstance(given, list) and (len(given) != 3 or sorted(given) != given):
            yield f"{where}: {key}: [low, likely, high] are three numbers in their order, got {given}"
        if isinstance(given, dict):
            try:
                stated(given)
            except (PerfAnalyticsError, KeyError) as error:
                yield f"{where}: {key}: {error}"


def _check_recurrence(where: str, table: RecurrenceTable, declared: Declared) -> Iterator[str]:
    yield from _analysis(where, "chart", table.chart, declared, "chart")


def _analysis(where: str, key: str, name: str, declared: Declared, what: str) -> Iterator[str]:
    """An analysis of the plan by its name, or by that of one of its strata."""
    known = [n for n, t in declared.analyses.items() if type(t).__name__ == f"{what.title()}Table"]
    if name not in known and not any(name.startswith(f"{n}: ") for n in known):
        yield from unknown(where, key, name, known)


EFFECT = Kind(
    table=EffectTable,
    chapter="Effect of what was done",
    many="effect evaluations",
    analyze=_effect,
    check=_check_effect,
    references=_effect_references,
)
RECURRENCE = Kind(
    table=RecurrenceTable,
    chapter="Effect of what was done",
    many="recurrence checks",
    analyze=_recurrence,
    check=_check_recurrence,
    references=_recurrence_references,
)
