"""Figures of many baselines and capabilities: the record behind the picture, few series and many."""

from __future__ import annotations

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures import baselines, capabilities
from perfanalytics.figures.rows import NAMED, RIGHT, WORST

HOURS = perf.Measure("hours", definition="d", unit="hours", better="lower", scale="duration")
GOAL = perf.Objective("a day", measure="hours", target=24, direction="at_most", share=0.8)


def series(k: int, n: int = 40) -> dict[str, perf.Series]:
    rng = np.random.default_rng(k)
    when = np.datetime64("2024-01-01") + np.arange(n)
    return {
        f"service={i}": perf.Series(rng.lognormal(2.5 + 0.02 * i, 0.5, n), measure=HOURS, when=when)
        for i in range(k)
    }


def test_few_baselines_stand_by_name_the_worst_first() -> None:
    made = perf.baselines_of(series(5), objective=GOAL)
    record = baselines.info(made)
    assert sorted(record.name.tolist()) == sorted(made.ids)
    assert (np.diff(record.center) <= 0).all()  # lower is better: the longest first
    assert record.log
    place = [made.ids.index(name) for name in record.name]
    assert record.center.tolist() == made.column("p50")[place].tolist()
    assert record.reach_high.tolist() == made.column("p90")[place].tolist()
    assert [at for at, _ in record.lines] == [24]
    assert record.note[0] == f"40; {made.column('share meeting the objective')[place[0]]:.0%}"
    layout = baselines.draw(made)["layout"]
    assert layout["yaxis"]["ticktext"] == record.name.tolist()
    assert "xaxis2" not in layout
    low, high = layout["xaxis"]["range"]
    assert low < np.log10(record.reach_low.min()) < np.log10(record.reach_high.max()) < high
    perf.plot(made)


def test_of_many_baselines_all_stand_by_rank_and_the_worst_by_name() -> None:
    made = perf.baselines_of(series(300))
    record = baselines.info(made)
    figure = baselines.draw(made)
    assert len(record.name) == 300
    assert figure["layout"]["yaxis"]["ticktext"] == record.name[:WORST].tolist()
    by_rank = [t for t in figure["data"] if t.get("xaxis") == "x2" and t["mode"] == "markers"]
    assert sum(len(t["x"]) for t in by_rank) == 300
    assert figure["layout"]["height"] < 1000
    perf.plot(made)


def test_the_last_number_of_series_that_all_have_names() -> None:
    ticks = baselines.draw(perf.baselines_of(series(NAMED)))["layout"]["yaxis"]["ticktext"]
    assert len(ticks) == NAMED


def test_shares_are_pooled_and_in_percent_the_lowest_first() -> None:
    measure = perf.Measure("made", definition="d", unit="1", better="higher", scale="proportion")
    when = np.datetime64("2024-01-01") + 7 * np.arange(20)
    rng = np.random.default_rng(2)
    batch = {
        f"team {i}": perf.Series(rng.binomial(50, p, 20), measure=measure, when=when, sizes=np.full(20, 50))
        for i, p in enumerate((0.9, 0.5, 0.7))
    }
    record = baselines.info(perf.baselines_of(batch))
    assert record.name.tolist() == ["team 1", "team 2", "team 0"]
    expected = [batch[name].values.sum() / 1000 for name in record.name]
    np.testing.assert_allclose(record.center, expected, rtol=1e-12)
    assert record.percent
    assert not record.log


def test_capabilities_smallest_first_and_what_has_no_number_is_counted() -> None:
    batch = series(6) | {"one value": perf.Series([3.0], measure=HOURS, when=[np.datetime64("2024-01-01")])}
    made = perf.capabilities(batch, upper=60.0)
    record = capabilities.info(made)
    assert record.hidden == 1
    assert "one value" not in record.name.tolist()
    assert (np.diff(record.center) >= 0).all()
    assert record.center.tolist() == sorted(made.column("ppk")[:6].tolist())
    figure = capabilities.draw(made)
    assert figure["layout"]["title"]["text"].endswith("1 without a number not drawn")
    assert {s["x0"] for s in figure["layout"]["shapes"]} == {1.0, 1.33}
    perf.plot(made)


def test_standing_is_drawn_by_shape() -> None:
    when = np.datetime64("2024-01-01") + np.arange(60)
    rng = np.random.default_rng(3)
    calm, broken = rng.lognormal(2, 0.3, 60), rng.lognormal(2, 0.3, 60)
    broken[30:] *= 4
    made = perf.baselines_of(
        {
            "calm": perf.Series(calm, measure=HOURS, when=when),
            "broken": perf.Series(broken, measure=HOURS, when=when),
            "short": perf.Series(calm[:4], measure=HOURS, when=when[:4]),
        }
    )
    record = baselines.info(made)
    assert dict(zip(record.name, record.standing, strict=True)) == {
        "calm": "stable",
        "broken": "not stable",
        "short": "stability not judged",
    }
    named = [t for t in baselines.draw(made)["data"] if t["mode"] == "markers"]
    assert len({t["marker"]["symbol"] for t in named}) == 3


@pytest.mark.parametrize("draw", [baselines.draw, capabilities.draw])
def test_notes_begin_right_of_the_rows(draw) -> None:
    made = perf.baselines_of(series(3)) if draw is baselines.draw else perf.capabilities(series(3), upper=60)
    layout = draw(made)["layout"]
    assert layout["xaxis"]["domain"][1] < min(
        note["x"] for note in layout["annotations"] if note["xref"] == "paper"
    )
    assert layout["xaxis"]["domain"][1] == RIGHT
