"""A schedule of the formula sheet on the board: its rates by its recursion, its formulas in the names of a lesson."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from derive.algebra import EXACT, digits
from derive.board import Board
from derive.document import Form, Line
from derive.formula import Formula, Name, Number, Symbol, bind
from derive.schedules import BASE, BEFORE, E, Schedule, by_recursion, in_epoch, rates, schedules, value

Points = list[tuple[float, float]]


class Rates:
    """The rates of a schedule in an epoch e, which is drawn, and in the epoch before: each by the recursion from η₀.

    options: the names of the lesson for those of the sheet · epochs: from which e is drawn
    """

    def __init__(self, b: Board, schedule: Schedule, options: Mapping[Name, Formula], epochs: tuple[int, int]) -> None:
        self.b, self.schedule = b, schedule
        self.e = b.whole("e", *epochs)
        self.base = b.free(Symbol("η", sub="0" if schedule.first == BASE else "base"), Fraction(1, 100), 1)
        self.options = {**options, BASE: self.base}
        self.last = int(b.values.known_exactly(self.e))
        self.first = bind(schedule.first, self.options)
        self.start = b.defined("η_0", self.first)
        self.before = self.rate("e−1", self.last - 1)
        self.now = self.rate("e", self.last)

    def rate(self, index: str, epoch: int) -> Name:
        """The rate of an epoch, by the recursion from the first on."""
        constants = {name: self.b.exactly(f) for name, f in self.options.items() if name != BASE}
        known = replace(self.schedule, constants=constants)
        rate = by_recursion(known, self.b.exactly(self.base), epoch + 1, digits())[-1]
        return self.b.hold(Symbol("η", sub=index), rate)

    @property
    def recursion(self) -> Formula:
        """The rate of epoch e from the one before."""
        assert self.schedule.recursion is not None
        return bind(self.schedule.recursion, {**self.options, E: self.e, BEFORE: self.before})

    def closed(self, epoch: Formula | int | None = None) -> Formula:
        """The sheet's closed form, in epoch e or another one."""
        assert self.schedule.closed is not None
        at = self.e if epoch is None else Number(Fraction(epoch)) if isinstance(epoch, int) else epoch
        return bind(self.schedule.closed, {**self.options, E: at})


def sheet(name: str, **options: Any) -> Schedule:
    """A schedule of the sheet."""
    found = schedules[name](**options)
    assert isinstance(found, Schedule)
    return found


def worked(b: Board, schedule: Schedule, base: Any, epochs: Iterable[int]) -> tuple[Line, ...]:
    """The rates of some epochs in numbers, by the closed form, in the case that applies."""
    assert schedule.closed is not None
    known = {name: b.number(letter(name), value) for name, value in schedule.constants.items()}
    known[BASE] = b.number(Symbol("η", sub="0" if schedule.first == BASE else "base"), base)
    lines = []
    for epoch in epochs:
        found = bind(schedule.closed, {**known, E: b.number("e", epoch)})
        taken, condition = b.desk.reader.resolved(found)
        here = in_epoch(schedule, Fraction(base), epoch)
        rate = b.hold(Symbol("η", sub=str(epoch)), *(value(schedule.closed, here, kind) for kind in (digits(), EXACT)))
        lines.append(Line(rate, (Form(taken),), condition=condition))
    return tuple(lines)


def letter(name: Name) -> Symbol:
    assert isinstance(name.symbol, Symbol)
    return name.symbol


def stairs(schedule: Schedule, base: Fraction, epochs: int) -> Points:
    """The rate of every epoch, for a chart; the last holds until the end."""
    found = [float(rate) for rate in rates(schedule, base, epochs)]
    return [*((float(e), rate) for e, rate in enumerate(found)), (float(epochs), found[-1])]
