"""A document taken apart: its sections, and in them every step, table and figure, each under a name made from its id.

The names are those of files: letters, digits and hyphens, unique whatever the case of letters. They depend on the
network and on `--form`, not on numbers, so that a text that uses them stays valid while the numbers change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from derive.document import Block, Document, Figure, Say, Step, Table, Witness, say, steps_of
from derive.ids import derivative, plain, split, untimed
from derive.passes import unfolded
from derive.printers.common import looked_at, of_kinds, size, verdict

_LOSSES = {"l": "each", "L": "total"}  # names differ in more than the case of a letter


@dataclass(frozen=True)
class Piece:
    """What stands together in a file of its own.

    whole: whether it is a section, in which steps have headings · listed: whether its sentences are items of a list
    """

    name: str
    title: Say
    blocks: tuple[Block, ...]
    whole: bool = False
    listed: bool = False


def pieces(document: Document) -> tuple[Piece, ...]:
    """All pieces: every section followed by its parts, then what is said about the whole."""
    found: dict[str, Piece] = {}
    for piece in (*of_sections(document), *of_the_whole(document)):
        name, number = piece.name, 1
        while name.lower() in found:
            number += 1
            name = f"{piece.name}-{number}"
        found[name.lower()] = replace(piece, name=name)
    return tuple(found.values())


def of_sections(document: Document) -> Iterator[Piece]:
    for section in document.sections:
        yield Piece(filed(section.id), section.title, section.blocks, whole=True)
        for block in section.blocks:
            yield from inside(block)


def inside(block: Block) -> Iterator[Piece]:
    """The parts of a section that can stand alone."""
    match block:
        case Step():
            for step in steps_of(block):
                if step.lines or step.substeps:
                    yield Piece(named(step), step.title, (unfolded(step),), whole=not step.lines)
        case Table():
            yield Piece(f"table-{filed(block.id)}", block.title, (block,))
        case Figure():
            name = "diagram" if block.id == "network" else f"figure-{filed(block.id)}"
            yield Piece(name, block.title, (block,))


def named(step: Step) -> str:
    """The name of a step: that of the gradient or the new value it computes, else of its id."""
    before, here, rest = step.id.rpartition("backward/")
    targets = {untimed(plain(line.target.id)[1]) for line in step.lines}
    target = targets.pop() if len(targets) == 1 else ""
    quantity = split(target)[1]
    if here and rest.count("/") == 1 and target == derivative("L", quantity):
        return filed(f"{before}gradient-{quantity}")
    if new := re.fullmatch(r"(.*)update/(\d+)/([A-Za-z]+)(.*)", step.id):
        return filed(f"{new[1]}update-{new[3]}{new[2]}{new[4]}")
    return filed(step.id)


def filed(id: str) -> str:
    """An id as the name of a file."""
    parts = id.split("/")
    if "loss" in parts[:-1]:
        parts[-1] = _LOSSES.get(parts[-1], parts[-1])
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-") or "piece"


def of_the_whole(document: Document) -> Iterator[Piece]:
    """What is said once: the result, the conventions, the report of the witnesses."""
    if document.summary:
        yield Piece("result", say("notes.result"), document.summary)
    if document.conventions:
        yield Piece("conventions", say("section.conventions"), document.conventions, listed=True)
    if document.witnesses:
        yield Piece("witnesses", say("section.witnesses"), (report(document),))


def report(document: Document) -> Table:
    """What the witnesses found, one row for each kind."""
    header = ("table.witness", "table.quantity", "table.compared", "table.max_rel", "table.tolerance", "table.verdict")
    rows = tuple(row(document, witness, every) for witness, every in of_kinds(document.witnesses))
    return Table("witnesses", say("section.witnesses"), tuple(map(say, header)), rows)


def row(document: Document, witness: Witness, every: tuple[Witness, ...]) -> tuple[object, ...]:
    """A kind of witness with its worst errors, and what all of that kind looked at."""
    seen = tuple(looked_at(document, one) for one in {one.quantity: one for one in every}.values())
    name = say(f"witness.{witness.name}")
    return (
        name if witness.note is None else (name, witness.note),
        seen,
        f"{witness.compared:,}",
        size(witness.max_rel),
        size(witness.tolerance),
        verdict(witness),
    )
