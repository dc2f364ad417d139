"""Availability, MTBF and MTTR, and structures: by hand, simulation, real failures, bad input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.reliability.outages import Spans, union, without
from perfanalytics.models.reliability.structure import at_least

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
OFFICE = perf.Calendar("office", hours=dict.fromkeys(DAYS, ("08:00", "16:00")))


def t(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[m]")


def month(starts, ends, **more) -> perf.Availability:
    return perf.availability(
        starts, ends, since=np.datetime64("2024-01-01"), until=np.datetime64("2024-01-31"), **more
    )


def test_by_hand() -> None:
    a = month(t("2024-01-05T10:00", "2024-01-20T00:00"), t("2024-01-05T12:00", "2024-01-20T06:00"))
    assert (a.service_time, a.down_time, a.outages) == (720.0, 8.0, 2)
    assert a.availability == pytest.approx(1 - 8 / 720)
    assert (a.mtbf, a.mttr, a.mtbsi) == (356.0, 4.0, 360.0)
    # exact interval of a constant rate, time truncated: chi-square with 4 and 6 degrees of freedom (R qchisq)
    assert a.mtbf_interval.low == pytest.approx(2 * 712 / 14.4493753354)
    assert a.mtbf_interval.high == pytest.approx(2 * 712 / 0.484418557051)


def test_overlaps_planned_outages_and_service_time() -> None:
    starts = t("2024-01-05T10:00", "2024-01-05T11:00", "2024-01-06T10:00", "2023-12-01T00:00")
    ends = t("2024-01-05T12:00", "2024-01-05T13:00", "2024-01-06T12:00", "2023-12-02T00:00")
    a = month(starts, ends)
    assert (a.outages, a.down_time) == (2, 5.0)
    assert set(a.caveat_codes) >= {"overlaps-merged", "outside-period"}
    # 5 January 2024 is a Friday, the 6th a Saturday; 22 working days of 8 hours up to the 30th
    b = month(starts, ends, calendar=OFFICE)
    assert (b.outages, b.down_time, b.service_time) == (1, 3.0, 176.0)
    assert "outside-service-time" in b.caveat_codes
    # a window from 12:00 to 16:00 on Friday is neither service nor down time
    window = t("2024-01-05T12:00"), t("2024-01-05T16:00")
    c = month(starts, ends, calendar=OFFICE, planned=window)
    assert (c.down_time, c.service_time, c.planned_time) == (2.0, 172.0, 4.0)


def test_units_and_open_outages() -> None:
    starts = t("2024-01-05T10:00", "2024-01-05T11:00", "2024-01-30T00:00")
    ends = t("2024-01-05T12:00", "2024-01-05T13:00", "NaT")
    a = month(starts, ends, items=["a", "b", "a"], n_items=3)
    assert (a.outages, a.down_time, a.service_time) == (3, 28.0, 2160.0)
    assert "still-down" in a.caveat_codes
    assert sorted(a.item.tolist()) == ["a", "a", "b"]


def test_no_outage() -> None:
    a = month(t(), t(), target=0.99)
    assert a.availability == 1
    assert math.isnan(a.mtbf)
    # R qchisq(.975, 2) = 7.377759
    assert a.mtbf_interval.low == pytest.approx(2 * 720 / 7.37775890823)
    assert a.mtbf_interval.high == math.inf
    assert "no outage" in a.verdict
    assert perf.Availability.from_record(json.loads(json.dumps(a.to_record(), allow_nan=False))) == a


def test_months_add_up() -> None:
    rng = np.random.default_rng(1)
    starts = np.datetime64("2024-01-01") + rng.uniform(0, 366 * 86400, 80).astype("timedelta64[s]")
    ends = starts + rng.lognormal(9, 1, 80).astype("timedelta64[s]")
    a = perf.availability(
        starts, ends, since=np.datetime64("2024-01-01"), until=np.datetime64("2025-01-01"), calendar=OFFICE
    )
    months = a.by_month()
    assert len(months) == 12
    edges = np.arange(np.datetime64("2024-01"), np.datetime64("2025-02")).astype("datetime64[us]")
    agreed = perf.working_hours(edges[:-1], edges[1:], OFFICE)
    assert (agreed * months["availability"]).sum() / agreed.sum() == pytest.approx(a.availability)


@pytest.mark.parametrize("repair", ["bootstrap", "lognormal", "exponential"])
def test_the_interval_of_mttr_holds_its_confidence(repair) -> None:
    rng = np.random.default_rng(6)
    held, runs = 0, 120
    for _ in range(runs):
        hours = rng.exponential(2, 30) if repair == "exponential" else rng.lognormal(0, 0.8, 30)
        true = 2.0 if repair == "exponential" else math.exp(0.32)
        starts = np.datetime64("2024-01-01") + np.arange(30) * np.timedelta64(10, "D")
        ends = starts.astype("datetime64[us]") + (hours * 3.6e9).astype("timedelta64[us]")
        a = perf.availability(
            starts,
            ends,
            since=np.datetime64("2024-01-01"),
            until=np.datetime64("2025-01-01"),
            repair=repair,
            draws=400,
        )
        held += a.mttr_interval.contains(true)
    assert held / runs > 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs)


def test_the_interval_of_availability_holds_its_confidence() -> None:
    rng = np.random.default_rng(9)
    held = meets = 0
    runs, hours = 200, 8760.0
    true = 1 - 40 * math.exp(0.32) / hours
    for _ in range(runs):
        n = rng.poisson(40)
        starts = np.sort(rng.choice(350, n, replace=False)) * np.timedelta64(1, "D") + np.datetime64(
            "2023-01-01"
        )
        ends = starts.astype("datetime64[us]") + (rng.lognormal(0, 0.8, n) * 3.6e9).astype("timedelta64[us]")
        a = perf.availability(
            starts,
            ends,
            since=np.datetime64("2023-01-01"),
            until=np.datetime64("2024-01-01"),
            target=true,
            draws=200,
        )
        held += a.availability_interval.contains(true)
        meets += a.p_meets
    assert held / runs > 0.95 - 4 * math.sqrt(0.95 * 0.05 / runs)
    assert 0.4 < meets / runs < 0.65


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=12)


@settings(max_examples=150, deadline=None)
@given(one=spans, two=spans)
def test_intervals_as_sets_of_minutes(one, two) -> None:
    def of(drawn) -> Spans:
        a = np.array([x for x, _ in drawn], dtype=np.int64)
        return Spans(a, a + np.array([d for _, d in drawn], dtype=np.int64))

    def minutes(s: Spans) -> set[int]:
        return {m for a, b in zip(s.start, s.end, strict=True) for m in range(a, b)}

    a, b = union(of(one)), union(of(two))
    assert minutes(a) == minutes(of(one))
    assert (a.start[1:] > a.end[:-1]).all()
    left, origin = without(a, b)
    assert minutes(left) == minutes(a) - minutes(b)
    for start, end, k in zip(left.start, left.end, origin, strict=True):
        assert a.start[k] <= start < end <= a.end[k]


def test_structures() -> None:
    series = perf.structure({"a": 0.9, "b": 0.8})
    assert series.availability == pytest.approx(0.72)
    assert series.importance.tolist() == pytest.approx([0.8, 0.9])
    assert perf.structure({"a": 0.9, "b": 0.8}, need="any").availability == pytest.approx(0.98)
    two = perf.structure({"a": 0.9, "b": 0.9, "c": 0.9}, need=2)
    assert two.availability == pytest.approx(3 * 0.81 * 0.1 + 0.729)
    assert "independence-assumed" in two.caveat_codes
    nested = perf.structure({"web": two, "database": 0.99})
    assert nested.availability == pytest.approx(two.availability * 0.99)
    assert perf.Structure.from_record(json.loads(json.dumps(nested.to_record()))) == nested
    # rare failures keep their digits: ten nines from five and five
    assert 1 - perf.structure({"a": 0.99999, "b": 0.99999}, need="any").availability == pytest.approx(
        1e-10, rel=1e-5
    )


@settings(max_examples=60, deadline=None)
@given(up=st.lists(st.floats(0, 1), min_size=1, max_size=6), k=st.integers(1, 6))
def test_k_of_n_against_all_states(up, k) -> None:
    k = min(k, len(up))
    total = 0.0
    for state in range(2 ** len(up)):
        bits = [(state >> i) & 1 for i in range(len(up))]
        if sum(bits) >= k:
            total += math.prod(p if b else 1 - p for p, b in zip(up, bits, strict=True))
    assert at_least(np.array(up), k) == pytest.approx(total, abs=1e-12)


def test_a_structure_carries_the_uncertainty_of_its_parts() -> None:
    starts = t("2024-01-05T10:00", "2024-01-20T00:00")
    part = month(starts, starts + np.timedelta64(120, "m"))
    s = perf.structure({"database": part, "network": 0.999})
    error = math.sqrt(2 * 2.0**2) / 720
    assert s.error == pytest.approx(0.999 * error)
    assert s.interval.low < s.availability < s.interval.high
    known = perf.structure({"a": 0.9, "b": 0.8})
    assert "parts-taken-as-known" in known.caveat_codes


def test_uneven_outages_are_said() -> None:
    """60 outages in March, 10 in every other month: dispersion by hand; evenly spread they are no doubt."""
    since, until = np.datetime64("2024-01-01"), np.datetime64("2025-01-01")
    months = np.arange("2024-01", "2025-01", dtype="datetime64[M]").astype("datetime64[h]")
    each = np.where(np.arange(12) == 2, 60, 10)
    starts = np.concatenate(
        [m + (np.arange(k) * (600 // k)).astype("timedelta64[h]") for m, k in zip(months, each, strict=True)]
    )
    uneven = perf.availability(starts, starts + np.timedelta64(1, "h"), since=since, until=until, draws=200)
    found = next(c for c in uneven.caveats if c.code == "overdispersed")
    days = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    expected = 170 * days / 366
    assert found.evidence["dispersion"] == pytest.approx(((each - expected) ** 2 / expected).sum() / 11)
    even = starts[np.isin(starts.astype("datetime64[M]"), months[[0, 3, 6]].astype("datetime64[M]"))]
    calm = perf.availability(
        even, even + np.timedelta64(1, "h"), since=since, until=np.datetime64("2024-02-01"), draws=200
    )
    assert "overdispersed" not in calm.caveat_codes
    rng = np.random.default_rng(2)
    alarms = 0
    for _ in range(200):
        drawn = since + rng.uniform(0, 366 * 24 * 60, rng.poisson(60)).astype("timedelta64[m]")
        a = perf.availability(drawn, drawn + np.timedelta64(9, "m"), since=since, until=until, draws=200)
        alarms += "overdispersed" in a.caveat_codes
    # 1% nominal; P(more than 8 of 200) below 0.1%
    assert alarms <= 8


@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets lie beside the checkout")
def test_three_real_clusters_in_2004() -> None:
    frame = pd.read_csv(DATA / "lanl_failures.csv.gz", low_memory=False).drop_duplicates()
    begin, end = (pd.to_datetime(frame[c], format="%m/%d/%Y %H:%M") for c in ("Prob Started", "Prob Fixed"))
    found = {}
    for system in (18, 19, 20):
        mine = (frame["System"] == system) & (end >= begin)
        a = perf.availability(
            begin[mine].to_numpy(),
            end[mine].to_numpy(),
            since=np.datetime64("2004-01-01"),
            until=np.datetime64("2005-01-01"),
            items=frame["nodenum"][mine].astype(str).to_numpy(),
            n_items=int(frame["nodes"][mine].iloc[0]),
            draws=200,
        )
        found[system] = (a.outages, round(100 * a.availability, 4))
        # the same down time, minute by minute over the nodes, in another way
        low, high = np.datetime64("2004-01-01"), np.datetime64("2005-01-01")
        total = 0.0
        for _, rows in frame[mine].groupby("nodenum"):
            a0, b0 = begin[rows.index].to_numpy(), end[rows.index].to_numpy()
            a0, b0 = np.clip(a0, low, high), np.clip(b0, low, high)
            order = np.argsort(a0)
            reach = low
            for x, y in zip(a0[order], b0[order], strict=True):
                total += max(0.0, (y - max(x, reach)) / np.timedelta64(1, "h"))
                reach = max(reach, y)
        assert a.down_time == pytest.approx(total)
    assert found == {18: (1141, 99.9743), 19: (1071, 99.9702), 20: (440, 99.9823)}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: month(t("2024-01-05"), t("2024-01-04")), "ends before"),
        (lambda: month(t("2024-01-05"), t()), "one length"),
        (lambda: month(t("NaT"), t("2024-01-04")), "missing"),
        (lambda: month(t("2024-01-05"), t("2024-01-06"), items=["a"]), "n_items"),
        (lambda: month(t("2024-01-05"), t("2024-01-06"), n_items=3), "items="),
        (lambda: month(t(), t(), target=99.9), "share"),
        (lambda: month(t(), t(), planned=(t("2023-01-01"), t("2025-01-01"))), "no agreed service time"),
        (lambda: perf.availability([], [], since="2024-01-02", until="2024-01-01"), "empty"),
        (lambda: perf.structure({}), "at least one"),
        (lambda: perf.structure({"a": 1.2}), "0 to 1"),
        (lambda: perf.structure({"a": 0.9}, need=2), "1 to 1"),
    ],
)
def test_misuse_is_told(call, says) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="lognormal"):
        month(t(), t(), repair="lognorm")
    with pytest.raises(UnknownNameError, match="all"):
        perf.structure({"a": 0.9}, need="most")


def test_outages_cut_at_the_ends_are_told() -> None:
    starts = np.array(["2023-12-25", "2024-01-31T20:00", "2024-03-30"], dtype="datetime64[m]")
    ends = np.array(["2024-01-02", "2024-02-10", "NaT"], dtype="datetime64[m]")
    a = perf.availability(starts, ends, since=np.datetime64("2024-01-01"), until=np.datetime64("2024-02-01"))
    assert a.down.tolist() == [24, 4]
    assert {"cut-at-the-ends", "outside-period"} <= set(a.caveat_codes)
    # it began after the period: not down within it
    assert "still-down" not in a.caveat_codes


def test_a_nested_structure_keeps_the_assumption() -> None:
    web = perf.structure({"a": 0.99, "b": 0.99, "c": 0.99}, need=2)
    system = perf.structure({"web": web, "database": 0.995})
    assert "independence-assumed" in system.caveat_codes
    since, until = np.datetime64("2024-01-01"), np.datetime64("2024-02-01")
    never = perf.availability([], [], since=since, until=until)
    mixed = perf.structure({"never": never, "database": 0.995})
    assert "no-interval" in mixed.caveat_codes
    assert "parts-taken-as-known" not in mixed.caveat_codes


def test_numbers_and_zones_are_no_instants() -> None:
    since, until = np.datetime64("2024-01-01"), np.datetime64("2024-02-01")
    with pytest.raises(InputError, match="got numbers"):
        perf.availability([1.5], [3.5], since=since, until=until)
    with pytest.raises(InputError, match="got numbers"):
        perf.availability([], [], since=0, until=10)
    zoned = pd.Series(pd.to_datetime(["2024-01-05"], utc=True))
    with pytest.raises(InputError, match="time zone"):
        perf.availability(zoned, zoned, since=since, until=until)
