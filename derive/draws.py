"""The numbers that a file leaves to chance: of one leaf, and of linear layers in the order in which PyTorch draws them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.blocks import Draw
from derive.generators import Generator, Order
from derive.graph import Node
from derive.initializers import initializers
from derive.model import Layer
from derive.tensor import Floats

FOR_MATRICES = ("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal")


def numbers(random: Generator, node: Node, draw: Draw, fan_in: int) -> Floats:
    """The numbers of a leaf, next from a generator; inputs with a seed of their own start it anew."""
    if draw.seed is not None:
        random.reseed(draw.seed)
    if draw.distribution:
        draws = random.normal if draw.distribution == "randn" else random.uniform
        return draws(0.0, 1.0, node.shape)
    if draw.choice is None or draw.choice.name == "default":
        return initializers["default"](random, node.shape, fan_in)
    try:
        found: Floats = draw.choice(random, node.shape)
    except OverflowError:
        raise draw.choice.item.error(f"the numbers drawn for {node.id} are not finite") from None
    return found


def made_by_torch(
    random: Generator, layers: Sequence[Layer], draws: Sequence[tuple[Node, Draw, int]], order: Order
) -> Iterator[tuple[Node, Floats]]:
    """The numbers of linear layers as PyTorch draws them.

    `nn.Linear` draws its weight and its bias when it is made, whether or not they are replaced: by an initializer at
    once, or after all layers are made, or by given numbers.
    """
    drawn = {node: draw for node, draw, _ in draws}
    linear = [layer for layer in layers if layer.W is not None]
    rounds = [linear] if order == "after_all_layers" else [[layer] for layer in linear]
    for some in rounds:
        made = {node: value for layer in some for node, value in as_made(random, layer, drawn)}
        for node in (node for layer in some for node in layer.parameters if node in drawn):
            choice = drawn[node].choice
            initialized = choice is not None and choice.name != "default"
            if choice is not None and choice.name in FOR_MATRICES and node.id.startswith("b"):
                raise choice.item.error(f"{choice.name} is for matrices in PyTorch, not for a bias")
            yield node, numbers(random, node, drawn[node], 0) if initialized else made[node]


def as_made(random: Generator, layer: Layer, drawn: dict[Node, Draw]) -> Iterator[tuple[Node, Floats]]:
    """The numbers that `nn.Linear` has at first, and draws even where others are given."""
    assert layer.W is not None
    outputs, inputs = layer.W.shape
    yield layer.W, initializers["default"](random, (outputs, inputs))
    if layer.b is None:
        return
    if layer.b in drawn and layer.spec is not None and layer.spec.shared and outputs > 1:
        raise layer.spec.item.error("PyTorch draws no bias that units share: give its number, or a bias for every unit")
    yield layer.b, initializers["default"](random, (1, outputs), inputs)
