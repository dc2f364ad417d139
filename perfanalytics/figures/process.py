"""The figure of a composed process: boxes, lanes, branches, rework loops, and where the time goes."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfanalytics.baselines.wording import number, percent
from perfanalytics.figures import style
from perfanalytics.figures.process_layout import BOX_HEIGHT, Layout, lay_out
from perfanalytics.models.simulation.alternatives_result import ProcessComparison
from perfanalytics.models.simulation.correlation import read_correlation
from perfanalytics.models.simulation.engine import prepare
from perfanalytics.models.simulation.moments import expected_visits, step_mean
from perfanalytics.models.simulation.parts import Part, check_process, unit_of
from perfanalytics.models.simulation.result import Simulation

#: Pixels of one box downwards, of the drawing from left to right, and of one letter in a box.
DOWN, ACROSS, LETTER = 108, 900, 6.1
#: The drawing is at least as wide as so many boxes, so that a few do not become posters.
LEAST = 6.6


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessInfo:
    """What is drawn; one entry per step, in the order they were written.

    ``mean``: exact mean of one pass; ``visits``: how often on average; ``share`` of the time worked in all
    steps.
    """

    names: tuple[str, ...]
    origins: tuple[str, ...]
    mean: NDArray[np.float64]
    visits: NDArray[np.float64]
    share: NDArray[np.float64]
    worked: float
    unit: str
    layout: Layout


def info(process: Part) -> ProcessInfo:
    """The arrays of the figure.

    Raises
    ------
    InputError
        For a process whose steps do not have unique names and one unit.
    """
    process = check_process(process)
    steps = process.steps
    names = tuple(s.name for s in steps)
    plan = prepare(process, read_correlation(None, names))
    often = expected_visits(process)
    mean = np.array([step_mean(plan, s) for s in steps])
    visits = np.array([often[name] for name in names])
    worked = float(np.sum(mean * visits))
    return ProcessInfo(
        names=names,
        origins=tuple(s.origin for s in steps),
        mean=mean,
        visits=visits,
        share=mean * visits / worked if worked > 0 else np.full(len(steps), np.nan),
        worked=worked,
        unit=unit_of(process),
        layout=lay_out(process),
    )


def draw(process: Part) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    return drawn(process, "The process")


def of_simulation(result: Simulation) -> list[dict[str, Any]]:
    """The process behind a simulation."""
    return [drawn(result.process, "The process and where its time goes", unit=result.measure.unit)]


def of_alternatives(result: ProcessComparison) -> list[dict[str, Any]]:
    """Every alternative."""
    named = zip(result.names, result.processes, strict=True)
    return [drawn(process, str(name), unit=result.measure.unit) for name, process in named]


def drawn(process: Part, title: str, *, unit: str = "") -> dict[str, Any]:
    """The figure with a title of its own."""
    record = info(process)
    unit = record.unit or unit
    made = record.layout
    wide = max(made.wide, LEAST)
    height = round(made.high * DOWN) + 130
    label = f"{number(record.worked)} {unit}".strip()
    note = f"Shade and %: share of the mean work ({label}); beside it the mean of one pass. "
    note += "Parallel steps all count."
    layout = style.layout(title, height=height, margin={"l": 15, "r": 15, "t": 60, "b": 70})
    layout |= {
        "xaxis": {"range": [0, wide], "visible": False, "fixedrange": True},
        "yaxis": {"range": [made.high + 0.06, -0.06], "visible": False, "fixedrange": True},
        "shapes": _shapes(record),
        "annotations": [*_texts(record, wide), *_heads(made), _below(note)],
    }
    return {"data": [_hover(record, unit)], "layout": layout}


def _shapes(record: ProcessInfo) -> list[dict[str, Any]]:
    made = record.layout
    most = float(np.nanmax(record.share)) if np.isfinite(record.share).any() else 0.0
    shapes: list[dict[str, Any]] = [
        _rectangle(*frame, line={"color": style.GREY, "width": 1, "dash": "dash"}, fill="rgba(0,0,0,0)")
        for frame in made.frames
    ]
    shapes += [
        {"type": "path", "path": _path(points), "line": {"color": style.GREY, "width": 1.3}}
        for points in (*made.lines, *made.arrows)
    ]
    for x, low, high in made.bars:
        shapes.append(_rectangle(x - 0.02, low, x + 0.02, high, line={"width": 0}, fill=style.INK))
    for x, y in made.diamonds:
        points = [(x - 0.11, y), (x, y - 0.13), (x + 0.11, y), (x, y + 0.13)]
        shapes.append(
            {
                "type": "path",
                "path": _path(points) + " Z",
                "fillcolor": style.PAPER,
                "line": {"color": style.INK, "width": 1.5},
            }
        )
    for k, (x, y) in enumerate(made.ends):
        shapes.append(
            {
                "type": "circle",
                "x0": x - 0.05,
                "x1": x + 0.05,
                "y0": y - 0.06,
                "y1": y + 0.06,
                "fillcolor": style.INK if k else style.PAPER,
                "line": {"color": style.INK, "width": 1.5},
            }
        )
    for box, share in zip(made.boxes, record.share.tolist(), strict=True):
        strength = 0.05 + 0.8 * share / most if most > 0 else 0.05
        shapes.append(
            _rectangle(
                box.x,
                box.y,
                box.x + 1,
                box.y + BOX_HEIGHT,
                line={"color": style.INK, "width": 1.2},
                fill=style.PAPER,
            )
        )
        shapes.append(
            _rectangle(
                box.x,
                box.y,
                box.x + 1,
                box.y + BOX_HEIGHT,
                line={"width": 0},
                fill=f"rgba(86,180,233,{strength:.3f})",
            )
        )
    return shapes


def _rectangle(
    x0: float, y0: float, x1: float, y1: float, *, line: dict[str, Any], fill: str
) -> dict[str, Any]:
    return {"type": "rect", "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line, "fillcolor": fill}


def _path(points: list[tuple[float, float]]) -> str:
    return "M " + " L ".join(f"{x:.4f},{y:.4f}" for x, y in points)


def _texts(record: ProcessInfo, wide: float) -> list[dict[str, Any]]:
    """Names in the boxes, and what is said beside the lines."""
    room = max(int(ACROSS / wide / LETTER), 6)
    out = []
    for k, box in enumerate(record.layout.boxes):
        share = record.share[k]
        told = f"<b>{percent(share)}</b> · " if np.isfinite(share) else ""
        lines = [*_wrapped(record.names[k], room, 3), f"{told}{number(float(record.mean[k]))}"]
        out.append(_text("<br>".join(lines), box.x + 0.5, box.y + BOX_HEIGHT / 2, "center"))
    for label in record.layout.labels:
        letters = max(int(label.room * ACROSS / wide / LETTER), 4)
        said = _wrapped(label.text, letters, 1)[0]
        out.append(_text(said, label.x, label.y, "center" if label.centered else "left", style.GREY))
    return out


def _wrapped(text: str, width: int, lines: int) -> list[str]:
    """At most so many lines; what is too long ends with an ellipsis (the hover text has all of it)."""
    found = textwrap.wrap(text, width) or [""]
    if len(found) > lines:
        last = found[lines - 1]
        found = [*found[: lines - 1], last[: width - 1].rstrip() + "…"]
    return [line.replace("&", "&amp;").replace("<", "&lt;") for line in found]


def _text(text: str, x: float, y: float, anchor: str, color: str = style.INK) -> dict[str, Any]:
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "xanchor": anchor,
        "yanchor": "middle",
        "font": {"size": 11, "color": color},
    }


def _heads(made: Layout) -> list[dict[str, Any]]:
    """The head of every arrow, at its end."""
    heads = []
    for points in made.arrows:
        (x0, y0), (x1, y1) = points[-2:]
        heads.append(
            {
                "x": x1,
                "y": y1,
                "ax": x0,
                "ay": y0,
                "xref": "x",
                "yref": "y",
                "axref": "x",
                "ayref": "y",
                "text": "",
                "showarrow": True,
                "arrowhead": 2,
                "arrowsize": 1.1,
                "arrowwidth": 1.3,
                "arrowcolor": style.GREY,
            }
        )
    return heads


def _below(text: str) -> dict[str, Any]:
    return {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": 0,
        "xanchor": "left",
        "yanchor": "top",
        "yshift": -22,
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": style.GREY},
    }


def _hover(record: ProcessInfo, unit: str) -> dict[str, Any]:
    """Nothing to see, everything to read: a point in every box."""
    texts = [
        f"<b>{name}</b><br>{origin}<br>mean of one pass {number(float(mean))} {unit}".rstrip()
        + f"<br>done {number(float(often))} times on average"
        for name, origin, mean, often in zip(
            record.names, record.origins, record.mean, record.visits, strict=True
        )
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [box.x + 0.5 for box in record.layout.boxes],
        "y": [box.y + BOX_HEIGHT / 2 for box in record.layout.boxes],
        "marker": {"size": 40, "opacity": 0},
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    }
