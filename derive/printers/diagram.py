"""The first figure of the document alone, as a file."""

from __future__ import annotations

from derive.document import Document, Figure
from derive.errors import InputError
from derive.figures.chart import Chart
from derive.figures.network import Network
from derive.figures.picture import to_pdf, to_png, to_svg, to_tikz
from derive.figures.tikz import PREAMBLE


def picture(document: Document) -> Network | Chart:
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                return block.picture
    raise InputError("this network has no layer to draw")


def svg(document: Document) -> str:
    return to_svg(picture(document))


def tikz(document: Document) -> str:
    return f"% {PREAMBLE}\n{to_tikz(picture(document))}\n"


def png(document: Document) -> bytes:
    return to_png(picture(document))


def pdf(document: Document) -> bytes:
    return to_pdf(picture(document))
