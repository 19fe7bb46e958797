"""Parts of a document for notes in LaTeX: lines without the page around them, which need amsmath and amssymb alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from derive.document import Block, Document, Line, Step, say
from derive.formula import Name
from derive.printers.fragments import Fragments
from derive.printers.pieces import Piece
from derive.spelling import spell

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


def value(document: Document, name: Name) -> str:
    """The number, or the matrix, behind a name."""
    p = Fragments(document)
    return p.inline(spell(name, p.dialect, p.show))


def line(document: Document, found: Line, *, numbers: bool = True) -> str:
    """A line on rows of its own; without its numbers it is the formula alone."""
    shown = found if numbers else replace(found, has_value=False, condition=None)
    return "\n".join(Fragments(document).block(Step("", say("page.case"), lines=(shown,)), headed=False))
