"""The page of a service report, as its audience reads it."""

from __future__ import annotations

from pathlib import Path

from perfanalytics.core.data_quality import DataQuality
from perfanalytics.practices.qwm.work_review_rows import Kept
from perfanalytics.practices.qwm.work_review_sections import where_text
from perfanalytics.practices.service_reports.service_report_material import ReportMaterial
from perfanalytics.practices.service_reports.service_report_result import AUDIENCES, CONTENTS, ServiceReport
from perfanalytics.practices.service_reports.service_report_words import period_text
from perfanalytics.reports.report import ReportItem, report

#: Audience -> roles of the results whose figures it sees, with the content they stand under.
FIGURES: dict[str, dict[str, int]] = {
    "management": {},
    "customer": {"chart": 5},
    "operations": {"chart": 5, "change": 5, "data_quality": 7},
}


def write_page(made: ServiceReport, material: ReportMaterial, path: Path, *, version: int, plan: str) -> Path:
    """Write the page of a service report."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return report(
        items(made, material),
        path,
        title=f"Service report: {made.name}",
        subtitle=_subtitle(made, version, plan),
        contents=made.audience != "management",
    )


def _subtitle(made: ServiceReport, version: int, plan: str) -> str:
    to = {"management": "management", "customer": "customers", "operations": "operations"}[made.audience]
    text = f"{period_text(made.since, made.until)}, to {to}"
    text += f"; {where_text(made.where)}" if made.where else ""
    if made.audience == "customer":
        return f"{text}. As known on {made.on}."
    return f"{text}. As known on {made.on}; version {version}, plan {plan}."


def items(made: ServiceReport, material: ReportMaterial) -> list[ReportItem]:
    """The entries of the page: to management one, to others one for each content, with figures."""
    assert made.audience in AUDIENCES
    if made.audience == "management":
        return [
            ReportItem("The period in short", made, group="To management", brief=True, extra=made.tables())
        ]
    # customers find the targets below; operations also how the report was made
    theirs = made.audience == "customer"
    out = [ReportItem("The report in short", made, group="In short", brief=theirs)]
    for number, title in enumerate(CONTENTS, 1):
        if not made.statements[number - 1]:
            continue
        group = f"{number}. {title}"
        tables = made.content_tables(number)
        out.append(ReportItem(title, None, group=group, verdict=made.statements[number - 1], extra=tables))
        for kept in _shown(number, made, material):
            whole = kept.role == "data_quality"
            out.append(ReportItem(_heading(kept, made), kept.result, group=group, brief=not whole))
    return out


def _shown(number: int, made: ServiceReport, material: ReportMaterial) -> list[Kept]:
    """The results whose figures stand under a content."""
    roles = FIGURES[made.audience]
    told = [k for k in material.kept if roles.get(k.role) == number and _tells_more(k)]
    if made.audience != "customer":
        return told
    # what customers were promised, and what they said
    objectives = {o.name: o.measure for o in material.archive.of_kind("objective")}
    theirs = {objectives[n] for n in material.performance if n in objectives} | set(material.satisfaction)
    return [k for k in told if k.subject in theirs]


def _tells_more(kept: Kept) -> bool:
    """Whether a figure says more than the line in the table: integrity checks that found nothing do not."""
    if isinstance(kept.result, DataQuality):
        row = kept.result.summary().iloc[0]
        return bool(row["wrong"] or row["look"])
    return True


def _heading(kept: Kept, made: ServiceReport) -> str:
    name = kept.name.removeprefix(f"{made.name}: ")
    version = f" (version {kept.version})" if made.audience == "operations" else ""
    return f"{name[:1].upper()}{name[1:]}{version}"
