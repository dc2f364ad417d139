"""strata(frame, value=, by=) -> Strata: which attributes separate subgroups; split or pool?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.bulk import baselines_of
from perfanalytics.baselines.components import (
    groups_of,
    levene_test,
)
from perfanalytics.baselines.doubts import FEW
from perfanalytics.baselines.grouping import (
    batch_from_frame,
    is_frame,
    measure_of,
    numbers_of,
    times_of,
)
from perfanalytics.baselines.intervals import Dependence
from perfanalytics.baselines.numbers import decide_scale
from perfanalytics.baselines.strata_result import ATTRIBUTE_COLUMNS, Strata
from perfanalytics.baselines.strata_table import (
    SHRINK_FROM,
    attribute_table,
    df_factor_of,
    factor_of,
    missing_in,
    order_share_of,
    read_rows,
    shrunk_means,
)
from perfanalytics.baselines.strata_words import caveats_of, propose, verdict_of
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.result import Method

if TYPE_CHECKING:
    import pandas as pd

#: At most this share of zeros among durations is left out of the comparison on the log scale.
_ZEROS = 0.05
_BOUNDED = ("duration", "positive", "count", "proportion")


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
    (('team',), ['split', 'pool'])
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
    if np.isinf(values).any():
        raise InputError(f"infinite value of {value} in row {int(np.flatnonzero(np.isinf(values))[0])}")
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
    # equal values are measured from their own: the mean of ten times 0.1 is not 0.1
    origin = float(y[0]) if y.min() == y.max() else 0.0
    rows = read_rows(part, y - origin, attributes, None if times is None else times[kept])
    table, order = attribute_table(rows, attributes, chosen, confidence)
    proposals = propose(table, order, confidence=confidence, minimum_share=minimum_share)
    made_by = tuple(chosen_split) or (attributes[order[0]],)
    grouped = batch_from_frame(everything, value=value, by=list(made_by), measure=taken)
    made = baselines_of(grouped.batch, coverage=coverage, confidence=confidence, dependence=chosen)
    code = np.repeat(np.arange(len(grouped.batch)), grouped.batch.lengths)
    in_log = grouped.batch.values > 0 if scale == "log" else np.ones(len(code), dtype=bool)
    # a stratum of zeros only has no logarithm: nothing is said of its center
    has, number = np.unique(code[in_log], return_inverse=True)
    logs = np.log(grouped.batch.values[in_log]) if scale == "log" else grouped.batch.values
    factor = factor_of(rows, chosen)
    groups = groups_of(logs - origin, number, len(has), factor=factor, df_factor=df_factor_of(rows, chosen))
    shrunk = shrunk_means(groups, confidence=confidence, coverage=coverage)
    center, weights = _spread_out(groups.mean + origin, has, len(grouped.batch)), shrunk.pop("weight")
    weights = np.nan_to_num(_spread_out(weights, has, len(grouped.batch)))

    def back(column: Floats) -> Floats:
        """In the unit of the measure; within its bounds."""
        whole = _spread_out(column + origin, has, len(grouped.batch))
        if scale == "log":
            return np.asarray(np.exp(whole))
        return np.maximum(whole, 0.0) if taken.scale in _BOUNDED else whole

    opened = f"{value}_censored"
    n_open = int(everything[opened].sum()) if opened in everything.columns else 0
    spread = levene_test(logs - origin, number, groups.k, factor=factor)
    doubts = caveats_of(
        rows_missing={a: missing_in(rows, a) for a in attributes},
        lag1=rows.lag1,
        r=rows.r if chosen == "ar1" else 0.0,
        n=int(usable.sum()),
        dependence=chosen,
        order_share=order_share_of(code, grouped.batch.when),
        zeros=zeros if scale == "log" else 0,
        equal=float(values[kept][0]) if y.min() == y.max() else None,
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
                if groups.k >= SHRINK_FROM
                else f"none: fewer than {SHRINK_FROM} strata",
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


def _spread_out(column: Floats, has: NDArray[np.int64], strata: int) -> Floats:
    """One entry for each stratum; NaN where it has no value on the scale."""
    out = np.full(strata, np.nan)
    out[has] = column
    return out
