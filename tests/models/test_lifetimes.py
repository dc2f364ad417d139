"""Lifetimes with units still alive: the NIST handbook, R survival, bad input."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError

#: 20 units on test for 500 hours (published input 1a0b77bf36cf; NIST/SEMATECH e-Handbook, section 8.4.1.2).
HOURS = [54, 187, 216, 240, 244, 335, 361, 373, 375, 386] + [500] * 10
ALIVE = [False] * 10 + [True] * 10


def test_weibull_against_r() -> None:
    # tests/reference/reliability.R, survreg
    found = perf.lifetimes(HOURS, censored=ALIVE)
    named = dict(zip(found.fit.parameters, found.fit.estimate.tolist(), strict=True))
    assert named["shape"] == pytest.approx(1.72079726081, rel=1e-6)
    assert named["scale"] == pytest.approx(606.527558004, rel=1e-6)
    assert found.fit.log_likelihood == pytest.approx(-75.1346181645, abs=1e-7)
    # log-scale interval of the shape: se of log(sigma) 0.291812763149
    assert math.log(found.shape_high / found.shape) == pytest.approx(1.959963985 * 0.291812763149, rel=1e-3)
    assert found.mttf == pytest.approx(606.527558004 * math.gamma(1 + 1 / 1.72079726081), rel=1e-6)


def test_lognormal_against_r() -> None:
    found = perf.lifetimes(HOURS, censored=ALIVE, family="lognormal")
    assert found.fit.estimate.tolist() == pytest.approx([6.22601506856, 0.90891403943], rel=1e-6)
    assert found.fit.log_likelihood == pytest.approx(-75.1962707789, abs=1e-7)
    assert math.isnan(found.shape)


def test_exponential_is_total_time_over_failures() -> None:
    found = perf.lifetimes(HOURS, censored=ALIVE, family="exponential")
    assert found.mttf == pytest.approx(sum(HOURS) / 10)
    share, interval = found.reliability(500)
    assert share == pytest.approx(math.exp(-500 / found.mttf))
    assert interval.low < share < interval.high


def test_kaplan_meier_against_r() -> None:
    frame = perf.lifetimes(HOURS, censored=ALIVE).to_frame().set_index("time")
    expected = {54: (0.95, 0.694743193257, 0.992802228593), 244: (0.75, 0.499943907966, 0.887470918916)}
    expected[386] = (0.5, 0.271327757293, 0.691892459422)
    for time, row in expected.items():
        assert frame.loc[time, ["survival", "low", "high"]].tolist() == pytest.approx(row, rel=1e-9)


def test_verdict_tells_what_age_does() -> None:
    rng = np.random.default_rng(1)
    assert "wear out" in perf.lifetimes(10 * rng.weibull(3.0, 60)).verdict
    assert "Early failures" in perf.lifetimes(10 * rng.weibull(0.5, 60)).verdict
    assert "may not matter" in perf.lifetimes(-np.log(np.linspace(0.01, 0.99, 60))).verdict
    assert "extrapolates" in perf.lifetimes(HOURS, censored=ALIVE).caveat_codes


def test_a_series_brings_its_measure_and_its_censoring() -> None:
    life = perf.Measure(
        "life", definition="Hours to failure", unit="hours", better="higher", scale="duration"
    )
    found = perf.lifetimes(perf.Series(HOURS, measure=life, censored=ALIVE))
    assert "hours" in found.verdict
    assert found.fit == perf.lifetimes(HOURS, censored=ALIVE).fit
    assert perf.Lifetimes.from_record(json.loads(json.dumps(found.to_record(), allow_nan=False))) == found
    assert len(found.summary()) == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: perf.lifetimes([1.0]), "at least 2"),
        (lambda: perf.lifetimes([1.0, 0.0]), "above 0"),
        (lambda: perf.lifetimes([1.0, 2.0], censored=[True, True]), "no unit has failed"),
        (lambda: perf.lifetimes([1.0, 2.0], confidence=95), "between 0 and 1"),
        (lambda: perf.lifetimes([1.0, 2.0, 4.0]).reliability(-1), "above 0"),
    ],
)
def test_misuse_is_told(call, says) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_unknown_family() -> None:
    with pytest.raises(UnknownNameError, match="weibull"):
        perf.lifetimes([1.0, 2.0], family="weibul")
