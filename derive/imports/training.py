"""PyTorch's losses and optimizers as entries of a network file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from derive.errors import InputError
from derive.exports.torch_optimizers import OPTIMIZERS
from derive.imports.numbers import number, numbers
from derive.losses import losses
from derive.optimizers import optimizers
from derive.options import parameters
from derive.registry import Registry

Entry = dict[str, dict[str, Any]] | str


def entry(name: str, options: dict[str, Any], registry: Registry[Any]) -> Entry:
    """An entry with the options that are not the default; the rate stands there always."""
    defaults = {option: default for option, (_, default) in parameters(registry[name]).items()}
    told = {option: value for option, value in options.items() if option == "lr" or not same(value, defaults[option])}
    return {name: told} if told else name


def same(value: Any, default: Any) -> bool:
    """Whether an option has its default value; 1e-8 is not exactly the float64 of that name."""
    if isinstance(default, tuple):
        return isinstance(value, list) and [float(part) for part in default] == value
    return bool(value == (float(default) if isinstance(default, Fraction) else default))


def loss_of(loss: Any) -> Entry:
    """The entry of a loss module, or of a function of torch.nn.functional by its name."""
    title = loss.__name__ if callable(loss) and hasattr(loss, "__name__") else type(loss).__name__
    if title not in losses:
        raise InputError(f"{title}: derive has no loss of this kind", file="from_torch")
    name = losses.canonical(title)
    options: dict[str, Any] = {}
    for option in parameters(losses[name]):
        value = getattr(loss, option, None)
        if option in ("weight", "pos_weight") and value is not None:
            weights = numbers(value, f"{title}.{option}")
            if weights.ndim > 1:
                raise InputError(f"{title}.{option}: expected one number for each output", file="from_torch")
            options[option] = weights.ravel().tolist()
        elif isinstance(value, (bool, str, int)):
            options[option] = value
        elif value is not None:
            options[option] = number(value, f"{title}.{option}")
    if options.get("reduction") == "none":
        raise InputError(f"{title}: reduction='none' gives no single loss", file="from_torch")
    return entry(name, options, losses)


def optimizer_of(optimizer: Any, named: Mapping[str, Any]) -> dict[str, Any]:
    """The entries `optimizer`, `frozen` and `state` of an optimizer over parameters by derive's ids."""
    title = type(optimizer).__name__
    name = next((name for name, (of, _) in OPTIMIZERS.items() if of == title), "")
    if not name:
        raise InputError(f"{title}: derive has no optimizer of this kind", file="from_torch")
    if len(optimizer.param_groups) != 1:
        raise InputError(f"{title}: more than one group of parameters", file="from_torch")
    (group,) = optimizer.param_groups
    ids = {id(parameter): of for of, parameter in named.items()}
    if any(id(parameter) not in ids for parameter in group["params"]):
        raise InputError(f"{title}: a parameter that is not the module's", file="from_torch")
    moved = {ids[id(parameter)] for parameter in group["params"] if parameter.requires_grad}
    options = {
        option: value(group[option], f"{title}.{option}") for option in parameters(optimizers[name]) if option in group
    }
    if name == "adam" and group.get("decoupled_weight_decay"):
        name = "adamw"
    found: dict[str, Any] = {"optimizer": entry(name, options, optimizers)}
    frozen = [of for of in named if of not in moved]
    found |= {"frozen": frozen} if frozen else {}
    state = {of: optimizer.state[parameter] for of, parameter in named.items() if optimizer.state.get(parameter)}
    return {**found, "state": state_of(title, name, state)} if state else found


def value(given: Any, what: str) -> Any:
    """An option's value."""
    if isinstance(given, (bool, str)):
        return given
    return [number(part, what) for part in given] if isinstance(given, (tuple, list)) else number(given, what)


def state_of(title: str, name: str, states: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is remembered, by derive's letters, then by parameter."""
    letters = {key: letter for letter, key in OPTIMIZERS[name][1].items()}
    steps = {int(number(state["step"], f"{title}.step")) for state in states.values() if "step" in state}
    if len(steps) > 1:
        raise InputError(f"{title}: its parameters have made different numbers of steps", file="from_torch")
    found: dict[str, Any] = {}
    for of, state in states.items():
        for key, held in state.items():
            if key in letters and held is not None:
                plain = numbers(held, f"{title}.{re.sub(r'[^a-z_]', '', str(key))}")
                found.setdefault(letters[key], {})[of] = plain.tolist()
    return {**found, **({"step": steps.pop()} if steps else {})}
