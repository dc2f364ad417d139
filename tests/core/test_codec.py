from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perfanalytics.core import codec
from perfanalytics.core.errors import RecordError
from perfanalytics.core.improvement_records import Proposal
from perfanalytics.core.measure import Measure
from perfanalytics.core.practice_records import Action, Decision, Review
from perfanalytics.core.records import Change, Event, Exclusion, Objective, Process
from perfanalytics.core.result import Caveat, Estimate, Interval, Method, Provenance

DAY = dt.date(2024, 3, 1)
RECORDS = [
    Measure("m", definition="d", unit="h", better="lower", scale="duration", subprocess="s"),
    Interval(-np.inf, 2.5, confidence=0.95, method="t", achieved=0.951),
    Estimate("mean", 0.1, unit="h", interval=Interval(0.0, 0.2, confidence=0.9, method="t")),
    Caveat("too-few-points", "Only 3.", {"n": 3}),
    Method("welch", {"confidence": 0.95, "list": (1, 2.5, "x", None, True)}, ("Welch 1947",)),
    Provenance("m", data_hash="ab", n=3, selection={"where": {"priority": 3}}, load_ids=(1, 2), clock="UTC"),
    Objective("o", measure="m", target=24, direction="at_most", share=0.9, by=DAY, declared_on=DAY),
    Process("p", version="2", parent="q", valid_from=dt.datetime(2024, 1, 1, 8)),
    Change("c", when=dt.datetime(2024, 1, 1, tzinfo=dt.UTC), what="w", where={"group": "a"}),
    Event("e", when=DAY, what="w", until=DAY),
    Exclusion("why", point=3, who="me", decided_on=DAY),
    Proposal("p", originator="me", outcome="late", cost=1.5),
    Action("a", what="do", owner="me", due=DAY),
    Review("r", subject="desk", held_on=DAY, participants=("a", "b")),
    Decision("d", what="split", who="board", decided_on=DAY),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.kind)
def test_records_come_back_equal(record):
    text = json.dumps(codec.to_record(record), allow_nan=False)
    back = codec.from_record(json.loads(text))
    assert type(back) is type(record)
    assert back == record


@given(
    hnp.arrays(
        dtype=st.sampled_from([np.float64, np.int64, np.uint8, np.bool_, np.dtype("datetime64[us]")]),
        shape=hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=6),
    )
)
def test_arrays_come_back_to_the_last_bit(array):
    back = codec.decode(json.loads(json.dumps(codec.encode(array), allow_nan=False)))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert not back.flags.writeable


@given(st.floats())
def test_floats_come_back(x):
    back = codec.decode(json.loads(json.dumps(codec.encode(x), allow_nan=False)))
    assert back == x or (np.isnan(back) and np.isnan(x))


def test_what_cannot_be_saved_is_refused():
    with pytest.raises(RecordError, match="type object"):
        codec.encode(object())
    with pytest.raises(RecordError, match="keys"):
        codec.encode({1: "a"})


def test_unknown_newer_and_damaged_records_are_refused():
    good = codec.to_record(RECORDS[0])
    with pytest.raises(RecordError, match="did you mean 'measure'"):
        codec.from_record(good | {"kind": "mesure"})
    with pytest.raises(RecordError, match="newer version"):
        codec.from_record(good | {"schema_version": 99})
    with pytest.raises(RecordError, match="does not fit"):
        codec.from_record(good | {"fields": {"name": "x"}})
    with pytest.raises(RecordError, match="needs the keys"):
        codec.from_record({"kind": "measure"})
    with pytest.raises(RecordError, match="expected a record of Method"):
        codec.from_record(good, expect=Method)
