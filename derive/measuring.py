"""Quantities for a lesson, with values that are found another way than by the formulas they stand beside.

A free quantity has a value drawn for the check, another one every time the lesson is written. A slope is a difference
quotient, a mean goes through all outcomes, an integral is a quadrature, a minimum is searched for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any

import numpy as np

from derive.algebra import DIGITS, EXACT, FLOATS, UNKNOWN, Value, digits, evaluate
from derive.contract import Contract
from derive.formula import (
    Apply,
    Formula,
    Function,
    Name,
    Number,
    Partial,
    Symbol,
    Written,
    bind,
    formula,
    names,
)
from derive.graph import Node, leaf
from derive.language import Words
from derive.numerals import Policy
from derive.studies.base import Desk
from derive.studies.calculation import Calculation
from derive.values import as_fraction

SMALL = Fraction(1, 10**40)  # the step of a difference quotient, with 150 digits: 80 of its digits are right
SEARCHED = 287  # times that a search for a minimum (by the golden section) takes a part away
FOUND = Fraction(1, 10**55)  # to which it is right


class Plain(Contract):
    """Numbers, vectors and matrices as they are."""

    def shape(self, node: Node) -> tuple[int, ...]:
        rows, columns = node.shape
        return () if rows == columns == 1 else (max(rows, columns),) if 1 in node.shape else (rows, columns)


class Measuring:
    """Every method that makes a quantity gives its `Name`, to write formulas with.

    seed: which values the free quantities get · calculation: a study whose quantities the lesson speaks of
    """

    def __init__(
        self, words: Words, policy: Policy, seed: int, calculation: Calculation | None = None, topic: str = "lesson"
    ) -> None:
        self.policy, self.random, self.topic = policy, Random(seed), topic
        self.desk = Desk(calculation or Calculation((), {}, contract=Plain(False, frozenset())), policy, words)
        self.values = self.desk.values
        self.count = 0

    def new(self, what: str) -> str:
        """An id that is not in use."""
        self.count += 1
        return f"{what}{self.count}" if len(what) == 1 else f"{self.topic}/{what}{self.count}"

    # quantities -----------------------------------------------------------------------------------------------------
    def free(self, symbol: str | Symbol | Partial, low: Any = -2, high: Any = 2) -> Name:
        """A number that may be any between low and high: formulas in it are checked at drawn values."""
        low, high = Fraction(low), Fraction(high)
        drawn = low + (high - low) * Fraction(self.random.randint(50, 950), 1000)
        return self.hold(symbol, drawn)

    def whole(self, symbol: str | Symbol, low: int, high: int) -> Name:
        """A whole number that may be any from low to high, for the check."""
        return self.hold(symbol, Fraction(self.random.randint(low, high)))

    def number(self, symbol: str | Symbol | Partial, value: Any) -> Name:
        """A given number, exact, of an example: an integer, a Fraction or a decimal text."""
        return self.hold(symbol, Fraction(value))

    def hold(self, symbol: str | Symbol | Partial | Written, value: Any, exact: Any = None) -> Name:
        """A quantity with this value: a Fraction, or a number of many digits."""
        name = Name(self.new("q"), (), written(symbol))
        exactly = value if exact is None and isinstance(value, Fraction) else UNKNOWN if exact is None else exact
        self.values.define(name, digits().number(value), exactly)
        return name

    def defined(self, symbol: str | Symbol | Partial | Written, f: Any) -> Name:
        """A quantity that is what a formula says."""
        f = formula(f)
        return self.hold(symbol, self.value(f), self.exactly(f))

    def matrix(
        self, symbol: str | Symbol, rows: int, columns: int, values: Sequence[Sequence[Any]] | None = None
    ) -> Name:
        """A matrix (bold), drawn, or of given numbers; a vector has one column (or row)."""
        entries = values or [
            [Fraction(self.random.randint(-19, 19), 10) or 1 for _ in range(columns)] for _ in range(rows)
        ]
        return self.held(symbol, np.array([[Fraction(x) for x in row] for row in entries], dtype=object))

    def held(self, symbol: str | Symbol | Partial | Written, exact: Value) -> Name:
        """A matrix with these entries, exact fractions or numbers of many digits."""
        id, (rows, columns) = self.new("Q"), exact.shape
        fractions = all(isinstance(x, Fraction) for x in exact.ravel())
        self.values.nodes[id] = leaf((rows, columns), id, "state")
        self.values.arrays[id] = np.frompyfunc(digits().number, 1, 1)(exact) if fractions else exact
        self.values.exact[id] = exact if fractions else np.frompyfunc(lambda x: UNKNOWN, 1, 1)(exact)
        self.values.floats[id] = self.values.arrays[id].astype(float)
        shown = read(symbol) if isinstance(symbol, str) else symbol
        if isinstance(shown, Symbol):
            shown = replace(shown, bold=True)
        if isinstance(shown, Partial):
            shown = replace(shown, by=replace(shown.by, bold=True))
        return Name(id, (), shown, (rows, columns), scalar=False)

    def product(self, symbol: str | Symbol | Written, f: Formula) -> Name:
        """A matrix that is what a formula of matrices says."""
        exact = self.exact_matrix(f)
        return self.held(symbol, np.asarray(self.value(f), dtype=object) if exact is None else exact)

    def exact_matrix(self, f: Formula) -> Value | None:
        """The value of a formula of matrices in fractions, or None."""

        def lookup(name: Name) -> Value:
            return self.values.known_exactly(name) if name.scalar else self.values.exact[name.id]

        found = np.asarray(evaluate(f, lookup, EXACT), dtype=object)
        return found if all(isinstance(x, Fraction) for x in found.ravel()) else None

    def column(self, symbol: str | Symbol | Written, rows: Sequence[Any]) -> Name:
        """A vector of one column whose entries are what these formulas say."""
        return self.grid(symbol, [[row] for row in rows])

    def grid(self, symbol: str | Symbol | Written, rows: Sequence[Sequence[Any]]) -> Name:
        """A matrix whose entries are what these formulas say."""
        exact = [[self.exactly(formula(f)) for f in row] for row in rows]
        if all(isinstance(x, Fraction) for row in exact for x in row):
            return self.held(symbol, np.array(exact, dtype=object))
        return self.held(symbol, np.array([[self.value(f) for f in row] for row in rows], dtype=object))

    def entry(self, matrix: Name, row: int, column: int = 1, symbol: str | Symbol | Partial | None = None) -> Name:
        """An entry of a matrix, counted from 1: w₁₂ of W, x₂ of a vector x."""
        rows, columns = matrix.shape
        vector = 1 in matrix.shape
        index = (max(row, column),) if vector else (row, column)
        sub = "".join(map(str, index))
        shown = matrix.symbol.by if isinstance(matrix.symbol, Partial) else matrix.symbol
        assert isinstance(shown, Symbol)
        of = Symbol(shown.base.lower(), ",".join(filter(None, (shown.sub, sub))), shown.sup, shown.mark)
        named = replace(matrix.symbol, by=of) if isinstance(matrix.symbol, Partial) else of
        if symbol is not None:
            named = read(symbol) if isinstance(symbol, str) else symbol
        return Name(matrix.id, index, named, (rows, columns))

    def slope(self, f: Formula, by: Name, symbol: str | Symbol | Partial | Written | None = None, d: str = "d") -> Name:
        """df/dx as a name, d/dx (f) unless it has a symbol; its value is a difference quotient of f, no rule's."""
        assert isinstance(by.symbol, Symbol)
        shown = Written(f, by.symbol, d) if symbol is None else written(symbol)
        found = self.difference(lambda x: self.value(f, {by.key: x}), self.value(by))
        return self.hold(shown, found, simple(found))

    def partial(self, of: str, f: Formula, by: Name) -> Name:
        """∂of/∂by as a name, where `of` is what f is called; its value is a difference quotient of f."""
        assert isinstance(by.symbol, Symbol)
        return self.slope(f, by, Partial(read(of), by.symbol))

    def gradient(self, f: Formula, by: Name, symbol: str | Symbol | Partial) -> Name:
        """∂f/∂A for a matrix A, entry by entry a difference quotient of the number f; in the shape of A."""
        at = self.value(by)
        found = np.empty(by.shape, dtype=object)
        for place in np.ndindex(by.shape):

            def moved(x: Any, place: tuple[int, ...] = place) -> Any:
                other = at.copy()
                other[place] = x
                return np.sum(self.value(f, {by.key: other}))

            found[place] = self.difference(moved, at[place])
        return self.held(symbol, found)

    def at(self, letter: str, f: Formula, values: Mapping[Name, Any]) -> Name:
        """What f is where some quantities have other values (numbers or formulas), written z(0, 1)."""
        called = Apply(Function(letter, Symbol(letter)), tuple(map(formula, values.values())))
        return self.hold(Written(called), self.value(f, {name.key: self.value(x) for name, x in values.items()}))

    def difference(self, f: Callable[[Any], Any], at: Any) -> Any:
        """The central difference quotient of a function of one number, right to 80 digits; less than they show is 0."""
        step = digits().number(SMALL)
        above, below = f(at + step), f(at - step)
        return settled((above - below) / (2 * step), above, 65)

    def expected(
        self, symbol: str | Symbol | Written, f: Formula, outcomes: Iterable[tuple[Mapping[Name, Any], Any]]
    ) -> Name:
        """The mean of f over all outcomes: (values of the quantities that vary, probability). Nothing is sampled."""
        total: Any = digits().number(0)
        for values, chance in outcomes:
            total += digits().number(chance) * self.value(f, {n.key: digits().number(v) for n, v in values.items()})
        return self.hold(symbol, total)

    def summed(self, symbol: str | Symbol | Written, term: Formula, index: Name, first: int, last: int) -> Name:
        """The sum of a term over a whole number from first to last, added up one by one."""
        number = digits().number
        return self.hold(
            symbol, sum((self.value(term, {index.key: number(i)}) for i in range(first, last + 1)), number(0))
        )

    def iterated(
        self,
        symbol: str | Symbol | Written,
        rule: Formula,
        old: Name,
        start: Any,
        times: int,
        index: Name | None = None,
    ) -> Name:
        """What comes of a rule applied so many times, one after the other: `old` is the value before.

        index: the number of the step in the rule, counted from 1
        """
        found = self.value(start)
        for i in range(1, times + 1):
            step = {} if index is None else {index.key: digits().number(i)}
            found = self.value(rule, {old.key: found, **step})
        return self.hold(symbol, found)

    def smallest(self, symbol: str | Symbol, f: Formula, by: Name, low: Any, high: Any) -> Name:
        """Where f is smallest between low and high, found by comparing values alone; there it falls, and then rises."""
        left, right = (digits().number(Fraction(end)) for end in (low, high))
        golden = (digits()("sqrt", digits().number(5)) - 1) / 2
        first, second = right - golden * (right - left), left + golden * (right - left)
        at_first, at_second = (self.value(f, {by.key: x}) for x in (first, second))
        for _ in range(SEARCHED):
            if at_first < at_second:
                right, second, at_second = second, first, at_first
                first = right - golden * (right - left)
                at_first = self.value(f, {by.key: first})
            else:
                left, first, at_first = first, second, at_second
                second = left + golden * (right - left)
                at_second = self.value(f, {by.key: second})
        unit = digits().number(FOUND)
        return self.hold(symbol, digits()("floor", (left + right) / 2 / unit + 0.5) * unit)

    def average(self, symbol: str | Symbol | Written, f: Formula, by: Name, low: Any, high: Any) -> Name:
        """The mean of f where a quantity is anything from low to high, all equally likely: by quadrature."""
        first, last = self.value(low), self.value(high)
        return self.hold(symbol, digits().number(area(bind(f, {by: ARGUMENT}), first, last)) / (last - first))

    def integral(self, symbol: str | Symbol | Written, f: Formula, by: Name, low: Any, high: Any) -> Name:
        """The integral from low to high of a function of one variable, by quadrature: it knows no antiderivative."""
        return self.hold(symbol, digits().number(area(bind(f, {by: ARGUMENT}), low, high)))

    # values ---------------------------------------------------------------------------------------------------------
    def value(self, f: Any, other: Mapping[str, Any] | None = None) -> Any:
        """The value of a formula with 150 digits; `other` gives some names' values by their keys."""

        def lookup(name: Name) -> Any:
            return other[name.key] if other and name.key in other else self.values.value(name)

        return evaluate(formula(f), lookup, digits())

    def exactly(self, f: Formula) -> Any:
        """The value as a fraction, or UNKNOWN."""
        if not all(name.scalar for name in names(f)):
            return UNKNOWN
        found = evaluate(f, self.values.known_exactly, EXACT)
        return Fraction(found) if isinstance(found, (int, Fraction)) else UNKNOWN

    def vary(self, f: Formula, by: Name, at: Sequence[float]) -> list[tuple[float, float]]:
        """Points (x, f(x)) of a curve, in floats."""

        def lookup(name: Name) -> Any:
            return np.asarray(at, dtype=float) if name.key == by.key else float(self.values.value(name))

        with np.errstate(all="ignore"):
            found = np.broadcast_to(evaluate(f, lookup, FLOATS), (len(at),))
        return [(float(x), float(y)) for x, y in zip(at, found, strict=True)]


def settled(quotient: Any, value: Any, right: int) -> Any:
    """A difference quotient of a function with such a value; what lies beyond its right digits is 0."""
    tiny = digits().number(Fraction(1, 10**right)) * max(1, abs(value))
    return quotient if abs(quotient) > tiny else digits().number(0)


ARGUMENT = Name("x", symbol=Symbol("x"))


@cache
def quadrature() -> Any:
    """What integrates with 50 digits, and remembers the nodes for it."""
    from mpmath import MPContext

    mp = MPContext()
    mp.dps = DIGITS
    return mp


@cache
def area(f: Formula, low: Any, high: Any) -> Any:
    """The integral of a formula in ARGUMENT alone, right to 40 digits."""
    mp = quadrature()
    first, last = (mp.mpf(digits().number(end)) for end in (low, high))
    ends = mp.linspace(first, last, 2 + int(abs(last - first)) // 4)
    return mp.quadgl(lambda x: evaluate(f, {ARGUMENT: digits().number(x)}.__getitem__, digits()), ends)


def simple(value: Any) -> Fraction | None:
    """The simple fraction that a number is to 60 digits, so that it is shown as exact."""
    found = as_fraction(value).limit_denominator(10**6)
    return found if abs(value - digits().number(found)) < digits().number(Fraction(1, 10**60)) else None


def written(symbol: str | Symbol | Partial | Written) -> Symbol | Partial | Written:
    return read(symbol) if isinstance(symbol, str) else symbol


def read(text: str) -> Symbol:
    """`w`, `w_12`, `a^(1)`, `w^(1)_12`, `θ^+`: a letter with what stands above and below it."""
    base, _, sub = text.partition("_")
    base, _, sup = base.partition("^")
    return Symbol(base, sub, sup)


def kept(value: Any) -> Number:
    """A constant that is written even where it could be left out: the 0 of w·0, the 1 of 1·w."""
    return Number(Fraction(value), str(value))


def named(name: str, glyph: str, parameters: Sequence[Name], body: Formula) -> Function:
    """A function of one's own, to be called in formulas by `Apply(function, arguments)`."""
    return Function(name, Symbol(glyph), tuple(parameters), body)
