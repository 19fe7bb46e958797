"""Optimizers, a formula sheet: each function is an entry of net.yaml, its keyword-only arguments are its options.

A function gets a parameter and its gradient and gives the parameter after the step, as a graph: it is printed,
evaluated and checked like any other line. Names and options are those of https://docs.pytorch.org/docs/stable/optim.html.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from derive.graph import Node, apply
from derive.ops.structural import Rate, subtract
from derive.registry import Registry

optimizers: Registry[Callable[..., Node]] = Registry("optimizer")


@optimizers("SGD", "gradient_descent")
def sgd(rate: Node, parameter: Node, gradient: Node, *, lr: Fraction = Fraction(1, 1000)) -> Node:
    """w − η ∂L/∂w: a step against the gradient. PyTorch: SGD."""
    return subtract(parameter, apply(Rate(), rate, gradient))
