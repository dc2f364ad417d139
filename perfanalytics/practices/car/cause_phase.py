"""defects_by_cause_and_phase(frame) -> DefectsByCauseAndPhase: which causes, and how late they are found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import percent
from perfanalytics.comparisons.multiplicity import adjusted_p_values
from perfanalytics.comparisons.tables import wilson
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.reliability.containment import Containment, containment
from perfanalytics.practices.car.pareto_numbers import goodman
from perfanalytics.practices.table_columns import MISSING, column, hash_of, order_of, texts

if TYPE_CHECKING:
    import pandas as pd

_ARRAYS = (
    "cause", "phase", "counts", "total", "share", "share_low", "share_high", "late", "late_low", "late_high",
    "late_p",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class DefectsByCauseAndPhase(Result):
    """Defects by cause and the phase they were found in: k causes, the largest first, m phases.

    Attributes
    ----------
    cause, phase : text arrays, shapes (k,) and (m,)
    counts : int array, shape (k, m)
    total : int array, shape (k,)
    share, share_low, share_high : float arrays, shape (k,)
        Of all defects; intervals hold together for all causes (Goodman).
    late, late_low, late_high : float arrays, shape (k,)
        Share of the cause's defects that were found late: later than in the phase they came in, or (where
        that is not on record) in the last phase; Wilson's intervals.
    late_p : float array, shape (k,)
        Of the difference from all other causes (Fisher's exact test), adjusted (Holm).
    late_is : {"escaped", "last phase", ""}
    p_whole : float
        Of the test that causes and phases have nothing to do with each other.
    containment : Containment or None
        Of all causes together, where the phase they came in is on record.
    n : int
    confidence : float
    """

    kind: ClassVar[str] = "defects_by_cause_and_phase"
    schema_version: ClassVar[int] = 1

    cause: NDArray[Any]
    phase: NDArray[Any]
    counts: NDArray[np.int64]
    total: NDArray[np.int64]
    share: Floats
    share_low: Floats
    share_high: Floats
    late: Floats
    late_low: Floats
    late_high: Floats
    late_p: Floats
    late_is: str
    p_whole: float
    containment: Containment | None
    n: int
    confidence: float

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: n, causes, phases, first (cause), first_share, p_whole, removal (before the last phase),
        caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "n": self.n,
                    "causes": len(self.cause),
                    "phases": len(self.phase),
                    "first": str(self.cause[0]),
                    "first_share": float(self.share[0]),
                    "p_whole": self.p_whole,
                    "removal": math.nan if self.containment is None else self.containment.removal,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a cause: cause, total, share, share_low, share_high, late, late_low, late_high, late_p."""
        import pandas as pd

        names = (
            "cause",
            "total",
            "share",
            "share_low",
            "share_high",
            "late",
            "late_low",
            "late_high",
            "late_p",
        )
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def matrix_frame(self) -> pd.DataFrame:
        """Causes by phases, with totals."""
        import pandas as pd

        made = pd.DataFrame(self.counts, columns=[str(p) for p in self.phase])
        made.insert(0, "cause", self.cause)
        made["total"] = self.total
        return made

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Summary, causes, the matrix; the phases where it is known where defects came in."""
        made = (
            ("Summary", self.summary()),
            ("Causes", self.to_frame()),
            ("Causes by phase", self.matrix_frame()),
        )
        return made if self.containment is None else (*made, ("Phases", self.containment.to_frame()))


def defects_by_cause_and_phase(
    frame: object,
    *,
    cause: str,
    found: str,
    injected: str | None = None,
    phases: Sequence[str] = (),
    most: int = 15,
    confidence: float = 0.95,
) -> DefectsByCauseAndPhase:
    """Defects or incidents by cause and phase: which causes arise most, and which are found late.

    Parameters
    ----------
    frame : pandas DataFrame, or mapping of name to column
        One row a defect.
    cause, found : str
        Columns of the cause and of the phase it was found in.
    injected : str, optional
        Column of the phase it came in; needs ``phases``.
    phases : sequence of str, optional
        Their order, the last one in operation; every phase of the columns is among them. Without it phases
        have no order, and nothing is late.
    most : int
        Causes shown; smaller ones are put together as "other".
    confidence : float

    Returns
    -------
    DefectsByCauseAndPhase

    Raises
    ------
    InputError
        For no row, phases without their order, defects found before they came in.
    UnknownNameError
        For a column, or a phase that is not among ``phases``.

    References
    ----------
    Chillarege et al. (1992), IEEE Transactions on Software Engineering 18, 943-956 (causes by phase). Goodman
    (1965), Technometrics 7; Wilson (1927), JASA 22.

    Examples
    --------
    >>> defects = {"cause": ["logic"] * 30 + ["interface"] * 20, "found": (["test"] * 24 + ["operation"] * 6
    ...            + ["test"] * 6 + ["operation"] * 14)}
    >>> d = defects_by_cause_and_phase(defects, cause="cause", found="found", phases=["test", "operation"])
    >>> d.counts.tolist(), d.late.tolist()
    ([[24, 6], [6, 14]], [0.2, 0.7])
    """
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence lies between 0.5 and 1 (0.95 for 95%), got {confidence!r}")
    if isinstance(most, bool) or not isinstance(most, int) or most < 2:
        raise InputError(f"most= is a whole number of at least 2, got {most!r}")
    order = [str(p) for p in phases]
    if injected is not None and len(order) < 2:
        raise InputError("injected= needs the order of the phases: give phases=, the last one in operation")
    if isinstance(phases, str) or len(set(order)) != len(order):
        raise InputError("phases= names each phase once, in order")
    causes, seen = texts(column(frame, cause)), texts(column(frame, found))
    came = None if injected is None else texts(column(frame, injected))
    if not len(causes) or len(causes) != len(seen):
        raise InputError(f"no row has {cause!r} and {found!r}")
    keep = np.ones(len(causes), dtype=bool)
    if order:
        for values in (seen, came):
            if values is None:
                continue
            keep &= values != MISSING
            for name in dict.fromkeys(values[values != MISSING].tolist()):
                if name not in order:
                    raise UnknownNameError("phase", name, order)
    lost = int((~keep).sum())
    if not keep.any():
        raise InputError("no row has a phase")
    causes, seen = causes[keep], seen[keep]
    names = order or order_of(frame, found, texts(column(frame, found)))
    at = np.array([names.index(v) for v in seen.tolist()])
    labels, code = _largest_first(causes, most)
    counts = np.zeros((len(labels), len(names)), dtype=np.int64)
    np.add.at(counts, (code, at), 1)
    total = counts.sum(axis=1)
    share_low, share_high = goodman(total.astype(float), confidence=confidence)
    whole, late_is, is_late = None, "", None
    if came is not None:
        start = np.array([names.index(v) for v in came[keep].tolist()])
        if (at < start).any():
            raise InputError(
                f"{int((at < start).sum())} defects are found before they came in: look at the data"
            )
        matrix = np.zeros((len(names), len(names)), dtype=np.int64)
        np.add.at(matrix, (start, at), 1)
        whole = containment(matrix, phases=names, confidence=confidence)
        late_is, is_late = "escaped", at > start
    elif order:
        late_is, is_late = "last phase", at == len(names) - 1
    late = _late(code, is_late, len(labels), confidence)
    made: dict[str, Any] = {
        "cause": _texts(labels), "phase": _texts(names), "counts": counts, "total": total,
        "share": total / total.sum(), "share_low": share_low, "share_high": share_high, **late,
        "late_is": late_is, "p_whole": _p_whole(counts), "containment": whole, "n": int(total.sum()),
        "confidence": confidence,
    }  # fmt: skip
    return DefectsByCauseAndPhase(
        verdict=_verdict(made),
        caveats=tuple(_doubts(made, lost)),
        method=Method(
            "defects_by_cause_and_phase",
            {
                "cause": cause,
                "found": found,
                "injected": injected,
                "phases": order,
                "late": late_is,
                "late_test": "Fisher's exact test against all other causes, Holm",
                "most": most,
                "confidence": confidence,
            },
            (
                "Chillarege et al. (1992), IEEE TSE 18",
                "Goodman (1965), Technometrics 7",
                "Wilson (1927), JASA 22",
            ),
        ),
        provenance=Provenance(cause, data_hash=hash_of(causes, seen, came), n=len(keep)),
        **made,
    )


def _largest_first(causes: NDArray[Any], most: int) -> tuple[list[str], NDArray[np.int64]]:
    names, code, n = np.unique(causes.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(-n, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    labels = [str(names[k]) for k in order]
    if len(labels) > most:
        labels = [*labels[: most - 1], f"other ({len(labels) - most + 1} causes)"]
    return labels, np.minimum(place[code.ravel()], most - 1)


def _late(
    code: NDArray[np.int64], is_late: NDArray[np.bool_] | None, k: int, confidence: float
) -> dict[str, Floats]:
    none = np.full(k, math.nan)
    if is_late is None:
        return {"late": none, "late_low": none, "late_high": none, "late_p": none}
    n = np.bincount(code, minlength=k).astype(float)
    x = np.bincount(code, weights=is_late, minlength=k)
    ends = np.array([wilson(float(a), float(b), confidence) for a, b in zip(x, n, strict=True)])
    p = [
        _fisher(float(a), float(b), float(x.sum() - a), float(n.sum() - b)) for a, b in zip(x, n, strict=True)
    ]
    return {
        "late": x / n,
        "late_low": ends[:, 0].copy(),
        "late_high": ends[:, 1].copy(),
        "late_p": adjusted_p_values(p) if k > 1 else none,
    }


def _fisher(x1: float, n1: float, x2: float, n2: float) -> float:
    """Two-sided exact p-value of a fourfold table: all tables at most as likely (R ``fisher.test``)."""
    if n1 == 0 or n2 == 0:
        return math.nan
    a = np.arange(max(0.0, x1 + x2 - n2), min(n1, x1 + x2) + 1)

    def choose(n: float, k: Floats) -> Floats:
        return np.asarray(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1))

    log = choose(n1, a) + choose(n2, x1 + x2 - a)
    weight = np.exp(log - log.max())
    own = weight[int(x1 - a[0])]
    return min(1.0, float(weight[weight <= own * (1 + 1e-7)].sum() / weight.sum()))


def _p_whole(counts: NDArray[np.int64]) -> float:
    used = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    df = (used.shape[0] - 1) * (used.shape[1] - 1)
    if df < 1:
        return math.nan
    expected = used.sum(axis=1, keepdims=True) * used.sum(axis=0) / used.sum()
    return float(special.chdtrc(df, ((used - expected) ** 2 / expected).sum()))


def _texts(values: Sequence[str]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out


def _verdict(m: dict[str, Any]) -> str:
    first = (
        f"{m['cause'][0]} is the most frequent of {len(m['cause'])} causes: "
        f"{percent(float(m['share'][0]))} of {m['n']:,} "
        f"({percent(float(m['share_low'][0]))} to {percent(float(m['share_high'][0]))})."
    )
    if not m["late_is"]:
        return f"{first} {_mix(m)}"
    where = (
        "escape the phase they came in"
        if m["late_is"] == "escaped"
        else f"are found only in {m['phase'][-1]}"
    )
    clear = [k for k in np.argsort(-m["late"], kind="stable") if m["late_p"][k] <= 1 - m["confidence"]]
    more = [k for k in clear if m["late"][k] > np.average(m["late"], weights=m["total"])]
    if not more:
        return f"{first} No cause is shown to be found later than the others."
    rows = [
        f"{m['cause'][k]} ({percent(float(m['late'][k]))}, {percent(float(m['late_low'][k]))} to "
        f"{percent(float(m['late_high'][k]))})"
        for k in more[:3]
    ]
    return f"{first} More often than of the others, defects of these causes {where}: {'; '.join(rows)}."


def _mix(m: dict[str, Any]) -> str:
    if math.isnan(m["p_whole"]):
        return "There is a single cause or phase."
    differ = m["p_whole"] <= 1 - m["confidence"]
    return (
        f"Causes {'differ' if differ else 'are not shown to differ'} in the phases they are found in "
        f"({p_text(m['p_whole'])})."
    )


def _doubts(m: dict[str, Any], lost: int) -> Iterator[Caveat]:
    if lost:
        yield Caveat(
            "missing-rows", f"{lost} defects have no phase on record and are left out.", {"rows": lost}
        )
    if MISSING in m["cause"]:
        yield Caveat("missing-category", f"Defects without a cause on record stand as {MISSING}.", {})
    if m["n"] < 50:
        yield Caveat("too-few-items", f"Only {m['n']} defects.", {"n": m["n"], "needed": 50})
    if m["containment"] is not None:
        yield Caveat(
            "not-yet-found",
            "Defects that nobody has found yet are missing: the last phase, and what escapes, will grow.",
            {},
        )
