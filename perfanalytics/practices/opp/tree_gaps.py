"""What is missing, stale or contradictory in the objective tree: one gap a line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from perfanalytics.core.archive import Archive
from perfanalytics.core.records import BusinessObjective, Objective, Process
from perfanalytics.core.result import Caveat
from perfanalytics.practices.on_record import lineage
from perfanalytics.practices.opp.tree_nodes import Analysis, Tree, superseded


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap: code of its caveat, what it is about, one sentence."""

    code: str
    subject: str
    text: str


#: Code -> how several are said at once; "{}" is their number and noun.
SAID: dict[str, tuple[str, str]] = {
    "no-objectives": ("plan", "declare no objective"),
    "objective-serves-nothing": ("objective", "name no business objective"),
    "business-objective-undeclared": ("business objective", "are named by objectives, but not declared"),
    "business-objective-unserved": ("business objective", "are served by no objective"),
    "objectives-in-circle": ("objective", "serve each other in a circle"),
    "objectives-contradict": ("pair of objectives", "cannot both be met"),
    "objective-against-direction": ("objective", "want the worse side of their measure"),
    "interim-after-its-objective": ("interim objective", "are due after what they serve"),
    "objective-without-measure": ("objective", "are about a measure that is not declared"),
    "objective-without-data": ("objective", "are about a measure without data"),
    "objective-without-baseline": ("objective", "have no baseline"),
    "objective-without-model": ("objective", "have no model"),
    "objective-not-judged": ("objective", "were judged by no baseline or capability"),
    "objective-without-date": ("objective", "do not say when they were declared"),
    "objective-declared-late": ("objective", "were declared after data that judge them"),
    "objective-changed": ("objective", "were changed without a new date of declaration"),
    "objective-overdue": ("objective", "are due and not met"),
    "measure-without-objective": ("measure", "serve no objective"),
    "subprocess-without-measure": ("process or subprocess", "have no measure"),
    "chart-without-objective": ("chart", "serve no objective"),
    "analysis-without-result": ("planned analysis", "have no saved result"),
    "baseline-stale": ("baseline", "are stale"),
    "data-newer-than-baseline": ("baseline", "are older than the newest data"),
    "baseline-unstable": ("baseline", "rest on data that are not stable"),
    "model-stale": ("model", "are stale"),
    "charts-disagree": ("measure", "have charts that contradict each other"),
}
#: Plurals and singulars that adding an s does not make.
PLURALS = {
    "process or subprocess": "processes or subprocesses",
    "planned analysis": "planned analyses",
    "pair of objectives": "pairs of objectives",
}
#: Verbs of one thing.
SINGULAR = {
    "name": "names", "are": "is", "serve": "serves", "want": "wants", "have": "has", "were": "was",
    "do": "does", "rest": "rests", "declare": "declares", "cannot": "cannot",
}  # fmt: skip


def gaps(tree: Tree) -> tuple[Gap, ...]:
    """Every gap, what is nearest to the business first."""
    archive = tree.archive
    order = list(SAID)
    hits = [*_objectives(tree), *_links(tree), *_contradictions(archive), *_results(tree)]
    return tuple(sorted(hits, key=lambda g: order.index(g.code)))


def caveats(found: tuple[Gap, ...]) -> tuple[Caveat, ...]:
    """One caveat a code, with the names."""
    out = []
    for code in dict.fromkeys(g.code for g in found):
        of = [g for g in found if g.code == code]
        if len(of) == 1:
            out.append(Caveat(code, of[0].text, {"n": 1, "names": of[0].subject}))
            continue
        names = ", ".join(f"{g.subject!r}" for g in of[:12]) + (" ..." if len(of) > 12 else "")
        text = f"{say(code, len(of))}: {names}."
        out.append(Caveat(code, text, {"n": len(of), "names": ", ".join(g.subject for g in of)}))
    return tuple(out)


def say(code: str, n: int) -> str:
    """How many of what.

    Examples
    --------
    >>> say("measure-without-objective", 2), say("baseline-stale", 1)
    ('2 measures serve no objective', '1 baseline is stale')
    """
    noun, rest = SAID[code]
    if n != 1:
        return f"{n} {PLURALS.get(noun, noun + 's')} {rest}"
    verb, _, more = rest.partition(" ")
    return f"1 {noun} {SINGULAR[verb]} {more}"


def _objectives(tree: Tree) -> Iterator[Gap]:
    archive = tree.archive
    objectives: tuple[Objective, ...] = archive.of_kind("objective")
    if not objectives:
        yield Gap("no-objectives", "objectives", "No objective is declared: nothing traces to anything.")
    with_results = {f.saved.measure for a in tree.made for f in a.found}
    for o in objectives:
        sorts = tree.sorts_of(o)
        measure = archive.measure(o.measure)
        if o.serves is None:
            yield Gap("objective-serves-nothing", o.name, f"{o.name!r} names no business objective.")
        if measure is None:
            yield Gap(
                "objective-without-measure",
                o.name,
                f"{o.name!r} is about {o.measure!r}, which is not declared as a measure.",
            )
        elif o.measure not in archive.newest and o.measure not in with_results:
            yield Gap(
                "objective-without-data",
                o.name,
                f"{o.name!r} is about {o.measure!r}, of which there are no data.",
            )
        if measure is not None and (measure.better, o.direction) in (
            ("lower", "at_least"),
            ("higher", "at_most"),
        ):
            yield Gap(
                "objective-against-direction",
                o.name,
                f"{o.name!r} asks for {o.direction.replace('_', ' ')} {o.target:g}, but {measure.better} "
                f"is declared better for {o.measure!r}.",
            )
        for sort in ("baseline", "model"):
            if sort not in sorts:
                yield Gap(f"objective-without-{sort}", o.name, f"{o.name!r} has no {sort}.")
        yield from _judged(tree, o)


def _judged(tree: Tree, o: Objective) -> Iterator[Gap]:
    """Whether it was judged, by data from before it was declared, and in time."""
    judge = tree.judges[o.name]
    if judge is None and tree.outcomes[o.name] is None:
        yield Gap(
            "objective-not-judged",
            o.name,
            f"No baseline or capability on record was judged against {o.name!r}.",
        )
    if o.declared_on is None:
        yield Gap("objective-without-date", o.name, f"{o.name!r} does not say when it was declared.")
    elif judge is not None and judge.first is not None and o.declared_on > judge.first:
        all_of = judge.last is not None and o.declared_on > judge.last
        part = "after all the data" if all_of else "after the first of the data"
        yield Gap(
            "objective-declared-late",
            o.name,
            f"{o.name!r} was declared on {o.declared_on}, {part} that judge it ({judge.saved.name!r}, "
            f"{judge.first} to {judge.last}): a threshold chosen after seeing the result is worth little.",
        )
    before = next(
        (c for c in reversed(_asked_before(tree.archive, o)) if c.declared_on == o.declared_on), None
    )
    if before is not None:
        yield Gap(
            "objective-changed",
            o.name,
            f"{o.name!r} once asked for {_asked(before)} and now for {_asked(o)}, still dated "
            f"{o.declared_on or 'never'}: a changed objective is declared anew.",
        )
    state = next(n.state for n in tree.nodes if n.level == "objective" and n.name == o.name)
    if o.by is not None and o.by <= tree.archive.on and state != "met":
        yield Gap("objective-overdue", o.name, f"{o.name!r} was due on {o.by} and is {_is(state)}.")


def _asked_before(archive: Archive, o: Objective) -> list[Objective]:
    """Earlier versions of an objective that asked for something else."""
    versions: tuple[Objective, ...] = archive.earlier.get("objective", ())
    return [c for c in versions if c.name == o.name and _asked(c) != _asked(o)]


def _asked(o: Objective) -> str:
    """What an objective asks for, in a few words."""
    share = "" if o.share is None else f" for {o.share:.6g} of the items"
    return f"{o.statistic} of {o.measure} {o.direction.replace('_', ' ')} {o.target:g}{share}"


def _is(state: str) -> str:
    return {"unknown": "not judged"}.get(state, state)


def _links(tree: Tree) -> Iterator[Gap]:
    """Links that are missing between the levels."""
    archive = tree.archive
    business: tuple[BusinessObjective, ...] = archive.of_kind("business_objective")
    served = {a[1] for a in tree.roots.above.values() if a is not None and a[0] == "business objective"}
    for name in tree.roots.undeclared:
        yield Gap("business-objective-undeclared", name, f"The business objective {name!r} is not declared.")
    for b in business:
        if b.name not in served:
            yield Gap(
                "business-objective-unserved",
                b.name,
                f"No objective serves the business objective {b.name!r}.",
            )
    for name in tree.roots.circular:
        above = next(o.serves for o in archive.of_kind("objective") if o.name == name)
        by_way = "" if above == name else " by way of others"
        yield Gap("objectives-in-circle", name, f"{name!r} serves itself{by_way}.")
    serving = tree.serving()
    for m in archive.of_kind("measure"):
        if m.name not in serving:
            yield Gap("measure-without-objective", m.name, f"The measure {m.name!r} serves no objective.")
    measured = {p.name for m in archive.of_kind("measure") for p in lineage(archive, m.subprocess)}
    processes: tuple[Process, ...] = archive.of_kind("process")
    for name in dict.fromkeys(p.name for p in processes):
        if name not in measured:
            yield Gap("subprocess-without-measure", name, f"No measure describes {name!r}.")


def _contradictions(archive: Archive) -> Iterator[Gap]:
    objectives: tuple[Objective, ...] = archive.of_kind("objective")
    known = {o.name: o for o in objectives}
    due: dict[str, dt.date | None] = {o.name: o.by for o in objectives}
    due |= {b.name: b.by for b in archive.of_kind("business_objective")}
    for o in objectives:
        above = due.get(o.serves or "")
        if o.by is not None and above is not None and o.by > above:
            yield Gap(
                "interim-after-its-objective",
                o.name,
                f"{o.name!r} is due on {o.by}, after {o.serves!r}, which it serves ({above}).",
            )
    for floor in known.values():
        for ceiling in known.values():
            same = (floor.measure, floor.statistic) == (ceiling.measure, ceiling.statistic)
            apart = floor.direction == "at_least" and ceiling.direction == "at_most"
            if same and apart and floor.target > ceiling.target and _all_of(floor) + _all_of(ceiling) > 1:
                yield Gap(
                    "objectives-contradict",
                    f"{floor.name} / {ceiling.name}",
                    f"{floor.name!r} (at least {floor.target:g}) and {ceiling.name!r} (at most "
                    f"{ceiling.target:g}) cannot both be met by {floor.measure!r}.",
                )


def _all_of(o: Objective) -> float:
    """The share of items an objective speaks of; two that together exceed 1 meet in some item."""
    return 1.0 if o.statistic != "item" or o.share is None else o.share


def _results(tree: Tree) -> Iterator[Gap]:
    """Baselines, models and charts."""
    names = {o.name for o in tree.archive.of_kind("objective")}
    for one in tree.made:
        if one.sort == "chart" and one.objective not in names:
            yield Gap("chart-without-objective", one.name, f"The chart {one.name!r} serves no objective.")
        if one.main is None:
            yield Gap(
                "analysis-without-result", one.name, f"{one.name!r} is planned, but nothing of it is saved."
            )
        elif one.sort in ("baseline", "model") and not superseded(one, tree.made):
            yield from _age(tree, one)
    told: set[str] = set()
    for node in tree.nodes:
        if node.contradicts and node.name not in told:
            told.add(node.name)
            said = node.words.replace("charts not", "are not")
            text = f"The charts of {node.name!r} contradict each other: {said}."
            yield Gap("charts-disagree", node.name, text)


def _age(tree: Tree, one: Analysis) -> Iterator[Gap]:
    main = one.main
    assert main is not None
    stale = tree.reader.stale(main, after=tree.stale_after)
    if stale:
        yield Gap(
            f"{one.sort}-stale",
            one.name,
            f"The {one.sort} {one.name!r} is stale: {'; '.join(stale.reasons)}.",
        )
    elif one.sort == "baseline" and stale.newer_days > 0:
        yield Gap(
            "data-newer-than-baseline",
            one.name,
            f"{stale.newer_days:,} {'day' if stale.newer_days == 1 else 'days'} of data are newer than the "
            f"baseline {one.name!r} (to {main.last}).",
        )
    if one.sort == "baseline" and main.stable is False:
        yield Gap(
            "baseline-unstable",
            one.name,
            f"The baseline {one.name!r} rests on data that are not stable: it may not go on like this.",
        )
