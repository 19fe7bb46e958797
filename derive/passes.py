"""Document → document: what to leave out, what to unfold."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from derive.document import Block, Document, Line, Section, Step, Table, steps_of
from derive.ids import after, base, derivative, is_after, kind, plain, split, state, step, untimed

Wanted = tuple[str, tuple[int, ...]]


def brief(document: Document) -> Document:
    """The lines without the reasons and without what only confirms or repeats them."""

    def shorter(block: Block) -> Block:
        if not isinstance(block, Step):
            return block
        inside = () if block.lines else tuple(step for step in block.substeps if step.lines)
        return replace(block, why=(), substeps=tuple(replace(step, why=(), substeps=()) for step in inside))

    short = each_block(document, shorter)
    sections = (replace(s, blocks=tuple(b for b in s.blocks if not empty(b))) for s in short.sections)
    return replace(short, sections=tuple(sections))


def empty(block: Block) -> bool:
    """A step that has a title only: its one sentence, that a parameter is frozen, is among the conventions."""
    return isinstance(block, Step) and not (block.lines or block.substeps)


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


def listed(only: str) -> tuple[str, ...]:
    """The quantities that `--only` names, between commas: those inside brackets belong to an entry."""
    return tuple(name.strip() for name in re.split(r",(?![^\[]*\])", only) if name.strip())


def select(document: Document, wanted: Sequence[Wanted]) -> Document:
    """Only the lines of some quantities; of a parameter, its gradient and its update."""
    sections = (replace(s, blocks=tuple(kept(s, wanted))) for s in document.sections)
    return replace(document, sections=tuple(s for s in sections if s.blocks), chosen=tuple(wanted))


def kept(section: Section, wanted: Sequence[Wanted]) -> list[Block]:
    found: list[Block] = []
    for block in section.blocks:
        parts = (replace(s, lines=tuple(x for x in s.lines if matches(x, wanted))) for s in steps_of(block))
        found += [replace(step, substeps=(), fold=False) for step in parts if step.lines]
    return found


def matches(line: Line, wanted: Sequence[Wanted]) -> bool:
    return concerns(plain(line.target.id)[1], line.target.index, wanted)


def concerns(own: str, at: tuple[int, ...], wanted: Sequence[Wanted]) -> bool:
    """Whether a quantity, or an entry of it, is one of those wanted, or belongs to a parameter that is."""
    for id, index in wanted:
        ids = {id, *(belonging(own, id) if is_parameter(id) else ())}
        ids |= {own} if id == base(own) == "lr" else set()  # the rates of all steps or epochs
        if own in ids and (not index or not at or index == at):
            return True
    return False


def is_parameter(id: str) -> bool:
    return not split(id)[0] and not state(id)[0] and kind(id)[0] in ("W", "b") and not is_after(id)


def belonging(own: str, parameter: str) -> set[str]:
    """The ids of a parameter's gradient, of its value after the update, and of what the optimizer computes for it."""
    letter, of = state(own)
    computed = letter and untimed(of) == untimed(parameter) and step(own) == step(parameter)
    return {derivative("L", parameter), after(parameter), *([own] if computed else [])}
