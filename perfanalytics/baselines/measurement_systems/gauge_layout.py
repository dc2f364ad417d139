"""The rows of a gauge study: which part, which operator, and whether every cell has as many repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.measurement_systems.reading import Codes, column, labels_of, numbers
from perfanalytics.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeData:
    """Measurements with their part and operator.

    ``values`` (n,), ``part`` and ``operator`` codes (n,), sorted by operator, part, and as they came.
    ``repeats`` is the number of repeats of every cell, 0 when it differs. Parts of a nested study have labels
    "operator: part"; without operators there is one, "".
    """

    values: NDArray[np.float64]
    part: Codes
    operator: Codes
    parts: tuple[str, ...]
    operators: tuple[str, ...]
    nested: bool
    crossed: bool
    repeats: int
    missing: int

    @property
    def cell(self) -> Codes:
        """Code of the cell (operator and part) of each value."""
        return self.operator * len(self.parts) + self.part

    def cube(self) -> NDArray[np.float64]:
        """Balanced values, shape (operators, parts of each, repeats)."""
        return self.values.reshape(len(self.operators), -1, self.repeats)


def read_gauge(
    frame: object, *, value: str, part: str, operator: str | None, replicate: str | None, nested: bool
) -> GaugeData:
    """The columns, checked and sorted.

    Raises
    ------
    InputError, UnknownNameError
    """
    values = numbers(column(frame, value, "value"), f"the values in {value!r}")
    part_of, parts = labels_of(column(frame, part, "part"), "part")
    operator_of: Codes = np.zeros(len(values), dtype=np.intp)
    operators: tuple[str, ...] = ("",)
    if operator is not None:
        operator_of, operators = labels_of(column(frame, operator, "operator"), "operator")
    elif nested:
        raise InputError("nested=True says that each operator had parts of his own: name the operator column")
    if replicate is not None:
        repeat_of, _ = labels_of(column(frame, replicate, "replicate"), "replicate")
        keys = np.stack([operator_of, part_of, repeat_of])
        distinct, first, times = np.unique(keys, axis=1, return_index=True, return_counts=True)
        if (times > 1).any():
            k = int(np.flatnonzero(times > 1)[0])
            where = f"part {parts[distinct[1, k]]}" + (
                f", operator {operators[distinct[0, k]]}" * bool(operator)
            )
            raise InputError(
                f"{where} has {int(times[k])} rows with the same replicate (row {int(first[k])} is the "
                "first): number the repeats, or leave replicate out"
            )
    seen = ~np.isnan(values)
    if nested:
        part_of, parts = _own_parts(part_of, operator_of, parts, operators)
    order = np.lexsort((part_of, operator_of))
    order = order[seen[order]]
    values, part_of, operator_of = values[order], part_of[order], operator_of[order]
    if len(np.unique(part_of)) < 2:
        raise InputError("a gauge study needs at least 2 parts: without them there is nothing to tell apart")
    if len(np.unique(part_of)) < len(parts) or len(np.unique(operator_of)) < len(operators):
        raise InputError("a part or an operator has missing values only: leave its rows out")
    if nested and len(operators) < 2:
        raise InputError("a nested study needs at least 2 operators")
    cells, counts = np.unique(operator_of * len(parts) + part_of, return_counts=True)
    crossed = len(cells) == len(parts) * len(operators)
    full = _same_number_of_parts(cells, len(parts), len(operators)) if nested else crossed
    return GaugeData(
        values=values,
        part=part_of,
        operator=operator_of,
        parts=parts,
        operators=operators,
        nested=nested,
        crossed=crossed,
        repeats=int(counts[0]) if full and len(set(counts.tolist())) == 1 else 0,
        missing=int(np.sum(~seen)),
    )


def _own_parts(
    part_of: Codes, operator_of: Codes, parts: tuple[str, ...], operators: tuple[str, ...]
) -> tuple[Codes, tuple[str, ...]]:
    """Parts of different operators are different parts, also when they have the same label."""
    keys, codes = np.unique(operator_of * len(parts) + part_of, return_inverse=True)
    named = [(operators[int(k) // len(parts)], parts[int(k) % len(parts)]) for k in keys]
    return codes.astype(np.intp), tuple(f"{o}: {p}" for o, p in named)


def _same_number_of_parts(cells: NDArray[np.intp], parts: int, operators: int) -> bool:
    return len(set(np.bincount(cells // parts, minlength=operators).tolist())) == 1
