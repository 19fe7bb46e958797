"""An assignment in a worker: files in, marks and pages out."""

from __future__ import annotations

from pathlib import Path, PurePath

from derive import source
from derive.classroom.task import Plain
from derive.errors import InputError
from derive.homework import reading
from derive.homework.assignment import Assignment
from derive.homework.checked import Checked
from derive.homework.marked import Marked
from derive.homework.printed import SUFFIX
from derive.homework.submission import Answer, Submission

#: An answer that is hardly right. With it everything is loaded and worked out that the first submission would wait for.
WRONG = "123456.789"


class Grading:
    """The assignment of a network file that has travelled here as text.

    options: formats of the pages, and what `derive.check` takes: reveal, lang, lessons, numbers
    """

    def __init__(self, net: Plain, options: Plain) -> None:
        item = source.parse(net["text"], net["name"])
        self.assignment = Assignment.read(item, Path(net["folder"]), PurePath(net["name"]).stem)
        self.formats = options["formats"]
        self.told = {name: options[name] for name in ("reveal", "lang", "lessons", "numbers")}
        self.grade(Submission(answers=(Answer(next(reversed(self.assignment.circuit.entries)), WRONG),)))

    def steps(self) -> list[tuple[str, str]]:
        """(key, label) of every entry."""
        circuit = self.assignment.circuit
        return [(key, circuit.label(key)) for key in circuit.entries]

    def read(self, name: str, data: bytes) -> list[Submission]:
        """The submissions in a file of a known kind; InputError where it cannot be read."""
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError("not UTF-8 text; save the file as UTF-8", file=name) from None
        comma = bool(self.told["numbers"].get("comma"))
        return reading.parse(text, name, reading.KINDS[PurePath(name).suffix.lower()], comma=comma)

    def grade(self, submission: Submission) -> tuple[Marked, dict[str, str]]:
        """A submission marked, and the pages about it by suffix."""
        marked = self.assignment.mark(submission)
        checked = Checked(self.assignment, marked, **self.told)
        return marked, {SUFFIX[name].removeprefix("."): checked.print(name) for name in self.formats}


def grader(net: Plain, options: Plain) -> Grading:
    """The grader of `derive check`."""
    return Grading(net, options)
