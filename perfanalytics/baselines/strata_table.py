"""The numbers behind strata: each attribute's tests and components, and the shrunk means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.components import (
    Groups,
    added,
    components_anova,
    components_reml,
    f_test,
    groups_of,
    holm,
    icc_interval,
    kruskal_wallis,
    share_interval,
    welch_test,
)
from perfanalytics.baselines.grouping import (
    MISSING,
    codes_of,
)
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

#: Groups of at least so many values tell how neighbours depend on each other.
_SPEAKS = 8
#: Fewer strata than this are not shrunk: towards an estimated mean it takes four to gain.
SHRINK_FROM = 4


@dataclass(frozen=True, slots=True)
class Rows:
    """The usable rows: values on the analysis scale, codes and names of the levels of each attribute."""

    y: Floats
    codes: dict[str, NDArray[np.int64]]
    names: dict[str, list[str]]
    when: NDArray[np.datetime64] | None
    lag1: float
    r: float


def read_rows(
    frame: pd.DataFrame, y: Floats, attributes: Sequence[str], when: NDArray[np.datetime64] | None
) -> Rows:
    codes: dict[str, NDArray[np.int64]] = {}
    names: dict[str, list[str]] = {}
    for a in attributes:
        code, levels = codes_of(frame, a)
        seen, code = np.unique(code, return_inverse=True)
        if len(seen) < 2:
            raise InputError(
                f"attribute {a!r} has the single level {levels[int(seen[0])]!r}: nothing to separate"
            )
        if len(seen) == len(y):
            raise InputError(
                f"attribute {a!r} has a level of its own for each row: it names items, not groups"
            )
        codes[a], names[a] = code.astype(np.int64).ravel(), [levels[i] for i in seen.tolist()]
    order = np.arange(len(y)) if when is None else np.argsort(when, kind="stable")
    y = y[order]
    codes = {a: c[order] for a, c in codes.items()}
    lag1, r = _lag1(y, list(codes.values()))
    return Rows(y, codes, names, None if when is None else when[order], lag1, r)


def _lag1(y: Floats, codes: Sequence[NDArray[np.int64]]) -> tuple[float, float]:
    """Lag-1 correlation within groups in time, the largest of the attributes: as seen, and corrected."""
    found = [(math.nan, 0.0)]
    for code in codes:
        n = np.bincount(code)
        speaks = np.flatnonzero(n >= _SPEAKS)
        if not len(speaks):
            continue
        keep = np.isin(code, speaks)
        order = np.argsort(code[keep], kind="stable")
        flat, lengths = y[keep][order], n[speaks]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        r1 = lag1_autocorrelation(flat, offsets)
        mean = np.add.reduceat(flat, offsets[:-1]) / lengths
        squares = np.add.reduceat((flat - np.repeat(mean, lengths)) ** 2, offsets[:-1])
        known = ~np.isnan(r1)
        if not known.any() or squares[known].sum() <= 0:
            continue
        pooled = float(np.sum(r1[known] * squares[known]) / np.sum(squares[known]))
        # each group has its own mean: the bias is that of a series of their typical length
        typical = float(lengths[known].sum() / known.sum())
        found.append((pooled, float(corrected_lag1(pooled, typical))))
    return max(found, key=lambda f: f[1])


def factor_of(rows: Rows, dependence: str) -> float:
    return (1 + rows.r) / (1 - rows.r) if dependence == "ar1" else 1.0


def df_factor_of(rows: Rows, dependence: str) -> float:
    return (1 + rows.r**2) / (1 - rows.r**2) if dependence == "ar1" else 1.0


def attribute_table(
    rows: Rows, attributes: Sequence[str], dependence: str, confidence: float
) -> tuple[dict[str, Any], list[int]]:
    """The table of the attributes, and their order by what they separate."""
    factor, df_factor = factor_of(rows, dependence), df_factor_of(rows, dependence)
    columns: dict[str, list[Any]] = {}

    def add(**entries: Any) -> None:
        for name, entry in entries.items():
            columns.setdefault(name, []).append(entry)

    n = len(rows.y)
    for a in attributes:
        code, k = rows.codes[a], len(rows.names[a])
        g = groups_of(rows.y, code, k, factor=factor, df_factor=df_factor)
        f, kw = f_test(g), kruskal_wallis(rows.y, code, k, factor=factor)
        whole = g.between + float(g.squares.sum())
        reml, (means, negative) = components_reml(g) if g.within > 0 else None, components_anova(g)
        low, high = icc_interval(g, confidence=confidence)
        share_low, share_high = share_interval(f, float(g.effective.sum()), confidence=confidence)
        add(
            attribute=a,
            levels=k,
            missing=missing_in(rows, a),
            f=f.statistic,
            df1=f.df1,
            df2=f.df2,
            p_anova=f.p_value,
            p_welch=welch_test(g).p_value,
            h=kw.statistic,
            p_kruskal=kw.p_value,
            eta_squared=g.between / whole if whole > 0 else math.nan,
            epsilon_squared=max(0.0, (g.between - (k - 1) * factor * g.within) / whole)
            if whole > 0
            else math.nan,
            share_low=share_low,
            share_high=share_high,
            rank_epsilon_squared=kw.statistic * factor / (n - 1),
            between=math.nan if reml is None else reml.between,
            within=math.nan if reml is None else reml.within,
            icc=math.nan if reml is None else reml.icc,
            icc_low=low,
            icc_high=high,
            icc_anova=means.icc,
            negative=negative,
        )
    table: dict[str, Any] = {
        name: np.array(column, dtype=object if isinstance(column[0], str) else None)
        for name, column in columns.items()
    }
    for name in ("p_anova", "p_kruskal"):
        table[f"{name}_holm"] = holm(table[name])
    order = np.argsort(-np.nan_to_num(table["epsilon_squared"]), kind="stable").tolist()
    table |= _beyond_first(rows, attributes, order, factor)
    return table, order


def _beyond_first(
    rows: Rows, attributes: Sequence[str], order: Sequence[int], factor: float
) -> dict[str, Floats]:
    """What each attribute separates within the groups of the first."""
    share, p = np.full(len(attributes), np.nan), np.full(len(attributes), np.nan)
    first = rows.codes[attributes[order[0]]]
    for i in order[1:]:
        test, gain = added(rows.y, first, rows.codes[attributes[i]])
        f = test.statistic / factor
        share[i] = gain
        p[i] = math.nan if math.isnan(f) else float(special.fdtrc(test.df1, max(test.df2 / factor, 1.0), f))
    return {"added_share": share, "p_added_holm": holm(p)}


def shrunk_means(g: Groups, *, confidence: float, coverage: float) -> dict[str, Floats]:
    """Empirical Bayes means of the groups on the analysis scale, their intervals, and the next item."""
    if not g.within > 0:
        none = np.full(g.k, np.nan)
        return {"weight": np.ones(g.k), "shrunk": g.mean, "shrunk_low": none, "shrunk_high": none} | {
            "next_low": none,
            "next_high": none,
        }
    parts = components_reml(g)
    n = g.effective
    if g.k >= SHRINK_FROM:
        weight = parts.between / (parts.between + parts.within / n)
        of_mean = 1 / np.sum(1 / (parts.between + parts.within / n))
        center, within = parts.mean, parts.within
    else:
        weight, of_mean, center, within = np.ones(g.k), np.float64(0.0), g.grand_mean, g.within
    shrunk = center + weight * (g.mean - center)
    variance = weight * within / n + (1 - weight) ** 2 * of_mean
    t, t_next = (float(special.stdtrit(g.df, (1 + level) / 2)) for level in (confidence, coverage))
    half, ahead = t * np.sqrt(variance), t_next * np.sqrt(within + variance)
    return {
        "weight": weight,
        "shrunk": shrunk,
        "shrunk_low": shrunk - half,
        "shrunk_high": shrunk + half,
        "next_low": shrunk - ahead,
        "next_high": shrunk + ahead,
    }


def missing_in(rows: Rows, attribute: str) -> int:
    names: Mapping[str, list[str]] = rows.names
    if names[attribute][-1] != MISSING:
        return 0
    return int(np.sum(rows.codes[attribute] == len(names[attribute]) - 1))


def order_share_of(code: NDArray[np.int64], when: NDArray[np.datetime64] | None) -> float:
    """Share of the variation of time (its ranks) between the strata: near 1 they follow each other."""
    if when is None:
        return math.nan
    rank = np.empty(len(when))
    rank[np.argsort(when, kind="stable")] = np.arange(len(when))
    g = groups_of(rank, code, int(code.max()) + 1)
    whole = g.between + float(g.squares.sum())
    return g.between / whole if whole > 0 else math.nan
