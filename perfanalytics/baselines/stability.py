"""The stability verdict that travels with a baseline, from the control chart of the same points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.core.errors import InputError
from perfanalytics.core.measure import Measure, Scale
from perfanalytics.core.records import Exclusion
from perfanalytics.core.series import Series, resolve_exclusions
from perfanalytics.spc.asked import resolve_exclude
from perfanalytics.spc.chart import control_chart
from perfanalytics.spc.limits import Limits
from perfanalytics.spc.result import ControlChart
from perfanalytics.spc.stages import Stage

#: What ``control_chart`` takes as ``estimate=``, ``stages=`` and ``exclude=``.
Estimate = str | slice | range | Sequence[int] | Mapping[str, Any] | Limits | ControlChart | None
Stages = Sequence[Stage] | Stage
Exclusions = Sequence[Exclusion] | Exclusion | Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Stability:
    """What the chart says about the points of its last stage.

    Parameters
    ----------
    start : int
        First point of the last stage.
    used : bool array, shape (n,)
        Points the baseline uses: of the last stage, with a value, not excluded.
    excluded : bool array, shape (n,)
        Points excluded with a cause.
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
    excluded: NDArray[np.bool_]
    stable: bool | None
    verdict: str
    signals: int
    center: float
    lower: float
    upper: float
    how: str
    parameters: Mapping[str, Any]


def judge(
    series: Series,
    *,
    chart: str | None,
    logged: bool,
    rates: NDArray[np.float64] | None,
    measured: bool = False,
    estimate: Estimate,
    stages: Stages,
    exclude: Exclusions,
) -> Stability:
    """Chart the series and read off stability, natural limits and the last stage.

    ``rates`` (n,) are counts per unit of size: the u charts take the series itself, others
    these rates as they are. ``measured`` rates are ratios of measured quantities: charts that weigh by the
    sizes take them as ratios with sizes.

    With ``logged`` the logarithms are charted and the limits given back in the unit of the measure: the
    limits of a duration are then never negative. With several stages the verdict is that of the last one,
    charted by itself, unless its limits come from elsewhere (``estimate``). Without a chart (items coded 0
    and 1, on which runs and zones mean nothing) stability is not judged.
    """
    if chart is None:
        return _not_judged(series, estimate, stages, exclude)
    charted = series
    if logged:
        charted = _logarithms(series)
    elif rates is not None and measured and chart in ("i_prime", "u", "laney_u"):
        told = {**series.selection, "statistic": "rate"}
        charted = _rebuilt(series, rates, series.measure, series.exclusions, selection=told)
    elif rates is not None and chart not in ("u", "laney_u"):
        charted = _rebuilt(series, rates, series.measure, series.exclusions, sizes=False)
    made = control_chart(charted, chart=chart, estimate=estimate, stages=stages, exclude=exclude)
    start = int(made.limits.first[-1]) if len(made.limits.first) else 0
    used = ~np.isnan(series.values) & ~made.excluded & ~np.isnan(made.value[0])
    used[:start] = False
    excluded = made.excluded
    if start and (estimate is None or isinstance(estimate, str)):
        kept = [
            replace(e, point=e.point - start)
            for e in made.exclusions
            if e.point is not None and e.point >= start
        ]
        made = control_chart(_part(charted, start, kept), chart=chart, estimate=estimate)
    center, lower, upper = _natural_limits(made, used[len(used) - made.value.shape[1] :])
    if logged:
        center, lower, upper = (math.exp(x) for x in (center, lower, upper))
    elif series.measure.scale in ("duration", "positive", "count", "proportion"):
        lower = np.fmax(lower, 0.0) if not math.isnan(lower) else lower
        upper = min(upper, 1.0) if series.measure.scale == "proportion" else upper
    return Stability(
        start=start,
        used=used,
        excluded=excluded,
        stable=made.stable,
        verdict=made.verdict,
        signals=made.n_signals,
        center=float(center),
        lower=float(lower),
        upper=float(upper),
        how=f"{chart} chart" + (" of the logarithms" if logged else ""),
        parameters={"logarithms": logged, **made.method.parameters},
    )


def _not_judged(series: Series, estimate: Estimate, stages: Stages, exclude: Exclusions) -> Stability:
    if estimate is not None or not isinstance(stages, Sequence) or len(stages):
        raise InputError(
            "items coded 0 and 1 are not charted one by one, so they have no limits and no stages: aggregate "
            "them to periods (counts with sizes), or give chart="
        )
    excluded, _ = series.excluded()
    more, _ = resolve_exclusions(series.as_batch(), resolve_exclude(exclude))
    return Stability(
        start=0,
        used=~np.isnan(series.values) & ~excluded & ~more,
        excluded=excluded | more,
        stable=None,
        verdict="items coded 0 and 1 are not charted one by one; aggregate them to periods.",
        signals=0,
        center=math.nan,
        lower=math.nan,
        upper=math.nan,
        how="not charted",
        parameters={"chart": None},
    )


def _natural_limits(made: ControlChart, used: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Center and limits of the last stage; where they vary with the sizes, their medians over the points."""
    last = used & (made.stage == made.stage[-1])
    found = []
    for column in (made.center, made.lower, made.upper):
        values = column[0][last]
        values = values[~np.isnan(values)]
        found.append(float(np.median(values)) if len(values) else math.nan)
    return found[0], found[1], found[2]


def _logarithms(series: Series) -> Series:
    """The series of the logarithms, with times, exclusions and rhythm."""
    scale: Scale | None = None if series.measure.scale is None else "real"  # bare numbers stay bare numbers
    measure = replace(series.measure, name=f"log {series.measure.name}", scale=scale, unit="")
    return _rebuilt(series, np.log(series.values), measure, series.exclusions)


def _part(series: Series, start: int, exclusions: list[Exclusion]) -> Series:
    part = series.take(start)
    return _rebuilt(part, part.values, part.measure, exclusions, selection=series.selection)


def _rebuilt(
    series: Series,
    values: NDArray[np.float64],
    measure: Measure,
    exclusions: Sequence[Exclusion],
    *,
    sizes: bool = True,
    selection: Mapping[str, Any] | None = None,
) -> Series:
    return Series(
        values,
        measure=measure,
        when=series.when,
        sizes=series.sizes if sizes else None,
        labels=series.labels,
        items=series.items,
        events=series.events,
        exclusions=exclusions,
        expected_every=series.expected_every,
        clock=series.clock if series.when is not None else None,
        id=series.id,
        selection=selection,
    )
