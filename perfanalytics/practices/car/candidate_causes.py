"""candidate_causes(frame, value=, candidates=) -> CandidateCauses: what goes with the outcome, and still?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import count
from perfanalytics.comparisons.multiplicity import ADJUSTMENTS
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, Measure
from perfanalytics.core.periods import Every, period_number
from perfanalytics.core.result import Method, Provenance
from perfanalytics.practices.car.candidate_factors import check_names, read_factor
from perfanalytics.practices.car.candidate_numbers import numbers_of
from perfanalytics.practices.car.candidate_result import OF_LEVELS, CandidateCauses
from perfanalytics.practices.car.candidate_words import doubts_of, verdict_of
from perfanalytics.practices.table_columns import (
    clock_in,
    column,
    hash_of,
    measure_in,
    moments,
    numbers,
    texts,
)

if TYPE_CHECKING:
    pass

#: At most this share of values that are not positive is left out of the logarithms.
_FEW = 0.05


def candidate_causes(
    frame: object,
    *,
    value: str,
    candidates: Sequence[str],
    when: str | None = None,
    every: Every = "week",
    as_levels: Sequence[str] = (),
    measure: Measure | None = None,
    scale: str | None = None,
    adjust: str = "holm",
    least: int = 5,
    confidence: float = 0.95,
) -> CandidateCauses:
    """Which of several candidate causes go with an outcome, by how much, and still do beside the others?

    Parameters
    ----------
    frame : pandas DataFrame, or mapping of name to column
        One row an item with its attributes, as ``repo.frame`` gives it. Rows without a value are left out and
        counted.
    value : str
        Column of the outcome.
    candidates : sequence of str
        Columns of the candidate causes: texts, yes or no, numbers. A missing text is a level of its own.
    when : str, optional
        Column of times: items of a period may then be alike in what nobody recorded. Without it all items
        count as independent.
    every : {"hour", "day", "week", "month", "quarter", "year"}
        The period.
    as_levels : sequence of str
        Candidates whose numbers are names.
    measure : Measure, optional
        What the values mean; frames of the repository know it.
    scale : {"log", "raw"}, optional
        As the measure declares when left out: log for durations and other positive measures.
    adjust : {"holm", "hochberg", "bonferroni", "benjamini_hochberg", "none"}
        For the p-values over the candidates.
    least : int
        Levels of fewer items are put together.
    confidence : float

    Returns
    -------
    CandidateCauses
        ``.to_frame()`` the candidates, ``.levels_frame()`` each level against all others.

    Raises
    ------
    InputError
        For candidates with a single level or one for each row, too few rows.
    UnknownNameError
        For a column, scale, adjustment or period that does not exist.

    Notes
    -----
    Least squares of the values (or their logarithms) on each candidate alone, and on all together, without
    interactions. Tests and intervals use covariances that add up the items of a period first: whatever they
    share beyond the candidates does not count as many (CR1; the F test is scaled to the number of periods).
    A number of at most 8 different values is tested as levels and told by its slope. Intervals of a level
    against all others hold together over the levels of the candidate.

    What goes with an outcome is not yet its cause: what both depend on, and was not recorded, is not held
    fixed, and a candidate that comes after the outcome explains it too.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22. Cameron and Miller (2015), Journal of Human Resources 50,
    317-372. Holm (1979), Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> table = {"team": np.tile(["A", "B", "C"], 80), "shift": np.repeat(["day", "night"], 120)}
    >>> table["hours"] = 5 + 2.0 * (table["team"] == "C") + rng.normal(size=240)
    >>> found = candidate_causes(table, value="hours", candidates=["team", "shift"])
    >>> found.standing.tolist(), found.contrast.tolist()[0], round(float(found.effect[0]), 1)
    (['explains', 'nothing shown'], 'C', 2.0)
    """
    names = check_names(candidates, value)
    if adjust not in ADJUSTMENTS:
        raise UnknownNameError("adjustment", str(adjust), ADJUSTMENTS)
    if scale not in (None, "log", "raw"):
        raise UnknownNameError("scale", str(scale), ("log", "raw"))
    if not 0.5 < confidence < 1:
        raise InputError(f"confidence lies between 0.5 and 1 (0.95 for 95%), got {confidence!r}")
    if isinstance(least, bool) or not isinstance(least, int) or least < 2:
        raise InputError(f"least= is a whole number of at least 2, got {least!r}")
    for name in as_levels:
        if name not in names:
            raise UnknownNameError("candidate (as_levels=)", name, names)
    taken = measure_in(frame, value, measure)
    y = numbers(column(frame, value), value)
    times = None if when is None else moments(column(frame, when), when)
    keep = ~np.isnan(y) if times is None else ~np.isnan(y) & ~np.isnat(times)
    n_missing = int(len(y) - keep.sum())
    chosen, why, zeros = _scale(y[keep], taken, scale)
    if chosen == "log":
        keep &= ~(y <= 0)
    factors = [
        read_factor(frame, name, keep, as_levels=name in as_levels, least=least) for name in names
    ] if keep.sum() >= 3 else []  # fmt: skip
    width = 1 + sum(f.block.shape[1] for f in factors)
    if not factors or int(keep.sum()) <= width + 2:
        raise InputError(
            f"{count(int(keep.sum()), 'row')} with a value {'is' if keep.sum() == 1 else 'are'} too few for "
            f"{count(len(names), 'candidate')}"
        )
    if float(np.ptp(y[keep])) == 0:
        raise InputError(f"{value!r} is {y[keep][0]:g} in all rows: nothing can explain what does not vary")
    period = None if times is None else period_number(times[keep], every).astype(np.int64)
    analyzed = np.log(y[keep]) if chosen == "log" else y[keep]
    found = numbers_of(analyzed, factors, period, adjust=adjust, confidence=confidence)
    order = np.argsort(-np.array(found.candidates["share"]), kind="stable")
    columns = _columns(found.candidates, found.levels, order, log=chosen == "log")
    columns["candidate"] = _texts([names[k] for k in order])
    columns["sort"] = _texts([factors[k].sort for k in order])
    columns["levels"] = np.array([len(factors[k].names) for k in order], dtype=np.int64)
    columns["standing"] = _standing(columns, found.lost, 1 - confidence, alone=len(names) == 1)
    opened = f"{value}_censored"
    try:
        censored = np.asarray(column(frame, opened), dtype=bool)
    except UnknownNameError:
        censored = np.zeros(len(y), dtype=bool)
    made = CandidateCauses(
        verdict="",
        method=Method(
            "candidate_causes",
            {
                "candidates": list(names),
                "when": when,
                "every": every if when is not None else None,
                "as_levels": list(as_levels),
                "scale": chosen,
                "scale_because": why,
                "adjust": adjust,
                "least": least,
                "confidence": confidence,
                "covariance": "CR1 by period, F scaled as Hotelling's T2" if when is not None else "HC1",
                "shares": "adjusted R2",
            },
            (
                "Liang and Zeger (1986), Biometrika 73, 13-22",
                "Cameron and Miller (2015), Journal of Human Resources 50, 317-372",
                "Holm (1979), Scandinavian Journal of Statistics 6",
            ),
        ),
        provenance=Provenance(
            taken.name,
            data_hash=hash_of(y, times, *(texts(column(frame, name)) for name in names)),
            n=len(y),
            clock="none" if when is None else clock_in(frame),
        ),
        measure=taken,
        n=int(keep.sum()),
        n_missing=n_missing,
        n_censored=int(censored[keep].sum()),
        scale=chosen,
        periods=0 if period is None else len(np.unique(period)),
        every=every if when is not None else "",
        whole_share=found.share,
        confidence=confidence,
        **columns,
    )
    caveats = tuple(doubts_of(made, factors, found, period=period, zeros=zeros))
    return replace(made, verdict=verdict_of(made), caveats=caveats)


def _scale(y: Floats, measure: Measure, asked: str | None) -> tuple[str, str, int]:
    """The scale, why, and how many values have no place on it."""
    low = int((y <= 0).sum())
    if asked == "log" and low:
        raise InputError(f"scale='log' needs positive values; {low} are not")
    if asked is not None:
        return asked, "asked for", 0
    if measure.scale not in LOG_SCALES:
        return "raw", f"declared ({measure.scale})" if measure.scale else "not declared", 0
    if low > _FEW * len(y):
        return "raw", f"declared ({measure.scale}), but {low} values are not positive", low
    return "log", f"declared ({measure.scale})", low


def _columns(
    rows: dict[str, list[Any]], levels: dict[str, list[Any]], order: NDArray[np.int64], *, log: bool
) -> dict[str, Any]:
    """Candidates and their levels in their order; effects in the unit of the measure or as ratios."""
    effects = ("effect", "effect_low", "effect_high", "adjusted", "adjusted_low", "adjusted_high")
    out: dict[str, Any] = {}
    for name, values in rows.items():
        if name == "contrast":
            out[name] = _texts([values[k] for k in order])
            continue
        array = np.array(values, dtype=float)[order]
        out[name] = np.exp(array) if log and name in effects else array
    place = np.argsort(order)
    of = place[np.array(levels["of"], dtype=np.int64)]
    rank = np.argsort(of, kind="stable")
    out["level_of"] = of[rank].astype(np.int64)
    out["level"] = _texts([levels["level"][k] for k in rank])
    out["level_n"] = np.array(levels["n"], dtype=np.int64)[rank]
    for name, target in zip(effects, OF_LEVELS, strict=True):
        array = np.array(levels[name], dtype=float)[rank]
        out[target] = np.exp(array) if log else array
    return out


def _standing(columns: dict[str, Any], lost: Sequence[str], level: float, *, alone: bool) -> NDArray[Any]:
    out = []
    for name, one, both in zip(
        columns["candidate"], columns["p_value_adjusted"], columns["p_beside_adjusted"], strict=True
    ):
        by_itself = bool(one <= level * (1 + 1e-9))
        beside = by_itself if alone else bool(both <= level * (1 + 1e-9))
        if name in lost:
            out.append("not separable" if by_itself else "nothing shown")
        elif by_itself:
            out.append("explains" if beside else "alone only")
        else:
            out.append("beside others" if beside else "nothing shown")
    return _texts(out)


def _texts(values: Sequence[object]) -> NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    out[:] = [str(v) for v in values]
    return out
