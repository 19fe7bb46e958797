"""PyTorch's modules as layers of a network file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from derive.errors import InputError
from derive.imports.numbers import few, number, numbers

Layer = Any  # an entry of `layers:`
#: Activations: the name in the file, and the options that are attributes of the module.
ACTIVATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Sigmoid": ("sigmoid", ()),
    "Tanh": ("tanh", ()),
    "ReLU": ("relu", ()),
    "LeakyReLU": ("leaky_relu", ("negative_slope",)),
    "ELU": ("elu", ("alpha",)),
    "SELU": ("selu", ()),
    "GELU": ("gelu", ("approximate",)),
    "SiLU": ("silu", ()),
    "Softplus": ("softplus", ("beta", "threshold")),
    "Hardtanh": ("hardtanh", ("min_val", "max_val")),
}
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
HOOKS_OF_TENSORS = ("_backward_hooks", "_post_accumulate_grad_hooks")
SAME = ("Identity", "Flatten")  # of rows of numbers they change nothing


@dataclass
class Found:
    """The layers, the parameters by derive's ids, and the mode."""

    layers: list[Layer] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    linear: int = 0
    norms: int = 0  # behind the last linear layer
    modes: set[bool] = field(default_factory=set)

    @property
    def mode(self) -> str:
        return "eval" if self.modes == {False} else "train"


def layers_of(module: Any, inputs: Any) -> Found:
    """The layers of a module, which must be its children one after the other."""
    import torch

    if not isinstance(module, torch.nn.Module):
        raise InputError(f"expected a module of torch.nn, not {type(module).__name__}", file="from_torch")
    plain(module)
    leaves = list(flat(module, ""))
    few([p for _, leaf in leaves for p in leaf.parameters()], "from_torch")
    found, seen = Found(), set[int]()
    for path, leaf in leaves:
        own = {id(tensor) for tensor in (*leaf.parameters(), *leaf.buffers())}
        if own & seen:
            raise refused(path, leaf, "what it learns stands twice, and cannot be shared")
        seen |= own
        read(found, path, leaf, inputs)
    if any(id(p) not in seen for p in module.parameters()):
        raise InputError(f"{type(module).__name__} has parameters beside those of its layers", file="from_torch")
    if len(found.modes) > 1:
        raise InputError("some layers are in train mode and some in eval mode", file="from_torch")
    in_order(module, [leaf for _, leaf in leaves], inputs)
    return found


def plain(module: Any) -> None:
    """Refuses what changes the work of a module from outside: hooks, or another forward put into one."""
    for path, part in module.named_modules():
        for hooks in HOOKS:
            if getattr(part, hooks, None):
                raise refused(path or "the module", part, "it has hooks")
        if "forward" in vars(part):
            raise refused(path or "the module", part, "its forward is another")
    for path, parameter in module.named_parameters():
        if any(getattr(parameter, hooks, None) for hooks in HOOKS_OF_TENSORS):
            raise InputError(f"{path}: it has hooks", file="from_torch")


def flat(module: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The modules without children, by path, in order."""
    children = list(module.named_modules(remove_duplicate=False))[1:]
    direct = [(name, child) for name, child in children if "." not in name]
    if not direct:
        yield path or type(module).__name__, module
    for name, child in direct:
        yield from flat(child, f"{path}.{name}" if path else name)


def refused(path: str, module: Any, why: str = "") -> InputError:
    what = f"{path} ({type(module).__name__})"
    return InputError(f"{what}: {why or 'derive has no layer of this kind'}", file="from_torch")


def read(found: Found, path: str, module: Any, inputs: Any) -> None:
    """One module."""
    name = type(module).__name__
    of_torch = type(module).__module__.startswith("torch.nn.modules")
    dimensions = np.ndim(inputs)
    if of_torch and name in SAME:
        if name == "Flatten" and (module.end_dim - module.start_dim) % dimensions:
            raise refused(path, module, f"start_dim={module.start_dim} makes one row of all samples")
        return
    if of_torch and name in ACTIVATIONS:
        title, options = ACTIVATIONS[name]
        given = {option: value(getattr(module, option), f"{path}.{option}") for option in options}
        found.layers.append({title: given} if given else title)
    elif of_torch and name in ("Softmax", "LogSoftmax"):
        if module.dim not in (None, -1, dimensions - 1):
            raise refused(path, module, f"dim={module.dim} is not along the units")
        found.layers.append("softmax" if name == "Softmax" else "log_softmax")
    elif of_torch and name in READERS:
        READERS[name](found, path, module)
    else:
        raise refused(path, module)


def linear(found: Found, path: str, module: Any) -> None:
    found.linear, found.norms = found.linear + 1, 0
    options: dict[str, Any] = {"weight": rows(module.weight, f"{path}.weight")}
    found.parameters[f"W{found.linear}"] = module.weight
    options["bias"] = False if module.bias is None else rows(module.bias, f"{path}.bias")
    if module.bias is not None:
        found.parameters[f"b{found.linear}"] = module.bias
    found.layers.append({"linear": options})


def dropout(found: Found, path: str, module: Any) -> None:
    found.modes.add(module.training)
    found.layers.append({"dropout": {"p": module.p}})


def batch_norm(found: Found, path: str, module: Any) -> None:
    found.modes.add(module.training)
    if module.momentum is None:
        raise refused(path, module, "momentum=None, the mean over all batches, is not there")
    if not module.track_running_stats:
        raise refused(path, module, "track_running_stats=False is not there")
    options = {"eps": module.eps, "momentum": module.momentum}
    options |= {name: rows(getattr(module, name), f"{path}.{name}") for name in ("running_mean", "running_var")}
    found.layers.append({"batch_norm": {**options, **learned(found, path, module, "affine", module.affine)}})


def layer_norm(found: Found, path: str, module: Any) -> None:
    if len(module.normalized_shape) != 1:
        raise refused(path, module, "it must be along the units of a sample")
    options = learned(found, path, module, "elementwise_affine", module.elementwise_affine)
    found.layers.append({"layer_norm": {"eps": module.eps, **options}})


def learned(found: Found, path: str, module: Any, switch: str, on: bool) -> dict[str, Any]:
    """γ and β of a normalization."""
    found.norms += 1
    number = f"{found.linear}.{found.norms}" if found.norms > 1 else str(found.linear)
    if not on:
        return {switch: False}
    if module.bias is None:
        raise refused(path, module, "bias=False is not there: γ comes with β")
    found.parameters |= {f"gamma{number}": module.weight, f"beta{number}": module.bias}
    return {"weight": rows(module.weight, f"{path}.weight"), "bias": rows(module.bias, f"{path}.bias")}


def value(given: Any, what: str) -> Any:
    """An option of a module."""
    return given if isinstance(given, str) else number(given, what)


def rows(tensor: Any, what: str) -> Any:
    return numbers(tensor, what).tolist()


READERS: dict[str, Callable[[Found, str, Any], None]] = {
    "Linear": linear,
    "Dropout": dropout,
    "BatchNorm1d": batch_norm,
    "LayerNorm": layer_norm,
}


def in_order(module: Any, leaves: list[Any], inputs: Any) -> None:
    """Refuses a module that computes something else than its children in order; both are asked, in its mode and in eval.

    The random numbers of both are the same, and those of the caller stay as they are.
    """
    import torch

    title, given = type(module).__name__, torch.as_tensor(inputs)
    for training in {module.training, False}:
        try:
            with torch.no_grad():
                expected, found = (run(parts, given, training) for parts in ([module], leaves))
        except Exception as error:  # whatever a module does with numbers that it cannot take
            why = str(error).partition("\n")[0]
            raise InputError(f"{title} of inputs {tuple(given.shape)}: {why}", file="from_torch") from None
        if (
            not torch.is_tensor(expected)
            or expected.shape != found.shape
            or not torch.allclose(expected, found, rtol=1e-5, atol=1e-7, equal_nan=True)
        ):
            raise InputError(f"{title}: its forward is not its children one after the other", file="from_torch")


def run(parts: list[Any], inputs: Any, training: bool) -> Any:
    """Copies of some modules one after the other. training: as they are, or else all in eval mode"""
    import torch

    first = next((p for part in parts for p in part.parameters()), None)
    x = inputs.clone() if first is None else inputs.to(first.dtype, copy=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for part in parts:
            own = deepcopy(part)
            x = (own if training else own.eval())(x)
    return x
