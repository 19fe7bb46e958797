"""net.yaml as checked data: what the file says, before it is a network.

`load` reads a file, a built-in example or a mapping. Every error names its place in the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from derive import arrays
from derive.blocks import (
    MAX_PARAMETERS,
    MAX_VALUES,
    Block,
    Draw,
    Linear,
    flat,
    matrix,
    places_of_norms,
    read_layers,
    row,
)
from derive.errors import InputError, nearest, offered
from derive.generators import Drawing
from derive.losses import losses
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.options import (
    Choice,
    choose,
    described,
    mapping,
    number,
    read_options,
    required,
    sequence,
    text,
    whole,
)
from derive.penalties import penalties
from derive.source import Item, Number, parse, read
from derive.tensor import Tensor

MAX_STEPS = 1_000
UPDATES = ("simultaneous", "layerwise")
MODES = ("train", "eval")
BY_NUMPY = Drawing()


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
    id: str = ""
    check: Item | None = None
    drawing: Drawing = BY_NUMPY

    @property
    def training(self) -> bool:
        """Whether layers that differ in training and testing are in train mode."""
        return self.mode == "train"


#: A path, `-` for standard input, a mapping of the form of a file, or what was read already.
Given = str | Path | Mapping[str, Any] | Item


def load(net: Given) -> Spec:
    """The checked file."""
    return check(tree(net), folder_of(net))


def folder_of(net: Given) -> Path:
    """Where files beside it are looked for: its folder, or the present one."""
    match net:
        case Item():
            return Path(net.file).parent
        case str() | Path() if str(net) != "-":
            return Path(net).parent
    return Path(".")


def tree(given: Given) -> Item:
    """What a file says, or a mapping of the same form, as it is written."""
    if isinstance(given, Item):
        return given
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
    "inputs": "one sample (a list), a batch (a list of rows), {randn: [samples, features]} with or without a seed of its own, or how many features",
    "targets": "one value per output, rows of them, or class indices",
    "seed": "for everything that is drawn",
    "init": "how it is drawn: {generator: numpy | torch, …}",
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
    "check": "how answers are marked: required digits, credit of verdicts, points of steps, follow-through",
    "parameters": "an .npz file of weights beside this file",
}


def check(item: Item, folder: Path) -> Spec:
    """The spec in a parsed file."""
    top = item.value
    if not isinstance(top, dict):
        raise item.error(f"expected a network with inputs, targets, layers and loss, not {described(item)}")
    for key, value in top.items():
        if key not in KEYS:
            raise value.at_key().error(f"unknown key '{key}'.{offered(key, KEYS, 'Keys are')}")
    given = {key: value for key, value in top.items() if value.value is not None}
    if "layers" not in given:
        raise item.error("there are no layers")
    saved = arrays.load(given["parameters"], folder) if "parameters" in given else {}
    inputs, samples, features, batched = read_inputs(given.get("inputs"), saved)
    seed = whole(given["seed"], 0, 2**63 - 1) if "seed" in given else None
    drawing = read_drawing(given["init"]) if "init" in given else BY_NUMPY
    specs = read_layers(given["layers"], seed is not None or "init" in given, saved)
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
        id=text(given["id"]) if "id" in given else "",
        check=given.get("check"),
        drawing=drawing,
    )


def read_drawing(item: Item) -> Drawing:
    """How random numbers are drawn."""
    found = Drawing(**read_options(item, Drawing, "init"))
    for option in ("order", "dtype"):
        if found.generator == "numpy" and option in mapping(item):
            raise mapping(item)[option].at_key().error(f"{option} is PyTorch's: give generator: torch")
    return found


def read_penalties(given: Mapping[str, Item]) -> tuple[Choice, ...]:
    """The penalties; a number alone is the strength."""
    if "regularization" not in given:
        return ()
    if "loss" not in given:
        raise given["regularization"].at_key().error("regularization adds to the loss, but there is no loss")
    found = []
    for key, value in mapping(given["regularization"]).items():
        if key not in penalties:
            raise value.at_key().error(f"unknown penalty '{key}'.{offered(key, penalties, 'There are')}")
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
    seed = whole(entries["seed"], 0, 2**63 - 1) if "seed" in entries else None
    named = {key: value for key, value in entries.items() if key != "seed"}
    name, sizes = next(iter(named.items())) if len(named) == 1 else ("", item)
    if name not in DISTRIBUTIONS:
        raise sizes.at_key().error(f"expected randn, rand or size: [samples, features].{nearest(name, DISTRIBUTIONS)}")
    shape = [whole(part, 1, MAX_VALUES) for part in sequence(sizes)]
    if len(shape) not in (1, 2):
        raise sizes.error("expected [features] or [samples, features]")
    samples, features = (1, *shape)[-2:]
    if samples * features > MAX_VALUES:
        raise sizes.error(f"more than {MAX_VALUES:,} numbers")
    if name == "size" and seed is not None:
        raise entries["seed"].at_key().error("nothing is drawn: size says how many there are")
    return (None if name == "size" else Draw(None, name, seed)), samples, features, len(shape) == 2
