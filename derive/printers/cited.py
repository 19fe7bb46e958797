"""What can stand in a sentence about a solution: a number, a symbol, a formula, a line; as mathematics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np

from derive.document import Line, steps
from derive.errors import InputError
from derive.formula import Name, names
from derive.ids import plain
from derive.printers.common import Printer
from derive.spelling import spell

#: One of the four: of a printer, a quantity's id and the index of an entry, () for the whole.
Cited = Callable[[Printer, str, tuple[int, ...]], str]


def number(p: Printer, id: str, index: tuple[int, ...]) -> str:
    """The value of an entry, or of a whole quantity: a number or a matrix.

    Raises InputError where there is none: the solution is symbolic, or the quantity has more than two directions
    """
    values, quantity = p.document.values, p.document.quantities[id]
    if values.symbolic:
        raise InputError(f"{id} has no number: the solution is symbolic")
    if index or not quantity.shape:
        if id in values.nodes:
            return p.dialect.numeral(values.numeral(Name(id, index)))
        exactly = Fraction(float(np.asarray(quantity.value)[tuple(i - 1 for i in index)]))
        return p.dialect.numeral(values.rounded(exactly, None))
    if id not in values.nodes:
        raise InputError(f"{id} is no matrix that could be written out; name an entry")
    name = Name(id, (), quantity.symbol.symbol, quantity.shape, scalar=False)
    return spell(name, p.dialect, lambda name: values.shown(name, p.largest))


def symbol(p: Printer, id: str, index: tuple[int, ...]) -> str:
    """How a quantity is written, or an entry that is written somewhere."""
    if not index or not p.document.quantities[id].shape:
        return spell(p.document.quantities[id].symbol, p.dialect)
    for step in steps(p.document):
        for line in step.lines:
            for name in names_in(line):
                if (plain(name.id), name.index) == ((1, id), index):
                    return spell(name, p.dialect)
    raise InputError(f"this entry of {id} is not written here by itself; form=scalar writes all")


def names_in(line: Line) -> Iterator[Name]:
    """All names in a line."""
    yield line.target
    for form in line.forms:
        yield from names(form.formula)


def formula(p: Printer, id: str, index: tuple[int, ...]) -> str:
    """What a quantity is computed by, in symbols."""
    found = [form.formula for form in line_of(p, id, index).forms if form.symbols]
    if not found:
        raise InputError(f"{id} has no formula")
    return spell(found[0], p.dialect)


def chain(p: Printer, id: str, index: tuple[int, ...]) -> str:
    """A line in one row: symbol = formula = numbers = value."""
    found = line_of(p, id, index)
    signs = {"≈": r" \approx ", "=": " = "}
    return p.target(found) + "".join(signs[link.relation] + link.text for link in p.links(found))


def line_of(p: Printer, id: str, index: tuple[int, ...]) -> Line:
    """The line of a quantity or an entry."""
    found = lines_of(p, id, index)
    if len(found) > 1:
        raise InputError(f"{id} has {len(found)} lines; name an entry")
    return found[0]


def lines_of(p: Printer, id: str, index: tuple[int, ...]) -> list[Line]:
    """The line of a quantity or an entry; of a quantity without a line of its own, those of its entries."""
    every = [line for step in steps(p.document) for line in step.lines if plain(line.target.id)[1] == id]
    own = [line for line in every if line.target.index == index]
    entries = {} if index else {line.target.index: line for line in reversed(every)}
    found = own[:1] or [entries[at] for at in sorted(entries)]
    if not found:
        raise InputError(f"there is no line about {id} here")
    return found


#: By the name under which notes ask for them.
CITED: dict[str, Cited] = {"value": number, "symbol": symbol, "formula": formula, "line": chain}
