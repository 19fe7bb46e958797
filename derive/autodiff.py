"""Gradients as graphs: reverse accumulation, one named gradient for every named node on the way."""

from __future__ import annotations

from collections.abc import Collection

from derive.graph import Node, constant, topological
from derive.ops.structural import add

DIFFERENTIATED = ("parameter", "preactivation", "activation", "input")


def gradients(loss: Node, wanted: Collection[Node]) -> dict[Node, Node]:
    """The gradient of the loss by every named node between it and the wanted ones, as named nodes `dL/d…`.

    Sources: the chain rule, summed over all users of a value (Rumelhart, Hinton & Williams, 1986).
    """
    order = topological(loss)
    leads = set(wanted)
    for node in order:
        if any(source in leads for source in node.inputs):
            leads.add(node)
    arriving: dict[Node, list[Node]] = {loss: [constant(1)]}
    found: dict[Node, Node] = {}
    for node in reversed(order):
        if node not in leads or node not in arriving:
            continue
        g = add(*arriving[node])
        if node.role in DIFFERENTIATED and node is not loss:
            g = found[node] = g.named(f"d{loss.id}/d{node.id}", "gradient")
        if node in wanted:
            continue
        for source, contribution in zip(node.inputs, node.op.vjp(g, node, *node.inputs), strict=True):
            if contribution is not None and source in leads:
                arriving.setdefault(source, []).append(contribution)
    return found
