"""The numbers that somebody typed into a network file: where each stands, and the file with others in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from derive.blocks import Linear, flat
from derive.graph import Node
from derive.homework.circuit import Circuit
from derive.layers import NORMS
from derive.model import Model
from derive.options import mapping
from derive.source import Item, Number
from derive.spec import Spec


def typed(spec: Spec, circuit: Circuit) -> dict[str, Item]:
    """Key of an entry, `W1[1,2]` -> its number in the file: inputs, targets that are no classes, weights, biases, γ, β.

    What is drawn, or lies in a file beside, has no number there.
    """
    model = circuit.quantities
    if not isinstance(model, Model):
        return {}
    found: dict[str, Item] = {}
    for node, item in written(spec, model):
        numbers = list(leaves(item))
        names = circuit.array(node).ravel()
        if len(numbers) == len(names):
            found |= {name.key: number for name, number in zip(names, numbers, strict=True)}
    return found


def written(spec: Spec, model: Model) -> Iterator[tuple[Node, Item]]:
    """(quantity, what stands for it in the file) of all that may be typed, in the order of the network."""
    top, run = mapping(spec.item), model.iterations[0].forward
    given: list[tuple[Node | None, Mapping[str, Item], str]] = [(run.x, top, "inputs")]
    for layer in run.layers:
        if layer.spec is not None:
            options = mapping(layer.spec.item)
            given += [(layer.W, options, "weight"), (layer.b, options, "bias")]
    norms = [layer for layer in flat(spec.layers) if not isinstance(layer, Linear) and layer.name in NORMS]
    stages = [stage for layer in run.layers for stage in layer.stages if stage.name in NORMS]
    for norm, stage in zip(norms, stages, strict=True):
        options = norm.item.value if isinstance(norm.item.value, dict) else {}
        given += [(node, options, {"gamma": "weight", "beta": "bias"}[letter(node)]) for node in stage.parameters]
    given += [(run.t, top, "targets")] if model.encoding == "values" else []
    yield from ((node, options[key]) for node, options, key in given if node is not None and key in options)


def letter(node: Node) -> str:
    """`gamma` of `gamma1.2`."""
    return node.id.rstrip("0123456789.")


def leaves(item: Item) -> Iterator[Item]:
    """The numbers of nested lists, in order; what is drawn has none."""
    if isinstance(item.value, Number):
        yield item
    elif isinstance(item.value, list):
        for part in item.value:
            yield from leaves(part)


def replaced(item: Item, new: Mapping[int, Number]) -> Item:
    """A tree with other numbers. new: by the identity of the item that is replaced"""
    if id(item) in new:
        return replace(item, value=new[id(item)])
    match item.value:
        case dict() as entries:
            return replace(item, value={key: replaced(part, new) for key, part in entries.items()})
        case list() as parts:
            return replace(item, value=[replaced(part, new) for part in parts])
    return item
