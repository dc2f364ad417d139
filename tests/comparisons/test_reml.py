"""The REML engine against nlme::gls, dense matrices and its own symmetries."""

import csv
import gzip
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from perfanalytics.comparisons.criteria import AR1Criterion, Criterion, Design, NoiseCriterion
from perfanalytics.comparisons.levels import LEVEL_CONTRAST, level_design, slope_design, whitened
from perfanalytics.comparisons.newton import minimize
from perfanalytics.comparisons.reml import Fit, describe, fit_reml

ROOT = Path(__file__).parents[2]
#: comparisons_gls.R: R 4.2.2, nlme 3.1-162; nlme stops at about six digits.
CASES = json.loads((ROOT / "tests" / "reference" / "comparisons_gls.json").read_text())
SIMULATED = [c for c in CASES if "values" in c]


def one_design(values, n_before, time=None, weights=None) -> Design:
    y = np.asarray(values, dtype=float)[None]
    n = y.shape[1]
    time = np.arange(n) if time is None else np.asarray(time)
    return level_design(
        y,
        after=(np.arange(n) >= n_before)[None],
        gap=np.concatenate([[np.inf], np.diff(time)])[None].astype(float),
        weights=None if weights is None else np.asarray(weights, dtype=float)[None],
    )


def ar1_fit(design: Design) -> Fit:
    criterion = AR1Criterion(design, LEVEL_CONTRAST)
    return describe(criterion, minimize(criterion, criterion.start()))


def noise_fit(design: Design) -> Fit:
    ar1 = AR1Criterion(design, LEVEL_CONTRAST)
    criterion = NoiseCriterion(design, LEVEL_CONTRAST)
    return describe(criterion, minimize(criterion, criterion.start(minimize(ar1, ar1.start()))))


def check_against(fit: Fit, case: dict) -> None:
    found = {
        "estimate": fit.estimate[0],
        "se": fit.se[0],
        "sigma": fit.sigma[0],
        "spread": math.exp(fit.log_spread[0]),
        "rho": fit.rho[0],
        "noise": fit.noise[0],
    }
    for name, value in found.items():
        assert value == pytest.approx(case[name], rel=1e-5, abs=1e-5), name
    assert -0.5 * fit.deviance[0] == pytest.approx(case["loglik"], abs=1e-6)
    # and never worse than nlme's optimum
    assert -0.5 * fit.deviance[0] > case["loglik"] - 1e-8


@pytest.mark.parametrize("case", SIMULATED, ids=lambda c: c["name"])
def test_simulated_series_agree_with_nlme(case):
    weights = case["weights"] if len(set(case["weights"])) > 1 else None
    design = one_design(case["values"], case["n_before"], case["time"], weights)
    check_against(noise_fit(design) if case["noise_fit"] else ar1_fit(design), case)


def real_series(name: str, folder: Path):
    if name == "viscosity":
        with (folder / "spc" / "viscosity.csv").open() as file:
            rows = list(csv.DictReader(file))
        return [float(r["viscosity"]) for r in rows], None
    if name.startswith("nhs"):
        total = defaultdict(lambda: [0.0, 0.0])
        with gzip.open(folder / "nhs_ae_attendances.csv.gz", "rt") as file:
            for r in csv.DictReader(file):
                if r["type"] == "1":
                    total[r["period"]][0] += float(r["attendances"])
                    total[r["period"]][1] += float(r["breaches"])
        months = [total[k] for k in sorted(total)]
        return [1 - b / a for a, b in months], [a for a, _ in months]
    groups = defaultdict(list)
    with gzip.open(folder / "features_7digital.csv.gz", "rt") as file:
        for r in csv.DictReader(file):
            known = r["Done"] not in ("", "NA") and r["Cycle.Time"] not in ("", "NA")
            if known and float(r["Cycle.Time"]) > 0:
                _, month, year = r["Done"].split("/")
                groups[f"{year}-{month}"].append(math.log(float(r["Cycle.Time"])))
    return [float(np.mean(groups[k])) for k in sorted(groups)], [len(groups[k]) for k in sorted(groups)]


@pytest.mark.parametrize("case", [c for c in CASES if "values" not in c], ids=lambda c: c["name"])
def test_real_series_agree_with_nlme(case, real_data):
    values, weights = real_series(case["name"], real_data)
    check_against(ar1_fit(one_design(values, case["n_before"], weights=weights)), case)


# --- Satterthwaite: the definition with dense matrices, natural parameters, plain differences -------------


def dense_minus_2_reml(theta, y, n_before, time, weights, *, with_noise):
    """-2 REML and log Var(b) at theta = (log s2, d, rho[, v]), from the definition."""
    log_s2, d, rho = theta[:3]
    v = theta[3] if with_noise else 0.0
    n = len(y)
    distance = np.abs(np.subtract.outer(time, time))
    correlation = (1 - v) * rho**distance
    correlation[np.diag_indices(n)] = 1.0
    after = np.arange(n) >= n_before
    sd = np.exp(0.5 * log_s2 + d * after) / np.sqrt(weights / np.mean(weights))
    covariance = correlation * np.outer(sd, sd)
    x = np.stack([np.ones(n), after.astype(float)], axis=1)
    inverse = np.linalg.inv(covariance)
    xx = x.T @ inverse @ x
    b = np.linalg.solve(xx, x.T @ inverse @ y)
    rest = y - x @ b
    value = rest @ inverse @ rest + np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(xx)[1]
    return value, math.log(np.linalg.inv(xx)[1, 1])


def dense_df(theta, y, n_before, time, weights, *, with_noise, prior):
    k, h = len(theta), 1e-4

    def at(move, which):
        return dense_minus_2_reml(theta + move, y, n_before, time, weights, with_noise=with_noise)[which]

    e = np.eye(k) * h
    gradient = np.array([(at(e[i], 1) - at(-e[i], 1)) / (2 * h) for i in range(k)])
    hessian = np.array(
        [
            [
                (at(e[i] + e[j], 0) - at(e[i] - e[j], 0) - at(e[j] - e[i], 0) + at(-e[i] - e[j], 0))
                / (4 * h * h)
                for j in range(k)
            ]
            for i in range(k)
        ]
    )
    hessian += np.diag(prior)
    return 2 / (gradient @ (2 * np.linalg.inv(hessian)) @ gradient)


@pytest.mark.parametrize(
    "name",
    ["30 and 30, rho 0.4", "100 and 20, unequal spread", "weights", "gaps", "drift plus noise"],
)
def test_satterthwaite_is_its_definition(name):
    case = next(c for c in SIMULATED if c["name"] == name)
    y, time, w = (np.array(case[k], dtype=float) for k in ("values", "time", "weights"))
    design = one_design(y, case["n_before"], time, w)
    fit = noise_fit(design) if case["noise_fit"] else ar1_fit(design)
    theta = [2 * math.log(fit.sigma[0]), fit.log_spread[0], fit.rho[0]]
    prior = [0.0, 0.0, 0.0]
    if case["noise_fit"]:
        theta.append(fit.noise[0])
        prior = [0.0, 0.0, 8.0, 8.0]
    expected = dense_df(
        np.array(theta), y, case["n_before"], time, w, with_noise=case["noise_fit"], prior=prior
    )
    assert fit.df[0] == pytest.approx(expected, rel=2e-4)


def test_the_criterion_is_the_dense_likelihood_away_from_the_minimum():
    case = next(c for c in SIMULATED if c["name"] == "drift plus noise, gaps")
    y, time = np.array(case["values"]), np.array(case["time"], dtype=float)
    design = one_design(y, case["n_before"], time)
    criterion: Criterion = NoiseCriterion(design, LEVEL_CONTRAST)
    d, rho, v = 0.3, 0.8, 0.35
    at = criterion.evaluate(np.array([[[d, math.log(rho / (1 - rho)), math.log(v / (1 - v))]]]))
    s2 = at.rss[0, 0] / (len(y) - 2)
    expected, log_var = dense_minus_2_reml(
        np.array([math.log(s2), d, rho, v]), y, case["n_before"], time, np.ones(len(y)), with_noise=True
    )
    n = len(y) - 2
    assert n * math.log(s2) + n + at.log_determinant[0, 0] == pytest.approx(expected, rel=1e-12)
    assert math.log(s2 * at.unit_variance[0, 0]) == pytest.approx(log_var, rel=1e-10)


# --- properties --------------------------------------------------------------------------------------------


def ar1(rng, n, rho):
    e = rng.standard_normal(n)
    y = np.empty(n)
    y[0] = e[0]
    for t in range(1, n):
        y[t] = rho * y[t - 1] + math.sqrt(1 - rho**2) * e[t]
    return y


def test_shift_scale_and_reversal():
    y = ar1(np.random.default_rng(11), 90, 0.5)
    fit = fit_reml(one_design(y, 40), LEVEL_CONTRAST)
    moved = fit_reml(one_design(1e6 + 250 * y, 40), LEVEL_CONTRAST)
    assert moved.estimate[0] == pytest.approx(250 * fit.estimate[0], rel=1e-6)
    assert moved.se[0] == pytest.approx(250 * fit.se[0], rel=1e-6)
    assert moved.df[0] == pytest.approx(fit.df[0], rel=1e-3)
    reverse = fit_reml(one_design(y[::-1], 50), LEVEL_CONTRAST)
    assert reverse.estimate[0] == pytest.approx(-fit.estimate[0], rel=1e-7)
    assert reverse.se[0] == pytest.approx(fit.se[0], rel=1e-7)
    assert reverse.log_spread[0] == pytest.approx(-fit.log_spread[0], rel=1e-5)


def test_adding_a_change_adds_to_the_estimate_only():
    y = ar1(np.random.default_rng(12), 80, 0.3)
    plain = fit_reml(one_design(y, 40), LEVEL_CONTRAST)
    changed = fit_reml(one_design(y + 3.0 * (np.arange(80) >= 40), 40), LEVEL_CONTRAST)
    assert changed.estimate[0] == pytest.approx(plain.estimate[0] + 3.0, rel=1e-9)
    assert changed.se[0] == pytest.approx(plain.se[0], rel=1e-8)


def test_noise_is_used_where_it_pays_and_not_elsewhere():
    case = next(c for c in SIMULATED if c["name"] == "drift plus noise")
    used = fit_reml(one_design(case["values"], case["n_before"]), LEVEL_CONTRAST)
    assert used.noise[0] == pytest.approx(case["noise"], abs=1e-5)
    assert used.gain[0] > 2
    case = next(c for c in SIMULATED if c["name"] == "30 and 30, rho 0.4")
    plain = fit_reml(one_design(case["values"], case["n_before"]), LEVEL_CONTRAST)
    assert plain.noise[0] == 0
    assert plain.gain[0] <= 2
    assert plain.rho[0] == pytest.approx(case["rho"], abs=1e-5)


def test_whitened_residuals_of_the_true_model_are_the_innovations():
    design = one_design(ar1(np.random.default_rng(3), 60, 0.6), 30)
    fit = ar1_fit(design)
    e = whitened(design, fit)
    # the residual sum of squares of the fit is their sum, N - p of them
    assert (e**2).sum() == pytest.approx(58, rel=1e-9)
    lag = (e[1:] @ e[:-1]) / (e @ e)
    assert abs(lag) < 0.25


def test_slope_design_recovers_a_line():
    t = np.arange(50.0)[None]
    noise = ar1(np.random.default_rng(5), 50, 0.2)[None]
    gap = np.ones((1, 50))
    gap[0, 0] = np.inf
    fit = fit_reml(slope_design(5 + 0.7 * t + 0.01 * noise, time=t, gap=gap), np.array([0.0, 1.0]))
    assert fit.estimate[0] == pytest.approx(0.7, abs=1e-3)
    assert fit.log_spread[0] == 0


def test_degrees_of_freedom_stay_within_bounds():
    rng = np.random.default_rng(8)
    for rho in (-0.6, 0.0, 0.95):
        fit = fit_reml(one_design(ar1(rng, 24, rho), 12), LEVEL_CONTRAST)
        assert 1 <= fit.df[0] <= 22
