"""An assignment of three steps for the tests of classes: lines `step: value`, and values that misbehave."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from derive.errors import InputError
from derive.homework.marked import Found, Mark, Marked
from derive.homework.submission import Answer, Submission
from derive.homework.written import Written

KEY = {"z1[1]": "0.3775", "a1[1]": "0.5933", "L": "0.2984"}


class Fake:
    """Marks by comparing texts."""

    def __init__(self, net: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        if "broken" in net["text"]:
            raise InputError("unknown key 'broken'", file=net["name"], line=1)
        self.formats, self.reveal = options["formats"], options["reveal"]

    def steps(self) -> list[tuple[str, str]]:
        return [(key, {"L": "E"}.get(key, "")) for key in KEY]

    def read(self, name: str, data: bytes) -> list[Submission]:
        try:
            lines = [line.partition(": ") for line in data.decode().splitlines() if line]
        except UnicodeDecodeError:
            raise InputError("not UTF-8 text", file=name) from None
        if any(not colon for _, colon, _ in lines):
            raise InputError("not a list of answers", file=name, line=1)
        found: list[tuple[dict[str, str], list[Answer]]] = []
        for key, _, value in lines:
            if key == "student" or not found:
                found.append(({}, []))
            if key in ("student", "name"):
                found[-1][0][key] = value
            else:
                found[-1][1].append(Answer(key, value))
        return [Submission(**whose, answers=tuple(answers), source=name) for whose, answers in found]

    def grade(self, submission: Submission) -> tuple[Marked, dict[str, str]]:
        marks = tuple(map(self.mark, submission.answers))
        earned = sum(mark.credit for mark in marks)
        first = next((mark.key for mark in marks if mark.verdict == "error"), None)
        marked = Marked(submission, marks, first, earned, 0.0, float(len(KEY)))
        return marked, dict.fromkeys(self.formats, f"{submission.student} {earned}\n")

    def mark(self, answer: Answer) -> Mark:
        value = answer.value or ""
        misbehave(value)
        right = value == KEY[answer.step]
        verdict = "correct" if right else "blank" if not value else "undecided" if value == "?" else "error"
        found = (Found("B1", None, answer.step),) if value == "0.4398" else ()
        label = dict(self.steps())[answer.step]
        return Mark(answer.step, label, verdict, float(right), raw=value, read=written(value), found=found)


def written(value: str) -> Written | None:
    """A number with a point, as written."""
    if not re.fullmatch(r"[0-9]+\.[0-9]+", value):
        return None
    places = len(value.partition(".")[2])
    return Written(value, Fraction(value), Fraction(1, 10**places), (places, places), places)


def misbehave(value: str) -> None:
    """What hostile or unlucky work may do to the process that marks it."""
    match value:
        case "sleep":
            time.sleep(3600)
        case "spin":
            while True:
                pass
        case "memory":
            bytearray(2**34)
        case "recursion":
            misbehave(value)
        case "die":
            os._exit(7)
        case "abort":
            os.abort()
        case "print":
            os.write(1, b"not an answer\n")
        case "fail":
            raise ZeroDivisionError("a bug")
        case "write":
            with open("PWNED", "w") as file:
                file.write("!")


def grader(net: Mapping[str, Any], options: Mapping[str, Any]) -> Fake:
    return Fake(net, options)


class WithFeedback(Fake):
    """The same with a page in the form of derive-check/1."""

    def grade(self, submission: Submission) -> tuple[Marked, dict[str, str]]:
        marked, _ = super().grade(submission)
        steps = [{"id": mark.key, "verdict": mark.verdict, "message": f"told of {mark.key}"} for mark in marked.marks]
        if self.reveal == "first" and marked.first_error is not None:
            first = [step["id"] for step in steps].index(marked.first_error)
            steps[first + 1 :] = [{**step, "verdict": None, "message": ""} for step in steps[first + 1 :]]
        return marked, {"json": json.dumps({"first_error": marked.first_error, "steps": steps})}


def with_feedback(net: Mapping[str, Any], options: Mapping[str, Any]) -> WithFeedback:
    return WithFeedback(net, options)
