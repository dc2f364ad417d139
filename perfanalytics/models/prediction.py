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
        False where a value is missing or infinite, or a level unknown: nothing can be predicted.
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


def frame_of(new: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    """New rows as a frame; a mapping of columns to single values is one row.

    Raises
    ------
    InputError
        When it is neither, or its columns differ in length.
    """
    import pandas as pd

    if isinstance(new, pd.DataFrame):
        return new
    if not isinstance(new, Mapping):
        raise InputError(
            f"new rows are a DataFrame or a mapping of column to values, got {type(new).__name__}"
        )
    single = all(isinstance(v, str) or not hasattr(v, "__len__") for v in new.values())
    try:
        return pd.DataFrame(dict(new), index=[0] if single else None)
    except ValueError as error:
        raise InputError(f"the columns of the new rows do not go together: {error}") from error


def read_new(model: Readable, new: pd.DataFrame | Mapping[str, Any]) -> NewRows:
    """New rows as numbers, each compared with the data of the model.

    Raises
    ------
    UnknownNameError
        When a column of the formula, the offset or the exposure is missing.
    InputError
        When a column of numbers holds something else.
    """
    frame = frame_of(new)
    parsed = parse(model.formula)
    needed = [model.columns[role] for role in ("offset", "exposure") if role in model.columns]
    check_columns(frame, (*parsed.columns, *needed))
    known = known_rows(frame, parsed, model.levels, model.ranges)
    n = len(frame)
    usable, why = known.usable.copy(), known.why.copy()
    own = {"offset": np.zeros(n)} | {role: np.ones(n) for role in ("exposure", "weights", "sizes")}
    for role in own:
        name = model.columns.get(role)
        if name is None or (name not in frame.columns and name not in needed):
            continue
        own[role], said = _role(frame, name, role)
        why = np.array(["; ".join(t for t in two if t) for two in zip(why, said, strict=True)], dtype=object)
        usable &= said == ""
    offset = own["offset"] + np.log(own["exposure"])
    x = np.full((n, len(model.unscaled)), np.nan)
    leverage = np.full(n, np.nan)
    if usable.any():
        made = design(frame[usable], parsed, model.levels, model.ranges).matrix
        x[usable] = made
        leverage[usable] = np.maximum(np.sum((made @ model.unscaled) * made, axis=1), 0.0)
    group = np.full(n, -1)
    outside = known.outside.copy()
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
        weights=own["weights"],
        sizes=own["sizes"],
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
            usable &= np.isfinite(numbers)
            for k in np.flatnonzero(~((numbers >= low) & (numbers <= high))).tolist():
                if np.isnan(numbers[k]):
                    why[k].append(f"{name} is missing")
                elif np.isinf(numbers[k]):
                    outside[k] = True
                    why[k].append(f"{name} is infinite")
                else:
                    outside[k] = True
                    why[k].append(f"{name} {numbers[k]:g} is outside {low:g} to {high:g}")
    return Known(usable, outside, np.array(["; ".join(w) for w in why], dtype=object))


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    try:
        return np.asarray(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise InputError(f"column {name!r} must hold numbers: {error}") from error


def _role(frame: pd.DataFrame, name: str, role: str) -> tuple[Floats, NDArray[Any]]:
    """A column with a part of its own, and what is wrong with each row ("" where nothing is).

    Where something is, a harmless value stands in its place: the row is not predicted.
    """
    values = _numbers(frame, name)
    missing, none = np.isnan(values), np.isinf(values)
    said = "finite" if role == "offset" else "a whole number from 1 on" if role == "sizes" else "above 0"
    if role != "offset":
        none |= values <= 0
    if role == "sizes":
        none |= values != np.round(values)
    why = np.full(len(values), "", dtype=object)
    why[missing] = f"{name} is missing"
    for k in np.flatnonzero(none & ~missing).tolist():
        why[k] = f"{name} {values[k]:g} is not {said}"
    return np.where(missing | none, 0.0 if role == "offset" else 1.0, values), why
