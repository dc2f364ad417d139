"""What a phase I analysis says: its doubts and its verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.result import Caveat
from perfanalytics.spc.phase_one_result import PhaseOne
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.verdict import stage_name
from perfanalytics.spc.wording import moment, nth, number, points_word, unit_of

#: Above this share of proposed points it is not the points that are special.
MANY = 0.1
#: Rounds stop when so many of the points would be left out.
MOST = 0.5


def caveats_of_rounds(
    first: ControlChart, last: ControlChart, proposed: int, beyond: NDArray[np.bool_], no_limits: bool
) -> tuple[Caveat, ...]:
    """The doubts of the first chart, and those of the rounds."""
    out = list(first.caveats)
    n = first.n_used
    left = int(np.count_nonzero(beyond.any(axis=0)))
    if left and not no_limits:
        out.append(
            Caveat(
                "not-settled",
                f"The rounds were stopped: without these points {left} more lie beyond the limits, and more "
                f"than {MOST:.0%} of the {n} points would be left out.",
                {"proposed": proposed, "beyond": left, "n": n},
            )
        )
    if (proposed > max(1.0, MANY * n)) or (left and not no_limits):
        out.append(
            Caveat(
                "many-proposed",
                f"{proposed} of {n} points are proposed ({proposed / n:.0%}): not single points are special "
                "then, the process is not stable. Leaving points out until a chart looks stable makes its "
                "limits too narrow, and later points signal falsely more often.",
                {"proposed": proposed, "n": n, "share": proposed / n},
            )
        )
    runs = last.n_signals - left
    if runs > 0:
        out.append(
            Caveat(
                "other-signals",
                f"{runs} point{'s' if runs > 1 else ''} still signal{'' if runs > 1 else 's'} by other rules "
                "than the limits: a shift or trend is a question of stages (suggest_stages), not of points.",
                {"points": runs},
            )
        )
    return tuple(out)


def with_verdict(found: PhaseOne, first: ControlChart, last: ControlChart) -> PhaseOne:
    """The analysis with its verdict, which needs the first and the last chart."""
    return replace(found, verdict=_verdict(found, first, last))


def _verdict(found: PhaseOne, first: ControlChart, last: ControlChart) -> str:
    n, k = first.n_used, len(found.point)
    word = points_word(n, first.every)
    if not np.isfinite(first.upper[0]).any():
        return f"No phase I analysis: {first.verdict[0].lower()}{first.verdict[1:]}"
    wide = first.spread(0)
    spread = float(np.nanmedian(wide)) if np.isfinite(wide).any() else float("nan")

    def span(low: float, high: float) -> str:
        low_text = number(low, spread, share=found.is_share)
        return f"{low_text} to {number(high, spread, share=found.is_share)}{unit_of(found.measure)}"

    at = _told_at(found, first)
    old = span(float(first.lower[0, at]), float(first.upper[0, at]))
    latest = first.upper[0][first.stage == first.stage[at]]
    varies = np.isfinite(latest).any() and np.ptp(latest[np.isfinite(latest)]) > 0
    where = " at its newest point" if varies else ""
    limits = f"the limits of {old}{' at the newest point' if varies else ''}"
    if len(first.limits.n) > 1:
        limits = f"the limits of its stage (of the last one {old}{where})"
        where = f" of the stage {stage_name(first, int(first.stage[at]))}{where}"
    elif varies:
        where = " at the newest point"
    if not k and "not-settled" in found.caveat_codes:
        many = int(found.round_beyond[0])
        return (
            f"{many} of {n} {word} lie beyond {limits}: the process is not stable, and it "
            "is not single points that need a cause."
        )
    if not k:
        return f"No point of {n} {word} lies beyond {limits}: nothing is proposed."
    names = [_named(first, int(p)) for p in found.point]
    listed = ", ".join(names[:6]) + (f" and {k - 6} more" if k > 6 else "")
    if 1 < k <= 6:
        listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    rounds = len(found.round_center) - 1
    in_rounds = f" in {rounds} rounds" if rounds > 1 else ""
    new = span(float(last.lower[0, at]), float(last.upper[0, at]))
    it, needs = ("it", "It needs") if k == 1 else ("them", "Each needs")
    return (
        f"{k} of {n} {word} {'is' if k == 1 else 'are'} proposed for investigation{in_rounds}: {listed}. "
        f"Without {it} the limits{where} would be {new} instead of {old}. "
        f"{needs} a cause, a person and a date before it is excluded."
    )


def _told_at(found: PhaseOne, first: ControlChart) -> int:
    """The newest point with limits of the last stage in which a point is proposed, or of the last one."""
    stages = first.stage[found.point] if len(found.point) else first.stage
    here = (first.stage == stages.max()) & ~np.isnan(first.value[0]) & ~np.isnan(first.center[0])
    seen = np.flatnonzero(here)
    return int(seen[-1]) if len(seen) else len(first.stage) - 1


def _named(chart: ControlChart, k: int) -> str:
    if chart.when is not None:
        return moment(chart.when[k], chart.every)
    if chart.labels is not None and chart.labels[k]:
        return str(chart.labels[k])
    return nth(k)
