"""Parts of a document for notes in LaTeX: lines without the page around them, which need amsmath and amssymb alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from derive.document import Block, Document, Line, Step, Table, say
from derive.printers.cited import Cited, lines_of
from derive.printers.fragments import Fragments
from derive.printers.pieces import Piece

HEADINGS = ("section", "subsection", "subsubsection", "paragraph", "subparagraph")


@dataclass(frozen=True)
class Layout:
    """How parts are set.

    level: of the headings, 1 for sections; with None there are none, and titles of steps are in bold
    bold: whether there are such titles · width: of lines and tables, in em; None for whatever the line has
    """

    level: int | None = None
    bold: bool = True
    width: float | None = None


class Woven(Fragments):
    """Parts of a document, for a line of any width or of the one that is known."""

    def __init__(self, document: Document, width: float | None) -> None:
        super().__init__(document)
        self.width = width

    def lines_of(self, step: Step) -> str:
        return super().lines_of(step) if self.width is None else self.equations(step, self.width)

    def table(self, table: Table) -> str:
        return super().table(table) if self.width is None else self.tabular(table, self.width)


def sections(document: Document, layout: Layout) -> str:
    """All sections of a document."""
    p = Woven(document, layout.width)
    if lines := lines_alone(document) if not layout.level and not layout.bold else ():
        return inside(p.block(Step("", say("page.case"), lines=lines), headed=False))
    alone = sum(len(section.blocks) for section in document.sections) == 1
    found: list[str] = []
    for section in document.sections:
        found += heading(p.say(section.title), layout.level) if layout.level else []
        found += blocks(p, section.blocks, layout.level and layout.level + 1, bold=layout.bold and not alone)
    return apart(found)


def lines_alone(document: Document) -> tuple[Line, ...]:
    """The lines of a document, one under the other, if there is nothing else in it."""
    blocks = [block for section in document.sections for block in section.blocks]
    steps = [block for block in blocks if isinstance(block, Step) and not block.why and not block.substeps]
    return tuple(line for step in steps for line in step.lines) if len(steps) == len(blocks) else ()


def piece(document: Document, found: Piece, layout: Layout) -> str:
    """One piece of a document, with its title if there are headings."""
    p, level = Woven(document, layout.width), layout.level
    if found.listed:
        return "\n".join([*(heading(p.say(found.title), level) if level else []), p.piece(found).rstrip("\n")])
    title = heading(p.say(found.title), level) if found.whole and level else []
    inner = level + 1 if found.whole and level else level
    return apart([*title, *blocks(p, found.blocks, inner, bold=layout.bold and found.whole)])


def blocks(p: Fragments, found: Iterable[Block], level: int | None, *, bold: bool) -> list[str]:
    """Blocks under headings of a level, or with titles in bold."""
    parts: list[str] = []
    for block in found:
        if isinstance(block, Step) and level:
            parts += [*heading(p.say(block.title), level), *p.block(block, headed=False)]
        else:
            parts += p.block(block, headed=bold)
    return parts


def inside(parts: Iterable[str]) -> str:
    """Displays inside a paragraph that goes on; a page may end between their rows."""
    return "\n".join([r"\begingroup\allowdisplaybreaks", *parts, r"\endgroup\ignorespaces"])


def apart(parts: Iterable[str]) -> str:
    """Paragraphs of their own, as pieces in files are."""
    begin, end = r"\par\begingroup\sloppy\allowdisplaybreaks\jot=5pt\relax", r"\par\endgroup"
    return "\n".join([begin, *parts, end])


def heading(title: str, level: int) -> list[str]:
    return [rf"\{HEADINGS[min(level, len(HEADINGS)) - 1]}*{{{title}}}"]


def sentence(document: Document, what: Cited, id: str, index: tuple[int, ...]) -> str:
    """Something cited, to stand in a sentence."""
    p = Fragments(document)
    return p.inline(what(p, id, index))


def display(document: Document, id: str, index: tuple[int, ...], layout: Layout) -> str:
    """A line, or those of all entries, on rows of its own."""
    p = Woven(document, layout.width)
    lines = lines_of(p, id, index)
    shown = p.block(Step("", say("page.case"), lines=tuple(lines)), headed=False)
    return "\n".join(shown) if len(lines) == 1 else inside(shown)
