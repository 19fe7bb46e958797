"""Marks a submission: walks the computation with the student's own numbers in the place of the computed ones.

Every step is held against the right value first and against what follows from the student's own earlier numbers
second; so the first error is found where it was made, and what follows from it is not punished again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from derive.errors import InputError, nearest
from derive.homework import ladder, misread, ranges
from derive.homework.chains import Chain
from derive.homework.circuit import Circuit, Entry
from derive.homework.diagnosis import Diagnosis
from derive.homework.equality import Judge
from derive.homework.formulas import Formulas
from derive.homework.ladder import Reference
from derive.homework.marked import REVIEW, VERDICTS, WRONG, Found, Mark, Marked
from derive.homework.policy import Policy
from derive.homework.rounding import Habit
from derive.homework.submission import Answer, Submission
from derive.homework.symbols import closed_form, parse_formula
from derive.homework.written import Unreadable, Written

Read = Callable[[str, bool, Callable[[str], Fraction]], Written]
#: Verdicts of steps that are right; under another convention these are `other_convention`.
RIGHT = VERDICTS[: VERDICTS.index("other_form")]
#: Verdicts that may hold of a step only because it follows from a wrong one.
RIGHT_BY_OWN = ("correct_rounding", "low_precision", "over_precise", "truncated", "last_digit")
GUARDS = ("guard_range", "guard_trivial")  # remarks on what follows from a wrong step and needs a look
CARRIED = (*WRONG, "follow_through", "too_coarse")  # what follows from one of these is not right by itself
TRIVIAL = 1e-3  # how near to 0 (of the right value), or to 1 and −1, a carried value makes everything after it trivial


@dataclass(frozen=True)
class Alternative:
    """The same exercise under another convention; its circuit is made when it is first wanted."""

    about: str
    name: str
    make: Callable[[], Circuit]

    @cached_property
    def circuit(self) -> Circuit:
        return self.make()


@dataclass(frozen=True)
class Marker:
    """Marks submissions to one assignment.

    read: text of a number, whether it has a decimal comma, what reads closed forms -> as written; raises Unreadable
    id:   what `assignment` of a submission must be, if it says anything
    alternatives: the conventions that are no mistakes where all of it follows them
    """

    circuit: Circuit
    policy: Policy
    read: Read
    id: str = ""
    alternatives: tuple[Alternative, ...] = ()

    @cached_property
    def judge(self) -> Judge:
        """What compares formulas."""
        return Judge(self.circuit, self.id)

    def mark(self, submission: Submission) -> Marked:
        """The marks of one submission. InputError where it is for another assignment, or names a step twice."""
        if self.id and submission.assignment and submission.assignment != self.id:
            problem = f"these are answers to '{submission.assignment}', not to '{self.id}'"
            raise InputError(problem, file=submission.source)
        marked = Walk(self, submission).marked()
        if declared := self.declared(submission):
            return self.under(declared, marked)
        wrong = wrong_steps(marked)
        if len(self.quantities_of(wrong)) < 2:
            return marked
        others = [(found, self.under(found, marked)) for found in self.alternatives]
        fitting = [other for _, other in others if self.explains(other, wrong)]
        return min(fitting, key=lambda other: len(wrong_steps(other)), default=marked)

    def declared(self, submission: Submission) -> Alternative | None:
        """The other convention that a submission says it follows."""
        for about, name in submission.conventions.items():
            for found in self.alternatives:
                if (found.about, found.name) == (about, name):
                    return found
        return None

    def explains(self, other: Marked, wrong: set[str]) -> bool:
        """Whether under another convention at least two quantities are right that were wrong, and nothing else wrong."""
        left = wrong_steps(other)
        return left < wrong and len(self.quantities_of(wrong - left)) > 1

    def quantities_of(self, keys: set[str]) -> set[str]:
        return {self.circuit.entries[key].node.id for key in keys}

    def under(self, convention: Alternative, plain: Marked) -> Marked:
        """The marks under another convention; what is right by it alone is marked so."""
        other = Walk(replace(self, circuit=convention.circuit), plain.submission)
        other.marked()
        for key, mark in other.marks.items():
            differs = self.circuit.floats[key] != convention.circuit.floats[key]
            if differs and mark.verdict in RIGHT:
                credit = min(mark.credit, self.policy.credit["other_convention"])
                other.marks[key] = replace(mark, verdict="other_convention", credit=credit)
        return replace(other.totalled(), convention=convention.name)


def wrong_steps(marked: Marked) -> set[str]:
    """The keys of the steps that are wrong themselves."""
    return {mark.key for mark in marked.marks if mark.verdict in WRONG}


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
    misread: dict[str, float] = field(default_factory=dict)

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
            return
        names, comma = self.circuit.names, self.submission.comma
        try:
            if answer.value is not None:
                self.written[key] = self.marker.read(
                    answer.value, comma, lambda text: closed_form(text, names, comma=comma)
                )
            if answer.formula is not None:
                self.formulas.given[key] = parse_formula(answer.formula, names, comma=comma)
        except Unreadable as problem:
            self.problems[key] = str(problem)

    @cached_property
    def formulas(self) -> Formulas:
        """The formulas among the answers."""
        return Formulas(self.circuit, self.marker.judge, self.policy.form)

    # the own chain ----------------------------------------------------------------------------------------------------
    @cached_property
    def habit(self) -> Habit:
        """How this student rounds."""
        return Habit.of(self.submission.rounding, self.written, self.exact, self.policy.precision)

    @cached_property
    def chain(self) -> Chain:
        numbers = {key: written.number for key, written in self.written.items()}
        return Chain(self.circuit, numbers, self.reach, self.habit.virtual, self.misread)

    def reach(self, key: str) -> float:
        """By how much a written number may be off by its rounding; one that is exact, or says nothing, by nothing."""
        written, exact = self.written[key], self.exact(key)
        own = Reference(self.chain.own[key])
        if ladder.exactly(written, exact) and written.number == own.value:
            return 0.0
        return 0.0 if ladder.coarse(written, [exact, own], self.policy.precision) else self.habit.reach(written)

    def exact(self, key: str) -> Reference:
        """The right value of a step."""
        circuit = self.circuit
        return circuit.reference(key)

    # walking ----------------------------------------------------------------------------------------------------------
    def marked(self) -> Marked:
        for key in self.circuit.entries:
            if key in self.answers:
                self.marks[key] = self.mark(self.circuit.entries[key])
        return self.totalled()

    def mark(self, entry: Entry) -> Mark:
        """The mark of one answer; all steps before it are marked already."""
        key, answer = entry.key, self.answers[entry.key]
        mark = Mark(
            key,
            self.circuit.label(key),
            "blank",
            0.0,
            weight=self.weight(entry),
            raw=answer.value or answer.formula or "",
            exact=self.circuit.floats[key],
        )
        if key in self.problems:
            return replace(mark, verdict="unreadable", problem=self.problems[key])
        if key in self.written:
            mark = self.judged(mark, self.written[key])
            if mark.verdict in WRONG:
                mark = replace(mark, found=tuple(self.diagnosed(mark)))
            mark = replace(mark, notes=(*mark.notes, *self.out_of_range(entry)))
        if key in self.formulas.given:
            mark = self.with_formula(mark)
        return replace(mark, credit=self.credit(mark))

    def with_formula(self, mark: Mark) -> Mark:
        """The mark with what the formula is worth: the worse of the two verdicts counts."""
        compared, numbered = self.formulas.compared(mark.key), mark.key in self.written
        guarded = compared.verdict == "follow_through" and self.policy.follow_through.guards and compared.trivial
        worse = compared.verdict if not numbered else max(mark.verdict, compared.verdict, key=VERDICTS.index)
        found = {f.rule: f for f in (*reversed(mark.found), *reversed(compared.found))}
        stretch = self.chain.stretch(mark.key)
        return replace(
            mark,
            verdict=worse,
            depends=stretch.written,
            window=stretch.unwritten if worse in WRONG else (),
            formula=self.formulas.given[mark.key],
            formula_verdict=compared.verdict,
            level=compared.level,
            found=tuple(reversed(found.values())),
            hints=compared.hints,
            notes=(*mark.notes, "guard_trivial") if guarded else mark.notes,
        )

    def diagnosed(self, mark: Mark) -> list[Found]:
        """The mistakes that explain a wrong number; with a misread number of the task, the rest goes on from that."""
        key, precision = mark.key, self.policy.precision
        found = Diagnosis(self.circuit, self.chain, key, self.written[key], precision).found()
        explained = misread.find(self.circuit, self.chain, key, self.written, precision)
        if explained is None:
            return found
        given, answers = explained
        if found and answers < 2:
            return [*found, Found("MISREAD", None, given.key, {"value": given.value})]
        self.misread[given.key] = float(given.value)
        del self.chain
        return [Found("MISREAD", None, given.key, {"value": given.value}), *found]

    def judged(self, mark: Mark, written: Written) -> Mark:
        """The verdict on a number, with the values it was held against."""
        key, exact, precision = mark.key, self.exact(mark.key), self.policy.precision
        own = Reference(self.own(key, exact))
        verdict = ladder.judge(written, exact, own, precision)
        if verdict not in ("correct", "correct_rounding", "low_precision", "too_coarse"):
            own = replace(own, rad=self.chain.rad(key))
            verdict = ladder.judge(written, exact, own, precision, chops=self.habit.chops)
        stretch = self.chain.stretch(key)
        wrong = any(self.marks[k].verdict in CARRIED for k in stretch.written)
        wrong = wrong or any(given in self.misread for given in stretch.given)
        notes: tuple[str, ...] = ()
        right = ladder.close(written, exact, precision.unit(written))
        if wrong and verdict in RIGHT_BY_OWN and not right:
            notes = () if verdict == "correct_rounding" else (verdict,)
            verdict = "follow_through"
            guard = self.guarded(replace(mark, own=own.value, depends=stretch.written))
            notes = (*notes, guard) if guard else notes
        elif (
            wrong
            and right
            and not ladder.consistent(written, replace(own, rad=self.chain.rad(key)), precision.unit(written))
        ):
            notes = ("inconsistent_with_own",)
        unit = written.unit or None
        known = math.isfinite(own.value)
        return replace(
            mark,
            verdict=verdict,
            read=written,
            own=own.value if known else None,
            rad=own.rad,
            ulps_exact=unit and abs(written.number - exact.value) / unit,
            ulps_own=unit and abs(written.number - own.value) / unit if known else None,
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

    def out_of_range(self, entry: Entry) -> tuple[str, ...]:
        """A remark on a number that this quantity can never be."""
        lowest, highest = ranges.of(entry.node)
        inside = lowest <= self.written[entry.key].number <= highest
        return () if inside else ("out_of_range",)

    def guarded(self, mark: Mark) -> str:
        """Why a step that follows from a wrong one gives nothing by itself: its remark, or ""."""
        rules = self.policy.follow_through
        wrong = [k for k in mark.depends if self.marks[k].verdict in CARRIED]
        if rules.working and self.chain.stretch(mark.key).unwritten:
            return "no_working"
        if not rules.guards:
            return ""
        if any("out_of_range" in self.marks[k].notes for k in wrong):
            return "guard_range"
        carried = [*wrong, *self.chain.stretch(mark.key).unwritten]
        trivial = (mark.own == 0 and mark.exact != 0) or any(map(self.trivial, carried))
        return "guard_trivial" if trivial else ""

    def trivial(self, key: str) -> bool:
        """Whether the number a student goes on with makes the rest trivial where the right one does not."""
        used, right = self.chain.used(key), self.circuit.floats[key]
        if used == right:
            return False
        return abs(used) <= TRIVIAL * abs(right) or (abs(abs(used) - 1) <= TRIVIAL < abs(abs(right) - 1))

    # points -----------------------------------------------------------------------------------------------------------
    def weight(self, entry: Entry) -> float:
        """The points of a step; what is given is worth some only if the assignment says so."""
        weights: Mapping[str, float] = self.policy.weights
        for name in (entry.key, self.circuit.label(entry.key), entry.node.id):
            if name in weights:
                return weights[name]
        return 0.0 if entry.given else 1.0

    def credit(self, mark: Mark) -> float:
        """What an answer earns of its points."""
        if mark.verdict == "follow_through":
            written = min((self.policy.credit[note] for note in mark.notes if note in RIGHT_BY_OWN), default=1.0)
            return 0.0 if {"no_working", *GUARDS} & {*mark.notes} else self.policy.follow_through.credit * written
        return self.policy.credit[mark.verdict]

    def totalled(self) -> Marked:
        """All marks, and what they add up to."""
        marks = (*self.marks.values(), *self.unknown)
        first = next((mark.key for mark in marks if mark.verdict in WRONG), None)
        most = sum(mark.weight for mark in marks)
        earned = sum(mark.weight * mark.credit for mark in marks)
        follow = sum(mark.weight * mark.credit for mark in marks if mark.verdict == "follow_through")
        over = max(0.0, follow - self.policy.follow_through.max_share * most)
        review = any({*GUARDS} & {*mark.notes} or mark.verdict in REVIEW for mark in marks)
        flags = (
            *self.submission.flags,
            *(["follow_through_capped"] if over else []),
            *(["needs_review"] if review else []),
        )
        return Marked(self.submission, marks, first, earned - over, follow - over, most, flags=flags)
