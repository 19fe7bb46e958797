"""The blackboard a lesson is written on: quantities with values to check by, equalities, steps, charts.

A free quantity has a value drawn for the check, another one every time the lesson is written, and no line shows it.
Whatever stands to the left of an equal sign has a value found by another way than the right side's: its own formula, a
difference quotient, the enumeration of all outcomes. So a false equality cannot be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import Any

import numpy as np

from derive.algebra import DIGITS, EXACT, FLOATS, UNKNOWN, Value, digits, evaluate
from derive.contract import Contract
from derive.differentiation import moves, taught
from derive.document import Block, Cell, Figure, Form, Line, Say, Step, Table, say
from derive.figures.chart import Axis, Chart, Curve
from derive.formula import Formula, Function, Name, Partial, Symbol, Written, formula, is_scalar, names
from derive.graph import Node, leaf
from derive.language import Both, Words
from derive.numerals import Policy
from derive.studies.base import Desk
from derive.studies.calculation import Calculation

SMALL = Fraction(1, 10**40)  # the step of a difference quotient, with 150 digits: 80 of its digits are right
POINTS = 161  # of a curve
Sentence = Both | Say


class Plain(Contract):
    """Numbers, vectors and matrices as they are."""

    def shape(self, node: Node) -> tuple[int, ...]:
        rows, columns = node.shape
        return () if rows == columns == 1 else (max(rows, columns),) if 1 in node.shape else (rows, columns)


@dataclass
class Claim:
    """Two formulas that a common mistake takes to be equal: they have to differ."""

    wrong: Formula
    right: Formula
    differ: bool = False


class Board:
    """One writing of a lesson. Every method that makes a quantity gives its `Name`, to write formulas with.

    seed: which values the free quantities get · calculation: a study whose quantities the lesson speaks of
    """

    def __init__(
        self, words: Words, policy: Policy, seed: int, calculation: Calculation | None = None, topic: str = "lesson"
    ) -> None:
        self.words, self.policy, self.random, self.topic = words, policy, Random(seed), topic
        self.desk = Desk(calculation or Calculation((), {}, contract=Plain(False, frozenset())), policy, words)
        self.values = self.desk.values
        self.count = 0
        self.claims: list[Claim] = []

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

    def held(self, symbol: str | Symbol | Written, exact: Value) -> Name:
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
        return Name(id, (), shown, (rows, columns), scalar=False)

    def product(self, symbol: str | Symbol | Written, f: Formula) -> Name:
        """A matrix that is what a formula of matrices says."""
        return self.held(symbol, np.asarray(self.value(f), dtype=object))

    def entry(self, matrix: Name, row: int, column: int = 1, symbol: str | Symbol | None = None) -> Name:
        """An entry of a matrix, counted from 1: w₁₂ of W, x₂ of a vector x."""
        rows, columns = matrix.shape
        vector = 1 in matrix.shape
        index = (max(row, column),) if vector else (row, column)
        assert isinstance(matrix.symbol, Symbol)
        base, sub = matrix.symbol.base.lower(), "".join(map(str, index))
        named = Symbol(base, ",".join(filter(None, (matrix.symbol.sub, sub))), matrix.symbol.sup)
        if symbol is not None:
            named = symbol if isinstance(symbol, Symbol) else read(symbol)
        return Name(matrix.id, index, named, (rows, columns))

    def slope(self, f: Formula, by: Name, symbol: str | Symbol | Partial | None = None, d: str = "d") -> Name:
        """df/dx as a name, d/dx (f) unless it has a symbol; its value is a difference quotient of f, no rule's."""
        assert isinstance(by.symbol, Symbol)
        shown = Written(f, by.symbol, d) if symbol is None else written(symbol)
        return self.hold(shown, self.difference(lambda x: self.value(f, {by.key: x}), self.value(by)))

    def difference(self, f: Callable[[Any], Any], at: Any) -> Any:
        """The central difference quotient of a function of one number, right to 80 digits."""
        step = digits().number(SMALL)
        return (f(at + step) - f(at - step)) / (2 * step)

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

    # writing --------------------------------------------------------------------------------------------------------
    def line(self, left: Any, *forms: Any, numbers: bool = False) -> Line:
        """left = form = form …; with `numbers` the last form is also written in numbers, with its value.

        left: a name, or a formula, which then stands to the left as it is
        """
        left = formula(left)
        if isinstance(left, Name):
            target = left
        elif is_scalar(left):
            target = self.defined(Written(left), left)
        else:
            target = self.product(Written(left), left)
        return Line(target, tuple(Form(formula(f), numbers=numbers) for f in forms), has_value=numbers)

    def step(self, title: Sentence, why: Sentence | Sequence[Sentence], *lines: Line, fold: bool = False) -> Step:
        """Equalities under a title, with the reason why they hold."""
        reasons = (why,) if isinstance(why, Both | Say) else tuple(why)
        return Step(self.new("step"), said(title), tuple(map(said, reasons)), lines, fold=fold)

    def differentiated(
        self, f: Formula, by: Name, left: Name | None = None, shown: Formula | None = None
    ) -> Iterator[Step]:
        """The derivative of f step by step, one named rule each, down to `shown`, or the form in which it is taught.

        left: what the derivative is called; d/dx (f) if it has no name. The value of it is a difference quotient's.
        """
        target = left or self.slope(f, by)
        last: Formula = target
        for move in moves(f, by, lambda part: self.slope(part, by)):
            first = last == target and left is not None
            before = (Form(self.slope(f, by), numbers=False),) if first else ()
            line = Line(target, (*before, Form(move.formula, numbers=False)), has_value=False)
            yield Step(
                self.new("step"), say(f"rule.title.{move.rule}"), (say(f"rule.{move.rule}", **move.parts),), (line,)
            )
            last = move.formula
        end = shown if shown is not None else taught(f, last, by, lambda g, x: self.value(g, {by.key: x}))
        if end is not None and end != last:
            yield Step(
                self.new("step"),
                say("rule.title.simplified"),
                (say("rule.simplified"),),
                (Line(target, (Form(last, numbers=False), Form(end, numbers=False)), has_value=False),),
            )

    def table(self, title: Sentence, header: Sequence[Cell | Both], rows: Iterable[Sequence[Cell | Both]]) -> Table:
        """A table; cells are names' amounts, formulas, texts or sentences."""
        cells = [tuple(cell_of(c) for c in row) for row in rows]
        return Table(self.new("table"), said(title), tuple(cell_of(c) for c in header), tuple(cells))

    def chart(
        self,
        title: Both,
        x: Both | str,
        y: Both | str,
        curves: Mapping[str | Both, Sequence[tuple[float, float]]],
        **more: Any,
    ) -> Figure:
        """A chart of curves, by what they are called.

        more: log_x, log_y, style (line, steps, dots, path), styles (of single curves), contours (level lines behind)
        """
        styles = {label: more.get("style", "line") for label in curves} | more.get("styles", {})
        drawn = tuple(Curve(self.text(label), tuple(points), styles[label]) for label, points in curves.items())
        axes = Axis(self.text(x), more.get("log_x", False)), Axis(self.text(y), more.get("log_y", False))
        return Figure(self.new("figure"), said(title), Chart(self.text(title), *axes, drawn, more.get("contours")))

    def text(self, words: str | Both) -> str:
        """A text in the reader's language."""
        return words if isinstance(words, str) else self.words.plain(words)

    def mistake(self, wrong: Formula, right: Formula) -> None:
        """Two formulas that somebody takes for equal: the lesson is refused unless they differ."""
        difference = abs(digits().number(1) * self.value(wrong) - self.value(right))
        self.claims.append(Claim(wrong, right, bool(difference > digits().number(Fraction(1, 10**DIGITS)))))


def said(words: Sentence) -> Say:
    return words if isinstance(words, Say) else say(words)


def cell_of(cell: Cell | Both) -> Cell:
    return say(cell) if isinstance(cell, Both) else cell


def written(symbol: str | Symbol | Partial | Written) -> Symbol | Partial | Written:
    return read(symbol) if isinstance(symbol, str) else symbol


def read(text: str) -> Symbol:
    """`w`, `w_12`, `a^(1)`, `w^(1)_12`, `θ^+`: a letter with what stands above and below it."""
    base, _, sub = text.partition("_")
    base, _, sup = base.partition("^")
    return Symbol(base, sub, sup)


def grid(low: float, high: float, points: int = POINTS) -> list[float]:
    """Arguments of a curve."""
    return [low + (high - low) * i / (points - 1) for i in range(points)]


def both(en: str, zh: str) -> Both:
    """A sentence in both languages; {places} are filled with formulas and numbers by `say`."""
    return Both(en, zh)


def named(name: str, glyph: str, parameters: Sequence[Name], body: Formula) -> Function:
    """A function of one's own, to be called in formulas by `Apply(function, arguments)`."""
    return Function(name, Symbol(glyph), tuple(parameters), body)


@dataclass(frozen=True)
class Mistake:
    """What is often written, and what is true.

    claim: the two formulas that the mistake takes to be equal; they are checked to differ
    """

    wrong: Both
    right: Both
    claim: Callable[[Board], tuple[Formula, Formula]] | None = None


Writer = Callable[[Board], Iterable[Block]]

#: The chapters of the book, in order.
CHAPTERS = (
    "network",
    "activations",
    "losses",
    "gradients",
    "initialization",
    "optimizers",
    "schedules",
    "regularization",
)


@dataclass(frozen=True)
class Lesson:
    """A topic: where a formula comes from, from the definition to the result.

    title:      what it is called · short: the result, in a sentence or two, under the title
    chapter:    one of CHAPTERS · position: its place there
    derivation: the steps, each with its reason · numbers: a small example, worked
    picture:    charts, where people would rather look · why: why it matters
    mistakes:   what is often written, and what is true
    network:    a net.yaml in which it is at work ("" where it belongs to no option) · see: ids of related topics
    study:      the calculation of a study whose quantities the lesson speaks of
    """

    title: Both
    short: Both
    chapter: str
    position: int
    derivation: Writer
    numbers: Writer
    why: Both | tuple[Both, ...]
    picture: Writer | None = None
    mistakes: tuple[Mistake, ...] = ()
    network: str = ""
    see: tuple[str, ...] = ()
    study: Callable[[], Calculation] | None = None
