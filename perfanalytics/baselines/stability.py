"""The stability verdict that travels with a baseline, from the control chart of the same points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.series import Series, resolve_exclusions
from perfanalytics.spc.asked import resolve_exclude
from perfanalytics.spc.chart import control_chart


@dataclass(frozen=True, slots=True)
class Stability:
    """What the chart says about the points of its last stage.

    Parameters
    ----------
    start : int
        First point of the last stage.
    used : bool array, shape (n,)
        Points the baseline uses: of the last stage, with a value, not excluded.
    stable : bool or None
    verdict : str
    signals : int
        Points that signal in the last stage, on any panel.
    center, lower, upper : float
        Natural process limits in the unit of the measure; NaN where there are none.
    how : str
    parameters : mapping
        The method of the chart.
    """

    start: int
    used: NDArray[np.bool_]
    stable: bool | None
    verdict: str
    signals: int
    center: float
    lower: float
    upper: float
    how: str
    parameters: Mapping[str, Any]


def judge(
    series: Series, *, chart: str, logged: bool, estimate: object, stages: object, exclude: object
) -> Stability:
    """Chart the series and read off stability, natural limits and the last stage.

    With ``logged`` the logarithms are charted and the limits given back in the unit of the measure: the
    limits of a duration are then never negative.
    """
    made = control_chart(
        _logarithms(series) if logged else series,
        chart=chart,
        estimate=estimate,
        stages=stages,
        exclude=exclude,
    )
    limits = made.limits
    start = int(limits.first[-1]) if len(limits.first) else 0
    excluded, _ = series.excluded()
    more, _ = resolve_exclusions(series.as_batch(), resolve_exclude(exclude))
    used = ~np.isnan(series.values) & ~excluded & ~more
    used[:start] = False
    center, lower, upper = _natural_limits(made, start, used)
    if logged:
        center, lower, upper = (math.exp(x) for x in (center, lower, upper))
    elif series.measure.scale in ("duration", "positive", "count", "proportion"):
        lower = max(lower, 0.0) if not math.isnan(lower) else lower
    if series.measure.scale == "proportion" and not math.isnan(upper):
        upper = min(upper, 1.0)
    signals = made.signals
    last = signals[signals["point"] >= start]
    return Stability(
        start=start,
        used=used,
        stable=made.stable,
        verdict=made.verdict,
        signals=int(last["point"].nunique()),
        center=center,
        lower=lower,
        upper=upper,
        how=f"{chart} chart" + (" of the logarithms" if logged else ""),
        parameters={"chart": chart, "logarithms": logged, **made.method.parameters},
    )


def _natural_limits(made: Any, start: int, used: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Center and limits of the last stage; where they vary with the sizes, their medians over the points."""
    limits = made.limits
    if not len(limits.first):
        return math.nan, math.nan, math.nan
    found = [float(getattr(limits, name)[0, -1]) for name in ("center", "lower", "upper")]
    if any(math.isnan(x) for x in found[1:]):
        frame = made.to_frame()
        frame = frame[frame["panel"] == limits.panels[0]].reset_index(drop=True)[start:]
        frame = frame[used[start:]]
        for k, name in enumerate(("center", "lower", "upper")):
            column = frame[name].to_numpy(dtype=float)
            if math.isnan(found[k]) and len(column) and not np.isnan(column).all():
                found[k] = float(np.nanmedian(column))
    return found[0], found[1], found[2]


def _logarithms(series: Series) -> Series:
    """The series of the logarithms, with times, exclusions and rhythm."""
    measure = replace(series.measure, name=f"log {series.measure.name}", scale="real", unit="")
    return Series(
        np.log(series.values),
        measure=measure,
        when=series.when,
        labels=series.labels,
        items=series.items,
        events=series.events,
        exclusions=series.exclusions,
        expected_every=series.expected_every,
        clock=series.clock if series.when is not None else None,
        id=series.id,
    )
