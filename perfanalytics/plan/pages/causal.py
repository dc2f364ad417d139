"""A causal analysis from what is in the repository: evaluate, save, put together, keep, write the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError, PerfAnalyticsError, PlanError
from perfanalytics.core.practice_records import Review
from perfanalytics.core.result import Result
from perfanalytics.core.series import Series
from perfanalytics.plan import objects
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.pages.causal_page import write_page
from perfanalytics.plan.pages.review_data import save_new
from perfanalytics.plan.reading import read_plan
from perfanalytics.practices.car.action_plan import action_plan
from perfanalytics.practices.car.causal_first_sections import happenings
from perfanalytics.practices.car.causal_material import Case
from perfanalytics.practices.car.causal_page import causal_review
from perfanalytics.practices.car.causal_review import CausalReview
from perfanalytics.practices.car.causal_search import CausalSearch, causes_of, search_analyses
from perfanalytics.practices.car.cause_effect import cause_effect
from perfanalytics.practices.car.what_changed import what_changed
from perfanalytics.practices.car.why_tree import why_tree
from perfanalytics.repository.repository import Repository
from perfanalytics.spc.result import ControlChart

#: Fewer points than this are not searched for shifts.
FEWEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalRun:
    """What a causal review gave.

    Parameters
    ----------
    review : CausalReview
    name, version
        Under which it is kept.
    saved : dict of name to version
        What was made for it and saved.
    not_done : dict of name to reason
        What could not be made.
    report : Path or None
        The page written.
    repository : Path
    """

    review: CausalReview
    name: str
    version: int
    saved: dict[str, int] = field(default_factory=dict)
    not_done: dict[str, str] = field(default_factory=dict)
    report: Path | None
    repository: Path


def review_causal_analysis(
    analysis: str,
    *,
    plan: str | Path = "plan.toml",
    repository: str | Path | None = None,
    report_to: str | Path | None = None,
    on: dt.date | None = None,
    held_by: Sequence[str] = (),
) -> CausalRun:
    """Put together what is on record about a causal analysis, keep it, and write the page for the meeting.

    The diagrams of its causes, its action plan and the search for shifts on its first chart are made from
    what is on record and saved under ``ANALYSIS: ...``; charts, comparisons and evaluations (``[[effect]]``,
    ``[[recurrence]]``) are taken as the plan saved them. The review is kept as ``causal: ANALYSIS``, in
    versions, and as a ``Review`` record.

    Parameters
    ----------
    analysis : str
        Name of a ``[[causal_analysis]]`` of the plan.
    plan : path
    repository : path, optional
        Instead of the one named in the plan. It must have been loaded (``perfanalytics run``).
    report_to : path, optional
        The page to write; none when left out.
    on : date, optional
        The day from which delays are counted; default the last day of the data.
    held_by : sequence of str
        Who takes part; default the participants on record.

    Returns
    -------
    CausalRun

    Raises
    ------
    PlanError
        For a mistake in the plan.
    InputError
        When there is no repository.
    UnknownNameError
        For an analysis that is not declared.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> run = perf.review_causal_analysis("CAR-2024-02", plan="sample_data/plan.toml")   # doctest: +SKIP
    """
    path = Path(plan)
    read = read_plan(path)
    mistakes = list(check_plan(read))
    if mistakes:
        raise PlanError("\n".join(f"{path.name}: {m}" for m in mistakes))
    database = Path(repository) if repository is not None else path.parent / read.plan.repository
    if not database.exists():
        raise InputError(
            f"there is no repository at {database}; 'perfanalytics run {path}' makes and loads it"
        )
    by = ", ".join(held_by) or read.plan.by
    saved: dict[str, int] = {}
    not_done: dict[str, str] = {}
    with Repository.open(database) as repo:
        repo.declare(*objects.records(read))
        archive = repo.archive(on=on)
        case = archive.get("causal_analysis", analysis)
        made: dict[str, Callable[[], Result]] = {}
        if causes_of(archive, analysis):
            made["cause-and-effect diagram"] = lambda: cause_effect(archive, analysis=analysis)
            made["why-tree"] = lambda: why_tree(archive, analysis=analysis)
        chart = _chart(repo, causal_review(archive, analysis))
        if chart is not None:
            beside = happenings(Case.of(archive, analysis))
            made["shifts beside what is on record"] = lambda: what_changed(_charted(chart), recorded=beside)
        for what, make in made.items():
            name = f"{analysis}: {what}"
            try:
                saved[name] = save_new(repo, make(), name=name, by=by)
            except PerfAnalyticsError as error:
                not_done[name] = str(error)
        name = f"{analysis}: action plan"
        saved[name] = save_new(repo, action_plan(archive, analysis), name=name, by=by)
        review = causal_review(repo.archive(on=on), analysis)
        kept = f"causal: {analysis}"
        version = save_new(repo, review, name=kept, by=by, note=f"on {review.on}")
        took_part = tuple(held_by) or case.participants
        repo.declare(
            Review(
                f"{analysis} {review.on}",
                subject=analysis,
                held_on=review.on,
                participants=took_part,
                results=(
                    f"{kept}, version {version}",
                    *(f"{s.name}, version {s.version}" for s in review.sources),
                ),
                notes=review.verdict,
            )
        )
        found = repo.result(kept, version=version)
        assert isinstance(found, CausalReview)
        written = None
        if report_to is not None:
            results = {(s.name, s.version): repo.result(s.name, version=s.version) for s in found.sources}
            written = write_page(
                found,
                results,
                Path(report_to),
                version=version,
                plan=path.name,
                held_by=took_part,
                not_done=not_done,
            )
    return CausalRun(
        review=found,
        name=kept,
        version=version,
        saved=saved,
        not_done=not_done,
        report=written,
        repository=database,
    )


def _chart(repo: Repository, review: CausalReview) -> ControlChart | None:
    """The chart to be searched for shifts: the first of the signal that is long enough.

    None where there is no such chart, or a search is saved already.
    """
    own = f"{review.analysis.name}: "
    if any(s.result_kind == "what_changed" and not s.name.startswith(own) for s in review.sources):
        return None
    for s in review.sources:
        if s.section == 2:
            found = repo.result(s.name, version=s.version)
            if isinstance(found, ControlChart) and found.when is not None and found.n_used >= FEWEST:
                return found
    return None


def _charted(chart: ControlChart) -> Series:
    """The values of a chart as a series, with what is on record beside them."""
    return Series(
        chart.value[0],
        measure=chart.measure,
        when=chart.when,
        events=chart.events,
        expected_every=chart.every,
        selection=chart.provenance.selection,
        load_ids=chart.provenance.load_ids,
        clock=chart.provenance.clock,
    )


def archive_of(path: str | Path, *, repository: str | Path | None = None) -> Archive:
    """The records of a plan with what its repository has saved, or those of a repository.

    Raises
    ------
    PlanError, RepositoryError
    """
    path = Path(path)
    if path.suffix == ".toml":
        read = read_plan(path)
        database = Path(repository) if repository is not None else path.parent / read.plan.repository
        declared = [*objects.measures(read).values(), *objects.records(read)]
        if not database.is_file():
            return Archive.of(declared)
        kept = _kept(database)
        # what the plan says now, beside what is saved: it need not have been run since
        by_kind = {
            kind: {r.name: r for r in found if hasattr(r, "name")} for kind, found in kept.records.items()
        }
        for record in declared:
            if hasattr(record, "name"):
                by_kind.setdefault(record.kind, {})[record.name] = record
        return Archive(
            records={kind: tuple(found.values()) for kind, found in by_kind.items()},
            saved=kept.saved,
            on=kept.on,
            newest=kept.newest,
            read=kept.read,
        )
    return _kept(path)


def _kept(database: Path) -> Archive:
    """An archive that can be read when the repository is closed: the evaluations are read beforehand."""
    from perfanalytics.practices.car.causal_search import EFFECTS

    with Repository.open(database, read_only=True) as repo:
        archive = repo.archive()
        held = {
            (e.name, e.version): archive.result(e.name, version=e.version) for e in archive.saved_of(*EFFECTS)
        }
    return Archive(
        records=archive.records,
        saved=archive.saved,
        on=archive.on,
        newest=archive.newest,
        read=lambda name, version: held[(name, version or 0)],
    )


def find_analyses(
    path: str | Path,
    *,
    repository: str | Path | None = None,
    outcome: str = "",
    cause: str = "",
    subprocess: str = "",
    text: str = "",
) -> CausalSearch:
    """Causal analyses of a plan or a repository, as :func:`perfanalytics.search_analyses` finds them.

    Raises
    ------
    PlanError, RepositoryError
    """
    archive = archive_of(path, repository=repository)
    return search_analyses(archive, outcome=outcome, cause=cause, subprocess=subprocess, text=text)
