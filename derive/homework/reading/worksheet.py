"""The table of a Markdown worksheet: `| step | quantity | your value | your formula |` between its two markers.

Columns are known by their order, whatever language heads them. What stands around the table is not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.errors import InputError
from derive.homework.reading.answers import MAX_NAME, answer, gathered, identifier
from derive.homework.submission import Answer, Submission
from derive.source import Item

COLUMNS = 4
_BEGIN = re.compile(r"\s*<!--\s*derive:begin(?:\s+id=(?P<quote>[\"']?)(?P<id>[^\"'\s]+)(?P=quote))?\s*-->\s*")
_END = re.compile(r"\s*<!--\s*derive:end\s*-->\s*")
_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_CELL = re.compile(r"(?:[^|\\]++|\\.)*+", re.DOTALL)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_AROUND = ("**", "*", "$", "`")


def parse_markdown(text: str, file: str, comma: bool = False) -> list[Submission]:
    """The one submission of a worksheet; `assignment` is the id in its marker.

    comma: whether its numbers have a decimal comma
    Raises InputError where a marker is missing, or two say different ids.
    """
    assignment: str | None = None
    inside = False
    answers: list[Answer] = []
    begun = 0
    block: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if begin := _BEGIN.fullmatch(line):
            if inside:
                raise InputError("a second derive:begin before derive:end", file=file, line=number)
            id = identifier(begin["id"] or "", Item(None, number, 1, "", file, None, None))
            if assignment not in (None, id):
                raise InputError(f"another id than in the first table: {id[:MAX_NAME]}", file=file, line=number)
            assignment, inside, begun, block = id, True, number, []
        elif _END.fullmatch(line):
            if not inside:
                raise InputError("derive:end without derive:begin", file=file, line=number)
            answers += _table(block, file)
            inside = False
        elif inside:
            block.append((number, line))
    if inside:
        raise InputError("'<!-- derive:end -->' is missing after this", file=file, line=begun)
    if assignment is None:
        raise InputError("no worksheet in this file: '<!-- derive:begin id=… -->' is missing", file=file)
    return [Submission(answers=gathered(answers, file), assignment=assignment, comma=comma, source=file)]


def _table(lines: list[tuple[int, str]], file: str) -> Iterator[Answer]:
    """The answers of the rows below the rule of a table."""
    below = False
    for number, line in lines:
        if "|" not in line:
            below = False
        elif _RULE.fullmatch(line):
            below = True
        elif below:
            found = cells(line)
            problem = "" if len(found) == COLUMNS else f"{len(found)} cells in a row of {COLUMNS}; write a bar as \\|"
            step, _, value, formula, *_ = [*found, "", "", "", ""]
            yield answer(step, value, formula, f"{file}:{number}:3", problem)


def cells(line: str) -> list[str]:
    """The cells of a row, without the marks of Markdown around them."""
    inner = line.strip().removeprefix("|")
    parts: list[str] = []
    start = 0
    while start <= len(inner):
        cell = _CELL.match(inner, start)
        assert cell
        parts.append(cell[0])
        start = cell.end() + 1
    if len(parts) > 1 and not parts[-1].strip():  # the bar at the end
        parts.pop()
    return [bare(part) for part in parts]


def bare(cell: str) -> str:
    """The text of a cell: `\\``0.5`\\``, `**0.5**` and `$0.5$` say 0.5; in code only a bar is escaped."""
    text = cell.strip()
    code = False
    while mark := next((mark for mark in _AROUND if text[:1] and _wrapped(text, mark)), ""):
        text = text[len(mark) : -len(mark)].strip()
        code = code or mark == "`"
    return text.replace("\\|", "|") if code else _ESCAPED.sub(r"\1", text)


def _wrapped(text: str, mark: str) -> bool:
    return len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and text[-len(mark) - 1] != "\\"
