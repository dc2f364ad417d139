"""A table of values and groups made ready for comparison: groups, blocks, counts, analysis scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.comparisons.independence import visible_lag1
from perfanalytics.comparisons.scales import FEW_SHARE, FEWEST_POSITIVE, SCALES
from perfanalytics.core.columns import Floats
from perfanalytics.core.dependence import lag1_autocorrelation
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import LOG_SCALES, UNNAMED, Measure
from perfanalytics.core.result import Caveat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """The usable rows of a table.

    Parameters
    ----------
    values : float array, shape (n,)
        In the unit of the measure; shares where there are sizes.
    sizes : float array, shape (n,), or None
        Denominators of shares.
    when : datetime64 array, shape (n,), or None
        Rows are then in order of time.
    codes : tuple of int arrays, shape (n,)
        For each factor the level of each row, from 0.
    names : tuple of tuple of str
        The levels of each factor.
    factors : tuple of str
    block : int array or None
        Block of each row.
    scale : {"raw", "log", "rank"}
    """

    values: Floats
    sizes: Floats | None
    when: NDArray[np.datetime64] | None
    codes: tuple[NDArray[np.int64], ...]
    names: tuple[tuple[str, ...], ...]
    factors: tuple[str, ...]
    block: NDArray[np.int64] | None
    measure: Measure
    scale: str
    scale_chosen: str
    caveats: tuple[Caveat, ...]
    notes: tuple[str, ...] = ()

    @property
    def k(self) -> int:
        """Number of groups (levels of the first factor)."""
        return len(self.names[0])

    def rows(self, keep: NDArray[np.bool_]) -> Grouped:
        """Some of the rows."""

        def part(column: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if column is None else column[keep]

        return replace(
            self,
            values=self.values[keep],
            sizes=part(self.sizes),
            when=part(self.when),
            codes=tuple(c[keep] for c in self.codes),
            block=part(self.block),
        )

    def on_scale(self) -> Grouped:
        """Without the values that have no logarithm, where logarithms are taken."""
        return self.rows(self.values > 0) if self.scale == "log" else self

    def forward(self) -> Floats:
        """The values on the analysis scale."""
        return np.asarray(np.log(self.values)) if self.scale == "log" else self.values

    def split(self, values: Floats) -> list[Floats]:
        """Values of each group."""
        return [values[self.codes[0] == g] for g in range(self.k)]

    def is_counted(self) -> bool:
        """Whether the values are shares with denominators, or items coded 0 and 1."""
        return self.sizes is not None or bool(np.isin(self.values, (0.0, 1.0)).all())

    def counts(self) -> tuple[Floats, Floats]:
        """Successes and totals of each group."""
        weight = np.ones(len(self.values)) if self.sizes is None else self.sizes
        x = np.array(
            [float((v * w).sum()) for v, w in zip(self.split(self.values), self.split(weight), strict=True)]
        )
        n = np.array([float(w.sum()) for w in self.split(weight)])
        return np.round(x, 9), n


def read_grouped(
    frame: object,
    *,
    value: str,
    by: str | Sequence[str],
    block: str | None,
    sizes: str | None,
    when: str | None,
    measure: Measure | None,
    scale: str | None,
) -> Grouped:
    """The groups of a table.

    Raises
    ------
    InputError
        For columns that hold no numbers, fewer than two groups, and values that a scale does not allow.
    UnknownNameError
        For a column or scale that does not exist.
    """
    factors = (by,) if isinstance(by, str) else tuple(by)
    if not 1 <= len(factors) <= 2:
        raise InputError(f"by= names one factor, or two for method='two_way'; got {list(factors)}")
    named = [value, *factors, *(c for c in (block, sizes, when) if c is not None)]
    if len(set(named)) != len(named):
        raise InputError(f"a column is named twice: {named}")
    columns = {name: _column(frame, name) for name in named}
    lengths = {name: len(c) for name, c in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the columns have different lengths: {lengths}")
    y = _numbers(columns[value], value)
    size = None if sizes is None else _numbers(columns[sizes], sizes)
    if size is not None:
        if (size < 0).any() or (y < 0).any():
            raise InputError(f"counts and sizes cannot be negative ({value!r}, {sizes!r})")
        y, size = _shares(y, size, value, str(sizes))
    labels = [_labels(columns[f]) for f in factors]
    blocks = None if block is None else _labels(columns[block])
    times = None if when is None else np.asarray(columns[when]).astype("datetime64[us]")
    usable = ~np.isnan(y)
    unnamed = np.zeros(len(y), dtype=bool)
    for column in (*labels, *(() if blocks is None else (blocks,))):
        unnamed |= np.array([v is None for v in column], dtype=bool)
    if times is not None:
        unnamed |= np.isnat(times)
    keep = usable & ~unnamed
    caveats = list(_missing(usable, unnamed))
    if times is not None:
        order = np.flatnonzero(keep)[np.argsort(times[keep], kind="stable")]
    else:
        order = np.flatnonzero(keep)
    if not len(order):
        raise InputError(f"no row has a value of {value!r} and a group: nothing can be compared")
    codes, names = [], []
    for name, column in zip(factors, labels, strict=True):
        levels = _levels(frame, name, column[order])
        if len(levels) < 2:
            raise InputError(f"{name!r} has only the group {levels[0]!r}: at least two groups are compared")
        place = {level: k for k, level in enumerate(levels)}
        codes.append(np.array([place[v] for v in column[order]], dtype=np.int64))
        names.append(tuple(levels))
    block_codes = None
    if blocks is not None:
        block_codes = np.unique([str(v) for v in blocks[order]], return_inverse=True)[1].astype(np.int64)
    values = np.ascontiguousarray(y[order])
    found = measure or replace(UNNAMED, name=value)
    chosen, why, more, notes = _scale(values, codes[0], len(names[0]), found, scale)
    return Grouped(
        values=values,
        sizes=None if size is None else size[order],
        when=None if times is None else times[order],
        codes=tuple(codes),
        names=tuple(names),
        factors=factors,
        block=block_codes,
        measure=found,
        scale=chosen,
        scale_chosen=why,
        caveats=(*caveats, *more),
        notes=notes,
    )


def dependence_of_groups(data: Grouped) -> tuple[Caveat, ...]:
    """A caveat where values in order of time are visibly autocorrelated within their groups."""
    if data.when is None:
        return ()
    groups = data.split(data.forward() if data.scale != "rank" else data.values)
    n = np.array([len(g) for g in groups], dtype=float)
    offsets = np.concatenate([[0], np.cumsum(n)]).astype(np.int64)
    r = lag1_autocorrelation(np.concatenate(groups), offsets)
    pooled = visible_lag1(r, n)
    if pooled is None:
        return ()
    text = (
        f"Neighbouring values of a group are correlated (lag-1 about {pooled:.2f}), but they are taken as "
        "independent: differences are found too often, intervals are too narrow. Compare two groups at a "
        "time as series with perf.compare, or periods as blocks."
    )
    return (Caveat("autocorrelated", text, {"lag1": pooled}),)


def _column(frame: object, name: str) -> Any:
    columns = getattr(frame, "columns", None)
    known = [str(c) for c in columns] if columns is not None else None
    if known is None and isinstance(frame, Mapping):
        known = [str(c) for c in frame]
    if known is None:
        raise InputError(
            f"a table with named columns is needed (pandas DataFrame, or a mapping of name to list), got "
            f"{type(frame).__name__}"
        )
    if name not in known:
        raise UnknownNameError("column", name, known)
    column = frame[name]  # type: ignore[index]
    zone = getattr(getattr(column, "dtype", None), "tz", None)
    return column.dt.tz_convert("UTC").dt.tz_localize(None) if zone is not None else column


def _numbers(column: Any, name: str) -> Floats:
    try:
        if hasattr(column, "to_numpy"):
            y = column.to_numpy(dtype=float, na_value=np.nan)
        else:
            y = np.asarray(column, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"the column {name!r} must hold numbers: {error}") from error
    if np.isinf(y).any():
        raise InputError(f"infinite value in {name!r}: use NaN for a missing one")
    return np.array(y, dtype=float)


def _labels(column: Any) -> NDArray[Any]:
    given = np.asarray(column, dtype=object)
    out = np.empty(len(given), dtype=object)
    out[:] = [None if v is None or v != v or str(v) in ("<NA>", "NaT") else str(v) for v in given.tolist()]
    return out


def _levels(frame: object, name: str, labels: NDArray[Any]) -> list[str]:
    """Categories in their own order; numbers by size; else by name."""
    present = set(labels.tolist())
    categories = getattr(getattr(frame[name], "cat", None), "categories", None)  # type: ignore[index]
    if categories is not None:
        return [str(c) for c in categories if str(c) in present]
    try:
        return sorted(present, key=float)
    except ValueError:
        return sorted(present)


def _shares(y: Floats, size: Floats, value: str, sizes: str) -> tuple[Floats, Floats]:
    """Counts with sizes as shares; shares stay what they are."""
    seen = ~np.isnan(y) & (size > 0)
    if (y[seen] == np.floor(y[seen])).all():
        if (y[seen] > size[seen]).any():
            raise InputError(f"a count of {value!r} exceeds its size in {sizes!r}")
        y = np.divide(y, size, out=np.full(len(y), np.nan), where=seen)
    elif (y[seen] > 1).any():
        raise InputError(f"{value!r} holds neither counts nor shares between 0 and 1")
    return np.where(seen, y, np.nan), np.nan_to_num(size)


def _missing(usable: NDArray[np.bool_], unnamed: NDArray[np.bool_]) -> tuple[Caveat, ...]:
    empty, lost = int((~usable).sum()), int((usable & unnamed).sum())
    if not empty + lost:
        return ()
    text = (
        f"{empty + lost} of {len(usable)} rows are left out: {empty} without a value, {lost} without a group."
    )
    return (Caveat("missing-rows", text, {"no_value": empty, "no_group": lost, "rows": len(usable)}),)


def _scale(
    values: Floats, codes: NDArray[np.int64], k: int, measure: Measure, asked: str | None
) -> tuple[str, str, tuple[Caveat, ...], tuple[str, ...]]:
    """Scale, why, caveats, notes for the verdict."""
    bad = values <= 0
    if asked is not None:
        if asked not in SCALES or asked == "logit":
            raise UnknownNameError("scale", str(asked), ("raw", "log", "rank"))
        if asked == "log" and bad.any():
            raise InputError(f"scale='log' needs positive values; {int(bad.sum())} are not")
        return asked, "asked for", (), ()
    if measure.scale == "ordinal":
        return "rank", "declared (ordinal)", (), ()
    if measure.scale not in LOG_SCALES:
        return "raw", f"declared ({measure.scale})" if measure.scale else "not declared", (), ()
    if not bad.any():
        return "log", f"declared ({measure.scale})", (), ()
    counted = [int(bad[codes == g].sum()) for g in range(k)]
    sizes = [int((codes == g).sum()) for g in range(k)]
    few = all(
        not b or (b <= FEW_SHARE * n and n - b >= FEWEST_POSITIVE)
        for b, n in zip(counted, sizes, strict=True)
    )
    total = int(bad.sum())
    evidence = {"not_positive": total, "n": len(values), "left_out": few}
    if few:
        text = f"{total} of {len(values)} values are zero or negative and were left out of the logarithms."
        chosen = ("log", f"declared ({measure.scale}); {total} values that are not positive left out")
    else:
        text = (
            f"The log scale was not possible ({total} of {len(values)} values are zero or negative), so the "
            "values were compared as they are."
        )
        chosen = ("raw", f"declared ({measure.scale}), but {total} values are not positive")
    return *chosen, (Caveat("not-positive", text, evidence),), (text,)
