"""The diagram of the network alone, as a file."""

from __future__ import annotations

from derive.document import Document, Figure
from derive.errors import InputError
from derive.figures.network import Network
from derive.figures.plot import to_pdf, to_png
from derive.figures.svg import to_svg
from derive.figures.tikz import PREAMBLE, to_tikz


def network(document: Document) -> Network:
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                return block.network
    raise InputError("this network has no layer to draw")


def svg(document: Document) -> str:
    return to_svg(network(document))


def tikz(document: Document) -> str:
    return f"% {PREAMBLE}\n{to_tikz(network(document))}\n"


def png(document: Document) -> bytes:
    return to_png(network(document))


def pdf(document: Document) -> bytes:
    return to_pdf(network(document))
