"""search_analyses(archive, ...) -> CausalSearch: what others found and learned about an outcome or cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.archive import Archive
from perfanalytics.core.codec import read_only
from perfanalytics.core.improvement_records import CausalAnalysis, Cause
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.fingerprint import fingerprint
from perfanalytics.practices.on_record import lineage

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "analysis", "outcome", "measure", "subprocess", "objective", "state", "causes", "proposals", "effect",
    "effect_verdict", "lesson", "matched",
)  # fmt: skip
#: Kinds of saved results that judge what an analysis led to.
EFFECTS = ("effect_evaluation", "recurrence")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CausalSearch(Result):
    """Causal analyses that match, each with its lesson and whether what was done worked.

    Attributes
    ----------
    asked : dict of text
        What was looked for: outcome, cause, subprocess, text; empty for all.
    analysis, outcome, measure, subprocess, objective, state, causes, proposals, lesson : text arrays
        Of shape (k,);
        ``causes`` are the confirmed ones, else those suspected (marked with "?").
    effect : text array, shape (k,)
        "worked", "did_not", "cannot_tell", or "" where no evaluation is saved.
    effect_verdict : text array, shape (k,)
    matched : text array, shape (k,)
        In which records the search found what it looked for.
    opened_on, closed_on : datetime64[D] arrays, shape (k,)
    """

    kind: ClassVar[str] = "causal_search"

    asked: dict[str, str]
    analysis: NDArray[Any]
    outcome: NDArray[Any]
    measure: NDArray[Any]
    subprocess: NDArray[Any]
    objective: NDArray[Any]
    state: NDArray[Any]
    causes: NDArray[Any]
    proposals: NDArray[Any]
    effect: NDArray[Any]
    effect_verdict: NDArray[Any]
    lesson: NDArray[Any]
    matched: NDArray[Any]
    opened_on: NDArray[np.datetime64]
    closed_on: NDArray[np.datetime64]

    def __post_init__(self) -> None:
        for name in (*_COLUMNS, "opened_on", "closed_on"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_frame(self) -> pd.DataFrame:
        """One row an analysis, the newest first: analysis, outcome, measure, subprocess, objective, state,
        causes, proposals, effect, effect_verdict, lesson, matched, opened_on, closed_on."""
        import pandas as pd

        return pd.DataFrame({n: getattr(self, n) for n in (*_COLUMNS, "opened_on", "closed_on")})

    def summary(self) -> pd.DataFrame:
        """One row: found, worked, did_not, cannot_tell, not_evaluated, without_lesson, verdict."""
        import pandas as pd

        row: dict[str, Any] = {"found": len(self.analysis)}
        row |= {n: int(np.count_nonzero(self.effect == n)) for n in ("worked", "did_not", "cannot_tell")}
        row |= {"not_evaluated": int(np.count_nonzero(self.effect == ""))}
        row |= {"without_lesson": int(np.count_nonzero(self.lesson == "")), "verdict": self.verdict}
        return pd.DataFrame([row])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The analyses found."""
        return (("Causal analyses", self.to_frame()),)

    def text(self) -> str:
        """The analyses as a person reads them in a terminal."""
        parts = []
        for row in self.to_frame().to_dict("records"):
            lines = [f"{row['analysis']} ({row['state']}): {row['outcome']}"]
            for name in ("subprocess", "causes", "proposals", "effect_verdict", "lesson"):
                said = row[name] or ("none on record" if name in ("causes", "lesson") else "")
                if said:
                    lines.append(f"  {name.replace('_verdict', '')}: {said}")
            parts.append("\n".join(lines))
        return "\n\n".join(parts)


def search_analyses(
    archive: Archive,
    *,
    outcome: str = "",
    cause: str = "",
    subprocess: str = "",
    text: str = "",
) -> CausalSearch:
    """Causal analyses on record by outcome, cause, subprocess or any word.

    Parameters
    ----------
    archive : Archive
    outcome : str
        Words in the outcome, the name of the measure or of the objective.
    cause : str
        Words in the name, description, category, phase or evidence of one of its causes.
    subprocess : str
        Name of a process or subprocess; analyses of the subprocesses within it are found too. Else words in
        the name.
    text : str
        Words anywhere: in the analysis, its causes, proposals, actions.

    Returns
    -------
    CausalSearch
        Every condition given holds. Words count in any order, in capitals or not, also inside other words.

    Examples
    --------
    >>> a = CausalAnalysis("C1", outcome="Mail is down", lesson="Rehearse migrations")
    >>> why = Cause("No way back", analysis="C1", category="method", state="confirmed")
    >>> found = search_analyses(Archive.of([a, why]), cause="way back")
    >>> found.analysis.tolist(), found.causes.tolist()
    (['C1'], ['No way back'])
    """
    asked = {"outcome": outcome, "cause": cause, "subprocess": subprocess, "text": text}
    asked = {k: v for k, v in asked.items() if v.strip()}
    rows = []
    for case in archive.of_kind("causal_analysis"):
        where = _matches(archive, case, asked)
        if where is not None:
            rows.append(_row(archive, case, where))
    rows.sort(
        key=lambda r: (r["opened_on"] is None, -(r["opened_on"] or dt.date.min).toordinal(), r["analysis"])
    )
    bare = [r["analysis"] for r in rows if not r["lesson"]]
    doubts = []
    if bare:
        said = f"No lesson is on record for {'; '.join(bare)}."
        doubts.append(Caveat("no-lesson", said, {"analyses": len(bare)}))
    return CausalSearch(
        verdict=_verdict(rows, asked),
        caveats=tuple(doubts),
        method=Method("search_analyses", {"asked": asked, "words": "all of them, in any order"}),
        provenance=Provenance("", data_hash=fingerprint(archive), n=len(rows)),
        asked=asked,
        **{n: np.array([r[n] for r in rows], dtype=object) for n in _COLUMNS},
        **{n: np.array([r[n] for r in rows], dtype="datetime64[D]") for n in ("opened_on", "closed_on")},
    )


def causes_of(archive: Archive, analysis: str) -> tuple[Cause, ...]:
    """The causes of an analysis on record."""
    return tuple(c for c in archive.of_kind("cause") if c.analysis == analysis)


def effects_of(archive: Archive, analysis: str) -> tuple[tuple[str, int, Any], ...]:
    """(name, version, result) of the newest saved evaluations that belong to an analysis."""
    out = []
    for entry in archive.saved_of(*EFFECTS):
        result = archive.result(entry.name, version=entry.version)
        if result.analysis == analysis:
            out.append((entry.name, entry.version, result))
    return tuple(out)


def _matches(archive: Archive, case: CausalAnalysis, asked: dict[str, str]) -> str | None:
    """Where the search found what it looked for; None where it did not."""
    found = []
    for what, words in asked.items():
        if what == "outcome":
            texts = {"outcome": [case.outcome, case.measure or "", case.objective or ""]}
        elif what == "cause":
            texts = {
                f"cause {c.name}": [c.name, c.what, c.category, c.phase, c.evidence]
                for c in causes_of(archive, case.name)
            }
        elif what == "subprocess":
            own = [p.name for p in lineage(archive, case.subprocess)] or [case.subprocess or ""]
            exact = words.strip().casefold()
            if any(p.name.casefold() == exact for p in archive.of_kind("process")):
                if exact not in [n.casefold() for n in own]:
                    return None
                found.append("subprocess")
                continue
            texts = {"subprocess": own}
        else:
            texts = _all_texts(archive, case)
            # one word may stand in the analysis, another one in its causes
            texts = {"record": [t for group in texts.values() for t in group]}
        place = next((name for name, group in texts.items() if _holds(group, words)), None)
        if place is None:
            return None
        found.append(place)
    return "; ".join(found)


def _all_texts(archive: Archive, case: CausalAnalysis) -> dict[str, list[str]]:
    proposals = [p for p in archive.of_kind("proposal") if p.analysis == case.name]
    names = {p.name for p in proposals}
    actions = [a for a in archive.of_kind("action") if a.analysis == case.name or a.proposal in names]
    return {
        "analysis": [
            case.name, case.outcome, case.measure or "", case.subprocess or "", case.objective or "",
            case.selected_because, case.lesson, *case.participants,
        ],
        "causes": [
            t
            for c in causes_of(archive, case.name)
            for t in (c.name, c.what, c.category, c.phase, c.evidence)
        ],
        "proposals": [t for p in proposals for t in (p.name, p.what, p.cause, p.outcome, p.originator)],
        "actions": [t for a in actions for t in (a.name, a.what, a.owner)],
    }  # fmt: skip


def _holds(texts: Iterable[str], words: str) -> bool:
    whole = " ".join(texts).casefold()
    return all(word in whole for word in words.casefold().split())


def _row(archive: Archive, case: CausalAnalysis, matched: str) -> dict[str, Any]:
    causes = causes_of(archive, case.name)
    sure = [c.name for c in causes if c.state == "confirmed"]
    unsure = [f"{c.name}?" for c in causes if c.state == "suspected"]
    effects = effects_of(archive, case.name)
    last = effects[-1][2] if effects else None
    return {
        "analysis": case.name,
        "outcome": case.outcome,
        "measure": case.measure or "",
        "subprocess": case.subprocess or "",
        "objective": case.objective or "",
        "state": case.state,
        "causes": "; ".join(sure or unsure),
        "proposals": "; ".join(p.name for p in archive.of_kind("proposal") if p.analysis == case.name),
        "effect": "" if last is None else last.outcome,
        "effect_verdict": " ".join(e[2].verdict for e in effects),
        "lesson": case.lesson,
        "matched": matched,
        "opened_on": case.opened_on,
        "closed_on": case.closed_on,
    }


def _verdict(rows: list[dict[str, Any]], asked: dict[str, str]) -> str:
    about = ", ".join(f"{k} '{v}'" for k, v in asked.items())
    n = len(rows)
    text = f"{n} causal {'analysis' if n == 1 else 'analyses'}" + (
        f" with {about}" if about else " on record"
    )
    if not n:
        return f"No causal analysis {'with ' + about if about else 'is on record'}."
    worked = sum(1 for r in rows if r["effect"] == "worked")
    judged = sum(1 for r in rows if r["effect"])
    return f"{text}; what was done is evaluated for {judged}, and worked for {worked}."
