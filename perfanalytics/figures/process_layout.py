"""Where the boxes, lanes, loops and arrows of a drawn process stand.

Positions are in boxes: a step is 1 wide. Every part comes in at its left and goes out at its right, at a
height of its own (``came``, ``left``), so that arrows between parts are level. A sequence that is too wide
goes on in the next row.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from perfanalytics.models.simulation.parts import Batch, Branch, Parallel, Part, Rework, Sequence, Step

BOX_HEIGHT = 0.66
#: Between parts of a sequence, between lanes, between rows.
GAP, LANES, ROWS = 0.26, 0.20, 0.36
#: Room above a loop, a batch, parallel lanes and a named decision for what is said of them.
LOOP, FRAME, SAID = 0.42, 0.30, 0.26
#: Left of parallel lanes and of the ways of a branch; right of both.
BAR, WAYS, JOIN = 0.36, 0.92, 0.34
#: A row is at most so wide, where its parts let it.
WIDEST = 7.6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Of a part: width and height, and the heights at which one comes in and goes out."""

    wide: float
    high: float
    came: float
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The box of a step, by its upper left corner."""

    step: Step
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What is said beside a line; ``x`` is its left end or, where ``centered``, its middle."""

    text: str
    x: float
    y: float
    centered: bool = False
    room: float = 1.0


@dataclass(slots=True)
class Layout:
    """All that is drawn; ``y`` goes down."""

    wide: float = 0.0
    high: float = 0.0
    boxes: list[Box] = field(default_factory=list)
    lines: list[list[Point]] = field(default_factory=list)
    arrows: list[list[Point]] = field(default_factory=list)
    bars: list[tuple[float, float, float]] = field(default_factory=list)
    diamonds: list[Point] = field(default_factory=list)
    frames: list[tuple[float, float, float, float]] = field(default_factory=list)
    ends: list[Point] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def lay_out(process: Part, *, widest: float = WIDEST) -> Layout:
    """The whole process, with its beginning and its end."""
    out = Layout()
    size = _size(process, widest)
    _place(process, 0.32, 0.0, out, widest)
    start, end = (0.1, size.came), (0.32 + size.wide + 0.22, size.left)
    out.ends = [start, end]
    _enter(process, [(start[0] + 0.05, start[1]), (0.32, size.came)], out)
    out.arrows.append([(0.32 + size.wide, end[1]), (end[0] - 0.05, end[1])])
    out.wide, out.high = size.wide + 0.64, size.high
    return out


def _enter(part: Part, path: list[Point], out: Layout) -> None:
    """The way to a part: with a head at a box; other parts begin with a line that has its own."""
    (out.arrows if isinstance(part, Step) else out.lines).append(path)


def _rows(parts: tuple[Part, ...], widest: float) -> list[list[Part]]:
    """Parts one after the other, cut where a row would be too wide."""
    rows: list[list[Part]] = [[]]
    used = 0.0
    for part in parts:
        wide = _size(part, widest).wide
        if rows[-1] and used + GAP + wide > widest:
            rows.append([])
            used = 0.0
        used += wide + (GAP if rows[-1] else 0.0)
        rows[-1].append(part)
    return rows


def _row(parts: list[Part], widest: float) -> tuple[Size, list[float]]:
    """One row: its size, and how far down each part stands so that the arrows are level."""
    level, tops, sizes = 0.0, [], [_size(part, widest) for part in parts]
    for size in sizes:
        tops.append(level - size.came)
        level = tops[-1] + size.left
    up = min(tops)
    tops = [top - up for top in tops]
    wide = sum(s.wide for s in sizes) + GAP * (len(sizes) - 1)
    high = max(top + s.high for top, s in zip(tops, sizes, strict=True))
    came, left = tops[0] + sizes[0].came, tops[-1] + sizes[-1].left
    return Size(wide=wide, high=high, came=came, left=left), tops


def _size(part: Part, widest: float) -> Size:
    match part:
        case Sequence(parts=parts):
            rows = [_row(row, widest)[0] for row in _rows(parts, widest)]
            if len(rows) == 1:
                return rows[0]
            high = sum(r.high for r in rows) + ROWS * (len(rows) - 1)
            return Size(
                wide=max(r.wide for r in rows) + 0.32,
                high=high,
                came=rows[0].came,
                left=high - rows[-1].high + rows[-1].left,
            )
        case Parallel() | Branch():
            before, top = _before(part)
            lanes = [_size(lane, widest - before - JOIN) for lane in part.children]
            high = top + sum(lane.high for lane in lanes) + LANES * (len(lanes) - 1)
            level = (top + lanes[0].came + high - lanes[-1].high + lanes[-1].came) / 2
            wide = before + max(lane.wide for lane in lanes) + JOIN
            return Size(wide=wide, high=high, came=level, left=level)
        case Rework(part=inner):
            size = _size(inner, widest - 0.44)
            return Size(
                wide=size.wide + 0.44,
                high=size.high + LOOP,
                came=size.came + LOOP,
                left=size.left + LOOP,
            )
        case Batch(part=inner):
            size = _size(inner, widest - 0.28)
            return Size(
                wide=max(size.wide, 1.2) + 0.28,
                high=size.high + FRAME + 0.12,
                came=size.came + FRAME,
                left=size.left + FRAME,
            )
        case _:
            return Size(wide=1.0, high=BOX_HEIGHT, came=BOX_HEIGHT / 2, left=BOX_HEIGHT / 2)


def _before(part: Parallel | Branch) -> tuple[float, float]:
    """Room before the lanes, and above them."""
    if isinstance(part, Parallel):
        return BAR, SAID
    return WAYS, SAID if _named(part) else 0.0


def _named(part: Branch) -> bool:
    """Whether somebody gave the decision a name."""
    return not part.name.startswith("choice: ")


def _place(part: Part, x: float, y: float, out: Layout, widest: float) -> None:
    """Draw a part whose upper left corner is here."""
    match part:
        case Step():
            out.boxes.append(Box(step=part, x=x, y=y))
        case Sequence(parts=parts):
            _place_rows(part, _rows(parts, widest), x, y, out, widest)
        case Parallel() | Branch():
            _place_lanes(part, x, y, out, widest)
        case Rework(part=inner):
            _place_loop(part, inner, x, y, out, widest)
        case Batch(part=inner):
            size = _size(part, widest)
            out.frames.append((x + 0.04, y + 0.04, x + size.wide - 0.04, y + size.high - 0.02))
            said = f"{part.size} at once: the slowest" if part.together else f"{part.size} times in a row"
            out.labels.append(Label(text=said, x=x + 0.1, y=y + 0.19, room=size.wide - 0.2))
            own = _size(inner, widest - 0.28)
            shift = (size.wide - own.wide) / 2
            _place(inner, x + shift, y + FRAME, out, widest - 0.28)
            out.arrows.append([(x, y + size.came), (x + shift, y + size.came)])
            out.lines.append([(x + shift + own.wide, y + size.left), (x + size.wide, y + size.left)])


def _place_rows(whole: Part, rows: list[list[Part]], x: float, y: float, out: Layout, widest: float) -> None:
    several = len(rows) > 1
    inset = 0.16 if several else 0.0
    size = _size(whole, widest)
    end: Point | None = None
    for row in rows:
        own, tops = _row(row, widest)
        at, level = x + inset, y + own.came
        if end is not None:
            # back to the beginning of the next row, between the two
            between = y - ROWS / 2
            turn = end[0] + 0.1
            path = [end, (turn, end[1]), (turn, between), (x, between), (x, level), (at, level)]
            _enter(row[0], path, out)
        elif several:
            _enter(row[0], [(x, level), (at, level)], out)
        for k, (part, top) in enumerate(zip(row, tops, strict=True)):
            if k:
                into = y + top + _size(part, widest).came
                _enter(part, [(at - GAP, into), (at, into)], out)
            _place(part, at, y + top, out, widest)
            at += _size(part, widest).wide + GAP
        end = (at - GAP, y + own.left)
        y += own.high + ROWS
    if several and end is not None:
        out.lines.append([end, (x + size.wide, end[1])])


def _place_lanes(part: Parallel | Branch, x: float, y: float, out: Layout, widest: float) -> None:
    size = _size(part, widest)
    before, top = _before(part)
    inside = widest - before - JOIN
    split, join, level = x + 0.16, x + size.wide - 0.16, y + size.came
    starts, ends = [], []
    down = y + top
    for k, lane in enumerate(part.children):
        own = _size(lane, inside)
        came, left = down + own.came, down + own.left
        begins, done = x + before, x + before + own.wide
        _place(lane, begins, down, out, inside)
        out.arrows.append([(split, came), (begins, came)])
        out.lines.append([(done, left), (join, left)])
        starts.append(came)
        ends.append(left)
        if isinstance(part, Branch):
            said = _percent(part.probabilities[k])
            out.labels.append(Label(text=said, x=split + 0.2, y=came - 0.1, room=before - 0.4))
        down += own.high + LANES
    if isinstance(part, Parallel):
        out.bars.append((split, min(starts) - 0.2, max(starts) + 0.2))
        out.bars.append((join, min(ends) - 0.2, max(ends) + 0.2))
        n = len(part.children)
        said = f"all {n} needed" if part.wait_for == n else f"{part.wait_for} of {n} needed"
        out.labels.append(Label(text=said, x=x + before, y=y + 0.14, room=size.wide - before - JOIN))
        out.lines += [[(x, level), (split, level)]]
    else:
        out.lines.append([(split, min(*starts, level)), (split, max(*starts, level))])
        out.lines.append([(join, min(*ends, level)), (join, max(*ends, level))])
        out.diamonds.append((split, level))
        out.lines.append([(x, level), (split, level)])
        if _named(part):
            out.labels.append(Label(text=part.name, x=x + 0.06, y=y + 0.12, room=size.wide - 0.1))
    out.lines.append([(join, level), (x + size.wide, level)])


def _place_loop(part: Rework, inner: Part, x: float, y: float, out: Layout, widest: float) -> None:
    size = _size(part, widest)
    own = _size(inner, widest - 0.44)
    _place(inner, x + 0.22, y + LOOP, out, widest - 0.44)
    came, left, above = y + size.came, y + size.left, y + LOOP - 0.14
    end = x + 0.22 + own.wide
    out.arrows.append([(x + 0.1, came), (x + 0.22, came)])
    out.lines += [[(x, came), (x + 0.1, came)], [(end, left), (x + size.wide, left)]]
    back = x + 0.1
    out.arrows.append([(end + 0.12, left), (end + 0.12, above), (back, above), (back, came)])
    limit = (
        ""
        if part.at_most is None
        else f", at most {'once' if part.at_most == 1 else f'{part.at_most} times'}"
    )
    said = f"{_percent(part.probability)} again{limit}"
    out.labels.append(Label(text=said, x=x + size.wide / 2, y=above - 0.12, centered=True, room=size.wide))


def _percent(share: float) -> str:
    """A probability as somebody wrote it: no digits that say nothing."""
    return f"{100 * share:.3g}%"
