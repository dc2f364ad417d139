"""Is a chart stable? Its signals against what stable charts of that length and rule set show.

No signal at all is too much to ask: of stable normal series of 100 points 61% show a signal of the
Western Electric rules. A chart is therefore called not stable when, at a false-alarm rate for the whole
chart (5%), either

- more points signal than in 97.5% of stable charts of the same length, rules and way of estimating, or
- one point lies farther from the center line (in sigma) than the farthest of 97.5% of them.

``p_value = min(1, 2 min(p_count, p_farthest))``; with several stages the smallest of their p-values times
their number (Bonferroni; never too many false alarms, slightly too few). The two distributions come from
simulated stable normal series that go through the same kernel, limits estimated from the series itself where
the chart does so. For the named rule sets and 3 sigma they are a table shipped with the package
(``stability.json``, made by ``python -m perfanalytics.spc.stability``, seed in the file); for other rules
they are simulated when first needed, with the same seed, and kept in memory. Limits carried on from n points
are judged against stable series on limits from n other points: they are uncertain themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Segments
from perfanalytics.spc.families.individuals import SPAN, estimate, lines
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import RULE_SETS, RuleSet
from perfanalytics.spc.signals import find_signals

#: False-alarm rate of the whole chart.
FALSE_ALARMS = 0.05
#: Fewer used points than this are not judged.
FEWEST = 8
SEED = 20260101
LENGTHS = (8, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300, 500, 1000, 2000)
TAILS = (0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001)
#: How sigma arises -> estimator, or None for limits known beforehand; whether there is a moving-range panel.
MODES: dict[str, tuple[str | None, bool]] = {
    "moving_range": ("moving_range", True),
    "median_moving_range": ("median_moving_range", True),
    "standard_deviation": ("standard_deviation", True),
    "laney": ("moving_range", False),
    "model": ("model", False),
    "known": (None, False),
    "known_two_panels": (None, True),
}
_TABLE = Path(__file__).with_name("stability.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What stable charts show: for each length the tails of the two statistics and the mean count.

    Parameters
    ----------
    lengths : float array, shape (L,)
    counts : float array, shape (L, T)
        Smallest number of signalling points that a share of at most ``TAILS[t]`` of stable charts reaches.
    farthest : float array, shape (L, T)
        The same for the largest distance from the center line, in sigma.
    expected : float array, shape (L,)
        Mean number of signalling points.
    made_by : str
        "table" or "simulated when needed", with the number of series.
    """

    lengths: Floats
    counts: Floats
    farthest: Floats
    expected: Floats
    made_by: str


def carried_mode(mode: str, base: int, estimator: str) -> str:
    """The mode of limits that rest on ``base`` other points, estimated as ``estimator`` does.

    Limits from few points are themselves uncertain: judged as if they were known, 23% of stable series of 30
    points would be called not stable on limits from 20 points, and 31% of series of 100.
    """
    near = max((k for k in LENGTHS if k <= base), default=LENGTHS[0])
    return mode if near >= 1000 else f"{mode}:{near}:{estimator}"


def spanned(mode: str, span: int) -> str:
    """The mode with moving ranges of ``span`` points.

    Examples
    --------
    >>> spanned("moving_range", 2), spanned("moving_range", 3)
    ('moving_range', 'moving_range/3')
    """
    return mode if span == SPAN else f"{mode}/{span}"


def span_of(mode: str) -> int:
    """Points of a moving range."""
    return int(mode.partition("/")[2] or SPAN)


def carried(mode: str) -> tuple[str, int | None, str | None]:
    """The parts of a mode: kind, points the limits rest on, estimator; None where the limits are known."""
    kind, _, rest = mode.partition("/")[0].partition(":")
    base, _, estimator = rest.partition(":")
    return kind, int(base) if base else None, estimator or None


def _series(n: int, runs: int, rng: np.random.Generator) -> tuple[Segments, Block]:
    seg = Segments(np.arange(runs) * n, runs * n)
    return seg, Block(Points(offsets=np.arange(runs + 1) * n, value=rng.standard_normal(runs * n)), seg)


def simulate(
    mode: str, n: int, sets: tuple[RuleSet, ...], sigmas: float, runs: int, rng: np.random.Generator
) -> tuple[list[NDArray[np.int64]], Floats]:
    """Signalling points (one array a rule set) and farthest point of ``runs`` stable normal series."""
    (kind, base, from_base), span = carried(mode), span_of(mode)
    estimator, two_panels = MODES[kind]
    seg, block = _series(n, runs, rng)
    # limits from the series itself, or from other points of the same process, carried on
    whose, rests_on = (seg, block) if base is None else _series(base, runs, rng)
    estimator = estimator if base is None else from_base
    if estimator is None or estimator == "model":
        center = np.zeros(runs) if estimator is None else whose.sums(rests_on.points.value) / (base or n)
        found = {"center": center, "sigma": np.ones(runs)}
    else:
        found = estimate(rests_on, estimator, span)
    individual, ranges = lines(block, found, span)
    z = individual.standardized(sigmas)
    start = np.zeros(seg.n, dtype=bool)
    start[seg.starts] = True
    wide = np.abs(ranges.standardized(sigmas)) > sigmas if two_panels else np.zeros(seg.n, dtype=bool)
    counts = []
    for rules in sets:
        fired = find_signals(rules.rules, z, block.link, limit=sigmas, segment_start=start) != 0
        if any(r.is_limit for r in rules.rules):
            fired |= wide
        counts.append(seg.counts(fired))
    return counts, np.maximum(seg.maxima(z), -seg.minima(z))


def tails_of(statistic: Floats, whole: bool) -> Floats:
    """Smallest value that at most each share of ``TAILS`` reaches."""
    ordered = np.sort(statistic)
    n = len(ordered)
    index = np.minimum(np.ceil(n * (1 - np.asarray(TAILS))).astype(int), n) - 1
    at = ordered[np.maximum(index, 0)]
    # of a whole number: reached or exceeded by at most the share, so one more than the quantile
    return np.asarray(at + 1.0 if whole else at, dtype=np.float64)


#: ``draw(n, runs, rng)``: signalling points (one array a rule set) and farthest points of stable charts.
Draw = Callable[[int, int, np.random.Generator], tuple[list[NDArray[np.int64]], Floats]]


def gather(
    draw: Draw,
    sets: int,
    lengths: tuple[int, ...],
    budget: int,
    runs: int,
    rng_for: Callable[[int], np.random.Generator],
) -> list[Reference]:
    """The references of ``sets`` rule sets from simulated charts, in parts that stay in the cache.

    ``budget`` limits the points, ``runs`` the series of each length; ``rng_for(n)`` is asked once a length.
    """
    counts: list[list[Floats]] = [[] for _ in range(sets)]
    expected: list[list[float]] = [[] for _ in range(sets)]
    far = []
    for n in lengths:
        rng = rng_for(n)
        found: list[list[NDArray[np.int64]]] = [[] for _ in range(sets)]
        distances = []
        left = int(min(runs, max(budget // n, 400)))
        while left > 0:
            part = min(left, max(1, (1 << 16) // n))
            one, distance = draw(n, part, rng)
            for k, c in enumerate(one):
                found[k].append(c)
            distances.append(distance)
            left -= part
        for k in range(sets):
            every = np.concatenate(found[k])
            counts[k].append(tails_of(every.astype(np.float64), True))
            expected[k].append(float(every.mean()))
        far.append(tails_of(np.concatenate(distances), False))
    return [
        Reference(
            lengths=np.asarray(lengths, dtype=float),
            counts=np.asarray(counts[k]),
            farthest=np.asarray(far),
            expected=np.asarray(expected[k]),
            made_by="",
        )
        for k in range(sets)
    ]


def make_reference(
    mode: str, sets: tuple[RuleSet, ...], sigmas: float, lengths: tuple[int, ...], budget: int, runs: int
) -> list[Reference]:
    """What stable normal series show, limits made as the mode says."""
    kind, base, _ = carried(mode)
    span = span_of(mode)
    key = [SEED, list(MODES).index(kind), *([] if span == SPAN else [span])]
    shared = np.random.default_rng(key)

    def rng_for(n: int) -> np.random.Generator:
        # limits carried on: each length by itself, so that it does not matter which others are asked for
        return shared if base is None else np.random.default_rng([*key, base, n])

    def draw(n: int, part: int, rng: np.random.Generator) -> tuple[list[NDArray[np.int64]], Floats]:
        return simulate(mode, n, sets, sigmas, part, rng)

    return gather(draw, len(sets), lengths, budget, runs, rng_for)


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    with _TABLE.open(encoding="utf-8") as file:
        return dict(json.load(file))


@lru_cache(maxsize=64)
def reference(mode: str, rules: RuleSet, sigmas: float, longest: int, shortest: int = 0) -> Reference:
    """The reference of a rule set: from the table where it is there, simulated otherwise."""
    shipped = carried(mode)[1] is None and span_of(mode) == SPAN
    if shipped and sigmas == 3.0 and RULE_SETS.get(rules.name) == rules:
        one = _table()["modes"][mode]
        return Reference(
            lengths=np.asarray(_table()["lengths"], dtype=float),
            counts=np.asarray(one["sets"][rules.name]["counts"], dtype=float),
            farthest=np.asarray(one["farthest"], dtype=float),
            expected=np.asarray(one["sets"][rules.name]["expected"], dtype=float),
            made_by=f"table, {_table()['runs']} series a length up to 500 points",
        )
    lengths = tuple(n for n in LENGTHS if shortest <= n <= longest)
    found = make_reference(mode, (rules,), sigmas, lengths, 500_000, 2_000)[0]
    return replace(found, made_by="simulated when needed, at most 2000 series a length")


def reference_for(mode: str, rules: RuleSet, sigmas: float, n: NDArray[np.int64]) -> Reference:
    """The reference that covers series of ``n`` points."""
    longest = next((k for k in LENGTHS if k >= int(n.max(initial=FEWEST))), LENGTHS[-1])
    if carried(mode)[1] is not None:
        # made when needed: only the lengths around these series
        most = int(n.max(initial=FEWEST))
        shortest = max((k for k in LENGTHS if k <= int(n.min(initial=most)) and k < longest), default=0)
        return reference(mode, rules, sigmas, longest, shortest)
    if span_of(mode) == SPAN and sigmas == 3.0 and RULE_SETS.get(rules.name) == rules:
        longest = LENGTHS[-1]
    return reference(mode, rules, sigmas, longest)


def p_values(
    table: Reference, n: NDArray[np.int64], signals: NDArray[np.int64], farthest: Floats
) -> tuple[Floats, Floats]:
    """How rare so many signals, or so far a point, are in stable charts, and how many signals these have.

    Parameters
    ----------
    table : Reference
    n, signals : int arrays, shape (m,)
        Used points; points that signal.
    farthest : float array, shape (m,)
        Largest distance from the center line in sigma.

    Returns
    -------
    p_value, expected : float arrays, shape (m,)
        NaN p-value below ``FEWEST`` points or without a distance.
    """
    longest = table.lengths[-1]
    inside = np.clip(n, table.lengths[0], longest)
    row = np.clip(np.searchsorted(table.lengths, inside, side="right") - 1, 0, len(table.lengths) - 2)
    if len(table.lengths) == 1:
        row = np.zeros(len(n), dtype=np.int64)
        share = np.zeros(len(n))
        above = row
    else:
        above = row + 1
        share = np.log(inside / table.lengths[row]) / np.log(table.lengths[above] / table.lengths[row])

    def between(x: Floats) -> Floats:
        weight = share[:, None] if x.ndim == 2 else share
        return np.asarray(x[row] * (1 - weight) + x[above] * weight)

    ratio = np.maximum(n / longest, 1.0)
    expected = between(table.expected)
    # longer than the table: the count is a sum over the series, its spread grows like the square root
    scaled = expected + (signals - expected * ratio) / np.sqrt(ratio)
    expected = expected * ratio
    p_count = _tail(between(table.counts), np.where(ratio > 1, scaled, signals), at_least=True)
    p_far = _tail(between(table.farthest), farthest, at_least=False)
    p_far = np.where(ratio > 1, -np.expm1(ratio * np.log1p(-np.minimum(p_far, 1 - 1e-12))), p_far)
    p = np.minimum(1.0, 2.0 * np.minimum(p_count, p_far))
    return np.where((n < FEWEST) | np.isnan(farthest), np.nan, p), expected


def _tail(nodes: Floats, statistic: Floats | NDArray[np.int64], *, at_least: bool) -> Floats:
    """Tail probability of each statistic from its row of nodes: log-linear between, and beyond them."""
    tails = np.log(np.asarray(TAILS))
    x = np.asarray(statistic, dtype=float)[:, None]
    passed = np.sum(nodes <= x + 1e-9, axis=1)
    low = np.clip(passed - 1, 0, len(TAILS) - 1)
    high = np.minimum(low + 1, len(TAILS) - 1)
    rows = np.arange(len(nodes))
    at, step = nodes[rows, low], nodes[rows, high] - nodes[rows, low]
    last = passed == len(TAILS)
    # beyond the last node the slope between the tails of 1% and 0.1% goes on
    reach = np.maximum(nodes[:, -1] - nodes[:, -3], 1.0 if at_least else 0.1)
    slope = np.where(last, (tails[-1] - tails[-3]) / reach, 0.0)
    ordinary = (~last) & (step > 0)
    slope[ordinary] = ((tails[high] - tails[low])[ordinary]) / step[ordinary]
    log_p = tails[low] + slope * (x[:, 0] - at)
    return np.where(passed == 0, 1.0, np.exp(np.clip(log_p, -60.0, 0.0)))


def main() -> None:
    """Make ``stability.json``: about three minutes on one core."""
    sets = tuple(RULE_SETS.values())
    runs = 20_000
    modes: dict[str, Any] = {}
    for mode in MODES:
        found = make_reference(mode, sets, 3.0, LENGTHS, 10_000_000, runs)
        modes[mode] = {
            "farthest": np.round(found[0].farthest, 3).tolist(),
            "sets": {
                s.name: {
                    "counts": found[k].counts.astype(int).tolist(),
                    "expected": np.round(found[k].expected, 4).tolist(),
                }
                for k, s in enumerate(sets)
            },
        }
    made = {"seed": SEED, "runs": runs, "lengths": LENGTHS, "tails": TAILS, "modes": modes}
    _TABLE.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
