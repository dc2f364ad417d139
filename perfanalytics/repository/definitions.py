"""What a measure was read by, its expressions and unit: kept, so that different ones are told apart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perfanalytics.core.errors import InputError, LoadError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat
from perfanalytics.repository.engine import Engine

_CURRENT = (
    "retired_load_id IS NULL AND series_id IN (SELECT series_id FROM series WHERE measure_id = ?) "
    "AND definition_id IS NOT NULL"
)
#: Quoted texts and names are kept as they are; other white space does not matter.
_SPACE = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|\s+""")


@dataclass(frozen=True, slots=True)
class Defined:
    """The definition of a measure in a load, and what the load met in the repository."""

    definition_id: int
    content: Mapping[str, str]
    is_new: bool


def definition_of(measure: Measure, expressions: Mapping[str, str]) -> dict[str, str]:
    """What makes two values comparable: the checked expressions, attributes included, and the unit."""
    plain = {part: _SPACE.sub(lambda m: m[1] or " ", text.strip()) for part, text in expressions.items()}
    return {"unit": measure.unit} | plain


def keep(
    engine: Engine, measure_id: int, source_id: int, load_id: int, content: Mapping[str, str]
) -> Defined:
    """The number of a definition; a new one when the source did not define the measure so before."""
    text = json.dumps(dict(content), sort_keys=True)
    found = engine.rows(
        "SELECT definition_id FROM definition WHERE measure_id = ? AND source_id = ? AND content = ?",
        [measure_id, source_id, text],
    )
    if found:
        return Defined(int(found[0][0]), content, False)
    (number,) = engine.rows("SELECT coalesce(max(definition_id), 0) + 1 FROM definition")[0]
    engine.execute(
        "INSERT INTO definition VALUES (?, ?, ?, ?, ?)", [number, measure_id, source_id, text, load_id]
    )
    return Defined(int(number), content, True)


def doubts(
    engine: Engine, measure: Measure, measure_id: int, source_id: int, defined: Defined, *, replaced: int
) -> list[Caveat]:
    """What must be said after a load about values under other definitions.

    Parameters
    ----------
    replaced : int
        Observations that the load read anew because the definition changed.

    Raises
    ------
    LoadError
        When values in another unit remain.
    """
    others = [
        (int(source), str(name), json.loads(content), int(n))
        for source, name, content, n in engine.rows(
            f"""SELECT source_id, s.name, content, n FROM (
                SELECT definition_id, count(*) AS n FROM observation WHERE {_CURRENT} AND definition_id <> ?
                GROUP BY definition_id)
                JOIN definition USING (definition_id) JOIN source s USING (source_id)
                ORDER BY definition_id""",
            [measure_id, defined.definition_id],
        )
    ]
    for _, name, content, n in others:
        if content["unit"] != measure.unit:
            raise LoadError(
                f"{measure.name} is in {measure.unit!r} here, and {n:,} values of source {name!r} that this "
                f"load does not replace are in {content['unit']!r}: nothing was kept. Convert in value=, or "
                "give the measure another name"
            )
    out = []
    own = [(content, n) for source, _, content, n in others if source == source_id]
    kept = sum(n for _, n in own)
    if replaced or kept:
        told = f" ({_difference(own[-1][0], defined.content)})" if own else ""
        text = f"The definition of {measure.name} changed{told}:"
        text += f" {replaced:,} observations were read anew" if replaced else ""
        text += " and" if replaced and kept else ""
        text += (
            f" {kept:,} of earlier loads stay under the old definition until their files are loaded again"
            if kept
            else ""
        )
        out.append(Caveat("definition-changed", text + ".", {"replaced": replaced, "kept": kept}))
    if defined.is_new:
        out += [
            Caveat(
                "definition-differs",
                f"{measure.name} is read by other expressions in source {name!r} "
                f"({_difference(content, defined.content)}): {n:,} observations.",
                {"observations": n},
            )
            for source, name, content, n in others
            if source != source_id and _meaning(content) != _meaning(defined.content)
        ]
    return out


def measure_doubts(before: Measure | None, now: Measure) -> list[Caveat]:
    """A measure of the same name that is another one than before."""
    if before is None:
        return []
    changed = {
        what: (getattr(before, name), getattr(now, name))
        for name, what in (("unit", "unit"), ("better", "direction"), ("scale", "scale"))
        if getattr(before, name) != getattr(now, name)
    }
    if not changed:
        return []
    told = ", ".join(f"{what} {old} -> {new}" for what, (old, new) in changed.items())
    evidence = {what: f"{old} -> {new}" for what, (old, new) in changed.items()}
    return [Caveat("measure-changed", f"{now.name} is declared differently than before: {told}.", evidence)]


def check_unit(engine: Engine, measure: Measure) -> None:
    """A declaration does not convert values.

    Raises
    ------
    InputError
        When the repository holds values of the measure in another unit.
    """
    for content, n in engine.rows(
        """SELECT d.content, count(*) FROM observation JOIN definition d USING (definition_id)
            WHERE retired_load_id IS NULL AND d.measure_id = (SELECT measure_id FROM measure WHERE name = ?)
            GROUP BY d.content""",
        [measure.name],
    ):
        unit = json.loads(content)["unit"]
        if unit != measure.unit:
            raise InputError(
                f"{n:,} values of {measure.name} were loaded in {unit!r}: declaring the unit "
                f"{measure.unit!r} would not convert them. Load them anew, or give the measure another name"
            )


def several(engine: Engine, measure_id: int) -> bool:
    """Whether values of a measure may stand under more than one definition."""
    found = engine.rows("SELECT count(*) FROM definition WHERE measure_id = ?", [measure_id])
    return int(found[0][0]) > 1


def told(engine: Engine, counts: Mapping[int, int]) -> str | None:
    """What a reader of a series is told whose values stand under several definitions; None for one."""
    found = engine.rows(
        "SELECT definition_id, s.name, content FROM definition JOIN source s USING (source_id) "
        "WHERE definition_id IN (SELECT unnest(?)) ORDER BY definition_id",
        [list(counts)],
    )
    contents = {int(number): json.loads(content) for number, _, content in found}
    if len({json.dumps(_meaning(c), sort_keys=True) for c in contents.values()}) < 2:
        return None
    parts = []
    first = next(iter(contents.values()))
    for number, name, _ in found:
        content = contents[int(number)]
        differing = {p for c in contents.values() for p in {*c, *first} if c.get(p) != first.get(p)}
        what = ", ".join(f"{p} = {content.get(p, 'none')}" for p in sorted(differing))
        parts.append(f"{counts[int(number)]:,} observations of source {name!r} by {what}")
    return f"{len(parts)} definitions: " + "; ".join(parts)


def denominator(engine: Engine, measure_id: int) -> str | None:
    """The column that is the denominator of a measure, when all its values have the same."""
    found = {
        json.loads(content).get("size")
        for (content,) in engine.rows("SELECT content FROM definition WHERE measure_id = ?", [measure_id])
    }
    only = found.pop() if len(found) == 1 else None
    name = None if only is None else re.fullmatch(r'"?([A-Za-z_][A-Za-z0-9_ ]*)"?', only)
    return None if name is None else name[1]


def _meaning(content: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes do not change what a value is."""
    return {p: text for p, text in content.items() if not p.startswith("attribute ")}


def _difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    parts = [
        f"{p}: {before.get(p, 'none')} -> {now.get(p, 'none')}"
        for p in sorted({*before, *now})
        if before.get(p) != now.get(p)
    ]
    return "; ".join(parts[:3]) + ("; ..." if len(parts) > 3 else "")
