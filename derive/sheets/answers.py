"""What answers are written into: answers.yaml, a table in Markdown, a CSV file. Empty for students, filled for the key.

`derive check` reads all three.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive.homework.reading.answers import VERSION


@dataclass(frozen=True)
class Row:
    """One number that is asked for.

    key: of its entry · typed: what answers call it · symbol: on one line of text · question: `3 (a)`
    """

    key: str
    typed: str
    symbol: str
    question: str


def template(rows: Sequence[Row], id: str, numbers: Mapping[str, str], *, comma: bool, head: Sequence[str]) -> str:
    """answers.yaml. numbers: texts by key, those left out are blank · comma: decimal comma · head: lines of comment"""
    lines = [*(f"# {line}" for line in head), f"derive_answers: {VERSION}"]
    if id:
        lines.append(f"assignment: {json.dumps(id, ensure_ascii=False)}")
    lines.append('student: {id: "", name: ""}')
    if comma:
        lines.append('decimal: ","')
    lines.append("answers:")
    cells = [f"  {quoted(row.typed)}: {number(numbers, row.key)}" for row in rows]
    width = max(map(len, cells))
    lines += [f"{cell:{width}}  # {row.question}  {row.symbol}" for cell, row in zip(cells, rows, strict=True)]
    return "\n".join(lines) + "\n"


def number(numbers: Mapping[str, str], key: str) -> str:
    """A number as text, which keeps its last digits and a comma; ~ for a blank."""
    return f'"{numbers[key]}"' if key in numbers else "~"


def quoted(typed: str) -> str:
    """A key that YAML reads as it is."""
    return typed if typed.isascii() else json.dumps(typed, ensure_ascii=False)


def spreadsheet(rows: Sequence[Row], numbers: Mapping[str, str]) -> str:
    """The same as comma-separated values: step, value, formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(["step", "value", "formula"])
    writer.writerows([row.typed, numbers.get(row.key, ""), ""] for row in rows)
    return stream.getvalue()
