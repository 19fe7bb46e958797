"""The rooms of derive and who may look into which: imports go down the list, never up and never sideways."""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FLOORS = """
    errors registry fonts
    formula
    algebra numerals
    spelling tensor
    dialects graph
    source
    options ops
    arrays losses optimizers initializers autodiff
    spec contract
    labels
    build
    values notation figures language
    naming document
    lines
    derivation checks
    policies examples
    solution
    printers
    derive
    cli
"""  # `derive` is derive/__init__.py
HEIGHT = {room: floor for floor, rooms in enumerate(FLOORS.strip().splitlines()) for room in rooms.split()}
HIDDEN = {"printers": {"ops", "graph", "build", "derivation", "checks", "solution"}}  # a printer sees the document alone
ANYWHERE = {"numpy", *sys.stdlib_module_names}
EAGER = {"jinja2": ("printers",), "click": ("cli",), "rich": ("cli", "printers/terminal"), "fontTools": ("fonts/build",)}
LAZY = {"matplotlib": ("figures",), "yaml": ("source",), "sympy": ("",), "mpmath": ("",)}  # only inside functions
TOP = {"pyproject.toml", "README.md", "LICENSE", "derive", "templates", "tests", "output"}


class Import(NamedTuple):
    path: str  # inside derive, without .py
    line: int
    module: str
    lazy: bool  # inside a function, or for annotations only

    def __str__(self) -> str:
        return f"derive/{self.path}.py:{self.line} imports {self.module}"


def imports() -> Iterator[Import]:
    for file in sorted((ROOT / "derive").rglob("*.py")):
        yield from within(ast.parse(file.read_text(encoding="utf-8")), file.relative_to(ROOT / "derive").with_suffix("").as_posix())


def within(node: ast.AST, path: str, lazy: bool = False) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(path, node.lineno, alias.name, lazy) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        parts = [f"derive.{alias.name}" for alias in node.names if room(f"derive.{alias.name}") in HEIGHT]
        yield from (Import(path, node.lineno, name, lazy) for name in (parts if module == "derive" and parts else [module]))
    lazy = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    lazy = lazy or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from within(child, path, lazy)


def room(module: str) -> str:
    """The room of `derive.figures.svg` is figures; `derive` itself is one."""
    return module.split(".")[1] if "." in module else module


def home(path: str) -> str:
    """The room of the file `figures/svg`."""
    return "derive" if path == "__init__" else path.split("/")[0]


def test_every_file_has_a_room():
    assert {home(found.path) for found in imports()} <= HEIGHT.keys()


def test_imports_go_down():
    inside = [found for found in imports() if found.module.partition(".")[0] == "derive"]
    assert len(inside) > 100
    assert [str(f) for f in inside if room(f.module) != home(f.path) and HEIGHT[room(f.module)] >= HEIGHT[home(f.path)]] == []
    assert [str(f) for f in inside if room(f.module) in HIDDEN.get(home(f.path), ())] == []


def test_the_outside_is_rationed():
    def allowed(found: Import) -> bool:
        package = found.module.partition(".")[0]
        rooms = EAGER.get(package) or (LAZY.get(package, ()) if found.lazy else ())
        return package in ANYWHERE or any(found.path == name or f"{found.path}/".startswith(f"{name}/" * bool(name)) for name in rooms)

    assert [str(f) for f in imports() if f.module.partition(".")[0] != "derive" and not allowed(f)] == []


def test_the_top_level_stays_small():
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert {name for name in names - TOP if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)} == set()
