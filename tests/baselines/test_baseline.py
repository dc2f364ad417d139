"""The baseline as a whole: choices, stages, exclusions, objectives, saving, real data, bad input."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.result import Baseline
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Exclusion, Objective, Process
from perfanalytics.core.series import Series
from perfanalytics.spc.chart import control_chart

HOURS = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
REAL = Measure("x", definition="d", unit="mm", better="target", scale="real")
SLA = Measure("sla", definition="d", unit="1", better="higher", scale="proportion")
DAYS = np.datetime64("2024-01-01") + np.arange(500).astype("timedelta64[D]")


def durations(n: int = 120, *, seed: int = 1, **more: object) -> Series:
    values = np.random.default_rng(seed).lognormal(1.5, 0.8, n)
    return Series(values, measure=HOURS, when=DAYS[:n], **more)


def fast(target: float, share: float | None = 0.8, **more: object) -> Objective:
    given = {"measure": "hours", "direction": "at_most", "target": target, "share": share} | more
    return Objective("fast", **given)


def columns(result: Baseline) -> tuple[list[str], list[str]]:
    return list(result.summary()), list(result.to_frame())


SHARES = Series([40, 44, 38, 41, 45, 39, 43, 40, 42, 41], sizes=[50] * 10, measure=SLA, when=DAYS[:10])
OPEN = Series([1.0, 2, 3, 4, 5, 5, 5], censored=[0, 0, 0, 0, 0, 1, 1], measure=HOURS, when=DAYS[:7])
DEFECTS = Measure("defects", definition="d", unit="per unit", better="lower", scale="count")
RATES = Series([3, 5, 2, 4], sizes=[10, 12, 9, 11], measure=DEFECTS)
ALL = {"numbers": durations(), "shares": SHARES, "open": OPEN, "rates": RATES, "bare": [1.0, 2, 3, 4, 9]}


@pytest.mark.parametrize("series", ALL.values(), ids=ALL.keys())
def test_saved_and_read_back_to_the_last_bit(series: object) -> None:
    made = baseline(series, process=Process("desk", version="2"))
    back = Baseline.from_record(json.loads(json.dumps(made.to_record())))
    assert back == made
    assert made.verdict.endswith((".", ")"))
    assert made.summary().shape[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        back.values[0] = 0.0


def test_columns_never_depend_on_the_data() -> None:
    assert len({str(columns(baseline(s))) for s in ALL.values()}) == 1


def test_natural_process_limits_are_those_of_the_chart() -> None:
    values = np.random.default_rng(2).normal(10, 1, 40)
    series = Series(values, measure=REAL, when=DAYS[:40])
    made, chart = baseline(series), control_chart(series)
    assert (made.lower_limit, made.upper_limit) == (chart.limits.lower[0, 0], chart.limits.upper[0, 0])
    assert made.stable == chart.stable
    # moving range by hand: mean +- 3 mR / (2 / sqrt(pi))
    spread = 3 * np.abs(np.diff(values)).mean() / (2 / math.sqrt(math.pi))
    assert made.upper_limit == pytest.approx(values.mean() + spread)
    logged = baseline(durations())
    assert logged.lower_limit > 0
    assert logged.lower_limit * logged.upper_limit == pytest.approx(logged["geometric mean"].value ** 2)


def test_dependence_follows_the_times_and_is_named() -> None:
    values = durations().values
    assert baseline(durations()).method.parameters["dependence"] == "ar1"
    assert baseline(values).method.parameters["dependence"] == "independent"
    assert baseline(values, dependence="ar1").dependence == "ar1"


def test_the_limits_of_rates_are_rates() -> None:
    made = baseline(RATES)
    # Laney's u': center all counts over all sizes, limits by the moving ranges of z (medians over the sizes)
    assert made.method.parameters["natural_process_limits"] == "laney_u chart"
    assert made.center_line == pytest.approx(made["rate"].value, rel=1e-12)
    size = np.array([10.0, 12, 9, 11])
    sigma = np.sqrt(14 / 42 / size)
    z = (np.array([3, 5, 2, 4]) / size - 14 / 42) / sigma
    sigma_z = np.abs(np.diff(z)).mean() / (2 / math.sqrt(math.pi))
    assert made.upper_limit == pytest.approx(np.median(14 / 42 + 3 * sigma * sigma_z))
    made = baseline(RATES, chart="individuals")
    rates = np.array([3 / 10, 5 / 12, 2 / 9, 4 / 11])
    spread = 3 * np.abs(np.diff(rates)).mean() / (2 / math.sqrt(math.pi))
    assert made.upper_limit == pytest.approx(rates.mean() + spread)
    assert made.lower_limit == 0.0
    assert made["rate"].value == pytest.approx(14 / 42)


def test_an_unstable_process_says_so() -> None:
    values = np.concatenate([np.random.default_rng(3).normal(10, 1, 40), np.full(5, 20.0)])
    made = baseline(Series(values, measure=REAL))
    assert made.stable is False
    assert "not-stable" in made.caveat_codes
    assert "not stable" in made.verdict


def test_the_last_stage_is_described() -> None:
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(10, 1, 40), rng.normal(14, 1, 30)])
    series = Series(values, measure=REAL, when=DAYS[:70])
    staged = baseline(series, stages=[40])
    alone = baseline(series.take(40))
    assert staged.n == 30
    assert staged.stable == alone.stable
    assert (staged.estimate == alone.estimate).all()
    assert (staged.lower_limit, staged.upper_limit) == (alone.lower_limit, alone.upper_limit)
    assert staged.first == DAYS[40]
    assert baseline(series).stable is False


def test_exclusions_are_counted_and_not_used() -> None:
    values = durations().values.copy()
    values[[3, 90]] = 5000.0
    why = [Exclusion("power failure", point=3), Exclusion("power failure", point=90)]
    series = Series(values, measure=HOURS, when=DAYS[:120], exclusions=why[:1])
    made = baseline(series, exclude=why[1:])
    assert (made.n, made.n_excluded, made.n_missing) == (118, 2, 0)
    assert made.values.max() < 5000
    staged = baseline(series, exclude=why[1:], stages=[20])
    assert (staged.n, staged.n_excluded) == (99, 1)
    assert staged.upper_limit < 5000


def test_gaps_are_counted() -> None:
    made = baseline(Series([1.0, math.nan, 2, 3, math.nan, 4], measure=REAL))
    assert (made.n, made.n_missing, made.n_excluded) == (4, 2, 0)
    assert made["mean"].value == 2.5


def test_a_period_without_denominator_is_a_gap() -> None:
    made = baseline(Series([8, 0, 9, 7], sizes=[10, 0, 10, 10], measure=SLA))
    assert (made.n, made.n_missing, made.n_excluded) == (3, 1, 0)
    assert made["share"].value == pytest.approx(24 / 30)


def test_weights_are_not_used_and_that_is_said() -> None:
    assert "weights-ignored" in baseline(Series([1.0, 2, 3], weights=[1, 5, 1], measure=REAL)).caveat_codes


def test_an_objective_about_items() -> None:
    series = durations()
    met = baseline(series, objective=fast(40))
    missed = baseline(series, objective=fast(3))
    unclear = baseline(series, objective=fast(float(np.quantile(series.values, 0.8))))
    assert (met.standing, missed.standing, unclear.standing) == ("met", "missed", "undecided")
    assert "so it is met" in met.verdict
    share = met["share meeting the objective"]
    assert share.value == np.mean(series.values <= 40)
    assert share.interval is not None
    assert share.interval.low < share.value <= share.interval.high
    unnamed = baseline(series, objective=fast(10, None))
    assert unnamed.standing is None
    assert "of items meet it" in unnamed.verdict
    upside = Objective("big", measure="hours", direction="at_least", target=3, share=0.5)
    assert baseline(series, objective=upside)["share meeting the objective"].value == np.mean(
        series.values >= 3
    )


def test_an_objective_about_a_statistic() -> None:
    values = np.random.default_rng(5).normal(10, 1, 100)
    series = Series(values, measure=REAL)
    for statistic in ("mean", "median", "p90"):
        goal = Objective("o", measure="x", direction="at_most", target=13.5, statistic=statistic)
        assert baseline(series, objective=goal).standing == "met"
    goal = Objective("o", measure="x", direction="at_least", target=11, statistic="mean")
    assert baseline(series, objective=goal).standing == "missed"
    goal = Objective("o", measure="sla", direction="at_least", target=0.7, statistic="share")
    made = baseline(SHARES, objective=goal)
    assert made.standing == "met"
    assert "at least 70%" in made.verdict


def test_an_objective_with_open_items() -> None:
    made = baseline(OPEN, objective=fast(4, 0.9))
    assert made["share meeting the objective"].value == pytest.approx(4 / 7)
    assert baseline(OPEN, objective=fast(50, 0.9)).standing == "undecided"


def test_an_objective_declared_after_the_data() -> None:
    late = baseline(durations(), objective=fast(9, declared_on=dt.date(2025, 1, 1)))
    assert "objective-declared-later" in late.caveat_codes
    early = baseline(durations(), objective=fast(9, declared_on=dt.date(2024, 1, 1)))
    assert "objective-declared-later" not in early.caveat_codes


def test_open_items_are_not_dropped() -> None:
    made = baseline(OPEN)
    assert (made.n, made.n_censored) == (7, 2)
    assert "censored" in made.caveat_codes
    assert math.isnan(made["mean"].value)
    assert made["median"].value == 4.0
    dropped = baseline(Series([1.0, 2, 3, 4, 5], measure=HOURS))
    assert made["median"].value > dropped["median"].value


def test_items_coded_0_and_1_are_not_charted() -> None:
    items = Series((np.random.default_rng(1).random(60) < 0.7).astype(float), measure=SLA)
    made = baseline(items)
    assert made.stable is None
    assert "stability-unknown" in made.caveat_codes
    assert math.isnan(made.lower_limit)
    with pytest.raises(InputError, match="aggregate"):
        baseline(items, stages=[30])


def test_one_value_and_two() -> None:
    one = baseline([4.0])
    assert math.isnan(one["sd"].value)
    assert one["mean"].interval is None
    assert "too-few-points" in one.caveat_codes
    two = baseline([4.0, 6.0])
    assert two["mean"].value == 5.0
    # t with one degree of freedom
    assert two["mean"].interval is not None
    assert two["mean"].interval.high == pytest.approx(5 + 12.7062047364)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.5, 200), min_size=2, max_size=80), st.floats(0.1, 40))
def test_another_unit_only_rescales(values: list[float], factor: float) -> None:
    x = np.array(values)
    one = baseline(Series(x, measure=HOURS))
    other = baseline(Series(x * factor, measure=HOURS))
    scaled = [k for k, u in enumerate(one.unit) if u == "hours"]
    expected = one.estimate[scaled] * factor
    np.testing.assert_allclose(other.estimate[scaled], expected, rtol=1e-6, atol=1e-9 * factor)


def test_misuse_is_told() -> None:
    good = durations()
    for bad in (0.0, 1.0, 95):
        with pytest.raises(InputError, match="between 0 and 1"):
            baseline(good, coverage=bad)
    with pytest.raises(UnknownNameError, match="ar1"):
        baseline(good, dependence="ar(1)")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at least 1"):
        baseline(good, m=0)
    with pytest.raises(InputError, match="no value"):
        baseline([math.nan, math.nan])
    with pytest.raises(InputError, match="no value"):
        baseline([])
    with pytest.raises(InputError, match="one column"):
        baseline(np.zeros((4, 2)))
    with pytest.raises(InputError, match="negative"):
        baseline(Series([1.0, -2.0], measure=HOURS))
    with pytest.raises(InputError, match="is about 'other'"):
        baseline(good, objective=fast(9, measure="other"))
    with pytest.raises(UnknownNameError, match="mean"):
        baseline(good, objective=fast(9, statistic="maen"))
    with pytest.raises(InputError, match="still open"):
        baseline(Series([1.0, 2.0], censored=[True, True], measure=HOURS))
    with pytest.raises(InputError, match="not both"):
        baseline(Series([1.0, 2.0], censored=[True, False], sizes=[5, 5], measure=SLA))
    with pytest.raises(UnknownNameError, match="individuals"):
        baseline(good, chart="individual")
    with pytest.raises(UnknownNameError, match="p90"):
        baseline(good)["p91"]


def test_nhs_attendances(real_data: Path) -> None:
    """National four-hour attainment: a huge denominator must not make a huge certainty."""
    import pandas as pd

    frame = pd.read_csv(real_data / "nhs_ae_attendances.csv.gz", parse_dates=["period"])
    national = frame[frame["type"] == "1"].groupby("period")[["attendances", "breaches"]].sum()
    measure = Measure("within_4h", definition="d", unit="1", better="higher", scale="proportion")
    series = Series(
        (national["attendances"] - national["breaches"]).to_numpy(dtype=float),
        sizes=national["attendances"].to_numpy(dtype=float),
        when=national.index.to_numpy(),
        measure=measure,
    )
    made, naive = baseline(series), baseline(series, dependence="independent")
    assert made.n == 36
    assert made["share"].value == pytest.approx(
        1 - national["breaches"].sum() / national["attendances"].sum()
    )
    assert "overdispersed" in made.caveat_codes
    wide, narrow = made["share"].interval, naive["share"].interval
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > 20 * (narrow.high - narrow.low)


def test_real_cycle_times(real_data: Path) -> None:
    """7digital: cycle times in days, skewed, 0 days among them or not, never a negative limit."""
    import pandas as pd

    frame = pd.read_csv(real_data / "features_7digital.csv.gz")
    mmf = frame[frame["Type"] == "MMF"].dropna(subset=["Cycle.Time"])
    done = pd.to_datetime(mmf["Done"], format="%d/%m/%Y")
    mmf = mmf.assign(done=done).sort_values("done", kind="stable")
    days = Measure("cycle_time", definition="d", unit="days", better="lower", scale="duration")
    series = Series(mmf["Cycle.Time"].to_numpy(dtype=float), when=mmf["done"].to_numpy(), measure=days)
    made = baseline(series)
    assert made.n == len(mmf)
    assert made["median"].value == float(np.median(mmf["Cycle.Time"]))
    assert not (made.low < 0).any()
    assert made.stable is False


def test_few_values_are_not_put_into_sentences_about_nine_in_ten() -> None:
    for values in ([3.0], [3.0, 4.0], [1.0, 2.0, 3.0, 4.0]):
        verdict = baseline(values).verdict
        assert "too few to say what the process does" in verdict
        assert "half of" not in verdict
    assert "nine in ten" not in baseline([1.0, 2, 3, 4, 5, 6]).verdict
    assert "nine in ten" in baseline([1.0, 2, 3, 4, 5, 6, 4, 3, 2, 4]).verdict


def test_an_ordinal_scale_has_percentiles_and_no_means() -> None:
    rating = Measure("rating", definition="1 to 5", unit="", better="higher", scale="ordinal")
    made = baseline(Series([1, 2, 3, 4, 5, 4, 3, 2] * 4, measure=rating))
    for name in ("mean", "sd", "iqr", "mad", "next item", "mean of the next m", "tolerance interval"):
        row = made.to_frame().set_index("quantity").loc[name]
        assert math.isnan(row["estimate"])
        assert row["method"] == "not computed: an ordinal scale has no distances"
    assert [made[f"p{p}"].value for p in (10, 50, 90)] == [1.0, 3.0, 5.0]  # values that occur
    assert made["tolerance interval, distribution-free"].value == 3.0
    assert math.isnan(made.center_line)
    assert math.isnan(made.upper_limit)
    assert "ordinal-scale" in made.caveat_codes
    assert "half of 32 values are at least 3, nine in ten at least 1." in made.verdict
    assert made.summary().loc[0, "center"] == 3.0
    goal = Objective("good", measure="rating", statistic="mean", target=3, direction="at_least")
    made = baseline(Series([1, 2, 3, 4, 5, 4, 3, 2] * 4, measure=rating), objective=goal)
    assert made.standing == "undecided"
    assert "an ordinal scale has no distances, so nobody can say" in made.verdict


def test_limits_of_ages_so_far_are_withheld() -> None:
    made = baseline(OPEN)
    row = made.to_frame().set_index("quantity").loc["natural process limits"]
    assert row["method"] == "withheld: some values are only the age so far"
    assert np.isnan([made.lower_limit, made.center_line, made.upper_limit, row["low"]]).all()


def test_the_dependence_and_who_chose_it() -> None:
    rng = np.random.default_rng(2)
    y = np.zeros(80)
    for t in range(1, 80):
        y[t] = 0.7 * y[t - 1] + rng.standard_normal()
    when = np.datetime64("2024-01-01") + np.arange(80)
    bare, asked, timed = baseline(y), baseline(y, dependence="independent"), baseline(Series(y, when=when))
    texts = [next(c.text for c in b.caveats if c.code == "dependence-ignored") for b in (bare, asked)]
    assert "asked for" not in texts[0]
    assert "Give when=, or dependence='ar1'." in texts[0]
    assert "independence was asked for" in texts[1]
    because = [b.method.parameters["dependence_because"] for b in (bare, asked, timed)]
    assert because[0].startswith("default without times")
    assert because[1:] == ["asked for", "default for a series with times"]
    assert timed.dependence == "ar1"
    assert bare["mean"] == asked["mean"]


def test_means_of_periods_from_the_repository_are_numbers_not_shares() -> None:
    """repo.series(every=..., statistic="mean") brings the number of items as sizes."""
    hours = Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
    weekly = Series(
        [30.5, 28.0, 33.2, 31.0, 29.5], sizes=[9] * 5, measure=hours, selection={"statistic": "mean"}
    )
    assert baseline(weekly).values_are == "numbers"
    count = Measure("defects", definition="d", unit="1", better="lower", scale="count")
    rates = Series([0.5, 0.25, 0.75, 0.5], sizes=[4] * 4, measure=count, selection={"statistic": "rate"})
    made = baseline(rates, chart="individuals")
    assert made.values_are == "rates"
    assert made.center_line == pytest.approx(0.5)


def test_numbers_in_sentences_keep_the_digits_that_differ() -> None:
    rng = np.random.default_rng(4)
    verdict = baseline(1e9 + rng.standard_normal(50)).verdict
    half, most = re.search(r"at most (\S+), nine in ten at most (\S+);", verdict).groups()  # type: ignore[union-attr]
    assert half != most
    assert "e12" in baseline(1e12 * (5 + rng.standard_normal(50))).verdict


def test_values_that_are_all_equal_are_said_to_be() -> None:
    assert baseline([5.0] * 30).verdict == "values: all 30 values are 5."
