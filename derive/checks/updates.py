"""An optimizer's steps, made again by a plain-NumPy reference that shares nothing with derive's rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from derive import reference
from derive.checks.errors import Errors
from derive.document import Witness
from derive.ids import base, state
from derive.model import Model
from derive.values import Values

TOLERANCE = 1e-9


def updates(model: Model, values: Values) -> Iterator[Witness]:
    """Every parameter after every step, from the gradients of the page, against the reference."""
    optimizer = model.spec.optimizer
    if optimizer is None or not model.updated or optimizer.name not in reference.KNOWN:
        return
    options = plain(optimizer.in_force)
    lr = options.pop("lr")
    for k, parameter in enumerate(model.iterations[0].parameters):
        if parameter not in model.iterations[0].updated:
            continue
        errors = Errors()
        theta = np.array(values.floats[parameter.id], dtype=float)
        memory = started(model, values, parameter.id)
        for iteration in model.iterations:
            now = iteration.parameters[k]
            gradient = np.asarray(values.floats[iteration.gradient[now].id], dtype=float)
            rate = lr if iteration.rate is None else float(values.floats[iteration.rate.id][0, 0])
            number = iteration.number + model.steps_before
            theta, memory = reference.step(optimizer.name, theta, gradient, memory, number, rate, options)
            ours = np.asarray(values.floats[iteration.updated[now].id], dtype=float)
            errors.compare(ours, theta, max(1e-300, float(np.max(np.abs(theta)))))
        yield errors.witness("reference", f"{base(parameter.id)}+", TOLERANCE)


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
