"""The measure by period through a change, as a control chart in two stages."""

from __future__ import annotations

import datetime as dt

import numpy as np

from perfanalytics.core.errors import PerfAnalyticsError
from perfanalytics.core.measure import MEASURED_SCALES
from perfanalytics.core.periods import period_number
from perfanalytics.core.series import Series
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.result import ControlChart

#: Weeks are charted where each side has so many of them, else days.
FEWEST = 8


def staged_chart(before: Series, after: Series, at: dt.date | None) -> ControlChart | None:
    """A chart of both sides with a stage each; None where there are no times or too few periods.

    Values that are periods already are charted as they are (shares and rates with their sizes: Laney p' and
    u', measured totals over sizes: I'); items are brought to weekly medians, items coded 0 and 1 to weekly
    shares.
    """
    if before.when is None or after.when is None or before.values.ndim != 1:
        return None
    joined = _joined(before, after)
    if joined is None:
        return None
    periods, chart = joined
    start = at or after.when[0].astype("datetime64[D]").item()
    try:
        return control_chart(periods, chart=chart, stages=[start])
    except PerfAnalyticsError:
        return None


def _joined(before: Series, after: Series) -> tuple[Series, str] | None:
    values = np.concatenate([before.values, after.values])
    when = np.concatenate([before.when, after.when])
    if (np.diff(when) < np.timedelta64(0)).any():
        return None
    sizes = None
    if before.sizes is not None and after.sizes is not None:
        sizes = np.concatenate([before.sizes, after.sizes])
    measure, events = before.measure, before.events
    known = ~np.isnan(values)
    selection = before.selection
    every = selection.get("every") or before.expected_every
    shares = measure.scale == "proportion"
    sized = "laney_p" if shares else "i_prime" if measure.scale in MEASURED_SCALES else "laney_u"
    chart = "individuals" if sizes is None else sized
    if every is None:
        every = _rhythm(when[known], after.when[0])  # type: ignore[index]
        if every is not None:
            number = period_number(when, every)
            groups = [np.flatnonzero((number == k) & known) for k in np.unique(number[known])]
            coded = bool(np.isin(values[known], (0.0, 1.0)).all())
            start = np.array([when[g[0]].astype("datetime64[D]") for g in groups])
            if every == "week":
                start = start - ((start.astype(np.int64) + 3) % 7).astype("timedelta64[D]")
            sums = sizes is not None or (shares and coded)
            if sums:
                size = np.array([len(g) if sizes is None else sizes[g].sum() for g in groups], dtype=float)
                divided = sizes is not None and str(before.selection.get("statistic")) in ("share", "rate")
                totals = values * sizes if divided and sizes is not None else values
                values = np.array([totals[g].sum() for g in groups]) / size
                sizes, chart = size, sized
            else:
                values, sizes = np.array([np.median(values[g]) for g in groups]), None
            when, selection = start, selection | {"every": every}
            if sizes is not None:
                selection |= {"statistic": "share" if shares else "rate"}
    clock = before.clock if before.clock != "none" else None
    made = Series(
        values,
        measure=measure,
        when=when,
        sizes=sizes,
        events=events,
        expected_every=every,
        selection=selection,
        load_ids=before.load_ids,
        clock=clock,
    )
    return made, chart


def _rhythm(when: np.ndarray, start: np.datetime64) -> str | None:
    """Weeks or days, whichever gives both sides enough; None: each value is its own period."""
    for every in ("week", "day"):
        number = period_number(when, every)
        if len(number) == len(np.unique(number)):
            return None
        sides = (np.unique(number[when < start]), np.unique(number[when >= start]))
        if min(len(s) for s in sides) >= FEWEST:
            return every
    return None
