"""A network as a PNG or PDF file, drawn by matplotlib without its global state."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from derive.figures.geometry import Box, Drawing, Node, Point, Text, Wire, layout
from derive.figures.network import Network
from derive.figures.text import plain, text_width, wide
from derive.figures.tikz import symbol_tex
from derive.formula import Symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Draw = Callable[[Axes, float], None]

_INCH = 96.0
POINTS = 0.75
_COLOURS = {"ink": "#1f2a37", "muted": "#6b7684", "accent": "#1d5fa8", "positive": "#2b6cb0", "negative": "#c05621"}
_CJK = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")
_WIDEST = 40.0
"""Inches at most on the longer side, so that a deep network still makes a picture."""


def to_png(network: Network, dpi: int = 200) -> bytes:
    """The network as a PNG picture."""
    drawing = layout(network)
    return png(drawing.bounds, lambda axes, scale: _draw(axes, drawing, scale), dpi)


def to_pdf(network: Network) -> bytes:
    """The network as a PDF page of its own size."""
    drawing = layout(network)
    return pdf(drawing.bounds, lambda axes, scale: _draw(axes, drawing, scale), network.title)


def png(bounds: Box, draw: Draw, dpi: int) -> bytes:
    """A drawing as a PNG picture."""
    return _render(bounds, draw, "png", dpi=dpi, metadata={"Software": None})


def pdf(bounds: Box, draw: Draw, title: str) -> bytes:
    """A drawing as a PDF page of its own size."""
    metadata = {"CreationDate": None, "Creator": None, "Producer": None, "Title": title}
    return _render(bounds, draw, "pdf", metadata=metadata)


def _render(bounds: Box, draw: Draw, form: str, **options: Any) -> bytes:
    """Draw on a figure of exactly the size of the drawing."""
    import matplotlib
    from matplotlib.figure import Figure

    inches = bounds.width / _INCH, bounds.height / _INCH
    scale = min(1.0, _WIDEST / max(inches))
    with matplotlib.rc_context({"mathtext.fontset": "stix", "font.family": families(), "pdf.fonttype": 42}):
        figure = Figure(figsize=(inches[0] * scale, inches[1] * scale), facecolor="white")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(bounds.left, bounds.right)
        axes.set_ylim(bounds.bottom, bounds.top)
        draw(axes, scale)
        file = io.BytesIO()
        figure.savefig(file, format=form, **options)
    return file.getvalue()


def families() -> list[str]:
    """matplotlib's own font, then those installed that have CJK characters."""
    from matplotlib import font_manager

    installed = set(font_manager.get_font_names())
    return ["DejaVu Sans", *(name for name in _CJK if name in installed)]


def _draw(axes: Axes, drawing: Drawing, scale: float) -> None:
    """Lines first, then labels, then units."""
    for wire in drawing.wires:
        _wire(axes, wire, scale)
    for wire in drawing.wires:
        if wire.label:
            _back(axes, wire.label, 2)
        for text in wire.texts:
            _text(axes, text, scale, 3)
    for node in drawing.nodes:
        _node(axes, node, scale)
    for text in drawing.headings:
        _text(axes, text, scale, 5)
    for x, y in drawing.dots:
        _dots(axes, (x, y))


def _wire(axes: Axes, wire: Wire, scale: float) -> None:
    """The line of an edge."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points = [wire.start, wire.bend, wire.end] if wire.bend else [wire.start, wire.end]
    codes = [Path.MOVETO, Path.CURVE3, Path.CURVE3] if wire.bend else [Path.MOVETO, Path.LINETO]
    colour, width = _COLOURS[wire.tone], wire.thickness * POINTS * scale
    axes.add_patch(
        FancyArrowPatch(
            path=Path([point for point in points if point], codes),
            arrowstyle="-|>,head_length=0.5,head_width=0.18" if wire.arrow else "-",
            mutation_scale=10 * scale,
            color=colour,
            linewidth=width,
            shrinkA=0,
            shrinkB=0,
            zorder=1,
        )
    )


def _node(axes: Axes, node: Node, scale: float) -> None:
    """A unit: its shape and its texts."""
    from matplotlib.patches import Circle, FancyBboxPatch, Patch

    box, kind = node.box, node.unit.kind
    colour = _COLOURS[{"bias": "muted", "target": "muted", "loss": "accent"}.get(kind, "ink")]
    style: dict[str, Any] = {"facecolor": "white", "edgecolor": colour, "linewidth": 0.9 * scale, "zorder": 4}
    if kind == "target":
        style["linestyle"] = (0, (4, 3))
    shape: Patch
    if node.round:
        shape = Circle((box.x, box.y), box.width / 2, **style)
    else:
        rounded = "round,pad=0,rounding_size=6"
        shape = FancyBboxPatch((box.left, box.top), box.width, box.height, boxstyle=rounded, **style)
    axes.add_patch(shape)
    for text in node.texts:
        if text.backed:
            _back(axes, text.box, 4)
        _text(axes, text, scale, 5)


def _dots(axes: Axes, point: Point) -> None:
    """Three dots above one another."""
    from matplotlib.patches import Circle

    for dy in (-8, 0, 8):
        axes.add_patch(Circle((point[0], point[1] + dy), 1.8, color=_COLOURS["muted"], linewidth=0, zorder=4))


def _back(axes: Axes, box: Box, order: int) -> None:
    """The filled rectangle behind a label."""
    from matplotlib.patches import Rectangle

    corner = box.left - 2, box.top
    axes.add_patch(Rectangle(corner, box.width + 4, box.height, facecolor="white", linewidth=0, zorder=order))


def _text(axes: Axes, text: Text, scale: float, order: int) -> None:
    """A line of text centred on its point."""
    content, maths = content_of(text.content)
    fit = 1.0 if maths else min(0.92, max(0.5, text.box.width / max(text_width(content, text.size), 1.0)))
    axes.text(
        text.x,
        text.y,
        content,
        fontsize=text.size * POINTS * scale * fit,
        color=_COLOURS[text.tone],
        ha="center",
        va="center" if maths else "center_baseline",
        parse_math=maths,
        zorder=order,
    )


def content_of(content: Symbol | str) -> tuple[str, bool]:
    """A symbol as mathtext if mathtext can print it; anything else as plain text."""
    if isinstance(content, str):
        return content, False
    tex = symbol_tex(content)
    if "\\text" in tex or any(wide(char) for char in tex):
        return plain(content), False
    return f"${tex}$", True
