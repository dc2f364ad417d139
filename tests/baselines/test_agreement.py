"""Agreement against R, published examples and independent computation; then misuse and the figure."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.baselines.measurement_systems.agreement import METHODS, agreement
from perfanalytics.baselines.measurement_systems.agreement_result import Agreement
from perfanalytics.baselines.measurement_systems.kappa import cohen_kappa, generalized, weight_matrix
from perfanalytics.baselines.measurement_systems.krippendorff import disagreements
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.agreement import info
from perfanalytics.figures.plot import figure_dict

# Fleiss (1971), table 1: 30 patients, 6 psychiatrists; how often depression, personality disorder,
# schizophrenia, neurosis, other
DIAGNOSES = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050
02031 00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
FLEISS = [[k for k, n in enumerate(row) for _ in range(int(n))] for row in DIAGNOSES.split()]
NAMES = ["depression", "personality", "schizophrenia", "neurosis", "other"]

# Krippendorff (2011), section D: 4 observers, 12 units, also cac.raw4raters of irrCAC
X = None
OBSERVERS = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, X, X, X],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, X, 3],
    "C": [X, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, X],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, X],
}
# Shrout and Fleiss (1979), table 2
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# ratings of anxiety, 20 subjects by 3 raters (the example of R's irr)
ANXIETY = "332 361 344 464 523 542 221 346 531 231 221 632 133 533 221 221 113 233 432 342"
ANXIOUS = [[int(c) for c in row] for row in ANXIETY.split()]
# unaided vision of 7,477 women, right by left eye (Stuart 1953)
VISION = np.array([[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492.0]])
# Bland and Altman (1986), table 1, first readings
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def row(result: Agreement, quantity: str, about: str = "all") -> dict[str, float]:
    frame = result.to_frame()
    found = frame[(frame["quantity"] == quantity) & (frame["about"] == about)]
    assert len(found) == 1
    return found.iloc[0].to_dict()


# -- kappas ----------------------------------------------------------------------------------------


def test_fleiss_1971() -> None:
    result = agreement(FLEISS, categories=range(5))
    kappa = row(result, "kappa")
    # Fleiss (1971): 0.430, agreement 0.5556, chance 0.2199; R irr kappam.fleiss: z = 17.7
    assert kappa["estimate"] == pytest.approx(0.430, abs=5e-4)
    assert row(result, "observed agreement")["estimate"] == pytest.approx(0.5556, abs=5e-5)
    assert row(result, "expected agreement")["estimate"] == pytest.approx(0.2199, abs=5e-5)
    # R irr kappam.fleiss(diagnoses, detail = TRUE): kappa of each category
    each = [row(result, "kappa", f"category {k}")["estimate"] for k in range(5)]
    assert each == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=5e-4)


def test_the_test_of_fleiss_kappa_is_that_under_chance_alone() -> None:
    # R irr: z = 5.192, 5.192, 11.031, 9.994, 12.009; a kappa of a category over sqrt(2 / (30 * 6 * 5))
    chance = math.sqrt(2 / (30 * 6 * 5))
    kappas = [
        generalized(np.array([[r.count(k), 6 - r.count(k)] for r in FLEISS], float), kind="fleiss")[0]
        for k in range(5)
    ]
    assert [k / chance for k in kappas] == pytest.approx([5.192, 5.192, 11.031, 9.994, 12.009], abs=5e-4)
    some = [r for r in FLEISS if r.count(1)]
    weak = agreement(some, categories=range(5))
    z = row(weak, "kappa", "category 1")["estimate"] / math.sqrt(2 / (len(some) * 6 * 5))
    assert row(weak, "kappa", "category 1")["p"] == pytest.approx(math.erfc(abs(z) / math.sqrt(2)), rel=1e-9)


def test_the_interval_of_fleiss_kappa_is_that_of_leaving_items_out() -> None:
    counts = np.array([[r.count(k) for k in range(5)] for r in FLEISS], dtype=float)
    left_out = [generalized(np.delete(counts, i, axis=0), kind="fleiss")[0] for i in range(30)]
    jackknife = math.sqrt(29 / 30 * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert generalized(counts, kind="fleiss")[1] == pytest.approx(jackknife, rel=0.05)
    # the standard error of Fleiss (1971) and of 1979 is less than half of it
    assert jackknife > 2 * 0.430244 / 17.7


def test_missing_ratings_against_irrcac() -> None:
    # vignette of R's irrCAC, cac.raw4raters: coefficient and standard error, interval
    fleiss, gwet = (row(agreement(OBSERVERS, method=m), q) for m, q in (("fleiss", "kappa"), ("gwet", "AC1")))
    assert (fleiss["estimate"], fleiss["standard_error"]) == pytest.approx((0.76117, 0.15302), abs=5e-6)
    assert (gwet["estimate"], gwet["standard_error"]) == pytest.approx((0.77544, 0.14295), abs=5e-6)
    assert (round(gwet["low"], 3), gwet["high"]) == (0.461, 1.0)
    assert "unequal-ratings" in agreement(OBSERVERS).caveat_codes


def vision() -> np.ndarray:
    i, j = np.indices(VISION.shape)
    times = VISION.astype(int).ravel()
    return np.stack([np.repeat(i.ravel(), times), np.repeat(j.ravel(), times)], axis=1)


def test_cohen_against_psych() -> None:
    # R psych::cohen.kappa
    plain = agreement(vision(), method="cohen")["kappa"]
    assert plain.value == pytest.approx(5.95388828089e-01, rel=1e-10)
    assert plain.interval.low == pytest.approx(0.581106862305, rel=1e-9)
    assert plain.interval.high == pytest.approx(0.609670793874, rel=1e-9)
    linear = agreement(vision(), method="cohen", weights="linear")
    squared = agreement(vision(), method="cohen", weights="quadratic")
    assert linear.value == pytest.approx(6.52380429501e-01, rel=1e-10)
    assert squared.value == pytest.approx(7.02334252490e-01, rel=1e-10)


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_the_standard_error_of_weighted_kappa_is_that_of_the_delta_method(weights: str) -> None:
    # psych's is smaller (0.00629 and 0.00526): not that of Fleiss, Cohen and Everitt
    credit = weight_matrix(np.arange(4.0), weights)

    def kappa(table: np.ndarray) -> float:
        return cohen_kappa(table, credit)[0]

    share, n, h = VISION / VISION.sum(), VISION.sum(), 1e-3
    slope = np.array(
        [[(kappa(VISION + h * e) - kappa(VISION - h * e)) / (2 * h) for e in _units(i)] for i in range(4)]
    )
    variance = n * (np.sum(share * slope**2) - np.sum(share * slope) ** 2)
    assert cohen_kappa(VISION, credit)[1] == pytest.approx(math.sqrt(variance), rel=1e-6)


def _units(i: int) -> list[np.ndarray]:
    return [np.eye(4)[[i]].T @ np.eye(4)[[j]] for j in range(4)]


def test_weighted_kappa_of_the_anxiety_example() -> None:
    # R irr kappa2(anxiety[, 1:2], "squared"): kappa 0.297, z 1.34, p 0.18; unweighted 0.119, z 1.16, p 0.245
    two = [r[:2] for r in ANXIOUS]
    squared = row(agreement(two, method="cohen", weights="quadratic"), "quadratic weighted kappa", "1 and 2")
    plain = row(agreement(two, method="cohen"), "kappa", "1 and 2")
    assert (squared["estimate"], squared["p"]) == pytest.approx((0.297, 0.18), abs=5e-4)
    assert (plain["estimate"], plain["p"]) == pytest.approx((0.119, 0.245), abs=5e-4)
    light = agreement(ANXIOUS, method="cohen")
    pairs = [light["kappa", f"{a} and {b}"].value for a, b in ((1, 2), (1, 3), (2, 3))]
    assert light.value == pytest.approx(np.mean(pairs))


def test_a_common_category_is_said() -> None:
    mostly = [["no", "no"]] * 95 + [["yes", "no"]] * 3 + [["no", "yes"]] * 2
    result = agreement(mostly)
    assert result.value < 0
    assert "prevalence" in result.caveat_codes
    assert agreement(mostly, method="gwet").value > 0.9


def test_everything_in_one_category() -> None:
    for method in ("fleiss", "cohen", "gwet", "krippendorff"):
        result = agreement([["a", "a"]] * 25, method=method)
        assert math.isnan(result.value)
        assert result.caveat_codes == ("one-category",)
        assert "cannot be said" in result.verdict
    perfect = agreement([["a", "a"], ["b", "b"]] * 20)
    assert perfect.caveat_codes == ("perfect-agreement",)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=4, max_size=15))
@settings(max_examples=30, deadline=None)
def test_two_names_for_one_thing(ratings: list[list[int]]) -> None:
    if len({v for r in ratings for v in r}) < 2:
        return
    plain = agreement(ratings)
    renamed = agreement([["abcd"[3 - v] for v in r] for r in ratings])
    turned = agreement([r[::-1] for r in ratings][::-1])
    assert renamed.value == pytest.approx(plain.value)
    assert turned.value == pytest.approx(plain.value)
    # of full data, alpha is Fleiss' kappa with a small-sample correction: 1 - (1 - kappa) (n m - 1) / (n m)
    nm = 3 * len(ratings)
    alpha = agreement(ratings, method="krippendorff", draws=100).value
    assert alpha == pytest.approx(1 - (1 - plain.value) * (nm - 1) / nm)


# -- Krippendorff ----------------------------------------------------------------------------------


# Krippendorff (2011), section D and E: nominal, interval; his other scales as printed by R irr kripp.alpha
@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_krippendorff_2011(scale: str, alpha: float) -> None:
    result = agreement(OBSERVERS, method="krippendorff", scale=scale)
    assert result.value == pytest.approx(alpha, abs=5e-4)
    assert "unpaired-items" in result.caveat_codes


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval", "ratio"])
def test_alpha_by_counting_pairs(scale: str) -> None:
    """The definition, pair by pair, on drawn items."""
    rng = np.random.default_rng(8)
    data = rng.integers(1, 5, (9, 4))
    counts = np.stack([(data == k).sum(axis=1) for k in range(1, 5)], axis=1).astype(float)
    values = data.ravel()

    def apart(a: int, b: int) -> float:
        if scale == "nominal":
            return float(a != b)
        if scale == "ordinal":
            low, high = min(a, b), max(a, b)
            between = np.sum((values >= low) & (values <= high))
            return float(between - (np.sum(values == a) + np.sum(values == b)) / 2) ** 2
        return float(a - b) ** 2 if scale == "interval" else ((a - b) / (a + b)) ** 2

    observed = (
        sum(apart(a, b) for r in data for i, a in enumerate(r) for j, b in enumerate(r) if i != j) / 3 / 36
    )
    expected = sum(apart(a, b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j) / (
        36 * 35
    )
    found = disagreements(counts, np.arange(1.0, 5), np.ones((1, 9)), scale=scale)
    assert (found[0][0], found[1][0]) == pytest.approx((observed, expected))
    # a draw counts the items as often as they were drawn
    times = np.array([[2.0, 0, 1, 1, 1, 1, 1, 2, 0]])
    repeated = np.repeat(counts, times[0].astype(int), axis=0)
    drawn = disagreements(counts, np.arange(1.0, 5), times, scale=scale)
    again = disagreements(repeated, np.arange(1.0, 5), np.ones((1, 9)), scale=scale)
    assert (drawn[0][0], drawn[1][0]) == pytest.approx((again[0][0], again[1][0]))


def test_the_bootstrap_is_seeded_and_touches_no_global_state() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, second = (agreement(OBSERVERS, method="krippendorff", seed=4) for _ in range(2))
    assert first == second
    assert first != agreement(OBSERVERS, method="krippendorff", seed=5)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# -- numbers ---------------------------------------------------------------------------------------


def test_shrout_and_fleiss_against_psych() -> None:
    # R psych::ICC(sf, lmer = FALSE); Shrout and Fleiss (1979), table 4, print .17 .29 .71 .44 .62 .91
    expected = {
        "ICC(1,1)": (0.165741768405, -0.1329323248748, 0.722560062328, 0.164768808344640),
        "ICC(2,1)": (0.289763779528, 0.0187865133747, 0.761084369649, 0.000134566516484),
        "ICC(3,1)": (0.714840714841, 0.3424647650339, 0.945858259955, 0.000134566516484),
        "ICC(1,4)": (0.442797133679, -0.8844421552381, 0.912415420341, 0.164768808344640),
        "ICC(2,4)": (0.620050547599, 0.0711368153025, 0.927232040168, 0.000134566516484),
        "ICC(3,4)": (0.909315542377, 0.6756747138163, 0.985891678169, 0.000134566516484),
    }
    result = agreement(JUDGES, method="icc")
    for name, values in expected.items():
        found = row(result, name)
        assert [found[k] for k in ("estimate", "low", "high", "p")] == pytest.approx(values, rel=1e-9)
    assert result.value == result["ICC(2,1)"].value
    assert "raters-differ-in-level" in result.caveat_codes


def test_kendall_against_r() -> None:
    # R friedman.test, whose statistic is m (n - 1) W; irr prints Wt = 0.54, chi-square 30.8, p 0.0429
    w = row(agreement(ANXIOUS, method="kendall"), "W")
    assert (w["estimate"], w["p"]) == pytest.approx((0.5396568759544, 0.0428834731269), rel=1e-10)
    same = agreement([[v, 10 * v, v - 3] for v in range(9)], method="kendall")
    assert same.value == 1


def test_bland_and_altman_1986() -> None:
    result = agreement({"Wright": WRIGHT, "mini": MINI}, method="bland_altman", margin=30)
    # the paper: mean -2.1, SD 38.8; R t.test, qt with ncp, qchisq
    bias, sd = row(result, "bias"), row(result, "sd")
    assert (round(bias["estimate"], 1), round(sd["estimate"], 1)) == (-2.1, 38.8)
    assert (bias["low"], bias["high"], bias["p"]) == pytest.approx(
        (-22.04883769665, 17.81354357900, 0.82464767353)
    )
    assert (sd["low"], sd["high"]) == pytest.approx((28.8710994519, 58.9977733614))
    lower, upper = row(result, "lower limit"), row(result, "upper limit")
    assert (lower["estimate"], upper["estimate"]) == pytest.approx((-78.0959054671, 73.8606113495))
    assert (upper["low"], upper["high"]) == pytest.approx((48.8596372991, 119.9255041772), rel=1e-9)
    assert lower["high"] - bias["estimate"] == pytest.approx(bias["estimate"] - upper["low"])
    slope = row(result, "slope")
    assert (slope["estimate"], slope["p"]) == pytest.approx((0.0286874451525, 0.749498533649))
    assert "cannot stand in for each other" in result.verdict
    wide = agreement({"Wright": WRIGHT, "mini": MINI}, method="bland_altman", margin=130)
    assert "they can stand in for each other" in wide.verdict
    unsure = agreement({"Wright": WRIGHT, "mini": MINI}, method="bland_altman", margin=80)
    assert "not settled" in unsure.verdict


def test_the_limits_of_agreement_hold_what_they_promise() -> None:
    rng, hits = np.random.default_rng(2), 0
    for _ in range(300):
        pair = {"a": rng.normal(0, 1, 12), "b": np.zeros(12)}
        ends = agreement(pair, method="bland_altman")["upper limit"].interval
        hits += ends.low <= 1.959964 <= ends.high
    assert hits / 300 == pytest.approx(0.95, abs=0.035)


def test_a_difference_that_grows_is_said() -> None:
    x = np.arange(10.0, 40)
    wobble = np.where(np.arange(30) % 2, 0.5, -0.5)
    result = agreement({"old": x, "new": 1.1 * x + wobble}, method="bland_altman")
    assert "difference-depends-on-size" in result.caveat_codes
    same = agreement({"old": x, "new": x + 2}, method="bland_altman")
    assert "zero-variance" in same.caveat_codes
    assert same["bias"].value == -2


# -- against a standard ----------------------------------------------------------------------------


def inspections() -> dict[str, list[object]]:
    """50 items, 3 appraisers, 2 trials; A misses items 0 and 1 always, B item 2 in the second trial."""
    wrong = {("A", 0, 1), ("A", 0, 2), ("A", 1, 1), ("A", 1, 2), ("B", 2, 2)}
    rows = []
    for item in range(50):
        truth = "bad" if item % 5 == 0 else "good"
        other = "good" if truth == "bad" else "bad"
        for who in "ABC":
            rows += [
                (item, who, trial, other if (who, item, trial) in wrong else truth, truth) for trial in (1, 2)
            ]
    return {k: [r[i] for r in rows] for i, k in enumerate(("item", "who", "trial", "said", "truth"))}


ASKED = {"item": "item", "rater": "who", "rating": "said", "trial": "trial", "method": "attribute"}


def test_attribute_agreement() -> None:
    result = agreement(inspections(), standard="truth", **ASKED)
    share = {(q, a): v for q, a, v in zip(result.quantity, result.about, result.estimate, strict=True)}
    assert share["own repeats alike", "A"] == 1
    assert share["own repeats alike", "B"] == 49 / 50
    assert share["matches the standard", "A"] == 48 / 50
    assert share["matches the standard", "C"] == 1
    assert share["all alike", "all"] == 47 / 50
    assert result["all match the standard"].value == result.value == 47 / 50
    # A's 100 answers: 10 bad of 20 were said good for item 0 twice; by hand from the table of 2 x 2
    table = np.array([[18.0, 2.0], [2.0, 78.0]])
    assert share["kappa with the standard", "A"] == pytest.approx(cohen_kappa(table, np.eye(2))[0])
    assert "Farthest from the standard is A, right on 96% of items" in result.verdict


def test_the_interval_of_a_share_of_items() -> None:
    said = [["x", "x"]] * 39 + [["x", "y"]] * 11
    interval = agreement(said, method="attribute")["all alike"].interval
    # R binom.test(39, 50)
    assert (interval.low, interval.high) == pytest.approx((0.640388111434, 0.884734173962), rel=1e-10)


def test_without_a_standard_and_with_missing_ratings() -> None:
    frame = inspections()
    frame["said"] = [None, *frame["said"][1:]]
    result = agreement(frame, **ASKED)
    assert "missing-ratings" in result.caveat_codes
    assert result["all alike"].value == 47 / 49
    one = {k: [x for x, w in zip(v, frame["who"], strict=True) if w == "B"] for k, v in frame.items()}
    alone = agreement(one, **ASKED)
    assert alone.value == 49 / 50
    assert "the ratings of B are alike" in alone.verdict


# -- shapes, records, misuse -----------------------------------------------------------------------


def test_long_frames_and_matrices_say_the_same() -> None:
    import pandas as pd

    matrix = pd.DataFrame(OBSERVERS)
    long = matrix.reset_index(names="unit").melt("unit", var_name="observer", value_name="code")
    names = {"item": "unit", "rater": "observer", "rating": "code"}
    for method in ("fleiss", "krippendorff", "gwet"):
        values = {agreement(m, method=method).value for m in (matrix, OBSERVERS, matrix.to_numpy().tolist())}
        values.add(agreement(long, method=method, **names).value)
        values.add(agreement(long.dropna().sample(frac=1, random_state=1), method=method, **names).value)
        assert len({round(v, 12) for v in values}) == 1
    assert agreement(long, **names).raters.tolist() == ["A", "B", "C", "D"]


def test_the_order_of_texts_is_asked_for() -> None:
    said = [["low", "mid"], ["mid", "mid"], ["high", "high"], ["low", "low"], ["mid", "high"]]
    with pytest.raises(InputError, match="give categories= in order"):
        agreement(said, method="cohen", weights="linear")
    numbers = [[["low", "mid", "high"].index(v) for v in r] for r in said]
    named = agreement(said, method="cohen", weights="linear", categories=["low", "mid", "high"])
    assert named.value == agreement(numbers, method="cohen", weights="linear").value


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_survives_being_saved_and_can_be_drawn(method: str) -> None:
    ratings = [r[:2] for r in ANXIOUS] if method == "bland_altman" else ANXIOUS
    result = agreement(ratings, method=method)
    assert Agreement.from_record(json.loads(json.dumps(result.to_record(), allow_nan=False))) == result
    assert result.verdict.endswith(".")
    assert len(result.summary()) == 1
    assert list(result.to_frame()) == list(agreement(FLEISS).to_frame())
    assert figure_dict(result)["data"]
    assert not result.ratings.flags.writeable


@pytest.mark.parametrize(
    ("ratings", "more", "says"),
    [
        ([[1, 2]], {}, "at least 2 items"),
        ([[1], [2]], {}, "at least 2 raters"),
        ([1, 2, 3], {}, "a matrix"),
        ([[1, None], [2, None]], {}, "rater 2 has no rating"),
        (FLEISS, {"item": "x"}, "all of item="),
        (FLEISS, {"weights": "linear"}, "weights= belongs to method 'cohen'"),
        (FLEISS, {"margin": 1.0}, "margin= belongs to"),
        (FLEISS, {"method": "icc", "categories": [1]}, "categories= belongs to"),
        (FLEISS, {"confidence": 95}, "between 0 and 1"),
        (FLEISS, {"categories": [0, 1]}, "none of the categories"),
        (OBSERVERS, {"method": "icc"}, "item 1 has no rating by C"),
        (OBSERVERS, {"method": "kendall"}, "rated by everybody"),
        (OBSERVERS, {"method": "bland_altman"}, "two raters or instruments, got 4"),
        ([["a", "b"], ["b", "b"]], {"method": "icc"}, "must be numbers"),
        (
            [["a", "b"], ["b", "b"]],
            {"method": "krippendorff", "scale": "interval", "categories": ["a", "b"]},
            "that are numbers",
        ),
        ([[-1, 2], [1, 1]], {"method": "krippendorff", "scale": "ratio"}, "cannot be negative"),
        ([[1, 2], [1, 1]], {"method": "attribute", "standard": [1]}, "right answer of all 2 items"),
        ([[1, 2], [1, 1]], {"method": "bland_altman"}, "at least 3 items"),
        ({"a": [1, 2], "b": [1]}, {}, "different numbers of ratings"),
    ],
)
def test_misuse_is_said(ratings: object, more: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        agreement(ratings, **more)


def test_names_that_do_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'fleiss'"):
        agreement(FLEISS, method="fleis")
    with pytest.raises(UnknownNameError, match="did you mean 'ordinal'"):
        agreement(FLEISS, method="krippendorff", scale="ordinl")
    with pytest.raises(UnknownNameError, match="kappa, all"):
        agreement(FLEISS)["alpha"]


def test_an_item_rated_twice() -> None:
    frame = {"i": [1, 1, 1, 2, 2], "r": ["A", "A", "B", "A", "B"], "v": [1, 2, 1, 2, 2]}
    with pytest.raises(InputError, match="rater A rated item 1 more than once; repeats need trial="):
        agreement(frame, item="i", rater="r", rating="v")
    two = inspections() | {"truth": ["good", *inspections()["truth"][1:]]}
    with pytest.raises(InputError, match="item 0 has two standards"):
        agreement(two, standard="truth", **ASKED)


# -- the figure ------------------------------------------------------------------------------------


def test_the_record_of_the_figure() -> None:
    two = info(agreement([r[:2] for r in ANXIOUS], method="cohen"))
    assert two.are_counts
    assert two.table.sum() == 20
    many = info(agreement(FLEISS, categories=range(5)))
    assert many.label[0] == "kappa, all"
    assert len(many.label) == 6
    pairs = np.array(FLEISS)
    assert many.table[0, 3] == np.mean(pairs[:, 0] == pairs[:, 3])
    assert math.isnan(many.table[0, 0])
    numbers = info(agreement(JUDGES, method="icc"))
    assert numbers.table is None
    assert numbers.points.shape == (4, 6)
    assert (np.diff(numbers.points.mean(axis=0)) >= 0).all()
    checked = info(agreement(inspections(), standard="truth", **ASKED))
    assert checked.across == ("A", "B", "C", "standard")
    assert checked.table[0, 3] == 96 / 100


def test_the_figure_of_two_instruments() -> None:
    result = agreement({"Wright": WRIGHT, "mini": MINI}, method="bland_altman")
    drawn = figure_dict(result)
    assert drawn["data"][0]["y"].tolist() == [a - b for a, b in zip(WRIGHT, MINI, strict=True)]
    levels = [s["y0"] for s in drawn["layout"]["shapes"] if s["type"] == "line"]
    assert levels == pytest.approx([-78.0959054671, -2.11764705882, 73.8606113495])


def test_words_where_nothing_differs() -> None:
    same = agreement({"a": [1.0, 2, 3], "b": [1.0, 2, 3]}, method="bland_altman")
    assert "a reads the same as b on average" in same.verdict
    flat = agreement([[1, 1]] * 9, method="kendall")
    assert flat.caveat_codes == ("zero-variance",)
