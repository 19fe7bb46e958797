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
MOST_THOROUGH = 30  # errors of one submission that are looked into as far as unwritten steps and misread numbers
#: Verdicts that may hold of a step only because it follows from a wrong one.
RIGHT_BY_OWN = ("correct_rounding", "low_precision", "over_precise", "truncated", "last_digit")
GUARDS = ("guard_range", "guard_trivial")  # remarks on what follows from a wrong step and needs a look
NOISE = 1e-12  # of the numbers a step is computed from: what floats leave of a 0
WIDE = 10  # times these: where rounding may have moved a value by more, nothing can be said
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
        others = [self.under(found, marked) for found in self.alternatives if self.helps(found, submission, wrong)]
        fitting = [other for other in others if self.explains(other, marked)]
        return min(fitting, key=lambda other: len(wrong_steps(other)), default=marked)

    def declared(self, submission: Submission) -> Alternative | None:
        """The other convention that a submission says it follows."""
        for about, name in submission.conventions.items():
            for found in self.alternatives:
                if (found.about, found.name) == (about, name):
                    return found
        return None

    def helps(self, convention: Alternative, submission: Submission, wrong: set[str]) -> bool:
        """Whether anything that was wrong is right under another convention."""
        walk = Walk(replace(self, circuit=convention.circuit), submission, explains=False)
        return bool(wrong - wrong_steps(walk.marked()))

    def explains(self, other: Marked, marked: Marked) -> bool:
        """Whether under another convention at least two quantities are right that were wrong, and nothing else wrong.

        A convention that lacks a step which was answered is not the one that was followed.
        """
        wrong, left = wrong_steps(marked), wrong_steps(other)
        lacks = sum(not mark.key for mark in other.marks) > sum(not mark.key for mark in marked.marks)
        return not lacks and left < wrong and len(self.quantities_of(wrong - left)) > 1

    def quantities_of(self, keys: set[str]) -> set[str]:
        return {self.circuit.entries[key].node.id for key in keys}

    def under(self, convention: Alternative, plain: Marked) -> Marked:
        """The marks under another convention; what is right by it alone is marked so."""
        other = Walk(replace(self, circuit=convention.circuit), plain.submission)
        other.marked()
        before = {mark.key: mark for mark in plain.marks}
        for key, mark in other.marks.items():
            right = key in before and before[key].verdict in ("correct", *RIGHT_BY_OWN)
            differs = not right and self.circuit.floats.get(key) != convention.circuit.floats[key]
            if differs and mark.verdict in RIGHT:
                credit = min(mark.credit, self.policy.credit["other_convention"])
                other.marks[key] = replace(mark, verdict="other_convention", credit=credit)
        return replace(other.totalled(), convention=convention.name)


def wrong_steps(marked: Marked) -> set[str]:
    """The keys of the steps that are wrong themselves."""
    return {mark.key for mark in marked.marks if mark.verdict in WRONG}


@dataclass
class Walk:
    """One submission on its way through the computation.

    astray: the keys of the numbers that are wrong, or follow from wrong ones · diagnoses: how many errors were looked into
    explains: whether they are looked into at all
    """

    marker: Marker
    submission: Submission
    unknown: list[Mark] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    written: dict[str, Written] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    misread: dict[str, float] = field(default_factory=dict)
    astray: set[str] = field(default_factory=set)
    diagnoses: int = 0
    explains: bool = True

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
            if answer.problem:  # a row cut at a comma in the name of its step
                problem = answer.problem
            elif keys is not None:
                problem = f"'{answer.step}' has {len(keys)} entries: give each of them"
            weight = 1.0 if self.policy.ask is None else 0.0
            raw = answer.value or answer.formula or ""
            self.unknown.append(Mark("", answer.step, "unreadable", 0.0, weight, raw, problem=problem))
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
            self.problems[key] = str(problem) if problem.column is None else f"column {problem}"

    @cached_property
    def formulas(self) -> Formulas:
        """The formulas among the answers."""
        return Formulas(self.circuit, self.marker.judge, self.policy.form)

    # the own chain ----------------------------------------------------------------------------------------------------
    @cached_property
    def habit(self) -> Habit:
        """How this student rounds."""
        return Habit.of(self.submission.rounding, self.written, self.values, self.policy.precision)

    @cached_property
    def habits(self) -> dict[bool, Habit]:
        """The same of what an optimizer keeps, often with more digits, and of everything else."""
        found = {}
        for kept in (False, True):
            alike = {key: w for key, w in self.written.items() if self.kept(key) is kept} or self.written
            habit = Habit.of(self.submission.rounding, alike, self.values, self.policy.precision)
            found[kept] = replace(habit, chops=self.habit.chops)
        return found

    def kept(self, key: str) -> bool:
        """Whether a number is one that an optimizer keeps: squared gradients have no decimals to spare."""
        return self.circuit.entries[key].node.role == "state"

    def virtual(self, key: str, value: float) -> float:
        """By how much a number that was not written down may be off by its rounding."""
        return self.habits[self.kept(key)].virtual(value)

    def values(self, key: str) -> tuple[Reference, Reference | None]:
        """The right value, and the own one where all that it was computed from is written down."""
        own = None if self.chain.stretch(key).unwritten else Reference(self.chain.own[key])
        return self.exact(key), own

    @cached_property
    def chain(self) -> Chain:
        numbers = {key: written.number for key, written in self.written.items()}
        return Chain(self.circuit, numbers, self.reach, self.virtual, self.misread)

    def reach(self, key: str) -> float:
        """By how much a written number may be off by its rounding; one that is exact by nothing."""
        written, exact = self.written[key], self.exact(key)
        own = Reference(self.chain.own[key])
        if ladder.exactly(written, exact) and written.number == own.value:
            return 0.0
        if ladder.coarse(written, [exact, own], self.policy.precision):
            return min(self.habit.reach(written), self.habits[self.kept(key)].usual(exact.value))
        return self.habit.reach(written)

    def exact(self, key: str) -> Reference:
        """The right value of a step."""
        circuit = self.circuit
        return circuit.reference(key)

    # walking ----------------------------------------------------------------------------------------------------------
    def marked(self) -> Marked:
        asked = set(self.policy.ask or ())
        for key, entry in self.circuit.entries.items():
            if key in self.answers:
                self.marks[key] = self.mark(entry)
                if key in self.written and self.unsound(key):
                    self.astray.add(key)
            elif key in asked:
                self.marks[key] = self.blank(entry)
        return self.totalled()

    def blank(self, entry: Entry, raw: str = "") -> Mark:
        """The mark of a step without an answer, or with one that is still to be judged."""
        key = entry.key
        credit = self.policy.credit["blank"]
        label, exact = self.circuit.label(key), self.circuit.floats[key]
        return Mark(key, label, "blank", credit, self.weight(entry), raw, exact=exact)

    def mark(self, entry: Entry) -> Mark:
        """The mark of one answer; all steps before it are marked already."""
        key, answer = entry.key, self.answers[entry.key]
        mark = self.blank(entry, answer.value or answer.formula or "")
        if key in self.problems:
            return replace(
                mark, verdict="unreadable", credit=self.policy.credit["unreadable"], problem=self.problems[key]
            )
        if key in self.written:
            mark = self.judged(mark, self.written[key])
        if key in self.formulas.given:
            mark = self.with_formula(mark)
        return mark

    def with_formula(self, mark: Mark) -> Mark:
        """The mark with what the formula is worth: the worse of the two verdicts counts."""
        compared, numbered = self.formulas.compared(mark.key), mark.key in self.written
        guarded = compared.verdict == "follow_through" and self.policy.follow_through.guards and compared.trivial
        notes = (*mark.notes, "guard_trivial") if guarded else mark.notes
        worse = compared.verdict if not numbered else max(mark.verdict, compared.verdict, key=VERDICTS.index)
        found = {f.rule: f for f in (*reversed(mark.found), *reversed(compared.found))}
        stretch = self.chain.stretch(mark.key)
        return replace(
            mark,
            verdict=worse,
            credit=self.credit(worse, notes),
            depends=stretch.written,
            window=stretch.unwritten if worse in WRONG else (),
            formula=self.formulas.given[mark.key],
            formula_verdict=compared.verdict,
            equality=compared.equality,
            found=tuple(reversed(found.values())),
            formula_found=compared.found,
            hints=compared.hints,
            notes=notes,
        )

    def diagnosed(self, key: str) -> list[Found]:
        """The mistakes that explain a wrong number; with a misread number of the task, the rest goes on from that."""
        precision, chops = self.policy.precision, self.habit.chops
        self.diagnoses += 1
        thorough, written = self.diagnoses <= MOST_THOROUGH, self.written[key]
        found = Diagnosis(self.circuit, self.chain, key, written, precision, chops=chops, thorough=thorough).found()
        given = misread.find(self.circuit, self.chain, key, self.written, precision, chops=chops) if thorough else None
        if given is None or (found and not (given.sure and given.answers > 1)):
            return found  # of one number it is too easily said where there is another reason
        if given.answers > 1:
            self.misread[given.key] = float(given.value)
            self.astray.add(given.key)
            del self.chain
        return [Found("MISREAD", None, given.key, {"value": given.value}), *found]

    def judged(self, mark: Mark, written: Written) -> Mark:
        """The verdict on a number, with the values it was held against."""
        key, exact, precision = mark.key, self.exact(mark.key), self.policy.precision
        own = Reference(self.own(key))
        held = replace(written, value=Fraction(0)) if self.noise(key, written.number) else written
        verdict = ladder.settled(held, exact, own, precision)
        if not verdict:
            own = Reference(own.value, self.rad(key))
            verdict = ladder.judge(held, exact, own, precision, chops=self.habit.chops, pads=self.habit.pads)
        stretch = self.chain.stretch(key)
        wrong = bool(self.astray) and not self.astray.isdisjoint((*stretch.written, *stretch.given))
        notes: tuple[str, ...] = ()
        right = ladder.close(held, exact, precision.unit(held)) and not ladder.coarse(held, [exact], precision)
        if wrong and not right and self.follows(held, own, verdict):
            notes = () if verdict == "correct_rounding" else (verdict,)
            verdict = "follow_through"
            guard = self.guarded(replace(mark, own=own.value, depends=stretch.written))
            notes = (*notes, guard) if guard else notes
        elif (
            wrong
            and right
            and not ladder.consistent(written, Reference(own.value, self.chain.rad(key)), precision.unit(written))
        ):
            notes = ("inconsistent_with_own",)
        unit = written.unit or None
        known = math.isfinite(own.value)
        return replace(
            mark,
            verdict=verdict,
            value_verdict=verdict,
            credit=self.credit(verdict, notes),
            read=written,
            own=own.value if known else None,
            rad=own.rad,
            ulps_exact=unit and abs(written.number - exact.value) / unit,
            ulps_own=unit and abs(written.number - own.value) / unit if known else None,
            depends=stretch.written,
            window=stretch.unwritten if verdict in WRONG else (),
            found=tuple(self.diagnosed(key)) if self.explains and verdict in WRONG else (),
            notes=(*notes, *self.out_of_range(self.circuit.entries[key])),
        )

    def follows(self, held: Written, own: Reference, verdict: str) -> bool:
        """Whether a number is right by the student's own chain, and not only nearly the right one."""
        if verdict not in RIGHT_BY_OWN or verdict == "correct_rounding" or not math.isfinite(own.value):
            return verdict == "correct_rounding"
        habit, precision = self.habit, self.policy.precision
        alone = ladder.judge(held, own, own, precision, chops=habit.chops, pads=habit.pads)
        return alone == "correct" or alone in RIGHT_BY_OWN

    def own(self, key: str) -> float:
        """What a step should have been; the noise of floats around an exact 0 is 0."""
        own = self.chain.own[key]
        return 0.0 if self.noise(key, own) else own

    def noise(self, key: str, value: float) -> bool:
        """Whether a number is what floats leave of terms that cancel: 1.7e-18 in the place of 0."""
        return self.exact(key).value == 0 and 0 < abs(value) < NOISE * self.largest(key)

    def rad(self, key: str) -> float:
        """By how much rounding may have moved the own value; infinite where it has left nothing of it."""
        rad = self.chain.rad(key)
        return rad if rad <= WIDE * max(abs(self.chain.own[key]), self.largest(key)) else math.inf

    def largest(self, key: str) -> float:
        """The largest of the numbers that a step is computed from."""
        return max((abs(self.chain.used(parent)) for parent in self.circuit.entries[key].parents), default=0.0)

    def unsound(self, key: str) -> bool:
        """Whether what follows from a step follows from something wrong: also from digits that say nothing and are off."""
        mark, written = self.marks[key], self.written[key]
        if mark.verdict != "too_coarse" or mark.own is None:
            return mark.verdict in (*WRONG, "follow_through")
        if not self.astray.isdisjoint(mark.depends):
            return True
        refs = (self.exact(key), Reference(mark.own))
        return not any(
            ladder.close(written, ref, written.ulp) and bool(written.value) == bool(ref.value) for ref in refs
        )

    def out_of_range(self, entry: Entry) -> tuple[str, ...]:
        """A remark on a number that this quantity can never be."""
        lowest, highest = ranges.of(entry.node)
        written = self.written[entry.key]
        inside = lowest - written.unit / 2 <= written.number <= highest + written.unit / 2
        return () if inside else ("out_of_range",)

    def guarded(self, mark: Mark) -> str:
        """Why a step that follows from a wrong one gives nothing by itself: its remark, or ""."""
        rules = self.policy.follow_through
        wrong = [k for k in mark.depends if k in self.astray]
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
        """The points of a step; what is given has some only if the file says so, and what is not asked for has none."""
        if self.policy.ask is not None and entry.key not in self.policy.ask:
            return 0.0
        weights: Mapping[str, float] = self.policy.weights
        for name in (entry.key, self.circuit.label(entry.key), entry.node.id) if weights else ():
            if name in weights:
                return weights[name]
        return 0.0 if entry.given else 1.0

    def credit(self, verdict: str, notes: tuple[str, ...]) -> float:
        """What an answer earns of its points."""
        if verdict == "follow_through":
            written = min((self.policy.credit[note] for note in notes if note in RIGHT_BY_OWN), default=1.0)
            return 0.0 if {"no_working", *GUARDS} & {*notes} else self.policy.follow_through.credit * written
        return self.policy.credit[verdict]

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
