"""What a marker asks for, printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from derive.document import Document, Line, steps
from derive.errors import InputError, nearest
from derive.formula import Name
from derive.ids import plain
from derive.printers import latex_notes, markdown_notes
from derive.printers.pieces import Piece, pieces
from derive.solution import Solution
from derive.weaving.loom import selected
from derive.weaving.request import Request


class Paper(Protocol):
    """What is printed on: how parts of a document are written in one kind of notes."""

    def sections(self, document: Document) -> str: ...
    def piece(self, document: Document, piece: Piece) -> str: ...
    def value(self, document: Document, name: Name, *, inline: bool) -> str: ...
    def line(self, document: Document, line: Line, *, inline: bool, numbers: bool) -> str: ...


@dataclass(frozen=True)
class MarkdownPaper:
    """Markdown with mathematics in one flavour."""

    flavour: str
    titles: markdown_notes.Titles

    def sections(self, document: Document) -> str:
        return markdown_notes.sections(document, self.flavour, self.titles)

    def piece(self, document: Document, piece: Piece) -> str:
        return markdown_notes.piece(document, piece, self.flavour, self.titles)

    def value(self, document: Document, name: Name, *, inline: bool) -> str:
        return markdown_notes.value(document, name, self.flavour, inline=inline)

    def line(self, document: Document, line: Line, *, inline: bool, numbers: bool) -> str:
        return markdown_notes.line(document, line, self.flavour, inline=inline, numbers=numbers)


@dataclass(frozen=True)
class TexPaper:
    """LaTeX that needs amsmath and amssymb. level: of headings, or None · bold: whether steps have titles without"""

    level: int | None
    bold: bool

    def sections(self, document: Document) -> str:
        return latex_notes.sections(document, self.level, bold=self.bold)

    def piece(self, document: Document, piece: Piece) -> str:
        return latex_notes.piece(document, piece, self.level, bold=self.bold)

    def value(self, document: Document, name: Name, *, inline: bool) -> str:
        return latex_notes.value(document, name)

    def line(self, document: Document, line: Line, *, inline: bool, numbers: bool) -> str:
        return latex_notes.line(document, line, numbers=numbers)


def content(solution: Solution, request: Request, paper: Paper, *, inline: bool) -> str:
    """The text for the place of a block; of a sentence, if `inline`. Raises InputError where there is nothing such."""
    document, options = solution.document, request.options
    match request.wanted:
        case "value":
            id, index = solution.named(options["value"])
            if document.values.symbolic:
                raise InputError(f"'{options['value']}' has no number: the solution is symbolic")
            return paper.value(document, Name(id, index), inline=inline)
        case "formula" | "line" as wanted:
            lines = lines_of(solution, options[wanted])
            if inline and len(lines) > 1:
                raise InputError(f"{options[wanted]} has {len(lines)} lines; in a sentence there is room for one entry")
            return "\n\n".join(paper.line(document, line, inline=inline, numbers=wanted == "line") for line in lines)
        case "piece":
            return text_of(paper.piece(document, piece_of(document, options["piece"])), options["piece"])
        case "only":
            return paper.sections(selected(solution, options["only"]).document)
    return paper.sections(document)


def lines_of(solution: Solution, name: str) -> list[Line]:
    """The line that gives a quantity; of a quantity without a line of its own, those of its entries."""
    id, index = solution.named(name)
    every = [line for step in steps(solution.document) for line in step.lines if plain(line.target.id)[1] == id]
    own = [line for line in every if line.target.index == index]
    found = own[:1] or ([] if index else every)
    if not found:
        raise InputError(f"there is no line about {name} at this level")
    return found


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
