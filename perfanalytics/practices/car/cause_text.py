"""Causes as a short indented text, and back.

::

    Incidents take too long
      Method
        No decision tree for triage [confirmed, root: comparison "New triage"]
          Nobody owns it
      People

The first line is the effect. Behind a name, in brackets, stand its state (suspected, confirmed, refuted),
that it is a root cause, and after a colon the evidence. Empty lines and lines that begin with ``#`` do not
count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

from perfanalytics.core.errors import InputError, nearest

State = Literal["suspected", "confirmed", "refuted"]
STATES: tuple[State, ...] = ("suspected", "confirmed", "refuted")
_MARKS = (*STATES, "root")
_LINE = re.compile(r"^(?P<name>.*?)\s*\[(?P<marks>[^\[\]:]*)(?P<colon>:(?P<evidence>.*))?\]$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the text: how deep it stands (the effect at 0), what it says, its number in the text."""

    level: int
    name: str
    state: State = "suspected"
    root: bool = False
    evidence: str = ""
    number: int = 0


def read_lines(text: str) -> list[Line]:
    """The lines of an indented text.

    Raises
    ------
    InputError
        For an empty text, a second line at the margin, an indentation that fits no line above, and marks in
        brackets that are misspelt.

    Examples
    --------
    >>> [(n.level, n.name, n.state) for n in read_lines("Late\\n  No triage [confirmed: 70%]\\n    Habit")]
    [(0, 'Late', 'suspected'), (1, 'No triage', 'confirmed'), (2, 'Habit', 'suspected')]
    """
    indents: list[int] = []
    out: list[Line] = []
    for number, raw in enumerate(text.expandtabs(4).splitlines(), 1):
        said = raw.strip()
        if not said or said.startswith("#"):
            continue
        indent = len(raw) - len(raw.lstrip())
        back = bool(indents) and indent < indents[-1]
        while indents and indent < indents[-1]:
            indents.pop()
        if not out:
            indents = [indent]
        elif not indents or (len(indents) == 1 and indent <= indents[0]):
            raise InputError(
                f"line {number} ({said!r}) is not indented: the effect stands alone on the first line, its "
                "causes are indented below it"
            )
        elif indent > indents[-1] and not back:
            indents.append(indent)
        if indent != indents[-1]:
            raise InputError(f"line {number} ({said!r}) is indented like no line above it")
        out.append(_line(said, len(indents) - 1, number))
    if not out:
        raise InputError("the text is empty: its first line names the effect, its causes are indented below")
    return out


def _line(said: str, level: int, number: int) -> Line:
    found = _LINE.match(said)
    if found is None:
        return Line(level, said, number=number)
    marks = [m.strip() for m in found["marks"].split(",")]
    wrong = [m for m in marks if m not in _MARKS]
    if len(wrong) == len(marks) and all(nearest(m, _MARKS) is None for m in marks):
        # brackets that belong to the name
        return Line(level, said, number=number)
    if wrong:
        hint = nearest(wrong[0], _MARKS)
        raise InputError(
            f"line {number}: the mark {wrong[0]!r} is not known"
            + (f"; did you mean {hint!r}?" if hint else "")
            + f" Known: {', '.join(_MARKS)}, and evidence after a colon"
        )
    states = [m for m in marks if m != "root"]
    if len(set(states)) > 1:
        raise InputError(f"line {number}: {' and '.join(states)} at once")
    if not found["name"]:
        raise InputError(f"line {number} has marks but names no cause")
    return Line(
        level,
        found["name"],
        cast("State", states[0] if states else "suspected"),
        "root" in marks,
        (found["evidence"] or "").strip(),
        number,
    )


def write_lines(lines: Iterable[Line]) -> str:
    """The text of lines: the inverse of :func:`read_lines`.

    Examples
    --------
    >>> print(write_lines([Line(0, "Late"), Line(1, "No triage", "confirmed", True, "chart 4")]))
    Late
      No triage [confirmed, root: chart 4]
    """
    out = []
    for line in lines:
        marks: list[str] = (
            [line.state] if line.state != "suspected" or (line.evidence and not line.root) else []
        )
        marks += ["root"] if line.root else []
        said = ", ".join(marks) + (f": {line.evidence}" if line.evidence else "")
        out.append("  " * line.level + line.name + (f" [{said}]" if said else ""))
    return "\n".join(out)
