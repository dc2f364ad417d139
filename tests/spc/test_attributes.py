"""p and Laney p' against published numbers and R (tests/reference/control_charts.R)."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf

# Montgomery (2013), table 7.1: nonconforming orange juice cans in samples of 50
CANS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22,
    8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
]  # fmt: skip
LATER = [9, 6, 12, 5, 6, 4, 6, 3, 7, 6, 2, 4, 3, 6, 5, 4, 8, 5, 6, 7, 5, 6, 3, 5]
# tests/reference/control_charts.R
COUNT = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22]
SIZE = [50, 60, 45, 50, 40, 55, 62, 48, 50, 51, 39, 44, 70, 50, 66]


def limits(chart):
    row = chart.limits.to_frame().iloc[-1]
    return round(row["center"], 4), round(row["lower"], 4), round(row["upper"], 4)


def test_orange_juice():
    """Montgomery: 0.2313, limits 0.0524 and 0.4102; samples 15 and 23 beyond."""
    chart = perf.control_chart(perf.Series(CANS, sizes=50), chart="p")
    assert limits(chart) == (0.2313, 0.0524, 0.4102)
    frame = chart.to_frame()
    beyond = frame[frame["rules"].str.contains("beyond_limits")]
    assert (beyond["point"] + 1).tolist() == [15, 23]


def test_orange_juice_without_the_explained_samples():
    """Montgomery: 0.2150, limits 0.0407 and 0.3893; sample 21 is beyond then. The others stay visible."""
    series = perf.Series(CANS, sizes=50)
    chart = perf.control_chart(series, chart="p", exclude={14: "another batch of board", 22: "new operator"})
    assert limits(chart) == (0.2150, 0.0407, 0.3893)
    frame = chart.to_frame()
    beyond = frame[frame["rules"].str.contains("beyond_limits")]
    assert (beyond["point"] + 1).tolist() == [21]
    hidden = frame[frame["excluded"]]
    assert hidden["reason"].tolist() == ["another batch of board", "new operator"]
    assert hidden["value"].tolist() == [0.44, 0.48]
    assert hidden["upper"].notna().all()
    assert (hidden["rules"] == "").all()


def test_frozen_limits_get_the_new_denominators():
    """Limits of the 28 samples, carried onto the later ones: of 50 as in the book, and of other sizes."""
    base = perf.control_chart(
        perf.Series(CANS, sizes=50), chart="p", exclude={14: "another batch of board", 22: "new operator"}
    )
    later = perf.control_chart(perf.Series(LATER, sizes=50), chart="p", estimate=base)
    assert limits(later) == (0.2150, 0.0407, 0.3893)
    assert "beyond_limits" in later.signals["rules"].iloc[0] or later.n_signals > 0
    sizes = np.array([50.0, 100.0, 200.0])
    other = perf.control_chart(perf.Series([9, 25, 40], sizes=sizes), chart="p", estimate=base.limits)
    p = 301 / 1400
    np.testing.assert_allclose(other.upper[0], p + 3 * np.sqrt(p * (1 - p) / sizes), rtol=1e-14)


def test_unequal_sizes_against_r():
    series = perf.Series(COUNT, sizes=SIZE)
    p = perf.control_chart(series, chart="p")
    laney = perf.control_chart(series, chart="laney_p")
    assert p.center[0, 0] == pytest.approx(0.214102564103, rel=1e-11)
    np.testing.assert_allclose(
        p.upper[0, [0, 4, 14]], [0.388134969437, 0.40867670841, 0.365578330007], rtol=1e-11
    )
    np.testing.assert_allclose(
        p.lower[0, [0, 4, 14]], [0.0400701587681, 0.0195284197947, 0.0626267981978], rtol=1e-10
    )
    assert laney.limits.parameters["sigma_z"][0] == pytest.approx(0.965036831959, rel=1e-11)
    np.testing.assert_allclose(
        laney.upper[0, [0, 4, 14]], [0.382050245205, 0.401873779907, 0.36028225735], rtol=1e-11
    )
    np.testing.assert_allclose(
        laney.lower[0, [0, 4, 14]], [0.0461548830003, 0.0263313482985, 0.0679228708552], rtol=1e-10
    )


def test_the_center_is_weighted_by_size():
    chart = perf.control_chart(perf.Series([1, 90], sizes=[10, 100]), chart="p")
    assert chart.center[0, 0] == pytest.approx(91 / 110)


def test_counts_and_shares_are_the_same_chart():
    counts = perf.control_chart(perf.Series(COUNT, sizes=SIZE), chart="p")
    shares = perf.control_chart(perf.Series(np.divide(COUNT, SIZE), sizes=SIZE), chart="p")
    np.testing.assert_allclose(counts.upper, shares.upper, rtol=1e-13)
    assert counts.method.parameters["values_read_as"] == "counts"
    assert shares.method.parameters["values_read_as"] == "shares"


def test_limits_stay_between_0_and_1():
    chart = perf.control_chart(perf.Series([1, 0, 9, 10, 10, 9], sizes=[10, 10, 10, 10, 10, 12]), chart="p")
    assert chart.upper.max() == 1.0
    assert chart.center[0, 0] + 3 * chart.sigma[0, 0] > 1
    low = perf.control_chart(perf.Series([1, 0, 1, 0], sizes=10), chart="p")
    assert low.lower.max() == 0.0


def test_zone_rules_use_each_points_own_sigma():
    """Tools that compare the window with the last point's limit go wrong here: the sizes differ tenfold."""
    given = {"center": 0.5}
    sizes = [1000, 10, 1000]
    # 2.2 sigma of its own each; with the last point's sigma the middle one would be far beyond 3
    z = np.array([2.2, 2.2, 0.0])
    shares = 0.5 + z * np.sqrt(0.25 / np.array(sizes))
    chart = perf.control_chart(perf.Series(shares, sizes=sizes), chart="p", estimate=given)
    assert chart.to_frame()["rules"].tolist() == ["", "two_of_three_beyond_2_sigma", ""]


def test_p_never_turns_into_laney():
    rng = np.random.default_rng(4)
    p = np.clip(0.3 + 0.1 * rng.standard_normal(40), 0.02, 0.98)
    series = perf.Series(rng.binomial(400, p), sizes=400)
    chart = perf.control_chart(series, chart="p")
    caveat = next(c for c in chart.caveats if c.code == "overdispersed")
    laney = perf.control_chart(series, chart="laney_p")
    assert chart.chart == "p"
    assert caveat.evidence["sigma_z"] == pytest.approx(laney.limits.parameters["sigma_z"][0], rel=1e-12)
    assert caveat.evidence["sigma_z"] > 2
    np.testing.assert_allclose(
        laney.upper - laney.center, (chart.upper - chart.center) * caveat.evidence["sigma_z"], rtol=1e-12
    )


def test_points_without_a_denominator_are_gaps():
    chart = perf.control_chart(perf.Series([5, 0, 6, 4], sizes=[20, 0, 20, 20]), chart="p")
    assert np.isnan(chart.value[0, 1])
    assert chart.center[0, 0] == pytest.approx(15 / 60)
    assert np.isfinite(chart.upper[0, [0, 2, 3]]).all()


def test_misuse():
    with pytest.raises(perf.InputError, match="exceeds its size"):
        perf.control_chart(perf.Series([60, 10], sizes=50), chart="p")
    with pytest.raises(perf.InputError, match="denominators"):
        perf.control_chart([12, 15, 8], chart="p")


# Montgomery (2013), table 7.7: nonconformities in samples of 100 circuit boards
BOARDS = [
    21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16, 19, 10, 17, 13, 22, 18, 39, 30, 24, 16, 19, 17, 15,
]  # fmt: skip
# Montgomery (2013), table 7.10: nonconformities in samples of 5 computers
COMPUTERS = [10, 12, 8, 14, 10, 16, 11, 7, 10, 15, 9, 5, 7, 11, 12, 6, 8, 10, 7, 5]
# Montgomery (2013), table 7.11: defects in dyed cloth, inspection units of 50 square meters
CLOTH = [14, 12, 20, 11, 7, 10, 21, 16, 19, 23]
ROLLS = [10, 8, 13, 10, 9.5, 10, 12, 10.5, 12, 12.5]


def test_circuit_boards():
    """Montgomery: 19.85, limits 6.48 and 33.22; samples 6 and 20 beyond; without them 19.67, 6.36, 32.97.

    33.22 is computed from the rounded 19.85; from the exact mean it is 33.21.
    """
    chart = perf.control_chart(BOARDS, chart="c")
    row = chart.limits.to_frame().iloc[0]
    assert (round(row["center"], 2), round(row["lower"], 2), round(row["upper"], 2)) == (19.85, 6.48, 33.21)
    assert (chart.to_frame().query("rules.str.contains('beyond_limits')")["point"] + 1).tolist() == [6, 20]
    row = (
        perf.control_chart(BOARDS, chart="c", exclude={5: "inspector", 19: "furnace"})
        .limits.to_frame()
        .iloc[0]
    )
    assert (round(row["center"], 2), round(row["lower"], 2), round(row["upper"], 2)) == (19.67, 6.36, 32.97)


def test_computers():
    """Montgomery: 1.93, limits 0.07 and 3.79."""
    row = perf.control_chart(perf.Series(COMPUTERS, sizes=5), chart="u").limits.to_frame().iloc[0]
    assert (round(row["center"], 2), round(row["lower"], 2), round(row["upper"], 2)) == (1.93, 0.07, 3.79)


def test_dyed_cloth_of_unequal_length():
    """Montgomery: 153 / 107.5 = 1.42; limits of the first rolls 0.29 to 2.55, 0.16 to 2.69, 0.43 to 2.41."""
    chart = perf.control_chart(perf.Series(CLOTH, sizes=ROLLS), chart="u")
    assert chart.center[0, 0] == pytest.approx(153 / 107.5)
    assert chart.upper[0, :3].round(2).tolist() == [2.56, 2.69, 2.42]
    assert chart.lower[0, :3].round(2).tolist() == [0.29, 0.16, 0.43]
    assert chart.n_signals == 0


def test_np_is_p_times_the_size():
    p = perf.control_chart(perf.Series(COUNT, sizes=SIZE), chart="p")
    n = perf.control_chart(perf.Series(COUNT, sizes=SIZE), chart="np")
    np.testing.assert_allclose(n.upper, p.upper * np.array(SIZE), rtol=1e-13)
    assert (n.fired == p.fired).all()
    assert n.value[0].tolist() == COUNT
    few = perf.control_chart(perf.Series([9, 10, 10, 9], sizes=10), chart="np")
    assert few.upper.max() == 10.0
    row = perf.control_chart(perf.Series(CANS, sizes=50), chart="np").limits.to_frame().iloc[0]
    assert (round(row["center"], 2), round(row["lower"], 2), round(row["upper"], 2)) == (11.57, 2.62, 20.51)


def test_laney_u_widens_the_u_chart_by_sigma_z():
    rng = np.random.default_rng(6)
    sizes = rng.uniform(50, 90, 40)
    series = perf.Series(rng.poisson(sizes * rng.gamma(20, 0.1, 40)), sizes=sizes)
    u, laney = (perf.control_chart(series, chart=c) for c in ("u", "laney_u"))
    z = ((u.value - u.center) / u.sigma)[0]
    sigma_z = np.abs(np.diff(z)).mean() * np.sqrt(np.pi) / 2
    assert laney.limits.parameters["sigma_z"][0] == pytest.approx(sigma_z, rel=1e-12)
    np.testing.assert_allclose(laney.upper - laney.center, (u.upper - u.center) * sigma_z, rtol=1e-12)
    assert "overdispersed" in u.caveat_codes


def test_more_defects_than_units_are_fine_on_a_u_chart():
    chart = perf.control_chart(perf.Series([30, 25, 41], sizes=[10, 10, 12]), chart="u")
    assert chart.center[0, 0] == pytest.approx(96 / 32)


def test_misuse_of_counts():
    with pytest.raises(perf.InputError, match="whole counts"):
        perf.control_chart([1.5, 2.0], chart="c")
    with pytest.raises(perf.InputError, match="a u chart takes counts of unequal"):
        perf.control_chart(perf.Series([1, 2], sizes=[3, 4]), chart="c")
    with pytest.raises(perf.InputError, match="give sizes="):
        perf.control_chart([1, 2], chart="u")
    with pytest.raises(perf.InputError, match="not negative"):
        perf.control_chart([1, 2], chart="c", estimate={"center": -1.0})
