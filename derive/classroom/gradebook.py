"""The gradebook of Canvas or Moodle, with the grades entered: the file that was exported, and one column filled.

Whose row it is says any of its ids. Nothing is made up: who has no grade, or one that a person should look at first,
keeps the cell as it was, and a row that could be two students' is nobody's.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from derive.classroom.grades import number
from derive.classroom.record import PLACES, Record
from derive.classroom.roster import Roster, Sheet, listed
from derive.classroom.roster import sheet as read
from derive.errors import InputError
from derive.homework.escape import csv_safe

GRADE, MOST = ("grade", "成绩"), ("maximum grade", "最高分")  # columns of the grading sheet of a Moodle assignment
COUNTS = ("graded", "late")  # what becomes a grade without anybody's looking at it
HUNDRED = Fraction(100)


@dataclass(frozen=True)
class Gradebook:
    """A gradebook with grades in it.

    text: the file · column: the title of the column that was filled · new: whether it was not there before
    entered: how many grades were · absent: records that were handed in and have no row of their own
    """

    text: str
    column: str
    new: bool
    entered: int
    absent: tuple[Record, ...]


@dataclass(frozen=True)
class Book:
    """A gradebook as it was exported. roster: the students in it · column: the one to fill, `new` if it is to be added"""

    sheet: Sheet
    roster: Roster
    column: int
    title: str
    new: bool


def opened(path: str | Path, title: str, *, asked: bool = False) -> Book:
    """The gradebook in a CSV file; InputError where it is none. title: of the column, `asked` where the lecturer said so"""
    found = read(path)
    students = listed(found)
    column, new = place(found, title, asked=asked)
    return Book(found, students, column, title if new else found.header[column], new)


def filled(book: Book, records: Sequence[Record], known: Roster) -> Gradebook:
    """The gradebook with the grades of those records that have one.

    known: who is meant by which id
    A grade is the share of the points, times what the gradebook says can be got; where it does not say, times the
    points of the assignment, or 100 where these differ from student to student.
    """
    sheet, by_id = book.sheet, ids(records, known)
    owners = [by_row(sheet, cells, by_id) for _, cells in sheet.rows]
    rows = Counter(owner.student for owner in owners if owner is not None)
    common, above, entered = most_of(records), possible(sheet, book.column), 0
    lines = [[*sheet.header, book.title] if book.new else list(sheet.header)]
    for (_, cells), owner in zip(sheet.rows, owners, strict=True):
        row = [*cells, *[""] * (len(lines[0]) - len(cells))]
        if owner is not None and rows[owner.student] == 1 and owner.status in COUNTS and owner.most:
            most = limit(book, cells) or above or common
            row[book.column] = str(number(round(float(Fraction(owner.earned) / Fraction(owner.most) * most), PLACES)))
            entered += 1
        elif book.new and total(sheet, cells):
            row[book.column] = str(number(float(common)))
        lines.append(row)
    absent = tuple(one for one in records if one.status != "not_submitted" and rows[one.student] != 1)
    return Gradebook(spelled(sheet, lines), book.title, book.new, entered, absent)


def place(sheet: Sheet, title: str, *, asked: bool) -> tuple[int, bool]:
    """Where the column is that is filled, and whether it is a new one.

    `Homework 3` is also `Homework 3 (99123)`, as Canvas has it, and `Assignment: Homework 3 (Real)`, as Moodle has it.
    """
    if not asked and sheet.places(MOST) and sheet.places(GRADE):
        return sheet.places(GRADE)[0], False
    wanted = title.strip().casefold()
    kin = re.compile(rf"(?:[^:]+: ?)?{re.escape(wanted)}(?: ?\([^()]*\))?")
    found = [n for n, name in enumerate(sheet.titles) if name == wanted]
    found = found or [n for n, name in enumerate(sheet.titles) if kin.fullmatch(name)]
    if len(found) > 1:
        names = " and ".join(f"'{sheet.header[n]}'" for n in found[:2])
        raise InputError(f"'{title}' may be {names}: say which with --column", file=sheet.file, line=1)
    return (found[0], False) if found else (len(sheet.header), True)


def ids(records: Sequence[Record], known: Roster) -> dict[str, list[Record]]:
    """The records by every id that means their student."""
    found: dict[str, list[Record]] = {}
    for record in records:
        student = known.find(record.student)
        for id in {record.student, *(student.aliases if student is not None else ())}:
            found.setdefault(id, []).append(record)
    return found


def by_row(sheet: Sheet, cells: Sequence[str], by_id: dict[str, list[Record]]) -> Record | None:
    """A record of the student of a row, if that can be one student only; of several by one none counts."""
    student = sheet.student(cells)
    if student is None:
        return None
    named = [record for name in {student.id, *student.aliases} for record in by_id.get(name, ())]
    whose = {record.student for record in named}
    return named[0] if len(whose) == 1 else None


# points -------------------------------------------------------------------------------------------------------------------
def most_of(records: Sequence[Record]) -> Fraction:
    """The points of the assignment, where they are the same for everybody, else 100."""
    most = {Fraction(record.most) for record in records if record.status in COUNTS and record.most}
    return most.pop() if len(most) == 1 else HUNDRED


def total(sheet: Sheet, cells: Sequence[str]) -> bool:
    """Whether this is the row of Canvas that says what can be got."""
    return sheet.cell(cells, 0).casefold() == "points possible"


def possible(sheet: Sheet, column: int) -> Fraction | None:
    """What the row of possible points says about a column."""
    return next((amount(sheet.cell(cells, column)) for _, cells in sheet.rows if total(sheet, cells)), None)


def limit(book: Book, cells: Sequence[str]) -> Fraction | None:
    """What Moodle's sheet of an assignment says can be got, in the row of the student."""
    sheet = book.sheet
    if book.column not in sheet.places(GRADE):
        return None
    return next((amount(sheet.cell(cells, column)) for column in sheet.places(MOST)), None)


def amount(text: str) -> Fraction | None:
    """A positive number of points, `20`, `100.00` or `100,00`; None for anything else."""
    if not re.fullmatch(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?", text):
        return None
    return Fraction(text.replace(",", ".")) or None


def spelled(sheet: Sheet, lines: Sequence[Sequence[str]]) -> str:
    """The file as it was separated before, every cell in quotes, and none of them a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=sheet.delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    # Moodle has a lone - for no date, which no spreadsheet takes for a formula
    writer.writerows([cell if cell == "-" else csv_safe(cell) for cell in line] for line in lines)
    return "\ufeff" * sheet.marked + stream.getvalue()
