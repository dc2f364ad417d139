"""The distribution a baseline carries: default by scale, asked for, open items, objective, older records."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
SLA = perf.Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
FAST = perf.Objective("fast", measure="hours", target=12, direction="at_most", share=0.8)
X = np.random.default_rng(1).lognormal(1.5, 0.6, 150)


def test_the_family_of_the_scale_is_the_default() -> None:
    made = perf.baseline(perf.Series(X, measure=HOURS))
    assert made.fitted is not None
    assert made.fitted.family == "lognormal"
    assert made.fitted.estimate == pytest.approx((np.log(X).mean(), np.log(X).std()))
    assert made.method.parameters["distribution"] == "lognormal"
    assert perf.baseline(np.log(X)).fitted.family == "normal"
    assert perf.baseline(perf.Series([12, 9, 11], sizes=[50] * 3, measure=SLA)).fitted is None
    assert perf.baseline([3.0] * 10).fitted is None
    assert perf.Baseline.from_record(json.loads(json.dumps(made.to_record()))) == made


def test_the_share_meeting_an_objective_is_told_twice() -> None:
    made = perf.baseline(perf.Series(X, measure=HOURS), objective=FAST, distribution="gamma")
    free, fitted = made["share meeting the objective"], made["share meeting the objective, fitted"]
    assert fitted.value == pytest.approx(float(made.fitted.cdf(12.0)))
    assert fitted.interval.low < fitted.value < fitted.interval.high
    # the model buys a narrower interval; the verdict is the distribution-free one's
    assert fitted.interval.high - fitted.interval.low < free.interval.high - free.interval.low
    assert f"{100 * free.value:.1f}% are" in made.verdict
    other = perf.Objective("slow", measure="hours", target=2, direction="at_least", share=0.8)
    above = perf.baseline(perf.Series(X, measure=HOURS), objective=other)
    assert above["share meeting the objective, fitted"].value == pytest.approx(float(above.fitted.sf(2.0)))


def test_open_items_are_fitted_by_their_censored_likelihood() -> None:
    open_ = perf.Series(np.minimum(X, 8), censored=X > 8, measure=HOURS)
    made = perf.baseline(open_, objective=FAST)
    assert made.fitted.n_censored == int((X > 8).sum())
    assert made.fitted.estimate == pytest.approx((1.5, 0.6), abs=0.15)
    # Kaplan-Meier cannot see beyond the last item; the fitted share can
    assert math.isnan(made["share meeting the objective"].value)
    assert 0.8 < made["share meeting the objective, fitted"].value < 1


def test_a_family_that_does_not_fit_is_said() -> None:
    rng = np.random.default_rng(3)
    two = np.r_[rng.normal(0, 1, 100), rng.normal(9, 1, 100)]
    made = perf.baseline(two)
    assert "distribution-does-not-fit" in made.caveat_codes
    assert "distribution-does-not-fit" not in perf.baseline(rng.normal(size=200)).caveat_codes
    asked = perf.baseline(np.abs(two) + 0.1, distribution="weibull")
    doubts = [c for c in asked.caveats if c.code == "distribution-does-not-fit"]
    assert [c.evidence["family"] for c in doubts] == ["weibull"]


def test_impossible_wishes() -> None:
    with pytest.raises(perf.UnknownNameError, match="weibull"):
        perf.baseline(X, distribution="weibul")
    with pytest.raises(perf.InputError, match="could not be fitted"):
        perf.baseline([-1.0, 2, 3, 4, 5, 6], distribution="gamma")
    with pytest.raises(perf.InputError, match="measured values"):
        perf.baseline(perf.Series([12, 9], sizes=[50, 50], measure=SLA), distribution="normal")


def test_baselines_saved_before_have_none() -> None:
    path = Path(__file__).parents[1] / "contracts" / "records" / "baseline-1.json"
    old = perf.Baseline.from_record(json.loads(path.read_text(encoding="utf-8")))
    assert old.fitted is None
    assert len(old.summary()) == 1
