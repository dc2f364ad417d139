"""Calibration, backtest, predictions with outcomes, their control chart, cost and benefit."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.models.predictions import SCORES, scores_of

RNG = np.random.default_rng(11)
N = 240
DATA = pd.DataFrame({"day": np.arange(N), "x": RNG.uniform(1, 9, N)})
DATA["y"] = 5 + 2 * DATA["x"] + RNG.normal(0, 1, N)
DATA["k"] = RNG.poisson(4.0, N)
DATA["hit"] = RNG.uniform(size=N) < 0.3
DATA["dur"] = RNG.gamma(3, 2, N)
MODEL = perf.fit("y ~ x", DATA)


def again(result: perf.Result) -> None:
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result
    assert len(result.summary()) == 1
    assert result.verdict.endswith(".")


def test_normal_calibration_by_hand() -> None:
    own = DATA.head(8).assign(y=DATA["y"].head(8) + 3)
    made = perf.calibrate(MODEL, own, prior_n=4)
    residual = own["y"] - MODEL.predict(own)["estimate"]
    assert made.weight == pytest.approx(8 / 12)
    assert made.local == pytest.approx(residual.mean())
    assert made.calibrated == pytest.approx(residual.mean() * 8 / 12)
    within = ((residual - residual.mean()) ** 2).sum()
    assert made.sigma == pytest.approx(np.sqrt((4 * MODEL.sigma**2 + within) / 11))
    shift = made.model.predict(own)["estimate"] - MODEL.predict(own)["estimate"]
    assert shift.to_numpy() == pytest.approx(np.full(8, made.calibrated))
    assert made.error_after < made.error_before
    assert "another-population" in made.caveat_codes
    again(made)
    assert (
        made.model.review().to_frame().set_index("criterion").loc["calibrated to the work", "answer"] == "yes"
    )


def test_beta_binomial_by_hand() -> None:
    model = perf.fit("hit ~ 1", DATA, family="binomial")
    own = pd.DataFrame({"hit": [1] * 9 + [0] * 3})
    made = perf.calibrate(model, own, prior_n=20)
    p = DATA["hit"].mean()
    share = (20 * p + 9) / 32
    assert made.model.predict(own)["mean"].to_numpy() == pytest.approx(np.full(12, share))
    assert made.calibrated == pytest.approx(share / (1 - share) / (p / (1 - p)))
    assert made.weight == pytest.approx(12 / 32)
    again(made)


def test_gamma_poisson_by_hand() -> None:
    model = perf.fit("k ~ 1", DATA, family="poisson")
    own = pd.DataFrame({"k": [9, 7, 8]})
    made = perf.calibrate(model, own, prior_n=6)
    mu = DATA["k"].mean()
    assert made.calibrated == pytest.approx((6 * mu + 24) / (9 * mu))
    assert made.local == pytest.approx(24 / (3 * mu))
    again(made)


def test_gamma_calibration_by_hand() -> None:
    model = perf.fit("dur ~ 1", DATA, family="gamma")
    own = pd.DataFrame({"dur": [10.0, 14.0]})
    made = perf.calibrate(model, own, prior_n=2)
    assert made.local == pytest.approx(12 / DATA["dur"].mean())
    assert made.calibrated == pytest.approx(1 + 0.5 * (made.local - 1))


@settings(max_examples=25, deadline=None)
@given(st.floats(-50, 50), st.floats(0.1, 500))
def test_the_calibrated_level_lies_between_both(shift: float, prior_n: float) -> None:
    own = DATA.head(10).assign(y=DATA["y"].head(10) + shift)
    made = perf.calibrate(MODEL, own, prior_n=prior_n)
    assert abs(made.calibrated) <= abs(made.local)
    assert made.calibrated * made.local >= 0
    assert made.calibrated == pytest.approx(made.weight * made.local)


def test_calibration_refuses_what_it_cannot_do() -> None:
    with pytest.raises(perf.InputError, match="above 0"):
        perf.calibrate(MODEL, DATA, prior_n=0)
    with pytest.raises(perf.InputError, match="not calibrated in closed form"):
        perf.calibrate(perf.fit("y ~ x", DATA, family="quantile"), DATA, prior_n=3)
    with pytest.raises(perf.InputError, match="intercept"):
        perf.calibrate(perf.fit("y ~ x - 1", DATA), DATA, prior_n=3)
    with pytest.raises(perf.InputError, match="no local item"):
        perf.calibrate(MODEL, DATA.assign(y=np.nan), prior_n=3)
    with pytest.raises(perf.UnknownNameError):
        perf.calibrate(MODEL, DATA[["x"]], prior_n=3)


def test_prior_items_recovers_the_ratio_of_variances() -> None:
    rng = np.random.default_rng(4)
    team = np.repeat(np.arange(60), 10)
    data = pd.DataFrame({"x": rng.uniform(size=600), "team": team})
    data["y"] = data["x"] + rng.normal(0, 1, 60)[team] + rng.normal(0, 2, 600)
    assert perf.prior_items(perf.fit("y ~ x", data), data, by="team") == pytest.approx(4, rel=0.35)


def test_backtest_sees_the_past_only() -> None:
    made = perf.backtest(MODEL, DATA, time="day", first=100, step=35)
    assert made.n == 140
    assert made.origins == 4
    assert made.calibrated
    first = perf.fit("y ~ x", DATA.head(100)).predict(DATA.iloc[100:135], confidence=0.9)
    assert made.to_frame()["item_high"].to_numpy()[:35] == pytest.approx(first["item_high"].to_numpy())
    later = DATA.copy()
    later.loc[200:, "y"] = 1e4
    other = perf.backtest(MODEL, later, time="day", first=100, step=35)
    assert np.array_equal(other.estimate[:105], made.estimate[:105])
    assert not other.calibrated
    assert "too few" in other.verdict
    again(made)


def test_backtest_does_not_split_a_moment_and_says_unknown_levels() -> None:
    data = DATA.assign(day=DATA["day"] // 50, team=np.where(DATA["day"] < 200, "a", "new"))
    data.loc[:10, "team"] = "b"
    made = perf.backtest("y ~ x + team", data, time="day", first=60, step=10)
    assert made.origins == 3
    assert made.n_unpredictable == 40
    assert "unknown-levels" in made.caveat_codes


def test_backtest_refuses() -> None:
    with pytest.raises(perf.UnknownNameError):
        perf.backtest(MODEL, DATA, time="week")
    with pytest.raises(perf.InputError, match="first fit"):
        perf.backtest(MODEL, DATA, time="day", first=500)
    with pytest.raises(perf.InputError, match="coverage"):
        perf.backtest(MODEL, DATA, time="day", coverage=90)


def test_scores_are_standard_normal_while_the_model_holds() -> None:
    for family, response in (("gaussian", "y"), ("gamma", "dur"), ("poisson", "k"), ("binomial", "hit")):
        model = perf.fit(f"{response} ~ x", DATA, family=family)
        made = perf.predictions(model, DATA).with_outcomes(DATA[response].astype(float))
        score = made.error_scores()
        assert abs(score.mean()) < 0.25, family
        assert score.std() == pytest.approx(1, abs=0.15), family
    assert scores_of(SCORES[None, :] * 3 + 1, np.array([-2.0])) == pytest.approx([-1.0])
    assert np.isnan(scores_of(SCORES[None, :], np.array([np.nan]))).all()


@pytest.mark.parametrize("trials", [5, 20])
def test_scores_of_shares_are_standard_normal_too(trials: int) -> None:
    rng = np.random.default_rng(trials)
    data = pd.DataFrame({"x": rng.uniform(0, 1, 4000), "trials": trials})
    data["share"] = rng.binomial(trials, 1 / (1 + np.exp(1.5 - data["x"]))) / trials
    measure = perf.Measure("share", definition="d", unit="1", better="lower", scale="proportion")
    model = perf.fit("share ~ x", data.head(2000), family="binomial", sizes="trials", measure=measure)
    made = perf.predictions(model, data.tail(2000)).with_outcomes(data["share"].tail(2000))
    scores = made.error_scores()
    assert abs(scores.mean()) < 0.1
    assert scores.std() == pytest.approx(1.0, abs=0.06)
    with pytest.raises(perf.InputError, match="finite number"):
        made.with_outcomes({"3999": "many"})  # type: ignore[dict-item]


def test_predictions_are_kept_and_held_against_what_happened(tmp_path: Path) -> None:
    new = DATA.head(30)
    made = perf.predictions(MODEL, new, made_on=dt.date(2024, 5, 1), confidence=0.9)
    again(made)
    with perf.Repository.open(tmp_path / "m.duckdb") as repo:
        assert repo.save(MODEL, name="model of y", by="quality group", note="agreed on 2 May") == 1
        repo.save(made, name="predictions of May", by="desk")
        kept = repo.result("predictions of May").with_outcomes({"3": DATA["y"][3], "0": DATA["y"][0]})
        assert repo.save(kept, name="predictions of May", by="desk") == 2
        assert repo.result("predictions of May", version=1) == made
        back = repo.result("predictions of May")
        errors = perf.prediction_errors(back)
        decision = errors.decision(
            who="head of desk", decided_on=dt.date(2024, 6, 1), subject="model of y", what="retire"
        )
        repo.declare(decision)
        assert repo.records("decision") == (decision,)
        told = repo.history("model of y").iloc[0]
        assert told["note"] == "agreed on 2 May"
        stored = repo.result("model of y")
        assert (stored.formula, stored.provenance.data_hash) == ("y ~ x", MODEL.provenance.data_hash)
    assert back.place[[3, 0]].tolist() == [0, 1]
    assert back.to_frame()["inside"].isna().sum() == 28
    assert errors.advice == "wait"
    with pytest.raises(perf.UnknownNameError):
        back.with_outcomes({"none": 1})
    with pytest.raises(perf.InputError, match="already known"):
        back.with_outcomes({"3": 99})
    with pytest.raises(perf.InputError, match="finite"):
        back.with_outcomes({"4": float("nan")})
    with pytest.raises(perf.InputError, match="name of its own"):
        perf.predictions(MODEL, new, items=["a"] * 30)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda y: y, "keep"),
        (lambda y: y + 1.5, "recalibrate"),
        (lambda y: y.mean() + 3 * (y - y.mean()), "recalibrate"),
        (lambda y: -y, "retire"),
    ],
)
def test_errors_say_what_to_do(change: Any, advice: str) -> None:
    rng = np.random.default_rng(8)
    new = pd.DataFrame({"x": rng.uniform(1, 9, 60)})
    happened = change(5 + 2 * new["x"] + pd.Series(rng.normal(0, 1, 60)))
    made = perf.prediction_errors(perf.predictions(MODEL, new).with_outcomes(happened))
    assert made.advice == advice
    assert made.verdict.split()[0].lower() == advice
    assert made.chart.limits is not None
    again(made)


def test_a_model_that_holds_is_seldom_sent_back() -> None:
    rng = np.random.default_rng(9)
    sent = 0
    for _ in range(60):
        new = pd.DataFrame({"x": rng.uniform(1, 9, 30)})
        happened = MODEL.predict(new)["estimate"] + rng.normal(0, MODEL.sigma, 30)
        made = perf.prediction_errors(perf.predictions(MODEL, new).with_outcomes(happened))
        sent += made.advice in ("recalibrate", "retire")
    assert sent <= 3  # 0.54% each are expected: more than 3 of 60 has a probability below 1e-3


def test_present_value_by_hand() -> None:
    made = perf.cost_benefit(
        investment={"tool": 1000}, benefits={"saved": 500}, running_costs={"care": 100}, periods=3, rate=0.1
    )
    # 400 * (1/1.1 + 1/1.21 + 1/1.331) - 1000
    assert made.npv_mean == pytest.approx(-5.259, abs=1e-3)
    assert made.probability_pays == 0.0
    assert made.payback_median == np.inf
    assert "no-uncertainty" in made.caveat_codes
    longer = perf.cost_benefit(
        investment={"tool": 1000}, benefits={"saved": 500}, running_costs={"care": 100}, periods=4, rate=0.1
    )
    assert longer.payback_median == 4.0
    assert longer.benefit_cost_ratio == pytest.approx(500 * 3.169865 / (1000 + 100 * 3.169865), rel=1e-6)
    again(made)


def test_present_value_of_distributions() -> None:
    made = perf.cost_benefit(
        investment={"tool": (800, 1000, 1800)},
        benefits={"saved": perf.Distribution.normal(mean=700, sd=200)},
        periods=2,
        starts=1,
        ramp=1,
        period="quarter",
    )
    mean = 700 * 1.5 - (800 + 4 * 1000 + 1800) / 6
    assert made.npv_mean == pytest.approx(mean, abs=4 * made.mean_error)
    pert = perf.Distribution.pert(low=800, mode=1000, high=1800)
    sd = np.sqrt((1.5 * 200) ** 2 + pert.variance)
    # the sum is nearly normal: the normal benefit carries most of its variance
    assert made.probability_pays == pytest.approx(0.5 * (1 + math.erf(mean / sd / math.sqrt(2))), abs=0.02)
    assert made.amount[0] == "saved"
    swing = made.npv_at_high[0] - made.npv_at_low[0]
    assert swing == pytest.approx(1.5 * 200 * 2 * 1.2815515655)
    again(made)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"investment": {}}, "at least one investment"),
        ({"periods": 0}, "periods="),
        ({"starts": 9}, "starts="),
        ({"rate": -1}, "rate="),
        ({"benefits": {"tool": 3}}, "two amounts"),
        ({"benefits": {"saved": "much"}}, "give a number"),
    ],
)
def test_cost_benefit_refuses(options: dict[str, Any], message: str) -> None:
    right: dict[str, Any] = {"investment": {"tool": 5}, "benefits": {"saved": 3}, "periods": 3}
    with pytest.raises(perf.InputError, match=message):
        perf.cost_benefit(**right | options)


def test_every_figure_is_drawn() -> None:
    model = perf.fit(
        "y ~ x",
        DATA,
        measure=perf.Measure("y", definition="d", unit="h", better="lower", scale="real"),
        controllable=["x"],
    )
    made = perf.predictions(model, DATA.head(20))
    results = [
        model.what_if({"a": {"x": 3}}, at_most=12),
        model.what_if({"a": {"x": 30}}),
        model.profile(at_most=12),
        model.profile(),
        model.sensitivity(n=64),
        model.optimize(),
        model.review(),
        perf.calibrate(model, DATA.head(9), prior_n=5),
        perf.backtest(model, DATA, time="day"),
        made,
        made.with_outcomes(DATA["y"].head(9)),
        perf.prediction_errors(made.with_outcomes(DATA["y"].head(9))),
        perf.cost_benefit(investment={"a": (1, 2, 3)}, benefits={"b": 2}, periods=3),
    ]
    for result in results:
        figure = perf.plot(result)
        assert len(figure.data) > 0
        assert figure.layout.title.text


def test_too_few_outcomes_are_no_answer_in_the_report_card() -> None:
    errors = perf.prediction_errors(
        perf.predictions(MODEL, DATA.tail(5)).with_outcomes(dict(DATA["y"].tail(3)))
    )
    assert errors.advice == "wait"
    card = MODEL.review(errors=errors).to_frame().set_index("criterion")
    assert card.loc["revised when it stops predicting", "answer"] == "unknown"


def test_intervals_of_levels_are_those_of_their_posterior_laws() -> None:
    from scipy import stats

    own = DATA.head(8).assign(y=DATA["y"].head(8) + 1)
    made = perf.calibrate(MODEL, own, prior_n=4)
    ends = stats.t.interval(0.95, 11, made.calibrated, made.sigma / np.sqrt(12))
    assert (made.low, made.high) == pytest.approx(ends)
    counts = perf.fit("k ~ x", DATA, family="poisson")
    own = DATA.head(8).assign(k=6)
    made = perf.calibrate(counts, own, prior_n=4)
    mu = counts.predict(own)["mean"]
    law = stats.gamma(4 * mu.mean() + 48, scale=1 / (4 * mu.mean() + mu.sum()))
    assert (made.low, made.high) == pytest.approx(law.interval(0.95))
    hits = perf.fit("hit ~ 1", DATA, family="binomial")
    p = DATA["hit"].mean()
    made = perf.calibrate(hits, pd.DataFrame({"hit": [1] * 9 + [0] * 3}), prior_n=20)
    ends = np.array(stats.beta(20 * p + 9, 20 * (1 - p) + 3).interval(0.95))
    assert (made.low, made.high) == pytest.approx(tuple(ends / (1 - ends) / (p / (1 - p))), rel=1e-6)
    durations = perf.fit("dur ~ x", DATA, family="gamma")
    own = DATA.head(8).assign(dur=DATA["dur"].head(8) * 2)
    made = perf.calibrate(durations, own, prior_n=4)
    k, total = durations.parameters["shape"], float((own["dur"] / durations.predict(own)["mean"]).sum())
    law = stats.invgamma(k * 12 + 1, scale=k * (4 + total))
    assert made.calibrated == pytest.approx(law.mean())
    assert (made.low, made.high) == pytest.approx(law.interval(0.95))


def test_weights_of_local_items_count_as_in_the_fit() -> None:
    counts = perf.fit("k ~ x", DATA.assign(w=1.0), family="poisson", weights="w")
    own = DATA.head(6).assign(k=[5, 6, 7, 3, 9, 8])
    twice = pd.concat([own, own], ignore_index=True).assign(w=1.0)
    a = perf.calibrate(counts, own.assign(w=2.0), prior_n=4)
    b = perf.calibrate(counts, twice, prior_n=4)
    assert (a.calibrated, a.low, a.weight) == pytest.approx((b.calibrated, b.low, b.weight))
    lines = perf.fit("y ~ x", DATA.assign(w=1.0), weights="w")
    own = DATA.head(2).assign(w=[9.0, 1.0], y=DATA["y"].head(2) + np.array([1.0, -5.0]))
    residual = own["y"] - lines.predict(own)["estimate"]
    made = perf.calibrate(lines, own, prior_n=10)
    assert made.local == pytest.approx(np.average(residual, weights=[9, 1]))
    assert made.weight == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("family", "column", "value", "message"),
    [
        ("gamma", "dur", -1.0, "negative"),
        ("poisson", "k", -5.0, "not a count"),
        ("poisson", "k", 2.5, "not a count"),
        ("binomial", "hit", 2.0, "neither 0 nor 1"),
        ("gaussian", "y", math.inf, "infinite"),
        ("gaussian", "y", "many", "hold numbers"),
    ],
)
def test_local_outcomes_are_what_the_family_knows(family: str, column: str, value: Any, message: str) -> None:
    model = perf.fit(f"{column} ~ x", DATA, family=family)
    with pytest.raises(perf.InputError, match=message):
        perf.calibrate(model, DATA.head(6).assign(**{column: value}), prior_n=3)
    for options, text in (
        ({"prior_n": math.inf}, "cannot be told apart"),
        ({"confidence": 95}, "between 0 and 1"),
    ):
        with pytest.raises(perf.InputError, match=text):
            perf.calibrate(model, DATA.head(6), **({"prior_n": 3.0} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"investment": {"tool": [80, 100, 150]}}, "tuple of three"),
        ({"investment": {"tool": [80.0, math.nan] * 10}}, "are finite"),
        ({"investment": {"tool": -5}}, "sign comes with its role"),
        ({"investment": {"tool": True}}, "finite number"),
        ({"periods": 2.5}, "whole numbers"),
    ],
)
def test_amounts_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"investment": {"tool": 100}, "benefits": {"hours": 60}, "periods": 2}
    with pytest.raises(perf.InputError, match=message):
        perf.cost_benefit(**(given | options))


@pytest.mark.parametrize(
    ("scale", "family", "value", "message"),
    [
        ("duration", "gaussian", -3.0, "outcome of 'a' is -3, but dur is a duration"),
        (None, "gamma", -3.0, "outcome of 'a' is -3, but dur is never negative"),
        ("count", "poisson", -1.0, "outcome of 'a' is -1, but k is a count"),
        (None, "poisson", 1.5, "outcome of 'a' is 1.5, but k is a count"),
        ("proportion", "gaussian", 1.2, "outcome of 'a' is 1.2, but share is a share"),
    ],
)
def test_outcomes_that_the_measure_cannot_have_are_refused(
    scale: Any, family: str, value: float, message: str
) -> None:
    name = {"duration": "dur", "count": "k", "proportion": "share"}.get(
        scale, "k" if family == "poisson" else "dur"
    )
    measure = perf.Measure(name, definition="d", unit="1", better="lower", scale=scale)
    model = perf.fit(f"{name} ~ x", DATA.assign(share=DATA["dur"] / 100), family=family, measure=measure)
    made = perf.predictions(model, {"x": [2.0, 3.0]}, items=["a", "b"])
    with pytest.raises(perf.InputError, match=message):
        made.with_outcomes({"a": value})
    assert made.with_outcomes({"a": 0.0}).observed[0] == 0.0


def test_a_measure_below_zero_keeps_its_negative_outcomes() -> None:
    made = perf.predictions(MODEL, {"x": [2.0]}, items=["a"]).with_outcomes({"a": -3.0})
    assert made.observed.tolist() == [-3.0]
    logged = perf.predictions(perf.fit("log(dur) ~ x", DATA), {"x": [2.0]}, items=["a"])
    with pytest.raises(perf.InputError, match="never negative"):
        logged.with_outcomes({"a": -3.0})


def test_an_infinite_value_stops_its_own_row_only() -> None:
    model = perf.fit("y ~ log(x)", DATA)
    told = model.predict({"x": [2.0, math.inf, -math.inf, 3.0]})
    assert told["estimate"].isna().tolist() == [False, True, True, False]
    assert told["why"].tolist() == ["", "x is infinite", "x is infinite", ""]
    assert told["extrapolates"].tolist() == [False, True, True, False]
    made = perf.predictions(model, {"x": [2.0, math.inf]}, items=["a", "b"])
    caveat = next(c for c in made.caveats if c.code == "not-predicted")
    assert "1 item of 2 cannot be predicted: 'b' (x is infinite)." in caveat.text
    again(made)


def test_a_backtest_says_that_the_calibration_is_not_in_it() -> None:
    local = perf.calibrate(MODEL, DATA.head(8).assign(y=DATA["y"].head(8) + 3), prior_n=4, group="team blue")
    own = perf.backtest(local.model, DATA, time="day")
    caveat = next(c for c in own.caveats if c.code == "calibration-not-tested")
    assert "team blue" in caveat.text
    assert own.verdict.endswith("This tests the formula, fitted anew, not the calibration.")
    bare = perf.backtest(MODEL, DATA, time="day")
    assert np.array_equal(bare.estimate, own.estimate)  # what the caveat says
    assert "calibration-not-tested" not in bare.caveat_codes
    assert "anew" not in bare.verdict


def test_a_model_without_factors_has_one_panel() -> None:
    level = perf.plot(perf.fit("dur ~ 1", DATA, family="gamma"))
    assert level.layout.xaxis2.domain == (0.0, 1.0)
    assert level.layout.to_plotly_json().get("xaxis") is None
    assert {t.xaxis for t in level.data} == {"x2"}
    assert len(level.layout.annotations) == 1
    assert level.layout.annotations[0].text.startswith("no factor in the model; band: 95% prediction")
    assert {t.xaxis for t in perf.plot(MODEL).data} == {None, "x2"}


def test_both_errors_of_a_calibration_are_of_the_same_items() -> None:
    """The items left out of the sample must not count in the error before either."""
    rng = np.random.default_rng(6)
    own = pd.DataFrame({"x": rng.uniform(1, 9, 1200)})
    own["y"] = 5 + 2 * own["x"] + 4 + rng.normal(0, 1, 1200)
    chosen = np.linspace(0, 1199, 500).astype(int)
    made = perf.calibrate(MODEL, own, prior_n=4)
    rest = (own["y"] - MODEL.predict(own)["estimate"]).to_numpy()
    assert made.error_before == pytest.approx(np.abs(rest[chosen]).mean())
    total = rest.sum()
    after = [abs(rest[k] - (total - rest[k]) / 1203) for k in chosen]
    assert made.error_after == pytest.approx(np.mean(after))
    # far items that are not in the sample move neither of them by more than the level they belong to
    odd = own.copy()
    out = np.setdiff1d(np.arange(1200), chosen)[:5]
    odd.loc[out, "y"] += 500
    assert perf.calibrate(MODEL, odd, prior_n=4).error_before == pytest.approx(made.error_before)


def test_verdicts_are_plain_english() -> None:
    def told(of: float, spread: float) -> str:
        score = np.array([-1.0, 1.0] * 30) * spread * np.sqrt(59 / 60) + of
        new = pd.DataFrame({"x": np.linspace(2, 8, 60)})
        predicted = perf.predictions(MODEL, new, items=[f"i{k}" for k in range(60)])
        happened = [float(np.interp(z, SCORES, q)) for z, q in zip(score, predicted.quantiles, strict=True)]
        return perf.prediction_errors(
            predicted.with_outcomes(dict(zip(predicted.items, happened, strict=True)))
        ).verdict

    assert told(0.0562, 1.0) == (
        "Keep the model: on average 60 outcomes lie 6% of a standard deviation above what was predicted, and "
        "they vary about as much as it says."
    )
    assert told(-1.2, 1.0).startswith(
        "Recalibrate the model: on average 60 outcomes lie 1.2 standard deviations below what was predicted"
    )
    own = DATA.head(8).assign(dur=DATA["dur"].head(8) * 0.5)
    made = perf.calibrate(perf.fit("dur ~ x", DATA, family="gamma"), own, prior_n=4, group="team blue")
    below = f"{100 * (1 - made.local):.0f}% below what the model expects; after shrinkage"
    assert made.verdict.startswith(f"team blue: by its own data, dur is {below}")
    assert "times" not in made.verdict
