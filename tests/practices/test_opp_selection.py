"""Selection of subprocesses: scores and ranks computed by hand, shares against least squares by NumPy."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from opp_samples import BUSINESS, COUNT, HOURS, PROCESSES, newest, objective, planned, series

import perfanalytics as perf

ROUTING = perf.Candidate("Routing", factor="hand_overs")
WEEK = perf.Series(
    np.random.default_rng(2).poisson(9, 30).astype(float),
    measure=COUNT,
    when=np.datetime64("2024-01-01") + 7 * np.arange(30),
)


def frame(n: int = 300) -> pd.DataFrame:
    """Log hours: 0.5 for a hand-over, 0.2 for the noise; the team makes no difference."""
    rng = np.random.default_rng(11)
    hand_overs = rng.poisson(1.0, n).astype(float)
    return pd.DataFrame(
        {
            "hand_overs": hand_overs,
            "team": rng.choice(["a", "b", "c"], n),
            "hours": np.exp(1 + 0.5 * hand_overs + rng.normal(0, 0.2, n)),
        }
    )


def archive(records=(), results=None):
    return perf.Archive.of(
        [HOURS, COUNT, BUSINESS, objective(), *PROCESSES, *records], results or {}, newest=newest()
    )


def cell(result, candidate, criterion):
    """Value, score and evidence of one candidate and criterion."""
    rows = result.to_frame()
    row = rows[(rows["candidate"] == candidate) & (rows["criterion"] == criterion)].iloc[0]
    return row["value"], row["score"], row["evidence"]


def test_the_share_is_what_r2_falls_by():
    data = frame()
    chosen = perf.select_subprocesses(
        archive(), outcome="hours", candidates=[ROUTING, perf.Candidate("Team", factor="team")], frame=data
    )
    y = np.log(data["hours"].to_numpy())
    team = np.column_stack([data["team"] == level for level in ("b", "c")]).astype(float)
    one = np.ones(len(y))

    def r2(*columns):
        x = np.column_stack([one, *columns])
        residual = y - x @ np.linalg.solve(x.T @ x, x.T @ y)
        return 1 - residual @ residual / np.sum((y - y.mean()) ** 2)

    full = r2(data["hand_overs"], team)
    value, score, words = cell(chosen, "Routing", "share")
    assert value == pytest.approx(full - r2(team), rel=1e-9)
    assert score == 1.0
    # the variance of 0.5 times a Poisson count of mean 1 is 0.25, that of the noise 0.04
    assert value == pytest.approx(0.25 / 0.29, abs=0.05)
    assert "R2 falls by" in words
    value, score, _ = cell(chosen, "Team", "share")
    assert value == pytest.approx(full - r2(data["hand_overs"]), abs=1e-9)
    assert score == pytest.approx(value / cell(chosen, "Routing", "share")[0])


def test_scores_ranks_and_totals_by_hand():
    charts = {"Stable": perf.control_chart(series()), "Routing weekly": perf.control_chart(WEEK)}
    plans = [
        planned("Stable", "chart", measure="hours", objective="fast"),
        planned("Routing weekly", "chart", measure="hand_overs", objective="fast"),
    ]
    assert charts["Routing weekly"].stable is True
    chosen = perf.select_subprocesses(
        archive(plans, charts),
        outcome="hours",
        candidates=["Routing", "Resolution"],
        weights={"objective": 2, "stability": 1, "data": 1},
        series={"hand_overs": WEEK},
        points=60,
        per_month=4,
    )
    # Routing: used by a chart that serves the objective (0.5), stable (1), 30 of 60 points (0.5)
    assert cell(chosen, "Routing", "objective")[1] == 0.5
    assert cell(chosen, "Routing", "data")[1] == 0.5
    # 30 points on 204 days: from 1 January to 22 July
    assert cell(chosen, "Routing", "data")[0] == pytest.approx(30 / (204 / (365.25 / 12)))
    # Resolution: its measure has an objective (1), stable (1), 60 points of 60, 30.4 a month
    assert cell(chosen, "Resolution", "objective")[:2] == (1.0, 1.0)
    assert chosen.candidate.tolist() == ["Resolution", "Routing"]
    assert chosen.total.tolist() == pytest.approx([1.0, (2 * 0.5 + 1 + 0.5) / 4])
    assert chosen.rank.tolist() == [1, 2]
    assert chosen.known.tolist() == [1.0, 1.0]
    assert chosen.weight.tolist() == [0.5, 0.25, 0.25, 0.0, 0.0]


def test_an_unstable_chart_scores_nothing_and_equal_scores_share_a_rank():
    plans = [planned("Jump", "chart", measure="hours", objective="fast")]
    chosen = perf.select_subprocesses(
        archive(plans, {"Jump": perf.control_chart(series(shift=40))}),
        outcome="hours",
        candidates=["Resolution", "Routing"],
        weights={"stability": 1},
    )
    assert cell(chosen, "Resolution", "stability")[:2] == (0.0, 0.0)
    assert np.isnan(cell(chosen, "Routing", "stability")[1])
    assert chosen.rank.tolist() == [1, 1]
    assert chosen.known.tolist() == [1.0, 0.0]
    assert "evidence-missing" in chosen.caveat_codes


def test_quality_is_the_worst_of_what_is_on_record():
    agreement = perf.agreement([["a", "a"], ["b", "b"], ["a", "b"], ["b", "b"]], method="krippendorff")
    plans = [planned("Raters", "agreement", measure="hand_overs", objective="fast")]
    chosen = perf.select_subprocesses(
        archive(plans, {"Raters": agreement}), outcome="hours", candidates=["Routing"], weights={"quality": 1}
    )
    assert cell(chosen, "Routing", "quality")[1] == pytest.approx(agreement.value)
    parts = np.repeat([10.0, 12.0, 14.0, 16.0, 18.0], 4)
    rng = np.random.default_rng(1)
    bad = perf.gauge_study(
        {
            "v": parts + rng.normal(0, 3, 20),
            "part": np.repeat(np.arange(5), 4),
            "who": np.tile([0, 0, 1, 1], 5),
        },
        value="v",
        part="part",
        operator="who",
    )
    assert bad.standing == "unacceptable"
    plans.append(planned("Gauge", "gauge_study", measure="hand_overs", objective="fast"))
    chosen = perf.select_subprocesses(
        archive(plans, {"Raters": agreement, "Gauge": bad}),
        outcome="hours",
        candidates=["Routing"],
        weights={"quality": 1},
    )
    assert cell(chosen, "Routing", "quality")[1] == 0.0


def test_shares_of_a_model_on_record():
    data = frame()
    model = perf.fit("hours ~ hand_overs + team", data, measure=HOURS)
    chosen = perf.select_subprocesses(
        archive(results={"Model": model}),
        outcome="hours",
        candidates=[ROUTING, perf.Candidate("Team", factor="team")],
    )
    sobol = model.sensitivity(n=256, seed=1)
    at = sobol.factor.tolist().index("hand_overs")
    value, score, words = cell(chosen, "Routing", "share")
    assert value == pytest.approx(sobol.total[at] * sobol.of_items)
    assert (score, words.endswith("(hand_overs, 'Model')")) == (1.0, True)
    assert cell(chosen, "Team", "share")[0] < 0.05


def test_a_factor_tied_to_a_subprocess_is_found_by_it():
    data = frame()
    role = perf.Factor("hand_overs", controllable=True, subprocess="Handing over")
    model = perf.fit("hours ~ hand_overs", data, measure=HOURS, controllable=(role,))
    chosen = perf.select_subprocesses(
        archive([perf.Process("Handing over")], {"Model": model}),
        outcome="hours",
        candidates=["Handing over"],
    )
    assert cell(chosen, "Handing over", "share")[0] > 0.5
    assert cell(chosen, "Handing over", "objective")[1] == 0.0


def test_one_result_that_knows_all_comes_before_two_that_know_one_each():
    data = frame()
    both = perf.fit("hours ~ hand_overs + team", data, measure=HOURS)
    single = perf.fit("hours ~ hand_overs", data, measure=HOURS)
    chosen = perf.select_subprocesses(
        archive(results={"Both": both, "Single": single, "Again": single}),
        outcome="hours",
        candidates=[ROUTING, perf.Candidate("Team", factor="team")],
    )
    assert "'Both'" in cell(chosen, "Routing", "share")[2]
    assert "'Both'" in cell(chosen, "Team", "share")[2]


def test_steps_of_a_simulation_and_strata():
    steps = perf.sequence(
        perf.step("Routing", perf.Distribution.gamma(mean=1, sd=1)),
        perf.step("Resolution", perf.Distribution.gamma(mean=5, sd=3)),
    )
    run = perf.simulate(steps, runs=4000, rng=1, objective=objective(), sensitivity=4000, measure=HOURS)
    chosen = perf.select_subprocesses(
        archive(results={"Run": run}),
        outcome="hours",
        candidates=["Routing", perf.Candidate("Resolution", factor="Resolution")],
    )
    # variances 1 and 9 of two independent steps
    assert cell(chosen, "Routing", "share")[0] == pytest.approx(0.1, abs=0.05)
    assert cell(chosen, "Resolution", "share")[0] == pytest.approx(0.9, abs=0.05)
    data = frame().assign(when=pd.date_range("2024-01-01", periods=300))
    strata = perf.strata(data, value="hours", by="team", measure=HOURS)
    chosen = perf.select_subprocesses(
        archive(results={"Strata": strata}),
        outcome="hours",
        candidates=[perf.Candidate("Team", factor="team")],
    )
    assert cell(chosen, "Team", "share")[0] == pytest.approx(max(0.0, strata.epsilon_squared[0]))
    assert "little-variation-explained" in chosen.caveat_codes


def test_the_decision_is_shown_and_judged():
    def decided(subject, *, chosen, why="because", day=1):
        return perf.Decision(
            f"{subject} {day}", what="x", who="Board", decided_on=dt.date(2024, 3, day), subject=subject,
            chosen=chosen, why=why,
        )  # fmt: skip

    records = [
        decided("Resolution", chosen=True, day=1),
        decided("Resolution", chosen=False, day=2),
        decided("Routing", chosen=True, why=""),
    ]
    result = perf.select_subprocesses(
        archive(records), outcome="hours", candidates=["Resolution", "Routing", "Incident management"]
    )
    found = result.summary().set_index("candidate")
    # the newest decision counts
    assert found.loc["Resolution", "decision"] == "not chosen"
    assert found.loc["Routing", "decision"] == "chosen"
    assert found.loc["Incident management", "decision"] == ""
    assert {"no-decision", "decision-without-reason", "decision-against-score"} <= set(result.caveat_codes)
    assert result.verdict.endswith("Decisions on record: 1 chosen, 1 not chosen, 1 not decided.")
    none = perf.select_subprocesses(archive(), outcome="hours", candidates=["Routing"])
    assert none.verdict.endswith("No decision is on record.")
    assert "share-unknown" in none.caveat_codes


def test_candidates_by_default_are_the_subprocesses():
    chosen = perf.select_subprocesses(archive(), outcome="hours")
    assert sorted(chosen.candidate.tolist()) == ["Resolution", "Routing"]
    assert "weights-not-declared" in chosen.caveat_codes
    again = perf.SubprocessSelection.from_record(json.loads(json.dumps(chosen.to_record())))
    assert again == chosen
    figure = perf.plot(chosen)
    assert figure.data[0].z.shape == (2, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "hour"}, "did you mean 'hours'"),
        ({"candidates": ["Rooting"]}, "did you mean 'Routing'"),
        ({"candidates": ["Routing", "Routing"]}, "named once"),
        ({"candidates": [perf.Candidate("Routing", measure="x")]}, "unknown measure 'x'"),
        ({"weights": {"shares": 1}}, "did you mean 'share'"),
        ({"weights": {"share": -1}}, "at least 0"),
        ({"weights": {"share": 0}}, "weight above 0"),
        ({"points": 0}, "positive"),
        ({"frame": pd.DataFrame({"x": [1.0]})}, "unknown column"),
        ({"frame": pd.DataFrame({"hours": [1.0, 2.0]})}, "no candidate is a column"),
        ({"frame": pd.DataFrame({"hours": [1.0, 2.0], "hand_overs": [0, 1]})}, "too few"),
    ],
)
def test_misuse(change, message):
    given = {"outcome": "hours", "candidates": [ROUTING]} | change
    with pytest.raises(perf.PerfAnalyticsError, match=message):
        perf.select_subprocesses(archive(), **given)


def test_nothing_to_choose_from():
    with pytest.raises(perf.InputError, match="nothing to choose from"):
        perf.select_subprocesses(perf.Archive.of([replace(HOURS)]), outcome="hours")
