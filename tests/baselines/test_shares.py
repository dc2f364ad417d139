"""Shares and rates: exact intervals, overdispersion, dependence."""

from __future__ import annotations

import math

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.baselines.numbers import Options
from perfanalytics.baselines.shares import clusters_of, describe

PLAIN, AR1 = (Options(0.95, 0.95, d, 5) for d in ("independent", "ar1"))


def rows(counts: list[float], sizes: list[float], options: Options = PLAIN, *, rate: bool = False) -> dict:
    found = describe(
        np.array(counts, dtype=float), np.array(sizes, dtype=float), options, rate=rate, unit="1"
    )
    return {r.quantity: r for r in found.rows} | {"caveats": [c.code for c in found.caveats], "all": found}


def test_the_pooled_share_is_exact_binomial() -> None:
    got = rows([10, 15, 18], [20, 20, 20])["share"]
    assert got.estimate == pytest.approx(43 / 60)
    # R binom.test(43, 60): tests/reference/baselines.R
    assert (got.low, got.high) == pytest.approx((0.585563931050, 0.825494716486))
    assert got.method == "Clopper-Pearson, exact binomial"


def test_the_pooled_rate_is_exact_poisson() -> None:
    got = rows([12, 25], [5.0, 7.5], rate=True)["rate"]
    # R poisson.test(37, 12.5)
    assert (got.low, got.high) == pytest.approx((2.08411316537, 4.07997009135))


def test_gaps_are_left_out() -> None:
    with_gap = rows([10, math.nan, 15, 18], [20, math.nan, 20, 20])["share"]
    assert with_gap == rows([10, 15, 18], [20, 20, 20])["share"]


def test_dispersion_is_pearsons_chi_square() -> None:
    # R: m <- glm(cbind(x, 60 - x) ~ 1, binomial); sum(residuals(m, "pearson")^2) / 4
    assert rows([30, 42, 28, 45, 35], [60] * 5)["dispersion"].estimate == pytest.approx(3.78472222222)


def test_overdispersed_shares_say_so_and_widen_the_interval() -> None:
    rng = np.random.default_rng(3)
    sizes = np.full(40, 500.0)
    plain = rng.binomial(500, 0.8, 40).astype(float).tolist()
    over = rng.binomial(500, rng.beta(40, 10, 40)).astype(float).tolist()
    assert "overdispersed" not in rows(plain, sizes.tolist(), AR1)["caveats"]
    wide, narrow = rows(over, sizes.tolist(), AR1), rows(over, sizes.tolist(), PLAIN)
    assert "overdispersed" in wide["caveats"]
    assert "overdispersed" in narrow["caveats"]
    assert "approximation" in wide["share"].method
    assert wide["share"].high - wide["share"].low > 2 * (narrow["share"].high - narrow["share"].low)


@pytest.mark.parametrize("dispersed", [False, True])
def test_coverage_of_the_pooled_share(dispersed: bool) -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        share = rng.beta(40, 10, 30) if dispersed else np.full(30, 0.8)
        got = rows(rng.binomial(200, share).astype(float).tolist(), [200.0] * 30, AR1)["share"]
        held += got.low <= 0.8 <= got.high
    # 95% nominal, standard error 1.3 points; the exact interval may hold more
    assert held / 300 >= 0.95 - 3 * 0.0126


def test_all_or_none() -> None:
    for counts in ([0, 0, 0], [9, 9, 9]):
        got = rows(counts, [9, 9, 9], AR1)
        assert got["share"].low == (0.0 if counts[0] == 0 else pytest.approx(0.025 ** (1 / 27)))
        assert 0 <= got["next period"].low <= got["next period"].high <= 1


def test_items_coded_0_and_1() -> None:
    got = rows([1, 0, 1, 1, 0, 1, 1, 1, 0, 1], [1] * 10)
    assert got["share"].estimate == 0.7
    assert "p50" not in got
    assert "too-few-points" in got["caveats"]


def test_items_of_one_week_that_are_alike_widen_the_interval() -> None:
    """Shares that differ from week to week: the interval covers, where that of single items does not."""
    rng = np.random.default_rng(6)
    day = np.datetime64("2024-01-01")
    hits = {"weeks": 0, "items": 0}
    for _ in range(60):
        weekly = np.clip(0.7 + 0.1 * rng.standard_normal(30), 0, 1)
        items = (rng.random((30, 100)) < weekly[:, None]).ravel().astype(float)
        when = np.repeat(day + 7 * np.arange(30), 100)
        clustered = describe(items, np.ones(3000), AR1, rate=False, unit="1", when=when)
        plain = describe(items, np.ones(3000), AR1, rate=False, unit="1")
        hits["weeks"] += clustered.rows[0].low <= 0.7 <= clustered.rows[0].high
        hits["items"] += plain.rows[0].low <= 0.7 <= plain.rows[0].high
    assert hits["weeks"] >= 54
    assert hits["items"] <= 48
    assert clustered.rows[0].method.endswith("items, weeks as clusters (approximation)")
    caveat = next(c for c in clustered.caveats if c.code == "clustered")
    assert caveat.evidence["clusters"] == 30
    assert "allows for it roughly" in caveat.text


def test_independent_items_are_not_called_clustered() -> None:
    rng = np.random.default_rng(1)
    items = (rng.random(3000) < 0.7).astype(float)
    when = np.repeat(np.datetime64("2024-01-01") + np.arange(300), 10)
    found = describe(items, np.ones(3000), PLAIN, rate=False, unit="1", when=when)
    assert "clustered" not in [c.code for c in found.caveats]
    clusters = clusters_of(items, when)
    assert clusters is not None
    assert (clusters.every, clusters.k) == ("week", 43)
    assert 0.6 < clusters.inflation < 1.5
    assert clusters_of(items[:60], when[:60]) is None  # 6 days
    nine = clusters_of(items[:90], when[:90])
    assert nine is not None
    assert nine.every == "day"


def test_shares_weigh_by_their_sizes_so_nothing_is_ignored():
    when = np.datetime64("2024-01-01") + 7 * np.arange(20)
    shares = perf.Series(
        np.linspace(0.7, 0.9, 20), sizes=[50.0] * 20, weights=[50.0] * 20, when=when,
        measure=perf.Measure("m", definition="d", unit="1", better="higher", scale="proportion"),
    )  # fmt: skip
    assert "weights-ignored" not in perf.baseline(shares).caveat_codes
