"""What the reviews of works saved, in the objective tree: which objective it serves, what came of it."""

from __future__ import annotations

import datetime as dt

from perfanalytics.core.archive import Archive
from perfanalytics.core.practice_records import Work
from perfanalytics.core.records import Objective
from perfanalytics.practices.on_record import Found, Reader
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction


def objective_of_work(archive: Archive, one: Found) -> str | None:
    """The objective that a result of a review serves: that of the work about its measure, else its first.

    None for a result of no recorded work.
    """
    works: tuple[Work, ...] = archive.of_kind("work")
    named = [w for w in works if one.saved.name.startswith(f"{w.name}: ") and w.objectives]
    if not named:
        return None
    about = {o.name: o.measure for o in archive.of_kind("objective")}
    mine = max(named, key=lambda w: len(w.name)).objectives
    return next((o for o in mine if about.get(o) == one.saved.measure), mine[0])


def came_out(objective: Objective, reader: Reader, judge: Found | None) -> tuple[str, bool] | None:
    """Whether an objective was met in its period, once that is over: (name of what says so, met).

    Read from saved predictions, the newest that knows. None while the period runs, and where something was
    judged against the objective with data from after its period.
    """
    found = None
    for entry in reader.archive.saved:
        if entry.result_kind != "objective_prediction" or entry.measure != objective.measure:
            continue
        result = reader.found(entry).result
        if not isinstance(result, ObjectivePrediction) or result.objective != objective:
            continue
        later = judge is not None and judge.last is not None and judge.last > (result.until or dt.date.max)
        if result.outcome is not None and not later:
            found = (entry.name, result.outcome)
    return found
