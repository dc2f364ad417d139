"""New rows: which can be predicted, and which lie outside the data the model was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.models.formula import Levels, Parsed, check_columns, design, parse, plain_level

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of new rows.

    Parameters
    ----------
    usable : bool array, shape (n,)
        False where a value is missing or a level unknown: nothing can be predicted.
    outside : bool array, shape (n,)
        True where a value or level was not in the data.
    why : text array, shape (n,)
        In which way it lies outside the data, or what is missing; "" where nothing is unusual.
    """

    usable: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    why: NDArray[Any]


@dataclass(frozen=True, slots=True)
class NewRows:
    """New rows as numbers.

    Parameters
    ----------
    index : the index of the frame
    x : float array, shape (m, p)
        Rows of the model matrix; NaN where nothing can be predicted.
    offset, weights, sizes : float arrays, shape (m,)
        Offset on the scale of the linear predictor (0 without one), weight (1), trials (1).
    group : int array, shape (m,)
        Position among the groups of the model; -1 for a group it does not know.
    leverage : float array, shape (m,)
        ``x (X'X)^-1 x``.
    extrapolates : bool array, shape (m,)
    why : text array, shape (m,)
    """

    index: Any
    x: Floats
    offset: Floats
    weights: Floats
    sizes: Floats
    group: NDArray[np.int64]
    leverage: Floats
    extrapolates: NDArray[np.bool_]
    why: NDArray[Any]


class Readable(Protocol):
    """What of a model is needed to read new rows."""

    @property
    def formula(self) -> str: ...
    @property
    def levels(self) -> Levels: ...
    @property
    def ranges(self) -> Mapping[str, tuple[float, float]]: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def group_levels(self) -> tuple[Any, ...]: ...
    @property
    def unscaled(self) -> Floats: ...
    @property
    def largest_leverage(self) -> float: ...


def read_new(model: Readable, new: pd.DataFrame | Mapping[str, Any]) -> NewRows:
    """New rows as numbers, each compared with the data of the model.

    Raises
    ------
    UnknownNameError
        When a column of the formula, the offset or the exposure is missing.
    InputError
        When a column of numbers holds something else.
    """
    import pandas as pd

    frame = new if isinstance(new, pd.DataFrame) else pd.DataFrame(dict(new))
    parsed = parse(model.formula)
    needed = [model.columns[role] for role in ("offset", "exposure") if role in model.columns]
    check_columns(frame, (*parsed.columns, *needed))
    known = known_rows(frame, parsed, model.levels, model.ranges)
    n = len(frame)
    offset, usable = np.zeros(n), known.usable.copy()
    if "offset" in model.columns:
        offset = offset + _numbers(frame, model.columns["offset"])
    if "exposure" in model.columns:
        exposure = _numbers(frame, model.columns["exposure"])
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = offset + np.where(exposure > 0, np.log(exposure), np.nan)
    usable &= np.isfinite(offset)
    x = np.full((n, len(model.unscaled)), np.nan)
    leverage = np.full(n, np.nan)
    if usable.any():
        made = design(frame[usable], parsed, model.levels, model.ranges).matrix
        x[usable] = made
        leverage[usable] = np.maximum(np.sum((made @ model.unscaled) * made, axis=1), 0.0)
    group = np.full(n, -1)
    why, outside = known.why.copy(), known.outside.copy()
    if "groups" in model.columns and model.columns["groups"] in frame.columns:
        place = {level: k for k, level in enumerate(model.group_levels)}
        group = np.array(
            [place.get(plain_level(v), -1) for v in frame[model.columns["groups"]].tolist()], dtype=np.int64
        ).reshape(n)
    far = np.nan_to_num(leverage, nan=0.0) > model.largest_leverage * (1 + 1e-6)
    text = "an unusual combination: each value was in the data, together they were not"
    return NewRows(
        index=frame.index,
        x=x,
        offset=np.where(usable, offset, 0.0),
        weights=_optional(frame, model.columns.get("weights")),
        sizes=_optional(frame, model.columns.get("sizes")),
        group=group,
        leverage=leverage,
        extrapolates=outside | far,
        why=np.where(far & (why == ""), text, why),
    )


def known_rows(
    frame: pd.DataFrame, parsed: Parsed, levels: Levels, ranges: Mapping[str, tuple[float, float]]
) -> Known:
    """Compare new rows with the levels and ranges of the data.

    Raises
    ------
    InputError
        When a column of numbers holds something else.
    """
    n = len(frame)
    usable, outside = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
    why: list[list[str]] = [[] for _ in range(n)]
    for name in parsed.columns:
        if name in levels:
            values = [plain_level(v) for v in frame[name].tolist()]
            for k, value in enumerate(values):
                if value is None:
                    usable[k] = False
                    why[k].append(f"{name} is missing")
                elif value not in levels[name]:
                    usable[k], outside[k] = False, True
                    why[k].append(f"{name} {value!r} was not in the data")
        else:
            numbers = _numbers(frame, name)
            low, high = ranges[name]
            usable &= ~np.isnan(numbers)
            for k in np.flatnonzero(~((numbers >= low) & (numbers <= high))).tolist():
                if np.isnan(numbers[k]):
                    why[k].append(f"{name} is missing")
                else:
                    outside[k] = True
                    why[k].append(f"{name} {numbers[k]:g} is outside {low:g} to {high:g}")
    return Known(usable, outside, np.array(["; ".join(w) for w in why], dtype=object))


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    try:
        return np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise InputError(f"column {name!r} must hold numbers: {error}") from error


def _optional(frame: pd.DataFrame, name: str | None) -> Floats:
    """A column where there is one, otherwise 1: one item of weight 1."""
    if name is None or name not in frame.columns:
        return np.ones(len(frame))
    return _numbers(frame, name)
