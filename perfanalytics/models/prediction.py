"""New rows: which can be predicted, and which lie outside the data the model was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.models.formula import Levels, Parsed, plain_level

if TYPE_CHECKING:
    import pandas as pd


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
            try:
                numbers = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
            except (TypeError, ValueError) as error:
                raise InputError(f"column {name!r} must hold numbers: {error}") from error
            low, high = ranges[name]
            usable &= ~np.isnan(numbers)
            for k in np.flatnonzero(~((numbers >= low) & (numbers <= high))).tolist():
                if np.isnan(numbers[k]):
                    why[k].append(f"{name} is missing")
                else:
                    outside[k] = True
                    why[k].append(f"{name} {numbers[k]:g} is outside {low:g} to {high:g}")
    return Known(usable, outside, np.array(["; ".join(w) for w in why], dtype=object))


def explain_new(known: Known, outside: NDArray[np.bool_]) -> NDArray[Any]:
    """The reasons, with that of an unusual combination where nothing else is unusual."""
    text = "an unusual combination: each value was in the data, together they were not"
    return np.where(outside & (known.why == ""), text, known.why)
