"""What speaks against a pilot: its dates, its choice, the dip before it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from perfanalytics.baselines.wording import count, number, percent
from perfanalytics.comparisons.words import p_text
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import corrected_lag1, effective_size, lag1_autocorrelation
from perfanalytics.core.improvement_records import Pilot, SuccessCriterion
from perfanalytics.core.periods import period_number
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series
from perfanalytics.practices.opm.improvement_terms import Requirement

#: Level at which the stretch just before a pilot counts as worse than the rest before it.
DIP = 0.05
#: Periods the stretch and the rest have at least.
FEWEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Dip:
    """The stretch just before a pilot against the rest before it, on the scale (positive = better).

    Parameters
    ----------
    periods : int
        Of the stretch.
    worse : float
        How much worse the stretch was than the rest.
    p_value : float
        One-sided.
    ratio : bool
        Whether the scale is logarithmic.
    """

    periods: int
    worse: float
    p_value: float
    ratio: bool


def dip_before(before: Series, others: Sequence[Series], asked: Requirement, during: int) -> Dip | None:
    """How the periods just before a pilot compare with those further back; None where there are too few."""
    if not len(before.values) or (asked.scale == "log" and (before.values <= 0).any()):
        return None
    y = asked.forward(before.values)
    if others:
        y = y - _mean_of(others, before, asked)
    y = y[~np.isnan(y)]
    m = min(during, len(y) // 3)
    if m < FEWEST or len(y) - m < 2 * FEWEST:
        return None
    late, early = y[-m:], y[:-m]
    spread = float(early.std(ddof=1))
    if spread <= 1e-12 * max(1.0, abs(float(early.mean()))):
        return None
    r = float(corrected_lag1(lag1_autocorrelation(early, np.array([0, len(early)]))[0], len(early)))
    n = [max(1.0, float(effective_size(len(part), r))) for part in (late, early)]
    worse = float(early.mean() - late.mean())
    t = worse / (spread * math.sqrt(1 / n[0] + 1 / n[1]))
    p = 1 - float(special.stdtr(max(1.0, n[1] - 1), t))
    return Dip(periods=m, worse=worse, p_value=p, ratio=asked.scale == "log")


def _mean_of(others: Sequence[Series], before: Series, asked: Requirement) -> Floats:
    """The comparison group at the times of the series, on the scale; NaN where it has no value."""
    assert before.when is not None
    columns = []
    for o in others:
        if o.when is None:
            continue
        known = {
            t: v
            for t, v in zip(o.when.tolist(), o.values.tolist(), strict=True)
            if v == v and (v > 0 or asked.scale == "raw")
        }
        at = np.array([known.get(t, math.nan) for t in before.when.tolist()])
        column = np.full(len(at), math.nan)
        column[~np.isnan(at)] = asked.forward(at[~np.isnan(at)])
        columns.append(column)
    table = np.array(columns)
    have = (~np.isnan(table)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(have > 0, np.nansum(table, axis=0) / have, math.nan))


def _mixed(pilot: Pilot, series: Series) -> dt.date | None:
    """The first day of the period in which the pilot began, where it did not begin with one."""
    if series.when is None or series.expected_every is None:
        return None
    starts = series.when.astype("datetime64[D]")
    began = np.array([pilot.since], dtype="datetime64[D]")
    same = period_number(starts, series.expected_every) == period_number(began, series.expected_every)
    same &= (starts < began) & ~np.isnan(series.values)
    first: dt.date | None = starts[same][0].item() if same.any() else None
    return first


def pilot_doubts(
    pilot: Pilot,
    criterion: SuccessCriterion,
    series: Series,
    others: Sequence[Series],
    *,
    selected: str | None,
    dip: Dip | None,
    standing: str,
    form: str,
) -> tuple[Caveat, ...]:
    """What the dates, the choice of the units and the course before the pilot say against it."""
    out = []
    if criterion.declared_on >= pilot.since:
        late = (criterion.declared_on - pilot.since).days
        text = (
            f"The criterion was declared on {criterion.declared_on}, "
            + (f"{count(late, 'day')} after" if late else "the day")
            + f" the pilot began ({pilot.since}): it may have been chosen to fit."
        )
        out.append(Caveat("criterion-after-pilot", text, {"days": late}))
    if not others and form != "level":
        text = (
            "There is no comparison group: whatever else changed at the time counts as an effect of "
            "the pilot."
        )
        out.append(Caveat("no-comparison-group", text))
    if selected == "worst":
        text = (
            "The units were chosen because they were bad: part of the improvement comes by itself "
            "(regression to the mean)"
            + ("; a comparison group chosen in the same way would show it." if others else ".")
        )
        out.append(Caveat("regression-to-the-mean", text, {"selected": selected}))
    elif selected == "volunteers":
        text = "Volunteers took part: in other units the effect may be smaller."
        out.append(Caveat("volunteers", text))
    elif selected is None:
        text = (
            "How the units of the pilot were chosen was not said: where they were the worst, part "
            "comes by itself."
        )
        out.append(Caveat("choice-not-said", text))
    if dip is not None and dip.p_value < DIP:
        size = (
            percent(math.expm1(abs(dip.worse))) if dip.ratio else number(abs(dip.worse), series.measure.unit)
        )
        text = (
            f"The {dip.periods} periods just before the pilot were worse than those before them, by {size} "
            f"({p_text(dip.p_value)}): so much may come back by itself (regression to the mean)."
        )
        out.append(Caveat("dip-before-pilot", text, {"worse": dip.worse, "p_value": dip.p_value}))
    mixed = _mixed(pilot, series)
    if mixed is not None:
        text = (
            f"The pilot began within a {series.expected_every} ({mixed}): this counts as before it, "
            "though part of it was not."
        )
        out.append(Caveat("began-within-a-period", text, {"days": (pilot.since - mixed).days}))
    end = None if series.when is None or not len(series) else series.when[-1].astype("datetime64[D]").item()
    if end is not None and end < pilot.since:
        return tuple(out)
    if end is not None and (pilot.until - end).days > 45:
        text = f"The data end on {end}, before the end of the pilot ({pilot.until}): it is judged early."
        out.append(Caveat("pilot-not-over", text, {"days": (pilot.until - end).days}))
    return tuple(out)
