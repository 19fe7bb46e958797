"""Document → document: what to leave out, what to unfold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from derive.contract import kind, plain, split
from derive.document import Block, Document, Line, Section, Step, Table

Wanted = tuple[str, tuple[int, ...]]


def brief(document: Document) -> Document:
    """The lines without the reasons and without what only confirms them."""

    def shorter(block: Block) -> Block:
        return replace(block, why=(), substeps=()) if isinstance(block, Step) else block

    return each_block(document, shorter)


def normal(document: Document) -> Document:
    return document


def full(document: Document) -> Document:
    """Nothing folded."""
    return each_block(document, unfolded)


def unfolded(block: Block) -> Block:
    if isinstance(block, Step):
        return replace(block, fold=False, substeps=tuple(replace(s, fold=False) for s in block.substeps))
    return replace(block, fold=False) if isinstance(block, Table) else block


LEVELS: dict[str, Callable[[Document], Document]] = {"brief": brief, "normal": normal, "full": full}


def each_block(document: Document, change: Callable[[Block], Block]) -> Document:
    sections = (replace(s, blocks=tuple(change(block) for block in s.blocks)) for s in document.sections)
    return replace(document, sections=tuple(sections))


def select(document: Document, wanted: Sequence[Wanted]) -> Document:
    """Only the lines of some quantities; of a parameter, its gradient and its update."""
    sections = (replace(s, blocks=tuple(kept(s, wanted))) for s in document.sections)
    return replace(document, sections=tuple(s for s in sections if s.blocks))


def kept(section: Section, wanted: Sequence[Wanted]) -> list[Block]:
    found: list[Block] = []
    for block in section.blocks:
        if isinstance(block, Step):
            lines = tuple(line for line in block.lines if matches(line, wanted))
            if lines:
                found.append(replace(block, lines=lines, substeps=(), fold=False))
    return found


def matches(line: Line, wanted: Sequence[Wanted]) -> bool:
    own = plain(line.target.id)[1]
    for id, index in wanted:
        parameter = not split(id)[0] and kind(id)[0] in ("W", "b") and not id.endswith("+")
        ids = {id, f"dL/d{id}", f"{id}+"} if parameter else {id}
        if own in ids and (not index or not line.target.index or index == line.target.index):
            return True
    return False
