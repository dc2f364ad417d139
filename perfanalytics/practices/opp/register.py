"""register(archive, "baseline"): every version of the baselines or models on record, and where it stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.archive import Archive
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.fingerprint import fingerprint
from perfanalytics.practices.on_record import Reader
from perfanalytics.practices.opp.register_rows import KINDS_OF, head_of, row_of
from perfanalytics.practices.opp.tree_nodes import analyses, superseded

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = (
    "name", "sort", "measure", "process", "process_version", "process_from", "stability", "objective",
    "standing", "stale", "superseded_by", "saved_by", "note", "agreed", "verdict",
)  # fmt: skip
_DAYS = ("first", "last", "saved_on", "next_review")
COLUMNS = (
    "name", "version", "newest", "sort", "measure", "process", "process_version", "process_from", "first",
    "last", "age", "n", "stability", "objective", "standing", "stale", "superseded_by", "saved_by",
    "saved_on", "note", "agreed", "next_review", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Register(Result):
    """A register of baselines, models or limits: k versions, the newest of each name last.

    Attributes
    ----------
    what : {"baseline", "model", "limits"}
    on : date
        Ages are counted to it.
    stale_after, review_every : int
        Days.
    name : text array, shape (k,)
    version : int array, shape (k,)
    newest : bool array, shape (k,)
        Whether it is the newest version of its name.
    sort, measure : text arrays, shape (k,)
        Kind of the saved result; the measure it is about.
    process, process_version, process_from : text arrays, shape (k,)
        Process and version in use; "recorded" with the result, or "declared" for its measure today.
    first, last : datetime64[D] arrays, shape (k,)
        Period of its data; NaT where that is not on record.
    age : float array, shape (k,)
        Days from the last of its data to ``on``.
    n : int array, shape (k,)
        Points or items used; -1 where that is not on record.
    stability, objective, standing : text arrays, shape (k,)
        ``standing`` is "met", "missed", "undecided" or "".
    stale, superseded_by : text arrays, shape (k,)
        Why it is no longer up to date (newest versions only); the newer baseline that took its place.
    saved_by, note, agreed, verdict : text arrays, shape (k,)
        ``agreed``: who agreed and when, from a recorded decision or agreed limits; "" where nobody has.
    saved_on, next_review : datetime64[D] arrays, shape (k,)
        ``next_review`` (of what is in force): ``review_every`` days after the last recorded review of it or
        decision about it, else after its data; NaT where nothing of this is on record.
    """

    kind: ClassVar[str] = "register"
    schema_version: ClassVar[int] = 1

    what: str
    on: dt.date
    stale_after: int
    review_every: int
    name: NDArray[Any]
    version: NDArray[np.int64]
    newest: NDArray[np.bool_]
    sort: NDArray[Any]
    measure: NDArray[Any]
    process: NDArray[Any]
    process_version: NDArray[Any]
    process_from: NDArray[Any]
    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    age: Floats
    n: NDArray[np.int64]
    stability: NDArray[Any]
    objective: NDArray[Any]
    standing: NDArray[Any]
    stale: NDArray[Any]
    superseded_by: NDArray[Any]
    saved_by: NDArray[Any]
    saved_on: NDArray[np.datetime64]
    note: NDArray[Any]
    agreed: NDArray[Any]
    next_review: NDArray[np.datetime64]
    verdict_of: NDArray[Any]

    def __post_init__(self) -> None:
        for column in COLUMNS[:-1]:
            object.__setattr__(self, column, read_only(getattr(self, column)))
        object.__setattr__(self, "verdict_of", read_only(self.verdict_of))

    def summary(self) -> pd.DataFrame:
        """One row: what, on, names, versions, stale, not_stable, not_agreed, review_due, caveats, verdict.

        Counted are the newest versions that nothing superseded.
        """
        import pandas as pd

        now = self.newest & (self.superseded_by == "")
        row = {
            "what": self.what,
            "on": self.on,
            "names": int(self.newest.sum()),
            "versions": len(self.name),
            "stale": int((now & (self.stale != "")).sum()),
            "not_stable": int((now & _unstable(self.stability)).sum()),
            "not_agreed": int((now & ~_agreed(self.agreed)).sum()),
            "review_due": int((now & (self.next_review <= np.datetime64(self.on))).sum()),
            "caveats": ", ".join(self.caveat_codes),
            "verdict": self.verdict,
        }
        return pd.DataFrame([row])

    def to_frame(self) -> pd.DataFrame:
        """One row a version, the columns as in the attributes; ``verdict`` is that of the saved result."""
        import pandas as pd

        columns = {c: getattr(self, c) for c in COLUMNS[:-1]} | {"verdict": self.verdict_of}
        frame = pd.DataFrame(columns)
        frame["n"] = frame["n"].where(frame["n"] >= 0).astype("Int64")
        return frame

    def text(self) -> str:
        """The register as text: what is in force, a line each, then what took its place."""
        lines = []
        for k in np.flatnonzero(self.newest):
            head = f"{self.name[k]}, version {self.version[k]} ({self.sort[k]}"
            head += f" of {self.measure[k]})" if self.measure[k] else ")"
            if self.superseded_by[k]:
                lines.append(f"{head}: superseded by {self.superseded_by[k]!r}")
                continue
            facts = [f"process {self.process[k]} {self.process_version[k]} ({self.process_from[k]})"]
            facts = facts if self.process[k] else ["no process on record"]
            facts.append(
                "period of data not on record"
                if np.isnat(self.last[k])
                else f"data {self.first[k]} to {self.last[k]} ({self.age[k]:.0f} days old)"
            )
            facts += [f"n {self.n[k]:,}"] if self.n[k] >= 0 else []
            facts += [str(self.stability[k])] if self.stability[k] else []
            if self.objective[k]:
                facts.append(f"{self.objective[k]!r}: {self.standing[k] or 'not judged'}")
            facts.append(f"agreed: {self.agreed[k]}" if self.agreed[k] else "agreed by nobody on record")
            facts += [f"stale: {self.stale[k]}"] if self.stale[k] else []
            if not np.isnat(self.next_review[k]):
                facts.append(f"next review {self.next_review[k]}")
            lines.append(f"{head}: {'; '.join(facts)}")
        return "\n".join([self.verdict, *(f"  {line}" for line in lines)])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The newest version of each name; then the older ones, where there are any."""
        out = [("Newest versions", self._shown(self.newest))]
        if not self.newest.all():
            out.append(("Older versions", self._shown(~self.newest)))
        return tuple(out)

    def _shown(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        """Some versions as a page shows them; :meth:`to_frame` has every column."""
        import pandas as pd

        rows = [
            {
                "name": self.name[k],
                "version": self.version[k],
                "measure": self.measure[k],
                "process": f"{self.process[k]} {self.process_version[k]}".strip(),
                "data": "" if np.isnat(self.last[k]) else f"{self.first[k]} to {self.last[k]}",
                "age in days": self.age[k],
                "n": self.n[k] if self.n[k] >= 0 else np.nan,
                "stability": self.stability[k],
                "objective": f"{self.objective[k]}: {self.standing[k] or 'not judged'}".removeprefix(
                    ": not judged"
                ),
                "agreed": self.agreed[k] or "nobody on record",
                "next review": "" if np.isnat(self.next_review[k]) else str(self.next_review[k]),
                "no longer up to date": self.stale[k]
                or (f"superseded by {self.superseded_by[k]!r}" if self.superseded_by[k] else ""),
            }
            for k in np.flatnonzero(chosen)
        ]
        frame = pd.DataFrame(rows)
        if not self.newest[chosen].all():
            # what only what is in force has makes room for who saved it
            frame = frame.drop(columns=["agreed", "next review", "no longer up to date"])
            frame["saved by"] = self.saved_by[chosen]
            frame["saved on"] = [str(d) for d in self.saved_on[chosen]]
        return frame


def register(
    archive: Archive, what: str = "baseline", *, stale_after: int = 90, review_every: int = 180
) -> Register:
    """A register of the baselines, models or limits on record.

    Parameters
    ----------
    archive : Archive
    what : {"baseline", "model", "limits"}
        "model" holds regression models, simulations, queues and reliability models.
    stale_after : int
        As in :func:`perfanalytics.objective_tree`.
    review_every : int
        Days after which something in force is looked at again.

    Returns
    -------
    Register

    Raises
    ------
    UnknownNameError
        For another ``what``.
    InputError
        For a number of days that is not positive.

    Notes
    -----
    Agreement is on record as a decision whose ``subject`` is the name of the saved result (or as agreed
    limits); a review as a review whose ``subject`` or ``results`` name it. Saving is no agreement.

    Examples
    --------
    >>> import datetime as dt
    >>> import numpy as np, perfanalytics as perf
    >>> hours = perf.Measure("hours", definition="Opened to resolved", unit="hours", better="lower",
    ...                      scale="duration")
    >>> when = np.datetime64("2024-01-01") + np.arange(40)
    >>> values = np.exp(np.random.default_rng(1).normal(2, 0.4, 40))
    >>> made = perf.baseline(perf.Series(values, measure=hours, when=when))
    >>> archive = perf.Archive.of([hours], {"Hours": made}, newest={"hours": dt.datetime(2024, 12, 31)})
    >>> book = perf.register(archive, "baseline")
    >>> int(book.age[0]), book.stale[0]
    (326, 'its data end 326 days before the newest (2024-12-31)')
    """
    if what not in KINDS_OF:
        raise UnknownNameError("register", str(what), KINDS_OF)
    for name, given in (("stale_after", stale_after), ("review_every", review_every)):
        if given < 1:
            raise InputError(f"{name} counts days, at least 1; got {given}")
    reader = Reader(archive)
    entries = sorted(
        (s for s in archive.saved if s.result_kind in KINDS_OF[what]), key=lambda s: (s.name, s.version)
    )
    last = {s.name: s.version for s in entries}
    newer = {a.name: superseded(a, made) for made in [analyses(archive, reader)] for a in made}
    rows = [
        row_of(
            reader, s, last[s.name] == s.version, newer.get(head_of(reader, s), ""), stale_after, review_every
        )
        for s in entries
    ]
    found = _caveats(what, rows, archive.on)
    columns: dict[str, Any] = {c: _texts(r[c] for r in rows) for c in _TEXTS if c != "verdict"}
    columns |= {c: np.array([r[c] for r in rows], dtype="datetime64[D]") for c in _DAYS}
    return Register(
        verdict=_verdict(what, rows, archive.on),
        caveats=found,
        method=Method(
            "register",
            {
                "what": what,
                "on": archive.on.isoformat(),
                "stale_after": stale_after,
                "review_every": review_every,
            },
        ),
        provenance=Provenance(f"register of {_many(what)}", data_hash=fingerprint(archive), n=len(rows)),
        what=what,
        on=archive.on,
        stale_after=stale_after,
        review_every=review_every,
        version=np.array([r["version"] for r in rows], dtype=np.int64),
        newest=np.array([r["newest"] for r in rows], dtype=bool),
        age=np.array([r["age"] for r in rows], dtype=np.float64),
        n=np.array([r["n"] for r in rows], dtype=np.int64),
        verdict_of=_texts(r["verdict"] for r in rows),
        **columns,
    )


def _in_force(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [r for r in rows if r["newest"] and not r["superseded_by"]]


def _due(row: dict[str, Any], on: dt.date) -> bool:
    return row["next_review"] is not None and row["next_review"] <= on


def _caveats(what: str, rows: list[dict[str, Any]], on: dt.date) -> tuple[Caveat, ...]:
    now = _in_force(rows)
    noun = {"baseline": "baseline", "model": "model", "limits": "set of limits"}[what]
    checks = (
        (f"{what}-stale", "stale", [r for r in now if r["stale"]]),
        (f"{what}-unstable", "made of data that are not stable", [r for r in now if _bad(r["stability"])]),
        ("not-agreed", "agreed to by nobody on record", [r for r in now if not _yes(r["agreed"])]),
        ("review-due", f"due for review by {on}", [r for r in now if _due(r, on)]),
        ("no-objective", "judged against no objective", [r for r in now if not r["objective"]]),
        ("period-not-recorded", "without the period of its data", [r for r in now if r["last"] is None]),
        (
            "process-not-recorded",
            "without the process and version in use",
            [r for r in now if r["process_from"] != "recorded"],
        ),
    )
    out = []
    for code, text, hits in checks:
        if not hits or (what == "limits" and code in ("no-objective", "process-not-recorded")):
            continue
        if what == "model" and code == "process-not-recorded":
            continue  # a model holds no process; that of its measure is shown as the declared one
        names = ", ".join(f"{r['name']!r}" for r in hits[:12]) + (" ..." if len(hits) > 12 else "")
        verb = "is" if len(hits) == 1 else "are"
        plural = "" if len(hits) == 1 else ("sets of limits" if what == "limits" else f"{noun}s")
        text = f"{len(hits)} {plural or noun} {verb} {text}: {names}."
        out.append(Caveat(code, text, {"n": len(hits), "names": ", ".join(str(r["name"]) for r in hits)}))
    return tuple(out)


def _verdict(what: str, rows: list[dict[str, Any]], on: dt.date) -> str:
    if not rows:
        return f"No {_many(what)} are saved."
    now = _in_force(rows)
    counted = {
        "stale": sum(bool(r["stale"]) for r in now),
        "not stable": sum(_bad(r["stability"]) for r in now),
        "not agreed": sum(not _yes(r["agreed"]) for r in now),
        "due for review": sum(_due(r, on) for r in now),
    }
    parts = [f"{k} {said}" for said, k in counted.items() if k]
    names = len({r["name"] for r in rows})
    noun = _many(what) if names > 1 else {"limits": "set of limits"}.get(what, what)
    text = f"{names} {noun} in {len(rows)} version{'s' if len(rows) > 1 else ''}, {len(now)} in force"
    return f"{text}: {', '.join(parts)}." if parts else f"{text}."


def _many(what: str) -> str:
    return "limits" if what == "limits" else f"{what}s"


def _bad(stability: str) -> bool:
    return "not stable" in stability


def _yes(agreed: str) -> bool:
    return bool(agreed) and not agreed.startswith("not agreed")


def _unstable(stability: NDArray[Any]) -> NDArray[np.bool_]:
    return np.array([_bad(s) for s in stability], dtype=bool)


def _agreed(agreed: NDArray[Any]) -> NDArray[np.bool_]:
    return np.array([_yes(a) for a in agreed], dtype=bool)


def _texts(values: Any) -> NDArray[Any]:
    made = list(values)
    out = np.empty(len(made), dtype=object)
    out[:] = made
    return out
