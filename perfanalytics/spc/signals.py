"""Where rules fire: one bit a rule, one small integer a point, for all segments of a block at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Flags, in_a_row, k_of_m, members_of, since_break
from perfanalytics.spc.rules import ON_LINE, Rule

Bits = NDArray[Any]


def bits_type(rules: int) -> type[np.unsignedinteger[Any]]:
    """The smallest unsigned integer with a bit for each rule."""
    return np.uint8 if rules <= 8 else np.uint16 if rules <= 16 else np.uint32


def find_signals(
    rules: Sequence[Rule], z: Floats, link: Flags, *, limit: float, segment_start: Flags | None = None
) -> Bits:
    """Which rules fire at which point.

    Parameters
    ----------
    rules : sequence of Rule
        Rule ``r`` is bit ``r`` of the answer.
    z : float array, shape (n,)
        Every point standardized by its own sigma; NaN where it is missing, excluded, or has no limits.
    link : bool array, shape (n,)
        True where a point follows its neighbour (:func:`perfanalytics.core.segments.links`).
    limit : float
        Width of the control limits in sigma.
    segment_start : bool array, shape (n,), optional
        True at the first point of each segment; needed for rules that skip gaps or ties.

    Returns
    -------
    unsigned integer array, shape (n,)

    Examples
    --------
    >>> from perfanalytics.spc.rules import WESTERN_ELECTRIC
    >>> z, link = np.array([0.0, 2.5, 2.1, 3.4]), np.array([False, True, True, True])
    >>> find_signals(WESTERN_ELECTRIC.rules, z, link, limit=3.0).tolist()
    [0, 0, 2, 3]
    """
    out = np.zeros(len(z), dtype=bits_type(len(rules)))
    plain = _Zones(z, link, max((r.window for r in rules), default=1))
    for bit, rule in enumerate(rules):
        if rule.gap == "breaks" and rule.tie == "ends":
            fired = _fire(rule, plain, limit)
        else:
            fired = _fire_on_kept(rule, z, link, limit, segment_start)
        out |= fired.view(np.uint8).astype(out.dtype, copy=False) << out.dtype.type(bit)
    return out


class _Zones:
    """The comparisons rules share, made once: beyond a zone above and below, rising, falling."""

    def __init__(self, z: Floats, link: Flags, longest: int) -> None:
        self.z, self.link, self.longest = z, link, longest
        self.cache: dict[Any, Any] = {}

    def get(self, key: Any, make: Any) -> Any:
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]

    @property
    def since(self) -> NDArray[np.uint8]:
        return self.get("since", lambda: since_break(self.link, self.longest))  # type: ignore[no-any-return]

    def reach(self, back: int) -> Flags:
        return self.get(("reach", back), lambda: self.since >= back)  # type: ignore[no-any-return]

    def above(self, zone: float) -> Flags:
        return self.get(("above", zone), lambda: self.z > zone + ON_LINE)  # type: ignore[no-any-return]

    def below(self, zone: float) -> Flags:
        return self.get(("below", zone), lambda: self.z < -(zone + ON_LINE))  # type: ignore[no-any-return]

    def beyond(self, zone: float) -> Flags:
        return self.get(("beyond", zone), lambda: self.above(zone) | self.below(zone))  # type: ignore[no-any-return]

    def within(self, zone: float) -> Flags:
        # a point on the line is inside; NaN compares False: a missing point is neither within nor beyond
        return self.get(("within", zone), lambda: np.abs(self.z) <= zone + ON_LINE)  # type: ignore[no-any-return]

    def steps(self) -> tuple[Flags, Flags]:
        def make() -> tuple[Flags, Flags]:
            step = np.empty_like(self.z)
            step[:1] = 0.0
            np.subtract(self.z[1:], self.z[:-1], out=step[1:])
            return (step > ON_LINE) & self.link, (step < -ON_LINE) & self.link

        return self.get("steps", make)  # type: ignore[no-any-return]


def _fire(rule: Rule, zones: _Zones, limit: float) -> Flags:
    zone = limit if rule.zone is None else rule.zone
    if rule.is_limit:
        return zones.beyond(zone)
    since = zones.since
    if rule.pattern == "trend":
        up, down = zones.steps()
        return _mark(rule, [(_steps(up, rule, since), None), (_steps(down, rule, since), None)], since)
    if rule.pattern == "alternating":
        up, down = zones.steps()
        turn = np.zeros(len(up), dtype=bool)
        turn[1:] = (up[1:] & down[:-1]) | (down[1:] & up[:-1])
        # n points have n - 1 steps and n - 2 turns
        fired = in_a_row(turn, rule.count - 2, since) & (since >= rule.count - 1)
        return _mark(rule, [(fired, None)], since)
    if rule.pattern == "within":
        flags = zones.within(zone)
        return _mark(rule, [(_count(flags, rule, zones), flags)], since)
    above, below = zones.above(zone), zones.below(zone)
    if rule.side == "same":
        pairs = [(_count(flags, rule, zones), flags) for flags in (above, below)]
        return _mark(rule, pairs, since)
    flags = zones.beyond(zone)
    fired = _count(flags, rule, zones)
    if rule.side == "both":
        # not all on one side: neither side alone fills the window
        seen = [_seen(side, rule.window, since) for side in (above, below)]
        fired = fired & seen[0] & seen[1]
    return _mark(rule, [(fired, flags)], since)


def _count(flags: Flags, rule: Rule, zones: _Zones) -> Flags:
    if rule.window == rule.count:
        return in_a_row(flags, rule.count, zones.since)
    return k_of_m(flags, rule.count, rule.window, zones.since, zones.reach)


def _steps(flags: Flags, rule: Rule, since: NDArray[np.uint8]) -> Flags:
    """``count`` points are ``count - 1`` steps; a step is flagged only where it is linked."""
    return in_a_row(flags, rule.count - 1, since) & (since >= rule.count - 1)


def _seen(flags: Flags, m: int, since: NDArray[np.uint8]) -> Flags:
    """Whether one of the last ``m`` points of the stretch is flagged."""
    out = flags.copy()
    for back in range(1, min(m, len(flags))):
        out[back:] |= flags[:-back] & (since[back:] >= back)
    return out


def _mark(rule: Rule, pairs: Sequence[tuple[Flags, Flags | None]], since: NDArray[np.uint8]) -> Flags:
    out = None
    for fired, flags in pairs:
        if rule.mark == "members":
            counted = np.ones(len(fired), dtype=bool) if flags is None else flags
            fired = members_of(fired, counted, rule.window, since)
        out = fired if out is None else out | fired
    assert out is not None
    return out


def _fire_on_kept(rule: Rule, z: Floats, link: Flags, limit: float, segment_start: Flags | None) -> Flags:
    """The rule on the points that are left when gaps or ties are skipped, put back in place."""
    n = len(z)
    keep = ~np.isnan(z)
    if segment_start is None:
        segment_start = np.zeros(n, dtype=bool)
        segment_start[:1] = True
    # a stretch ends where the segment does; with gap="breaks" also at every other break
    stretch = np.cumsum(segment_start if rule.gap == "skipped" else ~link)
    if rule.gap == "breaks":
        stretch[~keep] = -1
    if rule.tie == "skipped":
        if rule.pattern in ("trend", "alternating"):
            where = np.flatnonzero(keep)
            same = (np.abs(np.diff(z[where])) <= ON_LINE) & (np.diff(stretch[where]) == 0)
            keep[where[1:][same]] = False
        elif rule.pattern == "beyond":
            keep &= np.abs(z) > ON_LINE
    where = np.flatnonzero(keep)
    kept_link = np.zeros(len(where), dtype=bool)
    kept_link[1:] = np.diff(stretch[where]) == 0
    out = np.zeros(n, dtype=bool)
    out[where] = _fire(rule, _Zones(z[where], kept_link, rule.window), limit)
    return out
