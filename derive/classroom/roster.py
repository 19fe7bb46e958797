"""Who is in the class: the lecturer's CSV, or the grading sheet that Moodle or Canvas exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from derive.classroom.naming import cleaned
from derive.errors import InputError

MOST_BYTES = 16 * 2**20
#: Columns with the id that grades are filed under, best first …
IDS = ("student_id", "sis user id", "id number", "idnumber", "useridnumber", "username", "sis login id")
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
)
NAMES = ("name", "student", "full name", "student_name", "display name")


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


def read(path: str | Path) -> Roster:
    """The roster in a CSV file (comma, semicolon or tab; UTF-8); InputError where it has no column of ids, or one twice."""
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
    students: list[Student] = []
    known: dict[str, Student] = {}
    try:
        for line, student in rows(text, file):
            students.append(student)
            for id in sorted({student.id, *student.aliases}):
                if known.setdefault(id, student) is not student:
                    raise InputError(f"the id '{id}' is there twice", file=file, line=line)
    except csv.Error as error:
        raise InputError(f"not valid CSV: {error}", file=file) from None
    if not students:
        raise InputError("no students in it", file=file)
    return Roster(tuple(students), known)


def rows(text: str, file: str) -> Iterator[tuple[int, Student]]:
    """Every student with the line; rows without an id (Canvas has one of possible points) are no students."""
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    header = [cleaned(cell).casefold() for cell in next(reader, [])]
    ids, aliases, names = ([header.index(name) for name in some if name in header] for some in (IDS, ALIASES, NAMES))
    if not ids and not aliases:
        raise InputError("no column with ids: one must be called student_id", file=file, line=1)
    for row in reader:
        cells = [cleaned(cell) for cell in row] + [""] * len(header)
        found = [number_of(cells[column]) for column in (*ids, *aliases)]
        given = [id for id in found if id]
        if given:
            yield reader.line_num, Student(given[0], next((cells[n] for n in names), ""), frozenset(given[1:]))


def number_of(cell: str) -> str:
    """An id as it stands in file names: Moodle writes `Participant 123` into its sheet, and 123 into the names."""
    word, _, number = cell.partition(" ")
    return number if word.casefold() == "participant" and number.isdecimal() else cell
