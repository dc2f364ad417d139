"""CauseDiagram: what a cause-and-effect diagram and a why-tree have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.improvement_records import Cause
from perfanalytics.core.result import Caveat, Provenance, Result
from perfanalytics.practices.car.cause_nodes import NO_CATEGORY, Drawn, Node, to_records
from perfanalytics.practices.car.cause_text import Line, write_lines
from perfanalytics.practices.table_columns import hash_of

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("name", "state", "evidence", "what", "phase", "category")
_ARRAYS = ("parent", "depth", *_TEXTS, "root", "repeated", "recorded")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CauseDiagram(Result):
    """An effect with its causes, each before those behind it: k causes.

    Attributes
    ----------
    effect : str
        What the causes explain.
    analysis : str
        The causal analysis; "" where none was named.
    name : text array, shape (k,)
    parent : int array, shape (k,)
        Position of the cause it is behind; -1 for those right behind the effect.
    depth : int array, shape (k,)
        0 right behind the effect.
    state : text array of {"suspected", "confirmed", "refuted"}, shape (k,)
    root : bool array, shape (k,)
    evidence, what, phase, category : text arrays, shape (k,)
    repeated : bool array, shape (k,)
        The cause stands further up too; what is behind it is shown there.
    recorded : bool array, shape (k,)
        False where a record refers to it and there is none of it.
    categories : tuple of str
        In their order; those without causes too.
    """

    effect: str
    analysis: str
    name: NDArray[Any]
    parent: NDArray[np.int64]
    depth: NDArray[np.int64]
    state: NDArray[Any]
    root: NDArray[np.bool_]
    evidence: NDArray[Any]
    what: NDArray[Any]
    phase: NDArray[Any]
    category: NDArray[Any]
    repeated: NDArray[np.bool_]
    recorded: NDArray[np.bool_]
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def drawn(self) -> Drawn:
        """The tree again."""
        rows = zip(*(getattr(self, n).tolist() for n in _ARRAYS), strict=True)
        nodes = tuple(Node(**cast("Any", dict(zip(_ARRAYS, row, strict=True)))) for row in rows)
        return Drawn(self.effect, self.analysis, nodes, self.categories)

    def children(self, of: int) -> list[int]:
        """Positions of the causes right behind one (-1: behind the effect)."""
        return [int(k) for k in np.flatnonzero(self.parent == of)]

    def causes(self, analysis: str | None = None) -> tuple[Cause, ...]:
        """The causes as records, each once.

        Parameters
        ----------
        analysis : str, optional
            Name of the causal analysis they belong to; default that of the diagram.

        Raises
        ------
        InputError
            Without an analysis; where two places of a cause contradict each other.
        """
        return to_records(self.drawn(), analysis or self.analysis)

    def _text(self, categories: bool) -> str:
        lines = [Line(0, self.effect)]
        if not categories:
            return write_lines([*lines, *(self._line(k, 1) for k in range(len(self.name)))])
        for category in self.categories:
            lines.append(Line(1, category))
            inside = False
            for k in range(len(self.name)):
                if self.parent[k] < 0:
                    inside = (str(self.category[k]) or NO_CATEGORY) == category
                if inside:
                    lines.append(self._line(k, 2))
        return write_lines(lines)

    def _line(self, k: int, top: int) -> Line:
        return Line(
            int(self.depth[k]) + top,
            str(self.name[k]),
            cast("Any", str(self.state[k])),
            bool(self.root[k]),
            str(self.evidence[k]),
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a cause: category, depth, cause, behind (the cause or effect it explains), state, root,
        evidence, what, phase."""
        import pandas as pd

        above = [self.effect if p < 0 else str(self.name[p]) for p in self.parent.tolist()]
        columns = {"category": self.category, "depth": self.depth, "cause": self.name, "behind": above}
        columns |= {n: getattr(self, n) for n in ("state", "root", "evidence", "what", "phase")}
        return pd.DataFrame(columns)

    def counts(self) -> dict[str, int]:
        """Causes (each once) and how many are confirmed, refuted, suspected, root."""
        once = ~self.repeated
        found = {s: int((once & (self.state == s)).sum()) for s in ("confirmed", "refuted", "suspected")}
        return {"causes": int(once.sum())} | found | {"root": int((once & self.root).sum())}


def fields_of(drawn: Drawn) -> dict[str, Any]:
    """The fields of a diagram."""
    columns: dict[str, Any] = {}
    for name in _ARRAYS:
        values = [getattr(n, name) for n in drawn.nodes]
        if name in _TEXTS:
            array = np.empty(len(values), dtype=object)
            array[:] = values
        else:
            array = np.array(values, dtype=np.int64 if name in ("parent", "depth") else bool)
        columns[name] = array
    return columns | {"effect": drawn.effect, "analysis": drawn.analysis, "categories": drawn.categories}


def provenance_of(fields: dict[str, Any]) -> Provenance:
    """What the diagram was made of."""
    rest = np.array([fields["effect"], *fields["categories"]], dtype=object)
    made = hash_of(rest, *(fields[name].astype(object) for name in _ARRAYS))
    return Provenance(fields["analysis"] or fields["effect"], data_hash=made, n=len(fields["name"]))


def common_doubts(drawn: Drawn) -> Iterator[Caveat]:
    """What is missing or contradicts itself, whatever the form of the diagram."""
    once = [n for n in drawn.nodes if not n.repeated]
    if not once:
        yield Caveat("no-causes", "No cause is on record.", {"causes": 0})
        return
    unknown = [n.name for n in once if not n.recorded]
    if unknown:
        yield Caveat(
            "missing-link",
            f"Named as a cause behind another, but not on record: {', '.join(unknown)}.",
            {"causes": ", ".join(unknown)},
        )
    bare = [n.name for n in once if n.state == "confirmed" and not n.evidence]
    if bare:
        yield Caveat(
            "confirmed-without-evidence",
            f"Confirmed, but no evidence is on record: {', '.join(bare)}.",
            {"causes": ", ".join(bare)},
        )
    wrong = [n.name for n in once if n.root and n.state == "refuted"]
    if wrong:
        yield Caveat(
            "contradiction",
            f"A root cause and refuted at once: {', '.join(wrong)}.",
            {"causes": ", ".join(wrong)},
        )
    states = {n.name: n.state for n in once}
    below = [
        f"{n.name} (behind {drawn.nodes[n.parent].name})"
        for n in once
        if n.parent >= 0 and n.state == "confirmed" and states[drawn.nodes[n.parent].name] == "refuted"
    ]
    if below:
        yield Caveat(
            "behind-a-refuted-cause",
            f"Confirmed, but behind a cause that is refuted: {', '.join(below)}.",
            {"causes": ", ".join(below)},
        )


def states_text(counts: dict[str, int]) -> str:
    """ "2 confirmed, 1 refuted, 5 only suspected"."""
    said = [f"{counts[s]} {s}" for s in ("confirmed", "refuted") if counts[s]]
    if counts["suspected"]:
        said.append(f"{counts['suspected']} only suspected" if said else "all only suspected")
    return ", ".join(said)
