"""Data quality of a measure: what each check finds, what it does not, the real data, definitions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.core.digit_preference import digit_preference, step_of
from perfanalytics.core.errors import InputError, UnknownNameError
from repository.samples import HOURS
from repository.test_real_data import file, incidents


def loaded(repo: Any, frame: pd.DataFrame, name: str = "s", **parts: Any) -> DataQuality:
    measure = perf.SourceMeasure(HOURS, value="h", when="t", item="k", attributes=("team",), **parts)
    repo.load(perf.Source(name, frame=frame, key="k", measures=(measure,)))
    return repo.data_quality("hours")


def clean(n: int = 1500, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    t = np.datetime64("2023-01-02") + np.sort(rng.integers(0, 86_400 * 300, n)).astype("timedelta64[s]")
    return pd.DataFrame(
        {
            "k": [f"i{i}" for i in range(n)],
            "t": t,
            "h": rng.lognormal(2, 0.8, n),
            "team": rng.choice(["North", "South"], n),
        }
    )


def standing(found: DataQuality) -> dict[str, str]:
    return dict(zip(found.check.tolist(), found.standing.tolist(), strict=True))


def test_clean_data_are_fine(repo):
    found = loaded(repo, clean())
    assert set(found.standing.tolist()) == {"fine"}
    assert found.verdict == f"hours: 1,500 observations; nothing found by {len(found.check)} checks."
    assert found.caveats == ()
    assert np.isnan(found.digit_step)
    assert found.every == "week"
    assert int(found.volume.sum()) == 1500
    assert DataQuality.from_record(json.loads(json.dumps(found.to_record()))) == found
    assert found.summary()["fine"].iloc[0] == len(found.check)


def test_a_change_of_volume_and_mix_is_dated(repo):
    frame = clean()
    middle = np.datetime64("2023-06-05")
    late = frame["t"] >= middle
    frame = frame[~late | (np.arange(len(frame)) % 3 == 0)].copy()
    later = frame["t"] >= middle
    frame.loc[later, "team"] = np.where(
        np.random.default_rng(2).random(int(later.sum())) < 0.9, "North", "South"
    )
    found = loaded(repo, frame)
    assert standing(found)["sudden change of volume"] == "look"
    assert standing(found)["sudden change of mix"] == "look"
    assert found.changed_at is not None
    assert abs((found.changed_at - middle) / np.timedelta64(1, "D")) <= 14
    assert "observations a week until" in found.verdict


def test_changes_are_seldom_called_where_there_are_none(repo):
    called = 0
    for seed in range(12):
        with perf.Repository.open(":memory:") as own:
            found = loaded(own, clean(seed=100 + seed))
        called += any(s == "look" for s in found.standing.tolist())
    assert called <= 2


def test_impossible_values_are_wrong_and_missing_ones_are_to_be_looked_at(repo):
    frame = clean(200)
    frame["b"] = frame["t"] - pd.Timedelta("1h")
    frame.loc[4, "b"] = frame.loc[4, "t"] + pd.Timedelta("2h")
    frame.loc[[7, 8], "team"] = None
    frame.loc[9, "h"] = -1.0
    found = loaded(repo, frame, start="b", valid=(None, 1000))
    told = standing(found)
    assert told["ends before it starts"] == told["negative value"] == "wrong"
    assert told["missing attribute"] == "look"
    assert found.verdict.startswith("hours: 200 observations. Wrong: 1 times ends before it starts")
    assert {"negative-value", "missing-attribute"} <= set(found.caveat_codes)


def test_values_out_of_the_declared_range(repo):
    frame = clean(100)
    frame.loc[0, "h"] = 5000.0
    found = loaded(repo, frame, valid=(0, 1000))
    assert standing(found)["out of range"] == "wrong"


def test_what_an_earlier_load_should_have_held_arrived_late(repo):
    frame = clean(100)
    missing = frame.index.isin([10, 20])
    assert standing(loaded(repo, frame[~missing]))["late arrival"] == "fine"
    found = loaded(repo, frame)
    place = found.check.tolist().index("late arrival")
    assert (found.standing[place], found.found[place]) == ("look", 2)


def test_rounding_habits():
    rng = np.random.default_rng(1)
    exact = np.round(rng.lognormal(4, 0.6, 3000))
    assert digit_preference(exact).p_value > 0.001
    fives = np.where(rng.random(3000) < 0.4, 5 * np.round(exact / 5), exact)
    found = digit_preference(fives)
    assert found.multiple == 5
    assert found.p_value < 1e-10
    assert found.effect > 0.1
    assert found.rounded == pytest.approx(np.mean(fives[fives >= 10] % 5 == 0))
    # a steep distribution is no habit
    assert digit_preference(np.floor(rng.exponential(12, 5000))).effect < 0.1
    assert step_of(np.array([0.5, 2.0, 7.5])) == 0.5
    assert np.isnan(digit_preference(np.array([])).step)
    assert digit_preference(np.arange(20.0)).seen.size == 0  # too few


def test_false_alarms_of_digit_preference():
    rng = np.random.default_rng(3)
    found = [digit_preference(np.round(rng.lognormal(4, 0.6, 2000))) for _ in range(200)]
    assert np.mean([f.p_value < 0.01 for f in found]) <= 0.05


def test_a_measure_needs_its_definition_before_data_are_analyzed(repo):
    vague = perf.Measure("hours", definition=" ", unit="hours", better="lower", scale="duration")
    for use in (
        lambda: perf.SourceMeasure(vague, value="h", when="t"),
        lambda: perf.Series([1.0, 2.0], measure=vague),
        lambda: repo.declare(vague),
        lambda: perf.baseline(perf.Series([1.0, 2.0], measure=vague)),
    ):
        with pytest.raises(InputError, match="'hours' has no operational definition"):
            use()
    assert perf.baseline(pd.Series([1.0, 2.0, 3.0], name="hours")).measure.name == "hours"  # bare numbers


def test_unknown_measure(repo):
    loaded(repo, clean(50))
    with pytest.raises(UnknownNameError, match="did you mean 'hours'"):
        repo.data_quality("hour")


def test_incidents(real_data, repo):
    repo.load(incidents(file(real_data, "incidents_servicenow_uci.csv.gz")))
    found = repo.data_quality("hours")
    told = standing(found)
    assert told["sudden change of volume"] == "look"  # nearly all of it March to May 2016
    assert str(found.changed_at)[:10] == "2016-06-06"
    assert found.digit_step == pytest.approx(1 / 60)  # minutes
    assert told["digit preference"] == "fine"
    place = found.check.tolist().index("open item")
    assert found.found[place] == 1556


def test_estimates_of_sip_are_rounded(real_data, repo):
    path = file(real_data, "sip_tasks.csv.gz")
    estimate = perf.Measure(
        "estimate", definition="As estimated", unit="hours", better="unknown", scale="positive"
    )
    measure = perf.SourceMeasure(
        estimate, value="HoursEstimate", when="make_date(2004, 1, 1)", item="TaskNumber::varchar"
    )
    columns = {"HoursEstimate": "number", "TaskNumber": "integer"}
    repo.load(perf.Source("sip", file=path, encoding="cp1252", columns=columns, measures=(measure,)))
    found = repo.data_quality("estimate")
    assert standing(found)["digit preference"] == "look"
    assert "they are rounded" in found.verdict


def test_7digital_lacks_sizes(real_data, repo):
    path = file(real_data, "features_7digital.csv.gz")
    cycle = perf.Measure("cycle", definition="As recorded", unit="days", better="lower", scale="duration")
    dates = ("Prioritised", "Dev.Started", "Done")
    measure = perf.SourceMeasure(
        cycle, value='"Cycle.Time"', when="Done", attributes={"type": "Type", "size": "Size"}
    )
    repo.load(
        perf.Source(
            "features",
            file=path,
            missing=("NA", ""),
            columns=dict.fromkeys(dates, "date") | {"Cycle.Time": "integer"},
            formats=dict.fromkeys(dates, "%d/%m/%Y"),
            measures=(measure,),
        )
    )
    found = repo.data_quality("cycle")
    missing = found.found[found.check == "missing attribute"].tolist()
    assert sorted(missing) == [1, 1544]


def test_the_quality_of_a_part_counts_what_the_series_of_the_part_has(repo):
    frame = clean(600)
    frame["resolved"] = frame["t"] + pd.to_timedelta(frame["h"], unit="D")
    frame.loc[3, "h"] = -1.0
    frame["team"] = frame["team"].where(np.arange(600) != 3, "South")
    measure = perf.SourceMeasure(
        HOURS, value="h", when="t", start="t", known="resolved", item="k", attributes=("team",)
    )
    repo.load(perf.Source("s", frame=frame, key="k", measures=(measure,)))
    part = {"where": {"team": "North"}, "since": "2023-03-01", "as_of": "2023-06-30"}
    found = repo.data_quality("hours", **part)
    series = repo.series("hours", **part)
    assert found.n == len(series.values)
    assert (found.found[found.check == "open item"] == series.censored.sum()).all()
    end = pd.Timestamp("2023-07-01")
    own = frame[(frame["team"] == "North") & (frame["t"] >= "2023-03-01") & (frame["t"] < end)]
    assert found.n == len(own)
    assert series.censored.sum() == (own["resolved"] >= end).sum()
    assert standing(found)["negative value"] == "fine"
    assert standing(repo.data_quality("hours"))["negative value"] == "wrong"
    assert dict(found.provenance.selection)["where"] == {"team": ("North",)}
    assert repo.data_quality("hours").provenance.selection == {}
    with pytest.raises(UnknownNameError, match="value of 'team'"):
        repo.data_quality("hours", where={"team": "Nowhere"})
