"""Mistakes in the derivative of an activation."""

from __future__ import annotations

from collections.abc import Iterator

from derive import formula as fm
from derive.formula import Apply, Formula, Name, Number
from derive.homework.circuit import Entry
from derive.homework.mistakes.base import Step, mistakes
from derive.ops.activations import activations
from derive.ops.base import Elementwise, Slope, out, z

#: The derivative of an activation by what it acts on.
SLOPES = ("da/dz", "da/dy", "da/ds", "da/ddrop", "da/da", "da/dn", "da/dx")
#: Activations of two straight pieces: which of them holds, the sign of z decides.
PIECEWISE = ("relu", "leaky_relu")


def around(step: Step, at: Entry) -> tuple[Elementwise, Name | None, Name | None]:
    """(the activation a slope is of, the name of what it acts on, that of its value)."""
    assert isinstance(at.node.op, Slope)
    before, after = (step.named(node.id, at.row, at.column) for node in at.node.inputs)
    return at.node.op.of, before, after


@mistakes("B4", *SLOPES, prior=1, lesson="activations")
def at_the_activation(step: Step) -> Iterator[Formula]:
    """σ′(a) for σ′(z); where the slope is one of some constants, both are the same."""
    op, before, after = around(step, step.entry)
    prime = op.derivative().body
    assert prime is not None
    values = (
        [value for value, _ in fm.branches(prime)] if isinstance(prime, Apply) and prime.head == "cases" else [prime]
    )
    if before and after and any(True for value in values for _ in fm.names(value)):
        yield fm.bind(prime, {z: after})


@mistakes("B5", *SLOPES, prior=1, lesson="activations")
def with_z_for_a(step: Step) -> Iterator[Formula]:
    """z(1 − z) for a(1 − a)."""
    op, before, _ = around(step, step.entry)
    slope = op.slopes[0]
    if before and slope is not None and out in fm.names(slope):
        yield fm.bind(slope, {out: before, z: before})


@mistakes("B6", *SLOPES, prior=2, lesson="activations")
def dropped_a_factor(step: Step) -> Iterator[Formula]:
    """a or 1 − a for a(1 − a); 1 − a for 1 − a²."""
    _, _, after = around(step, step.entry)
    square = None if after is None else after**2
    factors = fm.parts(step.formula, "mul")
    for factor in factors if len(factors) > 1 else ():
        if not isinstance(factor, Number):
            yield fm.multiply(*(other for other in factors if other is not factor))
    yield step.rewritten(lambda part: after if part == square else None)


@mistakes("B7", *SLOPES, prior=1, lesson="activations")
def of_another_activation(step: Step) -> Iterator[Formula]:
    """1 − a² for the sigmoid, a(1 − a) for tanh, and so on."""
    own, before, after = around(step, step.entry)
    for op in (activations[name]() for name in activations if name not in ("identity", own.name)):
        slope = op.slopes[0] if isinstance(op, Elementwise) else None
        if slope is not None and before and after:
            yield fm.bind(slope, {z: before, out: after})
