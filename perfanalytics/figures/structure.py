"""The figure of a structure: what each part takes from the availability of the system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number
from perfanalytics.core.columns import Floats
from perfanalytics.figures import style
from perfanalytics.models.reliability.structure import Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureInfo:
    """What is drawn: hours a year that a perfect part would give back, the largest on top."""

    title: str
    parts: NDArray[Any]
    hours: Floats
    availability: Floats


def info(result: Structure) -> StructureInfo:
    """The arrays of the figure."""
    order = np.argsort(result.share_of_loss, kind="stable")
    down = (1 - result.availability) * 8766
    return StructureInfo(
        title=f"System down {number(down, 'hours')} a year; "
        f"{result.need} of {len(result.parts)} parts needed",
        parts=result.parts[order],
        hours=result.share_of_loss[order] * down,
        availability=result.part_availability[order],
    )


def draw(result: Structure) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": record.hours,
        "y": record.parts,
        "marker": {"color": style.BLUE},
        "text": [
            f"{number(h)} (up {100 * a:.5g}%)"
            for h, a in zip(record.hours.tolist(), record.availability.tolist(), strict=True)
        ],
        "textposition": "outside",
        "cliponaxis": False,
    }
    layout = style.layout(record.title, height=200 + 34 * len(record.parts)) | {
        "margin": {"l": 90, "r": 150, "t": 60, "b": 60},
        "xaxis": style.axis("hours a year that a perfect part would give back", rangemode="tozero"),
        "yaxis": style.axis("", type="category"),
    }
    return {"data": [bars], "layout": layout}
