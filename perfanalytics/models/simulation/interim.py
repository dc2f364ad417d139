"""Interim objectives, derived backwards from the final one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.models.simulation.engine import BLOCK, Aligned, Plan, Run
from perfanalytics.models.simulation.parts import Sequence

if TYPE_CHECKING:
    import pandas as pd


def totals_of_parts(plan: Plan, runs: int, seed: int) -> Floats:
    """What each part of a sequence took, shape (parts, runs)."""
    assert isinstance(plan.process, Sequence)
    blocks = []
    for start in range(0, runs, BLOCK):
        n = min(BLOCK, runs - start)
        run = Run(plan, Aligned(plan, seed, start, n), n)
        blocks.append(np.array([run.total(part) for part in plan.process.parts]))
    return np.concatenate(blocks, axis=1)


def interim_objectives(plan: Plan, target: float, share: float, *, runs: int, seed: int) -> pd.DataFrame:
    """One row per part of a sequence; see :meth:`perf.Simulation.interim`."""
    import pandas as pd

    if not isinstance(plan.process, Sequence) or len(plan.process.parts) < 2:
        raise InputError("interim objectives need a process that is a sequence of at least two parts")
    parts = totals_of_parts(plan, runs, seed)
    ordered = np.sort(parts, axis=1)
    level, budget = _budget(ordered, target)
    done = np.cumsum(parts, axis=0)
    total = done[-1]
    independent = not plan.has_factor and plan.root is None
    rows = []
    for k, part in enumerate(plan.process.parts):
        milestone = target
        if k < len(parts) - 1:
            left = total - done[k]
            if independent:
                milestone = target - float(np.quantile(left, share))
                # less than it can take: this probability is out of reach whatever happens
                milestone = milestone if milestone >= float(done[k].min()) else math.nan
            else:
                milestone = _watershed(done[k], total <= target, share)
        rows.append(
            {
                "part": str(part),
                "mean": float(parts[k].mean()),
                "budget": float(budget[k]),
                "budget_percentile": level,
                "cumulative_budget": float(np.sum(budget[: k + 1])),
                "milestone": milestone,
                "kept": float(np.mean(done[k] <= milestone)),
            }
        )
    return pd.DataFrame(rows)


def _budget(ordered: Floats, target: float) -> tuple[float, Floats]:
    """The common percentile at which the parts add up to the target, and their budgets."""

    def at(level: float) -> Floats:
        place = level * (ordered.shape[1] - 1)
        low = math.floor(place)
        high = min(low + 1, ordered.shape[1] - 1)
        return np.asarray(ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low]))

    if at(0.0).sum() > target or at(1.0).sum() < target:
        return math.nan, np.full(len(ordered), math.nan)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle).sum() <= target else (low, middle)
    return low, at(low)


def _watershed(done: Floats, success: Floats, share: float) -> float:
    """The most that may have been used so that the objective is still met with this probability.

    The probability given the milestone is a moving average over the nearest fiftieth of the runs.
    """
    order = np.argsort(done)
    window = max(len(done) // 50, 100)
    sums = np.concatenate([[0.0], np.cumsum(success[order])])
    chance = (sums[window:] - sums[:-window]) / window
    good = np.flatnonzero(chance >= share)
    if not len(good):
        return math.nan
    return float(done[order][good[-1] + window // 2])
