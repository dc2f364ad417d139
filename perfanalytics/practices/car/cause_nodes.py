"""Causes as a tree: from lines of a text or from records, and back to records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from perfanalytics.core.archive import Archive
from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import Cause
from perfanalytics.practices.car.cause_text import Line, State, read_lines

#: The branch of causes whose record names no category.
NO_CATEGORY = "(no category)"


@dataclass(frozen=True, slots=True)
class Node:
    """A cause in its place; ``parent`` is the position of the cause it is behind (-1: the effect).

    ``repeated``: it stands further up too, with what is behind it. ``recorded``: False where a record names
    it as a cause behind another and there is no record of it.
    """

    name: str
    parent: int
    depth: int
    state: State = "suspected"
    root: bool = False
    evidence: str = ""
    what: str = ""
    phase: str = ""
    category: str = ""
    repeated: bool = False
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class Drawn:
    """An effect with its causes, and the categories in their order (those without any cause too)."""

    effect: str
    analysis: str
    nodes: tuple[Node, ...]
    categories: tuple[str, ...]


def read_causes(source: object, *, analysis: str | None, effect: str | None, categories: bool) -> Drawn:
    """Causes from a text, from records, or from an archive.

    Raises
    ------
    InputError
        For other sources, records without effect, causes that are behind each other in a circle.
    UnknownNameError
        For an analysis that is not in the archive.
    """
    if isinstance(source, str):
        if effect is not None:
            raise InputError("the first line of the text is the effect: leave effect= out")
        return _from_lines(read_lines(source), analysis or "", categories)
    if isinstance(source, Archive):
        if analysis is None:
            raise InputError("an archive may hold several causal analyses: name one (analysis=)")
        record = source.get("causal_analysis", analysis)
        own = [c for c in source.of_kind("cause") if c.analysis == analysis]
        return _from_records(own, analysis, effect or record.outcome)
    found = list(source) if isinstance(source, Iterable) else []
    if not isinstance(source, Iterable) or not all(isinstance(c, Cause) for c in found):
        raise InputError(
            "causes are an indented text, Cause records or an archive with analysis=; got "
            f"{type(source).__name__}"
        )
    if analysis is not None:
        found = [c for c in found if c.analysis == analysis]
    if effect is None or not effect.strip():
        raise InputError("records of causes do not say what they explain: give effect=")
    analyses = list(dict.fromkeys(c.analysis for c in found))
    if len(analyses) > 1:
        raise InputError(
            f"the causes belong to several analyses, {', '.join(analyses)}: name one (analysis=)"
        )
    return _from_records(found, analyses[0] if analyses else analysis or "", effect)


def _from_lines(lines: Sequence[Line], analysis: str, categories: bool) -> Drawn:
    first = lines[0]
    if first.root or first.evidence or first.state != "suspected":
        raise InputError("the first line is the effect, not a cause: it takes no marks in brackets")
    nodes: list[Node] = []
    named: list[str] = []
    at: dict[int, int] = {}
    seen: set[tuple[str, str]] = set()
    top = 2 if categories else 1
    for line in lines[1:]:
        if line.level < top:
            if line.root or line.evidence or line.state != "suspected":
                raise InputError(
                    f"line {line.number} ({line.name!r}) is a category of causes and takes no marks: causes "
                    "are indented below it"
                )
            if line.name in named:
                raise InputError(f"line {line.number}: the category {line.name!r} stands there twice")
            named.append(line.name)
            continue
        at[line.level] = len(nodes)
        key = (named[-1] if categories else "", line.name)
        nodes.append(
            Node(
                name=line.name,
                parent=at[line.level - 1] if line.level > top else -1,
                depth=line.level - top,
                state=line.state,
                root=line.root,
                evidence=line.evidence,
                category=key[0],
                repeated=key in seen,
            )
        )
        seen.add(key)
    nodes = [replace(n, category="" if n.category == NO_CATEGORY else n.category) for n in nodes]
    return Drawn(first.name, analysis, tuple(nodes), tuple(named))


def _from_records(causes: Sequence[Cause], analysis: str, effect: str) -> Drawn:
    by_name = {c.name: c for c in causes}
    deeper = {name for c in causes for name in c.behind}
    tops = [c.name for c in causes if c.name not in deeper]
    nodes: list[Node] = []

    def put(name: str, parent: int, trail: tuple[str, ...], category: str) -> None:
        if name in trail:
            circle = " because of ".join((*trail[trail.index(name) :], name))
            raise InputError(f"causes are behind each other in a circle: {circle}")
        record = by_name.get(name)
        place = len(nodes)
        repeated = any(n.name == name for n in nodes)
        if record is None:
            nodes.append(Node(name, parent, len(trail), category=category, recorded=False, repeated=repeated))
            return
        nodes.append(
            Node(
                name=name,
                parent=parent,
                depth=len(trail),
                state=record.state,
                root=record.root,
                evidence=record.evidence,
                what=record.what,
                phase=record.phase,
                category=category if parent >= 0 else record.category,
                repeated=repeated,
            )
        )
        if not repeated:
            for behind in record.behind:
                put(behind, place, (*trail, name), nodes[place].category)

    for name in tops:
        put(name, -1, (), "")
    reached = {n.name for n in nodes}
    left = [c.name for c in causes if c.name not in reached]
    if left:
        put(left[0], -1, (), "")  # nothing is on top of a circle: following it says which
    branches = dict.fromkeys(n.category or NO_CATEGORY for n in nodes if n.parent < 0)
    return Drawn(effect, analysis, tuple(nodes), tuple(branches))


def to_records(drawn: Drawn, analysis: str) -> tuple[Cause, ...]:
    """One record a cause; a cause that stands in several places is one.

    Raises
    ------
    InputError
        Where the places of a cause contradict each other in state, evidence or category.
    """
    made: dict[str, Node] = {}
    behind: dict[str, dict[str, None]] = {}
    for node in drawn.nodes:
        known = made.get(node.name)
        if known is None:
            made[node.name] = node
            behind[node.name] = {}
        else:
            made[node.name] = _merged(known, node)
        if node.parent >= 0:
            behind[drawn.nodes[node.parent].name][node.name] = None
    _no_circle(behind)
    return tuple(
        Cause(
            name,
            analysis=analysis,
            what=node.what,
            because_of=tuple(behind[name]),
            category=node.category,
            phase=node.phase,
            evidence=node.evidence,
            state=node.state,
            root=node.root,
        )
        for name, node in made.items()
        if node.recorded
    )


def _merged(known: Node, again: Node) -> Node:
    """One record of two places: the second may leave out what the first says."""
    plain = again.state == "suspected" and not again.evidence and not again.root
    if not plain and (known.state, known.evidence, known.root) != (again.state, again.evidence, again.root):
        raise InputError(
            f"the cause {known.name!r} stands in two places with different marks: mark the first only"
        )
    if known.category != again.category:
        raise InputError(
            f"the cause {known.name!r} stands in the categories {known.category!r} and {again.category!r}: a "
            "record has one category; give the two causes names of their own"
        )
    return known


def _no_circle(behind: Mapping[str, Mapping[str, None]]) -> None:
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            circle = " because of ".join((*trail[trail.index(name) :], name))
            raise InputError(f"causes are behind each other in a circle: {circle}")
        if name not in done:
            for deeper in behind.get(name, {}):
                visit(deeper, (*trail, name))
            done.add(name)

    for name in behind:
        visit(name, ())
