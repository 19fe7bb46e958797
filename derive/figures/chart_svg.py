"""A chart as SVG for a page: no ids, text in the page's own font, colours from the page's custom properties."""

from __future__ import annotations

import numpy as np

from derive.figures.chart import Chart
from derive.figures.plan import COLOURS, SIZE, Label, Plan, Trail, plan
from derive.figures.svg import number, quoted, symbol_spans
from derive.figures.trace import Trace

_STYLE = (
    ".plot text{fill:var(--ink,#1f2a37);font-variant-numeric:lining-nums tabular-nums}"
    ".plot path{fill:none;stroke-linejoin:round}"
    ".plot .axes{stroke:var(--muted,#6b7684)}"
    ".plot .grid{stroke:var(--line,#dfe1e4)}"
    ".plot .level{stroke:var(--muted,#6b7684);opacity:.45}"
    ".plot .steps{stroke-linejoin:miter}"
    ".plot .disc{stroke-linecap:round}"
    ".plot .end{stroke-width:1.8}"
)
_HUES = "".join(
    f".plot .c{i} path{{stroke:var(--c{i},{colour})}}.plot .c{i} .mark{{fill:var(--c{i},{colour})}}"
    for i, colour in enumerate(COLOURS)
)


def to_svg(chart: Chart) -> str:
    """An `<svg>` element to stand in a page or alone; it names nothing that another chart could name too."""
    drawing = plan(chart)
    size = f"{number(drawing.width)} {number(drawing.height)}"
    width, height = size.split()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label="{_spoken(chart)}" '
        f'width="{width}" height="{height}" viewBox="0 0 {size}" font-size="{number(SIZE)}">',
        f"<title>{quoted(chart.title)}</title>",
        f"<style>{_STYLE}{_HUES}</style>",
        *(f'<path class="level" d="{_line(line)}"/>' for line in drawing.contours),
        *_axes(drawing),
        *(_trail(trail) for trail in (*drawing.trails, *drawing.samples)),
        *map(_label, drawing.labels),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _spoken(chart: Chart) -> str:
    """What is shown, for those who do not see it: the title, the axes and the curves."""
    names = (chart.title, f"{chart.y.label} / {chart.x.label}", *(curve.label for curve in chart.curves))
    return quoted("; ".join(filter(None, names)))


def _axes(drawing: Plan) -> list[str]:
    frame = drawing.frame
    left, right, top, bottom = (number(n) for n in (frame.left, frame.right, frame.top, frame.bottom))
    outline = f"M{left} {top}V{bottom}H{right}" + (f"V{top}z" if drawing.closed else "")
    ticks = "".join(f"M{number(a)} {number(b)}L{number(c)} {number(d)}" for a, b, c, d in drawing.ticks)
    grid = "".join(f"M{left} {number(place)}H{right}" for place in drawing.grid)
    return [f'<path class="grid" d="{grid}"/>'] * bool(grid) + [f'<path class="axes" d="{outline}{ticks}"/>']


def _trail(trail: Trail) -> str:
    """A curve: its lines, its marks, and for a path a ring where it starts and a large mark where it ends."""
    parts = [f"<title>{quoted(trail.title)}</title>"] if trail.title else []
    if trail.lines:
        dashes = f' stroke-dasharray="{" ".join(map(number, trail.dashes))}"' if trail.dashes else ""
        parts.append(
            f'<path class="line" stroke-width="{number(trail.thickness)}" d="{"".join(map(_line, trail.lines))}"{dashes}/>'
        )
    if len(trail.marks):
        parts.append(_marks(trail, trail.marks, trail.radius))
    if len(trail.ends):
        (x, y), radius = trail.ends[0], 5.0
        ring = f"M{number(x - radius)} {number(y)}a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"
        parts += [f'<path class="end" d="{ring}"/>', _marks(trail, trail.ends[1:], 2 * trail.radius)]
    return f'<g class="curve {trail.style} c{trail.colour}">{"".join(parts)}</g>'


def _marks(trail: Trail, places: Trace, radius: float) -> str:
    """Marks of one shape; a disc is a line of no length with round ends."""
    if not trail.shape:
        spots = "".join(f"M{_pair(place)}h0" for place in _tenths(places))
        return f'<path class="disc" stroke-width="{number(2 * radius)}" d="{spots}"/>'
    corners = np.array(trail.shape) * radius
    spots = "".join(_line(place + corners) + "z" for place in places)
    return f'<path class="mark" stroke-width="0" d="{spots}"/>'


def _line(points: Trace) -> str:
    """Points joined, each after the first by its distance from the one before, in tenths of a pixel."""
    tenths = _tenths(points)
    steps = [_pair(step) for step in np.diff(tenths, axis=0) if step.any()]
    return f"M{_pair(tenths[0])}" + (f"l{' '.join(steps)}" if steps else "h0")


def _tenths(points: Trace) -> Trace:
    return np.rint(points * 10) + 0.0


def _pair(tenths: Trace) -> str:
    x, y = (f"{n / 10:.1f}".removesuffix(".0").replace("0.", ".", 1 if abs(n) < 10 else 0) for n in tenths)
    return f"{x}{'' if y.startswith('-') else ' '}{y}"


def _label(label: Label) -> str:
    at = f'x="{number(label.x)}" y="{number(label.y + 0.34 * SIZE)}" text-anchor="{label.anchor}"'
    content = label.content
    inside = quoted(content) if isinstance(content, str) else "".join(symbol_spans(content, SIZE))
    return f"<text {at}>{inside}</text>"
