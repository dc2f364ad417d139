"""The figure of a predicted benefit: improvement of an item, benefit in money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.baselines.wording import number, percent
from perfanalytics.core.columns import Floats
from perfanalytics.figures import cost_benefit, style
from perfanalytics.practices.opm.benefit_result import LEVELS, PredictedBenefit


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedBenefitInfo:
    """What is drawn: the chance that at least so much comes, of the improvement and of the benefit."""

    improvement: Floats
    benefit: Floats
    chance: Floats
    unit: str


def info(result: PredictedBenefit) -> PredictedBenefitInfo:
    """The arrays of the figure; an improvement of a share in percentage points."""
    share = result.quantity == "share" or (result.measure is not None and result.measure.unit in ("", "1"))
    unit = "percentage points" if share else "" if result.measure is None else result.measure.unit
    return PredictedBenefitInfo(
        improvement=result.improvement_quantiles * (100 if share else 1),
        benefit=result.benefit_quantiles,
        chance=1 - LEVELS,
        unit=unit,
    )


def draw(result: PredictedBenefit) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    told = info(result)
    factor = 100.0 if told.unit == "percentage points" else 1.0
    panels = (
        ("", told.improvement, result.improvement_mean * factor, style.INK),
        ("2", told.benefit, result.benefit_mean, style.BLUE),
    )
    ends = (
        (result.improvement_low * factor, result.improvement_high * factor),
        (result.benefit_low, result.benefit_high),
    )
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for (name, x, mean, color), (low, high) in zip(panels, ends, strict=True):
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": told.chance,
                "line": {"color": color, "width": 2.5},
            }
            | {"xaxis": f"x{name}", "yaxis": f"y{name}"}
            | {"hovertemplate": "at least %{x:,.4g}: %{y:.0%}<extra></extra>"}
        )
        shapes.append(
            {"type": "rect", "xref": f"x{name}", "yref": f"y{name} domain", "x0": low, "x1": high, "y0": 0}
            | {"y1": 1, "fillcolor": "rgba(86, 180, 233, 0.16)", "line": {"width": 0}, "layer": "below"}
        )
        for at, dash in ((mean, "dash"), (0.0, "dot")):
            shapes.append(
                {"type": "line", "xref": f"x{name}", "yref": f"y{name} domain", "x0": at, "x1": at, "y0": 0}
                | {"y1": 1, "line": {"color": style.GREY, "width": 1.3, "dash": dash}}
            )
        notes.append(
            {
                "xref": f"x{name} domain",
                "yref": "paper",
                "x": 0,
                "y": 1.02,
                "xanchor": "left",
                "yanchor": "bottom",
            }
            | {"text": f"mean {number(mean)} (dashed), {percent(result.confidence)} of it shaded"}
            | {"showarrow": False, "font": {"size": 11, "color": style.GREY}}
        )
    of = f" of {result.measure.name}" if result.measure else ""
    title = f"improvement of an item{' (' + told.unit + ')' if told.unit else ''}"
    layout = style.layout(
        f"Predicted benefit{of}: {result.source}",
        height=400,
        margin={"l": 70, "r": 30, "t": 85, "b": 60},
        shapes=shapes,
        annotations=notes,
        xaxis=style.axis(title, domain=[0, 0.45], anchor="y") | {"range": _range(told.improvement)},
        yaxis=style.axis("chance of at least so much", range=[0, 1.02], tickformat=".0%", anchor="x"),
        xaxis2=style.axis(f"benefit a {result.period} ({result.unit})", domain=[0.58, 1], anchor="y2")
        | {"range": _range(told.benefit)},
        yaxis2=style.axis("", range=[0, 1.02], tickformat=".0%", anchor="x2"),
    )
    return {"data": data, "layout": layout}


def _range(values: Floats) -> list[float]:
    """From the 1% to the 99% point, 0 always shown."""
    low, high = min(0.0, float(values[1])), max(0.0, float(values[-2]))
    pad = 0.05 * (high - low) or 1.0
    return [low - pad, high + pad]


def money(result: PredictedBenefit) -> list[dict[str, Any]]:
    """The figure of the cost-benefit analysis, where there is one."""
    return (
        []
        if result.money is None or not np.isfinite(result.money.npv_mean)
        else [cost_benefit.draw(result.money)]
    )
