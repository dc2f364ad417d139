"""Simulation of composed processes against closed forms, R (tests/reference/simulation.R) and bad input."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.distributions import fit_distribution
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.series import Series
from perfanalytics.models.model import fit
from perfanalytics.models.simulation.correlation import read_correlation
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.models.simulation.doubts import check_doubts
from perfanalytics.models.simulation.engine import prepare, run_aligned, run_fast, run_recorded
from perfanalytics.models.simulation.marginals import marginal_of
from perfanalytics.models.simulation.moments import exact_moments
from perfanalytics.models.simulation.parts import (
    Part,
    batch,
    branch,
    parallel,
    rework,
    sequence,
    step,
)
from perfanalytics.models.simulation.result import Simulation
from perfanalytics.models.simulation.sensitivity import pick_freeze, rank_correlation
from perfanalytics.models.simulation.simulate import simulate

D = Distribution
HOURS = Measure("hours", definition="Elapsed hours", unit="hours", better="lower", scale="duration")
P = np.array([1e-6, 0.01, 0.5, 0.99, 1 - 1e-6])


def hours(n: int = 60, seed: int = 1) -> Series:
    return Series(np.exp(np.random.default_rng(seed).normal(1.0, 0.5, n)), measure=HOURS)


def plan_of(process: Part, correlation: object = None) -> object:
    return prepare(process, read_correlation(correlation, tuple(s.name for s in process.steps)))


def mixed() -> Part:
    """A process with every kind of part and every family."""
    return sequence(
        step("triage", D.lognormal(median=0.5, sigma=0.6)),
        parallel(step("a", D.gamma(mean=3, sd=2)), step("b", D.pert(low=1, mode=2, high=7))),
        rework(step("fix", D.weibull(shape=1.5, scale=3)), probability=0.18),
        branch([(0.8, step("phone", 0.3)), (0.2, step("site", D.triangular(low=1, mode=2, high=6)))]),
        batch(step("install", D.exponential(mean=0.2)), size=3),
        step("wait", D.discrete({0: 0.5, 2: 0.3, 4: 0.2})),
        step("drive", D.uniform(low=0.2, high=1.0)),
        rework(step("seen", [0.5, 0.7, 1.0, 2.0]), probability=0.3, at_most=2),
        step("steady", D.normal(mean=5, sd=0.5)),
    )


# ---------------------------------------------------------------- distributions


@pytest.mark.parametrize(
    ("made", "expected"),
    [  # Rscript tests/reference/simulation.R
        (
            D.gamma(mean=4, sd=3),
            [0.00125590936927, 0.231681088869, 3.28010753811, 13.9910638378, 36.2264934041],
        ),
        (
            D.weibull(shape=0.8, scale=5),
            [1.5811398183e-07, 0.0159109357836, 3.16229098986, 33.7308363666, 133.176831532],
        ),
        (D.exponential(mean=2), [2.000001e-06, 0.020100671707, 1.38629436112, 9.21034037198, 27.6310211159]),
        (
            D.pert(low=1, mode=2, high=7),
            [1.00041410437, 1.10634751084, 2.51172386285, 5.36574024094, 6.81153662595],
        ),
    ],
    ids=lambda v: v.family if isinstance(v, Distribution) else "",
)
def test_quantiles_are_those_of_r(made: Distribution, expected: list[float]) -> None:
    np.testing.assert_allclose(made.quantile_at(special.ndtri(P)), expected, rtol=2e-9)


ALL = [
    D.normal(mean=-1, sd=2),
    D.lognormal(median=2, sigma=0.7),
    D.lognormal(mean=5, sd=4),
    D.gamma(mean=3, sd=2),
    D.weibull(shape=1.5, scale=3),
    D.exponential(mean=2),
    D.triangular(low=0, mode=1, high=4),
    D.triangular(low=0, mode=0, high=4),
    D.pert(low=0, mode=1, high=4),
    D.uniform(low=1, high=3),
    D.discrete({1: 0.2, 3: 0.5, 9: 0.3}),
]


@pytest.mark.parametrize("made", ALL, ids=repr)
def test_moments_are_those_of_the_quantiles(made: Distribution) -> None:
    # midpoint rule in probability, on a grid that is fine in the tails
    z = np.linspace(-9, 9, 200_001)
    weight = np.diff(special.ndtr(z))
    at = made.quantile_at((z[1:] + z[:-1]) / 2)
    mean = weight @ at
    assert made.mean == pytest.approx(mean, rel=1e-4)
    assert made.variance == pytest.approx(weight @ (at - mean) ** 2, rel=1e-4)


@pytest.mark.parametrize("made", ALL, ids=repr)
def test_tables_are_as_exact_as_they_say(made: Distribution) -> None:
    marginal = marginal_of(made)
    z = np.random.default_rng(1).uniform(-5, 5, 5000)
    found, exact = marginal.quantile_at(z), made.quantile_at(z)
    scale = np.maximum(math.sqrt(made.variance), np.abs(exact))
    # the error stated is the largest one half-way between entries; a kink may lie beside the middle
    bound = 1e-12 if marginal.exact else max(2 * marginal.error, 1e-12)
    assert np.max(np.abs(found - exact) / scale) <= bound
    assert marginal.error < 1e-4


# ---------------------------------------------------------------- exact moments


def test_the_second_of_three_exponentials() -> None:
    three = [step(f"e{m}", D.exponential(mean=m)) for m in (1, 2, 3)]
    found = exact_moments(plan_of(parallel(*three, wait_for=2)))
    assert found.mean == pytest.approx(1.52575757576, rel=2e-5)  # R
    assert found.variance == pytest.approx(1.37587006428, rel=2e-5)  # R
    slowest = exact_moments(plan_of(parallel(*three)))
    assert slowest.mean == pytest.approx(1 + 2 + 3 - 1 / 1.5 - 1 / (4 / 3) - 1 / (5 / 6) + 6 / 11, rel=2e-5)


def test_the_larger_of_two_correlated_lognormals() -> None:
    pair = parallel(
        step("a", D.lognormal(median=math.e, sigma=0.6)),
        step("b", D.lognormal(median=math.exp(1.2), sigma=0.4)),
    )
    rank = 6 / math.pi * math.asin(0.5 / 2)
    found = exact_moments(plan_of(pair, rank))
    assert found.mean == pytest.approx(4.15270319471, rel=1e-5)  # R, double integral
    assert found.variance == pytest.approx(4.05758389239, rel=2e-5)  # R


def test_variances_of_correlated_steps() -> None:
    three = sequence(*(step(f"u{k}", D.uniform(low=0, high=1)) for k in range(3)))
    assert exact_moments(plan_of(three, 0.4)).variance == pytest.approx(0.45, rel=1e-5)  # R
    # score correlation 0.5 as the product of loadings 1/sqrt(2) each
    rank = 6 / math.pi * math.asin(math.sqrt(0.5) / 2)
    two = sequence(
        step("t", D.triangular(low=1, mode=2, high=6)), step("l", D.lognormal(median=1, sigma=0.5))
    )
    found = exact_moments(plan_of(two, {"t": rank, "l": rank}))
    assert found.variance == pytest.approx(2.1457270355, rel=1e-5)  # R


def test_rework_that_is_limited() -> None:
    loop = rework(step("test", 1.0), probability=0.5, at_most=2)  # 1, 2 or 3 passes: 1/2, 1/4, 1/4
    found = exact_moments(plan_of(loop))
    assert (found.mean, found.variance) == pytest.approx((1.75, 0.6875))


def test_no_closed_form_is_said() -> None:
    both = sequence(
        parallel(sequence(step("a", D.exponential(mean=1)), step("b", 1.0)), step("c", D.exponential(mean=2)))
    )
    assert math.isnan(exact_moments(plan_of(both)).mean)
    checks = simulate(both, runs=1000, rng=1).checks()
    assert checks["exact"].isna().tolist() == [True, True, False, False, False]


# ---------------------------------------------------------------- simulations within four standard errors


@pytest.mark.parametrize("correlation", [None, 0.4], ids=["independent", "one factor"])
def test_every_part_within_four_standard_errors(correlation: float | None) -> None:
    found = simulate(mixed(), runs=100_000, rng=3, correlation=correlation)
    checks = found.checks()
    assert checks["exact"].notna().all()
    assert checks["standard_errors"].abs().max() < 4
    assert "self-check-failed" not in found.caveat_codes


def test_sums_of_gammas_and_geometric_rework() -> None:
    n = 200_000
    two = sequence(step("a", D.gamma(mean=2, sd=math.sqrt(2))), step("b", D.gamma(mean=3, sd=math.sqrt(3))))
    objective = Objective("six", measure="total", target=6, direction="at_most")
    found = simulate(two, runs=n, rng=1, objective=objective, sensitivity=0)
    exact = 0.714943499683  # R, pgamma(6, 5)
    assert abs(found["probability"].value - exact) < 4 * math.sqrt(exact * (1 - exact) / n)
    interval = found["median"].interval
    assert interval is not None
    assert interval.low < 4.6709088828 < interval.high  # R, qgamma(0.5, 5)
    loop = simulate(rework(step("fix", D.exponential(mean=2)), probability=0.3), runs=n, rng=2, sensitivity=0)
    wide = loop["p90"].interval
    assert wide is not None
    assert wide.low < 6.57881455141 < wide.high  # R, qexp(0.9, 0.35)


def test_pairs_have_the_rank_correlation_asked_for() -> None:
    process = sequence(
        step("a", D.exponential(mean=1)),
        step("b", D.gamma(mean=2, sd=1)),
        step("c", D.uniform(low=0, high=1)),
    )
    asked = {("a", "b"): 0.6, ("a", "c"): -0.3}
    _, record = run_recorded(plan_of(process, asked), 2**16, 1)
    for (i, j), wanted in {(0, 1): 0.6, (0, 2): -0.3, (1, 2): 0.0}.items():
        # the standard error of a rank correlation is at most 1.06 / sqrt(n)
        assert abs(rank_correlation(record.totals[i], record.totals[j]) - wanted) < 4 * 1.06 / 2**8


def test_both_ways_to_draw_agree() -> None:
    plan = plan_of(mixed(), 0.3)
    exact = exact_moments(plan)
    for totals in (run_fast(plan, 50_000, 5), run_aligned(plan, 50_000, 5)):
        assert abs(totals.mean() - exact.mean) < 4 * math.sqrt(exact.variance / 50_000)


def test_intervals_of_the_simulation_hold_their_confidence() -> None:
    process = sequence(step("a", D.exponential(mean=1)), step("b", D.exponential(mean=1)))
    exact = float(special.gammaincinv(2, 0.9))
    held = 0
    for seed in range(200):
        interval = simulate(process, runs=500, rng=seed, sensitivity=0)["p90"].interval
        assert interval is not None
        held += interval.low <= exact <= interval.high
    assert 180 <= held <= 199  # binomial(200, 0.95 or a little more)


# ---------------------------------------------------------------- what drives it


def test_ishigami() -> None:
    """First 0.3139, 0.4424, 0; total 0.5576, 0.4424, 0.2437 (a = 7, b = 0.1; Saltelli et al. 2008)."""
    rng = np.random.default_rng(20260101)
    x = rng.uniform(-np.pi, np.pi, (2, 3, 2**16))

    def ishigami(other: frozenset[str]) -> np.ndarray:
        a, b, c = (x[int(name in other), k] for k, name in enumerate("abc"))
        return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)

    found = pick_freeze(ishigami, "abc")
    assert (np.abs(found.first - [0.3139, 0.4424, 0.0]) < 4 * found.first_error).all()
    assert (np.abs(found.total - [0.5576, 0.4424, 0.2437]) < 4 * found.total_error).all()
    assert found.first_error.max() < 0.015
    assert found.total_error.max() < 0.01


def test_shares_of_a_sum() -> None:
    process = sequence(
        step("small", D.normal(mean=5, sd=1)), step("large", D.normal(mean=9, sd=2)), step("fixed", 3)
    )
    found = simulate(process, runs=1000, rng=1).drivers()
    assert found["driver"].tolist() == ["large", "small", "fixed"]
    assert found["first"].to_numpy() == pytest.approx([0.8, 0.2, 0.0], abs=0.04)
    assert found["total"].to_numpy() == pytest.approx([0.8, 0.2, 0.0], abs=0.04)
    assert found["rank_correlation"][0] == pytest.approx(6 / np.pi * np.arcsin(math.sqrt(0.8) / 2), abs=0.02)


def test_the_common_factor_and_decisions_are_drivers() -> None:
    process = rework(
        sequence(step("a", D.normal(mean=9, sd=1)), step("b", D.normal(mean=9, sd=1))), probability=0.2
    )
    drivers = simulate(process, runs=1000, rng=1, correlation=0.5).drivers().set_index("driver")
    assert drivers.index[0] == "rework of a to b"
    assert drivers.loc["common factor", "kind"] == "common factor"
    # given the passes, the factor holds the score correlation of the steps, here about 0.52, of Var(a + b)
    assert drivers.loc["common factor", "first"] > drivers.loc["a", "first"] > 0


# ---------------------------------------------------------------- inputs from data


def test_the_inputs_uncertainty_of_observed_values() -> None:
    series = hours(80)
    found = simulate(step("fix", series), runs=50_000, rng=1, resamples=400, sensitivity=0)
    k = found.quantity.tolist().index("mean")
    half = (found.input_high[k] - found.input_low[k]) / 2
    assert half == pytest.approx(1.96 * series.values.std(ddof=1) / math.sqrt(80), rel=0.15)
    assert "inputs-taken-as-known" not in found.caveat_codes


def test_baselines_as_values_and_fitted() -> None:
    made = baseline(hours())
    seen = simulate(step("fix", made), runs=20_000, rng=1, sensitivity=0)
    assert seen.kept.max() == made.values.max()
    assert seen.measure.unit == "hours"
    smooth = simulate(step("fix", made, use="fitted"), runs=20_000, rng=1, resamples=100, sensitivity=0)
    assert smooth.kept.max() > made.values.max()
    logs = np.log(made.values)
    assert smooth["median"].value == pytest.approx(math.exp(logs.mean()), rel=0.02)
    k = smooth.quantity.tolist().index("p50")
    half = math.log(smooth.input_high[k] / smooth.input_low[k]) / 2
    assert half == pytest.approx(1.96 * logs.std() / math.sqrt(60), rel=0.25)


def test_fitted_families_by_table() -> None:
    chosen = fit_distribution(hours(), family="gamma")
    found = simulate(step("fix", chosen), runs=50_000, rng=1, sensitivity=0)
    assert chosen.best is not None
    interval = found["p90"].interval
    assert interval is not None
    assert interval.low < float(chosen.best.quantile(0.9)) < interval.high


def test_a_model_as_a_step() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"size": rng.uniform(1, 10, 80)})
    frame["hours"] = np.exp(0.2 * frame["size"] + rng.normal(0, 0.3, 80))
    model = fit("hours ~ size", frame, measure=HOURS, controllable=["size"])
    found = simulate(step("fix", model, at={"size": 5.0}), runs=50_000, rng=1, resamples=200, sensitivity=0)
    predicted = model.predict({"size": [5.0]}).iloc[0]
    assert found["median"].value == pytest.approx(predicted["estimate"], rel=0.01)
    spread = math.log(found["p90"].value / found["p10"].value) / (2 * 1.2815515655)
    assert spread == pytest.approx(model.sigma, rel=0.02)
    k = found.quantity.tolist().index("p50")
    ratio = math.log(found.input_high[k] / found.input_low[k])
    exact = math.log(predicted["mean_high"] / predicted["mean_low"])
    assert ratio == pytest.approx(exact, rel=0.2)
    outside = step("fix", model, at={"size": 50.0})
    assert "extrapolates" in outside.doubts[0]
    assert "input-doubtful" in simulate(outside, runs=500, rng=1, sensitivity=0).caveat_codes


def test_a_model_of_another_family_as_a_step() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"size": rng.uniform(1, 10, 120)})
    frame["defects"] = rng.poisson(np.exp(0.2 + 0.15 * frame["size"]))
    model = fit("defects ~ size", frame, family="poisson", controllable=["size"])
    made = step("defects", model, at={"size": 5.0})
    found = simulate(made, runs=50_000, rng=1, resamples=100, sensitivity=0)
    assert found["mean"].value == pytest.approx(model.predict({"size": [5.0]})["mean"].iloc[0], rel=0.05)
    assert (found.kept == np.round(found.kept)).all()  # counts stay whole numbers
    assert np.isnan(found.input_low).all()  # the uncertainty of the model is in its draws


def test_doubts_about_the_inputs() -> None:
    drifting = Series(
        np.exp(np.linspace(0, 3, 40) + np.random.default_rng(1).normal(0, 0.1, 40)), measure=HOURS
    )
    process = sequence(step("drifts", baseline(drifting)), step("few", [1.0, 2.0, 4.0]), step("stated", 2.0))
    codes = simulate(process, runs=500, rng=1, sensitivity=0).caveat_codes
    assert codes == (
        "independence-assumed",
        "input-not-stable",
        "few-observed-values",
        "stated-inputs",
        "inputs-taken-as-known",
    )
    negative = simulate(step("n", D.normal(mean=1, sd=1)), runs=5000, rng=1, sensitivity=0)
    share = negative.caveats[-1].evidence["share"]
    assert share == pytest.approx(special.ndtr(-1), abs=0.03)


def test_a_simulation_far_from_its_closed_form_is_told() -> None:
    names = ("mean of the total", "other", "no closed form")
    exact, found = np.array([10.0, 5.0, np.nan]), np.array([10.5, 5.1, 1.0])
    doubts = check_doubts(names, exact, found, np.array([0.1, 0.1, 0.1]))
    assert [d.code for d in doubts] == ["self-check-failed"]
    assert doubts[0].evidence["standard_errors"] == pytest.approx(5.0)


def test_objectives() -> None:
    process = step("fix", D.exponential(mean=1))

    def standing(target: float, share: float | None) -> Simulation:
        objective = Objective("o", measure="total", target=target, direction="at_most", share=share)
        return simulate(process, runs=5000, rng=1, objective=objective, sensitivity=0)

    assert standing(5, 0.9).standing == "met"
    assert standing(1, 0.9).standing == "missed"
    assert standing(-math.log(0.1), 0.9).standing == "undecided"
    assert standing(5, None).standing is None
    assert "are met" in standing(5, 0.9).verdict
    found = standing(5, 0.9)
    assert found.probability(at_most=1).value == pytest.approx(1 - math.exp(-1), abs=0.02)
    assert found.probability(at_least=1, at_most=2).value == pytest.approx(
        math.exp(-1) - math.exp(-2), abs=0.02
    )
    assert found.probability(at_most=-1).value == 0.0
    assert found.probability(at_least=-1).value == 1.0


def test_interim_objectives_of_normal_parts() -> None:
    process = sequence(step("a", D.normal(mean=10, sd=1)), step("b", D.normal(mean=20, sd=2)))
    table = simulate(process, runs=1000, rng=1, sensitivity=0).interim(target=33, share=0.9, runs=2**17)
    # 30 + 3 u = 33: both at one standard deviation
    assert table["budget"].to_numpy() == pytest.approx([11, 22], abs=0.03)
    assert table["budget_percentile"][0] == pytest.approx(special.ndtr(1), abs=0.003)
    assert table["milestone"].to_numpy() == pytest.approx([33 - 20 - 2 * special.ndtri(0.9), 33], abs=0.03)
    # with correlated parts: b given a is normal, mean 20 + 2 r (a - 10), sd 2 sqrt(1 - r^2)
    dependent = simulate(process, runs=1000, rng=1, sensitivity=0, correlation=0.5)
    r = float(dependent.loadings[0] * dependent.loadings[1])
    milestone = dependent.interim(target=33, share=0.9, runs=2**17)["milestone"][0]
    own = 2 * math.sqrt(1 - r * r) * special.ndtri(0.9)
    assert milestone == pytest.approx((33 - 20 - own + 20 * r) / (1 + 2 * r), abs=0.15)


def test_interim_objectives_that_cannot_be_met() -> None:
    process = sequence(step("a", D.uniform(low=1, high=2)), step("b", D.uniform(low=1, high=2)))
    table = simulate(process, runs=500, rng=1, sensitivity=0).interim(target=1, share=0.9, runs=2**14)
    assert table["budget"].isna().all()
    with pytest.raises(InputError, match="sequence of at least two"):
        simulate(step("a", 1.0), runs=500, rng=1, sensitivity=0).interim(target=1, share=0.9)
    with pytest.raises(InputError, match="need share"):
        simulate(process, runs=500, rng=1, sensitivity=0).interim(target=1)


# ---------------------------------------------------------------- the result


@pytest.mark.parametrize("correlation", [None, 0.3, {("a", "b"): 0.5}])
def test_saved_and_read_back(correlation: object) -> None:
    objective = Objective("o", measure="total", target=20, direction="at_most", share=0.8)
    found = simulate(
        mixed(),
        runs=2000,
        rng=1,
        correlation=correlation,
        objective=objective,
        resamples=40,
        sensitivity=1000,
    )
    text = json.dumps(found.to_record(), allow_nan=False)
    again = Simulation.from_record(json.loads(text))
    assert again == found
    assert again.process == found.process
    assert hash(again.process) == hash(found.process)
    assert again.interim(runs=2**12).equals(found.interim(runs=2**12))
    assert len(text) < 60_000  # quantiles, not runs
    assert len(found.summary()) == 1
    assert len(found.to_frame()) == 13
    assert {title for title, _ in found.tables()} >= {"What drives it", "Steps"}


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, two = (simulate(mixed(), runs=1000, rng=7, sensitivity=0) for _ in range(2))
    assert one == two
    generator = np.random.default_rng(1)
    drawn = simulate(mixed(), runs=1000, rng=generator, sensitivity=0)
    assert simulate(mixed(), runs=1000, rng=drawn.seed, sensitivity=0) == drawn


# ---------------------------------------------------------------- properties

times = st.floats(0.1, 100).map(lambda v: round(v, 3))


@settings(max_examples=30, deadline=None)
@given(st.lists(times, min_size=1, max_size=5), st.integers(1, 4))
def test_constants_add_up(values: list[float], size: int) -> None:
    process = batch(sequence(*(step(f"s{k}", v) for k, v in enumerate(values))), size=size)
    found = simulate(process, runs=100, rng=1, sensitivity=0)
    assert found["mean"].value == pytest.approx(size * sum(values))
    assert found["sd"].value == pytest.approx(0.0, abs=1e-9 * sum(values))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(times, times), min_size=2, max_size=4), st.integers(0, 2**32), st.data())
def test_parallel_lies_between_its_fastest_and_the_sum(
    means: list[tuple[float, float]], seed: int, data: st.DataObject
) -> None:
    steps = [step(f"s{k}", D.gamma(mean=m, sd=s)) for k, (m, s) in enumerate(means)]
    k = data.draw(st.integers(1, len(steps)))
    some = run_aligned(plan_of(parallel(*steps, wait_for=k)), 200, seed)
    fastest = run_aligned(plan_of(parallel(*steps, wait_for=1)), 200, seed)
    slowest = run_aligned(plan_of(parallel(*steps)), 200, seed)
    total = run_aligned(plan_of(sequence(*steps)), 200, seed)
    for smaller, larger in ((fastest, some), (some, slowest), (slowest, total)):
        assert (smaller <= larger * (1 + 1e-12)).all()


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 0.9), st.floats(0, 0.9), st.integers(0, 2**32))
def test_more_rework_never_takes_less(p: float, q: float, seed: int) -> None:
    low, high = sorted((p, q))
    one = step("fix", D.lognormal(median=2, sigma=0.8))
    less = run_aligned(plan_of(rework(one, probability=low)), 300, seed)
    more = run_aligned(plan_of(rework(one, probability=high)), 300, seed)
    assert (less <= more).all()


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 10), st.integers(0, 2**32))
def test_a_unit_is_a_factor(scale: float, seed: int) -> None:
    def totals(c: float) -> np.ndarray:
        made = sequence(
            step("a", D.gamma(mean=3 * c, sd=2 * c)), rework(step("b", [1.0 * c, 4.0 * c]), probability=0.3)
        )
        return run_aligned(plan_of(made, 0.3), 200, seed)

    np.testing.assert_allclose(totals(scale), scale * totals(1.0), rtol=1e-9)


def test_a_loop_around_a_step_leaves_its_first_pass_as_it_was() -> None:
    one = step("fix", D.exponential(mean=2))
    plain = run_aligned(plan_of(one), 1000, 1)
    looped = run_aligned(plan_of(rework(one, probability=0.3)), 1000, 1)
    assert 0.6 < (plain == looped).mean() < 0.8
    assert (plain <= looped).all()


# ---------------------------------------------------------------- misuse

A, B = step("a", 1.0), step("b", 2.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: D.lognormal(median=1.0), "median= and sigma="),
        (lambda: D.gamma(mean=-1, sd=1), "above 0"),
        (lambda: D.normal(mean=0, sd=math.inf), "finite"),
        (lambda: D.triangular(low=1, mode=9, high=6), "low <= mode"),
        (lambda: D.pert(low=1, mode=1, high=1), "low < high"),
        (lambda: D.uniform(low=2, high=1), "low < high"),
        (lambda: D.discrete({1: 0.5, 2: 0.4}), "sum to 1"),
        (lambda: D.discrete({}), "at least one"),
        (lambda: D("beta", ("a",), (1.0,)), "no distribution"),
        (lambda: step("", 1.0), "needs a name"),
        (lambda: step("a", object()), "got object"),
        (lambda: step("a", A), "no source"),
        (lambda: step("a", []), "no value"),
        (lambda: step("a", 1.0, use="fitted"), "no baseline"),
        (lambda: step("a", 1.0, at={"size": 1}), "no model"),
        (lambda: step("a", True), "no time"),
        (lambda: sequence([A, B]), "one by one"),
        (lambda: sequence(), "at least 1"),
        (lambda: sequence(A, 2.0), "got float"),
        (lambda: parallel(A), "at least 2"),
        (lambda: parallel(A, B, wait_for=3), "wait_for is 1 to 2"),
        (lambda: branch([(0.5, A), (0.4, B)]), "sum to 1"),
        (lambda: branch([A, B]), "pairs"),
        (lambda: rework(A, probability=1.0), "below 1"),
        (lambda: rework(A, probability=0.1, at_most=0), "1 or more"),
        (lambda: batch(A, size=0), "whole number"),
        (lambda: simulate(A, runs=10, rng=1), "from 100"),
        (lambda: simulate(A, rng=-1), "whole number"),
        (lambda: simulate(A, rng=None), "whole number"),
        (lambda: simulate(1.0, rng=1), "made of steps"),
        (lambda: simulate(sequence(A, A), rng=1), "more than once"),
        (lambda: simulate(A, rng=1, confidence=95), "between 0 and 1"),
        (lambda: simulate(A, rng=1, resamples=5), "40 and more"),
        (lambda: simulate(A, rng=1, sensitivity=5), "1,000"),
        (lambda: simulate(sequence(A, B), rng=1, correlation=-0.2), "by pairs"),
        (lambda: simulate(sequence(A, B), rng=1, correlation={("a", "b"): 1.0}), "between -1 and 1"),
        (lambda: simulate(sequence(A, B), rng=1, correlation={("a", "a"): 0.5}), "two different steps"),
        (lambda: simulate(sequence(A, B), rng=1, correlation={("a", "b"): 0.5, "a": 0.1}), "not both"),
        (lambda: simulate(sequence(A, B), rng=1, correlation="high"), "got str"),
        (
            lambda: simulate(
                sequence(A, B, step("c", 1.0)),
                rng=1,
                correlation={("a", "b"): 0.9, ("a", "c"): 0.9, ("b", "c"): -0.9},
            ),
            "cannot hold at the same time",
        ),
        (
            lambda: simulate(
                A,
                rng=1,
                objective=Objective("o", measure="m", target=1, direction="at_most", statistic="p90"),
            ),
            "speaks of the p90",
        ),
        (
            lambda: simulate(
                A, rng=1, measure=HOURS, objective=Objective("o", measure="m", target=1, direction="at_most")
            ),
            "is about 'm'",
        ),
        (lambda: simulate(A, runs=500, rng=1, sensitivity=0).probability(), "probability of what"),
    ],
)
def test_misuse_is_an_error_that_says_what_is_right(call: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        call()  # type: ignore[operator]


def test_units_must_agree() -> None:
    days = Measure("days", definition="d", unit="days", better="lower", scale="duration")
    one, two = step("a", hours()), step("b", Series([1.0, 2.0], measure=days))
    with pytest.raises(InputError, match="different units"):
        simulate(sequence(one, two), rng=1)
    with pytest.raises(InputError, match="convert"):
        simulate(one, rng=1, measure=days)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="step 'c'"):
        simulate(sequence(A, B), rng=1, correlation={"c": 0.5})
    with pytest.raises(UnknownNameError, match="quantity"):
        simulate(A, runs=500, rng=1, sensitivity=0)["p42"]
    with pytest.raises(UnknownNameError, match="use"):
        step("a", hours(), use="value")


def test_open_items_and_shares_are_refused() -> None:
    series = hours()
    ages = Series(series.values, measure=HOURS, censored=np.arange(60) > 50)
    with pytest.raises(InputError, match="open items"):
        step("fix", ages)
    with pytest.raises(InputError, match="still open"):
        step("fix", baseline(ages))
    assert step("fix", baseline(ages), use="fitted").origin.startswith("fitted lognormal")
    share = Measure("made_sla", definition="d", unit="1", better="higher", scale="proportion")
    weekly = baseline(Series(np.full(30, 0.9), measure=share, sizes=np.full(30, 50.0)))
    with pytest.raises(InputError, match="not of single items"):
        step("fix", weekly)


def test_probabilities_are_numbers_between_0_and_1() -> None:
    for shares in ((float("nan"), 0.5), (1.5, -0.5)):
        with pytest.raises(InputError, match="between 0 and 1"):
            branch([(shares[0], step("a", 1.0)), (shares[1], step("b", 2.0))])


def test_missing_values_of_a_step_are_told() -> None:
    found = simulate(step("a", [1.0, float("nan"), 2.0]), runs=1000, rng=1, sensitivity=0)
    assert any("1 of its 3 values are missing" in c.text for c in found.caveats)


def test_a_milestone_that_cannot_be_reached_is_none() -> None:
    process = sequence(
        step("a", Distribution.exponential(mean=2)), step("b", Distribution.gamma(mean=3, sd=2))
    )
    found = simulate(process, runs=1000, rng=1, sensitivity=0)
    first = found.interim(target=8, share=0.8)["milestone"].iloc[0]
    # the target less the 80% point of what is left
    assert first == pytest.approx(8 - special.gammaincinv(2.25, 0.8) * 4 / 3, abs=0.05)
    rare = found.interim(target=8, share=0.999)
    assert math.isnan(rare["milestone"].iloc[0])
    assert rare["kept"].iloc[0] == 0
