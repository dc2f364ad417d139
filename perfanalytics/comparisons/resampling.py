"""Typical value, tail, spread and share with intervals from resampled blocks of periods."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.classical import t_quantile
from perfanalytics.comparisons.effect_sizes import cohens_h, effect_size_rows, small_sample_factor
from perfanalytics.comparisons.method import NAN, Answer, Effect, Options
from perfanalytics.comparisons.methods.means import shift_effect
from perfanalytics.comparisons.methods.proportions import score_contrast
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Side, Sides
from perfanalytics.core.columns import Floats

#: Resamples.
RESAMPLES = 1000
#: Seed used when no ``rng`` is given; recorded in ``.method``.
DEFAULT_SEED = 20260101
#: Fewer periods (or items) than this on a side are not resampled: their rows stay without an interval.
FEWEST = 8
#: Most numbers held at once while resampling.
CHUNK = 2_000_000


@dataclass(frozen=True, slots=True)
class _Statistics:
    """Statistics of one side for each resample, shape (b,), deciles (b, 9); for the data themselves b = 1."""

    mean: Floats
    median: Floats
    tail: Floats
    sd: Floats
    share: Floats
    center: Floats
    center_sd: Floats
    deciles: Floats


def common_effects(
    sides: Sides, options: Options, answer: Answer, rng: np.random.Generator
) -> tuple[tuple[Effect, ...], float]:
    """The rows every comparison has, without those the method gave itself; and the widening factor.

    Whole blocks of periods are drawn with replacement (circular blocks), each with all its items, so that
    dependence between neighbours and within a period is kept. Because blocks that are short against the
    dependence make intervals too narrow, percentile intervals are widened around the estimate by the factor
    that brings the resampled standard deviation of the center to the one the primary fit found.
    """
    scale = AnalysisScale("raw" if answer.scale == "rank" else answer.scale, "")
    data = [_describe(s, np.ones((1, s.periods)), options, scale) for s in (sides.before, sides.after)]
    drawn: list[_Statistics] | None = None
    widen = NAN
    if answer.tested and sides.fewest_periods >= FEWEST:
        start = rng.bit_generator.state
        drawn = [_resample(sides.before, answer.block, options, scale, rng)]
        if answer.paired:  # the same pairs are drawn on both sides
            rng.bit_generator.state = start
        drawn.append(_resample(sides.after, answer.block, options, scale, rng))
        widen = 1.0
        if answer.scale != "rank":
            spread = float((drawn[1].center - drawn[0].center).std())
            wanted = answer.center_se * t_quantile(answer.center_df, options.confidence)
            narrow = spread * t_quantile(float("inf"), options.confidence)
            if narrow > 0 and np.isfinite(wanted):
                widen = max(1.0, wanted / narrow)
    given = {e.quantity for e in answer.effects if e.role != "companion"} | set(answer.omit)
    percentile = f"p{100 * options.tail:g}"
    if "difference_of_proportions" in given:  # the mean of items coded 0 and 1 is their share
        given |= {"difference_of_means", "ratio_of_means"}
        if sides.before.counted and max(len(s.values) for s in (sides.before, sides.after)) == 1:
            # one total a side: median, percentile, shift and spread of one share would only repeat it
            given |= {"difference_of_medians", f"difference_of_{percentile}", "ratio_of_sds"}
            given.add("hodges_lehmann_shift")
    how = f"blocks of {answer.block} periods resampled" if answer.block > 1 else "periods resampled"
    if not sides.ordered:
        how = "items resampled"
    unit = sides.measure.unit
    wanted_rows: list[tuple[str, str, str]] = [
        ("difference_of_means", "mean", "difference"),
        ("ratio_of_means", "mean", "ratio"),
        ("difference_of_medians", "median", "difference"),
        (f"difference_of_{percentile}", "tail", "difference"),
        ("ratio_of_sds", "sd", "ratio"),
    ]
    if "difference_of_medians" not in given:
        # the shift at each decile; the fifth is the median, the tail may be one of them
        wanted_rows += [
            (f"difference_of_p{10 * k}", str(k), "difference")
            for k in (1, 2, 3, 4, 6, 7, 8, 9)
            if f"p{10 * k}" != percentile
        ]
    if options.objective is not None:
        wanted_rows.append(("difference_of_shares_meeting_objective", "share", "difference"))
    rows = []
    for quantity, name, form in wanted_rows:
        if quantity in given:
            continue
        row = _effect(quantity, name, form, data, drawn, options.confidence, widen, how, unit)
        if name == "share":
            row = _share_row(row, sides, answer, options.confidence)
        rows.append(row)
    if "hodges_lehmann_shift" not in given:
        shift = shift_effect(sides, options.confidence, role="secondary")
        if not answer.tested:  # values in time that allow no test: the shift is a description only
            shift = replace(
                shift, low=NAN, high=NAN, statistic=NAN, df=NAN, p_value=NAN, method="descriptive"
            )
        rows.append(shift)
    rows += _effect_sizes(sides, scale, answer, options, data, drawn, widen, given)
    return tuple(rows), widen


def _effect_sizes(
    sides: Sides,
    scale: AnalysisScale,
    answer: Answer,
    options: Options,
    data: list[_Statistics],
    drawn: list[_Statistics] | None,
    widen: float,
    given: set[str],
) -> list[Effect]:
    """Hedges' g, Cliff's delta and the probability of superiority; Cohen's h for shares."""
    if sides.before.counted:
        n1, n2 = (max(1.0, e) for e in answer.effective)
        return [cohens_h(sides.before.mean, n1, sides.after.mean, n2, options.confidence, answer.tested)]
    g = None
    if sides.ordered and answer.rank_half is not None:
        estimate = float(_g(data, sides)[0])
        g = (estimate, NAN, NAN)
        if drawn is not None and math.isfinite(estimate):
            spread = _g(drawn, sides)
            spread = spread[np.isfinite(spread)]
            tail = (1 - options.confidence) / 2
            ends = np.quantile(spread, [tail, 1 - tail]) if len(spread) else np.array([NAN, NAN])
            g = (
                estimate,
                estimate - widen * (estimate - float(ends[0])),
                estimate + widen * (float(ends[1]) - estimate),
            )
    half = answer.rank_half
    rows = effect_size_rows(sides, scale, options.confidence, g=g, rank_half=half, tested=answer.tested)
    return [r for r in rows if r.quantity not in given]


def _g(parts: list[_Statistics], sides: Sides) -> Floats:
    """Hedges' g of each resample, on the analysis scale."""
    n1, n2 = (len(side.values) for side in (sides.before, sides.after))
    df = n1 + n2 - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = np.sqrt(
            ((n1 - 1) * parts[0].center_sd ** 2 + (n2 - 1) * parts[1].center_sd ** 2) / max(df, 1)
        )
        return np.asarray(small_sample_factor(max(df, 2)) * (parts[1].center - parts[0].center) / pooled)


def side_statistics(side: Side, options: Options) -> _Statistics:
    """Mean, median, tail, standard deviation and share of one side's values."""
    return _describe(side, np.ones((1, side.periods)), options, AnalysisScale("raw", ""))


def _resample(
    side: Side, block: int, options: Options, scale: AnalysisScale, rng: np.random.Generator
) -> _Statistics:
    periods = side.periods
    chunk = max(1, min(RESAMPLES, CHUNK // max(1, len(side.values))))
    parts = []
    for start in range(0, RESAMPLES, chunk):
        rows = min(chunk, RESAMPLES - start)
        first = rng.integers(0, periods, size=(rows, -(-periods // block)))
        drawn = ((first[:, :, None] + np.arange(block)) % periods).reshape(rows, -1)[:, :periods]
        flat = (drawn + periods * np.arange(rows)[:, None]).ravel()
        times = np.bincount(flat, minlength=rows * periods).reshape(rows, periods).astype(float)
        parts.append(_describe(side, times, options, scale))
    return _Statistics(*(np.concatenate([getattr(p, name) for p in parts]) for name in _Statistics.__slots__))


def _describe(side: Side, times: Floats, options: Options, scale: AnalysisScale) -> _Statistics:
    """Statistics when each period counts ``times`` (b, periods) times."""
    values, weights = side.values, side.weights
    starts = side.starts()
    # values without a logarithm count in everything but the center on the log scale
    placed = values > 0 if scale.name == "log" else np.ones(len(values), dtype=bool)
    forward = scale.forward(np.where(placed, values, 1.0) if scale.name == "log" else values)
    shift, shift_forward = float(values.mean()), float(forward[placed].mean())
    met: Floats = np.zeros(len(values))
    if options.objective is not None:
        at_most = options.objective.direction == "at_most"
        target = options.objective.target
        met = (values <= target if at_most else values >= target).astype(np.float64)
    columns = np.stack(
        [
            np.ones(len(values)),
            weights,
            weights * (values - shift),
            values - shift,
            (values - shift) ** 2,
            met,
            weights * np.where(placed, forward - shift_forward, 0.0),
            weights * placed,
            placed * 1.0,
            np.where(placed, forward - shift_forward, 0.0),
            np.where(placed, forward - shift_forward, 0.0) ** 2,
        ]
    )
    n, w, wy, y, yy, m, wf, wp, p, f, ff = np.einsum(
        "bp,kp->kb", times, np.add.reduceat(columns, starts, axis=1)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        center = shift_forward + wf / wp
        variance = np.where(n > 1, np.maximum(yy - y * y / n, 0.0) / (n - 1), np.nan)
        center_variance = np.where(p > 1, np.maximum(ff - f * f / p, 0.0) / (p - 1), np.nan)
    variance[variance <= 1e-26 * max(shift**2, 1e-300)] = 0.0
    order = np.argsort(values, kind="stable")
    period_of = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    counted = times[:, period_of[order]]
    ordered = values[order]
    quantile: Callable[[float], Floats]
    if float(np.ptp(n)) == 0:  # as many values in every resample: they can be written out in order
        drawn = np.repeat(np.tile(ordered, len(n)), counted.ravel().astype(np.int64)).reshape(len(n), -1)
        quantile = partial(_quantile_of_rows, drawn)
    else:
        quantile = partial(_quantile, ordered, np.cumsum(counted, axis=1), n)
    return _Statistics(
        mean=shift + wy / w,
        median=quantile(0.5),
        tail=quantile(options.tail),
        sd=np.sqrt(variance),
        share=m / n,
        center=center,
        center_sd=np.sqrt(center_variance),
        deciles=np.stack([quantile(k / 10) for k in range(1, 10)], axis=1),
    )


def _quantile_of_rows(drawn: Floats, q: float) -> Floats:
    """The same of rows that are sorted, shape (b, n)."""
    n = drawn.shape[1]
    h = (n - 1) * q
    low = int(np.floor(h + 1e-9))
    return np.asarray((1 - (h - low)) * drawn[:, low] + (h - low) * drawn[:, min(low + 1, n - 1)])


def _quantile(ordered: Floats, cumulative: Floats, n: Floats, q: float) -> Floats:
    """Linear interpolation between order statistics (Hyndman and Fan's type 7) with repeated values."""
    h = (n - 1) * q
    low = np.floor(h + 1e-9)
    return np.asarray(
        (1 - (h - low)) * ordered[_position(cumulative, low)]
        + (h - low) * ordered[_position(cumulative, np.minimum(low + 1, n - 1))]
    )


def _position(cumulative: Floats, k: Floats) -> NDArray[np.int64]:
    """Where the value number k (from 0) stands among the sorted values."""
    if cumulative.shape[1] < 1000:
        return np.asarray((cumulative <= k[:, None] + 0.5).sum(axis=1))
    return np.array([np.searchsorted(row, v + 0.5) for row, v in zip(cumulative, k, strict=True)])


def _effect(
    quantity: str,
    name: str,
    form: str,
    data: list[_Statistics],
    drawn: list[_Statistics] | None,
    confidence: float,
    widen: float,
    how: str,
    unit: str,
) -> Effect:
    before, after = (float(_column(s, name)[0]) for s in data)
    estimate = low = high = NAN
    ratio = form == "ratio"
    if not ratio:
        estimate = after - before
    elif before > 0 and after > 0:
        estimate = after / before
    if drawn is not None and not np.isnan(estimate):
        a, b = _column(drawn[0], name), _column(drawn[1], name)
        if ratio:
            possible = (a > 0) & (b > 0)
            spread = np.log(b[possible] / a[possible])
            middle = float(np.log(estimate))
        else:
            spread, middle = b - a, estimate
        if len(spread) > 0.95 * len(a):
            tail = (1 - confidence) / 2
            ends = np.quantile(spread, [tail, 1 - tail])
            low, high = middle - widen * (middle - float(ends[0])), middle + widen * (float(ends[1]) - middle)
            if ratio:
                low, high = float(np.exp(low)), float(np.exp(high))
    return Effect(
        quantity,
        role="secondary",
        before=before,
        after=after,
        estimate=estimate,
        low=low,
        high=high,
        form="ratio" if ratio else "difference",
        unit="" if ratio or name == "share" else unit,
        method=how if not np.isnan(low) else "descriptive",
    )


def _column(statistics: _Statistics, name: str) -> Floats:
    """A statistic by name, a decile by its number."""
    return statistics.deciles[:, int(name) - 1] if name.isdigit() else np.asarray(getattr(statistics, name))


def _share_row(row: Effect, sides: Sides, answer: Answer, confidence: float) -> Effect:
    """Shares stay within -1 and 1; where no resample varies: the score interval of effective sizes."""
    low, high, how = float(np.clip(row.low, -1, 1)), float(np.clip(row.high, -1, 1)), row.method
    if answer.tested and row.low == row.high:
        n1, n2 = (max(1.0, e) for e in answer.effective)
        found = score_contrast(row.before * n1, n1, row.after * n2, n2, confidence)
        low, high, how = found.low, found.high, "Newcombe interval with effective sample sizes"
    return Effect(
        row.quantity,
        role=row.role,
        before=row.before,
        after=row.after,
        estimate=row.estimate,
        low=low,
        high=high,
        method=how,
    )
