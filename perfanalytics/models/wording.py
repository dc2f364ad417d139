"""Ratios and distances in plain English, for the verdicts of models."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from perfanalytics.baselines.wording import number, percent


def beside(ratio: float) -> str:
    """A ratio to something, as what is said before it.

    Examples
    --------
    >>> [beside(r) for r in (0.565, 1.0, 1.12, 3.91)]
    ['44% below', 'equal to', '12% above', '3.91 times']
    """
    if abs(ratio - 1) < 0.0005:
        return "equal to"
    if ratio >= 2:
        return f"{number(ratio)} times"
    return f"{percent(abs(ratio - 1))} {'above' if ratio > 1 else 'below'}"


def away(difference: float, unit: str) -> str:
    """A difference to something, as what is said before it.

    Examples
    --------
    >>> away(-1.5, "hours"), away(0.0, "hours")
    ('1.5 hours below', 'equal to')
    """
    if difference == 0:
        return "equal to"
    return f"{number(abs(difference), unit)} {'above' if difference > 0 else 'below'}"


def varying(ratio: float) -> str:
    """How much something varies beside something else, as what is said before it.

    Examples
    --------
    >>> [varying(r) for r in (0.8, 1.02, 1.3, 3.91)]
    ['20% less than', 'about as much as', '30% more than', '3.91 times as much as']
    """
    if math.isnan(ratio):
        return "unknown beside"
    if abs(ratio - 1) < 0.05:
        return "about as much as"
    if ratio >= 2:
        return f"{number(ratio)} times as much as"
    return f"{percent(abs(ratio - 1))} {'more' if ratio > 1 else 'less'} than"


def off_by(scores: float) -> str:
    """A mean in standard deviations: how far above or below what was predicted.

    Examples
    --------
    >>> [off_by(z) for z in (0.0562, -1.5, 0.001)]
    ['6% of a standard deviation above', '1.5 standard deviations below', 'right on']
    """
    size = abs(scores)
    if size < 0.005:
        return "right on"
    side = "above" if scores > 0 else "below"
    if size < 0.995:
        return f"{100 * size:.0f}% of a standard deviation {side}"
    many = number(size)
    return f"{many} standard deviation{'' if many == '1' else 's'} {side}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence; C(team) is team there."""
    names = [re.sub(r"C\((\w+).*?\)", r"\1", name) for name in names]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
