"""Composed processes, run many times: ``[[simulation]]`` and ``[[process_comparison]]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic import Field, PrivateAttr, model_validator

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.measure import Measure
from perfanalytics.models.simulation.alternatives import compare_processes
from perfanalytics.models.simulation.correlation import Asked, read_correlation
from perfanalytics.models.simulation.parts import Part, Sequence, check_process
from perfanalytics.models.simulation.simulate import simulate
from perfanalytics.plan.analyses.context import Context, item
from perfanalytics.plan.analyses.kind import Declared, Kind, Reference
from perfanalytics.plan.analyses.process_building import (
    Composed,
    build,
    check_parts,
    drawn_from,
    measures_of,
    on_trial,
)
from perfanalytics.plan.analyses.process_parts import Steps, WrittenPart
from perfanalytics.plan.mistakes import tried, undeclared
from perfanalytics.plan.tables import Analysis, Name, Table
from perfanalytics.reports.report import ReportItem

CHAPTER = "Composed processes"


class ComposedProcessTable(Table):
    """``[[composed_process]]``: a process written down as steps, to be used by its name."""

    name: Name
    description: str = ""
    steps: Steps = Field(min_length=1)


class PairTable(Table):
    """``{ steps = ["diagnosis", "repair"], rank = 0.4 }``: how two steps hang together."""

    steps: tuple[Name, Name]
    rank: float = Field(gt=-1, lt=1)


class OfProcess(Analysis):
    """What the analyses of composed processes have."""

    measure: Name | None = None
    unit: str = ""
    runs: int = Field(100_000, ge=100, le=100_000_000)
    seed: int = Field(1, ge=0)
    correlation: float | dict[str, float] | None = None
    pairs: list[PairTable] = []
    resamples: int = Field(0, ge=0)
    confidence: float = Field(0.95, gt=0, lt=1)

    _composed: dict[str, tuple[WrittenPart, ...]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _one_dependence(self) -> OfProcess:
        if self.correlation is not None and self.pairs:
            raise ValueError("correlation is about a common factor, pairs about pairs of steps: give one")
        if self.unit and self.measure is not None:
            raise ValueError("unit is for a total that is no declared measure: leave measure or unit out")
        return self

    def knows(self, composed: Mapping[str, ComposedProcessTable]) -> None:
        """The composed processes of the plan; told once, when the plan is put together."""
        self._composed.update({name: table.steps for name, table in composed.items()})

    @property
    def composed(self) -> Composed:
        """What each composed process of the plan is made of."""
        return self._composed

    def written(self) -> dict[str, tuple[WrittenPart, ...]]:
        """The processes by name, as they are written."""
        raise NotImplementedError

    def looks_into(self) -> tuple[str, ...]:
        """The measures the steps are drawn from."""
        parts = tuple(part for steps in self.written().values() for part in steps)
        return measures_of(parts, self.composed)

    def asked(self) -> Asked | None:
        """The correlation as the simulation takes it."""
        if self.pairs:
            return {pair.steps: pair.rank for pair in self.pairs}
        return self.correlation


class SimulationTable(OfProcess):
    """``[[simulation]]``: how long will it take, will the objective be met, what drives it."""

    steps: Steps = ()
    composed_process: Name | None = None
    sensitivity: int = Field(2**14, ge=0)
    interim: float | None = Field(None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_process(self) -> SimulationTable:
        if bool(self.steps) + (self.composed_process is not None) != 1:
            raise ValueError("give either steps = [...] or composed_process = NAME")
        return self

    def written(self) -> dict[str, tuple[WrittenPart, ...]]:
        """The one process."""
        if self.composed_process is None:
            return {self.name: self.steps}
        return {self.composed_process: self.composed.get(self.composed_process, ())}


class ProcessComparisonTable(OfProcess):
    """``[[process_comparison]]``: which processes should be composed? The first is the reference."""

    composed_processes: list[Name] = Field(min_length=2, max_length=20)

    def written(self) -> dict[str, tuple[WrittenPart, ...]]:
        """The alternatives, in order."""
        return {name: self.composed.get(name, ()) for name in self.composed_processes}


def _process(steps: tuple[WrittenPart, ...], table: OfProcess, context: Context) -> Part:
    return build(steps, table.composed, lambda part: drawn_from(part, part.name, context))


def _total(table: OfProcess, context: Context, process: Part) -> Measure | None:
    """The measure of the total: the one named, else that of the objective, else one in the unit given."""
    objective = context.objective(table)
    name = table.measure or (objective.measure if objective is not None else None)
    if name is not None:
        return context.measure(name)
    if not table.unit:
        return None
    return Measure(
        "total",
        definition="Total of the composed process",
        unit=table.unit,
        better="lower",
        scale="duration",
    )


def _simulation(table: SimulationTable, context: Context) -> list[ReportItem]:
    (steps,) = table.written().values()
    process = _process(steps, table, context)
    found = simulate(
        process,
        runs=table.runs,
        rng=table.seed,
        objective=context.objective(table),
        measure=_total(table, context, process),
        correlation=table.asked(),
        confidence=table.confidence,
        resamples=table.resamples,
        sensitivity=table.sensitivity,
    )
    made = item(table, found, context)
    if table.interim is None:
        return [made]
    title = f"Interim objectives, kept so that the target is met with {table.interim:.0%}"
    return [replace(made, extra=((title, found.interim(share=table.interim)),))]


def _alternatives(table: ProcessComparisonTable, context: Context) -> list[ReportItem]:
    processes = {name: _process(steps, table, context) for name, steps in table.written().items()}
    found = compare_processes(
        processes,
        runs=table.runs,
        rng=table.seed,
        objective=context.objective(table),
        measure=_total(table, context, next(iter(processes.values()))),
        correlation=table.asked(),
        confidence=table.confidence,
        resamples=table.resamples,
    )
    return [item(table, found, context)]


def _references(table: OfProcess) -> Iterator[Reference]:
    yield Reference("measure", table.measure, "measure")
    for name in table.looks_into():
        yield Reference("steps: measure", name, "measure")


def check_composed_process(
    where: str, table: ComposedProcessTable, composed: Composed, declared: Declared
) -> Iterator[str]:
    """The mistakes of a ``[[composed_process]]`` that its steps cannot find by themselves."""
    told = list(check_parts(where, table.steps, composed, declared))
    yield from told or _tried_out(where, table.steps, composed)


def _tried_out(where: str, steps: tuple[WrittenPart, ...], composed: Composed) -> Iterator[str]:
    yield from tried(where, lambda parts: check_process(_trial(parts, composed)), steps)


def _trial(steps: tuple[WrittenPart, ...], composed: Composed) -> Part:
    """The process without its data."""
    return build(steps, composed, lambda part: on_trial(part, part.name))


def _trials(where: str, table: OfProcess, mistakes: list[str]) -> list[Part]:
    """The processes without their data; a composed process of the plan tells its own mistakes itself."""
    trials = []
    for steps in table.written().values():
        if not steps:
            continue
        try:
            trials.append(check_process(_trial(steps, table.composed)))
        except PerfAnalyticsError as error:
            if isinstance(table, SimulationTable) and table.steps:
                mistakes.append(f"{where}: {error}")
    return trials


def _check(where: str, table: OfProcess, declared: Declared, trials: list[Part]) -> Iterator[str]:
    """What both kinds have: the total, the dependence, the numbers of resamples."""
    yield from _check_total(where, table, declared)
    if table.resamples and table.resamples < 40:
        yield f"{where}: resamples = {table.resamples} is too few: 0 (inputs taken as known), or 40 and more"
    names = tuple(dict.fromkeys(s.name for process in trials for s in process.steps))
    if names:
        yield from tried(where, lambda asked: read_correlation(asked, names), table.asked())


def _check_simulation(where: str, table: SimulationTable, declared: Declared) -> Iterator[str]:
    yield from undeclared(where, "composed_process", table.composed_process, table.composed)
    mistakes = list(check_parts(where, table.steps, table.composed, declared))
    trials = [] if mistakes else _trials(where, table, mistakes)
    yield from mistakes
    yield from _check(where, table, declared, trials)
    if table.sensitivity and table.sensitivity < 1000:
        yield f"{where}: sensitivity = {table.sensitivity} is too few: 0 (no drivers), or 1,000 and more"
    if table.interim is None:
        return
    goal = declared.objectives.get(table.objective or "")
    if goal is None or goal.direction != "at_most":
        yield f"{where}: interim = {table.interim:g} needs an objective that says what the total is at most"
    if trials and not isinstance(trials[0], Sequence):
        yield f"{where}: interim objectives need a process of at least two parts one after the other"


def _check_alternatives(where: str, table: ProcessComparisonTable, declared: Declared) -> Iterator[str]:
    for name in table.composed_processes:
        yield from undeclared(where, "composed_processes", name, table.composed)
    twice = {n for n in table.composed_processes if table.composed_processes.count(n) > 1}
    for name in sorted(twice):
        yield f"{where}: composed_processes names '{name}' twice"
    yield from _check(where, table, declared, _trials(where, table, []))


def _check_total(where: str, table: OfProcess, declared: Declared) -> Iterator[str]:
    """The objective is about single items, and about the total."""
    goal = declared.objectives.get(table.objective or "")
    if goal is None:
        return
    if table.unit:
        yield f"{where}: the total is the measure of the objective '{goal.name}': leave unit out"
    if table.measure is not None and table.measure != goal.measure:
        yield f"{where}: measure = '{table.measure}', but the objective is about '{goal.measure}'"
    if goal.statistic != "item":
        yield (
            f"{where}: the objective '{goal.name}' speaks of the {goal.statistic}; a simulation gives the "
            "probability that one item meets a target: statistic = 'item'"
        )


SIMULATION = Kind(
    table=SimulationTable,
    chapter=CHAPTER,
    many="simulations",
    analyze=_simulation,
    check=_check_simulation,
    references=_references,
)
PROCESS_COMPARISON = Kind(
    table=ProcessComparisonTable,
    chapter=CHAPTER,
    many="process comparisons",
    analyze=_alternatives,
    check=_check_alternatives,
    references=_references,
)
