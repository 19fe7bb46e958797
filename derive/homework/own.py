"""A student's own numbers as names of their own: lines are printed with them, and checked as any other line is.

A number that was written stands as it was written; one that was worked but not written is never shown: in its place
stands the formula it comes from, or its symbol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from derive import formula as fm
from derive.algebra import EXACT, UNKNOWN, evaluate
from derive.document import Form, Line
from derive.formula import Formula, Name, Symbol
from derive.formula import Written as Spelled
from derive.homework.circuit import Circuit
from derive.homework.marked import Mark
from derive.homework.written import Written
from derive.notation import Notation
from derive.numerals import Numeral, literal
from derive.reader import Reader
from derive.values import Values

MOST_NAMES = 14  # in a formula into which unwritten steps were put
MOST_ROUNDS = 6  # of putting in
LONGEST = 30  # digits of a number that is written out
_PLAIN = re.compile(r"[+\-\u2212]?(?:\d+[.,]?\d*|[.,]\d+)")


def numeral(written: Written) -> Numeral | None:
    """A number with the digits it was written with; None for a root, an exponential, or more digits than are read."""
    if written.closed:
        top, bottom = abs(written.value.numerator), written.value.denominator
        if len(str(top)) + len(str(bottom)) > LONGEST:
            return None
        return Numeral(written.value < 0, str(top), denominator="" if bottom == 1 else str(bottom))
    exponent = Decimal(written.ulp.numerator / Decimal(written.ulp.denominator)).adjusted()
    digits = Decimal(int(abs(written.value) / written.ulp)).scaleb(exponent)
    plain = _PLAIN.fullmatch(written.text.strip()) is not None or (exponent <= 0 and exponent > -LONGEST)
    found = literal(format(digits, "f" if plain else "e").lower())
    return None if found is None else Numeral(written.value < 0, found.digits, found.exponent)


class Own:
    """The numbers of one submission, held among the values of a page.

    marks: by key · values: a branch of its own (`Values.branch`) · notation: in which cases are read
    """

    def __init__(self, circuit: Circuit, marks: Mapping[str, Mark], values: Values, notation: Notation) -> None:
        self.circuit, self.marks, self.values = circuit, marks, values
        self.reader = Reader(values, circuit.naming, notation)  # type: ignore[arg-type]
        for key, mark in marks.items():
            if mark.read is not None:
                self.hold(f"own:{key}", mark.read.value, mark.read.value, numeral(mark.read))

    def hold(self, id: str, value: Any, exact: Any, shown: Numeral | None = None) -> None:
        known = isinstance(value, Fraction)
        self.values.hold(id, self.values.algebra.number(value) if known else value, exact, shown)

    # names ------------------------------------------------------------------------------------------------------------
    def written(self, key: str) -> bool:
        return key in self.marks and self.marks[key].read is not None

    def known(self, key: str) -> bool:
        """Whether a reader of the page has the number: it was written, or is given."""
        return self.written(key) or self.circuit.entries[key].given

    def name(self, key: str) -> Name:
        """What stands for the number that was written for an entry; for the entry itself where there is none."""
        name = self.circuit.entries[key].name
        return Name(f"own:{key}", (), name.symbol) if self.written(key) else name

    def amount(self, id: str, value: float, symbol: Any = Symbol("·")) -> Name:
        """A name for some number that is to be shown rounded."""
        self.hold(id, self.values.algebra.number(Fraction(value)), UNKNOWN)
        return Name(id, (), symbol)

    def filled(self, f: Formula) -> Formula:
        """A formula in which written numbers are the student's."""
        return fm.substitute(f, lambda name: self.name(name.key))

    # values -----------------------------------------------------------------------------------------------------------
    def computed(self, window: tuple[str, ...]) -> dict[str, tuple[Any, Any]]:
        """(number, exact number or UNKNOWN) of the unwritten steps before one, in their order."""
        found: dict[str, tuple[Any, Any]] = {}
        for key in window:
            formula = self.circuit.entries[key].formula
            assert formula is not None
            found[key] = self.worth(formula, found)
        return found

    def worth(self, f: Formula, computed: Mapping[str, tuple[Any, Any]]) -> tuple[Any, Any]:
        """(number, exact number or UNKNOWN) of a formula in the student's own numbers."""

        def number(name: Name) -> Any:
            return computed[name.key][0] if name.key in computed else self.values.value(self.name(name.key))

        def exactly(name: Name) -> Any:
            return computed[name.key][1] if name.key in computed else self.values.known_exactly(self.name(name.key))

        return evaluate(f, number, self.values.algebra), evaluate(f, exactly, EXACT)

    # lines ------------------------------------------------------------------------------------------------------------
    def expected(self, mark: Mark) -> Line:
        """What a step should have been: its formula, the student's own numbers in it, and what they give."""
        entry = self.circuit.entries[mark.key]
        assert entry.formula is not None
        value, exact = self.worth(entry.formula, self.computed(mark.window))
        target = Name(f"due:{mark.key}", (), entry.name.symbol)
        self.hold(target.id, value, exact)
        whole = self.spelled_out(entry.formula)
        if whole is None:
            return Line(target, (Form(entry.name, symbols=False, numbers=False),)) if False else self.bare(target)
        resolved, condition = self.reader.resolved(self.filled(whole))
        return Line(target, (Form(resolved),), condition=condition)

    def bare(self, target: Name) -> Line:
        """A line of a name and its value alone."""
        return Line(target, ())

    def spelled_out(self, f: Formula) -> Formula | None:
        """A formula in numbers that are known alone, with unwritten steps put in; None where that gets too long."""
        for _ in range(MOST_ROUNDS):
            missing = [name for name in dict.fromkeys(fm.names(f)) if not self.known(name.key)]
            if not missing:
                return f
            f = fm.substitute(f, lambda name: self.behind(name))
            if sum(1 for _ in fm.names(f)) > MOST_NAMES:
                return None
        return None

    def behind(self, name: Name) -> Formula:
        """The formula of an unwritten step, the name of any other."""
        formula = self.circuit.entries[name.key].formula
        return name if self.known(name.key) or formula is None else formula

    def giving(self, id: str, f: Formula, written: Written) -> Line | None:
        """formula = numbers = value, for a formula that gives what was written; None where numbers are not known."""
        if not all(self.known(name.key) for name in fm.names(f)):
            return None
        value, exact = self.worth(f, {})
        if abs(float(value) - written.number) > max(written.unit, 1e-9 * abs(written.number)):
            return None  # it fits the right numbers, not these
        filled = self.filled(f)
        self.hold(id, value, exact)
        return Line(Name(id, (), Spelled(filled)), (Form(filled, symbols=False),))


def given_names(f: Formula) -> Iterator[str]:
    """The keys in a formula."""
    return (name.key for name in fm.names(f))
