"""Both sides described for the result, and where their data came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perfanalytics.comparisons.independence import lag1_of_sides
from perfanalytics.comparisons.method import NAN, Answer, Options
from perfanalytics.comparisons.resampling import side_statistics
from perfanalytics.comparisons.result import SideTable
from perfanalytics.comparisons.sides import Sides
from perfanalytics.comparisons.stability import SideChart
from perfanalytics.core.data_hash import joined_hash
from perfanalytics.core.measure import Measure
from perfanalytics.core.result import Provenance
from perfanalytics.core.series import Series


def side_table(name: str, sides: Sides, answer: Answer, options: Options, chart: SideChart) -> SideTable:
    """One side ("before" or "after") as the result keeps it."""
    k = ("before", "after").index(name)
    side = (sides.before, sides.after)[k]
    statistics = side_statistics(side, options)
    return SideTable(
        name=name,
        values=side.values,
        weights=side.weights,
        when=side.when,
        n=len(side.values),
        periods=side.periods,
        mean=float(statistics.mean[0]),
        median=float(statistics.median[0]),
        tail=float(statistics.tail[0]),
        sd=float(statistics.sd[0]),
        lag1=lag1_of_sides(sides)[k] if sides.ordered else NAN,
        effective_n=answer.effective[k],
        share_meeting_objective=float(statistics.share[0]) if options.objective is not None else NAN,
        stable=chart.stable,
        lower_limit=chart.lower,
        center=chart.center,
        upper_limit=chart.upper,
    )


def provenance_of(
    series: Sequence[Series], measure: Measure, names: Sequence[str] = ("before", "after")
) -> Provenance:
    """One hash over all series, their selections by name, the loads of all."""
    selection: dict[str, Any] = {}
    if any(one.selection for one in series):
        selection = {name: dict(one.selection) for name, one in zip(names, series, strict=True)}
    return Provenance(
        measure.name,
        data_hash=joined_hash(one.data_hash() for one in series),
        n=sum(len(one) for one in series),
        selection=selection,
        load_ids=tuple(sorted({i for one in series for i in one.load_ids})),
        clock=series[0].clock,
    )
