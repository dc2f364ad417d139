"""What a comparison of candidate causes says: the verdict and its doubts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.comparisons.independence import visible_lag1
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.core.result import Caveat
from perfanalytics.practices.car.candidate_factors import Factor
from perfanalytics.practices.car.candidate_numbers import Numbers
from perfanalytics.practices.car.candidate_result import CandidateCauses

#: Fewer periods make covariances uncertain.
FEW_PERIODS = 15


def effect_text(result: CandidateCauses, k: int, *, adjusted: bool) -> str:
    """The effect of a candidate in words, with its interval."""
    name = "adjusted" if adjusted else "effect"
    effect, low, high = (float(getattr(result, name + end)[k]) for end in ("", "_low", "_high"))
    contrast = str(result.contrast[k])
    step = contrast.startswith("each ") and result.sort[k] != "levels"
    if result.scale == "log":
        text = f"{_times(effect)} times ({_times(low)} to {_times(high)})"
        return (
            f"{contrast}: {text}"
            if step
            else f"{contrast}: {_times(effect)} times the others ({_span(low, high)})"
        )
    unit = result.measure.unit
    if result.measure.scale == "proportion":
        effect, low, high, unit = 100 * effect, 100 * low, 100 * high, "points"
    if step:
        return f"{contrast}: {number(effect, unit)} ({number(low)} to {number(high)})"
    side = "above" if effect >= 0 else "below"
    ends = (low, high) if effect >= 0 else (-high, -low)
    return (
        f"{contrast}: {number(abs(effect), unit)} {side} the others ({number(ends[0])} to {number(ends[1])})"
    )


def _times(value: float) -> str:
    return f"{value:.2f}" if 0.1 <= value < 10 else number(value)


def _span(low: float, high: float) -> str:
    return f"{_times(low)} to {_times(high)}"


def verdict_of(result: CandidateCauses) -> str:
    """Which candidates explain the outcome, which only seem to, which show nothing."""
    name, k = result.measure.name, len(result.candidate)
    if k == 1:
        c = str(result.candidate[0])
        if result.standing[0] != "explains":
            return f"{c} shows nothing for {name} ({p_text(float(result.p_value[0]))})."
        return f"{c} goes with {name}. {_row(result, 0, adjusted=False)}."
    stand: dict[str, list[int]] = {}
    for i, s in enumerate(result.standing.tolist()):
        stand.setdefault(s, []).append(i)
    explaining = stand.get("explains", [])
    if explaining:
        many = "1 goes" if len(explaining) == 1 else f"{len(explaining)} go"
        still = "does" if len(explaining) == 1 else "do"
        rows = "; ".join(_row(result, i, adjusted=True) for i in explaining)
        text = f"Of {k} candidate causes {many} with {name} and still {still} beside the others. {rows}."
    else:
        text = f"None of {k} candidate causes goes with {name} both alone and beside the others."
    if rest := stand.get("alone only"):
        verb = "goes" if len(rest) == 1 else "go"
        text += f" {_list(result, rest)} {verb} with it alone, but not beside the others."
    if rest := stand.get("beside others"):
        verb = "shows" if len(rest) == 1 else "show"
        text += f" {_list(result, rest)} {verb} only once the others are held fixed."
    if rest := stand.get("not separable"):
        verb = "goes" if len(rest) == 1 else "go"
        text += f" {_list(result, rest)} {verb} with it, but cannot be told apart from the others."
    if rest := stand.get("nothing shown"):
        verb = "shows" if len(rest) == 1 else "show"
        least = p_text(float(np.nanmin(result.p_value_adjusted[rest])))
        text += f" {_list(result, rest)} {verb} nothing (adjusted {least})."
    return f"{text} Together they explain {percent(result.whole_share)} of the variation."


def _row(result: CandidateCauses, i: int, *, adjusted: bool) -> str:
    """Candidate, effect, share: "priority 4: 2.04 times the others", "hand-overs, each 1 more: 1.4 times"."""
    share = percent(float(result.share[i]))
    joint = "," if result.sort[i] != "levels" else ""
    text = effect_text(result, i, adjusted=adjusted)
    return f"{result.candidate[i]}{joint} {text}, {share} of the variation alone"


def _list(result: CandidateCauses, rows: Sequence[int]) -> str:
    names = [str(result.candidate[i]) for i in rows]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def doubts_of(
    result: CandidateCauses,
    factors: Sequence[Factor],
    found: Numbers,
    *,
    period: NDArray[np.int64] | None,
    zeros: int,
) -> Iterator[Caveat]:
    """The doubts."""
    if result.n_missing:
        yield Caveat(
            "missing-rows",
            f"{result.n_missing:,} of {result.provenance.n:,} rows have no value (or time) and are left out.",
            {"missing": result.n_missing, "rows": result.provenance.n},
        )
    if zeros:
        done = "are left out of the logarithms" if result.scale == "log" else "forbid logarithms"
        yield Caveat("not-positive", f"{zeros} values that are not positive {done}.", {"values": zeros})
    if result.n_censored:
        yield Caveat(
            "censored",
            f"{result.n_censored:,} items are still open: their values count as if they were final.",
            {"n": result.n_censored},
        )
    for factor in factors:
        if factor.merged:
            yield Caveat(
                "rare-levels",
                f"{factor.name}: levels of few items are put together: {', '.join(factor.merged)}.",
                {"candidate": factor.name, "levels": len(factor.merged)},
            )
    if found.lost:
        yield Caveat(
            "not-separable",
            f"The other candidates say exactly as much as {', '.join(found.lost)}: not separable.",
            {"candidates": ", ".join(found.lost)},
        )
    for name, share in found.entangled.items():
        yield Caveat(
            "entangled",
            f"{percent(share)} of what {name} says the others say too: little is left to tell it by.",
            {"candidate": name, "share": share},
        )
    if period is None:
        return
    if result.periods < FEW_PERIODS:
        yield Caveat(
            "too-few-periods",
            f"Only {result.periods} {result.every}s: covariances of {result.every}s are uncertain; give a "
            "shorter period (every=) if neighbouring ones differ.",
            {"periods": result.periods, "needed": FEW_PERIODS},
        )
    yield from _in_time(result, found, period)


def _in_time(result: CandidateCauses, found: Numbers, period: NDArray[np.int64]) -> Iterator[Caveat]:
    """Whether what the candidates leave is alike in neighbouring periods."""
    number_of = period - period.min()
    n = np.bincount(number_of)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(number_of, weights=found.residual) / n
    r = lag1_autocorrelation(mean, np.array([0, len(mean)]))
    seen = visible_lag1(r, np.array([float((n > 0).sum())]))
    if seen is not None:
        yield Caveat(
            "autocorrelated",
            f"What the candidates do not explain is alike in neighbouring {result.every}s (lag-1 about "
            f"{seen:.2f}), but {result.every}s count as independent: candidates that change slowly are found "
            "too often; look at a longer period (every=) too.",
            {"lag1": seen},
        )
