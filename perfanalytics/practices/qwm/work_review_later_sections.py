"""Sections 5 to 7 of a review: what changed, risks and conflicts, actions."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator

import numpy as np

from perfanalytics.core.practice_records import Action, Risk
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.practices.qwm.work_review_checks import PredictionCheck
from perfanalytics.practices.qwm.work_review_conflicts import ObjectiveConflicts
from perfanalytics.practices.qwm.work_review_result import WorkReview
from perfanalytics.practices.qwm.work_review_risks import RiskRegister
from perfanalytics.practices.qwm.work_review_rows import Kept, Material, Rows

#: (table, quantity) of the rows that are compared with the review before, and what the change is called.
COMPARED = (
    ("Objectives", "target", "target"),
    ("Objectives", "share", "share asked for"),
    ("Predictions", "state", "state"),
    ("Predictions", "probability", "probability"),
    ("Predictions", "so far", "so far"),
    ("Stability", "stable now", "stable"),
    ("Borrowed baselines", "still fits", "still fits"),
    ("Capability", "standing", "standing"),
)


def changes_section(material: Material, rows: Rows, current: WorkReview) -> None:
    """Each compared value then and now, and what became of the predictions.

    ``current`` holds sections 1 to 4 of this review.
    """
    before = material.previous
    last = material.last()
    if before is None or last is None:
        return
    for wanted in ("Changes", "Unchanged"):
        for table, quantity, called in COMPARED:
            for subject in _subjects(table, quantity, last, current):
                places = (
                    _place(last, table, subject, quantity),
                    _place(current, table, subject, quantity),
                )
                changed = _changed(last, places[0], current, places[1], quantity)
                if (changed == "no") == (wanted == "Unchanged"):
                    _compared(material, rows, current, wanted, f"{subject}: {called}", places, changed)
    for kept in material.of("checks"):
        found = kept.result
        assert isinstance(found, PredictionCheck)
        for k, name in enumerate(found.objective.tolist()):
            columns = {"probability then": "probability", "n since": "n_since", "predicted low": "low"}
            columns |= {"predicted high": "high", "seen since": "observed_since", "came true": "came_true"}
            columns |= {"outcome": "outcome", "which says": "said"}
            fields = {q: f"table: {k}: {c}" for q, c in columns.items()}
            rows.fill(5, "Predictions of the last review", str(name), kept, fields)


def _compared(
    material: Material,
    rows: Rows,
    current: WorkReview,
    table: str,
    name: str,
    places: tuple[int | None, int | None],
    changed: str,
) -> None:
    """One value then and now, each with what it rests on."""
    before, last = material.previous, material.last()
    assert before is not None
    assert last is not None
    then, now = places
    if all(k is None or _cell(r, k) == "" for r, k in ((last, then), (current, now))):
        return
    if then is not None:
        rows.add(5, table, name, "then", before, value=_cell(last, then))
    if now is not None:
        source = _source(material, current, now)
        rows.add(5, table, name, "now", source, str(current.field[now]), value=_cell(current, now))
    if changed != "no":
        rows.add(5, table, name, "changed", before, value=changed)


def _subjects(table: str, quantity: str, *reviews: WorkReview) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for r in reversed(reviews):
        at = (r.table == table) & (r.quantity == quantity)
        found |= dict.fromkeys(r.subject[at].tolist())
    return tuple(found)


def _place(review: WorkReview, table: str, subject: str, quantity: str) -> int | None:
    at = (review.table == table) & (review.subject == subject) & (review.quantity == quantity)
    found = np.flatnonzero(at)
    return int(found[0]) if len(found) else None


def _cell(review: WorkReview, k: int) -> float | str:
    return str(review.text[k]) if math.isnan(review.number[k]) else float(review.number[k])


def _source(material: Material, review: WorkReview, k: int) -> object:
    """What a row of this review rests on."""
    name, version = str(review.source[k]), int(review.version[k])
    if version:
        return next(s for s in material.kept if (s.name, s.version) == (name, version))
    if review.source_kind[k] == "work":
        return material.work
    return material.archive.get(str(review.source_kind[k]), name)


def _changed(last: WorkReview, then: int | None, current: WorkReview, now: int | None, quantity: str) -> str:
    if then is None or now is None:
        return "new" if then is None else "no longer there"
    a, b = _cell(last, then), _cell(current, now)
    if isinstance(a, float) and isinstance(b, float) and quantity in ("probability", "so far"):
        if math.isclose(a, b, rel_tol=1e-9):
            return "no"
        return "up" if b > a else "down"
    return "no" if a == b else "yes"


def open_risks(material: Material) -> tuple[Risk, ...]:
    """The risks of the work that were raised by the day of the review, closed ones included."""
    own = material.work
    return tuple(
        r
        for r in material.archive.of_kind("risk")
        if (r.work == own.name or (r.work is None and r.objective in own.objectives))
        and (r.raised_on is None or r.raised_on <= material.on)
    )


def risks_section(material: Material, rows: Rows) -> None:
    """The risk register, conflicts, and alternatives for composing the process."""
    for kept in material.of("risks"):
        found = kept.result
        assert isinstance(found, RiskRegister)
        for k, name in enumerate(found.risk.tolist()):
            columns = ("objective", "probability", "probability_from", "cost", "expected_cost", "consequence")
            fields = {
                c.replace("_", " "): f"table: {k}: {c}" for c in (*columns, "response", "owner", "state")
            }
            rows.fill(6, "Risks", str(name), kept, fields)
    for kept in material.of("conflicts"):
        pulls = kept.result
        assert isinstance(pulls, ObjectiveConflicts)
        for k, what in enumerate(pulls.what.tolist()):
            subject = f"{what}: {pulls.objectives[k]}"
            fields = {c: f"table: {k}: {c}" for c in ("conflict", "number", "low", "high", "finding")}
            rows.fill(6, "Conflicts", subject, kept, fields)
    for kept in material.of("alternatives"):
        made = kept.result
        assert isinstance(made, ProcessComparison)
        for k, name in enumerate(made.names.tolist()):
            wanted = ("probability", "gain", "gain_low", "gain_high", "mean", "difference", "difference_low")
            fields = {c.replace("_", " "): f"table: {k}: {c}" for c in (*wanted, "difference_high")}
            rows.fill(6, "Alternatives", f"{kept.subject}: {name}", kept, fields)


def actions_of(material: Material) -> tuple[Action, ...]:
    """Actions of the work, and of the causal analyses of its objectives, opened by the day of the review."""
    archive, own = material.archive, material.work
    analyses = {a.name for a in archive.of_kind("causal_analysis") if a.objective in own.objectives}
    proposals = {
        p.name for p in archive.of_kind("proposal") if p.objective in own.objectives or p.analysis in analyses
    }
    return tuple(
        a
        for a in archive.of_kind("action")
        if (a.work == own.name or (a.work is None and (a.analysis in analyses or a.proposal in proposals)))
        and (a.opened_on is None or a.opened_on <= material.on)
    )


def state_on(action: Action, on: dt.date) -> str:
    """The state of an action at a day: what was closed later was still open then."""
    if action.state != "open" and action.closed_on is not None and action.closed_on > on:
        return "open"
    return action.state


def overdue_days(action: Action, on: dt.date) -> int | None:
    """Days an open action is past its date; None without a date, 0 when it is not."""
    return None if action.due is None else max(0, (on - action.due).days)


def _done_since(material: Material) -> Iterator[Action]:
    last = material.last()
    for a in actions_of(material):
        closed = a.closed_on
        if state_on(a, material.on) == "open" or closed is None:
            continue
        if last is None or closed > last.on:
            yield a


def actions_section(material: Material, rows: Rows) -> None:
    """What is open, who does it by when, what is overdue; what was done since the last review."""
    table = "Actions open and due"
    still = [a for a in actions_of(material) if state_on(a, material.on) == "open"]
    for a in sorted(still, key=lambda a: (a.due is None, a.due or dt.date.max, a.name)):
        rows.add(7, table, a.name, "what", a, "what")
        rows.add(7, table, a.name, "owner", a, value=a.owner or "NOBODY")
        rows.add(7, table, a.name, "due", a, value=a.due or "no date")
        late = overdue_days(a, material.on)
        rows.add(7, table, a.name, "days overdue", a, value="" if late is None else late)
        rows.add(7, table, a.name, "opened on", a, "opened_on")
        rows.add(7, table, a.name, "from", a, value=a.analysis or a.proposal or a.work or "")
    for a in _done_since(material):
        wanted = {"what": "what", "owner": "owner", "closed on": "closed_on", "state": "state"}
        rows.fill(7, "Actions done since the last review", a.name, a, wanted | {"change": "change"})


def previous_predictions(previous: Kept | None) -> tuple[tuple[str, str, int], ...]:
    """(objective, name, version) of the predictions the review before rested on."""
    if previous is None:
        return ()
    r = previous.result
    assert isinstance(r, WorkReview)
    at = (r.table == "Predictions") & (r.quantity == "probability") & (r.version > 0)
    return tuple((str(r.subject[k]), str(r.source[k]), int(r.version[k])) for k in np.flatnonzero(at))
