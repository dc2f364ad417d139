"""Observations as a table: one row each with its attributes, for models and for looking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from perfanalytics.core.codec import to_record
from perfanalytics.core.errors import InputError
from perfanalytics.repository.dimension import groups
from perfanalytics.repository.engine import Engine
from perfanalytics.repository.observations import observations
from perfanalytics.repository.selection import Selection, attribute_types, measure_record, measure_row, select
from perfanalytics.repository.source import quoted

if TYPE_CHECKING:
    import pandas as pd

_CASTS = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "time": "TIMESTAMP"}
_OWN = ("item", "when", "start")


def frame(engine: Engine, measures: str | Sequence[str], **asked: Any) -> pd.DataFrame:
    """See :meth:`perfanalytics.Repository.frame`."""
    import pandas as pd

    names = [measures] if isinstance(measures, str) else list(measures)
    if not names:
        raise InputError("frame() needs at least one measure")
    if len(set(names)) != len(names):
        raise InputError(f"a measure is named twice: {names}")
    where = asked.pop("where", None) or {}
    parts = []
    for name in names:
        known = attribute_types(engine, measure_row(engine, name)[0])
        # a condition on an attribute that only another of the measures has is kept by the join
        own = where if len(names) == 1 else {k: v for k, v in where.items() if k in known}
        parts.append(_one(engine, select(engine, name, where=own, **asked)))
    if len(names) > 1:
        everywhere = set().union(*(attribute_types(engine, measure_row(engine, n)[0]) for n in names))
        for name in where:
            if name not in everywhere:
                from perfanalytics.core.errors import UnknownNameError

                raise UnknownNameError("attribute", name, everywhere)
    out = parts[0]
    for name, part in zip(names[1:], parts[1:], strict=True):
        for label, side in ((names[0], out), (name, part)):
            if side["item"].isna().any():
                raise InputError(f"measures are joined on the item: {label} has observations without one")
            repeated = side["item"].duplicated()
            if repeated.any():
                raise InputError(
                    f"measures are joined on the item: {label} has several observations of "
                    f"{side['item'][repeated].iloc[0]!r}"
                )
        limited = any(k not in attribute_types(engine, measure_row(engine, name)[0]) for k in where)
        fresh = [c for c in part.columns if c == "item" or c not in out.columns]
        out = out.merge(part[fresh], on="item", how="left" if limited else "outer", sort=False)
    assert isinstance(out, pd.DataFrame)
    out = out.reset_index(drop=True)
    _, clock = measure_row(engine, names[0])
    out.attrs["clock"] = clock
    # plain JSON values, so that a frame with them can be written anywhere
    out.attrs["measures"] = {name: to_record(measure_record(engine, name)) for name in names}
    return out


def _one(engine: Engine, selection: Selection) -> pd.DataFrame:
    import pandas as pd

    measure_id, _ = measure_row(engine, selection.measure)
    attributes = attribute_types(engine, measure_id)
    for name in attributes:
        if name in (*_OWN, selection.measure):
            raise InputError(
                f"attribute {name!r} of {selection.measure} has the name of a column of the frame"
            )
    query = observations(engine, selection, groups(engine, selection))
    listed = "".join(
        f", s.attribute_values[{place}]::{_CASTS.get(kind, 'VARCHAR')} AS {quoted(name)}"
        for name, (place, kind) in attributes.items()
    )
    m = selection.measure
    columns = engine.columns(
        f"""SELECT o.item, o.t AS "when", o.started AS "start",
            o.v AS {quoted(m)}, o.s AS {quoted(m + "_size")}, o.c AS {quoted(m + "_censored")}{listed}
            FROM ({query.sql}) o JOIN series s USING (series_id) ORDER BY o.t, o.row_id""",
        query.parameters,
    )
    out = pd.DataFrame(columns)
    out[m] = out[m].astype(np.float64)
    out[m + "_size"] = out[m + "_size"].astype(np.float64)
    if measure_record(engine, m).scale == "proportion":
        # as in a series: the share, with its denominator beside it
        sizes = out[m + "_size"].to_numpy()
        shares = np.divide(out[m].to_numpy(), sizes, out=np.full(len(out), np.nan), where=sizes > 0)
        out[m] = np.where(np.isnan(sizes), out[m], shares)
    return out
