"""Marks a submission: walks the computation with the student's own numbers in the place of the computed ones.

Every step is held against the right value first and against what follows from the student's own earlier numbers
second; so the first error is found where it was made, and what follows from it is not punished again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from derive.errors import InputError, nearest
from derive.homework import ladder
from derive.homework.chains import Chain
from derive.homework.circuit import Circuit, Entry
from derive.homework.diagnosis import Diagnosis
from derive.homework.ladder import Reference
from derive.homework.marked import WRONG, Mark, Marked
from derive.homework.policy import Policy
from derive.homework.rounding import Habit
from derive.homework.submission import Answer, Submission
from derive.homework.written import Unreadable, Written

#: Verdicts that may hold of a step only because it follows from a wrong one.
RIGHT_BY_OWN = ("correct_rounding", "low_precision", "over_precise", "truncated", "last_digit")
TRIVIAL = (Fraction(0), Fraction(1), Fraction(-1))  # carried values that may make everything after them trivial


@dataclass(frozen=True)
class Marker:
    """Marks submissions to one assignment.

    read: text of a number -> as written; raises Unreadable
    """

    circuit: Circuit
    policy: Policy
    read: Callable[[str, bool], Written]
    id: str = ""

    def mark(self, submission: Submission) -> Marked:
        """The marks of one submission. InputError where it is for another assignment, or names a step twice."""
        return Walk(self, submission).marked()


@dataclass
class Walk:
    """One submission on its way through the computation."""

    marker: Marker
    submission: Submission
    unknown: list[Mark] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.circuit, self.policy = self.marker.circuit, self.marker.policy
        for answer in self.submission.answers:
            self.take(answer)

    # reading ----------------------------------------------------------------------------------------------------------
    def take(self, answer: Answer) -> None:
        """Finds the step of an answer, and reads its number."""
        keys = self.circuit.find(answer.step)
        if keys is None or len(keys) > 1:
            known = [*self.circuit.nodes, *self.circuit.quantities.labels.entries]
            problem = f"there is no step '{answer.step}'.{nearest(answer.step, known)}"
            if keys is not None:
                problem = f"'{answer.step}' has {len(keys)} entries: give each of them"
            self.unknown.append(Mark("", answer.step, "unreadable", 0.0, raw=answer.value or "", problem=problem))
            return
        (key,) = keys
        if key in self.answers:
            raise InputError(f"'{answer.step}' is answered twice", file=answer.place or self.submission.source)
        self.answers[key] = answer
        if answer.problem:
            self.problems[key] = answer.problem
        elif answer.value is not None:
            try:
                self.written[key] = self.marker.read(answer.value, self.submission.comma)
            except Unreadable as problem:
                self.problems[key] = str(problem)

    # the own chain ----------------------------------------------------------------------------------------------------
    @cached_property
    def habit(self) -> Habit:
        """How this student rounds."""
        return Habit.of(self.submission.rounding, self.written, self.exact, self.policy.precision)

    @cached_property
    def chain(self) -> Chain:
        numbers = {key: float(written.value) for key, written in self.written.items()}
        return Chain(self.circuit, numbers, self.reach, self.habit.virtual)

    def reach(self, key: str) -> float:
        """By how much a written number may be off by its rounding; one that is exact, or says nothing, by nothing."""
        written, exact = self.written[key], self.exact(key)
        own = self.chain.own[key]
        settled = ladder.exactly(written, exact) and float(written.value) == own
        if settled or (key in self.marks and self.marks[key].verdict == "too_coarse"):
            return 0.0
        return self.habit.reach(written)

    def exact(self, key: str) -> Reference:
        """The right value of a step."""
        circuit = self.circuit
        return circuit.reference(key)

    # walking ----------------------------------------------------------------------------------------------------------
    def marked(self) -> Marked:
        for key in self.circuit.entries:
            if key in self.answers:
                self.marks[key] = self.mark(self.circuit.entries[key])
        marks = (*self.marks.values(), *self.unknown)
        first = next((mark.key for mark in marks if mark.verdict in WRONG), None)
        return self.summed(marks, first)

    def mark(self, entry: Entry) -> Mark:
        """The mark of one answer; all steps before it are marked already."""
        key, answer = entry.key, self.answers[entry.key]
        mark = Mark(
            key,
            self.circuit.label(key),
            "blank",
            0.0,
            weight=self.weight(entry),
            raw=answer.value or "",
            exact=self.circuit.floats[key],
        )
        if key in self.problems:
            return replace(mark, verdict="unreadable", problem=self.problems[key])
        if key not in self.written:
            return mark
        mark = self.judged(mark, self.written[key])
        if mark.verdict in WRONG:
            found = Diagnosis(self.circuit, self.chain, key, self.written[key], self.policy.precision).found()
            mark = replace(mark, found=tuple(found))
        return replace(mark, credit=self.credit(mark))

    def judged(self, mark: Mark, written: Written) -> Mark:
        """The verdict on a number, with the values it was held against."""
        key, exact, precision = mark.key, self.exact(mark.key), self.policy.precision
        own = Reference(self.own(key, exact))
        verdict = ladder.judge(written, exact, own, precision)
        if verdict not in ("correct", "correct_rounding", "low_precision", "too_coarse"):
            own = replace(own, rad=self.chain.rad(key))
            verdict = ladder.judge(written, exact, own, precision)
        stretch = self.chain.stretch(key)
        wrong = any(self.marks[k].verdict in (*WRONG, "follow_through") for k in stretch.written)
        notes: tuple[str, ...] = ()
        right = ladder.close(written, exact, precision.unit(written))
        if wrong and verdict in RIGHT_BY_OWN and not right:
            notes = () if verdict == "correct_rounding" else (verdict,)
            verdict = "follow_through"
        elif (
            wrong
            and right
            and not ladder.consistent(written, replace(own, rad=self.chain.rad(key)), precision.unit(written))
        ):
            notes = ("inconsistent_with_own",)
        unit = float(written.ulp) or None
        return replace(
            mark,
            verdict=verdict,
            read=written,
            own=own.value,
            rad=own.rad,
            ulps_exact=unit and abs(float(written.value) - exact.value) / unit,
            ulps_own=unit and abs(float(written.value) - own.value) / unit,
            depends=stretch.written,
            window=stretch.unwritten if verdict in WRONG else (),
            notes=notes,
        )

    def own(self, key: str, exact: Reference) -> float:
        """What a step should have been; the noise of floats around an exact 0 is 0."""
        own = self.chain.own[key]
        if exact.value == 0 and own != 0:
            largest = max((abs(self.chain.used(p)) for p in self.circuit.entries[key].parents), default=0.0)
            return 0.0 if abs(own) < 1e-12 * largest else own
        return own

    # points -----------------------------------------------------------------------------------------------------------
    def weight(self, entry: Entry) -> float:
        weights: Mapping[str, float] = self.policy.weights
        for name in (entry.key, self.circuit.label(entry.key), entry.node.id):
            if name in weights:
                return weights[name]
        return 1.0

    def credit(self, mark: Mark) -> float:
        return self.policy.credit[mark.verdict]

    def summed(self, marks: tuple[Mark, ...], first: str | None) -> Marked:
        most = sum(mark.weight for mark in marks)
        earned = sum(mark.weight * mark.credit for mark in marks)
        follow = sum(mark.weight * mark.credit for mark in marks if mark.verdict == "follow_through")
        return Marked(self.submission, marks, first, earned, follow, most)
