"""Candidate causes as columns of a regression: levels, ordered levels, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.practices.table_columns import column, numbers, order_of, texts

#: Numbers with at most so many different values are tested as levels, whatever the shape of their effect.
MOST_LEVELS = 8
RARE = "(rare)"


@dataclass(frozen=True, slots=True)
class Factor:
    """A candidate: its columns (n, q), and what its contrasts are made of.

    ``sort`` is "levels", "ordered" or "number"; ``code`` and ``names`` are the levels (of numbers: none),
    ``x`` the numbers (of levels: none) and ``step`` the difference their effect is told for.
    """

    name: str
    sort: str
    block: Floats
    code: NDArray[np.int64]
    names: tuple[str, ...]
    x: Floats | None
    step: float
    merged: tuple[str, ...] = ()

    @property
    def counts(self) -> Floats:
        """Items of each level."""
        return np.bincount(self.code, minlength=len(self.names)).astype(float)


def read_factor(frame: object, name: str, keep: NDArray[np.bool_], *, as_levels: bool, least: int) -> Factor:
    """One candidate over the rows that are kept.

    Raises
    ------
    InputError
        For a single level, or a level for each row.
    UnknownNameError
        For a column that does not exist.
    """
    given = column(frame, name)
    n = int(keep.sum())
    values = _as_numbers(given, name)
    if values is not None and not as_levels:
        x = values[keep]
        known = ~np.isnan(x)
        if not known.all():
            # a number that is missing tells as much as the mean, and that it is missing is told beside it
            x = np.where(known, x, x[known].mean() if known.any() else 0.0)
        different = np.unique(x[known])
        if len(different) < 2:
            raise InputError(f"{name!r} has a single value: it cannot explain anything")
        if len(different) > MOST_LEVELS:
            block = [x - x.mean()] + ([] if known.all() else [(~known).astype(float)])
            none = np.zeros(n, dtype=np.int64)
            return Factor(name, "number", np.column_stack(block), none, (), x, _round(float(x[known].std())))
        if known.all():
            return _ordered(name, x, different, least)
    labels = texts(given)[keep]
    order = [level for level in order_of(frame, name, texts(given)) if level in set(labels.tolist())]
    if len(order) == n and n > 1:
        raise InputError(f"{name!r} has a level of its own for each row: it names items, not causes")
    place = {level: k for k, level in enumerate(order)}
    code = np.array([place[v] for v in labels.tolist()], dtype=np.int64)
    few = [k for k, c in enumerate(np.bincount(code, minlength=len(order)).tolist()) if c < least]
    merged: tuple[str, ...] = ()
    if few and len(order) - len(few) >= 1:
        merged = tuple(order[k] for k in few)
        kept = [k for k in range(len(order)) if k not in few]
        new = np.full(len(order), len(kept))
        new[kept] = np.arange(len(kept))
        code = new[code].astype(np.int64)
        order = [order[k] for k in kept] + [RARE if len(few) > 1 else order[few[0]]]
    if len(order) < 2:
        raise InputError(f"{name!r} has the single level {order[0]!r}: it cannot explain anything")
    return Factor(name, "levels", _dummies(code, len(order)), code, tuple(order), None, 1.0, merged)


def _as_numbers(given: Any, name: str) -> Floats | None:
    kind = getattr(getattr(given, "dtype", None), "kind", None) or np.asarray(given).dtype.kind
    if kind == "b" or kind not in "iuf":
        return None
    return numbers(given, name)


def _ordered(name: str, x: Floats, different: Floats, least: int) -> Factor:
    """Few numbers: levels in their order; from the largest down, rare ones join the next."""
    counts = {v: int((x == v).sum()) for v in different.tolist()}
    groups: list[list[float]] = []
    gathered: list[float] = []
    for value in reversed(different.tolist()):
        gathered.insert(0, value)
        if sum(counts[v] for v in gathered) >= least:
            groups.insert(0, gathered)
            gathered = []
    if gathered and groups:
        groups[0] = gathered + groups[0]
    if len(groups) < 2:
        raise InputError(f"{name!r} has no two values with {least} items each: it cannot explain anything")
    code = np.zeros(len(x), dtype=np.int64)
    for k, group in enumerate(groups):
        code[np.isin(x, group)] = k
    names = tuple(_said(g[0]) if len(g) == 1 else f"{_said(g[0])} to {_said(g[-1])}" for g in groups)
    merged = tuple(n for n, g in zip(names, groups, strict=True) if len(g) > 1)
    step = 1.0 if (different == np.floor(different)).all() else _round(float(np.diff(different).min()))
    return Factor(name, "ordered", _dummies(code, len(groups)), code, names, x, step, merged)


def _said(value: float) -> str:
    return f"{value:g}"


def _round(value: float) -> float:
    """1, 2 or 5 times a power of ten, near a value.

    Examples
    --------
    >>> _round(0.34), _round(17.0), _round(3.4)
    (0.5, 20.0, 5.0)
    """
    power = 10.0 ** np.floor(np.log10(value))
    ratios = np.array([1.0, 2.0, 5.0, 10.0])
    nearest = ratios[np.argmin(np.abs(np.log(ratios * power / value)))]
    return float(f"{nearest * power:.12g}")


def _dummies(code: NDArray[np.int64], k: int) -> Floats:
    """A column for each level but the most frequent."""
    reference = int(np.bincount(code, minlength=k).argmax())
    return np.column_stack([(code == j).astype(float) for j in range(k) if j != reference])


def columns_of_levels(factor: Factor) -> list[int]:
    """The column of each level in the block; -1 for the level without one."""
    reference = int(factor.counts.argmax())
    return [-1 if j == reference else j - (j > reference) for j in range(len(factor.names))]


def check_names(candidates: Sequence[str], value: str) -> tuple[str, ...]:
    """The candidates, each once, none of them the value.

    Raises
    ------
    InputError
    """
    names = (candidates,) if isinstance(candidates, str) else tuple(candidates)
    if not names or len(set(names)) != len(names):
        raise InputError(f"candidates= names the columns to look at, each once; got {list(names)}")
    if value in names:
        raise InputError(f"{value!r} cannot be a cause of itself: leave it out of candidates=")
    return names
