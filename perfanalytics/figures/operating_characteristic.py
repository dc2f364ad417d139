"""The figure of an operating characteristic: the share of points that miss a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.spc.operating_characteristic import AT, OperatingCharacteristic


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveInfo:
    """What is drawn."""

    title: str
    axis: str
    at: Floats
    missed: Floats
    share: bool


def info(result: OperatingCharacteristic) -> CurveInfo:
    """What is drawn where."""
    size = "" if result.chart == "c" else f", n = {result.size}"
    return CurveInfo(
        title=f"Operating characteristic of the {result.chart} chart{size}",
        axis=AT[result.chart],
        at=result.at,
        missed=result.missed,
        share=result.chart == "p",
    )


def draw(result: OperatingCharacteristic) -> dict[str, Any]:
    """The curve as a plain plotly dict."""
    record = info(result)
    line = {
        "type": "scatter",
        "mode": "lines" if len(record.at) > 30 else "lines+markers",
        "x": record.at,
        "y": record.missed,
        "line": {"color": style.INK, "width": 1.8},
        "hovertemplate": f"at %{{x:{'.1%' if record.share else '.3g'}}}: "
        "%{y:.1%} of points within the limits<extra></extra>",
    }
    layout = style.layout(
        record.title,
        xaxis=style.axis(record.axis, **({"tickformat": ".0%"} if record.share else {})),
        yaxis=style.axis("share of points within the limits", tickformat=".0%", range=[-0.02, 1.03]),
    )
    return {"data": [line], "layout": layout}
