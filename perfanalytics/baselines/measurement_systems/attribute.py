"""Attribute agreement: each appraiser with his own repeats, with the standard, and all together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.intervals import clopper_pearson
from perfanalytics.baselines.measurement_systems.agreement_rows import (
    ALL,
    Found,
    Line,
    Options,
    few_items,
    interval,
)
from perfanalytics.baselines.measurement_systems.kappa import cohen_kappa, cross_table, generalized
from perfanalytics.baselines.measurement_systems.ratings import Ratings
from perfanalytics.baselines.wording import percent
from perfanalytics.core.errors import InputError
from perfanalytics.core.result import Caveat

Floats = NDArray[np.float64]

REPEATS = "own repeats alike"
STANDARD = "matches the standard"
EACH_OTHER = "all alike"
ALL_STANDARD = "all match the standard"


def attribute(ratings: Ratings, options: Options) -> Found:
    """Shares of items on which all ratings agree, with exact binomial intervals, and kappas.

    An item counts when every rating concerned is there and all are equal.

    References
    ----------
    AIAG (2010), Measurement Systems Analysis, 4th ed., chapter III, section C.
    """
    codes, truth, q = ratings.codes, ratings.standard, len(ratings.categories)
    lines: list[Line] = []
    right: list[tuple[float, str]] = []
    for r, name in enumerate(ratings.raters):
        own = codes[:, ratings.rater_of == r]
        if own.shape[1] > 1:
            lines.append(_share(REPEATS, name, own, None, options))
        if truth is not None:
            line = _share(STANDARD, name, own, truth, options)
            lines.append(line)
            right.append((line.estimate, name))
            lines.append(_kappa_with(truth, own, name, q, options))
    several = len(ratings.raters) > 1
    if several:
        lines.append(_share(EACH_OTHER, ALL, codes, None, options))
        if truth is not None:
            lines.append(_share(ALL_STANDARD, ALL, codes, truth, options))
        kappa, se, _, _ = generalized(ratings.counts(), kind="fleiss")
        low, high = interval(kappa, se, len(codes) - 1, options.confidence)
        lines.append(Line("kappa, all ratings", ALL, kappa, se, low, high, how="Fleiss; t, Gwet 2021"))
    if not lines:
        raise InputError("one rater without repeats and without a standard: there is nothing to compare with")
    wanted = [ALL_STANDARD, EACH_OTHER] if several else [STANDARD, REPEATS]
    headline = next(k for w in wanted for k, x in enumerate(lines) if x.quantity == w)
    caveats = list(few_items(len(codes), needed=30))
    missing = int(np.isnan(codes).sum())
    if missing:
        text = f"{missing} ratings are missing: an item counts only where all ratings compared are there."
        caveats.append(Caveat("missing-ratings", text, {"ratings": missing}))
    return Found(
        lines=tuple(lines),
        headline=headline,
        words=_words(lines[headline], right if several else [], options.confidence),
        caveats=tuple(caveats),
        references=(
            "AIAG (2010), Measurement Systems Analysis, 4th ed., chapter III, section C",
            "Clopper and Pearson (1934), Biometrika 26",
        ),
        choices={
            "interval": "exact binomial (Clopper and Pearson)",
            "trials": int(np.max(np.bincount(ratings.rater_of))),
            "standard": truth is not None,
            "kappa_with_standard": "Cohen's, over all trials",
        },
    )


def _share(quantity: str, about: str, own: Floats, truth: Floats | None, options: Options) -> Line:
    there = ~np.isnan(own).any(axis=1)
    n = int(there.sum())
    if n == 0:
        raise InputError(f"no item has all ratings ({quantity}, {about}): there is nothing to count")
    against = own[:, 0] if truth is None else truth
    alike = int(np.sum((own == against[:, None]).all(axis=1) & there))
    low, high = clopper_pearson(alike, n, confidence=options.confidence)
    return Line(quantity, about, alike / n, low=low, high=high, how=f"{alike} of {n} items, exact binomial")


def _kappa_with(truth: Floats, own: Floats, about: str, q: int, options: Options) -> Line:
    trials = own.shape[1]
    table = sum((cross_table(own[:, t], truth, q) for t in range(trials)), np.zeros((q, q)))
    kappa, se, *_ = cohen_kappa(table, np.eye(q))
    if trials > 1:  # the trials of one person are not independent
        return Line("kappa with the standard", about, kappa, how=f"Cohen, {trials} trials together")
    low, high = interval(kappa, se, math.inf, options.confidence)
    return Line("kappa with the standard", about, kappa, se, low, high, how="Cohen; normal")


def _words(head: Line, right: list[tuple[float, str]], confidence: float) -> str:
    counted, level = head.how.partition(",")[0], percent(confidence)
    ends = f"({counted}; {level} interval {percent(head.low)} to {percent(head.high)})"
    who = "all ratings" if head.about == ALL else f"the ratings of {head.about}"
    what = "are the standard's" if head.quantity in (ALL_STANDARD, STANDARD) else "are alike"
    text = f"{who} {what} for {percent(head.estimate)} of items {ends}."
    least = min((share for share, _ in right), default=1.0)
    if least == 1:
        return text
    names = [name for share, name in right if share == least]
    if len(names) == len(right):
        return f"{text} Each rater alone is right on {percent(least)} of items."
    verb = "is" if len(names) == 1 else "are"
    return (
        f"{text} Farthest from the standard {verb} {' and '.join(names)}, right on {percent(least)} of items."
    )
