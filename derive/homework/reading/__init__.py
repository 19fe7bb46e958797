"""A student's file to what was handed in: `answers.yaml`, the same in JSON or TOML, CSV, or a Markdown worksheet.

`read` a file, `parse` a text, `read_number` for the text of one number. Nothing a student writes is ever evaluated;
size, depth and counts are limited before the parsers (PyYAML, json, tomllib, csv) see anything.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from derive.errors import InputError, nearest, printable
from derive.homework.reading.answers import MAX_ANSWERS as MAX_ANSWERS
from derive.homework.reading.answers import submissions
from derive.homework.reading.json_tree import parse_json
from derive.homework.reading.numbers import read_number as read_number
from derive.homework.reading.spreadsheet import begins_table, parse_csv
from derive.homework.reading.toml_tree import MAX_SIZE, parse_toml
from derive.homework.reading.worksheet import parse_markdown
from derive.homework.submission import Submission
from derive.homework.written import Unreadable as Unreadable
from derive.source import Limits, clean, load
from derive.source import parse as parse_yaml

DEPTH = 6
LIMITS = Limits(size=256 * 1024, depth=DEPTH, values=7_000, literal=True)
#: A table may hold a whole class.
MAX_TABLE = 16 * 1024 * 1024
KINDS = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".toml": "toml",
    ".csv": "csv",
    ".tsv": "csv",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "",
}


def read(path: str | Path, *, comma: bool = False, regular: bool = False) -> list[Submission]:
    """The submissions in the file at `path`; `-` is standard input.

    comma:   numbers have a decimal comma, unless the file says otherwise
    regular: refuse links, pipes and devices, and more than one student can need, as a stranger's file must be read
    Raises InputError where the file as a whole cannot be read.
    """
    suffix = PurePath(path).suffix.lower()
    if suffix and suffix not in KINDS:
        known = nearest(suffix, KINDS) or f" Known are {', '.join(KINDS)}."
        raise InputError(f"unknown kind of file '{suffix}'.{known}", file=str(path))
    kind = KINDS.get(suffix, "")
    text, file = load(path, MAX_TABLE if kind in ("csv", "") and not regular else LIMITS.size, regular=regular)
    return parse(text, file, kind, comma=comma)


def parse(text: str, file: str, kind: str = "", *, comma: bool = False) -> list[Submission]:
    """The submissions in a text of a kind: yaml, json, toml, csv, markdown, or "" for what it looks like.

    file: the name that messages give it · comma: as for `read`
    """
    file = printable(file)
    kind = kind or looks_like(text)
    if kind == "yaml":
        return submissions(parse_yaml(text, file, LIMITS), comma)
    text = clean(text, file, {"csv": MAX_TABLE, "toml": MAX_SIZE}.get(kind, LIMITS.size))
    if kind == "json":
        return submissions(parse_json(text, file, DEPTH), comma)
    if kind == "toml":
        return submissions(parse_toml(text, file, DEPTH), comma)
    if kind == "csv":
        return parse_csv(text, file, comma)
    if kind == "markdown":
        return parse_markdown(text, file, comma)
    raise ValueError(f"unknown kind {kind!r}")


def looks_like(text: str) -> str:
    """The kind of a text that no name tells."""
    start = text[:1000].removeprefix("\ufeff").lstrip()
    if start[:1] in ("{", "["):
        return "json"
    if "<!-- derive:begin" in text:
        return "markdown"
    return "csv" if begins_table(start) else "yaml"
