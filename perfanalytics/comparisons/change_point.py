"""change_point: when did a series change, with an interval for the date?"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.arguments import check_confidence
from perfanalytics.comparisons.course import Course
from perfanalytics.comparisons.method import NAN, Answer, Effect, Options
from perfanalytics.comparisons.result import Comparison
from perfanalytics.comparisons.rows import CENTERS
from perfanalytics.comparisons.scales import AnalysisScale, analysis_scale
from perfanalytics.comparisons.segmented import cut_series, period_word, times_of
from perfanalytics.comparisons.series_checks import period_series
from perfanalytics.comparisons.side_tables import provenance_of, side_table
from perfanalytics.comparisons.sides import Sides, day
from perfanalytics.comparisons.stability import SideChart
from perfanalytics.comparisons.words import number, p_text, with_unit
from perfanalytics.core.change_points import FEWEST, ChangePoint, find_change, find_changes
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat, Method

Of = Literal["level", "spread"]
TITLE = "CUSUM, AR(1) sieve bootstrap"


def change_point(
    series: object,
    *,
    of: Of = "level",
    measure: Measure | None = None,
    every: str | None = None,
    scale: str | None = None,
    confidence: float = 0.95,
    tail: float = 0.9,
    draws: int = 999,
    rng: np.random.Generator | int | None = None,
    question: str = "",
) -> Comparison:
    """When did the level or the spread of a series change?

    Parameters
    ----------
    series : Series, list, array or pandas Series
        In order of time. Gaps and excluded points are left out.
    of : {"level", "spread"}
        What may have changed. The spread is searched in the distances from the median of each stretch
        between changes of level.
    measure, every, scale : optional
        As in :func:`perfanalytics.compare`.
    confidence : float
        Of the interval for the date; 1 less it is the false-alarm rate.
    tail : float
        Percentile in the description of the sides.
    draws : int
        Bootstrap series, at least 199.
    rng : Generator or int, optional
        The seed 20260101 when left out.
    question : str, optional

    Returns
    -------
    Comparison
        The primary row is ``point_of_change``: the 0-based position (among the periods of the course) of the
        first period after the change, with its interval; the second row the size of the change at that
        place. ``.course`` has the dates (``change``, ``earliest``, ``latest``). The sides are what lies
        before and after the most likely date, also where no change was detected.

    Raises
    ------
    InputError, UnknownNameError
        For fewer than 16 periods, options that do not fit.

    Notes
    -----
    The largest cumulative sum of deviations over the long-run standard deviation is compared with those of
    AR(1) series with the same correlation and no change: 4 to 5% false alarms at correlations of 0.2 to 0.6,
    where tests that take values as independent find changes in 10 to 88% of stable series. The size of the
    change has no interval: at a date chosen as the most striking one it is too large on average, the more
    so the less sure the change. For several changes see :func:`perfanalytics.suggest_stages`.

    References
    ----------
    Antoch, Huskova and Praskova (1997), Journal of Statistical Planning and Inference 60, 291-310;
    Buehlmann (1997), Bernoulli 3, 123-148.

    Examples
    --------
    >>> x = [21, 19, 22, 20, 18, 21, 23, 20, 19, 22, 14, 15, 13, 16, 14, 12, 15, 14, 13, 16]
    >>> c = change_point(x, scale="raw", draws=199)
    >>> c.outcome, c.primary.estimate, c.course.change
    ('detected', 10.0, 10)
    """
    if of not in get_args(Of):
        raise UnknownNameError("sort of change (of=)", str(of), get_args(Of))
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 199:
        raise InputError(f"draws= is a whole number of at least 199, got {draws!r}")
    check_confidence(confidence)
    whole = as_series(series, measure=measure)
    usable = np.flatnonzero(~np.isnan(whole.values)) if whole.values.ndim == 1 else np.arange(len(whole))
    if len(usable) < 2 * FEWEST:
        raise InputError(
            f"{len(usable)} values are too few to search for a change: {FEWEST} are needed on each side"
        )
    # any cut serves to read the series and to bring it to periods; the scale is decided from all of it
    middle = int(usable[len(usable) // 2])
    cut = cut_series(whole, middle, measure=measure, every=every)
    found_scale = _scale(cut.sides, scale)
    sides = found_scale.used(cut.sides)
    y = _periods(sides, found_scale)
    if len(y) < 2 * FEWEST:
        raise InputError(f"{len(y)} periods are too few to search for a change: {FEWEST} a side are needed")
    generator = np.random.default_rng(20260101 if rng is None else rng)
    x = y
    if of == "spread":
        rate = max(1 - confidence, 5.0 / (draws + 1))
        levels = find_changes(y, false_alarms=rate, draws=draws, rng=generator, coverage=confidence)
        x = np.abs(y - _medians(y, [c.at for c in levels]))
    found = find_change(x, draws=draws, rng=generator, coverage=confidence)
    if found is None:
        raise InputError("all values are equal: there is no change to date")
    when = _all_times(sides)
    return _result(
        found,
        y,
        of,
        whole,
        sides,
        found_scale,
        when,
        confidence,
        tail,
        draws,
        rng,
        question,
        measure,
        every,
        middle,
    )


def _scale(sides: Sides, asked: str | None) -> AnalysisScale:
    found = analysis_scale(sides, asked)
    if found.name == "rank":
        raise InputError("a change point needs levels: an ordinal measure has none")
    return found


def _periods(sides: Sides, scale: AnalysisScale) -> Floats:
    """Values of all periods; the period that the arbitrary cut divided counts once."""
    y = period_series(sides, scale).values[0]
    merged = _merged(sides)
    if merged:
        a, b = sides.before, sides.after
        last, first = a.period[-1], b.period[0]
        v = np.concatenate(
            [scale.forward(a.values[a.period == last]), scale.forward(b.values[b.period == first])]
        )
        w = np.concatenate([a.weights[a.period == last], b.weights[b.period == first]])
        k = a.periods
        y = np.concatenate([y[: k - 1], [np.average(v, weights=w)], y[k + 1 :]])
    return np.asarray(y)


def _merged(sides: Sides) -> bool:
    timed = "each value" not in sides.every
    return bool(timed and sides.before.period[-1] == sides.after.period[0])


def _all_times(sides: Sides) -> NDArray[np.datetime64] | None:
    when = times_of(sides)
    if when is not None and _merged(sides):
        when = np.delete(when, sides.before.periods)
    return when


def _medians(x: Floats, borders: list[int]) -> Floats:
    return np.asarray(np.concatenate([np.full(len(p), np.median(p)) for p in np.split(x, borders)]))


def _result(
    found: ChangePoint,
    y: Floats,
    of: str,
    whole: object,
    read: Sides,
    scale: AnalysisScale,
    when: NDArray[np.datetime64] | None,
    confidence: float,
    tail: float,
    draws: int,
    rng: np.random.Generator | int | None,
    question: str,
    measure: Measure | None,
    every: str | None,
    middle: int,
) -> Comparison:
    at = found.at
    cut = cut_series(whole, _place(read, at, middle, when), measure=measure, every=every)
    one, two = y[:at], y[at:]
    detected = found.p_value <= 1 - confidence
    unit = read.measure.unit
    if of == "level":
        quantity, form = CENTERS[scale.name]
        levels = scale.levels(np.array([one.mean(), two.mean()]))
        size = scale.back(float(two.mean() - one.mean()))
    else:
        quantity, form = "ratio_of_sds", "ratio"
        levels = np.array([one.std(ddof=1), two.std(ddof=1)])
        size = float(levels[1] / levels[0]) if levels[0] > 0 else NAN
    rows = (
        Effect(
            "point_of_change",
            role="primary",
            estimate=float(at),
            low=float(found.low),
            high=float(found.high),
            p_value=found.p_value,
            form="test",
            unit="position",
            method=f"{TITLE}, {draws} series",
        ),
        Effect(
            quantity,
            role="secondary",
            before=float(levels[0]),
            after=float(levels[1]),
            estimate=size,
            form=form,
            unit="" if form == "ratio" else unit,
            method="at the most likely date; descriptive: too large on average as the date was searched",
        ),
    )
    line = np.concatenate([np.full(at, one.mean()), np.full(len(two), two.mean())])
    blank = np.where(np.arange(len(y)) >= at, 0.0, np.nan)
    course = Course(
        when=when,
        observed=scale.levels(y),
        fitted=scale.levels(line),
        expected=scale.levels(np.full(len(y), one.mean())) + blank,
        low=np.full(len(y), np.nan),
        high=np.full(len(y), np.nan),
        reference=np.full(len(y), np.nan),
        change=at,
        earliest=found.low,
        latest=found.high,
    )
    answer = Answer(effects=rows, scale=scale.name)
    options = Options(confidence=confidence, tail=tail)
    return Comparison(
        verdict=_verdict(found, rows[1], of, read, when, confidence, detected),
        caveats=(*read.caveats, *scale.caveats, *_caveats(found)),
        method=Method(
            "change_point",
            {
                "of": of,
                "every": read.every,
                "scale": scale.name,
                "scale_chosen": scale.chosen,
                "confidence": confidence,
                "draws": draws,
                "seed": "a generator was given" if isinstance(rng, np.random.Generator) else rng or 20260101,
                "lag1": found.lag1,
                "fewest_a_side": FEWEST,
                "decided_by": f"p-value of the bootstrap, at most {1 - confidence:.6g}",
            },
            (
                "Antoch, Huskova and Praskova (1997), J. Statistical Planning and Inference 60, 291-310",
                "Buehlmann (1997), Bernoulli 3, 123-148",
            ),
        ),
        provenance=provenance_of([cut.series], read.measure, ["series"]),
        measure=read.measure,
        outcome="detected" if detected else "undecided",
        effects=rows,
        before=side_table("before", cut.sides, answer, options, SideChart()),
        after=side_table("after", cut.sides, answer, options, SideChart()),
        confidence=confidence,
        tail=tail,
        question=question,
        course=course,
    )


def _place(sides: Sides, at: int, middle: int, when: NDArray[np.datetime64] | None) -> int | np.datetime64:
    """Where the series is to be cut so that period ``at`` is the first after the change."""
    if when is not None and "each value" not in sides.every:
        found: np.datetime64 = when[at]
        return found
    positions = np.concatenate([sides.before.period, middle + sides.after.period])
    return int(positions[at])


def _caveats(found: ChangePoint) -> tuple[Caveat, ...]:
    if found.lag1 < 0.6:
        return ()
    text = (
        f"Neighbours are strongly correlated (lag 1: {found.lag1:.2f}): slow waves look like changes, and "
        "more than the stated share of stable series shows one."
    )
    return (Caveat("autocorrelated", text, {"lag1": found.lag1}),)


def _verdict(
    found: ChangePoint,
    size: Effect,
    of: str,
    sides: Sides,
    when: NDArray[np.datetime64] | None,
    confidence: float,
    detected: bool,
) -> str:
    if when is not None:
        about, first, last = (day(when[k]) for k in (found.at, found.low, found.high))
    else:
        about, first, last = (f"{period_word(sides)} {k}" for k in (found.at, found.low, found.high))
    if not detected:
        return (
            f"Undecided: no change of {of} is detected ({p_text(found.p_value)}); the most likely date, "
            f"{about}, is no better than those found in stable series."
        )
    share = sides.measure.scale == "proportion"
    spread = abs(size.after - size.before) / 10
    if share and of == "level":
        before, after = f"{100 * size.before:.1f}%", f"{100 * size.after:.1f}%"
    else:
        before, after = number(size.before, spread=spread), number(size.after, spread=spread)
        after = with_unit(after, sides.measure.unit)
    return (
        f"Change detected: the {of} changed about {about} ({confidence:.0%} interval {first} to {last}; "
        f"{p_text(found.p_value)}), from {before} to {after}."
    )
