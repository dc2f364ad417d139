"""Why a baseline should be made anew, and the verdict, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.drift_tests import Finding
from perfanalytics.baselines.wording import count, day, number, percent
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Process
from perfanalytics.core.result import Caveat


def reasons_of(
    shifted: Sequence[Finding],
    measure: Measure,
    *,
    old_process: Process | None,
    new_process: Process | None,
    changes: Sequence[Any],
    when: NDArray[np.datetime64] | None,
    valid_until: dt.date | None,
    limits: Sequence[float],
) -> list[str]:
    """The reasons to make the baseline anew, each a clause."""
    out = [_told(f, measure, limits) for f in shifted]
    if new_process is not None and old_process is not None and new_process != old_process:
        out.append(f"the process is another one: {_named(new_process)} instead of {_named(old_process)}")
    if when is not None and len(when):
        for change in changes:
            at = np.datetime64(change.when, "us")
            if at <= when[-1] and at >= when[0] - np.timedelta64(1, "D"):
                out.append(f"the process changed on {day(at)} ({change.name})")
        if valid_until is not None and when[-1] >= np.datetime64(valid_until + dt.timedelta(days=1), "us"):
            out.append(f"the baseline was good until {valid_until.isoformat()}")
    return out


def _named(process: Process) -> str:
    return f"{process.name} {process.version}" if process.version else process.name


def _told(f: Finding, measure: Measure, limits: Sequence[float]) -> str:
    if f.aspect == "location":
        before, after = number(f.before, measure.unit), number(f.after, measure.unit)
        if measure.scale == "proportion":
            before, after = percent(f.before), percent(f.after)
        return f"the level moved from {before} to {after}"
    if f.aspect == "spread":
        ratio = (
            np.log(f.after) / np.log(f.before)
            if measure.scale in ("duration", "positive")
            else f.after / f.before
        )
        if not np.isfinite(ratio) or ratio <= 0:
            return "the spread changed"
        return f"the spread {'grew' if ratio > 1 else 'fell'} to {number(float(ratio))} times what it was"
    if f.aspect == "shape":
        return f"the shape of the distribution changed (skewness {f.before:.1f} before, {f.after:.1f} now)"
    if f.aspect == "share outside":
        return (
            f"{percent(f.after)} of the new values lie outside the prediction interval, where "
            f"{percent(limits[3])} to {percent(limits[4])} would be chance"
        )
    return f"{percent(f.after)} of items meet the objective instead of {percent(f.before)}"


def verdict_of(
    measure: Measure,
    n_old: int,
    n_new: int,
    when: NDArray[np.datetime64] | None,
    still: bool | None,
    reasons: Sequence[str],
    caveats: Sequence[Caveat],
) -> str:
    """One or two sentences."""
    period = "" if when is None or not len(when) else f" ({day(when[0])} to {day(when[-1])})"
    new = f"{count(n_new, 'new value')}{period}"
    doubt = (
        " The baseline was not stable to begin with." if any(c.code == "not-stable" for c in caveats) else ""
    )
    listed = "; ".join(reasons)
    if still is False:
        return f"{measure.name}: {new} no longer fit the baseline of {n_old:,}: {listed}. Re-baseline.{doubt}"
    if still is None:
        text = f"{measure.name}: {new} are too few to say whether they fit the baseline of {n_old:,}."
    else:
        text = f"{measure.name}: {new} still fit the baseline of {n_old:,}."
    if reasons:
        text += f" Re-baseline all the same: {listed}."
    return text + doubt
