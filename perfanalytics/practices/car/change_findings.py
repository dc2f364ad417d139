"""What a series shows by itself: shifts between stretches, and single points far from theirs."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.periods import period_number, period_start
from perfanalytics.spc.suggested_stages import NEEDED, SuggestedStages


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """The series (n points) with its stretches, and what was found (c shifts) in order of time.

    ``x`` is on the scale of the search, NaN where a point is not used; ``ends`` when each point is over (its
    period, or the point itself); ``borders`` the first points of the stretches.
    """

    when: NDArray[np.datetime64]
    ends: NDArray[np.datetime64]
    x: Floats
    logs: bool
    level: Floats
    borders: tuple[int, ...]
    what: NDArray[Any]
    point: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    before: Floats
    after: Floats
    p_value: Floats
    threshold: float

    def columns(self) -> dict[str, Any]:
        """The columns of the shifts."""
        return {n: getattr(self, n) for n in ("what", "point", "low", "high", "before", "after", "p_value")}

    def span(self, k: int) -> tuple[np.datetime64, np.datetime64]:
        """When the cause of a shift may have been: after the first time, up to the last."""
        low = int(self.low[k])
        if self.what[k] == "point":
            start = self.when[low] - np.timedelta64(1, "us")
        else:
            start = self.when[low - 1] if low else self.when[0] - np.timedelta64(1, "us")
        return start, self.ends[int(self.high[k])]

    def stretch(self, at: int) -> tuple[int, int]:
        """First and last + 1 of the stretch of a point."""
        edges = [0, *self.borders, len(self.x)]
        return next((a, b) for a, b in pairwise(edges) if a <= at < b)


def search(
    stages: SuggestedStages, *, lasting: bool, points: bool, rate: float, draws: int, seed: int
) -> Searched:
    """The shifts of suggested stages, and single points beyond what stable series of this length show."""
    assert stages.when is not None
    x = np.where(stages.kept, stages.value, np.nan)
    if stages.logs:
        x = np.log(x)
    shifts = np.arange(len(stages.point)) if lasting else np.arange(0)
    borders = tuple(int(stages.point[k]) for k in shifts if stages.what[k] == "level")
    rest = np.full(len(x), np.nan)
    for a, b in pairwise([0, *borders, len(x)]):
        own = x[a:b][~np.isnan(x[a:b])]
        if len(own):
            rest[a:b] = x[a:b] - np.median(own)
    far, p, threshold = np.arange(0), np.array([]), float("nan")
    if points and np.count_nonzero(~np.isnan(x)) >= NEEDED:
        far, p, threshold = _far(rest, rate=rate, draws=draws, seed=seed)
        # a point that begins a stretch of its own is told as that
        new = ~np.isin(far, stages.point[shifts])
        far, p = far[new], p[new]
    level = _levels(x, borders, far, logs=stages.logs)
    what = np.concatenate([stages.what[shifts], np.full(len(far), "point", dtype=object)]).astype(object)
    at = np.concatenate([stages.point[shifts], far]).astype(np.int64)
    order = np.argsort(at, kind="stable")

    def joined(name: str, of_points: Any) -> Any:
        return np.concatenate([getattr(stages, name)[shifts], of_points])[order]

    return Searched(
        when=stages.when,
        ends=_ends(stages.when, stages.every),
        x=x,
        logs=stages.logs,
        level=level,
        borders=borders,
        what=what[order],
        point=at[order],
        low=joined("low", far).astype(np.int64),
        high=joined("high", far).astype(np.int64),
        before=joined("before", level[far]),
        after=joined("after", stages.value[far]),
        p_value=joined("p_value", p),
        threshold=threshold,
    )


def _levels(x: Floats, borders: tuple[int, ...], far: NDArray[np.int64], *, logs: bool) -> Floats:
    """The mean (geometric on logs) of each stretch, without the single points that stand out from it."""
    usual = x.copy()
    usual[far] = np.nan
    level = np.full(len(x), np.nan)
    for a, b in pairwise([0, *borders, len(x)]):
        own = usual[a:b][~np.isnan(usual[a:b])]
        if len(own):
            level[a:b] = np.exp(own.mean()) if logs else own.mean()
    return level


def _ends(when: NDArray[np.datetime64], every: str | None) -> NDArray[np.datetime64]:
    """The last moment of each point: of its period, where it has one."""
    if every is None:
        return when
    return np.asarray(period_start(period_number(when, every) + 1, every) - np.timedelta64(1, "us"))


def _far(rest: Floats, *, rate: float, draws: int, seed: int) -> tuple[NDArray[np.int64], Floats, float]:
    """Points whose distance, over the median distance, is beyond the largest of most normal series."""
    known = np.flatnonzero(~np.isnan(rest))
    distance = np.abs(rest[known])
    middle = float(np.median(distance))
    if not middle > 0:
        return np.arange(0), np.array([]), float("nan")
    noise = np.random.default_rng(seed).standard_normal((draws, len(known)))
    noise -= np.median(noise, axis=1, keepdims=True)
    np.abs(noise, out=noise)
    largest = np.sort(noise.max(axis=1) / np.median(noise, axis=1))
    ratio = distance / middle
    p = (1 + draws - np.searchsorted(largest, ratio, side="left")) / (draws + 1)
    far = p <= rate
    threshold = float(largest[min(draws - 1, int(np.ceil((1 - rate) * (draws + 1))))])
    return known[far], p[far], threshold
