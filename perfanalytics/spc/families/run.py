"""Run chart: points around their median, judged by the length and number of runs, without limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.series import SeriesBatch
from perfanalytics.spc.family import ChartFamily, Doubt, OwnTests, Tested, one_column
from perfanalytics.spc.panel import Lines, Panel
from perfanalytics.spc.points import Block, Points
from perfanalytics.spc.rules import ANHOEJ

#: Fewer useful points than this are not judged.
FEWEST = 10
#: A point nearer to the median than this share of the largest value is on it: only rounding is so small.
_ROUNDING = 1e-13


def _points(batch: SeriesBatch, options: Mapping[str, Any]) -> Points:
    values, how = one_column(batch, "run"), "values"
    if batch.sizes is not None:
        counts, sizes, read = counts_and_sizes(batch, limit_one=batch.measure.scale in (None, "proportion"))
        values, how = counts / sizes, f"{read} with their sizes: value = count / size"
    return Points(offsets=batch.offsets, value=values, how={"values_read_as": how})


def _estimate(block: Block, estimator: str) -> dict[str, Floats]:
    keep = block.mask()
    return {"center": block.segments.medians(block.points.value, keep)}


def _lines(block: Block, parameters: Mapping[str, Floats]) -> tuple[Lines, ...]:
    none = np.full(block.segments.n, np.nan)
    return (Lines(value=block.points.value, center=block.segments.expand(parameters["center"]), sigma=none),)


def _deviations(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    return np.asarray(block.points.value - block.segments.expand(parameters["center"]))


def longest_run_limit(n: Any) -> NDArray[np.int64]:
    """Longest run that n useful points are expected to have: ``round(log2(n)) + 3``.

    References
    ----------
    Schilling (2012), The surprising predictability of long runs, Mathematics Magazine 85, 141-149.

    Examples
    --------
    >>> longest_run_limit([10, 24, 100]).tolist()
    [6, 8, 10]
    """
    doublings = np.round(np.log2(np.maximum(np.asarray(n, dtype=float), 1.0)))
    return np.asarray(doublings.astype(np.int64) + 3)


@lru_cache(maxsize=4096)
def fewest_crossings(n: int) -> int:
    """Fewest crossings of the median that n useful points are expected to have: 5% point of Bin(n - 1, 1/2).

    References
    ----------
    Chen (2010), A note on the runs test, Model Assisted Statistics and Applications 5, 73-77.

    Examples
    --------
    >>> [fewest_crossings(n) for n in (10, 24, 100)]
    [2, 8, 41]
    """
    if n < 2:
        return 0
    return int(np.searchsorted(special.bdtr(np.arange(n, dtype=float), n - 1, 0.5), 0.05))


@lru_cache(maxsize=4096)
def chance_within(n: int, longest: int, crossings: int, above: int | None = None) -> float:
    """P(no run above ``longest`` and at least ``crossings`` crossings) of n points in random order.

    With ``above`` given, so many of the points lie above the line: the order is random, the numbers are not,
    as around a median that comes from the points themselves. Without it every point is a fair coin toss, as
    around a line that comes from elsewhere.

    Examples
    --------
    >>> chance_within(4, 3, 0), chance_within(4, 4, 3)
    (0.875, 0.125)
    >>> round(chance_within(4, 4, 3, above=2), 4)
    0.3333
    """
    if longest < 1:
        return 0.0
    # share of sequences whose first j tosses are r whole runs: a run of l tosses has weight 2^-l
    weight = 0.5 ** np.arange(1, min(longest, n) + 1)
    if above is None:
        filled, total = np.eye(1, n + 1)[0], 0.0
        for runs in range(1, n + 1):
            filled = np.concatenate([[0.0], np.convolve(filled, weight)[:n]])
            if runs > crossings:
                total += 2.0 * float(filled[n])
        return min(total, 1.0)
    below = n - above
    if min(above, below) == 0:
        return float(longest >= n and crossings == 0)
    # the same for the points above and below apart: so many runs each, by turns
    filled = np.eye(1, n + 1)[0]
    high, low = [0.0], [0.0]
    for _ in range(min(above, below) + 1):
        filled = np.concatenate([[0.0], np.convolve(filled, weight)[:n]])
        high.append(float(filled[above]))
        low.append(float(filled[below]))
    total = 0.0
    for r in range(1, min(above, below) + 1):
        if 2 * r > crossings:
            total += 2.0 * high[r] * low[r]
        if 2 * r + 1 > crossings:
            total += high[r + 1] * low[r] + high[r] * low[r + 1]
    ways = special.gammaln([n + 1.0, above + 1.0, below + 1.0])
    return min(total / math.exp(ways[0] - ways[1] - ways[2] - n * math.log(2.0)), 1.0)


def _p_value(n: int, longest: int, crossings: int, above: int | None) -> float:
    """Chance of a series at least as far beyond one of Anhoej's two limits, in points or crossings."""
    at_most, at_least = int(longest_run_limit(n)), fewest_crossings(n)
    beyond = max(longest - at_most, at_least - crossings)
    return max(0.0, 1.0 - chance_within(n, at_most + beyond - 1, max(at_least - beyond + 1, 0), above))


def _points_beyond(n: int, longest: int, above: int | None) -> float:
    """Mean number of points whose last ``longest`` neighbours all fell on their side."""
    if n <= longest:
        return 0.0
    if above is None:
        return (n - longest) * 0.5**longest
    run = longest + 1

    def all_on(side: int) -> float:
        if side < run:
            return 0.0
        ways = special.gammaln([side + 1.0, n - run + 1.0, side - run + 1.0, n + 1.0])
        return math.exp(ways[0] + ways[1] - ways[2] - ways[3])

    return (n - longest) * (all_on(above) + all_on(n - above))


def _off_the_median(
    block: Block, parameters: Mapping[str, Floats]
) -> tuple[NDArray[np.bool_], Floats, NDArray[np.int64]]:
    """Which points are used, their distances from the median, and where those lie that are off it."""
    seg, x = block.segments, block.points.value
    use = np.ones(seg.n, dtype=bool) if block.use is None else block.use
    d = x - seg.expand(parameters["center"])
    scale = seg.maxima(np.where(use, np.abs(x), 0.0))
    useful = np.flatnonzero(use & (np.abs(np.where(use, d, 0.0)) > _ROUNDING * seg.expand(scale)))
    return use, d, useful


def _useful(block: Block, parameters: Mapping[str, Floats]) -> Floats:
    seg = block.segments
    found = np.bincount(seg.of(_off_the_median(block, parameters)[2]), minlength=len(seg))
    return np.asarray(found.astype(np.float64))


def _tests(block: Block, parameters: Mapping[str, Floats]) -> OwnTests:
    seg, x = block.segments, block.points.value
    m = len(seg)
    use, d, useful = _off_the_median(block, parameters)
    of = seg.of(useful)
    n = np.bincount(of, minlength=m)
    position, crossings, longest = _runs(d[useful] > 0, of, m)
    at_most = longest_run_limit(n)
    at_least = np.array([fewest_crossings(int(k)) for k in n], dtype=np.int64)
    judged = n >= FEWEST
    long_run = judged & (longest > at_most)
    few = judged & (crossings < at_least)
    fired = np.zeros(seg.n, dtype=np.uint8)
    fired[useful[(position > at_most[of]) & judged[of]]] |= 1
    last = np.cumsum(n) - 1
    fired[useful[last[few]]] |= 2
    # around a median of their own as many points lie above as below
    own = np.asarray(seg.medians(x, use) == parameters["center"]) if len(x) else np.zeros(m, dtype=bool)
    high = np.bincount(of, weights=d[useful] > 0, minlength=m).astype(np.int64)
    p, run_p, few_p = (np.full(m, np.nan) for _ in range(3))
    expected = np.zeros(m)
    for i in np.flatnonzero(n > 1).tolist():
        k, above = int(n[i]), int(high[i]) if own[i] else None
        run_p[i] = 1.0 - chance_within(k, int(longest[i]) - 1, 0, above)
        few_p[i] = 1.0 - chance_within(k, k, int(crossings[i]) + 1, above)
        if judged[i]:
            p[i] = _p_value(k, int(longest[i]), int(crossings[i]), above)
            few_alone = 1.0 - chance_within(k, k, int(at_least[i]), above)
            expected[i] = _points_beyond(k, int(at_most[i]), above) + few_alone
    tests = (
        Tested("longest run", longest.astype(float), at_most.astype(float), run_p, long_run),
        Tested("crossings of the median", crossings.astype(float), at_least.astype(float), few_p, few),
        *_minitab(x, d, use, block, m),
    )
    return OwnTests(fired=fired, p_value=p, expected=expected, useful=n, tests=tests)


def _runs(
    above: NDArray[np.bool_], of: NDArray[np.int64], m: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Position of each point in its run (1-based); crossings and longest run of each segment."""
    count = len(above)
    new = np.ones(count, dtype=bool)
    new[1:] = (above[1:] != above[:-1]) | (of[1:] != of[:-1])
    first = np.flatnonzero(new)
    length = np.diff(first, append=count)
    position = np.arange(count) - np.repeat(first, length) + 1
    longest = np.zeros(m, dtype=np.int64)
    np.maximum.at(longest, of[first], length)
    crossings = np.maximum(np.bincount(of[first], minlength=m) - 1, 0)
    return position, crossings, longest


def _minitab(x: Floats, d: Floats, use: NDArray[np.bool_], block: Block, m: int) -> tuple[Tested, ...]:
    """Minitab's four tests: runs about the median (on it: below), runs up and down (ties left out)."""
    seg = block.segments
    where = np.flatnonzero(use)
    of = seg.of(where)
    above = d[where] > 0
    total = np.bincount(of, minlength=m).astype(float)
    high = np.bincount(of, weights=above, minlength=m)
    low = total - high
    runs = _runs(above, of, m)[1] + 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        product = 2.0 * high * low
        middle = 1.0 + product / total
        spread = np.sqrt(product * (product - total) / (total * total * (total - 1.0)))
        z = np.where(spread > 0, (runs - middle) / spread, np.nan)
    step = np.diff(x[where])
    good = (of[1:] == of[:-1]) & (step != 0)
    at = of[1:][good]
    steps = np.bincount(at, minlength=m)
    moves = _runs(step[good] > 0, at, m)[1] + 1.0
    n = steps + 1.0
    even, wide = (2.0 * n - 1.0) / 3.0, np.sqrt(np.maximum(16.0 * n - 29.0, 0.0) / 90.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        u = np.where(n >= 3, (moves - even) / wide, np.nan)
    out = []
    for name, value, mean, p in (
        ("clustering", runs, middle, special.ndtr(z)),
        ("mixtures", runs, middle, special.ndtr(-z)),
        ("trends", moves, even, special.ndtr(u)),
        ("oscillation", moves, even, special.ndtr(-u)),
    ):
        out.append(Tested(name, np.asarray(value), np.asarray(mean), np.asarray(p), np.asarray(p < 0.05)))
    return tuple(out)


RUN = ChartFamily(
    name="run",
    title="Run chart",
    panels=(Panel(name="value", independent=False, constant=True),),
    parameters=("center",),
    estimators={
        "median": "median; no limits. Points on the median, missing and excluded points are left out"
    },
    modes={"median": "own"},
    points=_points,
    estimate=_estimate,
    lines=_lines,
    deviations=_deviations,
    own=_tests,
    own_rules=ANHOEJ,
    limitless=True,
    needed=FEWEST,
    doubts=(
        Doubt(
            code="few-off-median",
            measured=_useful,
            holds=lambda useful, n: np.asarray((useful < FEWEST) & (n >= FEWEST)),
            text=lambda useful, n: (
                f"Only {useful:.0f} of {n} points lie off the median; below {FEWEST} their order tells "
                "nothing."
            ),
            name="useful",
        ),
    ),
    references=(
        "Anhoej and Olesen (2014), Run charts revisited, PLoS ONE 9, e113825",
        "Chen (2010), Model Assisted Statistics and Applications 5, 73-77",
        "Minitab, Methods and formulas for run chart",
    ),
)
