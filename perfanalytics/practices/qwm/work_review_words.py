"""The verdict of a review, as a meeting reads it out."""

from __future__ import annotations

import numpy as np

from perfanalytics.baselines.wording import count
from perfanalytics.practices.qwm.work_review_conflicts import ObjectiveConflicts
from perfanalytics.practices.qwm.work_review_later_sections import actions_of, overdue_days, state_on
from perfanalytics.practices.qwm.work_review_result import WorkReview
from perfanalytics.practices.qwm.work_review_rows import Material

#: In the order in which they are told.
STATES = ("met", "missed", "on course", "at risk", "no threshold declared", "not predicted")


def verdict_of(material: Material, review: WorkReview) -> str:
    """A sentence or two a part: objectives, stability, conflicts, actions, the last predictions."""
    said = [
        _objectives(material, review),
        _stability(review),
        _conflicts(material),
        actions_in_words(material),
    ]
    said += [kept.result.verdict for kept in material.of("checks")]
    return " ".join(s for s in said if s)


def by_state(review: WorkReview) -> dict[str, list[str]]:
    """State -> the objectives in it."""
    at = (review.table == "Predictions") & (review.quantity == "state")
    found: dict[str, list[str]] = {}
    for name, state in zip(review.subject[at].tolist(), review.text[at].tolist(), strict=True):
        found.setdefault(state, []).append(name)
    return found


def _objectives(material: Material, review: WorkReview) -> str:
    n = len(material.work.objectives)
    begin = f"{material.work.name} on {material.on}: "
    if not n:
        return begin + "no objective is declared."
    states = by_state(review)
    told = [f"{len(states[s])} {s} ({', '.join(states[s])})" for s in STATES if s in states]
    return begin + f"{count(n, 'objective')}: " + ("; ".join(told) or "none could be looked at") + "."


def _stability(review: WorkReview) -> str:
    at = (review.table == "Stability") & (review.quantity == "stable now")
    judged = at & np.isin(review.text, ("yes", "no"))
    n = int(judged.sum())
    unstable = review.subject[judged & (review.text == "no")].tolist()
    text = "No chart could be judged." if at.any() and not n else ""
    if n:
        text = f"{len(unstable)} of {count(n, 'chart')} not stable" if unstable else ""
        text = f"{text} ({', '.join(unstable)})." if unstable else f"No chart of {n} is unstable."
        if n == 1:
            text = f"{unstable[0]} is not stable." if unstable else "Its chart is not unstable."
    off = (review.table == "Borrowed baselines") & (review.quantity == "still fits") & (review.text == "no")
    names = review.subject[off].tolist()
    if names:
        text += f" Own data do not fit {count(len(names), 'borrowed baseline')} ({', '.join(names)})."
    return text.strip()


def _conflicts(material: Material) -> str:
    for kept in material.of("conflicts"):
        assert isinstance(kept.result, ObjectiveConflicts)
        found = int(np.sum(kept.result.conflict == "yes"))
        if found:
            return f"{count(found, 'conflict')} between objectives."
    return ""


def actions_in_words(material: Material) -> str:
    """How many actions are open, overdue and without an owner."""
    still = [a for a in actions_of(material) if state_on(a, material.on) == "open"]
    if not still:
        return "No action is open."
    late = sum(1 for a in still if overdue_days(a, material.on))
    nobody = sum(1 for a in still if not a.owner)
    text = f"{count(len(still), 'action')} open"
    text += f", {late} overdue" if late else ", none overdue"
    return text + (f", {nobody} without an owner." if nobody else ".")
