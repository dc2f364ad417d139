"""The control chart of a measure: the first that the plan draws of it, else one by its scale."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from perfanalytics.core.measure import Measure
from perfanalytics.core.series import Series
from perfanalytics.plan.analyses.charts import ChartTable
from perfanalytics.plan.plan import Plan
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.families import CHARTS
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.rules import RULE_SETS


def measure_chart(
    plan: Plan, name: str, measure: Measure | None, series_of: Callable[..., Series]
) -> ControlChart:
    """The first chart the plan draws of the measure, else a weekly one by the scale of the measure.

    Parameters
    ----------
    plan : Plan
    name : str
        Of the measure.
    measure : Measure or None
    series_of : callable
        ``series_of(name, where=..., every=..., statistic=..., ...)``: its series, as the repository gives it.
    """
    table = next(
        (
            t
            for t in plan.chart
            if t.measure == name and t.chart in CHARTS and CHARTS[t.chart].ordered and not t.subgroups
            and t.stage_column is None
        ),
        None,
    )  # fmt: skip
    if table is None:
        every, statistic, chart = weekly(measure)
        return control_chart(series_of(name, every=every, statistic=statistic), chart=chart)
    chosen: dict[str, Any] = {k: getattr(table, k) for k in ("time", "every", "statistic", "zone")}
    series = series_of(name, where=table.where, **chosen)
    return control_chart(
        series,
        chart=table.chart,
        rules=RULE_SETS[table.rules],
        options=table.options,
        limits=table.limits,
        sigmas=table.sigmas,
        transform=table.transform,
        stages=_stages(table, series),
    )


def _stages(table: ChartTable, series: Series) -> list[Any]:
    """The stages of the chart of the plan that fall within the data."""
    if series.when is None or not len(series):
        return []
    named = {e.name: e for e in series.events}
    out: list[Any] = []
    for stage in table.stages:
        found = named.get(stage) if isinstance(stage, str) else stage
        when = found.when if found is not None and hasattr(found, "when") else found
        if when is None:
            continue
        day = when.date() if isinstance(when, dt.datetime) else when
        first, last = (t.astype("datetime64[D]").item() for t in (series.when[0], series.when[-1]))
        if first < day <= last:
            out.append(found)
    return out


def weekly(measure: Measure | None) -> tuple[str, str | None, str]:
    """Period, statistic and chart of a measure the plan draws no chart of.

    Examples
    --------
    >>> weekly(None)
    ('week', 'median', 'individuals')
    """
    if measure is not None and measure.scale == "proportion":
        return "week", "share", "laney_p"
    if measure is not None and measure.scale in ("count", "real"):
        return "week", None, "individuals"
    return "week", "median", "individuals"
