"""Parts of a document for notes in LaTeX: lines without the page around them, which need amsmath and amssymb alone."""

from __future__ import annotations

from collections.abc import Iterable

from derive.document import Block, Document, Step, say
from derive.printers.cited import Cited, lines_of
from derive.printers.fragments import Fragments
from derive.printers.pieces import Piece

HEADINGS = ("section", "subsection", "subsubsection", "paragraph", "subparagraph")


def sections(document: Document, level: int | None, *, bold: bool) -> str:
    """All sections of a document.

    level: of the headings, 1 for sections; with None there are none, and titles of steps are in bold, if `bold`
    """
    p = Fragments(document)
    alone = sum(len(section.blocks) for section in document.sections) == 1
    found: list[str] = []
    for section in document.sections:
        found += heading(p.say(section.title), level) if level else []
        found += blocks(p, section.blocks, level and level + 1, bold=bold and not alone)
    return "\n".join(found)


def piece(document: Document, found: Piece, level: int | None, *, bold: bool) -> str:
    """One piece of a document, with its title if there are headings."""
    p = Fragments(document)
    if found.listed or not level:
        title = heading(p.say(found.title), level) if level else []
        return "\n".join([*title, p.piece(found).rstrip("\n")])
    title = heading(p.say(found.title), level) if found.whole else []
    return "\n".join([*title, *blocks(p, found.blocks, level + 1 if found.whole else level, bold=bold)])


def blocks(p: Fragments, found: Iterable[Block], level: int | None, *, bold: bool) -> list[str]:
    """Blocks under headings of a level, or with titles in bold."""
    parts: list[str] = []
    for block in found:
        if isinstance(block, Step) and level:
            parts += [*heading(p.say(block.title), level), *p.block(block, headed=False)]
        else:
            parts += p.block(block, headed=bold)
    return parts


def heading(title: str, level: int) -> list[str]:
    return [rf"\{HEADINGS[min(level, len(HEADINGS)) - 1]}*{{{title}}}"]


def sentence(document: Document, what: Cited, id: str, index: tuple[int, ...]) -> str:
    """Something cited, to stand in a sentence."""
    p = Fragments(document)
    return p.inline(what(p, id, index))


def display(document: Document, id: str, index: tuple[int, ...]) -> str:
    """A line, or those of all entries, on rows of its own."""
    p = Fragments(document)
    step = Step("", say("page.case"), lines=tuple(lines_of(p, id, index)))
    return "\n".join(p.block(step, headed=False))
