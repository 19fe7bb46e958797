"""Elementwise ops: one formula of scalars, applied entry by entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from derive.algebra import Algebra, Value, evaluate
from derive.formula import Apply, Formula, Function, Name, Symbol, bind, formula, is_scalar, names
from derive.graph import Node, Op, Shape, apply
from derive.ids import derivative
from derive.ops.structural import hadamard, sum_to

z = Name("z", symbol=Symbol("z"))  # the argument
t = Name("t", symbol=Symbol("t"))  # the target, in losses
out = Name("out", symbol=Symbol("out"))  # the op's own output, for slopes such as out·(1 − out)


@dataclass(frozen=True)
class Elementwise(Op):
    """A scalar formula in `parameters`; `slopes` holds ∂/∂parameter for each, in the parameters and `out`.

    name:    its id in net.yaml and in the language tables
    glyph:   the function sign on the page
    body:    the formula; numbers, notation and witnesses follow from it
    slopes:  as taught (checked against SymPy's derivative); None for a parameter that gets no gradient
    stable:  the same value computed without overflow or cancellation in float64, where `body` would suffer
    by_formula: of matrices it is written by its formula, not by its sign
    kinks:   arguments where the derivative jumps, at which the slope of the branch taken there is the convention
    """

    name: str
    glyph: Symbol
    body: Formula
    slopes: tuple[Formula | None, ...]
    parameters: tuple[Name, ...] = (z,)
    stable: Formula | None = None
    kinks: tuple[Formula, ...] = ()
    options: tuple[tuple[str, object], ...] = field(default=(), compare=False)
    by_formula: bool = False

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        body = self.body if self.stable is None or algebra.as_written else self.stable
        result = evaluate(body, dict(zip(self.parameters, values, strict=True)).__getitem__, algebra)
        return np.broadcast_to(result, values[0].shape)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        slopes = [None if slope is None else self._slope(i, out, inputs) for i, slope in enumerate(self.slopes)]
        found = [None if slope is None else hadamard(g, slope) for slope in slopes]
        pairs = zip(found, inputs, strict=True)  # an input of one row or column counts for all of them
        return tuple(None if part is None else sum_to(part, source.shape) for part, source in pairs)

    def _slope(self, i: int, out: Node, inputs: Sequence[Node]) -> Node:
        slope = apply(Slope(self, i), *inputs, out)
        if out.id and out.role == "activation" and inputs[i].id:
            return slope.named(derivative(out.id, inputs[i].id), "slope")
        return slope

    def write(self, *formulas: Formula) -> Formula:
        if self.by_formula or len(self.parameters) > 1:
            return matrix_body(bind(self.body, dict(zip(self.parameters, formulas, strict=True))))
        return Apply(self.function, formulas)

    @property
    def function(self) -> Function:
        return Function(self.name, self.glyph, self.parameters, self.body)

    def derivative(self, i: int = 0) -> Function:
        """f′ as a function of the argument alone."""
        slope = self.slopes[i]
        assert slope is not None, f"{self.name} has no slope for parameter {i}"
        body = bind(slope, {out: self.body})
        return Function(f"{self.name}_prime", replace(self.glyph, mark="′"), self.parameters, body)


@dataclass(frozen=True)
class Slope(Op):
    """The derivative of an elementwise op by one of its parameters, at the op's inputs and output."""

    of: Elementwise
    by: int = 0

    @property
    def body(self) -> Formula:
        slope = self.of.slopes[self.by]
        assert slope is not None
        return slope

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[-1]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        env = dict(zip((*self.of.parameters, out), values, strict=True))
        result = evaluate(self.body, env.__getitem__, algebra)
        return np.broadcast_to(result, values[0].shape)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        raise NotImplementedError("derive takes first derivatives only")

    def write(self, *formulas: Formula) -> Formula:
        if self.of.by_formula or len(self.of.parameters) > 1:
            return matrix_body(bind(self.body, dict(zip((*self.of.parameters, out), formulas, strict=True))))
        return Apply(self.of.derivative(self.by), formulas[:1])


class WrittenOut(Slope):
    """A slope written by its formula, not as f′."""

    def __init__(self, slope: Slope) -> None:
        super().__init__(slope.of, slope.by)

    def write(self, *formulas: Formula) -> Formula:
        return matrix_body(bind(self.body, dict(zip((*self.of.parameters, out), formulas, strict=True))))


@dataclass(frozen=True)
class Rule(Op):
    """A scalar formula in some quantities, entry by entry; single numbers among them count for every entry.

    The lines of optimizers and schedules. Nothing is differentiated through them.
    """

    body: Formula
    parameters: tuple[Name, ...]

    def shape(self, *shapes: Shape) -> Shape:
        return max((shape[0] for shape in shapes), default=1), max((shape[1] for shape in shapes), default=1)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        result = evaluate(self.body, dict(zip(self.parameters, values, strict=True)).__getitem__, algebra)
        return np.broadcast_to(result, self.shape(*(value.shape for value in values)))

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        raise NotImplementedError("derive takes first derivatives only")

    def write(self, *formulas: Formula) -> Formula:
        return matrix_body(bind(self.body, dict(zip(self.parameters, formulas, strict=True))))


def ruled(body: Formula, nodes: Mapping[Name, Node]) -> Node:
    """A formula in the names of nodes, as a node."""
    used = tuple(dict.fromkeys(names(body)))
    return apply(Rule(body, used), *(nodes[name] for name in used))


def matrix_body(body: Formula) -> Formula:
    """A scalar formula in matrices: products entry by entry are ⊙, the rest is understood entry by entry."""
    if not isinstance(body, Apply):
        return body
    args = tuple(matrix_body(arg) for arg in body.args)
    if body.head != "mul":
        return Apply(body.head, args, body.axis)
    scalars = tuple(arg for arg in args if is_scalar(arg))
    others = tuple(arg for arg in args if not is_scalar(arg))
    if not others:
        return Apply("mul", scalars)
    inner = others[0] if len(others) == 1 else Apply("had", others)
    return Apply("mul", (*scalars, inner)) if scalars else inner


def elementwise(
    name: str,
    glyph: str,
    body: Formula,
    slope: Formula | int,
    *,
    stable: Formula | None = None,
    kinks: Sequence[object] = (),
) -> Elementwise:
    """An activation: a function of one argument."""
    return Elementwise(name, Symbol(glyph), body, (formula(slope),), stable=stable, kinks=tuple(map(formula, kinks)))


def pointwise(
    name: str, body: Formula, slope: Formula, *, kinks: Sequence[object] = (), stable: Formula | None = None
) -> Elementwise:
    """A loss of one output `z` against its target `t`; no gradient flows to the target."""
    return Elementwise(name, Symbol("ℓ"), body, (slope, None), (z, t), stable, tuple(map(formula, kinks)))
