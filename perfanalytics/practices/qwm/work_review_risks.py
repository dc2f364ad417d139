"""risk_register(...) -> RiskRegister: recorded risks and those that predictions show, with what they cost."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.practice_records import Risk
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
from perfanalytics.practices.qwm.work_review_result import hash_of

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("risk", "origin", "objective", "probability_from", "consequence", "response", "owner", "state")
_NUMBERS = ("probability", "cost", "expected_cost")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class RiskRegister(Result):
    """The risks of a work at one day.

    Attributes
    ----------
    work : str
    on : date
    risk, origin, objective, probability_from, consequence, response, owner, state : text arrays, shape (k,)
        ``origin`` is "recorded" or "computed" (an objective that may be missed, without a recorded risk);
        ``probability_from`` is "people", "prediction", or "" where nobody gave one; ``state`` "open",
        "closed", "occurred".
    probability, cost, expected_cost : float arrays, shape (k,)
        Of occurring; what it then costs; their product. NaN where it is not known.
    """

    kind: ClassVar[str] = "risk_register"

    work: str
    on: dt.date
    risk: NDArray[Any]
    origin: NDArray[Any]
    objective: NDArray[Any]
    probability_from: NDArray[Any]
    consequence: NDArray[Any]
    response: NDArray[Any]
    owner: NDArray[Any]
    state: NDArray[Any]
    probability: Floats
    cost: Floats
    expected_cost: Floats

    def __post_init__(self) -> None:
        for name in (*_TEXTS, *_NUMBERS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: work, on, risks, open, expected_cost (of open risks that have one), verdict."""
        import pandas as pd

        still = self.state == "open"
        known = still & ~np.isnan(self.expected_cost)
        return pd.DataFrame(
            [
                {
                    "work": self.work,
                    "on": self.on,
                    "risks": len(self.risk),
                    "open": int(still.sum()),
                    "expected_cost": float(self.expected_cost[known].sum()) if known.any() else math.nan,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a risk: risk, origin, objective, probability, probability_from, cost, expected_cost,
        consequence, response, owner, state."""
        import pandas as pd

        first = ("risk", "origin", "objective", "probability", "probability_from", "cost", "expected_cost")
        names = (*first, "consequence", "response", "owner", "state")
        return pd.DataFrame({name: getattr(self, name) for name in names})

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """The risks; the summary says no more than the verdict."""
        return (("Risks", self.to_frame()),)


def risk_register(
    work: str,
    risks: Sequence[Risk],
    predictions: Mapping[str, ObjectivePrediction],
    *,
    on: dt.date,
) -> RiskRegister:
    """Recorded risks, and for each objective that is predicted and has none, the risk of missing it.

    Parameters
    ----------
    work : str
    risks : sequence of Risk
        Those of the work. Where a risk gives no probability and names an objective, it is that of missing
        the objective.
    predictions : mapping of objective to ObjectivePrediction
    on : date

    Returns
    -------
    RiskRegister
        The most expensive expected first, then by probability.

    Examples
    --------
    >>> import datetime as dt
    >>> noted = Risk("Key person leaves", what="...", probability=0.25, cost=1000, owner="Lead")
    >>> float(risk_register("A", [noted], {}, on=dt.date(2024, 6, 30)).expected_cost[0])
    250.0
    """
    rows: list[dict[str, Any]] = []
    covered = {r.objective for r in risks if r.state == "open"}
    for r in risks:
        chance, where = (math.nan, "") if r.probability is None else (r.probability, "people")
        found = predictions.get(r.objective or "")
        if r.probability is None and found is not None and not math.isnan(found.probability):
            chance, where = 1 - found.probability, "prediction"
        rows.append(
            {"risk": r.name, "origin": "recorded", "objective": r.objective or "", "probability": chance}
            | {"probability_from": where, "cost": math.nan if r.cost is None else float(r.cost)}
            | {"consequence": r.consequence, "response": r.response, "owner": r.owner, "state": r.state}
        )
    for name, found in predictions.items():
        if name in covered or found.is_over or math.isnan(found.probability):
            continue
        rows.append(
            {"risk": f"Missing: {name}", "origin": "computed", "objective": name}
            | {"probability": 1 - found.probability, "probability_from": "prediction", "cost": math.nan}
            | {"consequence": "", "response": "", "owner": "", "state": "open"}
        )
    for row in rows:
        row["expected_cost"] = row["probability"] * row["cost"]
    rows.sort(key=lambda r: (r["state"] != "open", -_or(r["expected_cost"]), -_or(r["probability"])))
    doubts = _doubts(rows)
    columns: dict[str, NDArray[Any]] = {n: np.array([r[n] for r in rows], dtype=object) for n in _TEXTS}
    columns |= {n: np.array([r[n] for r in rows], dtype=float) for n in _NUMBERS}
    return RiskRegister(
        verdict=_verdict(rows),
        caveats=doubts,
        method=Method(
            "risk_register",
            {"expected_cost": "probability x cost", "probability": "as judged by people; else of missing"},
        ),
        provenance=Provenance(work, data_hash=hash_of(rows, on), n=len(rows)),
        work=work,
        on=on,
        **columns,
    )


def _or(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _doubts(rows: Sequence[Mapping[str, Any]]) -> tuple[Caveat, ...]:
    still = [r for r in rows if r["state"] == "open" and r["origin"] == "recorded"]
    doubts = []
    for code, key, said in (
        ("risk-without-owner", "owner", "without an owner"),
        ("risk-without-response", "response", "without a response"),
    ):
        bare = [str(r["risk"]) for r in still if not r[key]]
        if bare:
            text = f"{count(len(bare), 'open risk')} {said}: {'; '.join(bare)}."
            doubts.append(Caveat(code, text, {"risks": len(bare)}))
    for code, key, said in (
        ("risk-without-probability", "probability", "without a probability"),
        ("risk-without-cost", "cost", "without a recorded cost: what is at stake is not known"),
    ):
        bare = [str(r["risk"]) for r in rows if r["state"] == "open" and math.isnan(r[key])]
        if bare:
            text = f"{count(len(bare), 'open risk')} {said}: {'; '.join(bare)}."
            doubts.append(Caveat(code, text, {"risks": len(bare)}))
    return tuple(doubts)


def _verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    still = [r for r in rows if r["state"] == "open"]
    if not still:
        return "No open risk is on record, and no prediction shows one."
    text = f"{count(len(still), 'open risk')}"
    computed = sum(1 for r in still if r["origin"] == "computed")
    text += f", {computed} of them from predictions only" if computed else ""
    costly = [r for r in still if not math.isnan(r["expected_cost"])]
    if costly:
        total = sum(r["expected_cost"] for r in costly)
        worst = costly[0]
        return (
            f"{text}; {number(total)} expected to be lost in all, the most by '{worst['risk']}' "
            f"({percent(worst['probability'])} of {number(worst['cost'])})."
        )
    likely = max(still, key=lambda r: _or(r["probability"]))
    if not math.isnan(likely["probability"]):
        text += f"; the most probable is '{likely['risk']}' ({percent(likely['probability'])})"
    return text + ". What they cost is not recorded."
