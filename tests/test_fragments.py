"""Pieces for lecture notes: their files, and that LaTeX takes them as they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from nets import solved

from derive.cli import main
from derive.examples import names
from derive.files import LIST
from derive.printers.pieces import pieces
from derive.solution import solve


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


# files ------------------------------------------------------------------------------------------------------------------
def test_a_folder_of_pieces_without_those_of_an_earlier_run(run: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "there" / "fragments"
    assert run("backprop", "mazur", "-f", "fragments", "-f", "text", "-o", "there").exit_code == 0
    first = {path.name for path in folder.iterdir()}
    assert {"forward.tex", "forward-2-z.tex", "gradient-W2.tex", "update-W1.tex", "diagram.tex", LIST} <= first
    (folder / "forward.tex").write_text("my own words\n", encoding="utf-8")
    (folder / "mine.tex").write_text("mine\n", encoding="utf-8")
    done = run("backprop", "mazur", "-f", "fragments", "--only", "w5", "-o", "there")
    second = {path.name for path in folder.iterdir()}
    assert {"gradient-W2.tex", "update-W2.tex", "forward.tex", "mine.tex"} <= second < first | {"mine.tex"}
    assert "gradient-W1.tex" not in second and "gradient-W1.tex" in done.output
    assert "forward.tex" in done.output.splitlines()[-1]
    listed = {line.split("  ")[1] for line in (folder / LIST).read_text(encoding="utf-8").splitlines()}
    assert listed == second - {"mine.tex", "forward.tex", LIST}
    assert (tmp_path / "there" / "solution.txt").exists()


@pytest.mark.parametrize("output", ["-", "notes.tex"])
def test_several_files_want_a_folder(run: Callable[..., Result], tmp_path: Path, output: str) -> None:
    done = run("backprop", "mazur", "-f", "fragments", "-o", output)
    assert done.exit_code == 2 and "give a folder" in done.output and not list(tmp_path.iterdir())


def test_a_file_is_no_folder(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "fragments").write_text("mine\n", encoding="utf-8")
    done = run("backprop", "mazur", "-f", "fragments", "-f", "html", "-o", ".")
    assert done.exit_code == 2 and "fragments: cannot be written" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["fragments"]


def test_save_writes_the_folder(tmp_path: Path) -> None:
    solution = solved("mazur")
    assert solution.save(tmp_path, formats=["fragments", "json"]) == [
        tmp_path / "fragments",
        tmp_path / "solution.json",
    ]
    written = {path.name for path in (tmp_path / "fragments").iterdir()}
    assert written == {*solution.pieces("fragments"), LIST}


@pytest.mark.parametrize("name", names())
def test_names_of_pieces_are_names_of_files(name: str) -> None:
    found = [piece.name for piece in pieces(solved(name, form="both").document)]
    assert all(re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", one) for one in found)
    assert len({one.lower() for one in found}) == len(found)
    assert {"givens", "forward", "forward-1-z", "matrix-forward-1-z", "conventions", "witnesses"} <= {*found}


def test_names_of_pieces_say_what_they_are() -> None:
    found = {piece.name: piece for piece in pieces(solve("mazur").document)}
    assert {"loss-each", "loss-total", "gradient-z2", "gradient-b1", "after-1-z", "table-summary"} <= {*found}
    (step,) = found["gradient-W2"].blocks
    assert {line.target.id for line in step.lines} == {"dL/dW2"}
    changed = solve("mazur", significant=9, only=["w5"]).document
    assert {piece.name for piece in pieces(changed)} < {*found}
