"""Periods that the data cover only in part, and exclusions that name less than a period."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.records import Exclusion
from perfanalytics.repository.mapping import run
from repository.samples import DEFECTS, HOURS, simple
from repository.test_mapping import summary

#: Two items a day from Monday 1 January to Wednesday 24 January.
DAYS = [d for d in pd.date_range("2024-01-01 09:00", "2024-01-24 09:00") for _ in "ab"]


@pytest.mark.parametrize("statistic", ["count", "sum"])
def test_a_number_or_sum_of_a_part_of_a_period_is_not_used_for_limits(repo, statistic):
    repo.load(simple([1.0] * len(DAYS), DAYS))
    weeks = repo.series("defects", every="week", statistic=statistic)
    assert weeks.values.tolist() == [14, 14, 14, 6]
    mask, why = weeks.excluded()
    # the data begin on a Monday: the first week is complete
    assert mask.tolist() == [False, False, False, True]
    record = why[3]
    assert record.reason == "incomplete period: data end on 2024-01-24"
    assert (record.who, record.decided_on) == ("perfanalytics", dt.date(2024, 1, 24))
    assert weeks.covariates["incomplete"].tolist() == mask.tolist()
    assert weeks.selection["incomplete_periods"] == (
        "excluded, and flagged in covariate 'incomplete': 2024-01-22 (data end on 2024-01-24)"
    )


@pytest.mark.parametrize("statistic", ["share", "mean", "median", "maximum", "p90"])
def test_shares_means_and_percentiles_of_a_part_stand(repo, statistic):
    repo.load(simple([1.0] * len(DAYS), DAYS))
    weeks = repo.series("defects", every="week", statistic=statistic)
    assert not weeks.excluded()[0].any()
    assert weeks.covariates["incomplete"].tolist() == [False, False, False, True]
    assert weeks.selection["incomplete_periods"].startswith("flagged in covariate 'incomplete': 2024-01-22")


def test_first_periods_bounds_and_states_of_knowledge(repo):
    repo.load(simple([1.0] * len(DAYS), DAYS))

    def cut(**asked):
        series = repo.series("defects", **{"every": "week", "statistic": "count"} | asked)
        why = series.excluded()[1]
        assert sorted(why) == np.flatnonzero(series.covariates["incomplete"]).tolist()
        return {k: e.reason.removeprefix("incomplete period: ") for k, e in why.items()}

    assert cut(since="2024-01-03") == {
        0: "asked for only from 2024-01-03",
        3: "data end on 2024-01-24",
    }
    assert cut(until="2024-01-17") == {2: "asked for only until 2024-01-17"}
    assert cut(until="2024-01-22") == {}
    assert cut(until="2024-01-29") == {3: "data end on 2024-01-24"}
    assert cut(as_of="2024-01-16T12:00") == {2: "data end on 2024-01-16"}
    assert cut(week_start="sunday")[0] == "data begin on 2024-01-01"
    assert cut(every="month") == {0: "data end on 2024-01-24"}
    assert cut(every="year", since="2024-01-02") == {
        0: "asked for only from 2024-01-02, data end on 2024-01-24"
    }
    assert cut(every="day") == {}
    assert repo.series("defects", every="day").selection["incomplete_periods"] == "none"
    assert cut(every="hour") == {}  # all stand on the first instant of an hour: they describe whole hours


def test_an_own_reason_stands_before_ours(repo):
    repo.load(simple([1.0] * len(DAYS), DAYS))
    repo.declare(Exclusion("strike", when=dt.date(2024, 1, 23), who="ana"))
    assert repo.series("defects", every="week").excluded()[1][3].reason == "strike"


def test_series_of_a_batch_and_of_a_run_share_the_time_that_is_covered(repo):
    group = ["x" if i % 2 else "y" for i in range(len(DAYS))]
    repo.load(simple([1.0] * len(DAYS), DAYS, group=group))
    batch = repo.batch("defects", by="group", every="week", statistic="count")
    assert [s.excluded()[0].tolist() for s in batch] == [[False, False, False, True]] * 2
    from perfanalytics.core.bulk import BulkMethod
    from perfanalytics.core.result import Method

    method = BulkMethod(
        method=Method("left_out"),
        columns={"n": "integer"},
        apply=lambda b: {"n": np.array([int(s.excluded()[0].sum()) for s in b])},
    )
    found = repo.map(
        repo.select("defects", by="group", every="week", statistic="count"), method, progress=False
    )
    assert found.to_frame()["n"].tolist() == [1, 1]


def test_a_day_that_is_excluded_leaves_the_rest_of_its_week(repo):
    values = [100.0 if d.day == 10 else 1.0 for d in DAYS]
    repo.load(simple(values, DAYS, measure=HOURS))
    repo.declare(Exclusion("flood", when=dt.date(2024, 1, 10), who="ana", measure="hours"))
    weeks = repo.series("hours", every="week")
    assert weeks.values.tolist() == [1, 1, 1, 1]
    assert weeks.weights.tolist() == [14, 12, 14, 6]
    assert not weeks.excluded()[0].any()
    assert weeks.selection["excluded_observations"] == [
        {"reason": "flood", "who": "ana", "when": "2024-01-10", "observations": 2}
    ]
    # of days it is a whole period: the point stays visible, with its reason
    daily = repo.series("hours", every="day")
    assert daily.values[9] == 100
    assert {k: e.reason for k, e in daily.excluded()[1].items()} == {9: "flood"}
    assert "excluded_observations" not in daily.selection
    # a count without one of its days is no count of a week
    assert repo.series("hours", every="week", statistic="count").excluded()[0].tolist() == [
        False,
        True,
        False,
        True,
    ]


def test_spans_exclude_whole_periods_as_points_and_parts_by_observation(repo):
    repo.load(simple([1.0] * len(DAYS), DAYS, measure=HOURS))
    repo.declare(Exclusion("move", when=dt.date(2024, 1, 6), until=dt.datetime(2024, 1, 15, 23, 59)))
    weeks = repo.series("hours", every="week", statistic="median")
    assert weeks.weights.tolist() == [10, 14, 12, 6]  # Saturday and Sunday; the week; Monday
    assert weeks.excluded()[0].tolist() == [False, True, False, False]
    assert [e["observations"] for e in weeks.selection["excluded_observations"]] == [4, 2]


def test_the_start_of_a_period_names_its_point(repo):
    repo.load(simple([1.0] * len(DAYS), DAYS, measure=HOURS))
    repo.declare(Exclusion("seen on the chart", when=dt.datetime(2024, 1, 8)))
    weeks = repo.series("hours", every="week")
    assert weeks.excluded()[0].tolist() == [False, True, False, False]
    assert weeks.weights.tolist() == [14, 14, 14, 6]


def test_an_item_or_a_series_is_left_out_alone(repo):
    group = ["x" if i % 2 else "y" for i in range(len(DAYS))]
    items = [str(i) for i in range(len(DAYS))]
    repo.load(simple([1.0] * len(DAYS), DAYS, group=group, item=items))
    repo.declare(
        Exclusion("typing error", item="3"),
        Exclusion("x only", when=dt.date(2024, 1, 9), series="group=x"),
    )
    batch = repo.batch("defects", by="group", every="week", statistic="mean")
    assert batch["group=x"].weights.tolist() == [6, 6, 7, 3]
    assert batch["group=y"].weights.tolist() == [7, 7, 7, 3]
    # without groups the record about one of them does not apply
    assert repo.series("defects", every="week").values.tolist() == [13, 14, 14, 6]
    selection = repo.select("defects", by="group", every="week", statistic="mean")
    hashes = run(repo._engine, selection, summary(), progress=False).to_frame()["hash"].tolist()
    assert hashes == list(batch.hashes())


def test_what_is_excluded_does_not_shorten_the_data(repo):
    repo.load(simple([1.0] * len(DAYS), DAYS, item=[str(i) for i in range(len(DAYS))]))
    repo.declare(*[Exclusion("doubled", item=str(i)) for i in (0, 1, 46, 47)])
    weeks = repo.series("defects", every="week", statistic="count")
    assert weeks.values.tolist() == [12, 14, 14, 4]
    assert weeks.excluded()[0].tolist() == [False, False, False, True]
    assert DEFECTS.scale == "count"
