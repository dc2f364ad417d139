"""Every improvement proposal and how far it is: the last chapter of the report."""

from __future__ import annotations

from perfanalytics.core.archive import Archive
from perfanalytics.practices.opm.improvement_register import improvement_register
from perfanalytics.reports.report import ReportItem

IMPROVEMENTS = "Improvement: proposals"


def improvements_chapter(archive: Archive) -> list[ReportItem]:
    """The register of improvement proposals; empty where none is declared."""
    if not archive.of_kind("proposal"):
        return []
    return [
        ReportItem(
            "Improvement proposals",
            improvement_register(archive),
            question="What is proposed, how far is it, and what do its records lack?",
            group=IMPROVEMENTS,
        )
    ]
