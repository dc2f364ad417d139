"""Predictive laws: quadrature against draws, whole numbers, coverage, saving, roles, separation, misuse."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Objective
from perfanalytics.models.factors import Factor
from perfanalytics.models.model import fit
from perfanalytics.models.result import Model

HOURS = Measure("y", definition="d", unit="hours", better="lower", scale="duration")
FAMILIES: dict[str, dict[str, Any]] = {
    "gaussian": {},
    "lognormal": {"family": "gaussian", "measure": HOURS},
    "gamma": {"family": "gamma"},
    "binomial": {"family": "binomial", "sizes": "m"},
    "poisson": {"family": "poisson"},
    "negative_binomial": {"family": "negative_binomial"},
    "mixed": {"family": "mixed", "groups": "h"},
    "quantile": {"family": "quantile", "measure": HOURS},
}
NEW = pd.DataFrame({"x": [0.2, 0.8], "g": ["a", "c"], "m": [10, 20], "h": ["h1", "new"]})


def items(name: str, n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, g, h = rng.uniform(0, 1, n), rng.choice(list("abc"), n), rng.integers(0, 10, n)
    eta = 0.8 + 1.2 * x + np.select([g == "a", g == "b"], [0, 0.3], -0.4)
    made = pd.DataFrame({"x": x, "g": g, "m": 10 + rng.integers(0, 10, n), "h": [f"h{k}" for k in h]})
    law = {
        "gaussian": lambda: eta + rng.normal(0, 1, n),
        "lognormal": lambda: np.exp(eta + rng.normal(0, 0.5, n)),
        "gamma": lambda: rng.gamma(2, np.exp(eta) / 2),
        "binomial": lambda: rng.binomial(made["m"], 1 / (1 + np.exp(1 - eta))),
        "poisson": lambda: rng.poisson(np.exp(eta)),
        "negative_binomial": lambda: rng.poisson(rng.gamma(1.5, np.exp(eta) / 1.5)),
        "mixed": lambda: eta + np.random.default_rng(99).normal(0, 1, 10)[h] + rng.normal(0, 1, n),
        "quantile": lambda: np.exp(eta + rng.normal(0, 1, n) * (0.2 + 0.6 * x)),
    }
    return made.assign(y=law[name]())


def model(name: str, n: int = 120, seed: int = 1, **more: Any) -> Model:
    return fit("y ~ x + g", items(name, n, seed), **FAMILIES[name], **more)


@pytest.mark.parametrize("name", FAMILIES)
def test_draws_agree_with_probabilities_and_quantiles(name: str) -> None:
    made, draws = model(name), 20_000
    drawn = made.simulate_items(NEW, draws=draws, rng=7)
    assert drawn.shape == (draws, 2)
    told = made.predict(NEW, confidence=0.8)
    for bound in np.quantile(drawn, [0.2, 0.6, 0.9]).tolist():
        share = made.probability(NEW, at_most=bound)["probability"].to_numpy()
        error = np.sqrt(share * (1 - share) / draws) + 1e-9
        # mixed: of a new group the t law is Satterthwaite's, the draws have both variances of their own
        slack = 0.02 if name == "mixed" else 5 * error
        assert (np.abs((drawn <= bound).mean(axis=0) - share) < slack).all()
    inside = ((told["item_low"].to_numpy() <= drawn) & (drawn <= told["item_high"].to_numpy())).mean(axis=0)
    assert (inside > 0.8 - 0.02).all()
    again = made.simulate_items(NEW, draws=draws, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(again, drawn)


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_saved_and_read_back(name: str) -> None:
    made = model(name, controllable=[Factor("x", subprocess="review", low=0, high=2)])
    back = Model.from_record(json.loads(json.dumps(made.to_record())))
    assert back == made
    assert back.predict(NEW).equals(made.predict(NEW))
    assert list(back.to_frame()) == list(model("gaussian").to_frame())
    assert list(back.summary()) == list(model("gaussian").summary())
    assert (back.role("x").subprocess, back.feasible("x"), back.feasible("g")) == (
        "review",
        (0, 2),
        ("a", "b", "c"),
    )
    assert back.factor_frame()["g"].tolist() == items(name, 120, 1)["g"].tolist()
    assert set(back.checks()["verdict"]) <= {"fine", "look", "serious"}


@pytest.mark.parametrize("name", ["poisson", "negative_binomial", "binomial", "gamma", "lognormal"])
def test_items_are_what_items_can_be(name: str) -> None:
    made = model(name)
    got = made.predict(NEW)
    drawn = made.simulate_items(NEW, draws=500, rng=1)
    assert (got["item_low"] >= 0).all()
    assert (drawn >= 0).all()
    if name not in ("gamma", "lognormal"):
        assert (drawn == np.round(drawn)).all()
        assert (got[["item_low", "item_high"]] % 1 == 0).all().all()
    if name == "binomial":
        assert (drawn <= NEW["m"].to_numpy()).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_coverage_of_item_intervals(name: str) -> None:
    """docs/models.md tells the figures of the long version."""
    held = []
    for seed in range(4 if name == "quantile" else 8):
        data = items(name, 160, seed + 100)
        made = fit("y ~ x + g", data.iloc[:80], **FAMILIES[name], folds=5)
        got = made.predict(data.iloc[80:])
        held.append(((got["item_low"] <= data["y"][80:]) & (data["y"][80:] <= got["item_high"])).mean())
    # 640 items: standard error 0.9 points, with that of the models about 1.5
    assert 0.90 < np.mean(held) <= 1.0


def test_shares_with_denominators() -> None:
    rate = Measure("y", definition="d", unit="1", better="higher", scale="proportion")
    counts = items("binomial", 120, 1)
    made = fit(
        "y ~ x + g", counts.assign(y=counts["y"] / counts["m"]), family="binomial", sizes="m", measure=rate
    )
    plain = fit("y ~ x + g", counts, family="binomial", sizes="m")
    assert made.coefficients.tolist() == pytest.approx(plain.coefficients.tolist())
    ours, theirs = made.predict(NEW), plain.predict(NEW)
    assert (ours["item_high"] * NEW["m"]).tolist() == pytest.approx(theirs["item_high"].tolist())
    met = Objective("most", measure="y", target=0.5, direction="at_least")
    told = made.probability(NEW, objective=met)["probability"]
    assert told.tolist() == pytest.approx(
        [plain.probability(NEW.iloc[[k]], at_least=NEW["m"][k] / 2)["probability"].iloc[0] for k in (0, 1)]
    )


def test_separation_is_told() -> None:
    data = pd.DataFrame({"x": np.arange(40.0), "y": (np.arange(40) >= 20).astype(int)})
    made = fit("y ~ x", data, family="binomial")
    assert "separated" in made.caveat_codes
    assert made.checks().set_index("check").loc["separation", "verdict"] == "serious"
    level = pd.DataFrame({"g": list("abc") * 20, "y": [0, 3, 2, 0, 1, 4] * 10})
    silent = fit("y ~ g", level, family="poisson")
    assert "separated" in silent.caveat_codes
    assert "separated" not in model("poisson").caveat_codes


def test_overdispersion_is_told() -> None:
    data = items("negative_binomial", 300, 5)
    assert "overdispersed" in fit("y ~ x + g", data, family="poisson").caveat_codes
    assert "overdispersed" not in fit("y ~ x + g", data, family="negative_binomial").caveat_codes
    even = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60) // 10})
    assert "no-overdispersion" in fit("y ~ x", even, family="negative_binomial").caveat_codes


def test_a_bend_is_told() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 200)
    bent = pd.DataFrame({"x": x, "y": 8 * (x - 0.3) ** 2 + rng.normal(0, 0.1, 200)})
    assert fit("y ~ x", bent).checks().set_index("check").loc["linearity", "verdict"] == "serious"
    assert fit("y ~ poly(x, 2)", bent).checks().set_index("check").loc["linearity", "verdict"] == "fine"
    counts = bent.assign(y=rng.poisson(np.exp(8 * (x - 0.5) ** 2)))
    check = fit("y ~ x", counts, family="poisson").checks().set_index("check").loc["linearity"]
    assert check["p_value"] < 1e-6


def test_few_groups_and_group_terms_are_told() -> None:
    data = items("mixed", 120, 1)
    few = data[data["h"].isin(["h0", "h1", "h2", "h3"])]
    assert "few-groups" in fit("y ~ x", few, family="mixed", groups="h").caveat_codes
    level = data.assign(z=data["h"].str[1:].astype(float))
    assert "between-groups" in fit("y ~ x + z", level, family="mixed", groups="h").caveat_codes
    effects = model("mixed").groups()
    assert len(effects) == 10
    assert (effects["low"] < effects["effect"]).all()


def test_a_polynomial_keeps_its_digits_and_predicts_again() -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(1000, 1010, 80)
    data = pd.DataFrame({"x": x, "y": (x - 1005) ** 3 + rng.normal(0, 1e-3, 80)})
    made = fit("y ~ poly(x, 3)", data)
    assert made.condition < 10
    one = made.predict({"x": [1003.0]})["estimate"].iloc[0]
    assert one == pytest.approx(-8, abs=2e-3)
    back = Model.from_record(json.loads(json.dumps(made.to_record())))
    assert back.predict({"x": [1003.0]})["estimate"].iloc[0] == one
    with pytest.raises(InputError, match="poly"):
        fit("y ~ poly(x, x)", data)


def test_misuse_of_families_is_told() -> None:
    data = items("poisson", 40, 1)
    with pytest.raises(InputError, match="not a count"):
        fit("y ~ x", data.assign(y=data["y"] + 0.5), family="poisson")
    with pytest.raises(InputError, match="neither 0 nor 1"):
        fit("y ~ x", data, family="binomial")
    with pytest.raises(InputError, match="out of sizes"):
        fit("y ~ x", data.assign(y=data["m"] + 1), family="binomial", sizes="m")
    with pytest.raises(InputError, match="needs groups="):
        fit("y ~ x", data, family="mixed")
    with pytest.raises(InputError, match="groups= is for mixed"):
        fit("y ~ x", data, groups="h")
    with pytest.raises(InputError, match="needs time="):
        fit("y ~ x", data, errors="hac")
    with pytest.raises(UnknownNameError, match="robust"):
        fit("y ~ x", data, errors="robusst")
    with pytest.raises(InputError, match="shares between 0 and 1"):
        fit("y ~ x", data, family="quantile", quantile=90)
    with pytest.raises(InputError, match="fewer than 2"):
        fit("y ~ x", data, family="quantile", quantile=0.99)
    with pytest.raises(InputError, match="not above 0"):
        fit("y ~ x", data.assign(m=0), weights="m")
    with pytest.raises(InputError, match="link of its own"):
        fit("log(y) ~ x", data, family="gamma")
    with pytest.raises(InputError, match="at least 3"):
        fit("y ~ x", data.assign(h="one"), family="mixed", groups="h")
    made = model("poisson")
    with pytest.raises(InputError, match="draws"):
        made.simulate_items(NEW, draws=0, rng=1)
    with pytest.raises(InputError, match="Generator"):
        made.simulate_items(NEW, rng=None)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="'z'"):
        made.role("z")
    with pytest.raises(InputError, match="empty"):
        Factor("x", low=2, high=1)


def test_what_cannot_be_predicted_is_missing() -> None:
    new = pd.DataFrame({"x": [0.5, math.nan], "g": ["zz", "a"]})
    for name in FAMILIES:
        made = model(name)
        assert made.predict(new)["item_high"].isna().all()
        assert np.isnan(made.simulate_items(new, draws=3, rng=1)).all()
        assert made.probability(new, at_most=1)["probability"].isna().all()


def test_what_is_no_exposure_weight_or_size_is_said_and_not_predicted() -> None:
    binomial = model("binomial").predict({"x": [0.5] * 4, "g": ["a"] * 4, "m": [-1, 0, 2.5, 10]})
    assert binomial["item_high"].isna().tolist() == [True, True, True, False]
    assert binomial["why"].tolist()[:3] == [
        f"m {v} is not a whole number from 1 on" for v in ("-1", "0", "2.5")
    ]
    counts = fit("y ~ x", items("poisson", 60, 1), family="poisson", exposure="m")
    told = counts.predict({"x": [0.5] * 3, "m": [0.0, math.nan, 2.0]})
    assert told["why"].tolist() == ["m 0 is not above 0", "m is missing", told["why"][2]]
    assert told["mean"].isna().tolist() == [True, True, False]
    weighted = fit("y ~ x", items("gaussian", 60, 1), weights="m")
    assert weighted.predict({"x": [0.5, 0.5], "m": [-1, 4]})["item_low"].isna().tolist() == [True, False]


def test_new_rows_may_be_one_row_of_single_values() -> None:
    made = model("gaussian")
    assert made.predict({"x": 0.5, "g": "a"}).equals(made.predict({"x": [0.5], "g": ["a"]}))
    with pytest.raises(InputError, match="do not go together"):
        made.predict({"x": [0.5, 0.6], "g": ["a", "b", "c"]})
    with pytest.raises(InputError, match="mapping of column"):
        made.predict([0.5, "a"])  # type: ignore[arg-type]


def test_the_mean_of_a_logged_mixed_model_holds_the_spread_of_groups() -> None:
    rng = np.random.default_rng(5)
    group = rng.integers(0, 40, 800)
    data = pd.DataFrame({"h": group, "x": rng.uniform(0, 1, 800)})
    data["y"] = np.exp(1 + data["x"] + rng.normal(0, 0.7, 40)[group] + rng.normal(0, 0.4, 800))
    made = fit("y ~ x", data, family="mixed", groups="h", measure=HOURS)
    new = pd.DataFrame({"x": [0.5, 0.5], "h": ["never seen", 3]})
    told = made.predict(new)
    drawn = made.simulate_items(new, draws=100_000, rng=1)
    # draws hold the doubt of the spread of groups too, so their mean of a new group is a little larger
    assert told["mean"].to_numpy() == pytest.approx(drawn.mean(axis=0), rel=0.05)
    factor = math.exp(made.parameters["group_sd"] ** 2 / 2) * made.smearing
    assert told["mean"][0] == pytest.approx(told["estimate"][0] * factor)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": "95"}, "confidence lies between"),
        ({"folds": 2.5}, "folds= is a whole number"),
        ({"seed": "a"}, "seed= is a whole number"),
        ({"controllable": [Factor("g", low=1, high=3)]}, "'g' is a category"),
        ({"controllable": [Factor("x", choices=(1, 2))]}, "'x' holds numbers"),
    ],
)
def test_options_of_a_fit_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit("y ~ x + g", items("gaussian", 40, 1), **options)


def test_bounds_ranges_and_columns_are_what_they_say() -> None:
    data = items("gaussian", 40, 1)
    with pytest.raises(InputError, match="two columns of the name 'x'"):
        fit("y ~ x", pd.concat([data, data[["x"]]], axis=1))
    with pytest.raises(InputError, match="two numbers"):
        Factor("x", low="1", high=2)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at_most= is a number"):
        model("gaussian").probability(NEW, at_most=math.nan)
    made = fit("y ~ g", data, controllable=[Factor("g", choices=("a", "z"))])
    assert "choices-not-seen" in made.caveat_codes
    assert made.profile().level.tolist() == ["a"]
