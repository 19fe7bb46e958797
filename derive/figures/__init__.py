"""Network diagrams: one description, one layout, and three back ends (SVG, TikZ, matplotlib)."""

from derive.figures.geometry import Drawing, layout
from derive.figures.network import Column, Edge, Network, Unit
from derive.figures.plot import to_pdf, to_png
from derive.figures.svg import to_svg
from derive.figures.tikz import PREAMBLE, to_tikz

__all__ = [
    "PREAMBLE",
    "Column",
    "Drawing",
    "Edge",
    "Network",
    "Unit",
    "layout",
    "to_pdf",
    "to_png",
    "to_svg",
    "to_tikz",
]
