"""Goals of an optimization: what shall become how good, and how good a setting is for all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.models.conditional import Luck, chance_at, expected_at, law_of
from perfanalytics.models.tabulating import bounds_of

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Goal:
    """One objective of an optimization: what shall become how good.

    Parameters
    ----------
    model : Model
        What predicts it.
    of : {"mean", "probability"}
        The expected value, or the probability that an item lies within ``at_least`` and ``at_most``.
    better : {"lower", "higher", "target"}, optional
        None: as the measure of the model says; a probability is better higher always.
    worst, best : float, optional
        Values of desirability 0 and 1 (``of="mean"``). None: the range that can be reached with the
        candidate settings. Of a probability 0 and 1.
    target : float, optional
        With ``better="target"``: desirability 1 there, 0 at ``worst`` (below) and ``best`` (above).
    at_most, at_least : float, optional
        Of a probability; None: the objective of the model.
    importance : float
        Exponent of this desirability in the whole, above 0.
    shape : float
        1: desirability rises in a straight line; more: only near the best; less: quickly.

    References
    ----------
    Derringer and Suich (1980), Journal of Quality Technology 12, 214-219.
    """

    model: Any
    _: KW_ONLY
    of: str = "mean"
    better: str | None = None
    worst: float | None = None
    best: float | None = None
    target: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    importance: float = 1.0
    shape: float = 1.0

    def __post_init__(self) -> None:
        if getattr(type(self.model), "kind", None) != "model":
            raise InputError(f"a goal is about a model (perf.fit), got {type(self.model).__name__}")
        if self.of not in ("mean", "probability"):
            raise UnknownNameError("kind of goal (of=)", str(self.of), ("mean", "probability"))
        if self.better not in (None, "lower", "higher", "target"):
            raise UnknownNameError("direction (better=)", str(self.better), ("lower", "higher", "target"))
        if self.of == "mean" and self.direction not in ("lower", "higher", "target"):
            raise InputError(
                f"nobody said which direction of {self.model.measure.name} is better: give better='lower' or "
                "'higher'"
            )
        if self.direction == "target" and self.of == "mean" and None in (self.target, self.worst, self.best):
            raise InputError("better='target' needs worst= (below), target= and best= (above)")
        if not (0 < self.importance < math.inf and 0 < self.shape < math.inf):
            raise InputError("importance and shape of a goal are above 0")
        self._check_order()

    def _check_order(self) -> None:
        """Worst and best lie in the direction that was asked for, a target between them."""
        given = [v for v in (self.worst, self.target, self.best) if v is not None]
        if not all(math.isfinite(v) for v in given):
            raise InputError("worst, target and best of a goal are finite numbers")
        direction = "higher" if self.of == "probability" else self.direction
        if direction == "target":
            right = sorted(set(given)) == given
            order = "worst (below) < target < best (above)"
        else:
            worst, best = self.worst, self.best
            right = worst is None or best is None or (worst < best if direction == "higher" else worst > best)
            order = "worst < best" if direction == "higher" else "worst > best"
        if not right:
            raise InputError(f"the {self.name} is better {direction}: that means {order}, got {given}")

    @property
    def direction(self) -> str:
        """ "lower", "higher", "target" or "unknown"."""
        return self.better or str(self.model.measure.better)

    @property
    def name(self) -> str:
        """What it is about, in words."""
        what = "probability" if self.of == "probability" else "mean"
        return f"{what} of {self.model.measure.name}"

    def bounds(self) -> tuple[float, float]:
        """Range of items that meets the objective of a probability."""
        return bounds_of(self.model, None, self.at_most, self.at_least)


def desirability(
    y: Floats,
    *,
    better: str,
    worst: Floats | float,
    best: Floats | float,
    target: float | None = None,
    shape: float = 1.0,
) -> Floats:
    """Derringer and Suich's desirability, 0 to 1.

    Examples
    --------
    >>> desirability(np.array([10.0, 15.0, 30.0]), better="lower", worst=20, best=10).tolist()
    [1.0, 0.5, 0.0]
    >>> desirability(np.array([1.0, 2.0, 3.5]), better="target", worst=1, best=4, target=2).tolist()
    [0.0, 1.0, 0.25]
    """
    if better == "target":
        assert target is not None
        up, down = (y - worst) / (target - worst), (best - y) / (best - target)
        return np.asarray(np.clip(np.where(y <= target, up, down), 0.0, 1.0) ** shape)
    width = np.asarray(best) - np.asarray(worst)
    place = np.where(width == 0, 1.0, (y - worst) / np.where(width == 0, 1.0, width))
    return np.asarray(np.clip(place, 0.0, 1.0) ** shape)


def value_of(goal: Goal, frame: pd.DataFrame, luck: Luck) -> tuple[float, Floats]:
    """A goal in some rows, at the estimates and at draws of the parameters."""
    law = law_of(goal.model, frame)
    if goal.of == "mean":
        return float(law.mean().mean()), expected_at(law, luck).mean(axis=1)
    low, high = goal.bounds()
    above = law.cdf(high) if high < math.inf else np.ones(len(frame))
    below = law.below(low) if low > -math.inf else np.zeros(len(frame))
    return float(np.mean(above - below)), chance_at(law, luck, low, high).mean(axis=1)


def scales_of(goals: Sequence[Goal], seen: Floats) -> list[tuple[Floats, Floats]]:
    """Worst and best of each goal (second axis): given, or the range over the candidates (first axis)."""
    out = []
    for k, goal in enumerate(goals):
        worst, best = np.asarray(seen[:, k].min(axis=0)), np.asarray(seen[:, k].max(axis=0))
        if goal.of == "probability":
            worst, best = np.zeros_like(worst), np.ones_like(best)
        elif goal.direction == "lower":
            worst, best = best, worst
        out.append(
            (
                worst if goal.worst is None else np.full_like(worst, goal.worst),
                best if goal.best is None else np.full_like(best, goal.best),
            )
        )
    return out


def desirability_of(goal: Goal, ends: tuple[Floats, Floats], y: Floats) -> Floats:
    """Desirability of a goal between its worst and its best."""
    better = "higher" if goal.of == "probability" else goal.direction
    return desirability(y, better=better, worst=ends[0], best=ends[1], target=goal.target, shape=goal.shape)


def whole_of(goals: Sequence[Goal], ends: Sequence[tuple[Floats, Floats]], y: Floats) -> Floats:
    """Weighted geometric mean over the goals (last axis)."""
    total = sum(g.importance for g in goals)
    logs = np.zeros(y.shape[:-1])
    with np.errstate(divide="ignore"):
        for k, goal in enumerate(goals):
            logs = logs + goal.importance / total * np.log(desirability_of(goal, ends[k], y[..., k]))
    return np.asarray(np.exp(logs))
