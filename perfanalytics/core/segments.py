"""Flat arrays cut into segments: sums, moving ranges, stretches, k in a row, k of m.

The only clever numerics of the package. A segment is one series, or one stage of a series; all
segments of a block lie behind one another in one flat array, and every function here does all of
them in a few passes over it. A single chart is a block of one segment.

References
----------
The doubling trick for "k in a row": a run of 2k is a run of k that follows a run of k; log2(k) passes
over bytes instead of a loop over points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

Flags = NDArray[np.bool_]

#: Positions since a break are counted in one byte; rules look back less far than that.
LONGEST_PATTERN = 255


class Segments:
    """Where each segment of a flat array begins. No segment is empty.

    Parameters
    ----------
    starts : int array, shape (m,)
        Strictly rising, the first is 0.
    n : int
        Length of the flat array.

    Examples
    --------
    >>> s = Segments(np.array([0, 2]), 5)
    >>> s.sums(np.array([1.0, 2, 3, 4, 5])).tolist(), s.lengths.tolist()
    ([3.0, 12.0], [2, 3])
    """

    __slots__ = ("lengths", "n", "starts")

    def __init__(self, starts: NDArray[np.int64], n: int) -> None:
        self.starts = np.asarray(starts, dtype=np.int64)
        self.n = int(n)
        if not len(self.starts) or self.starts[0] != 0:
            raise InputError("segments begin at 0")
        self.lengths = np.diff(self.starts, append=self.n)
        if (self.lengths <= 0).any():
            raise InputError("a segment cannot be empty")

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, x: Floats) -> Floats:
        """Sum of each segment, shape (m,)."""
        return np.asarray(np.add.reduceat(x, self.starts), dtype=np.float64)

    def counts(self, flags: Flags) -> NDArray[np.int64]:
        """Number of True in each segment, shape (m,)."""
        return np.asarray(np.add.reduceat(flags.view(np.uint8), self.starts, dtype=np.int64))

    def maxima(self, x: Floats) -> Floats:
        """Largest value of each segment, shape (m,); NaN where one is NaN."""
        return np.asarray(np.maximum.reduceat(x, self.starts))

    def minima(self, x: Floats) -> Floats:
        """Smallest value of each segment, shape (m,); NaN where one is NaN."""
        return np.asarray(np.minimum.reduceat(x, self.starts))

    def expand(self, per_segment: Floats) -> Floats:
        """One value a segment -> one value a point, shape (n,)."""
        return np.repeat(per_segment, self.lengths)

    def of(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """The segment each flat position lies in."""
        return np.searchsorted(self.starts, points, side="right") - 1

    def medians(self, x: Floats, keep: Flags) -> Floats:
        """Median of the kept values of each segment, shape (m,); NaN where none is kept.

        Examples
        --------
        >>> s = Segments(np.array([0, 3]), 5)
        >>> s.medians(np.array([3.0, 1, 2, 8, 9]), np.array([True, True, True, False, True])).tolist()
        [2.0, 9.0]
        """
        where = np.flatnonzero(keep)
        segment, kept = self.of(where), x[where]
        kept = kept[np.lexsort((kept, segment))]
        count = np.bincount(segment, minlength=len(self))
        first = np.cumsum(count) - count
        out = np.full(len(self), np.nan)
        some = count > 0
        low = (first + (count - 1) // 2)[some]
        high = (first + count // 2)[some]
        out[some] = (kept[low] + kept[high]) / 2
        return out


def blocks(offsets: NDArray[np.int64], points: int = 1 << 16) -> Iterator[tuple[int, int]]:
    """Blocks of whole series of about ``points`` points: the arrays of a block stay in cache.

    Yields
    ------
    first, last : int
        Series ``first`` to ``last - 1`` belong to the block; at least one.

    Examples
    --------
    >>> list(blocks(np.array([0, 4, 8, 20]), 8))
    [(0, 2), (2, 3)]
    """
    m, first = len(offsets) - 1, 0
    while first < m:
        last = int(np.searchsorted(offsets, offsets[first] + points, side="right")) - 1
        last = min(max(last, first + 1), m)
        if offsets[m] - offsets[last] < points // 4:
            # a small rest is not worth a block of its own
            last = m
        yield first, last
        first = last


def keep_freed_memory() -> None:
    """Ask the C allocator to reuse freed arrays instead of giving them back and fetching them again.

    glibc fits its thresholds to the largest block it has seen freed; until then each array of a block of
    points is mapped and faulted in anew, which doubles the time of the kernel. Elsewhere this does nothing.
    The 30 MB are never touched.
    """
    np.empty(30 << 20, dtype=np.uint8)


def links(segments: Segments, use: Flags | None, breaks: Flags | None) -> Flags:
    """True where a point follows its neighbour: both in use, same segment, no missing period between.

    Parameters
    ----------
    segments : Segments
    use : bool array, shape (n,), or None
        False for missing and excluded points; None when every point is used.
    breaks : bool array, shape (n,), or None
        True where at least one expected period is missing before the point.

    Examples
    --------
    >>> s = Segments(np.array([0]), 4)
    >>> links(s, np.array([True, False, True, True]), None).tolist()
    [False, False, False, True]
    """
    if use is None:
        link = np.ones(segments.n, dtype=bool)
    else:
        link = use.copy()
        link[1:] &= use[:-1]
    link[segments.starts] = False
    if breaks is not None:
        link &= ~breaks
    return link


def moving_ranges(x: Floats, link: Flags, span: int = 2) -> Floats:
    """Range of each point and the ``span - 1`` linked before it, 0 where they are not all linked; shape (n,).

    Of two points ``|x_i - x_(i-1)|``.

    Examples
    --------
    >>> moving_ranges(np.array([1.0, 4.0, 2.0]), np.array([False, True, True])).tolist()
    [0.0, 3.0, 2.0]
    >>> moving_ranges(np.array([1.0, 4.0, 2.0]), np.array([False, True, True]), 3).tolist()
    [0.0, 0.0, 3.0]
    """
    if span != 2:
        return _long_ranges(x, link, span)
    out = np.empty_like(x)
    out[:1] = 0.0
    np.subtract(x[1:], x[:-1], out=out[1:])
    np.abs(out, out=out)
    out[breaks_of(link)] = 0.0
    return out


def _long_ranges(x: Floats, link: Flags, span: int) -> Floats:
    """Moving ranges of more than two points: extremes of a window from those of two that overlap."""
    out = np.zeros_like(x)
    if span > len(x):
        return out
    high, low, window = x, x, 1
    while window < span:
        step = min(window, span - window)
        high = np.maximum(high[step:], high[:-step])
        low = np.minimum(low[step:], low[:-step])
        window += step
    with np.errstate(invalid="ignore"):
        np.subtract(high, low, out=out[span - 1 :])
    out[~has_range(link, span)] = 0.0
    return out


def has_range(link: Flags, span: int) -> Flags:
    """True where ``span - 1`` linked points lie before a point; shape (n,).

    Examples
    --------
    >>> has_range(np.array([False, True, True, False]), 3).tolist()
    [False, False, True, False]
    """
    return link if span == 2 else since_break(link, span - 1) >= span - 1


def breaks_of(link: Flags) -> NDArray[np.int64]:
    """Positions that do not follow their neighbour; few, so that an index is faster than a mask."""
    return np.flatnonzero(~link)


def since_break(link: Flags, longest: int = LONGEST_PATTERN) -> NDArray[np.uint8]:
    """How many neighbours each point has behind it without a break, at most ``longest``; shape (n,).

    Parameters
    ----------
    link : bool array, shape (n,)
    longest : int
        At most 255. A pattern of ``k`` points needs ``k - 1``; the fewer, the faster.

    Examples
    --------
    >>> since_break(np.array([False, True, True, False, True])).tolist()
    [0, 1, 2, 0, 1]
    """
    n, first = len(link), breaks_of(link)
    if not len(first) or first[0] != 0:
        first = np.insert(first, 0, 0)[: max(n, 0)]
    if len(first) * longest < n // 8:
        # few breaks: only the points right behind one are nearer than ``longest``
        out = np.full(n, longest, dtype=np.uint8)
        for k in range(longest - 1, -1, -1):
            behind = first + k
            out[behind[: np.searchsorted(behind, n)]] = k
        return out
    first = first.astype(np.int32)
    index = np.arange(n, dtype=np.int32)
    index -= np.repeat(first, np.diff(first, append=np.int32(n)))
    np.minimum(index, longest, out=index)
    return index.astype(np.uint8)


def in_a_row(flags: Flags, k: int, since: NDArray[np.uint8]) -> Flags:
    """True at each point that ends ``k`` flagged points in a row within one stretch.

    Examples
    --------
    >>> since = since_break(np.array([False, True, True, True]))
    >>> in_a_row(np.array([True, True, True, False]), 2, since).tolist()
    [False, True, True, False]
    """
    run, have = flags, 1
    while have < k:
        step = min(have, k - have)
        longer = np.zeros(len(run), dtype=bool)
        if step < len(run):
            np.logical_and(run[step:], run[:-step], out=longer[step:])
        run, have = longer, have + step
    return run & (since >= k - 1) if k > 1 else run.copy()


def k_of_m(
    flags: Flags, k: int, m: int, since: NDArray[np.uint8], reach: Callable[[int], Flags] | None = None
) -> Flags:
    """True at each flagged point that is the k-th or later of its last ``m`` points in the stretch.

    The point itself is flagged; the window may still be incomplete (two flagged points at the very
    beginning are "2 of 3"). ``reach(j)`` may give ``since >= j``, where several calls share it.

    Examples
    --------
    >>> since = since_break(np.array([False, True, True, True]))
    >>> k_of_m(np.array([True, False, True, False]), 2, 3, since).tolist()
    [False, False, True, False]
    """
    count = flags.astype(np.uint8)
    for back in range(1, min(m, len(flags))):
        far = since[back:] >= back if reach is None else reach(back)[back:]
        count[back:] += flags[:-back] & far
    return flags & (count >= k)


def members_of(fired: Flags, flags: Flags, m: int, since: NDArray[np.uint8]) -> Flags:
    """Every flagged point of the ``m`` points that end at a fired one, within its stretch.

    Examples
    --------
    >>> since = since_break(np.array([False, True, True]))
    >>> members_of(np.array([False, False, True]), np.array([True, False, True]), 3, since).tolist()
    [True, False, True]
    """
    out = fired.copy()
    for ahead in range(1, min(m, len(fired))):
        out[:-ahead] |= fired[ahead:] & (since[ahead:] >= ahead)
    return out & flags


def lag1(deviation: Floats, link: Flags, segments: Segments, squares: Floats) -> Floats:
    """Lag-1 autocorrelation of each segment from deviations (0 where not used); NaN without variation.

    ``sum over linked pairs d_i d_(i-1) / sum d_i^2``; shape (m,).
    """
    product = np.empty_like(deviation)
    product[:1] = 0.0
    np.multiply(deviation[1:], deviation[:-1], out=product[1:])
    product[breaks_of(link)] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(squares > 0, segments.sums(product) / squares, np.nan)
