"""What drives the total: rank correlations, and shares of its variance by pick-freeze (Sobol)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from perfanalytics.core.columns import Floats
from perfanalytics.models.simulation.engine import FACTOR, Plan, Record, decisions, run_aligned, run_recorded
from perfanalytics.models.simulation.marginals import Marginal, Steps

#: Batches behind the standard errors.
BATCHES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Shares of the variance, with standard errors; arrays of shape (sources,)."""

    first: Floats
    first_error: Floats
    total: Floats
    total_error: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Drivers:
    """What was found, the strongest first."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    rank_correlation: Floats
    shares: Shares
    totals: Floats
    record: Record


def pick_freeze(evaluate: Callable[[frozenset[str]], Floats], sources: Sequence[str]) -> Shares:
    """First-order and total shares of the variance of independent sources.

    Parameters
    ----------
    evaluate : callable
        Output of n runs, shape (n,), with the named sources taken from a second, independent set of numbers.
    sources : sequence of str

    Returns
    -------
    Shares
        ``first``: what the source explains alone; ``total``: with everything it acts together with.
        Estimates may lie a little outside 0 to 1; standard errors from 16 batches.

    References
    ----------
    Saltelli, Annoni, Azzini, Campolongo, Ratto and Tarantola (2010), Computer Physics Communications 181,
    259-270, table 2 (b) and (f); Jansen (1999), Computer Physics Communications 117, 35-43.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = {k: rng.normal(size=(2, 20_000)) for k in "ab"}
    >>> found = pick_freeze(lambda other: 2 * x["a"][int("a" in other)] + x["b"][int("b" in other)], "ab")
    >>> found.first.round(1).tolist(), found.total.round(1).tolist()       # 4 and 1 of 5
    ([0.8, 0.2], [0.8, 0.2])
    """
    one, two = evaluate(frozenset()), evaluate(frozenset(sources))
    center = (one.mean() + two.mean()) / 2
    variance = (one.var() + two.var()) / 2
    size = len(one) // BATCHES
    found = np.full((4, len(sources)), np.nan)
    if variance <= 0 or size < 2:
        return Shares(*found)
    for k, name in enumerate(sources):
        mixed = evaluate(frozenset([name]))
        parts = ((two - center) * (mixed - one), (one - mixed) ** 2 / 2)
        for row, part in zip((0, 2), parts, strict=True):
            each = part[: size * BATCHES].reshape(BATCHES, size).mean(axis=1) / variance
            found[row, k] = part.mean() / variance
            found[row + 1, k] = each.std(ddof=1) / np.sqrt(BATCHES)
    return Shares(*found)


def ranks(x: Floats) -> Floats:
    """Ranks from 0 on, ties sharing their mean."""
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    begin = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    end = np.r_[begin[1:], len(x)]
    out = np.empty(len(x))
    out[order] = np.repeat((begin + end - 1) / 2, end - begin)
    return out


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's rank correlation; NaN without variation.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 8, 27, 30]))
    1.0
    """
    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    bottom = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / bottom if bottom > 0 else float("nan")


def _is_constant(marginal: Marginal) -> bool:
    return isinstance(marginal, Steps) and len(marginal.at) == 1


def find_drivers(plan: Plan, runs: int, seed: int) -> Drivers:
    """Rank correlations of what each step took with the total, and shares of the variance.

    With correlations given by pairs the steps are not independent sources: no shares then.
    """
    totals, record = run_recorded(plan, runs, seed)
    varied = [name for k, name in enumerate(plan.names) if not _is_constant(plan.marginals[k])]
    chosen = decisions(plan.process)
    names = (*plan.names, *chosen, *((FACTOR,) if plan.has_factor else ()))
    kinds = ("step",) * len(plan.names) + ("decision",) * len(chosen) + ("common factor",) * plan.has_factor
    correlation = np.full(len(names), np.nan)
    for k in range(len(plan.names)):
        correlation[k] = rank_correlation(record.totals[k], totals)
    found = np.full((4, len(names)), np.nan)
    sources = {n: n for n in varied} | {f"decision {d}": d for d in chosen}
    sources |= {FACTOR: FACTOR} if plan.has_factor else {}
    if plan.root is None and sources:
        # every evaluation uses the numbers of one run twice, so blocks are kept whole
        shares = pick_freeze(lambda other: run_aligned(plan, runs, seed, other), list(sources))
        own = [names.index(name) for name in sources.values()]
        for row, values in enumerate((shares.first, shares.first_error, shares.total, shares.total_error)):
            found[row, own] = values
        still = [k for k, name in enumerate(names) if kinds[k] == "step" and name not in varied]
        found[:, still] = 0.0
    strength = np.where(np.isnan(found[2]), np.abs(np.nan_to_num(correlation)), found[2])
    order = np.argsort(-strength, kind="stable")
    return Drivers(
        tuple(names[k] for k in order),
        tuple(kinds[k] for k in order),
        correlation[order],
        Shares(*found[:, order]),
        totals,
        record,
    )
