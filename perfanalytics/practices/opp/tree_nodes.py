"""The nodes of the objective tree: what is on record of each, and its state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from perfanalytics.core.archive import Archive
from perfanalytics.core.practice_records import Work
from perfanalytics.core.records import BusinessObjective, Objective, PlannedAnalysis
from perfanalytics.practices.on_record import SORTS, Found, Reader
from perfanalytics.practices.opp.tree_works import came_out, objective_of_work

#: Levels of the tree from left to right; results stand in the last one.
LEVELS = (
    "business objective", "objective", "subprocess", "measure", "chart", "baseline", "drift", "capability",
    "comparison", "measurement system", "model",
)  # fmt: skip
#: Standing of a result against an objective -> state of the objective.
STATE_OF = {"met": "met", "missed": "not met", "undecided": "at risk"}
#: From bad to good: what is served is in the worst state of what serves it.
WORST = ("not met", "at risk", "unknown", "met")
#: What a table of the plan asks for, where it is called otherwise than in the tree.
ASKED = {
    "chart": "chart",
    "gauge_study": "measurement system",
    "agreement": "measurement system",
    "capacity": "model",
    "queue_replay": "model",
    "queue_forecast": "model",
}
#: Heads of what hangs on nothing.
NO_BUSINESS, NO_OBJECTIVE = "No business objective named", "Serves no objective"


@dataclass(slots=True)
class Node:
    """One node while the tree grows; ``parent`` is its position, -1 for a root."""

    level: str
    name: str
    parent: int
    state: str = "on record"
    words: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    version: int = 0
    agreed: str = ""
    stale: str = ""
    missing: list[str] = field(default_factory=list)
    contradicts: bool = False


@dataclass(frozen=True, slots=True)
class Analysis:
    """Saved results that belong together: of one planned analysis, or one saved from Python."""

    name: str
    sort: str
    measure: str | None
    objective: str | None
    planned: PlannedAnalysis | None
    found: tuple[Found, ...]

    @property
    def main(self) -> Found | None:
        """The result of the name itself; of several the first."""
        own = [f for f in self.found if f.saved.name == self.name and f.saved.result_kind != "strata"]
        return own[0] if own else (self.found[0] if self.found else None)


def analyses(archive: Archive, reader: Reader) -> list[Analysis]:
    """Every analysis that is planned or saved, in the order of the records; not what was withdrawn."""
    saved: dict[str, list[Found]] = {}
    alone: list[Analysis] = []
    for one in reader.newest(*set(SORTS.values())):
        of = reader.analysis(one.saved.name)
        if of is not None:
            saved.setdefault(of.name, []).append(one)
        elif not reader.withdrawn(one.saved.name):
            objective = one.objective or objective_of_work(archive, one)
            alone.append(Analysis(one.saved.name, one.sort, one.saved.measure, objective, None, (one,)))
    out = []
    asked: tuple[PlannedAnalysis, ...] = archive.of_kind("planned_analysis")
    for planned in asked:
        found_of = tuple(saved.get(planned.name, ()))
        sort = found_of[0].sort if found_of else ASKED.get(planned.what, SORTS.get(planned.what, ""))
        if not sort:
            continue  # what people decide, not what was found
        objective = planned.objective or next((f.objective for f in found_of if f.objective), None)
        measure = planned.measure or next((f.saved.measure for f in found_of), None)
        out.append(Analysis(planned.name, sort, measure, objective, planned, found_of))
    return out + alone


@dataclass(frozen=True, slots=True)
class Roots:
    """Who serves what.

    ``above`` gives for each objective what it serves: ("objective", name), ("business objective", name) or
    None; ``undeclared`` are business objectives that only the objectives name; ``circular`` are objectives
    that serve each other in a circle (they are taken out of it).
    """

    above: dict[str, tuple[str, str] | None]
    undeclared: tuple[str, ...]
    circular: tuple[str, ...]


def roots(archive: Archive) -> Roots:
    """What each objective serves: a business objective by name, another objective, or a free text."""
    objectives: tuple[Objective, ...] = archive.of_kind("objective")
    names = {o.name for o in objectives}
    business = {b.name for b in archive.of_kind("business_objective")}
    above: dict[str, tuple[str, str] | None] = {}
    for o in objectives:
        if o.serves is None:
            above[o.name] = None
        elif o.serves in business or o.serves not in names:
            above[o.name] = ("business objective", o.serves)
        else:
            above[o.name] = ("objective", o.serves)
    circular = tuple(name for name in above if _returns(name, above))
    for name in circular:
        above[name] = None
    named = dict.fromkeys(a[1] for a in above.values() if a is not None and a[0] == "business objective")
    return Roots(above, tuple(n for n in named if n not in business), circular)


def _returns(name: str, above: dict[str, tuple[str, str] | None]) -> bool:
    """Whether an objective serves itself by way of others."""
    now, seen = above[name], set()
    while now is not None and now[0] == "objective" and now[1] not in seen:
        if now[1] == name:
            return True
        seen.add(now[1])
        now = above[now[1]]
    return False


def judged_by(objective: Objective, made: Iterable[Analysis]) -> Found | None:
    """The newest baseline or capability that was judged against an objective."""
    hits = [
        f
        for a in made
        if a.sort in ("baseline", "capability")
        for f in a.found
        if f.objective == objective.name and f.standing is not None
    ]
    return max(hits, key=lambda f: (f.last or dt.date.min, f.saved.saved_at)) if hits else None


def superseded(one: Analysis, made: Iterable[Analysis]) -> str:
    """Name of the newer baseline of the same measure, objective and selection; empty where there is none."""
    mine = one.main
    if mine is None or mine.last is None or one.sort != "baseline":
        return ""
    newer = [
        (a.main.last, a.name)
        for a in made
        if a.sort == "baseline"
        and a.name != one.name
        and a.main is not None
        and a.main.last is not None
        and (a.measure, a.objective) == (one.measure, one.objective)
        and _cell(a.main) == _cell(mine)
        and a.main.last > mine.last
    ]
    return max(newer)[1] if newer else ""


def _cell(one: Found) -> tuple[str, ...]:
    """What part of the data, and which statistic of it, a baseline is of."""
    chosen = one.result.provenance.selection
    where = chosen.get("where") or {}
    return (str(sorted(where.items())), str(chosen.get("every")), str(chosen.get("statistic")))


def _series_of(one: Found) -> tuple[str, ...]:
    """Which values a chart is of: charts of different values do not contradict each other."""
    where = one.result.provenance.selection.get("where") or {}
    return (str(sorted(where.items())), str(getattr(one.result, "id", "")))


class Tree:
    """The tree while it grows."""

    def __init__(self, archive: Archive, reader: Reader, *, stale_after: int) -> None:
        self.archive, self.reader, self.stale_after = archive, reader, stale_after
        self.made = analyses(archive, reader)
        self.roots = roots(archive)
        self.nodes: list[Node] = []
        self.judges: dict[str, Found | None] = {}
        self.outcomes: dict[str, tuple[str, bool] | None] = {}
        objectives: tuple[Objective, ...] = archive.of_kind("objective")
        for o in objectives:
            self.judges[o.name] = judged_by(o, self.made)
            self.outcomes[o.name] = came_out(o, reader, self.judges[o.name])
        declared: tuple[BusinessObjective, ...] = archive.of_kind("business_objective")
        for name in (*(b.name for b in declared), *self.roots.undeclared):
            words = "" if name in {b.name for b in declared} else "named by objectives, not declared"
            at = self._add(Node("business objective", name, -1, words=words))
            self._objectives(("business objective", name), at)
            self._worst(at)
        if any(a is None for a in self.roots.above.values()):
            at = self._add(Node("business objective", NO_BUSINESS, -1, state="missing"))
            self._objectives(None, at)
        self._unserving()

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def children(self, at: int) -> list[Node]:
        """The nodes below one."""
        return [n for n in self.nodes if n.parent == at]

    def _worst(self, at: int) -> None:
        states = [n.state for n in self.children(at) if n.level == "objective"]
        node = self.nodes[at]
        node.state = min(states, key=WORST.index) if states else "unknown"
        if not states:
            node.missing.append("no objective serves it")

    def _objectives(self, above: tuple[str, str] | None, parent: int) -> None:
        for o in self.archive.of_kind("objective"):
            if self.roots.above[o.name] == above:
                at = self._add(Node("objective", o.name, parent))
                mine = [a for a in self.made if a.objective == o.name]
                self._state(o, at)
                self._measures((o.measure, *(a.measure for a in mine)), mine, at, own=o.measure)
                self._objectives(("objective", o.name), at)

    def _state(self, o: Objective, at: int) -> None:
        """State of an objective: met counts as at risk where it rests on unstable or stale data."""
        node, judge = self.nodes[at], self.judges[o.name]
        sorts = self.sorts_of(o)
        node.missing += [f"no {sort}" for sort in ("baseline", "model") if sort not in sorts]
        if judge is not None:
            node.first, node.last = judge.first, judge.last
            node.agreed = self.reader.agreement(judge.saved.name)
        outcome = self.outcomes[o.name]
        if outcome is not None:
            # what happened in the period asked for needs no interval, and no stability
            node.state = "met" if outcome[1] else "not met"
            node.words = f"{'met' if outcome[1] else 'missed'} in its period, says {outcome[0]!r}"
            return
        if judge is None:
            node.state, node.words = "unknown", "no baseline or capability was judged against it"
            return
        stale = self.reader.stale(judge, after=self.stale_after)
        node.state = STATE_OF[str(judge.standing)]
        said = {"met": "met", "missed": "missed", "undecided": "not decided"}[str(judge.standing)]
        node.words = f"{said} by {judge.saved.name!r}"
        doubts = [t for t in ("not stable" if judge.stable is False else "", "stale" if stale else "") if t]
        if doubts:
            node.words += f", which is {' and '.join(doubts)}"
            node.state = "at risk" if node.state == "met" else node.state

    def sorts_of(self, o: Objective) -> set[str]:
        """What there is for an objective; the works it belongs to may lend it baselines and models."""
        out = {a.sort for a in self.made if a.objective == o.name and a.found}
        known = {f.saved.name: f for a in self.made for f in a.found}
        works: tuple[Work, ...] = self.archive.of_kind("work")
        for work in works:
            if o.name in work.objectives:
                lent = [known[n] for n in (*work.borrowed, *work.models) if n in known]
                # a model of another measure does not predict it, unless the objective was derived from it
                source = work.derived.get(o.name)
                out |= {f.sort for f in lent if f.saved.measure == o.measure or f.saved.name == source}
        return out

    def _measures(
        self, names: Iterable[str | None], mine: list[Analysis], parent: int, *, own: str | None = None
    ) -> None:
        """Subprocesses, measures and results below an objective (or below nothing)."""
        groups: dict[str | None, list[str]] = {}
        for name in dict.fromkeys(names):
            measure = self.archive.measure(name) if name else None
            if name and (measure is not None or name == own):
                groups.setdefault(measure.subprocess if measure else None, []).append(name)
        placed: set[str] = set()
        for subprocess, measures in groups.items():
            below = parent if subprocess is None else self._add(Node("subprocess", subprocess, parent))
            for name in measures:
                at = self._add(Node("measure", name, below))
                of = [a for a in mine if a.measure == name]
                placed |= {a.name for a in of}
                self._results(of, at)
                self._steady(at, name)
            if subprocess is not None:
                self._steadiest(below)
        # results of no declared measure (a composed process, a queue) hang on the objective itself
        self._results([a for a in mine if a.name not in placed], parent)

    def _steady(self, at: int, name: str) -> None:
        """State of a measure: that of its newest charts; where they contradict each other, not stable."""
        node = self.nodes[at]
        if self.archive.measure(name) is None:
            node.state = "missing"
            node.missing.append("not declared as a measure")
            return
        charts = [f for a in self.made if a.sort == "chart" and a.measure == name for f in a.found]
        known = [f for f in charts if f.stable is not None]
        times = [f.last for f in known if f.last is not None]
        newest = [f for f in known if f.last == max(times)] if times else known
        node.state = "not judged"
        if newest:
            bad = [f for f in newest if f.stable is False]
            node.state = "not stable" if bad else "stable"
            if bad and len(newest) > 1:
                node.words = f"{len(bad)} of {len(newest)} charts not stable"
                same = {_series_of(f) for f in bad} & {_series_of(f) for f in newest if f.stable}
                node.contradicts = bool(same)
        if not charts:
            node.missing.append("no chart")
        if name in self.archive.newest:
            node.last = self.archive.newest[name].date()
        else:
            node.missing.append("no data")

    def _steadiest(self, at: int) -> None:
        states = [n.state for n in self.children(at) if n.level == "measure"]
        order = ("not stable", "missing", "not judged", "stable")
        self.nodes[at].state = min(states, key=order.index) if states else "not judged"

    def _results(self, made: list[Analysis], parent: int) -> None:
        for one in sorted(made, key=lambda a: LEVELS.index(a.sort)):
            node = Node(one.sort, one.name, parent)
            self._add(node)
            main = one.main
            if main is None:
                node.state, node.words = "missing", "planned, nothing saved"
                node.missing.append("no result")
                continue
            node.first, node.last, node.version = main.first, main.last, main.saved.version
            node.agreed = self.reader.agreement(one.name)
            self._say(node, one, main)

    def _say(self, node: Node, one: Analysis, main: Found) -> None:
        """State and words of a result."""
        if one.sort in ("chart", "baseline", "capability"):
            # a chart for each of several strata is one node, and as bad as the worst of them
            parts = one.found if one.sort == "chart" else (main,)
            known = [f for f in parts if f.stable is not None]
            bad = [f for f in known if f.stable is False]
            node.state = "not judged" if not known else "not stable" if bad else "stable"
            node.words = f"{len(bad)} of {len(known)} not stable" if len(known) > 1 else main.stability
        elif one.sort == "drift":
            fits = getattr(main.result, "still_fits", None)
            node.words = {True: "still fits", False: "no longer fits", None: "cannot be said"}[fits]
        elif main.standing is not None:
            node.words = f"objective {STATE_OF[main.standing]}"
        if one.sort in ("baseline", "model"):
            newer = superseded(one, self.made)
            if newer:
                node.state, node.words = "superseded", f"by {newer!r}"
            else:
                node.stale = "; ".join(self.reader.stale(main, after=self.stale_after).reasons)
                node.state = "stale" if node.stale else node.state

    def _unserving(self) -> None:
        """Measures and analyses that serve nothing."""
        names = {o.name for o in self.archive.of_kind("objective")}
        stray = [a for a in self.made if a.objective not in names]
        idle = [m.name for m in self.archive.of_kind("measure") if m.name not in self.serving()]
        if not stray and not idle:
            return
        at = self._add(Node("objective", NO_OBJECTIVE, -1, state="missing"))
        self._measures((*(a.measure for a in stray), *idle), stray, at)

    def serving(self) -> set[str]:
        """Measures that serve an objective: by being what it is about, or by an analysis that serves one."""
        names = {o.name for o in self.archive.of_kind("objective")}
        out = {o.measure for o in self.archive.of_kind("objective")}
        for a in self.made:
            if a.objective in names:
                out |= {a.measure} if a.measure else set()
                out |= set(a.planned.measures) if a.planned else set()
        return out
