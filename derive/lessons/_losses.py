"""What the lessons on softmax and on losses share: the ops of the formula sheets, and what derive computes with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from derive.algebra import Value, digits
from derive.autodiff import gradients
from derive.board import Board
from derive.formula import Apply, Formula, Function, Name, Partial, Symbol, add, bind, exp, formula, names
from derive.graph import Op, evaluate, leaf
from derive.losses import End, Loss
from derive.ops import base
from derive.ops.base import Elementwise
from derive.ops.vector import Softmax, VectorOp

Outputs = tuple[Name, Name, Name]
Rows = Sequence[Sequence[Any]]  # formulas or numbers, a row per sample


def pointwise(loss: Callable[..., Loss], **options: Any) -> Elementwise:
    """The op that gives the loss of one output; an option may be a formula: δ."""
    op = loss(end(1, 1), **options).each.op
    assert isinstance(op, Elementwise)
    return op


def function_of(op: Op) -> Function:
    """σ of the op, to be called in formulas."""
    assert isinstance(op, Elementwise)
    return op.function


def of(op: Elementwise, a: Any, t: Any) -> Formula:
    """The loss of an output and its target, as ℓ(a, t), or ℓ(a, t, δ) where it has a letter as an option."""
    letters = tuple(dict.fromkeys(name for name in names(op.body) if name not in op.parameters))
    function = replace(op.function, parameters=(*op.parameters, *letters))
    return Apply(function, (formula(a), formula(t), *letters))


def slope_of(op: Elementwise, a: Formula, t: Formula) -> Formula:
    """The slope that derive uses in backpropagation, written out."""
    slope = op.slopes[0]
    assert slope is not None
    return bind(slope, {base.z: a, base.t: t})


def worked(b: Board, loss: Callable[..., Loss], outputs: Rows, targets: Rows, **options: Any) -> tuple[Any, list[Any]]:
    """The loss of these outputs as derive's graph computes it, and its gradient by every output."""
    ends = end(len(outputs), len(outputs[0]))
    whole = loss(ends, **options).total
    slope = gradients(whole, [ends.output])[ends.output]
    known = {ends.output: matrix(b, outputs), ends.targets: matrix(b, targets)}
    found = evaluate([whole, slope], known, digits())
    return found[whole][0, 0], list(found[slope].ravel())


def units(b: Board, op: VectorOp, letter: str, scores: Sequence[Name]) -> list[Name]:
    """What an op such as softmax makes of the scores of one sample, unit by unit."""
    row = op.eval(digits(), matrix(b, [scores]))[0]
    return [b.hold(f"{letter}_{i}", value) for i, value in enumerate(row, 1)]


@dataclass(frozen=True)
class Sample:
    """Three scores and their softmax: as derive computes it, and as fractions of powers of e."""

    z: list[Name]
    p: list[Name]
    mass: Formula
    body: list[Formula]


def sample(b: Board) -> Sample:
    z = [b.free(f"z_{i}") for i in (1, 2, 3)]
    mass = add(*map(exp, z))
    return Sample(z, units(b, Softmax(), "p", z), mass, [exp(score) / mass for score in z])


def partial(of: str, by: Name) -> Partial:
    """∂p₁/∂z₂ as a symbol: `partial("p_1", z2)`."""
    base, _, sub = of.partition("_")
    assert isinstance(by.symbol, Symbol)
    return Partial(Symbol(base, sub), by.symbol)


def plain(number: float, digits: int = 4) -> str:
    """What a computer's number is, as a text for a table: −∞ and NaN too."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "−∞" if number < 0 else "∞"
    text = f"{number:.{digits}g}"
    if float(text) != number:  # rounded: with all its digits, as elsewhere
        text = f"{number:#.{digits}g}".rstrip(".")
    return text.replace("-", "−")


def places(b: Board, t: Name, width: Name) -> Outputs:
    """Three outputs: one closer to the target than a width, one further above it, one further below."""
    near = t + b.free("r", "-0.9", "0.9") * width
    further = width + b.free("d", "0.1", 2)
    a, above, below = (b.defined(f"a_{i}", f) for i, f in enumerate((near, t + further, t - further), 1))
    return a, above, below


def matrix(b: Board, rows: Rows) -> Value:
    return np.array([[b.value(f) for f in row] for row in rows], dtype=object)


def end(samples: int, outputs: int) -> End:
    """The end of a network that has these outputs, without weights for classes."""
    shape = (samples, outputs)
    return End(leaf(shape, "a", "activation"), leaf(shape, "t", "target"), "probabilities", no_weights, no_weights)


def no_weights(*_: Any) -> Any:
    raise TypeError("the losses of these lessons have no weights")
