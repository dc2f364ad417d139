"""select_subprocesses(archive, outcome=...): candidates against criteria, and the decision on record."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.archive import Archive
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.data_quality import DataQuality
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.core.series import Series
from perfanalytics.practices.fingerprint import fingerprint
from perfanalytics.practices.on_record import decision_about, process_of
from perfanalytics.practices.opp.selection_criteria import CRITERIA, Asked, Candidate, Judge

if TYPE_CHECKING:
    import pandas as pd

#: Share of the outcome's variation that the best candidate should explain at least.
LEAST_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SubprocessSelection(Result):
    """k candidates against c criteria, the best first.

    Attributes
    ----------
    outcome : str
        The measure whose variation is to be managed.
    on : date
    criterion : text array, shape (c,)
        "objective" (link to one), "stability" (newest chart), "data" (points, and points a month), "share"
        (of the outcome's variation), "quality" (of measuring).
    weight : float array, shape (c,)
        They add up to 1.
    declared : bool
        Whether the weights were declared; all the same otherwise.
    candidate, measures : text arrays, shape (k,)
        Name of each; the measures it is watched by.
    value, score : float arrays, shape (k, c)
        The number behind each score (share of variation, points a month, ...); scores from 0 to 1, NaN where
        nothing is on record.
    evidence : text array, shape (k, c)
        Where each number is from, in words.
    total : float array, shape (k,)
        Weighted sum of the scores; what is not on record counts as 0.
    known : float array, shape (k,)
        Share of the weight of which something is on record.
    rank : int array, shape (k,)
        1 is best; equal scores share a rank.
    decision, who, why : text arrays, shape (k,)
        "chosen", "not chosen", "decided" (the record does not say which) or "" without a record.
    decided_on : datetime64[D] array, shape (k,)
    """

    kind: ClassVar[str] = "subprocess_selection"
    schema_version: ClassVar[int] = 1

    outcome: str
    on: dt.date
    criterion: NDArray[Any]
    weight: Floats
    declared: bool
    candidate: NDArray[Any]
    measures: NDArray[Any]
    value: Floats
    score: Floats
    evidence: NDArray[Any]
    total: Floats
    known: Floats
    rank: NDArray[np.int64]
    decision: NDArray[Any]
    decided_on: NDArray[np.datetime64]
    who: NDArray[Any]
    why: NDArray[Any]

    def __post_init__(self) -> None:
        for name in (
            "criterion", "weight", "candidate", "measures", "value", "score", "evidence", "total", "known",
            "rank", "decision", "decided_on", "who", "why",
        ):  # fmt: skip
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row a candidate: rank, candidate, measures, total, known, a score a criterion, decision, who,
        decided_on, why."""
        import pandas as pd

        frame = pd.DataFrame(
            {
                "rank": self.rank,
                "candidate": self.candidate,
                "measures": self.measures,
                "total": self.total,
                "known": self.known,
            }
        )
        for k, name in enumerate(self.criterion):
            frame[name] = self.score[:, k]
        for name in ("decision", "who", "decided_on", "why"):
            frame[name] = getattr(self, name)
        return frame

    def to_frame(self) -> pd.DataFrame:
        """One row a candidate and criterion: candidate, criterion, weight, value, score, evidence."""
        import pandas as pd

        k, c = self.score.shape
        return pd.DataFrame(
            {
                "candidate": np.repeat(self.candidate, c),
                "criterion": np.tile(self.criterion, k),
                "weight": np.tile(self.weight, k),
                "value": self.value.ravel(),
                "score": self.score.ravel(),
                "evidence": self.evidence.ravel(),
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """Candidates with the decision, then the evidence."""
        return ("Candidates", self.summary()), ("Evidence", self.to_frame())


def select_subprocesses(
    archive: Archive,
    *,
    outcome: str,
    candidates: Sequence[Candidate | str] = (),
    weights: Mapping[str, float] | None = None,
    series: Mapping[str, Series] | None = None,
    quality: Mapping[str, DataQuality] | None = None,
    frame: pd.DataFrame | None = None,
    points: int = 50,
    per_month: float = 4.0,
    seed: int = 1,
) -> SubprocessSelection:
    """Which subprocesses to manage statistically: candidates against criteria, and what was decided.

    Parameters
    ----------
    archive : Archive
    outcome : str
        The measure whose variation is to be managed.
    candidates : sequence of Candidate or str
        Names of subprocesses or measures. Default: every subprocess (process with a parent, or without
        subprocesses of its own).
    weights : mapping of criterion to float, optional
        "objective", "stability", "data", "share", "quality"; those left out weigh 0. Without it all weigh the
        same, and a caveat says so.
    series, quality : mapping of measure to Series, to DataQuality, optional
        Data and their integrity checks; default what saved results say.
    frame : DataFrame, optional
        Columns of the outcome and of the candidates' factors: the share of the variation is then by what R2
        falls without a candidate (least squares; logarithms of a duration or other positive outcome).
        Default: the saved result that knows most candidates, the newest sensitivity or simulation first, then
        models (total Sobol share times the share of items that all factors explain), then strata.
    points, per_month : int, float
        Points, and points a month, from which on the data get the full score.
    seed : int
        Of the Sobol shares of saved models.

    Returns
    -------
    SubprocessSelection

    Raises
    ------
    UnknownNameError
        For an outcome, measure or criterion that does not exist.
    InputError
        Without candidates, for weights that are negative or all 0, or a frame that cannot be used.

    Notes
    -----
    Scores run from 0 to 1. objective: 1 when an objective is about a measure of the candidate, 0.5 when an
    analysis that serves one uses it. stability: 1 when the newest charts are stable, 0 when one is not. data:
    points over ``points`` or points a month over ``per_month``, whichever is less. share: relative to the
    largest share among the candidates. quality: the worst of the checks of the data (1 nothing found, 0.5
    something to look at, 0 something wrong), gauge study (1, 0.5, 0) and agreement (kappa, alpha ...). What
    is not on record counts as 0 and is said. The score orders the talk; the decision is people's, and is
    shown from the newest ``Decision`` whose ``subject`` is the candidate.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> hours = perf.Measure("hours", definition="Opened to resolved", unit="hours", better="lower",
    ...                      scale="duration", subprocess="Resolution")
    >>> archive = perf.Archive.of([hours, perf.Process("Resolution")])
    >>> chosen = perf.select_subprocesses(archive, outcome="hours")
    >>> float(chosen.total[0]), "no-decision" in chosen.caveat_codes
    (0.0, True)
    """
    if archive.measure(outcome) is None:
        raise UnknownNameError("measure (outcome)", outcome, [m.name for m in archive.of_kind("measure")])
    asked_for = candidates_of(archive, candidates)
    weight = _weights(weights)
    if points < 1 or not per_month > 0:
        raise InputError(f"points and per_month are positive, got {points} and {per_month}")
    asked = Asked(
        outcome=outcome,
        series=dict(series or {}),
        quality=dict(quality or {}),
        frame=frame,
        points=points,
        per_month=per_month,
        seed=seed,
    )
    judge = Judge(archive, asked, asked_for)
    found = [judge.evidence(c) for c in asked_for]
    value = np.array([[e.value for e in row] for row in found])
    score = np.array([[e.score for e in row] for row in found])
    share = CRITERIA.index("share")
    top = float(np.nanmax(score[:, share])) if not np.isnan(score[:, share]).all() else math.nan
    if top > 0:
        score[:, share] /= top
    total = np.nan_to_num(score) @ weight
    known = (~np.isnan(score)) @ weight
    order = np.lexsort((np.arange(len(total)), -total.round(12)))
    rank = np.array([1 + int(np.sum(total.round(12) > t)) for t in total.round(12)])
    decided = [_decision(archive, c, judge) for c in asked_for]
    rows: dict[str, Any] = {
        "candidate": _texts(asked_for[k].name for k in order),
        "measures": _texts(", ".join(judge.measures[asked_for[k].name]) for k in order),
        "value": value[order],
        "score": score[order],
        "evidence": _grid([[e.words for e in found[k]] for k in order]),
        "total": total[order],
        "known": known[order],
        "rank": rank[order],
        "decision": _texts(decided[k][0] for k in order),
        "decided_on": np.array([decided[k][1] for k in order], dtype="datetime64[D]"),
        "who": _texts(decided[k][2] for k in order),
        "why": _texts(decided[k][3] for k in order),
    }
    method = {
        "outcome": outcome,
        "weights": dict(zip(CRITERIA, weight.tolist(), strict=True)),
        "points": points,
        "per_month": per_month,
        "share": "R2 lost without the candidate" if frame is not None else "on record",
        "seed": seed,
        "not on record": "counts as 0",
    }
    return SubprocessSelection(
        verdict=_verdict(outcome, rows, top, value[order][:, share]),
        caveats=_caveats(rows, weights is not None, top, outcome),
        method=Method("select_subprocesses", method),
        provenance=Provenance(outcome, data_hash=fingerprint(archive), n=len(asked_for)),
        outcome=outcome,
        on=archive.on,
        criterion=_texts(CRITERIA),
        weight=weight,
        declared=weights is not None,
        **rows,
    )


def candidates_of(archive: Archive, given: Sequence[Candidate | str]) -> list[Candidate]:
    """The candidates asked for, else every subprocess on record."""
    if isinstance(given, str | Candidate):
        given = [given]
    processes = archive.of_kind("process")
    if not given:
        parents = {process_of(archive, p.parent) for p in processes if p.parent}
        leaves = dict.fromkeys(p.name for p in processes if p not in parents)
        given = list(leaves)
    out = [c if isinstance(c, Candidate) else Candidate(c) for c in given]
    if not out:
        raise InputError("there is nothing to choose from: no candidates= and no process on record")
    names = [c.name for c in out]
    if len(set(names)) < len(names):
        raise InputError(f"each candidate is named once, got {', '.join(names)}")
    known = {p.name for p in processes} | {m.name for m in archive.of_kind("measure")}
    for c in out:
        if c.name not in known and c.measure is None and c.factor is None:
            raise UnknownNameError("candidate (subprocess or measure)", c.name, known)
    return out


def _weights(given: Mapping[str, float] | None) -> Floats:
    if given is None:
        return np.full(len(CRITERIA), 1 / len(CRITERIA))
    for name, weight in given.items():
        if name not in CRITERIA:
            raise UnknownNameError("criterion", name, CRITERIA)
        if not weight >= 0:
            raise InputError(f"the weight of {name!r} is at least 0, got {weight}")
    made = np.array([float(given.get(name, 0.0)) for name in CRITERIA])
    if made.sum() == 0:
        raise InputError("at least one criterion has a weight above 0")
    return np.asarray(made / made.sum())


def _decision(archive: Archive, c: Candidate, judge: Judge) -> tuple[str, dt.date | None, str, str]:
    """The newest decision about a candidate, or about the measure it is named by."""
    subjects = (c.name, c.measure) if c.measure is not None else (c.name,)
    found = decision_about(archive, [s for s in subjects if s])
    if found is None:
        return "", None, "", ""
    said = {True: "chosen", False: "not chosen", None: "decided"}[found.chosen]
    return said, found.decided_on, found.who, found.why or ""


def _caveats(rows: dict[str, Any], declared: bool, top: float, outcome: str) -> tuple[Caveat, ...]:
    out = []
    names, decision = rows["candidate"], rows["decision"]
    if not declared:
        out.append(Caveat("weights-not-declared", "No weights were declared: all criteria weigh the same."))
    missing = np.isnan(rows["score"])
    if missing.any():
        k = int(missing.sum())
        told = [
            f"{name}: {', '.join(np.array(CRITERIA)[gone])}"
            for name, gone in zip(names, missing, strict=True)
            if gone.any()
        ]
        out.append(
            Caveat(
                "evidence-missing",
                f"{count(k, 'score')} of {missing.size} rest on nothing and count as 0 ({'; '.join(told)}).",
                {"missing": k, "of": int(missing.size)},
            )
        )
    if math.isnan(top):
        text = f"Nothing on record shares out the variation of {outcome!r} among the candidates."
        out.append(Caveat("share-unknown", text))
    elif top < LEAST_SHARE:
        text = f"No candidate explains more than {percent(top)} of the variation of {outcome!r}."
        out.append(Caveat("little-variation-explained", text, {"largest": top, "least": LEAST_SHARE}))
    without = [str(n) for n, d in zip(names, decision, strict=True) if not d]
    if without:
        text = f"No decision is on record about {', '.join(map(repr, without))}."
        out.append(Caveat("no-decision", text, {"n": len(without), "names": ", ".join(without)}))
    bare = [str(n) for n, d, w in zip(names, decision, rows["why"], strict=True) if d and not w.strip()]
    if bare:
        text = f"The decision about {', '.join(map(repr, bare))} gives no reason."
        out.append(Caveat("decision-without-reason", text, {"n": len(bare), "names": ", ".join(bare)}))
    total = rows["total"]
    refused = [k for k, d in enumerate(decision) if d == "not chosen"]
    over = [(k, j) for k in refused for j, d in enumerate(decision) if d == "chosen" and total[j] < total[k]]
    if over:
        k, j = over[0]
        text = (
            f"{names[j]!r} was chosen and {names[k]!r} was not, although it scores higher "
            f"({total[k]:.2f} against {total[j]:.2f})."
        )
        out.append(Caveat("decision-against-score", text, {"n": len(over)}))
    return tuple(out)


def _verdict(outcome: str, rows: dict[str, Any], top: float, share: Floats) -> str:
    names, total, decision = rows["candidate"], rows["total"], rows["decision"]
    best = [repr(str(n)) for n, r in zip(names, rows["rank"], strict=True) if r == 1]
    verb = "scores" if len(best) == 1 else "score"
    text = f"Of {count(len(names), 'candidate')} to manage {outcome}, {' and '.join(best)} {verb} highest "
    text += f"({total[0]:.2f} of 1)"
    if top > 0:
        most = repr(str(names[int(np.nanargmax(share))]))
        text += " and" if best == [most] else f"; {most}"
        text += f" explains most of its variation ({percent(top)})"
    counts = {said: sum(d == said for d in decision) for said in ("chosen", "not chosen", "decided")}
    told = [f"{k} {said}" for said, k in counts.items() if k]
    rest = sum(not d for d in decision)
    told += [f"{rest} not decided"] if rest and told else []
    return f"{text}. " + (f"Decisions on record: {', '.join(told)}." if told else "No decision is on record.")


def _texts(values: Any) -> NDArray[Any]:
    made = list(values)
    out = np.empty(len(made), dtype=object)
    out[:] = made
    return out


def _grid(rows: list[list[str]]) -> NDArray[Any]:
    out = np.empty((len(rows), len(CRITERIA)), dtype=object)
    for k, row in enumerate(rows):
        out[k, :] = row
    return out
