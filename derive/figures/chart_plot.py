"""A chart as a PNG or PDF file, drawn by matplotlib in the layout of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from derive.figures.chart import Chart
from derive.figures.geometry import Box
from derive.figures.plan import COLOURS, SIZE, Label, Plan, Trail, plan
from derive.figures.plot import POINTS, content_of, pdf, png
from derive.figures.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _MUTED, _FAINT = "#1f2a37", "#6b7684", "#dfe1e4"
_SIDES = {"start": "left", "middle": "center", "end": "right"}


def to_png(chart: Chart, dpi: int = 200) -> bytes:
    """The chart as a PNG picture."""
    drawing = plan(chart)
    return png(_bounds(drawing), lambda axes, scale: _draw(axes, drawing), dpi)


def to_pdf(chart: Chart) -> bytes:
    """The chart as a PDF page of its own size."""
    drawing = plan(chart)
    return pdf(_bounds(drawing), lambda axes, scale: _draw(axes, drawing), chart.title)


def _bounds(drawing: Plan) -> Box:
    return Box(drawing.width / 2, drawing.height / 2, drawing.width, drawing.height)


def _draw(axes: Axes, drawing: Plan) -> None:
    frame = drawing.frame
    for line in drawing.contours:
        axes.plot(*line.T, color=_MUTED, alpha=0.45, linewidth=0.6)
    for place in drawing.grid:
        axes.plot((frame.left, frame.right), (place, place), color=_FAINT, linewidth=0.75)
    xs = [frame.left, frame.left, frame.right, *([frame.right, frame.left] if drawing.closed else [])]
    ys = [frame.top, frame.bottom, frame.bottom, *([frame.top, frame.top] if drawing.closed else [])]
    axes.plot(xs, ys, color=_MUTED, linewidth=0.75)
    for a, b, c, d in drawing.ticks:
        axes.plot((a, c), (b, d), color=_MUTED, linewidth=0.75)
    for trail in (*drawing.trails, *drawing.samples):
        _trail(axes, trail)
    for label in drawing.labels:
        _label(axes, label)


def _trail(axes: Axes, trail: Trail) -> None:
    """A curve: its lines, its marks, and for a path a ring where it starts and a large mark where it ends."""
    from matplotlib.patches import Circle

    width = trail.thickness * POINTS
    dashes = (0.0, tuple(length * POINTS / width for length in trail.dashes))
    for line in trail.lines:
        style = dashes if trail.dashes else "solid"
        axes.plot(*line.T, color=COLOURS[trail.colour], linewidth=width, linestyle=style, solid_joinstyle="round")
    _marks(axes, trail, trail.marks, trail.radius)
    if len(trail.ends):
        x, y = trail.ends[0]
        axes.add_patch(Circle((x, y), 5.0, fill=False, edgecolor=COLOURS[trail.colour], linewidth=1.35, zorder=3))
        _marks(axes, trail, trail.ends[1:], 2 * trail.radius)


def _marks(axes: Axes, trail: Trail, places: Trace, radius: float) -> None:
    from matplotlib.collections import PolyCollection

    turns = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    corners = np.array(trail.shape) if trail.shape else np.column_stack((np.cos(turns), np.sin(turns)))
    shapes = [place + radius * corners for place in places]
    axes.add_collection(PolyCollection(shapes, facecolors=COLOURS[trail.colour], linewidths=0, zorder=3))


def _label(axes: Axes, label: Label) -> None:
    content, maths = content_of(label.content)
    axes.text(
        label.x,
        label.y,
        content,
        fontsize=SIZE * POINTS * (1.0 if maths else 0.9),
        color=_INK,
        ha=_SIDES[label.anchor],
        va="center" if maths else "center_baseline",
        parse_math=maths,
    )
