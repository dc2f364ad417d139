"""The entries of the published inputs for baselines, capability, gauge studies and agreement.

Expected numbers: reference/published_inputs_baselines.R (lme4, psych, MASS, formulas written out); those that
the publications print themselves are typed here.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf

EXPECTED = json.loads(
    (Path(__file__).parents[1] / "reference" / "published_inputs_baselines.json").read_text(encoding="utf-8")
)
CROSSED = ["0bf99ffc0ea1", "de4a8ec4c9c9"]
JUDGES = ["45112747b98b", "5cb531b1eda6"]


@pytest.fixture(scope="module")
def inputs(real_data):
    return json.loads((real_data / "spc" / "published_inputs.json").read_text(encoding="utf-8"))


def variances(study) -> dict[str, float]:
    return dict(zip(study.component.tolist(), study.variance.tolist(), strict=True))


def close(expected: float) -> object:
    return pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("method", ["anova", "reml"])
def test_casks_in_batches(inputs, method) -> None:
    key = "d5e0ed4287c4"
    expected = EXPECTED[key]
    study = perf.gauge_study(
        inputs[key], value="y", part="cask", operator="batch", nested=True, method=method
    )
    found = variances(study)
    # here an operator is a batch: what differs between batches is the reproducibility
    assert found["part"] == close(expected["cask:batch"])
    assert found["operator"] == close(expected["batch"])
    assert found["repeatability"] == close(expected["Residual"])
    # lme4's documentation prints the standard deviations 2.9041, 1.2874, 0.8234
    assert study["part"].value == pytest.approx(2.9041, abs=1e-4)
    assert study["operator"].value == pytest.approx(1.2874, abs=1e-4)
    assert study["repeatability"].value == pytest.approx(0.8234, abs=1e-4)
    if method == "anova":
        table = study.anova()
        assert table["df"].tolist()[:3] == expected["df"]
        assert table["ss"].tolist()[:3] == close(expected["ss"])
        assert table["ms"].tolist()[:3] == close(expected["ms"])
        assert table["f"][0] == close(expected["f_batch"])
        assert table["p"][0] == close(expected["p_batch"])
        assert (table["f"][1], table["p"][1]) == (close(expected["f"][1]), close(expected["p"][1]))


@pytest.mark.parametrize("key", CROSSED)
def test_three_operators_and_three_prototypes(inputs, key) -> None:
    frame = dict(inputs[key])
    names = {"value": "y" if "y" in frame else "value", "part": "part", "operator": "operator"}
    expected = EXPECTED[key]
    for choice, told in (("keep", expected["keep"]), ("pool", expected["pooled"])):
        found = variances(perf.gauge_study(frame, **names, interaction=choice))
        for name, here in (
            ("repeatability", "repeatability"),
            ("operator", "operator"),
            ("part", "part"),
            ("interaction", "operator by part"),
        ):
            if name in told:
                assert found[here] == pytest.approx(told[name], rel=1e-9), (choice, name)
    kept = perf.gauge_study(frame, **names, interaction="keep")
    assert kept.interaction_p == close(expected["p_interaction"])
    table = kept.anova().set_index("source")
    assert table.loc["part", "f"] == close(expected["f_over_interaction"][0])
    assert table.loc["operator", "f"] == close(expected["f_over_interaction"][1])
    assert table["ss"].tolist()[:4] == close(expected["both"]["ss"])
    assert "negative-component" in kept.caveat_codes
    by_reml = variances(perf.gauge_study(frame, **names, method="reml", interaction="none"))
    assert by_reml["part"] == close(expected["reml_additive"]["part"])
    assert by_reml["operator"] == close(expected["reml_additive"]["operator"])
    assert by_reml["repeatability"] == close(expected["reml_additive"]["Residual"])


def test_values_of_a_capability_study(inputs) -> None:
    key = "149bcefd84f7"
    values, expected = np.array(inputs[key]["values"]), EXPECTED[key]
    study = perf.capability(values, lower=0, upper=20, method="sigma", distribution="normal")
    for name in ("cp", "cpk", "pp", "ppk"):
        assert study[name].value == close(expected[name])
    for name in ("cp", "pp"):
        ends = study[name].interval
        assert [ends.low, ends.high] == close(expected[f"{name}_interval"])
    measure = perf.Measure("x", definition="as printed", unit="mm", better="lower", scale="real")
    objective = perf.Objective(
        "below 15", measure="x", statistic="item", target=15, direction="at_most", share=0.8
    )
    made = perf.baseline(perf.Series(values, measure=measure), objective=objective, tolerance="exact")
    assert made["mean"].value == close(expected["mean"])
    assert made["sd"].value == close(expected["sd"])
    assert made["iqr"].value == close(expected["iqr"])
    assert made["mad"].value == close(expected["mad"])
    for level, value in zip((5, 10, 25, 50, 75, 90, 95), expected["percentiles"], strict=True):
        assert made["median" if level == 50 else f"p{level}"].value == close(value)
    for name, told in (("mean", "t"), ("sd", "sd_interval"), ("next item", "next_item")):
        ends = made[name].interval
        assert [ends.low, ends.high] == close(expected[told]), name
    ends = perf.baseline(perf.Series(values, measure=measure))["tolerance interval"].interval
    assert (ends.high - ends.low) / 2 / expected["sd"] == close(expected["howe"])
    upper = made["tolerance limit, upper"].interval.high
    assert (upper - expected["mean"]) / expected["sd"] == close(expected["one_sided"])
    share = made["share meeting the objective"]
    assert share.value == close(expected["below_15"])
    assert [share.interval.low, share.interval.high] == close(expected["below_15_interval"])
    fits = perf.fit_distribution(values, family=("normal", "lognormal", "weibull", "gamma", "exponential"))
    for family in ("normal", "lognormal", "weibull", "gamma", "exponential"):
        assert fits[family].log_likelihood == pytest.approx(expected["fits"][family]["loglik"], rel=1e-9)
    for family in ("weibull", "gamma"):
        assert list(fits[family].estimate) == close(expected["fits"][family]["par"])


@pytest.mark.parametrize("key", ["dfc9be44dce9", "e5870db8f96a"])
def test_fleiss(inputs, key) -> None:
    entry, expected = inputs[key], EXPECTED[key]
    rows = entry.get("ratings") or [
        [c for c, times in enumerate(row) for _ in range(times)] for row in entry["counts"]
    ]
    found = perf.agreement(rows)
    assert found.value == close(expected["kappa"])
    table = found.to_frame().set_index(["quantity", "about"])
    line = table.xs("kappa").loc["all"] if "all" in table.xs("kappa").index else table.xs("kappa").iloc[0]
    assert line["standard_error"] == close(expected["se"])
    assert found["observed agreement"].value == close(expected["observed"])
    assert found["expected agreement"].value == close(expected["expected"])
    each = [row["estimate"] for _, row in table.xs("kappa").iloc[1:].iterrows()]
    assert each == close(expected["each"])
    # z of chance alone: 17.65 on Fleiss (1971) with the error of 1979, as irr prints (kappa 0.43, z 17.7)
    assert line["p"] == pytest.approx(math.erfc(expected["z"] / math.sqrt(2)), rel=1e-6)
    assert round(found.value, 3) == {"dfc9be44dce9": 0.430, "e5870db8f96a": 0.210}[key]


def test_weighted_kappa_of_eyesight(inputs) -> None:
    key = "d10e557a64c0"
    table, names, expected = np.array(inputs[key]["table"]), inputs[key]["categories"], EXPECTED[key]
    cells = [(i, j) for i in range(4) for j in range(4) for _ in range(table[i, j])]
    ratings = {
        "right": [names[i] for i, _ in cells],
        "left": [names[j] for _, j in cells],
    }
    assert len(cells) == expected["n"]
    for weights, name in ((None, "kappa"), ("linear", "linear"), ("quadratic", "quadratic")):
        found = perf.agreement(ratings, method="cohen", weights=weights, categories=names)
        assert found.value == close(expected[name]), name
    # printed in the documentation of vcd and of SAS: 0.5954 simple
    assert expected["kappa"] == pytest.approx(0.5954, abs=5e-5)


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_krippendorff(inputs, scale) -> None:
    key = "ac7e7ff36f06"
    raters = inputs[key]["raters"]
    found = perf.agreement({str(k): row for k, row in enumerate(raters)}, method="krippendorff", scale=scale)
    assert found.value == close(EXPECTED[key][scale])
    # Krippendorff (2011) prints 0.743, 0.815, 0.849, 0.797
    printed = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}
    assert round(found.value, 3) == printed[scale]


@pytest.mark.parametrize("key", JUDGES)
def test_intraclass_correlations_and_concordance(inputs, key) -> None:
    ratings, expected = inputs[key]["ratings_subjects_by_raters"], EXPECTED[key]
    found = perf.agreement(ratings, method="icc").to_frame().set_index("quantity")
    k = len(ratings[0])
    names = ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", f"ICC(1,{k})", f"ICC(2,{k})", f"ICC(3,{k})"]
    for row, name in enumerate(names):
        line = found.loc[name]
        assert line["estimate"] == close(expected["icc"][row]), name
        assert (line["low"], line["high"]) == (close(expected["low"][row]), close(expected["high"][row])), (
            name
        )
        assert line["p"] == close(expected["p"][row]), name
    order = perf.agreement(ratings, method="kendall")
    assert order.value == close(expected["w"])
    assert order.value == close(expected["w_friedman"])
    assert order.to_frame()["p"][0] == close(expected["w_p"])
