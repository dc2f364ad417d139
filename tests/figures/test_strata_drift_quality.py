"""Figures of strata, drift and data quality: the record behind the picture."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

import perfanalytics as perf
from perfanalytics.figures import data_quality, drift, strata
from perfanalytics.figures.as_json import figure_json

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")


def tickets() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    team = rng.choice([f"team {i:02d}" for i in range(40)], 900)
    hours = rng.lognormal(1, 0.5, 900) * np.where(team < "team 10", 3, 1)
    when = np.datetime64("2024-01-01") + np.arange(900).astype("timedelta64[h]") * 6
    return pd.DataFrame({"t": when, "hours": hours, "team": team, "shift": np.tile(["day", "night"], 450)})


def test_strata() -> None:
    made = perf.strata(tickets(), value="hours", by=["shift", "team"], measure=HOURS)
    record = strata.info(made)
    assert record.attribute.tolist() == ["shift", "team"]  # the strongest at the top
    assert len(record.stratum) == strata.DRAWN
    assert record.hidden == 10
    assert (np.diff(record.shrunk) >= 0).all()
    assert record.log
    figure = strata.draw(made)
    assert figure["layout"]["xaxis2"]["type"] == "log"
    assert "10 smaller ones" in figure["layout"]["annotations"][1]["text"]
    perf.plot(made)


def test_drift() -> None:
    values = tickets()["hours"].to_numpy()[:160].copy()
    values[100:] *= 4
    when = np.datetime64("2024-01-01") + np.arange(160)
    base = perf.baseline(perf.Series(values[:100], measure=HOURS, when=when[:100]))
    found = base.drift(perf.Series(values[100:], measure=HOURS, when=when[100:]))
    record = drift.info(found)
    assert len(record.old_y) == 100
    assert int(record.outside.sum()) == int(
        np.sum((values[100:] > record.high) | (values[100:] < record.low))
    )
    assert record.aspect.tolist() == ["share outside", "shape", "spread", "location"]
    figure = drift.draw(found)
    assert figure["layout"]["title"]["text"] == "hours: the baseline no longer fits"
    perf.plot(found)


def test_data_quality() -> None:
    frame = tickets()
    frame["hours"] = 5 * np.round(frame["hours"] * 10 / 5)
    frame.loc[3:9, "team"] = None
    with perf.Repository.open(":memory:") as repo:
        measure = perf.SourceMeasure(HOURS, value="hours", when="t", attributes=("team", "shift"))
        repo.load(perf.Source("s", frame=frame, measures=(measure,)))
        found = repo.data_quality("hours")
    record = data_quality.info(found)
    assert "missing attribute: team" in record.check.tolist()
    assert "digit preference" in record.check.tolist()
    assert record.digit_seen.sum() == 1
    assert record.fine + len(record.check) == len(found.check)
    figure = data_quality.draw(found)
    assert "in steps of 1 hours" in figure["layout"]["xaxis2"]["title"]["text"]
    json.loads(figure_json(figure))
    perf.plot(found)
