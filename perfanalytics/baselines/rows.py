"""Row: one quantity of a baseline with its interval, and the table of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.core.codec import read_only
from perfanalytics.core.result import Caveat


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity: ``confidence`` is the level asked for, ``achieved`` the one reached where it differs."""

    quantity: str
    estimate: float
    low: float = math.nan
    high: float = math.nan
    confidence: float = math.nan
    achieved: float = math.nan
    method: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """What one kind of baseline (numbers, shares, censored values) gives to the result."""

    rows: tuple[Row, ...]
    caveats: tuple[Caveat, ...]
    scale: str
    scale_reason: str
    r1: float
    r: float
    n_effective: float
    more_points: int
    references: tuple[str, ...]


def columns(rows: Sequence[Row]) -> dict[str, Any]:
    """The rows as read-only columns of a result."""
    texts = {
        "quantity": [r.quantity for r in rows],
        "how": [r.method for r in rows],
        "unit": [r.unit for r in rows],
    }
    numbers = {
        name: [getattr(r, name) for r in rows]
        for name in ("estimate", "low", "high", "confidence", "achieved")
    }
    out: dict[str, Any] = {k: read_only(np.array(v, dtype=object)) for k, v in texts.items()}
    out |= {k: read_only(np.array(v, dtype=np.float64)) for k, v in numbers.items()}
    return out
