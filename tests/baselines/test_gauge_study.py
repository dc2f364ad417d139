"""Gauge studies against R, lme4 and the AIAG manual; then properties, coarse scales, misuse, the figure."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.baselines.measurement_systems import components, reml
from perfanalytics.baselines.measurement_systems.gauge_layout import GaugeData, read_gauge
from perfanalytics.baselines.measurement_systems.gauge_result import GaugeStudy
from perfanalytics.baselines.measurement_systems.gauge_study import gauge_study
from perfanalytics.baselines.measurement_systems.variance import mls_interval, mls_ratio
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.figures.gauge_study import info
from perfanalytics.figures.plot import figure_dict

AIAG = Path(__file__).parents[2] / ".." / "shared" / "data" / "spc" / "gage_aiag.csv"
NAMES = {"value": "measurement", "part": "part", "operator": "appraiser"}

# tests/reference/measurement_systems.R, the data set o
OTHER = {
    "y": [
        *(31.2, 30.1, 33.5, 32.2, 29.0, 28.1, 33.0, 33.9, 28.2, 30.3, 35.2, 34.1),
        *(30.4, 31.5, 34.9, 35.4, 28.9, 28.0, 31.2, 32.6, 30.0, 29.5, 33.3, 34.5),
    ],
    "part": [p for _ in "AB" for p in range(1, 7) for _ in range(2)],
    "who": [o for o in "AB" for _ in range(12)],
}
OTHER_NAMES = {"value": "y", "part": "part", "operator": "who"}


def aiag() -> dict[str, list[object]]:
    if not AIAG.exists():
        pytest.skip("the gauge study of the AIAG manual is not beside the project")
    with AIAG.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    frame: dict[str, list[object]] = {k: [r[k] for r in rows] for k in rows[0]}
    frame["measurement"] = [float(str(v)) for v in frame["measurement"]]
    return frame


def without(frame: dict[str, list[object]], *rows: int) -> dict[str, list[object]]:
    """Leave out rows, counted from 1 as in R."""
    return {k: [x for i, x in enumerate(v, 1) if i not in rows] for k, v in frame.items()}


def variances(study: GaugeStudy) -> dict[str, float]:
    return dict(zip(study.component.tolist(), study.variance.tolist(), strict=True))


def synthetic(
    rng: np.random.Generator, sd: tuple[float, float, float, float], *, nested: bool = False
) -> dict[str, object]:
    """3 operators, 10 parts, 2 repeats; standard deviations of part, operator, interaction, repeat."""
    part, operator, both, repeat = sd
    y = rng.normal(0, part, (3 if nested else 1, 10, 1)) + rng.normal(0, operator, (3, 1, 1))
    y = y + rng.normal(0, both, (3, 10, 1)) + rng.normal(0, repeat, (3, 10, 2))
    where = np.indices(y.shape).reshape(3, -1)
    return {"y": y.ravel(), "who": where[0], "part": where[1]}


# AIAG (2010), Measurement Systems Analysis, 4th ed., appendix A: table A3 (printed to 4 or 5 decimals), A4
def test_the_manuals_analysis_of_variance() -> None:
    kept = gauge_study(aiag(), **NAMES, interaction="keep")
    table = kept.anova().set_index("source")
    assert table["df"].tolist() == [9, 2, 18, 60, 89]
    assert table["ss"].round(4).tolist() == [88.3619, 3.1673, 0.3590, 2.7589, 94.6471]
    assert table["ms"].round(5).tolist()[:4] == [9.81799, 1.58363, 0.01994, 0.04598]
    # R anova(lm(measurement ~ part * appraiser)): interaction F 0.43372, p 0.97411
    assert table.loc["operator by part", ["f", "p"]].tolist() == pytest.approx([0.43372, 0.97411], abs=5e-6)
    pooled = gauge_study(aiag(), **NAMES)
    assert pooled.interaction == "pooled"
    assert pooled.interaction_p == pytest.approx(0.97411, abs=5e-6)
    names = ("repeatability", "operator", "gauge R&R", "part", "total")
    printed = (0.199933, 0.226838, 0.302373, 1.042327, 1.085)
    for name, sd in zip(names, printed, strict=True):
        assert pooled[name].value == pytest.approx(sd, abs=5e-4 if name == "total" else 2e-6)
    assert [round(100 * pooled.share(n), 1) for n in names[:4]] == [18.4, 20.9, 27.9, 96.0]
    assert pooled.distinct_categories == 4


def test_the_manuals_average_and_range() -> None:
    study = gauge_study(aiag(), **NAMES, method="average_range", replicate="trial")
    # exact constants: R, by integration (measurement_systems.R)
    exact = (0.201862799686, 0.229684099616, 0.305783216534, 1.104454536346, 1.146003140646)
    # printed, from constants and ranges rounded to 4 digits: the last digit moves by up to 1.1e-4
    printed = (0.20188, 0.22963, 0.30575, 1.10456, 1.14610)
    for name, value, other in zip(
        ("repeatability", "operator", "gauge R&R", "part", "total"), exact, printed, strict=True
    ):
        assert study[name].value == pytest.approx(value, rel=1e-9)
        assert study[name].value == pytest.approx(other, abs=1.2e-4)
    assert study.distinct_categories == 5
    assert study.method.parameters["k2"] == pytest.approx(0.5231, abs=5e-5)
    assert np.isnan(study.variance_low).all()


# lme4 with a tight tolerance (measurement_systems.R): part, operator, residual
def test_reml_against_lme4() -> None:
    balanced = variances(gauge_study(aiag(), **NAMES, method="reml"))
    by_anova = variances(gauge_study(aiag(), **NAMES))
    assert balanced == pytest.approx(by_anova, rel=1e-8)
    holes = without(aiag(), 3, 14, 15, 47, 48, 88)
    found = variances(gauge_study(holes, **NAMES, method="reml"))
    assert found["part"] == pytest.approx(1.0891297260471, rel=1e-6)
    assert found["operator"] == pytest.approx(0.0523654550770, rel=1e-6)
    assert found["repeatability"] == pytest.approx(0.0407618561211, rel=1e-6)


def test_reml_with_interaction_against_lme4() -> None:
    study = gauge_study(without(OTHER, 1, 7, 20), **OTHER_NAMES, method="reml")
    assert study.interaction == "kept"
    assert study.interaction_p == pytest.approx(0.134624311493, rel=1e-5)
    found = variances(study)
    assert found["operator by part"] == pytest.approx(0.587638940925, rel=1e-6)
    assert found["part"] == pytest.approx(5.325423471805, rel=1e-6)
    assert found["operator"] == 0
    assert found["repeatability"] == pytest.approx(0.700926525194, rel=1e-6)
    full = variances(gauge_study(OTHER, **OTHER_NAMES, method="reml", interaction="keep"))
    assert full["operator by part"] == pytest.approx(0.3825, rel=1e-7)
    assert full["part"] == pytest.approx(5.386958059758, rel=1e-6)


def test_reml_where_no_repeat_differs() -> None:
    flat = OTHER | {"y": [v for v in OTHER["y"][::2] for _ in range(2)]}
    study = gauge_study(without(flat, 1), **OTHER_NAMES, method="reml", interaction="none")
    # repeats are equal, so only operator and part are left: what parts do not explain is repeatability
    assert study["repeatability"].value > 0
    kept = gauge_study(without(flat, 1), **OTHER_NAMES, method="reml", interaction="keep")
    assert kept["repeatability"].value == 0
    assert kept["operator by part"].value > 0
    assert "too-coarse" in kept.caveat_codes


@pytest.mark.parametrize("seed", range(6))
def test_reml_finds_the_maximum(seed: int) -> None:
    """No estimate can be moved, or raised from 0, without losing likelihood."""
    rng = np.random.default_rng(seed)
    frame = synthetic(rng, tuple(10.0 ** rng.uniform(-1.5, 1, 4)))
    keep = rng.random(60) > 0.2
    data = read_gauge(
        {k: np.asarray(v)[keep] for k, v in frame.items()},
        value="y",
        part="part",
        operator="who",
        replicate=None,
        nested=False,
    )
    names = ["part", "operator", "operator by part"]
    found = reml.fit(data, names)
    best = found.log_likelihood
    cells = reml._cells(data, names)
    for k, value in enumerate(found.variance):
        for step in (-0.01, 0.01) if value > 0 else (0.001 * found.variance.max(),):
            other = found.variance.copy()
            other[k] = value * (1 + step) if value > 0 else step
            assert reml._likelihood(other, cells)[0] < best


def test_nested_against_r() -> None:
    # R anova(lm(y ~ who + who:part)) and lme4: the same part numbers are other parts for another operator
    study = gauge_study(OTHER, **OTHER_NAMES, nested=True)
    table = study.anova().set_index("source")
    assert table["ms"].tolist()[:3] == pytest.approx([0.081666666667, 12.343333333333, 0.669166666667])
    assert table["f"].tolist()[:2] == pytest.approx([0.081666666667 / 12.343333333333, 18.44583], rel=1e-6)
    assert len(study.parts) == 12
    assert "negative-component" in study.caveat_codes
    assert variances(study)["part"] == pytest.approx((12.343333333333 - 0.669166666667) / 2, rel=1e-9)
    by_reml = variances(gauge_study(OTHER, **OTHER_NAMES, nested=True, method="reml"))
    assert by_reml["part"] == pytest.approx(5.27973486017, rel=1e-6)
    assert by_reml["operator"] == 0


def test_one_operator() -> None:
    study = gauge_study({k: OTHER[k] for k in ("y", "part")}, value="y", part="part")
    assert study.component.tolist() == ["gauge R&R", "repeatability", "part", "total"]
    assert "one-operator" in study.caveat_codes
    by_hand = np.array(OTHER["y"]).reshape(2, 6, 2).transpose(1, 0, 2).reshape(6, 4)
    within = by_hand.var(axis=1, ddof=1).mean()
    assert study["repeatability"].value == pytest.approx(math.sqrt(within))
    assert variances(study)["part"] == pytest.approx(by_hand.mean(axis=1).var(ddof=1) - within / 4)


def test_intervals_are_exact_where_exact_ones_exist() -> None:
    study = gauge_study(aiag(), **NAMES)
    repeat = study["repeatability"].interval
    # R: 78 * 0.0399732755 / qchisq(c(.975, .025), 78)
    assert (repeat.low**2, repeat.high**2) == pytest.approx((0.0298891574347, 0.0562134743850), rel=1e-7)
    two = mls_ratio(
        np.array([1.0, 0]), np.array([0, 1.0]), np.array([8.0, 2.0]), np.array([9.0, 20]), confidence=0.95
    )
    assert two == pytest.approx(
        (1.41016570102, 14.66762201384), rel=1e-10
    )  # R qf(.975, 9, 20), qf(.975, 20, 9)


def covered(
    seed: int, studies: int, sd: tuple[float, float, float, float], *, nested: bool = False
) -> dict[str, float]:
    """Share of studies whose interval holds the truth, for each component and the share of the gauge."""
    rng = np.random.default_rng(seed)
    part, operator, both, repeat = (s**2 for s in sd)
    truth = {"part": part, "operator": operator, "operator by part": both, "repeatability": repeat}
    if nested:
        truth = {"part": part + both, "operator": operator, "repeatability": repeat}
    truth = components.add_up(truth)
    hits = dict.fromkeys([*truth, "share"], 0)
    for _ in range(studies):
        frame = synthetic(rng, sd, nested=nested)
        study = gauge_study(frame, value="y", part="part", operator="who", interaction="keep", nested=nested)
        for k, name in enumerate(study.component):
            hits[name] += study.variance_low[k] <= truth[name] <= study.variance_high[k]
        gauge = truth["gauge R&R"] / truth["total"]
        hits["share"] += study.share_low[0] <= gauge <= study.share_high[0]
    return {name: n / studies for name, n in hits.items()}


def test_the_intervals_hold_what_they_promise() -> None:
    # 120 studies: standard error 2 points; three below 95% is the limit
    assert min(covered(1, 120, (2.0, 0.5, 0.3, 0.5)).values()) >= 0.89


@pytest.mark.slow
@pytest.mark.parametrize("nested", [False, True])
def test_the_intervals_hold_what_they_promise_over_many_studies(nested: bool) -> None:
    assert min(covered(2, 1500, (2.0, 0.5, 0.3, 0.5), nested=nested).values()) >= 0.93


def test_the_intervals_of_reml_hold_roughly_what_they_promise() -> None:
    rng, hits = np.random.default_rng(5), 0
    for _ in range(60):
        study = gauge_study(
            synthetic(rng, sd=(2, 0.5, 0, 0.5)),
            value="y",
            part="part",
            operator="who",
            method="reml",
            interaction="none",
        )
        k = study.component.tolist().index("part")
        hits += study.variance_low[k] <= 4 <= study.variance_high[k]
    assert hits / 60 >= 0.87


@given(shift=st.floats(-1e3, 1e3), scale=st.floats(0.1, 50))
@settings(max_examples=15, deadline=None)
def test_shift_and_scale(shift: float, scale: float) -> None:
    plain = gauge_study(OTHER, **OTHER_NAMES)
    moved = gauge_study(OTHER | {"y": [shift + scale * v for v in OTHER["y"]]}, **OTHER_NAMES)
    assert moved.variance == pytest.approx(plain.variance * scale**2, rel=1e-6, abs=1e-9 * scale**2)
    assert moved.share_low[0] == pytest.approx(plain.share_low[0], rel=1e-4)
    assert moved.standing == plain.standing


def test_the_order_of_the_rows_does_not_matter() -> None:
    order = np.random.default_rng(1).permutation(24)
    mixed = {k: [v[i] for i in order] for k, v in OTHER.items()}
    assert gauge_study(mixed, **OTHER_NAMES).variance == pytest.approx(
        gauge_study(OTHER, **OTHER_NAMES).variance
    )


def test_the_interaction_is_a_stated_choice() -> None:
    kept, pooled, none = (
        gauge_study(OTHER, **OTHER_NAMES, interaction=how, pool_alpha=alpha)
        for how, alpha in (("pool", 0.25), ("pool", 0.05), ("none", 0.25))
    )
    assert [kept.interaction, pooled.interaction, none.interaction] == ["kept", "pooled", "not in the model"]
    assert kept.interaction_p == pytest.approx(0.085651, abs=5e-7)
    # a public package divides the interaction by the parts; it is (MS_PO - MS_E) / repeats
    assert variances(kept)["operator by part"] == pytest.approx((1.704666666667 - 0.669166666667) / 2)
    assert variances(pooled)["repeatability"] == pytest.approx((8.52333333333 + 8.03) / 17)
    assert pooled.variance.tolist() == none.variance.tolist()


# -- scales that are too coarse --------------------------------------------------------------------


def coarse(step: float, spread: float) -> GaugeStudy:
    rng = np.random.default_rng(3)
    frame = synthetic(rng, (spread, 0.0, 0.0, 0.02))
    frame["y"] = step * np.round(np.array(frame["y"]) / step)
    return gauge_study(frame, value="y", part="part", operator="who", interaction="none", step=step)


def test_no_error_because_of_rounding_cannot_be_judged() -> None:
    study = coarse(1.0, 0.8)
    assert study.standing == "cannot be judged"
    assert "cannot be judged" in study.verdict
    assert "finer scale" in study.verdict
    assert "too-coarse" in study.caveat_codes
    assert study.distinct_categories == 0


def test_a_coarse_scale_is_fine_where_parts_differ_by_much_more() -> None:
    study = coarse(1.0, 30.0)
    assert study.standing == "acceptable"
    assert "too-coarse" in study.caveat_codes
    assert "when what rounding hides is counted" in study.verdict


def test_a_fine_scale_is_not_called_coarse() -> None:
    study = gauge_study(aiag(), **NAMES)
    assert study.step == 0.01
    assert not {"too-coarse", "coarse-step"} & set(study.caveat_codes)
    assert "coarse-step" in gauge_study(aiag(), **NAMES, step=0.25).caveat_codes


def test_equal_measurements() -> None:
    study = gauge_study(OTHER | {"y": [5.0] * 24}, **OTHER_NAMES)
    assert study.standing == "cannot be judged"
    assert study.caveat_codes == ("zero-variance", "few-parts", "few-operators")
    assert len(study.summary()) == 1
    assert figure_dict(study)["data"]


# -- what it says ----------------------------------------------------------------------------------


def test_the_verdict() -> None:
    mm = Measure("diameter", definition="d", unit="mm", better="target", scale="real")
    study = gauge_study(aiag(), **NAMES, measure=mm, tolerance=8)
    assert study.verdict.startswith(
        "diameter: measuring has a standard deviation of 0.302 mm, 28% of the total one (95% interval 15% "
        "to 81%) and takes 23% of the tolerance; by the rule of 10 and 30 percent it is marginal"
    )
    assert "between people" in study.verdict
    frame = study.to_frame().set_index("component")
    assert frame.loc["gauge R&R", "share_of_tolerance"] == pytest.approx(6 * 0.302373 / 8, rel=1e-5)
    assert frame["study_variation"].tolist() == pytest.approx((6 * np.sqrt(study.variance)).tolist())
    tight = gauge_study(aiag(), **NAMES, tolerance=4)
    assert tight.standing == "unacceptable"  # 45% of the tolerance, although 28% of the variation


def test_it_survives_being_saved() -> None:
    for method in ("anova", "reml"):
        study = gauge_study(OTHER, **OTHER_NAMES, method=method, tolerance=10)
        assert GaugeStudy.from_record(json.loads(json.dumps(study.to_record(), allow_nan=False))) == study
        assert not study.values.flags.writeable
    columns = [
        list(gauge_study(OTHER, **OTHER_NAMES, method=m).to_frame()) for m in ("anova", "average_range")
    ]
    assert columns[0] == columns[1]
    with pytest.raises(UnknownNameError, match="did you mean 'operator'"):
        study["operators"]


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "names", "more", "says"),
    [
        (without(OTHER, 3), OTHER_NAMES, {}, "method='reml'"),
        (OTHER | {"y": [math.inf, *OTHER["y"][1:]]}, OTHER_NAMES, {}, "row 0 is infinite"),
        (OTHER | {"y": ["a", *OTHER["y"][1:]]}, OTHER_NAMES, {}, "must be numbers"),
        (OTHER | {"part": [1] * 24}, OTHER_NAMES, {}, "at least 2 parts"),
        (OTHER | {"part": [None] * 24}, OTHER_NAMES, {}, "row 0 has no part"),
        (
            OTHER | {"part": [p + 10 * (o == "B") for p, o in zip(OTHER["part"], OTHER["who"], strict=True)]},
            OTHER_NAMES,
            {},
            "nested=True",
        ),
        (without(OTHER, *range(2, 25, 2)), OTHER_NAMES, {}, "interaction='none'"),
        (without(OTHER, *range(2, 25, 2)), OTHER_NAMES, {"method": "reml"}, "interaction='none'"),
        (without(OTHER, *range(2, 25, 2)), OTHER_NAMES, {"method": "average_range"}, "no repeatability"),
        (
            OTHER | {"trial": [1] * 24},
            OTHER_NAMES | {"replicate": "trial"},
            {},
            "part 1, operator A has 2 rows",
        ),
        (OTHER, OTHER_NAMES, {"tolerance": -1}, "upper minus lower"),
        (OTHER, OTHER_NAMES, {"confidence": 95}, "between 0 and 1"),
        (OTHER, OTHER_NAMES, {"pool_alpha": 2}, "between 0 and 1"),
        (OTHER, {"value": "y", "part": "part"}, {"nested": True}, "name the operator column"),
        ([1, 2, 3], OTHER_NAMES, {}, "one row per measurement"),
    ],
)
def test_misuse_is_said(frame: object, names: dict[str, str], more: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        gauge_study(frame, **names, **more)


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'part'"):
        gauge_study(OTHER, value="y", part="parts")
    with pytest.raises(UnknownNameError, match="did you mean 'anova'"):
        gauge_study(OTHER, **OTHER_NAMES, method="anov")
    with pytest.raises(UnknownNameError, match="handling of the interaction"):
        gauge_study(OTHER, **OTHER_NAMES, interaction="maybe")


def test_missing_values_are_counted() -> None:
    study = gauge_study(OTHER | {"y": [None, *OTHER["y"][1:]]}, **OTHER_NAMES, method="reml")
    assert study.n_missing == 1
    assert study.n == 23
    assert "missing-values" in study.caveat_codes


# -- the figure ------------------------------------------------------------------------------------


def test_the_record_of_the_figure() -> None:
    study = gauge_study(aiag(), **NAMES)
    record = info(study)
    assert record.component == ("gauge R&R", "repeatability", "reproducibility", "operator", "part")
    assert record.share_of_variance[-1] == pytest.approx(1.08644657 / 1.17787511)
    # the manual: mean range 0.3417, upper limit 0.3417 * 2.575
    assert record.range_limits[1] == pytest.approx(0.3417, abs=5e-5)
    assert record.range_limits[2] == pytest.approx(0.3417 * 2.575, abs=5e-4)
    # 0.3417 * 1.023 around the mean of all
    assert record.mean_limits[2] - record.mean_limits[1] == pytest.approx(0.3417 * 1.023, abs=2e-4)
    assert record.part_mean.tolist() == pytest.approx(
        [np.mean(study.values[study.part_of == p]) for p in range(10)]
    )
    assert len(record.cell_mean) == 30


def test_every_design_can_be_drawn() -> None:
    for more in ({}, {"nested": True}, {"method": "reml"}):
        drawn = figure_dict(gauge_study(OTHER, **OTHER_NAMES, **more))
        assert ("x6" in {t.get("xaxis") for t in drawn["data"]}) == (more != {"nested": True})
    holes = info(gauge_study(without(OTHER, 1, 7, 20), **OTHER_NAMES, method="reml"))
    assert np.isnan(holes.range_limits).all()
    assert np.isnan(holes.cell_range).sum() == 3


def test_the_data_are_sorted_into_cells() -> None:
    y = np.arange(12.0)
    data = GaugeData(
        values=y,
        part=np.tile(np.repeat(np.arange(3), 2), 2),
        operator=np.repeat(np.arange(2), 6),
        parts=("a", "b", "c"),
        operators=("A", "B"),
        nested=False,
        crossed=True,
        repeats=2,
        missing=0,
    )
    assert data.cube()[1, 2].tolist() == [10.0, 11.0]
    low, high = mls_interval(
        np.array([1.0, -1.0]), np.array([1.0, 5.0]), np.array([4.0, 4.0]), confidence=0.9
    )
    assert low < -4 < high
