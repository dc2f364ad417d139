"""predictions(model, new) -> Predictions: what was predicted, kept beside what then happened."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.records import Objective
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.models.conditional import law_of
from perfanalytics.models.formula import parse
from perfanalytics.models.prediction import frame_of, read_new
from perfanalytics.models.predictive import Predictive
from perfanalytics.models.result import Model
from perfanalytics.models.shared_error import loadings, nothing_shared, spread_df

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Normal scores at which the quantiles of an item are kept; a score beyond them is cut at 4.
SCORES = np.linspace(-3.0, 3.0, 25)
FARTHEST = 4.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Predictions(Result):
    """Predictions of single items, with what then happened where it is known.

    Attributes
    ----------
    measure : Measure
    objective : Objective or None
    formula, family : str
        Of the model.
    made_on : date or None
    items : text array, shape (n,)
    estimate, mean, item_low, item_high : float arrays, shape (n,)
        As predicted; the interval has ``confidence``.
    probability : float array, shape (n,)
        Predicted probability of meeting the objective; NaN without one.
    extrapolates : bool array, shape (n,)
    scores, quantiles : float arrays, shapes (25,), (n, 25)
        The predicted distribution of each item: its quantiles at normal scores.
    observed : float array, shape (n,)
        What happened; NaN where it is not known yet.
    place : int array, shape (n,)
        In which order the outcomes became known (0 is the first); -1 where it is not known yet.
    shared : float array, shape (n, k)
        What the scores have in common because they rest on the same estimated parameters: the mean score
        of items has the variance ``sum(1 - |shared_i|^2) / m^2 + |mean shared|^2``. Without columns in
        results of earlier versions.
    spread_df : float array, shape (n,)
        Degrees of freedom of the spread of the item; infinite where it is known.
    confidence : float
    """

    kind: ClassVar[str] = "predictions"
    schema_version: ClassVar[int] = 2

    measure: Measure
    objective: Objective | None
    formula: str
    family: str
    made_on: dt.date | None
    items: NDArray[Any]
    estimate: Floats
    mean: Floats
    item_low: Floats
    item_high: Floats
    probability: Floats
    extrapolates: NDArray[np.bool_]
    scores: Floats
    quantiles: Floats
    observed: Floats
    place: NDArray[np.int64]
    shared: Floats
    spread_df: Floats
    confidence: float

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 did not know what predictions have in common."""
        return fields | nothing_shared(len(fields["items"])) if version == 1 else fields

    def to_frame(self) -> pd.DataFrame:
        """One row per item: item, estimate, mean, item_low, item_high, probability, extrapolates, observed,
        score (normal score of what happened in the predicted distribution), inside (whether in the interval;
        NA where nothing is known yet), confidence, unit."""
        import pandas as pd

        known = ~np.isnan(self.observed)
        inside = pd.array(
            ((self.observed >= self.item_low) & (self.observed <= self.item_high)), dtype="boolean"
        )
        inside[~known] = pd.NA
        columns = {"item": self.items} | {
            n: getattr(self, n)
            for n in ("estimate", "mean", "item_low", "item_high", "probability", "extrapolates", "observed")
        }
        return pd.DataFrame(
            columns
            | {"score": self.error_scores(), "inside": inside, "confidence": self.confidence}
            | {"unit": self.measure.unit}
        )

    def summary(self) -> pd.DataFrame:
        """One row: measure, unit, formula, made_on, n, known, inside (share), caveats, verdict."""
        import pandas as pd

        known = ~np.isnan(self.observed)
        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "formula": self.formula,
                    "made_on": self.made_on,
                    "n": len(self.items),
                    "known": int(known.sum()),
                    "inside": self.inside,
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    @property
    def inside(self) -> float:
        """Share of the known outcomes within their intervals; NaN when none is known."""
        known = ~np.isnan(self.observed)
        if not known.any():
            return math.nan
        within = (self.observed >= self.item_low) & (self.observed <= self.item_high)
        return float(within[known].mean())

    def error_scores(self) -> Floats:
        """Normal score of what happened in the predicted distribution, shape (n,): standard normal while the
        model holds; NaN where nothing is known yet."""
        return scores_of(self.quantiles, self.observed)

    def with_outcomes(self, outcomes: Mapping[str, float] | pd.Series) -> Predictions:
        """The same predictions with what happened to some more items.

        Parameters
        ----------
        outcomes : mapping of item to value, or pandas Series indexed by item
            In the order in which they became known.

        Returns
        -------
        Predictions

        Raises
        ------
        UnknownNameError
            For an item that was not predicted.
        InputError
            For an outcome that is no finite number, that the measure or family cannot have (a negative
            duration, half a count, a share above 1), or that differs from one that is already known.
        """
        place_of = {str(name): k for k, name in enumerate(self.items)}
        observed, place = self.observed.copy(), self.place.copy()
        for name, value in dict(outcomes).items():
            if str(name) not in place_of:
                raise UnknownNameError("predicted item", str(name), place_of)
            number = _outcome(self, name, value)
            k = place_of[str(name)]
            if not math.isnan(observed[k]) and observed[k] != number:
                raise InputError(
                    f"the outcome of {name!r} is already known as {observed[k]:g}, got {number:g}"
                )
            if math.isnan(observed[k]):
                observed[k], place[k] = number, place.max() + 1
        made = replace(self, observed=read_only(observed), place=read_only(place))
        return replace(made, verdict=_verdict(made))


def predictions(
    model: Model,
    new: pd.DataFrame | Mapping[str, Any],
    *,
    items: Sequence[str] | str | None = None,
    made_on: dt.date | None = None,
    confidence: float = 0.95,
) -> Predictions:
    """Predictions to keep: saved in the repository, they are later held against what happened.

    Parameters
    ----------
    model : Model
    new : DataFrame or mapping of column to values
        As for :meth:`perfanalytics.Model.predict`.
    items : sequence of str, or name of a column, optional
        What the items are called; default the index of ``new``.
    made_on : date, optional
        When they were made; a prediction made after the outcome was known is none.
    confidence : float

    Returns
    -------
    Predictions

    Raises
    ------
    InputError
        When items have no names of their own, or their number is another.

    Examples
    --------
    >>> import pandas as pd
    >>> from perfanalytics.models.model import fit
    >>> data = pd.DataFrame({"hours": [2.1, 3.9, 6.2, 7.8, 10.1, 12.2], "size": [1, 2, 3, 4, 5, 6]})
    >>> made = predictions(fit("hours ~ size", data), {"size": [2, 5]}, items=["a", "b"])
    >>> made.with_outcomes({"a": 4.1}).inside
    1.0
    """
    frame = frame_of(new)
    if isinstance(items, str):
        if items not in frame.columns:
            raise UnknownNameError("column (items=)", items, [str(c) for c in frame.columns])
        names = [str(v) for v in frame[items]]
    else:
        names = [str(v) for v in (frame.index if items is None else items)]
    if len(names) != len(frame) or len(set(names)) < len(names):
        raise InputError(
            f"items= gives each of the {len(frame)} rows a name of its own, got {len(names)} names"
        )
    law = law_of(model, frame)
    grid = quantile_grid(law)
    told = model.predict(frame, confidence=confidence)
    single = model.objective is not None and model.objective.statistic == "item"
    chance = model.probability(frame)["probability"].to_numpy() if single else np.full(len(frame), np.nan)
    outside = told["extrapolates"].to_numpy(dtype=bool)
    doubts = []
    if outside.any():
        text = f"{count(int(outside.sum()), 'item')} of {len(frame)} lie outside the data of the model."
        doubts.append(Caveat("extrapolates", text, {"items": int(outside.sum())}))
    blank = np.isnan(told["estimate"].to_numpy())
    if blank.any():
        first = int(np.argmax(blank))
        which = "" if blank.sum() == 1 else "the first is "
        text = (
            f"{count(int(blank.sum()), 'item')} of {len(frame)} cannot be predicted: {which}"
            f"{names[first]!r} ({told['why'].iat[first]})."
        )
        doubts.append(Caveat("not-predicted", text, {"items": int(blank.sum())}))
    made = Predictions(
        measure=model.measure,
        objective=model.objective,
        formula=model.formula,
        family=model.family,
        made_on=made_on,
        items=read_only(np.array(names, dtype=object)),
        estimate=read_only(told["estimate"].to_numpy()),
        mean=read_only(told["mean"].to_numpy()),
        item_low=read_only(told["item_low"].to_numpy()),
        item_high=read_only(told["item_high"].to_numpy()),
        probability=read_only(chance),
        extrapolates=read_only(outside),
        scores=read_only(SCORES),
        quantiles=read_only(grid),
        observed=read_only(np.full(len(frame), np.nan)),
        place=read_only(np.full(len(frame), -1, dtype=np.int64)),
        shared=read_only(loadings(model, law, read_new(model, frame).x, SCORES, grid)),
        spread_df=read_only(np.full(len(frame), spread_df(model))),
        confidence=confidence,
        verdict="",
        caveats=tuple(doubts),
        method=Method(
            "predictions",
            {
                "model": model.formula,
                "family": model.family,
                "model_key": model.method.key,
                "confidence": confidence,
                "made_on": None if made_on is None else made_on.isoformat(),
            },
        ),
        provenance=model.provenance,
    )
    return replace(made, verdict=_verdict(made))


def quantile_grid(law: Predictive) -> Floats:
    """Quantiles of each new item at :data:`SCORES`, shape (n, 25)."""
    return np.array([law.quantile(float(special.ndtr(z))) for z in SCORES]).T.copy()


def scores_of(quantiles: Floats, observed: Floats) -> Floats:
    """Normal score of each outcome among the quantiles of its item.

    Of whole numbers and shares a random place in their step (Dunn and Smyth 1996, JCGS 5, 236-244), drawn
    with a fixed seed: only so are the scores standard normal while the model holds.

    Examples
    --------
    >>> scores_of(SCORES[None, :] * 2.0 + 10.0, np.array([12.0])).round(6).tolist()
    [1.0]
    """
    out = np.full(len(observed), np.nan)
    rng = np.random.default_rng(20260101)
    for k in np.flatnonzero(~np.isnan(observed)).tolist():
        row, y = quantiles[k], float(observed[k])
        if np.isnan(row).any():
            continue
        if len(np.unique(row)) < len(row):
            # a law with steps: of counts, or of shares of so many trials
            tiny = 1e-9 * float(np.abs(row).max())
            low, high = _chance(row < y - tiny), _chance(row <= y + tiny)
            if high > low or np.all(row == np.round(row)):
                out[k] = special.ndtri(rng.uniform(low, high))
                continue
        inside = float(np.interp(y, row, SCORES))
        step = (SCORES[1] - SCORES[0]) / max(float(row[1] - row[0]), 1e-300)
        last = (SCORES[-1] - SCORES[-2]) / max(float(row[-1] - row[-2]), 1e-300)
        if y < row[0]:
            inside = SCORES[0] - step * (row[0] - y)
        elif y > row[-1]:
            inside = SCORES[-1] + last * (y - row[-1])
        out[k] = inside
    return np.asarray(np.clip(out, -FARTHEST, FARTHEST))


def _outcome(made: Predictions, name: object, value: Any) -> float:
    """What happened, as a number that the measure can have."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"the outcome of {name!r} is a finite number, got {value!r}")
    scale, measure = made.measure.scale, made.measure.name
    counted = scale == "count" or made.family in ("poisson", "negative_binomial")
    positive = scale in LOG_SCALES or made.family == "gamma" or parse(made.formula).logged
    if number < 0 and (counted or positive or scale == "proportion" or made.family == "binomial"):
        what = "a duration" if scale == "duration" else "a count" if counted else "never negative"
        raise InputError(f"the outcome of {name!r} is {number:g}, but {measure} is {what}: give 0 or more")
    if counted and number != round(number):
        raise InputError(f"the outcome of {name!r} is {number:g}, but {measure} is a count: 0, 1, 2 ...")
    if scale == "proportion" and number > 1:
        raise InputError(f"the outcome of {name!r} is {number:g}, but {measure} is a share: 0 to 1")
    return number


def _chance(under: NDArray[np.bool_]) -> float:
    """Share of the distribution up to the last quantile that is true: half way to the next."""
    n = int(under.sum())
    if n in (0, len(SCORES)):
        return 1e-5 if n == 0 else 1 - 1e-5
    return float(special.ndtr((SCORES[n - 1] + SCORES[n]) / 2))


def _verdict(made: Predictions) -> str:
    known = int(np.sum(~np.isnan(made.observed)))
    n = len(made.items)
    if not known:
        return f"{count(n, 'prediction')} of {made.measure.name}, no outcome is known yet."
    hits = round(made.inside * known)
    verb = "is" if known == 1 else "are"
    return (
        f"Of {count(n, 'prediction')} of {made.measure.name} {known} {verb} known: {hits} of them "
        f"({percent(made.inside)}) lay within the {percent(made.confidence)} interval."
    )
