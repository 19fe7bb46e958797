"""The layers of net.yaml as checked data, those of residual blocks among them, and the numbers they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from derive.errors import offered
from derive.initializers import initializers
from derive.layers import NORMS, PER_UNIT, layers
from derive.ops.activations import activations
from derive.options import (
    Choice,
    choose,
    mapping,
    named,
    number,
    read_options,
    sequence,
    whole,
)
from derive.registry import Registry
from derive.source import Item, Number
from derive.tensor import Tensor

MAX_PARAMETERS = 200_000
MAX_VALUES = 2_000_000  # activations of the whole batch
MAX_LAYERS = 300
MAX_NESTING = 20  # residual blocks in one another

#: Layers whose entry in the file is read by a function of its own.
blocks: Registry[Callable[..., Any]] = Registry("layer")


@dataclass(frozen=True)
class Draw:
    """Numbers to be drawn: by an initializer with its options, or inputs from a named distribution,
    with a seed of their own or without."""

    choice: Choice | None
    distribution: str = ""
    seed: int | None = None


@dataclass(frozen=True)
class Linear:
    """A fully connected layer. `weight` and `bias` are given, drawn, or None: symbols only."""

    item: Item
    outputs: int
    inputs: int | None
    weight: Tensor | Draw | None
    bias: Tensor | Draw | None
    has_bias: bool = True
    shared: bool = False


@dataclass(frozen=True)
class Residual:
    """A block whose input is added to what it gives."""

    item: Item
    layers: tuple[Block, ...]


Block = Linear | Residual | Choice


def flat(specs: Sequence[Block]) -> Iterator[Linear | Choice]:
    """All layers, those of residual blocks among them."""
    for spec in specs:
        if isinstance(spec, Residual):
            yield from flat(spec.layers)
        else:
            yield spec


def places_of_norms(specs: Sequence[Block]) -> list[str]:
    """The ids of what normalizing layers learn and remember, which a file of parameters may hold."""
    found: list[str] = []
    k, place = 0, 0
    for layer in flat(specs):
        if isinstance(layer, Linear):
            k, place = k + 1, 0
        elif layer.name in NORMS:
            place += 1
            affine = all(layer.in_force.get(key, True) for key in ("affine", "elementwise_affine"))
            options = dict(zip(PER_UNIT, ("weight", "bias", *PER_UNIT[2:]), strict=True))
            learned = PER_UNIT[:2] if affine else ()
            letters = [letter for letter in (*learned, *PER_UNIT[2:]) if options[letter] in layer.in_force]
            found += [f"{letter}{k}" + (f".{place}" if place > 1 else "") for letter in letters]
    return found


@dataclass
class Reading:
    """The layers as they are read; the k-th linear one may have its numbers in the arrays `Wk` and `bk`."""

    seeded: bool
    saved: Mapping[str, Tensor]
    known: Registry[Any]
    count: int = 0
    linears: int = 0

    def layers(self, item: Item, depth: int = 0) -> tuple[Block, ...]:
        if depth > MAX_NESTING:
            raise item.error(f"more than {MAX_NESTING} residual blocks in one another")
        result: list[Block] = []
        for entry in sequence(item):
            self.count += 1
            if self.count > MAX_LAYERS:
                raise item.error(f"more than {MAX_LAYERS} layers")
            name, options = named(entry, self.known)
            if name in blocks:
                result.append(blocks[name](options or entry, self, depth))
                continue
            table: Registry[Any] = layers if name in layers else activations
            chosen = read_options(options, table[name], name) if options else {}
            choice = Choice(name, chosen, options or entry, table[name])
            if empty := [option for option, value in chosen.items() if value == ()]:
                raise choice.place(empty[0]).error("an empty list")
            result.append(choice)
        return tuple(result)


def read_layers(item: Item, seeded: bool, saved: Mapping[str, Tensor]) -> tuple[Block, ...]:
    known: Registry[Any] = Registry("layer")
    for table in (blocks, layers, activations):
        known.include(table)
    return Reading(seeded, saved, known).layers(item)


def row(item: Item, what: str) -> Tensor:
    """A list of numbers as a matrix of one row."""
    values = [number(part) for part in sequence(item)]
    if not values:
        raise item.error(f"{what}: an empty list")
    return Tensor.of([[v.exact for v in values]], [[v.text for v in values]])


def matrix(item: Item, what: str) -> Tensor:
    """A list of rows of equal length."""
    rows = [[number(part) for part in sequence(line)] for line in sequence(item)]
    if not rows or not rows[0]:
        raise item.error(f"{what}: an empty list")
    for line, values in zip(sequence(item), rows, strict=True):
        if len(values) != len(rows[0]):
            raise line.error(f"this row has {len(values)} numbers, the first has {len(rows[0])}")
    return Tensor.of([[v.exact for v in line] for line in rows], [[v.text for v in line] for line in rows])


LINEAR_KEYS = {
    "out": "out",
    "out_features": "out",
    "in": "in",
    "in_features": "in",
    "weight": "weight",
    "bias": "bias",
    "init": "init",
}


@blocks()
def residual(item: Item, reading: Reading, depth: int) -> Residual:
    """The block's layers, and then its input added: y = F(x) + x (He et al., 2016)."""
    if not isinstance(item.value, list):
        raise item.error("residual needs the layers of its block: {residual: [...]}")
    if not sequence(item):
        raise item.error("an empty block")
    return Residual(item, reading.layers(item, depth + 1))


@blocks("Linear")
def linear(item: Item, reading: Reading, depth: int) -> Linear:
    """z = W x + b. https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html

    out: number of units · in: number of inputs, if not clear from the layer before · weight: rows of numbers (out, in)
    or an initializer · init: an initializer · bias: a list, one number for all units, `shared`, false, an initializer
    """
    reading.linears += 1
    seeded, k = reading.seeded, reading.linears
    saved = {letter: reading.saved[f"{letter}{k}"] for letter in "Wb" if f"{letter}{k}" in reading.saved}
    options: dict[str, Item] = {}
    if not isinstance(item.value, dict):
        raise item.error("linear needs its size, as in {linear: {out: 2}}")
    for key, value in mapping(item).items():
        if key not in LINEAR_KEYS:
            raise value.at_key().error(f"linear has no option '{key}'.{offered(key, LINEAR_KEYS, 'Its options are')}")
        options[LINEAR_KEYS[key]] = value
    for key, letter in (("weight", "W"), ("init", "W"), ("bias", "b")):
        if key in options and letter in saved:
            raise options[key].at_key().error("given here and in the file of parameters")
    weight = saved.get("W") or read_weight(options.get("weight"), options.get("init"), seeded)
    inputs = whole(options["in"], 1, MAX_PARAMETERS) if "in" in options else None
    if "out" in options:
        out = whole(options["out"], 1, MAX_PARAMETERS)
    elif isinstance(weight, Tensor):
        out = weight.shape[0]
    else:
        raise item.error("linear needs its size: {out: …}")
    if isinstance(weight, Tensor):
        weight = shaped(weight, out, inputs, options.get("weight", item))
        inputs = weight.shape[1]
    bias: Tensor | Draw | None
    if "b" in saved:
        bias, has_bias, shared = saved["b"], True, saved["b"].shape == (1, 1) and out > 1
        if saved["b"].shape not in ((1, out), (1, 1)):
            raise item.error(f"the array of the bias has shape {saved['b'].shape}, but the layer has {out} units")
    else:
        bias, has_bias, shared = read_bias(options.get("bias"), out, weight, seeded)
    return Linear(item, out, inputs, weight, bias, has_bias, shared)


def read_weight(item: Item | None, init: Item | None, seeded: bool) -> Tensor | Draw | None:
    if item is not None and init is not None:
        raise init.at_key().error("give weight or init, not both")
    if init is not None:
        return Draw(choose(init, initializers))
    match item.value if item is not None else None:
        case None:
            return Draw(None) if seeded else None
        case list() as rows if rows and isinstance(rows[0].value, list):
            assert item is not None
            return matrix(item, "weight")
        case list():
            assert item is not None
            return row(item, "weight")
        case Number(text=written, exact=exact):
            return Tensor.of([[exact]], [[written]])
    assert item is not None
    return Draw(choose(item, initializers))


def shaped(weight: Tensor, out: int, inputs: int | None, item: Item) -> Tensor:
    """The weights as (out, in); a flat list is the one row of a single unit, or the one column of a single input."""
    flat = isinstance(item.value, list) and isinstance(item.value[0].value, Number)
    if flat and out > 1 and weight.shape == (1, out):
        weight = Tensor(weight.value.T, weight.exact.T, weight.text.T)
    if weight.shape[0] != out:
        raise item.error(f"weight has {weight.shape[0]} rows, but the layer has {out} units (weight is (out, in))")
    if inputs is not None and weight.shape[1] != inputs:
        raise item.error(f"weight has {weight.shape[1]} columns, but the layer has {inputs} inputs")
    return weight


def read_bias(
    item: Item | None, out: int, weight: Tensor | Draw | None, seeded: bool
) -> tuple[Tensor | Draw | None, bool, bool]:
    """(numbers, whether there is one, whether it is shared by all units)."""
    by_default = Draw(None) if isinstance(weight, Draw) or seeded else None
    match item.value if item is not None else None:
        case None | True:
            return by_default, True, False
        case False | "none":
            return None, False, False
        case Number(text=written, exact=exact):
            return Tensor.of([[exact]], [[written]]), True, True
        case list():
            assert item is not None
            bias = row(item, "bias")
            if bias.shape[1] != out:
                raise item.error(f"bias has {bias.shape[1]} numbers, but the layer has {out} units")
            return bias, True, False
        case "shared":
            return by_default, True, True
    assert item is not None
    return Draw(choose(item, initializers)), True, False
