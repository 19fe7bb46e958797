"""Who is in the class: the lecturer's CSV, or the grading sheet that Moodle or Canvas exports."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from derive.classroom.naming import cleaned
from derive.errors import InputError

MOST_BYTES = 16 * 2**20
#: Columns with the id that grades are filed under, best first …
IDS = ("student_id", "学号", "sis user id", "id number", "idnumber", "useridnumber", "username", "sis login id")
#: … and those by which a platform's files are known too; without any of the first, they are the id themselves.
ALIASES = (
    "id",
    "identifier",
    "participant",
    "moodle_id",
    "canvas_id",
    "email",
    "email address",
    "useremail",
    "user_id",
    "邮箱",
)
NAMES = ("name", "student", "full name", "student_name", "display name", "姓名")


@dataclass(frozen=True)
class Student:
    """A student of the roster. aliases: other ids that mean the same student"""

    id: str
    name: str = ""
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Roster:
    """All students in the order of the file, and each of them by every id."""

    students: tuple[Student, ...]
    known: Mapping[str, Student]

    def find(self, id: str) -> Student | None:
        """The student with this id, or one that means the same."""
        return self.known.get(id)


@dataclass(frozen=True)
class Sheet:
    """A CSV file about students, cell by cell. rows: each with the line at which it ends, blank ones left out"""

    file: str
    marked: bool  # whether it begins with a byte order mark
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    @cached_property
    def titles(self) -> tuple[str, ...]:
        """The header as names are compared."""
        return tuple(cleaned(cell).casefold() for cell in self.header)

    def places(self, names: Sequence[str]) -> list[int]:
        """Where the columns with these names are, the best name first."""
        return [self.titles.index(name) for name in names if name in self.titles]

    def cell(self, row: Sequence[str], column: int) -> str:
        """A cell of a row, which may be shorter than the header."""
        return cleaned(row[column]) if column < len(row) else ""

    def student(self, row: Sequence[str]) -> Student | None:
        """Whose row it is; a row without an id (Canvas has one of possible points) is no student's."""
        found = [number_of(self.cell(row, column)) for column in (*self.places(IDS), *self.places(ALIASES))]
        given = [id for id in found if id]
        name = next((self.cell(row, column) for column in self.places(NAMES)), "")
        return Student(given[0], name, frozenset(given[1:])) if given else None


def read(path: str | Path) -> Roster:
    """The roster in a CSV file; InputError where it cannot be one."""
    return listed(sheet(path))


def listed(found: Sheet) -> Roster:
    """The students of a sheet; InputError where it has no column of ids, or one of them twice."""
    if not found.places(IDS) and not found.places(ALIASES):
        raise InputError("no column with ids: one must be called student_id", file=found.file, line=1)
    students: list[Student] = []
    known: dict[str, Student] = {}
    for line, row in found.rows:
        student = found.student(row)
        if student is None:
            continue
        students.append(student)
        for id in sorted({student.id, *student.aliases}):
            if known.setdefault(id, student) is not student:
                raise InputError(f"the id '{id}' is there twice", file=found.file, line=line)
    if not students:
        raise InputError("no students in it", file=found.file)
    return Roster(tuple(students), known)


def sheet(path: str | Path) -> Sheet:
    """The cells of a CSV file (comma, semicolon or tab; UTF-8); InputError where it is none."""
    file = str(path)
    try:
        with open(path, "rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", file=file) from None
    if len(data) > MOST_BYTES:
        raise InputError(f"larger than {MOST_BYTES // 2**20} MiB", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text; save the file as UTF-8", file=file) from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = tuple(next(reader, ()))
        rows = tuple((reader.line_num, tuple(row)) for row in reader if row)
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", file=file) from None
    return Sheet(file, data.startswith(codecs.BOM_UTF8), delimiter, header, rows)


def number_of(cell: str) -> str:
    """An id as it stands in file names: Moodle writes `Participant 123` into its sheet, and 123 into the names."""
    word, _, number = cell.partition(" ")
    return number if word.casefold() == "participant" and number.isdecimal() else cell
