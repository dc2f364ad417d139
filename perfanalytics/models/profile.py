"""profile(model) -> Profile: the outcome along each factor, the others held."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number
from perfanalytics.core.codec import read_only
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.models.factor_values import is_whole, require_complete, set_values, typical_row
from perfanalytics.models.tabulating import bounds_of

if TYPE_CHECKING:
    import pandas as pd

    from perfanalytics.core.records import Objective

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Profile(Result):
    """Prediction profiler: each factor in turn over its range, the others held at ``at``.

    Attributes
    ----------
    measure : Measure
    at_least, at_most : float
        What the probability is about; NaN where open.
    at : mapping of factor to value
        Where the others are held.
    factor : text array, shape (n,)
        Which factor the row moves.
    value : float array, shape (n,)
        Its value; of a category the position of its level.
    level : text array, shape (n,)
        The level of a category, "" of numbers.
    controllable : bool array, shape (n,)
    mean, mean_low, mean_high : float arrays, shape (n,)
        Expected value with its confidence interval.
    item_low, item_high : float arrays, shape (n,)
        Prediction interval of one item.
    probability : float array, shape (n,)
        Of meeting the objective; NaN without one.
    extrapolates : bool array, shape (n,)
    confidence : float
    """

    kind: ClassVar[str] = "factor_profile"

    measure: Measure
    at_least: float
    at_most: float
    at: Mapping[str, Any]
    factor: NDArray[Any]
    value: Floats
    level: NDArray[Any]
    controllable: NDArray[np.bool_]
    mean: Floats
    mean_low: Floats
    mean_high: Floats
    item_low: Floats
    item_high: Floats
    probability: Floats
    extrapolates: NDArray[np.bool_]
    confidence: float

    def to_frame(self) -> pd.DataFrame:
        """One row per factor and value: factor, value, level, controllable, mean, mean_low, mean_high,
        item_low, item_high, probability, extrapolates, confidence, unit."""
        import pandas as pd

        names: tuple[str, ...] = (
            "factor",
            "value",
            "level",
            "controllable",
            "mean",
            "mean_low",
            "mean_high",
            "item_low",
        )
        names += ("item_high", "probability", "extrapolates", "confidence")
        return pd.DataFrame({n: getattr(self, n) for n in names} | {"unit": self.measure.unit})

    def summary(self) -> pd.DataFrame:
        """One row: measure, unit, factors (number), strongest (factor that moves the mean most),
        caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "measure": self.measure.name,
                    "unit": self.measure.unit,
                    "factors": len(dict.fromkeys(self.factor.tolist())),
                    "strongest": strongest(self.factor, self.mean),
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )


def strongest(factor: NDArray[Any], mean: Floats) -> str:
    """The factor whose range moves the mean most."""
    names = list(dict.fromkeys(factor.tolist()))
    return str(max(names, key=lambda n: float(np.ptp(mean[factor == n]))))


def profile(
    model: Any,
    *,
    factors: Sequence[str] | None,
    at: Mapping[str, Any] | None,
    objective: Objective | None,
    at_most: float | None,
    at_least: float | None,
    points: int,
    confidence: float,
) -> Profile:
    """See :meth:`perfanalytics.Model.profile`."""
    import pandas as pd

    used = [r.name for r in model.roles]
    for name in factors or ():
        if name not in used:
            raise UnknownNameError("factor (columns of the formula):", str(name), used)
    if points < 3:
        raise InputError(f"a profile needs at least 3 points along a number, got points={points}")
    chosen = list(factors) if factors is not None else used
    if not chosen:
        raise InputError("this model has no factors: there is nothing to profile")
    bounds = None
    if any(v is not None for v in (objective, at_most, at_least)) or (
        model.objective is not None and model.objective.statistic == "item"
    ):
        bounds = bounds_of(model, objective, at_most, at_least)
    start = typical_row(model)
    held = set_values(model, pd.DataFrame([start]), at or {}, where="at=")
    require_complete(model, held)
    parts: list[pd.DataFrame] = []
    names: list[str] = []
    values: list[float] = []
    levels: list[str] = []
    for name in chosen:
        at_values = _grid(model, name, points)
        part = pd.concat([held] * len(at_values), ignore_index=True)
        part[name] = list(at_values)
        parts.append(part)
        names += [name] * len(at_values)
        category = name in model.levels
        values += list(range(len(at_values))) if category else [float(v) for v in at_values]
        levels += [str(v) for v in at_values] if category else [""] * len(at_values)
    frame = pd.concat(parts, ignore_index=True)
    told = model.predict(frame, confidence=confidence)
    chance = np.full(len(frame), np.nan)
    if bounds is not None:
        low, high = (None if math.isinf(v) else v for v in bounds)
        chance = model.probability(frame, at_least=low, at_most=high)["probability"].to_numpy()
    factor, mean = np.array(names, dtype=object), told["mean"].to_numpy()
    outside = told["extrapolates"].to_numpy(dtype=bool)
    doubts = []
    if outside.any():
        where = ", ".join(dict.fromkeys(factor[outside].tolist()))
        text = f"Parts of the ranges of {where} lie outside the data: there the model guesses."
        doubts.append(Caveat("extrapolates", text, {"points": int(outside.sum())}))
    return Profile(
        measure=model.measure,
        at_least=math.nan if bounds is None or math.isinf(bounds[0]) else bounds[0],
        at_most=math.nan if bounds is None or math.isinf(bounds[1]) else bounds[1],
        at={str(k): _plain(v) for k, v in held.iloc[0].to_dict().items()},
        factor=read_only(factor),
        value=read_only(np.array(values, dtype=np.float64)),
        level=read_only(np.array(levels, dtype=object)),
        controllable=read_only(np.array([n in model.controllable for n in names])),
        mean=read_only(mean),
        mean_low=read_only(told["mean_low"].to_numpy()),
        mean_high=read_only(told["mean_high"].to_numpy()),
        item_low=read_only(told["item_low"].to_numpy()),
        item_high=read_only(told["item_high"].to_numpy()),
        probability=read_only(chance),
        extrapolates=read_only(outside),
        confidence=confidence,
        verdict=_verdict(model, factor, mean, np.array(values, dtype=np.float64), levels),
        caveats=tuple(doubts),
        method=Method(
            "profile",
            {
                "model": model.formula,
                "family": model.family,
                "points": points,
                "confidence": confidence,
                "held_at": "given, otherwise medians and most frequent levels",
            },
        ),
        provenance=model.provenance,
    )


def _grid(model: Any, name: str, points: int) -> list[Any]:
    feasible = model.feasible(name)
    if name in model.levels:
        return [v for v in feasible if v in model.levels[name]]
    low, high = feasible
    if is_whole(model, name) and high - low < points:
        return [float(v) for v in np.arange(math.ceil(low), math.floor(high) + 1)]
    return [float(v) for v in np.linspace(low, high, points)]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _verdict(model: Any, factor: NDArray[Any], mean: Floats, value: Floats, level: list[str]) -> str:
    name = strongest(factor, mean)
    own = np.flatnonzero(factor == name)
    low, high = own[int(np.argmin(mean[own]))], own[int(np.argmax(mean[own]))]
    said = [level[k] or number(float(value[k])) for k in (low, high)]
    ratio = f" ({number(mean[high] / mean[low])} times as much)" if mean[low] > 0 else ""
    return (
        f"Of the factors, {name} moves the expected {model.measure.name} most: from "
        f"{number(float(mean[low]))} at "
        f"{said[0]} to {number(float(mean[high]), model.measure.unit)} at {said[1]}{ratio}, the others held."
    )
