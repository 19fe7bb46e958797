"""Solutions for notes: each network is solved once for each way in which it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from derive.errors import InputError, nearest
from derive.examples import names
from derive.solution import Solution, solve, study
from derive.source import Item
from derive.teaching import explain
from derive.weaving.markers import Source
from derive.weaving.request import Request

#: Options that change how a solution is derived or written; the others choose from it.
WISHES = ("form", "level", "lang", "notation", "significant", "decimals", "exact", "round_as_you_go", "comma")


class Loom:
    """What was solved already, by where its file is and what was asked."""

    def __init__(self) -> None:
        self.solved: dict[tuple[Any, ...], Solution] = {}

    def solution(self, source: Source, request: Request, folder: Path) -> Solution:
        """The solution a request is about. folder: what the paths in the notes start from"""
        wishes = {option: request.options[option] for option in WISHES if option in request.options}
        subject = request.subject if request.command == "explain" else located(source, request, folder)
        key = (request.command, subject, *sorted(wishes.items()))
        if key not in self.solved:
            try:
                self.solved[key] = made(request.command, subject, wishes)
            except InputError as error:
                raise placed(source, request, error, "subject") from None
        return labelled(source, request, self.solved[key])


def labelled(source: Source, request: Request, solution: Solution) -> Solution:
    """The solution, its equations numbered where labels are wanted."""
    if "labels" not in request.options:
        return solution
    try:
        return solution.labelled(request.options["labels"])
    except InputError as error:
        raise placed(source, request, error, "labels") from None


def made(command: str, subject: str | Path | Item, wishes: Mapping[str, Any]) -> Solution:
    if command == "explain":
        return explain(str(subject), **wishes)
    if command in ("backprop", "forward"):
        return solve(subject, backward=command == "backprop", **wishes)
    return study(command, subject, **wishes)


def located(source: Source, request: Request, folder: Path) -> str | Path:
    """The file in the folder, else the example of that name."""
    path = folder / request.subject
    if path.is_file():
        return path
    if request.subject in names() and request.command in ("backprop", "forward"):
        return request.subject
    near = [found.name for found in sorted(folder.glob("*.yaml"))] if folder.is_dir() else []
    problem = f"there is no file '{request.subject}' beside the notes.{nearest(request.subject, [*near, *names()])}"
    raise source.error(problem, request.place("subject"))


def placed(source: Source, request: Request, error: InputError, *options: str) -> InputError:
    """The error with its place in the notes, unless it has one in a file."""
    if error.line is not None:
        return error
    words = f"{error.path}: {error.problem}" if error.path else error.problem
    return source.error(words, request.place(*options))
