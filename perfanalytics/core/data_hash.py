"""Hashes of data: a result says by one which values it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.columns import bytes_of


def hashes_of(
    columns: Sequence[NDArray[Any] | None], covariates: Mapping[str, NDArray[Any]], offsets: NDArray[np.int64]
) -> tuple[str, ...]:
    """One hash a series: of flat columns (None: not given) and of the covariates that are numbers."""
    raw = [bytes_of(c) for c in columns if c is not None]
    marks = "".join(str(int(c is not None)) for c in columns).encode()
    # numbers a chart may reckon with: the risk of a case
    numbers = sorted(name for name, c in covariates.items() if c.dtype.kind == "f")
    marks += "".join(f" {name}" for name in numbers).encode()
    raw += [bytes_of(covariates[name]) for name in numbers]
    out = []
    for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        digest = hashlib.blake2b(marks, digest_size=16)
        for column in raw:
            digest.update(column[a:b])
        out.append(digest.hexdigest())
    return tuple(out)


def joined_hash(hashes: Iterable[str]) -> str:
    """One hash of many."""
    digest = hashlib.blake2b(digest_size=16)
    for h in hashes:
        digest.update(h.encode())
    return digest.hexdigest()
