"""Doubts about a series as a whole: a season in it, newest points missing, several streams mixed in one.

They look at times, subgroups and covariates, not at the limits; each is told once a series, also where a
chart has stages. Nothing here asks the clock of the machine: "today" is the ``as_of`` of the selection.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.periods import period_number
from perfanalytics.core.result import Caveat
from perfanalytics.core.segments import Flags, Segments
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.points import Points
from perfanalytics.spc.wording import p_text

#: Periods after which the usual season of a rhythm comes back, and what it is called.
SEASONS = {"hour": (24, "day"), "day": (7, "week"), "month": (12, "year"), "quarter": (4, "year")}
#: A season is told from this many of them on.
FEWEST_SEASONS = 3
#: False-alarm rate of the test for streams; small, because it is made on every series that has them.
STREAMS = 0.001
#: A period without a name is taken from the longest gap between points: this many times as long is too long.
GAPS = 1.5
#: Streams with fewer points each are not compared.
FEWEST_IN_STREAM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """Which doubt holds for which of m series, and the numbers behind each.

    Parameters
    ----------
    flags : mapping of code to bool array, shape (m,)
    evidence : mapping of code to mapping of name to array of shape (m,)
    texts : mapping of code to callable, or None
        The sentence of a doubt from its numbers; None: those of this module.
    """

    flags: Mapping[str, Flags]
    evidence: Mapping[str, Mapping[str, NDArray[Any]]]
    texts: Mapping[str, Callable[[Mapping[str, Any]], str]] | None = None

    def caveats(self, i: int) -> tuple[Caveat, ...]:
        """The caveats of series ``i``."""
        out = []
        for code, flag in self.flags.items():
            if flag[i]:
                facts = {name: _plain(column[i]) for name, column in self.evidence[code].items()}
                out.append(Caveat(code, (self.texts or _TEXTS)[code](facts), facts))
        return tuple(out)


def _plain(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]")).replace("T00:00:00", "")
    return value.item() if isinstance(value, np.generic) else value


def guard(batch: SeriesBatch, points: Points, starts: NDArray[np.int64]) -> Guarded:
    """The doubts about each series of a batch.

    Parameters
    ----------
    batch : SeriesBatch
        The series as they came.
    points : Points
        What is plotted; where those are not the values (subgroups), only staleness is judged.
    starts : int array
        Flat position at which each stage begins: levels are taken stage by stage.

    Returns
    -------
    Guarded
    """
    flags: dict[str, Flags] = {}
    evidence: dict[str, Mapping[str, NDArray[Any]]] = {}
    for code, found in (
        ("seasonal", _seasonal(batch, points, starts)),
        ("stale", _stale(batch)),
        ("mixed-streams", _mixed(batch, points, starts)),
    ):
        if found is not None:
            flags[code], evidence[code] = found
    return Guarded(flags=flags, evidence=evidence)


Found = tuple[Flags, dict[str, NDArray[Any]]]


def _deviations(points: Points, starts: NDArray[np.int64]) -> tuple[Floats, Flags | None]:
    """Values minus the mean of their stage, 0 where not used; which are used (None: all)."""
    x = points.value
    use = None
    if points.excluded is not None or np.isnan(x).any():
        use = ~np.isnan(x)
        if points.excluded is not None:
            use &= ~points.excluded
        x = np.where(use, x, 0.0)
    seg = Segments(starts, len(x))
    n = seg.lengths if use is None else np.maximum(seg.counts(use), 1)
    d = x - seg.expand(seg.sums(x) / n)
    if use is not None:
        d[~use] = 0.0
    return d, use


def _series_of(offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _same(batch: SeriesBatch, points: Points) -> bool:
    return len(points.value) == len(batch.values) > 0 and batch.values.ndim == 1


def _seasonal(batch: SeriesBatch, points: Points, starts: NDArray[np.int64]) -> Found | None:
    """Points one season apart resemble each other more than points half a season apart."""
    if batch.expected_every not in SEASONS or batch.when is None or not _same(batch, points):
        return None
    lag, _ = SEASONS[str(batch.expected_every)]
    half, m = lag // 2, len(batch)
    d, use = _deviations(points, starts)
    some = np.flatnonzero(batch.lengths > 0)
    seg = Segments(batch.offsets[some], len(d))
    count, square = np.zeros(m), np.zeros(m)
    count[some] = seg.lengths if use is None else seg.counts(use)
    square[some] = seg.sums(d * d)
    broken = batch.breaks
    regular = broken is None or not broken.any()
    number = None if regular else period_number(batch.when, str(batch.expected_every))

    def lagged(k: int) -> Floats:
        product, pair = np.zeros_like(d), np.ones(len(d), dtype=bool)
        np.multiply(d[k:], d[:-k], out=product[k:])
        # of each series the first k points have none before them
        early = np.concatenate([np.arange(a, min(a + k, b)) for a, b in pairwise(batch.offsets.tolist())])
        pair[early] = False
        if use is not None:
            pair[k:] &= use[k:] & use[:-k]
        if number is not None:
            # with periods missing, k points back are more than k periods back
            pair[k:] &= number[k:] - number[:-k] == k
        product[~pair] = 0.0
        r, pairs = np.full(m, np.nan), seg.counts(pair)
        with np.errstate(invalid="ignore", divide="ignore"):
            r[some] = (seg.sums(product) / pairs) / (square / count)[some]
            r[some[(pairs < lag) | (square[some] <= 0)]] = np.nan
        return r

    at = lagged(lag) if len(d) > lag else np.full(m, np.nan)
    if not (at > 0.2).any():
        return None
    between = lagged(half)
    with np.errstate(invalid="ignore", divide="ignore"):
        bound = np.maximum(0.3, 3.0 * np.sqrt(2.0 / count))
        flag = (at - between > bound) & (at > 0.2) & (count >= FEWEST_SEASONS * lag)
    return np.asarray(flag), {
        "lag": np.full(m, lag),
        "correlation": at,
        "half_a_season": between,
        "n": count.astype(np.int64),
        "season": np.full(m, SEASONS[str(batch.expected_every)][1], dtype=object),
    }


def _stale(batch: SeriesBatch) -> Found | None:
    """The newest point is older than the rhythm lets expect, at the selection's ``as_of`` or ``until``."""
    as_of = batch.selection.get("as_of")
    if as_of is None or batch.when is None or not len(batch.when):
        return None
    now = np.datetime64(str(as_of)).astype("datetime64[us]")
    until = batch.selection.get("until")
    if until is not None:  # what was left out on purpose is not late
        now = min(now, instant(str(until), "UTC"))
    m = len(batch)
    values = batch.values if batch.values.ndim == 1 else batch.values[:, 0]
    when, count, ends = batch.when, batch.lengths, batch.offsets[1:]
    if np.isnan(values).any():
        # a period without observations is no news
        seen = ~np.isnan(values)
        when, total = when[seen], np.concatenate([[0], np.cumsum(seen)])
        ends = total[batch.offsets[1:]]
        count = ends - total[batch.offsets[:-1]]
    has = count > 0
    newest = np.full(m, "NaT", dtype="datetime64[us]")
    newest[has] = when[ends[has] - 1]
    behind, usual = np.zeros(m), np.ones(m)
    if batch.expected_every is not None:
        # one period is under way and the one before may still be reported
        today = period_number(np.array([now]), batch.expected_every)[0]
        behind[has] = today - period_number(newest[has], batch.expected_every)
        usual[:] = 2.0
    else:
        behind[has] = (now - newest[has]).astype(np.float64)
        usual[:] = np.inf
        for i in np.flatnonzero(_may_be_late(when, ends, count, behind)).tolist():
            steps = np.diff(when[ends[i] - count[i] : ends[i]])
            usual[i] = GAPS * float(steps.max().astype(np.float64))
    every = batch.expected_every or ""
    return np.asarray(has & (behind > usual)), {
        "newest": newest,
        "as_of": np.full(m, now),
        "periods": behind / (1.0 if every else 86_400e6),
        "every": np.full(m, every, dtype=object),
    }


def _may_be_late(
    when: NDArray[Any], ends: NDArray[np.int64], count: NDArray[np.int64], behind: Floats
) -> Flags:
    """Series that are late by their mean gap: the others are not by their longest one either."""
    out = count >= 8
    first, last = when[(ends - count)[out]], when[ends[out] - 1]
    mean = (last - first).astype(np.float64) / (count[out] - 1)
    out[out] = (mean > 0) & (behind[out] > GAPS * mean)
    return np.asarray(out)


def _mixed(batch: SeriesBatch, points: Points, starts: NDArray[np.int64]) -> Found | None:
    """Subgroups or text covariates that part the points of a series into streams at different levels."""
    columns: dict[str, NDArray[Any]] = {
        name: column for name, column in batch.covariates.items() if column.dtype.kind in "OUSb"
    }
    if batch.subgroups is not None and "product" not in points.columns:
        # products of a short-run chart have targets of their own
        columns["subgroups"] = batch.subgroups
    if not columns or not _same(batch, points):
        return None
    d, use = _deviations(points, starts)
    use = np.ones(len(d), dtype=bool) if use is None else use
    m = len(batch)
    series = _series_of(batch.offsets)
    best = np.full(m, np.inf)
    names = np.full(m, "", dtype=object)
    share, streams = np.zeros(m), np.zeros(m, dtype=np.int64)
    for name, column in columns.items():
        p, explained, groups = _between(d, use, series, column, m)
        better = p * len(columns) < best
        best[better], share[better], streams[better] = (
            p[better] * len(columns),
            explained[better],
            groups[better],
        )
        names[better] = name
    return np.asarray(best < STREAMS), {
        "column": names,
        "streams": streams,
        "explained": share,
        "p_value": np.minimum(best, 1.0),
    }


def _between(
    d: Floats, use: Flags, series: NDArray[np.int64], column: NDArray[Any], m: int
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """F test of the levels of a column within each series: p-value, share of variation explained, levels."""
    levels: dict[Any, int] = {}
    code = np.fromiter((levels.setdefault(v, len(levels)) for v in column.tolist()), np.int64, len(column))
    key = (series * max(len(levels), 1) + code)[use]
    cells, where = np.unique(key, return_inverse=True)
    size = np.bincount(where, minlength=len(cells)).astype(np.float64)
    total = np.bincount(where, weights=d[use], minlength=len(cells))
    of = cells // max(len(levels), 1)
    n = np.bincount(series, weights=use, minlength=m)
    all_squares = np.bincount(series, weights=d * d, minlength=m)
    between = np.bincount(of, weights=total * total / size, minlength=m)
    groups = np.bincount(of, minlength=m)
    smallest = np.full(m, np.inf)
    np.minimum.at(smallest, of, size)
    good = (groups >= 2) & (smallest >= FEWEST_IN_STREAM) & (n > groups) & (all_squares > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = np.where(good, between / all_squares, 0.0)
        f = (between / (groups - 1)) / (np.maximum(all_squares - between, 1e-300) / (n - groups))
        p = np.where(good, special.fdtrc(groups - 1, n - groups, f), 1.0)
    return p, explained, groups


def _seasonal_text(e: Mapping[str, Any]) -> str:
    return (
        f"The series repeats itself every {e['season']}: points {e['lag']} apart correlate with "
        f"{e['correlation']:.2f}, points half as far apart with {e['half_a_season']:.2f}. A control chart "
        "takes the season for special causes, or hides them in it."
    )


def _stale_text(e: Mapping[str, Any]) -> str:
    old = e["periods"]
    age = f"{old:.0f} {e['every']}s" if e["every"] else f"{math.floor(old)} days"
    return (
        f"The newest point is of {e['newest']}, {age} before {e['as_of']}: the chart may not show the "
        "process of today."
    )


def _mixed_text(e: Mapping[str, Any]) -> str:
    return (
        f"{e['streams']} streams are mixed: {e['column']} explains {100 * e['explained']:.0f}% of the "
        f"variation ({p_text(e['p_value'])}). Chart each stream by itself: in the mixture a large slip of "
        "one of them goes unseen."
    )


_TEXTS = {"seasonal": _seasonal_text, "stale": _stale_text, "mixed-streams": _mixed_text}
