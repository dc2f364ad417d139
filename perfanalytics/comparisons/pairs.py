"""Sides that are not simply two series: pairs, and a given value instead of the side before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.method import ComparisonMethod
from perfanalytics.comparisons.sides import Sides, read_sides
from perfanalytics.core.coerce import as_series
from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Caveat
from perfanalytics.core.series import Series

#: Methods that hold one side against a given value, for the message.
AGAINST_VALUE = "'one_sample_t' or 'wilcoxon'"


def prepared_sides(
    before: object,
    after: object,
    method: ComparisonMethod | None,
    *,
    order: str | None,
    every: str | None,
    measure: Measure | None,
) -> tuple[Sides, Series, Series]:
    """The sides as a method reads them, and the series they came from.

    Raises
    ------
    InputError
        For a given value with a method that compares two sides, pairs that cannot be matched, and whatever
        :func:`~perfanalytics.comparisons.sides.read_sides` refuses.
    """
    reading = "values" if method is None else method.reads
    if is_number(before) or is_number(after):
        before = _given_value(
            before, as_series(after, measure=measure) if not is_number(after) else None, method
        )
        return read_sides(before, after, order=order, every=every, measure=measure)
    if method is not None and method.one_sample and not method.paired:
        raise InputError(
            f"{method.name} compares one side with a given value: perf.compare(24.0, after, "
            f"method={method.name!r}) with the value in place of the side before"
        )
    if method is None or not method.paired:
        return read_sides(before, after, order=order, every=every, measure=measure, reading=reading)
    one, two = as_series(before, measure=measure), as_series(after, measure=measure)
    a, b, caveats = matched(one, two)
    sides, _, _ = read_sides(a, b, order=order, every=every, reading=reading)
    if len(sides.before.values) != len(sides.after.values):
        raise InputError("pairs need a usable value, size and weight on both sides")
    period = np.arange(len(sides.before.values), dtype=np.int64)
    sides = replace(
        sides,
        before=replace(sides.before, period=period),
        after=replace(sides.after, period=period),
        every="each pair is a period",
        caveats=(*sides.caveats, *caveats),
    )
    return sides, one, two


def is_number(value: object) -> bool:
    """Whether it is a single number rather than a side."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _given_value(before: object, two: Series | None, method: ComparisonMethod | None) -> Series:
    """The given value as a side of one point."""
    if two is None:
        raise InputError(
            "a given value stands in place of the side before; the side after is a series or a list"
        )
    if method is None or not method.one_sample:
        raise InputError(
            "a single number as the side before is a given value: name a method that holds one side against "
            f"it, method={AGAINST_VALUE}"
        )
    value = float(before)  # type: ignore[arg-type]
    if not np.isfinite(value):
        raise InputError(f"the given value is a finite number, got {value}")
    if two.sizes is not None:
        raise InputError(
            f"{method.name} takes single values; shares with denominators are held against a target by "
            "perf.baseline(series, objective=...)"
        )
    if not len(two):
        raise InputError("the side 'after' has no usable value: nothing can be compared")
    return Series(
        [value],
        measure=two.measure,
        when=None if two.when is None else two.when[:1],
        weights=None if two.weights is None else [1.0],
        clock=two.clock if two.when is not None else None,
    )


def matched(one: Series, two: Series) -> tuple[Series, Series, tuple[Caveat, ...]]:
    """The pairs of two series: by item where both name their items, else by position.

    A value whose partner is missing (a gap, excluded, an item of one side only) is left out and counted.

    Raises
    ------
    InputError
        For series of different lengths without items, an item that stands twice on a side, and no pair at
        all.
    """
    usable = [_usable(s) for s in (one, two)]
    if one.items is not None and two.items is not None:
        left, right = _by_item(one, usable[0], "before"), _by_item(two, usable[1], "after")
        common = [item for item in left if item in right]
        first = np.array([left[item] for item in common], dtype=np.int64)
        second = np.array([right[item] for item in common], dtype=np.int64)
        how = "item"
    else:
        if len(one) != len(two):
            raise InputError(
                f"pairs are matched by position where the sides have no items=: {len(one)} values before and "
                f"{len(two)} after cannot be. Give both series items=, or compare them unpaired"
            )
        first = second = np.flatnonzero(usable[0] & usable[1])
        how = "position"
    if not len(first):
        raise InputError(f"no value before has a partner after (matched by {how}): nothing can be compared")
    alone = [int(usable[0].sum()) - len(first), int(usable[1].sum()) - len(second)]
    caveats: tuple[Caveat, ...] = ()
    if any(alone):
        text = (
            f"{alone[0]} values before and {alone[1]} after have no partner (matched by {how}) and are left "
            f"out; {len(first)} pairs remain."
        )
        evidence = {"before": alone[0], "after": alone[1], "pairs": len(first), "matched_by": how}
        caveats = (Caveat("unmatched", text, evidence),)
    # pairs stand in the order of the side before; times of the side after may then go back and forth
    keep_times = one.when is not None and two.when is not None
    keep_times = keep_times and bool((np.diff(two.when[second].astype(np.int64)) >= 0).all())  # type: ignore[index]
    return _points(one, first, keep_times), _points(two, second, keep_times), caveats


def _usable(series: Series) -> NDArray[np.bool_]:
    excluded, _ = series.excluded()
    return np.asarray(~np.isnan(series.values) & ~excluded)


def _by_item(series: Series, usable: NDArray[np.bool_], name: str) -> dict[str, int]:
    assert series.items is not None
    found: dict[str, int] = {}
    for k in np.flatnonzero(usable).tolist():
        item = series.items[k]
        if item is None:
            continue
        if item in found:
            raise InputError(f"item {item!r} stands twice on the side {name!r}: pairs need one value an item")
        found[item] = k
    return found


def _points(series: Series, chosen: NDArray[np.int64], keep_times: bool) -> Series:
    def part(column: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
        return None if column is None else column[chosen]

    return Series(
        series.values[chosen],
        measure=series.measure,
        when=part(series.when) if keep_times else None,
        sizes=part(series.sizes),
        weights=part(series.weights),
        censored=part(series.censored),
        items=part(series.items),
        selection=series.selection,
        clock=series.clock if keep_times else None,
    )
