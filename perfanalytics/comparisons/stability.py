"""Whether each side is stable by itself, and its natural process limits: what a comparison rests on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perfanalytics.comparisons.method import NAN
from perfanalytics.comparisons.scales import AnalysisScale
from perfanalytics.comparisons.sides import Side, Sides
from perfanalytics.core.columns import Floats
from perfanalytics.core.result import Caveat
from perfanalytics.spc.chart import control_chart

#: E|Z1 - Z2| of two standard normal values, by which mean moving ranges are divided.
D2 = 2.0 / np.sqrt(np.pi)


@dataclass(frozen=True, slots=True)
class SideChart:
    """The control chart of one side: stable or not (None: not judged), p-value, limits in the unit."""

    stable: bool | None = None
    p_value: float = NAN
    lower: float = NAN
    center: float = NAN
    upper: float = NAN


def side_charts(
    sides: Sides, scale: AnalysisScale, residuals: tuple[Floats, Floats] | None
) -> tuple[SideChart, SideChart]:
    """Both sides as two stages of one chart, judged jointly at its false-alarm rate.

    Stability is judged on the whitened residuals where a model of the correlation was fitted (an individuals
    chart of correlated values signals without a cause), else on the values of the periods.
    """
    if not sides.ordered:
        return SideChart(), SideChart()
    parts = [_values(side, scale) for side in (sides.before, sides.after)]
    if min(len(y) for y in parts) < 2:
        return SideChart(), SideChart()
    judged = control_chart(np.concatenate(parts if residuals is None else residuals), stages=[len(parts[0])])
    charts = []
    for k, y in enumerate(parts):
        center, sigma = float(y.mean()), float(np.abs(np.diff(y)).mean()) / D2
        ends = np.array([center - 3 * sigma, center, center + 3 * sigma])
        if scale.name in ("log", "logit"):
            ends = scale.levels(ends)
        elif sides.measure.scale in ("count", "positive", "duration"):
            ends[0] = max(ends[0], 0.0)
        elif sides.measure.scale == "proportion":
            ends = np.clip(ends, 0.0, 1.0)
        p = float(judged.stage_p_value[k])
        charts.append(SideChart(judged.stage_stable[k], p, float(ends[0]), float(ends[1]), float(ends[2])))
    return charts[0], charts[1]


def _values(side: Side, scale: AnalysisScale) -> Floats:
    if scale.name == "log":
        side = side.where(side.values > 0)
    if scale.name == "logit":
        side = side.where((side.values > 0) & (side.values < 1))
    return side.by_period(scale.forward(side.values))[0] if len(side.values) else np.empty(0)


def stability_caveats(charts: tuple[SideChart, SideChart], *, whitened: bool) -> tuple[Caveat, ...]:
    """A caveat for each side that is not stable."""
    found = []
    for name, chart in zip(("before", "after"), charts, strict=True):
        if chart.stable is False:
            what = " (of what is left when level and correlation are taken out)" if whitened else ""
            text = (
                f"The control chart of the side {name}{what} is not stable: special causes in it are part of "
                "the comparison. Find and exclude them with their cause, or compare stable stretches."
            )
            found.append(Caveat("not-stable", text, {"side": name, "p_value": chart.p_value}))
    return tuple(found)
