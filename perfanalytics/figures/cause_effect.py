"""The figure of a cause-and-effect diagram: a fishbone, read from left to right.

Causes stand beside the bone of their category on a line that leads to it, sub-causes indented below. Places
are in percent of the width and pixels of the height, and texts are cut into lines short enough for a page of
paper, so that no label reaches into the next column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perfanalytics.figures import style
from perfanalytics.figures.cause_marks import COLORS, legend, marked
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.cause_effect import CauseEffect
from perfanalytics.practices.car.cause_nodes import NO_CATEGORY

#: Characters of the small print across the figure, on paper; where the box of the effect begins, in percent.
ROOM, HEAD = 102, 83.0
#: Pixels of a line of a cause and of a sub-cause, between causes, for the box of a category.
LINE, SMALL, GAP, BOX = 15, 14, 9, 34
#: How far a bone leans, in percent of the width.
LEAN = 3.0


@dataclass(frozen=True, slots=True)
class Label:
    """A text with its upper left corner, and the pixels it is high."""

    x: float
    y: float
    height: float
    text: str
    size: int
    color: str


@dataclass(frozen=True, slots=True)
class Bone:
    """A category: its spot on the spine and its end (x in percent, y in pixels, below the spine negative)."""

    name: str
    spine: float
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FishboneInfo:
    """What is drawn."""

    effect: str
    bones: tuple[Bone, ...]
    labels: tuple[Label, ...]
    twigs: tuple[tuple[float, float, float, float], ...]
    above: float
    below: float


def info(result: CauseEffect) -> FishboneInfo:
    """Places of all bones and labels."""
    categories = list(result.categories)
    pairs = max(1, (len(categories) + 1) // 2)
    wide = HEAD / pairs
    width = max(12, int(ROOM * (wide - LEAN - 1.5) / 100))
    blocks = {c: _blocks(result, c, width) for c in categories}
    tall = [
        max((_height(blocks[c]) for c in categories[side::2]), default=0.0) + BOX + 2 * GAP for side in (0, 1)
    ]
    bones, labels, twigs = [], [], []
    for i, category in enumerate(categories):
        up, column = i % 2 == 0, i // 2
        left = column * wide
        spine = left + wide - 0.5
        height = tall[0] if up else tall[1]
        bone = Bone(category, spine, spine - LEAN, height - BOX / 2 if up else BOX / 2 - height)
        bones.append(bone)
        spare = height - BOX - 2 * GAP - _height(blocks[category])
        more = min(spare / max(len(blocks[category]), 1), 2.0 * LINE)
        y = height - BOX - GAP / 2 if up else -GAP
        for block in blocks[category]:
            for indent, text, size, color, high in block:
                if indent == 0:
                    under = y - high - 2
                    on_bone = bone.spine + (bone.x - bone.spine) * under / bone.y
                    twigs.append((left + 0.5, under, on_bone, under))
                labels.append(Label(left + 0.5 + 1.2 * indent, y, high, text, size, color))
                y -= high + (4 if indent == 0 else 0)
            y -= GAP + more
    return FishboneInfo(
        effect=wrapped(result.effect, max(10, int(0.8 * ROOM * (100 - HEAD - 3) / 100)), lines=8),
        bones=tuple(bones),
        labels=tuple(labels),
        twigs=tuple(twigs),
        above=max(tall[0], 60.0),
        below=max(tall[1] if len(categories) > 1 else 0.0, 60.0),
    )


def _blocks(result: CauseEffect, category: str, width: int) -> list[list[tuple[int, str, int, str, float]]]:
    """Of each cause of a category: (indentation, text, size, color, pixels) of itself and all behind it."""
    out = []
    for top in result.children(-1):
        if (str(result.category[top]) or NO_CATEGORY) != category:
            continue
        block: list[tuple[int, str, int, str, float]] = []
        _add(result, top, 0, width, block)
        out.append(block)
    return out


def _add(
    result: CauseEffect, k: int, indent: int, width: int, block: list[tuple[int, str, int, str, float]]
) -> None:
    state = str(result.state[k])
    room = max(10, width - 2 * indent)
    text = marked(str(result.name[k]), state, bool(result.root[k]), room)
    line = LINE if indent == 0 else SMALL
    block.append((indent, text, 12 if indent == 0 else 11, COLORS[state], line * (text.count("<br>") + 1)))
    for child in result.children(k):
        _add(result, child, min(indent + 1, 4), width, block)


def _height(blocks: list[list[tuple[int, str, int, str, float]]]) -> float:
    return sum(sum(row[4] for row in block) + 4 + GAP for block in blocks)


def draw(result: CauseEffect) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    record = info(result)
    spine = {"color": style.INK, "width": 3}
    shapes: list[dict[str, Any]] = [_line(0.0, 0.0, HEAD, 0.0, spine)]
    notes: list[dict[str, Any]] = []
    for bone in record.bones:
        shapes.append(_line(bone.x, bone.y, bone.spine, 0.0, {"color": style.BLUE, "width": 2}))
        notes.append(
            {
                "x": bone.x,
                "y": bone.y,
                "xanchor": "right",
                "xshift": 14,
                "text": f"<b>{wrapped(bone.name, 24)}</b>",
            }
            | {"showarrow": False, "font": {"size": 12}, "bgcolor": style.PAPER, "borderpad": 4}
            | {"bordercolor": style.BLUE, "borderwidth": 1.5}
        )
    shapes += [_line(*twig, {"color": style.GREY, "width": 1}) for twig in record.twigs]
    notes += [
        {"x": label.x, "y": label.y, "xanchor": "left", "yanchor": "top", "align": "left", "text": label.text}
        | {"showarrow": False, "font": {"size": label.size, "color": label.color}, "borderpad": 0}
        for label in record.labels
    ]
    notes.append(
        {"x": HEAD + 0.6, "y": 0, "xanchor": "left", "text": f"<b>{record.effect}</b>", "showarrow": False}
        | {
            "font": {"size": 13},
            "bgcolor": style.PAPER,
            "bordercolor": style.INK,
            "borderwidth": 2,
            "borderpad": 6,
        }
    )
    notes.append(legend(0.0))
    hidden = {"visible": False, "fixedrange": True}
    layout = style.layout(
        "Causes and effect",
        height=int(record.above + record.below) + 110,
        margin={"l": 15, "r": 10, "t": 60, "b": 50},
        shapes=shapes,
        annotations=notes,
        xaxis=hidden | {"range": [0, 100]},
        yaxis=hidden | {"range": [-record.below, record.above]},
    )
    tips = {
        "type": "scatter",
        "mode": "markers",
        "x": [label.x for label in record.labels],
        "y": [label.y - label.height / 2 for label in record.labels],
        "marker": {"size": 14, "opacity": 0, "color": style.INK},
        "hoverinfo": "skip",
    }
    return {"data": [tips], "layout": layout}


def _line(x0: float, y0: float, x1: float, y1: float, look: dict[str, Any]) -> dict[str, Any]:
    ends = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
    return {"type": "line", "xref": "x", "yref": "y", "layer": "below", "line": look} | ends
