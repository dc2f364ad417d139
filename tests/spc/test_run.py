"""Run chart: Anhoej's rules, exact probabilities, Minitab's tests, stages, gaps, frozen medians."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError
from perfanalytics.spc.families.run import chance_within, fewest_crossings, longest_run_limit


def found_in(chart, stage=0):
    return {t.name: t for t in chart.tests if t.stage == stage}


@pytest.mark.parametrize(
    ("n", "longest", "crossings"),
    [
        # Anhoej and Olesen (2014), PLoS ONE 9, e113825, table 1 (and the vignette of qicharts2)
        (10, 6, 2), (11, 6, 2), (12, 7, 3), (13, 7, 3), (14, 7, 4), (15, 7, 4), (16, 7, 4), (17, 7, 5),
        (18, 7, 5), (19, 7, 6), (20, 7, 6), (21, 7, 6), (22, 7, 7), (23, 8, 7), (24, 8, 8), (25, 8, 8),
        (30, 8, 10), (40, 8, 14), (50, 9, 19), (60, 9, 23), (100, 10, 41),
    ],
)  # fmt: skip
def test_anhoejs_limits_as_published(n, longest, crossings):
    assert longest_run_limit(n) == longest
    assert fewest_crossings(n) == crossings


@pytest.mark.parametrize(("n", "longest", "crossings"), [(9, 3, 2), (12, 5, 4), (11, 11, 0), (10, 2, 7)])
def test_exact_probabilities_by_counting(n, longest, crossings):
    def good(tosses):
        runs = [len(list(g)) for _, g in itertools.groupby(tosses)]
        return max(runs) <= longest and len(runs) - 1 >= crossings

    every = list(itertools.product((0, 1), repeat=n))
    assert chance_within(n, longest, crossings) == pytest.approx(np.mean([good(s) for s in every]))
    for above in (1, n // 2, n - 2):
        some = [s for s in every if sum(s) == above]
        assert chance_within(n, longest, crossings, above) == pytest.approx(np.mean([good(s) for s in some]))


def test_stable_series_signal_as_often_as_known():
    """At n = 24 in 2.9% of stable series: a public port that is off by one gives 6.8%, another 1.1%."""
    assert 1 - chance_within(24, 8, 8, above=12) == pytest.approx(0.0306, abs=5e-5)
    rng = np.random.default_rng(1)
    batch = perf.SeriesBatch(
        rng.standard_normal(24 * 3000), np.arange(3001) * 24, ids=[str(k) for k in range(3000)]
    )
    charts = perf.control_charts(batch, chart="run")
    signals = charts.by_rule.any(axis=0)
    assert abs(signals.mean() - 0.0306) < 3 * np.sqrt(0.0306 / 3000)
    assert (charts.stable == ~signals).all()
    assert charts.expected_signals.mean() == pytest.approx(charts.n_signals.mean(), rel=0.3)


def brute(x):
    """Anhoej's two statistics as qicharts2 reckons them."""
    side = np.sign(x - np.median(x))
    side = side[side != 0]
    runs = [len(list(g)) for _, g in itertools.groupby(side)]
    return len(side), max(runs), len(runs) - 1


@given(st.lists(st.integers(-6, 6).map(float), min_size=2, max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_statistics_are_those_of_the_definition(x):
    x = np.array(x)
    chart = perf.control_chart(x, chart="run")
    found = found_in(chart)
    if (x == np.median(x)).all():
        assert found["longest run"].useful == 0
        assert chart.stable is None
        return
    useful, longest, crossings = brute(x)
    run, cross = found["longest run"], found["crossings of the median"]
    assert (run.useful, run.statistic, cross.statistic) == (useful, longest, crossings)
    judged = useful >= 10
    assert run.signal == (judged and longest > longest_run_limit(useful))
    assert cross.signal == (judged and crossings < fewest_crossings(useful))
    marked = np.flatnonzero(chart.fired[0] & 1)
    assert bool(len(marked)) == run.signal
    assert np.isnan(chart.upper).all()
    assert chart.center[0, 0] == np.median(x)


def test_which_points_are_marked():
    x = [8, 9, 15, 9, 6, 9, 16, 6, 3, 4, 5, *range(11, 24)]
    chart = perf.control_chart(x, chart="run")
    # ten above the median 13.5 at the end, eight are usual: the ninth and tenth
    frame = chart.signals
    assert frame["point"].tolist() == [22, 23]
    assert frame["rules"].tolist() == ["unusually_long_run", "unusually_long_run, unusually_few_crossings"]
    assert chart.stable is False
    assert chart.verdict == (
        "Not only random variation: the longest run is 10 (at most 8 expected of 24 points off the median), "
        "and the median is crossed 5 times (at least 8); p = 0.003. Median 13.5."
    )


def test_minitabs_tests_by_their_formulas():
    """Expected runs 1 + 2mn/N, normal approximation; runs up and down (2N - 1)/3 and (16N - 29)/90."""
    x = np.array([10.0, 8, 6, 14, 16, 14, 18, 20, 8, 10, 10, 10])
    found = found_in(perf.control_chart(x, chart="run"))
    # median 10, on it counts as below: L L L H H H H H L L L L
    m, n = 5, 7
    assert found["clustering"].statistic == 3
    assert found["clustering"].bound == pytest.approx(1 + 2 * m * n / 12)
    sd = np.sqrt(2 * m * n * (2 * m * n - 12) / (144 * 11))
    z = (3 - found["clustering"].bound) / sd
    from scipy.stats import norm

    assert found["clustering"].p_value == pytest.approx(norm.cdf(z))
    assert found["mixtures"].p_value == pytest.approx(norm.sf(z))
    # ties left out: down down up up down up up down up, of 10 points
    u = (6 - (2 * 10 - 1) / 3) / np.sqrt((16 * 10 - 29) / 90)
    assert found["trends"].statistic == 6
    assert found["trends"].p_value == pytest.approx(norm.cdf(u))
    assert found["oscillation"].p_value == pytest.approx(norm.sf(u))


def test_a_trend_and_an_oscillation():
    up = found_in(perf.control_chart(np.arange(20.0), chart="run"))
    assert up["trends"].signal
    assert up["clustering"].signal
    wave = found_in(perf.control_chart(np.arange(20) % 2 + np.arange(20) / 100, chart="run"))
    assert wave["oscillation"].signal
    assert wave["mixtures"].signal


def test_missing_and_excluded_points_are_left_out():
    x = np.random.default_rng(2).standard_normal(30)
    y = np.insert(x, [5, 20], np.nan)
    z = np.insert(x, [5, 20], [99.0, -99.0])
    plain = perf.control_chart(x, chart="run")
    gaps = perf.control_chart(y, chart="run")
    out = perf.control_chart(z, chart="run", exclude={5: "test", 21: "test"})
    assert plain.tests == gaps.tests == out.tests
    assert gaps.center[0, 0] == out.center[0, 0] == np.median(x)


def test_stages_and_a_median_from_elsewhere():
    x = np.r_[np.random.default_rng(3).standard_normal(20), np.random.default_rng(4).standard_normal(20) + 6]
    two = perf.control_chart(x, chart="run", stages=[20])
    assert {t.stage for t in two.tests} == {0, 1}
    assert two.stable is True
    assert not perf.control_chart(x, chart="run").stable
    base = perf.control_chart(x[:20], chart="run")
    frozen = perf.control_chart(x[20:], chart="run", estimate=base)
    # all above the old median: fair coins do not do that
    assert found_in(frozen)["longest run"].statistic == 20
    assert frozen.stable is False
    assert frozen.p_value == pytest.approx(2 * 0.5**20, rel=1e-3)
    assert perf.control_chart(x[20:], chart="run", estimate={"center": 6.0}).stable


def test_saved_drawn_and_in_bulk():
    x = np.random.default_rng(5).standard_normal((4, 30))
    batch = {str(k): row for k, row in enumerate(x)}
    many = perf.control_charts(batch, chart="run")
    one = [perf.control_chart(row, chart="run") for row in x]
    assert many.p_value.tolist() == [c.p_value for c in one]
    assert many.stable.tolist() == [c.stable for c in one]
    back = perf.ControlChart.from_record(json.loads(json.dumps(one[0].to_record())))
    assert back == one[0]
    assert list(one[0].tests_frame()) == list(perf.control_chart(x[0]).tests_frame())
    assert dict(one[0].tables())["Tests of whole stages"]["test"].tolist()[0] == "longest run"
    figure = perf.plot(one[0])
    assert any("center" in str(a.text) for a in figure.layout.annotations)
    assert perf.method("control_charts", chart="run").columns["signals_unusually_long_run"] == "integer"


def test_shares_with_their_sizes():
    rng = np.random.default_rng(6)
    sizes = rng.integers(20, 60, 24).astype(float)
    counts = rng.binomial(sizes.astype(int), 0.3).astype(float)
    chart = perf.control_chart(perf.Series(counts, sizes=sizes), chart="run")
    np.testing.assert_allclose(chart.value[0], counts / sizes)


def test_other_charts_do_not_take_these_rules():
    with pytest.raises(InputError, match="take chart='run'"):
        perf.control_chart(np.arange(20.0), rules=perf.ANHOEJ)


def test_values_on_the_median_tell_nothing_and_this_is_said():
    chart = perf.control_chart([3.0] * 30, chart="run")
    assert chart.caveat_codes == ("few-off-median",)
    assert chart.caveats[0].evidence == {"useful": 0.0, "n": 30}
    assert chart.caveats[0].text.startswith("Only 0 of 30 points lie off the median")
    assert chart.stable is None
    ten_off = [3.0] * 11 + [2.0, 4.0] * 5
    assert "few-off-median" not in perf.control_chart(ten_off, chart="run").caveat_codes
    # fewer points than that: too few by themselves
    assert perf.control_chart([3.0] * 9, chart="run").caveat_codes == ("too-few-points",)
