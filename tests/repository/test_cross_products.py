"""Cross products computed in the database give the regression of the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.repository.cross_products import products_of
from perfanalytics.repository.duckdb_engine import DuckDBEngine

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")


@pytest.fixture
def repo():
    rng = np.random.default_rng(1)
    n = 400
    rows = pd.DataFrame(
        {
            "id": [f"i{k}" for k in range(n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), unit="h"),
            "size": rng.uniform(1, 20, n).round(2),
            "team": rng.choice(["blue", "green", "it's red"], n),
        }
    )
    rows["h"] = np.exp(
        0.5 + 0.8 * np.log(rows["size"]) + (rows["team"] == "green") * 0.3 + rng.normal(0, 0.4, n)
    )
    rows.loc[3, "h"] = 0.0
    with perf.Repository.open(":memory:") as opened:
        opened.load(
            perf.Source(
                "work",
                frame=rows,
                key="id",
                measures=[
                    perf.SourceMeasure(
                        HOURS, value="h", when="day", item="id", attributes={"size": "size", "team": "team"}
                    )
                ],
            )
        )
        yield opened


def test_the_same_model_as_from_the_rows(repo) -> None:
    sums = repo.cross_products("hours", terms=["log(size)", "team"])
    ours = perf.fit_products(sums, measure=HOURS, controllable=["size"])
    theirs = perf.fit("hours ~ log(size) + team", repo.frame("hours"), measure=HOURS, controllable=["size"])
    assert (ours.n, ours.n_dropped, sums.computed_by) == (399, 1, "sums in the engine")
    a, b = (m.to_frame().set_index("term") for m in (ours, theirs))
    for column in ("estimate", "std_error", "p_value", "factor_p_value"):
        np.testing.assert_allclose(a.loc[b.index, column], b[column], rtol=1e-8)
    assert (ours.r2, ours.sigma, ours.f_statistic) == pytest.approx(
        (theirs.r2, theirs.sigma, theirs.f_statistic)
    )
    new = {"size": [5.0, 12.0], "team": ["blue", "it's red"]}
    mine, other = ours.predict(new), theirs.predict(new)
    for column in ("estimate", "item_low", "item_high"):
        np.testing.assert_allclose(mine[column], other[column], rtol=1e-8)
    assert "residuals-not-seen" in ours.caveat_codes
    figure = perf.plot(ours)
    assert len(figure.data) == 1
    assert len(figure.data[0].x) == len(ours.terms) - 1
    assert "computed from sums" in figure.layout.annotations[0].text
    answers = ours.review().to_frame().set_index("criterion")["answer"]
    assert answers["validated out of sample"] == answers["accuracy known"] == "unknown"
    with pytest.raises(perf.InputError, match="fit a sample"):
        ours.what_if({"small": {"size": 3}})


def test_nearly_dependent_terms_are_fetched() -> None:
    engine = DuckDBEngine(":memory:")
    rng = np.random.default_rng(1)
    x = rng.uniform(1000, 1001, 500)
    z = x + rng.normal(0, 1e-5, 500)
    y = 3 * x - 2 * z + rng.normal(0, 1e-6, 500)
    engine.put("t", {"x": x, "z": z, "y": y})
    kinds = dict.fromkeys("xzy", "number")
    sums = products_of(
        engine, "SELECT * FROM t", (), response="y", logged=False, terms=["x", "z"], kinds=kinds
    )
    assert sums.computed_by == "QR of fetched rows"
    assert sums.condition > 1e6
    truth = perf.fit("y ~ x + z", pd.DataFrame({"x": x, "z": z, "y": y}))
    got = perf.fit_products(sums)
    np.testing.assert_allclose(got.coefficients[1:], truth.coefficients[1:], rtol=1e-7)


def test_misuse_is_told(repo) -> None:
    with pytest.raises(perf.UnknownNameError, match="size"):
        repo.cross_products("hours", terms=["sise"])
    with pytest.raises(perf.InputError, match="no logarithm"):
        repo.cross_products("hours", terms=["log(team)"])
    with pytest.raises(perf.InputError, match="at least one"):
        repo.cross_products("hours", terms=[])
