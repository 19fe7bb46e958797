"""What a marker asks for, printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from derive.document import Document, Line, steps
from derive.errors import InputError
from derive.formula import Name
from derive.ids import plain
from derive.printers import notes
from derive.solution import Solution
from derive.weaving.loom import selected
from derive.weaving.request import Request


class Paper(Protocol):
    """What is printed on: how parts of a document are written in one kind of notes."""

    def sections(self, document: Document, level: int | None) -> str: ...
    def value(self, document: Document, name: Name, *, inline: bool) -> str: ...
    def line(self, document: Document, line: Line, *, inline: bool, numbers: bool) -> str: ...


@dataclass(frozen=True)
class MarkdownPaper:
    """Markdown with mathematics in one flavour."""

    flavour: str

    def sections(self, document: Document, level: int | None) -> str:
        return notes.sections(document, self.flavour, notes.Titles(level))

    def value(self, document: Document, name: Name, *, inline: bool) -> str:
        return notes.value(document, name, self.flavour, inline=inline)

    def line(self, document: Document, line: Line, *, inline: bool, numbers: bool) -> str:
        return notes.line(document, line, self.flavour, inline=inline, numbers=numbers)


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
        case "only":
            document = selected(solution, options["only"]).document
    return paper.sections(document, options.get("headings"))


def lines_of(solution: Solution, name: str) -> list[Line]:
    """The line that gives a quantity; of a quantity without a line of its own, those of its entries."""
    id, index = solution.named(name)
    every = [line for step in steps(solution.document) for line in step.lines if plain(line.target.id)[1] == id]
    own = [line for line in every if line.target.index == index]
    found = own[:1] or ([] if index else every)
    if not found:
        raise InputError(f"there is no line about {name} at this level")
    return found
