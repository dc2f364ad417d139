"""The integer program behind a portfolio: which choice keeps rules and budget and is worth most."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError

Pairs = Sequence[tuple[str, str]]

#: Up to so many proposals the choice for each draw is the best of all choices; beyond, by the program again.
ENUMERATED = 12


class Program:
    """The integer program: costs, rules, and what must be chosen."""

    def __init__(self, cost: Floats, rows: Floats, upper: Floats, fixed: Floats) -> None:
        self.cost, self.rows, self.upper, self.fixed = cost, rows, upper, fixed

    def best(self, worth: Floats, budget: float) -> Floats | None:
        """The 0/1 choice that is worth most; None where the rules cannot be kept."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        table = np.vstack([self.cost, self.rows])
        scale = max(float(np.abs(worth).max(initial=0.0)), 1e-12)
        # among equal choices the cheaper one: far less than any difference that matters
        price = 1e-9 * self.cost / max(float(self.cost.max(initial=0.0)), 1e-12)
        found = milp(
            -worth / scale + price,
            constraints=LinearConstraint(table, -np.inf, np.append(budget * (1 + 1e-12), self.upper)),
            bounds=Bounds(self.fixed, 1.0),
            integrality=np.ones(len(worth), dtype=np.int64),
            options={"mip_rel_gap": 0.0},
        )
        return None if found.x is None else np.round(found.x)

    def best_of_each(self, sample: Floats, budget: float) -> Floats:
        """The best choice for each draw, shape (draws, k): every choice is looked at where there are few."""
        choices = self._choices()
        if choices is None:
            found = [self.best(column, budget) for column in sample.T]
            return np.array([x for x in found if x is not None])
        possible = choices[choices @ self.cost <= budget * (1 + 1e-12)]
        return np.asarray(possible[np.argmax(possible @ sample, axis=0)])

    def best_values(self, worth: Floats, budgets: Floats) -> Floats:
        """The value of the best choice with each budget; NaN where the rules cannot be kept."""
        choices = self._choices()
        if choices is None:
            found = [self.best(worth, float(b)) for b in budgets]
            return np.array([math.nan if x is None else float(x @ worth) for x in found])
        cost, value = choices @ self.cost, choices @ worth
        made = [value[cost <= b * (1 + 1e-12)] for b in budgets.tolist()]
        return np.array([float(v.max()) if len(v) else math.nan for v in made])

    def _choices(self) -> Floats | None:
        """Every choice that keeps the rules, the cheapest first; None where there are too many."""
        k = len(self.cost)
        if k > ENUMERATED:
            return None
        every = ((np.arange(2**k)[:, None] >> np.arange(k)) & 1).astype(np.float64)
        keeps = (every @ self.rows.T <= self.upper).all(axis=1) & (every >= self.fixed).all(axis=1)
        kept = every[keeps]
        return np.asarray(kept[np.argsort(kept @ self.cost, kind="stable")])


def rules_of(names: list[str], excludes: Pairs, requires: Pairs) -> tuple[Floats, Floats]:
    """One row of the program for each rule, and what it must not exceed."""
    rows, upper = [np.zeros((0, len(names)))], []
    for pairs, sign, most in ((excludes, 1.0, 1.0), (requires, -1.0, 0.0)):
        for a, b in pairs:
            if a == b:
                raise InputError(f"{a!r} cannot be held against itself in excludes= or requires=")
            row = np.zeros((1, len(names)))
            row[0, names.index(a)], row[0, names.index(b)] = 1.0, sign
            rows.append(row)
            upper.append(most)
    return np.vstack(rows), np.array(upper)
