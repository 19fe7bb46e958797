"""JSON as the tree that YAML is read to: numbers stay texts, nothing is said twice."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from derive.errors import InputError
from derive.source import MAX_PATH, MAX_TEXT, Item, Value, quoted

#: Texts with their escapes are passed over whole, so that a bracket in one is none.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def parse_json(text: str, file: str, depth: int) -> Item:
    """The tree of a JSON text. Raises InputError, with the place of a syntax error and the name of a duplicate."""
    _refuse_depth(text, file, depth)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        keys: dict[str, Any] = {}
        for key, value in found:
            if key in keys:
                raise InputError(f"duplicate key {quoted(key)}", file=file)
            keys[key] = value
        return keys

    def constant(name: str) -> NoReturn:
        raise InputError(f"{name} is not a number", file=file)

    try:
        found = json.loads(text, object_pairs_hook=pairs, parse_int=str, parse_float=str, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise InputError(
            f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}", file=file, line=error.lineno, column=error.colno
        ) from None
    return tree(found, "", file)


def _refuse_depth(text: str, file: str, depth: int) -> None:
    """Refuse deep nesting before anything recurses."""
    open_brackets = 0
    for token in _TOKEN.finditer(text):
        open_brackets += (token[0] in "[{") - (token[0] in "]}")
        if open_brackets > depth:
            line = text.count("\n", 0, token.start()) + 1
            column = token.start() - text.rfind("\n", 0, token.start())
            raise InputError(f"nested more than {depth} levels deep", file=file, line=line, column=column)


def tree(found: Any, path: str, file: str) -> Item:
    """The tree of dictionaries and lists; what is neither is its text, and None what is blank."""
    value: Value = found
    path = path[:MAX_PATH]
    if isinstance(found, dict):
        for key in found:
            if len(key) > MAX_TEXT:
                raise InputError(f"a name of {len(key)} characters; at most {MAX_TEXT} are allowed", file=file)
        value = {key: tree(part, f"{path}.{key}" if path else key, file) for key, part in found.items()}
    elif isinstance(found, list):
        value = [tree(part, f"{path}[{index}]", file) for index, part in enumerate(found)]
    elif isinstance(found, bool):
        value = str(found).lower()
    elif found is not None:
        value = str(found)
    return Item(value, None, None, path, file, None, None)
