"""What all chapters of a solution share: a graph read entry by entry, or matrix by matrix, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from derive import formula as fm
from derive.algebra import EXACT, UNKNOWN, Value, evaluate
from derive.document import Form, Line
from derive.formula import Apply, Formula, Name, Number
from derive.graph import Node, expand, notate
from derive.ids import derivative, kind, plain, split
from derive.lines import LARGE
from derive.model import Iteration, Model
from derive.naming import Naming
from derive.notation import Notation
from derive.ops.vector import ByScores, Fused
from derive.spelling import Style
from derive.values import Values

NEAR = 1e-4  # probabilities this near to 0 or 1 show as such


class Teller:
    """Reads one model in one notation: names, lines, chains of partial derivatives."""

    def __init__(self, model: Model, values: Values, notation: Notation, style: Style, level: str = "normal") -> None:
        self.model, self.values, self.notation, self.level = model, values, notation, level
        self.style = style
        self.naming = Naming(model, notation)
        self.expanded: dict[Node, Value] = {}
        self.told_slopes: set[str] = set()

    def at(self, iteration: Iteration) -> Teller:
        """The same reader, another training step looked at."""
        return Teller(self.model.at(iteration), self.values, self.notation, self.style, self.level)

    @cached_property
    def by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.model.all_nodes()}

    # names ----------------------------------------------------------------------------------------------------------
    def entry(self, node: Node, row: int, column: int) -> Name:
        return self.naming.entry(node, row, column, delta=True)

    def used(self, node: Node, row: int, column: int, *, summed: bool = False) -> Formula:
        """An entry as it stands in other lines' formulas; in a weighted sum a bias may be a weight on ±1."""
        name = self.entry(node, row, column)
        letter, _ = kind(node.id)
        if summed and letter == "b" and not split(node.id)[0] and self.notation.bias_as != "b":
            times = "1" if self.notation.bias_as == "weight" else "-1"
            return Apply("mul", (name, Number(Fraction(times), times)))
        return one_of(name)

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
        """The node, or a fused loss in its scores where its probabilities cannot be read off the page."""
        return replace(node, op=ByScores(node.op)) if isinstance(node.op, Fused) and self.saturated(node) else node

    def saturated(self, fused: Node) -> bool:
        """Whether a probability is so near 0 or 1 that its logarithm cannot be read off the page."""
        if self.values.policy.as_you_go:
            return False  # on paper one goes on with the rounded probability
        p = self.values.arrays[fused.inputs[1].id]
        return bool((np.minimum(p, 1 - p) < NEAR).any())

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
            if when is None or evaluate(when, self.values.value, self.values.algebra):
                reasons += [] if when is None else [when]
                reason = reasons[0] if len(reasons) == 1 else Apply("and", tuple(reasons))
                return self.resolved(value)[0], reason
            reasons.append(opposed(when))
        raise AssertionError("cases without a last branch")

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

    # chains ---------------------------------------------------------------------------------------------------------
    def chain(self, f: Formula, by: Name) -> Formula | None:
        """Σ ∂L/∂u · ∂u/∂v for a gradient whose formula is Σ ∂L/∂u · (something): the somethings get their names."""
        terms = [self.link(term, by) for term in fm.parts(f, "add")]
        if any(term is None for term in terms):
            return None
        return fm.add(*(term for term in terms if term is not None))

    def link(self, term: Formula, by: Name) -> Formula | None:
        negative = isinstance(term, Apply) and term.head == "neg"
        factors = fm.parts(term.args[0] if isinstance(term, Apply) and negative else term, "mul")
        upstream = next((x for x in factors if isinstance(x, Name) and split(plain(x.id)[1])[0] == "L"), None)
        if upstream is None or split(plain(upstream.id)[1])[1] not in self.by_id:
            return None
        factor, id = plain(upstream.id)
        rest = fm.multiply(fm.formula(-factor if negative else factor), *(x for x in factors if x is not upstream))
        gradient = self.by_id[id]
        place = self.values.place(upstream)
        of = self.naming.entry(self.by_id[split(gradient.id)[1]], *place)
        whole = self.naming.entry(gradient, *place)
        if isinstance(rest, Name) and rest.id == derivative(of.id, by.id):
            return Apply("chain", (whole, rest))
        partial = self.naming.partial(of, by)
        self.values.define(partial, evaluate(rest, self.values.value, self.values.algebra), self.exactly(rest))
        return Apply("chain", (whole, partial))

    def exactly(self, f: Formula) -> Value:
        if not self.values.exact:
            return UNKNOWN
        return evaluate(f, self.values.known_exactly, EXACT)

    def longer(self, chain: Formula) -> Formula:
        """A chain with each ∂L/∂z replaced by its own chain ∂L/∂a · ∂a/∂z, where that is one product."""

        def lengthen(term: Formula) -> Formula:
            if not (isinstance(term, Apply) and term.head == "chain" and isinstance(term.args[0], Name)):
                return term
            gradient = self.by_id[term.args[0].id]
            own = self.formula(gradient, *self.values.place(term.args[0]))
            own = fm.multiply(fm.formula(Fraction(1, plain(self.entry(gradient, 0, 0).id)[0])), own)
            first = own.args if isinstance(own, Apply) and own.head == "mul" else ()
            if len(first) != 2 or not all(isinstance(x, Name) and split(x.id)[0] for x in first):
                return term
            return Apply("chain", (*first, *term.args[1:]))

        return fm.add(*(lengthen(term) for term in fm.parts(chain, "add")))


def one_of(name: Name) -> Formula:
    """The quantity behind a name that may stand for a multiple of it."""
    return fm.multiply(fm.formula(Fraction(1, plain(name.id)[0])), name)


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
