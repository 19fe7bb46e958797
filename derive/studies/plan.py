"""What the parts of a page about a schedule share: its options and rates as named values, its formulas in an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property

import numpy as np

from derive.algebra import Value, digits
from derive.document import Form, Line
from derive.formula import Apply, Formula, Name, Number, Symbol, bind, names, rebuild, walk
from derive.graph import Node, leaf
from derive.language import Words
from derive.numerals import Policy
from derive.schedules import BASE, BEFORE, E, Schedule, option_id, settled, written
from derive.spelling import finite_decimal
from derive.studies.base import Desk
from derive.studies.calculation import Calculation
from derive.studies.timetable import Timetable, floats, precise
from derive.tensor import Tensor


class Plan:
    """A timetable on a desk: its options have values, and so have the rates of the epochs that are asked for."""

    def __init__(self, table: Timetable, policy: Policy, words: Words) -> None:
        self.table = table
        with np.errstate(all="ignore"):
            self.floats = floats(table, policy)
        if (wrong := next((e for e, rate in enumerate(self.floats) if not np.isfinite(rate)), None)) is not None:
            raise table.choice.item.error(f"the rate of epoch {wrong} is not finite")
        self.own = ({BASE: table.base} if table.has_base else {}) | dict(table.constants)
        given: dict[Node, Tensor] = {}
        for name, number in self.own.items():
            text = table.base_text or finite_decimal(number) if name == BASE else written(table.choice, name, number)
            given[leaf((1, 1), option_id(name), "hyper")] = Tensor.of([[number]], [[text]])
        letters = {option_id(name): self.symbol(name) for name in self.own}
        self.desk = Desk(Calculation(tuple(given), given, letters=letters), policy, words)
        self.held: set[int] = set()

    def symbol(self, name: Name) -> Symbol:
        """A name's symbol; η₀ is the rate of epoch 0, so where that is another the base rate is η_base."""
        schedule = self.table.schedule
        if name == BASE and isinstance(schedule, Schedule) and schedule.first != BASE:
            return Symbol("η", sub="base")
        assert isinstance(name.symbol, Symbol)
        return name.symbol

    @cached_property
    def letters(self) -> Mapping[Name, Formula]:
        """The names of the schedule's formulas as those of the page."""
        return {name: Name(option_id(name), (), self.symbol(name)) for name in self.own}

    # rates ------------------------------------------------------------------------------------------------------------
    def rate(self, epoch: int, index: str = "") -> Name:
        """The rate of an epoch; in a general formula its index is a letter."""
        return Name(f"lr@{epoch}", (), Symbol("η", sub=index or str(epoch)))

    def hold(self, epochs: Iterable[int]) -> None:
        """Gives the rates of some epochs their values."""
        wanted = set(epochs) - self.held
        if wanted and isinstance(self.table.schedule, Schedule):
            found = precise(self.table.schedule, self.table.base, wanted, self.desk.policy)
            for epoch, (rate, exact) in found.items():
                self.keep(epoch, rate, exact)

    def keep(self, epoch: int, rate: Value, exact: Value) -> None:
        self.desk.values.hold(f"lr@{epoch}", rate, exact)
        self.held.add(epoch)

    # formulas ---------------------------------------------------------------------------------------------------------
    def formula(self, f: Formula, epoch: int, before: Name | None = None) -> Formula:
        """A formula of the schedule in an epoch: e has its number."""
        e = Name(f"epoch@{epoch}", (), Symbol("e"))
        self.desk.values.define(e, digits().number(Fraction(epoch)), Fraction(epoch))
        return bind(f, {**self.letters, E: e, BEFORE: before or self.rate(epoch - 1)})

    def lines(self, epoch: int, formula: Formula) -> tuple[Line, ...]:
        """The rate of an epoch by a formula, in the case that applies; the number of restarts has a line of its own."""
        found, condition = self.desk.reader.resolved(formula)
        found, restarts = self.restarted(found, epoch)
        same = isinstance(found, Name) and found.symbol == self.rate(epoch).symbol  # η₀ = η₀
        line = Line(self.rate(epoch), () if same else (Form(found),), condition=condition)
        return (restarts, line) if restarts else (line,)

    def restarts_from(self, schedule: Schedule) -> Iterator[int]:
        """The milestones of a schedule with restarts whose number is a logarithm: there is none before it begins."""
        if schedule.closed is not None and any(map(logarithmic, floors(schedule.closed))):
            yield from (int(epoch) for name, epoch in self.table.constants.items() if name.id == "milestones")

    def restarted(self, f: Formula, epoch: int, *, values: bool = True) -> tuple[Formula, Line | None]:
        """A formula with the letter i for how many restarts there were, and the line of that number."""
        counts = [part for part in floors(f) if logarithmic(part)]
        if not counts:
            return f, None
        i = Name(f"restarts@{epoch}", (), Symbol("i"))
        known = {option_id(name): number for name, number in self.own.items()} | {f"epoch@{epoch}": Fraction(epoch)}
        number = settled(counts[0], {name: known[name.id] for name in names(counts[0])})
        assert isinstance(number, Number)
        self.desk.values.hold(i.id, digits().number(number.value), number.value)
        return exchanged(f, counts[0], i), Line(i, (Form(counts[0]),), has_value=values)


def floors(f: Formula) -> Iterator[Apply]:
    return (part for part in walk(f) if isinstance(part, Apply) and part.head == "floor")


def logarithmic(floor: Apply) -> bool:
    return any(isinstance(part, Apply) and part.head == "log" for part in walk(floor))


def exchanged(f: Formula, old: Formula, new: Formula) -> Formula:
    """A formula with one part exchanged wherever it stands."""
    if f == old:
        return new
    return rebuild(f.head, tuple(exchanged(arg, old, new) for arg in f.args), f.axis) if isinstance(f, Apply) else f
