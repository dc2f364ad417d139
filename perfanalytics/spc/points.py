"""What a chart plots, and the block of whole series its functions work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Flags, Segments, links, moving_ranges
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.options import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What a family plots, flat over the points of all series.

    Parameters
    ----------
    offsets : int array, shape (m + 1,)
        Points of series ``i``: ``offsets[i]`` to ``offsets[i + 1]``.
    value : float array, shape (n,)
        The statistic of the main panel; NaN is a gap.
    size : float array, shape (n,), or None
        Denominator or subgroup size of each point.
    columns : mapping of name to float array, shape (n,)
        Whatever else the family needs (counts, ranges within subgroups).
    excluded, breaks : bool array, shape (n,), or None
    batch : SeriesBatch or None
        The points as series of their own (times, labels, rhythm, exclusions), where they are not the values.
    how : mapping
        Choices made on the way, for ``.method``.
    share : bool or None
        Whether the values are shares, told in percent; None: where the main panel ends at 1.
    """

    offsets: NDArray[np.int64]
    value: Floats
    size: Floats | None = None
    columns: Mapping[str, Floats] = field(default_factory=dict)
    excluded: Flags | None = None
    breaks: Flags | None = None
    batch: SeriesBatch | None = None
    how: Mapping[str, Any] = field(default_factory=dict)
    share: bool | None = None

    def part(self, first: int, last: int) -> Points:
        """The points of series ``first`` to ``last - 1``."""
        a, b = int(self.offsets[first]), int(self.offsets[last])

        def cut(column: Any) -> Any:
            return None if column is None else column[a:b]

        return Points(
            offsets=self.offsets[first : last + 1] - a,
            value=self.value[a:b],
            size=cut(self.size),
            columns={k: v[a:b] for k, v in self.columns.items()},
            excluded=cut(self.excluded),
            breaks=cut(self.breaks),
            batch=self.batch,
            how=self.how,
            share=self.share,
        )


class Block:
    """The points of a few whole series with their segments: what ``estimate`` and ``lines`` work on.

    Attributes
    ----------
    points : Points
    segments : Segments
        One segment a stage of a series.
    use : bool array or None
        False for missing and excluded points; None when every point is used.
    keep : bool array or None
        The points limits are estimated from (``use``, narrowed by chosen points); None: every point.
    link, keep_link : bool array
        True where a point follows its neighbour, among the used and among the kept points.
    frozen : bool
        True where the parameters came from elsewhere.
    asked : Asked
        Options, kind of limits and their width.
    """

    __slots__ = (
        "_pairs",
        "_ranges",
        "asked",
        "frozen",
        "keep",
        "keep_link",
        "link",
        "points",
        "segments",
        "use",
    )

    def __init__(
        self,
        points: Points,
        segments: Segments,
        chosen: Flags | None = None,
        asked: Asked = Asked(),  # noqa: B008 (immutable)
        *,
        frozen: bool = False,
    ) -> None:
        self.points, self.segments, self.asked, self.frozen = points, segments, asked, frozen
        use = ~np.isnan(points.value)
        if points.excluded is not None:
            use &= ~points.excluded
        self.use = None if use.all() else use
        self.keep = self.use if chosen is None else (chosen if self.use is None else chosen & self.use)
        self.link = links(segments, self.use, points.breaks)
        self.keep_link = self.link if chosen is None else links(segments, self.keep, points.breaks)
        self._ranges: Floats | None = None
        self._pairs: Floats | None = None

    def kept(self, x: Floats) -> Floats:
        """``x`` with 0 at the points that do not count for the limits: ready to be summed."""
        if self.keep is None:
            return x
        out = x.copy()
        # few points drop out, so that an index is faster than a mask
        out[np.flatnonzero(~self.keep)] = 0.0
        return out

    def mask(self) -> Flags:
        """True at the points the limits are estimated from (``keep``, also where that is every point)."""
        return np.ones(self.segments.n, dtype=bool) if self.keep is None else self.keep

    def n_kept(self) -> Floats:
        """Number of points behind the limits of each segment, shape (m,)."""
        if self.keep is None:
            return self.segments.lengths.astype(np.float64)
        return self.segments.counts(self.keep).astype(np.float64)

    def pairs(self) -> Floats:
        """Number of linked neighbours of each segment, shape (m,); counted once."""
        if self._pairs is None:
            self._pairs = self.segments.counts(self.link).astype(np.float64)
        return self._pairs

    def kept_pairs(self) -> Floats:
        """Number of kept neighbours of each segment, shape (m,)."""
        if self.keep_link is self.link:
            return self.pairs()
        return self.segments.counts(self.keep_link).astype(np.float64)

    def ranges(self) -> Floats:
        """Moving ranges of the values, 0 where there is none; computed once."""
        if self._ranges is None:
            self._ranges = moving_ranges(self.points.value, self.link)
        return self._ranges

    def kept_ranges(self) -> Floats:
        """Moving ranges between kept neighbours, 0 elsewhere."""
        if self.keep_link is self.link:
            return self.ranges()
        return moving_ranges(self.points.value, self.keep_link)
