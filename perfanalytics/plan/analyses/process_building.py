"""Written parts of a process -> the parts that are simulated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from perfanalytics.baselines.baseline import baseline
from perfanalytics.baselines.result import Baseline
from perfanalytics.core.errors import PerfAnalyticsError, PlanError
from perfanalytics.models.result import Model
from perfanalytics.models.simulation.distribution import Distribution
from perfanalytics.models.simulation.parts import Part, Step, batch, branch, parallel, rework, sequence, step
from perfanalytics.plan.analyses.baselines import BaselineTable
from perfanalytics.plan.analyses.context import Context
from perfanalytics.plan.analyses.kind import Declared
from perfanalytics.plan.analyses.models import ModelTable
from perfanalytics.plan.analyses.process_parts import (
    BatchPart,
    BranchPart,
    ComposedPart,
    ParallelPart,
    ReworkPart,
    SequencePart,
    SourcePart,
    StepPart,
    WrittenPart,
)
from perfanalytics.plan.mistakes import undeclared, unknown
from perfanalytics.plan.tables import Analysis

#: What each composed process of the plan is made of.
Composed = Mapping[str, tuple[WrittenPart, ...]]
MakeStep = Callable[[StepPart], Part]


def build(parts: tuple[WrittenPart, ...], composed: Composed, make: MakeStep) -> Part:
    """The process that is written, its steps made by ``make``.

    Raises
    ------
    InputError
        For parts that make no process.
    PlanError
        For a composed process that is none of the plan, or that contains itself.
    """
    return _sequence(parts, composed, make, ())


def _sequence(
    parts: tuple[WrittenPart, ...], composed: Composed, make: MakeStep, inside: tuple[str, ...]
) -> Part:
    made = [_part(part, composed, make, inside) for part in parts]
    return made[0] if len(made) == 1 else sequence(*made)


def _part(part: WrittenPart, composed: Composed, make: MakeStep, inside: tuple[str, ...]) -> Part:
    children = [_part(child, composed, make, inside) for child in part.children()]
    match part:
        case StepPart():
            return make(part)
        case SequencePart():
            return children[0] if len(children) == 1 else sequence(*children)
        case ParallelPart():
            return parallel(*children, wait_for=None if part.wait_for == "all" else part.wait_for)
        case BranchPart():
            return branch(list(zip(part.shares, children, strict=True)), name=part.name)
        case ReworkPart():
            return rework(children[0], probability=part.probability, at_most=part.at_most, name=part.name)
        case BatchPart():
            return batch(children[0], size=part.size, together=part.together)
        case ComposedPart(composed_process=name):
            if name in inside:
                raise PlanError(f"the composed process '{name}' contains itself")
            if name not in composed:
                raise PlanError(f"the composed process '{name}' is not declared")
            return _sequence(composed[name], composed, make, (*inside, name))
    raise PlanError(f"{type(part).__name__} is no part of a process")


def walk(parts: tuple[WrittenPart, ...], composed: Composed) -> Iterator[WrittenPart]:
    """Every part, those of the composed processes of the plan included."""
    seen: set[str] = set()
    waiting = list(parts)
    while waiting:
        for part in waiting.pop().walk():
            yield part
            if isinstance(part, ComposedPart) and part.composed_process not in seen:
                seen.add(part.composed_process)
                waiting += composed.get(part.composed_process, ())


def measures_of(parts: tuple[WrittenPart, ...], composed: Composed) -> tuple[str, ...]:
    """The measures whose data the steps are drawn from."""
    found = (p.measure for p in walk(parts, composed) if isinstance(p, SourcePart) and p.measure)
    return tuple(dict.fromkeys(found))


def stated(part: SourcePart) -> Distribution:
    """The distribution that is written down."""
    family = str(part.distribution)
    if family == "discrete":
        values, shares = part.values or (), part.probabilities or ()
        if len(values) != len(shares) or len(set(values)) != len(values):
            raise PlanError("a discrete distribution needs a probability for each value, every value once")
        return Distribution.discrete(dict(zip(values, shares, strict=True)))
    made: Distribution = getattr(Distribution, family)(**part.parameters())
    return made


def drawn_from(part: SourcePart, name: str, context: Context) -> Step:
    """A step (or another time) with what it is drawn from.

    A measure becomes a baseline on the way, so that its stability and dependence are known.
    """
    use = part.use or ("fitted" if part.measure and part.distribution else "values")
    if part.measure is not None:
        series = context.repo.series(
            part.measure,
            where=part.where or None,
            since=part.since or context.since,
            until=part.until,
        )
        return step(name, baseline(series, distribution=part.distribution), use=use)
    if part.value is not None:
        return step(name, part.value)
    if part.distribution is not None:
        return step(name, stated(part))
    if part.values is not None:
        return step(name, list(part.values))
    at = part.at or None
    if part.baseline is not None:
        return step(name, context.saved(part.baseline, Baseline), use=use)
    if part.model is not None:
        return step(name, context.saved(part.model, Model), at=at)
    return step(name, context.repo.result(str(part.saved), version=part.version), use=use, at=at)


def on_trial(part: SourcePart, name: str) -> Step:
    """The step without its data: so far as a plan can be checked before anything is loaded."""
    if part.distribution is not None and part.measure is None:
        return step(name, stated(part))
    return step(name, 1.0 if part.value is None else part.value)


def check_parts(
    where: str, parts: tuple[WrittenPart, ...], composed: Composed, declared: Declared
) -> Iterator[str]:
    """Names that the steps refer to, and distributions that cannot be."""
    for part in (p for top in parts for p in top.walk()):
        if isinstance(part, ComposedPart):
            yield from undeclared(where, "composed_process", part.composed_process, composed)
        if isinstance(part, SourcePart):
            label = f"{where}: step '{part.name}'" if isinstance(part, StepPart) else where
            yield from check_source(label, part, declared)


def check_source(where: str, part: SourcePart, declared: Declared) -> Iterator[str]:
    """Names that one step (or another time) refers to."""
    if part.measure is not None:
        yield from undeclared(where, "measure", part.measure, declared.attributes)
        known = declared.attributes.get(part.measure)
        for name in part.where if known is not None else ():
            yield from unknown(where, f"where: attribute of {part.measure}", name, known or ())
    for key, table in (("baseline", BaselineTable), ("model", ModelTable)):
        kind: type[Analysis] = table
        known_names = [n for n, a in declared.analyses.items() if isinstance(a, kind)]
        # the strata of a baseline are saved as "NAME: stratum"
        given = getattr(part, key)
        if not any(str(given).startswith(f"{name}: ") for name in known_names):
            yield from undeclared(where, key, given, known_names)
    if part.model is not None and not part.at:
        yield f"{where}: at = {{...}} says which item the model '{part.model}' shall predict"
    if part.distribution is not None and part.measure is None:
        try:
            stated(part)
        except PerfAnalyticsError as error:
            yield f"{where}: {error}"
