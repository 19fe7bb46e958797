"""The rooms of derive and who may look into which: imports go down the list, never up and never sideways."""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
DERIVE = ROOT / "derive"
FLOORS = """
    errors registry fonts version ids reference
    formula files typeset addresses
    algebra numerals
    expression calculus
    differentiation
    spelling tensor
    dialects graph generators
    source
    options ops
    arrays losses layers optimizers initializers schedules autodiff
    penalties
    blocks contract
    spec
    labels targets
    memory model
    draws
    build
    training
    values notation figures language
    naming document
    lines passes
    reader
    derivation checks printers
    studies
    measuring
    board
    lessons derivatives
    pointers
    policies examples plots
    solution catalogue
    exports
    imports
    homework
    sheets
    long_training teaching schema
    classroom weaving
    notebook
    derive
    site
    cli
"""  # `derive` is derive/__init__.py
HEIGHT = {room: floor for floor, rooms in enumerate(FLOORS.strip().splitlines()) for room in rooms.split()}
HIDDEN = {"printers": {"ops", "graph", "build", "derivation", "checks", "solution"}}  # it sees the document alone
ANYWHERE = {"", "derive", "numpy", *sys.stdlib_module_names}
# Who may import what from outside, and with LAZY only inside functions: `derive --help` must not pay for it.
EAGER = {
    "click": {"cli"},
    "fontTools": {"fonts/build"},
    "jinja2": {"printers"},
    "markupsafe": {"printers"},
    "rich": {"cli", "printers/terminal"},
}
LAZY = {
    "contourpy": {"figures"},
    "docx": {"printers/word"},
    "distributed": {"classroom/engines"},
    "markdown_it": {"weaving"},
    "matplotlib": {"figures"},
    "mpmath": {""},
    "sympy": {""},
    "torch": {"imports"},
    "typst": {"typeset/with_typst"},
    "yaml": {"source"},
}  # "": any room
TOP = {"pyproject.toml", "README.md", "LICENSE", "derive", "templates", "tests", "output"}


class Import(NamedTuple):
    path: str  # inside derive, without .py
    line: int
    module: str
    lazy: bool  # inside a function, or for annotations only

    def __str__(self) -> str:
        return f"derive/{self.path}.py:{self.line} imports {self.module}"


def files() -> list[str]:
    return sorted(file.relative_to(DERIVE).with_suffix("").as_posix() for file in DERIVE.rglob("*.py"))


def imports() -> Iterator[Import]:
    for path in files():
        yield from within(ast.parse((DERIVE / f"{path}.py").read_text(encoding="utf-8")), path)


def within(node: ast.AST, path: str, lazy: bool = False) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(path, node.lineno, alias.name, lazy) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        rooms = [f"derive.{alias.name}" for alias in node.names if module == "derive" and alias.name in HEIGHT]
        modules = rooms if len(rooms) == len(node.names) else [*rooms, module]  # `from derive import algebra, solve`
        yield from (Import(path, node.lineno, name, lazy) for name in modules)
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
    assert {home(path) for path in files()} - HEIGHT.keys() == set()


def test_imports_go_down():
    inside = [found for found in imports() if found.module.partition(".")[0] in ("derive", "")]
    assert len(inside) > 100
    across = [found for found in inside if room(found.module) != home(found.path)]
    assert [str(found) for found in across if HEIGHT[room(found.module)] >= HEIGHT[home(found.path)]] == []
    assert [str(found) for found in across if room(found.module) in HIDDEN.get(home(found.path), ())] == []


def test_the_outside_is_rationed():
    def allowed(package: str, found: Import) -> bool:
        places = EAGER.get(package, set()) | (LAZY.get(package, set()) if found.lazy else set())
        inside = any(place in ("", found.path) or found.path.startswith(f"{place}/") for place in places)
        return inside or package in ANYWHERE

    packages = [(found.module.partition(".")[0], found) for found in imports()]
    assert [str(found) for package, found in packages if not allowed(package, found)] == []


def test_the_top_level_stays_small():
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - TOP
    assert {name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)} == set()
