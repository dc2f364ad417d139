"""Small sources that the tests of the repository share."""

from __future__ import annotations

import pandas as pd

from perfanalytics.core.measure import Measure
from perfanalytics.repository.source import Source, SourceMeasure

HOURS = Measure("hours", definition="From opened to closed", unit="hours", better="lower", scale="duration")
MET = Measure("met", definition="Closed within target", unit="1", better="higher", scale="proportion")
DEFECTS = Measure("defects", definition="Defects found", unit="defects", better="lower", scale="count")

CSV = """id;opened;closed;h;ok;team;prio
a;1/5/2024 08:00;1/5/2024 10:00;2,5;yes;North;1
b;2/5/2024 08:00;3/5/2024 08:00;24;no;South;2
c;3/5/2024 09:00;9/5/2024 09:00;144;no;North;3
d;10/5/2024 09:00;?;?;?;South;1
"""


def tickets(path=None, *, frame=None, **changes):
    """The ticket source of the tests."""
    settings = {
        "delimiter": ";",
        "decimal": ",",
        "missing": ("?",),
        "columns": {"opened": "time", "closed": "time", "h": "number", "ok": "boolean", "prio": "integer"},
        "formats": {"opened": "%d/%m/%Y %H:%M", "closed": "%d/%m/%Y %H:%M"},
        "key": "id",
        "measures": (
            SourceMeasure(
                HOURS,
                value="h",
                when="closed",
                start="opened",
                item="id",
                attributes=("team", "prio"),
                valid=(0, None),
            ),
            SourceMeasure(MET, value="ok", when="closed", item="id", attributes=("team",)),
        ),
    }
    if frame is not None:
        settings.update(delimiter=",", decimal=".", formats={}, columns={})
    return Source("tickets", file=path, frame=frame, **(settings | changes))


def simple(values, when, *, measure=DEFECTS, **columns):
    """A frame source with a value, a time and whatever else; extra columns are attributes."""
    frame = pd.DataFrame({"value": values, "t": pd.to_datetime(when), **columns})
    special = {k: k for k in ("size", "item") if k in columns}
    return Source(
        "simple",
        frame=frame,
        measures=(
            SourceMeasure(
                measure,
                value="value",
                when="t",
                attributes=tuple(c for c in columns if c not in special),
                **special,
            ),
        ),
    )
