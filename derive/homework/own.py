"""A student's own numbers as names of their own: lines are printed with them, and checked as any other line is.

A number that was written stands as it was written; one that was worked but not written is never shown: in its place
stands the formula it comes from, or its symbol.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from derive import formula as fm
from derive.algebra import EXACT, UNKNOWN, evaluate
from derive.document import Amount, Form, Line
from derive.formula import Formula, Name
from derive.formula import Written as Spelled
from derive.homework.circuit import Circuit
from derive.homework.marked import Found, Mark
from derive.homework.written import Written
from derive.notation import Notation
from derive.numerals import Numeral, literal
from derive.reader import Reader
from derive.values import Values

MOST_NAMES = 14  # in a formula into which unwritten steps were put
MOST_ROUNDS = 6  # of putting in
LONGEST = 30  # digits of a fraction that is written out
PLAIN_FROM = -12  # the power of ten of the last digit down to which numbers are written without one
_PLAIN = re.compile(r"[+\-\u2212]?(?:\d+[.,]?\d*|[.,]\d+)")


def numeral(written: Written) -> Numeral | None:
    """A number with the digits it was written with; None for a root, an exponential, or more digits than are read."""
    if written.closed:
        top, bottom = abs(written.value.numerator), written.value.denominator
        if len(str(top)) + len(str(bottom)) > LONGEST:
            return None
        return Numeral(written.value < 0, str(top), denominator="" if bottom == 1 else str(bottom))
    exponent = (Decimal(written.ulp.numerator) / Decimal(written.ulp.denominator)).adjusted()
    digits = tuple(map(int, str(int(abs(written.value) / written.ulp))))
    plain = _PLAIN.fullmatch(written.text.strip()) is not None or PLAIN_FROM <= exponent <= 0
    found = literal(format(Decimal((0, digits, exponent)), "f" if plain else "e"))
    return None if found is None else Numeral(written.value < 0, found.digits, found.exponent)


class Own:
    """The numbers of one submission, held among the values of a page.

    marks: by key · values: a branch of its own (`Values.branch`) · notation: in which cases are read
    """

    def __init__(self, circuit: Circuit, marks: Mapping[str, Mark], values: Values, notation: Notation) -> None:
        self.circuit, self.marks, self.values = circuit, marks, values
        self.reader = Reader(values, circuit.naming, notation)  # type: ignore[arg-type]
        self.numbers = {key: mark.read for key, mark in marks.items() if mark.read is not None}
        for key, entry in circuit.entries.items():  # what is but another name of a number: the weights of the next step
            if key not in self.numbers and isinstance(entry.formula, Name) and entry.formula.key in self.numbers:
                self.numbers[key] = self.numbers[entry.formula.key]
        for key, read in self.numbers.items():
            self.hold(f"own:{key}", read.value, read.value, numeral(read))

    def hold(self, id: str, value: Any, exact: Any, shown: Numeral | None = None) -> None:
        known = isinstance(value, Fraction)
        self.values.hold(id, self.values.algebra.number(value) if known else value, exact, shown)

    # names ------------------------------------------------------------------------------------------------------------
    def written(self, key: str) -> bool:
        return key in self.numbers

    def known(self, key: str) -> bool:
        """Whether a reader of the page has the number: it was written, or is given."""
        return self.written(key) or self.circuit.entries[key].given

    def name(self, key: str, *, hidden: bool = False) -> Name:
        """What stands for the number that was written for an entry; the entry itself where it is given.

        hidden: also for what was worked without being written; its number must not be shown
        """
        name = self.circuit.entries[key].name
        own = self.written(key) or (hidden and not self.circuit.entries[key].given)
        return Name(f"own:{key}", (), name.symbol) if own else name

    def amount(self, id: str, value: float) -> Amount:
        """Some number, shown rounded."""
        self.hold(id, Fraction(value), UNKNOWN)
        return Amount(Name(id))

    def exactly(self, id: str, value: Fraction) -> Amount:
        """Some short number as a decimal."""
        self.hold(id, value, value, literal(f"{float(value):.15g}"))
        return Amount(Name(id))

    def like(self, id: str, written: Written, value: Fraction) -> Amount:
        """Another number, with the digits of one that was written."""
        self.hold(id, value, value, numeral(replace(written, value=value)))
        return Amount(Name(id))

    def filled(self, f: Formula) -> Formula:
        """A formula in which written numbers are the student's."""
        return fm.substitute(f, lambda name: self.name(name.key))

    # values -----------------------------------------------------------------------------------------------------------
    def unwritten(self, f: Formula) -> list[str]:
        """The keys of the steps that a formula needs and nobody wrote down, in order."""
        found: set[str] = set()
        stack = [name.key for name in fm.names(f)]
        while stack:
            key = stack.pop()
            if key not in found and not self.known(key):
                found.add(key)
                stack.extend(self.circuit.entries[key].parents)
        return sorted(found, key=self.circuit.order.__getitem__)

    def computed(self, f: Formula) -> dict[str, tuple[Any, Any]]:
        """(number, exact number or UNKNOWN) of the unwritten steps that a formula needs."""
        found: dict[str, tuple[Any, Any]] = {}
        for key in self.unwritten(f):
            formula = self.circuit.entries[key].formula
            assert formula is not None
            found[key] = self.worth(formula, found)
            self.hold(f"own:{key}", *found[key])
        return found

    def worth(self, f: Formula, computed: Mapping[str, tuple[Any, Any]]) -> tuple[Any, Any]:
        """(number, exact number or UNKNOWN) of a formula in the student's own numbers."""

        def number(name: Name) -> Any:
            return computed[name.key][0] if name.key in computed else self.values.value(self.name(name.key))

        def exactly(name: Name) -> Any:
            return computed[name.key][1] if name.key in computed else self.values.known_exactly(self.name(name.key))

        return evaluate(f, number, self.values.algebra), evaluate(f, exactly, EXACT)

    # lines ------------------------------------------------------------------------------------------------------------
    def expected(self, mark: Mark, hidden: bool = False) -> Line:
        """What a step should have been: its formula, the student's own numbers in it, and what they give.

        hidden: without the formula, where that was asked for
        """
        entry = self.circuit.entries[mark.key]
        if entry.formula is None:  # a number of the task, copied wrongly
            return Line(entry.name, ())
        value, exact = self.worth(entry.formula, self.computed(entry.formula))
        target = Name(f"due:{mark.key}", (), entry.name.symbol)
        self.hold(target.id, value, exact)
        if hidden:
            return Line(target, ())
        whole = self.spelled_out(entry.formula)
        if whole is None:
            filled = fm.substitute(entry.formula, lambda name: self.name(name.key, hidden=True))
            return Line(target, (Form(filled, numbers=False),))
        resolved, condition = self.reader.resolved(self.filled(whole))
        return Line(target, (Form(resolved),), condition=condition)

    def near(self, name: Name, mark: Mark) -> bool:
        """Whether a number is within half a unit of what was written."""
        written = mark.read
        return written is not None and abs(float(self.values.value(name)) - written.number) <= written.unit * 0.500001

    def spelled_out(self, f: Formula, injected: Mapping[str, Formula] | None = None) -> Formula | None:
        """A formula in numbers that are known alone, with unwritten steps put in; None where that gets too long.

        injected: what was put in the place of the formulas of some steps
        """

        def behind(name: Name) -> Formula:
            if self.known(name.key):
                return name
            return (injected or {}).get(name.key) or self.circuit.entries[name.key].formula or name

        for _ in range(MOST_ROUNDS):
            if all(self.known(name.key) for name in fm.names(f)):
                return f
            f = fm.substitute(f, behind)
            if sum(1 for _ in fm.names(f)) > MOST_NAMES:
                return None
        return None

    def giving(self, id: str, found: Found, mark: Mark) -> Line | None:
        """formula = numbers = value of a mistake that gives what was written; None where numbers are not known."""
        formula, written = found.formula, mark.read
        if formula is None or written is None:
            return None
        own = self.circuit.entries[mark.key].formula
        whole = self.spelled_out(formula)
        if found.at != mark.key:
            whole = None if own is None else self.spelled_out(own, {found.at: formula})
        if whole is None:
            return None
        value, exact = self.worth(whole, {})
        if not abs(float(value) - written.number) <= mark.rad + max(written.unit, 1e-9 * abs(written.number)):
            return None  # it fits the right numbers, not these
        filled, condition = self.reader.resolved(self.filled(whole))
        self.hold(id, value, exact)
        return Line(Name(id, (), Spelled(filled)), (Form(filled, symbols=False),), condition=condition)
