"""Formulas as answers, on the walk through a submission: read, compared, and followed through."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from derive.formula import Formula, names
from derive.homework.chains import Chain
from derive.homework.circuit import Circuit
from derive.homework.compute import number
from derive.homework.equality import RIGHT, Equality, Judge
from derive.homework.hints import Hint, hints
from derive.homework.marked import Found
from derive.homework.policy import FORMS

MOST_HIDDEN = 20  # steps a formula does not name, in which a mistake is looked for


@dataclass(frozen=True)
class Compared:
    """The verdict on a formula. equality: to the right one · found, hints: what explains a wrong one

    trivial: of one that follows from a wrong one, whether that makes everything after it trivial
    """

    verdict: str
    equality: Equality
    found: tuple[Found, ...] = ()
    hints: tuple[Hint, ...] = ()
    trivial: bool = False


@dataclass
class Formulas:
    """The formulas of one submission, by key; those that are wrong stand for their steps from then on."""

    circuit: Circuit
    judge: Judge
    form: str
    given: dict[str, Formula] = field(default_factory=dict)
    wrong: dict[str, Formula] = field(default_factory=dict)

    def compared(self, key: str) -> Compared:
        """The verdict on the formula of a step; those of all steps before it have been compared."""
        student = self.given[key]
        plain = self.judge.compare(student, key)
        if plain.level in RIGHT:
            enough = plain.level in FORMS and FORMS.index(plain.level) >= FORMS.index(self.form)
            return Compared("correct" if enough else "other_form", plain)
        if plain.level == "undecided":
            return Compared("undecided", plain)
        if self.wrong and plain.level != "circular" and self.judge.compare(student, key, self.wrong).right:
            trivial = any(map(self.trivial, self.judge.reached((key,), self.wrong).values()))
            self.wrong[key] = student
            return Compared("follow_through", plain, trivial=trivial)
        found = () if plain.level == "circular" else tuple(self.explained(student, key))
        simple = () if plain.level == "circular" else hints(self.judge, student, key)
        if plain.level != "circular":
            self.wrong[key] = student
        return Compared("error", plain, found, simple)

    def trivial(self, wrong: Formula) -> bool:
        """Whether a wrong formula is a number, or comes to 0, 1 or −1."""
        return not any(names(wrong)) or abs(number(wrong, self.circuit.floats)) in (0, 1)

    def explained(self, student: Formula, key: str) -> list[Found]:
        """The mistakes whose formula it is, made at the step itself or at one that the formula does not name."""
        found: dict[str, Found] = {}
        for at, rule, wrong in self.candidates(student, key):
            if rule in found:
                continue
            right = self.circuit.entries[key].formula
            assert right is not None
            if at == key:
                fits = self.judge.same(student, wrong, key=key)
            else:
                fits = self.judge.same(student, right, {at: wrong}, key)
            if fits:
                found[rule] = Found(rule, wrong, at)
        return list(found.values())

    def candidates(self, student: Formula, key: str) -> Iterator[tuple[str, str, Formula]]:
        """(step, rule, formula) of the mistakes that give the same number as the formula, on the numbers of the task."""
        right = self.circuit.entries[key].formula
        value = number(student, self.circuit.floats)
        if right is None or not math.isfinite(value):
            return
        named = {name.key for name in names(student)}
        plain = Chain(self.circuit, {}, lambda key: 0.0, lambda key, value: 0.0)
        unnamed = [at for at in plain.stretch(key).unwritten if at not in named]
        for at in (key, *reversed(unnamed[-MOST_HIDDEN:])):
            for rule, wrong in self.circuit.wrong(at):
                found = number(wrong, self.circuit.floats) if at == key else plain.spread(right, key, {at: wrong})[0]
                if abs(found - value) <= 1e-9 * max(abs(found), abs(value)):
                    yield at, rule, wrong
