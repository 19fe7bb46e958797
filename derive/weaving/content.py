"""What a marker asks for, printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from derive.document import Document
from derive.errors import InputError, nearest
from derive.printers import latex_notes, markdown_notes
from derive.printers.cited import CITED
from derive.printers.pieces import Piece, pieces
from derive.solution import Solution
from derive.weaving.markers import Marker, Source
from derive.weaving.request import Request


class Paper(Protocol):
    """What is printed on: how parts of a document are written in one kind of notes."""

    def sections(self, document: Document) -> str: ...
    def piece(self, document: Document, piece: Piece) -> str: ...
    def sentence(self, document: Document, what: str, id: str, index: tuple[int, ...]) -> str: ...
    def display(self, document: Document, what: str, id: str, index: tuple[int, ...]) -> str: ...


@dataclass(frozen=True)
class MarkdownPaper:
    """Markdown with mathematics in one flavour."""

    flavour: str
    titles: markdown_notes.Titles

    def sections(self, document: Document) -> str:
        return markdown_notes.sections(document, self.flavour, self.titles)

    def piece(self, document: Document, piece: Piece) -> str:
        return markdown_notes.piece(document, piece, self.flavour, self.titles)

    def sentence(self, document: Document, what: str, id: str, index: tuple[int, ...]) -> str:
        return markdown_notes.sentence(document, CITED[what], id, index, self.flavour)

    def display(self, document: Document, what: str, id: str, index: tuple[int, ...]) -> str:
        return markdown_notes.display(document, CITED[what], id, index, self.flavour)


@dataclass(frozen=True)
class TexPaper:
    """LaTeX that needs amsmath and amssymb."""

    layout: latex_notes.Layout

    def sections(self, document: Document) -> str:
        return latex_notes.sections(document, self.layout)

    def piece(self, document: Document, piece: Piece) -> str:
        return latex_notes.piece(document, piece, self.layout)

    def sentence(self, document: Document, what: str, id: str, index: tuple[int, ...]) -> str:
        return latex_notes.sentence(document, CITED[what], id, index)

    def display(self, document: Document, what: str, id: str, index: tuple[int, ...]) -> str:
        """A line is displayed; a comment cannot stand inside of a sentence, so the rest may still be part of one."""
        if what == "line":
            return latex_notes.display(document, id, index, self.layout)
        return self.sentence(document, what, id, index)


def content(solution: Solution, request: Request, paper: Paper, *, inline: bool) -> str:
    """The text for the place of a block; of a sentence, if `inline`. Raises InputError where there is nothing such."""
    document, wanted = solution.document, request.wanted
    if wanted in CITED:
        id, index = solution.named(request.options[wanted])
        return (paper.sentence if inline else paper.display)(document, wanted, id, index)
    if wanted == "piece":
        return text_of(paper.piece(document, piece_of(document, request.options["piece"])), request.options["piece"])
    if wanted == "only":
        return paper.sections(solution.only(*request.options["only"]).document)
    return paper.sections(document)


def piece_of(document: Document, name: str) -> Piece:
    """A piece by its name."""
    known = {piece.name: piece for piece in pieces(document)}
    if name not in known:
        raise InputError(f"there is no piece '{name}'.{nearest(name, known) or ' There are ' + ', '.join(known) + '.'}")
    return known[name]


def text_of(text: str, name: str) -> str:
    if not text:
        raise InputError(f"{name} is a picture, which into=… writes as a file")
    return text


def nested(source: Source, marker: Marker, request: Request) -> InputError:
    """The error for a block in a display of mathematics, where what is printed, a display or $…$, cannot stand."""
    wanted = request.wanted if request.wanted in CITED else "line"
    command = f"\\Derive{wanted.capitalize()}{{{request.options.get(wanted, 'id')}}}"
    problem = f"a block cannot stand in {marker.within}; {command} can, from the derive-values.tex that into=… writes"
    return source.error(problem, marker.start)
