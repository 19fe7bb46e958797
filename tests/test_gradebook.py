"""What a lecturer does with the marks: gradebooks filled, shared errors found, and nothing old left among the new."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.classroom import grades
from derive.classroom.clusters import Cluster, clusters, flagged
from derive.classroom.gradebook import Gradebook, filled, opened
from derive.classroom.record import Record, Step
from derive.classroom.roster import listed
from derive.classroom.roster import read as read_roster
from derive.errors import InputError
from derive.files import HEAD, LIST, Results

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,Homework 3 (99123),Exam (7)
    Points Possible,,,,,20,(read only)
"Li, Lei",501,s1,li@uni.edu,Group 1,,55
=Eve,502,s2,eve@uni.edu,Group 1,3,12
"Wang, Wu",503,s3,wu@uni.edu,Group 1,7,
"""
SHEET = """Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade)
Participant 501,Li Lei,li@uni.edu,Submitted,,"100,00",-
Participant 502,Eve,eve@uni.edu,Submitted,,"100,00",-
"""


def graded(student: str, earned: float, most: float = 4.0, **more: object) -> Record:
    return replace(Record(student, source=f"{student}.yaml", earned=earned, most=most), **more)  # type: ignore[arg-type]


def book(
    tmp_path: Path, text: str, records: Sequence[Record], title: str = "Homework 3", *, asked: bool = True
) -> tuple[Gradebook, list[list[str]]]:
    """A gradebook filled, and its cells read again."""
    path = tmp_path / "book.csv"
    path.write_bytes(text.encode())
    found = opened(path, title, asked=asked)
    made = filled(found, records, found.roster)
    text = made.text.removeprefix("\ufeff")
    return made, list(csv.reader(io.StringIO(text, newline=""), delimiter=found.sheet.delimiter, strict=True))


# gradebooks ---------------------------------------------------------------------------------------------------------------
def test_a_gradebook_of_canvas(tmp_path: Path):
    records = [
        graded("s1", 3.0),
        graded("502", 2.5, flags=("late",)),
        graded("guest", 4.0),
        Record("s3", problem="empty"),
    ]
    made, cells = book(tmp_path, CANVAS, records)
    given = list(csv.reader(io.StringIO(CANVAS)))
    assert [row[5] for row in cells] == ["Homework 3 (99123)", "20", "15", "12.5", "7"]  # of 20 points; s3 as it was
    assert [row[:5] + row[6:] for row in cells[:3]] == [row[:5] + row[6:] for row in given[:3]]
    assert cells[3][0] == "'=Eve"
    assert (made.column, made.new, made.entered) == ("Homework 3 (99123)", False, 2)
    assert [record.student for record in made.absent] == ["guest"]


def test_a_new_column_says_what_can_be_got(tmp_path: Path):
    made, cells = book(tmp_path, CANVAS, [graded("s1", 3.0), graded("s2", 1.0)], "Backprop")
    assert [row[7] for row in cells] == ["Backprop", "4", "3", "1", ""] and made.new
    _, cells = book(tmp_path, CANVAS, [graded("s1", 3.0), graded("s2", 1.0, most=2.0)], "Backprop")
    assert [row[7] for row in cells] == ["Backprop", "100", "75", "50", ""]


def test_the_sheet_of_an_assignment_in_moodle(tmp_path: Path):
    made, cells = book(
        tmp_path, "\ufeff" + SHEET, [graded("501", 1.0, 3.0), graded("eve@uni.edu", 3.0, 3.0)], asked=False
    )
    assert [row[4] for row in cells] == ["Grade", "33.33333", "100"] and made.text.startswith("\ufeff")
    assert [row[6] for row in cells[1:]] == ["-", "-"]


def test_a_gradebook_of_moodle_keeps_its_separator(tmp_path: Path):
    text = "ID number;Email address;Assignment: Homework 3 (Real)\ns1;a@b;-\n"
    made, cells = book(tmp_path, text, [graded("s1", 3.5)])
    assert made.text.splitlines()[1] == '"s1";"a@b";"3.5"' and made.entered == 1


@pytest.mark.parametrize(
    "records",
    [
        [graded("s1", 3.0, flags=("not_in_roster",))],
        [graded("s1", 3.0, flags=("same_error",))],
        [graded("s1", 3.0), graded("501", 2.0)],
        [graded("s1", 0.0, 0.0)],
        [Record("s1", problem="timeout")],
        [Record("s1", problem="not_submitted")],
    ],
    ids=["unknown", "shared", "two of one", "no points", "unread", "missing"],
)
def test_nothing_is_made_up(tmp_path: Path, records: list[Record]):
    made, cells = book(tmp_path, CANVAS, records)
    assert (cells[2][5], made.entered) == ("", 0)


def test_a_row_by_two_ids_of_another_roster(tmp_path: Path):
    """The roster of the lecturer knows that two rows are one student; neither is taken for that one."""
    path = tmp_path / "book.csv"
    path.write_text("ID,SIS User ID\n501,\n,s1\n", encoding="utf-8")
    other = tmp_path / "roster.csv"
    other.write_text("student_id,id\ns1,501\n", encoding="utf-8")
    made = filled(opened(path, "H"), [graded("s1", 3.0)], read_roster(other))
    assert made.entered == 0 and [record.student for record in made.absent] == ["s1"]


@pytest.mark.parametrize(
    "text, title, problem",
    [
        ("Student,H (1),H (2),ID\na,,,1\n", "H", "'H' may be 'H (1)' and 'H (2)': say which with --column"),
        ("Student,Section\na,b\n", "H", "no column with ids"),
        ("ID,H\n", "H", "no students in it"),
        ("ID,H\n1,\n1,\n", "H", "the id '1' is there twice"),
    ],
)
def test_what_is_no_gradebook(tmp_path: Path, text: str, title: str, problem: str):
    path = tmp_path / "book.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(problem)):
        opened(path, title)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=8), min_size=2, max_size=2))
def test_no_cell_of_a_gradebook_is_a_formula(tmp_path_factory: pytest.TempPathFactory, names: list[str]):
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(
        [["Name", "ID"], *([name, f"s{n}"] for n, name in enumerate(names))]
    )
    _, cells = book(tmp_path_factory.getbasetemp(), stream.getvalue(), [graded("s0", 1.0)])
    assert [row[1:] for row in cells[1:]] == [["s0", "1"], ["s1", ""]]
    assert not any(row[0].startswith(("=", "+", "@", "\t", "\r")) and not row[0][1:].isdecimal() for row in cells)


@pytest.mark.parametrize("lead", ["=", "+", "-", "@", "\t", "\r", "＝", " ="])
def test_no_cell_is_a_formula(lead: str):
    hostile = f'{lead}cmd|"/C calc"!A0;=1+1,=2'
    text = grades.table([Record(hostile, hostile, hostile, flags=(hostile,), first_error="L")])
    assert text.endswith("\r\n")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    for column in ("student_id", "name", "flags", "file"):
        assert row[column].startswith("'") and "calc" in row[column]
    outside = re.sub(r'"(?:[^"]|"")*"', "", text)
    assert set(outside) <= set("0123456789.,\r\n")  # every text is quoted: a semicolon begins no cell anywhere


def test_negative_numbers_stay_numbers():
    step = Step("L", "", "correct", -0.5, 1.0)
    assert (
        grades.table([Record("-0.0822", steps=(step,), most=1.0)], [("L", "")]).splitlines()[1].startswith('"-0.0822"')
    )
    assert grades.table([Record("s1", steps=(step,))], [("L", "")]).endswith(",-0.5\r\n")


# clusters -----------------------------------------------------------------------------------------------------------------
def wrong(key: str, value: str, *found: str, verdict: str = "error") -> Step:
    return Step(key, "", verdict, 0.0, 1.0, value, value, found)


def class_of(*steps: Step, students: int = 3) -> list[Record]:
    return [Record(f"s{number}", steps=steps) for number in range(students)]


@pytest.mark.parametrize(
    "records, flags",
    [
        (class_of(wrong("L", "0.7")), {"same_error"}),
        (class_of(wrong("L", "0.7"), students=2), set()),
        (class_of(wrong("L", "0.7", "L1")), set()),  # whoever makes the known mistake gets this number
        (class_of(wrong("L", "0.7", "L1"), wrong("z1[1]", "0.2", "F1")), {"same_work"}),
        (class_of(wrong("L", "0.7", "B1"), wrong("z1[1]", "0.2", "B1")), set()),
        (class_of(wrong("L", "0.7", verdict="correct"), wrong("z1[1]", "0.2", verdict="correct_rounding")), set()),
        (class_of(wrong("L", "0.7", verdict="follow_through")), set()),
        ([replace(record, student="s1") for record in class_of(wrong("L", "0.7"))], set()),  # one student, three files
    ],
    ids=["shared", "two", "known", "two ways", "one way", "right", "follows", "one student"],
)
def test_shared_wrong_work(records: list[Record], flags: set[str]):
    made = flagged(records)
    assert {flag for record in made for flag in record.flags} == flags
    assert {record.status for record in made} == {"needs_review" if flags else "graded"}


def test_who_wrote_something_else_is_not_flagged():
    records = [*class_of(wrong("L", "0.7")), Record("t", steps=(wrong("L", "0.71"),))]
    assert clusters(records) == [Cluster("L", "0.7", ("s0", "s1", "s2"))]
    assert [record.student for record in flagged(records) if record.flags] == ["s0", "s1", "s2"]


# the folder of results ----------------------------------------------------------------------------------------------------
def test_what_an_earlier_run_wrote_is_removed_unless_it_was_changed(tmp_path: Path):
    first = Results(tmp_path)
    for name in ("s1.html", "s2.html", "s3.html", "grades.csv"):
        first.write(name, name)
    assert first.finish().removed == ()
    (tmp_path / "s3.html").write_text("a remark of the lecturer's", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("nobody's business", encoding="utf-8")
    second = Results(tmp_path)
    second.write("s1.html", "s1.html")
    earlier = second.finish()
    assert (earlier.removed, earlier.kept) == (("grades.csv", "s2.html"), ("s3.html",))
    assert {path.name for path in tmp_path.iterdir()} == {"s1.html", "s3.html", "notes.txt", LIST}
    head, *lines = (tmp_path / LIST).read_text(encoding="utf-8").splitlines()
    sums = [line.split("  ") for line in lines]
    assert head == HEAD and sums == [[hashlib.sha256(b"s1.html").hexdigest(), "s1.html"]]


def test_a_list_leads_nowhere_else(tmp_path: Path):
    """A list that somebody else wrote removes no file outside, and nothing behind a link."""
    outside, folder = tmp_path / "outside.txt", tmp_path / "out"
    folder.mkdir()
    outside.write_bytes(b"x")
    (folder / "link").symlink_to(outside)
    names = ["../outside.txt", str(outside), "link", ".", "..", "missing"]
    sum = hashlib.sha256(b"x").hexdigest()
    lines = [HEAD, *(f"{sum}  {name}" for name in names), "nonsense", ""]
    (folder / LIST).write_text("\n".join(lines), encoding="utf-8")
    assert Results(folder).finish().removed == ()
    assert outside.read_bytes() == b"x" and (folder / "link").is_symlink()


def test_the_roster_of_a_gradebook(tmp_path: Path):
    path = tmp_path / "book.csv"
    path.write_text(CANVAS, encoding="utf-8")
    found = opened(path, "Homework 3")
    assert [(one.id, one.name) for one in listed(found.sheet).students] == [
        ("s1", "Li, Lei"),
        ("s2", "=Eve"),
        ("s3", "Wang, Wu"),
    ]
    assert found.roster.find("502") is found.roster.find("s2")
