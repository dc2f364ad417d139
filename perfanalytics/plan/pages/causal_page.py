"""The page of a causal analysis: seven sections, each from its records and the results behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perfanalytics.core.result import Result
from perfanalytics.figures.plot import FIGURES
from perfanalytics.practices.car.causal_review import SECTIONS, CausalReview, CausalSource
from perfanalytics.reports.report import ReportItem, report

#: Section -> the codes of doubts that belong to it; the others stand with the result they come from.
DOUBTS = {
    1: ("no-measure", "no-subprocess", "no-objective", "no-participants", "no-opened-on", "no-reason"),
    2: ("no-chart",),
    3: ("no-happening",),
    4: ("no-cause", "no-evidence", "refuted-root"),  # its sentence says what is confirmed and what is root
    6: ("no-effect",),
    7: ("no-lesson",),
}


def write_page(
    review: CausalReview,
    results: Mapping[tuple[str, int], Any],
    path: Path,
    *,
    version: int,
    plan: str,
    held_by: Sequence[str] = (),
    not_done: Mapping[str, str] | None = None,
) -> Path:
    """Write the page of a causal review."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"Version {version}, on {review.on}; plan {plan}"
    text += f"; {', '.join(held_by)}" if held_by else "; who takes part is not on record"
    return report(
        items(review, results, not_done=not_done or {}),
        path,
        title=f"{review.analysis.name}: {review.analysis.outcome}",
        subtitle=f"{text}.",
    )


def items(
    review: CausalReview, results: Mapping[tuple[str, int], Any], *, not_done: Mapping[str, str]
) -> list[ReportItem]:
    """The entries of the page, in the order of the sections."""
    out = [ReportItem("The analysis in short", review, group="In short")]
    for number, title in enumerate(SECTIONS, 1):
        group = f"{number}. {title}"
        own = [s for s in review.sources if s.section == number]
        kinds = {s.result_kind for s in own}
        tables = tuple(
            (t, f) for t, f in review.section_tables(number) if not _shown_with_result(number, t, kinds)
        )
        out.append(ReportItem(title, None, group=group, verdict=_said(review, number), extra=tables))
        out += [
            _item(s, results[(s.name, s.version)], review, group)
            for s in own
            if s.result_kind != "action_plan" and _is_result(results.get((s.name, s.version)))
        ]
        if number == 4:
            out += [ReportItem(n, None, group=group, error=reason) for n, reason in not_done.items()]
    return out


def _item(s: CausalSource, result: Any, review: CausalReview, group: str) -> ReportItem:
    """A saved result on the page: with its tables where it is judged here, else its figure only."""
    # the summary says no more than the verdict and the tables
    tables = tuple(t for t in result.tables() if t[0] != "Summary")
    extra = tables if s.section == 6 or result.kind not in FIGURES else ()
    why = "" if s.why in ("its own", "evaluates what was done") else f"On this page because: {s.why}"
    return ReportItem(_heading(s, review), result, group=group, question=why, extra=extra, brief=True)


def _is_result(found: Any) -> bool:
    return isinstance(found, Result) and (found.kind in FIGURES or bool(found.tables()))


def _shown_with_result(section: int, title: str, kinds: set[str]) -> bool:
    """Tables that an evaluation on the page shows itself."""
    return section == 6 and title != "Evaluations" and "effect_evaluation" in kinds


def _said(review: CausalReview, number: int) -> str:
    """The sentence of a section, and what is missing in it."""
    if number == 6 and any(s.section == 6 for s in review.sources):
        many = sum(1 for s in review.sources if s.section == 6)
        return f"{many} evaluation{'' if many == 1 else 's'} of what was done, by criteria on record."
    said = review.says[number - 1]
    codes = DOUBTS.get(number, ())
    if number == 5:
        codes = tuple(
            c.code
            for c in review.caveats
            if c.code.startswith(("proposal", "action", "criterion", "cause-not-on"))
            and c.code != "action-without-owner"  # its sentence names them
        )
    lacking = [c.text for c in review.caveats if c.code in codes and c.text not in said]
    return " ".join([said, *lacking])


def _heading(s: CausalSource, review: CausalReview) -> str:
    name = s.name.removeprefix(f"{review.analysis.name}: ")
    return f"{name[:1].upper()}{name[1:]} (version {s.version})"
