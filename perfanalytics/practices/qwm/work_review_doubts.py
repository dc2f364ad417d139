"""What is missing, late or contradictory in a review, as caveats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.result import Caveat
from perfanalytics.practices.qwm.work_review_conflicts import ObjectiveConflicts
from perfanalytics.practices.qwm.work_review_later_sections import actions_of, overdue_days, state_on
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
from perfanalytics.practices.qwm.work_review_result import WorkReview
from perfanalytics.practices.qwm.work_review_rows import Material
from perfanalytics.practices.qwm.work_review_sections import (
    business_objective,
    declared_objectives,
    is_interim,
)
from perfanalytics.practices.qwm.work_review_words import by_state

#: Own data older than so many days at the day of the review are stale.
STALE = 35


def doubts_of(material: Material, review: WorkReview) -> tuple[Caveat, ...]:
    """Every doubt, in the order of the sections."""
    return (
        *_objectives(material),
        *_threshold(material),
        *_data(material),
        *_stability(material, review),
        *_predictions(material, review),
        *_conflicts(material),
        *_actions(material),
        *_meeting(material),
    )


def _listed(code: str, names: Sequence[str], text: str) -> Iterator[Caveat]:
    if names:
        yield Caveat(code, f"{text}: {', '.join(names)}.", {"n": len(names)})


def _objectives(material: Material) -> Iterator[Caveat]:
    work, archive = material.work, material.archive
    if not work.objectives:
        yield Caveat("no-objectives", f"The work {work.name!r} declares no objective.", {})
    found = declared_objectives(material)
    yield from _listed(
        "objective-not-on-record", [n for n in work.objectives if n not in found], "Named, but not on record"
    )
    nowhere = [n for n, o in found.items() if business_objective(archive, o) is None]
    yield from _listed(
        "no-business-objective", nowhere, "No business objective on record stands behind these objectives"
    )
    bare = [n for n, o in found.items() if is_interim(archive, o) and n not in work.derived]
    yield from _listed(
        "interim-not-derived", bare, "It is not on record what these interim objectives were derived from"
    )
    for missing in material.not_done:
        if missing.role == "derived":
            text = f"What {missing.subject} was derived from: {missing.reason}"
            yield Caveat("derivation-not-saved", text, {"objective": missing.subject})


def _threshold(material: Material) -> Iterator[Caveat]:
    work = material.work
    firsts = [
        k.result.first.astype("datetime64[D]").item()
        for k in material.of("own_baseline")
        if isinstance(k.result, Baseline) and k.result.first is not None
    ]
    first = min(firsts, default=work.since)
    if work.least_probability is None:
        text = "No least probability is declared: nobody has said from when on the work must act."
        yield Caveat("no-threshold", text, {})
    elif work.declared_on is None:
        text = (
            f"When the least probability of {percent(work.least_probability)} was declared is not on record."
        )
        yield Caveat("threshold-undated", text, {})
    elif first is not None and work.declared_on > first:
        text = (
            f"The least probability of {percent(work.least_probability)} was declared on {work.declared_on}, "
            f"after data from {first} on were there."
        )
        yield Caveat(
            "threshold-after-data", text, {"declared_on": str(work.declared_on), "first": str(first)}
        )
    late, undated, later = [], [], []
    for name, objective in declared_objectives(material).items():
        dated = f"{name} (on {objective.declared_on})"
        if objective.declared_on is None:
            undated.append(name)
        elif objective.declared_on > material.on:
            later.append(dated)
        if objective.declared_on is not None and first is not None and objective.declared_on > first:
            late.append(dated)
    yield from _listed("declared-after-data", late, f"Declared after the first own data ({first})")
    yield from _listed("not-yet-declared", later, "On the day of the review not declared yet")
    yield from _listed("objective-undated", undated, "When these objectives were declared is not on record")


def _data(material: Material) -> Iterator[Caveat]:
    work = material.work
    if not work.where:
        text = "Which observations are the work's own is not said (where): all are taken."
        yield Caveat("not-own-data", text, {})
    stale, wrong = [], []
    for kept in material.of("own_baseline"):
        last = kept.result.last if isinstance(kept.result, Baseline) else None
        if last is not None and kept.note:
            age = (material.on - last.astype("datetime64[D]").item()).days
            if age > STALE:
                stale.append(f"{kept.result.measure.name} ({count(age, 'day')})")  # type: ignore[attr-defined]
    yield from _listed("stale", stale, f"The newest own observation is more than {STALE} days old")
    for kept in material.of("data_quality"):
        row = kept.result.summary().iloc[0]
        if row["wrong"] or row["look"]:
            wrong.append(f"{kept.subject} ({row['wrong']} wrong, {row['look']} to look at)")
    yield from _listed("data-quality", wrong, "Integrity checks found something in the data of")
    yield from _not_done(material, "known", "known-not-declared", "Outcomes of")
    yield from _not_done(material, "own_baseline", "no-own-data", "Own data of")


def _not_done(material: Material, role: str, code: str, what: str) -> Iterator[Caveat]:
    for missing in material.not_done:
        if missing.role == role:
            text = f"{what} {missing.subject}: {missing.reason}"
            yield Caveat(code, text, {"subject": missing.subject})


def _stability(material: Material, review: WorkReview) -> Iterator[Caveat]:
    work = material.work
    if not work.subprocesses:
        text = "No subprocess was selected to be managed statistically."
        yield Caveat("no-subprocesses", text, {})
    yield from _not_done(material, "subprocess", "subprocess-without-measure", "Subprocess")
    yield from _not_done(material, "chart", "not-charted", "Chart of")
    at = (review.table == "Stability") & (review.quantity == "stable now") & (review.text == "no")
    yield from _listed(
        "not-stable",
        review.subject[at].tolist(),
        "Not stable, so that capability and predictions promise little",
    )
    yield from _not_done(material, "borrowed", "baseline-not-used", "Borrowed baseline")
    off = (review.table == "Borrowed baselines") & (review.quantity == "still fits") & (review.text == "no")
    yield from _listed(
        "baseline-does-not-fit", review.subject[off].tolist(), "Own data do not fit the borrowed baseline"
    )
    yield from _not_done(material, "capability", "no-capability", "Capability of")


def _predictions(material: Material, review: WorkReview) -> Iterator[Caveat]:
    states = by_state(review)
    least = material.work.least_probability
    if least is not None:
        yield from _listed(
            "below-threshold", states.get("at risk", []), f"Less probable than the {percent(least)} declared"
        )
    yield from _listed("objective-missed", states.get("missed", []), "Missed")
    yield from _not_done(material, "prediction", "not-predicted", "Prediction of")
    yield from _not_done(material, "calibration", "model-not-used", "Model")
    yield from _not_done(material, "alternatives", "alternatives-not-used", "Comparison of processes")
    open_end = [
        k.subject
        for k in material.of("prediction")
        if isinstance(k.result, ObjectivePrediction) and k.result.until is None
    ]
    yield from _listed("no-end", open_end, "Without a day by which they shall be met")


def _conflicts(material: Material) -> Iterator[Caveat]:
    for kept in material.of("conflicts"):
        assert isinstance(kept.result, ObjectiveConflicts)
        yield from kept.result.caveats
    for kept in material.of("risks"):
        yield from kept.result.caveats
    yield from _not_done(material, "trade_off", "trade-off-not-judged", "Trade-off of")


def _actions(material: Material) -> Iterator[Caveat]:
    still = [a for a in actions_of(material) if state_on(a, material.on) == "open"]
    yield from _listed(
        "action-without-owner", [a.name for a in still if not a.owner], "Nobody owns these actions"
    )
    yield from _listed("action-without-date", [a.name for a in still if a.due is None], "Without a due date")
    late = [
        f"{a.name} ({count(days, 'day')}{', ' + a.owner if a.owner else ''})"
        for a in still
        if (days := overdue_days(a, material.on))
    ]
    yield from _listed("action-overdue", late, "Overdue")


def _meeting(material: Material) -> Iterator[Caveat]:
    if not material.held_by:
        yield Caveat("no-participants", "Who held the review is not said (held by).", {})
    yield from _not_done(material, "previous", "review-out-of-order", "Review")
