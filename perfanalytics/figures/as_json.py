"""A figure dict -> JSON text, without plotly: arrays as lists, NaN as null, times in ISO form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def figure_json(figure: dict[str, Any]) -> str:
    """JSON text of a figure dict, safe to stand inside a ``<script>`` element.

    Examples
    --------
    >>> figure_json({"data": [{"y": np.array([1.0, np.nan])}]})
    '{"data":[{"y":[1.0,null]}]}'
    """
    try:
        # the encoder walks the dicts itself and asks only about what it does not know
        text = json.dumps(figure, separators=(",", ":"), allow_nan=False, default=_plain)
    except ValueError:
        # a bare NaN or infinity somewhere
        text = json.dumps(_plain(figure), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _plain(value: Any) -> Any:
    if isinstance(value, str | int):
        return value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]"))
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _array(value: np.ndarray[Any, Any]) -> list[Any]:
    """The entries of an array; whole arrays at a time, because a figure holds thousands of numbers."""
    if value.dtype.kind == "M":
        days = value.astype("datetime64[D]")
        missing = np.isnat(value)
        # days are told as days: shorter, and the same place on the axis
        whole = bool(((days == value) | missing).all())
        told_as = np.datetime_as_string(value, unit="D" if whole else "s")
        texts: list[Any] = told_as.tolist()
        return [None if t == "NaT" else t for t in texts] if missing.any() else texts
    if value.dtype.kind == "f":
        gone = ~np.isfinite(value)
        if gone.any():
            told = value.astype(object)
            told[gone] = None
            return list(told.tolist())
    if value.dtype == object:
        return [v if v is None or isinstance(v, str) else _plain(v) for v in value.tolist()]
    return list(value.tolist())
