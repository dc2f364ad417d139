"""Krippendorff's alpha: any number of raters, missing ratings, four scales."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.measurement_systems.agreement_rows import (
    ALL,
    Found,
    Line,
    Options,
    few_items,
)
from perfanalytics.baselines.measurement_systems.ratings import Ratings
from perfanalytics.baselines.wording import percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

Floats = NDArray[np.float64]

#: Krippendorff's customary limits: from 0.800 reliable, from 0.667 for tentative conclusions.
RELIABLE, TENTATIVE = 0.800, 0.667


def disagreements(counts: Floats, scores: Floats, times: Floats, *, scale: str) -> tuple[Floats, Floats]:
    """Observed and expected disagreement, for each way of counting the items.

    Parameters
    ----------
    counts : float array, shape (n, q)
        Ratings of each item in each category, every item with 2 or more.
    scores : float array, shape (q,)
    times : float array, shape (b, n)
        How often each item counts (a bootstrap draw a row).
    scale : {"nominal", "ordinal", "interval", "ratio"}

    References
    ----------
    Krippendorff (2004), Content Analysis, 2nd ed., section 11.3; (2011), Computing Krippendorff's
    Alpha-Reliability.
    """
    m = counts.sum(axis=1)
    totals = times @ counts
    n = totals.sum(axis=1)
    if scale in ("nominal", "ratio"):
        with np.errstate(invalid="ignore"):
            ratio = ((scores[:, None] - scores) / (scores[:, None] + scores)) ** 2
        apart = 1.0 - np.eye(len(scores)) if scale == "nominal" else np.nan_to_num(ratio)
        each = np.einsum("nj,jk,nk->n", counts, apart, counts) / (m - 1)
        return times @ each / n, np.einsum("bj,jk,bk->b", totals, apart, totals) / (n * (n - 1))
    # ordinal distances are differences of mid-ranks, which depend on what was drawn
    place = np.broadcast_to(scores, totals.shape)
    if scale == "ordinal":
        place = np.cumsum(totals, axis=1) - totals / 2
    place = place - np.sum(totals * place, axis=1, keepdims=True) / n[:, None]
    squares, sums = (place**2) @ counts.T, place @ counts.T
    within = 2 * (m * squares - sums**2) / (m - 1)
    expected = 2 * n * np.sum(totals * place**2, axis=1) / (n * (n - 1))
    return np.sum(times * within, axis=1) / n, expected


def krippendorff(ratings: Ratings, options: Options) -> Found:
    """Alpha with a percentile interval from drawing items."""
    counts = ratings.counts()
    counts = counts[counts.sum(axis=1) >= 2]
    n = len(counts)
    if n < 2:
        raise InputError("fewer than 2 items were rated by 2 or more raters")
    scores = ratings.scores
    if options.scale == "ratio" and (scores < 0).any():
        raise InputError("ratings on a ratio scale cannot be negative: say scale='interval'")
    observed, expected = (
        float(v[0]) for v in disagreements(counts, scores, np.ones((1, n)), scale=options.scale)
    )
    alpha = 1 - observed / expected if expected > 0 else math.nan
    rng = np.random.default_rng(options.seed)
    drawn = []
    for start in range(0, options.draws, 500):
        rows = min(500, options.draws - start)
        times = rng.multinomial(n, np.full(n, 1 / n), size=rows).astype(np.float64)
        above, below = disagreements(counts, scores, times, scale=options.scale)
        drawn.append((1 - above / np.where(below > 0, below, np.nan))[below > 0])
    draws = np.concatenate(drawn)
    low, high = math.nan, math.nan
    if not math.isnan(alpha) and len(draws):
        tail = (1 - options.confidence) / 2
        low, high = (float(v) for v in np.quantile(draws, [tail, 1 - tail]))
    se = float(np.std(draws, ddof=1)) if not math.isnan(alpha) and len(draws) > 1 else math.nan
    lines = (
        Line("alpha", ALL, alpha, se, low, high, how="bootstrap of the items, percentiles"),
        Line("observed disagreement", ALL, observed),
        Line("expected disagreement", ALL, expected),
    )
    caveats = list(few_items(n))
    if math.isnan(alpha):
        text = "All ratings are equal: agreement beyond chance is not defined."
        caveats.append(Caveat("one-category", text, {}))
    lost = len(ratings.items) - n
    if lost:
        text = f"{lost} items with fewer than 2 ratings tell nothing about agreement and are left out."
        caveats.append(Caveat("unpaired-items", text, {"items": lost}))
    return Found(
        lines=lines,
        headline=0,
        words=_words(alpha, low, high, n, options.confidence),
        caveats=tuple(caveats),
        references=(
            "Krippendorff (2011), Computing Krippendorff's Alpha-Reliability",
            "Krippendorff (2004), Content Analysis, 2nd ed., section 11.3",
        ),
        choices={
            "scale": options.scale,
            "interval": "percentiles of draws of the items",
            "draws": options.draws,
            "seed": options.seed,
        },
    )


def _words(alpha: float, low: float, high: float, n: int, confidence: float) -> str:
    if math.isnan(alpha):
        return f"all ratings of the {n} items are equal: whether raters can tell items apart cannot be said."
    text = f"alpha over {n} items is {alpha:.2f} ({percent(confidence)} interval {low:.2f} to {high:.2f}): "
    if low >= RELIABLE:
        return text + "the ratings are reliable."
    if alpha >= RELIABLE:
        return text + "reliable by the estimate (0.80 is asked for), but the interval does not settle it."
    if alpha >= TENTATIVE:
        return text + "good enough for tentative conclusions only (0.80 is asked for)."
    return text + "too low to rely on the ratings (0.67 is the least for tentative conclusions)."
