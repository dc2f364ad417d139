"""Pilots planned and judged, from their records: ``[[pilot_plan]]``, ``[[pilot_judgement]]``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, PrivateAttr

from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import Pilot, SuccessCriterion
from perfanalytics.core.periods import Every
from perfanalytics.core.series import Series
from perfanalytics.plan.analyses.context import Context, item
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.tables import Analysis, Name
from perfanalytics.practices.opm.pilot_judgement import judge_pilot
from perfanalytics.practices.opm.pilots import plan_pilot
from perfanalytics.reports.report import ReportItem

CHAPTER = "Improvement: pilots"


class OfPilot(Analysis):
    """What plan and judgement of a pilot have."""

    pilot: Name
    criterion: str | None = None
    every: Every = "week"
    statistic: str | None = None
    assurance: float = Field(0.8, gt=0.5, lt=1)
    confidence: float = Field(0.95, gt=0, lt=1)

    _measures: dict[str, str] = PrivateAttr(default_factory=dict)

    def knows(self, measures: Mapping[str, str]) -> None:
        """The measure of each pilot of the plan; told once, when the plan is put together."""
        self._measures.update(measures)

    def looks_into(self) -> tuple[str, ...]:
        """The measure of its pilot."""
        return (self._measures[self.pilot],) if self.pilot in self._measures else ()


class PilotPlanTable(OfPilot):
    """``[[pilot_plan]]``: how long a ``[[pilot]]`` must run to be judged by its criterion."""

    expected: float | None = None
    power: float = Field(0.8, gt=0, lt=1)
    longest: int = Field(26, ge=8)


class PilotJudgementTable(OfPilot):
    """``[[pilot_judgement]]``: a ``[[pilot]]`` against its ``[[success_criterion]]``."""

    method: Literal["level", "interrupted"] = "level"
    selected: Literal["at random", "volunteers", "worst"] | None = None
    season: Literal["hour", "weekday", "month", "quarter", "year"] | None = None


def _records(table: OfPilot, context: Context) -> tuple[Pilot, SuccessCriterion]:
    """The pilot, and the criterion named or the only one of its proposal about its measure."""
    archive = context.repo.archive()
    pilot: Pilot = archive.get("pilot", table.pilot)
    if table.criterion is not None:
        criterion: SuccessCriterion = archive.get("success_criterion", table.criterion)
        return pilot, criterion
    fits = [
        c
        for c in archive.of_kind("success_criterion")
        if c.proposal == pilot.proposal and c.measure == pilot.measure
    ]
    if len(fits) != 1:
        said = (
            "no success criterion"
            if not fits
            else f"{len(fits)} success criteria (name one: criterion = ...)"
        )
        raise InputError(f"the proposal {pilot.proposal!r} has {said} about {pilot.measure!r}")
    return pilot, fits[0]


def _series(
    table: OfPilot,
    context: Context,
    pilot: Pilot,
    criterion: SuccessCriterion,
    *,
    until: dt.date,
    group: bool,
) -> Series:
    where: dict[str, Any] = dict(pilot.compared_with if group else pilot.where)
    return context.repo.series(
        pilot.measure,
        where={k: list(v) if isinstance(v, tuple) else v for k, v in where.items()} or None,
        since=pilot.before_since or context.since,
        until=until,
        every=table.every,
        statistic=table.statistic or criterion.statistic,
    )


def _plan(table: PilotPlanTable, context: Context) -> list[ReportItem]:
    pilot, criterion = _records(table, context)
    sides = [
        _series(table, context, pilot, criterion, until=pilot.since, group=g)
        for g in ((False, True) if pilot.compared_with and criterion.target is None else (False,))
    ]
    result = plan_pilot(
        sides[0],
        criterion,
        comparison_group=sides[1] if len(sides) > 1 else None,
        expected=table.expected,
        power=table.power,
        confidence=table.confidence,
        assurance=table.assurance,
        longest=table.longest,
    )
    return [item(table, result, context)]


def _judge(table: PilotJudgementTable, context: Context) -> list[ReportItem]:
    pilot, criterion = _records(table, context)
    sides = [
        _series(table, context, pilot, criterion, until=pilot.until, group=g)
        for g in ((False, True) if pilot.compared_with and criterion.target is None else (False,))
    ]
    result = judge_pilot(
        pilot,
        criterion,
        sides[0],
        comparison_group=sides[1] if len(sides) > 1 else None,
        method=table.method,
        selected=table.selected,
        assurance=table.assurance,
        confidence=table.confidence,
        season=table.season,
        question=table.question,
    )
    return [item(table, result, context)]


def _references(table: OfPilot) -> Iterator[Reference]:
    yield Reference("pilot", table.pilot, "pilot")
    yield Reference("criterion", table.criterion, "success_criterion")


def _check_plan(where: str, table: PilotPlanTable, declared: Declared) -> Iterator[str]:
    least = max(1 - table.confidence, 2 * (1 - table.assurance))
    if table.power <= least:
        said = f"power = {table.power:g} must lie above 1 - confidence and 2 (1 - assurance)"
        yield f"{where}: {said} = {least:g}"


PILOT_PLAN = Kind(
    table=PilotPlanTable,
    chapter=CHAPTER,
    many="pilot plans",
    analyze=_plan,
    check=_check_plan,
    references=_references,
)
PILOT_JUDGEMENT = Kind(
    table=PilotJudgementTable,
    chapter=CHAPTER,
    many="judgements of pilots",
    analyze=_judge,
    references=_references,
)
