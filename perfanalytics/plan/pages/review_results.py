"""What the review of a work computes on its own data: saved first, then read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.capability import capability
from perfanalytics.baselines.result import Baseline
from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError, PerfAnalyticsError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.plan.pages.measure_charts import measure_chart
from perfanalytics.plan.pages.review_data import Keeping, OwnData
from perfanalytics.plan.plan import Plan
from perfanalytics.practices.qwm.work_review_rows import Kept
from perfanalytics.spc.result import ControlChart


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review in the making."""

    plan: Plan
    archive: Archive
    own: OwnData
    keeping: Keeping
    objectives: dict[str, Objective]
    prior_n: float | None
    confidence: float

    def measure(self, name: str) -> Measure | None:
        """The measure of a name."""
        return self.archive.measure(name)

    def selected(self) -> dict[str, tuple[str, ...]]:
        """Selected subprocess -> its measures that an objective or a borrowed baseline of the work is about.

        All measures of the subprocess where there is none such.
        """
        wanted = {o.measure for o in self.objectives.values()} | set(self._borrowed())
        out = {}
        for name in self.own.work.subprocesses:
            all_of_it = [m.name for m in self.archive.of_kind("measure") if m.subprocess == name]
            out[name] = tuple(m for m in all_of_it if m in wanted) or tuple(all_of_it)
        return out

    def measures(self) -> tuple[str, ...]:
        """The measures of the objectives, then those of the selected subprocesses."""
        names = [o.measure for o in self.objectives.values()]
        names += [m for found in self.selected().values() for m in found]
        return tuple(dict.fromkeys(names))

    def _borrowed(self) -> list[str]:
        names = set(self.own.work.borrowed)
        return [e.measure for e in self.archive.saved_of("baseline") if e.name in names]


def own_baselines(review: Review) -> dict[str, Kept]:
    """Integrity checks and own baselines: one for each objective, and of measures without one."""
    keeping, out = review.keeping, {}
    for measure in review.measures():
        _known_when(review, measure)
        keeping.save(
            "data_quality",
            measure,
            f"data quality: {measure}",
            partial(review.own.quality, measure),
        )
        mine = [o for o in review.objectives.values() if o.measure == measure]
        first = "first of its measure"
        wanted: list[Objective | None] = [*mine] if mine else [None]
        for objective in wanted:
            subject = objective.name if objective is not None else measure
            kept = keeping.save(
                "own_baseline",
                subject,
                f"own baseline: {subject}",
                partial(_own_baseline, review, measure, objective),
                note=first,
            )
            if kept is not None:
                out[subject], first = kept, ""
    return out


def _known_when(review: Review, measure: str) -> None:
    """Keep that nobody can tell what was known on the day of the review, where that matters."""
    table = next((t for t in review.plan.measure if t.name == measure), None)
    newest = review.archive.newest.get(measure)
    if table is None or table.item is None or table.known is not None or newest is None:
        return
    if newest.date() > review.own.on:
        reason = (
            "when an outcome became known is not declared (known): each counts from its own time "
            f"({table.when}) on, and what came to light after the day of the review may be among them."
        )
        review.keeping.missing("known", measure, reason)


def _own_baseline(review: Review, measure: str, objective: Objective | None) -> Baseline:
    series = review.own.series(measure)
    if not len(series):
        raise InputError("there is no own observation yet")
    try:
        return baseline(series, objective=objective, confidence=review.confidence)
    except PerfAnalyticsError:
        if objective is None:
            raise
        # the objective speaks of a statistic that a baseline does not have: described all the same
        return baseline(series, confidence=review.confidence)


def own_charts(review: Review) -> None:
    """A control chart of each measure of each selected subprocess, on own data."""
    for subprocess, measures in review.selected().items():
        if not measures:
            review.keeping.missing("subprocess", subprocess, "no measure of it is declared.")
        for name in measures:
            subject = f"{subprocess}: {name}"
            review.keeping.save(
                "chart",
                subject,
                f"chart: {name}",
                partial(_own_chart, review, name),
                note=subprocess,
            )


def _own_chart(review: Review, name: str) -> Result:
    return measure_chart(review.plan, name, review.measure(name), review.own.series)


def borrowed_baselines(review: Review) -> None:
    """Own data tested against each baseline that was taken over."""
    for name in review.own.work.borrowed:
        review.keeping.save(
            "borrowed",
            name,
            f"against {name}",
            partial(_against, review, name),
            note=name,
        )


def _against(review: Review, name: str) -> Result:
    held = review.own.repo.result(name)
    if not isinstance(held, Baseline):
        raise InputError(f"what is saved as {name!r} is a {held.kind}, no baseline")
    if held.last is not None and held.last.astype("datetime64[D]").item() > review.own.on:
        last = held.last.astype("datetime64[D]").item()
        raise InputError(f"it rests on data up to {last}, after the day of the review ({review.own.on}).")
    asked = held.provenance.selection
    chosen = {k: asked[k] for k in ("time", "every", "statistic", "zone") if asked.get(k)}
    series = review.own.series(held.measure.name, **chosen)
    return held.drift(series, confidence=review.confidence)


def capabilities(review: Review, baselines: dict[str, Kept]) -> None:
    """Capability of the selected subprocesses against each objective about their measures.

    Of items still open, and of measures counted by size, the own baseline says it.
    """
    inside = {m for found in review.selected().values() for m in found}
    for name, objective in review.objectives.items():
        if objective.measure not in inside:
            continue
        own = baselines.get(name)
        series = review.keeping.tried("capability", name, partial(review.own.series, objective.measure))
        if series is None:
            continue
        still_open = series.censored is not None and bool(series.censored.any())
        stable = chart_says(review, objective.measure)
        if objective.statistic == "item" and not still_open:
            review.keeping.save(
                "capability",
                name,
                f"capability: {name}",
                partial(capability, series, objective=objective, confidence=review.confidence),
                note=_stable(stable),
            )
        elif own is not None and isinstance(own.result, Baseline) and own.result.objective is not None:
            kept = Kept(
                role="capability", subject=name, name=own.name, version=own.version, result=own.result,
                note=_stable(stable),
            )  # fmt: skip
            review.keeping.kept.append(kept)
        else:
            review.keeping.missing(
                "capability", name, "the own baseline cannot be held against the objective."
            )


def chart_says(review: Review, measure: str) -> bool | None:
    """Whether the chart of a measure is stable now; None where there is none, or it was not judged."""
    for kept in review.keeping.kept:
        chart = kept.result
        if kept.role == "chart" and isinstance(chart, ControlChart) and chart.measure.name == measure:
            return chart.stage_stable[-1]
    return None


def _stable(stable: bool | None) -> str:
    return {True: "stable", False: "not stable", None: "not judged"}[stable]
