"""Cause-and-effect diagrams and why-trees: from texts and records and back, what is missing, figures."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perfanalytics as perf
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.figures.cause_effect import info as fishbone_info
from perfanalytics.figures.plot import figure_dict
from perfanalytics.figures.why_tree import info as tree_info
from perfanalytics.practices.car.cause_text import Line, read_lines, write_lines

FISHBONE = """
# seen since January
Incidents take too long
  Method
    No decision tree for triage [confirmed, root: comparison "New triage"]
      Nobody owns it
      Written for another tool [refuted: it was not]
    Tickets travel by mail
  People
    Few people know the network [confirmed: group Network 1.6 times]
  Measurement
"""
TREE = """
Mail was down for days
    The migration went wrong [confirmed: PRB-17]
        No trial run [confirmed, root: minutes of 21 May]
        New tool
    Too many calls [refuted: they rose a day later]
"""


def again(result: perf.Result) -> None:
    assert perf.Result.from_record(json.loads(json.dumps(result.to_record()))) == result


class TestText:
    def test_levels_and_marks(self):
        lines = read_lines(FISHBONE)
        assert [n.level for n in lines] == [0, 1, 2, 3, 3, 2, 1, 2, 1]
        assert lines[2] == Line(
            2,
            "No decision tree for triage",
            "confirmed",
            True,
            'comparison "New triage"',
            5,
        )
        assert write_lines(lines).splitlines()[0] == "Incidents take too long"

    def test_brackets_that_are_no_marks_belong_to_the_name(self):
        (_, line) = read_lines("Slow\n  Timeout [ms] too small")
        assert line.name == "Timeout [ms] too small"
        (_, line) = read_lines("Slow\n  Timeout [ms]")
        assert line.name == "Timeout [ms]"
        (_, line) = read_lines("Slow\n  Timeout [ms] [refuted: log [2], line 3]")
        assert (line.name, line.state, line.evidence) == ("Timeout [ms]", "refuted", "log [2], line 3")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "empty"),
            ("# only this\n", "empty"),
            ("a\nb", "line 2 .'b'. is not indented"),
            ("a\n    b\n  c", "indented like no line above"),
            ("a\n  b [confirmd]", "did you mean 'confirmed'"),
            ("a\n  b [confirmed, refuted]", "at once"),
            ("a\n  [root]", "names no cause"),
        ],
    )
    def test_mistakes_are_told_with_their_line(self, text, said):
        with pytest.raises(InputError, match=said):
            read_lines(text)

    NAMES = st.text("abcd ", min_size=1, max_size=8).map(str.strip).filter(bool)

    @settings(max_examples=60, deadline=None)
    @given(
        NAMES,
        st.lists(
            st.tuples(
                st.integers(0, 4),
                NAMES,
                st.sampled_from(["suspected", "confirmed", "refuted"]),
                st.booleans(),
                st.sampled_from(["", "chart 4", "a: b, c"]),
            ),
            max_size=12,
        ),
    )
    def test_what_is_written_is_read_back(self, effect, rows):
        lines, deepest = [Line(0, effect, number=1)], 0
        for number, (deep, name, state, root, evidence) in enumerate(rows, 2):
            deepest = min(deep, deepest) + 1
            lines.append(Line(deepest, name, state, root, evidence, number))
        assert read_lines(write_lines(lines)) == lines


class TestCauseEffect:
    def test_what_it_says(self):
        made = perf.cause_effect(FISHBONE)
        assert made.categories == ("Method", "People", "Measurement")
        assert made.depth.tolist() == [0, 1, 1, 0, 0]
        assert made.parent.tolist() == [-1, 0, 0, -1, -1]
        assert made.verdict == (
            "5 possible causes of 'Incidents take too long' in 2 categories, most in Method (4): "
            "2 confirmed, 1 refuted, 2 only suspected. Root cause: No decision tree for triage."
        )
        assert made.caveat_codes == ("empty-category",)
        assert made.to_frame()["behind"].tolist()[1] == "No decision tree for triage"
        assert made.summary()["causes"].item() == 5
        again(made)

    def test_round_trip_of_text_and_records(self):
        made = perf.cause_effect(FISHBONE)
        causes = made.causes("CAR-1")
        assert causes[0] == perf.Cause(
            "No decision tree for triage",
            analysis="CAR-1",
            because_of=("Nobody owns it", "Written for another tool"),
            category="Method",
            evidence='comparison "New triage"',
            state="confirmed",
            root=True,
        )
        back = perf.cause_effect(causes, effect=made.effect)
        # a category without causes is in no record
        assert back.text() == made.text().removesuffix("\n  Measurement")
        assert back.causes() == causes
        assert perf.cause_effect(made.text()).text() == made.text()

    def test_from_an_archive(self):
        analysis = perf.CausalAnalysis("CAR-1", outcome="Incidents take too long")
        causes = perf.cause_effect(FISHBONE).causes("CAR-1")
        other = perf.Cause("else", analysis="CAR-2", category="Method")
        archive = perf.Archive.of([analysis, *causes, other])
        made = perf.cause_effect(archive, analysis="CAR-1")
        assert made.effect == "Incidents take too long"
        assert made.causes() == causes
        with pytest.raises(UnknownNameError):
            perf.cause_effect(archive, analysis="CAR-9")
        with pytest.raises(InputError, match="name one"):
            perf.cause_effect(archive)
        with pytest.raises(InputError, match="several analyses"):
            perf.cause_effect([*causes, other], effect="x")

    def test_doubts(self):
        causes = [
            perf.Cause("a", analysis="C", state="confirmed"),
            perf.Cause("b", analysis="C", state="refuted", root=True, because_of="gone", category="M"),
        ]
        made = perf.cause_effect(causes, effect="late")
        assert made.caveat_codes == (
            "missing-link",
            "confirmed-without-evidence",
            "contradiction",
            "no-category",
        )
        assert made.categories == ("(no category)", "M")
        # what is not on record does not become a record
        assert [c.name for c in made.causes()] == ["a", "b"]
        assert perf.cause_effect("late\n  M\n    a").caveat_codes == ("nothing-confirmed",)
        empty = perf.cause_effect("late\n  M")
        assert empty.caveat_codes == ("no-causes", "empty-category")
        assert empty.verdict == "No cause of 'late' is on record."
        assert figure_dict(empty)["layout"]

    def test_the_same_name_in_two_categories_is_two_causes_but_no_two_records(self):
        made = perf.cause_effect("late\n  M\n    a\n  N\n    a")
        assert made.summary()["causes"].item() == 2
        with pytest.raises(InputError, match="one category"):
            made.causes("C")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a\n  M [confirmed]\n    b", "takes no marks"),
            ("a [confirmed]\n  M", "is the effect"),
            ("a\n  M\n  M", "stands there twice"),
        ],
    )
    def test_mistakes(self, text, said):
        with pytest.raises(InputError, match=said):
            perf.cause_effect(text)
        with pytest.raises(InputError, match="leave effect= out"):
            perf.cause_effect("a\n  M\n    b", effect="c")
        with pytest.raises(InputError, match="indented text"):
            perf.cause_effect(7)


class TestWhyTree:
    def test_what_it_says(self):
        made = perf.why_tree(TREE)
        assert made.verdict == (
            "4 causes of 'Mail was down for days', up to 2 whys deep: 2 confirmed, 1 refuted, 1 only "
            "suspected. Root cause: No trial run (confirmed)."
        )
        assert made.caveat_codes == ("ends-without-evidence",)
        assert made.caveats[0].evidence == {"causes": "New tool", "branches": 3}
        assert made.summary()[["whys", "branches"]].iloc[0].tolist() == [2, 3]
        again(made)

    def test_round_trip(self):
        made = perf.why_tree(TREE)
        causes = made.causes("C")
        assert causes[0].because_of == ("No trial run", "New tool")
        assert perf.why_tree(causes, effect=made.effect).text() == made.text()

    def test_a_cause_behind_two_others_is_one(self):
        made = perf.why_tree("late\n  a\n    c [confirmed: x]\n      d\n  b\n    c")
        assert made.repeated.tolist() == [False, False, False, False, True]
        assert made.summary()["causes"].item() == 4
        causes = made.causes("C")
        assert {c.name: c.behind for c in causes} == {"a": ("c",), "c": ("d",), "d": (), "b": ("c",)}
        back = perf.why_tree(causes, effect="late")
        assert back.name.tolist() == ["a", "c", "d", "b", "c"]
        assert back.causes() == causes

    def test_circles_and_contradictions_are_refused(self):
        a, b = (perf.Cause(n, analysis="C", because_of=m) for n, m in (("a", "b"), ("b", "a")))
        with pytest.raises(InputError, match="circle: a because of b because of a"):
            perf.why_tree([a, b], effect="late")
        top = perf.Cause("top", analysis="C")
        with pytest.raises(InputError, match="circle"):
            perf.why_tree([top, a, b], effect="late")
        with pytest.raises(InputError, match="circle"):
            perf.why_tree("late\n  a\n    b\n      a").causes("C")
        with pytest.raises(InputError, match="different marks"):
            perf.why_tree("late\n  a [confirmed]\n  b\n    a [refuted]").causes("C")
        with pytest.raises(InputError, match="give effect="):
            perf.why_tree([top])

    def test_doubts(self):
        made = perf.why_tree("late\n  a [refuted: no]\n    b [confirmed, root: yes]\n      c [root]")
        assert made.caveat_codes == (
            "behind-a-refuted-cause",
            "ends-without-evidence",
            "root-not-confirmed",
            "root-not-last",
        )
        assert "no-root" in perf.why_tree("late\n  a [confirmed: x]").caveat_codes
        assert perf.why_tree("late").caveat_codes == ("no-causes",)


def overlap(a, b):
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


class TestFigures:
    def test_fishbone_labels_do_not_overlap(self):
        lines = ["The effect of it all is far too long for a single line of text"]
        for category in range(6):
            lines.append(f"  Category {category}")
            for cause in range(5):
                lines.append(f"    A cause of some length, number {cause} of category {category}")
                lines += [f"      sub-cause {k}" for k in range((category + cause) % 3)]
        record = fishbone_info(perf.cause_effect("\n".join(lines)))
        assert len(record.bones) == 6
        assert len(record.labels) == 6 * 5 + 30
        # 12 pixel letters are about 6.6 wide; 700 pixels is a page of paper
        boxes = [
            (p.x, p.x + max(map(len, p.text.split("<br>"))) * 0.55 * p.size / 6.75, p.y - p.height, p.y)
            for p in record.labels
        ]
        assert not [(i, j) for i, a in enumerate(boxes) for j, b in enumerate(boxes[:i]) if overlap(a, b)]
        assert all(-record.below <= low < high <= record.above for _, _, low, high in boxes)
        # causes above the spine stay above it
        assert not any(low < 0 < high for _, _, low, high in boxes)

    def test_tree_boxes_do_not_overlap(self):
        tree = perf.why_tree(TREE)
        boxes, columns, height = tree_info(tree)
        assert columns == 3
        places = [(b.column, b.column + 0.8, b.top, b.bottom) for b in boxes]
        assert not [(i, j) for i, a in enumerate(places) for j, b in enumerate(places[:i]) if overlap(a, b)]
        assert max(b.bottom for b in boxes) <= height
        texts = {b.node: b.text for b in boxes}
        assert "no evidence" in texts[2]
        assert texts[3].startswith("✗ ")

    def test_they_are_drawn(self):
        for made in (perf.cause_effect(FISHBONE), perf.why_tree(TREE)):
            assert "Few" in str(figure_dict(made)) or "trial" in str(figure_dict(made))
            assert perf.plot(made).layout.annotations
