"""Was the extract cut in a way that makes durations look shorter? Recognized from opening times.

The number of items that should be open at the end of the data follows from the durations themselves: an item
that began a time x before the end and is seen done stands for ``S(x) / (1 - S(x))`` others that began as late
and are not done (S: share that takes longer than x, from items that began early enough to be followed). Where
far fewer are there, items still open were left out. The same in the mirror of time finds items missing at the
beginning when the data are put in order by their closing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from perfanalytics.baselines.wording import count, day, number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series

#: Seconds of a unit of time.
SECONDS = {
    "seconds": 1.0, "second": 1.0, "s": 1.0,
    "minutes": 60.0, "minute": 60.0, "min": 60.0,
    "hours": 3600.0, "hour": 3600.0, "h": 3600.0,
    "days": 86400.0, "day": 86400.0, "d": 86400.0,
    "weeks": 604800.0, "week": 604800.0,
}  # fmt: skip
#: So many items must be missing in expectation before anything is said.
FEWEST_MISSING = 8.0
#: Items that began less than this share of the whole span before the end are never all followed.
_LONGEST = 0.5
#: A share of the expected open items below which the extract is called cut, and how unlikely that must be.
_PRESENT, _UNLIKELY = 0.1, 0.001
#: From this share of the expected open items on, items were waiting when the data begin.
_WAITING = 0.25
#: An item seen stands for at most so many unseen ones: one that was done at once must not speak for a crowd.
_ODDS = 4.0


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing at one end of the data.

    ``expected`` open items and ``present`` ones among the ``n`` that began within ``reach`` (seconds) of the
    end; ``early`` and ``late`` are the median durations (seconds) of finished items before and in that
    stretch.
    """

    expected: float
    present: int
    n: int
    reach: float
    early: float
    late: float

    @property
    def cut(self) -> bool:
        """Whether so few are there that they were left out."""
        few = self.present < _PRESENT * self.expected
        return (
            self.expected >= FEWEST_MISSING
            and few
            and float(special.pdtr(self.present, self.expected)) < _UNLIKELY
        )


def opening_times(series: Series) -> tuple[NDArray[np.datetime64], str] | None:
    """When each item began, and where that is known from; None where nobody says.

    ``series.selection["opened"]`` ("when", or "when - value" for items at their closing),
    ``selection["time"]`` "start", or the covariate "opened".
    """
    unit = SECONDS.get(series.measure.unit)
    if series.when is None or series.measure.scale != "duration" or unit is None:
        return None
    if "opened" in series.covariates and series.covariates["opened"].dtype.kind == "M":
        return series.covariates["opened"].astype("datetime64[us]"), "covariate"
    if series.selection.get("time") == "start" or series.selection.get("opened") == "when":
        return series.when, "when"
    if series.selection.get("opened") == "when - value":
        micro = np.nan_to_num(np.round(series.values * unit * 1e6)).astype("timedelta64[us]")
        return series.when - micro, "when - value"
    return None


def extract_doubts(series: Series, used: NDArray[np.bool_]) -> list[Caveat]:
    """Caveats where the extract looks cut by closing date, or by opening date.

    Parameters
    ----------
    series : Series
        Durations with times.
    used : bool array, shape (n,)
        Points that count.
    """
    found = opening_times(series)
    if found is None or int(used.sum()) < 30:
        return []
    opened, known_from = found
    unit = SECONDS[series.measure.unit]
    begin = (opened[used] - opened[used].min()) / np.timedelta64(1, "s")
    took = series.values[used] * unit
    still_open = np.zeros(len(took), bool) if series.censored is None else series.censored[used]
    out = []
    end = missing_at_end(begin, took, still_open)
    if end.cut:
        last = (opened[used] + (took * 1e6).astype("timedelta64[us]")).max()
        out.append(_cut_at_end(end, begin, took, still_open, series.measure.unit, unit, last))
    if known_from != "when":
        start = missing_at_start(begin, took, still_open)
        if start.cut:
            out.append(_cut_at_start(start, opened[used].min(), series.measure.unit, unit))
    return out


def missing_at_end(begin: Floats, took: Floats, still_open: NDArray[np.bool_]) -> Missing:
    """Open items expected and present at the end of the data.

    Parameters
    ----------
    begin, took : float arrays, shape (n,)
        When items began and how long they took (so far, where still open), in seconds.
    still_open : bool array, shape (n,)

    Examples
    --------
    Items of 2 days, 20 a day for 100 days; those not done by the end were left out:

    >>> rng = np.random.default_rng(1)
    >>> begin, took = rng.uniform(0, 100, 2000), rng.exponential(2, 2000)
    >>> seen = begin + took < 100
    >>> found = missing_at_end(begin[seen], took[seen], np.zeros(seen.sum(), bool))
    >>> found.cut, found.expected > 20
    (True, True)
    """
    end = float((begin + took).max())
    ahead = end - begin
    span = float(np.ptp(begin)) or 1.0
    done = ~still_open
    if done.sum() < 20:
        return Missing(0.0, int(still_open.sum()), 0, 0.0, np.nan, np.nan)
    reach = min(float(np.quantile(took[done], 0.95)), _LONGEST * span)
    followed = (ahead >= reach) & (took >= 0)
    # the item that is done last defines the end: it says nothing of what came after
    late = ~followed & done & (took < ahead)
    if followed.sum() < 20 or not late.any():
        return Missing(0.0, int(np.sum(still_open & ~followed)), 0, reach, np.nan, np.nan)
    # open items that began early count as longer than anything else seen
    ordered = np.sort(np.where(still_open, np.inf, took)[followed])
    longer = 1 - np.searchsorted(ordered, ahead[late], side="right") / len(ordered)
    odds = np.where(longer < 1, longer / np.maximum(1 - longer, 1 / (1 + _ODDS)), _ODDS)
    return Missing(
        expected=float(np.minimum(odds, _ODDS).sum()),
        present=int(np.sum(still_open & ~followed)),
        n=int(np.sum(~followed)),
        reach=reach,
        early=float(np.median(took[followed & done])) if (followed & done).any() else np.nan,
        late=float(np.median(took[late])),
    )


def missing_at_start(begin: Floats, took: Floats, still_open: NDArray[np.bool_]) -> Missing:
    """Items that began before the first one seen, expected among the first closings (none can be present)."""
    done = ~still_open
    first = float(begin.min())
    closed = begin[done] + took[done]
    # the mirror of time: an item begins at its closing, and must begin after the first opening to be seen
    mirrored = missing_at_end(-closed, took[done], np.zeros(int(done.sum()), bool))
    assert first <= float(closed.min()) + 1e-6
    return mirrored


def _cut_at_end(
    end: Missing,
    begin: Floats,
    took: Floats,
    still_open: NDArray[np.bool_],
    unit: str,
    seconds: float,
    last: np.datetime64,
) -> Caveat:
    closed = (begin + took)[~still_open]
    waiting = int(np.sum(begin < closed.min()))
    by_closing = waiting >= _WAITING * end.expected
    how = (
        "it looks selected by closing date"
        if by_closing
        else "it looks selected by opening date, with the items still open left out"
    )
    falls = ""
    if end.late < end.early:
        early, late = number(end.early / seconds, unit), number(end.late / seconds, unit)
        falls = f" The median falls from {early} to {late} among the {count(end.n, 'item')} that began last."
    text = (
        f"The extract ends on {day(last)} with {count(end.present, 'open item')} where its own durations let "
        f"expect about {end.expected:.0f}: {how}.{falls} Long items that began late are missing, so that "
        "center and tail are too low: load the open items too, or leave out what began in the last "
        f"{number(end.reach / seconds, unit)}."
    )
    evidence = {
        "expected_open": end.expected,
        "open": end.present,
        "open_share": end.present / end.n if end.n else 0.0,
        "items_in_last_stretch": end.n,
        "median_before": end.early / seconds,
        "median_in_last_stretch": end.late / seconds,
        "selected_by": "closing" if by_closing else "opening",
    }
    return Caveat("cut-by-closing-date" if by_closing else "open-items-missing", text, evidence)


def _cut_at_start(start: Missing, first: np.datetime64, unit: str, seconds: float) -> Caveat:
    share = percent(start.n / (start.n + start.expected))
    text = (
        f"The extract begins with items opened on {day(first)}, and is put in order by closing: about "
        f"{start.expected:.0f} items that began earlier and closed in the first "
        f"{number(start.reach / seconds, unit)} are missing (only {share} of those closings are there), "
        "the long ones before all. Durations by closing date seem to rise at first: put them in order of "
        "opening, or leave that stretch out."
    )
    evidence = {
        "expected_missing": start.expected,
        "median_in_first_stretch": start.late / seconds,
        "median_after": start.early / seconds,
    }
    return Caveat("cut-by-opening-date", text, evidence)
