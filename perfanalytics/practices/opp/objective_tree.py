"""objective_tree(archive): from business objectives to baselines and models, with the gaps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.archive import Archive
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Method, Provenance, Result
from perfanalytics.practices.fingerprint import fingerprint
from perfanalytics.practices.on_record import Reader
from perfanalytics.practices.opp.tree_gaps import Gap, caveats, gaps, say
from perfanalytics.practices.opp.tree_nodes import NO_BUSINESS, NO_OBJECTIVE, Node, Tree

if TYPE_CHECKING:
    import pandas as pd

NODE_COLUMNS = (
    "level", "name", "parent", "state", "words", "first", "last", "age", "version", "agreed", "stale",
    "missing",
)  # fmt: skip
#: Symbol of a state, in text and for the figure's key.
SYMBOLS = {
    "met": "✓",
    "at risk": "~",
    "not met": "✗",
    "unknown": "?",
    "stable": "●",
    "not stable": "◆",
    "not judged": "○",
    "stale": "⧗",
    "superseded": "‹",
    "on record": "■",
    "missing": "–",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ObjectiveTree(Result):
    """Business objectives, objectives, subprocesses, measures and what is on record of them.

    Attributes
    ----------
    on : date
        The day the tree speaks of: ages are counted to it.
    stale_after : int
        Days by which the data of a baseline may end before the newest.
    level, name : text arrays, shape (m,)
        Of each node, parents before children. Level: "business objective", "objective", "subprocess",
        "measure", or what was found: "chart", "baseline", "drift", "capability", "comparison", "measurement
        system", "model".
    parent : int array, shape (m,)
        Position of the node above; -1 for a root.
    state : text array, shape (m,)
        Of (business) objectives "met", "at risk", "not met", "unknown"; of subprocesses, measures, charts,
        baselines and capabilities "stable", "not stable", "not judged"; of baselines and models also "stale",
        or "superseded" by a newer baseline; "on record" for what has no such verdict; "missing" for what was
        planned, or is named, but is not there.
    words : text array, shape (m,)
        Why, in words.
    first, last : datetime64[D] arrays, shape (m,)
        Data behind the node; NaT where that is not on record.
    age : float array, shape (m,)
        Days from the last of these data to ``on``; NaN where that is not on record.
    version : int array, shape (m,)
        Newest saved version; 0 where nothing is saved.
    agreed : text array, shape (m,)
        Who agreed to it and when; "" where nobody has.
    stale, missing : text arrays, shape (m,)
        Why it is stale; what it lacks.
    gap_code, gap_subject, gap_text : text arrays, shape (g,)
        The gaps, what is nearest to the business first; each code is also a caveat.
    """

    kind: ClassVar[str] = "objective_tree"
    schema_version: ClassVar[int] = 1

    on: dt.date
    stale_after: int
    level: NDArray[Any]
    name: NDArray[Any]
    parent: NDArray[np.int64]
    state: NDArray[Any]
    words: NDArray[Any]
    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    age: Floats
    version: NDArray[np.int64]
    agreed: NDArray[Any]
    stale: NDArray[Any]
    missing: NDArray[Any]
    gap_code: NDArray[Any]
    gap_subject: NDArray[Any]
    gap_text: NDArray[Any]

    def __post_init__(self) -> None:
        for column in (*NODE_COLUMNS, "gap_code", "gap_subject", "gap_text"):
            object.__setattr__(self, column, read_only(getattr(self, column)))

    def depth(self, node: int) -> int:
        """How many nodes stand above one."""
        deep, now = 0, int(self.parent[node])
        while now >= 0:
            deep, now = deep + 1, int(self.parent[now])
        return deep

    def order(self) -> list[int]:
        """Positions of the nodes, each behind the one above it, as the tree is read."""
        below: dict[int, list[int]] = {}
        for k, parent in enumerate(self.parent.tolist()):
            below.setdefault(parent, []).append(k)
        out: list[int] = []
        rest = below.get(-1, [])[::-1]
        while rest:
            k = rest.pop()
            out.append(k)
            rest += below.get(k, [])[::-1]
        return out

    def roots(self) -> list[str]:
        """Names of the nodes that hang on nothing: the business objectives, then what serves none."""
        return [str(self.name[k]) for k in self.order() if self.parent[k] < 0]

    def branch(self, name: str) -> ObjectiveTree:
        """The part of the tree below one of its roots, with its gaps.

        Raises
        ------
        UnknownNameError
            For a name that no root has.
        """
        found = [k for k in np.flatnonzero(self.parent < 0) if self.name[k] == name]
        if not found:
            raise UnknownNameError("root of this objective tree", name, self.roots())
        top = {int(k): int(k) for k in np.flatnonzero(self.parent < 0)}
        for k in self.order():
            top[k] = k if self.parent[k] < 0 else top[int(self.parent[k])]
        kept = np.array([k for k in range(len(self.name)) if top[k] == found[0]], dtype=np.int64)
        place = {int(k): i for i, k in enumerate(kept)} | {-1: -1}
        columns = {c: getattr(self, c)[kept] for c in NODE_COLUMNS}
        columns["parent"] = np.array([place[int(p)] for p in columns["parent"]], dtype=np.int64)
        mine = np.isin(self.gap_subject, [str(n) for n in columns["name"]])
        columns |= {c: getattr(self, c)[mine] for c in ("gap_code", "gap_subject", "gap_text")}
        objectives = (columns["level"] == "objective") & (columns["name"] != NO_OBJECTIVE)
        told = _told(columns["state"][objectives].tolist(), columns["gap_code"].tolist())
        return replace(self, verdict=told, caveats=(), **columns)

    def state_of(self, name: str) -> str:
        """State of a business objective or objective; "" where there is none of this name."""
        hits = np.flatnonzero((self.name == name) & np.isin(self.level, ("business objective", "objective")))
        return str(self.state[hits[0]]) if len(hits) else ""

    def text(self) -> str:
        """The tree as text, a node a line, then the gaps."""
        lines = []
        for k in self.order():
            indent = "  " * self.depth(k)
            if self.name[k] in (NO_BUSINESS, NO_OBJECTIVE):
                lines.append(f"{indent}{SYMBOLS['missing']} {self.name[k]}")
                continue
            said = f"{indent}{SYMBOLS[self.state[k]]} {self.level[k]}: {self.name[k]}"
            lines.append(f"{said} [{'; '.join(self.facts(k))}]")
        listed = [f"  {code}: {text}" for code, text in zip(self.gap_code, self.gap_text, strict=True)]
        return "\n".join([*lines, "", f"Gaps ({len(listed)}):", *(listed or ["  none"])])

    def facts(self, node: int) -> list[str]:
        """What is known of a node, in words: state, why, age, agreement, what is stale or missing."""
        out = [str(self.state[node])]
        words = str(self.words[node])
        if words and words != out[0]:
            out.append(words)
        if not np.isnan(self.age[node]):
            old = f" ({self.age[node]:.0f} days ago)" if self.age[node] > 0 else ""
            out.append(f"data to {self.last[node]}{old}")
        out += [f"agreed: {self.agreed[node]}"] if self.agreed[node] else []
        out += [f"stale: {self.stale[node]}"] if self.stale[node] else []
        return out + ([str(self.missing[node])] if self.missing[node] else [])

    def summary(self) -> pd.DataFrame:
        """One row: how many of each level, objectives by state, gaps."""
        import pandas as pd

        own = ~np.isin(self.name, (NO_BUSINESS, NO_OBJECTIVE))
        objectives = own & (self.level == "objective")
        row: dict[str, Any] = {"on": self.on}
        row["business_objectives"] = int((own & (self.level == "business objective")).sum())
        row["objectives"] = int(objectives.sum())
        for state in ("met", "at risk", "not met", "unknown"):
            row[state.replace(" ", "_")] = int((objectives & (self.state == state)).sum())
        for level in ("measure", "chart", "baseline", "capability", "comparison", "model"):
            plural = {"capability": "capabilities"}.get(level, f"{level}s")
            row[plural] = len(set(self.name[self.level == level].tolist()))
        row |= {"gaps": len(self.gap_code), "caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}
        return pd.DataFrame([row])

    def to_frame(self) -> pd.DataFrame:
        """One row a node as the tree is read: node, parent, level, name, state, words, first, last, age
        (days), version, agreed, stale, missing."""
        import pandas as pd

        frame = pd.DataFrame({c: getattr(self, c) for c in NODE_COLUMNS})
        frame.insert(0, "node", np.arange(len(self.name)))
        return frame.iloc[self.order()].reset_index(drop=True)

    def gaps(self) -> pd.DataFrame:
        """One row a gap: gap (code of the caveat), about, text."""
        import pandas as pd

        return pd.DataFrame({"gap": self.gap_code, "about": self.gap_subject, "text": self.gap_text})

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The gaps, then the nodes."""
        nodes = self.to_frame()
        nodes["name"] = ["\u2003" * self.depth(k) + str(self.name[k]) for k in self.order()]
        return ("Gaps", self.gaps()), ("Nodes", nodes.drop(columns=["node", "parent"]))


def objective_tree(archive: Archive, *, stale_after: int = 90) -> ObjectiveTree:
    """From business objectives to what is on record of them, with the gaps.

    Parameters
    ----------
    archive : Archive
        What is declared and saved: ``repo.archive()``, or :meth:`perfanalytics.Archive.of`.
    stale_after : int
        Days by which the data of a baseline or model may end before the newest data of its measure. It is
        also stale when its process has another version now, when a recorded change of its process took effect
        after its data, or when a saved drift test says that newer data do not fit it.

    Returns
    -------
    ObjectiveTree

    Raises
    ------
    InputError
        When ``stale_after`` is negative.

    Notes
    -----
    An objective is "met", "not met" or "at risk" (undecided) as the newest baseline or capability judged
    against it says; "met" by a baseline that is not stable or is stale counts as "at risk"; "unknown" without
    such a judgement. Once its period is over, what a saved prediction says came out of it decides. A business
    objective is in the worst state of the objectives that serve it. A measure is as stable as its newest
    charts; where they contradict each other it is not stable, and a gap says so. An objective that serves a
    business objective nobody declared hangs on it all the same.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> goal = perf.Objective("fast", measure="hours", target=24, direction="at_most", share=0.8,
    ...                       serves="Customers can work again")
    >>> hours = perf.Measure("hours", definition="Opened to resolved", unit="hours", better="lower",
    ...                      scale="duration")
    >>> archive = perf.Archive.of([goal, hours])
    >>> tree = perf.objective_tree(archive)
    >>> tree.state_of("fast")
    'unknown'
    >>> "objective-without-baseline" in tree.caveat_codes
    True
    """
    if stale_after < 0:
        raise InputError(f"stale_after counts days, not negative; got {stale_after}")
    reader = Reader(archive)
    grown = Tree(archive, reader, stale_after=stale_after)
    found = gaps(grown)
    return ObjectiveTree(
        verdict=_verdict(grown, found),
        caveats=caveats(found),
        method=Method(
            "objective_tree",
            {
                "on": archive.on.isoformat(),
                "stale_after": stale_after,
                "judged by": "the newest baseline or capability judged against the objective",
            },
        ),
        provenance=Provenance("objectives", data_hash=fingerprint(archive), n=len(grown.nodes)),
        on=archive.on,
        stale_after=stale_after,
        **_columns(grown.nodes, archive.on),
        gap_code=_texts(g.code for g in found),
        gap_subject=_texts(g.subject for g in found),
        gap_text=_texts(g.text for g in found),
    )


def _columns(nodes: list[Node], on: dt.date) -> dict[str, Any]:
    return {
        "level": _texts(n.level for n in nodes),
        "name": _texts(n.name for n in nodes),
        "parent": np.array([n.parent for n in nodes], dtype=np.int64),
        "state": _texts(n.state for n in nodes),
        "words": _texts(n.words for n in nodes),
        "first": np.array([n.first for n in nodes], dtype="datetime64[D]"),
        "last": np.array([n.last for n in nodes], dtype="datetime64[D]"),
        "age": np.array([np.nan if n.last is None else (on - n.last).days for n in nodes], dtype=np.float64),
        "version": np.array([n.version for n in nodes], dtype=np.int64),
        "agreed": _texts(n.agreed for n in nodes),
        "stale": _texts(n.stale for n in nodes),
        "missing": _texts("; ".join(n.missing) for n in nodes),
    }


def _texts(values: Any) -> NDArray[Any]:
    made = list(values)
    out = np.empty(len(made), dtype=object)
    out[:] = made
    return out


def _verdict(tree: Tree, found: tuple[Gap, ...]) -> str:
    states = [n.state for n in tree.nodes if n.level == "objective" and n.name != NO_OBJECTIVE]
    if not states:
        return "No objective is declared: nothing that is measured traces to an objective."
    return _told(states, [g.code for g in found])


def _told(states: list[str], codes: list[str]) -> str:
    """The objectives by state, and the gaps that weigh most."""
    counts = [f"{states.count(s)} {s}" for s in ("met", "at risk", "not met", "unknown") if s in states]
    text = f"{len(states)} objective{'' if len(states) == 1 else 's'}: {', '.join(counts)}." if states else ""
    order = (
        "measure-without-objective", "objective-without-baseline", "objective-without-model",
        "baseline-stale", "baseline-unstable", "model-stale", "objective-declared-late",
        "objectives-contradict",
    )  # fmt: skip
    told = [say(code, codes.count(code)) for code in order if code in codes]
    rest = f"{'; '.join(told)}." if told else "" if codes else "No gap."
    return " ".join(part for part in (text, rest) if part) or "Nothing here serves an objective."
