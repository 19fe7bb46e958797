"""`derive.check`: one submission read, marked and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from derive import policies
from derive.document import Document
from derive.errors import InputError, nearest
from derive.homework import reading, record
from derive.homework.assignment import Assignment
from derive.homework.individual import Individual, loaded
from derive.homework.marked import Mark, Marked
from derive.homework.printed import Printed
from derive.homework.report import REVEAL, Report, numbers_of
from derive.homework.submission import Submission
from derive.language import Words

Given = str | Path | Mapping[str, Any] | Submission


@dataclass(frozen=True, repr=False)
class Checked(Printed):
    """A marked submission, to be asked and to be printed.

    reveal: how much is told, one of `derive.homework.report.REVEAL`; None: `first`, and everything in JSON
    numbers: in the place of the file's own rounding policy, by the names of `derive.solve`
    """

    assignment: Assignment
    marked: Marked
    reveal: str | None = None
    lang: str = "en"
    numbers: Mapping[str, Any] = field(default_factory=dict)
    lessons: str | None = None

    stem = "check"

    @property
    def first_error(self) -> str | None:
        """The id of the first step that is wrong itself; None if there is none."""
        return self.marked.first_error

    @property
    def marks(self) -> tuple[Mark, ...]:
        """One mark for every answer, in the order of the computation."""
        return self.marked.marks

    @property
    def earned(self) -> float:
        return self.marked.earned

    @property
    def follow_through(self) -> float:
        """The points for steps that follow correctly from an earlier error; part of what is earned."""
        return self.marked.follow_through

    @property
    def most(self) -> float:
        return self.marked.most

    @property
    def right(self) -> bool:
        """Whether nothing is wrong and everything could be read."""
        return self.marked.right

    def __getitem__(self, step: str) -> Mark:
        """The mark of a step, by id or label. KeyError where it was not answered."""
        keys = self.assignment.circuit.find(step) or ()
        for mark in self.marks:
            if mark.key in keys or (not mark.key and mark.label == step):
                return mark
        raise KeyError(f"no answer to '{step}'.{nearest(step, [mark.label for mark in self.marks])}")

    def __repr__(self) -> str:
        return f"<Checked: {self.earned:g} of {self.most:g} points, first error {self.first_error}>"

    # printing ---------------------------------------------------------------------------------------------------------
    def report(self, reveal: str) -> Report:
        """What is told at a level."""
        policy = policies.read(self.assignment.numbers, dict(self.numbers))
        policy = numbers_of(self.assignment, self.marked, policy)
        circuit = self.assignment.circuit_for(self.marked)
        words = Words(self.lang)
        document = self.assignment.worked(policy, words) if reveal == "all" else None
        if document is None:
            return Report(self.assignment, self.marked, reveal, words, circuit.values.branch(policy))
        return Report(self.assignment, self.marked, reveal, words, document.values.branch(policy), document)

    def document(self, reveal: str | None = None) -> Document:
        """The page. WitnessError where a line on it is not true."""
        return replace(self.report(reveal or self.reveal or "first").document(), lessons=self.lessons)

    def to_json(self) -> str:
        """JSON, schema derive-check/1."""
        return record.written(self.report(self.reveal or "all"))


# what is handed in ----------------------------------------------------------------------------------------------------
def check(
    net: str | Path | Mapping[str, Any] | Assignment | Individual,
    answers: Given,
    *,
    reveal: str | None = None,
    lang: str = "en",
    lessons: str | None = None,
    stage: Callable[[str], None] = lambda name: None,
    **numbers: Any,
) -> Checked:
    """Marks one submission: `derive.check("net.yaml", "answers.yaml").first_error`.

    net:     a path, the name of a built-in example, a mapping like net.yaml, the manifest of variants of one, or an
             assignment made ready before
    answers: a file with one submission, or a mapping step -> value; values as texts keep their last digits
    reveal:  none, first, steps or all · lang: en or zh · lessons: the address of the page on which all lessons stand
    numbers: significant, decimals, exact, half, comma: how numbers are shown; with comma, also how they are read
             where a file of answers does not say `decimal:`
    Raises InputError where a file is at fault.
    """
    if reveal is not None and reveal not in REVEAL:
        raise InputError(f"unknown level '{reveal}'.{nearest(reveal, REVEAL)}", file="reveal")
    stage("read")
    exercise = net if isinstance(net, Assignment | Individual) else loaded(net)
    submission = submitted(answers, comma=bool(numbers.get("comma")))
    stage("mark")
    assignment, marked = exercise.marking(submission)
    return Checked(assignment, marked, reveal, lang, numbers, lessons)


def submitted(answers: Given, *, comma: bool = False) -> Submission:
    """The one submission of a file, or what a mapping says: of the form of answers.yaml, or its answers alone.

    comma: numbers have a decimal comma where it is not said
    """
    if isinstance(answers, Submission):
        return answers
    if isinstance(answers, Mapping):
        form = answers if isinstance(answers.get("answers"), Mapping) else {"answers": answers}
        found = reading.parse(json.dumps(form, default=_plain, ensure_ascii=False), "<dict>", "json", comma=comma)
    else:
        found = reading.read(answers, comma=comma)
    if len(found) != 1:
        many = (
            f"the answers of {len(found)} students are in this file" if found else "there are no answers in this file"
        )
        raise InputError(
            f"{many}; one is marked at a time", file="<dict>" if isinstance(answers, Mapping) else str(answers)
        )
    return found[0]


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise InputError(f"a {type(value).__name__} is no answer", file="<dict>")
