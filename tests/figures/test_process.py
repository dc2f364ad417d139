"""The drawing of a composed process, compared as records and as places."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError
from perfanalytics.figures import process
from perfanalytics.figures.plot import further_figures, plot
from perfanalytics.figures.process_layout import BOX_HEIGHT, lay_out
from perfanalytics.models.simulation.parts import Part

D = perf.Distribution


def _step(name: str, mean: float = 1.0) -> Part:
    return perf.step(name, D.gamma(mean=mean, sd=mean / 2))


PROCESS = perf.sequence(
    _step("triage", 1),
    perf.parallel(_step("parts", 3), perf.sequence(_step("access", 2), _step("badge", 0.5)), wait_for=1),
    perf.rework(perf.sequence(_step("diagnosis", 2), _step("repair", 4)), probability=0.18, at_most=3),
    perf.branch([(0.8, _step("by phone", 0.3)), (0.2, _step("on site", 3))], name="how"),
    perf.batch(_step("inform", 0.1), size=3),
)


def test_the_share_of_time_of_each_step() -> None:
    record = process.info(PROCESS)
    passes = 1 + 0.18 + 0.18**2 + 0.18**3
    work = np.array([1, 3, 2, 0.5, 2 * passes, 4 * passes, 0.8 * 0.3, 0.2 * 3, 3 * 0.1])
    assert record.worked == pytest.approx(work.sum(), rel=1e-6)
    assert record.share == pytest.approx(work / work.sum(), rel=1e-6)
    assert record.share.sum() == pytest.approx(1.0)
    assert record.names[5] == "repair"


def test_everything_is_told() -> None:
    figure = json.loads(plot(PROCESS).to_json())
    texts = [a["text"] for a in figure["layout"]["annotations"]]
    for said in ("1 of 2 needed", "18% again, at most 3 times", "80%", "20%", "how", "3 times in a row"):
        assert said in texts
    assert any(t.startswith("repair<br><b>") for t in texts)
    assert "done 0.8 times on average" in " ".join(figure["data"][0]["text"])


def test_lines_are_level_and_begin_where_parts_end() -> None:
    made = lay_out(PROCESS)
    for path in (*made.lines, *made.arrows):
        for (x0, y0), (x1, y1) in itertools.pairwise(path):
            assert x0 == pytest.approx(x1) or y0 == pytest.approx(y1)
    heads = {(round(p[-1][0], 6), round(p[-1][1], 6)) for p in made.arrows}
    for box in made.boxes:
        assert (round(box.x, 6), round(box.y + BOX_HEIGHT / 2, 6)) in heads


@st.composite
def parts(draw: st.DrawFn, depth: int = 3) -> Part:
    counter = draw(st.shared(st.builds(lambda: [0]), key="names"))

    def part(level: int) -> Part:
        kinds = ["step", "sequence", "parallel", "branch", "rework", "batch"] if level else ["step"]
        kind = draw(st.sampled_from(kinds))
        counter[0] += 1
        name = f"part {counter[0]}"
        if kind == "step":
            return perf.step(name, 1.0)
        if kind == "sequence":
            return perf.sequence(*(part(level - 1) for _ in range(draw(st.integers(1, 9)))))
        if kind == "parallel":
            return perf.parallel(*(part(level - 1) for _ in range(draw(st.integers(2, 4)))), wait_for=1)
        if kind == "branch":
            named = name if draw(st.booleans()) else None
            return perf.branch([(0.5, part(level - 1)), (0.5, part(level - 1))], name=named)
        if kind == "rework":
            return perf.rework(part(level - 1), probability=0.2, name=name)
        return perf.batch(part(level - 1), size=2)

    return part(depth)


@settings(max_examples=60, deadline=None)
@given(parts())
def test_boxes_and_labels_do_not_overlap(whole: Part) -> None:
    made = lay_out(whole)
    assert [b.step.name for b in made.boxes] == [s.name for s in whole.steps]
    low = np.array([[b.x, b.y] for b in made.boxes])
    high = low + np.array([1.0, BOX_HEIGHT])
    for k in range(len(low)):
        apart = (high <= low[k] + 1e-9).any(axis=1) | (low >= high[k] - 1e-9).any(axis=1)
        apart[k] = True
        assert apart.all()
    for label in made.labels:
        start = label.x - label.room / 2 if label.centered else label.x
        inside = (low[:, 1] < label.y + 0.06) & (high[:, 1] > label.y - 0.06)
        inside &= (low[:, 0] < start + 0.9 * label.room) & (high[:, 0] > start)
        assert not inside.any()
    corners = [*low.tolist(), *high.tolist(), *(p for path in (*made.lines, *made.arrows) for p in path)]
    x, y = np.array(corners).T
    assert x.min() >= 0
    assert y.min() >= -1e-9
    assert x.max() <= made.wide + 1e-9
    assert y.max() <= made.high + 1e-9


def test_names_are_wrapped_and_cut() -> None:
    long = "a step with a name that is much too long for any box that could be drawn for it here, really"
    twelve = perf.sequence(*(perf.step(f"{k} {long}", 1.0) for k in range(12)))
    texts = [a["text"] for a in process.draw(twelve)["layout"]["annotations"] if "·" in a.get("text", "")]
    assert len(texts) == 12
    assert all(t.count("<br>") == 3 and "…" in t for t in texts)
    assert len({round(b.y, 3) for b in process.info(twelve).layout.boxes}) == 2  # two rows


def test_the_process_stands_beside_its_simulation() -> None:
    found = perf.simulate(PROCESS, runs=1000, rng=1, sensitivity=0)
    (figure,) = further_figures(found)
    assert figure["layout"]["title"]["text"] == "The process and where its time goes"
    other = perf.sequence(PROCESS, perf.step("check", 0.3))
    both = further_figures(perf.compare_processes({"a": PROCESS, "b": other}, runs=500, rng=1))
    assert [f["layout"]["title"]["text"] for f in both] == ["a", "b"]


def test_what_is_no_process() -> None:
    with pytest.raises(InputError, match="stands more than once"):
        plot(perf.sequence(perf.step("a", 1.0), perf.step("a", 2.0)))
    nothing = process.info(perf.step("nothing", 0.0))
    assert np.isnan(nothing.share).all()
    assert plot(perf.step("nothing", 0.0)).layout.height > 0
