"""Risk-adjusted CUSUM and VLAD: published scores, paths and run lengths (tests/reference/risk_adjusted.R)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError
from perfanalytics.spc.families.risk_adjusted import score, shifted
from perfanalytics.spc.walks import beyond_in_all, ever_reaches

Y = np.array([0.0, 0, 1, 0, 1, 1, 0, 0, 1, 0])
RISK = np.array([0.05, 0.1, 0.2, 0.08, 0.3, 0.15, 0.5, 0.02, 0.12, 0.4])
DEATHS = perf.Measure("deaths", definition="d", unit="1", better="lower", scale="proportion")
MIX = np.array([0.01, 0.03, 0.06, 0.1, 0.18, 0.33])
SHARE = np.array([0.25, 0.25, 0.2, 0.15, 0.1, 0.05])


def chart_of(y, risk, options=None, **more):
    series = perf.Series(y, covariates={"risk": risk}, measure=DEATHS)
    return perf.control_chart(series, chart="risk_adjusted_cusum", options=options, **more)


def cases(n, seed, odds=1.0, since=0):
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 8, n)
    p = np.where(np.arange(n) >= since, shifted(risk, odds), risk)
    return (rng.random(n) < p).astype(float), risk


def test_scores_as_published():
    """Steiner et al. (2000), p. 446, and Steiner (2014), p. 234: Parsonnet score 0 and 50."""
    p = 1 / (1 + np.exp(3.68 - 0.077 * np.array([0.0, 0, 50, 50])))
    outcome = np.array([0.0, 1, 0, 1])
    assert score(outcome, p, 2.0).round(3).tolist() == [-0.024, 0.669, -0.433, 0.260]
    assert score(outcome, p, 0.5).round(3).tolist() == [0.012, -0.681, 0.316, -0.377]


def test_paths_as_in_r():
    chart = chart_of(Y, RISK)
    more = [0, 0, 0.5108256238, 0.4338645826, 0.8646474987, 1.4180327369, 1.0125676288, 0.9927650015,
            1.5725834968, 1.2361112601]  # fmt: skip
    fewer = [0.02531780798, 0.07661110237, 0, 0.04082199452, 0, 0, 0.28768207245, 0.29773240831, 0,
             0.22314355131]  # fmt: skip
    np.testing.assert_allclose(chart.value[0], more, atol=1e-10)
    np.testing.assert_allclose(chart.value[1], np.negative(fewer), atol=1e-10)
    vlad = [0.05, 0.15, -0.65, -0.57, -1.27, -2.12, -1.62, -1.60, -2.48, -2.08]
    np.testing.assert_allclose(chart.value[2], vlad, atol=1e-12)
    assert chart.panels == ("more events", "fewer events", "expected minus observed events")
    again = chart_of(Y, RISK, {"after_signal": "restart"}, sigmas=1.0)
    restarted = [0, 0, 0.5108256238, 0.4338645826, 0.8646474987, 1.4180327369, 0, 0, 0.5798184953,
                 0.2433462586]  # fmt: skip
    np.testing.assert_allclose(again.value[0], restarted, atol=1e-10)
    assert np.flatnonzero(again.fired[0]).tolist() == [5]


def test_calibrated_risks_as_a_logistic_model_with_offset():
    chart = chart_of(Y, RISK, estimate="calibrated")
    assert chart.limits.parameters["odds"][0] == pytest.approx(3.527913312, rel=1e-8)
    # as many events expected as observed: the display ends at 0
    assert chart.value[2, -1] == pytest.approx(0.0, abs=1e-10)
    frozen = chart_of(Y, RISK, estimate=chart)
    np.testing.assert_array_equal(frozen.value, chart.value)
    first = chart_of(*cases(200, 3), estimate="calibrated")
    saved = perf.Limits.from_record(json.loads(json.dumps(first.limits.to_record())))
    later = chart_of(*cases(300, 4), estimate=saved)
    assert later.limits.parameters["odds"][0] == first.limits.parameters["odds"][0]


def test_run_lengths_as_in_r():
    """A chain written out state by state on 1,000 nodes in R."""
    more = perf.risk_adjusted_run_length(MIX, odds=2, h=2.9, weights=SHARE)
    fewer = perf.risk_adjusted_run_length(MIX, odds=0.5, h=2.5, weights=SHARE)
    worse = perf.risk_adjusted_run_length(MIX, odds=2, h=2.9, weights=SHARE, true_odds=2)
    assert more == pytest.approx(1149.32616, rel=2e-3)
    assert fewer == pytest.approx(972.71561, rel=2e-3)
    assert worse == pytest.approx(112.00050, rel=2e-3)
    early = perf.risk_adjusted_run_length(MIX, odds=2, h=2.9, weights=SHARE, head_start=0.5)
    assert 0.7 * more < early < more


def test_a_designed_interval_has_the_wanted_run_length():
    h = perf.design_risk_adjusted_cusum(MIX, odds=2, arl=300, weights=SHARE)
    rng = np.random.default_rng(5)
    runs = []
    for _ in range(600):
        c, t = 0.0, 0
        while c <= h:
            risk = rng.choice(MIX, 64, p=SHARE)
            w = score((rng.random(64) < risk).astype(float), risk, 2.0)
            for step in w.tolist():
                c, t = max(0.0, c + step), t + 1
                if c > h:
                    break
        runs.append(t)
    assert np.mean(runs) == pytest.approx(300, abs=4 * np.std(runs) / np.sqrt(600))


def test_the_evidence_is_calibrated():
    risk = np.random.default_rng(6).beta(1, 8, 150)
    y = (np.random.default_rng(7).random((300, 150)) < risk).astype(float)
    batch = perf.SeriesBatch(
        y.ravel(),
        np.arange(301) * 150,
        ids=[str(k) for k in range(300)],
        covariates={"risk": np.tile(risk, 300)},
    )
    charts = perf.control_charts(batch, chart="risk_adjusted_cusum", sigmas=3.0)
    assert (charts.p_value < 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
    assert 0.1 < (charts.p_value < 0.3).mean() < 0.36
    assert charts.stable.mean() > 0.92


def test_exact_chances_by_counting():
    """Every outcome of eight cases: how often the sum reaches a level, and how often it is beyond."""
    rng = np.random.default_rng(8)
    risk = rng.uniform(0.05, 0.6, 8)
    steps = (score(np.zeros(8), risk, 2.0), score(np.ones(8), risk, 2.0))
    level = 0.9
    reached = often = 0.0
    for outcome in np.ndindex(*(2,) * 8):
        c, top, beyond, chance = 0.0, 0.0, 0, 1.0
        for k, e in enumerate(outcome):
            c = max(0.0, c + steps[e][k])
            top, beyond = max(top, c), beyond + (c >= level)
            chance *= risk[k] if e else 1 - risk[k]
        reached += chance * (top >= level)
        often += chance * beyond
    zero = np.zeros(8, dtype=int)
    found = ever_reaches(risk, steps, zero, np.arange(8), np.array([level]), 0.0)
    assert found[0] == pytest.approx(reached, abs=0.02)
    mean = beyond_in_all(risk, steps, zero, np.arange(8), level, 0.0, restart=False)
    assert mean[0] == pytest.approx(often, abs=0.06)


def test_a_deterioration_is_found_and_told():
    chart = chart_of(*cases(600, 1, odds=2.5, since=300))
    assert chart.stable is False
    first = np.flatnonzero(chart.fired[0])[0]
    assert first > 300
    assert chart.verdict.startswith("Not stable: more events than the risks let expect, first signalled at")
    assert chart.signals["direction"].iloc[0] == "concern"
    better = chart_of(*cases(900, 2, odds=0.3, since=300))
    assert better.fired[1].any()
    assert (better.direction[1][better.fired[1] != 0] == "improvement").all()
    quiet = chart_of(*cases(300, 9))
    assert quiet.verdict.startswith("Stable: neither sum of 300 cases left its decision interval")


@given(seed=st.integers(0, 2**31), missing=st.floats(0, 0.5), cut=st.integers(1, 39))
@settings(max_examples=25, deadline=None)
def test_gaps_exclusions_and_stages(seed, missing, cut):
    y, risk = cases(40, seed)
    gone = np.random.default_rng(seed).random(40) < missing
    holes = chart_of(np.where(gone, np.nan, y), risk)
    short = chart_of(y[~gone], risk[~gone])
    np.testing.assert_allclose(holes.value[:, ~gone], short.value, atol=1e-12)
    out = chart_of(y, risk, exclude=dict.fromkeys(np.flatnonzero(gone).tolist(), "test"))
    np.testing.assert_allclose(out.value[:, ~gone], short.value, atol=1e-12)
    assert not out.fired[:, gone].any()
    parts = chart_of(y, risk, stages=[cut])
    np.testing.assert_allclose(parts.value[:, cut:], chart_of(y[cut:], risk[cut:]).value, atol=1e-12)
    assert (parts.upper[0] == 4.5).all()


def test_restarting_starts_anew_behind_every_signal():
    y, risk = cases(500, 11, odds=4.0)
    h, c, path, signals = 1.5, 0.0, [], []
    for k, w in enumerate(score(y, risk, 2.0).tolist()):
        c = max(0.0, c + w)
        path.append(c)
        if c > h:
            signals.append(k)
            c = 0.0
    chart = chart_of(y, risk, {"after_signal": "restart"}, sigmas=h)
    np.testing.assert_allclose(chart.value[0], path, atol=1e-12)
    assert np.flatnonzero(chart.fired[0]).tolist() == signals
    assert len(signals) > 5


def test_risks_as_sizes_are_the_same_and_belong_to_the_hash():
    a = chart_of(Y, RISK)
    b = perf.control_chart(perf.Series(Y, sizes=RISK, measure=DEATHS), chart="risk_adjusted_cusum")
    np.testing.assert_array_equal(a.value, b.value)
    other = chart_of(Y, RISK / 2)
    assert other.provenance.data_hash != a.provenance.data_hash
    wide = chart_of(Y, RISK, {"h_fewer": 4.0, "head_start": 0.5})
    assert wide.lower[1, 0] == -4.0
    assert wide.value[0, 0] == pytest.approx(2.25 + score(Y[:1], RISK[:1], 2.0)[0])
    assert len(perf.plot(a).data) > 5


@pytest.mark.parametrize(
    ("y", "columns", "message"),
    [
        ([0.0, 2], {"sizes": [0.1, 0.2]}, "is 0 or 1"),
        ([0.0, 1], {"sizes": [0.1, 1.0]}, "below 1"),
        ([0.0, 1], {}, "needs the risk of each case"),
    ],
)
def test_what_it_refuses(y, columns, message):
    with pytest.raises(InputError, match=message):
        perf.control_chart(perf.Series(y, **columns), chart="risk_adjusted_cusum")


def test_what_the_design_refuses():
    with pytest.raises(InputError, match="no change"):
        perf.risk_adjusted_run_length([0.1], odds=1, h=3)
    with pytest.raises(InputError, match="risks="):
        perf.risk_adjusted_run_length([0.0], odds=2, h=3)
    with pytest.raises(InputError, match="weights="):
        perf.design_risk_adjusted_cusum([0.1], odds=2, arl=100, weights=[1, 2])
    with pytest.raises(InputError, match="arl="):
        perf.design_risk_adjusted_cusum([0.1], odds=2, arl=5)
