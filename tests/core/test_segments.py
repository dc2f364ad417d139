"""Segments: flat arrays cut into pieces, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import (
    Segments,
    blocks,
    in_a_row,
    k_of_m,
    lag1,
    links,
    members_of,
    moving_ranges,
    since_break,
)

lengths = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def cut(sizes):
    return Segments(np.cumsum([0, *sizes[:-1]]), sum(sizes))


@given(lengths, st.integers(0, 2**32 - 1))
def test_sums_maxima_and_medians_are_those_of_each_piece(sizes, seed):
    seg, rng = cut(sizes), np.random.default_rng(seed)
    x, keep = rng.normal(size=seg.n), rng.random(seg.n) < 0.7
    pieces = np.split(np.arange(seg.n), seg.starts[1:])
    np.testing.assert_allclose(seg.sums(x), [x[p].sum() for p in pieces], rtol=1e-12, atol=1e-12)
    assert seg.maxima(x).tolist() == [x[p].max() for p in pieces]
    assert seg.minima(x).tolist() == [x[p].min() for p in pieces]
    assert seg.counts(keep).tolist() == [int(keep[p].sum()) for p in pieces]
    expected = [np.median(x[p][keep[p]]) if keep[p].any() else np.nan for p in pieces]
    np.testing.assert_allclose(seg.medians(x, keep), expected, rtol=1e-15)
    assert seg.expand(np.arange(len(seg))).tolist() == [i for i, p in enumerate(pieces) for _ in p]


def test_an_empty_segment_is_refused():
    with pytest.raises(InputError, match="cannot be empty"):
        Segments(np.array([0, 3, 3]), 5)
    with pytest.raises(InputError, match="cannot be empty"):
        Segments(np.array([0, 5]), 5)


def test_no_link_crosses_a_border_a_missing_point_or_a_missing_period():
    seg = cut([3, 4])
    use = np.array([True, True, True, True, False, True, True])
    breaks = np.array([False, False, True, False, False, False, False])
    assert links(seg, use, breaks).tolist() == [False, True, False, False, False, False, True]
    assert links(seg, None, None).tolist() == [False, True, True, False, True, True, True]


def test_moving_ranges_are_zero_where_there_is_none():
    x = np.array([1.0, 4.0, np.nan, 2.0, 3.0])
    link = links(cut([5]), ~np.isnan(x), None)
    assert moving_ranges(x, link).tolist() == [0.0, 3.0, 0.0, 0.0, 1.0]


def test_positions_since_a_break_stop_at_255():
    since = since_break(np.arange(600) > 0)
    assert since[[0, 1, 254, 255, 599]].tolist() == [0, 1, 254, 255, 255]


@given(st.lists(st.booleans(), max_size=300), st.integers(1, 20))
def test_few_and_many_breaks_give_the_same_positions(linked, longest):
    """Few breaks are found by index, many by arithmetic; both against a loop."""
    for link in (linked, [True] * 40 + linked + [True] * 400):
        position, expected = -1, []
        for follows in link:
            position = position + 1 if follows and expected else 0
            expected.append(min(position, longest))
        assert since_break(np.array(link, dtype=bool), longest).tolist() == expected


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40), st.integers(1, 9))
def test_k_in_a_row_against_a_loop(points, k):
    flags = np.array([f for f, _ in points], dtype=bool)
    link = np.array([bool(i) and b for i, (_, b) in enumerate(points)], dtype=bool)
    found = in_a_row(flags, k, since_break(link))
    run, expected = 0, []
    for f, linked in zip(flags, link, strict=True):
        run = (run if linked else 0) + 1 if f else 0
        expected.append(run >= k)
    assert found.tolist() == expected


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40), st.integers(1, 5), st.integers(0, 3))
def test_k_of_m_and_its_members_against_a_loop(points, k, more):
    m = k + more
    flags = np.array([f for f, _ in points], dtype=bool)
    link = np.array([bool(i) and b for i, (_, b) in enumerate(points)], dtype=bool)
    since = since_break(link)
    fired = k_of_m(flags, k, m, since)
    expected, members = [], set()
    for i in range(len(points)):
        window = [i]
        while len(window) < m and link[window[-1]]:
            window.append(window[-1] - 1)
        hits = [j for j in window if flags[j]]
        expected.append(bool(flags[i] and len(hits) >= k))
        if expected[-1]:
            members |= set(hits)
    assert fired.tolist() == expected
    assert set(np.flatnonzero(members_of(fired, flags, m, since)).tolist()) == members


def test_blocks_hold_whole_series():
    offsets = np.array([0, 5, 5, 12, 40, 41])
    # the rest of one point joins the block before it
    assert list(blocks(offsets, 10)) == [(0, 2), (2, 3), (3, 5)]
    assert list(blocks(offsets, 1000)) == [(0, 5)]
    assert list(blocks(np.array([0]), 10)) == []


def test_lag1_of_each_segment():
    d = np.array([1.0, -1, 1, -1, 2, 1, -1, -2])
    seg = cut([4, 4])
    link = links(seg, None, None)
    found = lag1(d, link, seg, seg.sums(d * d))
    np.testing.assert_allclose(found, [-3 / 4, (2 - 1 + 2) / 10])
