"""Which subprocesses to manage statistically: ``[[subprocess_selection]]``."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, model_validator

from perfanalytics.plan.analyses.context import Context, item
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.mistakes import unknown
from perfanalytics.plan.tables import Analysis, Name, Table
from perfanalytics.practices.opp.selection_criteria import CRITERIA, Candidate, measures_of
from perfanalytics.practices.opp.subprocess_selection import candidates_of, select_subprocesses
from perfanalytics.reports.report import ReportItem


class CandidateTable(Table):
    """One candidate: a subprocess, the measure to watch it by, and its name in models of the outcome."""

    name: Name
    measure: str | None = None
    factor: str | None = None


class SubprocessSelectionTable(Analysis):
    """``[[subprocess_selection]]``: candidates against criteria; ``[[decision]]`` tables decide."""

    outcome: Name
    candidates: list[CandidateTable] = []
    weights: dict[str, float] = {}
    points: int = Field(50, ge=1)
    per_month: float = Field(4.0, gt=0)

    @model_validator(mode="after")
    def _once(self) -> SubprocessSelectionTable:
        names = [c.name for c in self.candidates]
        if len(set(names)) < len(names):
            raise ValueError("each candidate is named once")
        if self.weights and (min(self.weights.values()) < 0 or not any(self.weights.values())):
            raise ValueError("weights are at least 0, and one of them is more")
        return self

    def looks_into(self) -> tuple[str, ...]:
        """The outcome, and the measures its candidates are watched by."""
        return tuple(dict.fromkeys([self.outcome, *(c.measure for c in self.candidates if c.measure)]))


def _select(table: SubprocessSelectionTable, context: Context) -> list[ReportItem]:
    """From what is on record up to now, the analyses of this run before it included."""
    repo = context.repo
    archive = repo.archive()
    named = [Candidate(c.name, measure=c.measure, factor=c.factor) for c in table.candidates]
    candidates = candidates_of(archive, named)
    of = dict.fromkeys(name for c in candidates for name in measures_of(archive, c))
    measures = [name for name in of if name in archive.newest]
    result = select_subprocesses(
        archive,
        outcome=table.outcome,
        candidates=candidates,
        weights=table.weights or None,
        series={name: repo.series(name) for name in measures},
        quality={name: repo.data_quality(name) for name in measures},
        points=table.points,
        per_month=table.per_month,
    )
    return [item(table, result, context)]


def _references(table: SubprocessSelectionTable) -> Iterator[Reference]:
    yield Reference("outcome", table.outcome, "measure")
    for candidate in table.candidates:
        yield Reference("candidates", candidate.measure, "measure")


def _check(where: str, table: SubprocessSelectionTable, declared: Declared) -> Iterator[str]:
    for name in table.weights:
        yield from unknown(where, "weights: criterion", name, CRITERIA)


SUBPROCESS_SELECTION = Kind(
    table=SubprocessSelectionTable,
    chapter="Subprocess selection",
    many="subprocess selections",
    analyze=_select,
    check=_check,
    references=_references,
)
