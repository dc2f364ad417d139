"""objective_conflicts(...) -> ObjectiveConflicts: can the objectives of a work be met together?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
from perfanalytics.practices.qwm.work_review_result import hash_of
from perfanalytics.practices.qwm.work_review_terms import asked_of
from perfanalytics.practices.qwm.work_review_tradeoff import TradeOff

if TYPE_CHECKING:
    import pandas as pd

DRAWS, SEED = 200_000, 20260101
_TEXTS = ("what", "objectives", "finding", "conflict")
_NUMBERS = ("number", "low", "high")
#: How conflicts are called in the table.
CONTRADICTION, TRADE_OFF, TOGETHER = "contradictory targets", "trade-off", "met together"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ObjectiveConflicts(Result):
    """Conflicts between the objectives of a work.

    Attributes
    ----------
    work : str
    on : date
    what : text array, shape (k,)
        "contradictory targets", "trade-off", "met together".
    objectives : text array, shape (k,)
        Names, joined by " / ".
    finding : text array, shape (k,)
        In a sentence.
    conflict : text array, shape (k,)
        "yes", "no", or "" where it cannot be said.
    number, low, high : float arrays, shape (k,)
        Rank correlation with its interval; probability that all are met with its bounds whatever the
        dependence (Frechet). NaN for contradictory targets.
    """

    kind: ClassVar[str] = "objective_conflicts"

    work: str
    on: dt.date
    what: NDArray[Any]
    objectives: NDArray[Any]
    finding: NDArray[Any]
    conflict: NDArray[Any]
    number: Floats
    low: Floats
    high: Floats

    def __post_init__(self) -> None:
        for name in (*_TEXTS, *_NUMBERS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: work, on, looked_at, conflicts, verdict."""
        import pandas as pd

        found = int(np.sum(self.conflict == "yes"))
        row = {"work": self.work, "on": self.on, "looked_at": len(self.what), "conflicts": found}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row each: what, objectives, conflict, number, low, high, finding."""
        import pandas as pd

        names = ("what", "objectives", "conflict", "number", "low", "high", "finding")
        return pd.DataFrame({name: getattr(self, name) for name in names})


def objective_conflicts(
    work: str,
    objectives: Sequence[Objective],
    *,
    predictions: Mapping[str, ObjectivePrediction],
    trade_offs: Sequence[TradeOff] = (),
    least_probability: float | None = None,
    on: dt.date,
) -> ObjectiveConflicts:
    """What keeps objectives from being met together.

    Contradictory targets on one measure; measures that trade off from period to period; a probability of
    meeting all objectives that is below what was declared, although each by itself is probable enough.

    Parameters
    ----------
    work : str
    objectives : sequence of Objective
    predictions : mapping of objective to ObjectivePrediction
    trade_offs : sequence of TradeOff
    least_probability : float, optional
    on : date

    Notes
    -----
    The joint probability comes from a Gaussian copula: the probabilities as predicted, the correlations those
    of the trade-offs (``2 sin(pi rho / 6)``), 0 where none was measured.

    References
    ----------
    Kruskal (1958), JASA 53, 814-861 (from rank to product-moment correlation). Nelsen (2006), An Introduction
    to Copulas, 2nd ed., section 2.2 (Frechet bounds).

    Examples
    --------
    >>> import datetime as dt
    >>> goals = [Objective("fast", measure="h", statistic="mean", target=8, direction="at_most"),
    ...          Objective("thorough", measure="h", statistic="mean", target=10, direction="at_least")]
    >>> objective_conflicts("A", goals, predictions={}, on=dt.date(2024, 6, 30)).conflict.tolist()
    ['yes']
    """
    rows = list(_contradictions(objectives))
    rows += [_traded(t) for t in trade_offs]
    rows += list(_together(objectives, predictions, trade_offs, least_probability))
    columns: dict[str, NDArray[Any]] = {n: np.array([r[n] for r in rows], dtype=object) for n in _TEXTS}
    columns |= {n: np.array([r[n] for r in rows], dtype=float) for n in _NUMBERS}
    found = [r for r in rows if r["conflict"] == "yes"]
    return ObjectiveConflicts(
        verdict=_verdict(rows, found, len(objectives)),
        caveats=tuple(
            Caveat(
                "objectives-conflict", str(r["finding"]), {"what": r["what"], "objectives": r["objectives"]}
            )
            for r in found
        ),
        method=Method(
            "objective_conflicts",
            {
                "joint": "Gaussian copula, correlations of the trade-offs",
                "draws": DRAWS,
                "seed": SEED,
                "least_probability": least_probability,
            },
            ("Kruskal (1958), JASA 53", "Nelsen (2006), An Introduction to Copulas, section 2.2"),
        ),
        provenance=Provenance(work, data_hash=hash_of(rows, on), n=len(rows)),
        work=work,
        on=on,
        **columns,
    )


def _row(what: str, objectives: str, conflict: bool | None, finding: str, *numbers: float) -> dict[str, Any]:
    given = dict(zip(_NUMBERS, numbers or (math.nan,) * 3, strict=True))
    told = "" if conflict is None else ("yes" if conflict else "no")
    return {"what": what, "objectives": objectives, "conflict": told, "finding": finding} | given


def _contradictions(objectives: Sequence[Objective]) -> Iterator[dict[str, Any]]:
    """Pairs on one measure: what one asks for leaves no room for the other."""
    for a, b in combinations(objectives, 2):
        if a.measure != b.measure or a.direction == b.direction:
            continue
        upper, lower = (a, b) if a.direction == "at_most" else (b, a)
        if lower.target <= upper.target:
            continue
        names = f"{a.name} / {b.name}"
        said = (
            f"{a.measure} shall be at most {number(upper.target)} ('{upper.name}') and at least "
            f"{number(lower.target)} ('{lower.name}')"
        )
        same = a.statistic == b.statistic and a.statistic not in ("item",)
        if same:
            yield _row(CONTRADICTION, names, True, f"{said}: both cannot be.")
            continue
        try:
            one, other = asked_of(a), asked_of(b)
        except PerfAnalyticsError:
            whole = a.statistic == b.statistic == "item"
            if whole:
                yield _row(CONTRADICTION, names, True, f"{said}: no item can do both.")
            continue
        if one.of_target and other.of_target and one.required + other.required > 1:
            yield _row(
                CONTRADICTION,
                names,
                True,
                f"{said}, by {percent(one.required)} and {percent(other.required)} of items: no item can do "
                "both, and the shares are more than all.",
            )


def _traded(found: TradeOff) -> dict[str, Any]:
    names = f"{found.objective.name} / {found.other_objective.name}"
    numbers = (found.correlation, found.low, found.high)
    return _row(TRADE_OFF, names, found.trades_off, found.verdict, *numbers)


def _together(
    objectives: Sequence[Objective],
    predictions: Mapping[str, ObjectivePrediction],
    trade_offs: Sequence[TradeOff],
    least: float | None,
) -> Iterator[dict[str, Any]]:
    """The probability that all objectives that are predicted are met."""
    names = [
        o.name
        for o in objectives
        if o.name in predictions and not math.isnan(predictions[o.name].probability)
        and not predictions[o.name].is_over
    ]  # fmt: skip
    if len(names) < 2:
        return
    chances = np.array([predictions[n].probability for n in names])
    joint = _joint(chances, _correlations(names, trade_offs))
    low, high = max(float(chances.sum()) - len(names) + 1, 0.0), float(chances.min())
    joint = max(joint, low)
    said = percent(joint) if joint > 0 or high == 0 else "less than 0.1%"
    text = f"all {len(names)} are met with a probability of {said}"
    text += f" ({percent(low)} to {percent(high)} whatever hangs together)"
    if least is None:
        yield _row(TOGETHER, " / ".join(names), None, text + ".", joint, low, high)
        return
    each = bool((chances >= least).all())
    clash = each and joint < least
    if clash:
        text += f": each by itself is above the {percent(least)} declared, together they are not"
    elif not each:
        text += f"; not each by itself reaches the {percent(least)} declared"
    yield _row(TOGETHER, " / ".join(names), clash, text + ".", joint, low, high)


def _correlations(names: Sequence[str], trade_offs: Sequence[TradeOff]) -> Floats:
    matrix = np.eye(len(names))
    for t in trade_offs:
        a, b = t.objective.name, t.other_objective.name
        if a in names and b in names and not math.isnan(t.correlation):
            i, j = names.index(a), names.index(b)
            matrix[i, j] = matrix[j, i] = 2 * math.sin(math.pi * t.correlation / 6)
    return matrix


def _joint(chances: Floats, correlation: Floats) -> float:
    """Probability that all happen; draws with a fixed seed."""
    if np.array_equal(correlation, np.eye(len(chances))):
        return float(chances.prod())
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    scale = np.sqrt((root**2).sum(axis=1))
    drawn = np.random.default_rng(SEED).standard_normal((DRAWS, len(chances))) @ (root / scale[:, None]).T
    return float((drawn <= special.ndtri(chances)).all(axis=1).mean())


def _verdict(rows: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], objectives: int) -> str:
    if objectives < 2:
        return "There are no two objectives that could conflict."
    if found:
        return f"{count(len(found), 'conflict')} between objectives. " + " ".join(
            _sentence(str(r["finding"])) for r in found
        )
    return "No conflict between the objectives is seen." + (
        "" if rows else " Whether their measures trade off could not be looked at."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
