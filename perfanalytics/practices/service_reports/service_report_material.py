"""What a service report is made of: its contents as asked for, records, saved results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perfanalytics.core.archive import Archive
from perfanalytics.core.improvement_records import CausalAnalysis
from perfanalytics.core.practice_records import Action
from perfanalytics.practices.qwm.work_review_rows import Kept, NotDone
from perfanalytics.practices.service_reports.period_figures_result import PeriodFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMaterial:
    """What a service report is made of.

    Parameters
    ----------
    name, audience, since, until, where, by :
        As in :class:`ServiceReport`.
    archive : Archive
        Of the day of the report.
    performance : tuple of str
        Objectives, by name.
    workload, nonconformities, satisfaction : tuple of str
        Measures, by name.
    categories : tuple of str
        Attributes by which nonconformities are counted.
    events : bool
        Whether significant events are told.
    without_target : tuple of str
        Measures named under performance of which no target is declared.
    kept : tuple of Kept
        Saved results by role: "performance" (about an objective), "workload", "satisfaction",
        "nonconformity", "trend", "change", "chart", "data_quality" (about a measure).
    not_done : tuple of NotDone
    """

    name: str
    audience: str
    since: dt.date
    until: dt.date
    archive: Archive
    where: Mapping[str, Any] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    performance: tuple[str, ...] = ()
    workload: tuple[str, ...] = ()
    nonconformities: tuple[str, ...] = ()
    satisfaction: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    events: bool = True
    without_target: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    not_done: tuple[NotDone, ...] = ()

    @property
    def last(self) -> dt.date:
        """The last day of the period."""
        return self.until - dt.timedelta(days=1)

    @property
    def internal(self) -> bool:
        """Whether what the organization keeps to itself may be told."""
        return self.audience != "customer"

    def of(self, *roles: str) -> tuple[Kept, ...]:
        """What was kept for these roles, in order."""
        return tuple(k for k in self.kept if k.role in roles)

    def measures(self) -> tuple[str, ...]:
        """The measures of the report, in the order of its contents, each once."""
        known = {o.name: o.measure for o in self.archive.of_kind("objective")}
        named = [known[n] for n in self.performance if n in known] + list(self.without_target)
        return tuple(dict.fromkeys([*named, *self.workload, *self.nonconformities, *self.satisfaction]))


def missed(material: ReportMaterial) -> tuple[Kept, ...]:
    """The targets that were missed."""
    found = material.of("performance")
    return tuple(k for k in found if isinstance(k.result, PeriodFigures) and k.result.standing[0] == "missed")


def concerns(material: ReportMaterial, where: Mapping[str, Any]) -> bool:
    """Whether a record limited to ``where`` may be about the data of the report.

    An attribute that only one of them names does not separate them.
    """
    for name, value in where.items():
        if name not in material.where:
            continue
        one = {str(v) for v in (value if isinstance(value, tuple | list) else (value,))}
        asked = material.where[name]
        other = {str(v) for v in (asked if isinstance(asked, tuple | list) else (asked,))}
        if not one & other:
            return False
    return True


def analyses(material: ReportMaterial) -> tuple[CausalAnalysis, ...]:
    """Causal analyses of the service that were open in the period, or later, when the report was made."""
    measures = set(material.measures())
    return tuple(
        a
        for a in material.archive.of_kind("causal_analysis")
        if (a.measure is None or a.measure in measures)
        and (a.measure is not None or a.objective in material.performance)
        and concerns(material, a.where)
        and (a.opened_on is None or a.opened_on <= material.archive.on)
        and (a.closed_on is None or a.closed_on >= material.since)
    )


def analyses_of(material: ReportMaterial, kept: Kept) -> tuple[CausalAnalysis, ...]:
    """The causal analyses that look into a target: they name it, or its measure."""
    assert isinstance(kept.result, PeriodFigures)
    measure = kept.result.measure.name
    return tuple(
        a
        for a in analyses(material)
        if kept.subject == a.objective or (a.objective is None and a.measure == measure)
    )


def actions_of(material: ReportMaterial) -> tuple[Action, ...]:
    """The actions of these causal analyses."""
    names = {a.name for a in analyses(material)}
    return tuple(
        a
        for a in material.archive.of_kind("action")
        if a.analysis in names and (a.opened_on is None or a.opened_on <= material.archive.on)
    )
