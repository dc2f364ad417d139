"""Phase I analysis against Montgomery's examples; it proposes, and never excludes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures.phase_one import draw, info

# Montgomery (2013), Introduction to Statistical Quality Control, 7th ed., table 7.1: bad cans of 50.
CANS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11,
    20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
]  # fmt: skip
# The same, table 7.7: nonconformities in samples of 100 printed circuit boards.
BOARDS = [
    21, 24, 16, 12, 15, 5, 28, 20, 31, 25, 20, 24, 16, 19, 10, 17, 13, 22, 18, 39,
    30, 24, 16, 19, 17, 15,
]  # fmt: skip


def test_orange_juice_cans():
    """Section 7.2.1: limits 0.0524 to 0.4102; 15 and 23 out; then 0.0407 to 0.3893, and sample 21 is out."""
    found = perf.phase_one(perf.Series(CANS, sizes=50), chart="p")
    assert (found.point + 1).tolist() == [15, 23, 21]
    assert found.round.tolist() == [1, 1, 2]
    np.testing.assert_allclose(found.round_center[:2], [0.2313, 0.2150], atol=5e-5)
    np.testing.assert_allclose(found.round_upper[:2], [0.4102, 0.3893], atol=5e-5)
    np.testing.assert_allclose(found.round_lower[:2], [0.0524, 0.0407], atol=5e-5)
    assert found.round_excluded.tolist() == [0, 2, 3]
    assert found.round_beyond.tolist() == [2, 1, 0]
    assert found.verdict.startswith(
        "3 of 30 points are proposed for investigation in 2 rounds: the 15th point, the 23rd "
    )


def test_circuit_boards():
    """Section 7.3.1: center 19.85, limits 6.48 to 33.22 (33.21 unrounded); 6, 20 out; then 19.67, 32.97."""
    found = perf.phase_one(BOARDS, chart="c")
    assert (found.point + 1).tolist() == [6, 20]
    assert found.round_center[0] == pytest.approx(516 / 26)
    assert found.round_center[-1] == pytest.approx(472 / 24)
    assert found.round_upper.round(2).tolist() == [33.21, 32.97]
    assert found.round_lower.round(2).tolist() == [6.48, 6.36]


def test_piston_rings_need_no_second_round():
    data = Path(__file__).parents[2] / ".." / "shared" / "data" / "spc" / "pistonrings.csv"
    if not data.exists():
        pytest.skip("the textbook data are not here")
    rows = np.genfromtxt(data, delimiter=",", names=True, dtype=None, encoding="utf-8")
    rings = np.array([float(r["diameter"]) for r in rows])[:125].reshape(25, 5)
    found = perf.phase_one(rings, chart="xbar_s")
    assert len(found.point) == 0
    assert len(found.round_center) == 1
    assert "nothing is proposed" in found.verdict


def test_a_proposal_excludes_nothing_and_a_draft_needs_a_cause():
    series = perf.Series(BOARDS)
    found = perf.phase_one(series, chart="c")
    assert series.exclusions == ()
    with pytest.raises(perf.InputError, match="not excluded yet"):
        perf.control_chart(series, chart="c", exclude=found.drafts)
    for reason, who, day in (
        ("", "A", dt.date(2024, 1, 1)),
        ("x", " ", dt.date(2024, 1, 1)),
        ("x", "A", None),
    ):
        with pytest.raises(perf.InputError):
            found.drafts[0].because(reason, who=who, decided_on=day)
    causes = [
        d.because(c, who="A. Meier", decided_on=dt.date(2024, 5, 2))
        for d, c in zip(found.drafts, ("new inspector", "temperature control"), strict=True)
    ]
    agreed = perf.control_chart(series, chart="c", exclude=causes)
    assert agreed.upper[0, 0] == pytest.approx(found.round_upper[-1])
    assert "exclusion-unattributed" not in agreed.caveat_codes


def test_each_point_alone():
    found = perf.phase_one(BOARDS, chart="c")
    for k, point in enumerate(found.point.tolist()):
        alone = perf.control_chart(BOARDS, chart="c", exclude={point: "on trial"})
        assert found.alone_upper[k] == alone.upper[0, point]
        assert found.alone_signals[k] == alone.n_signals


def test_events_between_the_neighbours_are_candidates():
    when = np.datetime64("2024-01-01") + 7 * np.arange(26)
    events = [
        perf.Event("new inspector", when=dt.date(2024, 2, 7), what="in training"),
        perf.Event("holiday", when=dt.date(2024, 1, 1), until=dt.date(2024, 1, 14), what="closed"),
        perf.Change("oven", when=dt.date(2024, 5, 13), what="solder temperature"),
        perf.Event("long outage", when=dt.date(2024, 4, 1), until=dt.date(2024, 5, 20), what="network"),
    ]
    found = perf.phase_one(perf.Series(BOARDS, when=when, expected_every="week", events=events), chart="c")
    assert found.events == ("new inspector", "oven; long outage")
    assert found.drafts[0].because("x", who="A", decided_on=dt.date(2024, 6, 1)).when == dt.datetime(
        2024, 2, 5
    )
    assert "5 February 2024 and 13 May 2024" in found.verdict
    assert "new inspector" in info(found).words[0]


def test_many_points_are_no_special_points():
    x = np.random.default_rng(6).normal(0, 1, 40)
    x[::5] += 12
    found = perf.phase_one(x, estimate="median_moving_range")
    assert {"many-proposed"} <= set(found.caveat_codes)
    assert (
        next(c for c in found.caveats if c.code == "many-proposed").evidence["proposed"]
        == len(found.point)
        > 4
    )
    two = np.r_[np.random.default_rng(1).normal(0, 1, 20), np.random.default_rng(2).normal(9, 1, 20)]
    shifted = perf.phase_one(two)
    assert {"many-proposed", "not-settled"} <= set(shifted.caveat_codes)
    assert "it is not single points that need a cause" in shifted.verdict


def test_run_rules_are_told_and_propose_nothing():
    x = np.r_[np.tile([9.5, 10.4, 9.7], 8), np.full(9, 10.3)]
    found = perf.phase_one(x, rules="western_electric")
    assert len(found.point) == 0
    assert found.further_signals > 0
    assert "other-signals" in found.caveat_codes


def test_a_lone_moving_range_is_not_a_point():
    x = np.r_[np.random.default_rng(3).normal(0, 1, 30), -2.6, 2.6, np.random.default_rng(4).normal(0, 1, 10)]
    chart = perf.control_chart(x)
    assert chart.fired[1, 31]
    assert not (chart.fired[0] & 1).any()
    assert len(perf.phase_one(x, rules="limits_only").point) == 0


def test_recorded_exclusions_stand():
    x = np.array([*BOARDS], dtype=float)
    series = perf.Series(x, exclusions=[perf.Exclusion("new inspector", point=5)])
    found = perf.phase_one(series, chart="c")
    assert (found.point + 1).tolist() == [20]
    assert found.round_excluded.tolist() == [1, 2]


@pytest.mark.parametrize("chart", ["ewma", "cusum", "moving_average", "run"])
def test_charts_whose_points_depend_on_each_other_are_refused(chart):
    with pytest.raises(perf.InputError, match=f"a {chart} chart"):
        perf.phase_one(BOARDS, chart=chart)


def test_limits_from_elsewhere_are_refused():
    with pytest.raises(perf.InputError, match="from these very points"):
        perf.phase_one(BOARDS, chart="c", estimate={"center": 20})


@pytest.mark.parametrize("values", [[], [1.0], [np.nan] * 5, [3.0, 3.0, 3.0]])
def test_short_or_flat_series_say_so(values):
    found = perf.phase_one(values)
    assert len(found.point) == 0
    assert found.verdict.startswith("No ")


def test_it_is_saved_and_read_back_equal_and_drawn():
    found = perf.phase_one(perf.Series(CANS, sizes=50), chart="p")
    assert perf.PhaseOne.from_record(json.loads(json.dumps(found.to_record()))) == found
    assert len(found.summary()) == 1
    assert len(found.to_frame()) == 3
    calm = perf.phase_one([9, 11, 10, 12, 10, 9, 10, 11, 10, 12])
    assert list(calm.to_frame().columns) == list(found.to_frame().columns)
    figure = draw(found)
    marked = next(t for t in figure["data"] if t.get("name", "").startswith("to look into"))
    assert marked["x"].tolist() == [14, 22, 20]
    assert marked["text"] == ["1", "1", "2"]
    perf.plot(found)
    perf.plot(calm)


def test_each_stage_has_limits_of_its_own():
    rng = np.random.default_rng(4)
    x = np.r_[rng.normal(20, 1, 30), rng.normal(10, 1, 30)]
    x[12], x[44] = 27.0, 17.0
    whole, staged = perf.phase_one(x), perf.phase_one(x, stages=[30])
    assert staged.point.tolist() == [12, 44]
    assert 44 not in whole.point.tolist()
    first = perf.control_chart(x[:30], exclude={12: "c"})
    last = perf.control_chart(x[30:], exclude={14: "c"})
    np.testing.assert_allclose(staged.new_upper[[0, 59]], [first.upper[0, 0], last.upper[0, -1]], rtol=1e-12)
    assert "the limits of the stage from the 31st point would be" in staged.verdict
    early = perf.phase_one(np.r_[x[:44], x[45:]], stages=[30])
    assert early.point.tolist() == [12]
    assert "the limits of the stage from the 1st point would be" in early.verdict
    assert (
        "of its stage" in perf.phase_one(np.r_[np.arange(20) % 3, 9 + np.arange(20) % 3], stages=[20]).verdict
    )
    perf.plot(staged)


def test_skewed_values_are_looked_into_on_their_scale():
    x = np.exp(np.random.default_rng(8).normal(2, 0.8, 60))
    x[40] = 900.0
    found = perf.phase_one(x, transform="log")
    chart = perf.control_chart(x, transform="log")
    beyond = np.flatnonzero((x > chart.upper[0]) | (x < chart.lower[0]))
    assert set(found.point[found.round == 1].tolist()) == set(beyond.tolist()) == {40}
    np.testing.assert_array_equal(found.upper, chart.upper[0])


def test_nothing_but_gaps_can_be_drawn():
    perf.plot(perf.phase_one([np.nan] * 5))
