"""suggest_stages: when did the level or the spread change? A question to the analyst, never a rebase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.change_points import FEWEST, ChangePoint, find_changes
from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats, instant
from perfanalytics.core.counts import counts_and_sizes
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event
from perfanalytics.core.result import Caveat, Method, Result
from perfanalytics.core.series import Series
from perfanalytics.spc.wording import moment, number, unit_of

if TYPE_CHECKING:
    import pandas as pd

What = Literal["level", "spread"]
_ARRAYS = ("value", "kept", "point", "low", "high", "before", "after", "p_value", "what")
#: Fewer used points than this are not searched.
NEEDED = 2 * FEWEST


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SuggestedStages(Result):
    """Likely changes of a series: n points, c changes.

    Parameters
    ----------
    id : str
    measure : Measure
    value : float array, shape (n,)
        In the unit of the measure (shares between 0 and 1).
    kept : bool array, shape (n,)
        Neither missing nor excluded.
    when : datetime64[us] array, shape (n,), or None
    every : str or None
    logs : bool
        True where the changes were searched on the logarithms.
    what : object array of {"level", "spread"}, shape (c,)
    point, low, high : int arrays, shape (c,)
        First point of the new stage (0-based), and its interval.
    before, after : float arrays, shape (c,)
        Mean (level; geometric on logs) or standard deviation (spread; of the logarithms there) of the stretch
        before and after, up to the neighbouring changes of the same sort.
    p_value : float array, shape (c,)
    questions : tuple of str, length c
        "What happened about 24 March 2016 (22 to 26 March)? ..."
    events : tuple of Event or Change
    is_share : bool
    """

    kind: ClassVar[str] = "suggested_stages"
    schema_version: ClassVar[int] = 1

    id: str
    measure: Measure
    value: Floats
    kept: NDArray[np.bool_]
    when: NDArray[Any] | None = None
    every: str | None = None
    logs: bool
    what: NDArray[Any]
    point: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    before: Floats
    after: Floats
    p_value: Floats
    questions: tuple[str, ...]
    events: tuple[Event | Change, ...] = ()
    is_share: bool

    def __post_init__(self) -> None:
        for name in (*_ARRAYS, "when"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, read_only(value))

    @property
    def stages(self) -> tuple[int, ...]:
        """The points as ``stages=`` of a chart takes them, for an analyst who has found the cause."""
        return tuple(sorted({int(k) for k in self.point}))

    def summary(self) -> pd.DataFrame:
        """One row: id, measure, n (used points), changes, points (0-based), caveats, verdict."""
        import pandas as pd

        return pd.DataFrame(
            {
                "id": [self.id],
                "measure": [self.measure.name],
                "n": [int(np.count_nonzero(self.kept))],
                "changes": [len(self.point)],
                "points": [", ".join(map(str, self.stages))],
                "caveats": ["; ".join(self.caveat_codes)],
                "verdict": [self.verdict],
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per change.

        Columns: what ("level", "spread"), point, low, high (0-based), when, when_low, when_high, before,
        after (unit of the measure), p_value, question.
        """
        import pandas as pd

        blank = np.full(len(self.point), "NaT", dtype="datetime64[us]")
        times = {
            name: blank if self.when is None else self.when[k]
            for name, k in (("when", self.point), ("when_low", self.low), ("when_high", self.high))
        }
        return pd.DataFrame(
            {
                "what": self.what,
                "point": self.point,
                "low": self.low,
                "high": self.high,
                **times,
                "before": self.before,
                "after": self.after,
                "p_value": self.p_value,
                "question": np.array(self.questions, dtype=object),
            }
        )


def suggest_stages(
    series: object,
    *,
    of: Sequence[What] | What = ("level", "spread"),
    false_alarms: float = 0.05,
    coverage: float = 0.95,
    draws: int = 999,
    seed: int = 20260101,
) -> SuggestedStages:
    """Ask when the level or the spread of a series changed.

    Parameters
    ----------
    series : Series, list, array or pandas Series
        In order of time; NaN is a gap. Counts or shares with ``sizes`` are searched as shares or rates.
    of : {"level", "spread"} or both
        What to search; both share the false-alarm rate.
    false_alarms : float
        Share of stable series, correlated or not, in which any change is suggested.
    coverage : float
        Of the interval for the date of a change.
    draws, seed : int
        Bootstrap series, and their seed.

    Returns
    -------
    SuggestedStages
        Changes with their intervals, as questions. Nothing is rebased: limits are drawn anew only where an
        analyst has found the cause and gives ``stages=`` to the chart.

    Raises
    ------
    InputError, UnknownNameError

    Notes
    -----
    CUSUM statistics over the long-run standard deviation, judged by an AR(1) sieve bootstrap; several changes
    by binary segmentation, at least 8 points a side. Durations and other positive measures are searched on
    the logarithms. The spread is searched in the distances from the median of each stretch. In simulated
    stable series of 30 to 100 points with lag-1 correlations of 0 to 0.6 a change of level alone was
    suggested in 2 to 9% (nominal 5%; 3 to 7% from 60 points on), and the intervals held the true point of
    the changes that were found in 89 to 99% (nominal 95%).

    References
    ----------
    Antoch, Huskova and Praskova (1997), Journal of Statistical Planning and Inference 60, 291-310.
    Buehlmann (1997), Bernoulli 3, 123-148.

    Examples
    --------
    >>> import perfanalytics as perf
    >>> x = [21, 19, 22, 20, 18, 21, 23, 20, 19, 22, 14, 15, 13, 16, 14, 12, 15, 14, 13, 16]
    >>> perf.suggest_stages(x, draws=199).questions[0]
    'What happened about point 10? The level went from 20.5 to 14.2 (p = 0.006).'
    """
    data = as_series(series)
    wanted: tuple[str, ...] = (of,) if isinstance(of, str) else tuple(of)
    for word in wanted:
        if word not in get_args(What):
            raise UnknownNameError("sort of change (of=)", str(word), get_args(What))
    if not wanted or len(set(wanted)) != len(wanted):
        raise InputError("of= takes 'level', 'spread' or both")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 199:
        raise InputError(f"draws= is a whole number of at least 199, got {draws!r}")
    if not 0 < coverage < 1:
        raise InputError(f"coverage= is a share between 0 and 1, got {coverage!r}")
    value, share = _values(data)
    kept = ~np.isnan(value) & ~data.excluded()[0]
    where = np.flatnonzero(kept)
    logs = bool(data.measure.scale in ("duration", "positive") and len(where) and (value[where] > 0).all())
    x = np.log(value[where]) if logs else value[where]
    caveats: list[Caveat] = []
    found: list[tuple[str, ChangePoint]] = []
    if len(where) < NEEDED:
        caveats.append(
            Caveat(
                "too-few-points",
                f"{len(where)} points are too few to search for a change: {FEWEST} are needed on each side.",
                {"n": len(where), "needed": NEEDED},
            )
        )
    else:
        rate = false_alarms / len(wanted)
        rng = np.random.default_rng(seed)
        keys: dict[str, Any] = {"draws": draws, "coverage": coverage, "false_alarms": rate}
        level = find_changes(x, rng=rng, **keys)
        if "level" in wanted:
            found += [("level", c) for c in level]
        if "spread" in wanted:
            distance = np.abs(x - _medians(x, [c.at for c in level]))
            found += [("spread", c) for c in find_changes(distance, rng=rng, **keys)]
        if not any(x[1:] != x[:-1]):
            caveats.append(Caveat("zero-variation", f"All {len(x)} points are equal.", {"n": len(x)}))
    if (strongest := max((c.lag1 for _, c in found), default=0.0)) >= 0.6:
        caveats.append(
            Caveat(
                "autocorrelated",
                f"Neighbours are strongly correlated (lag 1: {strongest:.2f}): slow waves look like changes, "
                "and more than the stated share of stable series shows one.",
                {"lag1": strongest},
            )
        )
    found.sort(key=lambda f: (f[1].at, f[0]))
    before, after = _sides(x, found, logs)
    point, low, high = (where[[getattr(c, k) for _, c in found]] for k in ("at", "low", "high"))
    questions = tuple(
        _question(data, what, (int(a), int(b), int(c)), (float(u), float(v)), change.p_value, share, logs)
        for (what, change), a, b, c, u, v in zip(found, point, low, high, before, after, strict=True)
    )
    return SuggestedStages(
        verdict=_verdict(questions, len(where), wanted, false_alarms),
        caveats=tuple(caveats),
        method=Method(
            "suggest_stages",
            {
                "of": wanted,
                "scale": "logarithms" if logs else "as measured",
                "statistic": "CUSUM over the long-run standard deviation, binary segmentation",
                "reference": "AR(1) sieve bootstrap around the two means",
                "false_alarms": false_alarms,
                "coverage": coverage,
                "draws": draws,
                "seed": seed,
                "fewest_a_side": FEWEST,
            },
            (
                "Antoch, Huskova and Praskova (1997), J. Statistical Planning and Inference 60, 291-310",
                "Buehlmann (1997), Bernoulli 3, 123-148",
            ),
        ),
        provenance=data.provenance(),
        id=data.id,
        measure=data.measure,
        value=value,
        kept=kept,
        when=data.when,
        every=data.expected_every,
        logs=logs,
        what=np.array([what for what, _ in found], dtype=object),
        point=point,
        low=low,
        high=high,
        before=before,
        after=after,
        p_value=np.array([c.p_value for _, c in found], dtype=np.float64),
        questions=questions,
        events=data.events,
        is_share=share,
    )


def _values(data: Series) -> tuple[Floats, bool]:
    if data.values.ndim != 1:
        raise InputError(f"suggest_stages takes one value a point; these have {data.values.shape[1]} columns")
    # a mean or median of a period stands as it is: the sizes only say of how many items
    of_items = str(data.selection.get("statistic") or "sum") not in ("share", "rate", "sum", "count")
    if data.sizes is None or of_items:
        return np.array(data.values), data.measure.scale == "proportion"
    share = data.measure.scale in (None, "proportion")
    counts, sizes, _ = counts_and_sizes(data.as_batch(), limit_one=share)
    return counts / sizes, share


def _medians(x: Floats, borders: Sequence[int]) -> Floats:
    return np.concatenate([np.full(len(part), np.median(part)) for part in np.split(x, borders)])


def _sides(x: Floats, found: Sequence[tuple[str, ChangePoint]], logs: bool) -> tuple[Floats, Floats]:
    """Level or spread of the stretches on both sides, between the neighbouring changes of the same sort."""
    before, after = np.empty(len(found)), np.empty(len(found))
    if not found:
        return before, after
    levels = [0, *(c.at for what, c in found if what == "level"), len(x)]
    centered = x - np.concatenate([np.full(b - a, x[a:b].mean()) for a, b in pairwise(levels)])
    for i, (what, change) in enumerate(found):
        same = [0, *(c.at for w, c in found if w == what), len(x)]
        k = same.index(change.at, 1)
        for out, (a, b) in ((before, (same[k - 1], change.at)), (after, (change.at, same[k + 1]))):
            if what == "spread":
                out[i] = float(np.sqrt((centered[a:b] ** 2).sum() / max(b - a - 1, 1)))
            else:
                out[i] = float(np.exp(x[a:b].mean())) if logs else float(x[a:b].mean())
    return before, after


def _question(
    data: Series,
    what: str,
    points: tuple[int, int, int],
    levels: tuple[float, float],
    p: float,
    share: bool,
    logs: bool,
) -> str:
    (at, low, high), (before, after) = points, levels
    if data.when is not None:
        date, first, last = (moment(data.when[k], data.expected_every) for k in (at, low, high))
        about = f"about {date}" + (f" ({first} to {last})" if low < high else "")
        # a name only for what is recorded within the interval
        names = [
            e.name
            for e in data.events
            if data.when[max(low - 1, 0)] < instant(e.when, data.clock) <= data.when[high]
        ]
    else:
        about = f"about point {at}" + (f" ({low} to {high})" if low < high else "")
        names = []
    step = abs(after - before)
    spread = step / 2 if step > 0 else float("nan")
    unit = unit_of(data.measure)
    of_logs = " of the logarithms" if logs and what == "spread" else ""
    chance = f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"
    text = (
        f"What happened {about}? The {what}{of_logs} went from {number(before, spread, share=share)} to "
        f"{number(after, spread, share=share)}{unit if what == 'level' else ''} ({chance})."
    )
    return text + (f" Recorded: {', '.join(names)}." if names else "")


def _verdict(questions: Sequence[str], n: int, wanted: Sequence[str], false_alarms: float) -> str:
    if n < NEEDED:
        return f"Not searched: {n} points are too few ({FEWEST} are needed on each side of a change)."
    if not questions:
        return (
            f"No change of {' or '.join(wanted)} is suggested in {n} points "
            f"({false_alarms:.0%} of stable series would show one)."
        )
    many = f"{len(questions)} changes are suggested. " if len(questions) > 1 else ""
    return many + " ".join(questions[:2]) + (" ..." if len(questions) > 2 else "")
