"""Run lengths: published and R spc's numbers, exact against simulated, design, operating characteristics."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Result
from perfanalytics.figures.plot import figure_dict
from perfanalytics.spc.rules import RULE_SETS, TWO_OF_THREE
from perfanalytics.spc.run_chains import rule_automaton
from perfanalytics.spc.run_length import _of_sample, _rule_runs

WE = perf.WESTERN_ELECTRIC.rules
SHIFTS = [0, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("which", "published"),
    [
        # Champ and Woodall (1987), Technometrics 29, 393-399, table 1: C1, C12, C13, C14, C123, C1234
        ((0,), [370.40, 308.43, 200.08, 119.67, 71.55, 43.89, 6.30, 2.00]),
        ((0, 1), [225.44, 177.56, 104.46, 57.92, 33.12, 20.01, 3.65, 1.68]),
        ((0, 2), [166.05, 120.70, 63.88, 33.99, 19.78, 12.66, 3.68, 1.89]),
        ((0, 3), [152.73, 110.52, 59.76, 33.64, 21.07, 14.58, 4.89, 1.99]),
        ((0, 1, 2), [132.89, 97.86, 52.93, 28.70, 16.93, 10.95, 3.14, 1.67]),
        ((0, 1, 2, 3), [91.75, 66.80, 36.61, 20.90, 13.25, 9.22, 3.13, 1.67]),
    ],
)
def test_run_rules_as_published(which, published):
    found = perf.average_run_length([WE[k] for k in which], shift=SHIFTS)
    assert found.exact
    # two printed decimals; 20.905 of the full set is printed as 20.90
    np.testing.assert_allclose(found.arl, published, atol=0.0055)
    assert (found.standard_error == 0).all()


def test_limits_have_a_geometric_run_length():
    found = perf.average_run_length("limits_only")
    p = 0.0026997960632601866
    assert found.arl[0] == pytest.approx(1 / p, rel=1e-12)
    assert found.sd[0] == pytest.approx(np.sqrt(1 - p) / p, rel=1e-9)
    assert found.median[0] == np.ceil(np.log(0.5) / np.log1p(-p))
    assert found.p95[0] == np.ceil(np.log(0.05) / np.log1p(-p))
    assert found.within_25[0] == pytest.approx(1 - (1 - p) ** 25, rel=1e-9)


def test_ewma_as_r_spc():
    """tests/reference/run_lengths.R: xewma.arl, xewma.q, xewma.sf."""
    fixed = perf.average_run_length(
        perf.EwmaScheme(lam=0.1, width=2.7, limits="asymptotic"), shift=[0, 0.5, 1, 2]
    )
    np.testing.assert_allclose(fixed.arl, [368.993734, 28.19053962, 9.730011622, 4.178587579], rtol=1e-8)
    assert (fixed.median[0], fixed.median[2]) == (258, 9)
    assert 1 - fixed.within_25[0] == pytest.approx(0.9521171076, rel=1e-8)
    assert 1 - fixed.within_100[0] == pytest.approx(0.7736279087, rel=1e-8)
    exact = perf.average_run_length(perf.EwmaScheme(lam=0.1, width=2.7), shift=[0, 0.5, 1, 2])
    np.testing.assert_allclose(exact.arl, [356.0950969, 25.32755183, 7.541276435, 2.495430021], rtol=1e-7)
    other = [
        perf.average_run_length(s).arl[0]
        for s in (
            perf.EwmaScheme(lam=0.25, width=3, limits="asymptotic"),
            perf.EwmaScheme(lam=0.05, width=2.6, limits="asymptotic"),
            perf.EwmaScheme(lam=0.25, width=3),
        )
    ]
    np.testing.assert_allclose(other, [502.8951691, 481.9007339, 498.976454], rtol=1e-8)


def test_an_ewma_without_memory_is_a_shewhart_chart():
    a = perf.average_run_length(perf.EwmaScheme(lam=1.0, width=3.0), shift=[0, 1])
    b = perf.average_run_length("limits_only", shift=[0, 1])
    np.testing.assert_allclose(a.arl, b.arl, rtol=1e-10)
    np.testing.assert_allclose(a.sd, b.sd, rtol=1e-10)


def test_cusum_as_r_spc():
    """tests/reference/run_lengths.R: xcusum.arl, xcusum.sf."""
    shifts = [0, 0.5, 1, 2]
    one = perf.average_run_length(perf.CusumScheme(k=0.5, h=5, sides="upper"), shift=shifts)
    np.testing.assert_allclose(one.arl, [930.8870121, 38.00960992, 10.3759753, 4.008871061], rtol=1e-8)
    assert 1 - one.within_25[0] == pytest.approx(0.9796379662, rel=1e-8)
    assert 1 - one.within_100[0] == pytest.approx(0.9032977076, rel=1e-8)
    two = perf.average_run_length(perf.CusumScheme(k=0.5, h=5), shift=shifts)
    np.testing.assert_allclose(two.arl, [465.443506, 37.99614319, 10.37596992, 4.008871061], rtol=1e-8)
    fast = perf.average_run_length(perf.CusumScheme(k=0.5, h=5, head_start=2.5), shift=shifts)
    np.testing.assert_allclose(fast.arl, [430.3908392, 28.66583019, 6.346850468, 2.362290941], rtol=1e-8)
    down = perf.average_run_length(perf.CusumScheme(k=0.5, h=5, sides="lower"), shift=-np.array(shifts))
    np.testing.assert_array_equal(down.arl, one.arl)


def cusum_sample(k, h, start, shift, runs, seed):
    rng = np.random.default_rng(seed)
    up, down, out, n = np.full(runs, start), np.full(runs, start), [], 0
    while len(up):
        n += 1
        x = rng.standard_normal(len(up)) + shift
        up, down = np.maximum(0.0, up + x - k), np.maximum(0.0, down - x - k)
        out += [n] * int(((up > h) | (down > h)).sum())
        stay = (up <= h) & (down <= h)
        up, down = up[stay], down[stay]
    return np.array(out)


@pytest.mark.parametrize(("start", "shift"), [(0.0, 0.0), (2.0, 0.0), (2.0, 0.7)])
def test_the_distribution_of_a_two_sided_cusum_is_the_simulated_one(start, shift):
    """The one-sided laws put together give the law of the pair, not only its mean."""
    scheme = perf.CusumScheme(k=0.5, h=4, head_start=start)
    found = perf.average_run_length(scheme, shift=shift)
    sample = cusum_sample(0.5, 4.0, start, shift, 8000, 5)
    error = sample.std() / np.sqrt(len(sample))
    assert abs(sample.mean() - found.arl[0]) < 3.5 * error
    assert sample.std() == pytest.approx(found.sd[0], rel=0.04)
    for share, points in ((0.05, found.p05[0]), (0.5, found.median[0]), (0.95, found.p95[0])):
        assert abs((sample <= points).mean() - share) < 0.02 + (sample == points).mean()
    assert abs((sample <= 25).mean() - found.within_25[0]) < 0.017


def test_mewma_as_r_spc():
    """tests/reference/run_lengths.R: mewma.arl; Rigdon's h = 8.64 for two measures and 200 points."""
    found = [
        perf.average_run_length(perf.MewmaScheme(p=p, lam=lam, limit=h)).arl[0]
        for p, lam, h in ((2, 0.1, 8.64), (4, 0.2, 13), (3, 0.1, 10))
    ]
    np.testing.assert_allclose(found, [200.544319, 143.1430505, 147.991905], rtol=1e-6)


def test_a_shifted_mewma_is_simulated():
    """Lowry et al. (1992), table 1: p = 2, lambda = 0.1, h4 = 8.66, distance 1: 10.1 points."""
    found = perf.average_run_length(perf.MewmaScheme(p=2, lam=0.1, limit=8.66), shift=1.0)
    assert not found.exact
    assert found.arl[0] == pytest.approx(10.15, abs=3 * found.standard_error[0] + 0.05)
    assert found == perf.average_run_length(perf.MewmaScheme(p=2, lam=0.1, limit=8.66), shift=1.0)


def test_design_as_r_spc():
    """tests/reference/run_lengths.R: xewma.crit, xcusum.crit, mewma.crit."""
    ewma = [
        perf.design_ewma(lam=0.1, arl=500, limits="asymptotic"),
        perf.design_ewma(lam=0.1, arl=500),
        perf.design_ewma(lam=0.2, arl=370.4, limits="asymptotic"),
    ]
    np.testing.assert_allclose(ewma, [2.814309995, 2.82387399, 2.859337814], rtol=1e-7)
    cusum = [
        perf.design_cusum(k=0.5, arl=500, sides="upper"),
        perf.design_cusum(k=0.5, arl=500),
        perf.design_cusum(k=0.25, arl=370.4),
    ]
    np.testing.assert_allclose(cusum, [4.38912974, 5.070703855, 8.010347602], rtol=1e-7)
    mewma = [
        perf.design_mewma(p=p, lam=lam, arl=a) for p, lam, a in ((2, 0.1, 200), (4, 0.1, 200), (3, 0.2, 500))
    ]
    np.testing.assert_allclose(mewma, [8.633580644, 12.72310816, 14.03055993], rtol=1e-6)


def test_a_design_has_the_run_length_it_was_made_for():
    h = perf.design_cusum(k=0.4, arl=300, head_start=0.5)
    found = perf.average_run_length(perf.CusumScheme(k=0.4, h=h, head_start=h / 2))
    assert found.arl[0] == pytest.approx(300, rel=1e-8)


@pytest.mark.parametrize("name", [n for n in RULE_SETS if n != "limits_only"])
def test_chain_and_simulation_agree(name):
    """Every set, or where it has trends the part of it that lies in zones."""
    rules = [
        replace(r, mark="completing")
        for r in RULE_SETS[name].rules
        if r.pattern not in ("trend", "alternating")
    ]
    exact = perf.average_run_length(rules, shift=1.0)
    assert exact.exact
    row = _of_sample(_rule_runs(rules, 1.0, 3.0, 4000, 3))
    assert abs(row[0] - exact.arl[0]) < 3.5 * row[-1]
    assert row[1] == pytest.approx(exact.sd[0], rel=0.08)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.integers(0, 2),
            st.sampled_from([0.0, 1.0, 1.5]),
            st.sampled_from(["same", "either", "both"]),
        ),
        min_size=1,
        max_size=3,
    )
)
@settings(max_examples=12, deadline=None)
def test_any_zone_rules_agree_with_simulation(specs):
    rules = [perf.Rule("limit", count=1, zone=None)]
    for k, (count, more, zone, side) in enumerate(specs):
        if side == "both":
            count, more = count + 1, 0
        if side == "either" and zone == 0.0:
            zone = 1.0
        rules.append(perf.Rule(f"r{k}", count=count, out_of=count + more, zone=zone, side=side))
    exact = perf.average_run_length(rules, shift=0.5)
    assert exact.exact
    row = _of_sample(_rule_runs(rules, 0.5, 3.0, 3000, 9))
    assert abs(row[0] - exact.arl[0]) < 4.5 * row[-1] + 1e-9


def test_the_kernel_loses_only_the_signals():
    step, probabilities = rule_automaton([TWO_OF_THREE], 3.0)
    assert probabilities(0.3).sum() == pytest.approx(1.0)
    # no point outside, or one above, one below, or both, one or two points ago
    assert len(step) == 7
    assert (step[0] >= 0).all()


def test_a_chart_brings_its_rules_and_limits():
    chart = perf.control_chart(np.arange(20) % 5, rules="limits_only", sigmas=2.5)
    found = perf.average_run_length(chart)
    assert found.arl[0] == pytest.approx(1 / 0.012419330651552265, rel=1e-9)


def test_a_chart_with_memory_brings_its_scheme():
    x = np.arange(40) % 7
    ewma = perf.control_chart(x, chart="ewma", options={"lam": 0.1}, sigmas=2.7)
    assert perf.average_run_length(ewma).arl[0] == pytest.approx(356.0950969, rel=1e-7)
    fixed = perf.control_chart(x, chart="ewma", options={"lam": 0.1}, sigmas=2.7, limits="asymptotic")
    assert perf.average_run_length(fixed).arl[0] == pytest.approx(368.993734, rel=1e-8)
    cusum = perf.control_chart(x, chart="cusum", options={"head_start": 2.5})
    assert perf.average_run_length(cusum).arl[0] == pytest.approx(430.3908392, rel=1e-8)
    with pytest.raises(InputError, match="not known here"):
        perf.average_run_length(perf.control_chart(x, chart="run"))


def test_a_longer_pattern_alarms_less_and_a_larger_shift_is_seen_sooner():
    for name in ("western_electric", "wheeler"):
        arl = perf.average_run_length(name, shift=np.linspace(0, 3, 13)).arl
        assert (np.diff(arl) < 0).all()
    eight, nine = (perf.average_run_length([perf.Rule("run", count=k)]).arl[0] for k in (8, 9))
    # runs of k heads or tails: 2^k - 1
    assert (eight, nine) == (pytest.approx(255), pytest.approx(511))


def test_no_pattern_is_taken_for_a_geometric_tail():
    """Until eight points are there only the limits can signal, and that alone is geometric."""
    rules = [WE[0], perf.Rule("run", count=30)]
    found = perf.average_run_length(rules)
    sample = _rule_runs(rules, 0.0, 3.0, 3000, 4)
    assert abs((sample <= found.median[0]).mean() - 0.5) < 0.035
    assert found.median[0] < 258


def test_what_is_told_and_kept():
    found = perf.average_run_length("nelson", shift=[0, 1], runs=2000)
    assert found.verdict.startswith("Nelson rules: a stable process signals falsely after 7")
    assert not found.exact
    assert (found.standard_error > 0).all()
    assert found.method.parameters["computed"] == "simulated, 2000 runs, seed 20260101"
    for result in (found, perf.operating_characteristic("p", size=50, center=0.2)):
        assert Result.from_record(json.loads(json.dumps(result.to_record()))) == result
        assert len(result.summary()) == 1
        assert figure_dict(result)["data"]
    assert found.summary()["shift"].tolist() == [0.0]
    assert list(found.to_frame()) == list(perf.average_run_length(perf.CusumScheme(k=0.5, h=4)).to_frame())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"of": "nelson", "shift": []}, "finite numbers"),
        ({"of": "nelson", "shift": [np.nan]}, "finite numbers"),
        ({"of": "nelson", "runs": 10}, "at least 100"),
        ({"of": "nelson", "sigmas": 0}, "positive number"),
        ({"of": 3}, "RuleSet"),
    ],
)
def test_wrong_questions(arguments, says):
    with pytest.raises(InputError, match=says):
        perf.average_run_length(arguments.pop("of"), **arguments)


def test_wrong_schemes():
    with pytest.raises(InputError, match="lam="):
        perf.EwmaScheme(lam=0.001, width=3)
    with pytest.raises(UnknownNameError):
        perf.EwmaScheme(lam=0.1, width=3, limits="fixed")
    with pytest.raises(InputError, match="head_start"):
        perf.CusumScheme(k=0.5, h=5, head_start=5)
    with pytest.raises(InputError, match="h / 2"):
        perf.CusumScheme(k=0.5, h=5, head_start=4)
    with pytest.raises(InputError, match="at least 1"):
        perf.MewmaScheme(p=0, lam=0.1, limit=9)
    with pytest.raises(InputError, match="2 to 1,000,000"):
        perf.design_cusum(k=0.5, arl=1)
    with pytest.raises(InputError, match="cannot be had"):
        perf.design_cusum(k=5.0, arl=2)


def test_operating_characteristics():
    """tests/reference/run_lengths.R, base R; Montgomery's orange juice (n = 50) and circuit boards."""
    xbar = perf.operating_characteristic("xbar", size=5, at=[0, 0.5, 1, 2])
    np.testing.assert_allclose(xbar.missed, [0.997300203937, 0.970060578772, 0.77754604139, 0.070492083947])
    assert xbar.arl[2] == pytest.approx(1 / (1 - 0.77754604139))
    p = perf.operating_characteristic("p", size=50, center=0.2313333, at=[0.05, 0.2, 0.3, 0.5])
    np.testing.assert_allclose(p.missed, [0.45946687728, 0.998393920709, 0.952231714663, 0.101319375531])
    c = perf.operating_characteristic("c", center=19.846, at=[5, 20, 30, 45])
    np.testing.assert_allclose(c.missed, [0.237816537027, 0.997056439318, 0.744448641396, 0.0383392724771])


def test_a_count_on_a_limit_is_inside():
    # center 9, limits 0 and 18 exactly: 18 is inside, and no count is below
    c = perf.operating_characteristic("c", center=9.0, at=[9.0])
    assert (c.lower, c.upper) == (0.0, 18.0)
    assert c.missed[0] == pytest.approx(
        sum(np.exp(-9) * 9.0**k / np.prod(np.arange(1.0, k + 1)) for k in range(19))
    )


def test_the_half_missed_change_is_told():
    x = perf.operating_characteristic("xbar", size=4)
    # the nearer limit at 3 sigma of the mean: a shift of 1.5 sigma of one value
    assert x.summary()["half_missed_at"][0] == pytest.approx(1.5, abs=0.002)
    assert x.verdict.startswith("Half the points of this xbar chart of 4 miss a shift of 1.5 sigma;")
    assert perf.operating_characteristic("xbar", at=[0.0]).verdict.startswith("The values given do not show")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"chart": "p", "center": 0.0}, "between 0 and 1"),
        ({"chart": "c", "center": 0.0}, "above 0"),
        ({"chart": "xbar", "size": 0}, "at least 1"),
        ({"chart": "xbar", "at": [-1.0]}, "from 0"),
        ({"chart": "p", "center": 0.1, "at": [1.5]}, "from 0 to 1"),
    ],
)
def test_wrong_characteristics(arguments, says):
    with pytest.raises(InputError, match=says):
        perf.operating_characteristic(arguments.pop("chart"), **arguments)


def test_an_unknown_characteristic():
    with pytest.raises(UnknownNameError):
        perf.operating_characteristic("u")
