"""Least squares on the NIST reference sets: correct digits of estimates and standard errors."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.errors import InputError
from perfanalytics.models.least_squares import least_squares
from perfanalytics.models.model import fit

NIST = json.loads((Path(__file__).parents[1] / "reference" / "models_nist_linear.json").read_text())
SETS = [name for name in NIST if name != "source"]


def digits(got: np.ndarray, certified: list[float]) -> float:
    """Fewest correct digits: minus the log of the largest relative error (absolute where 0 is certified)."""
    truth = np.array(certified)
    error = np.abs(got - truth) / np.where(truth == 0, 1.0, np.abs(truth))
    return float(-math.log10(max(error.max(), 1e-16)))


@pytest.mark.parametrize("name", SETS)
def test_nist(name: str) -> None:
    case = NIST[name]
    frame = pd.DataFrame({k: v for k, v in case.items() if k == "y" or k.startswith("x")})
    model = fit(case["formula"], frame)
    assert digits(model.coefficients, case["estimates"]) >= case["digits"]
    assert digits(model.std_errors, case["std_errors"]) >= min(case["digits"], 12)
    assert digits(np.array([model.sigma]), [case["sigma"]]) >= min(case["digits"], 12)
    assert digits(np.array([model.r2]), [case["r2"]]) >= min(case["digits"], 12)
    assert ("near-singular" in model.caveat_codes) == (name == "Filip")


def test_at_least_what_plain_qr_gives() -> None:
    """Refinement never costs digits: compare with QR on scaled columns as it is usually done."""
    for name in ("Filip", "Longley", "Wampler4", "Wampler5"):
        case = NIST[name]
        powers = case["formula"].count("I(") + 1
        columns = [case[k] for k in case if k.startswith("x")]
        if len(columns) == 1:
            columns = [np.array(columns[0]) ** k for k in range(1, powers + 1)]
        x = np.column_stack([np.ones(len(case["y"])), *columns])
        scale = np.sqrt((x**2).sum(axis=0))
        q, r = np.linalg.qr(x / scale)
        plain = np.linalg.solve(r, q.T @ np.array(case["y"])) / scale
        refined = least_squares(x, np.array(case["y"]), [""] * x.shape[1]).coefficients
        assert digits(refined, case["estimates"]) >= digits(plain, case["estimates"]) - 0.5


def test_dependent_columns_are_named() -> None:
    x = np.column_stack([np.ones(10), np.arange(10.0), 3 * np.arange(10.0) - 2])
    with pytest.raises(InputError, match=r"combination of the others: (Intercept|a|b)"):
        least_squares(x, np.arange(10.0), ["Intercept", "a", "b"])
    with pytest.raises(InputError, match="zero"):
        least_squares(np.column_stack([np.ones(5), np.zeros(5)]), np.arange(5.0), ["one", "zero"])


def test_scaling_a_column_scales_its_coefficient() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 4)), rng.normal(size=30)
    factors = np.array([1e-9, 1.0, 1e7, 1e12])
    plain, scaled = least_squares(x, y, list("abcd")), least_squares(x * factors, y, list("abcd"))
    np.testing.assert_allclose(scaled.coefficients * factors, plain.coefficients, rtol=1e-12)
    np.testing.assert_allclose(scaled.residuals, plain.residuals, atol=1e-13)
    np.testing.assert_allclose(scaled.leverage, plain.leverage, atol=1e-13)


def test_an_orthogonal_basis_keeps_more_digits_of_filip() -> None:
    """Coefficients turned from Legendre polynomials into powers in exact fractions."""
    case = NIST["Filip"]
    model = fit("y ~ poly(x, 10)", pd.DataFrame({"x": case["x"], "y": case["y"]}))
    assert model.condition < 100
    assert "near-singular" not in model.caveat_codes
    low, high = (Fraction(v) for v in model.ranges["x"])
    t = [-(low + high) / (high - low), 2 / (high - low)]
    basis: list[list[Fraction]] = [[Fraction(1)], t]
    for k in range(1, 10):
        longer = [Fraction(0)] * (k + 2)
        for i, a in enumerate(basis[k]):
            for j, b in enumerate(t):
                longer[i + j] += Fraction(2 * k + 1, k + 1) * a * b
        for i, a in enumerate(basis[k - 1]):
            longer[i] -= Fraction(k, k + 1) * a
        basis.append(longer)
    powers = [Fraction(0)] * 11
    for c, polynomial in zip(model.coefficients.tolist(), basis, strict=True):
        for i, a in enumerate(polynomial):
            powers[i] += Fraction(c) * a
    assert digits(np.array([float(v) for v in powers]), case["estimates"]) >= 13
    assert digits(np.array([model.sigma]), [case["sigma"]]) >= 12
    assert digits(np.array([model.r2]), [case["r2"]]) >= 13
