"""What the review of a work computes on its own data: saved first, then read."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.capability import capability
from perfanalytics.baselines.result import Baseline
from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError, PerfAnalyticsError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.core.series import Series
from perfanalytics.models.calibration import Calibration, calibrate, prior_items
from perfanalytics.models.formula import parse
from perfanalytics.models.result import Model
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.plan.analyses.charts import ChartTable
from perfanalytics.plan.plan import Plan
from perfanalytics.plan.review_data import Keeping, OwnData
from perfanalytics.practices.work_review_predicting import predict_objective
from perfanalytics.practices.work_review_rows import Kept
from perfanalytics.practices.work_review_tradeoff import trade_off
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.rules import RULE_SETS

#: Where how much groups differ cannot be told: so many own items count as much as the organization.
PRIOR_ITEMS = 20.0


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
        keeping.save(
            "data_quality",
            measure,
            f"data quality: {measure}",
            partial(review.own.repo.data_quality, measure),
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
    """The first chart the plan draws of the measure, else a weekly one by the scale of the measure."""
    measure = review.measure(name)
    table = next(
        (
            t
            for t in review.plan.chart
            if t.measure == name and t.chart in CHARTS and CHARTS[t.chart].ordered and not t.subgroups
            and t.stage_column is None
        ),
        None,
    )  # fmt: skip
    if table is None:
        every, statistic, chart = weekly(measure)
        series = review.own.series(name, every=every, statistic=statistic)
        return control_chart(series, chart=chart)
    chosen: dict[str, Any] = {k: getattr(table, k) for k in ("time", "every", "statistic", "zone")}
    series = review.own.series(name, where=table.where, **chosen)
    return control_chart(
        series,
        chart=table.chart,
        rules=RULE_SETS[table.rules],
        options=table.options,
        limits=table.limits,
        sigmas=table.sigmas,
        transform=table.transform,
        stages=_stages(table, series),
    )


def _stages(table: ChartTable, series: Series) -> list[Any]:
    """The stages of the chart of the plan that fall within the own data."""
    if series.when is None or not len(series):
        return []
    named = {e.name: e for e in series.events}
    out: list[Any] = []
    for stage in table.stages:
        found = named.get(stage) if isinstance(stage, str) else stage
        when = found.when if found is not None and hasattr(found, "when") else found
        if when is None:
            continue
        day = when.date() if isinstance(when, dt.datetime) else when
        first, last = (t.astype("datetime64[D]").item() for t in (series.when[0], series.when[-1]))
        if first < day <= last:
            out.append(found)
    return out


def weekly(measure: Measure | None) -> tuple[str, str | None, str]:
    """Period, statistic and chart of a measure the plan draws no chart of.

    Examples
    --------
    >>> weekly(None)
    ('week', 'median', 'individuals')
    """
    if measure is not None and measure.scale == "proportion":
        return "week", "share", "laney_p"
    if measure is not None and measure.scale in ("count", "real"):
        return "week", None, "individuals"
    return "week", "median", "individuals"


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
        chart = next(
            (k for k in review.keeping.kept if k.role == "chart" and k.subject.endswith(objective.measure)),
            None,
        )
        stable = None if chart is None else chart.result.stage_stable[-1]  # type: ignore[attr-defined]
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


def _stable(stable: bool | None) -> str:
    return {True: "stable", False: "not stable", None: "not judged"}[stable]


def calibrations(review: Review) -> dict[str, tuple[Kept, Any]]:
    """Each model of the work, calibrated on its own items: model -> (calibration, own items)."""
    out = {}
    for name in review.own.work.models:
        found = review.keeping.tried("calibration", name, partial(review.own.repo.result, name))
        if found is None:
            continue
        if isinstance(found, ProcessComparison):
            review.keeping.use("alternatives", name, name)
            continue
        if not isinstance(found, Model):
            review.keeping.use("other_prediction", name, name)
            continue
        reason = _later(review, name)
        if reason:
            review.keeping.missing("calibration", name, reason)
            continue
        items = review.keeping.tried("calibration", name, partial(_items, review, found))
        if items is None:
            continue
        kept = review.keeping.save(
            "calibration",
            name,
            f"calibrated: {name}",
            partial(_calibrated, review, found, items),
        )
        if kept is not None:
            out[name] = (kept, items)
    return out


def _later(review: Review, name: str) -> str:
    """Why a model of the plan cannot be used on the day of the review: it was made from later data."""
    newest = max((t.date() for t in review.archive.newest.values()), default=review.own.on)
    table = next((t for t in review.plan.model if t.name == name), None)
    until = getattr(table, "until", None)
    if isinstance(until, dt.datetime):
        until = until.date()
    rests = newest if until is None else until - dt.timedelta(days=1)
    if rests <= review.own.on:
        return ""
    return f"it rests on data up to {rests}, after the day of the review ({review.own.on})."


def _items(review: Review, model: Model) -> Any:
    """The own items with their factors; those still open left out."""
    frame = review.own.frame(_measures(review, model))
    return _closed(frame, model)


def _measures(review: Review, model: Model) -> list[str]:
    known = {m.name for m in review.archive.of_kind("measure")}
    columns = [c for c in parse(model.formula).columns if c in known and c != model.measure.name]
    return [model.measure.name, *columns]


def _closed(frame: Any, model: Model) -> Any:
    """Items whose outcome is known."""
    open_column = f"{model.measure.name}_censored"
    if open_column in frame.columns:
        frame = frame[~frame[open_column].fillna(False).astype(bool)]
    return frame[frame[model.response].notna()]


def _calibrated(review: Review, model: Model, items: Any) -> Calibration:
    return calibrate(
        model,
        items,
        prior_n=_prior(review, model),
        group=review.own.work.name,
        confidence=review.confidence,
    )


def _prior(review: Review, model: Model) -> float:
    """How many own items the organization's level is worth: from how much its groups differ."""
    if review.prior_n is not None:
        return review.prior_n
    if len(review.own.work.where) != 1 or model.family != "gaussian":
        return PRIOR_ITEMS
    (attribute,) = review.own.work.where
    try:
        everybody = _closed(review.own.frame(_measures(review, model), everybody=True), model)
        found = prior_items(model, everybody, by=attribute)
    except PerfAnalyticsError:
        return PRIOR_ITEMS
    # groups that cannot be told apart: the organization is one more sample of the same, as large as it is
    return min(found, float(model.n)) if math.isfinite(found) else float(model.n)


def predictions(
    review: Review, baselines: dict[str, Kept], calibrated: dict[str, tuple[Kept, Any]]
) -> dict[str, Kept]:
    """The probability of meeting each objective: by a calibrated model, where there is none by own data."""
    out = {}
    for name, objective in review.objectives.items():
        by_model = next(
            (found for found in calibrated.values() if found[0].result.measure.name == objective.measure),  # type: ignore[attr-defined]
            None,
        )
        made = review.keeping.save(
            "prediction",
            name,
            f"prediction: {name}",
            partial(_predicted, review, objective, baselines.get(name), by_model),
        )
        if made is not None:
            out[name] = made
    return out


def _predicted(
    review: Review, objective: Objective, own: Kept | None, by_model: tuple[Kept, Any] | None
) -> Result:
    held = own.result if own is not None else None
    basis = ("", 0) if own is None else (own.name, own.version)
    model: Any = None
    items: Any = None
    if by_model is not None:
        kept, items = by_model
        model, basis = kept.result, (kept.name, kept.version)
    return predict_objective(
        review.own.series(objective.measure),
        objective,
        on=review.own.on,
        since=review.own.work.since,
        until=objective.by or review.own.work.until,
        baseline=held if isinstance(held, Baseline) else None,
        model=model,
        items=items,
        basis=basis,
        confidence=review.confidence,
    )


def trade_offs(review: Review) -> list[Kept]:
    """How each pair of objectives about different measures hangs together from week to week."""
    out = []
    for a, b in combinations(review.objectives.values(), 2):
        if a.measure == b.measure:
            continue
        subject = f"{a.name} / {b.name}"
        kept = review.keeping.save(
            "trade_off",
            subject,
            f"trade-off: {subject}",
            partial(_pulled, review, a, b),
        )
        if kept is not None:
            out.append(kept)
    return out


def _pulled(review: Review, a: Objective, b: Objective) -> Result:
    one, other = (review.own.series(o.measure, every="week", statistic=_statistic(o, review)) for o in (a, b))
    return trade_off(one, other, objectives=(a, b), confidence=review.confidence)


def _statistic(objective: Objective, review: Review) -> str | None:
    """The statistic of a week: that of the objective; of one about items the median."""
    if objective.statistic in ("mean", "median", "share", "rate") or objective.statistic.startswith("p"):
        return objective.statistic
    return weekly(review.measure(objective.measure))[1]
