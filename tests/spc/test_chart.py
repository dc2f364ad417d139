"""control_chart: stages, frozen limits, exclusions, what the result holds, what it says, misuse."""

from __future__ import annotations

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf

HOURS = perf.Measure("resolution_hours", definition="d", unit="hours", better="lower", scale="real")
COLUMNS = [
    "panel", "point", "when", "label", "value", "size", "center", "sigma", "lower", "upper", "stage",
    "excluded", "reason", "rules", "direction",
]  # fmt: skip


def noise(n, seed=1, mean=20.0, sd=2.0):
    return mean + sd * np.random.default_rng(seed).standard_normal(n)


def weeks(n):
    return np.datetime64("2016-01-04") + 7 * np.arange(n)


def test_columns_never_depend_on_arguments():
    plain = perf.control_chart(noise(12))
    rich = perf.control_chart(
        perf.Series([3, 4, 5, 2] * 3, sizes=20, when=weeks(12), labels=list("abcdefghijkl")),
        chart="p",
        stages=[6],
        exclude={2: "test"},
    )
    assert list(plain.to_frame().columns) == COLUMNS == list(rich.to_frame().columns)
    assert list(plain.summary().columns) == list(rich.summary().columns)
    assert len(plain.summary()) == 1
    assert len(plain.to_frame()) == 24
    assert list(plain.signals.columns) == COLUMNS


def test_each_stage_has_its_own_limits_and_nothing_crosses_the_border():
    x = np.concatenate([noise(20), noise(20, 2, 30.0)])
    chart = perf.control_chart(perf.Series(x, when=weeks(40)), stages=[weeks(40)[20]])
    first, second = perf.control_chart(x[:20]), perf.control_chart(x[20:])
    np.testing.assert_allclose(chart.upper[0, :20], first.upper[0], rtol=1e-13)
    np.testing.assert_allclose(chart.upper[0, 20:], second.upper[0], rtol=1e-13)
    assert np.isnan(chart.value[1, 20])
    assert chart.stage.tolist() == [0] * 20 + [1] * 20
    assert chart.limits.first.tolist() == [0, 20]
    assert chart.verdict.startswith("Stable since 23 May 2016: 1 of 20 points signals")
    assert "; before it, stable: none of 20 points signals. Center 29.9, limits" in chart.verdict


@pytest.mark.parametrize(
    "stage",
    [
        20,
        "2016-05-23",
        dt.date(2016, 5, 23),
        dt.datetime(2016, 5, 20),
        np.datetime64("2016-05-23"),
        perf.Change("triage", when=dt.date(2016, 5, 18), what="new triage"),
        perf.Event("triage", when=dt.date(2016, 5, 18), what="new triage"),
    ],
)
def test_what_a_stage_can_be_named_by(stage):
    series = perf.Series(noise(40), when=weeks(40))
    for stages in (stage, [stage]):
        assert perf.control_chart(series, stages=stages).limits.first.tolist() == [0, 20]


def test_a_run_does_not_cross_a_stage():
    given = {"center": 0.0, "sigma": 1.0}
    x = [0.5] * 10
    assert perf.control_chart(x, estimate=given).n_signals == 3
    assert perf.control_chart(x, estimate=given, stages=[5]).n_signals == 0


def test_freezing_equals_the_subset():
    x = noise(50, 3)
    base = perf.control_chart(x[:30])
    frozen = perf.control_chart(x, estimate=base)
    sliced = perf.control_chart(x, estimate=slice(0, 30))
    for chart in (frozen, sliced):
        np.testing.assert_allclose(chart.upper[0], base.upper[0, 0], rtol=1e-13)
        np.testing.assert_allclose(chart.upper[1], base.upper[1, 0], rtol=1e-13)
    assert (frozen.fired[:, :30] == base.fired).all()
    assert perf.control_chart(x, estimate=range(30)).limits.n.tolist() == [30]
    assert perf.control_chart(x, estimate=list(range(30))).fired.tolist() == sliced.fired.tolist()
    saved = perf.Limits.from_record(json.loads(json.dumps(base.limits.to_record())))
    assert perf.control_chart(x, estimate=saved).fired.tolist() == frozen.fired.tolist()
    assert frozen.method.parameters["estimate"] == "frozen"
    assert base.provenance.data_hash in frozen.method.parameters["limits_from"]


def test_frozen_limits_are_those_of_the_last_stage():
    x = np.concatenate([noise(20), noise(20, 2, 30.0)])
    base = perf.control_chart(x, stages=[20])
    assert perf.control_chart(noise(10), estimate=base).center[0, 0] == base.center[0, -1]


def test_chosen_points_and_a_later_stage():
    """Baseline and rebase together: the first stage from chosen points, the second from all of its own."""
    x = np.concatenate([noise(30), noise(20, 2, 30.0)])
    chart = perf.control_chart(x, estimate=slice(0, 15), stages=[30])
    assert chart.limits.n.tolist() == [15, 20]
    assert chart.center[0, 0] == pytest.approx(x[:15].mean())
    assert chart.center[0, -1] == pytest.approx(x[30:].mean())


def test_excluded_points_count_nowhere_and_stay_visible():
    x = noise(25)
    x[10] = 90.0
    record = perf.Exclusion("power failure", point=10, who="A. Meier", decided_on=dt.date(2024, 1, 5))
    chart = perf.control_chart(perf.Series(x, exclusions=[record]))
    kept = np.delete(x, 10)
    assert chart.center[0, 0] == pytest.approx(kept.mean())
    ranges = np.abs(np.diff(x))[[k for k in range(24) if k not in (9, 10)]]
    assert chart.limits.parameters["sigma"][0] == pytest.approx(ranges.mean() * math.sqrt(math.pi) / 2)
    row = chart.to_frame().iloc[10]
    assert (row["value"], row["excluded"], row["reason"], row["rules"]) == (90.0, True, "power failure", "")
    assert np.isnan(chart.value[1, [10, 11]]).all()
    assert "exclusion-unattributed" not in chart.caveat_codes
    assert chart.n_used == 24


def test_an_exclusion_without_who_and_when_is_a_caveat():
    chart = perf.control_chart(noise(25), exclude={3: "test run"})
    caveat = next(c for c in chart.caveats if c.code == "exclusion-unattributed")
    assert caveat.evidence == {"points": 1}


def test_directions():
    x = [0, 0.5, -0.5, 4, 0, -4, 0.2, -0.1]
    given = {"center": 0.0, "sigma": 1.0}

    def words(better):
        measure = perf.Measure("m", definition="d", unit="", better=better, scale="real")
        frame = perf.control_chart(perf.Series(x, measure=measure), estimate=given).to_frame()
        main = frame[frame["panel"] == "individuals"]["direction"]
        return main[3], main[5]

    assert words("higher") == ("improvement", "concern")
    assert words("lower") == ("concern", "improvement")
    assert words("unknown") == words("target") == ("neutral", "neutral")
    moving = perf.control_chart(x, estimate=given).to_frame().query("panel == 'moving range' and rules != ''")
    assert set(moving["direction"]) == {"concern"}


def test_the_direction_of_a_trend_is_its_slope():
    x = [-2.9, -2.2, -1.6, -1.0, -0.6, -0.2]
    measure = perf.Measure("m", definition="d", unit="", better="higher", scale="real")
    chart = perf.control_chart(
        perf.Series(x, measure=measure),
        rules=[perf.NELSON.rules[2]],
        estimate={"center": 0.0, "sigma": 5.0},
    )
    assert chart.direction[0, 5] == "improvement"


def test_results_come_back_from_their_records():
    series = perf.Series(
        noise(30), measure=HOURS, when=weeks(30), labels=[f"w{k}" for k in range(30)], expected_every="week",
        events=[perf.Event("outage", when=dt.date(2016, 3, 1), what="network", where={"group": "a"})],
    )  # fmt: skip
    for chart in (
        perf.control_chart(series, stages=[15], exclude={3: "x"}, rules=perf.NELSON),
        perf.control_chart([]),
        perf.control_chart([1.0]),
        perf.control_chart([2.0, 2.0, 2.0]),
        perf.control_chart(perf.Series([1, 2, 3], sizes=[10, 20, 10]), chart="laney_p"),
    ):
        back = perf.ControlChart.from_record(json.loads(json.dumps(chart.to_record())))
        assert back == chart
        assert back.verdict == chart.verdict
        assert back.limits == chart.limits
        pd.testing.assert_frame_equal(back.to_frame(), chart.to_frame())
        assert "<table" in chart._repr_html_()
        assert chart.verdict in repr(chart)


def test_arrays_are_read_only():
    chart = perf.control_chart(noise(10))
    with pytest.raises(ValueError, match="read-only"):
        chart.upper[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        chart.limits.n[0] = 1


def test_a_pandas_series_brings_its_times():
    series = pd.Series(noise(10), index=pd.date_range("2024-01-01", periods=10), name="hours")
    chart = perf.control_chart(series)
    assert chart.measure.name == "hours"
    assert str(chart.when[0]).startswith("2024-01-01")


@pytest.mark.parametrize(
    ("values", "verdict", "codes"),
    [
        ([], "No chart: the series has no usable point.", ("no-points",)),
        ([math.nan] * 5, "No chart: the series has no usable point.", ("no-points",)),
        ([4.0], "No limits: only one usable point.", ("no-limits", "too-few-points")),
        ([4.0, math.nan, 5.0], "No limits: 2 usable points are not enough.", ("no-limits", "too-few-points")),
        (
            [0.1] * 25,
            "Not judged: the 25 points show no variation (sigma is 0 at 0.100).",
            ("zero-variation",),
        ),
    ],
)
def test_nothing_to_chart(values, verdict, codes):
    chart = perf.control_chart(values)
    assert (chart.verdict, chart.caveat_codes, chart.stable) == (verdict, codes, None)
    assert chart.n_signals == 0
    if len(values) != 25:
        assert np.isnan(chart.upper).all()
    else:
        assert (chart.upper[0] == chart.center[0]).all()


@pytest.mark.parametrize("estimate", ["moving_range", "median_moving_range", "standard_deviation"])
def test_constants_have_no_variation_whatever_the_estimate(estimate):
    chart = perf.control_chart([0.1 + 0.2] * 17, estimate=estimate)
    assert "zero-variation" in chart.caveat_codes
    assert chart.n_signals == 0


def test_a_median_range_of_0_is_no_reason_for_signals():
    """More than half of the moving ranges are 0: this estimate sees no variation, and says so."""
    chart = perf.control_chart([5.0] * 10 + [6.0] * 10, estimate="median_moving_range")
    assert "zero-variation" in chart.caveat_codes
    assert chart.n_signals == 0


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"chart": "individual"}, perf.UnknownNameError, "did you mean 'individuals'"),
        ({"rules": "nelso"}, perf.UnknownNameError, "did you mean 'nelson'"),
        ({"estimate": "moving range"}, perf.UnknownNameError, "did you mean 'moving_range'"),
        ({"estimate": {"center": 1.0}}, perf.InputError, "exactly center, sigma"),
        ({"estimate": {"center": 1.0, "sigma": -1.0}}, perf.InputError, "not negative"),
        ({"estimate": {"center": math.nan, "sigma": 1.0}}, perf.InputError, "finite"),
        ({"estimate": slice(5, 2)}, perf.InputError, "start < stop"),
        ({"estimate": slice(0, 9, 2)}, perf.InputError, "no step"),
        ({"estimate": slice(90, 99)}, perf.InputError, "names no point"),
        ({"estimate": [1.5]}, perf.InputError, "0-based positions"),
        ({"estimate": 3.0}, perf.InputError, "got float"),
        ({"exclude": [3]}, perf.InputError, "only with its cause"),
        ({"exclude": 3}, perf.InputError, "only with its cause"),
        ({"exclude": {3: ""}}, perf.InputError, "only with a reason"),
        ({"exclude": {"3": "x"}}, perf.InputError, "positions as keys"),
        ({"exclude": {99: "x"}}, perf.InputError, "has 12 points"),
        ({"stages": [12]}, perf.InputError, "point 1 to 11"),
        ({"stages": [0]}, perf.InputError, "point 1 to 11"),
        ({"stages": ["2024-01-01"]}, perf.InputError, "has none: give a position"),
        ({"stages": 2.5}, perf.InputError, "positions, dates"),
        ({"sigmas": 0}, perf.InputError, "positive number"),
        ({"sigmas": True}, perf.InputError, "positive number"),
    ],
)
def test_misuse(arguments, error, says):
    with pytest.raises(error, match=says):
        perf.control_chart(noise(12), **arguments)


def test_limits_of_another_chart_are_refused():
    p = perf.control_chart(perf.Series([1, 2, 3], sizes=20), chart="p")
    with pytest.raises(perf.InputError, match="cannot be carried"):
        perf.control_chart(noise(12), estimate=p)
    with pytest.raises(perf.InputError, match="limits are empty"):
        perf.control_chart(noise(12), estimate=perf.control_chart([1.0]))
    with pytest.raises(perf.InputError, match="share between 0 and 1"):
        perf.control_chart(perf.Series([1, 2, 3], sizes=20), chart="p", estimate={"center": 1.2})
    with pytest.raises(perf.InputError, match="points before and after"):
        perf.control_chart(perf.Series(noise(4), when=weeks(4)), stages=["2020-01-01"])
    with pytest.raises(perf.InputError, match="one value a point"):
        perf.control_chart(perf.Series(np.ones((4, 2))))


def test_verdicts_read_well():
    x = noise(49, 5)
    x[11] = 40.0
    series = perf.Series(x, measure=HOURS, when=weeks(49), expected_every="week")
    chart = perf.control_chart(series)
    assert chart.verdict == (
        "Not stable: 2 of 49 weeks signal (0.9 expected by chance, p < 0.001), the first on 21 March 2016, "
        f"above the limits. Center {chart.center[0, 0]:.1f}, limits {chart.lower[0, 0]:.1f} to "
        f"{chart.upper[0, 0]:.1f} hours."
    )
    calm = perf.control_chart(noise(30, 9)).verdict
    assert calm.startswith("Stable: none of 30 points signals. Center ")
    share = perf.control_chart(
        perf.Series([30, 32, 29, 31, 30, 33, 28, 30, 31], sizes=[40, 50] * 4 + [45]), chart="p"
    )
    assert "limits of the newest point" in share.verdict
    assert "%" in share.verdict


def test_the_method_names_every_choice():
    chart = perf.control_chart(noise(30), rules=perf.NELSON, stages=[15])
    said = chart.method.parameters
    assert said["estimate"] == "moving_range"
    assert "no screening" in said["formula"]
    assert said["rules"] == perf.NELSON
    assert said["stages"] == [15]
    assert said["stability_reference"].startswith("moving_range: table")
    other = perf.control_chart(noise(30), rules=perf.NELSON, stages=[16])
    assert other.method.key != chart.method.key


def test_rules_look_at_the_whole_series():
    """One public tool looks at the last 30 points only; another keeps one rule a point."""
    x = np.concatenate([np.full(12, 0.5), np.tile([0.1, -0.1], 100)])
    x[3] = 3.5
    chart = perf.control_chart(x, estimate={"center": 0.0, "sigma": 1.0})
    frame = chart.to_frame()
    assert frame["rules"][3] == "beyond_limits"
    assert frame["rules"][8] == "eight_on_one_side"
    both = perf.control_chart([2.1, 3.5], estimate={"center": 0.0, "sigma": 1.0})
    assert both.to_frame()["rules"][1] == "beyond_limits, two_of_three_beyond_2_sigma"
    assert [r.name for r in both.rules_at(0, 1)] == ["beyond_limits", "two_of_three_beyond_2_sigma"]


def test_the_moving_range_panel_uses_the_limits_only():
    """Moving ranges share points: runs and zones mean nothing there."""
    x = np.cumsum([0.0, *([0.1] * 20)])
    chart = perf.control_chart(x, estimate={"center": 1.0, "sigma": 1.0}, rules=perf.NELSON)
    assert (chart.fired[1] == 0).all()
    assert (chart.fired[0] != 0).any()


def test_nothing_is_dropped_or_screened():
    x = noise(30)
    x[7] = 500.0
    chart = perf.control_chart(x)
    assert chart.center[0, 0] == pytest.approx(x.mean())
    assert chart.limits.parameters["sigma"][0] == pytest.approx(
        np.abs(np.diff(x)).mean() * math.sqrt(math.pi) / 2
    )


def test_points_are_counted_from_one_in_sentences():
    verdict = perf.control_chart([9, 11, 10, 12, 10, 9, 10, 11, 10, 18]).verdict
    assert "at the 10th point, above the limits" in verdict


def test_a_stage_without_limits_is_said():
    verdict = perf.control_chart([1, 2, 3, 2, 1] * 6, stages=(29,)).verdict
    assert verdict.startswith(
        "Not judged since the 30th point: 1 point is too few to tell whether it is stable;"
    )
    assert verdict.endswith("Center 1.00, too few points for limits (1).")


def test_center_and_limits_of_an_np_chart_are_those_of_one_point():
    sizes = [50, 60, 100, 80, 70, 90, 200, 40, 50, 60, 70, 120]
    chart = perf.control_chart(perf.Series([5, 6, 11, 8, 8, 9, 22, 4, 4, 7, 7, 13], sizes=sizes), chart="np")
    assert (
        f"Center of the newest point {chart.center[0, -1]:.1f}, limits of the newest point" in chart.verdict
    )
    assert chart.lower[0, -1] < chart.center[0, -1] < chart.upper[0, -1]


def test_limits_from_few_points_are_uncertain_and_stability_knows():
    # judged as if the limits were known, about 31% of stable series of 100 would be called not stable
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(150):
        y = rng.normal(size=120)
        base = perf.control_chart(y[:20])
        called += perf.control_chart(y[20:], estimate=base).stable is False
    assert called / 150 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
    frozen = perf.control_chart(y[20:], estimate=base)
    assert frozen.method.parameters["limits_points"] == 20
    again = perf.control_chart(y[20:60], estimate=frozen.limits)
    assert again.method.parameters["limits_points"] == 20


def test_a_negative_duration_is_refused():
    measure = perf.Measure("m", definition="d", unit="h", better="lower", scale="duration")
    with pytest.raises(perf.InputError, match="point 1 of m is -2: a duration is not negative"):
        perf.control_chart(perf.Series([1.0, -2, 3], measure=measure))


def test_a_stage_can_be_named_by_an_event_of_the_series():
    change = perf.Change("new triage", when=dt.date(2024, 1, 11), what="w")
    when = np.datetime64("2024-01-01") + np.arange(20)
    series = perf.Series(np.arange(20.0), when=when, events=[change])
    chart = perf.control_chart(series, stages="new triage")
    assert chart.stage.tolist() == [0] * 10 + [1] * 10


def test_too_few_chosen_points_are_said():
    assert perf.control_chart([1.0, 2, 3, 2] * 4, estimate=slice(0, 1)).verdict == (
        "No limits: 1 chosen point of 16 is not enough."
    )


@pytest.mark.parametrize(
    ("given", "chart", "says"),
    [
        ({"center": "a", "sigma": 1}, "individuals", "given parameters are numbers, got 'a'"),
        ({"center": [1, 2], "sigma": 1}, "individuals", r"center of a individuals chart is one number, got"),
        ({"center": [0.1, 0.2]}, "p", "center of a p chart is one number"),
    ],
)
def test_given_parameters_are_single_numbers(given, chart, says):
    with pytest.raises(perf.InputError, match=says):
        perf.control_chart(perf.Series([1.0, 2, 3], sizes=[9.0, 9, 9]), chart=chart, estimate=given)


def test_numbers_of_numpy_are_numbers():
    x = np.random.default_rng(4).normal(size=30)
    ours = perf.control_chart(x, options={"span": 3}, sigmas=2)
    theirs = perf.control_chart(x, options={"span": np.int64(3)}, sigmas=np.int32(2))
    assert ours == theirs
    assert type(theirs.method.parameters["span"]) is int
    for wrong in (True, np.True_, "3", None):
        with pytest.raises(perf.InputError, match="span"):
            perf.control_chart(x, options={"span": wrong})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"series": [5.0], "chart": "c"}, "is too few to tell whether it is stable; it does not signal."),
        ({"series": [5.0, 5], "chart": "run"}, "Not judged: 0 points off the median are too few"),
        ({"series": [5.0, 6, 5], "chart": "run"}, "Not judged: 1 point off the median is too few"),
        ({"series": [5.0, 6, 5], "estimate": [0]}, "No limits: 1 chosen point of 3 is not enough."),
        ({"series": [3.0] * 9, "chart": "cusum"}, "show no variation (sigma is 0 at 3.00)"),
        ({"series": [3.0] * 9, "chart": "cusum", "transform": "log"}, "(sigma is 0 at 3.00)"),
        ({"series": perf.Series([3.0], sizes=[9.0]), "chart": "funnel"}, "Not judged: 1 unit is too few"),
    ],
)  # fmt: skip
def test_verdicts_of_next_to_nothing(given, says):
    assert says in perf.control_chart(**given).verdict


def test_a_negative_position_is_not_excluded():
    with pytest.raises(perf.InputError, match="not negative"):
        perf.control_chart([1, 2, 3, 2, 1, 9], exclude={-1: "the last one"})
