"""what_changed(series) -> WhatChanged: what the data show, beside what is on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.codec import read_only
from perfanalytics.core.coerce import as_series
from perfanalytics.core.columns import Floats
from perfanalytics.core.errors import InputError, UnknownNameError
from perfanalytics.core.measure import Measure
from perfanalytics.core.records import Change, Event
from perfanalytics.core.result import Method, Result
from perfanalytics.practices.car.change_findings import search
from perfanalytics.practices.car.change_traces import records_beside, traces_of
from perfanalytics.practices.car.change_words import doubts_of, verdict_of
from perfanalytics.spc.suggested_stages import suggest_stages

if TYPE_CHECKING:
    import pandas as pd

#: What is looked for.
SORTS = ("level", "spread", "point")
_SERIES = ("value", "kept", "when", "level")
_FOUND = ("what", "point", "low", "high", "before", "after", "p_value", "recorded", "inside", "days")
_RECORDS = (
    "record", "record_kind", "record_when", "record_until", "trace", "effect", "effect_low", "effect_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class WhatChanged(Result):
    """Shifts that the data show beside changes and events on record: n points, c shifts, r records.

    Attributes
    ----------
    id : str
    measure : Measure
    value : float array, shape (n,)
    kept : bool array, shape (n,)
        Neither missing nor excluded.
    when : datetime64[us] array, shape (n,)
    every : str or None
    logs, is_share : bool
        Searched on the logarithms; values are shares.
    level : float array, shape (n,)
        Of the stretch between two shifts of level, without the single points that stand out from it.
    what : text array of {"level", "spread", "point"}, shape (c,)
        "point": a single point far from its stretch.
    point, low, high : int arrays, shape (c,)
        First point of the new stretch (or the single point), 0-based, and its interval.
    before, after : float arrays, shape (c,)
        Level (geometric on logs) or standard deviation before and after; of a single point the level of its
        stretch without such points, and it.
    p_value : float array, shape (c,)
    recorded : text array, shape (c,)
        What is on record within the interval, the nearest first; else the nearest of all, or "".
    inside : bool array, shape (c,)
        Whether ``recorded`` lies within the interval.
    days : float array, shape (c,)
        From the shift to the nearest record (negative: recorded earlier); NaN where nothing is.
    record, record_kind, trace : text arrays, shape (r,)
        Changes and events in order of time. ``trace``: the sorts of shifts whose interval holds it, "none",
        "outside the data", or "too near an end".
    record_when, record_until : datetime64[us] arrays, shape (r,)
    effect, effect_low, effect_high : float arrays, shape (r,)
        Step of the level at the record within its stretch (while an event with an end lasted): a difference,
        on logs a ratio, with its interval; NaN where it cannot be computed.
    chance : float
        How many of the records would lie within an interval by chance.
    false_alarms, coverage : float
    """

    kind: ClassVar[str] = "what_changed"
    schema_version: ClassVar[int] = 1

    id: str
    measure: Measure
    value: Floats
    kept: NDArray[np.bool_]
    when: NDArray[np.datetime64]
    every: str | None
    logs: bool
    is_share: bool
    level: Floats
    what: NDArray[Any]
    point: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    before: Floats
    after: Floats
    p_value: Floats
    recorded: NDArray[Any]
    inside: NDArray[np.bool_]
    days: Floats
    record: NDArray[Any]
    record_kind: NDArray[Any]
    record_when: NDArray[np.datetime64]
    record_until: NDArray[np.datetime64]
    trace: NDArray[Any]
    effect: Floats
    effect_low: Floats
    effect_high: Floats
    chance: float
    false_alarms: float
    coverage: float

    def __post_init__(self) -> None:
        for name in (*_SERIES, *_FOUND, *_RECORDS):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    def summary(self) -> pd.DataFrame:
        """One row: id, measure, n, shifts, explained, unexplained, records, without_trace, caveats,
        verdict."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "id": self.id,
                    "measure": self.measure.name,
                    "n": int(self.kept.sum()),
                    "shifts": len(self.point),
                    "explained": int(self.inside.sum()),
                    "unexplained": int((~self.inside).sum()),
                    "records": len(self.record),
                    "without_trace": int((self.trace == "none").sum()),
                    "caveats": ", ".join(self.caveat_codes),
                    "verdict": self.verdict,
                }
            ]
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a shift: what, when, when_low, when_high, before, after, p_value, recorded, inside,
        days."""
        import pandas as pd

        first = np.maximum(self.low - 1, 0)
        columns: dict[str, Any] = {"what": self.what, "when": self.when[self.point]}
        alone = self.what == "point"
        columns["when_low"] = self.when[np.where(alone, self.low, first)]
        columns["when_high"] = self.when[self.high]
        columns |= {n: getattr(self, n) for n in ("before", "after", "p_value", "recorded", "inside", "days")}
        return pd.DataFrame(columns)

    def records_frame(self) -> pd.DataFrame:
        """One row a change or event: record, kind, when, until, trace, effect, effect_low, effect_high."""
        import pandas as pd

        return pd.DataFrame(
            {
                "record": self.record,
                "kind": self.record_kind,
                "when": self.record_when,
                "until": self.record_until,
                **{n: getattr(self, n) for n in ("trace", "effect", "effect_low", "effect_high")},
            }
        )

    def tables(self) -> tuple[tuple[str, pd.DataFrame], ...]:
        """What the data show; what is on record."""
        return (
            ("Summary", self.summary()),
            ("What the data show", self.to_frame()),
            ("What is on record", self.records_frame()),
        )


def what_changed(
    series: object,
    *,
    recorded: Sequence[Change | Event] | None = None,
    of: Sequence[str] | str = ("level", "point"),
    false_alarms: float = 0.05,
    coverage: float = 0.95,
    draws: int = 999,
    seed: int = 20260101,
) -> WhatChanged:
    """What changed when: shifts of a series beside the changes and events on record.

    Parameters
    ----------
    series : Series
        In order of time, with times; NaN is a gap.
    recorded : sequence of Change and Event, optional
        What is on record; default the events of the series.
    of : sequence of {"level", "spread", "point"}, or one of them
        What is looked for: lasting shifts of level or spread, single points far from their stretch. They
        share the false alarms.
    false_alarms : float
        Share of stable series in which anything is found.
    coverage : float
        Of the intervals of dates and effects.
    draws, seed : int
        Simulated series, and their seed.

    Returns
    -------
    WhatChanged
        ``.to_frame()`` the shifts, ``.records_frame()`` the records and what trace each left.

    Raises
    ------
    InputError
        For a series without times; UnknownNameError for another sort of change.

    Notes
    -----
    Shifts are those of :func:`perfanalytics.suggest_stages`. A record explains a shift when it lies between
    the last point before the interval of the shift and the end of its last period; that it does is no proof
    that it is the cause, least of all where much is on record (caveat ``coincidence``). A single point is
    found where its distance from the median of its stretch, over their median absolute distance, is larger
    than the largest in most normal series of the same length.

    The effect of a record compares the points before and after its own date, within the stretch between the
    shifts that it does not explain; its interval counts neighbours that are alike as fewer points (AR(1)).
    "No trace" with an interval that reaches far says that nobody knows.

    References
    ----------
    Antoch, Huskova and Praskova (1997), Journal of Statistical Planning and Inference 60, 291-310. Iglewicz
    and Hoaglin (1993), How to Detect and Handle Outliers, section 3.3 (distances over their median).

    Examples
    --------
    >>> import datetime as dt
    >>> import perfanalytics as perf
    >>> x = [21, 19, 22, 20, 18, 21, 23, 20, 19, 22, 14, 15, 13, 16, 14, 12, 15, 14, 13, 16]
    >>> weeks = np.datetime64("2024-01-01") + 7 * np.arange(20)
    >>> triage = perf.Change("New triage", when=dt.date(2024, 3, 11), what="First-line triage")
    >>> found = what_changed(perf.Series(x, when=weeks, expected_every="week"), recorded=[triage], draws=399)
    >>> found.recorded.tolist(), found.trace.tolist()
    (['New triage'], ['level'])
    """
    data = as_series(series)
    wanted = (of,) if isinstance(of, str) else tuple(of)
    for word in wanted:
        if word not in SORTS:
            raise UnknownNameError("sort of change (of=)", str(word), SORTS)
    if not wanted or len(set(wanted)) != len(wanted):
        raise InputError("of= takes 'level', 'spread' and 'point', each once")
    if data.when is None:
        raise InputError("what changed when needs times: give when= to the series")
    records = tuple(data.events if recorded is None else recorded)
    if any(not isinstance(r, Change | Event) for r in records):
        raise InputError("recorded= takes Change and Event records")
    lasting: Any = tuple(w for w in wanted if w != "point")
    stages = suggest_stages(
        data,
        of=lasting or ("level",),
        false_alarms=false_alarms * max(len(lasting), 1) / len(wanted),
        coverage=coverage,
        draws=draws,
        seed=seed,
    )
    found = search(
        stages,
        lasting=bool(lasting),
        points="point" in wanted,
        rate=false_alarms / len(wanted),
        draws=draws,
        seed=seed,
    )
    beside = records_beside(found, records, data.clock)
    traces = traces_of(found, beside, coverage=coverage)
    made: dict[str, Any] = {
        "id": data.id,
        "measure": data.measure,
        "value": stages.value,
        "kept": stages.kept,
        "when": data.when,
        "every": data.expected_every,
        "logs": stages.logs,
        "is_share": stages.is_share,
        "level": found.level,
        **found.columns(),
        **beside.columns(),
        **traces,
        "chance": beside.chance,
        "false_alarms": false_alarms,
        "coverage": coverage,
    }
    return WhatChanged(
        verdict=verdict_of(made),
        caveats=tuple(doubts_of(made, stages.caveats)),
        method=Method(
            "what_changed",
            {
                "of": wanted,
                "scale": "logarithms" if stages.logs else "as measured",
                "false_alarms": false_alarms,
                "coverage": coverage,
                "draws": draws,
                "seed": seed,
                "shifts": stages.method.parameters["statistic"],
                "points": f"at least {found.threshold:.4g} median distances from the median of their stretch"
                if "point" in wanted
                else "not looked for",
                "effects": "means of the stretch before and after, AR(1) effective sizes",
                "records": "given" if recorded is not None else "of the series",
            },
            (*stages.method.references, "Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers"),
        ),
        provenance=data.provenance(),
        **made,
    )
