"""What a quantity can be at all, whatever the numbers: a probability is never above 1."""

from __future__ import annotations

import math

from derive.algebra import FLOATS, evaluate
from derive.graph import Node
from derive.ids import kind
from derive.ops.base import Elementwise
from derive.ops.vector import Softmax

#: The least and the largest value of an activation, whatever its options.
OF = {
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
}
ANY = (-math.inf, math.inf)


def of(node: Node) -> tuple[float, float]:
    """The least and the largest value an entry of a quantity can have."""
    if isinstance(node.op, Softmax):
        return 0.0, 1.0
    if isinstance(node.op, Elementwise) and node.role == "activation":
        if node.op.name == "hardtanh":
            low, high = (float(evaluate(kink, lambda name: name, FLOATS)) for kink in node.op.kinks)
            return low, high
        return OF.get(node.op.name, ANY)
    return (0.0, math.inf) if node.role == "statistic" and kind(node.id)[0] == "var" else ANY
