"""Models calibrated on the own data of a work, predictions of its objectives, and how these pull."""

from __future__ import annotations

import datetime as dt
import math
from functools import partial
from itertools import combinations
from typing import Any

from perfanalytics.baselines.result import Baseline
from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Result
from perfanalytics.models.calibration import Calibration, calibrate, prior_items
from perfanalytics.models.formula import parse
from perfanalytics.models.result import Model
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.plan.pages.measure_charts import weekly
from perfanalytics.plan.pages.review_results import Review, chart_says
from perfanalytics.practices.qwm.work_review_predicting import predict_objective
from perfanalytics.practices.qwm.work_review_rows import Kept
from perfanalytics.practices.qwm.work_review_tradeoff import trade_off

#: Where how much groups differ cannot be told: so many own items count as much as the organization.
PRIOR_ITEMS = 20.0


def calibrations(review: Review) -> dict[str, tuple[Kept, Any]]:
    """Each model of the work, calibrated on its own items: model -> (calibration, own items)."""
    out = {}
    for name in review.own.work.models:
        found = review.keeping.tried("calibration", name, partial(review.own.repo.result, name))
        if found is None:
            continue
        if isinstance(found, ProcessComparison):
            reason = _later(review, name)
            if reason:
                review.keeping.missing("alternatives", name, reason)
            else:
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
        stable=chart_says(review, objective.measure),
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
