"""Checks of the arguments that all comparisons have."""

from __future__ import annotations

import math

from perfanalytics.core.errors import InputError


def check_confidence(confidence: float) -> None:
    """Refuse a confidence that is none.

    Raises
    ------
    InputError
    """
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence is above 0.5 and below 1 (0.95), got {confidence}")


def check_tail(tail: float) -> None:
    """Refuse a percentile that is no fraction.

    Raises
    ------
    InputError
    """
    if not 0 < tail < 1:
        raise InputError(f"tail is a fraction between 0 and 1 (0.9 for P90), got {tail}")


def check_margin(margin: float | None) -> None:
    """Refuse a margin that is not positive.

    Raises
    ------
    InputError
    """
    if margin is not None and not (math.isfinite(margin) and margin > 0):
        raise InputError(f"the margin is a positive number, got {margin}")
