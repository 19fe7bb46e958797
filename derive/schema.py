"""A JSON Schema of net.yaml, built from the tables: what editors complete is what is understood."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from derive.blocks import LINEAR_KEYS, MAX_VALUES
from derive.generators import Drawing
from derive.homework.schema import marking
from derive.initializers import initializers
from derive.layers import layers
from derive.losses import losses
from derive.notation import CHOICES, LETTERS, NUMBERINGS, ORDERS, PRESETS, SYNONYMS
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.options import parameters, required
from derive.penalties import penalties
from derive.registry import Registry
from derive.schedules import schedules
from derive.spec import DISTRIBUTIONS, KEYS, MAX_STEPS, MODES, UPDATES

Schema = dict[str, Any]

# a fraction such as 1/3 is a plain scalar in YAML, which a JSON Schema sees as a string
NUMBER: Schema = {"$ref": "#/$defs/number"}
NUMBER_ITSELF: Schema = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-+]?\d+/\d+$"}]}
ROW: Schema = {"type": "array", "items": NUMBER, "minItems": 1}
MATRIX: Schema = {"type": "array", "items": ROW, "minItems": 1}
SEED: Schema = {"type": "integer", "minimum": 0}
LINEAR: Schema = {"$ref": "#/$defs/linear"}
INITIALIZER: Schema = {"$ref": "#/$defs/initializer"}
LABELS: Schema = {"anyOf": [{"type": ["string", "number"]}, {"type": "array"}]}


def schema() -> Schema:
    """The schema of the whole file (JSON Schema 2020-12)."""
    properties: Schema = {
        "name": {"type": "string"},
        "id": {"type": "string"},
        "inputs": {"anyOf": [ROW, MATRIX, {"type": "integer", "minimum": 1}, drawn()]},
        "targets": {"anyOf": [NUMBER, ROW, MATRIX]},
        "seed": SEED,
        "init": options_of(Drawing),
        "layers": {
            "type": "array",
            "items": {"$ref": "#/$defs/layer"},
        },
        "mode": {"enum": list(MODES)},
        "loss": {"anyOf": entries(losses)},
        "regularization": {"type": "object", "additionalProperties": False, "properties": strengths()},
        "optimizer": {"anyOf": entries(optimizers)},
        "schedule": {"$ref": "#/$defs/schedule"},
        "steps": {"type": "integer", "minimum": 1, "maximum": MAX_STEPS},
        "batch_size": {"type": "integer", "minimum": 1, "maximum": MAX_VALUES},
        "drop_last": {"type": "boolean"},
        "update": {"enum": list(UPDATES)},
        "state": {"type": "object"},
        "labels": {"type": "object", "additionalProperties": LABELS},
        "frozen": {"type": "array", "items": {"type": "string"}},
        "notation": notation(),
        "numbers": numbers(),
        "check": marking(),
        "parameters": {"type": "string", "pattern": r"\.npz$"},
    }
    for key, meaning in KEYS.items():
        properties[key]["description"] = meaning
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A network for derive",
        "type": "object",
        "required": ["layers"],
        "additionalProperties": False,
        "properties": properties,
        "$defs": {
            "number": NUMBER_ITSELF,
            "layer": {"anyOf": [*structure(), *entries(layers), *entries(activations)]},
            "linear": linear(),
            "initializer": {"anyOf": entries(initializers)},
            "schedule": {"anyOf": entries(schedules)},
        },
    }


def structure() -> list[Schema]:
    """The linear layer, and blocks of layers."""
    block = {"type": "array", "items": {"$ref": "#/$defs/layer"}, "minItems": 1}
    return [single("linear", LINEAR), single("Linear", LINEAR), single("residual", block)]


def strengths() -> Schema:
    """The penalties: a number alone is the strength."""
    found = {}
    for entry in entries(penalties):
        for name, options in entry.get("properties", {}).items():
            alone = options.get("required") == ["lambda"]
            found[name] = {"anyOf": [NUMBER, options]} if alone else options
    return found


def entries(registry: Registry[Any]) -> list[Schema]:
    """Every entry of a table: with its options, or by name alone where none has to be given."""
    found: list[Schema] = [{"enum": [name for name in registry.known if not required(registry[name])]}]
    for name in registry.known:
        function = registry[name]
        meaning = (inspect.getdoc(function) or "").splitlines()[0]
        inside = {**options_of(function), "type": ["object", "null"], "description": meaning}
        if needed := required(function):
            inside |= {"type": "object", "required": needed}
        found.append(single(name, inside))
    return found


def options_of(function: Callable[..., Any]) -> Schema:
    """The keyword-only arguments of a function."""
    properties = {
        option: {**kind(annotation), **({} if option in required(function) else default_of(default))}
        for option, (annotation, default) in parameters(function).items()
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def single(name: str, inside: Schema) -> Schema:
    return {"type": "object", "properties": {name: inside}, "required": [name], "additionalProperties": False}


def kind(annotation: Any) -> Schema:
    """What an option accepts, from its annotation."""
    if annotation is Fraction:
        return dict(NUMBER)
    if annotation is int:
        return {"type": "integer"}
    if annotation is bool:
        return {"type": "boolean"}
    if get_origin(annotation) is Literal:
        return {"enum": list(get_args(annotation))}
    if get_origin(annotation) is Annotated:
        return {"$ref": f"#/$defs/{get_args(annotation)[1].kind}"}
    if get_origin(annotation) is UnionType:
        return {"anyOf": [kind(get_args(annotation)[0]), {"type": "null"}]}
    part = kind(get_args(annotation)[0])
    several = {"type": "array", "items": part, "minItems": 1}
    return several if "$ref" in part and part != NUMBER else {"anyOf": [part, several]}


def default_of(default: Any) -> Schema:
    plain = (
        [float(x) for x in default]
        if isinstance(default, tuple)
        else float(default)
        if isinstance(default, Fraction)
        else default
    )
    return {"default": plain}


def linear() -> Schema:
    kinds: dict[str, Schema] = {
        "out": {"type": "integer", "minimum": 1},
        "in": {"type": "integer", "minimum": 1},
        "weight": {"anyOf": [NUMBER, ROW, MATRIX, INITIALIZER]},
        "bias": {"anyOf": [{"type": "boolean"}, NUMBER, ROW, {"enum": ["shared", "none"]}, INITIALIZER]},
        "init": INITIALIZER,
    }
    options = {name: kinds[meaning] for name, meaning in LINEAR_KEYS.items()}
    return {"type": "object", "properties": options, "additionalProperties": False}


def drawn() -> Schema:
    sizes: Schema = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 2}
    found = [single(name, sizes) for name in DISTRIBUTIONS]
    for some in found[:-1]:
        some["properties"]["seed"] = SEED
    return {"anyOf": found}


def notation() -> Schema:
    switches: Schema = {letter: {"type": "string"} for letter in (*LETTERS, *SYNONYMS)}
    switches |= {
        name: {
            "enum": [
                *choices,
                *([int(c) for c in choices] if name == "first_layer" else []),
                *([None] if "" in choices else []),
            ]
        }
        for name, choices in CHOICES.items()
    }
    switches |= {
        "preset": {"enum": list(PRESETS)},
        "index_order": {"enum": list(ORDERS)},
        "numbering": {"enum": list(NUMBERINGS)},
    }
    return {
        "anyOf": [{"enum": list(PRESETS)}, {"type": "object", "properties": switches, "additionalProperties": False}]
    }


def numbers() -> Schema:
    options: Schema = {
        "significant": {"type": "integer", "minimum": 1, "maximum": 30},
        "decimals": {"type": "integer", "minimum": 0, "maximum": 30},
        "exact": {"type": "boolean"},
        "round_as_you_go": {"type": "boolean"},
        "half": {"enum": ["even", "up"]},
        "comma": {"type": "boolean"},
        "decimal_comma": {"type": "boolean"},
    }
    return {"type": "object", "properties": options, "additionalProperties": False}
