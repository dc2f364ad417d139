"""The figure of a why-tree: from the effect on the left to the root causes on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from perfanalytics.figures import style
from perfanalytics.figures.cause_marks import COLORS, legend, marked
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.car.why_tree import WhyTree

#: Characters across the figure, on paper; pixels of a line of a name and of the small print; around a text.
ROOM, NAME, SMALL, PAD, GAP = 92, 15, 13, 6, 12
#: Look of a box: color, width and dash of its line, its ground.
LOOKS: dict[str, tuple[str, float, str, str]] = {
    "effect": (style.INK, 2.5, "solid", style.PAPER),
    "confirmed": (style.INK, 2, "solid", style.PAPER),
    "suspected": (style.GREY, 1, "solid", style.PAPER),
    "refuted": (style.GREY, 1, "dot", "#F4F4F4"),
    "root": (style.ORANGE, 3, "solid", "#FBEDE4"),
}


@dataclass(frozen=True, slots=True)
class Box:
    """A cause (-1: the effect): its column, top and bottom in pixels from above, its text and look."""

    node: int
    parent: int
    column: int
    top: float
    bottom: float
    text: str
    look: str
    color: str

    @property
    def middle(self) -> float:
        """Pixels from the top to its middle."""
        return (self.top + self.bottom) / 2


def info(tree: WhyTree) -> tuple[list[Box], int, float]:
    """The boxes, the number of columns, the height in pixels."""
    columns = 2 + (int(tree.depth.max()) if len(tree.depth) else -1)
    width = max(11, ROOM // columns - 4)
    texts: dict[int, tuple[str, float]] = {-1: _effect(tree, width)}
    texts |= {k: _text(tree, k, width) for k in range(len(tree.name))}
    place: dict[int, tuple[float, float]] = {}

    def put(k: int, top: float) -> float:
        high = texts[k][1]
        children = tree.children(k)
        end = top
        for child in children:
            end = put(child, end)
        end = max(end, top + high + GAP)
        middle = (top + end - GAP) / 2
        if children:
            first, last = (sum(place[c]) / 2 for c in (children[0], children[-1]))
            middle = min(max((first + last) / 2, top + high / 2), end - GAP - high / 2)
        place[k] = (middle - high / 2, middle + high / 2)
        return end

    end = put(-1, 0.0)
    boxes = [Box(-1, -2, 0, *place[-1], texts[-1][0], "effect", style.INK)]
    for k in range(len(tree.name)):
        state = str(tree.state[k])
        look = "root" if tree.root[k] and state != "refuted" else state
        boxes.append(
            Box(k, int(tree.parent[k]), int(tree.depth[k]) + 1, *place[k], texts[k][0], look, COLORS[state])
        )
    return boxes, columns, end


def _effect(tree: WhyTree, width: int) -> tuple[str, float]:
    text = wrapped(tree.effect, width - 2, lines=8)
    return f"<b>{text}</b>", NAME * (text.count("<br>") + 1) + 2 * PAD


def _text(tree: WhyTree, k: int, width: int) -> tuple[str, float]:
    name = marked(str(tree.name[k]), str(tree.state[k]), bool(tree.root[k]), width, lines=6)
    ends = not tree.children(k)
    if tree.repeated[k]:
        small = "shown above"
    elif not tree.recorded[k]:
        small = "not on record"
    elif tree.evidence[k]:
        small = wrapped(str(tree.evidence[k]), int(1.15 * width), lines=3)
    else:
        small = "no evidence" if ends and tree.state[k] != "refuted" else ""
    high = NAME * (name.count("<br>") + 1) + 2 * PAD
    if small:
        high += SMALL * (small.count("<br>") + 1)
        name += f"<br><i><span style='font-size:10px;color:{style.GREY}'>{small}</span></i>"
    return name, high


def draw(tree: WhyTree) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    boxes, columns, height = info(tree)
    by_node = {box.node: box for box in boxes}
    wide = 100 / columns
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for box in boxes:
        left, right = box.column * wide + 0.3, (box.column + 1) * wide - 0.18 * wide
        color, line, dash, ground = LOOKS[box.look]
        shapes.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": "y",
                "x0": left,
                "x1": right,
                "y0": box.top,
                "y1": box.bottom,
            }
            | {"line": {"color": color, "width": line, "dash": dash}, "fillcolor": ground, "layer": "below"}
        )
        notes.append(
            {"x": left, "y": box.middle, "xanchor": "left", "yanchor": "middle", "align": "left", "xshift": 5}
            | {"text": box.text, "showarrow": False, "font": {"size": 12, "color": box.color}, "borderpad": 0}
        )
        if box.node >= 0:
            above = by_node[box.parent]
            start = (above.column + 1) * wide - 0.18 * wide
            bend = start + 0.09 * wide
            path = f"M{start},{above.middle} L{bend},{above.middle} L{bend},{box.middle} L{left},{box.middle}"
            shapes.append(
                {"type": "path", "path": path, "xref": "x", "yref": "y", "layer": "below"}
                | {
                    "line": {
                        "color": style.GREY,
                        "width": 1.2,
                        "dash": "dot" if box.look == "refuted" else "solid",
                    }
                }
            )
    heads = ["effect", *(["why?"] * (columns - 1))]
    notes += [
        {"x": i * wide + 0.3, "y": 0, "xanchor": "left", "yanchor": "bottom", "yshift": 6, "text": head}
        | {"showarrow": False, "font": {"size": 12, "color": style.GREY}}
        for i, head in enumerate(heads)
    ]
    notes.append(legend(0.0))
    hidden = {"visible": False, "fixedrange": True}
    layout = style.layout(
        "Why-tree",
        height=int(height) + 130,
        margin={"l": 15, "r": 10, "t": 80, "b": 50},
        shapes=shapes,
        annotations=notes,
        xaxis=hidden | {"range": [0, 100]},
        yaxis=hidden | {"range": [max(height, 40.0), 0]},
    )
    anchor = {"type": "scatter", "mode": "markers", "x": [50], "y": [0], "marker": {"opacity": 0}}
    return {"data": [anchor | {"hoverinfo": "skip"}], "layout": layout}
