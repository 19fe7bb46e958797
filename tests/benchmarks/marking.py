"""What marking is measured on: students who work Mazur's network out and write thirty of its steps down.

They keep all digits, round, mix or cut off; every fifth makes a mistake. The floor is PyYAML alone on the same files.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import students
import yaml

from derive.classroom.grading import Grading
from derive.homework import reading
from derive.homework.assignment import Assignment
from derive.homework.submission import Answer, Submission

ANSWERS = 30
HOSTILE = "hostile"
WAYS = (
    (students.Hand("sf", 4), "keep"),
    (students.Hand("sf", 4), "round"),
    (students.Hand("dp", 4), "mix"),
    (students.Hand("sf", 4, chops=True), "round"),
    (students.Hand("dp", 6), "round"),
)


def asked_of(assignment: Assignment) -> list[str]:
    """What is computed, but for slopes by the inputs."""
    entries = assignment.circuit.entries.items()
    return [key for key, entry in entries if not entry.given and entry.kind not in students.ASKED]


def files(assignment: Assignment, many: int) -> list[str]:
    """The files of a class, every fifth with one mistake."""
    circuit, chance, made = assignment.circuit, random.Random(1), list[str]()
    mistakes = students.injections(circuit)
    while len(made) < many:
        student = len(made)
        hand, carries = WAYS[student // 5 % len(WAYS)]
        wrong = chance.choice(mistakes) if student % 5 == 4 else None
        keys = set(chance.sample(asked_of(assignment), ANSWERS))
        try:
            found = students.work(circuit, hand, carries=carries, seed=chance.randrange(10**6), wrong=wrong, keys=keys)
        except ValueError:
            continue  # the mistake divides by zero
        answers = "".join(f"  {answer.step}: {answer.value}\n" for answer in found.submission.answers)
        made.append(f"student: s{student}\nanswers:\n{answers}")
    return made


def per_file(task: Callable[[str], object], texts: Sequence[str]) -> Callable[[], float]:
    """A task: the seconds of processor time per file."""

    def measured() -> float:
        start = time.process_time()
        for text in texts:
            task(text)
        return (time.process_time() - start) / len(texts)

    return measured


def tasks(assignment: Assignment, texts: Sequence[str]) -> dict[str, Callable[[], float]]:
    """Reading and marking, all files and those without a mistake, and the floor."""

    def marked(text: str) -> None:
        (submission,) = reading.parse(text, "answers.yaml", "yaml")
        assignment.mark(submission)

    clean = [text for i, text in enumerate(texts) if i % 5 != 4]
    return {
        "all": per_file(marked, texts),
        "clean": per_file(marked, clean),
        "PyYAML": per_file(yaml.safe_load, texts),
    }


def hopeless(net: Mapping[str, Any]) -> Iterator[float]:
    """Seconds for work in which everything is wrong: all of it written, every third number, the last half, the gradients."""
    assignment, chance = Assignment.load(net), random.Random(0)
    keys, entries = asked_of(assignment), assignment.circuit.entries
    gradients = [key for key in keys if entries[key].kind in ("dL/dW", "dL/db")]
    for written in (keys, keys[::3], keys[len(keys) // 2 :], gradients):
        answers = tuple(Answer(key, f"{chance.uniform(-3, 3):.4g}") for key in written)
        start = time.process_time()
        assignment.mark(Submission(answers=answers))
        yield time.process_time() - start


class Hanging(Grading):
    """Marks, but hangs on one student, as nothing a student writes should make it."""

    def grade(self, submission: Submission) -> Any:
        if submission.student == HOSTILE:
            time.sleep(3600)
        return super().grade(submission)


def grader(net: Any, options: Any) -> Hanging:
    """The grader of `derive check`, but for the one."""
    return Hanging(net, options)
