"""What exists, with a line on each: read from the tables themselves."""

from __future__ import annotations

import inspect
from typing import Any

from derive import examples
from derive.initializers import initializers
from derive.language import table
from derive.layers import layers
from derive.lessons import by_chapter, load
from derive.losses import losses
from derive.notation import PRESETS
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.options import parameters
from derive.penalties import penalties
from derive.registry import Registry
from derive.schedules import schedules
from derive.source import parse


def catalogue() -> dict[str, dict[str, str]]:
    """title -> name -> meaning."""
    lessons = {
        f"Lessons: {table('en')[f'chapter.{chapter}'].lower()} (derive explain NAME)": {
            topic: load(topic).title.en for topic in found
        }
        for chapter, found in by_chapter().items()
    }
    return {
        "Examples (derive backprop NAME)": {name: example(name) for name in examples.names()},
        "Layers": {
            "linear": "z = W x + b: {out, weight, bias, init}",
            **described(layers),
            "residual": "A block of layers whose input is added to what it gives: [...]",
        },
        "Activations": described(activations),
        "Losses": described(losses),
        "Penalties (regularization:)": described(penalties),
        "Optimizers": described(optimizers),
        "Schedules": described(schedules),
        "Initializers": described(initializers),
        "Notations": {
            name: f"{n.z.split('|')[0]}, {n.a.split('|')[0]}, {n.loss.split('|')[0]}, {n.rate.split('|')[0]}"
            for name, n in PRESETS.items()
        },
        **lessons,
    }


def described(registry: Registry[Any]) -> dict[str, str]:
    return {name: one(registry[name]) for name in registry}


def one(function: Any) -> str:
    first = (inspect.getdoc(function) or "").splitlines()[0]
    options = ", ".join(parameters(function))
    return f"{first} {{{options}}}" if options else first


def example(name: str) -> str:
    item = parse(examples.text(name), name).value
    assert isinstance(item, dict)
    return str(item["name"].value) if "name" in item else ""
