"""Points of a discrete law on the normal scale: what the stability of attribute charts is judged by.

A count of small mean lies above its 3-sigma limit far more often than a normal value: of a Poisson law of
mean 1.9, one point in 290 on that side alone. The tables of :mod:`perfanalytics.spc.stability` belong to
normal series, so counts are brought there first.

- The farthest point is judged by its mid-p tail probability, as a normal score.
- The number of signals is judged on randomized quantile residuals: ``Phi^-1(P(X < x) + v P(X = x))``, exactly
  standard normal in a stable process, to which the same rules are applied. The ``v`` of a point is a fixed
  pseudo-random number that depends on its position in the stage alone, so that the same data give the same
  answer, alone and among thousands. Mid-p scores in their place would call up to 27% of stable series
  unstable (p chart, size 9, p = 0.1, Nelson's rules, 100 points): ties look like runs.

References
----------
Dunn and Smyth (1996), Randomized quantile residuals, Journal of Computational and Graphical Statistics 5,
236-244. Lancaster (1961), Significance tests in discrete distributions, JASA 56, 223-234 (mid-p).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.segments import Flags, Segments
from perfanalytics.spc.rules import Rule

Kind = Literal["binomial", "poisson", "geometric"]
#: Points of a stage at which the chances of the rules are reckoned, where they differ from point to point.
SAMPLED = 16
_TINY = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """The law of the count at each point; arrays of shape (n,).

    Parameters
    ----------
    kind : {"binomial", "poisson", "geometric"}
        Geometric: number of failures before the event.
    count : float array
    a : float array
        Size of a binomial, mean of a Poisson or geometric law.
    b : float array or None
        Probability of a binomial law.
    scale : float array or None
        Count = plotted value * scale + shift; None: 1.
    shift : float
    same : bool
        True where ``a`` and ``b`` are the same for all points of a segment.
    """

    kind: Kind
    count: Floats
    a: Floats
    b: Floats | None = None
    scale: Floats | None = None
    shift: float = 0.0
    same: bool = False

    def at(self, where: Any) -> Law:
        """The law at some points."""
        return Law(
            kind=self.kind,
            count=self.count[where],
            a=self.a[where],
            b=None if self.b is None else self.b[where],
            scale=None if self.scale is None else self.scale[where],
            shift=self.shift,
        )


def at_most(law: Law, x: Floats) -> Floats:
    """P(X <= x) for whole x; 0 below 0.

    Examples
    --------
    >>> poisson = Law(kind="poisson", count=np.zeros(1), a=np.array([1.9]))
    >>> at_most(poisson, np.array([6.0])).round(4).tolist()
    [0.9966]
    """
    y = np.maximum(x, 0.0)
    if law.kind == "poisson":
        out = special.gammaincc(y + 1.0, law.a)
    elif law.kind == "geometric":
        out = -np.expm1((y + 1.0) * _log_passed(law.a))
    else:
        assert law.b is not None
        out = np.where(y >= law.a, 1.0, special.betainc(np.maximum(law.a - y, _TINY), y + 1.0, 1.0 - law.b))
    return np.asarray(np.where(x < 0, 0.0, out))


def at_least(law: Law, x: Floats) -> Floats:
    """P(X >= x) for whole x.

    Examples
    --------
    >>> poisson = Law(kind="poisson", count=np.zeros(1), a=np.array([1.9]))
    >>> at_least(poisson, np.array([7.0])).round(4).tolist()
    [0.0034]
    """
    y = np.maximum(x, 1.0)
    if law.kind == "poisson":
        out = special.gammainc(y, law.a)
    elif law.kind == "geometric":
        out = np.exp(y * _log_passed(law.a))
    else:
        assert law.b is not None
        out = np.where(y > law.a, 0.0, special.betainc(y, np.maximum(law.a - y + 1.0, _TINY), law.b))
    return np.asarray(np.where(x <= 0, 1.0, out))


def _log_passed(mean: Floats) -> Floats:
    """Logarithm of the chance that one opportunity passes without the event; -inf where the mean is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log1p(-1.0 / (1.0 + mean)))


def quantile(law: Law, probability: float) -> Floats:
    """Smallest whole x with ``P(X <= x) >= probability``: the limit of a chart with probability limits.

    Examples
    --------
    >>> poisson = Law(kind="poisson", count=np.zeros(1), a=np.array([19.846]))
    >>> quantile(poisson, 0.00135).tolist(), quantile(poisson, 0.99865).tolist()
    ([8.0], [34.0])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if law.kind == "poisson":
            guess = special.pdtrik(probability, np.maximum(law.a, _TINY))
        elif law.kind == "geometric":
            guess = np.log1p(-probability) / _log_passed(law.a) - 1.0
        else:
            assert law.b is not None
            guess = law.a * law.b + special.ndtri(probability) * np.sqrt(law.a * law.b * (1.0 - law.b))
    known = ~np.isnan(law.a) if law.b is None else ~np.isnan(law.a * law.b)
    x = np.floor(np.maximum(np.nan_to_num(guess, nan=0.0, posinf=0.0), 0.0))
    if law.kind == "binomial":
        x = np.minimum(x, np.nan_to_num(law.a))
    # the guess is a step or two away at most; the walk ends at the definition
    while True:
        up = known & (at_most(law, x) < probability)
        if not up.any():
            break
        x = np.where(up, x + 1.0, x)
    while True:
        down = known & (x > 0) & (at_most(law, x - 1.0) >= probability)
        if not down.any():
            break
        x = np.where(down, x - 1.0, x)
    return np.asarray(np.where(known, x, np.nan))


def normal_scores(law: Law, segments: Segments) -> tuple[Floats, Floats]:
    """Mid-p and randomized normal scores of every point, shape (n,) each; NaN where there is no law."""
    table, which = _table(law, segments)
    below, here, above = _three(table)
    middle = _score(below + 0.5 * here, above + 0.5 * here)[which]
    below, here, above = below[which], here[which], above[which]
    # the numbers of the longest segment, of which the others take the first
    v = fixed_uniform(np.arange(int(segments.lengths.max(initial=0)), dtype=np.int64))
    if len(segments) > 1:
        v = v[np.arange(segments.n, dtype=np.int64) - np.repeat(segments.starts, segments.lengths)]
    return middle, _score(below + v * here, above + (1.0 - v) * here)


def scores_within(
    law: Law, segments: Segments, value: Floats, center: Floats, bounds: tuple[Floats, Floats], sigmas: float
) -> Floats:
    """Standardised points of a chart with probability limits, shape (n,).

    Mid-p normal scores, brought in line with the picture: more than ``sigmas`` exactly beyond a limit, and on
    the side of the center line the point is drawn on.
    """
    table, which = _table(law, segments)
    below, here, above = (x[which] for x in _three(table))
    z = np.clip(_score(below + 0.5 * here, above + 0.5 * here), -sigmas, sigmas)
    with np.errstate(invalid="ignore"):
        side = np.sign(value - center)
        wrong = (np.sign(z) != side) & ~np.isnan(side)
        z[wrong] = side[wrong] * 1e-6
        outside = (value < bounds[0]) | (value > bounds[1])
        far = _score(below + here, above + here)
        np.copyto(
            z,
            np.where(side > 0, np.maximum(far, sigmas + 1e-6), np.minimum(far, -sigmas - 1e-6)),
            where=outside,
        )
    return np.where(np.isnan(center), np.nan, z)


def fixed_uniform(position: NDArray[np.int64]) -> Floats:
    """A pseudo-random number within (0, 1) for each position (splitmix64), always the same.

    Examples
    --------
    >>> fixed_uniform(np.arange(3)).round(4).tolist()
    [0.8833, 0.4315, 0.0264]
    """
    z = (position.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.asarray(((z >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53)


def _table(law: Law, segments: Segments) -> tuple[Law, NDArray[np.int64] | slice]:
    """The law at the few different counts of each segment, and which of them each point is."""
    if not law.same:
        return law, slice(None)
    seen = ~np.isnan(law.count)
    low = segments.minima(np.where(seen, law.count, np.inf))
    high = segments.maxima(np.where(seen, law.count, -np.inf))
    some = np.isfinite(low)
    low, width = np.where(some, low, 0.0), np.where(some, high - np.where(some, low, 0.0) + 1.0, 1.0)
    if width.sum() >= segments.n or (law.count[seen] != np.floor(law.count[seen])).any():
        return law, slice(None)
    width = width.astype(np.int64)
    first = np.cumsum(width) - width
    inside = np.arange(int(width.sum())) - np.repeat(first, width)
    # the size of a missing point is missing too: take the largest known of the segment
    a, b = (
        None if x is None else np.repeat(segments.maxima(np.where(np.isnan(x), -np.inf, x)), width)
        for x in (law.a, law.b)
    )
    assert a is not None
    count = np.repeat(low, width) + inside
    which = np.where(seen, law.count - np.repeat(low, segments.lengths), 0.0).astype(np.int64)
    which += np.repeat(first, segments.lengths)
    # one more entry, NaN, for the points without a count
    which[~seen] = len(count)
    blank = np.full(1, np.nan)
    return (
        Law(
            kind=law.kind,
            count=np.append(count, blank),
            a=np.append(a, blank),
            b=None if b is None else np.append(b, blank),
        ),
        which,
    )


def _three(law: Law) -> tuple[Floats, Floats, Floats]:
    """P(X < x), P(X = x), P(X > x); each tail exact where it is the smaller."""
    x = law.count
    with np.errstate(invalid="ignore", divide="ignore"):
        below, above = at_most(law, x - 1.0), at_least(law, x + 1.0)
        return below, np.maximum(1.0 - below - above, 0.0), above


def _score(below: Floats, above: Floats) -> Floats:
    """Normal score from the smaller of the two tails."""
    with np.errstate(invalid="ignore"):
        z = special.ndtri(np.maximum(np.minimum(below, above), _TINY))
        return np.asarray(np.where(above < below, -z, z))


Chance = Callable[[float], tuple[Floats, Floats]]


def chance_ratio(
    rules: Sequence[Rule],
    law: Law,
    center: Floats,
    lower: Floats,
    upper: Floats,
    sigmas: float,
    segments: Segments,
    use: Flags | None,
    *,
    scored: bool = False,
) -> Floats:
    """How many signals the law makes for each one of a normal series: the rules' chances added up; (m,).

    For a rule on zones the chance that it fires at a point is a binomial sum of the chance to lie beyond
    the zone, here with the exact chances of the law at up to ``SAMPLED`` points of each segment. ``scored``
    says that zones are those of normal scores (probability limits).
    """
    m, k = len(segments), 1 if law.same else SAMPLED
    if use is None:
        first, n, used = segments.starts, segments.lengths, None
    else:
        n, used = segments.counts(use), np.flatnonzero(use)
        first = np.cumsum(n) - n
    where = (first[:, None] + np.arange(k) * n[:, None] // k).ravel()
    if used is not None:
        if not len(used):
            return np.ones(m)
        where = used[np.minimum(where, len(used) - 1)]
    part = law.at(where)
    scale = 1.0 if part.scale is None else part.scale
    reach = (upper[where] - center[where], center[where] - lower[where])

    def mean(x: Floats) -> Floats:
        known = np.where(np.isnan(x), 0.0, x)
        return known if k == 1 else known.reshape(m, k).mean(axis=1)

    def chance(zone: float) -> tuple[Floats, Floats]:
        if scored and zone not in (0.0, sigmas):
            return np.full(m, float(special.ndtr(-zone))), np.full(m, float(special.ndtr(-zone)))
        step = zone / sigmas
        high = (center[where] + step * reach[0]) * scale + law.shift
        low = (center[where] - step * reach[1]) * scale + law.shift
        with np.errstate(invalid="ignore"):
            tie = 1e-9 * np.maximum(1.0, np.abs(high))
            return (
                mean(at_least(part, np.floor(high + tie) + 1.0)),
                mean(at_most(part, np.ceil(low - tie) - 1.0)),
            )

    found, usual = np.zeros(m), _usual(tuple(rules), sigmas)
    if usual <= 0:
        return np.ones(m)
    # chance that two points are equal: the sum of the squared probabilities, about 1 / (2 sqrt(pi) sd)
    with np.errstate(invalid="ignore", divide="ignore"):
        ties = mean(np.minimum(1.0, 1.0 / (2.0 * np.sqrt(np.pi) * _spread(part))))
    for rule in rules:
        found = found + _rate(rule, chance, sigmas, ties)
    return np.where(n > 0, found / usual, 1.0)


@lru_cache(maxsize=64)
def _usual(rules: tuple[Rule, ...], sigmas: float) -> float:
    """The rules' chances at a point of a normal series, added up."""

    def chance(zone: float) -> tuple[Floats, Floats]:
        p = np.full(1, float(special.ndtr(-zone)))
        return p, p

    return float(sum(_rate(rule, chance, sigmas, np.zeros(1))[0] for rule in rules))


def _spread(law: Law) -> Floats:
    """Standard deviation of the count."""
    if law.kind == "binomial":
        assert law.b is not None
        return np.asarray(np.sqrt(law.a * law.b * (1.0 - law.b)))
    return np.asarray(np.sqrt(law.a if law.kind == "poisson" else law.a * (law.a + 1.0)))


def _rate(rule: Rule, chance: Chance, sigmas: float, ties: Floats) -> Floats:
    """Chance that a rule fires at a point with full history, of independent points."""
    zone = sigmas if rule.zone is None else rule.zone
    k, m = rule.count, rule.window
    if rule.pattern == "trend":
        # of k! orders two are monotone; a tie ends it
        return np.asarray(2.0 / special.gamma(k + 1.0) * (1.0 - np.minimum(ties, 1.0)) ** (k - 1))
    if rule.pattern == "alternating":
        # each further point turns with a chance of about 2 / pi
        return np.asarray(2.0 * (2.0 / np.pi) ** k * (1.0 - np.minimum(ties, 1.0)) ** (k - 1))
    above, below = chance(zone)
    if rule.pattern == "within":
        return np.asarray(_window(1.0 - above - below, k, m))
    if rule.side == "same":
        return np.asarray(_window(above, k, m) + _window(below, k, m))
    whole = _window(above + below, k, m)
    if rule.side == "both":
        whole = np.maximum(whole - _window(above, k, m) - _window(below, k, m), 0.0)
    return np.asarray(whole)


def _window(p: Floats, k: int, m: int) -> Floats:
    """Chance that a point and at least k - 1 of the m - 1 before it are flagged."""
    p = np.minimum(np.maximum(p, 0.0), 1.0)
    return np.asarray(p * (1.0 if k == 1 else special.bdtrc(k - 2, m - 1, p)))
