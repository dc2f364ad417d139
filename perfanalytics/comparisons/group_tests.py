"""What a test of several groups gives, and its statistic in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from perfanalytics.comparisons.grouped import Grouped
from perfanalytics.comparisons.method import Effect
from perfanalytics.comparisons.posthoc import Pair
from perfanalytics.comparisons.variance import FTest
from perfanalytics.core.result import Caveat


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a test of several groups gives: rows (the primary first), pairs by procedure, parameters."""

    effects: tuple[Effect, ...]
    statistic: str
    pairs: Callable[[str, float], list[Pair]]
    quantity: str
    caveats: tuple[Caveat, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()


def f_words(found: FTest) -> str:
    """The statistic as it is reported."""
    if math.isnan(found.statistic):
        return "no test"
    df2 = f"{found.df_within:.1f}".rstrip("0").rstrip(".")
    return f"F({found.df_between:.0f}, {df2}) = {found.statistic:.3g}"


def chi_words(found: FTest) -> str:
    """The statistic as it is reported."""
    if math.isnan(found.statistic):
        return "no test"
    return f"chi-square({found.df_between:.0f}) = {found.statistic:.3g}"


def center_of(data: Grouped) -> tuple[str, str]:
    """What is equal under the null hypothesis, and what pairs of groups differ in."""
    if data.scale == "log":
        return "equal_geometric_means", "ratio_of_geometric_means"
    return "equal_means", "difference_of_means"
