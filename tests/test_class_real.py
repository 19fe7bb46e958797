"""A class of the built-in example, marked by the command: the same bytes however many work at it, and hostile files do nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from derive.classroom.grading import grader

pytestmark = pytest.mark.xdist_group("class")  # one process marks the class that these tests look at

ROOT = Path(__file__).parent.parent
GOOD = "student: {{id: {id}}}\nanswers: {{z1: [0.3775, 0.3925], L: 0.2984, dL/dw5: 0.0822, w5+: 0.3589}}\n"
B1 = "answers: {dL/dw5: 0.4398, w5+: 0.1801}\n"  # the slope forgotten; the update follows from it
LAUGHS = "a: &a [l, l]\nb: &b [*a, *a]\nc: &c [*b, *b]\nanswers: {z1: *c}\n"
#: What must be refused as a whole, and what costs one answer alone.
REFUSED: dict[str, str | bytes] = {
    "laughs.yaml": LAUGHS,
    "python.yaml": 'answers: {L: !!python/object/apply:os.system ["touch PWNED"]}\n',
    "recursive.yaml": "answers: &a {L: *a}\n",
    "merge.yaml": "x: &x {L: 1}\nanswers: {<<: *x}\n",
    "twice.yaml": "answers: {L: 0.1, L: 0.2984}\n",
    "deep.yaml": "answers: " + "[" * 3000 + "]" * 3000 + "\n",
    "two.yaml": "answers: {L: 1}\n---\nanswers: {L: 2}\n",
    "score.yaml": "answers: {L: 0.2984}\nscore: 100\n",
    "include.yaml": "include: /etc/passwd\nanswers: {L: 1}\n",
    "net.yaml": (ROOT / "derive" / "examples" / "mazur.yaml").read_text(encoding="utf-8"),
    "other.yaml": "answers: [1, 2]\n",
    "nul.yaml": "answers: {L: 1\0}\n",
    "utf16.yaml": "answers: {L: 1}\n".encode("utf-16"),
    "latin.yaml": b"answers: {L: \xff}\n",
    "nan.json": '{"answers": {"L": NaN}}',
    "deep.json": "[" * 100_000,
    "quote.csv": 'step,value\nL,"0.1\n',
    "several.csv": "student_id,step,value\ns1,L,0.2984\ns2,L,0.2984\n",
    "zero.yaml": b"",
}
MARKED: dict[str, str] = {
    "code.yaml": "answers: {L: {value: 0.2984, formula: \"__import__('os').system('touch PWNED')\"}}\n",
    "tower.yaml": 'answers: {L: {value: 0.2984, formula: "9**9**9**9"}}\n',
    "huge.yaml": 'answers: {L: "1e99999999", z1: [0.3775, 0.3925]}\n',
    "unknown.yaml": 'answers: {__class__: 1, "=cmd|x": 2, L: 0.2984}\n',
    "escape.yaml": 'answers: {L: "0.2984\\e[2J"}\n',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("class") / "in"
    top.mkdir()
    for number in range(4):
        (top / f"s{number}.yaml").write_text(GOOD.format(id=f"s{number}"), encoding="utf-8")
    (top / "b1.yaml").write_text(B1, encoding="utf-8")
    for name, content in (REFUSED | MARKED).items():
        path = top / name.rpartition(".")[0].replace("deep", f"deep-{name[-4:]}") / f"answers.{name.rpartition('.')[2]}"
        path.parent.mkdir()
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return top


def command(folder: Path, output: Path, *args: str) -> subprocess.CompletedProcess[str]:
    here = {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    words = [sys.executable, "-m", "derive.cli", "check", "mazur", str(folder), "-o", str(output), *args]
    return subprocess.run(
        words, cwd=folder.parent, env={**os.environ, **here}, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def results(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("results")
    done = command(folder, output, "--jobs", "2")
    assert (done.returncode, done.stderr) == (1, "")  # some could not be read
    return output


def rows(results: Path) -> dict[str, dict[str, str]]:
    text = (results / "grades.csv").read_text(encoding="utf-8")
    return {row["student_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def test_grades_and_pages(results: Path):
    found = rows(results)
    assert all((found[f"s{i}"]["status"], found[f"s{i}"]["percent"]) == ("graded", "100") for i in range(4))
    b1 = found["b1"]
    assert (b1["first_error"], b1["first_error_label"], b1["follow_through"]) == ("dL/dW2[1,1]", "dL/dw5", "1")
    assert "B1" in b1["misconceptions"].split()
    told = json.loads((results / "b1.json").read_text(encoding="utf-8"))
    assert told["schema"] == "derive-check/1" and told["first_error"] == "dL/dW2[1,1]"
    assert "0.4398" in (results / "b1.html").read_text(encoding="utf-8")
    assert "B1" in (results / "summary.md").read_text(encoding="utf-8")


def test_hostile_files_cost_their_own_marks(results: Path, folder: Path):
    found = {row["file"].split("/")[0]: row for row in rows(results).values()}
    refused = {name.rpartition(".")[0].replace("deep", f"deep-{name[-4:]}") for name in REFUSED}
    assert {name for name in refused if found[name]["status"] != "unreadable"} == set()
    assert {row["flags"] for name, row in found.items() if name in refused} == {
        "unreadable",
        "empty",
        "several_students",
    }
    marked = {name.removesuffix(".yaml") for name in MARKED}
    assert {name: found[name]["status"] for name in marked} == dict.fromkeys(marked, "needs_review")
    assert list(folder.parent.rglob("PWNED")) == [] and list(results.rglob("PWNED")) == []


def test_the_same_class_is_the_same_bytes(results: Path, folder: Path, tmp_path: Path):
    assert command(folder, tmp_path, "--jobs", "1", "--executor", "processes").returncode == 1
    first, second = ({path.name: path.read_bytes() for path in some.iterdir()} for some in (results, tmp_path))
    assert first == second
    assert str(folder).encode() not in b"".join(first.values())


def test_pages_are_printed_as_they_are_wished():
    net = {
        "text": (ROOT / "derive" / "examples" / "mazur.yaml").read_text(encoding="utf-8"),
        "name": "net.yaml",
        "folder": ".",
    }
    wishes = {
        "formats": ["text"],
        "reveal": "all",
        "lang": "zh",
        "lessons": None,
        "numbers": {"significant": 6, "comma": True},
    }
    marking = grader(net, wishes)
    (submission,) = marking.read("answers.yaml", b"answers: {L: 0.3}\n")
    _, pages = marking.grade(submission)
    assert list(pages) == ["txt"] and "0,298371" in pages["txt"] and "批改" in pages["txt"]
