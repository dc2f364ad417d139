"""The parts of a review that compute: predictions of objectives, trade-offs, conflicts, risks, checks."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.plot import figure_dict
from perfanalytics.practices.qwm.work_review import work_review
from perfanalytics.practices.qwm.work_review_conflicts import _joint
from perfanalytics.practices.qwm.work_review_later_sections import overdue_days, state_on
from perfanalytics.practices.qwm.work_review_rows import Kept, Material, NotDone

DAY = dt.date(2024, 6, 30)
HOURS = perf.Measure("hours", definition="Hours", unit="hours", better="lower", scale="duration")
SCORE = perf.Measure("score", definition="Score", unit="points", better="higher", scale="real")


def series(values: Any, measure: perf.Measure = HOURS, **more: Any) -> perf.Series:
    """A value a day, from 1 June 2024."""
    when = np.datetime64("2024-06-01") + np.arange(len(values))
    return perf.Series(np.asarray(values, dtype=float), measure=measure, when=when, **more)


def goal(**more: Any) -> perf.Objective:
    given: dict[str, Any] = {"measure": "hours", "target": 10, "direction": "at_most", "share": 0.5}
    return perf.Objective("goal", **(given | more))


def again(result: perf.Result) -> None:
    """A result survives its way through JSON."""
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result


# 12 of 20 meet the target, neighbours differ rather than not: no design effect
MEETS = np.where(np.tile([1, 0, 1, 0, 1], 4) == 1, 5.0, 20.0)


class TestPredictObjective:
    def test_share_is_beta_binomial(self) -> None:
        # tests/reference/work_review.R
        made = perf.predict_objective(series(MEETS), goal(by=dt.date(2024, 7, 20)))
        assert (made.n_observed, made.n_ahead, made.design_effect) == (20, 30, 1.0)
        assert made.observed == pytest.approx(0.6)
        assert made.probability == pytest.approx(0.8982010018, abs=2e-9)
        assert "met by 2024-07-20 with a probability of 90%" in made.verdict
        again(made)

    def test_without_an_end_it_is_the_level(self) -> None:
        made = perf.predict_objective(series(MEETS), goal())
        assert made.probability == pytest.approx(0.8141836963, abs=1e-9)
        assert made.outcome is None
        assert "no end is declared" in made.verdict

    def test_mean_is_students_t(self) -> None:
        x = [4.1, 6.2, 3.9, 5.8, 4.4, 6.0, 4.2, 5.9, 4.0, 6.1]
        asked = goal(statistic="mean", target=5.2, share=None, by=dt.date(2024, 6, 25))
        made = perf.predict_objective(series(x), asked)
        assert (made.n_observed, made.n_ahead) == (10, 15)
        assert made.probability == pytest.approx(0.7083297612, abs=1e-9)
        assert [made.low, made.high] == pytest.approx([4.503307068, 5.616692932], abs=1e-8)

    @pytest.mark.parametrize(
        ("statistic", "share", "direction"), [("median", 0.5, "at_most"), ("p90", 0.9, "at_most")]
    )
    def test_a_percentile_is_a_share_of_items(self, statistic: str, share: float, direction: str) -> None:
        by = dt.date(2024, 7, 20)
        one = perf.predict_objective(
            series(MEETS), goal(statistic=statistic, share=None, direction=direction, by=by)
        )
        other = perf.predict_objective(series(MEETS), goal(share=share, direction=direction, by=by))
        assert one.probability == other.probability

    def test_a_share_that_shall_be_low(self) -> None:
        reopened = perf.Measure(
            "reopened", definition="Reopened", unit="1", better="lower", scale="proportion"
        )
        ones = series((MEETS < 10).astype(float), reopened)
        asked = goal(measure="reopened", statistic="share", target=0.5, share=None, by=dt.date(2024, 7, 20))
        high = perf.predict_objective(ones, asked)
        # at most 25 of 50: no more than 13 of the 30; at least 25: 13 or more
        low = perf.predict_objective(ones, perf.Objective(
            "g", measure="reopened", statistic="share", target=0.5, direction="at_least",
            by=dt.date(2024, 7, 20),
        ))  # fmt: skip
        assert high.side == "at_most"
        assert high.probability + low.probability > 1  # exactly 25 counts for both
        assert high.probability == pytest.approx(1 - low.probability, abs=0.12)

    def test_neighbours_that_are_alike_count_for_less(self) -> None:
        alike = np.repeat([5.0, 20.0, 5.0, 20.0, 5.0], 4)
        by = dt.date(2024, 7, 20)
        one, other = (perf.predict_objective(series(v), goal(by=by)) for v in (MEETS, alike))
        assert other.design_effect > 1.5
        assert other.observed == one.observed
        assert other.high - other.low > one.high - one.low

    def test_a_period_that_is_over_is_decided(self) -> None:
        met = perf.predict_objective(series(MEETS), goal(by=dt.date(2024, 6, 20)))
        missed = perf.predict_objective(series(MEETS), goal(by=dt.date(2024, 6, 20), share=0.7))
        assert (met.outcome, missed.outcome) == (True, False)
        assert "missed. 60% of 20 items at the end of the period, at least 70% asked for" in missed.verdict

    def test_what_comes_after_the_period_does_not_count(self) -> None:
        longer = series([*MEETS, *[20.0] * 30])
        asked = goal(by=dt.date(2024, 6, 20))
        made = perf.predict_objective(longer, asked, baseline=perf.baseline(longer, objective=asked))
        assert (made.n_observed, made.observed, made.outcome) == (20, pytest.approx(0.6), True)
        # and nothing that was not known on the day
        earlier = perf.predict_objective(longer, goal(by=dt.date(2024, 7, 20)), on=dt.date(2024, 6, 20))
        assert earlier == perf.predict_objective(series(MEETS), goal(by=dt.date(2024, 7, 20)))

    def test_open_items_past_the_target_have_missed_it(self) -> None:
        values, still = MEETS.copy(), np.zeros(20, dtype=bool)
        values[-2:], still[-2:] = [20.0, 3.0], True  # one past the target, one not yet
        made = perf.predict_objective(series(values, censored=still), goal(by=dt.date(2024, 6, 20)))
        assert (made.n_observed, made.n_ahead) == (19, 1)
        assert made.outcome is None
        assert "open-items" in made.caveat_codes

    def test_a_mean_of_open_items_is_not_known(self) -> None:
        still = np.arange(20) == 19
        with pytest.raises(InputError, match="items are still open"):
            perf.predict_objective(series(MEETS, censored=still), goal(statistic="mean", share=None))

    def test_by_a_model_calibrated_or_not(self) -> None:
        rng = np.random.default_rng(3)
        size = rng.uniform(1, 5, 200)
        import pandas as pd

        frame = pd.DataFrame({"hours": np.exp(0.5 * size + rng.normal(0, 0.4, 200)), "size": size})
        model = perf.fit("np.log(hours) ~ size", frame, measure=HOURS)
        own = series(frame["hours"].to_numpy()[:40])
        made = perf.predict_objective(
            own, goal(by=dt.date(2024, 9, 30), share=0.8), model=model, items=frame.head(40), basis=("m", 3)
        )
        expected = model.probability(frame.head(40), at_most=10)["probability"].mean()
        assert made.level == pytest.approx(expected, abs=0.01)
        assert (made.basis, made.basis_name, made.basis_version) == ("calibrated model", "m", 3)

    def test_predictions_come_true_as_often_as_they_say(self) -> None:
        rng = np.random.default_rng(11)
        inside = []
        for _ in range(150):
            values = np.where(rng.random(80) < rng.uniform(0.3, 0.8), 5.0, 20.0)
            then = perf.predict_objective(series(values[:40]), goal(by=dt.date(2024, 8, 19)))
            now = perf.predict_objective(series(values), goal(by=dt.date(2024, 8, 19)))
            checked = perf.check_predictions("A", {"goal": then}, {"goal": now})
            assert checked.n_since.tolist() == [40]
            assert checked.observed_since[0] == pytest.approx(np.mean(values[40:] == 5))
            inside.append(checked.came_true[0] == "yes")
        assert 0.90 <= np.mean(inside) <= 0.995

    @pytest.mark.parametrize(
        ("objective", "error", "said"),
        [
            (goal(share=None), InputError, "which share of them"),
            (goal(statistic="maximum", share=None), UnknownNameError, "maximum"),
            (goal(measure="minutes"), InputError, "the series is 'hours'"),
        ],
    )
    def test_what_cannot_be_predicted(self, objective: perf.Objective, error: type, said: str) -> None:
        with pytest.raises(error, match=said):
            perf.predict_objective(series(MEETS), objective)

    def test_declared_after_the_data(self) -> None:
        made = perf.predict_objective(series(MEETS), goal(declared_on=dt.date(2024, 6, 10)))
        assert "declared-after-data" in made.caveat_codes


A = [3.1, 2.7, 4.4, 5.0, 3.6, 2.2, 4.9, 5.6, 3.3, 4.1, 2.5, 5.2]
B = [81, 77, 84, 90, 80, 79, 86, 95, 83, 82, 75, 88]
FAST = perf.Objective("fast", measure="hours", statistic="mean", target=4, direction="at_most")
GOOD = perf.Objective("good", measure="score", statistic="mean", target=80, direction="at_least")


class TestTradeOff:
    def test_against_r(self) -> None:
        made = perf.trade_off(series(A), series(B, SCORE), objectives=(FAST, GOOD))
        found = [made.correlation, made.n_effective, made.low, made.high]
        expected = [-0.9370629371, 11.8793566417, -0.9866787066, -0.7279558632]
        assert found == pytest.approx(expected, abs=1e-9)
        assert made.trades_off is True
        assert "fast and good trade off" in made.verdict
        assert made.caveat_codes == ("too-few-points", "not-causal")
        again(made)

    def test_the_direction_of_the_objectives_decides(self) -> None:
        slow = perf.Objective("slow", measure="hours", statistic="mean", target=4, direction="at_least")
        made = perf.trade_off(series(A), series(B, SCORE), objectives=(slow, GOOD))
        assert made.correlation == pytest.approx(0.9370629371)
        assert made.trades_off is False

    def test_only_common_periods_count(self) -> None:
        gaps = [*A[:3], math.nan, *A[4:]]
        assert perf.trade_off(series(gaps), series(B[:9], SCORE), objectives=(FAST, GOOD)).n == 8

    def test_too_few(self) -> None:
        with pytest.raises(InputError, match="6 are needed"):
            perf.trade_off(series(A[:5]), series(B[:5], SCORE), objectives=(FAST, GOOD))


def predicted(name: str, probability: float) -> perf.ObjectivePrediction:
    from dataclasses import replace

    asked = goal(by=dt.date(2024, 7, 20))
    made = perf.predict_objective(series(MEETS), asked)
    return replace(made, objective=replace(asked, name=name), probability=probability)


class TestConflicts:
    @pytest.mark.parametrize(
        ("one", "other", "conflict"),
        [
            # (statistic, target, direction, share)
            (("mean", 8, "at_most", None), ("mean", 10, "at_least", None), True),
            (("mean", 10, "at_most", None), ("mean", 8, "at_least", None), False),
            (("mean", 8, "at_most", None), ("mean", 10, "at_most", None), False),
            (("item", 8, "at_most", 0.6), ("item", 10, "at_least", 0.5), True),
            (("item", 8, "at_most", 0.5), ("item", 10, "at_least", 0.5), False),
            (("median", 8, "at_most", None), ("item", 10, "at_least", 0.6), True),
            (("item", 8, "at_most", None), ("item", 10, "at_least", None), True),
        ],
    )
    def test_contradictory_targets(
        self, one: tuple[Any, ...], other: tuple[Any, ...], conflict: bool
    ) -> None:
        goals = [
            perf.Objective(name, measure="hours", statistic=s, target=t, direction=d, share=share)
            for name, (s, t, d, share) in (("a", one), ("b", other))
        ]
        made = perf.objective_conflicts("A", goals, predictions={}, on=DAY)
        assert ("yes" in made.conflict.tolist()) is conflict
        assert ("objectives-conflict" in made.caveat_codes) is conflict
        again(made)

    def test_joint_probability_against_r(self) -> None:
        # pmvnorm of mvtnorm; ours is drawn (standard error 0.0011)
        matrix = np.eye(3)
        matrix[0, 1] = matrix[1, 0] = 2 * math.sin(math.pi * -0.5 / 6)
        matrix[0, 2] = matrix[2, 0] = 2 * math.sin(math.pi * 0.3 / 6)
        assert _joint(np.array([0.9, 0.8, 0.85]), matrix) == pytest.approx(0.61179427, abs=0.003)

    def test_each_probable_enough_together_not(self) -> None:
        goals = [
            goal(),
            perf.Objective("other", measure="score", statistic="mean", target=1, direction="at_least"),
        ]
        found = {"goal": predicted("goal", 0.8), "other": predicted("other", 0.8)}
        made = perf.objective_conflicts("A", goals, predictions=found, least_probability=0.7, on=DAY)
        assert made.conflict.tolist() == ["yes"]
        assert made.number[0] == pytest.approx(0.64)
        assert (made.low[0], made.high[0]) == pytest.approx((0.6, 0.8))
        assert "each by itself is above the 70% declared" in made.verdict

    def test_a_trade_off_makes_it_less_probable(self) -> None:
        goals = [FAST, GOOD]
        found = {"fast": predicted("fast", 0.8), "good": predicted("good", 0.8)}
        pulls = perf.trade_off(series(A), series(B, SCORE), objectives=(FAST, GOOD))
        made = perf.objective_conflicts("A", goals, predictions=found, trade_offs=[pulls], on=DAY)
        assert made.what.tolist() == ["trade-off", "met together"]
        assert made.conflict.tolist() == ["yes", ""]
        assert 0.6 <= made.number[1] < 0.63  # near the lower bound, 0.64 when independent


class TestRisks:
    def test_probability_and_cost(self) -> None:
        noted = [
            perf.Risk("judged", what="x", probability=0.25, cost=1000, owner="L", response="r"),
            perf.Risk("by prediction", what="x", objective="goal", cost=400, owner="L", response="r"),
            perf.Risk("bare", what="x"),
            perf.Risk("past", what="x", probability=1, cost=9, state="occurred"),
        ]
        found = {"goal": predicted("goal", 0.9), "other": predicted("other", 0.6)}
        made = perf.risk_register("A", noted, found, on=DAY)
        assert made.risk.tolist() == ["judged", "by prediction", "Missing: other", "bare", "past"]
        assert made.expected_cost[:2].tolist() == pytest.approx([250, 40])
        assert made.probability[2] == pytest.approx(0.4)
        assert made.origin.tolist() == ["recorded", "recorded", "computed", "recorded", "recorded"]
        assert made.caveat_codes == (
            "risk-without-owner", "risk-without-response", "risk-without-probability", "risk-without-cost",
        )  # fmt: skip
        assert made.summary()["expected_cost"].iloc[0] == pytest.approx(290)
        again(made)

    def test_the_matrix_names_what_it_cannot_place(self) -> None:
        noted = [perf.Risk("judged", what="x", probability=0.25, cost=10), perf.Risk("bare", what="x")]
        made = perf.risk_register("A", noted, {}, on=DAY)
        drawn = figure_dict(made)
        texts = [a["text"] for a in drawn["layout"]["annotations"]]
        assert texts == ["1  judged (25%)", "no probability: bare"]
        assert (drawn["data"][0]["x"].tolist(), drawn["data"][0]["y"].tolist()) == ([0.25], [3.0])

    def test_nothing(self) -> None:
        assert "No open risk" in perf.risk_register("A", [], {}, on=DAY).verdict


class TestFigures:
    def test_a_prediction_shows_each_part_against_what_is_asked_for(self) -> None:
        drawn = figure_dict(perf.predict_objective(series(MEETS), goal(by=dt.date(2024, 7, 20))))
        assert drawn["layout"]["yaxis"]["ticktext"] == [
            "so far (20)",
            "items ahead (30)",
            "whole period (50)",
        ]
        assert drawn["layout"]["shapes"][0]["x0"] == 0.5
        assert drawn["layout"]["title"]["text"] == "goal: 30 items ahead"
        assert drawn["layout"]["xaxis"]["title"]["text"] == "share of items with hours at most 10 hours"

    def test_without_an_end_the_level_is_shown(self) -> None:
        drawn = figure_dict(perf.predict_objective(series(MEETS), goal()))
        assert drawn["layout"]["yaxis"]["ticktext"] == ["so far (20)", "level of the process"]

    def test_a_trade_off_shows_a_point_a_period(self) -> None:
        drawn = figure_dict(perf.trade_off(series(A), series(B, SCORE), objectives=(FAST, GOOD)))
        assert drawn["data"][0]["x"].tolist() == A
        assert [s["x0"] for s in drawn["layout"]["shapes"]] == [4, 0]
        assert drawn["layout"]["xaxis"]["title"]["text"] == "hours; to the left is better"

    def test_a_review_shows_the_probability_against_the_threshold(self) -> None:
        asked = goal(by=dt.date(2024, 7, 20))
        work = perf.Work("A", objectives=["goal"], least_probability=0.7)
        kept = Kept(
            role="prediction", subject="goal", name="A: prediction", version=1,
            result=perf.predict_objective(series(MEETS), asked),
        )  # fmt: skip
        made = work_review(
            Material(work=work, archive=Archive.of([work, asked, HOURS], on=DAY), kept=(kept,))
        )
        drawn = figure_dict(made)
        assert drawn["data"][-1]["x"].tolist() == [pytest.approx(0.898201)]
        assert [a["text"] for a in drawn["layout"]["annotations"]] == ["90%, on course", "at least 70%"]


class TestActions:
    def test_what_was_closed_later_was_open_then(self) -> None:
        done = perf.Action("a", what="x", state="done", closed_on=dt.date(2024, 7, 5))
        assert (state_on(done, DAY), state_on(done, dt.date(2024, 7, 5))) == ("open", "done")

    def test_overdue(self) -> None:
        action = perf.Action("a", what="x", due=dt.date(2024, 6, 14))
        assert (overdue_days(action, DAY), overdue_days(action, dt.date(2024, 6, 14))) == (16, 0)
        assert overdue_days(perf.Action("a", what="x"), DAY) is None


class TestReviewOfRecordsAlone:
    """What is not on record is said to be missing."""

    def test_nothing_is_invented(self) -> None:
        bare = perf.Work("A")
        made = work_review(Material(work=bare, archive=Archive.of([bare], on=DAY)))
        assert made.caveat_codes == (
            "no-objectives", "no-threshold", "not-own-data", "no-subprocesses", "no-participants",
        )  # fmt: skip
        assert set(made.section.tolist()) == {1}
        assert figure_dict(made)["data"]
        again(made)

    def test_thresholds_and_objectives_after_the_data(self) -> None:
        late = goal(declared_on=dt.date(2024, 6, 10), serves="Business")
        work = perf.Work(
            "A", where={"s": "x"}, objectives=["goal", "lost"], least_probability=0.8,
            declared_on=dt.date(2024, 6, 15),
        )  # fmt: skip
        top = perf.BusinessObjective("Business")
        base = perf.baseline(series(MEETS), objective=late)
        kept = Kept(
            role="own_baseline", subject="goal", name="A: own baseline", version=1, result=base,
            note="first of its measure",
        )  # fmt: skip
        archive = Archive.of([work, late, top, HOURS], on=DAY)
        made = work_review(
            Material(
                work=work, archive=archive, kept=(kept,), held_by=("Ada",),
                not_done=(NotDone(role="prediction", subject="goal", reason="no model"),),
            )
        )  # fmt: skip
        assert {
            "objective-not-on-record",
            "threshold-after-data",
            "declared-after-data",
            "not-predicted",
        } <= set(made.caveat_codes)
        assert "no-business-objective" not in made.caveat_codes
        assert made.value("Predictions", "goal", "state") == "not predicted"
        assert made.value("Objectives", "goal", "target") == 10
        with pytest.raises(UnknownNameError):
            made.value("Objectives", "goal", "colour")

    def test_actions_without_owner_or_date(self) -> None:
        work = perf.Work("A")
        actions = [
            perf.Action("late", what="x", owner="Ada", due=dt.date(2024, 6, 14), work="A"),
            perf.Action("bare", what="x", work="A"),
            perf.Action("of another", what="x", work="B"),
            perf.Action("of later", what="x", work="A", opened_on=dt.date(2024, 7, 1)),
        ]
        made = work_review(Material(work=work, archive=Archive.of([work, *actions], on=DAY)))
        table = dict(made.section_tables(7))["Actions open and due"]
        assert table["action"].tolist() == ["late", "bare"]
        assert table["owner"].tolist() == ["Ada", "NOBODY"]
        assert table["due"].tolist() == ["2024-06-14", "no date"]
        assert "2 actions open, 1 overdue, 1 without an owner." in made.verdict
        assert {"action-without-owner", "action-without-date", "action-overdue"} <= set(made.caveat_codes)
