"""improvement_register(archive): every proposal, how far it is, and what its records lack."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count
from perfanalytics.core.archive import Archive
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.improvement_records import Deployment, Pilot, Proposal, SuccessCriterion
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.fingerprint import fingerprint
from perfanalytics.practices.opm.improvement_terms import text_array

if TYPE_CHECKING:
    import pandas as pd

#: How far a proposal is, the furthest last.
STAGES = ("proposed", "criterion declared", "in pilot", "pilot over", "chosen", "not chosen", "deployed")
_TEXTS = ("proposal", "originator", "objective", "stage", "criterion", "pilot", "decision", "who", "missing")
_DATES = (
    "declared_on", "criterion_declared_on", "pilot_since", "pilot_until", "decided_on", "deployed_since",
)  # fmt: skip
_NUMBERS = ("cost", "expected_benefit", "cost_of_not_fixing")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ImprovementRegister(Result):
    """k improvement proposals with their criteria, pilots, decisions and deployment.

    Attributes
    ----------
    on : date
    proposal, originator, objective, stage, criterion, pilot, decision, who, missing : text arrays, shape (k,)
        ``stage`` is one of "proposed", "criterion declared", "in pilot", "pilot over", "chosen", "not
        chosen", "deployed"; ``missing`` says in words what the records lack, "" where nothing.
    declared_on, criterion_declared_on, pilot_since, pilot_until, decided_on, deployed_since : datetime64[D]
    arrays
        Of the proposal; the latest of its criteria; its first pilot day and the end of its last pilot (not
        included); the newest decision about it; its first stage. NaT where there is none.
    cost, expected_benefit, cost_of_not_fixing : float arrays, shape (k,)
        As stated in the proposal; NaN where it is not.
    """

    kind: ClassVar[str] = "improvement_register"

    on: dt.date
    proposal: NDArray[Any]
    originator: NDArray[Any]
    objective: NDArray[Any]
    stage: NDArray[Any]
    criterion: NDArray[Any]
    pilot: NDArray[Any]
    decision: NDArray[Any]
    who: NDArray[Any]
    missing: NDArray[Any]
    declared_on: NDArray[np.datetime64]
    criterion_declared_on: NDArray[np.datetime64]
    pilot_since: NDArray[np.datetime64]
    pilot_until: NDArray[np.datetime64]
    decided_on: NDArray[np.datetime64]
    deployed_since: NDArray[np.datetime64]
    cost: Floats
    expected_benefit: Floats
    cost_of_not_fixing: Floats

    def __post_init__(self) -> None:
        for name in (*_TEXTS, *_DATES, *_NUMBERS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def to_frame(self) -> pd.DataFrame:
        """One row a proposal: proposal, stage, originator, objective, declared_on, criterion,
        criterion_declared_on, pilot, pilot_since, pilot_until, decision, who, decided_on, deployed_since,
        cost, expected_benefit, cost_of_not_fixing, missing."""
        import pandas as pd

        names = (
            "proposal", "stage", "originator", "objective", "declared_on", "criterion",
            "criterion_declared_on", "pilot", "pilot_since", "pilot_until", "decision", "who", "decided_on",
            "deployed_since", "cost", "expected_benefit", "cost_of_not_fixing", "missing",
        )  # fmt: skip
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def summary(self) -> pd.DataFrame:
        """One row: on, proposals, a number a stage (underscores for blanks), with_gaps, caveats, verdict."""
        import pandas as pd

        row: dict[str, Any] = {"on": self.on, "proposals": len(self.proposal)}
        row |= {s.replace(" ", "_"): int((self.stage == s).sum()) for s in STAGES}
        row |= {"with_gaps": int((self.missing != "").sum()), "caveats": ", ".join(self.caveat_codes)}
        return pd.DataFrame([row | {"verdict": self.verdict}])

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The proposals and what they lack; their dates. The summary says no more than the verdict."""
        frame = self.to_frame()
        first = ["proposal", "stage", "originator", "objective", "cost", "expected_benefit", "missing"]
        dates = ["proposal", "declared_on", "criterion", "criterion_declared_on", "pilot", "pilot_since"]
        more = ["pilot_until", "decision", "decided_on", "who", "deployed_since"]
        return ("Proposals", frame[first]), ("Dates", frame[[*dates, *more]])


def improvement_register(archive: Archive) -> ImprovementRegister:
    """Every improvement proposal, how far it is, and what its records lack.

    Parameters
    ----------
    archive : Archive

    Returns
    -------
    ImprovementRegister

    Notes
    -----
    A criterion counts only when it was declared before the first day of the pilot of its measure. A proposal
    is "chosen" or "not chosen" by the newest ``Decision`` whose ``subject`` is its name, and "deployed" from
    the first day of its first stage on. What is said to be missing: a criterion; a criterion declared in
    time; a pilot of the measure a criterion is about; a comparison group; a cost; an expected benefit; an
    objective; a decision before deployment.

    Examples
    --------
    >>> proposal = Proposal("Triage", originator="A. Meier", outcome="Long resolution")
    >>> found = improvement_register(Archive.of([proposal], on=dt.date(2024, 6, 1)))
    >>> str(found.stage[0]), "criterion-missing" in found.caveat_codes
    ('proposed', True)
    """
    proposals: tuple[Proposal, ...] = archive.of_kind("proposal")
    gaps: dict[str, list[str]] = {}
    rows = [_row(p, archive, gaps) for p in proposals]
    columns: dict[str, Any] = {n: text_array(r[n] for r in rows) for n in _TEXTS}
    columns |= {n: np.array([r[n] for r in rows], dtype="datetime64[D]") for n in _DATES}
    columns |= {
        n: np.array([math.nan if r[n] is None else r[n] for r in rows], dtype=float) for n in _NUMBERS
    }
    return ImprovementRegister(
        verdict=_verdict(rows),
        caveats=tuple(
            Caveat(code, f"{_SAID[code]}: {'; '.join(names)}.", {"n": len(names), "names": ", ".join(names)})
            for code, names in sorted(gaps.items(), key=lambda g: list(_SAID).index(g[0]))
        ),
        method=Method("improvement_register", {"criterion": "counts when declared before the pilot"}),
        provenance=Provenance("improvement proposals", data_hash=fingerprint(archive), n=len(rows)),
        on=archive.on,
        **columns,
    )


#: Code of a caveat -> what is said of the proposals it names.
_SAID = {
    "criterion-after-pilot": "Success criteria declared after the pilot began, so they say little",
    "criterion-missing": "No success criterion is declared",
    "pilot-of-another-measure": "No pilot is about the measure of a criterion",
    "pilot-without-comparison": "A pilot without comparison group: what else changed counts as its effect",
    "pilot-groups-overlap": "The comparison group of a pilot is the pilot itself",
    "deployed-undecided": "Deployed without a decision on record before the first stage",
    "deployed-without-pilot": "Deployed, or decided for, without a pilot on record",
    "objective-missing": "No objective is named",
    "objective-unknown": "The objective named is not on record",
    "cost-missing": "No cost is stated",
    "benefit-missing": "No expected benefit is stated",
}
_SHORT = {
    "criterion-after-pilot": "criterion in time", "criterion-missing": "success criterion",
    "pilot-of-another-measure": "pilot of the measure of the criterion",
    "pilot-without-comparison": "comparison group", "pilot-groups-overlap": "comparison group of its own",
    "deployed-undecided": "decision before deployment", "deployed-without-pilot": "pilot",
    "objective-missing": "objective", "objective-unknown": "objective on record", "cost-missing": "cost",
    "benefit-missing": "expected benefit",
}  # fmt: skip


def criteria_of(archive: Archive, proposal: str) -> tuple[SuccessCriterion, ...]:
    """The success criteria of a proposal."""
    return tuple(c for c in archive.of_kind("success_criterion") if c.proposal == proposal)


def _row(p: Proposal, archive: Archive, gaps: dict[str, list[str]]) -> dict[str, Any]:
    criteria = criteria_of(archive, p.name)
    pilots: list[Pilot] = [x for x in archive.of_kind("pilot") if x.proposal == p.name]
    stages: list[Deployment] = [x for x in archive.of_kind("deployment") if x.proposal == p.name]
    decisions = [d for d in archive.of_kind("decision") if d.subject == p.name]
    decision = max(decisions, key=lambda d: d.decided_on) if decisions else None
    since = min((x.since for x in pilots), default=None)
    until = max((x.until for x in pilots), default=None)
    first = min((x.since for x in stages), default=None)
    chosen = None if decision is None else decision.chosen
    found = _gaps(p, criteria, pilots, archive)
    if first is not None and not any(d.chosen is not False and d.decided_on <= first for d in decisions):
        found.append("deployed-undecided")
    if (first is not None or chosen) and not pilots:
        found.append("deployed-without-pilot")
    for code in found:
        gaps.setdefault(code, []).append(p.name)
    return {
        "proposal": p.name,
        "originator": p.originator,
        "objective": p.objective or "",
        "stage": _stage(archive.on, bool(criteria), since, until, chosen, first),
        "criterion": "; ".join(c.name for c in criteria),
        "pilot": "; ".join(x.name for x in pilots),
        "decision": {True: "chosen", False: "not chosen", None: "" if decision is None else "decided"}[
            chosen
        ],
        "who": "" if decision is None else decision.who,
        "missing": ", ".join(_SHORT[c] for c in found),
        "declared_on": p.declared_on,
        "criterion_declared_on": max((c.declared_on for c in criteria), default=None),
        "pilot_since": since,
        "pilot_until": until,
        "decided_on": None if decision is None else decision.decided_on,
        "deployed_since": first,
        "cost": p.cost,
        "expected_benefit": p.expected_benefit,
        "cost_of_not_fixing": p.cost_of_not_fixing,
    }


def _gaps(
    p: Proposal, criteria: Sequence[SuccessCriterion], pilots: Sequence[Pilot], archive: Archive
) -> list[str]:
    found = []
    since = min((x.since for x in pilots), default=None)
    tried = [c for c in criteria if c.measure in {x.measure for x in pilots}]
    if not criteria:
        found.append("criterion-missing")
    elif since is not None and any(c.declared_on >= since for c in tried or criteria):
        found.append("criterion-after-pilot")
    if criteria and pilots and not tried:
        found.append("pilot-of-another-measure")
    if any(not x.compared_with for x in pilots):
        found.append("pilot-without-comparison")
    if any(x.compared_with and dict(x.compared_with) == dict(x.where) for x in pilots):
        found.append("pilot-groups-overlap")
    if not p.objective:
        found.append("objective-missing")
    elif p.objective not in {o.name for o in archive.of_kind("objective")}:
        found.append("objective-unknown")
    if p.cost is None:
        found.append("cost-missing")
    if p.expected_benefit is None:
        found.append("benefit-missing")
    return found


def _stage(
    on: dt.date,
    criteria: bool,
    since: dt.date | None,
    until: dt.date | None,
    chosen: bool | None,
    first: dt.date | None,
) -> str:
    """How far a proposal is on a day."""
    if first is not None and first <= on:
        return "deployed"
    if chosen is not None:
        return "chosen" if chosen else "not chosen"
    if since is not None and until is not None and since <= on:
        return "in pilot" if on < until else "pilot over"
    return "criterion declared" if criteria else "proposed"


def _verdict(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "No improvement proposal is on record."
    by = [(s, sum(r["stage"] == s for r in rows)) for s in STAGES]
    text = f"{count(len(rows), 'improvement proposal')}: {', '.join(f'{k} {s}' for s, k in by if k)}."
    bad = [r["proposal"] for r in rows if r["missing"]]
    if not bad:
        return f"{text} Nothing is missing in their records."
    of = f"'{bad[0]}'" if len(bad) == 1 else f"{len(bad)} of them"
    return f"{text} The records of {of} lack something."
