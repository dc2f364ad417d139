"""causal_review(archive, analysis) -> CausalReview: what is on record about a causal analysis, in order."""

from __future__ import annotations

from perfanalytics.core.archive import Archive
from perfanalytics.core.result import Caveat, Method, Provenance
from perfanalytics.practices.car.causal_first_sections import causes, selection, signal, what_changed
from perfanalytics.practices.car.causal_later_sections import actions, effect, lesson, verdict
from perfanalytics.practices.car.causal_material import Case
from perfanalytics.practices.car.causal_review import SECTIONS, CausalReview, CausalSource
from perfanalytics.practices.qwm.work_review_result import hash_of


def causal_review(archive: Archive, analysis: str) -> CausalReview:
    """A causal analysis from selection to lesson, from records and saved results.

    Parameters
    ----------
    archive : Archive
        As :meth:`perfanalytics.Repository.archive` gives it.
    analysis : str
        Name of a causal analysis on record.

    Returns
    -------
    CausalReview
        Seven sections: outcome and why it was selected; the chart with the signal; what changed when; causes;
        proposals and actions; effect; lesson and related analyses. What is missing is said, and a caveat.

    Raises
    ------
    UnknownNameError
        For an analysis that is not on record.

    Notes
    -----
    A saved result belongs to the analysis where its records name it (the reason for selecting it, the
    evidence of a cause), where the name of the analysis is in its name, or where it is about its measure and
    scope. Nothing is computed from data here.

    Examples
    --------
    >>> from perfanalytics.core.improvement_records import CausalAnalysis
    >>> review = causal_review(Archive.of([CausalAnalysis("C1", outcome="Mail is down")]), "C1")
    >>> review.says[3], "no-cause" in review.caveat_codes
    ('No cause is on record.', True)
    """
    case = Case.of(archive, analysis)
    planned, plan = actions(case)
    judged, outcome, _ = effect(case)
    sections = [
        selection(case),
        signal(case),
        what_changed(case),
        causes(case),
        planned,
        judged,
        lesson(case),
    ]
    sources = tuple(dict.fromkeys(s for section in sections for s in section.sources))
    doubts: dict[str, Caveat] = {}
    for c in (c for section in sections for c in section.doubts):
        doubts.setdefault(c.code, c)
    return CausalReview(
        verdict=verdict(case, plan, outcome),
        caveats=tuple(doubts.values()),
        method=Method(
            "causal_review",
            {
                "sections": list(SECTIONS),
                "belongs": "named by the records, its own name, or the same measure and scope",
            },
            ("CMMI-SVC V1.3 (2010), CAR SP 1.1 to 2.3",),
        ),
        provenance=Provenance(
            case.analysis.measure or "",
            data_hash=hash_of([s.says for s in sections], [_key(s) for s in sources], case.analysis),
            n=len(sources),
        ),
        analysis=case.analysis,
        on=archive.on,
        outcome=outcome,
        says=tuple(s.says for s in sections),
        content=tuple(t for s in sections for t in s.tables),
        sources=_once(sources),
    )


def _key(s: CausalSource) -> list[object]:
    return [s.section, s.name, s.version]


def _once(sources: tuple[CausalSource, ...]) -> tuple[CausalSource, ...]:
    """A result is shown in the first section that has it."""
    seen: set[tuple[str, int]] = set()
    out = []
    for s in sources:
        if (s.name, s.version) not in seen:
            seen.add((s.name, s.version))
            out.append(s)
    return tuple(out)
