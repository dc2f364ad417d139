"""Families against R: glm, glm.nb, lmer, rq, sandwich, lmtest (tests/reference/models_families.R)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perfanalytics.core.measure import Measure
from perfanalytics.models.check_loss import check_loss, quantile_fit
from perfanalytics.models.model import fit
from perfanalytics.models.predictive import t_quantile
from perfanalytics.models.result import Model

R: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "models_families.json").read_text(encoding="utf-8")
)
D = pd.DataFrame(R["data"])
NEW = pd.DataFrame({"x": [3.0, 8.0], "g": ["a", "c"], "m": [6, 9], "w": [1, 1], "h": ["h10", "new"]})
# order of the terms: patsy puts factors first
ORDER = ["Intercept", "x", "g[T.b]", "g[T.c]"]


def terms(model: Model, column: str) -> list[float]:
    return model.to_frame().set_index("term").loc[ORDER, column].tolist()


def linked(model: Model, confidence: float = 0.95) -> tuple[list[float], list[float]]:
    """Linear predictor and its standard error, from the interval of the mean."""
    got = model.predict(NEW.drop(columns="m"), confidence=confidence)
    low, mid, high = (got[c].to_numpy() for c in ("mean_low", "mean", "mean_high"))
    if model.link == "logit":
        low, mid, high = (np.log(v / (1 - v)) for v in (low, mid, high))
    else:
        low, mid, high = (np.log(v) for v in (low, mid, high))
    half = float(t_quantile(model.df_test, 0.975))
    return mid.tolist(), ((high - low) / 2 / half).tolist()


def same(model: Model, name: str, rel: float = 1e-7) -> None:
    assert terms(model, "estimate") == pytest.approx(R[name]["b"], rel=rel)
    assert terms(model, "std_error") == pytest.approx(R[name]["se"], rel=max(rel, 1e-6))


def test_least_squares_with_errors_that_hold() -> None:
    same(fit("y ~ x + g", D), "ols", 1e-10)
    robust = fit("y ~ x + g", D, errors="robust")
    assert terms(robust, "estimate") == pytest.approx(R["ols"]["b"])
    assert terms(robust, "std_error") == pytest.approx(R["ols"]["hc3"], rel=1e-9)
    hac = fit("y ~ x + g", D.sample(frac=1, random_state=3), errors="hac", time="t")
    assert terms(hac, "std_error") == pytest.approx(R["ols"]["nw"], rel=1e-9)
    assert f"{R['lag']} lags" in hac.method.parameters["covariance"]


def test_checks_of_least_squares() -> None:
    checks = fit("y ~ x + g", D, time="t").checks().set_index("check")
    watson = checks.loc["independence in time: Durbin-Watson"]
    assert watson[["statistic", "p_value"]].tolist() == pytest.approx([R["ols"]["dw"], R["ols"]["dw_p"]])
    # the exact p-value (Pan's algorithm) is near the normal one
    assert watson["p_value"] == pytest.approx(R["ols"]["dw_exact_p"], abs=2e-3)
    box = checks.loc["independence in time: Ljung-Box, 10 lags"]
    assert box[["statistic", "p_value"]].tolist() == pytest.approx([R["ols"]["lb"], R["ols"]["lb_p"]])
    bend = checks.loc["linearity"]
    assert bend[["statistic", "p_value"]].tolist() == pytest.approx([R["ols"]["reset"], R["ols"]["reset_p"]])
    variance = checks.loc["variance"]
    assert variance[["statistic", "p_value"]].tolist() == pytest.approx([R["ols"]["bp"], R["ols"]["bp_p"]])
    assert variance["verdict"] in ("look", "serious")


def test_influence() -> None:
    table = fit("y ~ x + g", D).influence()
    cook = np.array(R["ols"]["cook"])
    order = np.argsort(-cook, kind="stable")[:20]
    assert table["row"].tolist() == [str(k) for k in order]
    assert table["cook"].tolist() == pytest.approx(cook[order].tolist())
    dfbetas = np.array(R["ols"]["dfbetas"])
    assert np.abs(table["dfbetas"]).tolist() == pytest.approx(np.abs(dfbetas[order]).max(axis=1).tolist())


def test_weights() -> None:
    model = fit("y ~ x + g", D, weights="w")
    same(model, "wls", 1e-10)
    assert (model.r2, model.sigma, model.f_statistic) == pytest.approx(
        (R["wls"]["r2"], R["wls"]["sigma"], R["wls"]["f"])
    )
    got = model.predict(NEW)
    assert got[["estimate", "item_low", "item_high"]].to_numpy().tolist() == [
        pytest.approx(row) for row in R["wls"]["p"]
    ]
    assert model.predict(NEW.assign(w=4))["item_high"].iloc[0] < got["item_high"].iloc[0]
    robust = fit("y ~ x + g", D, weights="w", errors="robust")
    assert terms(robust, "std_error") == pytest.approx(R["wls"]["hc3"], rel=1e-9)


def test_gamma() -> None:
    model = fit("dur ~ x + g", D, family="gamma")
    same(model, "gam")
    got = {k: model.parameters[k] for k in ("deviance", "null_deviance", "dispersion", "shape_ml")}
    want = {"deviance": "deviance", "null_deviance": "null", "dispersion": "dispersion", "shape_ml": "shape"}
    assert got == pytest.approx({k: R["gam"][v] for k, v in want.items()}, rel=1e-6)
    center, se = linked(model)
    assert center == pytest.approx(R["gam"]["fit"], rel=1e-6)
    assert se == pytest.approx(R["gam"]["fit_se"], rel=1e-5)
    robust = fit("dur ~ x + g", D, family="gamma", errors="robust")
    assert terms(robust, "std_error") == pytest.approx(R["gam"]["hc3"], rel=1e-5)
    assert model.predict(NEW)["item_low"].min() > 0


def test_binomial() -> None:
    model = fit("ev ~ x + g", D, family="binomial")
    same(model, "bin")
    assert (model.parameters["deviance"], model.parameters["null_deviance"]) == pytest.approx(
        (R["bin"]["deviance"], R["bin"]["null"])
    )
    center, se = linked(model)
    assert center == pytest.approx(R["bin"]["fit"])
    assert se == pytest.approx(R["bin"]["fit_se"], rel=1e-6)
    robust = fit("ev ~ x + g", D, family="binomial", errors="robust")
    assert terms(robust, "std_error") == pytest.approx(R["bin"]["hc3"], rel=1e-6)
    assert set(model.predict(NEW)["item_high"]) <= {0.0, 1.0}
    told = model.probability(NEW, at_least=1)["probability"]
    assert told.tolist() == pytest.approx(model.predict(NEW)["mean"].tolist(), abs=0.01)


def test_counts_out_of_a_number() -> None:
    model = fit("k ~ x + g", D, family="binomial", sizes="m")
    same(model, "bik")
    assert (model.parameters["deviance"], model.parameters["null_deviance"]) == pytest.approx(
        (R["bik"]["deviance"], R["bik"]["null"])
    )
    assert model.influence()["cook"].iloc[0] == pytest.approx(max(R["bik"]["cook"]), rel=1e-6)
    got = model.predict(NEW)
    assert (got["item_high"] <= NEW["m"]).all()
    assert (got["mean"] / NEW["m"]).tolist() == pytest.approx(
        (1 / (1 + np.exp(-np.array(R["bik"]["fit"])))).tolist()
    )


def test_poisson_with_exposure() -> None:
    model = fit("cnt ~ x + g", D, family="poisson", exposure="w")
    same(model, "poi")
    pearson = model.parameters["dispersion"] * model.df
    assert (model.parameters["deviance"], model.parameters["null_deviance"], pearson) == pytest.approx(
        (R["poi"]["deviance"], R["poi"]["null"], R["poi"]["pearson"])
    )
    center, se = linked(model)
    assert center == pytest.approx(R["poi"]["fit"], rel=1e-6)
    assert se == pytest.approx(R["poi"]["fit_se"], rel=1e-6)
    doubled = model.predict(NEW.assign(w=2))["mean"] / model.predict(NEW)["mean"]
    assert doubled.tolist() == pytest.approx([2.0, 2.0])


def test_negative_binomial() -> None:
    model = fit("big ~ x + g", D, family="negative_binomial")
    same(model, "neg", 1e-6)
    assert model.parameters["size"] == pytest.approx(R["neg"]["theta"], rel=1e-6)
    log_sd = R["neg"]["se_theta"] / R["neg"]["theta"]
    assert model.parameters["shape_log_sd"] == pytest.approx(log_sd, rel=1e-4)
    assert model.parameters["deviance"] == pytest.approx(R["neg"]["deviance"], rel=1e-6)
    whole = model.predict(NEW)[["item_low", "item_high"]].to_numpy()
    assert (whole == whole.round()).all()


def test_random_intercepts() -> None:
    model = fit("mix ~ x + g", D, family="mixed", groups="h")
    assert terms(model, "estimate") == pytest.approx(R["mix"]["b"], rel=1e-5)
    assert terms(model, "std_error") == pytest.approx(R["mix"]["se"], rel=1e-4)
    assert model.sigma == pytest.approx(R["mix"]["sigma"], rel=1e-5)
    assert model.parameters["group_sd"] == pytest.approx(R["mix"]["tau"], rel=1e-4)
    assert model.groups()["effect"].tolist() == pytest.approx(R["mix"]["effects"], rel=1e-3, abs=1e-4)
    got = model.predict(NEW)
    assert got["estimate"].tolist() == pytest.approx([R["mix"]["known"], R["mix"]["fresh"]], rel=1e-5)
    wide = got["item_high"] - got["item_low"]
    assert wide.iloc[1] > 1.3 * wide.iloc[0]


@pytest.mark.parametrize(("share", "name"), [(0.5, "q50"), (0.9, "q90")])
def test_quantiles(share: float, name: str) -> None:
    table = fit("y ~ x + z", D.iloc[:119], family="quantile", quantile=share).to_frame()
    assert table["estimate"].tolist() == pytest.approx(R[name]["b"], rel=1e-8)
    assert table["std_error"].tolist() == pytest.approx(R[name]["se"], rel=1e-4)


def test_several_quantiles_at_once() -> None:
    table = fit("y ~ x + z", D.iloc[:119], family="quantile", quantile=(0.9, 0.5)).to_frame()
    assert table["quantile"].tolist() == [0.9] * 3 + [0.5] * 3
    assert table["estimate"].tolist() == pytest.approx(R["q90"]["b"] + R["q50"]["b"], rel=1e-8)


def test_exact_corners_of_quantiles() -> None:
    """The check loss is that of linear programming."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(1)
    for _ in range(20):
        n, p, share = int(rng.integers(20, 200)), int(rng.integers(1, 5)), float(rng.uniform(0.1, 0.9))
        x = np.column_stack([np.ones(n), *(rng.normal(size=n) for _ in range(p - 1))])
        y = np.round(x @ rng.normal(size=p) * 100 + rng.standard_t(2, n) * 10)
        cost = np.r_[np.zeros(2 * p), np.full(n, share), np.full(n, 1 - share)]
        best = linprog(cost, A_eq=np.hstack([x, -x, np.eye(n), -np.eye(n)]), b_eq=y)
        assert check_loss(y - x @ quantile_fit(x, y, share), share) == pytest.approx(best.fun, rel=1e-10)


def test_sip_tasks(real_data: Path) -> None:
    """Hours on estimate and category, projects as groups; R: lmer (tests/reference/models_sip.R)."""
    tasks = pd.read_csv(real_data / "sip_tasks.csv.gz", encoding="latin1").drop_duplicates("TaskNumber")
    tasks = tasks[(tasks["HoursEstimate"] > 0) & (tasks["HoursActual"] > 0)]
    hours = Measure("HoursActual", definition="d", unit="hours", better="lower", scale="duration")
    formula = "HoursActual ~ log(HoursEstimate) + Category"
    model = fit(formula, tasks, family="mixed", groups="ProjectCode", measure=hours, folds=2)
    got = dict(zip(model.terms.tolist(), model.coefficients.tolist(), strict=True))
    assert got["Intercept"] == pytest.approx(0.0980047139951, rel=1e-4)
    assert got["log(HoursEstimate)"] == pytest.approx(0.8185145592244, rel=1e-6)
    assert got["Category[T.Operational]"] == pytest.approx(-0.0603907034007, rel=1e-4)
    assert model.sigma == pytest.approx(0.810810760596, rel=1e-6)
    assert model.parameters["group_sd"] == pytest.approx(0.151972445464, rel=1e-4)
