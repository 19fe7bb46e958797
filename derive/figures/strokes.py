"""Pictures in LaTeX's own picture environment, for documents without TikZ: lines, circles, frames and letters.

Lines are quadratic curves, which LaTeX draws as dots and the package pict2e as lines. There is nothing white to put
behind a label, so the lines behind it are left out where it stands. A picture shrinks to the width of the line and
most of the height of the page, and its letters with it, in sizes that every font has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from derive.figures.chart import Chart
from derive.figures.geometry import Box, Drawing, Node, Point, Text, Wire, layout
from derive.figures.network import Network
from derive.figures.plan import Label, Plan, Trail, plan
from derive.figures.tikz import POINTS, number, plain_tex, symbol_tex
from derive.formula import Symbol

TYPE = (5, 6, 7, 8, 9, 10, 12)  # points that every font of TeX has
SHRUNK = (0.85, 0.7, 0.58, 0.46)  # parts of the full size at which letters become smaller
HEIGHT = 0.7  # of a page that a picture takes at most
CURVED = 24  # pieces of a curve that is interrupted
JOINED = 120  # points of a curve of a chart
TIP = 7.0  # the length of an arrow's tip
DOTS = 5.0  # pixels from dot to dot
_LETTERS = "ABCDEFG"
_ANCHORS = {"start": "[l]", "middle": "", "end": "[r]"}


def to_picture(picture: Network | Chart) -> str:
    """A centred picture environment."""
    if isinstance(picture, Network):
        drawing = layout(picture)
        return environment(drawing.bounds, list(network(drawing)))
    found = plan(picture)
    return environment(Box(found.width / 2, found.height / 2, found.width, found.height), list(chart(found)))


def environment(bounds: Box, body: Sequence[str]) -> str:
    width, height = (number(round(length, 1)) for length in (bounds.width, bounds.height))
    lines = [
        f"\\unitlength={POINTS}pt\\relax",
        f"\\ifdim{width}\\unitlength>\\linewidth\\unitlength=\\dimexpr\\linewidth/{math.ceil(bounds.width)}\\relax\\fi",
        f"\\dimen0={HEIGHT}\\textheight\\ifdim{height}\\unitlength>\\dimen0 \\unitlength=\\dimexpr\\dimen0/{math.ceil(bounds.height)}\\relax\\fi",
        *sizes(1.0),
        *(f"\\ifdim\\unitlength<{number(POINTS * part)}pt {''.join(sizes(part))}\\fi" for part in SHRUNK),
        f"\\begin{{picture}}({width},{height})({number(bounds.left)},{number(-bounds.bottom)})",
        *body,
        "\\end{picture}",
    ]
    return "\n".join(["\\begin{center}", *lines, "\\end{center}"])


def sizes(part: float) -> Iterator[str]:
    """The commands for letters of each size, shrunk to this part of it."""
    for letter, size in zip(_LETTERS, TYPE, strict=True):
        shrunk = max([one for one in TYPE if one <= size * part], default=TYPE[0])
        yield f"\\def\\derivetype{letter}{{\\fontsize{{{shrunk}}}{{{shrunk + 2}}}\\selectfont}}"


# the network ------------------------------------------------------------------------------------------------------------
def network(drawing: Drawing) -> Iterator[str]:
    """Everything of a drawing, in its place."""
    texts = [text for node in drawing.nodes for text in node.texts if text.backed]
    texts += [text for wire in drawing.wires for text in wire.texts]
    labels = [Box(b.x, b.y, b.width + 4, b.height) for b in (text.box for text in texts)]
    for wire in drawing.wires:
        yield f"\\linethickness{{{number(max(0.2, 0.4 * wire.thickness * POINTS))}pt}}"
        yield from strokes(wire, labels)
    yield "\\linethickness{0.4pt}"
    for node in drawing.nodes:
        yield shape(node)
        yield from map(letters, node.texts)
    yield from (letters(text) for wire in drawing.wires for text in wire.texts)
    yield from map(letters, drawing.headings)
    yield from (f"\\put({number(x)},{number(-y - dy)}){{\\circle*{{3}}}}" for x, y in drawing.dots for dy in (-8, 0, 8))


def strokes(wire: Wire, labels: Sequence[Box]) -> Iterator[str]:
    """An edge, as much of it as stands behind no label, and its tip."""
    points = [wire.start, wire.end]
    if wire.bend:
        points = [along(wire.start, wire.bend, wire.end, i / CURVED) for i in range(CURVED + 1)]
    pieces = [piece for a, b in pairwise(points) for piece in visible(a, b, labels)]
    if wire.bend and len(pieces) == CURVED and all(map(whole, pieces, points, points[1:])):
        yield curve(wire.start, wire.bend, wire.end)
    else:
        yield from (line(a, b) for a, b in pieces)
    if wire.arrow:
        before = points[-2]
        angle = math.atan2(wire.end[1] - before[1], wire.end[0] - before[0])
        for turn in (0.4, -0.4):
            back = wire.end[0] - TIP * math.cos(angle + turn), wire.end[1] - TIP * math.sin(angle + turn)
            yield line(back, wire.end)


def whole(piece: tuple[Point, Point], a: Point, b: Point) -> bool:
    return piece == (a, b)


def along(start: Point, bend: Point, end: Point, t: float) -> Point:
    """A point of a quadratic curve."""
    x, y = ((1 - t) ** 2 * a + 2 * t * (1 - t) * b + t * t * c for a, b, c in zip(start, bend, end, strict=True))
    return x, y


def visible(a: Point, b: Point, boxes: Iterable[Box]) -> list[tuple[Point, Point]]:
    """The parts of a straight line outside all boxes."""
    hidden = sorted(span for box in boxes if (span := inside(a, b, box)) is not None)
    found, at = [], 0.0
    for low, high in hidden:
        if low > at:
            found.append((at, low))
        at = max(at, high)
    if at < 1.0:
        found.append((at, 1.0))

    def point(t: float) -> Point:
        return a if t == 0 else b if t == 1 else (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))

    return [(point(low), point(high)) for low, high in found]


def inside(a: Point, b: Point, box: Box) -> tuple[float, float] | None:
    """Between which parts of the way from a to b the line is in a box."""
    low, high = 0.0, 1.0
    for start, end, least, most in ((a[0], b[0], box.left, box.right), (a[1], b[1], box.top, box.bottom)):
        if start == end:
            if not least < start < most:
                return None
            continue
        enter, leave = sorted(((least - start) / (end - start), (most - start) / (end - start)))
        low, high = max(low, enter), min(high, leave)
    return (low, high) if low < high else None


def shape(node: Node) -> str:
    """The outline of a unit; that of a target is dashed."""
    box = node.box
    if node.round:
        return f"\\put({number(box.x)},{number(-box.y)}){{\\circle{{{number(box.width)}}}}}"
    corner = f"\\put({number(box.left)},{number(-box.bottom)})"
    kind = "\\dashbox{4}" if node.unit.kind == "target" else "\\framebox"
    return f"{corner}{{{kind}({number(box.width)},{number(box.height)}){{}}}}"


def letters(text: Text) -> str:
    """A line of text, centred on its point."""
    return put(text.x, text.y, text.content, text.size * POINTS)


def put(x: float, y: float, content: str | Symbol, points: float, anchor: str = "") -> str:
    inner = plain_tex(content) if isinstance(content, str) else f"${symbol_tex(content)}$"
    size = max(index for index, one in enumerate(TYPE) if one <= max(points, TYPE[0]))
    return f"\\put({number(x)},{number(-y)}){{\\makebox(0,0){anchor}{{\\derivetype{_LETTERS[size]} {inner}}}}}"


def line(a: Point, b: Point, dots: bool = False) -> str:
    """A straight line; level and upright ones are rules."""
    (x, y), (u, v) = ((round(p[0], 2), round(p[1], 2)) for p in (a, b))
    if not dots and y == v:
        return f"\\put({number(min(x, u))},{number(-y)}){{\\line(1,0){{{number(abs(u - x))}}}}}"
    if not dots and x == u:
        return f"\\put({number(x)},{number(-max(y, v))}){{\\line(0,1){{{number(abs(v - y))}}}}}"
    return curve(a, ((x + u) / 2, (y + v) / 2), b, max(1, round(math.dist(a, b) / DOTS)) if dots else 0)


def curve(start: Point, bend: Point, end: Point, dots: int = 0) -> str:
    places = "".join(f"({number(p[0])},{number(-p[1])})" for p in (start, bend, end))
    return f"\\qbezier{f'[{dots}]' if dots else ''}{places}"


# charts -----------------------------------------------------------------------------------------------------------------
def chart(drawing: Plan) -> Iterator[str]:
    """The axes, the curves and the letters of a chart."""
    frame = drawing.frame
    yield "\\linethickness{0.2pt}"
    yield from (line((frame.left, y), (frame.right, y)) for y in drawing.grid)
    for level in drawing.contours:
        yield from joined([(float(x), float(y)) for x, y in level])
    yield "\\linethickness{0.4pt}"
    yield line((frame.left, frame.top), (frame.left, frame.bottom))
    yield line((frame.left, frame.bottom), (frame.right, frame.bottom))
    if drawing.closed:
        yield line((frame.right, frame.bottom), (frame.right, frame.top))
        yield line((frame.right, frame.top), (frame.left, frame.top))
    yield from (line((a, b), (c, d)) for a, b, c, d in drawing.ticks)
    for trail in (*drawing.trails, *drawing.samples):
        yield from trailed(trail)
    yield from map(labelled, drawing.labels)


def trailed(trail: Trail) -> Iterator[str]:
    """A curve: the first of a chart is drawn through, others are dotted; marks are discs."""
    yield f"\\linethickness{{{number(0.35 * trail.thickness + 0.15 * (trail.variant > 0))}pt}}"
    for points in trail.lines:
        yield from joined([(float(x), float(y)) for x, y in points], dots=trail.variant > 0)
    for x, y in trail.marks:
        yield f"\\put({number(float(x))},{number(-float(y))}){{\\circle*{{{number(2 * trail.radius)}}}}}"
    for x, y in trail.ends[:1]:
        yield f"\\put({number(float(x))},{number(-float(y))}){{\\circle{{10}}}}"


def joined(points: Sequence[Point], dots: bool = False) -> Iterator[str]:
    """Points joined, of many some."""
    step = max(1, math.ceil(len(points) / JOINED))
    some = [*points[:-1:step], *points[-1:]]
    yield from (line(a, b, dots) for a, b in pairwise(some) if a != b)


def labelled(label: Label) -> str:
    return put(label.x, label.y, label.content, 9, _ANCHORS[label.anchor])
