"""Limits as agreed objects: who agreed, for which days they hold, and what is said when they do not."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import perfanalytics as perf

X = np.random.default_rng(2).normal(10, 1, 90)
WHEN = np.datetime64("2024-01-01") + 7 * np.arange(90)
OLD = perf.Series(X[:30], when=WHEN[:30], expected_every="week")
NEW = perf.Series(X[30:60], when=WHEN[30:60], expected_every="week")


def agreed(until, since=None):
    limits = perf.control_chart(OLD).limits
    return limits.agreed(by="A. Meier", on=dt.date(2024, 8, 1), valid_from=since, valid_until=until)


def test_agreement_is_part_of_the_limits_and_of_their_record():
    limits = agreed(dt.date(2024, 10, 6), dt.date(2024, 7, 1))
    assert limits.verdict.endswith(
        "Agreed by A. Meier on 1 August 2024; valid from 1 July 2024 until 6 October 2024."
    )
    assert limits.agreed(by="B", on=dt.date(2025, 1, 1)).verdict.count("Agreed") == 1
    assert perf.Limits.from_record(json.loads(json.dumps(limits.to_record()))) == limits
    row = limits.summary().iloc[0]
    assert row["agreed_by"] == "A. Meier"
    assert row["valid_until"] == dt.date(2024, 10, 6)
    assert str(row["data_until"].date()) == "2024-07-22"
    assert list(limits.summary().columns) == list(perf.control_chart(OLD).limits.summary().columns)


def test_points_after_the_end_are_told_and_the_limits_stay():
    limits = agreed(dt.date(2024, 10, 6))
    chart = perf.control_chart(NEW, estimate=limits)
    caveat = next(c for c in chart.caveats if c.code == "limits-expired")
    after = int((NEW.when >= np.datetime64("2024-10-07")).sum())
    assert caveat.evidence["points"] == after > 0
    assert caveat.evidence["valid_until"] == "2024-10-06"
    assert caveat.text.startswith("The limits were valid until 6 October 2024 (agreed by A. Meier); ")
    assert f"; {after} points of this chart came later" in caveat.text
    assert chart.limits.valid_until == dt.date(2024, 10, 6)
    assert chart.limits.agreed_by == "A. Meier"
    assert chart.limits.data_until == limits.data_until
    assert "by A. Meier on 2024-08-01" in chart.method.parameters["limits_agreed"]
    # carried on once more they end on the same day
    again = perf.control_chart(NEW, estimate=chart)
    assert "limits-expired" in again.caveat_codes


def test_the_last_day_belongs_to_the_validity():
    assert "limits-expired" not in perf.control_chart(NEW, estimate=agreed(dt.date(2025, 2, 17))).caveat_codes
    last = str(NEW.when[-1])[:10]
    assert (
        "limits-expired"
        not in perf.control_chart(NEW, estimate=agreed(dt.date.fromisoformat(last))).caveat_codes
    )


def test_points_before_the_beginning_are_told():
    chart = perf.control_chart(NEW, estimate=agreed(None, dt.date(2024, 8, 12)))
    caveat = next(c for c in chart.caveats if c.code == "limits-not-yet-valid")
    assert caveat.evidence["points"] == 2


def test_limits_without_validity_grow_old():
    limits = perf.control_chart(OLD).limits
    assert "limits-old" not in perf.control_chart(NEW, estimate=limits).caveat_codes
    late = perf.Series(X[60:], when=WHEN[60:])
    old = next(c for c in perf.control_chart(late, estimate=limits).caveats if c.code == "limits-old")
    assert old.evidence["points"] == int((WHEN[60:] - WHEN[29] > np.timedelta64(365, "D")).sum())
    assert "limits-old" not in perf.control_chart(late, estimate=agreed(dt.date(2026, 1, 1))).caveat_codes
    assert "limits-old" not in perf.control_chart(late).caveat_codes


def test_chosen_points_say_which_data_the_limits_rest_on():
    limits = perf.control_chart(OLD, estimate=slice(2, 10), exclude={9: "test"}).limits
    assert limits.data_from == WHEN[2]
    assert limits.data_until == WHEN[8]
    assert perf.control_chart(X).limits.data_until is None
    given = perf.control_chart(OLD, estimate={"center": 10, "sigma": 1}).limits
    assert given.data_until is None


def test_excluded_points_do_not_expire():
    limits = agreed(dt.date(2025, 2, 16))
    assert "limits-expired" in perf.control_chart(NEW, estimate=limits).caveat_codes
    assert "limits-expired" not in perf.control_chart(NEW, estimate=limits, exclude={29: "test"}).caveat_codes


def test_in_bulk_as_one_by_one():
    batch = perf.SeriesBatch.from_series({"a": OLD, "b": NEW})
    limits = agreed(dt.date(2024, 10, 6))
    many = perf.control_charts(batch, estimate=limits)
    for k, s in enumerate(batch):
        one = "; ".join(perf.control_chart(s, estimate=limits).caveat_codes)
        assert many.caveats_of_series[k] == one
    assert "limits-expired" not in many.caveats_of_series[0]
    first, second = (
        perf.method("control_charts", estimate=agreed(dt.date(2024, 10, day))).method.key for day in (6, 7)
    )
    assert first != second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": " ", "on": dt.date(2024, 1, 1)}, "by='who'"),
        ({"by": "A", "on": "2024-01-01"}, "on= is a date"),
        ({"by": "A", "on": None}, "on= is a date"),
        ({"by": "A", "on": dt.datetime(2024, 1, 1)}, "on= is a date"),
        (
            {
                "by": "A",
                "on": dt.date(2024, 1, 1),
                "valid_from": dt.date(2024, 2, 1),
                "valid_until": dt.date(2024, 1, 1),
            },
            "cannot end",
        ),
    ],
)
def test_misuse(arguments, message):
    with pytest.raises(perf.InputError, match=message):
        perf.control_chart(OLD).limits.agreed(**arguments)


def test_saved_in_versions_with_who_agreed(tmp_path):
    with perf.Repository.open(tmp_path / "r.duckdb") as repo:
        repo.save(perf.control_chart(OLD).limits, name="limits: hours", by="quality group")
        repo.save(agreed(dt.date(2024, 10, 6)), name="limits: hours", by="quality group", note="board of May")
        assert repo.result("limits: hours").agreed_by == "A. Meier"
        assert repo.result("limits: hours", version=1).agreed_by == ""
        assert repo.history("limits: hours")["version"].tolist() == [1, 2]


def of(name, unit):
    return perf.Measure(name, definition="d", unit=unit, better="lower", scale="real")


def test_limits_in_another_unit_are_refused():
    base = perf.control_chart(perf.Series(X[:30], measure=of("wait", "hours")))
    days = perf.Series(X[30:] / 24, measure=of("wait", "days"))
    for carried in (base, base.limits):
        with pytest.raises(
            perf.InputError, match=r"limits are in hours \(wait\), the values in days \(wait\)"
        ):
            perf.control_chart(days, estimate=carried)
        with pytest.raises(perf.InputError, match="bring them to one unit first"):
            perf.control_charts({"a": days}, estimate=carried)
    # bare numbers have no unit, and take any
    assert perf.control_chart(X[30:], estimate=base).center[0, 0] == base.center[0, 0]


def test_limits_of_another_measure_are_said():
    base = perf.control_chart(perf.Series(X[:30], measure=of("wait", "hours")))
    repair = perf.Series(X[30:], measure=of("repair", "hours"))
    one = perf.control_chart(repair, estimate=base)
    caveat = next(c for c in one.caveats if c.code == "limits-of-another-measure")
    assert caveat.evidence == {"measure": "wait"}
    assert "of another measure, wait" in caveat.text
    empty = perf.Series([], measure=repair.measure)
    many = perf.control_charts({"a": repair, "b": empty}, estimate=base)
    assert many.caveats_of_series.tolist() == ["; ".join(one.caveat_codes), "no-points"]
    # the parameters of a run say of which measure the limits are
    method = perf.method("control_charts", estimate=base.limits)
    again = perf.method("control_charts", **json.loads(json.dumps(method.method.parameters)))
    assert again(repair.as_batch())["caveats"].tolist() == ["; ".join(one.caveat_codes)]
    same = perf.control_chart(perf.Series(X[30:], measure=of("wait", "hours")), estimate=base)
    assert "limits-of-another-measure" not in same.caveat_codes
