"""The review of a piece of work: compute on its own data, save, put together, keep, write the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError, PlanError
from perfanalytics.core.practice_records import Review as ReviewRecord
from perfanalytics.core.practice_records import Work
from perfanalytics.plan import objects
from perfanalytics.plan.checking import check_plan
from perfanalytics.plan.pages.review_data import Keeping, OwnData, save_new
from perfanalytics.plan.pages.review_page import write_page
from perfanalytics.plan.pages.review_predictions import calibrations, predictions, trade_offs
from perfanalytics.plan.pages.review_results import (
    Review,
    borrowed_baselines,
    capabilities,
    own_baselines,
    own_charts,
)
from perfanalytics.plan.reading import read_plan
from perfanalytics.practices.qwm.work_review import work_review
from perfanalytics.practices.qwm.work_review_checks import check_predictions
from perfanalytics.practices.qwm.work_review_conflicts import objective_conflicts
from perfanalytics.practices.qwm.work_review_later_sections import open_risks, previous_predictions
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
from perfanalytics.practices.qwm.work_review_result import WorkReview
from perfanalytics.practices.qwm.work_review_risks import risk_register
from perfanalytics.practices.qwm.work_review_rows import Kept, Material
from perfanalytics.practices.qwm.work_review_tradeoff import TradeOff
from perfanalytics.repository.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkReviewRun:
    """What a review gave.

    Parameters
    ----------
    review : WorkReview
    name, version
        Under which it is kept.
    saved : dict of name to version
        The results it rests on, in the order in which they were made.
    report : Path or None
        The page written.
    repository : Path
    """

    review: WorkReview
    name: str
    version: int
    saved: dict[str, int] = field(default_factory=dict)
    report: Path | None
    repository: Path


def review_work(
    work: str,
    *,
    plan: str | Path = "plan.toml",
    repository: str | Path | None = None,
    report_to: str | Path | None = None,
    on: dt.date | None = None,
    held_by: Sequence[str] = (),
    prior_n: float | None = None,
    confidence: float = 0.95,
) -> WorkReviewRun:
    """Review a piece of work against its objectives, from what is in the repository.

    Everything is computed on the work's own data as they were known at the end of the day, saved under
    ``WORK: ...``, and read back; then the review itself is kept as ``review: WORK`` (in versions) and as a
    ``Review`` record, so that the next one shows what changed and whether predictions came true.

    Parameters
    ----------
    work : str
        Name of a ``[[work]]`` of the plan.
    plan : path
    repository : path, optional
        Instead of the one named in the plan. It must have been loaded (``perfanalytics run``).
    report_to : path, optional
        The page to write; none when left out.
    on : date, optional
        The day of the review; default the last day of the data. Later observations, actions, risks and
        events are left out, and so are baselines and models that rest on later data.
    held_by : sequence of str
        Who took part.
    prior_n : float, optional
        How many own items the organization's level is worth when models are calibrated
        (:func:`perfanalytics.calibrate`); default from how much the groups of the work's attribute differ,
        20 where that cannot be told.
    confidence : float
        Of all intervals.

    Returns
    -------
    WorkReviewRun

    Raises
    ------
    PlanError
        For a mistake in the plan.
    InputError
        When there is no repository.
    UnknownNameError
        For a work that is not declared.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> run = perf.review_work("Mail service 2024", plan="sample_data/plan.toml")   # doctest: +SKIP
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
    with Repository.open(database) as repo:
        repo.declare_plan(read.plan.name, objects.records(read))
        archive = repo.archive(on=on)
        what = archive.get("work", work)
        assert isinstance(what, Work)
        keeping = Keeping(repo=repo, work=work, by=by, note=f"review of {archive.on}")
        known = {o.name: o for o in archive.of_kind("objective")}
        making = Review(
            plan=read,
            archive=archive,
            own=OwnData(repo=repo, work=what, on=archive.on),
            keeping=keeping,
            objectives={n: known[n] for n in what.objectives if n in known},
            prior_n=prior_n,
            confidence=confidence,
        )
        name = f"review: {work}"
        previous = _previous(keeping, archive, name)
        _derived(keeping, what)
        _compute(making, previous)
        material = Material(
            work=what,
            archive=archive,
            kept=tuple(keeping.kept),
            not_done=tuple(keeping.not_done),
            previous=previous,
            held_by=tuple(held_by),
        )
        made = work_review(material)
        version = save_new(repo, made, name=name, by=by, note=f"held on {archive.on}")
        repo.declare(
            ReviewRecord(
                f"{work} {archive.on}",
                subject=work,
                held_on=archive.on,
                participants=tuple(held_by),
                results=(
                    f"{name}, version {version}",
                    *dict.fromkeys(f"{k.name}, version {k.version}" for k in material.kept),
                ),
                notes=made.verdict,
            )
        )
        review = repo.result(name, version=version)
    written = None
    if report_to is not None:
        written = write_page(review, material, Path(report_to), version=version, plan=path.name)
    return WorkReviewRun(
        review=review,
        name=name,
        version=version,
        saved={k.name: k.version for k in material.kept},
        report=written,
        repository=database,
    )


def _previous(keeping: Keeping, archive: Archive, name: str) -> Kept | None:
    """The newest version of the review that was held on an earlier day."""
    found = None
    for entry in archive.versions(name):
        result = archive.result(name, version=entry.version)
        assert isinstance(result, WorkReview)
        if result.on < archive.on:
            if found is None or result.on >= found.result.on:  # type: ignore[attr-defined]
                found = Kept(role="previous", subject=name, name=name, version=entry.version, result=result)
        elif result.on > archive.on:
            reason = f"one of a later day ({result.on}) is on record already."
            keeping.missing("previous", f"version {entry.version}", reason)
    return found


def _derived(keeping: Keeping, work: Work) -> None:
    """What interim objectives were derived from."""
    for objective, name in work.derived.items():
        keeping.use("derived", objective, name)


def _compute(making: Review, previous: Kept | None) -> None:
    keeping, work, on = making.keeping, making.own.work, making.own.on
    own = own_baselines(making)
    own_charts(making)
    borrowed_baselines(making)
    capabilities(making, own)
    calibrated = calibrations(making)
    predicted = {
        n: k.result for n, k in predictions(making, own, calibrated).items()
        if isinstance(k.result, ObjectivePrediction)
    }  # fmt: skip
    earlier = {}
    for subject, name, version in previous_predictions(previous):
        result = keeping.repo.result(name, version=version)
        if isinstance(result, ObjectivePrediction):
            earlier[subject] = result
    if earlier:
        keeping.save(
            "checks",
            work.name,
            "predictions checked",
            lambda: check_predictions(work.name, earlier, predicted),
        )
    pulled = [k.result for k in trade_offs(making) if isinstance(k.result, TradeOff)]
    material = Material(work=work, archive=making.archive)
    keeping.save(
        "risks",
        work.name,
        "risks",
        lambda: risk_register(work.name, open_risks(material), predicted, on=on),
    )
    keeping.save(
        "conflicts",
        work.name,
        "conflicts",
        lambda: objective_conflicts(
            work.name,
            tuple(making.objectives.values()),
            predictions=predicted,
            trade_offs=pulled,
            least_probability=work.least_probability,
            on=on,
        ),
    )
    _alternatives(making)


def _alternatives(making: Review) -> None:
    """Comparisons of processes on record that are about an objective of the work."""
    used = {k.name for k in making.keeping.kept}
    for entry in making.archive.saved_of("process_comparison"):
        found = making.archive.result(entry.name)
        objective = getattr(found, "objective", None)
        if entry.name not in used and objective is not None and objective.name in making.objectives:
            making.keeping.use("alternatives", entry.name, entry.name)
