"""Answers as comma-separated values: one row for every answer (long), or one for every student (wide).

Long:  `student_id,step,value,formula`; without `student_id` it is one student's, `formula` and `name` may be left out.
Wide:  `student_id`, perhaps `name`, then one column for every step.
Values may be parted by `,`, `;` or tabs, as the first row shows (or a row `sep=;` before it).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from derive.errors import InputError, nearest, offered, printable
from derive.homework.reading.answers import MAX_ANSWERS, MAX_NAME, answer, gathered, identifier
from derive.homework.submission import Answer, Submission
from derive.source import Item, quoted

LONG = ("student_id", "name", "step", "value", "formula")
MAX_ROWS = 200_000
MAX_LINE = 256 * 1024
MAX_COLUMNS = MAX_ANSWERS + 2
_SEPARATOR = re.compile(r"sep=([,;\t])[^\S\n]*\r?\n")
_FIRST_CELL = re.compile(r'\s*(?:"[^"]*"|[^",;\t\r\n]*)[^\S\t\r\n]*([,;\t])')


_HEAD = re.compile(r'"?(?:student_id|step|name)"?[^\S\t\r\n]*[,;\t]', re.IGNORECASE)


class Row(NamedTuple):
    """A row with the line of the file on which it begins."""

    line: int
    cells: list[str]


class Student(NamedTuple):
    name: str
    answers: list[Answer]


def begins_table(text: str) -> bool:
    """Whether a text looks like one of these tables."""
    return bool(_SEPARATOR.match(text) or _HEAD.match(text))


def parse_csv(text: str, file: str, comma: bool = False) -> list[Submission]:
    """The submissions of a file, in the order in which the students first appear.

    comma: whether its numbers have a decimal comma
    Raises InputError, with the row, for what would leave it open whose answer to what a cell is.
    """
    rows = _rows(text, file)
    header = next(rows, None)
    if header is None:
        raise InputError("the file is empty", file=file, line=1, column=1)
    columns = _columns(header, file)
    students: dict[str, Student] = {}
    for row in rows:
        (_long if "step" in columns else _wide)(columns, row, file, students)
    return [
        Submission(student=id, name=student.name, answers=gathered(student.answers, file), comma=comma, source=file)
        for id, student in students.items()
    ]


def _rows(text: str, file: str) -> Iterator[Row]:
    """The rows in which anything stands, cells without spaces around them."""
    start = 1
    if declared := _SEPARATOR.match(text):
        text, start = text[declared.end() :], 2
    if max(map(len, text.split("\n"))) > MAX_LINE:
        raise InputError(f"a line of more than {MAX_LINE // 1024} KiB", file=file)
    found = declared or _FIRST_CELL.match(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=found[1] if found else ",", strict=True)
    line = start
    try:
        for count, cells in enumerate(reader):
            if count > MAX_ROWS:
                raise InputError(f"more than {MAX_ROWS} rows", file=file, line=line)
            if len(cells) > MAX_COLUMNS:
                raise InputError(f"more than {MAX_COLUMNS} columns", file=file, line=line)
            if any(cells := [cell.strip() for cell in cells]):
                yield Row(line, cells)
            line = start + reader.line_num
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", file=file, line=start + reader.line_num - 1) from None


def _columns(header: Row, file: str) -> list[str]:
    """The names of the columns; those that are not steps in lower case."""
    columns = [cell.lower() if cell.lower() in LONG else cell for cell in header.cells]
    seen: set[str] = set()
    for number, column in enumerate(columns, start=1):
        if not column or column in seen:
            problem = f"a second column {quoted(column)}" if column else "a column without a name"
            raise InputError(problem, file=file, line=header.line, column=number)
        seen.add(column)
        if "step" in columns and column not in LONG:
            hint = offered(column, LONG, "The columns are")
            raise InputError(f"unknown column {quoted(column)}.{hint}", file=file, line=header.line, column=number)
    if "step" in columns and not {"value", "formula"} & set(columns):
        raise InputError("a column 'value' or 'formula' is missing", file=file, line=header.line)
    if "step" not in columns and columns[0] != "student_id":
        problem = "the first row must name the columns: student_id,step,value,formula, or student_id and every step."
        raise InputError(problem + nearest(columns[0], LONG), file=file, line=header.line, column=1)
    return columns


def _long(columns: list[str], row: Row, file: str, students: dict[str, Student]) -> None:
    """One answer. A row cut short is blank there; one too long likely has a decimal comma, so it is not read."""
    cells = dict(zip(columns, row.cells, strict=False))
    student = _student(columns, cells, row, file, students)
    problem = _width(columns, row) if len(row.cells) > len(columns) else ""
    place = f"{file}:{row.line}:{columns.index('value' if 'value' in columns else 'formula') + 1}"
    step = cells.get("step", "")
    student.answers.append(answer(step, cells.get("value"), cells.get("formula"), place, problem))


def _wide(columns: list[str], row: Row, file: str, students: dict[str, Student]) -> None:
    """One student. In a row that is longer or shorter than the first nobody knows which cell answers what."""
    cells = dict(zip(columns, row.cells, strict=False))
    before = len(students)
    student = _student(columns, cells, row, file, students)
    if len(students) == before:
        raise InputError(f"a second row of {quoted(cells['student_id'])}", file=file, line=row.line, column=1)
    problem = _width(columns, row) if len(row.cells) != len(columns) else ""
    for number, step in enumerate(columns, start=1):
        if step not in ("student_id", "name"):
            student.answers.append(answer(step, cells.get(step), None, f"{file}:{row.line}:{number}", problem))


def _width(columns: list[str], row: Row) -> str:
    return (
        f"{len(row.cells)} cells in a row of {len(columns)}; a cell that holds the separator, such as a decimal comma"
        ' or that of "W1[1,2]", must be quoted'
    )


def _student(columns: list[str], cells: dict[str, str], row: Row, file: str, students: dict[str, Student]) -> Student:
    """The student of a row, new or known."""
    written = cells.get("student_id", "")
    if written in students and len(students[written].answers) < MAX_ANSWERS:
        return students[written]
    named = "student_id" in columns
    place = Item(None, row.line, columns.index("student_id") + 1 if named else None, "", file, None, None)
    id = identifier(written, place)
    if named and not id:
        raise place.error("the student_id of this row is missing")
    if id not in students:
        students[id] = Student(printable(cells.get("name", ""))[:MAX_NAME], [])
    if len(students[id].answers) == MAX_ANSWERS:
        raise place.error(f"more than {MAX_ANSWERS} answers")
    return students[id]
