"""Parts of a document for notes in LaTeX: lines without the page around them, which need amsmath and amssymb alone."""

from __future__ import annotations

from dataclasses import replace

from derive.document import Block, Document, Line, Step, say
from derive.formula import Name
from derive.printers.fragments import Fragments
from derive.printers.pieces import Piece
from derive.spelling import spell

HEADINGS = ("section", "subsection", "subsubsection", "paragraph", "subparagraph")


def sections(document: Document, level: int | None) -> str:
    """All sections of a document. level: of the headings, 1 for sections; with None there are none, and titles are bold"""
    p = Fragments(document)
    steps = [block for section in document.sections for block in section.blocks if not isinstance(block, Step)]
    alone = sum(len(section.blocks) for section in document.sections) == 1 and not steps
    found: list[str] = []
    for section in document.sections:
        found += heading(p.say(section.title), level) if level else []
        for block in section.blocks:
            found += one(p, block, alone=alone, level=level and level + 1)
    return "\n".join(found)


def piece(document: Document, found: Piece, level: int | None) -> str:
    """A piece, with its title where there are headings."""
    p = Fragments(document)
    title = heading(p.say(found.title), level) if level else []
    return "\n".join([*title, p.piece(found).rstrip("\n")])


def one(p: Fragments, block: Block, *, alone: bool, level: int | None) -> list[str]:
    """A block with its title, which goes without saying where it is alone and there are no headings."""
    if isinstance(block, Step) and level:
        return [*heading(p.say(block.title), level), *p.block(block, headed=False)]
    return p.block(block, headed=not alone)


def heading(title: str, level: int) -> list[str]:
    return [rf"\{HEADINGS[min(level, len(HEADINGS)) - 1]}*{{{title}}}"]


def value(document: Document, name: Name) -> str:
    """The number, or the matrix, behind a name."""
    p = Fragments(document)
    return p.inline(spell(name, p.dialect, p.show))


def line(document: Document, found: Line, *, numbers: bool = True) -> str:
    """A line on rows of its own; without its numbers it is the formula alone."""
    shown = found if numbers else replace(found, has_value=False, condition=None)
    return "\n".join(Fragments(document).block(Step("", say(""), lines=(shown,)), headed=False))
