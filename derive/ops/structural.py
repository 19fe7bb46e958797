"""Ops on whole matrices. Rows are samples.

The functions below the classes are how rules and layers build graphs; they drop what is trivial (1 ⊙ x, the sum of a
single row), so that a gradient reads as it is taught.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from derive import formula as fm
from derive.algebra import FORMULAS, Algebra, Value
from derive.formula import Formula
from derive.graph import Constant, Node, Op, Shape, apply, constant


def dot(algebra: Algebra, a: Value, b: Value, *, right_first: bool = False) -> Value:
    """a @ b; for formulas each entry is one flat sum, with the right factor first where that is how it is taught."""
    if algebra is not FORMULAS:
        return a @ b
    result = np.empty((a.shape[0], b.shape[1]), dtype=object)
    for i, row in enumerate(a):
        for j, column in enumerate(b.T):
            pairs = zip(column, row, strict=True) if right_first else zip(row, column, strict=True)
            result[i, j] = fm.add(*(fm.multiply(x, y) for x, y in pairs))
    return result


class Linear(Op):
    """x Wᵀ + b, the only place where features are mixed; W is (out, in), b is (1, out), (1, 1) if shared, or absent.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
    """

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0][0], shapes[1][0]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        x, W, *b = values
        z = dot(algebra, x, W.T, right_first=True)
        return z + b[0] if b else z

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        x, W, *b = inputs
        return (matmul(g, W), matmul(transpose(g), x), *(sum_to(g, bias.shape) for bias in b))

    def write(self, *formulas: Formula) -> Formula:
        x, W, *b = formulas
        return fm.add(fm.matmul(x, fm.transpose(W)), *b)


class MatMul(Op):
    """a @ b."""

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0][0], shapes[1][1]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return dot(algebra, *values)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        a, b = inputs
        return matmul(g, transpose(b)), matmul(transpose(a), g)

    def write(self, *formulas: Formula) -> Formula:
        return fm.matmul(*formulas)


class Transpose(Op):
    """Rows and columns exchanged."""

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0][::-1]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return values[0].T

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (transpose(g),)

    def write(self, *formulas: Formula) -> Formula:
        return fm.transpose(formulas[0])


class Add(Op):
    """A sum of matrices of one shape (a 1×1 one is added everywhere)."""

    def shape(self, *shapes: Shape) -> Shape:
        return max(shapes)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        found = values[0] + values[1]
        return algebra.summed(found, abs(values[0]) + abs(values[1])) if algebra.digits else found

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return tuple(sum_to(g, node.shape) for node in inputs)

    def write(self, *formulas: Formula) -> Formula:
        return fm.add(*formulas)


class Subtract(Op):
    """a − b, of one shape."""

    def shape(self, *shapes: Shape) -> Shape:
        return max(shapes)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return values[0] - values[1]

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return sum_to(g, inputs[0].shape), sum_to(scale(g, -1), inputs[1].shape)

    def write(self, *formulas: Formula) -> Formula:
        return fm.subtract(*formulas)


class Multiply(Op):
    """The product entry by entry (Hadamard, ⊙); one factor may have a single row or column, which is repeated."""

    def shape(self, *shapes: Shape) -> Shape:
        a, b = shapes
        return max(a[0], b[0]), max(a[1], b[1])

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return values[0] * values[1]

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        a, b = inputs
        return sum_to(hadamard(g, b), a.shape), sum_to(hadamard(g, a), b.shape)

    def write(self, *formulas: Formula) -> Formula:
        return fm.hadamard(*formulas)


@dataclass(frozen=True)
class Scale(Op):
    """A matrix times an exact number."""

    factor: Fraction

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[0]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return np.multiply(algebra.number(self.factor), values[0])

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (scale(g, self.factor),)

    def write(self, *formulas: Formula) -> Formula:
        return fm.multiply(fm.formula(self.factor), formulas[0])


class Rate(Op):
    """A matrix times a named number: η ∂L/∂w."""

    def shape(self, *shapes: Shape) -> Shape:
        return shapes[1]

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return values[0] * values[1]

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        rate, a = inputs
        return total(hadamard(g, a)), apply(Rate(), rate, g)

    def write(self, *formulas: Formula) -> Formula:
        return fm.multiply(*formulas)


@dataclass(frozen=True)
class Sum(Op):
    """The sum of all entries (axis None), over the samples (0) or over the units (1); a matrix again."""

    axis: int | None = None

    def shape(self, *shapes: Shape) -> Shape:
        rows, columns = shapes[0]
        return (1 if self.axis != 1 else rows), (1 if self.axis != 0 else columns)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        matrix = values[0]
        if algebra is not FORMULAS:
            found = np.sum(matrix, axis=self.axis, keepdims=True)
            return (
                algebra.summed(found, np.sum(abs(matrix), axis=self.axis, keepdims=True)) if algebra.digits else found
            )
        lines = [matrix.ravel()] if self.axis is None else list(matrix.T if self.axis == 0 else matrix)
        sums = np.array([fm.add(*line) for line in lines], dtype=object)
        return sums.reshape(self.shape(matrix.shape))

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (spread(g, inputs[0].shape),)

    def write(self, *formulas: Formula) -> Formula:
        if self.axis is None:
            return fm.grand_total(formulas[0])
        return fm.total(formulas[0], self.axis)


@dataclass(frozen=True)
class Spread(Op):
    """A row, a column or a single number repeated to a shape."""

    to: Shape

    def shape(self, *shapes: Shape) -> Shape:
        return self.to

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        return np.broadcast_to(values[0], self.to)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        return (sum_to(g, inputs[0].shape),)

    def write(self, *formulas: Formula) -> Formula:
        return formulas[0]


# Building graphs ------------------------------------------------------------------------------------------------------
def is_constant(node: Node, value: int) -> bool:
    return isinstance(node.op, Constant) and node.op.value == value


def linear(x: Node, W: Node, b: Node | None = None) -> Node:
    return apply(Linear(), x, W, *([] if b is None else [b]))


def matmul(a: Node, b: Node) -> Node:
    return apply(MatMul(), a, b)


def transpose(a: Node) -> Node:
    return a.inputs[0] if isinstance(a.op, Transpose) and not a.id else apply(Transpose(), a)


def add(*terms: Node) -> Node:
    total = terms[0]
    for term in terms[1:]:
        total = apply(Add(), total, term)
    return total


def subtract(a: Node, b: Node) -> Node:
    return apply(Subtract(), a, b)


def scale(a: Node, factor: Fraction | int) -> Node:
    if factor == 1:
        return a
    if isinstance(a.op, Constant):
        return constant(a.op.value * factor)
    if isinstance(a.op, Scale) and not a.id:
        return scale(a.inputs[0], a.op.factor * factor)
    return apply(Scale(Fraction(factor)), a)


def hadamard(a: Node, b: Node) -> Node:
    for one, other in ((a, b), (b, a)):
        if isinstance(one.op, Constant):
            return scale(other, one.op.value)
        if isinstance(one.op, Scale) and not one.id:
            return scale(hadamard(*((one.inputs[0], other) if one is a else (other, one.inputs[0]))), one.op.factor)
        if isinstance(one.op, Spread) and isinstance(one.inputs[0].op, Constant):
            return hadamard(one.inputs[0], spread(other, shape_of_both(one, other)))
    return apply(Multiply(), a, b)


def shape_of_both(a: Node, b: Node) -> Shape:
    return max(a.shape[0], b.shape[0]), max(a.shape[1], b.shape[1])


def total(a: Node) -> Node:
    return a if a.shape == (1, 1) else apply(Sum(), a)


def sum_to(a: Node, shape: Shape) -> Node:
    """Summed over what was repeated, so that it has this shape again."""
    if shape == a.shape:
        return a
    if shape == (1, 1):
        return total(a)
    return apply(Sum(0 if shape[0] == 1 else 1), a)


def spread(a: Node, shape: Shape) -> Node:
    return a if a.shape == shape else apply(Spread(shape), a)
