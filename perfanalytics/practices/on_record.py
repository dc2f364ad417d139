"""What is on record about a saved result: its data, stability, standing, agreement, and whether it is stale.

The objective tree, the registers and the selection of subprocesses read saved results through this file, so
that they say the same of the same baseline. What a result does not hold is None, never a guess.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.drift import Drift
from perfanalytics.core.archive import Archive, Saved
from perfanalytics.core.records import Change, Objective, PlannedAnalysis, Process
from perfanalytics.core.result import Result

#: Kind of a saved result -> what it is in the practices.
SORTS: dict[str, str] = {
    "control_chart": "chart",
    "control_charts": "chart",
    "phase_one": "chart",
    "baseline": "baseline",
    "baselines": "baseline",
    "strata": "baseline",
    "drift": "drift",
    "capability": "capability",
    "capabilities": "capability",
    "comparison": "comparison",
    "comparisons": "comparison",
    "gauge_study": "measurement system",
    "agreement": "measurement system",
    "model": "model",
    "simulation": "model",
    "process_comparison": "model",
    "queue": "model",
    "queue_simulation": "model",
    "staffing": "model",
    "capacity_threshold": "model",
    "availability": "model",
    "structure": "model",
    "lifetimes": "model",
    "growth": "model",
    "containment": "model",
}
#: How a result stands against an objective; other results use the word for other verdicts.
STANDINGS = ("met", "missed", "undecided")
#: Days of a period, for series of periods: their last point is the first day of the last period.
PERIOD_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a saved result says of itself.

    Parameters
    ----------
    saved : Saved
    result : Result
    sort : str
        "chart", "baseline", "drift", "capability", "comparison", "measurement system" or "model".
    first, last : date or None
        First and last day of its data; None where that is not on record.
    n : int or None
        Points, values or items used; None for results that use none.
    stable : bool or None
        Of charts the newest stage that was judged; None where it was not judged.
    stability : str
        The same in words.
    objective : str or None
        Name of the objective it was judged against.
    standing : {"met", "missed", "undecided"} or None
    process : Process or None
        Process and version that was in use.
    """

    saved: Saved
    result: Result
    sort: str
    first: dt.date | None
    last: dt.date | None
    n: int | None
    stable: bool | None
    stability: str
    objective: str | None
    standing: str | None
    process: Process | None


@dataclass(frozen=True, slots=True)
class Stale:
    """Why a saved result is no longer up to date.

    Parameters
    ----------
    reasons : tuple of str
        Empty: it is up to date as far as the records say.
    newer_days : int
        Days of data that came after its own; 0 where there are none or where nobody can say.
    """

    reasons: tuple[str, ...] = ()
    newer_days: int = 0

    def __bool__(self) -> bool:
        return bool(self.reasons)


class Reader:
    """Saved results of an archive, each read once."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self._kept: dict[tuple[str, int], Found] = {}
        self._planned: dict[str, PlannedAnalysis] = {p.name: p for p in archive.of_kind("planned_analysis")}

    def found(self, saved: Saved) -> Found:
        """What one version of a saved result says of itself."""
        key = (saved.name, saved.version)
        if key not in self._kept:
            self._kept[key] = found(saved, self.archive.result(saved.name, version=saved.version))
        return self._kept[key]

    def newest(self, *sorts: str) -> tuple[Found, ...]:
        """The newest version of every saved result of these sorts."""
        return tuple(self.found(s) for s in self.archive.saved_of() if SORTS.get(s.result_kind) in sorts)

    def analysis(self, name: str) -> PlannedAnalysis | None:
        """The planned analysis a saved result belongs to: of its name, or the longest ``name: stratum``."""
        if name in self._planned:
            return self._planned[name]
        begins = [p for p in self._planned if name.startswith(f"{p}: ")]
        return self._planned[max(begins, key=len)] if begins else None

    def withdrawn(self, name: str) -> bool:
        """Whether a saved result belongs to a planned analysis, or a work, that was withdrawn."""
        if self.analysis(name) is not None:
            return False
        gone = (n for kind in ("planned_analysis", "work") for n in self.archive.withdrawn.get(kind, ()))
        return any(name == n or name.startswith(f"{n}: ") for n in gone)

    def serves(self, one: Found) -> str | None:
        """The objective a saved result serves: that of its analysis, else the one it was judged against."""
        planned = self.analysis(one.saved.name)
        return planned.objective if planned is not None and planned.objective else one.objective

    def process(self, one: Found) -> tuple[Process | None, str]:
        """Process of a result, and where it is from: "recorded" with it, or "declared" for its measure."""
        if one.process is not None:
            return one.process, "recorded"
        measure = self.archive.measure(one.saved.measure)
        of = None if measure is None else process_of(self.archive, measure.subprocess)
        return (of, "declared") if of is not None else (None, "")

    def stale(self, one: Found, *, after: int) -> Stale:
        """Why a result is no longer up to date.

        Its data end more than ``after`` days before the newest of its measure; the version of its process
        changed; a recorded change of its process took effect after its data; a saved drift test says that
        newer data do not fit it; of a model, the saved errors of its predictions advise to change it.
        """
        archive, newer = self.archive, 0
        reasons = ["withdrawn: the plan no longer asks for it"] if self.withdrawn(one.saved.name) else []
        newest = archive.newest.get(one.saved.measure)
        if newest is not None and one.last is not None:
            newer = max(0, (newest.date() - one.last).days)
            if newer > after:
                reasons.append(f"its data end {newer:,} days before the newest ({newest.date()})")
        if one.process is not None:
            now = process_of(archive, one.process.name)
            if now is not None and now.version != one.process.version:
                reasons.append(
                    f"made for version {one.process.version} of {one.process.name!r}, now {now.version}"
                )
        reasons += [
            f"{c.name!r} changed the process on {day(c.when)}, after its data" for c in self._changes(one)
        ]
        for test in self.newest("drift"):
            hash_of = test.result.method.parameters.get("baseline")
            if (
                isinstance(test.result, Drift)
                and hash_of == one.result.provenance.data_hash
                and test.result.still_fits is False
            ):
                reasons.append(f"newer data no longer fit it ({test.saved.name!r})")
        reasons += self._advice(one)
        return Stale(tuple(reasons), newer)

    def _advice(self, one: Found) -> list[str]:
        """What saved errors of its predictions advise, where that is to change or drop a model."""
        out = []
        for entry in self.archive.saved_of("prediction_errors", measure=one.saved.measure):
            errors: Any = self.archive.result(entry.name, version=entry.version)
            same = errors.provenance.data_hash == one.result.provenance.data_hash
            if one.sort == "model" and same and errors.advice in ("recalibrate", "retire"):
                out.append(f"its predictions say: {errors.advice} it ({entry.name!r})")
        return out

    def _changes(self, one: Found) -> list[Change]:
        """Recorded changes of its process, or of a process that contains it, after its data."""
        if one.last is None:
            return []
        measure = self.archive.measure(one.saved.measure)
        names = {p.name for p in lineage(self.archive, None if measure is None else measure.subprocess)}
        if one.process is not None:
            names |= {p.name for p in lineage(self.archive, one.process.name)}
        changes: tuple[Change, ...] = self.archive.of_kind("change")
        return [
            c
            for c in changes
            if c.process is not None
            and _bare(self.archive, c.process) in names
            and one.last < day(c.when) <= self.archive.on
        ]

    def agreement(self, name: str) -> str:
        """Who agreed to a saved result, and when: a decision about it; of a chart also its agreed limits.

        Empty where nothing is on record. A decision against it begins with "not agreed".
        """
        decision = decision_about(self.archive, (name,))
        if decision is not None:
            said = f"{decision.who}, {decision.decided_on}"
            return f"not agreed: {said}" if decision.chosen is False else said
        for entry in reversed(self.archive.versions(f"limits: {name}")):
            limits: Any = self.archive.result(entry.name, version=entry.version)
            if getattr(limits, "agreed_by", ""):
                until = f", valid until {limits.valid_until}" if limits.valid_until else ""
                return f"{limits.agreed_by}, {limits.agreed_on} (limits{until})"
        return ""


def found(saved: Saved, result: Result) -> Found:
    """What a saved result says of itself."""
    any_result: Any = result
    first, last = period(result)
    stable, stability = _stability(result)
    objective = getattr(any_result, "objective", None)
    process = getattr(any_result, "process", None)
    standing = getattr(any_result, "standing", None)
    return Found(
        saved=saved,
        result=result,
        sort=SORTS.get(saved.result_kind, ""),
        first=first,
        last=last,
        n=_n(any_result),
        stable=stable,
        stability=stability,
        objective=objective.name if isinstance(objective, Objective) else None,
        standing=standing if isinstance(standing, str) and standing in STANDINGS else None,
        process=process if isinstance(process, Process) else None,
    )


def period(result: Result) -> tuple[dt.date | None, dt.date | None]:
    """First and last day of the data of a result; None where that is not on record.

    Of series of periods (weeks ...) the last day is that of the last period.
    """
    any_result: Any = result
    selection = result.provenance.selection
    first = last = None
    for name in ("first", "last"):
        # a result that keeps its own period; selections written as text keep it too
        value = getattr(any_result, name, None)
        value = selection.get(name) if value is None else value
        days = _days(value)
        if len(days):
            one = (days.min() if name == "first" else days.max()).item()
            first, last = (one, last) if name == "first" else (first, one)
    when = getattr(any_result, "when", None)
    course = getattr(any_result, "course", None)
    when = getattr(course, "when", None) if when is None else when
    days = _days(when)
    if first is None and last is None and len(days):
        first, last = days.min().item(), days.max().item()
    every = getattr(any_result, "every", None) or selection.get("every")
    if last is not None and every in PERIOD_DAYS:
        last = min(last + dt.timedelta(days=PERIOD_DAYS[every] - 1), _cut(selection) or dt.date.max)
    return first, last


def _cut(selection: Any) -> dt.date | None:
    """The day the data of a series of periods really ended, where its selection says so."""
    ends = [str(selection[k])[:10] for k in ("until", "as_of") if selection.get(k)]
    return min(dt.date.fromisoformat(e) for e in ends) if ends else None


def _days(value: object) -> NDArray[np.datetime64]:
    """The days of a time, several times, or a time written as text; empty for anything else."""
    times = isinstance(value, np.ndarray) and value.dtype.kind == "M"
    timed = times or isinstance(value, np.datetime64 | dt.date)
    if not timed and not (isinstance(value, str) and value[4:5] == "-"):
        return np.empty(0, dtype="datetime64[D]")
    days: NDArray[np.datetime64] = np.atleast_1d(np.asarray(value, dtype="datetime64[D]")).ravel()
    known: NDArray[np.datetime64] = days[~np.isnat(days)]
    return known


def _n(result: Any) -> int | None:
    for name in ("n_used", "n"):
        value = getattr(result, name, None)
        if isinstance(value, int | np.integer):
            return int(value)
        if isinstance(value, np.ndarray) and value.size:
            return int(value.sum())
    return None


def _stability(result: Result) -> tuple[bool | None, str]:
    """Stable, not stable, not judged; and in words. Of a chart with stages the newest that was judged."""
    any_result: Any = result
    stages = getattr(any_result, "stage_stable", None)
    if stages:
        judged = [s for s in stages if s is not None]
        now = judged[-1] if judged else None
        words = {True: "stable", False: "not stable", None: "stability not judged"}[now]
        if len(judged) > 1 and judged[-1] is not judged[0]:
            words += " in the newest stage"
        return now, words
    stable = getattr(any_result, "stable", None)
    if isinstance(stable, np.ndarray):
        judged_of = getattr(any_result, "judged", np.ones(len(stable), dtype=bool))
        k, bad = int(judged_of.sum()), int((judged_of & ~stable).sum())
        if not k:
            return None, "stability not judged"
        return bad == 0, "all stable" if bad == 0 else f"{bad} of {k} not stable"
    if stable is None:
        return None, "stability not judged"
    return bool(stable), "stable" if stable else "not stable"


def day(when: dt.date | dt.datetime) -> dt.date:
    """The day of a date or time."""
    return when.date() if isinstance(when, dt.datetime) else when


def process_of(archive: Archive, name: str | None) -> Process | None:
    """The process of a name, or of "name version"; of several versions the one declared last."""
    processes: tuple[Process, ...] = archive.of_kind("process")
    hits = [p for p in processes if name in (p.name, f"{p.name} {p.version}")]
    return hits[-1] if hits else None


def _bare(archive: Archive, name: str) -> str:
    known = process_of(archive, name)
    return name if known is None else known.name


def lineage(archive: Archive, name: str | None) -> list[Process]:
    """A process and those that contain it, the innermost first."""
    out: list[Process] = []
    now = process_of(archive, name)
    while now is not None and now.name not in {p.name for p in out}:
        out.append(now)
        now = process_of(archive, now.parent)
    return out


def decision_about(archive: Archive, subjects: Iterable[str]) -> Any:
    """The newest decision about one of these subjects, or None."""
    named = set(subjects)
    hits = [d for d in archive.of_kind("decision") if d.subject in named]
    return max(hits, key=lambda d: d.decided_on) if hits else None


def review_of(archive: Archive, subject: str) -> dt.date | None:
    """When a subject was last reviewed, or a review had it before it; None when no review is on record."""
    held = [
        r.held_on
        for r in archive.of_kind("review")
        # the review of a work names its results with their versions
        if r.subject == subject or any(n.partition(", version ")[0] == subject for n in r.results)
    ]
    return max(held) if held else None
