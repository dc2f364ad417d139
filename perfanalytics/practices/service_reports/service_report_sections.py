"""The contents of a service report: each fills its rows and gives the sentence that a meeting hears."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.comparisons.result import Comparison
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.practices.qwm.work_review_rows import Kept, Rows
from perfanalytics.practices.qwm.work_review_sections import statement
from perfanalytics.practices.service_reports.period_figures_result import PeriodFigures
from perfanalytics.practices.service_reports.service_report_material import (
    ReportMaterial,
    actions_of,
    analyses,
    analyses_of,
    concerns,
    missed,
)
from perfanalytics.practices.service_reports.service_report_words import change_text, targets_sentence
from perfanalytics.practices.service_reports.trend import Trend
from perfanalytics.spc.result import ControlChart

#: Nonconformities are told of so many values of an attribute to management.
MOST_CATEGORIES = 5


def _figures(kept: Kept) -> PeriodFigures:
    assert isinstance(kept.result, PeriodFigures)
    return kept.result


def _unit(f: PeriodFigures) -> str:
    return "share" if f.is_share else f.unit


def performance(material: ReportMaterial, rows: Rows) -> str:
    """Targets: what is asked for, what was reached, whether it was met, and before."""
    for kept in material.of("performance"):
        f = _figures(kept)
        assert f.objective is not None
        asked = statement(f.objective, material.archive)
        rows.add(1, "Targets", kept.subject, "asked for", f.objective, value=asked)
        if f.side:
            rows.add(1, "Targets", kept.subject, "required", kept, "required", unit=_unit(f))
            rows.add(1, "Targets", kept.subject, "side", kept, "side")
        _row(rows, 1, "Targets", kept, 0)
        rows.add(1, "Targets", kept.subject, "met", kept, value=f.standing[0] or "no data")
        rows.add(1, "Targets", kept.subject, "difference", kept, value=f.sure[0])
        _before(rows, 1, "Targets", kept)
    for missing in material.not_done:
        if missing.role == "performance":
            objective = material.archive.get("objective", missing.subject)
            asked = statement(objective, material.archive)
            rows.add(1, "Targets", missing.subject, "asked for", objective, value=asked)
            rows.add(1, "Targets", missing.subject, "met", objective, value="no data")
    if material.audience != "management":
        _by_attribute(material, rows)
    return targets_sentence(material)


def _row(rows: Rows, section: int, table: str, kept: Kept, k: int, subject: str = "") -> None:
    """The figure, of how many observations it is."""
    f = _figures(kept)
    subject = subject or kept.subject
    # nothing to divide by is no data, not a number
    value = "no data" if np.isnan(f.value[k]) else None
    rows.add(section, table, subject, "reached" if f.objective else "in the period", kept,
             f"table: {k}: value", value=value, unit=_unit(f))  # fmt: skip
    rows.add(section, table, subject, "n", kept, f"table: {k}: n")


def _before(rows: Rows, section: int, table: str, kept: Kept) -> None:
    f = _figures(kept)
    for quantity, column in (("period before", "previous"), ("a year before", "year_before")):
        value = "no data" if np.isnan(getattr(f, column)[0]) else None
        rows.add(
            section, table, kept.subject, quantity, kept, f"table: 0: {column}", value=value, unit=_unit(f)
        )
    rows.add(section, table, kept.subject, "change", kept, value=change_text(f))


def _by_attribute(material: ReportMaterial, rows: Rows) -> None:
    """The targets for each value of an attribute (each service)."""
    for attribute in material.by:
        table = f"By {attribute}"
        for kept in material.of("performance"):
            f = _figures(kept)
            for k in np.flatnonzero(f.attribute == attribute).tolist():
                subject = f"{f.category[k]}"
                value = f.said(float(f.value[k]))
                told = f"{value}, {f.standing[k]}" if f.standing[k] else value
                rows.add(1, table, subject, kept.subject, kept, value=told)


def events(material: ReportMaterial, rows: Rows) -> str:
    """What happened, what was changed, what was deployed; for operations also what charts signal."""
    if not material.events:
        return "Significant events are left out of this report."
    found = list(_happenings(material))
    table = "Events"
    for what, record, first, last in found:
        rows.add(2, table, record.name, "from", record, value=first)
        rows.add(2, table, record.name, "to", record, value=last)
        rows.add(2, table, record.name, "sort", record, value=what)
        rows.add(2, table, record.name, "what", record, value=getattr(record, "what", ""))
        if material.audience == "operations":
            rows.add(2, table, record.name, "why", record, value=getattr(record, "why", ""))
    unexplained = _signals(material, rows) if material.audience == "operations" else 0
    if not found:
        text = "No significant event is on record in the period."
    else:
        names = [record.name for _, record, _, _ in found]
        text = f"{count(len(names), 'significant event')}: {', '.join(names)}."
    return text + (f" {count(unexplained, 'signal')} of charts in the period." if unexplained else "")


def _happenings(material: ReportMaterial) -> Iterator[tuple[str, Any, dt.date, dt.date]]:
    since, last = material.since, material.last
    measures = set(material.measures())
    found = []
    for sort, kind in (("event", "event"), ("change", "change"), ("deployment", "deployment")):
        for record in material.archive.of_kind(kind):
            first = _date(getattr(record, "when", None) or record.since)
            ends = getattr(record, "until", None)
            end = _date(ends) if ends is not None else first
            about = getattr(record, "measure", None)
            here = first <= last and end >= since and concerns(material, record.where)
            if here and (about is None or about in measures):
                found.append((sort, record, first, end))
    yield from sorted(found, key=lambda f: (f[2], f[1].name))


def _date(when: dt.date | dt.datetime) -> dt.date:
    return when.date() if isinstance(when, dt.datetime) else when


def signals_in(material: ReportMaterial, chart: ControlChart) -> list[int]:
    """Positions of the points within the period that signal."""
    if chart.when is None:
        return []
    since, until = np.datetime64(material.since, "us"), np.datetime64(material.until, "us")
    inside = (chart.when >= since) & (chart.when < until) & (chart.direction[0] != "")
    return [int(k) for k in np.flatnonzero(inside)]


def _signals(material: ReportMaterial, rows: Rows) -> int:
    total = 0
    for kept in material.of("chart"):
        assert isinstance(kept.result, ControlChart)
        found = signals_in(material, kept.result)
        total += len(found)
        if found and kept.result.when is not None:
            days = [str(kept.result.when[k])[:10] for k in found]
            ways = [str(kept.result.direction[0, k]) for k in found]
            rows.add(2, "Signals", kept.subject, "on", kept, value=", ".join(days))
            rows.add(2, "Signals", kept.subject, "which are", kept, value=", ".join(dict.fromkeys(ways)))
    return total


def workload(material: ReportMaterial, rows: Rows) -> str:
    """How much there was to do, and more or less than before."""
    return _plain(material, rows, 3, "Workload", "workload", "No measure of workload is declared.")


def satisfaction(material: ReportMaterial, rows: Rows) -> str:
    """What customers said."""
    nothing = "No measure of satisfaction or complaints is declared."
    return _plain(material, rows, 6, "Satisfaction", "satisfaction", nothing)


def _plain(material: ReportMaterial, rows: Rows, section: int, table: str, role: str, nothing: str) -> str:
    """Figures of measures that have no target here."""
    told = []
    for kept in material.of(role):
        f = _figures(kept)
        rows.add(section, table, kept.subject, "figure", kept, value=f.statistic)
        _row(rows, section, table, kept, 0)
        _before(rows, section, table, kept)
        change = change_text(f)
        told.append(f"{kept.subject} {f.said(float(f.value[0]))}" + _than_before(change))
    if told:
        return "; ".join(told) + "."
    return (
        nothing
        if not getattr(material, role)
        else f"There are no data of {', '.join(getattr(material, role))}."
    )


def _than_before(change: str) -> str:
    text, comma, _ = change.partition(", each")
    return f", {text} than before{comma and ' (for each figure)'}" if text[-4:] in ("more", "less") else ""


def nonconformities(material: ReportMaterial, rows: Rows) -> str:
    """What went wrong, of which category, and what is known of the causes."""
    told = []
    for kept in material.of("nonconformity"):
        f = _figures(kept)
        total = float(f.value[0])
        rows.add(4, "Nonconformities", kept.subject, "in the period", kept, "table: 0: value")
        rows.add(4, "Nonconformities", kept.subject, "of observations", kept, "table: 0: n")
        _before(rows, 4, "Nonconformities", kept)
        text = f"{kept.subject}: {number(total)} nonconforming"
        largest = _categories(material, rows, kept)
        told.append(text + (f", the largest part in {largest}" if largest else ""))
    if not material.nonconformities:
        told.append("No measure of nonconformities is declared")
    elif not told:
        told.append(f"There are no data of {', '.join(material.nonconformities)}")
    text = "; ".join(told) + "."
    return f"{text} {_causes(material, rows)}".strip() if material.internal else text


def _categories(material: ReportMaterial, rows: Rows, kept: Kept) -> str:
    """A table for each attribute, the largest first; the largest of the first attribute in words."""
    f, largest = _figures(kept), ""
    total = float(f.value[0])
    for attribute in material.categories:
        at = np.flatnonzero(f.attribute == attribute)
        order = at[np.argsort(-f.value[at], kind="stable")].tolist()
        shown = order[:MOST_CATEGORIES] if material.audience == "management" else order
        table = f"{kept.subject} by {attribute}"
        for k in shown:
            subject = str(f.category[k])
            rows.add(4, table, subject, "nonconforming", kept, f"table: {k}: value")
            rows.add(4, table, subject, "of observations", kept, f"table: {k}: n")
            if total > 0:
                rows.add(
                    4, table, subject, "share of all", kept, value=float(f.value[k]) / total, unit="share"
                )
            rows.add(4, table, subject, "period before", kept, f"table: {k}: previous")
        if order and total > 0 and not largest:
            first = order[0]
            largest = f"{attribute} {f.category[first]} ({percent(float(f.value[first]) / total)})"
    return largest


def _causes(material: ReportMaterial, rows: Rows) -> str:
    """Causal analyses, their causes and actions; what is done about each target that was missed."""
    table = "Targets missed and what is done"
    lacking = missed(material)
    looked = 0
    for kept in lacking:
        found = analyses_of(material, kept)
        looked += bool(found)
        said = "; ".join(f"{a.name} ({a.state})" for a in found) or "no causal analysis on record"
        source: Any = found[0] if found else _figures(kept).objective
        rows.add(4, table, kept.subject, "causal analysis", source, value=said)
    known = analyses(material)
    confirmed = 0
    for a in known:
        causes = [c for c in material.archive.of_kind("cause") if c.analysis == a.name]
        sure = [c for c in causes if c.state == "confirmed"]
        confirmed += len(sure)
        rows.fill(4, "Causal analyses", a.name, a, {"outcome": "outcome", "state": "state"})
        told = ", ".join(c.name for c in sure) or ("none confirmed" if causes else "none on record")
        rows.add(4, "Causal analyses", a.name, "causes", a, value=told)
        for c in causes:
            wanted = {
                "analysis": "analysis",
                "what": "what",
                "state": "state",
                "root": "root",
                "evidence": "evidence",
            }
            rows.fill(4, "Causes", c.name, c, wanted)
    for action in actions_of(material):
        wanted = {"what": "what", "owner": "owner", "due": "due", "state": "state", "analysis": "analysis"}
        rows.fill(4, "Actions", action.name, action, wanted)
    parts = []
    if lacking:
        parts.append(_looked_into(looked, len(lacking)))
    if known:
        are = "is" if len(known) == 1 else "are"
        text = f"{len(known)} causal analys{'i' if len(known) == 1 else 'e'}s {are} on record"
        parts.append(f"{text}, {count(confirmed, 'cause')} confirmed")
    return ("; ".join(parts)[:1].upper() + "; ".join(parts)[1:] + ".") if parts else ""


def _looked_into(looked: int, missed: int) -> str:
    """How many of the targets that were missed a causal analysis looks into."""
    if missed == 1:
        return (
            "a causal analysis looks into the missed target"
            if looked
            else "no causal analysis looks into the missed target"
        )
    told = "none" if not looked else "all" if looked == missed else str(looked)
    return f"causal analyses look into {told} of the {missed} missed targets"


def trends(material: ReportMaterial, rows: Rows) -> str:
    """Each measure: its trend, against the period before, and what its control chart says."""
    moving, unstable, known = [], [], 0
    for name in material.measures():
        for kept in _about(material, "trend", name):
            assert isinstance(kept.result, Trend)
            known += 1
            rows.add(5, "Trends", name, "trend", kept, value=_way(kept.result))
            rows.add(5, "Trends", name, "p", kept, "p_value")
            if kept.result.direction != "none":
                moving.append(f"{name} {_way(kept.result)}")
        for kept in _about(material, "change", name):
            assert isinstance(kept.result, Comparison)
            rows.add(5, "Trends", name, "against the period before", kept, value=_compared(kept.result))
        for kept in _about(material, "chart", name):
            assert isinstance(kept.result, ControlChart)
            rows.add(5, "Trends", name, "stable", kept, "stable")
            here = signals_in(material, kept.result)
            rows.add(5, "Trends", name, "signals in the period", kept, value=len(here))
            if kept.result.stable is False:
                unstable.append(name)
    if not known and not material.of("chart"):
        return "There are too few data for trends."
    text = f"A trend is visible in {len(moving)} of {count(known, 'measure')}"
    text += f": {'; '.join(moving)}." if moving else "."
    if unstable:
        text += f" Not stable: {', '.join(unstable)}."
    return text


def _about(material: ReportMaterial, role: str, name: str) -> tuple[Kept, ...]:
    return tuple(k for k in material.of(role) if k.subject == name)


def _way(t: Trend) -> str:
    if t.direction == "none":
        return "none visible"
    way = {True: "better", False: "worse", None: ""}[t.good]
    more = [way, "across a recorded change" if "change-within" in t.caveat_codes else ""]
    text = ", ".join(m for m in more if m)
    return t.direction + (f" ({text})" if text else "")


def _compared(c: Comparison) -> str:
    """What a comparison found, in two words."""
    if c.outcome == "not_attributable":
        return "different, but drifting"
    if c.outcome != "detected":
        return "no difference shown"
    null = {"ratio": 1.0, "probability": 0.5}.get(c.primary.form, 0.0)
    return "higher" if c.primary.estimate > null else "lower"


def data(material: ReportMaterial, rows: Rows) -> str:
    """What the integrity checks found in the data of each measure."""
    found = 0
    for kept in material.of("data_quality"):
        assert isinstance(kept.result, DataQuality)
        row = kept.result.summary().iloc[0]
        found += bool(row["wrong"] or row["look"])
        rows.add(7, "Data quality", kept.subject, "wrong", kept, "summary: wrong")
        rows.add(7, "Data quality", kept.subject, "to look into", kept, "summary: look")
        rows.add(7, "Data quality", kept.subject, "found", kept, "verdict")
    n = len(material.of("data_quality"))
    return f"Integrity checks found something in {found} of {count(n, 'measure')}." if n else ""
