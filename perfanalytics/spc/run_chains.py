"""Run lengths from a transient chain: mean, standard deviation and the whole distribution.

A chart that has not signalled yet is in one of some states; a kernel says with what probability it is in
which one after the next point. What is lost on the way is the signal. Chains of run rules have finitely many
states (Champ and Woodall 1987); those of EWMA, CUSUM and MEWMA are integral equations on the nodes of a
Gauss-Legendre rule (Crowder 1987), which converge so fast that their numbers are exact for any use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.segments import LONGEST_PATTERN
from perfanalytics.spc.rules import Rule

#: More states than this are not solved but simulated.
MOST_STATES = 3000
#: Points the decline must be geometric for: before the longest pattern can be complete it is so by itself.
PATIENCE = LONGEST_PATTERN + 3
#: No run length is followed longer than this many points one by one; its tail is then geometric.
LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain that loses mass at each signal.

    Parameters
    ----------
    survived : float array, shape (N,)
        P(T > n) for n = 0 to N - 1, where the kernel was another one (limits that still widen).
    mass : float array, shape (s,)
        Probability of each state after point N.
    kernel : float array, shape (s, s)
        ``kernel[i, j]``: probability to go from state i to state j without a signal.
    """

    survived: Floats
    mass: Floats
    kernel: Floats

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation of the run length."""
        n = np.arange(len(self.survived))
        stay = np.eye(len(self.mass)) - self.kernel
        first = np.linalg.solve(stay, np.ones(len(self.mass)))
        # E T^2 = sum (2n + 1) P(T > n), from each state on
        second = np.linalg.solve(stay, 1.0 + 2.0 * (self.kernel @ first))
        mean = float(self.survived.sum() + self.mass @ first)
        square = float(((2 * n + 1) * self.survived).sum() + self.mass @ (2.0 * len(n) * first + second))
        return mean, float(np.sqrt(max(square - mean * mean, 0.0)))

    def distribution(self) -> Distribution:
        """P(T > n), point by point until its decline is geometric."""
        survived, mass = list(self.survived), self.mass
        ratio, steady = 0.0, 0
        while len(survived) < LONGEST:
            survived.append(float(mass.sum()))
            mass = mass @ self.kernel
            if survived[-1] <= 1e-15:
                break
            if len(survived) < 2:
                continue
            new = survived[-1] / survived[-2]
            steady = steady + 1 if abs(new - ratio) < 1e-13 else 0
            ratio = new
            if steady >= PATIENCE:
                break
        return Distribution(np.asarray(survived), ratio)


class Distribution:
    """P(T > n): a table, and a geometric tail behind it."""

    __slots__ = ("ratio", "survived")

    def __init__(self, survived: Floats, ratio: float) -> None:
        self.survived, self.ratio = survived, ratio

    @classmethod
    def of(cls, run_lengths: NDArray[np.int64]) -> Distribution:
        """The distribution of run lengths that were observed."""
        counts = np.bincount(run_lengths)
        return cls(1.0 - np.cumsum(counts) / len(run_lengths), 0.0)

    def alive(self, n: int) -> float:
        """P(T > n)."""
        last = len(self.survived) - 1
        return float(self.survived[n] if n <= last else self.survived[-1] * self.ratio ** (n - last))

    def within(self, n: int) -> float:
        """P(T <= n)."""
        return 1.0 - self.alive(n)

    def quantile(self, q: float) -> float:
        """Smallest n with P(T <= n) >= q."""
        below = self.survived <= 1.0 - q + 1e-12
        if below.any():
            return float(np.argmax(below))
        last = len(self.survived) - 1
        return float(last + np.ceil(np.log((1.0 - q) / self.survived[-1]) / np.log(self.ratio) - 1e-9))


# run rules ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Count:
    """k of m points in a set of zones: the state is the part of the history that can still matter."""

    flagged: tuple[bool, ...]
    k: int
    m: int

    def step(self, history: int, symbol: int) -> int | None:
        new = history << 1 | self.flagged[symbol]
        if self.flagged[symbol] and (new & ((1 << self.m) - 1)).bit_count() >= self.k:
            return None
        kept = seen = 0
        for age in range(1, self.m):
            if new >> (age - 1) & 1:
                seen += 1
                # a point drops out when too few points are left to complete the pattern with it
                if self.k - seen <= self.m - age:
                    kept |= 1 << (age - 1)
        return kept


@dataclass(frozen=True, slots=True)
class _Both:
    """k in a row beyond a zone, both sides occupied: run length, and the side it has kept to (0: both)."""

    side: tuple[int, ...]
    k: int

    def step(self, history: int, symbol: int) -> int | None:
        now = self.side[symbol]
        if not now:
            return 0
        run, kept_to = history >> 2, (history & 3) - 1
        mixed = run > 0 and kept_to != now
        if run + 1 >= self.k and mixed:
            return None
        run = min(run + 1, self.k - 1)
        return run << 2 | ((0 if mixed else now) + 1)


def rule_automaton(
    rules: Sequence[Rule], limit: float
) -> tuple[NDArray[np.int64], Callable[[float], Floats]] | None:
    """States of a set of run rules: where each zone leads from each state, and the zones' probabilities.

    Parameters
    ----------
    rules : sequence of Rule
    limit : float
        Width of the control limits in sigma.

    Returns
    -------
    step : int array, shape (states, zones)
        The next state, -1 for a signal. State 0 is the start.
    probabilities : callable
        Shift of the mean in sigma -> probability of each zone.
        None in place of the pair where the rules need more than zones (trends, alternating points) or too
        many states.

    References
    ----------
    Champ and Woodall (1987), Technometrics 29, 393-399.
    """
    zones = {limit if r.zone is None else r.zone for r in rules}
    edges = np.array(sorted({s * z for z in zones for s in (-1.0, 1.0)}))
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    inner = [(max(a, -1e6) + min(b, 1e6)) / 2 for a, b in pairwise(bounds)]
    trackers: list[_Count | _Both] = []
    for r in rules:
        zone = limit if r.zone is None else r.zone
        above, below = tuple(x > zone for x in inner), tuple(x < -zone for x in inner)
        if r.pattern in ("trend", "alternating"):
            return None
        if r.pattern == "within":
            trackers.append(_Count(tuple(abs(x) < zone for x in inner), r.count, r.window))
        elif r.side == "same":
            trackers += [_Count(above, r.count, r.window), _Count(below, r.count, r.window)]
        elif r.side == "either":
            trackers.append(
                _Count(tuple(a or b for a, b in zip(above, below, strict=True)), r.count, r.window)
            )
        elif r.count == r.window:
            trackers.append(_Both(tuple(int(a) - int(b) for a, b in zip(above, below, strict=True)), r.count))
        else:
            return None
    trackers = list(dict.fromkeys(trackers))
    start = (0,) * len(trackers)
    number = {start: 0}
    order = [start]
    step: list[list[int]] = []
    while len(step) < len(order):
        state = order[len(step)]
        row = []
        for symbol in range(len(inner)):
            new = tuple(t.step(h, symbol) for t, h in zip(trackers, state, strict=True))
            if None in new:
                row.append(-1)
                continue
            if new not in number:
                if len(order) >= MOST_STATES:
                    return None
                number[new] = len(order)  # type: ignore[index]
                order.append(new)  # type: ignore[arg-type]
            row.append(number[new])  # type: ignore[index]
        step.append(row)

    def probabilities(shift: float) -> Floats:
        # from the nearer tail, so that small probabilities keep their digits
        low, high = bounds[:-1] - shift, bounds[1:] - shift
        upper = low > 0
        return np.asarray(
            np.where(upper, special.ndtr(-low) - special.ndtr(-high), special.ndtr(high) - special.ndtr(low))
        )

    return np.asarray(step, dtype=np.int64), probabilities


def rule_chain(step: NDArray[np.int64], probability: Floats) -> Chain:
    """The chain of an automaton whose zones have these probabilities."""
    n = len(step)
    kernel = np.zeros((n, n))
    for symbol, p in enumerate(probability):
        stay = step[:, symbol] >= 0
        np.add.at(kernel, (np.flatnonzero(stay), step[stay, symbol]), p)
    mass = np.zeros(n)
    mass[0] = 1.0
    return Chain(survived=np.empty(0), mass=mass, kernel=kernel)


# charts with memory ---------------------------------------------------------------------------------------


def _normal(x: Any) -> Any:
    return np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)


def _nodes(low: float, high: float, widths: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights, enough for a kernel of which ``widths`` fit into the range."""
    x, w = np.polynomial.legendre.leggauss(int(np.clip(8 * widths, 48, 800)))
    half = (high - low) / 2
    return low + half * (x + 1.0), half * w


def ewma_chain(lam: float, width: float, shift: float, *, exact_limits: bool) -> Chain:
    """EWMA ``z = lam x + (1 - lam) z`` from 0, limits ``width`` sigma of z; mean ``shift`` from the start.

    References
    ----------
    Crowder (1987), Technometrics 29, 401-407, eq. 2; Steiner (1999), Journal of Quality Technology 31,
    75-86 (time-varying limits).
    """
    c = width * np.sqrt(lam / (2.0 - lam))
    x, w = _nodes(-1.0, 1.0, 2.0 * c * (1.0 - lam) / lam)

    def kernel(old: float, new: float) -> Any:
        return w * new * _normal((new * x - (1.0 - lam) * old * x[:, None]) / lam - shift) / lam

    survived, n = [1.0], 1
    limit = c * np.sqrt(1.0 - (1.0 - lam) ** 2) if exact_limits else c
    mass = w * limit * _normal(limit * x / lam - shift) / lam
    while exact_limits and (1.0 - lam) ** (2 * n) > 1e-11:
        survived.append(float(mass.sum()))
        n += 1
        wider = c * np.sqrt(1.0 - (1.0 - lam) ** (2 * n))
        mass = mass @ kernel(limit, wider)
        limit = wider
    # the nodes belong to the last limit: within 1e-11 of the final one
    return Chain(survived=np.asarray(survived), mass=mass, kernel=kernel(c, c))


def cusum_chain(k: float, h: float, shift: float, start: float = 0.0) -> Chain:
    """One-sided CUSUM ``s = max(0, s + x - k)`` from ``start``, signal above ``h``.

    References
    ----------
    Vardeman and Ray (1985), Technometrics 27, 145-150; Brook and Evans (1972), Biometrika 59, 539-549.
    """
    x, w = _nodes(0.0, h, h)
    state = np.concatenate([[0.0], x])

    def leave(old: Any) -> Any:
        to_zero = special.ndtr(k - shift - old)
        inside = w * _normal(x - old[:, None] + k - shift)
        return np.concatenate([to_zero[:, None], inside], axis=1)

    return Chain(survived=np.ones(1), mass=leave(np.array([start]))[0], kernel=leave(state))


def mewma_chain(p: int, lam: float, limit: float) -> Chain:
    """In-control MEWMA of ``p`` measures with the asymptotic covariance, signal when T2 exceeds ``limit``.

    References
    ----------
    Rigdon (1995), Journal of Statistical Computation and Simulation 52, 351-365; Knoth (2017), Journal of
    Quality Technology 49, 186-203 (the substitution that makes the kernel smooth).
    """
    reach = np.sqrt(limit * lam / (2.0 - lam))
    r, w = _nodes(0.0, float(reach), float(reach) / lam)

    def density(old: Any) -> Any:
        # |z|/lam is noncentral chi with p degrees of freedom, noncentrality (1 - lam)/lam |z before|
        away, x = ((1.0 - lam) / lam * np.asarray(old))[..., None], r / lam
        order = p / 2.0 - 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            bessel = x * (x / away) ** order * np.exp(-0.5 * (x - away) ** 2) * special.ive(order, x * away)
        central = x ** (p - 1) * np.exp(-0.5 * x * x) / (2.0**order * special.gamma(p / 2.0))
        return w / lam * np.where(away > 1e-12, bessel, central)

    return Chain(survived=np.ones(1), mass=density(np.array(0.0)), kernel=density(r))


def two_sided(
    upper: Chain, upper_0: Chain, lower: Chain, lower_0: Chain
) -> tuple[float, float, Distribution]:
    """Run length of two one-sided CUSUMs watched together: mean, standard deviation, distribution.

    When one side signals the other is at zero (for a head start of at most h / 2 + k), so that the run length
    of one side alone is that of the pair, plus a fresh one where the other side was first. ``upper`` and
    ``lower`` start at the head start, ``upper_0`` and ``lower_0`` at zero.

    References
    ----------
    Kemp (1971), Journal of the Royal Statistical Society B 33; Lucas and Crosier (1982), Technometrics 24,
    199-205, eq. 4 (the mean; the same argument gives the distribution).
    """
    (u, su), (u0, su0), (d, sd), (d0, sd0) = (c.moments() for c in (upper, upper_0, lower, lower_0))
    mean = (u * d0 + d * u0 - u0 * d0) / (u0 + d0)
    first_down, first_up = (u - mean) / u0, (d - mean) / d0
    square_u, square_u0, square_d, square_d0 = (
        s * s + m * m for s, m in ((su, u), (su0, u0), (sd, d), (sd0, d0))
    )
    rest_u, rest_d = square_u - first_down * square_u0, square_d - first_up * square_d0
    square = (rest_u / (2 * u0) + rest_d / (2 * d0) - mean) / (1 / (2 * u0) + 1 / (2 * d0))
    laws = [c.distribution() for c in (upper, upper_0, lower, lower_0)]
    ends: list[list[float]] = [[0.0] for _ in laws]
    up, down, survived = [0.0], [0.0], [1.0]
    ratio, steady = 0.0, 0
    for n in range(1, LONGEST):
        for law, end in zip(laws, ends, strict=True):
            end.append(law.alive(n - 1) - law.alive(n))
        up.append(ends[0][n] - float(np.dot(down[1:n], ends[1][n - 1 : 0 : -1])))
        down.append(ends[2][n] - float(np.dot(up[1:n], ends[3][n - 1 : 0 : -1])))
        survived.append(survived[-1] - up[n] - down[n])
        if survived[-1] < 1e-13:
            break
        new = survived[-1] / survived[-2]
        steady = steady + 1 if abs(new - ratio) < 1e-12 else 0
        ratio = new
        if steady >= 30:
            break
    return mean, float(np.sqrt(max(square - mean * mean, 0.0))), Distribution(np.asarray(survived), ratio)


def solve_rising(f: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a rising positive function reaches ``target``; on its logarithm, by bracketed secants.

    Raises
    ------
    InputError
        When the target does not lie between ``f(low)`` and ``f(high)``.
    """
    goal = np.log(target)
    a, b = low, high
    at_a, at_b = float(np.log(f(a)) - goal), float(np.log(f(b)) - goal)
    if at_a > 0 or at_b < 0:
        raise InputError(
            f"a run length of {target:g} cannot be had: it lies between {f(low):.3g} and {f(high):.3g}"
        )
    for _ in range(100):
        x = (a * at_b - b * at_a) / (at_b - at_a)
        at_x = float(np.log(f(x)) - goal)
        # Illinois: the end that stays counts half, so that both ends move
        if at_x > 0:
            b, at_b, at_a = x, at_x, at_a / 2
        else:
            a, at_a, at_b = x, at_x, at_b / 2
        if abs(at_x) < 1e-11 or abs(b - a) < 1e-12:
            break
    return float(x)
