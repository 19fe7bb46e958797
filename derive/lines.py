"""A line of a solution as the equal signs it makes: target = form = numbers = value, row by row.

Printers spell these pieces and the witnesses evaluate them, so that what is checked is what is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derive.document import Block, Document, Line, Step
from derive.formula import Formula, Name, Number, names
from derive.spelling import Shown
from derive.values import Values

LARGE = 8  # a matrix with more rows or columns is not written out inside a formula


@dataclass(frozen=True)
class Piece:
    """One link of the chain: `relation` (= or ≈) and a formula, in symbols or (`numbers`) with its numbers."""

    relation: str
    formula: Formula
    numbers: bool = False


def rows(line: Line, values: Values) -> list[list[Piece]]:
    """The right side of a line. After numbers a new row starts again from the target; the value ends the last."""
    result: list[list[Piece]] = [[]]
    numeric = line.has_value and not values.symbolic
    for form in line.forms:
        # rounding as one goes, other ways to the same value end in other digits: only the last form is computed
        computed = form.numbers and (not values.policy.as_you_go or form is line.forms[-1])
        if result[-1] and result[-1][-1].numbers:
            result.append([])
        result[-1].append(Piece("=", form.formula))
        if numeric and computed and not trivial(form.formula):
            result[-1].append(Piece(relation(form.formula, values), form.formula, numbers=True))
    if numeric and not (line.forms and isinstance(line.forms[-1].formula, Number)):
        last = result[-1]
        rounded = any(piece.relation == "≈" for piece in last) or relation(line.target, values) == "≈"
        if values.policy.as_you_go and line.forms:
            rounded = not values.follows(line.forms[-1].formula, line.target)
        last.append(Piece("≈" if rounded else "=", line.target, numbers=True))
    return result


def trivial(f: Formula) -> bool:
    """Whether the numbers would say nothing more than the value does."""
    return isinstance(f, Name) or not any(True for _ in names(f))


def relation(f: Formula, values: Values) -> str:
    """`=` if every number written for a name is that number exactly, else `≈`."""
    return "=" if all(exact(values.shown(name)) for name in names(f)) else "≈"


def exact(shown: Shown) -> bool:
    if shown.numeral is not None:
        return shown.numeral.exact
    return all(numeral.exact for row in shown.rows for numeral in row if numeral is not None)


def steps(document: Document) -> Iterator[Step]:
    """All steps of a document, substeps after their step."""
    for section in document.sections:
        for block in section.blocks:
            yield from steps_of(block)


def steps_of(block: Block) -> Iterator[Step]:
    if isinstance(block, Step):
        yield block
        for substep in block.substeps:
            yield from steps_of(substep)
