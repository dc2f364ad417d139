"""Sections 1 to 4 of a review: objectives, data, stability and capability, predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from perfanalytics.baselines.capability_result import Capability
from perfanalytics.baselines.objectives import SHARE_MEETING
from perfanalytics.baselines.result import Baseline
from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import PerfAnalyticsError, UnknownNameError
from perfanalytics.core.records import BusinessObjective, Objective
from perfanalytics.models.simulation.result import Simulation
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
from perfanalytics.practices.qwm.work_review_rows import Kept, Material, Rows


def declared_objectives(material: Material) -> dict[str, Objective]:
    """The objectives of the work that are on record, in its order."""
    found = {o.name: o for o in material.archive.of_kind("objective")}
    return {name: found[name] for name in material.work.objectives if name in found}


def business_objective(archive: Archive, objective: Objective) -> BusinessObjective | None:
    """The business objective an objective leads to, over the objectives between; None when the trace ends."""
    between = {o.name: o for o in archive.of_kind("objective")}
    top = {b.name: b for b in archive.of_kind("business_objective")}
    seen: set[str] = set()
    at: Objective | None = objective
    while at is not None and at.serves and at.name not in seen:
        if at.serves in top:
            found = top[at.serves]
            assert isinstance(found, BusinessObjective)
            return found
        seen.add(at.name)
        at = between.get(at.serves)
    return None


def is_interim(archive: Archive, objective: Objective) -> bool:
    """Whether an objective serves another objective, not a business objective."""
    return objective.serves in {o.name for o in archive.of_kind("objective")}


def objectives_section(material: Material, rows: Rows) -> None:
    """What shall be reached, by when, what for, and where interim objectives were derived from."""
    table = "Objectives"
    work = material.work
    for name, objective in declared_objectives(material).items():
        rows.add(1, table, name, "asked for", objective, value=statement(objective, material.archive))
        wanted = {n: n for n in ("measure", "statistic", "direction", "target", "share", "by", "serves")}
        rows.fill(1, table, name, objective, wanted | {"declared on": "declared_on"})
        top = business_objective(material.archive, objective)
        if top is not None:
            rows.add(1, table, name, "business objective", top, "name")
            rows.add(1, table, name, "owner", top, "owner")
    for kept in material.of("derived"):
        derived = declared_objectives(material).get(kept.subject)
        if derived is None:
            continue
        rows.add(1, "Interim objectives", kept.subject, "serves", derived, "serves")
        rows.add(1, "Interim objectives", kept.subject, "target", derived, "target")
        rows.add(1, "Interim objectives", kept.subject, "derived from", kept, value=kept.name)
        milestone = derived_milestone(kept, derived, material.archive)
        if milestone is not None:
            rows.add(1, "Interim objectives", kept.subject, "derived value", kept, value=milestone)
        rows.add(1, "Interim objectives", kept.subject, "which says", kept, "verdict")
    rows.fill(
        1,
        "The work",
        work.name,
        work,
        {"what": "what", "owner": "owner", "since": "since", "until": "until"}
        | {"subprocesses": "subprocesses", "borrowed baselines": "borrowed", "models": "models"}
        | {"least probability": "least_probability", "declared on": "declared_on"},
    )
    rows.add(1, "The work", work.name, "own data", work, value=where_text(work.where))


def statement(objective: Objective, archive: Archive) -> str:
    """What an objective asks for, in words.

    Examples
    --------
    >>> from perfanalytics.core.archive import Archive
    >>> goal = Objective("fast", measure="hours", target=24, direction="at_most", share=0.9)
    >>> statement(goal, Archive.of([goal]))
    '90% of items at most 24'
    """
    measure = archive.measure(objective.measure)
    side = "at most" if objective.direction == "at_most" else "at least"
    if objective.statistic == "share":
        return f"share {side} {percent(objective.target)}"
    unit = measure.unit if measure is not None and objective.statistic != "rate" else ""
    limit = f"{side} {number(objective.target, unit)}"
    if objective.statistic == "item":
        return f"{'each item' if objective.share is None else f'{percent(objective.share)} of items'} {limit}"
    return f"{objective.statistic} {limit}"


def where_text(where: Mapping[str, Any]) -> str:
    """Which observations are meant, in words."""
    parts = []
    for name, value in where.items():
        several = isinstance(value, tuple | list)
        parts.append(f"{name} " + ("one of " + ", ".join(map(str, value)) if several else str(value)))
    return "; ".join(parts) or "all observations"


def derived_milestone(kept: Kept, objective: Objective, archive: Archive) -> float | None:
    """What the simulation behind an interim objective gives for the step the objective is about.

    By the name of the step: that of the subprocess of the measure, of the measure, or of the objective.
    """
    if not isinstance(kept.result, Simulation):
        return None
    try:
        found = kept.result.interim()
    except PerfAnalyticsError:
        return None
    measure = archive.measure(objective.measure)
    names = {objective.measure, objective.name, (measure.subprocess or "") if measure else ""}
    at = found[found["part"].isin(names)]
    return float(at["milestone"].iloc[0]) if len(at) == 1 else None


def data_section(material: Material, rows: Rows) -> None:
    """The own observations of each measure, and what the integrity checks found."""
    for kept in material.of("own_baseline"):
        base = kept.result
        assert isinstance(base, Baseline)
        if kept.note != "first of its measure":
            continue
        wanted = {"own n": "n", "from": "first", "to": "last", "missing": "n_missing"}
        wanted |= {"excluded": "n_excluded", "open": "n_censored"}
        rows.fill(2, "Data", base.measure.name, kept, wanted)
    for kept in material.of("data_quality"):
        rows.add(2, "Data", kept.subject, "checked", kept, "n")
        for name in ("wrong", "look", "note"):
            rows.add(2, "Data", kept.subject, name, kept, f"summary: {name}")


def stability_section(material: Material, rows: Rows) -> None:
    """First whether a subprocess is stable and fits what was borrowed, then what it is capable of."""
    for kept in material.of("chart"):
        wanted = {"chart": "title", "stable now": "last: stage_stable", "stable all along": "stable"}
        wanted |= {"points": "n_used", "p-value": "p_value", "doubts": "caveat_codes"}
        rows.fill(3, "Stability", kept.subject, kept, wanted)
    for kept in material.of("borrowed"):
        wanted = {"still fits": "still_fits", "make anew": "rebaseline", "n of baseline": "n_before"}
        rows.fill(3, "Borrowed baselines", kept.subject, kept, wanted | {"own n since": "n_after"})
        rows.add(3, "Borrowed baselines", kept.subject, "why", kept, "reasons")
    for kept in material.of("capability"):
        subject = kept.subject
        objective = declared_objectives(material)[subject]
        # single items 0 and 1 are not charted by themselves: the chart of their periods speaks for them
        chart = next((c for c in material.of("chart") if c.subject.endswith(f": {objective.measure}")), kept)
        field = "last: stage_stable" if chart is not kept else "stable"
        rows.add(3, "Capability", subject, "stable now", chart, field)
        rows.add(3, "Capability", subject, "standing", kept, "standing")
        if isinstance(kept.result, Baseline):
            name = SHARE_MEETING if objective.statistic == "item" else objective.statistic
            rows.add(3, "Capability", subject, "what", kept, value=f"{name}, from the own baseline")
            _with_interval(rows, subject, kept, name)
        elif isinstance(kept.result, Capability):
            known = kept.result.quantity.tolist()
            name = next((q for q in ("ppk", "defective", "dpu") if q in known), "")
            rows.add(3, "Capability", subject, "what", kept, value=f"{name}, {kept.result.analysis}")
            _with_interval(rows, subject, kept, name)


def _with_interval(rows: Rows, subject: str, kept: Kept, quantity: str) -> None:
    """A quantity of a baseline or capability study with its interval, where it has it."""
    known = getattr(kept.result, "quantity", np.empty(0)).tolist()
    name = "p50" if quantity == "median" else quantity
    if name in known:
        for column, part in (("estimate", ""), ("low", ": low"), ("high", ": high")):
            rows.add(3, "Capability", subject, column, kept, f"quantity: {name}{part}")


def state_of(prediction: ObjectivePrediction, least: float | None) -> str:
    """Where an objective stands: met, missed, on course, at risk, or that no threshold was declared."""
    if prediction.is_over:
        return "met" if prediction.outcome else "missed"
    if math.isnan(prediction.probability):
        return "not predicted"
    if least is None:
        return "no threshold declared"
    return "on course" if prediction.probability >= least else "at risk"


def prediction_section(material: Material, rows: Rows) -> None:
    """The probability of meeting each objective, against the threshold that was declared."""
    work = material.work
    for kept in material.of("prediction"):
        found = kept.result
        assert isinstance(found, ObjectivePrediction)
        subject = kept.subject
        rows.add(4, "Predictions", subject, "state", kept, value=state_of(found, work.least_probability))
        rows.add(4, "Predictions", subject, "probability", kept, "probability")
        rows.add(4, "Predictions", subject, "at least", work, "least_probability")
        wanted = {"asked for": "required", "so far": "observed", "of n": "n_observed", "n ahead": "n_ahead"}
        wanted |= {"expected low": "low", "expected high": "high", "by": "until", "from": "basis"}
        rows.fill(4, "Predictions", subject, kept, wanted)
    done = {kept.subject for kept in material.of("prediction")}
    for missing in material.not_done:
        if missing.role == "prediction" and missing.subject not in done:
            objective = declared_objectives(material).get(missing.subject)
            if objective is not None:
                rows.add(4, "Predictions", missing.subject, "state", objective, value="not predicted")
    for kept in material.of("calibration"):
        wanted = {"own items": "n_local", "organization worth": "prior_n", "weight of own data": "weight"}
        wanted |= {"level by own data": "local"}
        wanted |= {"calibrated": "calibrated", "low": "low", "high": "high", "as": "effect"}
        wanted |= {"error before": "error_before", "error after": "error_after"}
        rows.fill(4, "Calibrated models", kept.subject, kept, wanted)
    for kept in material.of("other_prediction"):
        try:
            rows.add(
                4, "Other predictions", kept.subject, "probability of one item", kept, "quantity: probability"
            )
        except UnknownNameError:
            continue
        rows.add(4, "Other predictions", kept.subject, "objective", kept, "summary: objective")
        rows.add(4, "Other predictions", kept.subject, "note", kept, value="not calibrated on own data")
