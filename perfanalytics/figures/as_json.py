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
    text = json.dumps(_plain(figure), separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "M":
            return [None if t == "NaT" else t for t in np.datetime_as_string(value, unit="s").tolist()]
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            return [_plain(v) for v in value.tolist()]
        return [_plain(v) for v in value.tolist()] if value.dtype == object else value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.datetime64):
        return str(value.astype("datetime64[s]"))
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value
