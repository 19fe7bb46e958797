"""The blackboard a lesson is written on: quantities with values to check by, equalities, steps, charts.

A free quantity has a value drawn for the check, another one every time the lesson is written, and no line shows it.
Whatever stands to the left of an equal sign has a value found by another way than the right side's: its own formula, a
difference quotient, the enumeration of all outcomes. So a false equality cannot be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from derive.algebra import DIGITS, FLOATS, UNKNOWN, digits, evaluate
from derive.dialects.text import Text
from derive.differentiation import moves, taught
from derive.document import Block, Cell, Figure, Form, Line, Say, Step, Table, say
from derive.expression import SIGMOID
from derive.figures.chart import Axis, Chart, Contours, Curve
from derive.formula import (
    Apply,
    Formula,
    Name,
    Written,
    bind,
    formula,
    is_scalar,
    walk,
)
from derive.language import Both, Words
from derive.measuring import SMALL, Measuring
from derive.numerals import Policy
from derive.spelling import spell
from derive.studies.calculation import Calculation

POINTS = 161  # of a curve
GRID = 61  # points along each side of a plane with level lines
Sentence = Both | Say


@dataclass
class Claim:
    """Two formulas that a common mistake takes to be equal: they have to differ."""

    wrong: Formula
    right: Formula
    differ: bool = False


class Board(Measuring):
    """One writing of a lesson: its lines, steps, tables and charts.

    The arguments are those of `Measuring`, whose methods make the quantities.
    """

    def __init__(
        self, words: Words, policy: Policy, seed: int, calculation: Calculation | None = None, topic: str = "lesson"
    ) -> None:
        super().__init__(words, policy, seed, calculation, topic)
        self.words = words
        self.claims: list[Claim] = []

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
        if numbers:
            self.recognise(target, formula(forms[-1]))
        return Line(target, tuple(Form(formula(f), numbers=numbers) for f in forms), has_value=numbers)

    def recognise(self, target: Name, f: Formula) -> None:
        """A measured value that a formula gives in fractions is that fraction: a slope of 6.000… is shown as 6."""
        close = digits().number(SMALL)
        if target.scalar and target.id in self.values.extra:
            value, exact = self.values.extra[target.id]
            found = self.exactly(f) if exact is UNKNOWN else UNKNOWN
            if isinstance(found, Fraction) and abs(value - digits().number(found)) < close:
                self.values.define(target, value, found)
        elif not target.scalar:
            whole = self.exact_matrix(f)
            if whole is not None and whole.shape == self.values.arrays[target.id].shape:
                apart = abs(self.values.arrays[target.id] - np.frompyfunc(digits().number, 1, 1)(whole))
                if all(x < close for x in apart.ravel()):
                    self.values.exact[target.id] = whole

    def step(self, title: Sentence, why: Sentence | Sequence[Sentence], *lines: Line, fold: bool = False) -> Step:
        """Equalities under a title, with the reason why they hold."""
        reasons = (why,) if isinstance(why, Both | Say) else tuple(why)
        return Step(self.new("step"), said(title), tuple(map(said, reasons)), lines, fold=fold)

    def differentiated(
        self, f: Formula, by: Name, left: Name | None = None, shown: Formula | None = None, d: str = "d"
    ) -> Iterator[Step]:
        """The derivative of f step by step, one named rule each, down to `shown`, or the form in which it is taught.

        left: what the derivative is called; d/dx (f) if it has no name. The value of it is a difference quotient's.
        d:    ∂ where f depends on more than x
        """
        target = left or self.slope(f, by, d=d)
        last: Formula = target
        for move in moves(f, by, lambda part: self.slope(part, by, d=d)):
            forms: list[Formula] = [] if left is None or last != target else [self.slope(f, by, d=d)]
            forms += [move.formula] if move.raw == move.formula else [move.raw, move.formula]
            reasons = tuple(say(f"rule.{rule}", **parts) for rule, parts in move.reasons)
            yield Step(self.new("step"), say(f"rule.title.{move.rule}"), reasons, (self.chain(target, *forms),))
            last = move.formula
        end = shown if shown is not None else taught(f, last, by, self.value)
        if end is not None and end != last:
            lines = [self.chain(target, last, end)]
            if sigmoids(end) and not sigmoids(f):
                s = sigmoids(end)[0]
                lines = [self.line(s, *unfolded(s)), self.chain(target, last, *unfolded(end), end)]
            yield Step(self.new("step"), say("rule.title.simplified"), (say("rule.simplified"),), tuple(lines))

    def chain(self, target: Name, *forms: Formula) -> Line:
        """target = form = form …, in symbols."""
        return Line(target, tuple(Form(form, numbers=False) for form in forms), has_value=False)

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

    def plane(
        self,
        title: Both,
        f: Formula,
        x: Name,
        y: Name,
        across: tuple[float, float],
        up: tuple[float, float],
        curves: Sequence[Curve],
    ) -> Figure:
        """The level lines of f over the plane of two names, with curves on them, each in its own style."""
        xs, ys = grid(*across, GRID), grid(*up, GRID)
        at: dict[str, Any] = {x.key: np.array(xs)[None, :], y.key: np.array(ys)[:, None]}
        heights = evaluate(f, lambda name: at[name.key] if name.key in at else float(self.values.value(name)), FLOATS)
        rows = np.broadcast_to(heights, (GRID, GRID)).tolist()
        axes = Axis(spell(x, Text())), Axis(spell(y, Text()))
        levels = Contours(tuple(xs), tuple(ys), tuple(map(tuple, rows)))
        return Figure(
            self.new("figure"),
            said(title),
            Chart(self.text(title), *axes, tuple(curves), levels),
        )

    def text(self, words: str | Both) -> str:
        """A text in the reader's language."""
        return words if isinstance(words, str) else self.words.plain(words)

    def mistake(self, wrong: Formula, right: Formula) -> None:
        """Two formulas that somebody takes for equal: the lesson is refused unless they differ."""
        difference = abs(digits().number(1) * self.value(wrong) - self.value(right))
        self.claims.append(Claim(wrong, right, bool(difference > digits().number(Fraction(1, 10**DIGITS)))))


def sigmoids(f: Formula) -> list[Apply]:
    """The places where a formula uses the sigmoid by its name."""
    return [part for part in walk(f) if isinstance(part, Apply) and part.head == SIGMOID]


def unfolded(f: Formula) -> tuple[Formula, ...]:
    """The formula with the sigmoid in it written out, if it is there."""

    def out(part: Formula) -> Formula:
        if not isinstance(part, Apply):
            return part
        args = tuple(map(out, part.args))
        if part.head == SIGMOID:
            assert SIGMOID.body is not None
            return bind(SIGMOID.body, dict(zip(SIGMOID.parameters, args, strict=True)))
        return Apply(part.head, args, part.axis)

    return (out(f),) if sigmoids(f) else ()


def said(words: Sentence) -> Say:
    return words if isinstance(words, Say) else say(words)


def cell_of(cell: Cell | Both) -> Cell:
    return say(cell) if isinstance(cell, Both) else cell


def grid(low: float, high: float, points: int = POINTS) -> list[float]:
    """Arguments of a curve."""
    return [low + (high - low) * i / (points - 1) for i in range(points)]


def both(en: str, zh: str) -> Both:
    """A sentence in both languages; {places} are filled with formulas and numbers by `say`."""
    return Both(en, zh)


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
