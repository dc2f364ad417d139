"""fmea(failure_modes) -> Fmea: risk priority numbers and action priorities of failure modes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count
from perfanalytics.core.archive import Archive
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError
from perfanalytics.core.improvement_records import FailureMode
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.table_columns import hash_of

if TYPE_CHECKING:
    import pandas as pd

# The table of action priorities: for severities and occurrences at least so large, the priority for detection
# 7 to 10, 5 to 6, 2 to 4 and 1. AIAG & VDA FMEA Handbook (2019), tables of design and process FMEA (alike).
_TABLE: tuple[tuple[int, tuple[tuple[int, str], ...]], ...] = (
    (9, ((8, "HHHH"), (6, "HHHH"), (4, "HHHM"), (2, "HMLL"), (1, "LLLL"))),
    (7, ((8, "HHHH"), (6, "HHHM"), (4, "HMMM"), (2, "MMLL"), (1, "LLLL"))),
    (4, ((8, "HHMM"), (6, "MMML"), (4, "MLLL"), (2, "LLLL"), (1, "LLLL"))),
    (2, ((8, "MMLL"), (6, "LLLL"), (4, "LLLL"), (2, "LLLL"), (1, "LLLL"))),
    (1, ((1, "LLLL"),)),
)
_WORDS = {"H": "high", "M": "medium", "L": "low"}
PRIORITIES = ("high", "medium", "low")
_TEXTS = ("name", "effect", "cause", "process", "control", "priority")
_NUMBERS = ("severity", "occurrence", "detection", "rpn")


def action_priority(severity: int, occurrence: int, detection: int) -> str:
    """The action priority of three ratings from 1 to 10: "high", "medium" or "low".

    References
    ----------
    AIAG & VDA (2019), Failure Mode and Effects Analysis Handbook, table of action priorities.

    Examples
    --------
    >>> action_priority(10, 4, 2), action_priority(8, 5, 4), action_priority(5, 3, 10)
    ('high', 'medium', 'low')
    """
    for name, rating in (("severity", severity), ("occurrence", occurrence), ("detection", detection)):
        if isinstance(rating, bool) or not isinstance(rating, int | np.integer) or not 1 <= rating <= 10:
            raise InputError(f"{name} is a whole number from 1 to 10, got {rating!r}")
    rows = next(rows for least, rows in _TABLE if severity >= least)
    letters = next(letters for least, letters in rows if occurrence >= least)
    column = 0 if detection >= 7 else 1 if detection >= 5 else 2 if detection >= 2 else 3
    return _WORDS[letters[column]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fmea(Result):
    """Failure modes from the most urgent on: k modes, by action priority, severity, occurrence, detection.

    Attributes
    ----------
    name, effect, cause, process, control : text arrays, shape (k,)
    severity, occurrence, detection : int arrays, shape (k,)
        From 1 (harmless, rare, surely detected) to 10.
    rpn : int array, shape (k,)
        Risk priority number, the product of the three: ranks at best.
    priority : text array of {"high", "medium", "low"}, shape (k,)
    analysis : str
    """

    kind: ClassVar[str] = "fmea"
    schema_version: ClassVar[int] = 1

    name: NDArray[Any]
    effect: NDArray[Any]
    cause: NDArray[Any]
    process: NDArray[Any]
    control: NDArray[Any]
    severity: NDArray[np.int64]
    occurrence: NDArray[np.int64]
    detection: NDArray[np.int64]
    rpn: NDArray[np.int64]
    priority: NDArray[Any]
    analysis: str

    def __post_init__(self) -> None:
        for field in (*_TEXTS, *_NUMBERS):
            object.__setattr__(self, field, read_only(getattr(self, field)))

    def summary(self) -> pd.DataFrame:
        """One row: modes, high, medium, low, largest_rpn, analysis, caveats, verdict."""
        import pandas as pd

        row: dict[str, Any] = {"modes": len(self.name)}
        row |= {p: int((self.priority == p).sum()) for p in PRIORITIES}
        row |= {"largest_rpn": int(self.rpn.max()), "analysis": self.analysis}
        return pd.DataFrame([{**row, "caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row a mode: name, effect, cause, control, process, severity, occurrence, detection, priority,
        rpn."""
        import pandas as pd

        names = ["name", "effect", "cause", "control", "process"]
        names += ["severity", "occurrence", "detection", "priority", "rpn"]
        return pd.DataFrame({n: getattr(self, n) for n in names})


def fmea(failure_modes: Iterable[FailureMode] | Archive, *, analysis: str | None = None) -> Fmea:
    """Failure modes in order of urgency, by action priority.

    Parameters
    ----------
    failure_modes : FailureMode records, or Archive
    analysis : str, optional
        Only those of one causal analysis.

    Returns
    -------
    Fmea

    Raises
    ------
    InputError
        For anything but failure modes, and for none.

    Notes
    -----
    The action priority looks at severity first, then occurrence, then detection, in a published table; the
    risk priority number multiplies three rankings, so that a harmless mode that is never detected equals a
    disaster that always is. Both are shown; the order is that of the priority.

    The table was written down from knowledge of the handbook, not copied from it: whoever is bound to it
    compares the cells (docs/car.md prints them).

    References
    ----------
    AIAG & VDA (2019), Failure Mode and Effects Analysis Handbook. Bowles (2003), Annual Reliability and
    Maintainability Symposium, 380-386 (what is wrong with the risk priority number).

    Examples
    --------
    >>> modes = [FailureMode("wrong group", effect="hours lost", cause="guessing", severity=4, occurrence=8,
    ...                      detection=6),
    ...          FailureMode("mail lost", effect="data gone", cause="no copy", severity=9, occurrence=2,
    ...                      detection=8)]
    >>> made = fmea(modes)
    >>> made.name.tolist(), made.priority.tolist(), made.rpn.tolist()
    (['mail lost', 'wrong group'], ['high', 'high'], [144, 192])
    """
    found = list(
        failure_modes.of_kind("failure_mode") if isinstance(failure_modes, Archive) else failure_modes
    )
    if any(not isinstance(m, FailureMode) for m in found):
        raise InputError("fmea takes FailureMode records or an archive")
    if analysis is not None:
        found = [m for m in found if m.analysis == analysis]
    if not found:
        raise InputError("there is no failure mode" + (f" of {analysis!r}" if analysis else ""))
    priority = {id(m): action_priority(m.severity, m.occurrence, m.detection) for m in found}
    found.sort(
        key=lambda m: (PRIORITIES.index(priority[id(m)]), -m.severity, -m.occurrence, -m.detection, m.name)
    )
    columns: dict[str, Any] = {
        name: _texts([getattr(m, name) or "" for m in found]) for name in _TEXTS if name != "priority"
    }
    columns |= {
        name: np.array([getattr(m, name) for m in found], dtype=np.int64)
        for name in _NUMBERS
        if name != "rpn"
    }
    columns["rpn"] = columns["severity"] * columns["occurrence"] * columns["detection"]
    columns["priority"] = _texts([priority[id(m)] for m in found])
    return Fmea(
        verdict=_verdict(columns),
        caveats=tuple(_doubts(columns)),
        method=Method(
            "fmea",
            {"order": "action priority, severity, occurrence, detection", "table": "AIAG & VDA 2019"},
            (
                "AIAG & VDA (2019), FMEA Handbook",
                "Bowles (2003), Annual Reliability and Maintainability Symposium",
            ),
        ),
        provenance=Provenance(
            analysis or "failure modes",
            data_hash=hash_of(*(columns[c] for c in (*_TEXTS, *_NUMBERS))),
            n=len(found),
        ),
        analysis=analysis or "",
        **columns,
    )


def _texts(values: list[Any]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _verdict(c: dict[str, Any]) -> str:
    counts = {p: int((c["priority"] == p).sum()) for p in PRIORITIES}
    n = len(c["name"])
    said = ", ".join(f"{counts[p]} of {p}" for p in PRIORITIES if counts[p])
    text = f"{count(n, 'failure mode')}: {said} action priority."
    if counts["high"]:
        names = [f"{m} (severity {s})" for m, s in zip(c["name"][:3], c["severity"][:3], strict=True)]
        names = names[: counts["high"]]
        more = f" and {counts['high'] - 3} more" if counts["high"] > 3 else ""
        text += f" First: {'; '.join(names)}{more}."
    return text


def _several(numbers: int) -> str:
    return f"{count(numbers, 'number')} {'stands' if numbers == 1 else 'stand'}"


def _doubts(c: dict[str, Any]) -> Iterator[Caveat]:
    largest = int(np.argmax(c["rpn"]))
    if PRIORITIES.index(c["priority"][largest]) > PRIORITIES.index(c["priority"][0]):
        yield Caveat(
            "rpn-disagrees",
            f"The largest risk priority number ({int(c['rpn'][largest])}, {c['name'][largest]}) has only "
            f"{c['priority'][largest]} action priority; {c['name'][0]} ({int(c['rpn'][0])}) has "
            f"{c['priority'][0]}.",
            {"rpn": int(c["rpn"][largest])},
        )
    same = [v for v, times in Counter(c["rpn"].tolist()).items() if times > 1]
    yield Caveat(
        "rpn-is-ordinal",
        "Risk priority numbers multiply rankings: of 1 to 1,000 only 120 occur, and equal numbers are not "
        f"equal risks{f' (here {_several(len(same))} for several modes)' if same else ''}.",
        {"ties": len(same)},
    )
    rows = zip(c["name"], c["control"], c["priority"], strict=True)
    bare = [str(name) for name, control, priority in rows if not control and priority == "high"]
    if bare:
        yield Caveat(
            "no-control",
            f"High priority, and no control is on record: {'; '.join(bare)}.",
            {"modes": len(bare)},
        )
