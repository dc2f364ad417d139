"""Quantile regression of many rows: the exact solution of all of them, found from the rows near it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import linprog

from perfanalytics.models import check_loss as searched
from perfanalytics.models.check_loss import check_loss, quantile_fit

Floats = NDArray[np.float64]

#: share -> coefficients of R's rq (tests/reference/models_quantile.R): intercept, x, g = b, g = c
QUANTREG = {
    0.05: [1.15337250721, 0.318718561194, 0.998177998267, -1.16227908285],
    0.3: [1.75934780598, 1.16252637658, 0.981328429665, -1.05709220631],
    0.47: [1.99312853954, 1.45411638255, 0.953927357294, -1.06137055583],
    0.9: [2.76058839851, 2.37182135625, 0.905997741731, -1.09523026451],
}


def spreading() -> tuple[Floats, Floats]:
    """The rows of models_quantile.R."""
    i = np.arange(4999)
    x = 1 + 9 * ((i * np.sqrt(2)) % 1)
    z = special.logit(np.clip((i * np.sqrt(7)) % 1, 0.001, 0.999))
    b, c = (i % 3 == 1).astype(float), (i % 3 == 2).astype(float)
    return np.column_stack([np.ones(4999), x, b, c]), 2 + 1.5 * x + b - c + (0.3 + 0.4 * x) * z


def by_linear_programming(x: Floats, y: Floats, share: float) -> float:
    """The smallest check loss, from the dual solved by HiGHS."""
    found = linprog(-y, A_eq=x.T, b_eq=(1 - share) * x.sum(axis=0), bounds=(0, 1), method="highs-ds")
    return float(-found.fun - (1 - share) * y.sum())


@pytest.mark.parametrize("share", sorted(QUANTREG))
def test_many_rows_are_fitted_as_by_quantreg(share: float) -> None:
    x, y = spreading()
    assert len(y) >= searched.MANY
    assert quantile_fit(x, y, share) == pytest.approx(QUANTREG[share], rel=1e-10)


@pytest.mark.parametrize("kind", ["normal", "heavy", "rounded", "skewed", "clusters"])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.8])
def test_the_loss_is_the_smallest(kind: str, share: float) -> None:
    """Also with ties, outliers and a spread that grows, where few rows are near the quantile."""
    rng = np.random.default_rng(7)
    n = 3001
    x = np.column_stack([np.ones(n), rng.uniform(1, 9, n), rng.normal(size=n), rng.integers(0, 2, n)])
    e = {
        "normal": rng.normal(size=n),
        "heavy": rng.standard_cauchy(n) * x[:, 1],
        "rounded": np.round(rng.normal(size=n)),
        "skewed": np.exp(rng.normal(size=n) + x[:, 1] / 3),
        "clusters": np.where(rng.uniform(size=n) < 0.5, -20.0, 20.0) + rng.normal(size=n),
    }[kind]
    y = x @ np.array([2.0, 1.0, -1.0, 3.0]) + e
    if kind == "rounded":
        x[:, 1:3], y = np.round(x[:, 1:3]), np.round(y)
    best = by_linear_programming(x, y, share)
    assert check_loss(y - x @ quantile_fit(x, y, share), share) == pytest.approx(best, rel=1e-10)


def test_where_the_search_begins_does_not_decide_what_is_found() -> None:
    x, y = spreading()
    found = quantile_fit(x, y, 0.7)
    rng = np.random.default_rng(3)
    for far in (0.0, 0.01, 1.0, 100.0):
        guess = found + far * rng.normal(size=4)
        assert quantile_fit(x, y, 0.7, guess) == pytest.approx(found, rel=1e-10)
    few = slice(0, searched.MANY - 1)
    assert quantile_fit(x[few], y[few], 0.7, found) == pytest.approx(quantile_fit(x[few], y[few], 0.7))


def test_few_rows_stand_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Near a good guess a small part of the rows is solved: that is where the speed comes from."""
    x, y = spreading()
    near = quantile_fit(x, y, 0.5) + 1e-3
    sizes: list[int] = []
    small = searched._small
    monkeypatch.setattr(
        searched, "_small", lambda a, v, share, summed=0: sizes.append(len(v)) or small(a, v, share, summed)
    )
    quantile_fit(x, y, 0.5, near)
    assert 0 < sum(sizes) < 0.4 * len(y)
