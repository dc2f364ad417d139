"""Ratings: items down, raters across, from a long frame or a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.measurement_systems.reading import (
    Codes,
    column,
    is_missing,
    label,
    labels_of,
    numbers,
    plain,
)
from perfanalytics.core.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """What was said of each item by whom.

    ``codes`` (items, columns) are positions in ``categories``, or the numbers themselves where ``categories``
    is empty; NaN is missing. ``scores`` (q,) are the numbers of the categories: their values where all are
    numbers, else their position. A column is one rater, or one trial of one: ``rater_of`` (columns,) says
    whose. ``standard`` (items,) are the right answers, in the same code.
    """

    codes: Floats
    items: tuple[str, ...]
    raters: tuple[str, ...]
    rater_of: Codes
    categories: tuple[str, ...]
    scores: Floats
    standard: Floats | None

    def counts(self) -> Floats:
        """How often each item was put into each category, shape (items, categories)."""
        return np.stack([(self.codes == k).sum(axis=1) for k in range(len(self.categories))], axis=1).astype(
            np.float64
        )


def read_ratings(
    ratings: object,
    *,
    item: str | None,
    rater: str | None,
    rating: str | None,
    trial: str | None,
    standard: str | Sequence[Any] | None,
    categories: Sequence[Any] | None,
    measured: bool,
    ordered: bool,
) -> Ratings:
    """Ratings from a long frame (``item``, ``rater`` and ``rating`` named) or from a matrix (none named).

    Parameters
    ----------
    measured : bool
        The ratings are numbers, not categories.
    ordered : bool
        The order of the categories matters: it must be known.

    Raises
    ------
    InputError, UnknownNameError
    """
    named = [n is not None for n in (item, rater, rating)]
    truth: NDArray[Any] | None
    if all(named):
        assert item is not None
        assert rater is not None
        assert rating is not None
        table, items, raters, rater_of, truth = _from_long(ratings, item, rater, rating, trial, standard)
    elif any(named) or trial is not None:
        raise InputError(
            "a frame with one row per rating needs all of item=, rater= and rating=; a matrix (items down, "
            "raters across) needs none of them"
        )
    else:
        table, items, raters = _from_matrix(ratings)
        rater_of, truth = np.arange(len(raters)), _standard_of(standard, len(items))
    if len(items) < 2:
        raise InputError(f"agreement needs at least 2 items, got {len(items)}")
    if len(raters) < 2 and not (trial is not None or truth is not None):
        raise InputError("agreement needs at least 2 raters")
    if measured:
        codes, scores = numbers(table, "ratings"), np.empty(0)
        known: tuple[str, ...] = ()
        right: Floats | None = None
    else:
        codes, known, scores, right = _coded(table, truth, categories, ordered)
    if np.isnan(codes).all(axis=0).any():
        who = raters[int(rater_of[int(np.flatnonzero(np.isnan(codes).all(axis=0))[0])])]
        raise InputError(f"rater {who} has no rating at all: leave the column out")
    return Ratings(
        codes=codes,
        items=items,
        raters=raters,
        rater_of=rater_of,
        categories=known,
        scores=scores,
        standard=right,
    )


def _from_long(
    frame: object,
    item: str,
    rater: str,
    rating: str,
    trial: str | None,
    standard: str | Sequence[Any] | None,
) -> tuple[NDArray[Any], tuple[str, ...], tuple[str, ...], Codes, NDArray[Any] | None]:
    said = column(frame, rating, "rating")
    item_of, items = labels_of(column(frame, item, "item"), "item")
    rater_of, raters = labels_of(column(frame, rater, "rater"), "rater")
    trial_of, trials = np.zeros(len(said), dtype=np.intp), 1
    if trial is not None:
        trial_of, names = labels_of(column(frame, trial, "trial"), "trial")
        trials = len(names)
    place = rater_of * trials + trial_of
    _, first, times = np.unique(item_of * len(raters) * trials + place, return_index=True, return_counts=True)
    if (times > 1).any():
        k = int(first[np.flatnonzero(times > 1)[0]])
        raise InputError(
            f"rater {raters[rater_of[k]]} rated item {items[item_of[k]]} more than once"
            + (" in one trial" if trial else "; repeats need trial= and method='attribute'")
        )
    table = np.full((len(items), len(raters) * trials), None, dtype=object)
    for k, v in enumerate(said.tolist()):
        table[item_of[k], place[k]] = None if is_missing(v) else plain(v)
    columns = np.repeat(np.arange(len(raters)), trials)
    used = np.array([any(v is not None for v in c) for c in table.T])
    if trial is None:
        used[:] = True
    truth = None
    if standard is not None:
        if not isinstance(standard, str):
            raise InputError("for a frame with one row per rating, standard= is the name of a column")
        truth = np.full(len(items), None, dtype=object)
        for k, v in enumerate(map(plain, column(frame, standard, "standard").tolist())):
            if is_missing(v):
                continue
            known = truth[item_of[k]]
            if known is not None and known != v:
                raise InputError(f"item {items[item_of[k]]} has two standards: {known} and {v}")
            truth[item_of[k]] = v
        _check_truth(truth, items)
    return table[:, used], items, raters, columns[used], truth


def _from_matrix(ratings: object) -> tuple[NDArray[Any], tuple[str, ...], tuple[str, ...]]:
    if isinstance(ratings, Mapping):
        raters = tuple(str(k) for k in ratings)
        if len({len(v) for v in ratings.values()}) > 1:
            raise InputError("the raters have different numbers of ratings: give None where one is missing")
        rows: Any = [list(r) for r in zip(*ratings.values(), strict=True)]
        index: Any = None
    else:
        raters = tuple(label(c) for c in getattr(ratings, "columns", ()))
        index = getattr(ratings, "index", None) if raters else None
        rows = ratings.to_numpy(dtype=object) if hasattr(ratings, "to_numpy") else ratings
    try:
        array = np.array([[None if is_missing(v) else plain(v) for v in row] for row in rows], dtype=object)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"ratings are a matrix (items down, raters across) or a long frame: {error}"
        ) from error
    if array.ndim != 2 or not array.size:
        raise InputError(f"a matrix of ratings has items down and raters across, got shape {array.shape}")
    items = tuple(label(i) for i in (index if index is not None else range(1, len(array) + 1)))
    return array, items, raters or tuple(str(k + 1) for k in range(array.shape[1]))


def _standard_of(standard: str | Sequence[Any] | None, n: int) -> NDArray[Any] | None:
    if standard is None:
        return None
    if isinstance(standard, str) or len(standard) != n:
        raise InputError(
            f"for a matrix of ratings, standard= is a list with the right answer of all {n} items"
        )
    truth = np.empty(n, dtype=object)
    truth[:] = [None if is_missing(v) else plain(v) for v in standard]
    _check_truth(truth, tuple(str(k + 1) for k in range(n)))
    return truth


def _check_truth(truth: NDArray[Any], items: tuple[str, ...]) -> None:
    without = [i for i, v in zip(items, truth.tolist(), strict=True) if v is None]
    if without:
        raise InputError(f"item {without[0]} has no standard: every item needs one")


def _coded(
    table: NDArray[Any], truth: NDArray[Any] | None, categories: Sequence[Any] | None, ordered: bool
) -> tuple[Floats, tuple[str, ...], Floats, Floats | None]:
    """Positions in the list of categories, their names and numbers."""
    seen = [v for v in table.ravel().tolist() if v is not None]
    seen += [] if truth is None else truth.tolist()
    distinct = list(dict.fromkeys(seen))
    numeric = all(isinstance(v, int | float) for v in distinct)
    if categories is not None:
        known = [plain(c) for c in categories]
        if len(set(known)) < len(known):
            raise InputError("categories= names a category twice")
        stray = [v for v in distinct if v not in known]
        if stray:
            raise InputError(f"rating {stray[0]!r} is none of the categories {known}")
        numeric = all(isinstance(v, int | float) for v in known)
    elif numeric:
        known = sorted(distinct)
    elif ordered:
        raise InputError(
            f"categories that are texts have no order by themselves: give categories= in order, such as "
            f"{sorted(map(str, distinct))}"
        )
    else:
        known = sorted(distinct, key=str)
    scores = np.array(known, dtype=np.float64) if numeric else np.arange(len(known), dtype=np.float64)
    if not np.isfinite(scores).all():
        raise InputError("ratings must be finite")
    if ordered and (np.diff(scores) <= 0).any():
        raise InputError(f"categories= that are numbers must rise, got {known}")
    where = {v: float(k) for k, v in enumerate(known)}
    codes = np.array([[np.nan if v is None else where[v] for v in row] for row in table])
    right = None if truth is None else np.array([where[v] for v in truth.tolist()])
    return codes, tuple(label(v) for v in known), scores, right
