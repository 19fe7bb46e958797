"""One submission as a task: what goes to a worker, what comes back, and what happens in between. All of it is JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any, Protocol

from derive.classroom.record import plain, received, sent
from derive.errors import InputError
from derive.homework.marked import Marked
from derive.homework.submission import Submission
from derive.version import __version__

Plain = Mapping[str, Any]


class Grader(Protocol):
    """An assignment, ready to mark: made once in every worker from what `preparation` says."""

    def steps(self) -> list[tuple[str, str]]:
        """(key, label) of everything that may be answered, in the order of computation."""

    def read(self, name: str, data: bytes) -> list[Submission]:
        """The submissions in a file; InputError where it cannot be read."""

    def grade(self, submission: Submission) -> tuple[Marked, dict[str, str]]:
        """A submission marked, and the pages about it by suffix."""


def preparation(grader: str, net: Plain, options: Plain) -> dict[str, Any]:
    """What a worker has to know beforehand.

    grader: `module:function`, called with what follows · net: the network file, text, name and folder
    options: of the pages: formats, reveal, lang, lessons, numbers
    """
    return {"grader": grader, "net": dict(net), "options": dict(options)}


def fingerprint(prepared: Plain) -> str:
    """Tells preparations apart by all that is in them."""
    return hashlib.sha256(json.dumps(prepared, sort_keys=True).encode()).hexdigest()


def grader_of(prepared: Plain) -> Grader:
    """The assignment, made ready; InputError where the network file is at fault."""
    module, _, name = prepared["grader"].partition(":")
    made: Callable[..., Grader] = getattr(import_module(module), name)
    return made(prepared["net"], prepared["options"])


def ready(grader: Grader) -> dict[str, Any]:
    """The first answer of a worker: what may be answered, and who it is."""
    return {"steps": [list(step) for step in grader.steps()], "version": __version__}


def file_task(name: str, data: bytes, *, table: bool = False, owner: str = "") -> dict[str, Any]:
    """To mark the one submission in a file, or to list all that are in a table. owner: whose it is, by the platform"""
    return {"name": name, "data": base64.b64encode(data).decode(), "list": table, "owner": owner}


def submission_task(submission: Plain, owner: str = "") -> dict[str, Any]:
    """To mark one submission of a list."""
    return {"submission": {**submission, "owner": owner}}


def problem(code: str, detail: str = "") -> dict[str, Any]:
    """The answer in the place of a result. code: of the language tables · detail: what went wrong, in words"""
    return {"problem": code, "detail": detail}


def guarded(do: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """An answer whatever happens: what is wrong with a submission, or with derive, is told and not raised."""
    try:
        return do()
    except InputError as error:
        return problem("unreadable", str(error))
    except MemoryError:
        return problem("memory")
    except (Exception, RecursionError) as error:
        return problem("internal", f"{type(error).__name__}: {str(error)[:200]!r}")


def answer(grader: Grader, task: Plain) -> dict[str, Any]:
    """The result of a task."""
    if "submission" in task:
        return marked(grader, received(task["submission"]))
    found = grader.read(task["name"], base64.b64decode(task["data"]))
    if task["list"]:
        return {"submissions": [sent(one) for one in found]}
    if len(found) != 1:
        return problem("several_students" if found else "no_answers")
    return marked(grader, replace(found[0], owner=task["owner"]))


def marked(grader: Grader, submission: Submission) -> dict[str, Any]:
    result, files = grader.grade(submission)
    return {"record": {**plain(result), "files": files}}
