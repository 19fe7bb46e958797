"""What an optimizer is given and remembers: its options as leaves, its state from step to step, the rate in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.blocks import matrix, row
from derive.errors import nearest
from derive.graph import Node, leaf
from derive.ids import after, base, state, timed
from derive.labels import Labels
from derive.optimizers import SINGLE, Update
from derive.options import Choice, described, mapping, whole
from derive.source import Item, Number
from derive.spec import Spec, Start
from derive.tensor import Tensor

if TYPE_CHECKING:
    from derive.schedules import Rates


class Memory:
    """Makes an optimizer's updates of some parameters, step after step.

    given: the numbers at the leaves made here · options: the optimizer's options that stand in formulas, by name
    name:  (letter, parameter, step) -> the id of what is computed for a parameter in a step, at 0 before the first
    time:  a leaf for the number of the step, where the formulas are to serve many steps
    conditions: what was asked about that number
    """

    def __init__(
        self,
        optimizer: Choice,
        parameters: Iterable[Node],
        state: Item | None = None,
        labels: Labels | None = None,
        schedule: Choice | None = None,
        name: Callable[[str, Node, int], str] = lambda letter, of, step: timed(f"{letter}.{of.id}", step),
        *,
        time: Node | None = None,
        start: Start | None = None,
    ) -> None:
        self.optimizer, self.parameters = optimizer, {node.id: node for node in parameters}
        self.name = name
        self.given: dict[Node, Tensor] = {}
        self.options: dict[str, Node] = {}
        self.states: dict[str, dict[str, Node]] = {id: {} for id in self.parameters}
        self.named: dict[str, Item] = {}
        lr = self.optimizer.in_force["lr"]
        if lr < 0:
            raise self.optimizer.place("lr").error("lr must not be negative")
        self.base = lr
        if schedule is None:
            self.option("lr", lr)
        self.steps_before = 0
        self.time, self.conditions = time, list[Callable[[int], bool]]()
        if state is not None:
            self.read(state, labels or Labels())
        if start is not None:
            self.go_on(start)
        self.rates = None if schedule is None else self.scheduled(schedule)

    def rate(self, step: int) -> Node:
        """The learning rate in a step."""
        return self.lr if self.rates is None else self.rates.rate(step, self.steps_before + step - 1)

    @property
    def lr(self) -> Node:
        """The optimizer's own rate."""
        return self.option("lr", self.base)

    def scheduled(self, choice: Choice) -> Rates | None:
        """The rates of a schedule, of which epoch 0 is the first step ever; one that listens has the first rate only."""
        from derive.schedules import Plateau, Rates  # files without a schedule do not pay for it

        schedule = choice()
        if isinstance(schedule, Plateau):
            return None
        if schedule.closed is None and self.steps_before:
            raise choice.item.error("this schedule has no closed form: it cannot go on after steps made before")
        if schedule.epochs is not None and self.steps_before >= schedule.epochs:
            raise choice.item.error(f"this schedule is made for {schedule.epochs} steps")
        rates = Rates(choice, schedule, self.base, self.written("lr"), self.given)
        self.options |= rates.options
        first = rates.first(self.steps_before)
        self.optimizer = replace(self.optimizer, options={**self.optimizer.options, "lr": first})
        return rates

    def option(self, name: str, value: Fraction) -> Node:
        """An option as a leaf with its number as it was written; `betas2` is the second of `betas`."""
        if name not in self.options:
            node = self.options[name] = leaf((1, 1), name, "hyper")
            self.given[node] = Tensor.of([[value]], [[self.written(name)]])
        return self.options[name]

    def written(self, name: str) -> str:
        item = self.optimizer.place(name if name in self.optimizer.in_force else name.rstrip("12"))
        if isinstance(item.value, list) and name[-1:].isdigit():
            item = item.value[int(name[-1]) - 1]
        return item.value.text if isinstance(item.value, Number) else ""

    def start(self, parameter: Node, letter: str, value: Fraction, single: bool) -> Node:
        """What an optimizer remembers before the first step: the same number for every entry, or one for all."""
        rows, columns = shape = (1, 1) if single else parameter.shape
        node = leaf(shape, self.name(letter, parameter, 0), "state")
        self.given[node] = Tensor.of([[value] * columns] * rows)
        return node

    def update(
        self, step: int, first: Node, parameter: Node, rate: Node, gradient: Node
    ) -> tuple[tuple[Node, ...], Node]:
        """(the optimizer's lines, the parameter after the step)."""

        def gradient_at(point: Node) -> Node:
            if point is not parameter:
                raise ValueError("the gradient is taken ahead of the parameters; in a network use sgd with nesterov")
            return gradient

        lines, result = self.made(step, first, parameter, rate, gradient_at)
        return lines, result.named(timed(after(base(parameter.id)), step), "updated")

    def made(
        self,
        step: int,
        first: Node,
        parameter: Node,
        rate: Node,
        gradient_at: Callable[[Node], Node],
        time: Node | None = None,
    ) -> tuple[tuple[Node, ...], Node]:
        """(the optimizer's lines, the parameter after the step, without a name); `time` stands for t in formulas."""
        now = Update(
            self.steps_before + step,
            parameter,
            rate,
            gradient_at,
            self.option,
            lambda letter, value, single: self.start(first, letter, value, single),
            self.states[first.id],
            lambda letter: self.name(letter, first, step),
            self.time if time is None else time,
            straight=self.time is not None,
        )
        result = now.result(self.optimizer(now))
        self.states[first.id] = now.after
        self.conditions = now.conditions
        for letter, item in self.named.items():
            if letter not in now.after:
                known = ", ".join(now.after) or "nothing"
                raise item.at_key().error(f"{self.optimizer.name} does not remember '{letter}'; it remembers {known}")
        return tuple(now.lines), result

    # the state the file gives -----------------------------------------------------------------------------------------
    def read(self, item: Item, labels: Labels) -> None:
        """`{m: 0, v: {W1: [[…]], b1: 0.1}, step: 5}`: numbers for every entry, or for some parameters."""
        for letter, value in mapping(item).items():
            if letter == "step":
                self.steps_before = whole(value, 0, 10**9)
                continue
            by_name = dict.fromkeys(self.parameters, value)
            if isinstance(value.value, dict):
                by_name = {labels.whole.get(name, name): part for name, part in value.value.items()}
            for name, part in by_name.items():
                if name not in self.parameters:
                    raise part.at_key().error(f"state: '{name}' is no parameter.{nearest(name, self.parameters)}")
                self.hold(letter, self.parameters[name], part)

    def go_on(self, start: Start) -> None:
        """From where training has stopped."""
        self.steps_before = start.steps
        self.states = {id: {} for id in self.parameters}
        for id, tensor in start.state.items():
            letter, of = state(id)
            node = self.states[of][letter] = leaf(tensor.shape, f"{id}@0", "state")
            self.given[node] = tensor

    def hold(self, letter: str, parameter: Node, item: Item) -> None:
        shape = (1, 1) if letter in SINGLE else parameter.shape
        node = leaf(shape, self.name(letter, parameter, 0), "state")
        self.given[node] = filled(item, node)
        self.named[letter] = item
        self.states[parameter.id][letter] = node


def memory_of(spec: Spec, parameters: Iterable[Node], labels: Labels, time: Node | None = None) -> Memory:
    """The memory a file asks for."""
    assert spec.optimizer is not None
    return Memory(spec.optimizer, parameters, spec.state, labels, spec.schedule, time=time, start=spec.start)


def filled(item: Item, parameter: Node) -> Tensor:
    """Numbers in the shape of a parameter: one for all, or every entry."""
    rows, columns = parameter.shape
    match item.value:
        case Number(text=written, exact=exact):
            return Tensor.of([[exact] * columns] * rows, [[written] * columns] * rows)
        case list() as values if values:
            found = matrix(item, "state") if isinstance(values[0].value, list) else row(item, "state")
            if found.shape == parameter.shape:
                return found
            raise item.error(
                f"{parameter.id} has {rows} × {columns} entries, these are {found.shape[0]} × {found.shape[1]}"
            )
    raise item.error(f"expected a number or a list, not {described(item)}")
