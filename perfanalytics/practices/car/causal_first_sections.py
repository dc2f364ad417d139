"""Selection, signal, what changed and causes: the first four sections of a causal review."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import count
from perfanalytics.core.archive import Saved
from perfanalytics.core.improvement_records import Cause
from perfanalytics.core.records import Change, Event
from perfanalytics.core.result import Caveat
from perfanalytics.practices.car.causal_material import Case, Section, source, table
from perfanalytics.practices.on_record import day, lineage

#: Kinds of saved results that show why an outcome was selected, what changed when, and causes.
SELECTING = ("pareto", "group_distributions", "check_sheet", "fmea")
CHANGING = ("what_changed", "suggested_stages")
CAUSAL = ("cause_effect", "why_tree", "candidate_causes", "fmea", "defects_by_cause_and_phase", "strata")
#: Most charts and further results that a section shows.
CHARTS, SHOWN = 2, 4
#: Days before and after the scope in which what happened is listed.
AROUND = 60


def selection(case: Case) -> Section:
    """Which outcome, in which scope, why this one."""
    a = case.analysis
    scope = [f"{k} {v if not isinstance(v, tuple) else ' or '.join(map(str, v))}" for k, v in a.where.items()]
    span = " to ".join(str(d) for d in (case.first, case.last) if d is not None)
    rows = [
        ("outcome", a.outcome),
        ("measure", a.measure),
        ("scope", ", ".join(scope)),
        ("seen", span),
        ("subprocess", a.subprocess),
        ("objective", a.objective),
        ("selected because", a.selected_because),
        ("participants", ", ".join(a.participants)),
        ("opened on", a.opened_on),
        ("closed on", a.closed_on),
        ("state", a.state),
    ]
    found = case.saved(*SELECTING)[:SHOWN]
    elsewhere = ("control_chart", "effect_evaluation", "recurrence")
    found += [
        (e, why)
        for e in case.archive.saved_of()
        if e.result_kind not in (*SELECTING, *elsewhere)
        and (why := case.why(e)) == "named in the reason for selecting it"
    ]
    doubts = []
    for field, said in (
        ("measure", "the measure in which it is seen"),
        ("subprocess", "the subprocess where it arises"),
        ("objective", "the objective it harms"),
        ("participants", "who took part"),
        ("opened_on", "when it was opened"),
    ):
        if not getattr(a, field):
            doubts.append(Caveat(f"no-{field.replace('_', '-')}", f"Not on record: {said}."))
    if not a.selected_because:
        doubts.append(Caveat("no-reason", "Why this outcome was selected and not another is not on record."))
    says = a.outcome if a.outcome.endswith((".", "!", "?")) else f"{a.outcome}."
    why = a.selected_because
    says += (
        f" Selected because: {why if why.endswith('.') else why + '.'}" if why else " Why is not on record."
    )
    if not found:
        says += " No Pareto, check sheet or failure mode analysis of it is saved."
    return Section(
        says,
        table(1, "The causal analysis", ("field", "on record"), [r for r in rows if r[1]]),
        tuple(source(1, e, why) for e, why in found),
        tuple(doubts),
    )


def signal(case: Case) -> Section:
    """The charts of the measure, those that signal within the scope first."""
    if case.analysis.measure is None:
        text = "No measure is linked, so no chart can show it."
        return Section(text, doubts=())
    shown: list[tuple[int, Any, Any, str, list[int]]] = []
    for entry, why in case.saved("control_chart"):
        chart = case.archive.result(entry.name, version=entry.version)
        named = why.startswith(("named", "its own"))
        if not named and not case.covers(chart):
            continue
        inside = case.in_scope(chart.when, chart.every)
        fired = chart.fired[0] != 0
        hits = np.flatnonzero(fired if inside is None else fired & inside).tolist()
        shown.append((2 * bool(hits) + named, entry, chart, why, hits))
    shown.sort(key=lambda s: -s[0])
    shown = shown[:CHARTS]
    rows = []
    for _, entry, chart, _, hits in shown:
        frame = chart.to_frame()
        frame = frame[(frame["panel"] == chart.panels[0]) & frame["point"].isin(hits)]
        rows += [
            (entry.name, r.when, r.value, r.center, r.lower, r.upper, r.rules.replace("_", " "))
            for r in frame.itertuples()
        ]
    doubts = []
    if not shown:
        text = f"No control chart of {case.analysis.measure} is saved: whether it is a signal nobody can see."
        doubts.append(Caveat("no-chart", text))
        return Section(text, (), (), tuple(doubts))
    with_hits = [s for s in shown if s[4]]
    scope = "in the scope" if case.first or case.last else "in all"
    if with_hits:
        best = with_hits[0]
        says = f"'{best[1].name}': {count(len(best[4]), 'point')} {scope} signal{'s' * (len(best[4]) == 1)}."
    else:
        says = (
            f"No point {scope} signals on the charts of {case.analysis.measure}: the process was like this."
        )
        says += " What it does regularly is changed by changing the process, not by explaining single points."
    columns = ("chart", "when", "value", "center", "lower limit", "upper limit", "rules")
    return Section(
        says,
        table(2, "Signals", columns, rows),
        tuple(source(2, e, why) for _, e, _, why, _ in shown),
        tuple(doubts),
    )


def what_changed(case: Case) -> Section:
    """Recorded changes and events around the scope, and saved searches for shifts."""
    low = None if case.first is None else case.first - dt.timedelta(days=AROUND)
    high = None if case.last is None else case.last + dt.timedelta(days=AROUND)
    own = {x.change for x in case.archive.of_kind("action") if x.analysis == case.analysis.name and x.change}
    rows = []
    for h in happenings(case):
        at, end = day(h.when), day(getattr(h, "until", None) or h.when)
        if h.name not in own and ((low is not None and end < low) or (high is not None and at > high)):
            continue
        begins = None if case.first is None else (at - case.first).days
        until = getattr(h, "until", None)
        span = f"{at}" if until is None else f"{at} to {day(until)}"
        by = "; ".join(t for t in (h.who, h.why) if t)
        rows.append((span, h.kind, f"{h.name}: {h.what}", by, begins))
    found = case.saved(*CHANGING)[:SHOWN]
    # level and slope around a day, or the search for it
    found += [
        (e, why)
        for e, why in case.saved("comparison")
        if case.archive.result(e.name, version=e.version).course is not None
    ][:SHOWN]
    nothing = ""
    around = f", from {AROUND} days before its scope to {AROUND} days after it" if low or high else ""
    if rows:
        changes = sum(1 for r in rows if r[1] == "change")
        says = f"On record{around}: {count(changes, 'change')} and {count(len(rows) - changes, 'event')}."
    else:
        says = nothing = f"No change and no event is on record{around}."
    if not found:
        says += " No search for shifts beside recorded changes is saved."
    doubts = []
    if not rows:
        doubts.append(Caveat("no-happening", nothing))
    columns = ("when", "kind", "what", "who and why", "days after the scope begins")
    return Section(
        says,
        table(3, "Changes and events on record", columns, rows),
        tuple(source(3, e, why) for e, why in found),
        tuple(doubts),
    )


def happenings(case: Case) -> list[Event | Change]:
    """Changes and events on record that may have to do with the case, at any time, in order of time."""
    names = {p.name for p in lineage(case.archive, case.analysis.subprocess)}
    out: list[Event | Change] = []
    for h in sorted(
        (*case.archive.of_kind("change"), *case.archive.of_kind("event")), key=lambda h: day(h.when)
    ):
        if getattr(h, "measure", None) not in (None, case.analysis.measure):
            continue
        if any(str(case.analysis.where.get(k, v)) != str(v) for k, v in h.where.items()):
            continue
        process = getattr(h, "process", None)
        if process is not None and names and process not in names:
            continue
        out.append(h)
    return out


def causes(case: Case) -> Section:
    """The causes as a tree of whys, and the results that compare candidates."""
    found = _each_diagram_once(case, case.saved(*CAUSAL))[:SHOWN]
    named = [
        (e, why)
        for e in case.archive.saved_of()
        if (why := case.why(e)).startswith("named in the evidence")
        and e.name not in {f[0].name for f in found}
    ]
    # charts and evaluations have sections of their own
    named = [(e, why) for e, why in named if e.result_kind not in ("effect_evaluation", "recurrence")]
    columns = ("why", "category", "phase", "state", "evidence")
    rows = [
        (
            f"{'→ ' * depth}{c.name}" + (f": {c.what}" if c.what else ""),
            c.category,
            c.phase,
            f"{c.state}, to be removed" if c.root else c.state,
            c.evidence,
        )
        for depth, c in tree_of(case.causes)
    ]
    sources = tuple(source(4, e, why) for e, why in [*found, *named])
    return Section(
        _causes_in_words(case), table(4, "Causes on record", columns, rows), sources, _cause_doubts(case)
    )


def _each_diagram_once(case: Case, found: list[tuple[Saved, str]]) -> list[tuple[Saved, str]]:
    """Without diagrams that are older than the causes on record, or drawn twice: that of the plan stays."""
    own = f"{case.analysis.name}: "

    def hash_of(e: Saved) -> str:
        return str(case.archive.result(e.name, version=e.version).provenance.data_hash)

    kept = list(found)
    for kind in ("cause_effect", "why_tree"):
        drawn = [f for f in kept if f[0].result_kind == kind and f[1] == "its own"]
        fresh = [f for f in drawn if f[0].name.startswith(own)]
        if not fresh or len(drawn) == len(fresh):
            continue
        same = [f for f in drawn if f not in fresh and hash_of(f[0]) == hash_of(fresh[0][0])]
        shown = same[:1] or fresh
        kept = [f for f in kept if f not in drawn or f in shown]
    return kept


def tree_of(found: tuple[Cause, ...]) -> list[tuple[int, Cause]]:
    """The causes from what is seen down to what is behind it: (depth, cause), each once; circles are cut."""
    by_name = {c.name: c for c in found}
    behind = {name for c in found for name in c.behind}
    out: list[tuple[int, Cause]] = []
    seen: set[str] = set()

    def below(c: Cause, depth: int) -> None:
        if c.name in seen:
            return
        seen.add(c.name)
        out.append((depth, c))
        for name in c.behind:
            if name in by_name:
                below(by_name[name], depth + 1)

    for c in (*(c for c in found if c.name not in behind), *found):
        below(c, 0)
    return out


def _causes_in_words(case: Case) -> str:
    if not case.causes:
        return "No cause is on record."
    sure = [c.name for c in case.causes if c.state == "confirmed"]
    roots = [c.name for c in case.causes if c.root]
    unsure = [c.name for c in case.causes if c.state == "suspected"]
    wrong = [c.name for c in case.causes if c.state == "refuted"]
    parts = [f"{count(len(case.causes), 'cause')} on record"]
    parts += [f"confirmed: {', '.join(sure)}"] if sure else ["none confirmed"]
    parts += [f"suspected: {', '.join(unsure)}"] if unsure else []
    parts += [f"refuted: {', '.join(wrong)}"] if wrong else []
    parts += [f"to be removed: {', '.join(roots)}"] if roots else ["no root cause is named"]
    return "; ".join(parts) + "."


def _cause_doubts(case: Case) -> tuple[Caveat, ...]:
    doubts = []
    if not case.causes:
        return (Caveat("no-cause", "No cause is on record."),)
    if not any(c.state == "confirmed" for c in case.causes):
        doubts.append(Caveat("no-confirmed-cause", "None of the causes on record is confirmed."))
    if not any(c.root for c in case.causes):
        doubts.append(Caveat("no-root-cause", "No cause is named as the one to be removed."))
    bare = [c.name for c in case.causes if c.state != "suspected" and not c.evidence]
    if bare:
        text = f"Confirmed or refuted without evidence on record: {'; '.join(bare)}."
        doubts.append(Caveat("no-evidence", text, {"causes": len(bare)}))
    wrong = [c.name for c in case.causes if c.root and c.state == "refuted"]
    if wrong:
        text = f"To be removed although refuted: {'; '.join(wrong)}."
        doubts.append(Caveat("refuted-root", text, {"causes": len(wrong)}))
    return tuple(doubts)
