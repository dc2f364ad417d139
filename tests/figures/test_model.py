"""The figure of a model, compared as a record of arrays."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.measure import Measure
from perfanalytics.figures.model import EFFECTS, POINTS, draw, info
from perfanalytics.figures.plot import plot
from perfanalytics.models.model import fit

HOURS = Measure("y", definition="d", unit="hours", better="lower", scale="duration")


def data(n: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.uniform(1, 10, n)
    return pd.DataFrame(
        {"x": x, "g": rng.choice(list("abc"), n), "y": np.exp(0.2 * x + rng.normal(0, 0.3, n))}
    )


def test_the_record_on_the_log_scale() -> None:
    frame = data()
    model = fit("y ~ x + g", frame, measure=HOURS, controllable=["g"])
    record = info(model)
    assert record.log
    assert record.labels[0] == "x, +1 SD"
    assert sorted(record.labels[1:]) == ["g: b", "g: c"]
    slope = dict(zip(model.terms.tolist(), model.coefficients.tolist(), strict=True))["x"]
    assert record.effect[0] == pytest.approx(np.exp(slope * frame["x"].std()))
    assert record.controllable.tolist() == [False, True, True]
    assert (record.low < record.effect).all()
    assert (record.effect < record.high).all()
    assert record.outside.mean() == pytest.approx(0.05, abs=0.04)
    ratio = record.band_high / record.line
    np.testing.assert_allclose(ratio, ratio[0])
    np.testing.assert_allclose(record.line / record.band_low, ratio[0])


def test_the_record_on_the_raw_scale() -> None:
    record = info(fit("y ~ x + g", data()))
    np.testing.assert_allclose(record.band_high - record.line, record.line - record.band_low)
    assert draw(fit("y ~ x", data()))["layout"]["xaxis"]["title"]["text"] == "effect on y"


def test_many_effects_and_points_are_thinned_and_said() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    frame = pd.DataFrame({"y": rng.normal(size=n), "who": rng.choice([f"p{k:02d}" for k in range(40)], n)})
    record = info(fit("y ~ who", frame))
    assert (len(record.labels), record.hidden_effects) == (EFFECTS, 15)
    assert (len(record.fitted), record.hidden_points) == (POINTS, 1000)
    notes = " ".join(a["text"] for a in draw(fit("y ~ who", frame))["layout"]["annotations"])
    assert "24 clearest of 39" in notes
    assert "3,000 of 4,000" in notes


@pytest.mark.parametrize("formula", ["y ~ x + g", "y ~ 1", "log(y) ~ x * g", "y ~ x - 1"])
def test_every_model_can_be_drawn(formula: str) -> None:
    figure = plot(fit(formula, data()))
    assert json.loads(figure.to_json())["layout"]["title"]["text"] == "Model of y"


def test_an_exact_fit_can_be_drawn() -> None:
    frame = pd.DataFrame({"x": np.arange(12.0), "y": 2 * np.arange(12.0) + 1})
    assert not info(fit("y ~ x", frame)).outside.any()
