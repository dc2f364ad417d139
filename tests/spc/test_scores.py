"""Stability of attribute charts: about as often wrong as it says, whatever the law and the rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.segments import Segments
from perfanalytics.spc.scores import Law, at_least, at_most, fixed_uniform, normal_scores, quantile

#: name -> (chart, how to draw one count of each size, sizes of n points)
LAWS = {
    "p 50": ("p", lambda rng, s: rng.binomial(s.astype(int), 0.1), lambda rng, n: np.full(n, 50.0)),
    "p 9": ("p", lambda rng, s: rng.binomial(s.astype(int), 0.1), lambda rng, n: np.full(n, 9.0)),
    "np 9": ("np", lambda rng, s: rng.binomial(s.astype(int), 0.4), lambda rng, n: np.full(n, 9.0)),
    "c 2": ("c", lambda rng, s: rng.poisson(2.0, len(s)), lambda rng, n: None),
    "c 20": ("c", lambda rng, s: rng.poisson(20.0, len(s)), lambda rng, n: None),
    "u": ("u", lambda rng, s: rng.poisson(2.0 * s), lambda rng, n: rng.uniform(0.5, 4.0, n)),
}


def stable_charts(name, n, runs, rules, seed):
    chart, draw, sizes_of = LAWS[name]
    rng = np.random.default_rng(seed)
    sizes = sizes_of(rng, n * runs)
    values = draw(rng, np.ones(n * runs) if sizes is None else sizes).astype(float)
    batch = perf.SeriesBatch(values, np.arange(runs + 1) * n, ids=[str(k) for k in range(runs)], sizes=sizes)
    return perf.control_charts(batch, chart=chart, rules=rules)


def check(charts, runs):
    wrong = np.mean(charts.judged & ~charts.stable)
    assert wrong < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs), wrong
    assert wrong > 0.003, wrong
    error = charts.n_signals.std(ddof=1) / np.sqrt(runs)
    assert charts.expected_signals.mean() == pytest.approx(
        charts.n_signals.mean(), abs=4 * error + 0.15 * charts.n_signals.mean()
    )


@pytest.mark.parametrize("rules", ["western_electric", "nelson"])
@pytest.mark.parametrize("name", LAWS)
def test_stable_counts_are_called_unstable_about_as_rarely_as_said(name, rules):
    check(stable_charts(name, 40, 1000, rules, seed=5), 1000)


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["western_electric", "nelson", "limits_only"])
@pytest.mark.parametrize("n", [30, 100])
@pytest.mark.parametrize("name", LAWS)
def test_stable_counts_long(name, n, rules):
    check(stable_charts(name, n, 8000, rules, seed=6), 8000)


def law(kind, count, a, b=None, same=False):
    count = np.asarray(count, dtype=float)
    full = np.broadcast_to(np.asarray(a, dtype=float), count.shape).copy()
    return Law(kind=kind, count=count, a=full, b=None if b is None else np.full(count.shape, b), same=same)


def test_tails_against_r():
    """R: ppois(6, 1.9), ppois(6, 1.9, lower = FALSE), pbinom(3, 9, .1), pgeom(4, 1 / 21)."""
    x = np.array([6.0])
    assert at_most(law("poisson", x, 1.9), x)[0] == pytest.approx(0.996553860606, rel=1e-11)
    assert at_least(law("poisson", x, 1.9), x + 1)[0] == pytest.approx(0.00344613939431, rel=1e-10)
    assert at_most(law("binomial", x, 9, 0.1), np.array([3.0]))[0] == pytest.approx(0.991668906, rel=1e-11)
    assert at_most(law("geometric", x, 20), np.array([4.0]))[0] == pytest.approx(1 - (20 / 21) ** 5)


@given(
    st.sampled_from(["poisson", "binomial", "geometric"]),
    st.floats(0.05, 80.0),
    st.floats(0.01, 0.99),
    st.sampled_from([0.00135, 0.025, 0.5, 0.975, 0.99865]),
)
def test_a_quantile_is_the_smallest_number_that_reaches_its_probability(kind, mean, b, probability):
    one = law(kind, [0.0], np.ceil(mean) if kind == "binomial" else mean, b if kind == "binomial" else None)
    q = quantile(one, probability)
    assert at_most(one, q)[0] >= probability
    assert q[0] == 0 or at_most(one, q - 1)[0] < probability


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.floats(0.1, 20.0))
def test_a_table_of_equal_sizes_gives_the_scores_of_each_point(counts, mean):
    segments = Segments(np.array([0]), len(counts))
    one = normal_scores(law("poisson", counts, mean, same=False), segments)
    two = normal_scores(law("poisson", counts, mean, same=True), segments)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_scores_of_a_stable_process_are_standard_normal():
    n = 20_000
    x = np.random.default_rng(3).poisson(1.9, n)
    _, z = normal_scores(law("poisson", x, 1.9, same=True), Segments(np.array([0]), n))
    assert abs(z.mean()) < 3 / np.sqrt(n)
    assert z.std() == pytest.approx(1, abs=3 / np.sqrt(2 * n))
    v = fixed_uniform(np.arange(n))
    assert abs(np.corrcoef(v[1:], v[:-1])[0, 1]) < 3 / np.sqrt(n)


def test_one_point_above_a_rough_limit_is_no_instability():
    """A count of 7 lies above the 3-sigma limit of a mean of 1.9: so it does in 16% of such series of 52."""
    x = np.random.default_rng(1).poisson(1.8, 52)
    x[np.argmax(x)] = 7
    chart = perf.control_chart(x, chart="c")
    assert chart.n_signals >= 1
    assert chart.stable is True
    assert chart.p_value > 0.05
    x[20] = 15
    assert perf.control_chart(x, chart="c").stable is False


def test_probability_limits():
    """R: qpois(pnorm(c(-3, 3)), 516 / 26) and qbinom(pnorm(c(-3, 3)), 50, 347 / 1500)."""
    boards = [21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16, 19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19]
    boards += [17, 15]
    c = perf.control_chart(boards, chart="c", limits="probability")
    assert (c.lower[0, 0], c.upper[0, 0]) == (8.0, 34.0)
    cans = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7]
    cans += [13, 9, 6]
    p = perf.control_chart(perf.Series(cans, sizes=50), chart="p", limits="probability")
    assert (p.lower[0, 0], p.upper[0, 0]) == pytest.approx((0.08, 0.42))
    number = perf.control_chart(perf.Series(cans, sizes=50), chart="np", limits="probability")
    assert (number.lower[0, 0], number.upper[0, 0]) == (4.0, 21.0)
    with pytest.raises(perf.UnknownNameError, match="did you mean 'probability'"):
        perf.control_chart(boards, chart="c", limits="probabilty")
    with pytest.raises(perf.UnknownNameError, match="limits="):
        perf.control_chart(boards, limits="probability")
