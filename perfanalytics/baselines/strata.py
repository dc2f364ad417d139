"""strata(frame, value=, by=) -> Strata: which attributes separate subgroups; split or pool?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.bulk import baselines_of
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
    levene_test,
    share_interval,
    welch_test,
)
from perfanalytics.baselines.doubts import FEW
from perfanalytics.baselines.grouping import (
    MISSING,
    batch_from_frame,
    codes_of,
    is_frame,
    measure_of,
    numbers_of,
    times_of,
)
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.numbers import decide_scale
from perfanalytics.baselines.strata_result import ATTRIBUTE_COLUMNS, Strata
from perfanalytics.baselines.strata_words import caveats_of, propose, verdict_of
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, lag1_autocorrelation
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.result import Method

if TYPE_CHECKING:
    import pandas as pd

#: At most this share of zeros among durations is left out of the comparison on the log scale.
_ZEROS = 0.05
_BOUNDED = ("duration", "positive", "count", "proportion")
#: Groups of at least so many values tell how neighbours depend on each other.
_SPEAKS = 8
#: Fewer strata than this are not shrunk: towards an estimated mean it takes four to gain.
_SHRINK_FROM = 4


@dataclass(frozen=True, slots=True)
class Rows:
    """The usable rows: values on the analysis scale, codes and names of the levels of each attribute."""

    y: Floats
    codes: dict[str, NDArray[np.int64]]
    names: dict[str, list[str]]
    when: NDArray[np.datetime64] | None
    lag1: float
    r: float


def strata(
    frame: pd.DataFrame,
    *,
    value: str,
    by: str | Sequence[str],
    measure: Measure | None = None,
    split: str | Sequence[str] = (),
    dependence: Dependence | None = None,
    confidence: float = 0.95,
    minimum_share: float = 0.05,
    coverage: float = 0.95,
) -> Strata:
    """Which attributes separate subgroups of a measure, and one baseline for each subgroup.

    Parameters
    ----------
    frame : pandas DataFrame
        One row per observation with its attributes, as ``repo.frame`` gives it; times in ``when``.
    value : str
        Column of the values: measured numbers, counts, or items coded 0 and 1.
    by : str or sequence of str
        Columns that may separate subgroups. A missing value is a group of its own.
    measure : Measure, optional
        What the values are; frames of the repository know it.
    split : str or sequence of str, optional
        Columns whose combinations make the strata of ``.baselines``; default the attribute that separates
        most.
    dependence : {"ar1", "independent"}, optional
        How neighbouring values of a group may depend on each other; default "ar1" where there are times.
    confidence : float
        Of intervals; the tests err jointly over the attributes with 1 less this.
    minimum_share : float
        The share of the variation (epsilon squared) that an attribute must separate to be worth a split.
    coverage : float
        Of prediction intervals.

    Returns
    -------
    Strata
        ``.summary()`` one row an attribute, ``.to_frame()`` one row a stratum, ``.proposed`` the attributes a
        split is proposed by. A proposal: whoever agrees to it makes the baselines.

    Raises
    ------
    InputError
        For fewer than 3 usable rows, columns with a single level or a level for each row, denominators.
    UnknownNameError
        For a column that does not exist.

    Notes
    -----
    Durations and positive measures are compared as logarithms. An attribute separates where both the analysis
    of variance and Kruskal-Wallis say so, each adjusted by Holm over the attributes; a split is proposed
    where it also separates at least ``minimum_share``. Further attributes are tested within the groups of the
    first.

    With ``dependence="ar1"`` the statistics are divided by ``(1 + r) / (1 - r)``, r the lag-1 correlation
    within the groups in order of time, pooled over groups of at least 8 values and corrected for bias: an
    approximation that is careful where all groups move together (see docs/baselines.md for its error rates).

    A stratum's shrunk mean is ``whole + weight (own - whole)``, ``weight = between / (between + within factor
    / n)`` with the components by REML (empirical Bayes); its interval takes the components as known.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, chapters 3 and 7. Efron and Morris (1975), JASA
    70. Tomczak and Tomczak (2014), Trends in Sport Sciences 1 (effect sizes of rank tests).

    Examples
    --------
    >>> import pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> team = np.repeat(["A", "B", "C"], 60)
    >>> hours = np.exp(rng.normal(1.0, 0.5, 180) + 0.8 * (team == "C"))
    >>> frame = pd.DataFrame({"hours": hours, "team": team, "shift": np.tile(["day", "night"], 90)})
    >>> found = strata(frame, value="hours", by=["team", "shift"])
    >>> found.proposed, found.proposal.tolist()
    (('team',), ['split', 'undecided'])
    """
    if not is_frame(frame):
        raise InputError(
            f"strata takes a frame with one row per observation (repo.frame), got {type(frame).__name__}"
        )
    _check(confidence, minimum_share, coverage, dependence)
    attributes = [by] if isinstance(by, str) else list(by)
    chosen_split = [split] if isinstance(split, str) else list(split)
    if not attributes or len(set(attributes)) != len(attributes):
        raise InputError(f"by= names the attributes, each once; got {attributes}")
    taken = measure_of(frame, value, measure)
    values = numbers_of(frame, value)
    times = times_of(frame)
    usable = ~np.isnan(values) if times is None else ~np.isnan(values) & ~np.isnat(times)
    if f"{value}_size" in frame.columns and bool(frame[f"{value}_size"].notna().any()):
        raise InputError(f"{value} has denominators: give the items themselves, one row each")
    if int(usable.sum()) < 3:
        raise InputError(f"{int(usable.sum())} usable rows: nothing can be compared")
    chosen: Dependence = dependence or ("independent" if times is None else "ar1")
    scale, why = decide_scale(values[usable], taken)
    zeros = int(np.sum(values[usable] == 0)) if taken.scale in LOG_SCALES else 0
    if 0 < zeros <= _ZEROS * usable.sum():
        scale, why = "log", f"declared {taken.scale}; {zeros} values of 0 are left out of the comparison"
    kept = usable & (values > 0) if scale == "log" else usable
    part, everything = frame.loc[kept], frame.loc[usable]
    y = np.log(values[kept]) if scale == "log" else values[kept]
    rows = _rows(part, y, attributes, None if times is None else times[kept])
    table, order = _attributes(rows, attributes, chosen, confidence)
    proposals = propose(table, order, confidence=confidence, minimum_share=minimum_share)
    made_by = tuple(chosen_split) or (attributes[order[0]],)
    grouped = batch_from_frame(everything, value=value, by=list(made_by), measure=taken)
    made = baselines_of(grouped.batch, coverage=coverage, confidence=confidence, dependence=chosen)
    code = np.repeat(np.arange(len(grouped.batch)), grouped.batch.lengths)
    in_log = grouped.batch.values > 0 if scale == "log" else np.ones(len(code), dtype=bool)
    # a stratum of zeros only has no logarithm: nothing is said of its center
    has, number = np.unique(code[in_log], return_inverse=True)
    logs = np.log(grouped.batch.values[in_log]) if scale == "log" else grouped.batch.values
    factor = _factor(rows, chosen)
    groups = groups_of(logs, number, len(has), factor=factor, df_factor=_df_factor(rows, chosen))
    shrunk = _shrunk(groups, confidence=confidence, coverage=coverage)
    center, weights = _spread_out(groups.mean, has, len(grouped.batch)), shrunk.pop("weight")
    weights = np.nan_to_num(_spread_out(weights, has, len(grouped.batch)))

    def back(column: Floats) -> Floats:
        """In the unit of the measure; within its bounds."""
        whole = _spread_out(column, has, len(grouped.batch))
        if scale == "log":
            return np.asarray(np.exp(whole))
        return np.maximum(whole, 0.0) if taken.scale in _BOUNDED else whole

    opened = f"{value}_censored"
    n_open = int(everything[opened].sum()) if opened in everything.columns else 0
    spread = levene_test(logs, number, groups.k, factor=factor)
    doubts = caveats_of(
        rows_missing={a: _missing(rows, a) for a in attributes},
        lag1=rows.lag1,
        r=rows.r if chosen == "ar1" else 0.0,
        n=int(usable.sum()),
        dependence=chosen,
        order_share=_order_share(code, grouped.batch.when),
        zeros=zeros if scale == "log" else 0,
        split_by=made_by,
        spread_p=spread.p_value,
        negative=[a for a, flag in zip(attributes, table["negative"], strict=True) if flag],
        small=int(np.sum(grouped.batch.lengths < FEW)),
        strata=len(grouped.batch),
        n_open=n_open,
        confidence=confidence,
    )
    columns: dict[str, Any] = {k: table[k] for k in ATTRIBUTE_COLUMNS if k not in ("proposal", "reason")}
    columns |= {name: np.asarray(back(column)) for name, column in shrunk.items()}
    return Strata(
        verdict=verdict_of(
            taken.name,
            table,
            order,
            proposals,
            confidence=confidence,
            unit="logarithms" if scale == "log" else "",
        ),
        caveats=tuple(doubts),
        method=Method(
            "strata",
            {
                "confidence": confidence,
                "minimum_share": minimum_share,
                "coverage": coverage,
                "scale": scale,
                "scale_because": why,
                "dependence": chosen,
                "dependence_because": "asked for"
                if dependence
                else ("default with times" if times is not None else "default without times"),
                "lag1_used": rows.r if chosen == "ar1" else 0.0,
                "multiplicity": "Holm over the attributes, for each of the two tests",
                "separates": "both the analysis of variance and Kruskal-Wallis",
                "components": "REML; mean squares beside it",
                "icc_interval": "Wald 1940, exact for normal values",
                "shrinkage": "empirical Bayes towards the overall mean"
                if groups.k >= _SHRINK_FROM
                else f"none: fewer than {_SHRINK_FROM} strata",
            },
            (
                "Kruskal and Wallis (1952), JASA 47",
                "Searle, Casella and McCulloch (1992), Variance Components",
                "Efron and Morris (1975), JASA 70",
            ),
        ),
        provenance=grouped.batch.provenance(),
        measure=taken,
        n=int(usable.sum()),
        n_missing=int(len(frame) - usable.sum()),
        n_censored=n_open,
        scale=scale,
        dependence=chosen,
        lag1=rows.lag1,
        factor=factor,
        confidence=confidence,
        minimum_share=minimum_share,
        **columns,
        proposal=proposals.proposal,
        reason=proposals.reason,
        split_by=made_by,
        proposed=proposals.proposed,
        baselines=made,
        center=np.exp(center) if scale == "log" else center,
        weight=weights,
        small=grouped.batch.lengths < FEW,
    )


def _check(confidence: float, minimum_share: float, coverage: float, dependence: str | None) -> None:
    for name, level in (("confidence", confidence), ("coverage", coverage), ("minimum_share", minimum_share)):
        if not 0 < level < 1:
            raise InputError(f"{name} lies between 0 and 1, got {level}")
    if dependence not in (None, "ar1", "independent"):
        raise UnknownNameError("dependence", str(dependence), ("ar1", "independent"))


def _rows(
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


def _factor(rows: Rows, dependence: str) -> float:
    return (1 + rows.r) / (1 - rows.r) if dependence == "ar1" else 1.0


def _df_factor(rows: Rows, dependence: str) -> float:
    return (1 + rows.r**2) / (1 - rows.r**2) if dependence == "ar1" else 1.0


def _attributes(
    rows: Rows, attributes: Sequence[str], dependence: str, confidence: float
) -> tuple[dict[str, Any], list[int]]:
    """The table of the attributes, and their order by what they separate."""
    factor, df_factor = _factor(rows, dependence), _df_factor(rows, dependence)
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
            missing=_missing(rows, a),
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


def _shrunk(g: Groups, *, confidence: float, coverage: float) -> dict[str, Floats]:
    """Empirical Bayes means of the groups on the analysis scale, their intervals, and the next item."""
    if not g.within > 0:
        none = np.full(g.k, np.nan)
        return {"weight": np.ones(g.k), "shrunk": g.mean, "shrunk_low": none, "shrunk_high": none} | {
            "next_low": none,
            "next_high": none,
        }
    parts = components_reml(g)
    n = g.effective
    if g.k >= _SHRINK_FROM:
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


def _spread_out(column: Floats, has: NDArray[np.int64], strata: int) -> Floats:
    """One entry for each stratum; NaN where it has no value on the scale."""
    out = np.full(strata, np.nan)
    out[has] = column
    return out


def _missing(rows: Rows, attribute: str) -> int:
    names: Mapping[str, list[str]] = rows.names
    if names[attribute][-1] != MISSING:
        return 0
    return int(np.sum(rows.codes[attribute] == len(names[attribute]) - 1))


def _order_share(code: NDArray[np.int64], when: NDArray[np.datetime64] | None) -> float:
    """Share of the variation of time (its ranks) between the strata: near 1 they follow each other."""
    if when is None:
        return math.nan
    rank = np.empty(len(when))
    rank[np.argsort(when, kind="stable")] = np.arange(len(when))
    g = groups_of(rank, code, int(code.max()) + 1)
    whole = g.between + float(g.squares.sum())
    return g.between / whole if whole > 0 else math.nan
