"""Models as a whole: against R lm and statsmodels, predictions, saving, caveats, real data, bad input."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.models.diagnostics import breusch_pagan, cook_distance, variance_inflation
from perfanalytics.models.formula import design, levels_of, parse
from perfanalytics.models.least_squares import least_squares
from perfanalytics.models.model import fit
from perfanalytics.models.result import Model

# tests/reference/models.R
D = pd.DataFrame(
    {
        "y": [3.1, 4.7, 2.2, 8.9, 6.5, 12.4, 5.2, 7.7, 9.1, 15.8, 4.4, 6.9, 11.3, 18.2],
        "x": [1.0, 2.0, 1.5, 4.0, 3.0, 5.5, 2.5, 3.5, 4.5, 7.0, 2.2, 3.1, 5.0, 8.0],
        "g": list("abcabcabcabcab"),
    }
)
NEW = pd.DataFrame({"x": [3.0, 6.0], "g": ["b", "c"]})
HOURS = Measure("y", definition="d", unit="hours", better="lower", scale="duration")


def logged(**more: object) -> Model:
    return fit("y ~ log(x) + g", D, measure=HOURS, **more)  # type: ignore[arg-type]


def service(n: int = 200, *, seed: int = 1, noise: float = 0.4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    size, team = rng.uniform(1, 20, n), rng.choice(["blue", "green", "red"], n)
    effect = pd.Series(team).map({"blue": 0.0, "green": 0.3, "red": -0.4}).to_numpy()
    hours = np.exp(0.5 + 0.8 * np.log(size) + effect + rng.normal(0, noise, n))
    return pd.DataFrame({"y": hours, "size": size, "team": team})


def test_terms_against_r() -> None:
    frame = logged().to_frame().set_index("term")
    order = ["Intercept", "log(x)", "g[T.b]", "g[T.c]"]
    estimates = [0.8624890220036, 0.9966791043153, -0.0723241531577, -0.1834847970226]
    errors = [0.1087485632657, 0.0722363893180, 0.0965828336557, 0.1024437684547]
    p_values = [1.27015630604e-05, 7.78340109436e-08, 4.71205984866e-01, 1.03545273937e-01]
    assert frame.loc[order, "estimate"].tolist() == pytest.approx(estimates, rel=1e-11)
    assert frame.loc[order, "std_error"].tolist() == pytest.approx(errors, rel=1e-10)
    assert frame.loc[order, "p_value"].tolist() == pytest.approx(p_values, rel=1e-9)
    assert frame.loc["log(x)", ["low", "high"]].tolist() == pytest.approx([0.835726398749, 1.157631809882])
    # anova(lm(log(y) ~ log(x)), lm(log(y) ~ log(x) + g))
    assert frame.loc["g[T.b]", "factor_statistic"] == pytest.approx(1.60985, abs=5e-6)
    assert frame.loc["g[T.c]", "factor_p_value"] == pytest.approx(0.24768, abs=5e-6)
    assert frame.loc["g[T.b]", "factor_df"] == 2
    assert frame.loc["log(x)", "factor_statistic"] == pytest.approx(frame.loc["log(x)", "statistic"] ** 2)
    assert frame.loc["g[T.c]", "ratio"] == pytest.approx(math.exp(-0.1834847970226))


def test_summary_against_r() -> None:
    row = logged(folds=14).summary().iloc[0]
    assert row["r2"] == pytest.approx(0.950764930597, rel=1e-11)
    assert row["r2_adjusted"] == pytest.approx(0.935994409776, rel=1e-11)
    assert row["sigma"] == pytest.approx(0.152705796090, rel=1e-11)
    # as many folds as rows leave out one row each: PRESS of R
    assert row["error_cv"] == pytest.approx(0.217910278967, rel=1e-9)


def test_predictions_against_r() -> None:
    model = logged()
    got = model.predict(NEW, confidence=0.9)
    smear = 1.00831732748
    assert np.log(got["estimate"]).tolist() == pytest.approx([1.88512878071, 2.46481344792])
    assert np.log(got["mean_low"] / smear).tolist() == pytest.approx([1.76086584901, 2.30533908865])
    assert np.log(got["mean_high"] / smear).tolist() == pytest.approx([2.00939171240, 2.62428780719])
    assert np.log(got["item_low"]).tolist() == pytest.approx([1.58174001014, 2.14538342244])
    assert np.log(got["item_high"]).tolist() == pytest.approx([2.18851755127, 2.78424347340])
    assert (got["mean"] / got["estimate"]).tolist() == pytest.approx([smear, smear])
    # pt((log(8) - fit) / sqrt(se.fit^2 + sigma^2), df)
    probability = model.probability(NEW, at_most=8)["probability"]
    assert probability.tolist() == pytest.approx([0.8636649251639, 0.0268209238958])


def test_interactions_on_the_raw_scale_against_r() -> None:
    model = fit("y ~ x * g", D)
    got = dict(zip(model.terms.tolist(), model.coefficients.tolist(), strict=True))
    assert got["Intercept"] == pytest.approx(0.392216981132)
    assert got["x:g[T.c]"] == pytest.approx(0.270890453704)
    assert model.predict(NEW)["estimate"].tolist() == pytest.approx([6.58665120901, 13.38897464168])
    assert model.smearing == 1.0
    assert math.isnan(model.to_frame()["ratio"].iloc[0])


def test_diagnostics_against_r() -> None:
    parsed = parse("y ~ log(x) + g")
    made = design(D, parsed, levels_of(D, parsed))
    solved = least_squares(made.matrix, np.log(D["y"].to_numpy()), list(made.names))
    assert breusch_pagan(made, solved.residuals) == pytest.approx((9.4764588705555, 0.0235831217801))
    cook = cook_distance(solved)
    wanted = [1.61867062008, 0.955755914224, 0.0158925501376]
    assert cook[[0, 2, 13]].tolist() == pytest.approx(wanted)
    assert solved.leverage[[0, 5]].tolist() == pytest.approx([0.507149513381, 0.310118091836])
    assert "influential-rows" in logged().caveat_codes


def test_variance_inflation_against_r() -> None:
    # car::vif; a factor's generalized one to the power 1/Df
    z = D["x"] + [0.1, -0.1, 0.2, -0.2, 0.1, 0, 0.1, -0.1, 0, 0.2, -0.1, 0.1, -0.2, 0]
    frame = D.assign(z=z)
    parsed = parse("y ~ x + z + g")
    vif = variance_inflation(design(frame, parsed, levels_of(frame, parsed)))
    assert (vif["x"], vif["z"], vif["g"] ** 2) == pytest.approx(
        (273.61047846397, 273.4609322357, 1.15180999015)
    )
    assert fit("y ~ x + z + g", frame).largest_vif == vif["x"]


def test_against_statsmodels() -> None:
    import statsmodels.formula.api as smf
    from statsmodels.stats.diagnostic import het_breuschpagan

    data = service()
    theirs = smf.ols("np.log(y) ~ np.log(size) + team", data).fit()
    ours = fit("y ~ log(size) + team", data, measure=HOURS)
    np.testing.assert_allclose(np.sort(ours.coefficients), np.sort(theirs.params.to_numpy()), rtol=1e-10)
    np.testing.assert_allclose(np.sort(ours.std_errors), np.sort(theirs.bse.to_numpy()), rtol=1e-10)
    assert (ours.f_statistic, ours.f_p_value) == pytest.approx((theirs.fvalue, theirs.f_pvalue))
    assert ours.breusch_pagan_p == pytest.approx(het_breuschpagan(theirs.resid, theirs.model.exog)[1])


def test_saved_and_read_back_it_still_predicts() -> None:
    goal = Objective("fast", measure="y", target=9, direction="at_most")
    model = logged(controllable=["x"], objective=goal)
    back = Model.from_record(json.loads(json.dumps(model.to_record())))
    assert back == model
    assert back.predict(NEW).equals(model.predict(NEW))
    assert back.probability(NEW).equals(model.probability(NEW))
    assert back.to_frame().equals(model.to_frame())
    whole = fit("y ~ C(g) + x", D.assign(g=[0, 1, 2] * 4 + [0, 1]))
    back = Model.from_record(json.loads(json.dumps(whole.to_record())))
    assert back.levels == {"g": (0, 1, 2)}
    assert not back.predict({"g": [1.0], "x": [3.0]})["extrapolates"].any()
    assert not back.predict({"g": [1], "x": [3.0]})["extrapolates"].any()


def test_columns_never_depend_on_the_data() -> None:
    models = [logged(), fit("y ~ 1", D), fit("y ~ x", D, controllable="x")]
    assert len({tuple(m.summary()) for m in models}) == 1
    assert len({tuple(m.to_frame()) for m in models}) == 1
    assert len({tuple(m.predict(NEW)) for m in models}) == 1
    assert len({tuple(m.probability(NEW, at_most=1)) for m in models}) == 1


def test_extrapolation_is_told() -> None:
    new = pd.DataFrame({"x": [3.0, 30.0, math.nan, 3.0], "g": ["a", "a", "a", "z"]}, index=list("pqrs"))
    got = logged().predict(new)
    assert got.index.tolist() == list("pqrs")
    assert got["extrapolates"].tolist() == [False, True, False, True]
    assert got["why"].tolist() == [
        "",
        "x 30 is outside 1 to 8",
        "x is missing",
        "g 'z' was not in the data",
    ]
    assert got["estimate"].isna().tolist() == [False, False, True, True]
    assert logged().probability(new, at_most=5)["probability"].isna().tolist() == [False, False, True, True]


def test_an_unusual_combination_is_told() -> None:
    rng = np.random.default_rng(2)
    a = rng.uniform(0, 10, 60)
    data = pd.DataFrame({"a": a, "b": a + rng.normal(0, 0.3, 60), "y": a + rng.normal(size=60)})
    got = fit("y ~ a + b", data).predict({"a": [5.0, 9.0], "b": [5.0, 1.0]})
    assert got["extrapolates"].tolist() == [False, True]
    assert "combination" in got["why"].iloc[1]


def test_the_prediction_interval_holds_new_items() -> None:
    held, told = [], []
    for seed in range(60):
        data = service(120, seed=seed)
        model = fit("y ~ log(size) + team", data.iloc[:60], measure=HOURS)
        new = data.iloc[60:]
        got = model.predict(new)
        held.append(((got["item_low"] <= new["y"]) & (new["y"] <= got["item_high"])).mean())
        told.append((model.probability(new, at_most=8)["probability"] - (new["y"] <= 8)).mean())
    # 60 models x 60 items: standard error 0.4 points and a little more for the shared models
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
    assert np.mean(told) == pytest.approx(0.0, abs=0.02)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1000), st.floats(0.5, 20))
def test_another_unit_rescales_predictions(factor: float, bound: float) -> None:
    one = fit("y ~ log(size) + team", service(60), measure=HOURS)
    other = fit("y ~ log(size) + team", service(60).assign(y=lambda d: d["y"] * factor), measure=HOURS)
    new = {"size": [2.0, 15.0], "team": ["blue", "red"]}
    mine, theirs = one.predict(new), other.predict(new)
    np.testing.assert_allclose(theirs["item_high"], mine["item_high"] * factor, rtol=1e-8)
    p, q = one.probability(new, at_most=bound), other.probability(new, at_most=bound * factor)
    np.testing.assert_allclose(p["probability"], q["probability"], atol=1e-9)
    opposite = one.probability(new, at_least=bound)
    np.testing.assert_allclose(p["probability"] + opposite["probability"], 1.0)


def test_missing_values_and_zeros_are_counted() -> None:
    data = service(100)
    data.loc[[3, 4], "size"] = np.nan
    data.loc[7, "team"] = None
    data.loc[9, "y"] = np.nan
    data.loc[11, "y"] = 0.0
    model = fit("y ~ log(size) + team", data, measure=HOURS)
    assert (model.n, model.n_dropped) == (95, 5)
    texts = {c.code: c.evidence["rows"] for c in model.caveats if c.code.startswith("rows-")}
    assert texts == {"rows-with-missing-values": 4, "rows-with-zero-response": 1}


def test_the_verdict_needs_a_controllable_factor() -> None:
    assert "no process performance model" in logged().verdict
    assert "no-controllable-factor" in logged().caveat_codes
    named = logged(controllable=["x"])
    assert "process performance model" not in named.verdict
    assert named.to_frame().set_index("term")["controllable"].to_dict() == {
        "Intercept": False,
        "g[T.b]": False,
        "g[T.c]": False,
        "log(x)": True,
    }


def test_noise_is_not_sold_as_a_model() -> None:
    rng = np.random.default_rng(8)
    data = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdey"))
    model = fit("y ~ a + b + c + d + e", data)
    assert model.r2 > 0.02
    assert model.r2_cv < model.r2
    assert "fits-noise" in model.caveat_codes


def test_doubts() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(1, 10, 200)
    spreading = pd.DataFrame({"x": x, "y": 3 * x + x * rng.normal(size=200)})
    assert "nonconstant-variance" in fit("y ~ x", spreading).caveat_codes
    drift = np.zeros(200)
    for k in range(1, 200):
        drift[k] = 0.8 * drift[k - 1] + rng.normal()
    timed = pd.DataFrame({"x": x, "y": x + drift, "at": np.arange(200)}).sample(frac=1, random_state=1)
    assert "autocorrelated-residuals" in fit("y ~ x", timed, time="at").caveat_codes
    assert "autocorrelated-residuals" not in fit("y ~ x", timed).caveat_codes
    same = pd.DataFrame({"x": x, "z": x + rng.normal(0, 0.01, 200), "y": x + rng.normal(size=200)})
    assert "collinear" in fit("y ~ x + z", same).caveat_codes
    calm = fit("y ~ log(size) + team", service(200), measure=HOURS, controllable=["team"])
    assert calm.caveat_codes == ()
    assert "few-rows" in logged().caveat_codes
    counts = Measure("y", definition="d", unit="", better="lower", scale="count")
    assert "scale-not-modelled" in fit("y ~ x", same, measure=counts).caveat_codes


def test_the_objective() -> None:
    goal = Objective("fast", measure="y", target=9, direction="at_most", share=0.9)
    model = logged(objective=goal)
    assert model.probability(NEW).equals(model.probability(NEW, at_most=9))
    slow = Objective("slow", measure="y", target=9, direction="at_least")
    both = model.probability(NEW)["probability"] + model.probability(NEW, objective=slow)["probability"]
    assert both.tolist() == pytest.approx([1.0, 1.0])
    inside = model.probability(NEW, at_least=4, at_most=9)["probability"]
    assert (inside < model.probability(NEW, at_most=9)["probability"]).all()
    assert model.probability(NEW, at_most=-1)["probability"].tolist() == [0.0, 0.0]


def test_misuse_is_told() -> None:
    with pytest.raises(UnknownNameError, match="gaussian"):
        fit("y ~ x", D, family="gauss")
    with pytest.raises(UnknownNameError, match="'x'"):
        fit("y ~ xx", D)
    with pytest.raises(UnknownNameError, match="controllable"):
        fit("y ~ x", D, controllable=["g"])
    with pytest.raises(InputError, match="DataFrame"):
        fit("y ~ x", {"y": [1], "x": [2]})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 5 are needed"):
        fit("y ~ x + g", D.iloc[:4])
    with pytest.raises(InputError, match="numbers"):
        fit("g ~ x", D)
    with pytest.raises(InputError, match="negative in 1 row"):
        fit("y ~ x", D.assign(y=[-1.0, *D["y"][1:]]), measure=HOURS)
    with pytest.raises(InputError, match="infinite"):
        fit("y ~ x", D.assign(y=[math.inf, *D["y"][1:]]))
    with pytest.raises(InputError, match="combination of the others"):
        fit("y ~ x + z", D.assign(z=2 * D["x"]))
    with pytest.raises(InputError, match="folds"):
        fit("y ~ x", D, folds=1)
    with pytest.raises(InputError, match="0 and 1"):
        fit("y ~ x", D, confidence=95)
    with pytest.raises(InputError, match="0 and 1"):
        logged().predict(NEW, confidence=95)
    with pytest.raises(UnknownNameError, match="'g'"):
        logged().predict({"x": [1.0]})
    with pytest.raises(InputError, match="must hold numbers"):
        logged().predict({"x": ["three"], "g": ["a"]})
    with pytest.raises(InputError, match="probability of what"):
        logged().probability(NEW)
    with pytest.raises(InputError, match="not both"):
        logged().probability(
            NEW, objective=Objective("o", measure="y", target=1, direction="at_most"), at_most=2
        )
    with pytest.raises(InputError, match="lies above"):
        logged().probability(NEW, at_least=5, at_most=2)
    other = Objective("o", measure="z", target=1, direction="at_most")
    with pytest.raises(InputError, match="is about 'z'"):
        logged(objective=other)
    mean = Objective("o", measure="y", target=1, direction="at_most", statistic="mean")
    with pytest.raises(InputError, match="not of single items"):
        logged().probability(NEW, objective=mean)


def test_nasa93(real_data: Path) -> None:
    """log effort on log size; R: lm(log(act_effort) ~ log(equivphyskloc))."""
    data = pd.read_csv(real_data / "effort" / "nasa93.csv")
    effort = Measure("act_effort", definition="d", unit="person-months", better="lower", scale="positive")
    model = fit("act_effort ~ log(equivphyskloc)", data, measure=effort)
    assert model.coefficients.tolist() == pytest.approx([1.943379029062, 0.926370678233])
    assert model.r2 == pytest.approx(0.711435371316)
    got = model.predict({"equivphyskloc": [50]}, confidence=0.9).iloc[0]
    assert got[["estimate", "item_low", "item_high"]].tolist() == pytest.approx(
        [261.74282399, 67.4491140233, 1015.71839604]
    )
    better = fit(
        "act_effort ~ log(equivphyskloc) + mode + center", data.astype({"center": str}), measure=effort
    )
    assert better.r2_cv > model.r2_cv


def test_a_response_without_variation_is_refused() -> None:
    for value in (5.0, 0.1 + 0.2):
        flat = pd.DataFrame({"y": [value] * 30, "x": np.arange(30.0)})
        for formula in ("y ~ x", "y ~ x - 1", "log(y) ~ x"):
            with pytest.raises(InputError, match="in all 30 rows: there is no variation to explain"):
                fit(formula, flat)


@pytest.mark.parametrize("level", [0.0, 1e6])
def test_a_perfect_fit_is_doubted_not_praised(level: float) -> None:
    x = np.arange(30.0)
    made = fit("y ~ x", pd.DataFrame({"y": level + 2 * x + 1, "x": x}))
    assert "perfect-fit" in made.caveat_codes
    assert "the terms reproduce every value without error" in made.verdict
    assert "predicted within" not in made.verdict
    noisy = level + 2 * x + 1 + 1e-3 * np.sin(x * 37)
    assert "perfect-fit" not in fit("y ~ x", pd.DataFrame({"y": noisy, "x": x})).caveat_codes
    tiny = 1e12 + np.random.default_rng(1).standard_normal(30)
    assert "perfect-fit" not in fit("y ~ x", pd.DataFrame({"y": tiny, "x": x})).caveat_codes


def test_without_an_intercept_the_verdict_is_measured_from_the_mean() -> None:
    rng = np.random.default_rng(5)
    x = rng.uniform(1, 3, 120)
    data = pd.DataFrame({"y": 10 + x + rng.standard_normal(120), "x": x})
    with_one, without = fit("y ~ x", data), fit("y ~ x - 1", data)
    # R: summary(lm(y ~ x - 1))$r.squared is measured from 0
    b = float(x @ data["y"] / (x @ x))
    rss = float(((data["y"] - b * x) ** 2).sum())
    assert without.r2 == pytest.approx(1 - rss / float((data["y"] ** 2).sum()))
    assert without.r2 > 0.8
    assert with_one.r2 < 0.5
    assert without.r2_cv < 0
    assert "worse than its plain mean" in without.verdict
    assert "explain" not in without.verdict
    assert without.method.parameters["r2_measured_from"].startswith("0 (no intercept)")
    assert with_one.method.parameters["r2_measured_from"] == "mean"
    # a full set of levels is the same model with and without an intercept: the verdict says the same share
    groups = service()
    one, other = fit("y ~ team", groups), fit("y ~ team - 1", groups)
    assert other.r2_cv == pytest.approx(one.r2_cv)
    assert re.search(r"explain (\S+%)", other.verdict).group(1) == re.search(  # type: ignore[union-attr]
        r"explain (\S+%)", one.verdict
    ).group(1)  # type: ignore[union-attr]


def test_messages_name_rows_and_columns_plainly() -> None:
    with pytest.raises(InputError, match=r"negative in 1 row, the first is 2: it has no logarithm"):
        fit("y ~ x", D.assign(y=D["y"].where(D.index != 2, -1.0)), measure=HOURS)
    with pytest.raises(InputError, match=r"at row 3 "):
        fit("y ~ log(x)", D.assign(x=D["x"].where(D.index != 3, 0.0)))
    for column in ("x", "y"):
        broken = D.assign(**{column: D[column].where(D.index != 4, np.inf)})
        with pytest.raises(InputError, match=f"infinite input: column '{column}' .* first is 4"):
            fit("y ~ x + g", broken)


def test_the_measure_is_that_of_the_response() -> None:
    other = Measure("other", definition="d", unit="hours", better="lower", scale="duration")
    with pytest.raises(InputError, match="'other' is not the response 'y'"):
        fit("y ~ x", D, measure=other)
    assert fit("log(y) ~ x", D, measure=HOURS).measure == HOURS


def test_r2_without_an_intercept_is_that_of_r() -> None:
    """tests/reference/decisions.R: from 0 as in summary.lm; the verdict is measured from the mean (-7.2)."""
    d = pd.DataFrame({"x": [1.0, 2.0, 1.5, 4.0, 3.0, 5.5], "y": [13.1, 14.7, 12.2, 18.9, 16.5, 12.4]})
    made = fit("y ~ x - 1", d)
    assert made.r2 == pytest.approx(0.7827703219, rel=1e-9)
    assert "worse than its plain mean" in made.verdict


def in_time(residuals: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    """The two checks in time of a model that leaves (nearly) these residuals, and its caveats."""
    n = len(residuals)
    x = np.random.default_rng(0).permutation(n) / n
    model = fit("y ~ x", pd.DataFrame({"x": x, "y": 5 + 3 * x + residuals, "at": np.arange(n)}), time="at")
    told = model.checks()
    return told[told["check"].str.startswith("independence")], list(model.caveat_codes)


def test_both_tests_in_time_say_one_thing() -> None:
    """Whatever the p-values: one verdict at one level, and the caveat goes with it."""
    rng = np.random.default_rng(12)
    verdicts, split = set(), 0
    for k in range(80):
        e = rng.normal(size=60)
        for t in range(1, 60):
            e[t] += 0.004 * k * e[t - 1]
        told, codes = in_time(e)
        assert told["verdict"].nunique() == 1
        together = 2 * told["p_value"].min() < 0.01
        assert (told["verdict"].iloc[0] != "fine") == together
        assert ("autocorrelated-residuals" in codes) == together
        assert ("No sure sign" in told["meaning"].iloc[1]) == (not together)
        split += bool((told["p_value"] < 0.01).sum() == 1)
        verdicts.add(told["verdict"].iloc[0])
    assert len(verdicts) >= 2
    assert split >= 3  # the tests alone would have said different things


def test_what_goes_together_in_time_is_named() -> None:
    rng = np.random.default_rng(2)
    e = rng.normal(size=210)
    alternating, weekly = e.copy(), e.copy()
    for t in range(1, 210):
        alternating[t] -= 0.6 * alternating[t - 1]
    for t in range(7, 210):
        weekly[t] += 0.6 * weekly[t - 7]
    assert "neighbours in time alternate (lag-1 correlation -0." in in_time(alternating)[0]["meaning"].iloc[0]
    assert "Residuals 7 rows apart in time go together" in in_time(weekly)[0]["meaning"].iloc[0]


def test_ages_of_open_items_are_no_outcomes() -> None:
    data = D.assign(y_censored=False)
    assert "censored-outcomes" not in fit("y ~ x", data).caveat_codes
    data.loc[[2, 5], "y_censored"] = True
    data.loc[7, ["y", "y_censored"]] = [np.nan, True]  # left out already: it is no outcome of the model
    caveat = next(c for c in fit("y ~ x", data).caveats if c.code == "censored-outcomes")
    assert caveat.evidence["n"] == 2
    assert caveat.text.startswith(f"2 items of {len(D) - 1} are still open (y_censored)")
    assert "censored-outcomes" not in fit("y ~ x", data[~data["y_censored"]]).caveat_codes
