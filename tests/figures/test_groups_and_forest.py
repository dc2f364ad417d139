"""The figures of several groups and of many comparisons: the record that is drawn, and plotly takes it."""

import json

import numpy as np
import pytest

import perfanalytics as perf
from perfanalytics.figures import forest, groups

HOURS = perf.Measure("hours", definition="x", unit="h", better="lower", scale="duration")
SHARE = perf.Measure("sla", definition="x", unit="1", better="higher", scale="proportion")


def grouped(n=30, k=3, **more):
    rng = np.random.default_rng(1)
    factor = np.repeat([1.0, 1.0, 2.0, 1.5, 1.2, 0.8, 0.7, 3.0][:k], n)
    y = factor * np.exp(rng.normal(2, 0.4, n * k))
    names = np.repeat([f"g{i}" for i in range(k)], n)
    return perf.compare_groups({"h": y, "g": names}, value="h", by="g", measure=HOURS, **more)


def test_the_record_of_groups_holds_the_numbers_of_the_result():
    c = grouped()
    what = groups.info(c)
    assert [g.name for g in what.groups] == ["g0", "g1", "g2"]
    assert what.groups[0].y.tolist() == c.groups[0].values.tolist()
    assert what.groups[1].box[2] == pytest.approx(c.groups[1].median)
    assert what.groups[2].center == pytest.approx(np.exp(np.log(c.groups[2].values).mean()))
    assert [e.contrast for e in what.pairs] == ["g1 / g0", "g2 / g0", "g2 / g1"]
    assert what.log
    assert all(abs(g.x - k).max() <= 0.22 for k, g in enumerate(what.groups))


def test_many_pairs_and_points_are_thinned_and_it_says_so():
    c = grouped(n=700, k=8)
    what = groups.info(c)
    assert len(what.pairs) == groups.PAIRS
    assert what.hidden_pairs == 28 - groups.PAIRS
    assert what.hidden_points == 8 * 100
    texts = [a["text"] for a in groups.draw(c)["layout"]["annotations"]]
    assert "800 points not drawn; 4 less clear pairs not drawn" in texts


@pytest.mark.parametrize("method", ["welch_anova", "anova", "kruskal", "brown_forsythe"])
def test_plotly_takes_groups(method):
    c = grouped(method=method)
    drawn = perf.plot(c)
    assert json.loads(drawn.to_json())["data"]
    assert drawn.layout.yaxis.title.text == "hours (h)"
    ends = [tuple(t.x) for t in drawn.data if t.xaxis == "x2"]
    assert ends == [(e.low, e.estimate, e.high) for e in c.effects if e.contrast]


def test_shares_have_intervals_and_points():
    data = {"x": [40, 45, 20], "n": [60, 60, 60], "g": ["a", "b", "c"]}
    c = perf.compare_groups(data, value="x", sizes="n", by="g", measure=SHARE)
    drawn = groups.draw(c)
    assert drawn["data"][0]["y"] == pytest.approx([40 / 60, 45 / 60, 20 / 60])
    assert drawn["data"][0]["error_y"]["array"][0] > 0
    assert drawn["layout"]["xaxis2"]["title"]["text"] == "difference (points)"
    assert drawn["data"][1]["x"][1] == pytest.approx(100 * c.effects[2].estimate)


def test_without_pairs_the_groups_take_the_whole_figure():
    drawn = groups.draw(grouped(post_hoc="none"))
    assert drawn["layout"]["xaxis"]["domain"] == [0.0, 1.0]
    assert "xaxis2" not in drawn["layout"]


def test_two_factors_are_drawn():
    rng = np.random.default_rng(0)
    data = {"y": rng.normal(size=40), "a": ["p", "q"] * 20, "b": ["u"] * 20 + ["v"] * 20}
    assert perf.plot(perf.compare_groups(data, value="y", by=("a", "b"))).layout.title.text == "y by a x b"


def many():
    rng = np.random.default_rng(3)

    def side(f=1.0):
        return perf.Series(f * np.exp(rng.normal(2, 0.4, 40)), measure=HOURS)

    def share(p):
        return perf.Series(rng.binomial(50, p, 20), sizes=[50] * 20, measure=SHARE)

    made = {
        "desk": perf.compare(side(), side(0.5), order="none"),
        "field": perf.compare(side(), side(), order="none"),
        "met": perf.compare(share(0.9), share(0.7)),
        "raw": perf.compare(side(), side(1.6), order="none", scale="raw"),
    }
    return perf.adjust(made)


def test_the_record_of_a_forest():
    m = many()
    panels = forest.info(m)
    assert [(p.title, p.null, p.log) for p in panels] == [
        ("after / before (ratio)", 1.0, True),
        ("after - before (points)", 0.0, False),
        ("after - before (h)", 0.0, False),
    ]
    assert [r.name for r in panels[0].rows] == ["desk", "field"]
    desk, field = panels[0].rows
    assert (desk.estimate, desk.low, desk.high) == (m.estimate[0], m.low[0], m.high[0])
    assert desk.look == forest.LOOK["improvement"]
    assert field.look == forest.SAME
    assert panels[1].rows[0].estimate == pytest.approx(100 * m.estimate[2])
    assert panels[1].rows[0].look == forest.LOOK["deterioration"]


def test_plotly_takes_a_forest():
    m = many()
    drawn = perf.plot(m)
    assert json.loads(drawn.to_json())["data"]
    assert len(drawn.data) == 4
    assert "p-values adjusted by Holm" in drawn.layout.title.text
    lows = [t.x[0] for t in drawn.data]
    assert lows[0] == pytest.approx(m.low[0])


def test_what_has_no_estimate_keeps_its_row():
    none = perf.compare([2.0] * 9, [2.0] * 9, order="none")
    m = perf.adjust({"a": none, "b": perf.compare([1.0, 2, 3], [2.0, 4, 6], order="none")})
    texts = [a["text"] for a in forest.draw(m)["layout"]["annotations"]]
    assert any("p not defined" in t for t in texts)
