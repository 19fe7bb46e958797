"""Gradients as graphs: reverse accumulation, one named gradient for every named node on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection

from derive.graph import Node, constant, sources, topological
from derive.ids import derivative
from derive.ops.structural import add

DIFFERENTIATED = ("parameter", "preactivation", "activation", "input", "statistic", "normalized", "dropped")


def gradients(
    loss: Node,
    wanted: Collection[Node],
    known: Collection[Node] = (),
    step: Callable[[Node, Node], Node] | None = None,
) -> dict[Node, Node]:
    """The gradient of the loss by every named node between it and the wanted ones, as named nodes `dL/d…`.

    known: nodes below which nothing is looked for: the parameters of a later step
    step:  (parameter, gradient) -> the parameter after its update, where each layer is updated before the gradients
           below it are taken
    Sources: the chain rule, summed over all users of a value (Rumelhart, Hinton & Williams, 1986).
    """
    order = topological(loss, known=known)
    leads = set(wanted)
    for node in order:
        if any(source in leads for source in node.inputs):
            leads.add(node)
    arriving: dict[Node, list[Node]] = {loss: [constant(1)]}
    found: dict[Node, Node] = {}

    def named(node: Node) -> Node:
        g = add(*sorted(arriving[node], key=is_direct))  # what a penalty adds comes last
        if node.role in DIFFERENTIATED and node is not loss:
            g = found[node] = g.named(derivative(loss.id, node.id), "gradient")
        return g

    def pass_on(node: Node, g: Node, sources: dict[int, Node]) -> None:
        inputs = [sources.get(i, source) for i, source in enumerate(node.inputs)]
        for i, contribution in enumerate(node.op.vjp(g, node, *inputs)):
            if contribution is not None and node.inputs[i] in leads and i not in sources:
                arriving.setdefault(node.inputs[i], []).append(contribution)

    for node in reversed(order):
        if node not in leads or node not in arriving or node in found:
            continue
        g = named(node)
        if node in wanted:
            continue
        own = {} if step is None else {i: s for i, s in enumerate(node.inputs) if s in wanted and s.role == "parameter"}
        if not own:
            pass_on(node, g, {})
            continue
        assert step is not None
        rest = {i: source for i, source in enumerate(node.inputs) if i not in own}
        pass_on(node, g, rest)
        pass_on(node, g, {i: step(parameter, named(parameter)) for i, parameter in own.items()})
    return found


def is_direct(part: Node) -> bool:
    """Whether a contribution does not come through another quantity's gradient."""
    return part.role != "gradient" and all(source.role != "gradient" for source in sources(part))
