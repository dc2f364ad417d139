"""FMEA, check sheets, distributions by group, defects by cause and phase."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.fmea import fields
from perfanalytics.practices.car.cause_phase import _fisher
from perfanalytics.practices.car.fmea import action_priority

HOURS = perf.Measure("hours", definition="Hours", unit="hours", better="lower", scale="duration")


def again(result):
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result


def mode(name, s, o, d, **more):
    return perf.FailureMode(name, effect="e", cause="c", severity=s, occurrence=o, detection=d, **more)


class TestFmea:
    @pytest.mark.parametrize(
        ("s", "o", "d", "expected"),
        [
            (10, 10, 1, "high"),
            (9, 4, 1, "medium"),
            (9, 3, 7, "high"),
            (9, 2, 4, "low"),
            (10, 1, 10, "low"),
            (8, 6, 1, "medium"),
            (7, 5, 7, "high"),
            (7, 3, 6, "medium"),
            (6, 8, 4, "medium"),
            (4, 6, 1, "low"),
            (4, 4, 7, "medium"),
            (3, 8, 5, "medium"),
            (3, 7, 10, "low"),
            (1, 10, 10, "low"),
        ],
    )
    def test_cells_of_the_table(self, s, o, d, expected):
        assert action_priority(s, o, d) == expected

    def test_worse_ratings_never_lower_the_priority(self):
        rank = {"low": 0, "medium": 1, "high": 2}
        cube = np.array(
            [
                [[rank[action_priority(s, o, d)] for d in range(1, 11)] for o in range(1, 11)]
                for s in range(1, 11)
            ]
        )
        for axis in range(3):
            assert (np.diff(cube, axis=axis) >= 0).all()
        # of 1,000 combinations, 120 different products
        assert len({s * o * d for s in range(1, 11) for o in range(1, 11) for d in range(1, 11)}) == 120

    def test_order_and_doubts(self):
        made = perf.fmea(
            [mode("often", 3, 10, 10), mode("grave", 9, 4, 2), mode("same", 2, 5, 2), mode("as", 5, 2, 2)]
        )
        assert made.name.tolist() == ["grave", "often", "as", "same"]
        assert made.rpn.tolist() == [72, 300, 20, 20]
        assert made.caveat_codes == ("rpn-disagrees", "rpn-is-ordinal", "no-control")
        assert made.caveats[1].evidence == {"ties": 1}
        assert made.verdict == (
            "4 failure modes: 1 of high, 1 of medium, 2 of low action priority. First: grave (severity 9)."
        )
        again(made)

    def test_of_an_archive_and_an_analysis(self):
        archive = perf.Archive.of([mode("a", 1, 1, 1, analysis="C"), mode("b", 2, 2, 2)])
        assert perf.fmea(archive).summary()["modes"].item() == 2
        made = perf.fmea(archive, analysis="C")
        assert made.name.tolist() == ["a"]
        with pytest.raises(InputError, match="no failure mode of 'D'"):
            perf.fmea(archive, analysis="D")
        with pytest.raises(InputError, match="FailureMode"):
            perf.fmea(["a"])
        with pytest.raises(InputError, match="1 to 10"):
            action_priority(0, 1, 1)

    def test_figure(self):
        made = perf.fmea([mode(f"m{k}", 5, 5, k % 10 + 1) for k in range(20)])
        assert fields(made) == {(5, 5): list(range(20))}
        texts = [a.text for a in perf.plot(made).layout.annotations]
        assert "and 4 more in the table" in texts


class TestCheckSheet:
    SHEET = np.array([[12, 5, 8], [20, 6, 9], [4, 7, 15]])

    def frame(self):
        rows = [
            (w, c) for i, w in enumerate("xyz") for j, c in enumerate("abc") for _ in range(self.SHEET[i, j])
        ]
        return pd.DataFrame(rows, columns=["what", "where"])

    def test_against_r(self):
        made = perf.check_sheet(self.frame(), rows="what", columns="where")
        # R: chisq.test(sheet, correct = FALSE), tests/reference/car.R
        assert (made.statistic, made.df, made.p_whole) == pytest.approx((11.5848641636, 4, 0.0207206805193))
        assert made.residual[0] == pytest.approx([0.738842692723, -0.135754298699, -0.639823898055])
        assert made.residual[2] == pytest.approx([-3.276214896124, 0.899292592030, 2.586905328484])
        assert made.stands_out.tolist() == [[False] * 3, [False] * 3, [True, False, False]]
        assert "z in a (4, expected 10.9) stands out" in made.verdict
        again(made)

    def test_sheet_with_totals_and_marks(self):
        made = perf.check_sheet(self.frame(), rows="what", columns="where")
        assert made.sheet()["total"].tolist() == [25, 35, 26, 86]
        assert made.sheet(marks=True).loc[0, "a"] == "||||/ ||||/ ||"

    def test_periods_without_anything_are_columns(self):
        frame = {"what": ["a", "a", "b"], "when": pd.to_datetime(["2024-01-01", "2024-01-20", None])}
        made = perf.check_sheet(frame, rows="what", columns="when", every="week")
        assert made.column.tolist() == ["2024-01-01", "2024-01-08", "2024-01-15"]
        assert made.counts.tolist() == [[1, 0, 1]]
        assert "missing-rows" in made.caveat_codes
        assert "single row" in made.verdict
        again(made)

    def test_misuse(self):
        with pytest.raises(UnknownNameError):
            perf.check_sheet({"a": ["x"]}, rows="b", columns="a")
        days = pd.date_range("2020-01-01", periods=500)
        with pytest.raises(InputError, match="500 columns"):
            perf.check_sheet({"a": ["x"] * 500, "d": days}, rows="a", columns="d", every="day")
        assert perf.plot(perf.check_sheet(self.frame(), rows="what", columns="where")).data


class TestGroupDistributions:
    def test_numbers(self):
        rng = np.random.default_rng(1)
        frame = pd.DataFrame({"hours": np.exp(rng.normal(2, 0.5, 300)), "team": rng.choice(["b", "a"], 300)})
        made = perf.group_distributions(frame, value="hours", by="team", measure=HOURS)
        assert made.group.tolist() == ["a", "b"]
        own = frame.groupby("team")["hours"]
        assert made.p95 == pytest.approx(own.quantile(0.95).to_numpy())
        assert made.sd == pytest.approx(own.std().to_numpy())
        assert made.counts.sum(axis=1).tolist() == own.size().tolist() == made.n.tolist()
        assert np.diff(np.log(made.edges)) == pytest.approx(np.log(made.edges[1] / made.edges[0]))
        assert ((made.median_low < made.median) & (made.median < made.median_high)).all()
        assert made.histogram_frame()["share"].sum() == pytest.approx(2)
        assert perf.plot(made).data
        again(made)

    def test_median_intervals_are_those_of_the_binomial(self):
        # Hahn and Meeker (1991), table A.15a: n = 20, ranks 6 and 15 hold the median with 95.9%
        made = perf.group_distributions({"v": np.arange(1.0, 21), "g": ["a"] * 20}, value="v", by="g")
        assert (made.median_low[0], made.median_high[0]) == (6.0, 15.0)

    def test_small_and_missing_groups(self):
        frame = {"v": [1.0, 2, 3, np.nan, 5, 5, 5], "g": ["a", "a", "a", "a", None, "c", "c"]}
        made = perf.group_distributions(frame, value="v", by="g", most=2)
        assert made.caveat_codes == ("missing-rows", "missing-category", "groups-left-out", "too-few-items")
        assert made.group.tolist() == ["a", "c"]
        assert math.isnan(made.median_low[1])
        constant = perf.group_distributions({"v": [2.0] * 9, "g": list("abcabcabc")}, value="v", by="g")
        assert constant.counts.tolist() == [[3]] * 3
        assert perf.plot(constant).data

    def test_misuse(self):
        table = {"v": [0.0, 1.0], "g": ["a", "b"]}
        with pytest.raises(InputError, match="positive"):
            perf.group_distributions(table, value="v", by="g", scale="log")
        with pytest.raises(UnknownNameError):
            perf.group_distributions(table, value="v", by="g", scale="ln")
        with pytest.raises(InputError, match="bins="):
            perf.group_distributions(table, value="v", by="g", bins=0)


class TestCauseAndPhase:
    PHASES = ("design", "code", "operation")

    def frame(self):
        rows = [("logic", "design", "design")] * 30 + [("logic", "code", "operation")] * 10
        rows += [("interface", "design", "operation")] * 20 + [("interface", "design", "code")] * 5
        rows += [("data", "code", "code")] * 15
        return pd.DataFrame(rows, columns=["cause", "in", "found"])

    def test_escapes_and_containment(self):
        made = perf.defects_by_cause_and_phase(
            self.frame(), cause="cause", found="found", injected="in", phases=self.PHASES
        )
        assert made.cause.tolist() == ["logic", "interface", "data"]
        assert made.counts.tolist() == [[30, 0, 10], [0, 5, 20], [0, 15, 0]]
        assert made.late.tolist() == [0.25, 1.0, 0.0]
        # R: binom::binom.confint(10, 40, methods = "wilson")
        assert (made.late_low[0], made.late_high[0]) == pytest.approx((0.1418713, 0.4019396), abs=1e-6)
        assert made.containment == perf.containment([[30, 5, 20], [0, 15, 10], [0, 0, 0]], phases=self.PHASES)
        assert "escape the phase they came in: interface (100%" in made.verdict
        again(made)

    def test_fisher_against_r(self):
        # R: fisher.test(matrix(c(10, 30, 20, 20), 2))$p.value
        assert _fisher(10, 40, 20, 40) == pytest.approx(0.036834833, abs=1e-9)

    def test_without_where_they_came_in_the_last_phase_is_late(self):
        made = perf.defects_by_cause_and_phase(self.frame(), cause="cause", found="found", phases=self.PHASES)
        assert made.late_is == "last phase"
        assert made.late.tolist() == [0.25, 0.8, 0.0]
        assert made.containment is None
        plain = perf.defects_by_cause_and_phase(self.frame(), cause="cause", found="found", most=2)
        assert plain.late_is == ""
        assert plain.cause.tolist() == ["logic", "other (2 causes)"]
        assert "Causes differ in the phases" in plain.verdict
        for result in (made, plain):
            assert perf.plot(result).data
            again(result)

    def test_misuse(self):
        ask = {"cause": "cause", "found": "found"}
        with pytest.raises(InputError, match="order of the phases"):
            perf.defects_by_cause_and_phase(self.frame(), injected="in", **ask)
        with pytest.raises(UnknownNameError, match="phase"):
            perf.defects_by_cause_and_phase(self.frame(), phases=["design", "code"], **ask)
        swapped = self.frame().rename(columns={"in": "found", "found": "in"})
        with pytest.raises(InputError, match="before they came in"):
            perf.defects_by_cause_and_phase(swapped, injected="in", phases=self.PHASES, **ask)


def test_equal_medians_and_equal_numbers_are_told_plainly():
    table = pd.DataFrame({"m": ["x", "y"] * 15, "v": 3.0})
    made = perf.group_distributions(table, value="v", by="m")
    assert made.verdict == "The median of v is 3 in both groups of m."
    modes = [perf.FailureMode(n, effect="e", cause="c", severity=5, occurrence=5, detection=5) for n in "ab"]
    ordinal = next(c for c in perf.fmea(modes).caveats if c.code == "rpn-is-ordinal")
    assert "(here 1 number stands for several modes)" in ordinal.text
