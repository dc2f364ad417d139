"""Predictions of one model share its errors: the variance of their mean score, and how often it misleads."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import special

import perfanalytics as perf
from perfanalytics.models.predictions import scores_of
from perfanalytics.models.shared_error import joint_df, mean_variance

#: Size of the fit and of what is predicted with it.
N = 60


def drawn(family: str, rng: np.random.Generator, n: int) -> pd.DataFrame:
    x = rng.uniform(1, 9, n)
    mu = np.exp(0.2 + 0.15 * x)
    y = {
        "gaussian": lambda: 3 + 2 * x + rng.normal(size=n),
        "quantile": lambda: 3 + 2 * x + rng.normal(size=n),
        "gamma": lambda: rng.gamma(3, mu / 3),
        "poisson": lambda: rng.poisson(mu).astype(float),
        "binomial": lambda: (rng.uniform(size=n) < special.expit(x / 3 - 1.5)).astype(float),
        "mixed": lambda: 3 + 2 * x + rng.normal(size=n),
    }[family]()
    return pd.DataFrame({"x": x, "y": y, "team": rng.choice(list("abcdef"), n)})


@pytest.mark.parametrize("family", ["gaussian", "gamma", "poisson", "mixed"])
def test_the_variance_of_the_mean_score_is_that_of_draws(family: str) -> None:
    """Draws of the model itself (one draw of the parameters for all items) as the oracle.

    Outcomes of 0 and 1 are left to the error rates below: their place in a step is drawn with one seed, which
    makes the draws of this test alike.
    """
    rng = np.random.default_rng(3)
    data = drawn(family, rng, N)
    model = perf.fit("y ~ x", data, family=family, folds=2, groups="team" if family == "mixed" else None)
    new = drawn(family, rng, N)
    made = perf.predictions(model, new)
    told = mean_variance(made.shared, np.zeros(N, dtype=np.int64), N)
    items = model.simulate_items(new, draws=500, rng=1)
    means = np.array([scores_of(made.quantiles, y).mean() for y in items])
    # 500 draws know a variance to within 6% (one standard error)
    assert told == pytest.approx(means.var(), rel=0.2)
    assert told > 1.3 / N
    assert perf.Predictions.from_record(made.to_record()) == made


def test_origins_of_a_backtest_share_nothing() -> None:
    shared = np.full((4, 1), 0.5)
    one, two = np.zeros(4, dtype=np.int64), np.array([0, 0, 1, 1])
    assert mean_variance(shared, one, 4) == pytest.approx(0.75 / 4 + 0.25)
    assert mean_variance(shared, two, 4) == pytest.approx(0.75 / 4 + 2 * 1.0 / 16)
    assert joint_df(np.array([10.0, 10.0, 20.0, 20.0]), two) == pytest.approx(1 / (0.25 / 10 + 0.25 / 20))
    assert joint_df(np.full(4, math.inf), two) == math.inf
    made = perf.backtest(
        "y ~ x", drawn("gaussian", np.random.default_rng(1), 80).assign(t=range(80)), time="t"
    )
    assert made.shared.shape[0] == made.n
    assert set(made.spread_df[made.origin == 0].tolist()) == {38.0}
    assert perf.Backtest.from_record(made.to_record()) == made


def false_alarms(family: str, runs: int) -> np.ndarray:
    """Share of runs with p below 5%: of the level, with parameters taken as known, and of the spread."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(runs):
        data = drawn(family, rng, 2 * N)
        model = perf.fit("y ~ x", data.head(N), family=family, folds=2)
        told = perf.predictions(model, data.tail(N)).with_outcomes(data["y"].tail(N))
        made = perf.prediction_errors(told)
        known = 2 * special.ndtr(-abs(made.bias) * math.sqrt(made.method.parameters["n_effective"]))
        found.append((made.bias_p < 0.05, known < 0.05, made.spread_p < 0.05))
    return np.mean(found, axis=0)


def test_a_model_that_holds_is_not_recalibrated_for_its_own_errors() -> None:
    level, known, spread = false_alarms("gaussian", 120)
    assert level <= 0.11  # 5% are stated: more than 13 of 120 have a probability of 0.4%
    assert spread <= 0.11
    assert known > level


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gaussian", "gamma", "poisson", "binomial"])
def test_levels_are_those_that_are_stated(family: str) -> None:
    level, _, spread = false_alarms(family, 1000)
    assert level <= 0.07  # 5% and three standard errors
    assert spread <= (0.07 if family in ("gaussian", "gamma") else 0.1)
