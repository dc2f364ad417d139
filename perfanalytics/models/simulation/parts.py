"""The algebra of processes: steps in sequence, in parallel, in branches, in rework loops and batches."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from perfanalytics.core import codec
from perfanalytics.core.errors import InputError
from perfanalytics.models.simulation.sources import Source, find_source


class Part:
    """A process or a piece of one: what the functions of this module take and give."""

    __slots__ = ()
    kind: ClassVar[str] = ""

    @property
    def children(self) -> tuple[Part, ...]:
        """The parts it is made of."""
        return ()

    def walk(self) -> Iterator[Part]:
        """The part itself and all it is made of, in the order they were written."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps, in the order they were written."""
        return tuple(p for p in self.walk() if isinstance(p, Step))

    def __eq__(self, other: object) -> bool:
        return codec.same(self, other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(json.dumps(codec.to_record(self), sort_keys=True))

    def __repr__(self) -> str:
        return f"<{self}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Step(Part):
    """One piece of work, whose time (effort, cost) is drawn from a source."""

    kind: ClassVar[str] = "process_step"

    name: str
    source: Source
    origin: str
    unit: str
    stable: bool | None
    doubts: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sequence(Part):
    """One part after the other: times add up."""

    kind: ClassVar[str] = "process_sequence"

    parts: tuple[Part, ...]

    @property
    def children(self) -> tuple[Part, ...]:
        """The parts, in order."""
        return self.parts

    def __str__(self) -> str:
        return " → ".join(str(p) for p in self.parts)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Parallel(Part):
    """Parts at the same time; done when ``wait_for`` of them are."""

    kind: ClassVar[str] = "process_parallel"

    parts: tuple[Part, ...]
    wait_for: int

    @property
    def children(self) -> tuple[Part, ...]:
        """The parts that run beside each other."""
        return self.parts

    def __str__(self) -> str:
        inside = " ∥ ".join(str(p) for p in self.parts)
        few = "" if self.wait_for == len(self.parts) else f", {self.wait_for} of {len(self.parts)}"
        return f"({inside}{few})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Branch(Part):
    """One of several ways, each with its probability."""

    kind: ClassVar[str] = "process_branch"

    parts: tuple[Part, ...]
    probabilities: tuple[float, ...]
    name: str

    @property
    def children(self) -> tuple[Part, ...]:
        """The ways."""
        return self.parts

    def __str__(self) -> str:
        ways = (f"{p:.3g}: {part}" for part, p in zip(self.parts, self.probabilities, strict=True))
        return f"[{' | '.join(ways)}]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Rework(Part):
    """A part that is done again with some probability, until it is good or ``at_most`` times."""

    kind: ClassVar[str] = "process_rework"

    part: Part
    probability: float
    at_most: int | None
    name: str

    @property
    def children(self) -> tuple[Part, ...]:
        """The part that may be done again."""
        return (self.part,)

    def __str__(self) -> str:
        limit = "" if self.at_most is None else f", at most {self.at_most}"
        return f"({self.part} ↻ {self.probability:.3g}{limit})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch(Part):
    """The same part for several items: one after the other (times add up), or together (the slowest)."""

    kind: ClassVar[str] = "process_batch"

    part: Part
    size: int
    together: bool

    @property
    def children(self) -> tuple[Part, ...]:
        """The part that is done for each item."""
        return (self.part,)

    def __str__(self) -> str:
        return f"({self.size} × {self.part}{' together' if self.together else ''})"


def step(name: str, source: object, *, use: str = "values", at: Mapping[str, Any] | None = None) -> Step:
    """One step of a process.

    Parameters
    ----------
    name : str
        Unique within a process.
    source : Distribution, number, Baseline, DistributionFit, Model, Series or list of numbers
        Where its time (effort, cost) comes from. Values are drawn with replacement.
    use : {"values", "fitted"}
        Of a baseline: its values, or its fitted distribution.
    at : mapping of column to value, optional
        Of a model: the item to predict. A new item is drawn each time, not the mean; the uncertainty of the
        coefficients is part of the uncertainty of the inputs (``resamples=`` of :func:`perf.simulate`).

    Returns
    -------
    Part

    Raises
    ------
    InputError
        When nothing can be drawn from the source.

    Examples
    --------
    >>> from perfanalytics.models.simulation.distribution import Distribution
    >>> step("triage", Distribution.lognormal(median=0.5, sigma=0.6))
    <triage>
    >>> step("approve", [1.0, 2.0, 2.5, 4.0]).origin
    '4 values'
    """
    if not isinstance(name, str) or not name.strip():
        raise InputError("a step needs a name: step('triage', ...)")
    if isinstance(source, Part):
        raise InputError(
            f"step {name!r}: a part of a process is no source; put it into sequence(...) as it is"
        )
    found = find_source(name, source, use=use, at=at)
    return Step(name, found.source, found.origin, found.unit, found.stable, found.doubts)


def sequence(*parts: Part) -> Part:
    """Parts one after the other: their times add up.

    Examples
    --------
    >>> sequence(step("triage", 1.0), step("resolve", 5.0))
    <triage → resolve>
    """
    return Sequence(_checked("sequence", parts, 1))


def parallel(*parts: Part, wait_for: int | None = None) -> Part:
    """Parts at the same time.

    Parameters
    ----------
    *parts : Part
    wait_for : int, optional
        How many must be done before the process goes on; default all (the slowest decides), 1: the fastest.

    Examples
    --------
    >>> parallel(step("network", 3.0), step("database", 4.0), step("vendor", 9.0), wait_for=2)
    <(network ∥ database ∥ vendor, 2 of 3)>
    """
    checked = _checked("parallel", parts, 2)
    k = len(checked) if wait_for is None else wait_for
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= len(checked):
        raise InputError(f"wait_for is 1 to {len(checked)} (the number of parallel parts), got {wait_for}")
    return Parallel(checked, k)


def branch(ways: Mapping[float, Part] | list[tuple[float, Part]], *, name: str | None = None) -> Part:
    """One of several ways, drawn with its probability.

    Parameters
    ----------
    ways : list of (probability, Part)
        Probabilities sum to 1; a way that does nothing is ``step("nothing", 0)``.
    name : str, optional
        What the decision is called among the drivers.

    Examples
    --------
    >>> branch([(0.8, step("by phone", 0.3)), (0.2, step("on site", 4.0))])
    <[0.8: by phone | 0.2: on site]>
    """
    pairs = list(ways.items()) if isinstance(ways, Mapping) else list(ways)
    if any(not (isinstance(pair, tuple) and len(pair) == 2) for pair in pairs):
        raise InputError("branch takes pairs: branch([(0.8, step(...)), (0.2, step(...))])")
    parts = _checked("branch", tuple(part for _, part in pairs), 2)
    try:
        shares = tuple(float(p) for p, _ in pairs)
    except (TypeError, ValueError) as error:
        raise InputError(f"branch takes pairs of a probability and a part: {error}") from error
    if not all(0 <= p <= 1 for p in shares):
        raise InputError(f"the probabilities of a branch lie between 0 and 1, got {shares}")
    if abs(math.fsum(shares) - 1) > 1e-9:
        raise InputError(f"the probabilities of a branch sum to 1, got {math.fsum(shares):g}")
    return Branch(parts, shares, name or "choice: " + " or ".join(_first(p) for p in parts))


def rework(part: Part, *, probability: float, at_most: int | None = None, name: str | None = None) -> Part:
    """A part that is done again with this probability after each pass.

    Parameters
    ----------
    part : Part
    probability : float
        In [0, 1): of doing it once more. Without ``at_most`` the number of passes is geometric, on average
        ``1 / (1 - probability)``.
    at_most : int, optional
        At most so many times again.
    name : str, optional
        What the decision is called among the drivers.

    Examples
    --------
    >>> rework(step("test", 2.0), probability=0.18)
    <(test ↻ 0.18)>
    """
    (checked,) = _checked("rework", (part,), 1)
    if not 0 <= probability <= 1 or (probability > 0.999 and at_most is None):
        raise InputError(
            f"the probability of rework is at least 0 and below 1 (at most 0.999 without at_most=), got "
            f"{probability}"
        )
    if at_most is not None and (isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1):
        raise InputError(f"at_most is how often a part is done again at most, 1 or more, got {at_most}")
    return Rework(checked, float(probability), at_most, name or f"rework of {_first(checked)}")


def batch(part: Part, *, size: int, together: bool = False) -> Part:
    """The same part for several items.

    Parameters
    ----------
    part : Part
    size : int
        Number of items.
    together : bool
        False: one after the other, times add up. True: at the same time, the slowest decides.

    Examples
    --------
    >>> batch(step("install", 0.5), size=12)
    <(12 × install)>
    """
    (checked,) = _checked("batch", (part,), 1)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InputError(f"the size of a batch is a whole number from 1 on, got {size}")
    return Batch(checked, size, bool(together))


def check_process(process: object) -> Part:
    """The process, when it is one whose steps and decisions have unique names and one unit.

    Raises
    ------
    InputError
    """
    if not isinstance(process, Part):
        raise InputError(
            f"a process is made of steps (perf.step, perf.sequence, perf.parallel, perf.branch, perf.rework, "
            f"perf.batch), got {type(process).__name__}"
        )
    names = [p.name for p in process.walk() if isinstance(p, Step | Rework | Branch)]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(
            f"{', '.join(map(repr, twice))} stands more than once in the process: give every step (and every "
            "rework and branch, by name=) a name of its own"
        )
    units = {s.unit: s.name for s in reversed(process.steps) if s.unit}
    if len(units) > 1:
        said = ", ".join(f"{name!r} in {unit}" for unit, name in units.items())
        raise InputError(f"the steps have different units ({said}): convert them first")
    return process


def unit_of(process: Part) -> str:
    """The unit of the steps that have one."""
    return next((s.unit for s in process.steps if s.unit), "")


def _first(part: Part) -> str:
    """A short name: that of its only step, or of its first and last."""
    names = [s.name for s in part.steps]
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _checked(what: str, parts: tuple[Any, ...], least: int) -> tuple[Part, ...]:
    if len(parts) == 1 and isinstance(parts[0], list | tuple):
        raise InputError(f"{what} takes the parts one by one: {what}(a, b, c), not a list")
    for part in parts:
        if not isinstance(part, Part):
            raise InputError(
                f"{what} is made of parts such as step('name', ...), got {type(part).__name__}: {part!r:.60}"
            )
    if len(parts) < least:
        raise InputError(f"{what} needs at least {least} part{'s' if least > 1 else ''}, got {len(parts)}")
    return parts
