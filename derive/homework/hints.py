"""What separates a wrong formula from the right one, where it is a single sign, factor or term."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from derive import formula as fm
from derive.algebra import Value
from derive.formula import Formula
from derive.homework.equality import INFORMATIVE, Judge
from derive.homework.points import LARGEST, Circular, Points
from derive.model import Model

CLOSE = 1e-9


@dataclass(frozen=True)
class Hint:
    """One way to say what is wrong.

    kind:    `sign` · `constant` (times a number: `factor`) · `missing_factor`, `extra_factor`, `missing_term`,
             `extra_term`, `sign_of_term` (the formula that is meant: `what`)
    formula: what the student wrote, made of the right formula: it gives the same values everywhere
    """

    kind: str
    formula: Formula
    args: Mapping[str, object] = field(default_factory=dict)


def hints(judge: Judge, student: Formula, key: str, overrides: Mapping[str, Formula] | None = None) -> tuple[Hint, ...]:
    """All simple differences between a student's formula and that of the entry `key`; none for a right one."""
    right = judge.circuit.entries[key].formula
    if right is None:
        return ()
    try:
        others = judge.reached((key, *(name.key for name in fm.names(student))), overrides or {})
        points = judge.points(frozenset(), others)
        for fixed in dict.fromkeys((frozenset(), judge.unnamed(student, key, points))):
            candidates = Search(judge, student, right, key, judge.points(fixed, others)).found()
            if found := tuple(hint for hint in candidates if judge.same(student, hint.formula, overrides, key)):
                return found
        return ()
    except Circular:
        return ()


class Search:
    """Candidates by their float64 values at the points."""

    def __init__(self, judge: Judge, student: Formula, right: Formula, key: str, points: Points) -> None:
        self.judge, self.right, self.key, self.points = judge, right, key, points
        good, _ = points.usable
        (self.a, size), (self.b, other) = points.gauged(right), points.gauged(student)
        telling = good & (self.a != 0) & (size <= LARGEST) & (other <= LARGEST)
        self.places = np.flatnonzero(telling)[:24]

    def at(self, f: Formula) -> Value:
        return self.points.gauged(f)[0][self.places]

    def found(self) -> Iterator[Hint]:
        if len(self.places) < INFORMATIVE:
            return
        a, b = self.a[self.places], self.b[self.places]
        with np.errstate(all="ignore"):
            ratio = b / a
        if same(ratio, 1):
            return
        if same(ratio, -1):
            yield Hint("sign", fm.negate(self.right))
        for value in self.constants():
            if same(ratio, float(value)):
                yield Hint("constant", fm.multiply(fm.formula(value), self.right), {"factor": value})
        yield from self.factors(ratio)
        yield from self.terms(a - b)

    def constants(self) -> Iterator[Fraction]:
        """2, the number of samples, of outputs, of both, and their inverses."""
        model = self.judge.circuit.quantities
        rows, columns = model.forward.output.shape if isinstance(model, Model) else (1, 1)
        for count in dict.fromkeys((2, rows, columns, rows * columns)):
            if count > 1:
                yield from (Fraction(count), Fraction(1, count))

    def quantities(self) -> Iterator[Formula]:
        """What the answer is computed from."""
        before = self.judge.ancestors(self.key)
        yield from (entry.name for key, entry in self.judge.circuit.entries.items() if key in before)

    def factors(self, ratio: Value) -> Iterator[Hint]:
        own = [part for part in fm.parts(self.right, "mul") if any(True for _ in fm.names(part))]
        for what in dict.fromkeys((*own, *self.quantities())):
            value = self.at(what)
            if same(ratio * value, 1):
                rest = [part for part in fm.parts(self.right, "mul") if part is not what]
                alone = fm.multiply(*rest) if what in own else fm.divide(self.right, what)
                yield Hint("missing_factor", alone, {"what": what})
            elif same(ratio, value):
                yield Hint("extra_factor", fm.multiply(self.right, what), {"what": what})

    def terms(self, difference: Value) -> Iterator[Hint]:
        own = fm.parts(self.right, "add") if len(fm.parts(self.right, "add")) > 1 else ()
        for what in dict.fromkeys((*own, *self.quantities())):
            value = self.at(what)
            if same(difference, value):
                rest = fm.add(*(part for part in own if part is not what)) if what in own else self.right - what
                yield Hint("missing_term", rest, {"what": what})
            elif same(difference, -value):
                yield Hint("extra_term", self.right + what, {"what": what})
            elif what in own and same(difference, 2 * value):
                yield Hint("sign_of_term", self.right - what - what, {"what": what})


def same(found: Value, wanted: Value | float) -> bool:
    return bool(np.isclose(found, wanted, rtol=CLOSE, atol=0).all())
