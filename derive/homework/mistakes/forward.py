"""Mistakes on the way forward: pre-activations and activations."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula import Formula
from derive.homework.mistakes.base import Step, mistakes


@mistakes("F1", "z", prior=1, lesson="bias")
def forgot_the_bias(step: Step) -> Iterator[Formula]:
    """z = Σ w·x."""
    for bias in step.used("b"):
        yield step.put({bias: 0})


@mistakes("F4", "a", prior=1, lesson="activations")
def forgot_the_activation(step: Step) -> Iterator[Formula]:
    """a = z."""
    if len(step.names) == 1:
        yield step.names[0]
