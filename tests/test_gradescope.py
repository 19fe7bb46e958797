"""Gradescope: results.json by its schema whatever happens, and the archive that its container is built from."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fake_grader import KEY
from jsonschema import Draft202012Validator

from derive.classroom.batch import check_class
from derive.classroom.gradescope import autograde, autograder, points
from derive.classroom.killable import Limits
from derive.errors import InputError
from derive.version import __version__

ROOT = Path(__file__).parent.parent
RIGHT = "".join(f"{key}: {value}\n" for key, value in KEY.items())
FORMATS = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
#: The fields that Gradescope documents, and no others; scores that are scores.
TEST = {
    "type": "object",
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "max_score": {"type": "number", "minimum": 0},
        "status": {"enum": ["passed", "failed"]},
        "name": {"type": "string"},
        "name_format": FORMATS,
        "number": {"type": "string"},
        "output": {"type": "string"},
        "output_format": FORMATS,
        "tags": {"type": "array", "items": {"type": "string"}},
        "visibility": VISIBILITY,
        "extra_data": {"type": "object"},
    },
    "required": ["score", "max_score", "name", "output"],
    "additionalProperties": False,
}
RESULTS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "score": {"type": "number", "minimum": 0},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMATS,
        "test_output_format": FORMATS,
        "test_name_format": FORMATS,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": TEST},
        "leaderboard": {"type": "array"},
    },
    "required": ["score", "tests"],
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def _found_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def results(folder: Path, text: str | bytes | None, *, net: str | Path = "mazur", **wishes: Any) -> dict[str, Any]:
    """What is written for a submission of one file."""
    submission = folder / "submission"
    submission.mkdir()
    if text is not None:
        (submission / "answers.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    output = folder / "results" / "results.json"
    wishes = {"grader": "fake_grader:with_feedback", "limits": Limits(wall=4), **wishes}
    marked = autograde(net, submission, output, **wishes)
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    Draft202012Validator(RESULTS).validate(found)
    assert marked == (bool(found.get("extra_data")) and not found["extra_data"]["derive"]["problem"])
    return found


def test_the_results_of_a_submission(tmp_path: Path):
    found = results(tmp_path, f"z1[1]: {KEY['z1[1]']}\nL: 0.4398\n")
    first = {
        "number": "1",
        "name": "z1[1]",
        "score": 1,
        "status": "passed",
        "tags": ["correct"],
        "output": "told of z1[1]",
    }
    second = {
        "number": "2",
        "name": "E",
        "score": 0,
        "status": "failed",
        "tags": ["error", "B1"],
        "output": "told of L",
    }
    assert [{key: test[key] for key in first} for test in found["tests"]] == [first, second]
    assert (found["score"], found["output"], found["stdout_visibility"]) == (1, "First error: E.", "hidden")
    assert all(test["max_score"] == 1 and test["output_format"] == "text" for test in found["tests"])
    assert found["extra_data"]["derive"] == {
        "version": __version__,
        "first_error": "L",
        "follow_through": 0.0,
        "flags": [],
        "problem": "",
    }


def test_what_comes_after_the_first_error_stays_hidden(tmp_path: Path):
    found = results(tmp_path, "z1[1]: 0.1\na1[1]: 0.4398\nL: 0.4398\n")
    assert [test["visibility"] for test in found["tests"]] == ["visible", "hidden", "hidden"]
    assert [test["output"] for test in found["tests"]] == ["told of z1[1]", "", ""]


def test_all_right_in_chinese(tmp_path: Path):
    assert results(tmp_path, f"L: {KEY['L']}\n", lang="zh")["output"] == "没有错误的步骤。"


@pytest.mark.parametrize(
    "text, why",
    [
        (None, "no answers in it"),
        (b"", "an empty file"),
        (b"\xff\xfe", "the file could not be read. answers.yaml: not UTF-8 text"),
        ("no answers", "not a list of answers"),
        ("L: die\n", "the process that marked it ended. 7"),
        ("L: sleep\n", "took longer than it may"),
        ("L: memory\n", "took more memory"),
        ("L: fail\n", "an error in derive"),
    ],
)
def test_what_cannot_be_marked_says_why(tmp_path: Path, text: str | bytes | None, why: str):
    found = results(tmp_path, text, limits=Limits(wall=1.5))
    assert (found["score"], found["tests"]) == (0, []) and why in found["output"]


def test_a_crash_blames_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def crash(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("derive.classroom.gradescope.results", crash)
    found = results(tmp_path, f"L: {KEY['L']}\n")
    assert [(test["name"], test["visibility"]) for test in found["tests"]] == [
        ("Autograder failed", "visible"),
        ("Details", "hidden"),
    ]
    assert "a bug" in found["tests"][1]["output"] and "a bug" not in found["output"] + found["tests"][0]["output"]


def test_a_broken_network_is_told_to_the_lecturer(tmp_path: Path):
    net = tmp_path / "net.yaml"
    net.write_text("broken: 1\n", encoding="utf-8")
    found = results(tmp_path, "L: 1\n", net=net)
    assert found["score"] == 0 and "unknown key 'broken'" in found["tests"][1]["output"]


def test_the_archive_of_the_autograder(tmp_path: Path):
    data = autograder("mazur", lang="zh", reveal="steps")
    assert data == autograder("mazur", lang="zh", reveal="steps")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["net.yaml", "setup.sh", "run_autograder"]
        assert [info.external_attr >> 16 & 0o777 for info in archive.infolist()] == [0o644, 0o755, 0o755]
        archive.extractall(tmp_path)
    setup, script = ((tmp_path / name).read_text(encoding="utf-8") for name in ("setup.sh", "run_autograder"))
    assert f"derive-backprop=={__version__}" in setup and "--lang zh --reveal steps" in script
    for name in ("setup.sh", "run_autograder"):
        assert subprocess.run(["bash", "-n", tmp_path / name], capture_output=True).returncode == 0


#: The program of the container: derive itself, or derive with the fake assignment.
REAL = 'exec {python} -m derive.cli "$@"'
FAKED = """exec {python} -c "
import functools, sys
import derive.classroom.gradescope as gradescope
from derive.cli import main
gradescope.autograde = functools.partial(gradescope.autograde, grader='fake_grader:with_feedback')
main()" "$@"
"""


def in_a_container(
    tmp_path: Path, program: str | None, files: dict[str, str | bytes], net: bytes | None = None, **wishes: Any
) -> dict[str, Any]:
    """What `run_autograder` writes, run as the container runs it, with all of /autograder elsewhere.

    program: what stands in the place of derive, None: nothing · files: of the submission · net: in the place of Mazur's
    """
    top = tmp_path / "autograder"
    for folder in ("source", "submission", "derive/bin"):
        (top / folder).mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(autograder("mazur", **wishes))) as archive:
        archive.extractall(top / "source")
    if net is not None:
        (top / "source" / "net.yaml").write_bytes(net)
    for name, content in files.items():
        (top / "submission" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    if program is not None:
        path = top / "derive" / "bin" / "derive"
        path.write_text(f"#!/bin/sh\n{program.format(python=sys.executable)}\n", encoding="utf-8")
        path.chmod(0o755)
    script = (top / "source" / "run_autograder").read_text(encoding="utf-8").replace("/autograder", str(top))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    done = subprocess.run(["bash"], input=script.encode(), capture_output=True, env=env)
    assert done.returncode == 0
    found: dict[str, Any] = json.loads(
        (top / "results" / "results.json").read_text(encoding="utf-8"), parse_constant=pytest.fail
    )
    Draft202012Validator(RESULTS).validate(found)
    assert all(test["score"] <= test["max_score"] for test in found["tests"])
    assert not {"html", "md", "simple_format"} & {value for one in (found, *found["tests"]) for value in formats(one)}
    return found


def formats(told: dict[str, Any]) -> list[str]:
    return [value for key, value in told.items() if key.endswith("_format")]


@pytest.mark.parametrize("derive", ["exit 3", "kill -9 $$", None], ids=["fails", "is killed", "is missing"])
def test_results_are_there_even_without_python(tmp_path: Path, derive: str | None):
    found = in_a_container(tmp_path, derive, {"answers.yaml": RIGHT})
    assert [(test["name"], test["visibility"]) for test in found["tests"]] == [("Autograder failed", "visible")]


@pytest.mark.parametrize(
    "files, net, why",
    [
        ({"answers.yaml": b"\xff\xfe"}, None, "not UTF-8 text"),
        ({"answers.yaml": "L: die\n"}, None, "the process that marked it ended. 7"),
        ({"a.yaml": RIGHT, "b.yaml": RIGHT}, None, "several files that could be the answers"),
        ({}, None, "no answers in it"),
        ({"answers.yaml": RIGHT}, b"broken: 1\n", "this says nothing about your work"),
    ],
    ids=["broken", "killed child", "two files", "nothing", "broken network"],
)
def test_the_script_says_why(tmp_path: Path, files: dict[str, str | bytes], net: bytes | None, why: str):
    found = in_a_container(tmp_path, FAKED, files, net)
    assert found["score"] == 0 and why in found["output"]
    assert "broken" not in found["output"]  # a network at fault is told to the lecturer alone
    assert [test["visibility"] for test in found["tests"]] == ["visible", "hidden"] * (net is not None)


def test_the_script_marks(tmp_path: Path):
    """The slope forgotten, what follows from it, and an answer that is not a number but a page."""
    answers = {"dL/dw5": "0.4398", "w5+": "0.1801", "L": "<img src=x onerror=alert(1)>", "z1[1]": "0.3775"}
    text = "answers:\n" + "".join(f'  "{step}": "{value}"\n' for step, value in answers.items())
    found = in_a_container(tmp_path, REAL, {"answers.yaml": text, "photo.jpg": b"\xff\xd8"})
    told = {test["name"]: (test["score"], test["status"], test["visibility"]) for test in found["tests"]}
    assert told == {
        "z1[1]": (1, "passed", "visible"),
        "L": (0, "failed", "visible"),
        "dL/dw5": (0, "failed", "visible"),
        "w5+": (1, "passed", "hidden"),
    }
    error = next(test for test in found["tests"] if test["name"] == "dL/dw5")
    assert "B1" in error["tags"] and error["output"] and error["extra_data"]["read"] == "0.4398"
    assert (found["score"], found["output"]) == (2, "First error: dL/dw5.")


def test_points_are_bounded_and_rounded():
    assert [points(value, 1.0) for value in (2 / 3, 7.0, -1.0, 1.0)] == [0.66667, 1, 0, 1]


def test_weights_come_along_and_a_broken_file_does_not(tmp_path: Path):
    import numpy as np

    np.savez(tmp_path / "weights.npz", W1=np.ones((1, 2)))
    net = tmp_path / "net.yaml"
    net.write_text(
        "inputs: [1, 2]\ntargets: [1]\nlayers: [{linear: {out: 1, bias: false}}]\nloss: mse\nparameters: weights.npz\n",
        encoding="utf-8",
    )
    with zipfile.ZipFile(io.BytesIO(autograder(net))) as archive:
        assert archive.read("weights.npz") == (tmp_path / "weights.npz").read_bytes()
    net.write_text("inputs: [1, 2]\nlayerz: []\n", encoding="utf-8")
    with pytest.raises(InputError, match="unknown key 'layerz'"):
        autograder(net)


def test_a_sheet_without_a_network_goes_to_gradescope_and_to_a_class(tmp_path: Path) -> None:
    """What one student's answers are marked by, a class is marked by too."""
    sheet = tmp_path / "sheet.yaml"
    sheet.write_text("given: {x: 1}\nsteps: {h: 2*x, k: h + 1}\n")
    assert autograder(sheet)
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "s1.yaml").write_text("answers: {h: 2, k: 3}")
    (one,) = check_class(sheet, answers, tmp_path / "out").records
    assert not one.problem and one.earned == one.most == 2
    sheet.write_text("given: {x: 1}\nsteps: {h: 2*x, k: zz + 1}\n")
    with pytest.raises(InputError, match="there is no 'zz'"):
        autograder(sheet)
