"""Filtering, grouping, naming, what was known when, and what travels with a series."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.records import Change, Event, Exclusion, Process
from perfanalytics.repository.selection import Selection
from perfanalytics.repository.source import Source, SourceMeasure
from repository.samples import CSV, HOURS, MET, simple, tickets

T0 = pd.Timestamp("2024-01-01")


@pytest.fixture
def mixed(repo):
    n = 12
    repo.load(
        simple(
            list(range(n)),
            [T0 + pd.Timedelta(days=i) for i in range(n)],
            prio=[1, 2, 3] * 4,
            rate=[0.5, 1.5] * 6,
            team=["North", "South", None] * 4,
            flag=[True, False] * 6,
            day=[dt.date(2024, 1, 1), dt.date(2024, 2, 1)] * 6,
            code=["1", "2", "03"] * 4,
        )
    )
    return repo


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"prio": 3}, [2, 5, 8, 11]),
        ({"prio": "3"}, [2, 5, 8, 11]),
        ({"prio": 3.0}, [2, 5, 8, 11]),
        ({"prio": np.int64(3)}, [2, 5, 8, 11]),
        ({"prio": [1, 3]}, [0, 2, 3, 5, 6, 8, 9, 11]),
        ({"rate": 1.5}, [1, 3, 5, 7, 9, 11]),
        ({"rate": "1.50"}, [1, 3, 5, 7, 9, 11]),
        ({"flag": True}, [0, 2, 4, 6, 8, 10]),
        ({"flag": "false"}, [1, 3, 5, 7, 9, 11]),
        ({"team": "North"}, [0, 3, 6, 9]),
        ({"team": None}, [2, 5, 8, 11]),
        ({"team": ["South", None]}, [1, 2, 4, 5, 7, 8, 10, 11]),
        ({"day": dt.date(2024, 2, 1)}, [1, 3, 5, 7, 9, 11]),
        ({"day": "2024-02-01"}, [1, 3, 5, 7, 9, 11]),
        ({"code": 2}, [1, 4, 7, 10]),
        ({"code": "03"}, [2, 5, 8, 11]),
        ({"prio": 1, "flag": True}, [0, 6]),
    ],
)
def test_attributes_compare_by_value(mixed, where, expected):
    assert mixed.series("defects", where=where).values.tolist() == expected


def test_names_and_values_that_do_not_exist(mixed):
    with pytest.raises(UnknownNameError, match="did you mean 'defects'"):
        mixed.series("defect")
    with pytest.raises(UnknownNameError, match="did you mean 'prio'"):
        mixed.series("defects", where={"pri": 1})
    with pytest.raises(UnknownNameError, match="did you mean 'North'"):
        mixed.series("defects", where={"team": "Nort"})
    with pytest.raises(UnknownNameError, match="Known: 1, 2, 3"):
        mixed.series("defects", where={"prio": [1, 7]})
    with pytest.raises(UnknownNameError, match="value of 'prio'"):
        mixed.series("defects", where={"prio": None})
    with pytest.raises(UnknownNameError, match="did you mean 'team'"):
        mixed.batch("defects", by=("prio", "teem"))
    with pytest.raises(UnknownNameError, match="did you mean 'when'"):
        mixed.series("defects", time="whenn")
    for wrong in (
        {"prio": "high"},
        {"prio": 1.5},
        {"flag": "maybe"},
        {"day": "soon"},
        {"team": object()},
        {"team": []},
    ):
        with pytest.raises(InputError):
            mixed.series("defects", where=wrong)


def test_values_are_bound_and_never_run(mixed):
    with pytest.raises(UnknownNameError):
        mixed.series("defects", where={"team": "North'; DROP TABLE observation; --"})
    assert len(mixed.series("defects")) == 12


def test_groups_have_readable_ids_in_the_order_of_their_values(mixed):
    batch = mixed.batch("defects", by="prio")
    assert batch.ids == ("prio=1", "prio=2", "prio=3")
    assert batch["prio=2"].values.tolist() == [1, 4, 7, 10]
    batch = mixed.batch("defects", by=("team", "flag"), where={"prio": [1, 2]})
    assert batch.ids == (
        "team=North, flag=false",
        "team=North, flag=true",
        "team=South, flag=false",
        "team=South, flag=true",
    )
    assert mixed.batch("defects", by="team").ids[-1] == "team=(missing)"
    everything = np.sort(np.concatenate([s.values for s in mixed.batch("defects", by="code")]))
    assert everything.tolist() == list(range(12))
    with pytest.raises(InputError, match="twice"):
        mixed.batch("defects", by=("prio", "prio"))


def test_numbers_sort_as_numbers(repo):
    repo.load(simple([1, 2, 3], [T0] * 3, size_class=[10, 9, 100]))
    assert repo.batch("defects", by="size_class").ids == ("size_class=9", "size_class=10", "size_class=100")


def test_a_load_that_does_not_exist(mixed):
    for ask in (mixed.series, mixed.frame):
        with pytest.raises(UnknownNameError, match=r"unknown load .* Known: 1"):
            ask("defects", load_id=99)
    with pytest.raises(UnknownNameError, match="unknown load"):
        mixed.rejected(99)


def test_bounds_are_half_open(mixed):
    assert mixed.series("defects", since="2024-01-03", until="2024-01-05").values.tolist() == [2, 3]
    assert mixed.series("defects", since=dt.date(2024, 1, 11)).values.tolist() == [10, 11]
    assert mixed.series("defects", until=dt.datetime(2024, 1, 1, 0, 0, 1)).values.tolist() == [0]
    with pytest.raises(InputError, match="has a zone"):
        mixed.series("defects", since="2024-01-03T00:00+00:00")
    with pytest.raises(InputError, match="ISO form"):
        mixed.series("defects", since="3/1/2024")


def test_where_the_data_came_from_is_kept(mixed):
    series = mixed.series("defects", where={"prio": 3}, since="2024-01-02")
    provenance = series.provenance()
    assert provenance.load_ids == (1,)
    assert provenance.clock == "local"
    assert provenance.selection["where"] == {"prio": [3]}
    assert provenance.selection["since"] == "2024-01-02T00:00:00.000000"
    assert provenance.selection["as_of"] == "2024-01-12T00:00:00.000000"
    json.dumps(provenance.selection)


def test_a_selection_is_json(mixed):
    selection = mixed.select(
        "defects", by=("team", "prio"), where={"flag": True, "day": "2024-01-01"}, every="week"
    )
    again = Selection.from_record(json.loads(json.dumps(selection.to_record())))
    assert again == selection


def test_open_items_are_censored_at_the_last_event(repo, csv):
    repo.load(tickets(csv(CSV)))
    series = repo.series("hours")
    # ticket d began 10 May 9:00, the last time in the data
    assert series.selection["as_of"] == "2024-05-10T09:00:00.000000"
    assert series.values.tolist() == [2.5, 24.0, 144.0, 0.0]
    assert series.censored.tolist() == [False, False, False, True]
    assert series.items.tolist() == ["a", "b", "c", "d"]
    later = repo.series("hours", as_of="2024-05-12T21:00")
    assert later.values[-1] == 60.0
    assert str(later.when[-1]) == "2024-05-12T21:00:00.000000"


def test_what_was_known_then(repo, csv):
    repo.load(tickets(csv(CSV)))
    series = repo.series("hours", as_of="2024-05-03T12:00")
    # c is open since 9:00, b was closed in the morning, d has not begun
    assert series.items.tolist() == ["a", "b", "c"]
    assert series.values.tolist() == [2.5, 24.0, 3.0]
    assert series.censored.tolist() == [False, False, True]
    # a date is its whole day
    assert repo.series("hours", as_of="2024-05-01").items.tolist() == ["a"]
    assert len(repo.series("hours", as_of="2024-04-30")) == 0
    assert repo.series("hours", as_of="2024-05-03T12:00", time="start").when.astype("datetime64[D]").astype(
        str
    ).tolist() == ["2024-05-01", "2024-05-02", "2024-05-03"]


def test_known_is_when_the_value_became_known(repo):
    frame = pd.DataFrame(
        {
            "k": ["a", "b", "c"],
            "begun": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
            "h": [48.0, 240.0, np.nan],
            "done": pd.to_datetime(["2024-01-03", "2024-01-12", None]),
        }
    )
    measure = SourceMeasure(HOURS, value="h", when="begun", start="begun", known="done", item="k")
    repo.load(Source("s", frame=frame, key="k", measures=(measure,)))
    now = repo.series("hours")
    # an item keeps its place on the axis, open or not
    assert now.items.tolist() == ["a", "b", "c"]
    assert now.values.tolist() == [48.0, 240.0, 216.0]
    then = repo.series("hours", as_of="2024-01-04T00:00")
    assert then.values.tolist() == [48.0, 48.0, 24.0]
    assert then.censored.tolist() == [False, True, True]
    weeks = repo.series("hours", every="week", statistic="median")
    assert "lower bounds" in weeks.selection["caution"]
    assert weeks.covariates["open_items"].tolist() == [1, 0]


def test_open_items_without_a_time_of_their_own_are_in_no_period(repo, csv):
    repo.load(tickets(csv(CSV)))
    weeks = repo.series("hours", every="week", statistic="count")
    assert weeks.values.tolist() == [2, 1]
    assert weeks.selection["open_items_without_period"] == 1
    assert repo.series("hours", every="week", statistic="count", time="start").values.tolist() == [3, 1]


def test_declared_lower_bounds(repo):
    frame = pd.DataFrame({"v": [1.0, 2.0], "t": [T0, T0], "cut": [False, True]})
    repo.load(Source("s", frame=frame, measures=(SourceMeasure(HOURS, value="v", when="t", censored="cut"),)))
    assert repo.series("hours").censored.tolist() == [False, True]


def test_a_missing_value_at_a_known_time_is_a_gap(repo):
    repo.load(simple([1.0, np.nan, 3.0], [T0, T0 + pd.Timedelta(days=1), T0 + pd.Timedelta(days=2)]))
    values = repo.series("defects").values
    assert values[[0, 2]].tolist() == [1, 3]
    assert np.isnan(values[1])
    assert repo.series("defects", every="month", statistic="count").values.tolist() == [2]


def test_events_and_changes_travel_when_they_match(mixed):
    mixed.declare(
        Event("everywhere", when=dt.date(2024, 1, 5), what="holiday"),
        Event("other measure", when=dt.date(2024, 1, 5), what="x", measure="hours"),
        Event("north only", when=dt.date(2024, 1, 3), what="flood", where={"team": "North"}),
        Change("new tool", when=dt.datetime(2024, 1, 4, 12), what="tool", process="incidents"),
        Change("for all", when=dt.date(2024, 1, 9), what="policy"),
    )
    assert [e.name for e in mixed.series("defects").events] == ["everywhere", "for all"]
    north = mixed.series("defects", where={"team": "North"})
    assert [e.name for e in north.events] == ["north only", "everywhere", "for all"]
    assert [e.name for e in mixed.series("defects", where={"team": ["North", "South"]}).events] == [
        "everywhere",
        "for all",
    ]


def test_a_change_of_a_process_belongs_to_the_measures_under_it(repo):
    from dataclasses import replace

    repo.load(simple([1.0], [T0], measure=replace(MET, subprocess="triage")))
    repo.declare(
        Process("support"),
        Process("triage", parent="support"),
        Change("a", when=dt.date(2024, 1, 1), what="x", process="support"),
        Change("b", when=dt.date(2024, 1, 1), what="x", process="billing"),
    )
    assert [e.name for e in repo.series("met").events] == ["a"]


def test_exclusions_travel_and_stay_visible(repo):
    repo.load(
        simple([1, 2, 3], [T0, T0 + pd.Timedelta(days=1), T0 + pd.Timedelta(days=9)], item=["a", "b", "c"])
    )
    repo.declare(
        Exclusion("wrong entry", item="b", measure="defects", who="ana"),
        Exclusion("flood", when=dt.date(2024, 1, 10), who="ana"),
        Exclusion("elsewhere", item="a", measure="hours"),
    )
    series = repo.series("defects")
    mask, _ = series.excluded()
    assert mask.tolist() == [False, True, True]
    weeks = repo.series("defects", every="week")
    mask, why = weeks.excluded()
    assert mask.tolist() == [False, True]
    assert why[1].reason == "flood"
    # a wrong entry is not counted, its week stays
    assert weeks.values.tolist() == [1, 3]
    assert weeks.selection["excluded_observations"] == [
        {"reason": "wrong entry", "who": "ana", "item": "b", "observations": 1}
    ]
    repo.declare(Exclusion("by label", label="x"))
    assert repo.series("defects").selection["exclusions_not_applicable"] == 1
    with pytest.raises(InputError, match="by when= or item="):
        repo.declare(Exclusion("x", point=3))


def test_the_time_at_which_items_began(repo):
    frame = pd.DataFrame(
        {
            "v": [1.0, 2.0, 3.0],
            "t": [T0, T0, T0],
            "s": [T0 - pd.Timedelta(days=1), None, T0 - pd.Timedelta(days=2)],
        }
    )
    repo.load(Source("s", frame=frame, measures=(SourceMeasure(HOURS, value="v", when="t", start="s"),)))
    began = repo.series("hours", time="start", since="2023-12-30", until="2024-02-01")
    assert began.values.tolist() == [3.0, 1.0]
    assert began.selection["observations_without_start"] == 1  # said, not silent
    repo.load(simple([1.0], [T0]))
    with pytest.raises(InputError, match="without start="):
        repo.series("defects", time="start")
