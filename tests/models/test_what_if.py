"""What-if, profile, sensitivity and optimization against closed forms of linear models."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.models.conditional import chance_at, draw_luck, expected_at, law_of
from perfanalytics.models.goals import desirability

RNG = np.random.default_rng(5)
N = 240
DATA = pd.DataFrame({"a": RNG.normal(10, 2, N), "b": RNG.uniform(0, 4, N), "team": RNG.choice(["x", "y"], N)})
DATA["y"] = 3 + 2 * DATA["a"] + 1 * DATA["b"] + RNG.normal(0, 1.5, N)
DATA["count"] = RNG.poisson(np.exp(0.2 + 0.1 * DATA["a"]))
DATA["dur"] = np.exp(0.1 * DATA["a"] + RNG.normal(0, 0.5, N))
DATA["ev"] = (RNG.uniform(size=N) < 1 / (1 + np.exp(8 - 0.8 * DATA["a"]))).astype(int)
DATA["g"] = RNG.integers(0, 8, N).astype(str)
Y = perf.Measure("y", definition="Some time", unit="hours", better="lower", scale="real", subprocess="build")
A = perf.Factor("a", subprocess="design", low=5, high=14)
MODEL = perf.fit("y ~ a + b", DATA, measure=Y, controllable=[A])


def again(result: perf.Result) -> None:
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result
    assert len(result.summary()) == 1
    assert result.verdict.endswith(".")


def test_a_scenario_of_a_linear_model_has_its_closed_form() -> None:
    made = MODEL.what_if({"eight": {"a": 8}}, at_most=25, mean_of=20, rows=2000)
    coefficient = MODEL.coefficients[1]
    difference = coefficient * (8 - DATA["a"].mean())
    assert made.difference[1] == pytest.approx(difference, abs=0.01)
    half = 1.96 * MODEL.std_errors[1] * abs(8 - DATA["a"].mean())
    assert made.difference_high[1] - made.difference_low[1] == pytest.approx(2 * half, rel=0.1)
    # with a set, only b and the residual vary
    spread = np.hypot(MODEL.coefficients[2] * DATA["b"].std(ddof=0), MODEL.sigma)
    got = (made.item_high[1] - made.item_low[1]) / 2
    assert got == pytest.approx(1.96 * spread, rel=0.05)
    average = (made.average_high[1] - made.average_low[1]) / 2
    center = MODEL.predict({"a": [8.0], "b": [DATA["b"].mean()]})
    of_center = (center["mean_high"][0] - center["mean_low"][0]) / 2 / 1.96
    assert average == pytest.approx(1.96 * np.hypot(spread / np.sqrt(20), of_center), rel=0.06)
    rows = DATA.assign(a=8.0)
    assert made.probability[1] == pytest.approx(
        MODEL.probability(rows, at_most=25)["probability"].mean(), abs=2e-3
    )
    again(made)


def test_random_numbers_are_common_to_all_scenarios() -> None:
    made = MODEL.what_if({"one": {"a": 8}, "two": {"a": 8}, "b": {"b": DATA["b"].to_numpy()}})
    frame = made.to_frame()
    own = frame.columns.drop(["scenario", "settings"])
    assert frame.loc[1, own].equals(frame.loc[2, own])
    # today's own values laid over the rows in their order change next to nothing
    assert abs(made.difference[3]) < 0.02
    assert made.difference_high[3] - made.difference_low[3] < 0.05


def test_distributions_and_baselines_of_factors() -> None:
    values = perf.Series(DATA["a"].to_numpy() - 1, measure=Y)
    told = MODEL.what_if(
        {
            "baseline": {"a": perf.baseline(values)},
            "law": {"a": perf.Distribution.normal(mean=9, sd=2)},
            "point": {"a": 9},
        }
    )
    shift = MODEL.coefficients[1] * (DATA["a"].mean() - 1 - DATA["a"].mean())
    assert told.difference[1] == pytest.approx(shift, abs=0.02)
    # a distribution keeps the variation that a point takes away
    width = told.item_high - told.item_low
    assert width[2] == pytest.approx(width[0], rel=0.1)
    assert width[3] < 0.5 * width[0]


def test_today_may_differ_from_the_data() -> None:
    made = MODEL.what_if({"lower": {"a": 8}}, today={"a": 9})
    assert made.difference[1] == pytest.approx(-MODEL.coefficients[1], abs=1e-9)


def test_what_lies_outside_is_said() -> None:
    made = MODEL.what_if({"far": {"a": 40}, "b": {"b": 1}})
    assert set(made.caveat_codes) == {"extrapolates", "not-feasible", "not-controllable"}
    assert made.extrapolates[1] == 1.0
    assert not made.feasible[1]


@pytest.mark.parametrize(
    ("scenarios", "options", "message"),
    [
        ({}, {}, "at least one scenario"),
        ({"x": {"c": 1}}, {}, "unknown factor"),
        ({"x": 3}, {}, "maps factors to values"),
        ({"today": {"a": 1}}, {}, "always there"),
        ({"x": {"a": float("nan")}}, {}, "finite number"),
        ({"x": {"a": "many"}}, {}, "give a number"),
        ({"x": {"a": 1}}, {"mean_of": 501}, "from 1 to 500"),
        ({"x": {"a": 1}}, {"rows": 10}, "at least 50"),
    ],
)
def test_misuse(scenarios: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises((perf.InputError, perf.UnknownNameError), match=message):
        MODEL.what_if(scenarios, **options)


def test_levels_must_be_known() -> None:
    model = perf.fit("y ~ a + team", DATA, controllable=["team"])
    with pytest.raises(perf.InputError, match="was not in the data"):
        model.what_if({"z": {"team": "z"}})
    with pytest.raises(perf.InputError, match="sum to 1"):
        model.what_if({"z": {"team": {"x": 0.5, "y": 0.6}}})
    half = model.what_if({"half": {"team": {"x": 0.5, "y": 0.5}}, "x": {"team": "x"}, "y": {"team": "y"}})
    assert half.mean[1] == pytest.approx((half.mean[2] + half.mean[3]) / 2, abs=1e-6)


def test_exposure_must_be_said() -> None:
    data = DATA.assign(hours=8.0)
    model = perf.fit("count ~ a", data, family="poisson", exposure="hours", controllable=["a"])
    with pytest.raises(perf.InputError, match="exposure"):
        model.what_if({"x": {"a": 9}})
    told = model.what_if({"twice": {"hours": 16}}, today={"hours": 8})
    assert told.mean[1] == pytest.approx(2 * told.mean[0])


@pytest.mark.parametrize(
    ("family", "response", "bound", "options"),
    [
        ("gaussian", "y", 25.0, {}),
        ("gamma", "dur", 3.0, {}),
        ("poisson", "count", 3.0, {}),
        ("binomial", "ev", 0.0, {}),
        ("quantile", "dur", 3.0, {}),
        ("mixed", "y", 25.0, {"groups": "g"}),
    ],
)
def test_draws_of_parameters_average_to_the_predictive_law(
    family: str, response: str, bound: float, options: dict[str, Any]
) -> None:
    model = perf.fit(f"{response} ~ a", DATA, family=family, **options)
    rows = DATA.head(40).drop(columns="g")
    luck = draw_luck(model, 2000, np.random.default_rng(1))
    law = law_of(model, rows)
    chance = chance_at(law, luck, -np.inf, bound).mean(axis=0)
    assert chance == pytest.approx(model.probability(rows, at_most=bound)["probability"].to_numpy(), abs=0.02)
    told = model.predict(rows)
    assert expected_at(law, luck).mean(axis=0) == pytest.approx(told["mean"].to_numpy(), rel=0.02, abs=0.005)
    assert np.quantile(expected_at(law, luck), 0.975, axis=0) == pytest.approx(
        told["mean_high"].to_numpy(), rel=0.05
    )


def test_profile_holds_the_others() -> None:
    made = MODEL.profile(at={"b": 2}, at_most=25)
    own = made.to_frame().query("factor == 'a'")
    assert np.diff(own["mean"]) == pytest.approx(np.diff(own["value"]) * MODEL.coefficients[1])
    assert own["value"].iloc[[0, -1]].tolist() == [5.0, 14.0]
    told = MODEL.predict({"a": own["value"], "b": 2.0})
    assert own["item_high"].to_numpy() == pytest.approx(told["item_high"].to_numpy())
    again(made)
    with pytest.raises(perf.UnknownNameError):
        MODEL.profile(factors=["c"])


def test_sensitivity_of_an_additive_model() -> None:
    made = MODEL.sensitivity(n=2048)
    a, b = (
        MODEL.coefficients[1] ** 2 * DATA["a"].var(ddof=0),
        MODEL.coefficients[2] ** 2 * DATA["b"].var(ddof=0),
    )
    assert made.factor.tolist() == ["a", "b"]
    assert made.first == pytest.approx([a / (a + b), b / (a + b)], abs=0.05)
    assert made.total == pytest.approx(made.first, abs=0.05)
    low, high = np.quantile(DATA["a"], [0.1, 0.9], method="inverted_cdf")
    assert made.swing[0] == pytest.approx(MODEL.coefficients[1] * (high - low))
    half = 1.96 * MODEL.std_errors[1] * (high - low)
    assert made.swing_high[0] - made.swing[0] == pytest.approx(half, rel=0.1)
    assert made.of_items == pytest.approx(MODEL.r2, abs=0.03)
    again(made)


def test_factors_that_move_together_are_doubted() -> None:
    data = DATA.assign(b=DATA["a"] + RNG.normal(0, 1, N))
    assert "dependent-factors" in perf.fit("y ~ a + b", data).sensitivity(n=64).caveat_codes


def test_the_optimum_of_a_parabola() -> None:
    x = np.repeat(np.linspace(0, 10, 21), 6)
    data = pd.DataFrame({"x": x, "y": (x - 6.3) ** 2 + np.random.default_rng(2).normal(0, 2, len(x))})
    measure = perf.Measure("y", definition="Loss", unit="EUR", better="lower", scale="real")
    model = perf.fit(
        "y ~ x + I(x**2)", data, measure=measure, controllable=[perf.Factor("x", subprocess="s")]
    )
    made = model.optimize()
    best = -model.coefficients[1] / (2 * model.coefficients[2])
    assert float(made.setting[0]) == pytest.approx(best, abs=0.1)
    assert float(made.low[0]) <= 6.3 <= float(made.high[0])
    assert made.caveat_codes == ()
    assert made.settings()["x"] == float(made.setting[0])
    assert made.regret < 0.01
    again(made)
    narrow = model.optimize(within={"x": (0, 4)})
    assert float(narrow.setting[0]) == 4.0
    assert "at-the-end-of-range" in narrow.caveat_codes


def test_two_goals_meet_where_their_desirabilities_do() -> None:
    x = np.repeat(np.arange(11.0), 8)
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"x": x, "up": x + rng.normal(0, 0.1, 88), "cost": 2 * x + rng.normal(0, 0.1, 88)})
    up, cost = (perf.fit(f"{c} ~ x", data, controllable=["x"]) for c in ("up", "cost"))
    goals = [
        perf.Goal(up, better="higher", worst=0, best=10),
        perf.Goal(cost, better="lower", worst=20, best=0),
    ]
    made = up.optimize(goals)
    assert made.settings() == {"x": 5.0}  # whole numbers stay whole; x (10 - x) is largest at 5
    assert made.whole == pytest.approx(0.5, abs=0.01)
    weighted = [goals[0], perf.Goal(cost, better="lower", worst=20, best=0, importance=3)]
    assert up.optimize(weighted).settings()["x"] == pytest.approx(2.5, abs=0.5)  # x (10 - x)^3


def test_desirability_by_hand() -> None:
    # Derringer and Suich (1980), equations 3 and 4
    assert desirability(np.array([130.0]), better="higher", worst=120, best=170).tolist() == pytest.approx(
        [0.2]
    )
    assert desirability(np.array([145.0]), better="higher", worst=120, best=170, shape=2)[0] == 0.25


def test_optimize_needs_something_to_set() -> None:
    with pytest.raises(perf.InputError, match="controllable"):
        perf.fit("y ~ a", DATA, measure=Y).optimize()
    with pytest.raises(perf.UnknownNameError):
        MODEL.optimize(within={"b": (1, 2)})
    with pytest.raises(perf.InputError, match="which direction"):
        perf.fit("y ~ a", DATA, controllable=["a"]).optimize()


def test_review_says_what_is_known_and_what_is_not() -> None:
    card = MODEL.review().to_frame().set_index("criterion")["answer"]
    assert card["controllable factor"] == "yes"
    assert card["connects upstream with downstream"] == "yes"
    assert card["stable data"] == "unknown"
    assert MODEL.review().is_process_performance_model
    again(MODEL.review())
    bare = perf.fit("y ~ a + b", DATA).review()
    assert not bare.is_process_performance_model
    assert "controllable factor" in bare.verdict
    chart = perf.control_chart(np.r_[np.zeros(15), np.full(15, 9.0)] + DATA["a"][:30])
    told = MODEL.review(stability=chart).to_frame().set_index("criterion")
    assert told.loc["stable data", "answer"] == "no"
    with pytest.raises(perf.InputError, match="backtest"):
        MODEL.review(backtest=chart)
    noise = perf.fit("y ~ b", DATA.assign(b=RNG.permutation(DATA["b"])), controllable=["b"])
    assert noise.review().to_frame().set_index("criterion").loc["validated out of sample", "answer"] == "no"


def test_the_optimum_in_several_factors_is_found() -> None:
    rng = np.random.default_rng(3)
    truth = {"p": 0.7, "q": -0.3, "r": 1.1, "s": -1.5}
    data = pd.DataFrame({c: rng.uniform(-2, 2, 400) for c in truth})
    data["loss"] = sum((data[c] - v) ** 2 for c, v in truth.items()) + rng.normal(0, 0.2, 400)
    terms = " + ".join(f"{c} + I({c}**2)" for c in truth)
    model = perf.fit(f"loss ~ {terms}", data, controllable=list(truth))
    made = model.optimize(perf.Goal(model, better="lower"))
    b = dict(zip(model.terms, model.coefficients, strict=True))
    for name in truth:
        assert made.settings()[name] == pytest.approx(-b[name] / (2 * b[f"I({name} ** 2)"]), abs=0.02)
    low, high = made.low.astype(float), made.high.astype(float)
    assert np.all(low <= list(truth.values()))
    assert np.all(high >= list(truth.values()))
    assert np.all(high - low < 0.2)
    assert np.all(high > low)


def test_levels_that_are_numbers_or_true_and_false_can_be_set_again() -> None:
    data = DATA.assign(k=np.arange(N) % 3, flag=np.arange(N) % 2 == 0)
    model = perf.fit("y ~ C(k) + flag", data, measure=Y, controllable=["k", "flag"])
    settings = model.optimize().settings()
    assert settings["k"] in (0, 1, 2)
    assert isinstance(settings["flag"], bool)
    assert model.what_if({"best": settings}).caveat_codes == ()


def test_a_factor_of_two_models_stays_where_both_may_be_set() -> None:
    data = DATA.assign(z=-DATA["y"])
    other = perf.fit("z ~ a", data, controllable=[perf.Factor("a", low=8, high=20)])
    goals = [perf.Goal(MODEL), perf.Goal(other, better="higher")]
    made = MODEL.optimize(goals)
    assert (made.feasible_low[0], made.feasible_high[0]) == (8.0, 14.0)
    far = perf.fit("z ~ a", data, controllable=[perf.Factor("a", low=15, high=20)])
    with pytest.raises(perf.InputError, match="feasible in all models"):
        MODEL.optimize([perf.Goal(MODEL), perf.Goal(far, better="higher")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 95}, "confidence lies between"),
        ({"rows": 0}, "at least 10 rows"),
        ({"within": {"a": "eight"}}, "a number or"),
        ({"within": {"a": (9, 8)}}, "low <= high"),
    ],
)
def test_optimize_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(perf.InputError, match=message):
        MODEL.optimize(**options)


def test_goals_in_the_wrong_order_are_refused() -> None:
    for options in (
        {"better": "lower", "worst": 1, "best": 20},
        {"better": "higher", "worst": 20, "best": 1},
        {"better": "target", "worst": 20, "target": 5, "best": 1},
        {"better": "lower", "worst": float("nan")},
    ):
        with pytest.raises(perf.InputError, match=r"that means|finite numbers"):
            perf.Goal(MODEL, **options)
    data = DATA.assign(k=np.arange(N) % 3)
    whole = perf.fit("y ~ k", data, measure=Y, controllable=["k"])
    with pytest.raises(perf.InputError, match="there is none between"):
        whole.optimize(within={"k": (0.2, 0.8)})


def test_scenarios_that_set_the_same_are_refused() -> None:
    with pytest.raises(perf.InputError, match="set the same"):
        MODEL.what_if([{"a": 8}, {"a": 8}])
    with pytest.raises(perf.InputError, match="at least 50"):
        MODEL.what_if({"eight": {"a": 8}}, rows=60.5)  # type: ignore[arg-type]
    with pytest.raises(perf.InputError, match="confidence"):
        MODEL.sensitivity(n=64, confidence=95)


def test_a_gain_that_is_not_sure_is_said() -> None:
    """A factor without a proven effect is moved to one end of its range: no gain that can be counted on."""
    rng = np.random.default_rng(8)
    data = DATA.assign(chance=rng.uniform(0, 1, N))
    data["chance"] -= (
        0.9 * (data["y"] - data["y"].mean()) * np.cov(data["y"], data["chance"])[0, 1] / np.var(data["y"])
    )
    free = [A, perf.Factor("chance")]
    alone = perf.fit("y ~ chance", data, measure=Y, controllable=["chance"])
    assert alone.to_frame()["p_value"][1] > 0.3
    made = alone.optimize()
    assert "gain-not-sure" in made.caveat_codes
    assert made.verdict.endswith("That this is better than today is not sure for the mean of y.")
    caveat = next(c for c in made.caveats if c.code == "gain-not-sure")
    assert caveat.evidence["change_low"] < 0 < caveat.evidence["change_high"]
    assert "the change is -" in caveat.text
    both = perf.fit("y ~ a + chance", data, measure=Y, controllable=free)
    assert both.to_frame()["p_value"][2] > 0.1
    made = both.optimize()
    assert made.settings()["a"] == 5
    assert "gain-not-sure" not in made.caveat_codes
    assert [c.evidence["factor"] for c in made.caveats if c.code == "setting-not-sure"] == ["chance"]
    assert made.verdict.endswith("Nothing shows that the setting of chance helps.")
    again(made)


def test_a_gain_that_is_sure_raises_no_doubt() -> None:
    for objective in (None, perf.Goal(MODEL, of="probability", at_most=20)):
        made = MODEL.optimize(objective)
        assert "gain-not-sure" not in made.caveat_codes
        assert "not sure" not in made.verdict
    middle = MODEL.optimize(perf.Goal(MODEL, better="target", worst=0, target=20, best=60))
    assert "gain-not-sure" not in middle.caveat_codes


def many_rows(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"a": rng.normal(10, 2, n)})
    return data.assign(y=3 + 2 * data["a"] + rng.normal(0, 0.1, n))


def test_the_mean_of_today_is_that_of_all_rows() -> None:
    data = many_rows(3000)
    model = perf.fit("y ~ a", data, measure=Y, controllable=["a"], folds=2)
    made = model.what_if({"a": {"a": 8}}, at_most=20)
    assert made.rows == 3000
    assert made.mean[0] == pytest.approx(data["y"].mean(), abs=1e-9)
    told = model.probability(data, at_most=20)["probability"]
    assert made.probability[0] == pytest.approx(told.mean(), abs=1e-9)
    # the uncertainty of the parameters only: the mean of the data is known to sigma / sqrt(n)
    assert made.mean_high[0] - made.mean_low[0] == pytest.approx(2 * 1.96 * 0.1 / np.sqrt(3000), rel=0.15)


def test_the_error_of_a_sample_of_rows_is_in_the_interval() -> None:
    """A sample of 500 of 3,000 rows misses the mean of all by up to 2 * 2 * 2 / sqrt(500) hours."""
    data = many_rows(3000)
    model = perf.fit("y ~ a", data, measure=Y, controllable=["a"], folds=2)
    truth = data["y"].mean()
    inside = []
    for seed in range(15):
        made = model.what_if({"less": {"a": 8}}, at_most=20, rows=500, seed=seed)
        inside.append(made.mean_low[0] <= truth <= made.mean_high[0])
        inside.append(made.difference_low[1] <= 19 - truth <= made.difference_high[1])
    sd = 4 / np.sqrt(500) * np.sqrt(1 - 500 / 3000)
    assert made.mean_high[0] - made.mean_low[0] == pytest.approx(2 * 1.96 * sd, rel=0.15)
    assert made.probability_high[0] - made.probability_low[0] > 0.05
    assert sum(inside) >= 25  # 28.5 are expected of 30, without the error of the sample hardly any
    # of the rows that are kept of many more, too
    big = many_rows(20_000)
    model = perf.fit("y ~ a", big, measure=Y, controllable=["a"], folds=2)
    made = model.what_if({"less": {"a": 8}})
    assert made.rows == 5000
    assert made.mean_low[0] <= big["y"].mean() <= made.mean_high[0]
    sd = 4 / np.sqrt(5000) * np.sqrt(0.75)
    assert made.mean_high[0] - made.mean_low[0] == pytest.approx(2 * 1.96 * sd, rel=0.15)
    # a setting leaves nothing of the factor to be sampled
    assert made.mean_high[1] - made.mean_low[1] < 0.01
