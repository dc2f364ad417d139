"""Selection prices itself: noise is recognised, truth is kept, factors stay whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.formula import design, levels_of, parse
from perfanalytics.models.model import fit
from perfanalytics.models.searching import noise_of, search, sums_of
from perfanalytics.models.selection import ModelSelection, select_model


def data(effect: float, n: int = 80, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    made = pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdef"))
    team = rng.choice(["p", "q", "r"], n)
    y = effect * (made["a"] + (team == "q")) + rng.normal(size=n)
    return made.assign(team=team, y=y)


#: Made by models_step.R beside it.
STEPS = json.loads((Path(__file__).parents[1] / "reference" / "models_step.json").read_text())
ALL = "y ~ a + b + c + d + e + f + team"


@pytest.mark.parametrize("method", ["best_subset", "stepwise", "lasso"])
def test_truth_is_kept_and_noise_is_told(method: str) -> None:
    found = select_model(ALL, data(2.0), method=method, repeats=2, permutations=39)
    frame = found.to_frame().set_index("term")
    assert frame.loc[["a", "team"], "chosen"].all()
    assert frame.loc[["a", "team"], "chosen_in_folds"].min() > 0.99
    assert found.noise_share == 1 / 40
    assert found.r2_cv < found.r2
    assert fit(found.formula, data(2.0)).r2 == pytest.approx(found.r2, abs=0.02)
    assert ModelSelection.from_record(json.loads(json.dumps(found.to_record()))) == found


def test_noise_looks_good_in_the_sample_only() -> None:
    shares, falls = [], []
    for seed in range(6):
        found = select_model(ALL, data(0.0, 40, seed), repeats=2, permutations=39)
        shares.append(found.noise_share)
        falls.append(found.r2 - found.r2_cv)
        if found.chosen.any():
            assert found.r2 > 0.02
    assert np.mean(falls) > 0.1
    assert np.mean(np.array(shares) > 0.05) > 0.6


def test_best_subset_is_the_best_of_all() -> None:
    """Against refitting every subset."""
    from itertools import combinations

    d = data(0.5)
    x, y = d[list("abcd")].to_numpy(), d["y"].to_numpy()
    best = []
    for size in range(5):
        for own in combinations(range(4), size):
            design = np.column_stack([np.ones(len(y)), x[:, list(own)]])
            rss = float(np.linalg.lstsq(design, y, rcond=None)[1][0])
            p = size + 2
            best.append((len(y) * np.log(rss / len(y)) + 2 * p + 2 * p * (p + 1) / (len(y) - p - 1), own))
    chosen = search(sums_of(x, y), np.arange(4), "best_subset")
    assert tuple(np.flatnonzero(chosen.terms).tolist()) == min(best)[1]


@pytest.mark.parametrize("case", STEPS, ids=lambda case: str(case["name"]))
def test_stepwise_ends_where_step_of_r_ends(case: dict[str, Any]) -> None:
    """R's step() from no term in both directions, with AICc as its criterion."""
    d = pd.DataFrame(case["data"])
    parsed = parse(f"{case['response']} ~ {' + '.join(case['candidates'])}")
    made = design(d, parsed, levels_of(d, parsed))
    own = [k for k, term in enumerate(made.factor_of) if term != "Intercept"]
    term_of = np.array([case["candidates"].index(made.factor_of[k]) for k in own])
    y = d[case["response"]].to_numpy(dtype=float)
    found = search(sums_of(made.matrix[:, own], y), term_of, "stepwise")
    kept = {t for t, c in zip(case["candidates"], found.terms.tolist(), strict=True) if c}
    assert kept == set(case["chosen"])
    assert found.r2 == pytest.approx(case["r2"], abs=1e-12)
    rest, p = float(np.sum((y - found.predict(made.matrix[:, own])) ** 2)), int((found.b != 0).sum()) + 2
    n = len(y)
    assert n * np.log(rest / n) + 2 * p + 2 * p * (p + 1) / (n - p - 1) == pytest.approx(case["aicc"][-1])


def test_one_of_the_searches_of_r_takes_a_term_back() -> None:
    assert any(step.startswith("- ") for case in STEPS for step in case["steps"])


def test_shuffling_once_solved_is_shuffling_one_by_one() -> None:
    """The subsets are solved once for all shuffled responses: the same R2 as a search for each."""
    d = data(0.3, 40)
    x, y = d[list("abcdef")].to_numpy(), d["y"].to_numpy()
    term_of = np.array([0, 0, 1, 2, 3, 4])
    r2, chose = noise_of(x, y, term_of, "best_subset", 25, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    each = [search(sums_of(x, rng.permutation(y)), term_of, "best_subset") for _ in range(25)]
    assert r2 == pytest.approx([c.r2 for c in each], abs=1e-12)
    assert chose.tolist() == [bool(c.terms.any()) for c in each]
    assert 0 < chose.sum() < 25


def test_shuffled_data_sets_are_counted() -> None:
    found = select_model(ALL, data(2.0), repeats=1, permutations=19)
    assert found.noise_share == 1 / 20
    assert "none of 19 shuffled data sets reached as much" in found.verdict
    noise = next(
        made
        for seed in range(6)
        if (made := select_model(ALL, data(0.0, 40, seed), repeats=1, permutations=39)).chosen.any()
        and made.noise_share > 0.05
    )
    reached = round(noise.noise_share * 40) - 1
    assert f"{reached} of 39 shuffled data sets reach as much: this may be noise." in noise.verdict
    assert f"in {reached} of 39 shuffled data sets" in next(
        c.text for c in noise.caveats if c.code == "fits-noise"
    )


def test_lasso_satisfies_its_conditions() -> None:
    """Karush-Kuhn-Tucker: columns in the model have one and the same absolute correlation with the rest."""
    d = data(1.0, 200)
    x, y = d[list("abcdef")].to_numpy(), d["y"].to_numpy()
    found = search(sums_of(x, y), np.arange(6), "lasso")
    centered = x - x.mean(axis=0)
    scaled = centered / np.sqrt(np.sum(centered**2, axis=0))
    rest = scaled.T @ (y - found.predict(x))
    active = found.b != 0
    assert np.ptp(np.abs(rest[active])) < 1e-6 * np.abs(rest).max()
    assert np.abs(rest[~active]).max(initial=0.0) <= np.abs(rest[active]).max() + 1e-6


def test_misuse_is_told() -> None:
    with pytest.raises(UnknownNameError, match="best_subset"):
        select_model(ALL, data(1.0), method="best")
    with pytest.raises(InputError, match="permutations at least 19"):
        select_model(ALL, data(1.0), permutations=3)
    with pytest.raises(InputError, match="intercept"):
        select_model("y ~ a + b - 1", data(1.0))
    with pytest.raises(InputError, match="at most 10"):
        select_model("y ~ (a + b + c + d + e) ** 2", data(1.0))


@pytest.mark.parametrize("method", ["best_subset", "stepwise", "lasso"])
def test_what_each_number_of_terms_is_worth(method: str) -> None:
    found = select_model(ALL, data(2.0), method=method, repeats=2, permutations=19)
    path = found.path_frame()
    assert path["n_terms"].tolist() == list(range(8))
    assert path["terms"][0] == ""
    assert path["r2"].is_monotonic_increasing
    assert path["r2"].iloc[-1] == pytest.approx(found.r2_all, abs=2e-3)
    assert set(path["terms"][2].split(" + ")) == {"a", "team"}
    assert path["r2_cv"].iloc[-1] == pytest.approx(found.r2_all_cv, abs=5e-3)
    assert (path["r2_cv_error"] > 0).all()
    # the mean of the others predicts an item worse than that of all, so nothing explains less than nothing
    assert path["r2_cv"][0] < 0
    with pytest.raises(InputError, match="whole numbers"):
        select_model(ALL, data(2.0), folds=2.5)  # type: ignore[arg-type]


def test_the_figure_shows_the_choice_beside_noise() -> None:
    from perfanalytics.figures.model_selection import draw, info

    found = select_model(ALL, data(2.0), repeats=2, permutations=19)
    record = info(found)
    assert record.chosen_size == int(found.chosen.sum())
    assert record.whole == pytest.approx(100 * found.r2_cv)
    assert record.noise == pytest.approx(100 * np.quantile(found.noise_r2, 0.95))
    assert len(record.sizes) == len(record.unseen) == 8
    assert record.often.tolist() == sorted(record.often, reverse=True)
    figure = draw(found)
    assert len(figure["data"]) == 4
    # a result of an earlier version has no path: the choice and the candidates are drawn
    saved = found.to_record()
    old = {k: v for k, v in saved["fields"].items() if not k.startswith("path_")}
    early = ModelSelection.from_record(saved | {"schema_version": 1, "fields": old})
    assert len(draw(early)["data"]) == 2


def test_an_empty_choice_is_not_doubted_as_if_something_was_found() -> None:
    noise = data(0.0, 60, 3)
    for seed in range(8):
        found = select_model(
            "y ~ a + b", noise.assign(y=np.random.default_rng(seed).normal(size=60)), repeats=1
        )
        if not found.chosen.any():
            assert found.caveat_codes == ()
            assert "no term worth keeping" in found.verdict
            return
    raise AssertionError("no seed without a choice")
