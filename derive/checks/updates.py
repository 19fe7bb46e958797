"""An optimizer's steps, made again by a plain-NumPy reference that shares nothing with derive's rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive import reference
from derive.algebra import Value
from derive.checks.errors import Errors
from derive.document import Witness
from derive.ids import base, state
from derive.model import Model
from derive.options import Choice
from derive.values import Values

TOLERANCE = 1e-9


def updates(model: Model, values: Values) -> Iterator[Witness]:
    """Every parameter after every step, from the gradients of the page, against the reference."""
    optimizer = model.spec.optimizer
    if optimizer is None or not model.updated or optimizer.name not in reference.KNOWN:
        return
    lr = float(optimizer.in_force["lr"])
    for k, parameter in enumerate(model.iterations[0].parameters):
        if parameter not in model.iterations[0].updated:
            continue
        steps = []
        for iteration in model.iterations:
            now = iteration.parameters[k]
            gradient, ours = iteration.gradient[now], iteration.updated[now]
            rate = lr if iteration.rate is None else float(values.floats[iteration.rate.id][0, 0])
            steps.append((values.arrays[gradient.id], rate, values.floats[ours.id]))
        memory = started(model, values, parameter.id)
        begun = Begun(values.floats[parameter.id], memory, model.steps_before)
        yield stepped(optimizer, begun, steps, f"{base(parameter.id)}+")


@dataclass(frozen=True)
class Begun:
    """Where an optimizer starts: the parameter, what it remembers, and how many steps it has made."""

    theta: Value
    memory: dict[str, Any]
    steps_before: int = 0


def stepped(optimizer: Choice, begun: Begun, steps: Iterable[tuple[Value, float, Value]], quantity: str) -> Witness:
    """The steps of the reference from (gradient, rate), held against the parameters after them.

    An error counts against the largest parameter there has been: what cancels leaves the roundings of the larger one.
    Entries are left out from where a gradient is 0 in float64 that is not 0.
    """
    options = plain(optimizer.in_force)
    del options["lr"]
    errors, memory = Errors(), begun.memory
    theta = np.array(begun.theta, dtype=float)
    size = max(1e-300, float(np.max(np.abs(theta))))
    lost = np.zeros(theta.shape, dtype=bool)
    for number, (gradient, rate, ours) in enumerate(steps, begun.steps_before + 1):
        given = np.asarray(gradient, dtype=float)
        lost |= (given == 0) & np.asarray(gradient != 0, dtype=bool)
        theta, memory = reference.step(optimizer.name, theta, given, memory, number, rate, options)
        size = max(size, float(np.max(np.abs(theta))))
        errors.compare(np.where(lost, 0.0, np.asarray(ours, dtype=float)), np.where(lost, 0.0, theta), size)
    return errors.witness("reference", quantity, TOLERANCE)


def started(model: Model, values: Values, id: str) -> dict[str, Any]:
    """What the file gives of an optimizer's memory."""
    found = {}
    for node in model.remembered:
        letter, of = state(node.id)
        if of == f"{id}@0" and node.id in values.floats:
            found[letter] = np.asarray(values.floats[node.id], dtype=float)
    return found


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Options as floats."""

    def one(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(float(x) for x in value)
        return value if isinstance(value, (str, bool)) else float(value)

    return {name: one(value) for name, value in options.items()}
