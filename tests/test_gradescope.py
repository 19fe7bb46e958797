"""Gradescope: results.json by its schema whatever happens, and the archive that its container is built from."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fake_grader import KEY
from jsonschema import Draft202012Validator

from derive.classroom.gradescope import autograde, autograder
from derive.classroom.killable import Limits
from derive.errors import InputError
from derive.version import __version__

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


@pytest.mark.parametrize("derive", ["#!/bin/sh\nexit 3\n", None], ids=["fails", "is missing"])
def test_results_are_there_even_without_python(tmp_path: Path, derive: str | None):
    """The script in a container of its own, with all of /autograder elsewhere."""
    with zipfile.ZipFile(io.BytesIO(autograder("mazur"))) as archive:
        script = archive.read("run_autograder").decode().replace("/autograder", str(tmp_path / "autograder"))
    program = tmp_path / "autograder" / "derive" / "bin" / "derive"
    program.parent.mkdir(parents=True)
    if derive is not None:
        program.write_text(derive, encoding="utf-8")
        program.chmod(0o755)
    assert subprocess.run(["bash"], input=script.encode(), capture_output=True).returncode == 0
    found = json.loads((tmp_path / "autograder" / "results" / "results.json").read_text(encoding="utf-8"))
    Draft202012Validator(RESULTS).validate(found)
    assert [test["name"] for test in found["tests"]] == ["Autograder failed"]


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
