"""g and t charts against R (tests/reference/control_charts_more.R)."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf

# Montgomery (2013), table 7.14: hours between failures of a valve
VALVE = [286, 948, 536, 124, 816, 729, 4, 143, 431, 8, 2837, 596, 81, 227, 603, 492, 1199, 1214, 2831, 96]
# deliveries between cases of severe fetal hypoxia (the first 20 of a published series)
BETWEEN = [22, 38, 14, 33, 0, 48, 97, 28, 26, 12, 44, 6, 9, 26, 23, 13, 19, 37, 43, 10]


def test_t_by_nelsons_transform():
    chart = perf.control_chart(VALVE, chart="t")
    assert chart.limits.parameters["location"][0] == pytest.approx(5.389276972749, rel=1e-11)
    assert chart.limits.parameters["scale"][0] == pytest.approx(2.092311380138, rel=1e-11)
    assert chart.lower[0, 0] == 0.0
    assert chart.center[0, 0] == pytest.approx(430.0409517898, rel=1e-11)
    assert chart.upper[0, 0] == pytest.approx(6933.418139581, rel=1e-11)
    assert (chart.fired & 1).sum() == 0


def test_t_exponential():
    chart = perf.control_chart(VALVE, chart="t", options={"law": "exponential"})
    found = [chart.lower[0, 0], chart.center[0, 0], chart.upper[0, 0]]
    np.testing.assert_allclose(found, [0.9591426154695, 492.1691555566, 4691.816003583], rtol=1e-11)


def test_t_weibull():
    chart = perf.control_chart(VALVE, chart="t", options={"law": "weibull"}, limits="probability")
    assert 1 / chart.limits.parameters["scale"][0] == pytest.approx(0.8275723119747, rel=1e-11)
    found = [chart.lower[0, 0], chart.center[0, 0], chart.upper[0, 0]]
    np.testing.assert_allclose(found, [0.2202214712438, 414.7413634306, 6324.545689897], rtol=1e-10)


@pytest.mark.parametrize("law", ["nelson", "exponential", "weibull"])
def test_rules_look_at_the_normal_scores(law):
    base = perf.control_chart(VALVE, chart="t", options={"law": law})
    x = [float(base.upper[0, 0]) * 1.01, float(base.lower[0, 0]) * 0.99]
    new = perf.control_chart(x, chart="t", options={"law": law}, estimate=base)
    assert (new.fired[0] & 1).tolist() == [1, 0 if law == "nelson" else 1]


def test_the_weibull_fit_does_not_know_the_unit():
    a = perf.control_chart(VALVE, chart="t", options={"law": "weibull"})
    b = perf.control_chart(np.multiply(VALVE, 3600.0), chart="t", options={"law": "weibull"})
    np.testing.assert_allclose(b.upper, 3600 * a.upper, rtol=1e-9)
    assert (a.fired == b.fired).all()


def test_g_against_r():
    chart = perf.control_chart(BETWEEN, chart="g")
    assert chart.center[0, 0] == pytest.approx(27.4)
    assert chart.upper[0, 0] == pytest.approx(111.0865580604, rel=1e-12)
    assert chart.lower[0, 0] == 0.0
    exact = perf.control_chart(BETWEEN, chart="g", limits="probability")
    assert (exact.lower[0, 0], exact.upper[0, 0]) == (0.0, 184.0)


def test_two_events_of_one_day_stay_two():
    chart = perf.control_chart([3, 0, 0, 5, 2, 0, 4, 1], chart="g")
    assert chart.value[0].tolist() == [3, 0, 0, 5, 2, 0, 4, 1]
    assert chart.center[0, 0] == pytest.approx(15 / 8)
    days = perf.control_chart([3, 1, 1, 5, 2, 1, 4, 1], chart="g", options={"minimum": 1})
    m = 18 / 8 - 1
    assert days.sigma[0, 0] == pytest.approx(np.sqrt(m * (m + 1)))


def test_stable_gaps_and_times_are_called_unstable_about_as_rarely_as_said():
    runs, n = 800, 40
    rng = np.random.default_rng(21)
    cases = [
        ("g", rng.geometric(0.05, runs * n) - 1, {}),
        ("g", rng.geometric(0.3, runs * n) - 1, {"limits": "probability"}),
        ("t", rng.exponential(3, runs * n), {}),
        ("t", rng.exponential(3, runs * n) ** 0.5, {"options": {"law": "weibull"}}),
    ]
    for chart, values, given in cases:
        batch = perf.SeriesBatch(
            values.astype(float), np.arange(runs + 1) * n, ids=[str(k) for k in range(runs)]
        )
        made = perf.control_charts(batch, chart=chart, **given)
        share = np.mean(made.judged & ~made.stable)
        assert share < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs), (chart, given, share)
        assert share > 0.003
        error = made.n_signals.std() / np.sqrt(runs)
        assert made.expected_signals.mean() == pytest.approx(made.n_signals.mean(), rel=0.2, abs=4 * error)


def test_an_event_at_every_opportunity_is_no_variation():
    for limits in ("sigma", "probability"):
        chart = perf.control_chart([0] * 12, chart="g", limits=limits)
        assert "zero-variation" in chart.caveat_codes
        assert chart.n_signals == 0
        assert chart.upper[0, 0] == 0.0


def test_misuse():
    with pytest.raises(perf.InputError, match="whole numbers of opportunities"):
        perf.control_chart([1.5, 2], chart="g")
    with pytest.raises(perf.InputError, match="1 or more"):
        perf.control_chart([0, 2], chart="g", options={"minimum": 1})
    with pytest.raises(perf.InputError, match="none is negative"):
        perf.control_chart([1.0, -2.0], chart="t")
    with pytest.raises(perf.InputError, match=r"above 0.*options=\{'law': 'nelson'\}"):
        perf.control_chart([1.0, 0.0, 3.0], chart="t", options={"law": "weibull"})
    with pytest.raises(perf.UnknownNameError, match="did you mean 'weibull'"):
        perf.control_chart([1.0, 2.0], chart="t", options={"law": "weibul"})


def test_what_only_the_exact_law_shows_is_said_so():
    """30 gaps of 3 lie on their mean, but above the median of a geometric law: one long run."""
    chart = perf.control_chart([3.0] * 30, chart="g")
    assert chart.n_signals == 0
    assert chart.stable is False
    # 0.75^3 = 0.42 of such gaps are 3 or more; 23 = 30 - 7 points continue a run of eight
    assert chart.verdict.startswith(
        "Not stable: none of 30 points signals, but by the exact probabilities of such counts 23 would (p < "
    )
    stages = perf.control_chart([3.0] * 60, chart="g", stages=[30])
    assert stages.verdict.count("by the exact probabilities of such counts 23 would") == 2
