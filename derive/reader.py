"""Reads a graph as lines of a solution: entry by entry, or matrix by matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Protocol

import numpy as np

from derive import formula as fm
from derive.algebra import EXACT, UNKNOWN, Value, evaluate
from derive.document import Form, Line
from derive.formula import Apply, Formula, Name, Number
from derive.graph import Node, expand, notate
from derive.ids import plain
from derive.lines import LARGE
from derive.notation import Notation
from derive.values import Values


class Naming(Protocol):
    """What gives quantities their names on the page."""

    def entry(self, node: Node, row: int, column: int, *, delta: bool = False) -> Name: ...
    def whole(self, node: Node, *, delta: bool = False) -> Name: ...
    def turned(self, id: str) -> bool: ...


class Reader:
    """Reads one graph with its values, in one notation."""

    def __init__(self, values: Values, naming: Naming, notation: Notation) -> None:
        self.values, self.naming, self.notation = values, naming, notation
        self.expanded: dict[Node, Value] = {}

    # names ----------------------------------------------------------------------------------------------------------
    def entry(self, node: Node, row: int, column: int) -> Name:
        return self.naming.entry(node, row, column, delta=True)

    def used(self, node: Node, row: int, column: int, *, summed: bool = False) -> Formula:
        """An entry as it stands in other lines' formulas."""
        return one_of(self.entry(node, row, column))

    def array(self, node: Node, *, summed: bool = False) -> Value:
        names = np.empty(node.shape, dtype=object)
        for row in range(node.shape[0]):
            for column in range(node.shape[1]):
                names[row, column] = self.used(node, row, column, summed=summed)
        return names

    def whole(self, node: Node) -> Formula:
        name = self.naming.whole(node, delta=True)
        used = one_of(name)
        return fm.transpose(used) if not name.scalar and self.naming.turned(node.id) else used

    # formulas -------------------------------------------------------------------------------------------------------
    def formula(self, node: Node, row: int, column: int) -> Formula:
        """An entry of a node in the entries of the nearest named nodes."""
        if node not in self.expanded:
            entries = expand(self.readable(node), lambda n: self.array(n, summed=node.role == "preactivation"))
            self.expanded[node] = np.broadcast_to(np.asarray(entries, dtype=object), node.shape)
        found: Formula = self.expanded[node][row, column]
        factor, _ = plain(self.entry(node, row, column).id)
        return found if factor == 1 else fm.multiply(fm.formula(factor), factored(found))

    def readable(self, node: Node) -> Node:
        """The node in the form in which its line is written."""
        return node

    def matrix_formula(self, node: Node) -> Formula:
        """A node as a formula of matrices, in the layout of the notation."""
        found = notate(self.readable(node), self.whole)
        one = node.shape == (1, 1) and self.notation.layout == "columns"
        if self.naming.turned(node.id) or one:
            found = fm.transpose(found)
        return fm.multiply(fm.formula(plain(self.naming.whole(node, delta=True).id)[0]), found)

    def resolved(self, f: Formula) -> tuple[Formula, Formula | None]:
        """(the formula in the case its numbers fall into, the condition that decided), or the formula as it is."""
        if self.values.symbolic or not isinstance(f, Apply):
            return f, None
        if f.head == "cases":
            return self.taken(f)
        args, conditions = zip(*(self.resolved(arg) for arg in f.args), strict=True) if f.args else ((), ())
        condition = next((c for c in conditions if c is not None), None)
        return (f if condition is None else fm.rebuild(f.head, args, f.axis)), condition

    def taken(self, f: Apply) -> tuple[Formula, Formula | None]:
        """The branch the numbers fall into, and everything that put them there."""
        reasons: list[Formula] = []
        for value, when in fm.branches(f):
            if when is None or self.holds(when):
                reasons += [] if when is None else [when]
                reason = reasons[0] if len(reasons) == 1 else Apply("and", tuple(reasons))
                return self.resolved(value)[0], reason
            reasons.append(opposed(when))
        raise AssertionError("cases without a last branch")

    def holds(self, condition: Formula) -> bool:
        """Whether the numbers fulfil a condition, exactly where they are known: 0.3 · 200 is 60 and not a little less."""
        exact = self.exactly(condition)
        found = evaluate(condition, self.values.value, self.values.algebra) if exact is UNKNOWN else exact
        return bool(found)

    def exactly(self, f: Formula) -> Value:
        if not self.values.exact:
            return UNKNOWN
        return evaluate(f, self.values.known_exactly, EXACT)

    # lines ----------------------------------------------------------------------------------------------------------
    def line(self, node: Node, row: int, column: int, *before: Form, target: Name | None = None) -> Line:
        """An entry's line: some forms first, then its formula."""
        found, condition = self.resolved(self.formula(node, row, column))
        return Line(target or self.entry(node, row, column), (*before, Form(found)), condition=condition)

    def lines(self, node: Node) -> tuple[Line, ...]:
        return tuple(self.line(node, row, column) for row, column in places(node))

    def matrix_line(self, node: Node, *before: Form, numbers: bool = True) -> Line:
        """A matrix's line; numbers are written out where every matrix in it is small."""
        found = self.matrix_formula(node)
        target = self.naming.whole(node, delta=True)
        small = numbers and all(max(name.shape, default=1) <= LARGE for name in (target, *fm.names(found)))
        return Line(target, (*before, Form(found, numbers=small)), shapes=True)


def one_of(name: Name) -> Formula:
    """The quantity behind a name that may stand for a multiple of it."""
    factor, _ = plain(name.id)
    return name if factor == 1 else fm.multiply(fm.formula(Fraction(1, factor)), name)


def factored(f: Formula) -> Formula:
    """A sum whose terms all have the same coefficient, with it in front: ½(ab + cd)."""
    terms = fm.parts(f, "add")
    coefficients = {coefficient(term) for term in terms}
    if len(terms) < 2 or len(coefficients) > 1 or coefficients == {Fraction(1)}:
        return f
    (common,) = coefficients
    return fm.multiply(fm.formula(common), fm.add(*(fm.multiply(fm.formula(1 / common), term) for term in terms)))


def coefficient(term: Formula) -> Fraction:
    negative = isinstance(term, Apply) and term.head == "neg"
    first = fm.parts(term.args[0] if isinstance(term, Apply) and negative else term, "mul")[0]
    return first.value if isinstance(first, Number) and first.value > 0 and not negative else Fraction(1)


def opposed(condition: Formula) -> Formula:
    """z > 0 as z ≤ 0."""
    assert isinstance(condition, Apply) and isinstance(condition.head, str)
    return Apply({"gt": "le", "ge": "lt", "lt": "ge", "le": "gt"}[condition.head], condition.args)


def places(node: Node) -> Iterator[tuple[int, int]]:
    for row in range(node.shape[0]):
        for column in range(node.shape[1]):
            yield row, column


def uses(lines: Iterable[Line], values: Values, own: str) -> tuple[str, ...]:
    """The steps whose results these lines take."""
    found: dict[str, None] = {}
    for line in lines:
        for form in line.forms:
            for name in fm.names(form.formula):
                home = values.home.get(plain(name.id)[1])
                if home and home != own:
                    found[home] = None
    return tuple(found)
