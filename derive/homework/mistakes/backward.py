"""Mistakes on the way back: gradients of activations, pre-activations, weights and biases."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula import Formula
from derive.homework.mistakes.base import Step, mistakes


@mistakes("B1", "dL/dz", prior=1, lesson="chain_rule")
def forgot_the_derivative_of_the_activation(step: Step) -> Iterator[Formula]:
    """δ = ∂L/∂a."""
    if slopes := step.used("da/dz"):
        yield step.without(*slopes)


@mistakes("B19", "dL/dW", prior=1, lesson="chain_rule")
def forgot_the_input(step: Step) -> Iterator[Formula]:
    """∂L/∂w = δ."""
    if inputs := step.used("a", "x", "y", "drop", "s"):
        yield step.without(*inputs)
