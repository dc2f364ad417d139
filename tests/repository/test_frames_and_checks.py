from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Change, Event, Exclusion, Objective
from perfanalytics.repository.source import Source, SourceMeasure
from repository.samples import CSV, HOURS, MET, simple, tickets


def test_one_row_an_observation_with_typed_attributes(repo, csv):
    repo.load(tickets(csv(CSV)))
    frame = repo.frame("hours")
    assert list(frame.columns) == [
        "item",
        "when",
        "start",
        "hours",
        "hours_size",
        "hours_censored",
        "team",
        "prio",
    ]
    assert frame["item"].tolist() == ["a", "b", "c", "d"]
    assert frame["prio"].tolist() == [1, 2, 3, 1]
    assert frame["prio"].dtype.kind == "i"
    assert frame["hours"].dtype == float
    assert repo.frame("hours", where={"team": "North"})["item"].tolist() == ["a", "c"]
    assert repo.frame("hours", since="2024-05-03", until="2024-05-10")["item"].tolist() == ["b", "c"]


def test_several_measures_are_joined_on_the_item(repo, csv):
    repo.load(tickets(csv(CSV)))
    frame = repo.frame(["hours", "met"]).set_index("item")
    assert frame.loc["a", ["hours", "met"]].tolist() == [2.5, 1.0]
    assert np.isnan(frame.loc["d", "met"])
    assert list(frame.columns).count("team") == 1
    # a condition on an attribute that only one of them has
    assert repo.frame(["hours", "met"], where={"prio": [1, 2]})["item"].tolist() == ["a", "b", "d"]
    with pytest.raises(UnknownNameError, match="did you mean 'prio'"):
        repo.frame(["hours", "met"], where={"priox": 1})
    with pytest.raises(InputError, match="named twice"):
        repo.frame(["hours", "hours"])


def test_a_proportion_with_denominators_is_the_share_as_in_a_series(repo):
    when = pd.date_range("2024-01-01", periods=3)
    repo.load(simple([1, 3, 0], when, measure=MET, size=[10.0, 4.0, 0.0], item=list("abc")))
    frame = repo.frame("met")
    np.testing.assert_array_equal(frame["met"], repo.series("met").values)
    np.testing.assert_array_equal(frame["met"], [0.1, 0.75, np.nan])
    assert frame["met_size"].tolist() == [10, 4, 0]
    # other measures are their numerator, as in a series
    other = simple([1, 3, 0], when, size=[10.0, 4.0, 0.0])
    repo.load(Source("other", frame=other.frame, measures=other.measures))
    assert repo.frame("defects")["defects"].tolist() == repo.series("defects").values.tolist() == [1, 3, 0]


def test_what_cannot_be_joined(repo):
    when = pd.date_range("2024-01-01", periods=2)
    repo.load(simple([1, 2], when, item=["a", "a"]))
    other = simple([1, 0], when, measure=MET)
    repo.load(Source("other", frame=other.frame, measures=other.measures))
    with pytest.raises(InputError, match="several observations of 'a'"):
        repo.frame(["defects", "met"])
    with pytest.raises(InputError, match="without one"):
        repo.frame(["met", "defects"])


def test_checks_find_what_is_wrong(repo):
    frame = pd.DataFrame(
        {
            "k": ["a", "b", "c", "c", "d"],
            "start": pd.to_datetime(["2024-01-05", "2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01"]),
            "end": pd.to_datetime(["2024-01-04", "2024-01-01", "2024-01-03", "2024-01-03", None]),
            "h": [-24.0, 0.0, 48.0, 48.0, np.nan],
        }
    )
    repo.load(
        Source(
            "s", frame=frame, measures=(SourceMeasure(HOURS, value="h", when="end", start="start", item="k"),)
        )
    )
    found = repo.checks().set_index("check")
    assert found["observations"].unique().tolist() == [5]
    numbers = found["found"].to_dict()
    assert numbers == {
        "missing value": 0,
        "open item": 1,
        "ends before it starts": 1,
        "known before it happened": 0,
        "known before it starts": 0,
        "no denominator": 0,
        "future time": 0,
        "negative value": 1,
        "zero duration": 1,
        "exact duplicate": 1,
        "repeated item": 1,
        "out of range": 0,
    }
    assert found.loc["ends before it starts", "example"] == "a"
    assert found.loc["negative value", "share"] == 0.2


def test_checks_list_records_that_refer_to_nothing(repo):
    repo.load(simple([1, 2], ["2024-01-01", "2024-01-02"], item=["a", "b"], team=["North", "South"]))
    repo.declare(
        Objective("fast", measure="hours", target=24, direction="at_most"),
        Objective("few", measure="defects", target=2, direction="at_most"),
        Exclusion("no measure", measure="defect", item="a"),
        Exclusion("no item", item="z"),
        Exclusion("no day", when=dt.date(2024, 1, 3), measure="defects"),
        Exclusion("no label", label="x"),
        Exclusion("item", item="b"),
        Exclusion("day", when=dt.date(2024, 1, 2)),
        Event("flood", when=dt.date(2024, 1, 1), what="x", where={"tem": "North"}),
        Event("rain", when=dt.date(2024, 1, 1), what="x", where={"team": "North"}, measure="defects"),
        Change("tool", when=dt.date(2024, 1, 1), what="x", where={"group": "A"}),
    )
    found = repo.checks().query("example in @names", local_dict={"names": NAMES})
    told = dict(zip(found["example"], found["check"], strict=True))
    assert told == {
        "fast": "objective of no measure",
        "no measure": "exclusion of no measure",
        "no item": "exclusion of nothing",
        "no day": "exclusion of nothing",
        "no label": "exclusion of nothing",
        "flood": "event of no attribute",
        "tool": "change of no attribute",
    }
    meaning = found.set_index("example")["meaning"]
    assert meaning["no measure"] == "names a measure that was not loaded: did you mean 'defects'?"
    assert meaning["flood"] == "where names 'tem', which is no attribute: did you mean 'team'?"


NAMES = ["fast", "few", "no measure", "no item", "no day", "no label", "item", "day", "flood", "rain", "tool"]


def test_checks_of_an_empty_repository(repo):
    assert list(repo.checks().columns) == [
        "measure",
        "check",
        "meaning",
        "found",
        "observations",
        "share",
        "example",
    ]
