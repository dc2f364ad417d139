from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfanalytics.core.coerce import as_batch, as_series
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import UNNAMED, Measure
from perfanalytics.core.records import Exclusion
from perfanalytics.core.series import Series, SeriesBatch

HOURS = Measure("hours", definition="d", unit="h", better="lower", scale="duration")


def days(n, start="2024-01-01"):
    return np.datetime64(start, "us") + np.arange(n) * np.timedelta64(1, "D")


def test_a_series_is_a_batch_of_one():
    s = Series([1.0, 2, 3], measure=HOURS, when=days(3), sizes=[1, 2, 3], labels=["a", "b", "c"])
    batch = s.as_batch()
    assert len(batch) == 1
    assert batch[0].values.tolist() == [1, 2, 3]
    assert batch[0].labels.tolist() == ["a", "b", "c"]
    assert batch[0].data_hash() == s.data_hash()


def test_columns_are_read_only_and_the_callers_array_is_left_alone():
    mine = np.array([1.0, 2.0])
    s = Series(mine)
    mine[0] = 99
    assert s.values.tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        s.values[0] = 5


def test_a_list_an_array_and_a_pandas_series_are_taken():
    assert as_series([1, 2]).measure == UNNAMED
    assert as_series(np.array([1, 2])).values.dtype == np.float64
    s = as_series(pd.Series([1.0, None, 3], index=pd.date_range("2024-01-01", periods=3), name="waiting"))
    assert s.measure.name == "waiting"
    assert s.measure.better == "unknown"
    assert np.isnan(s.values[1])
    assert s.when[0] == np.datetime64("2024-01-01")
    assert s.clock == "local"
    assert as_series(pd.Series([1, 2, None], dtype="Int64")).values[:2].tolist() == [1, 2]


def test_times_with_a_zone_are_kept_in_utc_and_said_so():
    s = as_series(pd.Series([1.0], index=pd.DatetimeIndex(["2024-07-01 12:00"], tz="Europe/Berlin")))
    assert s.clock == "UTC"
    assert s.when[0] == np.datetime64("2024-07-01T10:00")
    zone = dt.timezone(dt.timedelta(hours=-5))
    t = Series([1.0], when=[dt.datetime(2024, 1, 1, 20, tzinfo=zone)])
    assert t.when[0] == np.datetime64("2024-01-02T01:00")
    assert t.provenance().clock == "UTC"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": ["a"]}, "numbers"),
        ({"values": [1.0, np.inf]}, "infinite value at point 1"),
        ({"values": [1.0, 2], "sizes": [1]}, "sizes must have one entry"),
        ({"values": [1.0, 2], "sizes": [1, -1]}, "not negative; point 1"),
        ({"values": [1.0, 2], "when": ["2024-01-02", "2024-01-01"]}, "times go backwards at point 1"),
        ({"values": [1.0, 2], "when": ["2024-01-02", None]}, "not a time: NaT"),
        ({"values": [1.0], "when": ["yesterday"]}, "ISO form"),
        ({"values": np.zeros((2, 2, 2))}, "shape"),
        ({"values": [1.0], "exclusions": [0]}, "Exclusion"),
    ],
)
def test_bad_input_says_what_is_wrong(arguments, message):
    with pytest.raises(InputError, match=message):
        Series(**arguments)


def test_mixed_zones_are_refused():
    zone = dt.UTC
    with pytest.raises(InputError, match="some times have a zone"):
        Series([1.0, 2], when=[dt.datetime(2024, 1, 1, tzinfo=zone), dt.datetime(2024, 1, 2)])


def test_an_unknown_scale_or_direction_names_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'duration'"):
        Measure("m", definition="d", unit="h", better="lower", scale="durations")
    with pytest.raises(UnknownNameError, match="did you mean 'lower'"):
        Measure("m", definition="d", unit="h", better="lowr", scale="duration")


def test_absent_periods_are_breaks():
    when = days(10)[[0, 1, 2, 5, 6, 7]]
    s = Series(np.arange(6.0), when=when, expected_every="day")
    assert s.breaks.tolist() == [False, False, False, True, False, False]
    assert Series(np.arange(6.0), when=when).breaks is None
    batch = SeriesBatch.from_series({"a": s, "b": s})
    assert batch.breaks.tolist() == [False, False, False, True, False, False] * 2


def test_between_is_half_open():
    s = Series(np.arange(4.0), when=days(4))
    assert s.between("2024-01-02", "2024-01-04").values.tolist() == [1, 2]
    assert s.between(dt.date(2024, 1, 3)).values.tolist() == [2, 3]
    with pytest.raises(InputError, match="no times"):
        Series([1.0]).between("2024-01-01")


def test_exclusions_name_points_in_four_ways():
    s = Series(
        [1.0, 2, 3, 4],
        when=days(4),
        labels=["a", "b", "c", "d"],
        items=["i1", "i2", "i3", "i4"],
        exclusions=[
            Exclusion("r", point=0),
            Exclusion("r", when=dt.date(2024, 1, 2)),
            Exclusion("r", label="c"),
        ],
    )
    mask, by = s.excluded()
    assert mask.tolist() == [True, True, True, False]
    assert by[2].label == "c"
    span = Series(
        s.values,
        when=s.when,
        exclusions=[Exclusion("r", when=dt.date(2024, 1, 2), until=dt.date(2024, 1, 3))],
    )
    assert span.excluded()[0].tolist() == [False, True, True, False]


def test_an_exclusion_needs_a_reason_and_an_existing_point():
    with pytest.raises(InputError, match="reason"):
        Exclusion("", point=1)
    with pytest.raises(InputError, match="exactly one"):
        Exclusion("why", point=1, label="a")
    with pytest.raises(InputError, match="has 2 points"):
        Series([1.0, 2], exclusions=[Exclusion("why", point=5)]).excluded()


def test_taking_a_part_moves_the_exclusions_along():
    s = Series(np.arange(5.0), exclusions=[Exclusion("r", point=3), Exclusion("r", point=0)])
    part = s.take(2)
    assert [e.point for e in part.exclusions] == [1]


@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    seed=st.integers(0, 2**16),
)
def test_a_batch_gives_its_series_back(lengths, seed):
    rng = np.random.default_rng(seed)
    series = {
        f"s{i}": Series(rng.normal(size=n), when=days(n), sizes=rng.integers(1, 9, n))
        for i, n in enumerate(lengths)
    }
    batch = as_batch(series)
    assert len(batch) == len(lengths)
    for i, (name, s) in enumerate(series.items()):
        assert batch[name].data_hash() == s.data_hash() == batch.hashes()[i]
        assert batch[i].values.tolist() == s.values.tolist()


def test_the_hash_depends_on_values_sizes_and_times_only():
    a = Series([1.0, 2], sizes=[3, 4])
    assert a.data_hash() == Series([1.0, 2], sizes=[3, 4], labels=None).data_hash()
    assert a.data_hash() != Series([1.0, 2], weights=[3, 4]).data_hash()
    assert a.data_hash() != Series([1.0, 2], sizes=[3, 5]).data_hash()
    assert a.data_hash() != Series([1.0, 2.0000000001], sizes=[3, 4]).data_hash()


def test_offsets_and_ids_are_checked():
    with pytest.raises(InputError, match="offsets"):
        SeriesBatch([1.0, 2], [0, 1], ids=["a"])
    with pytest.raises(InputError, match="unique"):
        SeriesBatch([1.0, 2], [0, 1, 2], ids=["a", "a"])
    with pytest.raises(InputError, match="as many ids"):
        SeriesBatch([1.0, 2], [0, 1, 2], ids=["a"])
