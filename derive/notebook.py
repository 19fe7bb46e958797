"""The magic `%%derive` of notebooks: a network in a cell, its worked solution below.

%load_ext derive

%%derive only=w5 form=matrix as=solution
inputs: [1, 2]
…

The words after it are those of a marker in notes (`derive.weaving`); `as=` names a variable that keeps the solution.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

from derive.errors import InputError
from derive.solution import Solution
from derive.source import parse
from derive.tensor import Floats
from derive.weaving.loom import WISHES, Loom, made
from derive.weaving.markers import BEGIN, Marker, Source
from derive.weaving.request import Request, checked, read

CELL = "<cell>"
KEPT = re.compile(r"(?:^|(?<=\s))as=(?P<name>\S+)")
MAGIC = "%%derive "  # what stands before the words, for the columns of errors
#: What notes want and a notebook does not: it shows pages.
NOT_HERE = ("piece", "formula", "line", "into", "math", "headings")


class Shell(Protocol):
    """What is needed of IPython."""

    user_ns: dict[str, Any]

    def register_magic_function(self, func: Any, magic_kind: str, magic_name: str) -> None: ...


def load(shell: Shell) -> None:
    """Makes `%derive` and `%%derive` known to IPython."""

    def derive(line: str, cell: str | None = None) -> Solution | Floats:
        """`%derive mazur only=w5`, or `%%derive only=w5` over a network; `as=NAME` keeps the solution."""
        return run(line, cell, shell.user_ns)

    shell.register_magic_function(derive, magic_kind="line_cell", magic_name="derive")


def run(line: str, cell: str | None, names: dict[str, Any]) -> Solution | Floats:
    """What a cell asks for: a solution, or with `value=` its number. names: the variables of the notebook"""
    kept = KEPT.search(line)
    name = kept["name"] if kept else ""
    source = Source(CELL, MAGIC + line)
    if name and not name.isidentifier():
        raise source.error(f"'{name}' cannot be the name of a variable", len(MAGIC) + line.index(f"as={name}"))
    words = KEPT.sub(lambda found: " " * len(found[0]), line)
    request = read(source, Marker(BEGIN, 0, len(source.text), words, len(MAGIC)))
    for option in NOT_HERE:
        if option in request.options:
            raise source.error(
                f"{option} is for notes; a notebook shows only=…, value=…, or the whole", request.at[option]
            )
    found = solution(source, request, cell)
    if name:
        names[name] = found
    if request.wanted == "value":
        return found[request.options["value"]]
    return found.only(*request.options["only"]) if request.wanted == "only" else found


def solution(source: Source, request: Request, cell: str | None) -> Solution:
    """The solution of the network in a cell, or of the one that is named."""
    if cell is None:
        return Loom().solution(source, checked(source, request, inside=False), Path())
    if request.subject:
        problem = "the network stands in the cell already; without one, write %derive"
        raise source.error(problem, request.place("subject"))
    if request.command == "explain":
        raise InputError("a lesson needs no cell: %derive sigmoid command=explain", file=CELL)
    wishes = {option: request.options[option] for option in WISHES if option in request.options}
    return made(request.command, parse("\n" + cell, CELL), wishes)  # the magic is line 1 of what the author sees
