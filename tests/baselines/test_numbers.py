"""Center and spread against the NIST univariate sets; quantities against R; the choice of the scale."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from perfanalytics.baselines.intervals import effective
from perfanalytics.baselines.numbers import Options, decide_scale, describe, moments
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import UNNAMED, Measure

NIST = json.loads((Path(__file__).parents[1] / "reference" / "baselines_nist_univariate.json").read_text())
HOURS = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
PLAIN = Options(0.95, 0.95, "independent", 5)


def digits(got: float, certified: float) -> float:
    """Correct digits: minus the log of the relative error."""
    return 16.0 if got == certified else -math.log10(abs(got - certified) / abs(certified))


# PiDigits is left out: the certified mean 4.5348 is not that of the first 5000 digits of pi (4.5358).
# set, values, mean, standard deviation, lag-1 correlation, digits the rounding of the data leaves for the sd
CASES = [
    *((k, v["values"], v["mean"], v["sd"], v["r1"], 13) for k, v in NIST.items() if k != "source"),
    ("NumAcc1", [10000001.0, 10000003.0, 10000002.0], 10000002.0, 1.0, -0.5, 15),
    ("NumAcc2", [1.2] + [1.1, 1.3] * 500, 1.2, 0.1, -0.999, 14),
    ("NumAcc3", [1000000.2] + [1000000.1, 1000000.3] * 500, 1000000.2, 0.1, -0.999, 9),
    ("NumAcc4", [10000000.2] + [10000000.1, 10000000.3] * 500, 10000000.2, 0.1, -0.999, 8),
]


@pytest.mark.parametrize(("name", "values", "mean", "sd", "r1", "wanted"), CASES, ids=[c[0] for c in CASES])
def test_nist_univariate(
    name: str, values: list[float], mean: float, sd: float, r1: float, wanted: float
) -> None:
    x = np.array(values, dtype=float)
    got_mean, got_sd = moments(x)
    assert digits(got_mean, mean) >= 14
    # Mavro: the data have 5 digits around 2, of which the standard deviation sees 2
    assert digits(got_sd, sd) >= wanted
    assert digits(effective(x, "independent").r1, r1) >= min(wanted, 12)


def test_quantities_against_r() -> None:
    # tests/reference/baselines.R
    x = np.array([4.1, 5.3, 2.2, 9.7, 3.6, 6.1, 4.4, 12.9, 3.3, 5.0, 7.7, 2.9])
    real = Measure("x", definition="d", unit="u", better="lower", scale="real")
    rows = {r.quantity: r for r in describe(x, real, PLAIN).rows}
    percentiles = [rows[f"p{p}"].estimate for p in (5, 10, 25, 50, 75, 90, 95)]
    assert percentiles == pytest.approx([2.585, 2.940, 3.525, 4.700, 6.500, 9.500, 11.140])
    assert rows["iqr"].estimate == pytest.approx(2.975)
    assert rows["mad"].estimate == pytest.approx(1.4)
    assert rows["sd"].estimate == pytest.approx(3.11944050928)
    assert (rows["mean"].low, rows["mean"].high) == pytest.approx((3.61800205898, 7.58199794102))
    assert (rows["mean of the next m"].low, rows["mean of the next m"].high) == pytest.approx(
        (1.94537637369, 9.25462362631)
    )
    assert (rows["p50"].low, rows["p50"].high) == (3.3, 7.7)  # 3rd and 10th of 12: Conover, 96.1%
    assert rows["p50"].achieved == pytest.approx(0.96142578125)
    logged = {r.quantity: r for r in describe(x, HOURS, PLAIN).rows}
    gm = logged["geometric mean"]
    assert (math.log(gm.low), math.log(gm.high)) == pytest.approx((1.27337939863, 1.92272442734))
    assert (logged["next item"].low, logged["next item"].high) == pytest.approx(
        (1.53330956671, 15.93750778261)
    )


def test_no_interval_of_a_duration_is_negative() -> None:
    rng = np.random.default_rng(2)
    for n in (2, 3, 5, 12, 40):
        for row in describe(rng.lognormal(0, 1.5, n), HOURS, PLAIN).rows:
            assert not row.low < 0, row


def test_zeros_among_durations_leave_the_distribution_free_intervals() -> None:
    found = describe(np.array([0.0, 1, 2, 3, 4, 5, 6, 7]), HOURS, PLAIN)
    rows = {r.quantity: r for r in found.rows}
    assert math.isnan(rows["next item"].low)
    assert math.isnan(rows["tolerance interval"].high)
    assert rows["next item, distribution-free"].high == 7
    assert "zero-on-log-scale" in [c.code for c in found.caveats]
    assert found.scale == "raw"


def test_the_scale() -> None:
    skewed, even = np.array([1.0, 1, 2, 2, 3, 30]), np.array([1.0, 2, 3, 4, 5])
    assert decide_scale(even, HOURS) == ("log", "declared duration")
    assert decide_scale(skewed, UNNAMED)[0] == "log"
    assert (
        "skewness 1." in decide_scale(skewed, UNNAMED)[1] or "skewness 2" in decide_scale(skewed, UNNAMED)[1]
    )
    assert decide_scale(skewed - 1, UNNAMED)[0] == "raw"  # a zero
    assert decide_scale(even, UNNAMED)[0] == "raw"
    assert decide_scale(np.array([3.0, 3.0, 3.0]), UNNAMED)[0] == "raw"
    with pytest.raises(InputError, match="cannot be negative"):
        decide_scale(np.array([-1.0, 2.0]), HOURS)
    positive = Measure("p", definition="d", unit="u", better="lower", scale="positive")
    with pytest.raises(InputError, match="cannot be 0"):
        decide_scale(np.array([0.0, 2.0]), positive)


def test_constant_values_carry_a_caveat() -> None:
    found = describe(np.full(30, 5.0), UNNAMED, PLAIN)
    assert "zero-variance" in [c.code for c in found.caveats]


def test_dependence_is_told() -> None:
    rng = np.random.default_rng(4)
    y = np.zeros(100)
    for k in range(1, 100):
        y[k] = 0.7 * y[k - 1] + rng.normal()
    told = describe(y, UNNAMED, Options(0.95, 0.95, "ar1", 5))
    ignored = describe(y, UNNAMED, PLAIN)
    assert "autocorrelated" in [c.code for c in told.caveats]
    assert "dependence-ignored" in [c.code for c in ignored.caveats]
    wide, narrow = ({r.quantity: r for r in d.rows} for d in (told, ignored))
    for quantity in ("mean", "sd", "p50", "next item", "mean of the next m", "tolerance interval"):
        assert wide[quantity].high - wide[quantity].low > narrow[quantity].high - narrow[quantity].low
    assert "approximation" in wide["p50"].method
    drifting = describe(np.arange(50.0), UNNAMED, Options(0.95, 0.95, "ar1", 5))
    assert "autocorrelation-capped" in [c.code for c in drifting.caveats]
