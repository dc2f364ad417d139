"""What is missing, late or not over in a service report, as caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from perfanalytics.core.result import Caveat
from perfanalytics.practices.service_reports.period_figures_result import PeriodFigures
from perfanalytics.practices.service_reports.service_report_material import (
    ReportMaterial,
    actions_of,
    analyses_of,
    missed,
)


def doubts(material: ReportMaterial) -> Iterator[Caveat]:
    """What is missing, late or not over."""
    archive, since, until = material.archive, material.since, material.until
    if archive.on < material.last:
        text = f"The period is not over: the data end on {archive.on}, the period on {material.last}."
        yield Caveat("period-not-over", text, {})
    for content, code, given in (
        ("performance against targets", "no-targets", material.performance),
        ("workload", "no-workload-measure", material.workload),
        ("nonconformities", "no-nonconformity-measure", material.nonconformities),
        ("satisfaction or complaints", "no-satisfaction-measure", material.satisfaction),
    ):
        if not given:
            text = f"No measure of {content} is declared for this report."
            if code == "no-targets":
                text = "No target is declared for this report."
            yield Caveat(code, text, {})
    if not material.events:
        yield Caveat("no-events", "The plan leaves significant events out of this report.", {})
    if material.without_target:
        text = f"No target is declared for {', '.join(material.without_target)}."
        yield Caveat("no-target", text, {"measures": len(material.without_target)})
    objectives = {o.name: o for o in archive.of_kind("objective")}
    asked = [objectives[n] for n in material.performance if n in objectives]
    late = [o.name for o in asked if o.declared_on is not None and o.declared_on >= until]
    within = [o.name for o in asked if o.declared_on is not None and since < o.declared_on < until]
    undated = [o.name for o in asked if o.declared_on is None]
    yield from _listed("target-declared-late", late, "Declared only after the period")
    yield from _listed("target-declared-within", within, "Declared only when the period had begun")
    yield from _listed("target-undated", undated, "When it was declared is not on record")
    figures = material.of("performance", "workload", "satisfaction", "nonconformity")
    if figures and all(
        np.isnan(k.result.year_before[0]) for k in figures if isinstance(k.result, PeriodFigures)
    ):
        yield Caveat("no-year-before", "There are no data of the same period a year before.", {})
    said: dict[tuple[str, str], list[str]] = {}
    for kept in figures:
        for c in kept.result.caveats:
            said.setdefault((c.code, c.text), []).append(kept.subject)
    for (code, text), subjects in said.items():
        yield Caveat(code, f"{', '.join(dict.fromkeys(subjects))}: {text}", {"n": len(subjects)})
    if material.internal:
        yield from _unexplained(material)
    for missing in material.not_done:
        if missing.role in ("performance", "workload", "satisfaction", "nonconformity"):
            yield Caveat("not-told", f"{missing.subject}: {missing.reason}", {"content": missing.role})
    untested = [m.subject for m in material.not_done if m.role in ("trend", "change", "chart")]
    names = tuple(dict.fromkeys(untested))
    yield from _listed("not-tested", names, "Too few data in these periods for a trend, comparison or chart")


def _listed(code: str, names: Sequence[str], text: str) -> Iterator[Caveat]:
    if names:
        yield Caveat(code, f"{text}: {', '.join(names)}.", {"n": len(names)})


def _unexplained(material: ReportMaterial) -> Iterator[Caveat]:
    """Targets that were missed and that no causal analysis looks into; actions without an owner."""
    found = [k.subject for k in missed(material) if not analyses_of(material, k)]
    yield from _listed("missed-without-analysis", found, "Missed, and no causal analysis on record")
    nobody = [a.name for a in actions_of(material) if not a.owner and a.state == "open"]
    yield from _listed("action-without-owner", nobody, "Open actions without an owner")
