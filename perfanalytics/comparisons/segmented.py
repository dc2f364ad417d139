"""What interrupted series, differences in differences and change points share: reading, rows, verdicts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.classical import Contrast
from perfanalytics.comparisons.effect_words import direction_words, range_words
from perfanalytics.comparisons.method import Answer, Effect, Form, Options, Role
from perfanalytics.comparisons.rows import contrast_row, in_terms_of_measure
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.seasons import period_times
from perfanalytics.comparisons.series_checks import PeriodSeries
from perfanalytics.comparisons.sides import Sides, day, read_sides
from perfanalytics.comparisons.verdict import importance_sentence
from perfanalytics.comparisons.words import number, percent, with_unit
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event
from perfanalytics.core.series import Series

At = int | str | dt.date | np.datetime64 | Change | Event


@dataclass(frozen=True, slots=True)
class Cut:
    """A series cut at a change: the sides, the series itself, and what the change is called."""

    sides: Sides
    series: Series
    said: str


def cut_series(series: object, at: At, *, measure: Measure | None, every: str | None) -> Cut:
    """The two sides of a series at a change.

    Raises
    ------
    InputError
        When the change lies outside the series, or is a date and the series has no times.
    """
    whole = as_series(series, measure=measure)
    if isinstance(at, bool):
        raise InputError("at= is a date, the position of the first value after the change, or a Change")
    if isinstance(at, int | np.integer):
        if not 0 < at < len(whole):
            raise InputError(f"at={at} leaves a side empty: the series has {len(whole)} values")
        one, two, said = whole.take(0, int(at)), whole.take(int(at)), f"value {int(at)}"
    else:
        when = at.when if isinstance(at, Change | Event) else at
        one, two = whole.between(None, when), whole.between(when, None)
        if not len(one) or not len(two):
            span = "it is empty"
            if whole.when is not None and len(whole):
                span = f"it runs from {day(whole.when[0])} to {day(whole.when[-1])}"
            raise InputError(f"the change {when} lies outside the series: {span}")
        said = day(np.datetime64(when)) if not isinstance(when, str) else when
    sides, _, _ = read_sides(one, two, order=None, every=every)
    return Cut(sides, whole, said)


def time_axis(data: PeriodSeries) -> Floats:
    """Periods since the change: 0 for the first period after it, negative before; shape (n,)."""
    gap = data.gap.copy()
    gap[0] = 0.0
    t = np.cumsum(gap)
    return np.asarray(t - t[np.argmax(data.after)])


def refuse_flat(y: Floats, x: Floats, after: NDArray[np.bool_], said: str) -> None:
    """Refuse a series that follows its model exactly on a side: there is no variation to judge by.

    Raises
    ------
    InputError
    """
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    tiny = 1e-10 * float(np.abs(y).max())
    for side, name in ((~after, "before"), (after, "after")):
        if float(np.abs(left[side]).max()) <= tiny or float(np.ptp(y[side])) <= tiny:
            raise InputError(
                f"{said} around the fit {name} the change: nothing can be tested; perf.compare describes "
                "both sides"
            )


def times_of(sides: Sides) -> NDArray[np.datetime64] | None:
    """Start of each period as the course keeps it."""
    when = period_times(sides)
    return None if when is None else when.astype("datetime64[us]")


def period_word(sides: Sides) -> str:
    """What a period is called ("day"); "period" where each value is its own."""
    word = sides.every.split(" ", 1)[0]
    return word if word in ("hour", "day", "week", "month", "quarter", "year") else "period"


def row(
    quantity: str,
    found: Contrast,
    scale: AnalysisScale,
    *,
    role: Role,
    unit: str,
    method: str,
    before: float = float("nan"),
    after: float = float("nan"),
) -> Effect:
    """A contrast on the analysis scale as a row: a ratio for logarithms."""
    ratio = scale.name in ("log", "logit")
    form: Form = "ratio" if ratio else "difference"
    return contrast_row(
        quantity,
        in_terms_of_measure(found, scale),
        role=role,
        method=method,
        form=form,
        unit="" if ratio else unit,
        before=before,
        after=after,
    )


def sentence(outcome: str, sides: Sides, options: Options, answer: Answer, what: str) -> str:
    """The first sentences of the verdict, about the primary row; ``what`` says what it is."""
    e = answer.effects[0]
    unit = sides.measure.unit
    share = sides.measure.scale == "proportion"
    level = f"{percent(options.confidence)} interval {range_words(e, unit, share)}"
    if e.form == "ratio":
        moved = f"{'fell' if e.estimate < 1 else 'rose'} to {number(e.estimate)} times"
    else:
        size = f"{100 * abs(e.estimate):.1f} points" if share else with_unit(number(abs(e.estimate)), e.unit)
        moved = f"{'fell' if e.estimate < 0 else 'rose'} by {size}"
    change = f"{what} {moved} ({level})"
    if outcome == "detected":
        first = f"Change detected: {change}{direction_words(e, sides.measure.better)}."
    elif outcome == "equivalent":
        first = f"Equivalent: {change}; that lies within the declared margin."
    elif outcome == "not_attributable":
        first = f"A difference, but not attributable to the change: {change}; {' and '.join(answer.doubts)}."
    else:
        first = f"Undecided: {change}; the data are compatible with no change."
    return " ".join((first, *importance_sentence(outcome, e, options, unit, share), *answer.notes))
