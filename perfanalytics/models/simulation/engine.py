"""Running a process: blocks that stay in the cache, every part a few vector operations.

Two ways to draw. In *one stream* numbers are drawn one after the other, only for the runs that need them:
the fastest. *Aligned*, every step and decision has a stream of its own, and its n-th number belongs to the
n-th run whatever happens elsewhere: two processes, or two variants of one, can be compared run by run.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.models.simulation.correlation import Dependence
from perfanalytics.models.simulation.marginals import Marginal, marginal_of
from perfanalytics.models.simulation.parts import Batch, Branch, Parallel, Part, Rework, Sequence, Step

#: Runs a block: a few such arrays stay in the second-level cache.
BLOCK = 2**14

Rows = NDArray[np.intp] | None

#: The stream of the common factor, and of correlated steps.
FACTOR = "common factor"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A process ready to run."""

    process: Part
    names: tuple[str, ...]
    marginals: tuple[Marginal, ...]
    loadings: tuple[float, ...]
    root: Floats | None
    index: dict[str, int]

    @property
    def has_factor(self) -> bool:
        """Whether a common factor is drawn."""
        return any(self.loadings)


def prepare(process: Part, dependence: Dependence, marginals: tuple[Marginal, ...] | None = None) -> Plan:
    """The process with its sources made ready, or with the marginals given."""
    steps = process.steps
    names = tuple(s.name for s in steps)
    made = marginals if marginals is not None else tuple(marginal_of(s.source) for s in steps)
    root = None if dependence.matrix is None else np.asarray(np.linalg.cholesky(dependence.matrix), float)
    index = {name: k for k, name in enumerate(names)}
    return Plan(process, names, made, tuple(dependence.loadings.tolist()), root, index)


class Draws(Protocol):
    """Where random numbers come from; ``path`` says which pass of the loops around it."""

    factor: Floats | None

    def noise(self, step: int, rows: Rows, path: tuple[int, ...]) -> Floats:
        """Standard normal scores of a step for these runs (None: all), the caller's to overwrite."""
        ...

    def uniform(self, name: str, rows: Rows, path: tuple[int, ...]) -> Floats:
        """Numbers in [0, 1) behind a decision."""
        ...


class OneStream:
    """Numbers one after the other from a single generator."""

    def __init__(self, plan: Plan, generator: np.random.Generator, n: int) -> None:
        self._generator, self._n = generator, n
        self.factor = generator.standard_normal(n) if plan.has_factor else None
        self._correlated: Floats | None = None
        if plan.root is not None:
            self._correlated = plan.root @ generator.standard_normal((len(plan.names), n))

    def noise(self, step: int, rows: Rows, path: tuple[int, ...]) -> Floats:
        if self._correlated is not None and not any(path):
            own = self._correlated[step]
            return np.array(own if rows is None else own[rows])
        return self._generator.standard_normal(self._n if rows is None else len(rows))

    def uniform(self, name: str, rows: Rows, path: tuple[int, ...]) -> Floats:
        return self._generator.random(self._n if rows is None else len(rows))


class Aligned:
    """Every step and decision has a stream of its own, or, where it is named in ``other``, a second one."""

    def __init__(
        self, plan: Plan, seed: int, block: int, n: int, other: frozenset[str] = frozenset()
    ) -> None:
        self._plan, self._seed, self._block, self._n, self._other = plan, seed, block, n, other
        self.factor = self._stream(FACTOR, ()).standard_normal(n) if plan.has_factor else None
        self._correlated: Floats | None = None
        if plan.root is not None:
            own = [self._stream(name, ()).standard_normal(n) for name in plan.names]
            self._correlated = plan.root @ np.array(own)

    def _stream(self, name: str, path: tuple[int, ...]) -> np.random.Generator:
        # later passes differ from the first by their numbers; passes 0 share the stream of no loop at all,
        # so that a step keeps its numbers when a loop is put around it
        late = path if any(path) else ()
        key = (self._seed, int(name in self._other), zlib.crc32(name.encode()), self._block, *late)
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(key)))

    def noise(self, step: int, rows: Rows, path: tuple[int, ...]) -> Floats:
        if self._correlated is not None and not any(path):
            own = self._correlated[step]
            return np.array(own if rows is None else own[rows])
        drawn = self._stream(self._plan.names[step], path).standard_normal(self._n)
        return drawn if rows is None else drawn[rows]

    def uniform(self, name: str, rows: Rows, path: tuple[int, ...]) -> Floats:
        drawn = self._stream("decision " + name, path).random(self._n)
        return drawn if rows is None else drawn[rows]


@dataclass(slots=True, eq=False)
class Record:
    """What each step took in each run, and how often it was done."""

    totals: Floats
    visits: Floats


@dataclass(slots=True, eq=False)
class Run:
    """One block: the plan, its numbers, and what is written down on the way."""

    plan: Plan
    draws: Draws
    n: int
    record: Record | None = field(default=None)

    def total(self, part: Part, rows: Rows = None, path: tuple[int, ...] = ()) -> Floats:
        """What the part takes in these runs: a new array that the caller may overwrite."""
        if isinstance(part, Step):
            return self._step(part, rows, path)
        if isinstance(part, Sequence):
            out = self.total(part.parts[0], rows, path)
            for other in part.parts[1:]:
                out += self.total(other, rows, path)
            return out
        if isinstance(part, Parallel):
            return self._parallel(part, rows, path)
        if isinstance(part, Branch):
            return self._branch(part, rows, path)
        if isinstance(part, Rework):
            return self._rework(part, rows, path)
        assert isinstance(part, Batch)
        out = self.total(part.part, rows, (*path, 0))
        for item in range(1, part.size):
            more = self.total(part.part, rows, (*path, item))
            if part.together:
                np.maximum(out, more, out=out)
            else:
                out += more
        return out

    def _step(self, part: Step, rows: Rows, path: tuple[int, ...]) -> Floats:
        k = self.plan.index[part.name]
        factor, loading = self.draws.factor, self.plan.loadings[k]
        if loading and factor is not None and rows is not None:
            factor = factor[rows]
        out = self.plan.marginals[k].values(self.draws.noise(k, rows, path), factor, loading)
        if self.record is not None:
            where = slice(None) if rows is None else rows
            self.record.totals[k, where] += out
            self.record.visits[k, where] += 1
        return out

    def _parallel(self, part: Parallel, rows: Rows, path: tuple[int, ...]) -> Floats:
        k, many = part.wait_for, len(part.parts)
        if 1 < k < many:
            each = np.array([self.total(p, rows, path) for p in part.parts])
            each.partition(k - 1, axis=0)
            return np.array(each[k - 1])
        decide = np.maximum if k == many else np.minimum
        out = self.total(part.parts[0], rows, path)
        for other in part.parts[1:]:
            decide(out, self.total(other, rows, path), out=out)
        return out

    def _branch(self, part: Branch, rows: Rows, path: tuple[int, ...]) -> Floats:
        u = self.draws.uniform(part.name, rows, path)
        which = np.searchsorted(np.cumsum(part.probabilities)[:-1], u, side="right")
        out = np.empty(len(u))
        for k, way in enumerate(part.parts):
            own = np.flatnonzero(which == k)
            if len(own):
                out[own] = self.total(way, own if rows is None else rows[own], path)
        return out

    def _rework(self, part: Rework, rows: Rows, path: tuple[int, ...]) -> Floats:
        out = self.total(part.part, rows, (*path, 0))
        again = 0
        active = np.flatnonzero(self.draws.uniform(part.name, rows, (*path, 0)) < part.probability)
        while len(active) and (part.at_most is None or again < part.at_most):
            again += 1
            those = active if rows is None else rows[active]
            out[active] += self.total(part.part, those, (*path, again))
            u = self.draws.uniform(part.name, those, (*path, again))
            active = active[u < part.probability]
        return out


def decisions(process: Part) -> tuple[str, ...]:
    """The names of its decisions (branches, rework)."""
    return tuple(p.name for p in process.walk() if isinstance(p, Branch | Rework))


def generator_of(seed: int) -> np.random.Generator:
    """The generator of a simulation in one stream."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


def _blocks(runs: int, size: int) -> Iterator[tuple[int, int]]:
    for start in range(0, runs, size):
        yield start, min(size, runs - start)


def run_fast(plan: Plan, runs: int, seed: int) -> Floats:
    """The total of each run, from one stream."""
    out = np.empty(runs)
    generator = generator_of(seed)
    for start, n in _blocks(runs, BLOCK):
        out[start : start + n] = Run(plan, OneStream(plan, generator, n), n).total(plan.process)
    return out


def run_aligned(plan: Plan, runs: int, seed: int, other: frozenset[str] = frozenset()) -> Floats:
    """The total of each run, from aligned streams."""
    return np.concatenate(
        [
            Run(plan, Aligned(plan, seed, start, n, other), n).total(plan.process)
            for start, n in _blocks(runs, BLOCK)
        ]
    )


def run_recorded(plan: Plan, runs: int, seed: int) -> tuple[Floats, Record]:
    """The total of each run from aligned streams, and what each step took."""
    many = len(plan.names)
    totals, records = [], []
    for start, n in _blocks(runs, BLOCK):
        record = Record(np.zeros((many, n)), np.zeros((many, n)))
        totals.append(Run(plan, Aligned(plan, seed, start, n), n, record).total(plan.process))
        records.append(record)
    return np.concatenate(totals), Record(
        np.concatenate([r.totals for r in records], axis=1),
        np.concatenate([r.visits for r in records], axis=1),
    )
