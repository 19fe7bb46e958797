"""The two ways `derive` can fail: the reader's file is wrong, or `derive` itself is."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: The hint where a name is like none that is known.
LISTED = " `derive list` names all there are."
_SHOWN = 80
_PROBLEM = 400


class OneLine(Exception):
    """What a notebook shows in one line, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class InputError(OneLine):
    """Something in the input that its author can fix, told in one printable line."""

    def __init__(
        self, problem: str, *, file: str = "", line: int | None = None, column: int | None = None, path: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem, self.file, self.line, self.column, self.path = problem, file, line, column, path

    def __str__(self) -> str:
        place = [_cut(printable(self.file), _SHOWN)] if self.file else []
        place += [str(number) for number in (self.line, self.column) if number is not None]
        words = re.sub(rf"\S{{{_SHOWN + 1},}}", lambda run: _cut(run[0], _SHOWN), self.problem)
        parts = [":".join(place), _cut(printable(self.path), _SHOWN), _cut(printable(words), _PROBLEM)]
        return ": ".join(part for part in parts if part)


class Diverged(InputError):
    """Numbers that are no longer finite, in a training step; `after` the update of that step, or before."""

    def __init__(self, error: InputError, step: int, *, after: bool) -> None:
        super().__init__(error.problem, file=error.file, line=error.line, column=error.column, path=error.path)
        self.step, self.after = step, after


class WitnessError(OneLine):
    """A result of `derive` disagrees with its independent check: a bug, never the author's fault."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The hint " Did you mean 'x'?" for the known name closest to `name`, or "" when none is close."""
    import difflib

    by_case: dict[str, str] = {}
    for candidate in known:  # of two spellings the first is the one to teach
        by_case.setdefault(candidate.casefold(), candidate)
    close = difflib.get_close_matches(name[:_SHOWN].casefold(), by_case, n=1)
    return f" Did you mean '{by_case[close[0]]}'?" if close else ""


def offered(name: str, known: Iterable[str], what: str) -> str:
    """The nearest known name; where none is close, all of them: " Its options are lr, eps."."""
    names = list(known)
    return nearest(name, names) or (f" {what} {', '.join(names)}." if names else "")


def printable(text: str) -> str:
    """The text with every character that does not print as its escape: `\\x1b`, `\\u202e`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
