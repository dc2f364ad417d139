"""check_predictions(earlier, later) -> PredictionCheck: did what the last review predicted come true?"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count
from perfanalytics.core.codec import read_only
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Method, Provenance, Result
from perfanalytics.practices.qwm.work_review_prediction import ObjectivePrediction
from perfanalytics.practices.qwm.work_review_result import hash_of

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ("objective", "came_true", "outcome", "said")
_NUMBERS = ("probability", "n_since", "low", "high", "observed_since")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PredictionCheck(Result):
    """Predictions of an earlier review beside what was seen since.

    Attributes
    ----------
    work : str
    made_on, on : date
        Days of the earlier and of the later review.
    objective : text array, shape (k,)
    probability : float array, shape (k,)
        As predicted then.
    n_since : float array, shape (k,)
        Outcomes that have become known since.
    low, high, observed_since : float arrays, shape (k,)
        The interval predicted then for so many items, and what they were; NaN without any.
    came_true : text array, shape (k,)
        "yes": inside the interval; "no": outside; "" where nothing became known.
    outcome : text array, shape (k,)
        "met", "missed", or "" while the period runs.
    said : text array, shape (k,)
        In a sentence.
    """

    kind: ClassVar[str] = "prediction_check"

    work: str
    made_on: dt.date
    on: dt.date
    objective: NDArray[Any]
    came_true: NDArray[Any]
    outcome: NDArray[Any]
    said: NDArray[Any]
    probability: Floats
    n_since: Floats
    low: Floats
    high: Floats
    observed_since: Floats

    def __post_init__(self) -> None:
        for name in (*_TEXTS, *_NUMBERS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: work, made_on, on, predictions, came_true, did_not, verdict."""
        import pandas as pd

        row = {"work": self.work, "made_on": self.made_on, "on": self.on, "predictions": len(self.objective)}
        row |= {
            "came_true": int(np.sum(self.came_true == "yes")),
            "did_not": int(np.sum(self.came_true == "no")),
        }
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])

    def to_frame(self) -> pd.DataFrame:
        """One row an objective: objective, probability, n_since, low, high, observed_since, came_true,
        outcome, said."""
        import pandas as pd

        names = (
            "objective",
            "probability",
            "n_since",
            "low",
            "high",
            "observed_since",
            "came_true",
            "outcome",
        )
        return pd.DataFrame({name: getattr(self, name) for name in (*names, "said")})


def check_predictions(
    work: str,
    earlier: Mapping[str, ObjectivePrediction],
    later: Mapping[str, ObjectivePrediction],
) -> PredictionCheck:
    """Hold earlier predictions against what has become known since.

    Parameters
    ----------
    work : str
    earlier, later : mapping of objective to ObjectivePrediction
        Of the earlier and the later review; at least one of each.

    Notes
    -----
    What became known since is the difference between the later and the earlier "so far". It came true when it
    lies in the interval that the earlier prediction gives for so many items: that is right even while the
    period runs. Whether the objective was met in the end is a single event, and says little about a
    probability.
    """
    rows = []
    for name, then in earlier.items():
        now = later.get(name)
        if now is not None:
            rows.append({"objective": name} | _checked(then, now))
    made_on = max(p.on for p in earlier.values())
    on = max((p.on for p in later.values()), default=made_on)
    columns: dict[str, Any] = {n: np.array([r[n] for r in rows], dtype=object) for n in _TEXTS}
    columns |= {n: np.array([r[n] for r in rows], dtype=float) for n in _NUMBERS}
    return PredictionCheck(
        verdict=_verdict(rows, made_on),
        method=Method("check_predictions", {"interval": "of the earlier prediction, for the items since"}),
        provenance=Provenance(work, data_hash=hash_of(rows, on), n=len(rows)),
        work=work,
        made_on=made_on,
        on=on,
        **columns,
    )


def _checked(then: ObjectivePrediction, now: ObjectivePrediction) -> dict[str, Any]:
    n = now.n_observed - then.n_observed
    seen = low = high = math.nan
    true = ""
    if n > 0 and (then.form, then.required) == (now.form, now.required):
        seen = (now.n_observed * now.observed - then.n_observed * then.observed) / n
        low, high = then.ahead(n)
        if not math.isnan(low):
            # counts come back from shares: the last digit must not decide
            true = "yes" if low - 1e-9 <= seen <= high + 1e-9 else "no"
    outcome = {True: "met", False: "missed", None: ""}[now.outcome]
    told = {
        "yes": "what came since lies in what was predicted",
        "no": "what came since lies outside what was predicted",
        "": "nothing new has become known",
    }[true]
    if (then.form, then.required) != (now.form, now.required):
        told = "the objective was changed since: nothing to compare"
    if outcome:
        told += f"; the objective was {outcome}"
    return {
        "came_true": true,
        "outcome": outcome,
        "said": told,
        "probability": then.probability,
        "n_since": float(n),
        "low": low,
        "high": high,
        "observed_since": seen,
    }


def _verdict(rows: Sequence[Mapping[str, Any]], made_on: dt.date) -> str:
    judged = [r for r in rows if r["came_true"]]
    if not judged:
        return f"Nothing that the review of {made_on} predicted can be checked yet."
    true = sum(r["came_true"] == "yes" for r in judged)
    text = f"{true} of {count(len(judged), 'prediction')} of the review of {made_on} came true."
    wrong = [str(r["objective"]) for r in judged if r["came_true"] == "no"]
    return text + (f" Not those of {', '.join(wrong)}." if wrong else "")
