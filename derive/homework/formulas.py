"""Formulas as answers, on the walk through a submission: read, compared, and followed through."""

from __future__ import annotations

from dataclasses import dataclass, field

from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.equality import RIGHT, Judge
from derive.homework.hints import Hint, hints
from derive.homework.marked import Found
from derive.homework.policy import FORMS

MOST_RULES = 60  # rules a wrong formula is compared with


@dataclass(frozen=True)
class Compared:
    """The verdict on a formula. level: how equal it is · found, hints: what explains a wrong one"""

    verdict: str
    level: str
    found: tuple[Found, ...] = ()
    hints: tuple[Hint, ...] = ()


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
            return Compared("correct" if enough else "other_form", plain.level)
        if plain.level == "undecided":
            return Compared("undecided", plain.level)
        if self.wrong and plain.level != "circular" and self.judge.compare(student, key, self.wrong).right:
            self.wrong[key] = student
            return Compared("follow_through", plain.level)
        found = () if plain.level == "circular" else tuple(self.explained(student, key))
        simple = () if plain.level == "circular" else hints(self.judge, student, key)
        if plain.level != "circular":
            self.wrong[key] = student
        return Compared("error", plain.level, found, simple)

    def explained(self, student: Formula, key: str) -> list[Found]:
        """The mistakes whose formula it is."""
        rules = self.circuit.wrong(key)[:MOST_RULES]
        fitting = (Found(rule, wrong, key) for rule, wrong in rules if self.judge.same(student, wrong))
        return list({found.rule: found for found in reversed(list(fitting))}.values())[::-1]
