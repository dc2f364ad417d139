"""Data and records for the tests of organizational performance management."""

from __future__ import annotations

import datetime as dt

import numpy as np

import perfanalytics as perf

HOURS = perf.Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="real")
DURATION = perf.Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="duration")
SHARE = perf.Measure("on_time", definition="On time, 0 or 1", unit="1", better="higher", scale="proportion")
MONDAY = np.datetime64("2024-01-01")


def weeks(values, *, measure=HOURS, sizes=None, start=MONDAY):
    """A weekly series."""
    when = start + 7 * np.arange(len(values))
    return perf.Series(values, measure=measure, when=when, sizes=sizes, expected_every="week")


def shifted(n=60, at=30, by=-4.0, *, level=30.0, seed=1, spread=1.0, measure=HOURS):
    """A weekly series whose level changes by so much from one week on."""
    noise = np.random.default_rng(seed).standard_normal(n) * spread
    return weeks(level + noise + by * (np.arange(n) >= at), measure=measure)


def monday(k):
    """The Monday of week k as a date."""
    return (MONDAY + 7 * k).astype(object)


def criterion(**given):
    """A success criterion of the proposal P about hours."""
    chosen = {"proposal": "P", "measure": "hours", "declared_on": dt.date(2024, 1, 2)} | given
    return perf.SuccessCriterion("asked", **chosen)


def pilot(since, until, **given):
    """A pilot of the proposal P in these weeks."""
    return perf.Pilot(
        "trial", proposal="P", measure="hours", since=monday(since), until=monday(until), **given
    )


def back(result):
    """A result, saved as JSON text and read back."""
    import json

    return type(result).from_record(json.loads(json.dumps(result.to_record(), allow_nan=False)))
