"""Strata: what is proposed and why, shrinkage, dependence, frames, bad input."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perfanalytics as perf
from perfanalytics.baselines.strata import strata
from perfanalytics.baselines.strata_result import Strata
from perfanalytics.core.errors import InputError, UnknownNameError

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
REAL = perf.Measure("x", definition="d", unit="mm", better="target", scale="real")


def ar1(rng: np.random.Generator, n: int, rho: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    e = rng.standard_normal(n)
    for t in range(1, n):
        e[t] = rho * e[t - 1] + np.sqrt(1 - rho * rho) * e[t]
    return e


def tickets(seed: int = 1, n: int = 600) -> pd.DataFrame:
    """Team C is slower; site repeats what the team says; the shift means nothing."""
    rng = np.random.default_rng(seed)
    team = rng.choice(["A", "B", "C"], n)
    log = rng.normal(1.0, 0.6, n) + 0.9 * (team == "C")
    return pd.DataFrame(
        {
            "when": np.datetime64("2024-01-01")
            + np.sort(rng.integers(0, 86_400 * 200, n)).astype("timedelta64[s]"),
            "hours": np.exp(log),
            "team": team,
            "site": np.where(team == "C", "south", "north"),
            "shift": rng.choice(["day", "night"], n),
            "prio": rng.integers(1, 5, n),
        }
    )


def test_a_split_is_proposed_by_what_separates_and_by_nothing_twice() -> None:
    found = strata(tickets(), value="hours", by=["shift", "team", "site", "prio"], measure=HOURS)
    assert found.scale == "log"
    proposal = dict(zip(found.attribute.tolist(), found.proposal.tolist(), strict=True))
    assert proposal["shift"] == proposal["prio"] == "pool"
    assert found.proposed in (("team",), ("site",))  # one of them is enough
    assert sorted((proposal["team"], proposal["site"])) == ["pool", "split"]
    assert "split by" in found.verdict
    assert found.split_by == found.proposed
    reason = dict(zip(found.attribute.tolist(), found.reason.tolist(), strict=True))
    other = "site" if found.proposed == ("team",) else "team"
    assert "within the groups of" in reason[other]


def test_the_strata_are_the_baselines_of_their_values() -> None:
    frame = tickets()
    found = strata(frame, value="hours", by=["team"], measure=HOURS)
    table = found.to_frame().set_index("stratum")
    for team in "ABC":
        own = frame[frame["team"] == team]
        made = perf.baseline(perf.Series(own["hours"], measure=HOURS, when=own["when"]))
        row = table.loc[f"team={team}"]
        assert row["median"] == made["median"].value
        assert row["center"] == pytest.approx(made["geometric mean"].value, rel=1e-12)
    assert found.weight.tolist() == [1, 1, 1]  # fewer than four strata are not shrunk
    assert "fewer than 4 strata" in found.method.parameters["shrinkage"]


def test_small_strata_are_shrunk_towards_the_whole_and_it_is_said() -> None:
    rng = np.random.default_rng(3)
    sizes = [60, 60, 60, 60, 60, 4]
    group = np.repeat(list("abcdef"), sizes)
    effect = np.repeat(rng.normal(0, 0.5, 6), sizes)
    y = 10 + effect + rng.normal(0, 1, len(group))
    y[-4:] += 3
    found = strata(pd.DataFrame({"x": y, "g": group}), value="x", by="g", measure=REAL)
    whole = found.shrunk[:5].mean()
    assert found.small.tolist() == [False] * 5 + [True]
    assert found.weight[5] < found.weight[0] < 1
    assert whole < found.shrunk[5] < found.center[5]
    assert "small-strata" in found.caveat_codes
    assert (found.shrunk_low < found.shrunk).all()
    assert (found.shrunk < found.shrunk_high).all()
    assert (found.next_low < found.shrunk_low).all()


def test_shrunk_means_are_nearer_the_truth() -> None:
    rng = np.random.default_rng(4)
    own = shrunk = 0.0
    for _ in range(25):
        truth = rng.normal(0, 0.4, 12)
        code = np.repeat(np.arange(12), 6)
        y = truth[code] + rng.normal(0, 1, len(code))
        frame = pd.DataFrame({"x": y, "g": [f"g{c:02d}" for c in code]})
        found = strata(frame, value="x", by="g", measure=REAL)
        own += float(np.sum((found.center - truth) ** 2))
        shrunk += float(np.sum((found.shrunk - truth) ** 2))
    assert shrunk < 0.75 * own


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_false_splits(rho: float) -> None:
    """No group differs, neighbours of a group may be alike: few attributes are called different."""
    rng = np.random.default_rng(5)
    called = plain = 0
    for _ in range(60):
        y = np.concatenate([ar1(rng, 60, rho) for _ in range(4)])
        when = np.tile(np.datetime64("2024-01-01") + np.arange(60), 4)
        frame = pd.DataFrame({"x": y, "g": np.repeat(list("abcd"), 60), "when": when})
        honest = strata(frame, value="x", by="g", measure=REAL)
        naive = strata(frame, value="x", by="g", measure=REAL, dependence="independent")
        called += max(honest.p_anova[0], honest.p_kruskal[0]) <= 0.05
        plain += max(naive.p_anova[0], naive.p_kruskal[0]) <= 0.05
    assert called <= 8
    if rho:
        assert plain >= 20
        assert "autocorrelated" in honest.caveat_codes
        assert "dependence-ignored" in naive.caveat_codes


def test_saved_and_read_back_to_the_last_bit() -> None:
    found = strata(tickets(), value="hours", by=["team", "prio"], measure=HOURS)
    assert Strata.from_record(json.loads(json.dumps(found.to_record()))) == found


def test_a_split_by_several_attributes_that_was_asked_for() -> None:
    found = strata(tickets(), value="hours", by=["team", "shift"], split=["team", "shift"], measure=HOURS)
    assert found.baselines.ids[0] == "team=A, shift=day"
    assert len(found.baselines) == 6
    assert found.proposed == ("team",)  # asked for is not proposed


def test_missing_attributes_zeros_and_order_are_said() -> None:
    frame = tickets()
    frame.loc[3:10, "team"] = None
    frame.loc[20, "hours"] = 0.0
    frame["month"] = frame["when"].dt.month
    found = strata(frame, value="hours", by=["month", "team"], split="month", measure=HOURS)
    assert found.missing.tolist() == [0, 8]
    assert {"attribute-missing", "zero-on-log-scale", "strata-follow-time"} <= set(found.caveat_codes)
    assert found.n == 600
    assert int(found.baselines.n.sum()) == 600  # their own baselines keep the value of 0


def test_unequal_spread_is_said() -> None:
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.normal(0, np.repeat([1.0, 4.0], 100)), "g": np.repeat(["a", "b"], 100)})
    assert "unequal-spread" in strata(frame, value="x", by="g", measure=REAL).caveat_codes


def test_a_frame_of_the_repository_knows_its_measure() -> None:
    frame = tickets().rename(columns={"when": "t"})
    with perf.Repository.open(":memory:") as repo:
        measure = perf.SourceMeasure(HOURS, value="hours", when="t", attributes=("team", "prio"))
        repo.load(perf.Source("tickets", frame=frame, measures=[measure]))
        found = strata(repo.frame("hours"), value="hours", by=["team", "prio"])
        assert found.measure == HOURS
        one = repo.save(found, name="strata of hours", by="Ana", note="yearly review")
        two = repo.save(found, name="strata of hours", by="Ben", note="agreed")
        assert (one, two) == (1, 2)
        assert repo.result("strata of hours", version=1) == found
        assert repo.history("strata of hours")[["version", "saved_by", "note"]].values.tolist() == [
            [1, "Ana", "yearly review"],
            [2, "Ben", "agreed"],
        ]


def test_misuse_is_an_error_that_says_what_would_be_right() -> None:
    frame = tickets()
    with pytest.raises(UnknownNameError, match="did you mean 'team'"):
        strata(frame, value="hours", by="teem", measure=HOURS)
    with pytest.raises(UnknownNameError, match="did you mean 'hours'"):
        strata(frame, value="hour", by="team", measure=HOURS)
    with pytest.raises(InputError, match="single level"):
        strata(frame.assign(one="x"), value="hours", by="one", measure=HOURS)
    with pytest.raises(InputError, match="names items, not groups"):
        strata(frame.assign(item=np.arange(600)), value="hours", by="item", measure=HOURS)
    with pytest.raises(InputError, match="each once"):
        strata(frame, value="hours", by=["team", "team"], measure=HOURS)
    with pytest.raises(InputError, match="a frame with one row"):
        strata([1.0, 2.0], value="hours", by="team")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="minimum_share"):
        strata(frame, value="hours", by="team", measure=HOURS, minimum_share=5)
    with pytest.raises(InputError, match="holds no numbers"):
        strata(frame, value="shift", by="team")
    with pytest.raises(InputError, match="denominators"):
        strata(frame.assign(hours_size=2.0), value="hours", by="team", measure=HOURS)
    with pytest.raises(InputError, match="duration cannot be negative"):
        strata(frame.assign(hours=-1.0), value="hours", by="team", measure=HOURS)


def test_the_same_value_everywhere() -> None:
    frame = pd.DataFrame({"x": np.ones(40), "g": np.repeat(["a", "b"], 20)})
    found = strata(frame, value="x", by="g", measure=REAL)
    assert found.proposal.tolist() == ["undecided"]
    assert "do not vary" in found.reason[0]


@pytest.mark.parametrize("value", [0.1, 5.0])
@pytest.mark.parametrize("measure", [HOURS, REAL])
def test_equal_values_separate_nothing(value: float, measure: perf.Measure) -> None:
    # the mean of seven times 0.1 is not 0.1: no statistic may be made of that
    frame = pd.DataFrame({"hours": [value] * 20, "team": ["A"] * 7 + ["B"] * 13})
    found = strata(frame, value="hours", by="team", measure=measure)
    assert found.proposed == ()
    assert found.verdict.endswith("are equal: there is nothing to split by.")
    assert found.caveat_codes[0] == "zero-variance"
    assert found.center.tolist() == pytest.approx([value, value], rel=1e-15)
    assert perf.plot(found).data


@pytest.mark.parametrize("values", [(1.0, 2.0), (0.1, 0.3)])
@pytest.mark.parametrize("measure", [HOURS, REAL])
def test_groups_that_do_not_vary_within_are_not_pooled(
    values: tuple[float, float], measure: perf.Measure
) -> None:
    frame = pd.DataFrame({"hours": np.repeat(values, 10), "team": np.repeat(["A", "B"], 10)})
    found = strata(frame, value="hours", by="team", measure=measure)
    assert found.proposed == ("team",)
    assert found.share_low[0] == pytest.approx(1)
    assert perf.plot(found).data


def test_infinite_values_are_an_error() -> None:
    frame = pd.DataFrame({"hours": [1.0, 2, np.inf, 4], "team": ["A", "A", "B", "B"]})
    with pytest.raises(InputError, match="infinite value of hours in row 2"):
        strata(frame, value="hours", by="team")
