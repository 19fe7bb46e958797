"""net.yaml as checked data: what the file says, before it is a network.

`load` reads a file, a built-in example or a mapping. Every error names its place in the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from derive import arrays
from derive.errors import InputError, nearest
from derive.initializers import initializers
from derive.layers import PER_UNIT, layers
from derive.losses import losses
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.options import (
    Choice,
    choose,
    described,
    mapping,
    named,
    number,
    read_options,
    required,
    sequence,
    text,
    whole,
)
from derive.penalties import penalties
from derive.registry import Registry
from derive.source import Item, Number, parse, read
from derive.tensor import Tensor

MAX_PARAMETERS = 200_000
MAX_VALUES = 2_000_000  # activations of the whole batch
MAX_LAYERS = 300
MAX_STEPS = 1_000
MAX_NESTING = 20  # residual blocks in one another
UPDATES = ("simultaneous", "layerwise")
MODES = ("train", "eval")

#: Layers whose entry in the file is read by a function of its own.
blocks: Registry[Callable[..., Any]] = Registry("layer")


@dataclass(frozen=True)
class Draw:
    """Numbers to be drawn: by an initializer with its options, or inputs from a named distribution."""

    choice: Choice | None
    distribution: str = ""


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


@dataclass(frozen=True)
class Start:
    """Where training goes on: parameters and what the optimizer remembers of them (`m.W1`), after so many steps."""

    parameters: Mapping[str, Tensor]
    state: Mapping[str, Tensor]
    steps: int


@dataclass(frozen=True)
class Spec:
    """The whole file, checked as far as it can be without building the network."""

    item: Item
    name: str
    inputs: Tensor | Draw | None
    samples: int
    features: int | None
    batched: bool
    targets: Item | None
    layers: tuple[Block, ...]
    loss: Choice | None
    optimizer: Choice | None
    seed: int | None
    steps: int = 1
    update: str = "simultaneous"
    state: Item | None = None
    labels: dict[str, Item] = field(default_factory=dict)
    frozen: tuple[Item, ...] = ()
    notation: Item | None = None
    numbers: Item | None = None
    arrays: Mapping[str, Tensor] = field(default_factory=dict)
    schedule: Choice | None = None
    start: Start | None = None
    batch_size: int | None = None
    drop_last: bool = False
    mode: str = "train"
    penalties: tuple[Choice, ...] = ()

    @property
    def training(self) -> bool:
        """Whether layers that differ in training and testing are in train mode."""
        return self.mode == "train"


def load(net: str | Path | Mapping[str, Any]) -> Spec:
    """The checked file at a path, `-` for standard input, or a mapping of the same form."""
    return check(tree(net), Path("." if isinstance(net, Mapping) or str(net) == "-" else net).parent)


def tree(given: str | Path | Mapping[str, Any]) -> Item:
    """What a file says, or a mapping of the same form, as it is written."""
    if isinstance(given, Mapping):
        return parse(json.dumps(given, default=_plain, ensure_ascii=False), "<dict>")
    return read(given)


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        raise InputError("fractions go into a mapping as text-free numbers or into a file as 1/3", file="<dict>")
    if hasattr(value, "tolist"):
        return value.tolist()
    raise InputError(f"a {type(value).__name__} cannot stand in a network", file="<dict>")


KEYS: dict[str, str] = {
    "name": "title of the solution",
    "id": "name of the assignment",
    "inputs": "one sample (a list), a batch (a list of rows), {randn: [samples, features]}, or how many features",
    "targets": "one value per output, rows of them, or class indices",
    "seed": "for everything that is drawn",
    "layers": "the layers from input to output",
    "mode": "train, or eval: dropout does nothing, batch norm takes its running statistics",
    "loss": "the loss function",
    "regularization": "penalties added to the loss: {l2: 0.01}",
    "optimizer": "the optimizer of the update",
    "schedule": "the learning-rate schedule: the rate of training step s is that of its epoch s − 1",
    "steps": "how many training steps are worked",
    "batch_size": "samples in each batch of derive train, in the order of the file; all of them if it is not given",
    "drop_last": "whether derive train leaves out a last batch that is smaller",
    "update": "simultaneous, or layerwise: each layer is updated before the gradients below it are taken",
    "state": "what the optimizer remembers before the first step: {m: …, v: …, step: …}",
    "labels": "the author's own names",
    "frozen": "parameters that get a gradient but no update",
    "notation": "a preset, or {preset: …, symbol: …}",
    "numbers": "rounding policy",
    "parameters": "an .npz file of weights beside this file",
}


def check(item: Item, folder: Path) -> Spec:
    """The spec in a parsed file."""
    top = item.value
    if not isinstance(top, dict):
        raise item.error(f"expected a network with inputs, targets, layers and loss, not {described(item)}")
    for key, value in top.items():
        if key not in KEYS:
            raise value.at_key().error(f"unknown key '{key}'.{nearest(key, KEYS)}")
    given = {key: value for key, value in top.items() if value.value is not None}
    if "layers" not in given:
        raise item.error("there are no layers")
    saved = arrays.load(given["parameters"], folder) if "parameters" in given else {}
    inputs, samples, features, batched = read_inputs(given.get("inputs"), saved)
    seed = whole(given["seed"], 0, 2**63 - 1) if "seed" in given else None
    specs = read_layers(given["layers"], seed is not None, saved)
    if "id" in given:
        text(given["id"])
    if "parameters" in given:
        check_arrays(given, specs, saved)
    update = one_of(given["update"], UPDATES) if "update" in given else "simultaneous"
    plain = all(isinstance(s, Linear) or (isinstance(s, Choice) and s.name in activations) for s in specs)
    if update == "layerwise" and not (plain and "regularization" not in given):
        raise given["update"].error("layerwise is for linear layers and activations alone")
    return Spec(
        item=item,
        name=text(given["name"]) if "name" in given else "",
        inputs=inputs,
        samples=samples,
        features=features,
        batched=batched,
        targets=given.get("targets"),
        layers=specs,
        loss=choose(given["loss"], losses) if "loss" in given else None,
        optimizer=choose(given["optimizer"], optimizers) if "optimizer" in given else None,
        seed=seed,
        steps=whole(given["steps"], 1, MAX_STEPS) if "steps" in given else 1,
        update=update,
        state=given.get("state"),
        labels=dict(mapping(given["labels"])) if "labels" in given else {},
        frozen=tuple(sequence(given["frozen"])) if "frozen" in given else (),
        notation=given.get("notation"),
        numbers=given.get("numbers"),
        arrays=saved,
        schedule=read_schedule(given),
        batch_size=whole(given["batch_size"], 1, MAX_VALUES) if "batch_size" in given else None,
        drop_last="drop_last" in given and switch(given["drop_last"]),
        mode=one_of(given["mode"], MODES) if "mode" in given else "train",
        penalties=read_penalties(given),
    )


def read_penalties(given: Mapping[str, Item]) -> tuple[Choice, ...]:
    """The penalties; a number alone is the strength."""
    if "regularization" not in given:
        return ()
    if "loss" not in given:
        raise given["regularization"].at_key().error("regularization adds to the loss, but there is no loss")
    found = []
    for key, value in mapping(given["regularization"]).items():
        if key not in penalties:
            raise value.at_key().error(f"unknown penalty '{key}'.{nearest(key, penalties.known)}")
        name = penalties.canonical(key)
        if isinstance(value.value, Number):
            if required(penalties[name]) != ["lambda"]:
                raise value.error(f"{name} needs {' and '.join(required(penalties[name]))}")
            found.append(Choice(name, {"lambda": number(value).exact}, value, penalties[name]))
            continue
        options = read_options(value, penalties[name], name)
        if missing := [option for option in required(penalties[name]) if option not in options]:
            raise value.error(f"{name} needs {' and '.join(missing)}")
        found.append(Choice(name, options, value, penalties[name]))
    if not found:
        raise given["regularization"].error("no penalty is given")
    names = {letter for choice in found for letter in lambdas(choice.name)}
    if len(names) < sum(len(lambdas(choice.name)) for choice in found):
        raise given["regularization"].error("give each penalty once: elastic_net is l1 and l2 together")
    return tuple(found)


def lambdas(penalty: str) -> tuple[str, ...]:
    return ("l1", "l2") if penalty == "elastic_net" else (penalty,)


def read_schedule(given: Mapping[str, Item]) -> Choice | None:
    if "schedule" not in given:
        return None
    if "optimizer" not in given:
        raise given["schedule"].at_key().error("a schedule needs an optimizer, whose rate it changes")
    from derive.schedules import schedules  # files without one do not pay for it

    choice = choose(given["schedule"], schedules)
    choice()
    return choice


def switch(item: Item) -> bool:
    if not isinstance(item.value, bool):
        raise item.error(f"expected true or false, not {described(item)}")
    return item.value


def one_of(item: Item, words: tuple[str, ...]) -> str:
    name = text(item)
    if name not in words:
        raise item.error(f"expected one of {', '.join(words)}.{nearest(name, words)}")
    return name


def check_arrays(given: Mapping[str, Item], specs: Sequence[Block], saved: Mapping[str, Tensor]) -> None:
    """Every array has its place, and no number is given twice."""
    count = sum(isinstance(layer, Linear) for layer in flat(specs))
    known = ["x", "t", *(f"{letter}{k}" for k in range(1, count + 1) for letter in "Wb")]
    known += places_of_norms(specs)
    if not saved:
        raise given["parameters"].error("the file holds no arrays")
    for key in saved:
        if key not in known:
            raise given["parameters"].error(f"array '{key}' belongs to nothing in this network.{nearest(key, known)}")
    for key, array in (("inputs", "x"), ("targets", "t")):
        if key in given and array in saved:
            raise given[key].at_key().error(f"given here and as array {array} of the file of parameters")


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
        elif layer.name in ("batch_norm", "layer_norm"):
            place += 1
            affine = all(layer.in_force.get(key, True) for key in ("affine", "elementwise_affine"))
            letters = (PER_UNIT[:2] if affine else ()) + (PER_UNIT[2:] if layer.name == "batch_norm" else ())
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


def read_inputs(item: Item | None, saved: Mapping[str, Tensor]) -> tuple[Tensor | Draw | None, int, int | None, bool]:
    """(numbers or None, samples, features or None, whether they are a batch)."""
    if item is None:
        if "x" in saved:
            x = saved["x"]
            return x, x.shape[0], x.shape[1], True
        return None, 1, None, False
    match item.value:
        case Number():
            return None, 1, whole(item, 1, MAX_PARAMETERS), False
        case dict():
            return drawn_inputs(item)
        case list() as values if values and isinstance(values[0].value, list):
            x = matrix(item, "inputs")
            return x, x.shape[0], x.shape[1], True
        case list():
            x = row(item, "inputs")
            return x, 1, x.shape[1], False
    raise item.error(f"expected a list of numbers, not {described(item)}")


DISTRIBUTIONS = ("randn", "rand", "size")


def drawn_inputs(item: Item) -> tuple[Draw | None, int, int, bool]:
    entries = mapping(item)
    name, sizes = next(iter(entries.items())) if len(entries) == 1 else ("", item)
    if name not in DISTRIBUTIONS:
        raise sizes.at_key().error(f"expected randn, rand or size: [samples, features].{nearest(name, DISTRIBUTIONS)}")
    shape = [whole(part, 1, MAX_VALUES) for part in sequence(sizes)]
    if len(shape) not in (1, 2):
        raise sizes.error("expected [features] or [samples, features]")
    samples, features = (1, *shape)[-2:]
    if samples * features > MAX_VALUES:
        raise sizes.error(f"more than {MAX_VALUES:,} numbers")
    return (None if name == "size" else Draw(None, name)), samples, features, len(shape) == 2


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
    for key, value in mapping(item).items():
        if key not in LINEAR_KEYS:
            raise value.at_key().error(f"linear has no option '{key}'.{nearest(key, LINEAR_KEYS)}")
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
