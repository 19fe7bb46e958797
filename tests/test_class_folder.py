"""What is found in folders, archives and rosters, and whose it is; nothing leads out of them."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import time
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.classroom import archive, entries, roster
from derive.classroom.entries import Refused
from derive.classroom.folder import Batch, discover
from derive.classroom.naming import owner, pattern_of, slug
from derive.errors import InputError

ANSWERS = b"answers: {L: 0.3}\n"


def laid_out(top: Path, *paths: str) -> Path:
    for path in paths:
        file = top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(ANSWERS)
    return top


def students(batch: Batch) -> dict[str, str]:
    """Student -> the file, or why it is not read."""
    return {one.owner.student: one.entry.problem or one.source for one in batch.handed}


def left_out(batch: Batch) -> dict[str, str]:
    return {one.source: one.code for one in batch.left_out}


def test_every_layout_is_known(tmp_path: Path):
    paths = (
        "s1.yaml",
        "s2/answers.json",
        "Ada King Lovelace_12345_assignsubmission_file_/homework.yaml",
        "Groß_ 李_77_assignsubmission_onlinetext_/x.md",
        "babbagecharles_LATE_123_456_sheet.yaml",
        "hopper_124_457_answers-2.csv",
    )
    with discover(laid_out(tmp_path, *paths)) as batch:
        found = {one.owner.student: (one.source, one.owner.name, one.owner.late) for one in batch.handed}
        assert all(one.read() == ANSWERS for one in batch.handed)
    assert found == {
        "s1": ("s1.yaml", "", False),
        "s2": ("s2/answers.json", "", False),
        "12345": (paths[2], "Ada King Lovelace", False),
        "77": (paths[3], "Groß_ 李", False),
        "123": (paths[4], "babbagecharles", True),
        "124": (paths[5], "hopper", False),
    }


def test_the_lecturers_own_pattern(tmp_path: Path):
    laid_out(tmp_path, "week1/hw_s1_final.yaml", "week1/hw_s2.yaml", "week1/notes.yaml")
    with discover(tmp_path, r"hw_(?P<student_id>s\d+)") as batch:
        assert students(batch) == {"s1": "week1/hw_s1_final.yaml", "s2": "week1/hw_s2.yaml"}
        assert left_out(batch) == {"week1/notes.yaml": "no_id"}


@pytest.mark.parametrize("pattern", ["(", "(.*)", "(?P<id>.*)"])
def test_a_pattern_without_the_group_is_refused(pattern: str):
    with pytest.raises(InputError, match="--id-regex"):
        pattern_of(pattern)


def test_the_answers_among_other_files(tmp_path: Path):
    laid_out(tmp_path, "a/answers.yaml", "a/old.yaml", "a/scan.pdf", "b/x.yaml", "b/notes.txt", "c/x.yaml", "c/y.csv")
    laid_out(tmp_path, "d/scan.pdf", "e/deep/er/answers.yaml", "readme.pdf", ".hidden", "__MACOSX/s.yaml", "f/only.md")
    with discover(tmp_path) as batch:
        assert students(batch) == {
            "a": "a/answers.yaml",
            "b": "b/x.yaml",
            "c": "several_files",
            "d": "unknown_kind",
            "e": "e/deep/er/answers.yaml",
            "f": "f/only.md",
        }
        assert left_out(batch) == {
            "a/old.yaml": "beside",
            "a/scan.pdf": "beside",
            "b/notes.txt": "beside",
            "c/x.yaml": "beside",
            "c/y.csv": "beside",
            "readme.pdf": "unknown_kind",
            ".hidden": "hidden",
            "__MACOSX/s.yaml": "hidden",
        }


def test_links_pipes_folders_and_sizes_are_refused(tmp_path: Path):
    secret = laid_out(tmp_path / "out", "secret.yaml") / "secret.yaml"
    top = laid_out(tmp_path / "in", "good.yaml", "other/answers.yaml")
    (top / "link.yaml").symlink_to(secret)
    (top / "up").symlink_to(tmp_path / "out")
    (top / "loop").symlink_to(top)
    (top / "victim").mkdir()
    (top / "victim" / "answers.yaml").symlink_to(top / "good.yaml")
    os.mkfifo(top / "pipe.yaml")
    (top / "folder.yaml").mkdir()
    (top / "empty.yaml").touch()
    (top / "large.yaml").write_bytes(b"#" * (entries.MOST_OF_ONE + 1))
    with discover(top) as batch:
        found = {}
        for one in batch.handed:
            try:
                found[one.owner.student] = one.read()
            except Refused as refused:
                found[one.owner.student] = refused.code
        assert left_out(batch) == {"loop": "link", "up": "link"}
    assert found == {
        "good": ANSWERS,
        "other": ANSWERS,
        "link": "link",
        "victim": "link",
        "pipe": "not_a_file",
        "folder": "empty_folder",
        "empty": "empty",
        "large": "too_large",
    }


def test_a_file_that_becomes_a_link_is_not_followed(tmp_path: Path):
    top = laid_out(tmp_path / "in", "s1.yaml")
    secret = laid_out(tmp_path, "secret.yaml") / "secret.yaml"
    with discover(top) as batch:
        (top / "s1.yaml").unlink()
        (top / "s1.yaml").symlink_to(secret)
        with pytest.raises(Refused, match="link"):
            batch.handed[0].read()


def test_one_student_cannot_flood_the_class(tmp_path: Path):
    laid_out(tmp_path, "s1.yaml", *(f"flood/{number}.yaml" for number in range(101)))
    with discover(tmp_path) as batch:
        assert students(batch) == {"s1": "s1.yaml", "flood": "too_many_files"}


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    laid_out(tmp_path, "a.yaml", "b.yaml", "c.yaml")
    monkeypatch.setattr(entries, "MOST_FILES", 2)
    with pytest.raises(InputError, match="more than 2 files"), discover(tmp_path):
        pass


# archives -----------------------------------------------------------------------------------------------------------------
def zipped(path: Path, *names: str | tuple[zipfile.ZipInfo, bytes]) -> Path:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        warnings.simplefilter("ignore")  # of duplicate names
        for name in names:
            file.writestr(*(name if isinstance(name, tuple) else (name, ANSWERS)))
    return path


def special(name: str, mode: int, content: bytes = b"/etc/passwd") -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info, content


def test_an_archive_is_read_where_it_is(tmp_path: Path):
    path = zipped(tmp_path / "class.zip", "s1.yaml", "Ada_12_assignsubmission_file_/x.yaml", "s2/answers.yaml")
    with discover(path) as batch:
        assert {one.owner.student: one.read() for one in batch.handed} == dict.fromkeys(("12", "s1", "s2"), ANSWERS)
    assert list(tmp_path.iterdir()) == [path]


def test_dishonest_entries_are_refused_and_the_rest_is_read(tmp_path: Path):
    path = zipped(
        tmp_path / "class.zip",
        "good.yaml",
        "../evil.yaml",
        "a/../../evil2.yaml",
        "/abs.yaml",
        "C:/drive.yaml",
        "twice.yaml",
        "twice.yaml",
        "Case.yaml",
        "case.yaml",
        special("link.yaml", stat.S_IFLNK | 0o777),
        special("device.yaml", stat.S_IFCHR | 0o666),
        special("large.yaml", stat.S_IFREG | 0o644, os.urandom(entries.MOST_OF_ONE + 1)),
    )
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("bomb2.yaml", b"0" * (250 * 1024), zipfile.ZIP_DEFLATED)
    with discover(path) as batch:
        problems = {one.source: one.entry.problem for one in batch.handed} | left_out(batch)
        assert [one.read() for one in batch.handed if not one.entry.problem and one.source == "good.yaml"] == [ANSWERS]
    assert problems.pop("good.yaml") == ""
    assert {name: code for name, code in problems.items() if code} == {
        "../evil.yaml": "bad_path",
        "a/../../evil2.yaml": "bad_path",
        "abs.yaml": "bad_path",
        "C:/drive.yaml": "bad_path",
        "twice.yaml": "same_name",
        "Case.yaml": "same_name",
        "case.yaml": "same_name",
        "link.yaml": "link",
        "device.yaml": "not_a_file",
        "bomb2.yaml": "bomb",
        "large.yaml": "too_large",
    }


def test_a_header_that_lies_about_the_size(tmp_path: Path):
    path = zipped(tmp_path / "class.zip", ("s1.yaml", b"0" * 10_000_000))  # type: ignore[arg-type]
    data = path.read_bytes()
    assert data.count((10_000_000).to_bytes(4, "little")) == 2
    path.write_bytes(data.replace((10_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    with discover(path) as batch, pytest.raises(Refused):
        batch.handed[0].read()


@pytest.mark.parametrize("damage", [b"", b"PK", b"PK\x05\x06", b"\x00" * 4000, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes):
    monkeypatch.chdir(tmp_path)  # a long path would be cut
    path = Path("class.zip")
    path.write_bytes(damage)
    with pytest.raises(InputError, match=r"class\.zip: "), discover(path):
        pass


@given(data=st.binary(max_size=300), place=st.integers(0, 200), seed=st.integers(0, 3))
def test_a_damaged_archive_costs_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, place: int, seed: int
):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(seed + 1):
            file.writestr(f"s{number}.yaml", ANSWERS)
    whole = stream.getvalue()
    path = tmp_path_factory.mktemp("zip") / "class.zip"
    path.write_bytes(whole[:place] + data + whole[place + len(data) :])
    try:
        with discover(path) as batch:
            for one in batch.handed:
                with contextlib.suppress(Refused):
                    assert len(one.read()) <= entries.MOST_OF_ONE
    except InputError:
        pass


def test_an_archive_of_too_many_files(tmp_path: Path):
    path = tmp_path / "class.zip"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(entries.MOST_FILES + 1):
            file.writestr(f"{number}.yaml", "")
    before = time.perf_counter()
    with pytest.raises(InputError, match="more than 10,000 files"):
        archive.opened(path)
    assert time.perf_counter() - before < 5


# names --------------------------------------------------------------------------------------------------------------------
HOSTILE = [
    "../../secret",
    "/abs",
    "C:\\x",
    "con",
    "a/b",
    ".",
    "",
    "x" * 5000,
    "-rf",
    "a\nb",
    "grades",
    "NUL",
    "ŵ",
    "李",
    "\ud800",
]


@pytest.mark.parametrize("id", HOSTILE)
def test_a_file_is_never_called_what_a_student_says(id: str):
    name = slug(id)
    assert name.replace("-", "").replace("_", "").isalnum() and name.isascii() and len(name) < 80
    assert name == name.lower() and not name.startswith("-") and Path("out", f"{name}.html").parent == Path("out")
    assert "_" in name  # with a hash: no harmless id has an underscore


@given(st.lists(st.text(max_size=8), unique=True, max_size=6))
def test_names_never_collide(ids: list[str]):
    assert len({slug(id) for id in ids}) == len(ids)


def test_harmless_ids_stay_readable():
    assert slug("s1234567") == "s1234567"
    assert slug("Ada L.").startswith("ada-l_") and slug("Ada L.") != slug("ada l.")
    assert slug("s1", "a.yaml") != slug("s1", "b.yaml") != slug("s1")


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=3))
def test_any_name_has_an_owner_of_bounded_length(parts: list[str]):
    found = owner(tuple(parts))
    assert len(found.student) <= 200 and found.student.isprintable() and found.name.isprintable()


# rosters ------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text, ids, alias",
    [
        ("student_id,name\ns1,Ada\ns2,Charles\n", ["s1", "s2"], ("s1", "s1")),
        ("\ufeffName;Student_ID\r\nAda;s1\r\n", ["s1"], ("s1", "s1")),
        (
            "Student,ID,SIS User ID,SIS Login ID,Section\n    Points Possible,,,,\nAda,17,u1,ada,1\n",
            ["u1"],
            ("17", "u1"),
        ),
        ("Identifier,Full name,Email address\nParticipant 123,Ada,a@x.org\n", ["123"], ("a@x.org", "123")),
    ],
)
def test_rosters_of_every_kind(tmp_path: Path, text: str, ids: list[str], alias: tuple[str, str]):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    found = roster.read(path)
    assert [student.id for student in found.students] == ids
    assert found.find(alias[0]).id == alias[1] and found.students[0].name == "Ada"
    assert found.find("nobody") is None


@pytest.mark.parametrize(
    "data, problem",
    [
        (b"", "no column with ids"),
        (b"name\nAda\n", "no column with ids"),
        (b"student_id\n", "no students"),
        (b"student_id\ns1\ns1\n", "twice"),
        (b"student_id,id\ns1,7\ns2,7\n", "twice"),
        (b"student_id\n\xff\n", "UTF-8"),
        (b'student_id\n"s1\n', "not valid CSV"),
    ],
)
def test_a_roster_at_fault(tmp_path: Path, data: bytes, problem: str):
    path = tmp_path / "roster.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=problem):
        roster.read(path)
