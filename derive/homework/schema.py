"""JSON Schemas of what concerns marking: `check:` in net.yaml, and answers.yaml. What editors complete is understood."""

from __future__ import annotations

from typing import Any

from derive.homework.conventions import EPS, LOSSES, MOMENTUM
from derive.homework.manifest import KIND, MOST_SEED, MOST_STUDENTS, MOST_VARIANTS, OF_VARIANT, OPTIONAL
from derive.homework.manifest import MEANINGS as MANIFEST
from derive.homework.manifest import VERSION as MANIFEST_VERSION
from derive.homework.marked import VERDICTS
from derive.homework.policy import CREDIT, FOLLOW, FORMS, KEYS, Policy
from derive.homework.reading.answers import MAX_ROUNDING, PARTS, VERSION
from derive.homework.reading.answers import MEANINGS as ANSWERS
from derive.policies import MOST_DIGITS

Schema = dict[str, Any]

#: A number, or how a fraction is written, which YAML takes for a text.
FRACTION: Schema = {"type": "string", "pattern": r"^\+?\d+/\d+$"}
#: Whatever stands for a number: answers are read from their texts, and may be closed forms such as sqrt(2)/2.
WRITTEN: Schema = {"type": ["number", "string", "null"]}
CELL: Schema = {"$ref": "#/$defs/cell"}
CONVENTIONS = {"loss": list(LOSSES), "momentum": list(MOMENTUM), "eps": list(EPS)}


def between(lowest: float, highest: float, default: float) -> Schema:
    return {"anyOf": [{"type": "number", "minimum": lowest, "maximum": highest}, FRACTION], "default": default}


def marking() -> Schema:
    """`check:`, how strictly answers are marked."""
    policy = Policy()
    credits = {verdict: between(0, 1, CREDIT[verdict]) for verdict in VERDICTS}
    carried = policy.follow_through
    follow: Schema = {
        "credit": between(0, 1, carried.credit),
        "max_share": between(0, 1, carried.max_share),
        "requires_working": {"type": "boolean", "default": carried.working},
        "guards": {"type": "boolean", "default": carried.guards},
    }
    options: Schema = {
        "significant": {"type": "integer", "minimum": 1, "maximum": MOST_DIGITS, "default": 3},
        "decimals": {"type": "integer", "minimum": 0, "maximum": MOST_DIGITS},
        "credit": closed(credits),
        "weights": {"type": "object", "additionalProperties": between(0, 1000, 1)},
        "follow_through": closed(described(follow, FOLLOW)),
        "form": {"enum": list(FORMS), "default": policy.form},
        "steps": {"type": "object", "additionalProperties": {"type": ["string", "number"]}},
        "ask": {"type": "array", "items": {"type": "string"}},
    }
    return closed(described(options, KEYS)) | {"not": {"required": ["significant", "decimals"]}}


def answers() -> Schema:
    """The schema of answers.yaml (JSON Schema 2020-12): one submission, or a list of them."""
    student = closed({"id": WRITTEN, "name": WRITTEN})
    digits: Schema = {"type": "integer", "maximum": MAX_ROUNDING}
    options: Schema = {
        "derive_answers": {"enum": [int(VERSION), VERSION]},
        "assignment": WRITTEN,
        "student": {"anyOf": [WRITTEN, student]},
        "rounding": {
            "oneOf": [
                closed({kind: digits | {"minimum": least}}) | {"required": [kind]}
                for kind, least in (("sf", 1), ("dp", 0))
            ]
        },
        "decimal": {"enum": [".", ","]},
        "conventions": {
            "type": "object",
            "properties": {about: {"examples": names} for about, names in CONVENTIONS.items()},
            "additionalProperties": {"type": "string"},
        },
        "answers": {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/answer"}},
        "working": WRITTEN,
    }
    submission = closed(described(options, ANSWERS)) | {"required": ["answers"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answers for derive check",
        "anyOf": [{"$ref": "#/$defs/submission"}, {"type": "array", "items": {"$ref": "#/$defs/submission"}}],
        "$defs": {"submission": submission, "answer": answer(), "cell": cell()},
    }


def variants() -> Schema:
    """A manifest of variants; its network is a network file."""
    number: Schema = {"anyOf": [{"type": "number"}, FRACTION]}
    numbers = {"type": "object", "additionalProperties": number}
    variant = closed({"number": {"type": "integer", "minimum": 0}, "id": WRITTEN, "numbers": numbers})
    listed = {"type": "array", "minItems": 1, "maxItems": MOST_VARIANTS, "items": variant | {"required": [*OF_VARIANT]}}
    options: Schema = {
        KIND: {"const": int(MANIFEST_VERSION)},
        "derive": {"type": "string"},
        "seed": {"type": "integer", "minimum": 0, "maximum": MOST_SEED},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "sheet": {"type": "object", "additionalProperties": {"type": "string"}},
        "network": {"type": "object", "required": ["id", "layers"]},
        "variants": listed,
        "students": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": MOST_STUDENTS},
    }
    required = [key for key in MANIFEST if key not in OPTIONAL]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Variants of an exercise",
        **closed(described(options, MANIFEST)),
        "required": required,
    }


def answer() -> Schema:
    """One answer: a number, its parts, or one for every entry."""
    return {"anyOf": [CELL, closed(dict.fromkeys(PARTS, CELL))]}


def cell() -> Schema:
    """A number, or lists of them, or a mapping from indices."""
    by_index = {"type": "object", "patternProperties": {r"^(0|[1-9]\d*)$": CELL}, "additionalProperties": False}
    return {"anyOf": [WRITTEN, {"type": "array", "items": CELL}, by_index]}


def closed(options: Schema) -> Schema:
    """A mapping with these keys alone."""
    return {"type": "object", "properties": options, "additionalProperties": False}


def described(options: Schema, meanings: dict[str, str]) -> Schema:
    """The options with what they mean; each has a meaning."""
    return {key: option | {"description": meanings[key]} for key, option in options.items()}
