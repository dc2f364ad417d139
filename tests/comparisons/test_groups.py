"""Several groups against R and NIST, their verdicts, and what is refused."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.comparisons.multiplicity import adjusted_p_values
from perfanalytics.comparisons.studentized_range import quantile, upper_tail
from perfanalytics.comparisons.variance import one_way

#: comparisons_groups.R: R 4.2.2 with car
R = json.loads((Path(__file__).parents[1] / "reference" / "comparisons_groups.json").read_text())
HOURS = perf.Measure("hours", definition="elapsed", unit="h", better="lower", scale="duration")
GRADE = perf.Measure("grade", definition="1 to 5", unit="", better="higher", scale="ordinal")
SHARE = perf.Measure("sla", definition="met", unit="1", better="higher", scale="proportion")
METHODS = ("anova", "welch_anova", "kruskal", "brown_forsythe", "levene", "bartlett", "fligner")


def close(x):
    return pytest.approx(x, rel=1e-6)


def frame(case):
    return pd.DataFrame({"y": case["values"], "g": case["groups"]})


def found(case, method, **more):
    return perf.compare_groups(frame(case), value="y", by="g", method=method, **more)


def rows(c):
    return [e for e in c.effects if e.contrast]


@pytest.mark.parametrize("case", R["groups"], ids=lambda c: c["name"])
def test_tests_of_all_groups(case):
    c, r = found(case, "anova"), case["anova"]
    assert (c.primary.statistic, c.primary.p_value) == close((r["f"], r["p"]))
    assert c.method.parameters["sum_of_squares_between"] == close(r["between"])
    eta = c.effect("eta_squared")
    assert (eta.estimate, eta.high) == close((r["eta"], r["eta_high"]))
    assert eta.low == pytest.approx(r["eta_low"], rel=1e-6, abs=1e-9)
    assert c.effect("omega_squared").estimate == close(r["omega"])
    assert c.effect("epsilon_squared").estimate == close(r["epsilon"])
    e, r = found(case, "welch_anova").primary, case["welch"]
    assert (e.statistic, e.df, e.p_value) == close((r["f"], r["df"], r["p"]))
    for name in ("kruskal", "bartlett", "fligner"):
        e, r = found(case, name, post_hoc="none").primary, case[name]
        assert (e.statistic, e.p_value) == close((r["x"], r["p"]))
    for name in ("levene", "brown_forsythe"):
        e, r = found(case, name, post_hoc="none").primary, case[name]
        assert (e.statistic, e.p_value) == close((r["f"], r["p"]))


@pytest.mark.parametrize("case", R["groups"], ids=lambda c: c["name"])
def test_pairs_of_groups(case):
    for e, (d, low, high, p) in zip(rows(found(case, "tukey_hsd")), case["tukey"], strict=True):
        assert (e.estimate, e.low, e.high) == pytest.approx((d, low, high), rel=1e-6)
        assert e.p_adjusted == pytest.approx(p, rel=1e-6, abs=1e-11)  # below that R's own last digits
    for e, (d, low, high, df, p) in zip(rows(found(case, "games_howell")), case["games_howell"], strict=True):
        assert (e.estimate, e.low, e.high, e.df) == pytest.approx((d, low, high, df), rel=2e-6)
        assert e.p_adjusted == pytest.approx(p, rel=1e-5, abs=1e-9)
    for e, (d, z, p) in zip(rows(found(case, "dunn", adjust="none")), case["dunn"], strict=True):
        assert (e.estimate, e.statistic, e.p_value) == pytest.approx((d, z, p), rel=1e-6, abs=1e-12)
    for procedure in ("pairwise_t", "pairwise_welch", "pairwise_wilcoxon"):
        c = found(case, "anova", post_hoc=procedure, adjust="none")
        assert [e.p_value for e in rows(c)] == close(case[procedure])
        holm = found(case, "anova", post_hoc=procedure)
        assert [e.p_adjusted for e in rows(holm)] == close(adjusted_p_values(case[procedure]).tolist())
        assert holm.method.parameters["adjust"] == "holm"


@pytest.mark.parametrize("case", R["two"], ids=lambda c: c["name"])
def test_two_factors(case):
    data = pd.DataFrame({"y": case["values"], "a": case["a"], "b": case["b"]})
    for options, r in (
        ({"type": "2"}, case["type2"]),
        ({"type": "3"}, case["type3"]),
        ({"interaction": False}, case["additive"]),
    ):
        c = perf.compare_groups(data, value="y", by=("a", "b"), options=options)
        tests = [e for e in c.effects if e.form == "test"]
        assert [e.statistic for e in tests] == close(r["f"])
        assert [e.p_value for e in tests] == close(r["p"])
        assert c.method.name == "two_way"
    c = perf.compare_groups(data, value="y", by=("a", "b"))
    pairs = [e for e in c.effects if e.quantity == "difference_of_means"]
    reference = case["pairs"]
    if not isinstance(reference[0], list):
        reference = [reference]
    for e, (d, se, p) in zip(pairs, reference, strict=True):
        assert e.estimate == close(d)
        assert e.estimate / e.statistic == close(se)
        assert e.p_adjusted == pytest.approx(p, rel=1e-6, abs=1e-11)
    assert "depends on" in c.verdict or not any(" x " in e.contrast and e.p_value <= 0.05 for e in c.effects)


def blocks(table):
    table = np.array(table)
    b, g = np.indices(table.shape)
    return pd.DataFrame({"y": table.ravel(), "g": g.ravel(), "b": b.ravel()})


def test_groups_within_blocks():
    r = R["blocks"]
    c = perf.compare_groups(blocks(r["table"]), value="y", by="g", block="b")
    assert c.method.name == "anova"
    assert (c.primary.statistic, c.primary.p_value) == close((r["f"], r["p"]))
    assert c.method.parameters["residual_variance"] == close(r["residual"])
    k, b = 4, 10
    first = next(e for e in c.effects if e.contrast == "1 - 0")
    table = np.array(r["table"])
    assert first.estimate == close(table[:, 1].mean() - table[:, 0].mean())
    half = quantile(0.95, k, (k - 1) * (b - 1)) / math.sqrt(2) * math.sqrt(2 * r["residual"] / b)
    assert first.high - first.estimate == close(half)
    for name, key in (("friedman", "table"), ("tied_friedman", "tied")):
        c = perf.compare_groups(blocks(r[key]), value="y", by="g", block="b", method="friedman")
        assert (c.primary.statistic, c.primary.p_value) == close((r[name]["x"], r[name]["p"]))
        assert c.effect("kendalls_w").estimate == close(r[name]["x"] / 30)
    holes = blocks(r["table"]).drop(index=[5, 17])
    c = perf.compare_groups(holes, value="y", by="g", block="b", method="friedman")
    assert c.method.parameters["blocks"] == 8
    assert next(v for v in c.caveats if v.code == "unmatched").evidence["left_out"] == 2


def test_proportions():
    r = R["proportions"]
    data = {"met": r["x"], "of": r["n"], "team": ["a", "b", "c", "d"]}
    c = perf.compare_groups(data, value="met", sizes="of", by="team", measure=SHARE)
    assert c.method.name == "chi_square"
    assert (c.primary.statistic, c.primary.p_value) == close((r["chi"], r["p"]))
    w = c.effect("cohens_w")
    assert w.estimate == close(math.sqrt(r["chi"] / sum(r["n"])))
    assert w.low <= w.estimate <= w.high
    # the same items one by one
    items = {
        "met": np.concatenate(
            [np.r_[np.ones(x), np.zeros(n - x)] for x, n in zip(r["x"], r["n"], strict=True)]
        ),
        "team": np.repeat(["a", "b", "c", "d"], r["n"]),
    }
    one = perf.compare_groups(items, value="met", by="team", measure=SHARE)
    assert one.primary.p_value == close(c.primary.p_value)
    assert [e.low for e in rows(one)] == close([e.low for e in rows(c)])
    assert "points above" in c.verdict


@pytest.mark.parametrize("case", R["range"])
def test_studentized_range(case):
    assert upper_tail(case["q"], case["k"], case["df"]) == close(case["p"])
    assert quantile(0.95, case["k"], case["df"]) == close(case["q95"])


def test_studentized_range_far_out_where_r_is_wrong():
    """P(Q > 30), 10 groups, 3 df: adaptive quadrature of the definition; R 4.2.2's ptukey gives 0.0018845."""
    assert upper_tail(30.0, 10, 3.0) == pytest.approx(0.00177698836, rel=1e-7)


def test_studentized_range_of_two_groups_is_t():
    from scipy import special

    for t, df in ((2.0, 5), (3.1, 40), (0.7, 11.3)):
        p = 2 * special.stdtr(df, -t)
        assert upper_tail(t * math.sqrt(2), 2, df) == pytest.approx(p, rel=1e-8)


def test_adjusted_p_values():
    r = R["adjust"]
    for name in ("holm", "hochberg", "bonferroni", "benjamini_hochberg"):
        assert adjusted_p_values(r["p"], method=name).tolist() == close(r[name])
    with_gap = adjusted_p_values([0.01, math.nan, 0.04])
    assert with_gap[0] == 0.02
    assert math.isnan(with_gap[1])
    with pytest.raises(perf.UnknownNameError, match="holm"):
        adjusted_p_values([0.1], method="hol")
    with pytest.raises(perf.InputError, match="between 0 and 1"):
        adjusted_p_values([1.2])


# NIST Statistical Reference Datasets, analysis of variance --------------------------------------------


def simon_lesage(offset, replicates):
    """SmLs01 to 09: y = offset + b(treatment) + b(replicate), b = 0.2, then 0.1 and 0.3 in turns."""

    def tenths(i):
        return 2 if i == 1 else 1 if i % 2 == 0 else 3

    return [
        np.array([(10 * offset + tenths(t) + tenths(j)) / 10 for j in range(1, replicates + 1)])
        for t in range(1, 10)
    ]


def digits(value, certified):
    return -math.log10(max(abs(value - certified) / abs(certified), 1e-16))


@pytest.mark.parametrize(
    ("number", "offset", "replicates", "f", "wanted"),
    [
        (1, 1, 21, 21.0, 13),
        (2, 1, 201, 201.0, 12),
        (3, 1, 2001, 2001.0, 11),
        (4, 1_000_000, 21, 21.0, 9),
        (5, 1_000_000, 201, 201.0, 9),
        (6, 1_000_000, 2001, 2001.0, 9),
        (7, 10**12, 21, 21.0, 4),
        (8, 10**12, 201, 201.0, 4),
        (9, 10**12, 2001, 2001.0, 4),
    ],
)
def test_nist_simon_lesage(number, offset, replicates, f, wanted):
    """Certified F are 21, 201, 2001. In 07 to 09 the data themselves are rounded to 1.2e-4 of a unit."""
    assert digits(one_way(simon_lesage(offset, replicates)).statistic, f) >= wanted


def test_nist_si_resistivity():
    data = [
        [196.3052, 196.1240, 196.1890, 196.2569, 196.3403],
        [196.3042, 196.3825, 196.1669, 196.3257, 196.0422],
        [196.1303, 196.2005, 196.2889, 196.0343, 196.1811],
        [196.2795, 196.1748, 196.1494, 196.1485, 195.9885],
        [196.2119, 196.1051, 196.1850, 196.0052, 196.2090],
    ]
    r = one_way([np.array(g) for g in data])
    assert digits(r.statistic, 1.18046237440255) >= 12
    assert digits(r.between, 5.11462616000000e-02) >= 12


def test_nist_atomic_weight_of_silver():
    one = """8681568 8681465 8681572 8681785 8681446 8681903 8681526 8681494 8681616 8681587 8681519 8681486
    8681419 8681569 8681508 8681672 8681385 8681518 8681662 8681424 8681360 8681333 8681610 8681477"""
    two = """8681079 8681344 8681513 8681197 8681604 8681385 8681642 8681365 8681151 8681082 8681517 8681448
    8681198 8681482 8681334 8681609 8681101 8681512 8681469 8681360 8681254 8681261 8681450 8681368"""
    r = one_way([np.array([float(f"107.{d}") for d in text.split()]) for text in (one, two)])
    assert digits(r.statistic, 1.59467335677930e01) >= 9
    assert digits(r.between, 3.63834187500000e-09) >= 9


# What it says and refuses --------------------------------------------------------------------------


def durations(shift=(1.0, 1.0, 2.0), n=30, seed=3):
    rng = np.random.default_rng(seed)
    y = np.concatenate([f * np.exp(rng.normal(2, 0.4, n)) for f in shift])
    return pd.DataFrame({"hours": y, "team": np.repeat(["north", "south", "west"], n)})


def test_durations_are_compared_as_ratios_and_the_verdict_names_the_groups():
    c = perf.compare_groups(durations(), value="hours", by="team", measure=HOURS)
    assert c.method.name == "welch_anova"
    assert c.method.parameters["chosen"] == "default for groups of items on the log scale"
    assert c.method.parameters["post_hoc"] == "games_howell"
    assert [e.contrast for e in rows(c)] == ["south / north", "west / north", "west / south"]
    assert all(e.quantity == "ratio_of_geometric_means" for e in rows(c))
    assert c.outcome == "detected"
    assert "The 3 groups of team differ in their geometric means" in c.verdict
    assert "west is" in c.verdict
    assert c.verdict.endswith("north and south cannot be told apart.") or c.verdict.endswith(
        "south and north cannot be told apart."
    )
    assert c.before is None
    assert c.after is None
    assert [g.name for g in c.groups] == ["north", "south", "west"]
    assert c.sides()["name"].tolist() == ["north", "south", "west"]
    assert perf.Result.from_record(json.loads(json.dumps(c.to_record()))) == c


def test_the_default_follows_from_scale_and_what_is_given():
    d = durations()
    d["week"] = np.tile(np.arange(30), 3)
    d["grade"] = np.clip(d["hours"].round() % 5 + 1, 1, 5)
    d["met"] = (d["hours"] < 8) * 1.0
    for columns, more, name in (
        ({"value": "hours"}, {}, "welch_anova"),
        ({"value": "hours"}, {"block": "week"}, "anova"),
        ({"value": "grade"}, {"measure": GRADE}, "kruskal"),
        ({"value": "grade"}, {"measure": GRADE, "block": "week"}, "friedman"),
        ({"value": "met"}, {"measure": SHARE}, "chi_square"),
        ({"value": "met"}, {}, "welch_anova"),
    ):
        assert perf.compare_groups(d, by="team", **columns, **more).method.name == name
    c = perf.compare_groups(d, value="hours", by=["team", "met"])
    assert c.method.name == "two_way"


def test_no_difference_is_undecided():
    c = perf.compare_groups(durations((1, 1, 1)), value="hours", by="team", measure=HOURS)
    assert c.outcome == "undecided"
    assert c.verdict.startswith("Undecided: no difference between the 3 groups of team")


def test_columns_are_those_of_two_sides_and_every_method_survives_saving():
    two = perf.compare([1.0, 2, 3, 4], [2.0, 3, 4, 6], order="none")
    for name in METHODS:
        c = perf.compare_groups(durations(), value="hours", by="team", method=name)
        assert list(c.to_frame().columns) == list(two.to_frame().columns)
        assert list(c.summary().columns) == list(two.summary().columns)
        assert perf.Result.from_record(json.loads(json.dumps(c.to_record()))) == c
        assert "nan" not in c.verdict
        assert c.to_frame()["role"].tolist().count("primary") == 1


def test_times_bring_the_autocorrelation():
    rng = np.random.default_rng(0)
    y = np.zeros(120)
    for t in range(1, 120):
        y[t] = 0.7 * y[t - 1] + rng.standard_normal()
    when = np.datetime64("2024-01-01") + np.arange(120)
    d = pd.DataFrame({"y": y, "g": np.repeat(["a", "b", "c"], 40), "day": when})
    c = perf.compare_groups(d.sample(frac=1, random_state=1), value="y", by="g", when="day")
    assert "autocorrelated" in c.caveat_codes
    assert "autocorrelated" not in perf.compare_groups(d, value="y", by="g").caveat_codes
    assert c.groups[0].lag1 > 0.3


def test_rows_without_a_value_or_a_group_are_counted():
    d = durations()
    d.loc[3, "hours"] = np.nan
    d["team"] = d["team"].astype(object)
    d.loc[5, "team"] = None
    c = perf.compare_groups(d, value="hours", by="team")
    told = next(v for v in c.caveats if v.code == "missing-rows")
    assert told.evidence == {"no_value": 1, "no_group": 1, "rows": 90}
    assert sum(g.n for g in c.groups) == 88


def test_a_few_durations_of_zero_are_left_out_and_said():
    d = durations()
    d.loc[0, "hours"] = 0.0
    c = perf.compare_groups(d, value="hours", by="team", measure=HOURS)
    assert "1 of 90 values are zero or negative" in c.verdict
    assert c.groups[0].n == 30
    d.loc[:9, "hours"] = 0.0
    c = perf.compare_groups(d, value="hours", by="team", measure=HOURS)
    assert c.method.parameters["scale"] == "raw"


def test_categories_keep_their_order_and_numbers_theirs():
    d = durations()
    d["team"] = pd.Categorical(d["team"], categories=["west", "north", "south", "nobody"])
    c = perf.compare_groups(d, value="hours", by="team")
    assert [g.name for g in c.groups] == ["west", "north", "south"]
    d["k"] = np.repeat([10, 9, 2], 30)
    c = perf.compare_groups(d, value="hours", by="k")
    assert [g.name for g in c.groups] == ["2", "9", "10"]


def test_groups_without_variation_have_no_test():
    same = {"y": [1.0] * 9, "g": list("aaabbbccc")}
    for name in METHODS:
        c = perf.compare_groups(same, value="y", by="g", method=name)
        assert c.outcome == "undecided", name
        assert math.isnan(c.primary.p_value), name
    small = {"y": [1.0, 2, 3, 4, 5], "g": list("aabbc")}
    c = perf.compare_groups(small, value="y", by="g")
    assert "zero-variance" in c.caveat_codes
    assert "allow no test" in c.verdict


def test_misuse_is_refused_with_what_would_be_right():
    d = durations()
    d["block"] = np.tile(np.arange(30), 3)
    d["text"] = "x"

    def refused(match, error=perf.InputError, value="hours", by="team", **more):
        with pytest.raises(error, match=match):
            perf.compare_groups(d, value=value, by=by, **more)

    refused("did you mean 'hours'", perf.UnknownNameError, value="hour")
    refused("did you mean 'kruskal'", perf.UnknownNameError, method="kruskall")
    refused("holm", perf.UnknownNameError, adjust="hlm")
    refused("dunn", perf.UnknownNameError, post_hoc="dun")
    refused("does not belong to kruskal", method="kruskal", post_hoc="tukey_hsd")
    refused("only the group 'x'", by="text")
    refused("must hold numbers", value="text")
    refused("needs block=", method="friedman")
    refused("knows no blocks", method="kruskal", block="block")
    refused("needs two factors", method="two_way")
    refused("one factor", method="anova", by=("team", "block"))
    refused("compares proportions", method="chi_square")
    refused("not ranks", method="anova", measure=replace(GRADE, name="hours"))
    refused("one factor, or two", by=("team", "block", "text"))
    refused("named twice", by="hours")
    refused("already names the procedure", method="dunn", post_hoc="none")
    refused("has no options", options={"type": "2"})
    with pytest.raises(perf.InputError, match="table with named columns"):
        perf.compare_groups([1, 2, 3], value="y", by="g")
    with pytest.raises(perf.InputError, match="values in every cell"):
        perf.compare_groups(
            {"y": [1.0, 2, 3, 4, 5, 7], "a": list("xxyyyy"), "b": list("ppppqq")},
            value="y",
            by=("a", "b"),
            options={"type": "3"},
        )
    with pytest.raises(perf.InputError, match="interaction"):
        perf.compare_groups(
            {"y": [1.0, 2, 3, 4], "a": list("xxyy"), "b": list("pqpq")}, value="y", by=("a", "b")
        )
    with pytest.raises(perf.InputError, match="exceeds its size"):
        perf.compare_groups({"x": [3, 9], "n": [5, 5], "g": ["a", "b"]}, value="x", sizes="n", by="g")
    with pytest.raises(perf.InputError, match="several"):
        perf.compare_groups(
            {"y": [1.0, 2, 3, 4, 5], "g": list("aabba"), "b": [1, 2, 1, 2, 1]},
            value="y",
            by="g",
            block="b",
            method="friedman",
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6), st.floats(0.01, 100))
def test_a_change_of_unit_changes_no_test(seed, shift, factor):
    rng = np.random.default_rng(seed)
    y, g = rng.normal(size=24), rng.permutation(np.repeat(["a", "b", "c"], 8))
    for name in ("anova", "welch_anova", "kruskal", "levene"):
        one, two = (
            perf.compare_groups({"y": v, "g": g}, value="y", by="g", method=name, post_hoc="none").primary
            for v in (y, np.round(factor * y, 9) + shift if name == "kruskal" else factor * (y + shift))
        )
        assert two.p_value == pytest.approx(one.p_value, rel=1e-4, abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_two_groups_are_the_tests_of_two_sides(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=9), rng.normal(1, 2, size=12)
    data = {"y": np.r_[x, y], "g": ["a"] * 9 + ["b"] * 12}

    def both(method, two):
        c = perf.compare_groups(data, value="y", by="g", method=method)
        return c.primary.p_value, rows(c), perf.compare(x, y, method=two, order="none", scale="raw").primary

    for method, two in (("anova", "student"), ("welch_anova", "welch"), ("bartlett", "bartlett")):
        p, pairs, e = both(method, two)
        assert p == pytest.approx(e.p_value, rel=1e-8)
        assert (pairs[0].low, pairs[0].high) == pytest.approx((e.low, e.high), rel=1e-6, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjustments_are_ordered(p):
    holm, hochberg, bonferroni, bh = (
        adjusted_p_values(p, method=m) for m in ("holm", "hochberg", "bonferroni", "benjamini_hochberg")
    )
    assert (np.array(p) <= bh + 1e-12).all()
    assert (bh <= hochberg + 1e-12).all()
    assert (hochberg <= holm + 1e-12).all()
    assert (holm <= bonferroni + 1e-12).all()


def test_pairwise_names_its_method_with_the_procedure():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"v": rng.normal(0, 1, 60) + np.repeat([0, 0, 2], 20), "g": np.repeat(list("abc"), 20)}
    )
    short = perf.compare_groups(frame, value="v", by="g", method="pairwise", adjust="holm")
    long = perf.compare_groups(
        frame, value="v", by="g", method="welch_anova", post_hoc="pairwise_welch", adjust="holm"
    )
    assert short.to_frame().equals(long.to_frame())
    assert short.outcome == "detected"
