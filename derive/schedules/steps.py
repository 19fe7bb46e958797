"""A schedule at work: the rate of every training step as a node of the graph, or as a number in a training loop."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derive.algebra import EXACT, FORMULAS, UNKNOWN, Algebra, Value, digits, evaluate
from derive.formula import Formula, Name, Symbol, names
from derive.graph import Node, leaf
from derive.ids import timed
from derive.ops.base import Rule, ruled
from derive.options import Choice, choose, sequence
from derive.schedules.base import BASE, BEFORE, E, Schedule, in_epoch, rate_function, settled, value
from derive.schedules.plateau import Listening, Plateau
from derive.schedules.sheet import schedules
from derive.source import Item, Number
from derive.spelling import finite_decimal
from derive.tensor import Tensor


@dataclass(frozen=True)
class InEpoch(Rule):
    """A schedule's formula in one epoch: written as it is, worked out with its choices made and its floors taken."""

    exactly: Formula

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        if algebra is FORMULAS:
            return super().eval(algebra, *values)
        return evaluate(self.exactly, dict(zip(self.parameters, values, strict=True)).__getitem__, algebra)


def option_id(name: Name) -> str:
    """The id of a number in a schedule's formulas: `gamma`, `milestones2`; of the optimizer's rate it is `base_lr`."""
    if name == BASE:
        return "base_lr"
    id = "cycle_base_lr" if name.id == "base_lr" else name.id  # CyclicLR has a base_lr of its own
    return id + ".".join(map(str, name.index))


def written(choice: Choice, name: Name, number: Fraction) -> str:
    """A number of a schedule as the file writes it; a default as a decimal, or as the fraction it is."""
    given = choice.place(name.id).value
    if isinstance(given, Number) and not name.index:
        return given.text
    return finite_decimal(number) or str(number)


class Rates:
    """The learning rates of training steps as nodes; step s is epoch s − 1.

    given: the numbers at the leaves · letters: how the base rate and the options are written, by id, where they matter
    """

    def __init__(
        self, choice: Choice, schedule: Schedule, base: Fraction, text: str, given: dict[Node, Tensor]
    ) -> None:
        self.schedule, self.base, self.given = schedule, base, given
        self.letters: dict[str, Symbol] = {}
        self.nodes: dict[Name, Node] = {}
        self.made: dict[int, Node] = {}
        used = {name for f in (schedule.first, schedule.step, schedule.closed) if f is not None for name in names(f)}
        for name, number in {BASE: base, **schedule.constants}.items():
            node = self.nodes[name] = leaf((1, 1), option_id(name), "hyper")
            self.given[node] = Tensor.of([[number]], [[text if name == BASE else written(choice, name, number)]])
            if name in used and isinstance(name.symbol, Symbol):
                self.letters[node.id] = name.symbol

    @property
    def options(self) -> dict[str, Node]:
        return {node.id: node for node in self.nodes.values()}

    def rate(self, step: int, epoch: int) -> Node:
        """The rate of a worked step, which is in this epoch."""
        if epoch not in self.made:
            epochs = leaf((1, 1), timed("epoch", step), "hyper")
            self.given[epochs] = Tensor.of([[Fraction(epoch)]], [[str(epoch)]])
            nodes = {**self.nodes, E: epochs}
            formula = self.schedule.closed
            if formula is None and epoch:
                formula, nodes[BEFORE] = self.schedule.step, self.rate(step - 1, epoch - 1)
            formula = self.schedule.first if formula is None else formula
            node = ruled(formula, nodes)
            at = in_epoch(self.schedule, self.base, epoch)
            assert isinstance(node.op, Rule)
            op = InEpoch(node.op.body, node.op.parameters, settled(formula, at))
            self.made[epoch] = Node(op, node.inputs, (1, 1), timed("lr", step), "hyper")
        return self.made[epoch]

    def first(self, epoch: int) -> Fraction:
        """The rate of an epoch as a fraction, rounded to many digits where it is none."""
        exact, rounded = (rate_in(self.schedule, self.base, epoch, algebra) for algebra in (EXACT, digits()))
        return Fraction(str(rounded)) if exact is UNKNOWN else Fraction(exact)


def rate_in(schedule: Schedule, base: Fraction, epoch: int, algebra: Algebra) -> Value:
    """The rate of one epoch; without a closed form, of epoch 0."""
    formula = schedule.first if schedule.closed is None else schedule.closed
    return value(formula, in_epoch(schedule, base, epoch), algebra)


class Pace:
    """The rates of a training loop, asked for step by step; a schedule that listens is told the loss of each.

    Steps are counted from 1. Where an epoch has several, they are asked for, and heard of, by the epoch.
    """

    def __init__(self, schedule: Schedule | Plateau, base: Fraction) -> None:
        self.listening: Listening | None = None
        if isinstance(schedule, Plateau):
            self.listening = schedule.start(base)
        else:
            self.of_epoch = rate_function(schedule, base)

    def rate(self, step: int) -> float:
        """The rate in force in a step."""
        return self.of_epoch(step - 1) if self.listening is None else float(self.listening.rate)

    def heard(self, loss: float) -> None:
        """The end of a step with its loss, or whatever else the schedule is to listen to."""
        if self.listening is not None:
            self.listening.step(loss)


def start(schedule: Schedule | Plateau, base: Fraction) -> Pace:
    """A schedule before the first step of a training loop, from the optimizer's rate: the same for all schedules."""
    return Pace(schedule, base)


def options_in_force(choice: Choice) -> dict[str, Any]:
    """A schedule with its options as plain values, those it is made of inside it."""

    def plain(value: Any, item: Item) -> Any:
        if isinstance(value, tuple) and value and isinstance(value[0], (Schedule, Plateau)):
            return [options_in_force(choose(part, schedules)) for part in sequence(item)]
        if isinstance(value, tuple):
            return [plain(part, item) for part in value]
        return float(value) if isinstance(value, Fraction) else value

    return {choice.name: {name: plain(value, choice.place(name)) for name, value in choice.in_force.items()}}
