"""The level change in bulk gives the primary of compare, series by series."""

import numpy as np
import pytest

import perfanalytics as perf

HOURS = perf.Measure("hours", definition="x", unit="hours", better="lower", scale="duration")
AT = "2024-02-20"


def batch(seed=0, m=5, items=False):
    rng = np.random.default_rng(seed)
    series = {}
    for i in range(m):
        day = np.sort(rng.integers(0, 100, 400)) if items else np.sort(rng.choice(100, 80 + i, replace=False))
        values = np.exp(2 + 0.4 * rng.standard_normal(len(day)) - 0.3 * (day >= 50))
        when = np.datetime64("2024-01-01") + day.astype("timedelta64[D]")
        series[f"s{i}"] = perf.Series(values, measure=HOURS, when=when, expected_every="day")
    return perf.SeriesBatch.from_series(series)


@pytest.mark.parametrize("items", [False, True])
def test_the_same_numbers_as_compare(items):
    b = batch(items=items)
    columns = perf.method("level_change", at=AT)(b)
    for i in range(len(b)):
        c = perf.compare(b[i].between(None, AT), b[i].between(AT))
        assert columns["estimate"][i] == pytest.approx(c.primary.estimate, rel=1e-6)
        assert columns["low"][i] == pytest.approx(c.primary.low, rel=1e-5)
        assert columns["p_value"][i] == pytest.approx(c.primary.p_value, rel=1e-3, abs=1e-12)
        assert columns["periods_before"][i] == c.before.periods
        assert columns["effective_after"][i] == pytest.approx(c.after.effective_n, rel=1e-4)


def test_blocks_do_not_matter():
    b = batch(seed=3, m=6)
    method = perf.method("level_change", at=AT)
    whole = method(b)
    parts = [method(b[i].as_batch()) for i in range(6)]
    for name in ("estimate", "low", "rho"):
        assert whole[name].tolist() == pytest.approx([p[name][0] for p in parts], rel=1e-6, abs=1e-7)


def test_a_change_inside_a_period_splits_it():
    b = batch(m=1, items=True)
    columns = perf.method("level_change", at=AT, every="week")(b)
    c = perf.compare(b[0].between(None, AT), b[0].between(AT), every="week")
    assert columns["periods_before"][0] == c.before.periods
    assert columns["estimate"][0] == pytest.approx(c.primary.estimate, rel=1e-4, nan_ok=True)


def test_not_positive_short_and_undeclared():
    b = batch(m=2)
    values = b.values.copy()
    values[3] = 0.0
    spoiled = perf.SeriesBatch(values, b.offsets, measure=HOURS, ids=b.ids, when=b.when, expected_every="day")
    columns = perf.method("level_change", at=AT)(spoiled)
    assert np.isnan(columns["estimate"]).tolist() == [True, False]
    early = perf.method("level_change", at="2024-01-04")(b)
    assert np.isnan(early["estimate"]).all()
    plain = perf.SeriesBatch(b.values, b.offsets, ids=b.ids, when=b.when)
    with pytest.raises(perf.InputError, match="scale must be declared"):
        perf.method("level_change", at=AT)(plain)
    assert not np.isnan(perf.method("level_change", at=AT, scale="raw")(plain)["estimate"]).any()
    with pytest.raises(perf.InputError, match="needs series with times"):
        perf.method("level_change", at=AT)(perf.SeriesBatch(b.values, b.offsets, ids=b.ids, measure=HOURS))
    with pytest.raises(perf.InputError, match="ISO form"):
        perf.method("level_change", at="soon")
