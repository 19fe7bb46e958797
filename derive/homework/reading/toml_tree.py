"""TOML as the tree that YAML is read to: decimals stay the texts they are, whole numbers are exact anyway."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from derive.errors import InputError
from derive.homework.reading.json_tree import tree
from derive.source import Item

#: tomllib takes time with the square of the length of a dotted name.
MAX_SIZE = 64 * 1024
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse_toml(text: str, file: str, depth: int) -> Item:
    """The tree of a TOML text. Raises InputError, with the place of a syntax error."""
    too_deep = InputError(f"nested more than {depth} levels deep", file=file)
    try:
        found = tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise _refused(str(error), file) from None
    except RecursionError:
        raise too_deep from None
    except ValueError as error:  # Python converts no whole number of thousands of digits
        raise InputError(f"not valid TOML: {error}", file=file) from None
    if _is_deeper(found, depth):
        raise too_deep
    return tree(found, "", file)


def _refused(problem: str, file: str) -> InputError:
    place = _PLACE.search(problem)
    line, column = (int(part) if part else None for part in (place.groups() if place else (None, None)))
    said = problem[: place.start()] if place else problem
    hint = '; a name with a bracket, a slash or a plus is quoted: "z1[1]" = 0.5' if "after a key" in said else ""
    return InputError(f"not valid TOML: {said[:1].lower()}{said[1:]}{hint}", file=file, line=line, column=column)


def _is_deeper(found: Any, depth: int) -> bool:
    """Whether tables and arrays are nested more than `depth` deep; looks no further than that."""
    if not isinstance(found, dict | list):
        return False
    parts = found.values() if isinstance(found, dict) else found
    return depth == 0 or any(_is_deeper(part, depth - 1) for part in parts)
