"""How a composed process is written in a plan: steps, and the inline tables that nest.

Every entry of ``steps`` is an inline table; its first key says what it is (``name`` of a step, ``parallel``,
``branch``, ``rework``, ``batch``, ``composed_process``, ``steps``). A list stands for its parts one after the
other. Mistakes are gathered, each with its place: ``steps 3, parallel 2 'access'``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BeforeValidator, Field, InstanceOf, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from perfanalytics.core.errors import nearest
from perfanalytics.plan.tables import Name, Table, Value, When, Where

T = TypeVar("T", bound=Table)

#: Parameters of the stated distributions, as ``perf.Distribution`` takes them.
PARAMETERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "normal": (("mean", "sd"),),
    "lognormal": (("median", "sigma"), ("mean", "sd")),
    "gamma": (("mean", "sd"),),
    "weibull": (("shape", "scale"),),
    "exponential": (("mean",),),
    "triangular": (("low", "mode", "high"),),
    "pert": (("low", "mode", "high"),),
    "uniform": (("low", "high"),),
    "discrete": (("values", "probabilities"),),
}
NUMBERS = ("mean", "sd", "median", "sigma", "shape", "scale", "low", "mode", "high")


class WrittenPart(Table):
    """A part of a process as it stands in the plan."""

    children_at: ClassVar[str | None] = None

    def children(self) -> tuple[WrittenPart, ...]:
        """The parts it is made of."""
        return ()

    def walk(self) -> Iterator[WrittenPart]:
        """The part and all that it is made of."""
        yield self
        for child in self.children():
            yield from child.walk()


class SourcePart(WrittenPart):
    """Where a time (effort, cost) comes from: exactly one of the ways below."""

    measure: Name | None = None
    where: Where = {}
    since: When | None = None
    until: When | None = None
    baseline: Name | None = None
    use: Literal["values", "fitted"] | None = None
    model: Name | None = None
    at: dict[str, Value] = {}
    saved: Name | None = None
    version: int | None = Field(None, ge=1)
    distribution: str | None = None
    mean: float | None = None
    sd: float | None = None
    median: float | None = None
    sigma: float | None = None
    shape: float | None = None
    scale: float | None = None
    low: float | None = None
    mode: float | None = None
    high: float | None = None
    probabilities: tuple[float, ...] | None = None
    value: float | None = None
    values: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> SourcePart:
        ways = ("measure", "baseline", "model", "saved", "distribution", "value", "values")
        given = [key for key in ways if getattr(self, key) is not None]
        fitted = given == ["measure", "distribution"]
        discrete = given == ["distribution", "values"] and self.distribution == "discrete"
        if len(given) != 1 and not fitted and not discrete:
            said = " and ".join(given) if given else "none"
            raise ValueError(
                "its time comes from one of measure, baseline, model, saved, distribution, value or values; "
                f"given: {said}"
            )
        for key, owner in (
            ("where", "measure"),
            ("since", "measure"),
            ("until", "measure"),
            ("at", "model"),
            ("version", "saved"),
        ):
            if getattr(self, key) and getattr(self, owner) is None and not (key == "at" and self.saved):
                raise ValueError(f"{key} belongs to {owner} = ...")
        if self.use is not None and not (self.measure or self.baseline or self.saved):
            raise ValueError("use belongs to measure, baseline or saved")
        stated = {key for key in (*NUMBERS, "probabilities") if getattr(self, key) is not None}
        if self.distribution is None or fitted:
            if stated:
                raise ValueError(f"{', '.join(sorted(stated))} belong to a stated distribution = ...")
            return self
        if self.distribution not in PARAMETERS:
            hint = nearest(self.distribution, PARAMETERS)
            said = f"did you mean '{hint}'?" if hint else f"known: {', '.join(PARAMETERS)}"
            raise ValueError(f"distribution '{self.distribution}' is not known; {said}")
        stated |= {"values"} if self.values is not None else set()
        wanted = PARAMETERS[self.distribution]
        if stated not in [set(names) for names in wanted]:
            said = ", or ".join(" and ".join(names) for names in wanted)
            raise ValueError(
                f"distribution = '{self.distribution}' needs {said}; given: "
                f"{', '.join(sorted(stated)) or 'none'}"
            )
        return self

    def parameters(self) -> dict[str, float]:
        """Those of a stated distribution with a name of its own."""
        return {key: getattr(self, key) for key in NUMBERS if getattr(self, key) is not None}


class StepPart(SourcePart):
    """``{ name = "repair", measure = "repair_hours" }``: one piece of work."""

    name: Name


class SequencePart(WrittenPart):
    """``{ steps = [...] }``: one after the other; where a part is expected, a list means the same."""

    children_at: ClassVar[str | None] = "steps"
    steps: tuple[InstanceOf[WrittenPart], ...] = Field(min_length=1)

    def children(self) -> tuple[WrittenPart, ...]:
        """The parts, in order."""
        return self.steps


class ParallelPart(WrittenPart):
    """``{ parallel = [...], wait_for = "all" }``: at the same time."""

    children_at: ClassVar[str | None] = "parallel"
    parallel: tuple[InstanceOf[WrittenPart], ...] = Field(min_length=2)
    wait_for: Literal["all"] | int = "all"

    def children(self) -> tuple[WrittenPart, ...]:
        """The parts that run beside each other."""
        return self.parallel


class BranchPart(WrittenPart):
    """``{ branch = [{ share = 0.8, ... }, { share = 0.2, ... }] }``: one of several ways."""

    children_at: ClassVar[str | None] = "branch"
    branch: tuple[InstanceOf[WrittenPart], ...] = Field(min_length=2)
    shares: tuple[float, ...] = ()
    name: Name | None = None

    def children(self) -> tuple[WrittenPart, ...]:
        """The ways."""
        return self.branch


class ReworkPart(WrittenPart):
    """``{ rework = {...}, probability = 0.18 }``: done again with this probability after each pass."""

    children_at: ClassVar[str | None] = "rework"
    rework: InstanceOf[WrittenPart]
    probability: float = Field(ge=0, le=1)
    at_most: int | None = Field(None, ge=1)
    name: Name | None = None

    def children(self) -> tuple[WrittenPart, ...]:
        """The part that may be done again."""
        return (self.rework,)


class BatchPart(WrittenPart):
    """``{ batch = {...}, size = 12 }``: the same for several items."""

    children_at: ClassVar[str | None] = "batch"
    batch: InstanceOf[WrittenPart]
    size: int = Field(ge=1)
    together: bool = False

    def children(self) -> tuple[WrittenPart, ...]:
        """The part that is done for each item."""
        return (self.batch,)


class ComposedPart(WrittenPart):
    """``{ composed_process = "repair" }``: what the table of this name says."""

    composed_process: Name


#: The key that says what a part is; without any of them it is a step.
KINDS: dict[str, type[WrittenPart]] = {
    "parallel": ParallelPart,
    "branch": BranchPart,
    "rework": ReworkPart,
    "batch": BatchPart,
    "composed_process": ComposedPart,
    "steps": SequencePart,
}
_MISSING = StepPart.model_construct(name="?", value=0.0)


def _part(raw: object, place: str, mistakes: list[str], *, way: bool = False) -> WrittenPart:
    """One part; what is wrong with it is added to the mistakes."""
    if isinstance(raw, list):
        raw = {"steps": raw}
    if not isinstance(raw, dict):
        mistakes.append(f"{place}: expected a part like {{ name = 'triage', measure = '...' }}, got {raw!r}")
        return _MISSING
    given = {key: value for key, value in raw.items() if not (way and key == "share")}
    name = given.get("name")
    if isinstance(name, str):
        place += f" '{name}'"
    found = [key for key in KINDS if key in given]
    if len(found) > 1:
        mistakes.append(f"{place}: {' and '.join(found)} are two parts: give each its own {{...}}")
        return _MISSING
    cls = KINDS[found[0]] if found else StepPart
    key = cls.children_at
    if key in ("rework", "batch"):
        given[key] = _part(given[key], f"{place}, {key}", mistakes)
    elif key is not None:
        given[key] = _several(given[key], place, key, mistakes)
        if key == "branch":
            given["shares"] = _shares(raw[key], place, mistakes)
    return _made(cls, given, place, mistakes) or _MISSING


def _several(raw: object, place: str, key: str, mistakes: list[str]) -> tuple[WrittenPart, ...]:
    where = f"{place}, {key}" if place else key
    if not isinstance(raw, list):
        mistakes.append(f"{where}: expected a list of parts [{{...}}, {{...}}], got {raw!r:.60}")
        return (_MISSING, _MISSING)
    return tuple(_part(part, f"{where} {k}", mistakes, way=key == "branch") for k, part in enumerate(raw, 1))


def _shares(raw: object, place: str, mistakes: list[str]) -> tuple[float, ...]:
    """The share of each way."""
    shares: list[float] = []
    for k, way in enumerate(raw if isinstance(raw, list) else (), 1):
        share = way.get("share") if isinstance(way, dict) else None
        if isinstance(share, bool) or not isinstance(share, int | float):
            mistakes.append(f"{place}, branch {k}: share is missing: {{ share = 0.8, name = ... }}")
            share = 0.0
        shares.append(float(share))
    return tuple(shares)


def _made(cls: type[T], given: dict[str, Any], place: str, mistakes: list[str]) -> T | None:
    """The table; None, and its mistakes, when it is not right."""
    try:
        return cls.model_validate(given)
    except ValidationError as error:
        problems = error.errors()
    own = {key for key in cls.model_fields if key != "shares"}
    known = own | set(KINDS) if cls is StepPart else own
    strange = [p for p in problems if p["type"] == "extra_forbidden"]
    for problem in strange:
        key = str(problem["loc"][-1])
        hint = nearest(key, known)
        said = f"did you mean '{hint}'?" if hint else f"known keys: {', '.join(sorted(known))}"
        mistakes.append(f"{place}: key '{key}' is not known; {said}")
    told: set[str] = set()
    for problem in problems:
        key = str(problem["loc"][0]) if problem["loc"] else ""
        if problem in strange or key in told or (problem["type"] == "missing" and strange):
            continue
        told.add(key)
        if problem["type"] == "missing":
            mistakes.append(f"{place}: key '{key}' is missing")
        elif not key:
            mistakes.append(f"{place}: {problem['msg'].removeprefix('Value error, ')}")
        elif key == "wait_for":
            mistakes.append(f"{place}: wait_for is 'all' or a number of parts (got {problem['input']!r})")
        else:
            mistakes.append(f"{place}: key '{key}': {problem['msg']} (got {problem['input']!r:.60})")
    return None


def _raise(mistakes: list[str]) -> None:
    """All of them; whoever reads the plan tells each on a line of its own."""
    if mistakes:
        raise PydanticCustomError("mistakes", "{said}", {"said": "\n".join(mistakes)})


def _read_steps(raw: object) -> tuple[WrittenPart, ...]:
    mistakes: list[str] = []
    parts = raw if isinstance(raw, tuple) else _several(raw, "", "steps", mistakes)
    _raise(mistakes)
    return parts


def _read_source(raw: object) -> SourcePart:
    """A number, a list of values, or an inline table."""
    if isinstance(raw, SourcePart):
        return raw
    mistakes: list[str] = []
    if _is_number(raw):
        raw = {"value": raw}
    elif isinstance(raw, list):
        raw = {"values": raw}
    elif not isinstance(raw, dict):
        mistakes.append(f"expected a number, values or {{ measure = '...' }}, got {raw!r:.60}")
        raw = {"value": 0.0}
    part = _made(SourcePart, raw, "", mistakes)
    _raise([m.removeprefix(": ") for m in mistakes])
    return part or _MISSING


def numbers_or(cls: type[Table]) -> BeforeValidator:
    """Reads a number, a list of numbers, or an inline table of this class."""

    def read(raw: object) -> object:
        if isinstance(raw, cls) or _is_number(raw):
            return raw
        if isinstance(raw, list | tuple) and all(_is_number(v) for v in raw):
            return tuple(raw)
        mistakes: list[str] = []
        if isinstance(raw, dict):
            made = _made(cls, raw, "", mistakes)
        else:
            made = None
            mistakes.append(f"expected a number, a list of numbers or {{ measure = '...' }}, got {raw!r:.60}")
        _raise([m.removeprefix(": ") for m in mistakes])
        return made

    return BeforeValidator(read)


def tables_or_number(cls: type[Table]) -> BeforeValidator:
    """Reads a number, or a list of inline tables of this class."""

    def read(raw: object) -> object:
        if _is_number(raw):
            return raw
        mistakes: list[str] = []
        made: list[Table | None] = []
        if isinstance(raw, list):
            made = [
                v if isinstance(v, cls) else _made(cls, v if isinstance(v, dict) else {}, str(k), mistakes)
                for k, v in enumerate(raw, 1)
            ]
        else:
            mistakes.append(f"expected a number or a list of {{...}}, got {raw!r:.60}")
        _raise(mistakes)
        return made

    return BeforeValidator(read)


def _is_number(raw: object) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool)


#: The steps of a process, read from a list of inline tables.
Steps = Annotated[tuple[InstanceOf[WrittenPart], ...], BeforeValidator(_read_steps)]
#: A time: ``3``, ``[2, 3, 5]``, ``{ measure = "..." }``, ``{ distribution = "gamma", mean = 3, sd = 2 }``.
Source = Annotated[InstanceOf[SourcePart], BeforeValidator(_read_source)]
