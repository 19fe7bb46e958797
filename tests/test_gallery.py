"""The gallery in output/ is what derive prints today."""

from __future__ import annotations

from gallery import FOLDER, comparable, rendered

MADE = ("picture.png", "marking.md", "notebook.ipynb")  # by hand, by tests/matrix.py, by hand


def test_the_gallery_is_fresh() -> None:
    files = rendered()
    for path, content in files.items():
        committed = FOLDER / path
        assert committed.exists(), f"{committed} is missing: run python tests/gallery.py"
        fresh = comparable(committed.read_text(encoding="utf-8")) == comparable(content)
        assert fresh, f"{committed} is stale: run python tests/gallery.py"


def test_nothing_else_lies_in_the_gallery() -> None:
    known = {FOLDER / path for path in rendered()} | {FOLDER / name for name in MADE}
    assert {path for path in FOLDER.rglob("*") if path.is_file()} == known
