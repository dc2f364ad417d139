"""Small archives whose states are known by construction."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

import perfanalytics as perf

HOURS = perf.Measure(
    "hours",
    definition="Opened to resolved",
    unit="hours",
    better="lower",
    scale="duration",
    subprocess="Resolution",
)
COUNT = perf.Measure(
    "hand_overs",
    definition="Hand-overs",
    unit="hand-overs",
    better="lower",
    scale="count",
    subprocess="Routing",
)
PROCESSES = (
    perf.Process("Incident management", version="3"),
    perf.Process("Resolution", parent="Incident management", version="3"),
    perf.Process("Routing", parent="Incident management", version="3"),
)
BUSINESS = perf.BusinessObjective("Customers can work again", owner="Head")


def objective(name: str = "fast", **changes: Any) -> perf.Objective:
    """Four in five within 12 hours: what :func:`series` meets."""
    given: dict[str, Any] = {
        "measure": "hours",
        "target": 12.0,
        "direction": "at_most",
        "share": 0.8,
        "serves": BUSINESS.name,
        "declared_on": dt.date(2023, 12, 1),
    }
    return perf.Objective(name, **(given | changes))


def series(
    n: int = 60, *, start: str = "2024-01-01", shift: int | None = None, measure: perf.Measure = HOURS
) -> perf.Series:
    """Stable log-normal values about 7.4, a day apart; from ``shift`` on three times as large."""
    values = np.exp(np.random.default_rng(5).normal(2.0, 0.2, n))
    if shift is not None:
        values[shift:] *= 3
    return perf.Series(values, measure=measure, when=np.datetime64(start) + np.arange(n))


def newest(day: str = "2024-02-29", *names: str) -> dict[str, dt.datetime]:
    """Newest data of these measures (of hours by default)."""
    return {name: dt.datetime.fromisoformat(day) for name in names or ("hours",)}


def planned(name: str, what: str, **fields: Any) -> perf.PlannedAnalysis:
    """What a plan asks for."""
    return perf.PlannedAnalysis(name, what=what, **fields)
