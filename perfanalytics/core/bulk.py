"""Methods that run over batches in bulk: a name, JSON parameters, the columns they give.

``repo.map(selection, perf.method("control_charts", chart="p"))`` streams the repository through one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.kinds import BULK_METHODS, load
from perfanalytics.core.result import Method
from perfanalytics.core.series import SeriesBatch

#: Column types a bulk method may give.
COLUMN_TYPES = ("float", "integer", "boolean", "text", "time")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkMethod:
    """A function from a batch to columns, one row per series.

    Parameters
    ----------
    method : Method
        Name and JSON parameters: their hash is part of the key of a run.
    columns : mapping of str to {"float", "integer", "boolean", "text", "time"}
        What ``apply`` gives.
    apply : callable
        ``apply(batch) -> {column: array of shape (len(batch),)}``; the same numbers whatever the
        blocks the series arrive in.
    """

    method: Method
    columns: Mapping[str, str]
    apply: Callable[[SeriesBatch], Mapping[str, NDArray[Any]]]

    def __post_init__(self) -> None:
        for name, kind in self.columns.items():
            if kind not in COLUMN_TYPES:
                raise UnknownNameError(f"type of column {name!r}", kind, COLUMN_TYPES)

    def __call__(self, batch: SeriesBatch) -> dict[str, NDArray[Any]]:
        """The columns for one block, checked for names and length."""
        columns = {name: np.asarray(column) for name, column in self.apply(batch).items()}
        if set(columns) != set(self.columns):
            raise InputError(f"{self.method.name} promised {sorted(self.columns)}, gave {sorted(columns)}")
        for name, column in columns.items():
            if column.shape != (len(batch),):
                raise InputError(f"{self.method.name}: column {name!r} must have one value a series")
        return columns


def method(name: str, **parameters: Any) -> BulkMethod:
    """A bulk method by name.

    Parameters
    ----------
    name : str
        "control_charts", ...
    **parameters
        The keyword arguments of the method; they must be plain JSON values.

    Raises
    ------
    UnknownNameError
        When there is no such method, or it has no such parameter.
    InputError
        When a parameter that the method needs is missing.
    """
    if name not in BULK_METHODS:
        raise UnknownNameError("bulk method", name, BULK_METHODS)
    make = load(BULK_METHODS[name])
    known = inspect.signature(make).parameters
    for parameter in parameters:
        if parameter not in known:
            raise UnknownNameError(f"parameter of {name}", parameter, known)
    needed = [p.name for p in known.values() if p.default is p.empty and p.name not in parameters]
    if needed:
        raise InputError(f"{name} needs {', '.join(f'{p}=' for p in needed)}")
    made = make(**parameters)
    assert isinstance(made, BulkMethod)
    return made
