"""A picture of either kind, the network or a chart, in every format; what draws it is imported when it is drawn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from derive.figures.network import Network

if TYPE_CHECKING:
    from derive.figures.chart import Chart

    Picture = Network | Chart

ROOMS = {"svg": ("svg", "chart_svg"), "tikz": ("tikz", "chart_tikz"), "plot": ("plot", "chart_plot")}


def drawn(picture: Picture, room: str) -> Any:
    """The module that draws this kind of picture."""
    network, chart = ROOMS[room]
    return import_module(f"derive.figures.{network if isinstance(picture, Network) else chart}")


def to_svg(picture: Picture, id: str = "network") -> str:
    """An `<svg>` element; ids in it begin with this one, so that pictures on a page do not share any."""
    module = drawn(picture, "svg")
    return str(module.to_svg(picture, id) if isinstance(picture, Network) else module.to_svg(picture))


def to_tikz(picture: Picture, *, on_slides: bool = False) -> str:
    return str(drawn(picture, "tikz").to_tikz(picture, on_slides=on_slides))


def to_latex(picture: Picture) -> str:
    """In TikZ where the document has it, else in LaTeX's own picture environment."""
    strokes = import_module("derive.figures.strokes").to_picture(picture)
    tikz = to_tikz(picture, on_slides=True).rstrip()
    return f"\\ifcsname tikzpicture\\endcsname\n{tikz}\n\\else\n{strokes}\n\\fi"


def to_png(picture: Picture) -> bytes:
    return bytes(drawn(picture, "plot").to_png(picture))


def to_pdf(picture: Picture) -> bytes:
    return bytes(drawn(picture, "plot").to_pdf(picture))
