"""Ops that mix the units of a sample: softmax, its logarithm, and their taught shortcuts with cross-entropy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from derive import formula as fm
from derive.algebra import FLOATS, Algebra, Value, evaluate
from derive.formula import Apply, Formula, Function, Name, Symbol
from derive.graph import Node, Op, Shape, apply, constant
from derive.ops.structural import Sum, add, hadamard, subtract, sum_to

SUM_UNITS = Sum(axis=1)
_z = Name("z", symbol=Symbol("z"), scalar=False)
_mass = Apply("sum", (fm.exp(_z),), axis=1)


def shifted(algebra: Algebra, s: Value) -> Value:
    """Scores less the largest of their row: the same softmax, without overflow. Formulas and fractions stay plain."""
    if algebra.as_written:
        return s
    if s.dtype != object:
        return s - np.max(s, axis=1, keepdims=True)
    return s - reduce(lambda a, b: algebra("max", a, b), (s[:, [j]] for j in range(s.shape[1])))


class VectorOp(Op):
    """An op along the units of each sample, with the Jacobian it is taught with."""

    name: str
    function: Function

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def write(self, *formulas: Formula) -> Formula:
        return Apply(self.function, formulas[:1], axis=1)

    def jacobian(self, outs: Sequence[Formula]) -> list[list[Formula]]:
        """∂outᵢ/∂zⱼ of one sample in terms of its outputs; row i, column j."""
        raise NotImplementedError

    def jacobian_of(self, out: Value) -> Value:
        """The same in float64, for each sample: (samples, units, units)."""
        places = [Name("out", (i,)) for i in range(out.shape[1])]
        formulas = self.jacobian(places)
        rows = [
            [evaluate(f, lambda name: out[:, name.index[0]], FLOATS) + 0 * out[:, 0] for f in row] for row in formulas
        ]
        return np.moveaxis(np.array(rows), -1, 0)


class Softmax(VectorOp):
    """e^{zᵢ}/Σₖ e^{zₖ}. https://docs.pytorch.org/docs/stable/generated/torch.nn.Softmax.html (dim = −1)"""

    name = "softmax"
    function = Function("softmax", Symbol("softmax"), (_z,), fm.exp(_z) / _mass)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        powers = algebra("exp", shifted(algebra, values[0]))
        return powers / SUM_UNITS.eval(algebra, powers)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (hadamard(out, subtract(g, sum_to(hadamard(g, out), (out.shape[0], 1)))),)

    def jacobian(self, outs: Sequence[Formula]) -> list[list[Formula]]:
        return [[p * (1 - p) if i == j else -(p * q) for j, q in enumerate(outs)] for i, p in enumerate(outs)]


class LogSoftmax(VectorOp):
    """zᵢ − ln Σₖ e^{zₖ}. https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html (dim = −1)"""

    name = "log_softmax"
    function = Function("log_softmax", Symbol("logsoftmax"), (_z,), _z - fm.log(_mass))

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        s = shifted(algebra, values[0])
        return s - algebra("log", SUM_UNITS.eval(algebra, algebra("exp", s)))

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (subtract(g, hadamard(apply(Exponential(), out), sum_to(g, (out.shape[0], 1)))),)

    def jacobian(self, outs: Sequence[Formula]) -> list[list[Formula]]:
        return [[(1 if i == j else 0) - fm.exp(q) for j, q in enumerate(outs)] for i, _ in enumerate(outs)]


class Exponential(Op):
    """eˣ, entry by entry, for rules."""

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return algebra("exp", values[0])

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (hadamard(g, out),)

    def write(self, *formulas: Formula) -> Formula:
        return fm.exp(formulas[0])


class Fused(Op):
    """A loss computed from the scores `s` and their activation `p` together, so that the gradient is the shortcut.

    Inputs: scores s, activation p = f(s), weighted targets u. Gradient flows to the scores alone; the long way through
    the activation is `long_way`: ∂(loss of one sample)/∂pᵢ, shown and held equal.
    """

    name: ClassVar[str]

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return hadamard(g, self.shortcut(*inputs)), None, None

    def shortcut(self, *inputs: Node) -> Node:
        raise NotImplementedError

    def long_way(self, p: Formula, u: Formula, *w: Formula) -> Formula:
        raise NotImplementedError

    def by_scores(self, algebra: Algebra, *values: Value) -> Value:
        """The loss in the scores alone, for where ln p or ln(1 − p) would be lost."""
        raise NotImplementedError

    def write_by_scores(self, *formulas: Formula) -> Formula:
        """The same as a formula of matrices."""
        raise NotImplementedError


class ByScores(Op):
    """A fused loss written in its scores."""

    def __init__(self, of: Fused) -> None:
        self.of = of

    def shape(self, *shapes: Shape) -> Shape:
        return self.of.shape(*shapes)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return self.of.by_scores(algebra, *values)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return self.of.vjp(g, out, *inputs)

    def write(self, *formulas: Formula) -> Formula:
        return self.of.write_by_scores(*formulas)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Fused):
    """−Σ uᵢ ln pᵢ per sample, p = softmax(s); the gradient collapses to p − u where each row of u sums to one.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
    """

    name: ClassVar[str] = "softmax_cross_entropy"
    unit_rows: bool = True

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0][0], 1

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        s, p, u = values
        if algebra.as_written:
            return -SUM_UNITS.eval(algebra, algebra("xlogy", u, p))
        return -SUM_UNITS.eval(algebra, u * LogSoftmax().eval(algebra, s))

    def shortcut(self, *inputs: Node) -> Node:
        _, p, u = inputs
        if self.unit_rows:
            return subtract(p, u)
        return subtract(hadamard(p, sum_to(u, (u.shape[0], 1))), u)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return hadamard(self.shortcut(*inputs), g), None, None

    def long_way(self, p: Formula, u: Formula, *w: Formula) -> Formula:
        return -(u / p)

    def by_scores(self, algebra: Algebra, *values: Value) -> Value:
        s, _, u = values
        mass = algebra("log", SUM_UNITS.eval(algebra, algebra("exp", s)))
        return SUM_UNITS.eval(algebra, u * (mass - s))

    def write_by_scores(self, *formulas: Formula) -> Formula:
        s, _, u = formulas
        return fm.total(fm.hadamard(u, fm.log(fm.total(fm.exp(s), 1)) - s), 1)

    def write(self, *formulas: Formula) -> Formula:
        _, p, u = formulas
        return fm.negate(fm.total(fm.hadamard(u, fm.log(p)), 1))


@dataclass(frozen=True)
class SigmoidCrossEntropy(Fused):
    """−(w·t ln p + (1 − t) ln(1 − p)) per output, p = σ(s), `pos_weight` w; the gradient is p − t for w = 1.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
    """

    name: ClassVar[str] = "sigmoid_cross_entropy"
    pos_weight: bool = False

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        s, p, t, *w = values
        wt = t * w[0] if w else t
        if algebra.as_written:
            return -(algebra("xlogy", wt, p) + algebra("xlogy", 1 - t, 1 - p))
        # ln p = −softplus(−s), ln(1 − p) = −softplus(s)
        tail = algebra("log1p", algebra("exp", -algebra("abs", s)))
        zero = algebra("abs", s) * 0
        return wt * (tail + algebra("max", -s, zero)) + (1 - t) * (tail + algebra("max", s, zero))

    def shortcut(self, *inputs: Node) -> Node:
        _, p, t, *w = inputs
        if not w:
            return subtract(p, t)
        wt = hadamard(w[0], t)
        mass = add(subtract(constant(1), t), wt)
        return subtract(hadamard(mass, p), wt)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (hadamard(self.shortcut(*inputs), g), *(None for _ in inputs[1:]))

    def by_scores(self, algebra: Algebra, *values: Value) -> Value:
        s, _, t, *w = values
        wt = t * w[0] if w else t
        return wt * algebra("log", 1 + algebra("exp", -s)) + (1 - t) * algebra("log", 1 + algebra("exp", s))

    def write_by_scores(self, *formulas: Formula) -> Formula:
        s, _, t, *w = formulas
        wt = fm.hadamard(w[0], t) if w else t
        up, down = fm.log(1 + fm.exp(-s)), fm.log(1 + fm.exp(s))
        return fm.add(fm.hadamard(wt, up), fm.hadamard(1 - t, down))

    def long_way(self, p: Formula, u: Formula, *w: Formula) -> Formula:
        if w:
            return (1 - u) / (1 - p) - w[0] * u / p
        return (p - u) / (p * (1 - p))

    def write(self, *formulas: Formula) -> Formula:
        _, p, t, *w = formulas
        wt = fm.hadamard(w[0], t) if w else t
        return -(fm.hadamard(wt, fm.log(p)) + fm.hadamard(1 - t, fm.log(1 - p)))
