"""backtest(model, frame) -> Backtest: what the model would have predicted, had it been fitted at the time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Provenance, Result
from perfanalytics.models.conditional import law_of
from perfanalytics.models.formula import parse
from perfanalytics.models.model import fit
from perfanalytics.models.prediction import read_new
from perfanalytics.models.predictions import SCORES, quantile_grid, scores_of
from perfanalytics.models.result import Model
from perfanalytics.models.shared_error import loadings, nothing_shared, spread_df

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

#: Origins by default, and how sure the interval of the share covered is.
ORIGINS, CONFIDENCE = 10, 0.95


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Backtest(Result):
    """Predictions with rolling origin, each from the items before it only.

    Attributes
    ----------
    measure : Measure
    formula, family : str
    n, n_unpredictable : int
        Items predicted; items with a level that earlier items did not have.
    origins : int
        How many times the model was fitted.
    coverage : float
        Nominal, of the prediction intervals.
    covered, covered_low, covered_high : float
        Share of outcomes within them, with its 95% Clopper-Pearson interval.
    calibrated : bool
        The interval of the share holds the nominal coverage.
    bias, error, relative_error, error_naive, skill : float
        Mean of observed less predicted mean; mean absolute error; median of |predicted - observed| over
        observed (typical value; NaN where an outcome is not above 0); mean absolute error of the median of
        the earlier items; 1 less the ratio of both errors.
    pred25, mmre : float
        Share of items predicted within 25%, mean relative error, as in the literature on estimation.
    label : text array, shape (n,)
    origin : int array, shape (n,)
        Which fit predicted the item, from 0.
    estimate, mean, item_low, item_high, observed, score : float arrays, shape (n,)
        In order of time; ``score`` as in :class:`perfanalytics.models.predictions.Predictions`.
    shared : float array, shape (n, k)
    spread_df : float array, shape (n,)
        As there, for the items of one origin.
    """

    kind: ClassVar[str] = "backtest"
    schema_version: ClassVar[int] = 2

    measure: Measure
    formula: str
    family: str
    n: int
    n_unpredictable: int
    origins: int
    coverage: float
    covered: float
    covered_low: float
    covered_high: float
    calibrated: bool
    bias: float
    error: float
    relative_error: float
    error_naive: float
    skill: float
    pred25: float
    mmre: float
    label: NDArray[Any]
    origin: NDArray[np.int64]
    estimate: Floats
    mean: Floats
    item_low: Floats
    item_high: Floats
    observed: Floats
    score: Floats
    shared: Floats
    spread_df: Floats

    @classmethod
    def upgrade(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """Version 1 did not know what predictions have in common."""
        return fields | nothing_shared(len(fields["label"])) if version == 1 else fields

    def to_frame(self) -> pd.DataFrame:
        """One row per item predicted, in order of time: label, origin, estimate, mean, item_low, item_high,
        observed, inside, score, coverage, unit."""
        import pandas as pd

        columns: dict[str, Any] = {
            n: getattr(self, n)
            for n in ("label", "origin", "estimate", "mean", "item_low", "item_high", "observed")
        }
        columns["inside"] = (self.observed >= self.item_low) & (self.observed <= self.item_high)
        return pd.DataFrame(
            columns | {"score": self.score, "coverage": self.coverage, "unit": self.measure.unit}
        )

    def summary(self) -> pd.DataFrame:
        """One row: measure, unit, formula, family, n, origins, coverage, covered, covered_low, covered_high,
        calibrated, bias, error, relative_error, error_naive, skill, pred25, mmre, caveats, verdict."""
        import pandas as pd

        names = ("formula", "family", "n", "origins", "coverage", "covered", "covered_low", "covered_high")
        more = ("calibrated", "bias", "error", "relative_error", "error_naive", "skill", "pred25", "mmre")
        row: dict[str, Any] = {"measure": self.measure.name, "unit": self.measure.unit}
        row |= {n: getattr(self, n) for n in (*names, *more)}
        return pd.DataFrame([row | {"caveats": ", ".join(self.caveat_codes), "verdict": self.verdict}])


def backtest(
    model: Model | str,
    frame: pd.DataFrame,
    *,
    time: str,
    first: int | None = None,
    step: int | None = None,
    coverage: float = 0.9,
    family: str = "gaussian",
    measure: Measure | None = None,
) -> Backtest:
    """Fit again and again on what was known, and predict what came next (rolling origin).

    Parameters
    ----------
    model : Model or str
        Its formula, family, measure and columns are used, not its numbers; or a formula. Of a calibrated
        model too the formula is tested, not the calibration (a caveat says so).
    frame : DataFrame
        One row per item.
    time : str
        Column that puts the items in order: when their outcome became known. Items with the same time are
        never split between fit and prediction.
    first : int, optional
        Items of the first fit; default half of them.
    step : int, optional
        Items predicted by each fit; default so many that there are about 10 fits.
    coverage : float
        Of the prediction intervals, in (0, 1).
    family, measure : optional
        With a formula, as for :func:`perfanalytics.fit`.

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        When too few items are left, or times are missing.
    UnknownNameError

    References
    ----------
    Tashman (2000), International Journal of Forecasting 16, 437-450.

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> data = pd.DataFrame({"day": range(80), "size": rng.uniform(1, 9, 80)})
    >>> data["hours"] = 2 * data["size"] + rng.normal(size=80)
    >>> backtest("hours ~ size", data, time="day").calibrated
    True
    """
    import pandas as pd

    if not isinstance(model, Model | str):
        raise InputError(f"backtest takes a model or a formula, got {type(model).__name__}")
    if not isinstance(frame, pd.DataFrame) or time not in frame.columns:
        known = [str(c) for c in frame.columns] if isinstance(frame, pd.DataFrame) else []
        raise UnknownNameError("column (time=)", str(time), known)
    if not 0 < coverage < 1:
        raise InputError(f"coverage lies between 0 and 1 (0.9 for 90%), got {coverage}")
    rows = _complete(model, frame, time)
    n = len(rows)
    start = n // 2 if first is None else int(first)
    size = max(1, math.ceil((n - start) / ORIGINS)) if step is None else int(step)
    if start < 5 or size < 1 or start >= n:
        raise InputError(
            f"{count(n, 'complete item')}: the first fit needs at least 5 of them and at least one must "
            f"be left, "
            f"got first={start}, step={size}"
        )
    times = rows[time].to_numpy()
    parts: list[dict[str, Any]] = []
    at = start
    while at < n:
        # items known at the same moment are on the same side
        cut = at
        while cut < n and times[cut] == times[cut - 1]:
            cut += 1
        until = min(max(at + size, cut + 1), n)
        while until < n and times[until] == times[until - 1]:
            until += 1
        if cut >= n:
            break
        parts.append(
            _predicted(model, rows.iloc[:cut], rows.iloc[cut:until], coverage, len(parts), family, measure)
        )
        at = until
    if not parts:
        raise InputError("no item is left to predict: all later ones have the same time")
    width = max(p["shared"].shape[1] for p in parts)
    for p in parts:
        p["shared"] = np.pad(p["shared"], ((0, 0), (0, width - p["shared"].shape[1])))
    joined = {k: np.concatenate([p[k] for p in parts]) for k in parts[0] if k != "measure"}
    own: Measure = parts[0]["measure"]
    usable = np.isfinite(joined["item_low"])
    unpredictable = int(np.sum(~usable))
    joined = {k: v[usable] for k, v in joined.items()}
    return _result(model, joined, own, unpredictable, len(parts), coverage, start, size, parts, family, time)


def _complete(model: Model | str, frame: pd.DataFrame, time: str) -> pd.DataFrame:
    parsed = parse(model if isinstance(model, str) else model.formula)
    roles = {} if isinstance(model, str) else dict(model.columns)
    roles.pop("time", None)
    names = [*dict.fromkeys((parsed.response, *parsed.columns, *roles.values()))]
    for name in names:
        if name not in frame.columns:
            raise UnknownNameError("column", name, [str(c) for c in frame.columns])
    if frame[time].isna().any():
        raise InputError(f"column {time!r} (time=) has missing values")
    rows: pd.DataFrame = frame[frame[names].notna().all(axis=1)].sort_values(time, kind="stable")
    return rows


def _refit(model: Model | str, rows: pd.DataFrame, family: str, measure: Measure | None) -> Model:
    if isinstance(model, str):
        return fit(model, rows, family=family, measure=measure, folds=2)
    columns = {k: v for k, v in model.columns.items() if k != "time" or model.errors == "hac"}
    quantiles = tuple(model.arrays["quantiles"].tolist()) if model.family == "quantile" else 0.5
    return fit(
        model.formula,
        rows,
        family=model.family,
        controllable=[r for r in model.roles if r.controllable],
        measure=model.measure,
        time=columns.get("time"),
        weights=columns.get("weights"),
        offset=columns.get("offset"),
        exposure=columns.get("exposure"),
        sizes=columns.get("sizes"),
        groups=columns.get("groups"),
        quantile=quantiles,
        errors=model.errors,
        folds=2,
    )


def _predicted(
    model: Model | str,
    past: pd.DataFrame,
    future: pd.DataFrame,
    coverage: float,
    origin: int,
    family: str,
    measure: Measure | None,
) -> dict[str, Any]:
    fitted = _refit(model, past, family, measure)
    told = fitted.predict(future, confidence=coverage)
    observed = future[fitted.response].to_numpy(dtype=np.float64)
    law = law_of(fitted, future)
    grid = quantile_grid(law)
    return {
        "measure": fitted.measure,
        "label": np.array([str(v) for v in future.index], dtype=object),
        "origin": np.full(len(future), origin, dtype=np.int64),
        "estimate": told["estimate"].to_numpy(),
        "mean": told["mean"].to_numpy(),
        "item_low": told["item_low"].to_numpy(),
        "item_high": told["item_high"].to_numpy(),
        "observed": observed,
        "score": scores_of(grid, observed),
        "shared": loadings(fitted, law, read_new(fitted, future).x, SCORES, grid),
        "spread_df": np.full(len(future), spread_df(fitted)),
        "naive": np.full(len(future), float(past[fitted.response].median())),
    }


def _result(
    model: Model | str,
    joined: dict[str, Any],
    measure: Measure,
    unpredictable: int,
    origins: int,
    coverage: float,
    start: int,
    size: int,
    parts: list[dict[str, Any]],
    family: str,
    time: str,
) -> Backtest:
    observed, estimate = joined["observed"], joined["estimate"]
    n = len(observed)
    if not n:
        raise InputError("no item could be predicted: each has a level that earlier items did not have")
    hits = int(np.sum((observed >= joined["item_low"]) & (observed <= joined["item_high"])))
    tail = (1 - CONFIDENCE) / 2
    low = float(special.betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(special.betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    error = float(np.mean(np.abs(observed - estimate)))
    naive = float(np.mean(np.abs(observed - joined["naive"])))
    relative = np.full(n, np.nan)
    if observed.min() > 0:
        relative = np.abs(estimate - observed) / observed
    doubts = []
    if unpredictable:
        text = (
            f"{count(unpredictable, 'item')} could not be predicted: they have a level that earlier "
            f"items did "
            "not have."
        )
        doubts.append(Caveat("unknown-levels", text, {"items": unpredictable}))
    if n < 30:
        text = f"Only {count(n, 'item')} predicted: the share within the intervals is known to within "
        doubts.append(
            Caveat("few-predictions", f"{text}{percent(low)} to {percent(high)}.", {"n": n, "low": low})
        )
    calibrated = None if isinstance(model, str) else model.method.parameters.get("calibrated")
    if calibrated is not None:
        text = (
            f"The model is calibrated ({calibrated}). What is tested is its formula, fitted anew to the rows "
            "of the frame each time: neither the calibrated level nor the organization's numbers are in it."
        )
        doubts.append(Caveat("calibration-not-tested", text, {"calibrated": str(calibrated)}))
    held = low <= coverage <= high
    skill = 1 - error / naive if naive > 0 else math.nan
    formula = model if isinstance(model, str) else model.formula
    kind = family if isinstance(model, str) else model.family
    unit = measure.unit
    verdict = (
        f"{percent(hits / n)} of {count(n, 'item')} lay within the {percent(coverage)} interval "
        f"predicted before "
        f"({percent(CONFIDENCE)} interval {percent(low)} to {percent(high)}): "
        + ("the intervals hold. " if held else "too few. " if hits / n < coverage else "wider than needed. ")
        + f"The error is {number(error, unit)} on average, "
        + (
            f"{percent(skill)} less than that of always saying the median so far."
            if skill > 0
            else "no less than that of always saying the median so far."
        )
    )
    if calibrated is not None:
        verdict += " This tests the formula, fitted anew, not the calibration."
    digest = "" if isinstance(model, str) else model.provenance.data_hash
    return Backtest(
        measure=measure,
        formula=formula,
        family=kind,
        n=n,
        n_unpredictable=unpredictable,
        origins=origins,
        coverage=coverage,
        covered=hits / n,
        covered_low=low,
        covered_high=high,
        calibrated=held,
        bias=float(np.mean(observed - joined["mean"])),
        error=error,
        relative_error=float(np.median(relative)),
        error_naive=naive,
        skill=skill,
        pred25=float(np.mean(relative <= 0.25)) if not np.isnan(relative).any() else math.nan,
        mmre=float(np.mean(relative)),
        label=read_only(joined["label"]),
        origin=read_only(joined["origin"]),
        estimate=read_only(estimate),
        mean=read_only(joined["mean"]),
        item_low=read_only(joined["item_low"]),
        item_high=read_only(joined["item_high"]),
        observed=read_only(observed),
        score=read_only(joined["score"]),
        shared=read_only(joined["shared"]),
        spread_df=read_only(joined["spread_df"]),
        verdict=verdict,
        caveats=tuple(doubts),
        method=Method(
            "backtest",
            {
                "formula": formula,
                "family": kind,
                "time": time,
                "first": start,
                "step": size,
                "origins": origins,
                "coverage": coverage,
                "naive": "median of the items before",
            },
            ("Tashman (2000), International Journal of Forecasting 16, 437-450",),
        ),
        provenance=Provenance(measure.name, data_hash=digest, n=n),
    )
