"""A chart as a TikZ picture: the drawing of the page with TeX's own letters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from derive.figures.chart import Chart
from derive.figures.plan import COLOURS, Label, Plan, Trail, plan
from derive.figures.tikz import POINTS, number, plain_tex, resized, symbol_tex
from derive.figures.trace import Trace

_ANCHORS = {"start": "mid west", "middle": "mid", "end": "mid east"}


def to_tikz(chart: Chart, *, on_slides: bool = False) -> str:
    """A centred picture that shrinks to the width of the line where it must, and `on_slides` to the height of a page."""
    drawing = plan(chart)
    colours = {f"chart{index}": colour[1:] for index, colour in enumerate(COLOURS)}
    colours |= {"chartink": "1F2A37", "chartmuted": "6B7684", "chartline": "DFE1E4", "chartlevel": "BDC3CA"}
    body = [
        *(f"\\definecolor{{{name}}}{{HTML}}{{{colour.upper()}}}%" for name, colour in colours.items()),
        "\\providecommand{\\text}[1]{\\mbox{#1}}%",
        resized(drawing.width * POINTS, drawing.height * POINTS, on_slides=on_slides),
        f"\\begin{{tikzpicture}}[x={POINTS}pt,y=-{POINTS}pt,line width=.6pt,line join=round,inner sep=0pt,outer sep=0pt]",
        f"\\useasboundingbox (0,0) rectangle ({number(drawing.width)},{number(drawing.height)});",
        *(f"\\draw[chartlevel,line width=.4pt] {_line(line)};" for line in drawing.contours),
        *_axes(drawing),
        *(part for trail in (*drawing.trails, *drawing.samples) for part in _trail(trail)),
        *map(_label, drawing.labels),
        "\\end{tikzpicture}}%",
    ]
    return "\n".join(["\\begin{center}", *body, "\\end{center}", ""])


def _axes(drawing: Plan) -> Iterator[str]:
    frame = drawing.frame
    left, right, top, bottom = (number(n) for n in (frame.left, frame.right, frame.top, frame.bottom))
    yield from (f"\\draw[chartline] ({left},{number(y)}) -- ({right},{number(y)});" for y in drawing.grid)
    rest = f" -- ({right},{top}) -- cycle" if drawing.closed else ""
    yield f"\\draw[chartmuted] ({left},{top}) -- ({left},{bottom}) -- ({right},{bottom}){rest};"
    for tick in drawing.ticks:
        a, b, c, d = map(number, tick)
        yield f"\\draw[chartmuted] ({a},{b}) -- ({c},{d});"


def _trail(trail: Trail) -> Iterator[str]:
    """A curve: its lines, its marks, and for a path a ring where it starts and a large mark where it ends."""
    colour = f"chart{trail.colour}"
    style = f"{colour},line width={number(trail.thickness * POINTS * 0.9)}pt"
    if trail.dashes:
        signs = ("on", "off") * (len(trail.dashes) // 2)
        lengths = (f"{sign} {number(n * POINTS)}pt" for sign, n in zip(signs, trail.dashes, strict=True))
        style += f",dash pattern={' '.join(lengths)}"
    yield from (f"\\draw[{style}] {_line(line)};" for line in trail.lines)
    yield from _marks(trail, trail.marks, trail.radius)
    if len(trail.ends):
        yield f"\\draw[{colour},line width=1.2pt] {_at(trail.ends[0])} circle[radius={number(5 * POINTS)}pt];"
        yield from _marks(trail, trail.ends[1:], 2 * trail.radius)


def _marks(trail: Trail, places: Trace, radius: float) -> Iterator[str]:
    for place in places:
        shape = f"{_at(place)} circle[radius={number(radius * POINTS)}pt]"
        if trail.shape:
            shape = f"{_line(place + np.array(trail.shape) * radius)} -- cycle"
        yield f"\\fill[chart{trail.colour}] {shape};"


def _line(points: Trace) -> str:
    """Points joined, a few on each line of the file."""
    places = [_at(point) for point in points]
    rows = [" -- ".join(places[start : start + 8]) for start in range(0, len(places), 8)]
    return "\n -- ".join(rows)


def _at(point: Trace) -> str:
    return f"({number(round(point[0], 1))},{number(round(point[1], 1))})"


def _label(label: Label) -> str:
    content = label.content
    inside = plain_tex(content) if isinstance(content, str) else f"${symbol_tex(content)}$"
    font = "\\fontsize{9}{11}\\selectfont"
    return f"\\node[chartink,anchor={_ANCHORS[label.anchor]},font={font}] at {_at(np.array((label.x, label.y)))} {{{inside}}};"
