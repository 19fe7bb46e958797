"""What all chapters of a solution share: the model's graph read as lines, and chains of partial derivatives."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from derive import formula as fm
from derive.algebra import evaluate
from derive.formula import Apply, Formula, Name, Number
from derive.graph import Node
from derive.ids import derivative, is_after, kind, plain, split
from derive.model import Iteration, Model
from derive.naming import Naming
from derive.notation import Notation
from derive.ops.vector import ByScores, Fused
from derive.reader import Reader, one_of
from derive.spelling import Style
from derive.values import Values

NEAR = 1e-4  # probabilities this near to 0 or 1 show as such


class Teller(Reader):
    """Reads one model in one notation: names, lines, chains of partial derivatives."""

    naming: Naming

    def __init__(self, model: Model, values: Values, notation: Notation, style: Style, level: str = "normal") -> None:
        super().__init__(values, Naming(model, notation), notation)
        self.model, self.style, self.level = model, style, level
        self.told_slopes: set[str] = set()

    def at(self, iteration: Iteration) -> Teller:
        """The same reader, another training step looked at."""
        return Teller(self.model.at(iteration), self.values, self.notation, self.style, self.level)

    @cached_property
    def by_id(self) -> dict[str, Node]:
        return {node.id: node for node in self.model.all_nodes()}

    def used(self, node: Node, row: int, column: int, *, summed: bool = False) -> Formula:
        """An entry as it stands in other lines' formulas; in a weighted sum a bias may be a weight on ±1."""
        name = self.entry(node, row, column)
        letter, _ = kind(node.id)
        if summed and letter == "b" and not split(node.id)[0] and self.notation.bias_as != "b":
            times = "1" if self.notation.bias_as == "weight" else "-1"
            return Apply("mul", (name, Number(Fraction(times), times)))
        return one_of(name)

    def readable(self, node: Node) -> Node:
        """The node, or a fused loss in its scores where its probabilities cannot be read off the page."""
        return replace(node, op=ByScores(node.op)) if isinstance(node.op, Fused) and self.saturated(node) else node

    def saturated(self, fused: Node) -> bool:
        """Whether a probability is so near 0 or 1 that its logarithm cannot be read off the page."""
        if self.values.policy.as_you_go:
            return False  # on paper one goes on with the rounded probability
        p = self.values.arrays[fused.inputs[1].id]
        return bool((np.minimum(p, 1 - p) < NEAR).any())

    # chains ---------------------------------------------------------------------------------------------------------
    def chain(self, f: Formula, by: Name) -> Formula | None:
        """Σ ∂L/∂u · ∂u/∂v for a gradient whose formula is Σ ∂L/∂u · (something): the somethings get their names."""
        links: dict[Name, list[Formula]] = {}
        others: list[Formula] = []
        for term in fm.parts(f, "add"):
            link = self.link(term)
            if link is not None:
                links.setdefault(link[0], []).append(link[1])
            elif any(split(plain(name.id)[1])[0] for name in fm.names(term)):
                return None
            else:
                others.append(term)  # what a penalty adds
        if not links:
            return None
        return fm.add(*(self.product(upstream, fm.add(*rests), by) for upstream, rests in links.items()), *others)

    def product(self, upstream: Name, rest: Formula, by: Name) -> Formula:
        """∂L/∂u · ∂u/∂v, where ∂u/∂v is worth the rest."""
        _, id = plain(upstream.id)
        gradient, place = self.by_id[id], self.values.place(upstream)
        of = self.naming.entry(self.by_id[split(gradient.id)[1]], *place)
        whole = self.naming.entry(gradient, *place)
        if isinstance(rest, Name) and rest.id == derivative(of.id, by.id):
            return Apply("chain", (whole, rest))
        partial = self.naming.partial(of, by)
        self.values.define(partial, evaluate(rest, self.values.value, self.values.algebra), self.exactly(rest))
        return Apply("chain", (whole, partial))

    def link(self, term: Formula) -> tuple[Name, Formula] | None:
        """(∂L/∂u, the something) of a term that is their product."""
        negative = isinstance(term, Apply) and term.head == "neg"
        factors = fm.parts(term.args[0] if isinstance(term, Apply) and negative else term, "mul")
        upstream = next((x for x in factors if isinstance(x, Name) and split(plain(x.id)[1])[0] == "L"), None)
        if upstream is None or split(plain(upstream.id)[1])[1] not in self.by_id:
            return None
        if any(is_after(name.id) for name in fm.names(term)):
            return None  # with a new weight in it, this is no derivative of a step before the update
        factor, _ = plain(upstream.id)
        rest = fm.multiply(fm.formula(-factor if negative else factor), *(x for x in factors if x is not upstream))
        return upstream, rest

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
