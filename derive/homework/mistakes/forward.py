"""Mistakes on the way forward: pre-activations and activations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from derive.algebra import FORMULAS
from derive.formula import Apply, Formula, bind, branches, cases, exp, formula, log
from derive.graph import Op
from derive.homework.mistakes.base import MANY, WIDE, Step, mistakes
from derive.ops.activations import activations
from derive.ops.base import Elementwise, z
from derive.ops.vector import VectorOp

BASES = (10, 2)  # of logarithms taken for natural ones
IDEMPOTENT = ("identity", "relu", "hardtanh")  # twice is the same as once


@mistakes("F1", "z", prior=1, lesson="bias")
def forgot_the_bias(step: Step) -> Iterator[Formula]:
    """z = Σ w·x."""
    for bias in step.used("b", "b+"):
        yield step.put({bias: 0})


@mistakes("F2", "z", prior=1, lesson="transpose")
def weights_transposed(step: Step) -> Iterator[Formula]:
    """zⱼ = Σ wᵢⱼ xᵢ + bⱼ: the weights are taken column by column."""
    if weights := step.used("W", "W+"):
        table = step.circuit.array(step.entry_of(weights[0]).node)
        turned = table.reshape(table.shape[::-1]).T
        yield step.put({w: turned[at.row, at.column] for w in weights for at in (step.entry_of(w),)})


@mistakes("F3", "z", prior=2, lesson="bias")
def bias_of_another_unit(step: Step) -> Iterator[Formula]:
    """zⱼ = Σ w·x + another b, of the layer or of another."""
    for bias in step.used("b", "b+"):
        yield from (step.put({bias: other}) for other in step.alike(bias)[:MANY])


@mistakes("F4", "a", "p", prior=1, lesson="activations")
def forgot_the_activation(step: Step) -> Iterator[Formula]:
    """a = z."""
    if is_activation(step.op) and step.source:
        yield step.source


@mistakes("F5", "a", "p", prior=3, lesson="activations")
def activation_applied_twice(step: Step) -> Iterator[Formula]:
    """a = f(f(z))."""
    if isinstance(step.op, Elementwise) and step.op.name not in IDEMPOTENT:
        yield bind(step.op.body, {z: step.formula})


@mistakes("F6", "a", "p", prior=2, lesson="sigmoid")
def sign_in_the_exponent(step: Step) -> Iterator[Formula]:
    """a = 1/(1 + eᶻ)."""
    if isinstance(step.op, Elementwise) and step.op.name in ("sigmoid", "silu"):
        yield step.rewritten(lambda f: exp(-f.args[0]) if f.head == "exp" else None)


@mistakes("F7", "a", "p", prior=2, lesson="activations")
def another_activation(step: Step) -> Iterator[Formula]:
    """tanh for sigmoid, ReLU for leaky ReLU …"""
    own = step.op
    if isinstance(own, Elementwise | VectorOp):
        others = (other for name, other in functions().items() if name not in ("identity", own.name))
        yield from (found for other in others if (found := applied(other, step)))


@mistakes("F8", "a", prior=2, lesson="softplus")
def logarithm_of_another_base(step: Step) -> Iterator[Formula]:
    """log₁₀ or log₂ instead of ln."""
    for base in BASES:
        yield step.rewritten(partial(to_base, base))


@mistakes("F9", "a", prior=2, lesson="leaky_relu")
def slope_on_the_wrong_side(step: Step) -> Iterator[Formula]:
    """αz for z > 0, and z else; or 0 for z < 0."""
    if isinstance(step.op, Elementwise) and step.op.name == "leaky_relu" and isinstance(step.formula, Apply):
        (right, positive), (left, _) = branches(step.formula)
        assert positive is not None
        yield cases((left, positive), (right, True))
        yield cases((right, positive), (0, True))


@cache
def functions() -> dict[str, Op]:
    """All activations by name, with the defaults of their options."""
    return {name: activations[name]() for name in activations}


def to_base(base: int, f: Apply) -> Formula | None:
    """A natural logarithm as one of another base."""
    return f / log(formula(base)) if f.head == "log" else None


def is_activation(op: Op) -> bool:
    """Whether it is an activation, by its name in the table of them."""
    return isinstance(op, Elementwise | VectorOp) and op.name in activations


def applied(op: Op, step: Step) -> Formula | None:
    """An activation in the place of a step's own; None for one over the units where there is one, or very many."""
    if isinstance(op, VectorOp):
        row, place = step.across(step.node.inputs[0].id, axis=1), step.column
        if not 1 < len(row) <= WIDE:
            return None
    elif step.source:
        row, place = [step.source], 0
    else:
        return None
    found: Formula = op.eval(FORMULAS, np.array([row], dtype=object))[0, place]
    return found
