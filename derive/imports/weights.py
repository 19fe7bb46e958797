"""The weights of a state dict (`model.pt`) as a network file: what it holds is read off its names and shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from derive.build import build
from derive.errors import InputError, nearest
from derive.imports.file import Net
from derive.imports.numbers import few, numbers
from derive.layers import NORMS
from derive.losses import losses
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.spec import load

MOST_BYTES = 64 * 1024 * 1024
WRAPPED = ("state_dict", "model_state_dict", "model")  # what checkpoints call the weights among other things
COUNTER = "num_batches_tracked"  # of a batch norm: whole, and not needed
LEARNED = ("linear", *NORMS)


def state_dict(path: str | Path) -> dict[str, Any]:
    """The tensors in a file of `torch.save`, by name; no code in it is run. InputError for anything else."""
    import pickle
    import warnings

    try:
        import torch
    except ImportError:
        from derive.imports import EXTRA

        raise InputError(f"from-torch {EXTRA}", file=str(path)) from None
    try:
        if Path(path).stat().st_size > MOST_BYTES:
            raise InputError(f"larger than {MOST_BYTES // 2**20} MiB", file=str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), file=str(path)) from None
    except InputError:
        raise
    except pickle.UnpicklingError:
        raise InputError("holds more than weights: save model.state_dict()", file=str(path)) from None
    except Exception:  # a damaged archive can fail anywhere
        raise InputError("is not a file of torch.save that can be read", file=str(path)) from None
    for name in WRAPPED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not found:
        raise InputError("holds no state dict: save model.state_dict()", file=str(path))
    if not all(isinstance(name, str) and torch.is_tensor(value) for name, value in found.items()):
        raise InputError("holds more than the tensors of a state dict", file=str(path))
    few(found.values(), str(path))
    for name, value in found.items():
        if not value.is_floating_point() and name.rpartition(".")[2] != COUNTER:
            raise InputError(f"{name}: not a tensor of floating-point numbers", file=str(path))
    return dict(found)


def learned(weights: Mapping[str, Any], file: str) -> list[dict[str, dict[str, Any]]]:
    """The layers that have numbers, in the order of their names in the file."""
    groups: dict[str, dict[str, Any]] = {}
    for name, tensor in weights.items():
        prefix, _, part = name.rpartition(".")
        groups.setdefault(prefix, {})[part] = tensor
    return [layer(prefix, parts, file) for prefix, parts in groups.items()]


def layer(prefix: str, parts: Mapping[str, Any], file: str) -> dict[str, dict[str, Any]]:
    """One layer: which it is shows in the shapes of what it has."""
    title = prefix or "the first"
    held = {name: numbers(value, f"{prefix}.{name}") for name, value in parts.items() if name != COUNTER}
    names, weight = set(held), held.get("weight")
    alike = weight is not None and all(
        part.shape == weight.shape[:1] for name, part in held.items() if name != "weight"
    )
    if weight is not None and alike and weight.ndim == 2 and names <= {"weight", "bias"}:
        bias = held["bias"].tolist() if "bias" in held else False
        return {"linear": {"weight": weight.tolist(), "bias": bias}}
    if weight is not None and alike and weight.ndim == 1 and names == {"weight", "bias"}:
        return {"layer_norm": {name: value.tolist() for name, value in held.items()}}
    if weight is not None and alike and weight.ndim == 1 and names == {"weight", "bias", "running_mean", "running_var"}:
        return {"batch_norm": {name: value.tolist() for name, value in held.items()}}
    shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in held.items())
    raise InputError(f"{title!r} is no linear layer, batch norm or layer norm: {shapes}", file=file)


def arranged(found: Sequence[dict[str, dict[str, Any]]], layers: str | None, activation: str | None) -> list[Any]:
    """The layers with what has no numbers between them: as they are listed, or one activation behind all but the last."""
    if layers is not None and activation is not None:
        raise InputError("give --layers or --activation, not both", file="--activation")
    if layers is None:
        return between(found, activation)
    left, arranged = list(found), list[Any]()
    for name in (part.strip() for part in layers.split(",")):
        if name in activations:
            arranged.append(activations.canonical(name))
        elif name == "dropout":
            arranged.append(name)
        elif name not in LEARNED:
            raise InputError(
                f"unknown layer '{name}'.{nearest(name, [*LEARNED, 'dropout', *activations])}", file="--layers"
            )
        elif not left or name not in left[0]:
            there = next(iter(left[0])) if left else "nothing"
            raise InputError(f"the file has {there} where {name} is listed", file="--layers")
        else:
            arranged.append(left.pop(0))
    if left:
        raise InputError(
            f"the file has {len(left)} more: {', '.join(next(iter(rest)) for rest in left)}", file="--layers"
        )
    return arranged


def between(found: Sequence[dict[str, dict[str, Any]]], activation: str | None) -> list[Any]:
    """An activation before every linear layer but the first, so that norms stand before it."""
    if activation is not None and activation not in activations:
        raise InputError(f"unknown activation '{activation}'.{nearest(activation, activations)}", file="--activation")
    arranged: list[Any] = []
    for part in found:
        if (
            activation is not None
            and "linear" in part
            and any("linear" in before for before in found[: found.index(part)])
        ):
            arranged.append(activations.canonical(activation))
        arranged.append(part)
    return arranged


def fits(net: Net, file: str) -> None:
    """Refuses what is no network: layers, inputs or targets that do not go together."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        written = net.save(Path(folder) / "net.yaml")
        try:
            build(load(written[-1]))
        except InputError as error:
            raise InputError(error.problem, file=file, path=error.path) from None


def listed(text: str | None, option: str) -> Any:
    """Numbers given on the command line, as JSON writes them."""
    if text is None:
        return None

    def plain(value: Any) -> bool:
        if isinstance(value, list):
            return all(map(plain, value))
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    try:
        found = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found or not plain(found):
        raise InputError("expected numbers like [1, 2] or [[1, 2], [3, 4]]", file=option)
    return found


def named(name: str | None, known: Any, option: str) -> str | None:
    if name is not None and name not in known:
        raise InputError(f"unknown {known.kind} '{name}'.{nearest(name, known.known)}", file=option)
    return None if name is None else str(known.canonical(name))


def from_weights(
    path: str | Path,
    *,
    layers: str | None = None,
    activation: str | None = None,
    inputs: str | None = None,
    targets: str | None = None,
    loss: str | None = None,
    optimizer: str | None = None,
    lr: float | None = None,
) -> tuple[Net, list[str]]:
    """(the network file of a state dict, what remains to be filled in: keys of sentences under `from_torch`)."""
    weights = state_dict(path)
    found = learned(weights, str(path))
    first = next((part["linear"] for part in found if "linear" in part), None)
    if first is None:
        raise InputError("there is no linear layer in it", file=str(path))
    loss, optimizer = named(loss, losses, "--loss"), named(optimizer, optimizers, "--optimizer")
    if lr is not None and optimizer is None:
        raise InputError("a rate needs an --optimizer", file="--lr")
    net = Net(name=Path(path).stem, inputs=listed(inputs, "--inputs") or len(first["weight"][0]))
    if (given := listed(targets, "--targets")) is not None:
        net["targets"] = given
    net["layers"] = arranged(found, layers, activation)
    alone = not isinstance(net["inputs"], list) or not isinstance(net["inputs"][0], list) or len(net["inputs"]) == 1
    if alone and any("batch_norm" in part for part in found):
        net["mode"] = "eval"
    if loss is not None:
        net["loss"] = loss
    if optimizer is not None:
        net["optimizer"] = optimizer if lr is None else {optimizer: {"lr": lr}}
    fits(net, str(path))
    linear = sum("linear" in part for part in found)
    missing = ["activations"] if layers is None and activation is None and linear > 1 else []
    missing += ["mode"] if "mode" in net else []
    missing += ["inputs"] if inputs is None else []
    missing += ["targets"] if targets is None and loss is not None else []
    missing += ["loss"] if loss is None else []
    return net, missing
