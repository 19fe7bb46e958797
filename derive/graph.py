"""The graph of a computation: `Node`s that apply `Op`s to other nodes.

A named node is a line of the solution; a node without a name is written inside the line that uses it. Gradients and
updates are graphs of the same ops. All values are matrices: rows are samples, a parameter has its own shape, a loss
is 1×1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from derive.algebra import FORMULAS, Algebra, Value
from derive.formula import Formula, Number

Shape = tuple[int, ...]


class Op(ABC):
    """A value that knows its forward formula, its local rule and how it is written."""

    @abstractmethod
    def shape(self, *shapes: Shape) -> Shape:
        """The shape of the result."""

    @abstractmethod
    def eval(self, algebra: Algebra, *values: Value) -> Value:
        """The result, on matrices of the entries of any algebra."""

    @abstractmethod
    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        """The gradient that reaches each input when `g` reaches the output; None where no gradient flows."""

    @abstractmethod
    def write(self, *formulas: Formula) -> Formula:
        """The matrix formula."""


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Node:
    """An op applied to nodes; with an `id` and a `role` it is a named quantity."""

    op: Op
    inputs: tuple[Node, ...]
    shape: Shape
    id: str = ""
    role: str = ""

    def __repr__(self) -> str:  # a graph written out would be as long as all its paths
        return f"<{self.id or type(self.op).__name__} {self.shape[0]}×{self.shape[1]}>"

    def named(self, id: str, role: str) -> Node:
        """This value as a line of its own."""
        if self.id:
            return Node(Same(), (self,), self.shape, id, role)
        return replace(self, id=id, role=role)


def apply(op: Op, *inputs: Node) -> Node:
    return Node(op, inputs, op.shape(*(node.shape for node in inputs)))


class Leaf(Op):
    """A value given from outside: a parameter, an input, a target, a drawn number."""

    def shape(self, *shapes: Shape) -> Shape:
        raise TypeError("a leaf has the shape it is given")

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        raise TypeError("a leaf needs a value")

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return ()

    def write(self, *formulas: Formula) -> Formula:
        raise TypeError("a leaf needs a name")


@dataclass(frozen=True)
class Constant(Op):
    """An exact number, the same in every place it is broadcast to."""

    value: Fraction

    def shape(self, *shapes: Shape) -> Shape:
        return (1, 1)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return algebra.number(self.value)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return ()

    def write(self, *formulas: Formula) -> Formula:
        return Number(self.value)


class Same(Op):
    """The value of its input, under a second name."""

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return values[0]

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (g,)

    def write(self, *formulas: Formula) -> Formula:
        return formulas[0]


def leaf(shape: Shape, id: str, role: str) -> Node:
    return Node(Leaf(), (), shape, id, role)


def constant(value: Fraction | int) -> Node:
    return apply(Constant(Fraction(value)))


def topological(*ends: Node, known: Container[Node] = ()) -> list[Node]:
    """All nodes the ends need, inputs before users, without what is needed for known ones; no recursion, so no limit."""
    order: dict[Node, None] = {}
    stack = [(node, False) for node in reversed(ends)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order[node] = None
        elif node not in order:
            stack.append((node, True))
            if node not in known:
                stack.extend((source, False) for source in reversed(node.inputs) if source not in order)
    return list(order)


def sources(node: Node) -> Iterator[Node]:
    """The nearest named nodes (and leaves) that a node's line is written in."""
    seen: set[Node] = set()
    stack = list(reversed(node.inputs))
    while stack:
        source = stack.pop()
        if source in seen:
            continue
        seen.add(source)
        if source.id:
            yield source
        else:
            stack.extend(reversed(source.inputs))


def evaluate(
    ends: Iterable[Node],
    known: dict[Node, Value],
    algebra: Algebra,
    settle: Callable[[Node, Value], Value] = lambda node, value: value,
) -> dict[Node, Value]:
    """The values of the ends and of all they need; a node in `known` is not computed again.

    `settle` may change each value as soon as it is there: rounding as one goes, refusing what is not finite.
    """
    values = dict(known)
    for node in topological(*ends, known=known):
        if node not in values:
            values[node] = settle(node, node.op.eval(algebra, *(values[source] for source in node.inputs)))
    return values


def one_line(node: Node, name: Callable[[Node], Value], read: Callable[[Node, list[Value]], Value]) -> Value:
    """The reading of a node one line deep: named nodes are given by `name`, the others read from their op."""

    def inner(source: Node) -> Value:
        return name(source) if source.id else read(source, [inner(s) for s in source.inputs])

    return read(node, [inner(source) for source in node.inputs])


def expand(node: Node, name: Callable[[Node], Value]) -> Value:
    """The entries of a node as formulas in the entries of the nearest named nodes: a matrix of formulas."""
    return one_line(node, name, lambda n, values: n.op.eval(FORMULAS, *values))


def notate(node: Node, name: Callable[[Node], Formula]) -> Formula:
    """A node as a matrix formula in the nearest named nodes."""
    written: Formula = one_line(node, name, lambda n, formulas: n.op.write(*formulas))
    return written
