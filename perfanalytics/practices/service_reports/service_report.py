"""service_report_of(material) -> ServiceReport: put together from records and saved results, nothing else."""

from __future__ import annotations

from dataclasses import replace

from perfanalytics.core.result import Method, Provenance
from perfanalytics.practices.qwm.work_review_result import hash_of
from perfanalytics.practices.qwm.work_review_rows import Rows
from perfanalytics.practices.service_reports import service_report_sections as sections
from perfanalytics.practices.service_reports.service_report_doubts import doubts
from perfanalytics.practices.service_reports.service_report_material import ReportMaterial
from perfanalytics.practices.service_reports.service_report_result import CONTENTS, ServiceReport
from perfanalytics.practices.service_reports.service_report_words import period_text


def service_report_of(material: ReportMaterial) -> ServiceReport:
    """The report, from records and saved results; what is missing is said.

    See :func:`perfanalytics.service_report`, which computes and saves the results first.

    Examples
    --------
    >>> import datetime as dt
    >>> from perfanalytics.core.archive import Archive
    >>> bare = ReportMaterial(name="Mail", audience="management", since=dt.date(2024, 1, 1),
    ...                       until=dt.date(2024, 4, 1), archive=Archive.of(on=dt.date(2024, 3, 31)))
    >>> service_report_of(bare).statements[5]
    'No measure of satisfaction or complaints is declared.'
    """
    rows = Rows()
    statements = (
        sections.performance(material, rows),
        sections.events(material, rows),
        sections.workload(material, rows),
        sections.nonconformities(material, rows),
        sections.trends(material, rows),
        sections.satisfaction(material, rows),
        sections.data(material, rows) if material.audience == "operations" else "",
    )
    columns = rows.arrays()
    made = ServiceReport(
        verdict="",
        caveats=tuple(doubts(material)),
        method=Method(
            "service_report",
            {
                "contents": CONTENTS[: 7 if material.audience == "operations" else 6],
                "performance": material.performance,
                "workload": material.workload,
                "nonconformities": material.nonconformities,
                "satisfaction": material.satisfaction,
                "categories": material.categories,
            },
            ("ISO/IEC 20000-1:2011, 6.2",),
        ),
        provenance=Provenance(
            material.name,
            data_hash=hash_of(*(columns[n] for n in sorted(columns))),
            n=len(rows.columns),
            selection={"where": dict(material.where), "since": material.since, "until": material.until},
        ),
        name=material.name,
        audience=material.audience,
        since=material.since,
        until=material.until,
        on=material.archive.on,
        where=dict(material.where),
        by=material.by,
        statements=statements,
        **columns,
    )
    return replace(made, verdict=verdict_of(material, made))


def verdict_of(material: ReportMaterial, report: ServiceReport) -> str:
    """The targets, then significant events; the other contents have a line of their own each."""
    begin = f"{material.name}, {period_text(material.since, material.until)}: "
    said = [report.statements[0], report.statements[1]]
    text = " ".join(s for s in said if s)
    return begin + text[:1].lower() + text[1:] if text[:3] == "No " else begin + text
