"""The constants against R's studentized range (tests/reference/control_charts.R) and the printed tables."""

from __future__ import annotations

import math

import pytest
from scipy import integrate, special

from perfanalytics.core.errors import InputError
from perfanalytics.spc.constants import c4, d2, d3, d4_median

# n: d2, d3, c4; R 4, ptukey and integrate
REFERENCE = {
    2: (1.1283791671, 0.85250246643, 0.797884560803),
    3: (1.69256875064, 0.888368004048, 0.886226925453),
    5: (2.3259289473, 0.864081941116, 0.939985602987),
    10: (3.0775054603, 0.797050673661, 0.972659274122),
    25: (3.93062917574, 0.708440833992, 0.989640375586),
}


@pytest.mark.parametrize("n", REFERENCE)
def test_against_r(n):
    # ptukey is the weak side: it is good to about 1e-8, the test below to 1e-12
    assert d2(n) == pytest.approx(REFERENCE[n][0], abs=1e-7)
    assert d3(n) == pytest.approx(REFERENCE[n][1], abs=1e-7)
    assert float(c4(n)) == pytest.approx(REFERENCE[n][2], rel=1e-11)


@pytest.mark.parametrize("n", REFERENCE)
def test_the_range_is_twice_the_largest(n):
    """E range = 2 E max, E max = integral of x n phi(x) Phi(x)^(n - 1): another way to the same number."""

    def integrand(x):
        return 2 * x * n * math.exp(-x * x / 2) / math.sqrt(2 * math.pi) * special.ndtr(x) ** (n - 1)

    value, _ = integrate.quad(integrand, -12, 12, epsabs=1e-13, epsrel=1e-13, limit=200)
    assert d2(n) == pytest.approx(value, rel=1e-12)


def test_exact_values():
    assert d2(2) == 2 / math.sqrt(math.pi)
    assert d2(3) == pytest.approx(3 / math.sqrt(math.pi), rel=1e-13)
    assert d3(2) == pytest.approx(math.sqrt(2 - 4 / math.pi), rel=1e-15)


def test_printed_tables():
    """Montgomery (2013), appendix VI: the printed digits come out by rounding."""
    assert [round(d2(n), 3) for n in (2, 3, 4, 5, 6, 7)] == [1.128, 1.693, 2.059, 2.326, 2.534, 2.704]
    assert [round(d3(n), 3) for n in (2, 3, 4, 5, 6, 7)] == [0.853, 0.888, 0.880, 0.864, 0.848, 0.833]
    assert [round(1 + 3 * d3(n) / d2(n), 3) for n in (2, 3, 4, 5)] == [3.267, 2.575, 2.282, 2.114]
    assert round(d4_median(), 3) == 0.954
    # R: qtukey(0.5, n, Inf); Wheeler prints 1.588 for three and 2.257 for five
    assert [round(d4_median(n), 6) for n in (3, 5, 10, 100)] == [1.587788, 2.256882, 3.024202, 4.967946]


def test_too_small_a_sample():
    with pytest.raises(InputError, match="at least 2"):
        d2(1)
    assert math.isnan(float(c4(1)))
