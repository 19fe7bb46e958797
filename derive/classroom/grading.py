"""An assignment in a worker: files in, marks and pages out."""

from __future__ import annotations

from pathlib import Path, PurePath

from derive.classroom.task import Plain
from derive.errors import InputError
from derive.homework import reading
from derive.homework.assignment import Assignment
from derive.homework.checked import Checked
from derive.homework.individual import of
from derive.homework.manifest import parsed
from derive.homework.marked import Marked
from derive.homework.printed import SUFFIX
from derive.homework.submission import Answer, Submission

#: An answer that is hardly right. With it everything is loaded and worked out that the first submission would wait for.
WRONG = "123456.789"


class Grading:
    """The assignment of a network file, or of a manifest of variants, that has travelled here as text.

    options: formats of the pages, and what `derive.check` takes: reveal, lang, lessons, numbers
    """

    def __init__(self, net: Plain, options: Plain) -> None:
        item = parsed(net["text"], net["name"])
        self.exercise = of(item, Path(net["folder"]), PurePath(net["name"]).stem)
        original = self.exercise.original
        self.formats = options["formats"]
        self.told = {name: options[name] for name in ("reveal", "lang", "lessons", "numbers")}
        wrong = Submission(answers=(Answer(next(reversed(original.circuit.entries)), WRONG),))
        self.told_of(*original.marking(wrong))

    def steps(self) -> list[tuple[str, str]]:
        """(key, label) of every entry."""
        circuit = self.exercise.original.circuit
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
        return self.told_of(*self.exercise.marking(submission))

    def told_of(self, assignment: Assignment, marked: Marked) -> tuple[Marked, dict[str, str]]:
        """Marks, and the pages about them."""
        checked = Checked(assignment, marked, **self.told)
        return marked, {SUFFIX[name].removeprefix("."): checked.print(name) for name in self.formats}


def grader(net: Plain, options: Plain) -> Grading:
    """The grader of `derive check`."""
    return Grading(net, options)
