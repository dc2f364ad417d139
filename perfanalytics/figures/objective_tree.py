"""The figure of an objective tree: from business objectives on the left to what is on record on the right.

A box a node (a line for what is on record), with its name, its state in words and by a symbol, its age. Color
never carries it alone. Texts are short enough for a page of paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perfanalytics.figures import style
from perfanalytics.figures.wrapping import wrapped
from perfanalytics.practices.opp.objective_tree import ObjectiveTree
from perfanalytics.practices.opp.tree_nodes import NO_BUSINESS, NO_OBJECTIVE

#: State -> color and marker.
STATES: dict[str, tuple[str, str]] = {
    "met": (style.GREEN, "circle"),
    "stable": (style.GREEN, "circle"),
    "at risk": (style.PURPLE, "triangle-up"),
    "not met": (style.ORANGE, "x"),
    "not stable": (style.ORANGE, "diamond"),
    "unknown": (style.GREY, "circle-open"),
    "not judged": (style.GREY, "circle-open"),
    "missing": (style.GREY, "cross-thin-open"),
    "stale": (style.PURPLE, "hourglass"),
    "superseded": (style.GREY, "triangle-left-open"),
    "on record": (style.BLUE, "square"),
}
HEADS = ("Business objective", "Objective", "Subprocess", "Measure", "On record")
#: Characters of all columns together; lines of a name; pixels of a line of the name and of the small print.
ROOM, LINES, NAME, SMALL = 96, 5, 12, 11
#: Pixels within a box above and below its text, and between boxes; the same for what is on record.
PAD, GAP, LEAF_PAD, LEAF_GAP = 4, 7, 0, 5
#: The column of what is on record is this much wider than the others.
WIDER = 1.7
#: Nodes from which on results are left out of the figure; the tables have them.
MOST = 160
#: Pixels of a page of paper: a taller tree of several branches shows what is on record only branch by branch.
PAGE = 860


@dataclass(frozen=True, slots=True)
class Box:
    """One node: where it stands (column; pixels from the top), what it says."""

    node: int
    parent: int
    column: int
    top: float
    bottom: float
    name: str
    small: str
    color: str
    symbol: str
    state: str
    boxed: bool
    hover: str

    @property
    def middle(self) -> float:
        """Pixels from the top to its middle."""
        return (self.top + self.bottom) / 2


def info(tree: ObjectiveTree) -> tuple[list[Box], list[str], float]:
    """The boxes, the heads of the columns, and the height in pixels."""
    every, upper = tree.order(), [k for k in tree.order() if tree.level[k] in _UPPER]
    if len(tree.name) > MOST:
        return _placed(tree, upper)
    whole = _placed(tree, every)
    return whole if whole[2] <= PAGE or len(tree.roots()) < 2 else _placed(tree, upper)


def is_cut(tree: ObjectiveTree) -> bool:
    """Whether the figure leaves out what is on record, because it would be taller than a page."""
    return len(info(tree)[0]) < len(tree.name)


def _placed(tree: ObjectiveTree, shown: list[int]) -> tuple[list[Box], list[str], float]:
    """The boxes of these nodes, the heads of their columns, the height."""
    columns, heads = _columns(tree, shown)
    below: dict[int, list[int]] = {}
    for k in shown:
        below.setdefault(int(tree.parent[k]), []).append(k)
    place: dict[int, tuple[float, float]] = {}
    width = max(11, int(ROOM / _units(heads)))
    texts = {k: _texts(tree, k, width) for k in shown}
    leaf = {k: tree.level[k] not in _UPPER for k in shown}

    def put(k: int, top: float) -> float:
        """Place a node and all below it from ``top`` on; returns where they end."""
        height = _height(*texts[k], LEAF_PAD if leaf[k] else PAD)
        gap = LEAF_GAP if leaf[k] else GAP
        end = top
        for child in below.get(k, []):
            end = put(child, end)
        end = max(end, top + height + gap)
        middle = (top + end - gap) / 2
        children = [sum(place[c]) / 2 for c in below.get(k, [])]
        if children:
            # beside the middle of its children, within what it takes up
            middle = min(max((children[0] + children[-1]) / 2, top + height / 2), end - gap - height / 2)
        place[k] = (middle - height / 2, middle + height / 2)
        return end

    end = 0.0
    for root in below.get(-1, []):
        end = put(root, end) + GAP
    boxes = []
    for k in shown:
        state = str(tree.state[k])
        color, symbol = STATES[state]
        boxes.append(
            Box(
                node=k,
                parent=int(tree.parent[k]),
                column=columns[k],
                top=place[k][0],
                bottom=place[k][1],
                name=texts[k][0],
                small=texts[k][1],
                color=color,
                symbol=symbol,
                state=state,
                boxed=not leaf[k],
                hover=f"{tree.level[k]}: {tree.name[k]}<br>" + "<br>".join(tree.facts(k)),
            )
        )
    return boxes, heads, max(end, 60.0)


_UPPER = ("business objective", "objective", "subprocess", "measure")


def _columns(tree: ObjectiveTree, shown: list[int]) -> tuple[list[int], list[str]]:
    """The column of each node and the heads; interim objectives have columns of their own."""
    deep = [0] * len(tree.name)
    for k in range(len(tree.name)):
        above = int(tree.parent[k])
        if tree.level[k] == "objective" and above >= 0 and tree.level[above] == "objective":
            deep[k] = deep[above] + 1
    most = max((d for d in deep), default=0)
    where = {"business objective": 0, "objective": 1, "subprocess": 2 + most, "measure": 3 + most}
    wide = [where.get(str(level), 4 + most) + deep[k] for k, level in enumerate(tree.level)]
    heads = [HEADS[0], HEADS[1], *["Interim objective"] * most, *HEADS[2:]]
    used = sorted({wide[k] for k in shown})
    return [used.index(c) if c in used else -1 for c in wide], [heads[c] for c in used]


def _texts(tree: ObjectiveTree, k: int, width: int) -> tuple[str, str]:
    """Name and small print of a node, in lines of so many characters."""
    name = wrapped(str(tree.name[k]), width, lines=LINES)
    if tree.name[k] in (NO_BUSINESS, NO_OBJECTIVE):
        return name, ""
    words = [str(tree.state[k])]
    if tree.level[k] not in _UPPER:
        words.insert(0, str(tree.level[k]))
        width = int(2.4 * width)
        name = wrapped(str(tree.name[k]), width, lines=LINES)
    if tree.age[k] > 0:
        words.append(f"{tree.age[k]:.0f} days old")
    if tree.stale[k]:
        words += [w for w in (str(tree.words[k]), "stale") if w not in ("", *words)]
    words += ["agreed"] if tree.agreed[k] and not str(tree.agreed[k]).startswith("not agreed") else []
    words += [str(tree.missing[k])] if tree.missing[k] and tree.state[k] != "missing" else []
    return name, wrapped(", ".join(w for w in words if w), width + 2, lines=3)


def _height(name: str, small: str, pad: float) -> float:
    lines = small.count("<br>") + 1 if small else 0
    return 2 * pad + NAME * (name.count("<br>") + 1) + SMALL * lines + 3


def _units(heads: list[str]) -> float:
    """Width of all columns, in those of boxes."""
    return max(1, len(heads)) + (WIDER - 1 if heads[-1:] == [HEADS[-1]] else 0)


def draw(tree: ObjectiveTree) -> dict[str, Any]:
    """The figure as a plain plotly dict."""
    boxes, heads, total = info(tree)
    where = {b.node: b for b in boxes}
    left, right, text_at = 0.01, 0.92, 0.125
    shapes: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for b in boxes:
        dash = "dot" if b.state == "missing" else "solid"
        if b.boxed:
            shapes.append(
                {
                    "type": "rect", "layer": "below", "fillcolor": style.PAPER,
                    "x0": b.column + left, "x1": b.column + right, "y0": b.top, "y1": b.bottom,
                    "line": {"color": b.color, "width": 1.4, "dash": dash},
                }
            )  # fmt: skip
        small = f'<br><span style="font-size:9px;color:{style.GREY}">{b.small}</span>' if b.small else ""
        notes.append(
            {
                "x": b.column + text_at, "y": b.middle, "xanchor": "left", "yanchor": "middle",
                "align": "left", "showarrow": False, "text": f"{b.name}{small}", "font": {"size": 10},
            }
        )  # fmt: skip
        if b.parent >= 0:
            above = where[b.parent]
            # down beside the node above, across at the height of the node: no box stands in that way
            turn = above.column + 0.96
            lines.append(
                {
                    "type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False,
                    "x": [above.column + right, turn, turn, b.column + left],
                    "y": [above.middle, above.middle, b.middle, b.middle],
                    "line": {"color": "#9A9A9A", "width": 1},
                }
            )  # fmt: skip
    notes += [
        {
            "x": k + left, "y": 0, "yref": "y", "xanchor": "left", "yanchor": "bottom", "yshift": 8,
            "showarrow": False, "text": f"<b>{wrapped(head, 12)}</b>", "font": {"size": 11},
        }
        for k, head in enumerate(heads)
    ]  # fmt: skip
    looks = dict.fromkeys(STATES.values())
    marks = [_marks(look, [b for b in boxes if STATES[b.state] == look]) for look in looks]
    cut = "" if len(boxes) == len(tree.name) else " (what is on record: by branch)"
    layout = style.layout(
        f"Objectives and what serves them, {tree.on}{cut}",
        height=int(total) + 160,
        margin={"l": 10, "r": 10, "t": 90, "b": 70},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -18 / total, "yanchor": "top"},
        shapes=shapes,
        annotations=notes,
    )
    blank = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "fixedrange": True}
    layout["xaxis"] = blank | {"range": [0, _units(heads)]}
    layout["yaxis"] = blank | {"range": [total, 0]}
    return {"data": [*lines, *[m for m in marks if m]], "layout": layout}


def _marks(look: tuple[str, str], of: list[Box]) -> dict[str, Any] | None:
    """The symbols of the states that look alike, which also make their entry in the key."""
    if not of:
        return None
    color, symbol = look
    present = {b.state for b in of}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.array([b.column + 0.065 for b in of]),
        "y": np.array([b.middle for b in of]),
        "marker": {"color": color, "symbol": symbol, "size": 9, "line": {"color": color, "width": 2}},
        "text": [b.hover for b in of],
        "hovertemplate": "%{text}<extra></extra>",
        "name": " / ".join(s for s in STATES if s in present),
        "showlegend": True,
    }
