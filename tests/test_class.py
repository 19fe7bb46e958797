"""A whole class is marked: whatever a submission does, it costs its own marks alone, and the same class is the same bytes."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fake_grader import KEY
from hypothesis import given
from hypothesis import strategies as st

from derive.classroom import report
from derive.classroom.batch import SUMMARIES, Class, check_class
from derive.classroom.engines import engine
from derive.classroom.killable import Limits
from derive.classroom.naming import slug
from derive.classroom.record import FLAGS, PASSED_OVER, UNREAD, Record, Step, received, sent
from derive.classroom.task import preparation
from derive.classroom.work import stable
from derive.cli import main
from derive.cli.classroom import is_class
from derive.errors import InputError
from derive.homework.submission import Answer, Rounding, Submission
from derive.printers.terminal import Terminal

ROOT = Path(__file__).parent.parent
FAKE = "fake_grader:grader"
SHORT = Limits(wall=4.0, cpu=2)
RIGHT = "".join(f"{key}: {value}\n" for key, value in KEY.items())


@pytest.fixture(autouse=True)
def _found_by_workers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The fake assignment can be imported by workers, whose files, if they could write any, would be seen."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.chdir(tmp_path)


def handed_in(top: Path, **answers: str) -> Path:
    top.mkdir(parents=True, exist_ok=True)
    for student, text in answers.items():
        (top / f"{student}.yaml").write_text(text, encoding="utf-8")
    return top


def graded(folder: Path, output: Path, **wishes: Any) -> Class:
    return check_class("mazur", folder, output, **{"grader": FAKE, "limits": SHORT, "jobs": 2, **wishes})


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> dict[str, dict[str, str]]:
    text = (folder / "grades.csv").read_text(encoding="utf-8")
    return {row["student_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


# limits -------------------------------------------------------------------------------------------------------------------
HOSTILE = {
    "sleep": ("timeout", ""),
    "spin": ("timeout", "cpu"),
    "memory": ("memory", ""),
    "recursion": ("internal", ""),
    "die": ("died", ""),
    "abort": ("died", ""),
    "fail": ("internal", ""),
}


def test_hostile_work_costs_its_own_marks_and_its_limit(tmp_path: Path):
    good = {f"s{number}": RIGHT for number in range(8)}
    folder = handed_in(tmp_path / "in", **good, **{name: f"L: {name}\n" for name in HOSTILE}, printer="L: print\n")
    began = time.monotonic()
    found = {record.student: record for record in graded(folder, tmp_path / "out").records}
    # two sleep or spin, side by side; the rest is what it takes to start processes on a busy machine
    assert time.monotonic() - began < 2 * SHORT.wall + 15
    assert {student for student, record in found.items() if record.status == "graded"} == {*good, "printer"}
    assert all(found[name].problem in codes for name, codes in HOSTILE.items())
    assert all(found[student].earned == 3 for student in good)
    assert (stable.idle, stable.busy) == ([], set())


def test_nothing_is_written_by_a_worker(tmp_path: Path):
    folder = handed_in(tmp_path / "in", s1="L: write\n")
    (record,) = graded(folder, tmp_path / "out").records
    assert record.problem == "internal" and "too large" in record.detail
    assert [path.read_bytes() for path in tmp_path.glob("PWNED")] in ([], [b""])


def test_files_beside_the_submissions_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = handed_in(tmp_path / "in", s1=RIGHT)
    for name in ("numpy.py", "json.py", "derive.py", "sitecustomize.py"):
        (folder / name).write_text("raise SystemExit(9)\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    assert [record.status for record in graded(folder, tmp_path / "out").records] == ["graded"]


def test_a_network_at_fault_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)  # a long path would be cut
    net = Path("net.yaml")
    net.write_text("broken: 1\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"net\.yaml:1: unknown key 'broken'"):
        check_class(net, handed_in(tmp_path / "in", s1=RIGHT), tmp_path / "out", grader=FAKE)
    assert not (tmp_path / "out").exists()


# engines ------------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A class, and what comes of it with one process."""
    top = tmp_path_factory.mktemp("once")
    folder = handed_in(
        top / "in", **{f"s{number}": RIGHT for number in range(6)}, wrong="L: 0.4398\n", bad="no answers"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        graded(folder, top / "out", jobs=1, formats=("html", "markdown"))
    return folder, files(top / "out")


@pytest.mark.parametrize(
    "wishes",
    [
        {"jobs": 3},
        {"executor": "threads"},
        {"executor": "concurrent.futures:ProcessPoolExecutor"},
        {"executor": "concurrent.futures:ThreadPoolExecutor", "jobs": 1},
    ],
    ids=str,
)
def test_every_engine_writes_the_same_bytes(
    once: tuple[Path, dict[str, bytes]], tmp_path: Path, wishes: dict[str, Any]
):
    folder, expected = once
    assert len(expected) == 2 * 7 + len({"grades.csv", "summary.md", "summary.html", "files.sha256"})
    graded(folder, tmp_path / "out", formats=("html", "markdown"), **wishes)
    assert files(tmp_path / "out") == expected


def test_a_dask_cluster(once: tuple[Path, dict[str, bytes]], tmp_path: Path):
    distributed = pytest.importorskip("distributed")
    folder, expected = once
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster:
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        graded(folder, tmp_path / "out", formats=("html", "markdown"), executor=address)
        assert files(tmp_path / "out") == expected
        handed_in(tmp_path / "hostile", s1=RIGHT, s2="L: sleep\n", s3="L: die\n")
        found = graded(tmp_path / "hostile", tmp_path / "out2", executor=address).records
    assert [record.problem for record in found] == ["", "timeout", "died"]


@pytest.mark.parametrize(
    "name, problem",
    [
        ("proceses", "Did you mean 'processes'"),
        ("nowhere:Pool", "no executor 'nowhere:Pool'"),
        ("concurrent.futures:Nothing", "no executor"),
        ("dask://127.0.0.1:1", "no Dask cluster answers"),
    ],
)
def test_an_engine_that_is_not_there(name: str, problem: str, monkeypatch: pytest.MonkeyPatch):
    if name.startswith("dask"):
        pytest.importorskip("distributed")
        monkeypatch.setattr("derive.classroom.engines.ANSWERS_WITHIN", 0.5)
    with pytest.raises(InputError, match=re.escape(problem)), engine(name, 1, preparation(FAKE, {}, {}), SHORT):
        pass


def test_every_reason_is_given_somewhere():
    """No reason is left over that nothing gives."""
    sources = [path for path in (ROOT / "derive" / "classroom").glob("*.py") if path.name != "record.py"]
    sources += [ROOT / "derive" / "homework" / name for name in ("marking.py", "individual.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert {reason for reason in {*UNREAD, *PASSED_OVER, *FLAGS} if f'"{reason}"' not in code} == set()


# who and what -------------------------------------------------------------------------------------------------------------
def test_ids_are_the_platforms_and_the_rosters(tmp_path: Path):
    folder = handed_in(
        tmp_path / "in",
        s1=f"student: s1\nname: Ada\n{RIGHT}",
        s2=f"student: s1\n{RIGHT}",
        king_LATE_77_9_x=f"student: u7\n{RIGHT}",
        guest=RIGHT,
    )
    (folder / "s2").mkdir()
    (folder / "s2" / "answers.yaml").write_text(RIGHT, encoding="utf-8")
    listed = tmp_path / "roster.csv"
    listed.write_text("student_id,id,name\ns1,,Ada\ns2,,Bo\nu7,77,Kay\ns9,,Zoe\n", encoding="utf-8")
    found = graded(folder, tmp_path / "out", roster_file=listed).records
    assert [(one.student, one.name, one.source, one.status, one.flags) for one in found] == [
        ("guest", "", "guest.yaml", "needs_review", ("not_in_roster",)),
        ("s1", "Ada", "s1.yaml", "graded", ()),
        ("s2", "Bo", "s2.yaml", "needs_review", ("id_mismatch", "duplicate_id")),
        ("s2", "Bo", "s2/answers.yaml", "needs_review", ("duplicate_id",)),
        ("s9", "Zoe", "", "not_submitted", ()),
        ("u7", "Kay", "king_LATE_77_9_x.yaml", "late", ("late",)),
    ]
    pages = {f"{slug('s2', source)}.html" for source in ("s2.yaml", "s2/answers.yaml")}
    assert pages | {
        "s1.html",
        "u7.html",
        "guest.html",
        "grades.csv",
        "summary.md",
        "summary.html",
        "files.sha256",
    } == set(files(tmp_path / "out"))


def test_a_table_holds_a_class(tmp_path: Path):
    table = tmp_path / "class.csv"
    table.write_text("".join(f"student: s{number}\nL: {KEY['L']}\n" for number in range(5)), encoding="utf-8")
    found = graded(table, tmp_path / "out").records
    assert [(one.student, one.earned, one.flags) for one in found] == [(f"s{number}", 1.0, ()) for number in range(5)]


def test_one_file_cannot_speak_for_others(tmp_path: Path):
    folder = handed_in(tmp_path / "in", s1=f"student: s1\n{RIGHT}student: s2\n{RIGHT}", s3="")
    found = graded(folder, tmp_path / "out")
    assert [(one.student, one.problem) for one in found.records] == [("s1", "several_students"), ("s3", "empty")]
    assert found.code == 1


def test_all_files_together_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("derive.classroom.batch.MOST_BYTES", len(RIGHT) * 5 // 2)
    found = graded(handed_in(tmp_path / "in", s1=RIGHT, s2=RIGHT, s3=RIGHT), tmp_path / "out", jobs=1)
    assert [one.problem for one in found.records] == ["", "", "too_much"]


def test_progress_counts_to_the_end(tmp_path: Path):
    told: list[tuple[int, int]] = []
    folder = handed_in(tmp_path / "in", s1=RIGHT, s2="no answers", s3="")
    assert graded(folder, tmp_path / "out", progress=lambda made, planned: told.append((made, planned))).code == 1
    assert told == [(1, 3), (2, 3), (3, 3)]


@given(
    st.builds(
        Submission,
        student=st.text(max_size=5),
        answers=st.lists(st.builds(Answer, st.text(max_size=5), st.none() | st.text(max_size=5)), max_size=3).map(
            tuple
        ),
        rounding=st.none() | st.builds(Rounding, st.sampled_from(["sf", "dp"]), st.integers(0, 9)),
        conventions=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        flags=st.lists(st.text(max_size=3), max_size=2).map(tuple),
    )
)
def test_a_submission_arrives_as_it_was_sent(submission: Submission):
    assert received(json.loads(json.dumps(sent(submission)))) == submission


# grades.csv ---------------------------------------------------------------------------------------------------------------
COLUMNS = (
    "student_id,name,status,score,max_score,percent,follow_through,first_error,first_error_label,misconceptions,"
    "unreadable,blank,flags,file"
)


def test_the_columns_of_the_grades(tmp_path: Path):
    folder = handed_in(tmp_path / "in", s1="z1[1]: 0.3775\nL: 0.4398\n", s2="z1[1]: \n", s3="?")
    graded(folder, tmp_path / "out", per_step=True)
    found = rows(tmp_path / "out")
    assert ",".join(found["s1"]) == f"{COLUMNS},z1[1],L"
    assert list(found["s1"].values()) == [
        *("s1", "", "graded", "1", "3", "33.33", "0", "L", "E", "B1", "0", "0", "", "s1.yaml", "1", "0"),
    ]
    assert (found["s2"]["status"], found["s2"]["blank"], found["s2"]["L"]) == ("graded", "1", "")
    assert (found["s3"]["status"], found["s3"]["score"], found["s3"]["flags"]) == ("unreadable", "", "unreadable")


# the report ---------------------------------------------------------------------------------------------------------------
def report_of(tmp_path: Path, lang: str) -> dict[str, str]:
    """The report about a class in which everything happened, by format."""
    answers: dict[str, str] = {f"c{number}": f"z1[1]: 0.3775\na1[1]: 0.7{'0' * number}\n" for number in range(3)}
    answers |= {"b1": "a1[1]: 0.4398\nL: 0.4398\n", "b2": "a1[1]: 0.4398\n", "ok": RIGHT, "none": "z1[1]: \n"}
    answers |= {"bad": "no answers", "look": "L: ?\n", "<script>alert(1)": "no answers"}
    folder = handed_in(tmp_path / "in", **answers)
    (folder / "notes.pdf").touch()
    listed = tmp_path / "roster.csv"
    listed.write_text("student_id\n" + "\n".join([*answers, "absent"]) + "\n", encoding="utf-8")
    graded(folder, tmp_path / lang, roster_file=listed, lang=lang, formats=tuple(SUMMARIES), executor="threads")
    return {name: (tmp_path / lang / file).read_text(encoding="utf-8") for name, file in SUMMARIES.items()}


def test_the_report_says_what_happened(tmp_path: Path):
    found = report_of(tmp_path, "en")["text"]
    sections = [line for line in found.splitlines() if line in TITLES]
    assert sections == TITLES
    lines = [line.split() for line in found.splitlines()]
    assert ["2", "a1[1]", "6", "1", "0", "5", "0", "0", "17"] in lines  # answered, right, …, first errors, …, percent
    title = ["missing", "slope", "at", "the", "output"]
    assert ["B1", "·", *title, "2", "a1[1]", "(2),", "L", "(1)"] in lines
    assert any(line[:3] == ["a1[1]", "0.7", "3"] and line[3:] == ["c0,", "c1,", "c2"] for line in lines)


TITLES = [
    "Not readable",
    "Overview",
    "Step by step",
    "Misconceptions",
    "Equal wrong answers without an explanation",
    "To be looked at",
    "Late, or nothing handed in",
    "Files that are nobody's submission",
]


def test_the_report_in_chinese_and_in_every_format(tmp_path: Path):
    found = report_of(tmp_path, "zh")
    assert all("班级报告" in text and "无法读取" in text for text in found.values())
    assert "<script>alert" not in found["html"] and "&lt;script&gt;alert(1)" in found["html"]
    assert found["html"].count('class="plot"') == 2


def test_a_class_in_which_nothing_happened(tmp_path: Path):
    for name, answers in {"right": {"s1": RIGHT}, "none": {}, "unread": {"s1": ""}}.items():
        graded(handed_in(tmp_path / name, **answers), tmp_path / f"{name}-out", executor="threads")
        text = (tmp_path / f"{name}-out" / "summary.md").read_text(encoding="utf-8")
        assert ("No errors were found." in text, "Nothing could be marked." in text) == (
            name == "right",
            name != "right",
        )


def test_a_miscount_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from derive.errors import WitnessError

    honest: Callable[..., Any] = report.recount

    def lost(records: Any, counts: Any) -> Any:
        return honest(records[1:], counts)

    records = [Record("s1", steps=(Step("L", "", "blank", 0, 1),)), Record("s2")]
    report.document(records, [("L", "")], (), "en", "mazur")
    monkeypatch.setattr(report, "recount", lost)
    with pytest.raises(WitnessError, match="count differently"):
        report.document(records, [("L", "")], (), "en", "mazur")


# the command --------------------------------------------------------------------------------------------------------------
def command(*args: str | Path, **wishes: Any) -> Result:
    """`derive check …` with the fake assignment."""
    faked = partial(check_class, grader=FAKE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("derive.classroom.batch.check_class", faked)
        return CliRunner().invoke(main, ["check", *map(str, args)], **wishes)


def test_the_command_marks_a_class(tmp_path: Path):
    folder = handed_in(tmp_path / "in", s1=RIGHT, s2="no answers")
    done = command("mazur", folder, "-o", tmp_path / "out", "--jobs", "2", "-f", "text", "--per-step", "--wall", "9")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "The class: mazur",
        "Handed in: 2. Marked: 1, of these to be looked at: 0. Not readable: 1. Nothing handed in: 0.",
        "No errors were found.",
        "5 comparisons in one kind of check agree.",
        *(f"Wrote {tmp_path / 'out' / name}" for name in ("grades.csv", "summary.md", "summary.txt")),
    ]
    assert rows(tmp_path / "out")["s1"]["L"] == "1" and (tmp_path / "out" / "s1.text").exists()
    (folder / "s2.yaml").write_text(RIGHT, encoding="utf-8")
    done = command("mazur", folder, "--quiet", "--executor", "threads")
    assert (done.exit_code, done.output) == (0, "")
    assert {"s1.html", "s1.json", "s2.html", "grades.csv", "summary.html"} <= set(
        files(tmp_path / "output" / "mazur-class")
    )


def test_the_command_fills_a_gradebook_and_clears_up(tmp_path: Path):
    folder = handed_in(tmp_path / "in", s1=RIGHT, s2="L: 0.4398\n", guest=RIGHT)
    book = tmp_path / "book.csv"
    book.write_text(
        "Student,ID,SIS User ID,mazur (77)\nPoints Possible,,,30\nAda,1,s1,\nBo,2,s2,\nZoe,3,s3,\n", encoding="utf-8"
    )
    done = command("mazur", folder, "-o", "out", "--executor", "threads", "--gradebook", book)
    assert done.exit_code == 0 and f"Wrote {Path('out', 'gradebook.csv')}" in done.stdout
    cells = list(csv.reader(io.StringIO(Path("out", "gradebook.csv").read_text(encoding="utf-8"), newline="")))
    assert [row[3] for row in cells] == ["mazur (77)", "30", "30", "0", ""]
    assert rows(tmp_path / "out")["s3"]["status"] == "not_submitted"  # the gradebook is the roster, too
    assert "gradebook.csv: 2, in the column mazur" in Path("out", "summary.md").read_text(encoding="utf-8")
    (folder / "guest.yaml").unlink()
    (tmp_path / "out" / "s2.html").write_text("my own remark", encoding="utf-8")
    (folder / "s2.yaml").unlink()
    done = command("mazur", folder, "-o", "out", "--executor", "threads")
    assert done.stdout.splitlines()[-2:] == [
        "Removed, as an earlier run wrote it and this one did not: gradebook.csv, guest.html, guest.json, s2.json",
        "Kept, though not of this run, as it was changed since an earlier one: s2.html",
    ]


def test_a_broken_header_stands_above_its_rule():
    document = report.document([], (), (), "en", "mazur")
    lines = Terminal(document, 24).table(
        [["so long a header", "b"], ["a few words", "2 and 3 and 4"]], "T", broken=True
    )
    (rule,) = (n for n, line in enumerate(lines) if set(line) == {" ", "-"})
    assert "header" in "".join(lines[1:rule]) and "few" in "".join(lines[rule:])


@pytest.mark.parametrize(
    "args, problem",
    [
        (["in", "--gradebook", "none.csv"], "none.csv: cannot be read"),
        (["in/s1.yaml", "--gradebook", "book.csv"], "--gradebook is for a class"),
        (["nowhere.zip"], "nowhere.zip: cannot be read: no such file"),
        (["in", "-o", "out.html"], "--output: the results of a class are many files"),
        (["in", "-o", "in"], "this is the folder of the submissions itself"),
        (["in", "--executor", "thread"], "Did you mean 'threads'"),
        (["in", "--id-regex", "("], "--id-regex: not a regular expression"),
        (["in", "--roster", "none.csv"], "none.csv: cannot be read"),
        (["in", "--jobs", "0"], "--jobs"),
        ([], "Missing argument 'ANSWERS'"),
        (["in/s1.yaml", "--roster", "roster.csv"], "--roster is for a class, and this is one file"),
        (["in/s1.yaml", "--per-step"], "--per-step is for a class"),
    ],
)
def test_the_command_refuses_in_one_line(tmp_path: Path, args: list[str], problem: str):
    handed_in(tmp_path / "in", s1=RIGHT)
    done = command("mazur", *args)
    assert done.exit_code == 2 and problem in done.output and len(done.output.splitlines()) == 1


def test_the_command_writes_for_gradescope(tmp_path: Path):
    assert command("mazur", "--gradescope").output == "Wrote autograder.zip\n"
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        assert archive.namelist() == ["net.yaml", "setup.sh", "run_autograder"]


@pytest.mark.parametrize(
    "name, content, many",
    [
        ("a.csv", "student_id,step,value\n", True),
        ("a.csv", "sep=;\nStudent_ID;L\n", True),
        ("a.tsv", '"student_id"\tL\n', True),
        ("a.csv", "step,value\nL,1\n", False),
        ("a.yaml", "student_id: 3\n", False),
        ("a.zip", "", True),
    ],
)
def test_what_is_a_class(tmp_path: Path, name: str, content: str, many: bool):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert is_class(tmp_path / name) == many
    assert is_class(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")
def test_an_interruption_leaves_no_process_behind(tmp_path: Path):
    folder = handed_in(tmp_path / "in", **{f"s{number}": "L: sleep\n" for number in range(4)})
    script = (
        "import functools, signal, derive.classroom.batch as batch\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"batch.check_class = functools.partial(batch.check_class, grader={FAKE!r}, limits=batch.Limits(wall=300))\n"
        "batch.check_class('mazur', 'in', 'out', jobs=2)\n"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    env = {**os.environ, "PYTHONPATH": paths, "DERIVE_TEST_MARK": str(folder)}
    running = subprocess.Popen([sys.executable, "-c", script], env=env, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while len(asleep(folder)) < 2:
        assert time.monotonic() < until and running.poll() is None
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) != 0
    assert asleep(folder) == []


def asleep(folder: Path) -> list[str]:
    """Workers started for this folder, by what /proc tells of their surroundings."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                str(folder).encode() in (process / "environ").read_bytes()
                and b"classroom.child" in (process / "cmdline").read_bytes()
            ):
                found.append(process.name)
    return found
