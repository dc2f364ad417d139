"""Funnel plot: limits, overdispersion, multiplicity and figure; numbers from tests/reference/funnel.R."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.funnel import info
from perfanalytics.figures.labels import beside
from perfanalytics.spc.families.funnel import _usual, asked_of, contour

R = np.array([12.0, 30, 9, 55, 41, 18, 77, 5, 36, 62, 20, 15])
N = np.array([150.0, 210, 90, 400, 350, 220, 480, 60, 300, 410, 120, 180])
NAMES = list("ABCDEFGHIJKL")
SHARE = perf.Measure("reopened", definition="d", unit="1", better="lower", scale="proportion")


def funnel(options=None, **more):
    series = perf.Series(R, sizes=N, labels=NAMES, measure=SHARE)
    return perf.control_chart(series, chart="funnel", options=options, **more)


def test_center_phi_and_tau2_as_in_r():
    found = funnel().limits.parameters
    assert found["center"][0] == pytest.approx(0.127946127946, rel=1e-11)
    assert found["phi"][0] == pytest.approx(1.498649968072693, rel=1e-11)
    assert found["tau2"][0] == pytest.approx(0.000293826470096, rel=1e-9)
    plain = funnel({"winsorize": 0.0}).limits.parameters
    assert plain["phi"][0] == pytest.approx(1.801436525168216, rel=1e-11)
    # metafor::rma(method = "DL")
    assert plain["tau2"][0] == pytest.approx(0.000446694610899, rel=1e-9)


def test_limits_as_in_r():
    wide = funnel({"adjust": "additive"})
    np.testing.assert_allclose(wide.upper[0, [0, 7]], [0.224584594450, 0.267161161884], rtol=1e-9)
    times = funnel({"adjust": "multiplicative"})
    np.testing.assert_allclose(times.upper[0, [0, 7]], [0.228109966746, 0.286319062843], rtol=1e-9)
    exact = funnel(limits="probability")
    np.testing.assert_array_equal(np.round(exact.lower[0] * N), [8, 13, 3, 32, 27, 14, 41, 1, 22, 33, 6, 11])
    np.testing.assert_array_equal(
        np.round(exact.upper[0] * N), [32, 42, 22, 72, 64, 44, 84, 16, 57, 74, 27, 37]
    )


def test_expected_outside_and_evidence_are_exact():
    chart = funnel(sigmas=2.0)
    # sums and tails of the binomial law in R
    assert chart.expected_signals == pytest.approx(0.579447492195, rel=1e-10)
    # the farthest unit is F: 0.0421 two-sided, of 12; the count gives more
    assert chart.n_signals == 2
    far = 1 - (1 - 0.04209032980) ** 12
    from scipy.stats import binom

    many = binom.sf(1, 12, 0.579447492195 / 12)
    assert chart.p_value == pytest.approx(min(1.0, 2 * min(far, many)), rel=1e-8)


def test_rates_and_values():
    rates = perf.control_chart(
        perf.Series(R, sizes=N), chart="funnel", options={"law": "poisson"}, limits="probability"
    )
    assert rates.limits.parameters["phi"][0] == pytest.approx(1.306903507511204, rel=1e-11)
    np.testing.assert_array_equal(
        np.round(rates.upper[0] * N), [34, 44, 23, 74, 66, 45, 86, 17, 58, 75, 28, 39]
    )
    assert not rates.is_share
    v = [10.1, 12.4, 9.8, 11.0, 14.9, 10.5, 8.2, 11.7, 10.9, 13.3]
    se = np.array([0.9, 0.7, 1.1, 0.5, 0.8, 0.6, 1.2, 0.4, 0.9, 1.0])
    values = perf.control_chart(
        perf.Series(v, weights=1 / se**2), chart="funnel", options={"law": "normal", "winsorize": 0.0}
    )
    # metafor: fixed-effect mean, DerSimonian-Laird tau2
    assert values.center[0, 0] == pytest.approx(11.46557513168, rel=1e-11)
    assert values.limits.parameters["tau2"][0] == pytest.approx(1.69352695454, rel=1e-10)
    np.testing.assert_allclose(values.sigma[0], se, rtol=1e-12)


def test_overdispersion_is_never_silent():
    rng = np.random.default_rng(3)
    n = rng.integers(2000, 9000, 60)
    series = perf.Series(rng.binomial(n, rng.normal(0.2, 0.03, 60)).astype(float), sizes=n)
    plain = perf.control_chart(series, chart="funnel")
    (doubt,) = [c for c in plain.caveats if c.code == "overdispersed"]
    assert doubt.evidence["phi"] == pytest.approx(plain.limits.parameters["phi"][0])
    assert "adjust" in doubt.text
    assert plain.stable is False
    assert "chance alone" in plain.verdict
    for adjust in ("multiplicative", "additive"):
        wide = perf.control_chart(series, chart="funnel", options={"adjust": adjust})
        assert "overdispersed" not in wide.caveat_codes
        assert wide.n_signals < plain.n_signals / 10
    assert wide.stable is True
    assert np.sqrt(wide.limits.parameters["tau2"][0]) == pytest.approx(0.03, rel=0.2)


def test_units_that_differ_by_chance_only_are_left_alone():
    rng = np.random.default_rng(4)
    n = rng.integers(40, 2000, 300 * 40)
    batch = perf.SeriesBatch(
        rng.binomial(n, 0.1).astype(float), np.arange(301) * 40, sizes=n, ids=[str(k) for k in range(300)]
    )
    charts = perf.control_charts(batch, chart="funnel")
    assert 0.93 < charts.stable.mean() <= 1.0
    doubts = np.mean(["dispersed" in c for c in charts.caveats_of_series])
    assert doubts < 0.07
    assert charts.n_signals.mean() == pytest.approx(charts.expected_signals.mean(), rel=0.35)


@pytest.mark.parametrize("q", [0.0, 0.1, 0.25])
def test_the_usual_phi_is_that_of_simulated_units(q):
    rng = np.random.default_rng(5)
    z = rng.standard_normal((4000, 200))
    low, high = np.quantile(z, [q, 1 - q], axis=1)
    phi = (np.clip(z, low[:, None], high[:, None]) ** 2).mean(axis=1)
    mean, spread = _usual(q)
    assert phi.mean() == pytest.approx(mean, abs=0.01)
    assert phi.std() * np.sqrt(200) == pytest.approx(spread, rel=0.05)


def test_what_the_verdict_says():
    chart = funnel(sigmas=2.0)
    assert chart.verdict == (
        "No more units differ than chance explains: 2 of 12 units lie outside the limits (0.6 expected by "
        "chance, p = 0.22): 1 above (G), 1 below (F). Overall 12.8%. The limits allow for chance alone, and "
        "the units vary more than that (phi 1.5)."
    )
    target = funnel({"target": 0.05})
    assert target.stable is False
    assert target.verdict.startswith("More units differ than chance explains: ")
    assert "Target 5.0%" in target.verdict
    few = perf.control_chart(perf.Series([3.0, 4], sizes=[20, 30]), chart="funnel")
    assert few.stable is None
    assert few.verdict.startswith("Not judged: 2 units are too few")
    assert (target.direction[0][target.fired[0] != 0] == "concern").any()


def test_the_order_of_units_does_not_matter():
    order = np.random.default_rng(6).permutation(12)
    a, b = funnel(), perf.control_chart(perf.Series(R[order], sizes=N[order], measure=SHARE), chart="funnel")
    np.testing.assert_allclose(b.upper[0], a.upper[0, order], rtol=1e-12)
    assert a.p_value == pytest.approx(b.p_value)
    assert a.caveat_codes == b.caveat_codes


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=40),
    st.sampled_from(["none", "additive", "multiplicative"]),
)
@settings(max_examples=60, deadline=None)
def test_any_sizes(units, adjust):
    size = np.array([float(max(u)) for u in units])
    count = np.array([float(min(u)) for u in units])
    chart = perf.control_chart(perf.Series(count, sizes=size), chart="funnel", options={"adjust": adjust})
    seen = size > 0
    assert np.isfinite(chart.upper[0, seen]).all()
    assert ((chart.lower[0, seen] >= 0) & (chart.upper[0, seen] <= 1)).all()
    assert np.isnan(chart.upper[0, ~seen]).all()
    plain = perf.control_chart(perf.Series(count, sizes=size), chart="funnel")
    assert (chart.upper[0, seen] >= plain.upper[0, seen] - 1e-12).all()


def test_limits_are_carried_on_to_new_units():
    base = funnel({"adjust": "additive"})
    saved = perf.Limits.from_record(json.loads(json.dumps(base.limits.to_record())))
    new = perf.control_chart(
        perf.Series([20.0, 60], sizes=[150, 200]),
        chart="funnel",
        estimate=saved,
        options={"adjust": "additive"},
    )
    assert new.upper[0, 0] == pytest.approx(base.upper[0, 0], rel=1e-12)
    given_center = perf.control_chart(
        perf.Series(R, sizes=N), chart="funnel", estimate={"center": 0.2, "tau2": 0.001}
    )
    assert given_center.center[0, 0] == 0.2
    out = perf.control_chart(perf.Series(R, sizes=N), chart="funnel", exclude={1: "moved to another region"})
    assert out.center[0, 0] == (R.sum() - 30) / (N.sum() - 210)
    assert not out.fired[0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stages": [3]}, "units, not times"),
        ({"limits": "probability", "options": {"adjust": "additive"}}, "take limits='sigma'"),
        ({"options": {"target": 1.2}}, "between 0 and 1"),
        ({"options": {"law": "normal"}}, "weights = 1"),
        ({"transform": "log"}, "are not transformed"),
    ],
)
def test_what_a_funnel_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        perf.control_chart(perf.Series(R, sizes=N), chart="funnel", **arguments)
    with pytest.raises(UnknownNameError, match="additive"):
        funnel({"adjust": "addtive"})
    with pytest.raises(InputError, match="give sizes="):
        perf.control_chart(R / N, chart="funnel")
    with pytest.raises(InputError, match="poisson"):
        perf.control_chart(perf.Series([30.0, 2], sizes=[20, 20]), chart="funnel")


def test_the_figure_shows_units_by_size():
    chart = funnel({"target": 0.05})
    record = info(chart)
    np.testing.assert_array_equal(record.size, N)
    assert [c.name for c in record.curves] == ["95%", "3 sigma"]
    decides = record.curves[1]
    np.testing.assert_allclose(np.interp(N, record.along, decides.upper), chart.upper[0], rtol=2e-3)
    assert {text for text, *_ in record.labels.values()} <= set(NAMES)
    assert sum(map(len, record.signals.values())) == chart.n_signals
    figure = perf.plot(chart)
    assert "size" in figure.layout.xaxis.title.text
    assert figure.layout.yaxis.tickformat in (".0%", ".1%")


def test_the_lines_of_exact_limits_part_the_units_as_the_limits_do():
    chart = funnel(limits="probability", sigmas=2.0)
    parameters = {k: float(v[0]) for k, v in chart.limits.parameters.items()}
    size = np.repeat(np.arange(20.0, 200.0, 7.0), 2)
    low, high = contour(parameters, asked_of(chart), size)
    law = perf.control_chart(
        perf.Series(np.zeros(len(size)), sizes=size),
        chart="funnel",
        limits="probability",
        sigmas=2.0,
        estimate={"center": parameters["center"]},
    )
    last_inside = np.round(law.upper[0] * size)
    assert (last_inside <= high * size + 1e-9).all()
    assert (last_inside + 1 >= high * size - 1e-9).all()
    first_inside = np.round(law.lower[0] * size)
    assert (first_inside >= low * size - 1e-9).all()
    assert ((first_inside - 1 <= low * size + 1e-9) | (first_inside == 0)).all()


def test_no_label_lies_on_another():
    rng = np.random.default_rng(7)
    points = rng.uniform(0, 1, (60, 2)) * [800, 300]
    widths = rng.uniform(20, 90, 20)
    places = beside(points, range(20), widths, 800.0, 300.0)
    boxes = [
        (points[k, 0] + x - widths[k] / 2, points[k, 1] + y - 7.5, widths[k], 15.0)
        for k, (x, y) in places.items()
    ]
    assert len(boxes) > 12
    for i, a in enumerate(boxes):
        assert a[0] >= -1e-6
        assert a[0] + a[2] <= 800 + 1e-6
        for b in boxes[:i]:
            assert a[0] >= b[0] + b[2] or b[0] >= a[0] + a[2] or abs(a[1] - b[1]) >= 15


def test_which_providers_differ(real_data):
    """Question 6 of the NHS data: 140 providers with up to a million attendances each."""
    import pandas as pd

    d = pd.read_csv(real_data / "nhs_ae_attendances.csv.gz", dtype={"type": str})
    d = d[d["type"] == "1"].groupby("org_code")[["attendances", "breaches"]].sum()
    met = (d["attendances"] - d["breaches"]).to_numpy(float)
    series = perf.Series(met, sizes=d["attendances"].to_numpy(float), labels=list(d.index))
    plain = perf.control_chart(series, chart="funnel")
    # with such sizes chance explains next to nothing: almost every provider differs
    assert (plain.n_signals, plain.n_used) == (138, 140)
    assert "overdispersed" in plain.caveat_codes
    wide = perf.control_chart(series, chart="funnel", options={"adjust": "additive"})
    assert wide.signals["label"].tolist() == ["RAS"]
    assert wide.stable is True
