"""What tools and counting say about the code: ruff, mypy, and nothing that is too long to read in one go."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "derive").rglob("*.py"))
LONGEST_FILE = 500
LONGEST_FUNCTION = 60


#: mypy takes a fifth longer to write a cache than to do without.
CACHE = [] if (ROOT / ".mypy_cache").is_dir() else [f"--cache-dir={os.devnull}"]


@pytest.mark.parametrize(
    "command", [["ruff", "check"], ["mypy", "--strict", *CACHE, "derive"]], ids=lambda command: command[0]
)
def test_the_tools_find_nothing(command: list[str]):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_benchmarks_find_their_formulas():
    sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
    import run

    assert all(mathml.startswith("<math>") and latex for mathml, latex in itertools.islice(run.formulas(), 20))


def test_files_stay_short():
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert lengths
    assert {path: length for path, length in lengths.items() if length >= LONGEST_FILE} == {}


def test_functions_stay_short():
    lengths = {
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert lengths
    assert {name: length for name, length in lengths.items() if length >= LONGEST_FUNCTION} == {}
