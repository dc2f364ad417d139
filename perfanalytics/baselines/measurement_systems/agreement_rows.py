"""One line of an agreement table, and what a method gives to the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import special

from perfanalytics.baselines.measurement_systems.ratings import Ratings
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

#: About whom or what a line is when it is about everybody.
ALL = "all"


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity: ``about`` all, one rater, a pair, or a category."""

    quantity: str
    about: str
    estimate: float
    standard_error: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for."""

    weights: str
    scale: str
    margin: float | None
    confidence: float
    draws: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a method gives: the lines, which of them is the headline, and the words."""

    lines: tuple[Line, ...]
    headline: int
    words: str
    caveats: tuple[Caveat, ...]
    references: tuple[str, ...]
    choices: Mapping[str, Any] = field(default_factory=dict)


def interval(
    estimate: float, se: float, df: float, confidence: float, *, bound: float = 1.0
) -> tuple[float, float]:
    """``estimate +- t se`` (normal for infinite df), cut at plus and minus ``bound``."""
    if math.isnan(estimate) or math.isnan(se):
        return math.nan, math.nan
    level = (1 + confidence) / 2
    t = float(special.ndtri(level) if math.isinf(df) else special.stdtrit(df, level))
    return max(-bound, estimate - t * se), min(bound, estimate + t * se)


def complete(ratings: Ratings, what: str) -> None:
    """Raise where a rating is missing."""
    missing = np.argwhere(np.isnan(ratings.codes))
    if len(missing):
        i, j = (int(v) for v in missing[0])
        who = ratings.raters[int(ratings.rater_of[j])]
        raise InputError(
            f"{what} needs every item rated by everybody: item {ratings.items[i]} has no rating by {who}; "
            f"leave the item out"
        )


def between_chance_and_one(value: float) -> str:
    """The words of Fleiss, Levin and Paik (2003) for a kappa.

    Examples
    --------
    >>> between_chance_and_one(0.43)
    'fair to good'
    """
    if math.isnan(value):
        return "not defined"
    return "excellent" if value > 0.75 else "fair to good" if value >= 0.40 else "poor"


def graded(low: float, value: float, high: float) -> str:
    """The grade of a kappa, and what its interval leaves open."""
    word = between_chance_and_one(value)
    others = [g for g in (between_chance_and_one(low), between_chance_and_one(high)) if g != word]
    text = f"{word} agreement beyond chance"
    if not others or "not defined" in others:
        return text
    return f"{text}, but the interval reaches into {' and '.join(others)}"


def few_items(n: int, needed: int = 20) -> list[Caveat]:
    """A caveat for few items."""
    if n >= needed:
        return []
    return [Caveat("few-items", f"Only {n} items: the interval is rough; take {needed} or more.", {"n": n})]
