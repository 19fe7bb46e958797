"""What `derive optimizer` is given: an optimizer, and a function to descend or the gradients themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from derive.algebra import FLOATS, Value
from derive.calculus import derivative
from derive.errors import nearest
from derive.expression import parse, variable, variables_of
from derive.formula import Formula, Name, Symbol
from derive.graph import Node, Same, apply, evaluate, leaf
from derive.memory import Memory
from derive.ops.entries import Entries
from derive.optimizers import optimizers
from derive.options import Choice, choose, mapping, number, sequence, text, whole
from derive.source import Item, Number
from derive.spec import MAX_STEPS
from derive.tensor import Tensor

MAX_VARIABLES = 100
MAX_WORK = 4_000  # steps times variables
MAX_DIVERGED = 1e100  # beyond, squares are no longer numbers


@dataclass(frozen=True)
class Descent:
    """A checked file of `derive optimizer`.

    function:  what is descended, in the `variables` · gradients: given instead, one row for each step
    start:     the parameters before the first step · compare: other optimizers on the same way
    """

    item: Item
    optimizer: Choice
    variables: tuple[Name, ...]
    start: Tensor
    steps: int
    function: Formula | None = None
    gradients: Tensor | None = None
    state: Item | None = None
    compare: tuple[Choice, ...] = ()
    name: str = ""

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        found = (name.symbol for name in self.variables)
        return tuple(symbol if isinstance(symbol, Symbol) else Symbol("θ") for symbol in found)


KEYS = ("name", "optimizer", "function", "gradients", "start", "steps", "state", "compare", "numbers")
DEFAULT_STEPS = 10


def read(item: Item) -> Descent:
    """The file, or what the command line says in its place."""
    given = {key: value for key, value in mapping(item).items() if value.value is not None}
    for key, value in given.items():
        if key not in KEYS:
            raise value.at_key().error(f"unknown key '{key}'.{nearest(key, KEYS)}")
    if "optimizer" not in given:
        raise item.error("there is no optimizer")
    if ("function" in given) == ("gradients" in given):
        raise item.error("give a function to descend, or gradients: one of the two")
    optimizer = choose(given["optimizer"], optimizers)
    compare = tuple(choose(part, optimizers) for part in sequence(given["compare"])) if "compare" in given else ()
    common: dict[str, Any] = {
        "state": given.get("state"),
        "compare": compare,
        "name": text(given["name"]) if "name" in given else "",
    }
    if "gradients" in given:
        rows = gradients(given["gradients"])
        if "steps" in given and whole(given["steps"], 1, MAX_STEPS) != rows.shape[0]:
            raise given["steps"].error(f"there are gradients for {rows.shape[0]} steps")
        names = unnamed(rows.shape[1])
        start = started(given.get("start"), names, item)
        return Descent(item, optimizer, names, start, rows.shape[0], gradients=rows, **common)
    body, names, start = function(given["function"], given.get("start"))
    steps = whole(given["steps"], 1, MAX_STEPS) if "steps" in given else DEFAULT_STEPS
    if steps * len(names) > MAX_WORK:
        raise given["steps"].error(f"more than {MAX_WORK:,} steps times variables")
    return Descent(item, optimizer, names, start, steps, function=body, **common)


def gradients(item: Item) -> Tensor:
    """One number, or one list, for each step."""
    rows = [
        [number(part)] if isinstance(part.value, Number) else [*map(number, sequence(part))] for part in listed(item)
    ]
    if not rows or not rows[0]:
        raise item.error("there are no gradients")
    if len(rows) > MAX_STEPS:
        raise item.error(f"more than {MAX_STEPS:,} steps")
    if len(rows) * len(rows[0]) > MAX_WORK:
        raise item.error(f"more than {MAX_WORK:,} steps times entries")
    for part, row in zip(listed(item), rows, strict=True):
        if len(row) != len(rows[0]):
            raise part.error(f"this gradient has {len(row)} entries, the first has {len(rows[0])}")
    return Tensor.of([[n.exact for n in row] for row in rows], [[n.text for n in row] for row in rows])


def listed(item: Item) -> list[Item]:
    return [item] if isinstance(item.value, Number) else sequence(item)


def unnamed(count: int) -> tuple[Name, ...]:
    if count == 1:
        return (Name("theta", symbol=Symbol("θ")),)
    return tuple(Name(f"theta{i}", symbol=Symbol("θ", str(i))) for i in range(1, count + 1))


def started(item: Item | None, names: tuple[Name, ...], whole_file: Item) -> Tensor:
    """The starting values, 0 where none are given for gradients."""
    if item is None:
        return Tensor.of([[Fraction(0)] * len(names)])
    if isinstance(item.value, dict):
        by_name = {variable(name): part for name, part in item.value.items()}
        if unknown := [part for name, part in by_name.items() if name not in names]:
            raise unknown[0].at_key().error("start names a variable that does not stand in the function")
        if missing := [name.id for name in names if name not in by_name]:
            raise item.error(f"start has no value for {', '.join(missing)}")
        found = [number(by_name[name]) for name in names]
    else:
        found = [number(part) for part in (item.value if isinstance(item.value, list) else [item])]
        if len(found) != len(names):
            raise item.error(f"{len(found)} starting values for {len(names)} variables")
    return Tensor.of([[n.exact for n in found]], [[n.text for n in found]])


def function(item: Item, start: Item | None) -> tuple[Formula, tuple[Name, ...], Tensor]:
    """(the formula, its variables, their starting values); variables are named by `start`, or taken in alphabetical order."""
    written = text(item)
    words = [*start.value] if start is not None and isinstance(start.value, dict) else None
    body = parse(written, words, file=item.file)
    names = tuple(variable(word) for word in (words if words is not None else sorted(variables_of(body))))
    if not names:
        raise item.error("the function has no variable")
    if len(names) > MAX_VARIABLES:
        raise item.error(f"more than {MAX_VARIABLES} variables")
    if start is None:
        example = ",".join("1" for _ in names)
        raise item.error(f"give the point to start from: start of {', '.join(n.id for n in names)}, such as {example}")
    return body, names, started(start, names, item)


# the steps as a graph ---------------------------------------------------------------------------------------------------
@dataclass
class Course:
    """The steps of one optimizer as a graph.

    lines: what each step computes, in order, the parameter after it last · general: the same at a step called t
    steps_before: how many steps were made before these
    diverged: the first step whose numbers are not finite any more; the steps before it are kept
    """

    descent: Descent
    given: dict[Node, Tensor] = field(default_factory=dict)
    options: dict[str, Node] = field(default_factory=dict)
    theta: list[Node] = field(default_factory=list)
    f: list[Node] = field(default_factory=list)
    lines: list[tuple[Node, ...]] = field(default_factory=list)
    general: tuple[Node, ...] = ()
    diverged: int = 0
    steps_before: int = 0

    @property
    def steps(self) -> int:
        return len(self.lines)

    @property
    def ends(self) -> tuple[Node, ...]:
        flat = [node for nodes in self.lines for node in nodes]
        return (*self.options.values(), *self.theta[:1], *flat, *self.f, *self.general)


class Walk:
    """Makes the steps one after the other, until they are done or no longer numbers."""

    def __init__(self, descent: Descent) -> None:
        self.descent = descent
        self.course = Course(descent)
        start = leaf(descent.start.shape, "theta@0", "parameter")
        self.course.given[start] = descent.start
        self.course.theta.append(start)
        self.memory = Memory(descent.optimizer, [start], descent.state, name=lambda letter, of, t: f"{letter}@{t}")
        self.bodies = tuple(derivative(descent.function, by) for by in descent.variables) if descent.function else ()
        self.known: dict[Node, Value] = {start: descent.start.value}
        self.states: dict[str, Node] = {}

    def walk(self) -> Course:
        course = self.course
        self.height(course.theta[0], 0)
        for t in range(1, self.descent.steps + 1):
            if not self.step(t):
                course.diverged = t
                break
            self.states = dict(self.memory.states["theta@0"])
        course.options, course.steps_before = self.memory.options, self.memory.steps_before
        if not course.lines:
            raise self.descent.optimizer.item.error("the first step is not finite: it divides by zero or is too large")
        course.general = self.in_general()
        course.given |= self.memory.given
        return course

    def step(self, t: int) -> bool:
        """One step; whether all its numbers are finite."""
        gradient = self.gradient_at(t)
        lines, result = self.memory.made(t, self.course.theta[0], self.course.theta[-1], self.memory.lr, gradient)
        theta = result.named(f"theta@{t}", "updated")
        nodes = (*self.taken, *lines, theta)
        if not self.finite(nodes):
            return False
        self.course.theta.append(theta)
        self.course.lines.append(in_order(nodes))
        return self.height(theta, t)

    def gradient_at(self, t: int) -> Callable[[Node], Node]:
        """Where an optimizer gets ∂f/∂θ from: the function, or the list."""
        self.taken: tuple[Node, ...] = ()

        def taken(point: Node) -> Node:
            if self.taken:
                return self.taken[0]
            if self.descent.gradients is None:
                node = apply(Entries(self.bodies, self.descent.variables), point).named(f"g@{t}", "gradient")
            else:
                node = leaf((1, len(self.descent.variables)), f"g@{t}", "gradient")
                self.course.given[node] = row_of(self.descent.gradients, t - 1)
            self.taken = (node,)
            return node

        return taken

    def height(self, theta: Node, t: int) -> bool:
        """f at the parameters; whether it is finite."""
        if self.descent.function is None:
            return True
        node = apply(Entries((self.descent.function,), self.descent.variables), theta).named(f"f@{t}", "loss")
        if self.finite((node,)):
            self.course.f.append(node)
            return True
        if t == 0:
            raise place(self.descent).error("the function has no finite value at the start")
        self.course.theta.pop()
        self.course.lines.pop()
        return False

    def finite(self, nodes: tuple[Node, ...]) -> bool:
        self.known |= {node: tensor.value for node, tensor in (self.course.given | self.memory.given).items()}
        with np.errstate(all="ignore"):
            self.known = evaluate(nodes, self.known, FLOATS)
        return all(
            np.isfinite(self.known[node]).all() and np.abs(self.known[node]).max() < MAX_DIVERGED for node in nodes
        )

    def in_general(self) -> tuple[Node, ...]:
        """One step more, called t, for its lines in letters; its numbers only serve to check them."""
        course, memory, t = self.course, self.memory, self.course.steps + 1

        def alias(node: Node, time: str) -> Node:
            return Node(Same(), (node,), node.shape, f"{letter_of(node)}@{time}", node.role)

        def gradient(point: Node) -> Node:
            last = next(node for node in course.lines[-1] if letter_of(node) == "g")
            slope = Entries(self.bodies, self.descent.variables)
            found = apply(slope, point).named("g@t", "gradient") if self.bodies else alias(last, "t")
            taken.append(found)
            return found

        taken: list[Node] = []
        first, general = course.theta[0], memory
        general.name = lambda letter, of, step: f"{letter}@{'t' if step else 't−1'}"
        general.states[first.id] = {letter: alias(node, "t−1") for letter, node in self.states.items()}
        time = leaf((1, 1), "t", "hyper")
        general.given[time] = Tensor.of([[Fraction(memory.steps_before + t)]])
        lines, result = general.made(t, first, alias(course.theta[-1], "t−1"), memory.lr, gradient, time)
        nodes = (*taken, *lines, result.named("theta@t", "updated"))
        return in_order(nodes) if self.finite(nodes) else ()


def place(descent: Descent) -> Item:
    """Where the start is given."""
    top = descent.item.value
    return top.get("start", descent.item) if isinstance(top, dict) else descent.item


def letter_of(node: Node) -> str:
    """m of `m@3`."""
    return node.id.partition("@")[0]


def in_order(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The gradient after the point it is taken at, before all else."""
    gradient = [node for node in nodes if letter_of(node) == "g"]
    ahead = [node for node in nodes if letter_of(node) == "ahead" and any(node in g.inputs for g in gradient)]
    return (*ahead, *gradient, *(node for node in nodes if node not in ahead and node not in gradient))


def row_of(tensor: Tensor, row: int) -> Tensor:
    part = slice(row, row + 1)
    return Tensor(tensor.value[part], tensor.exact[part], tensor.text[part])


def alternatives(descent: Descent) -> Iterator[Descent]:
    """The same way with each of the optimizers to compare."""
    for choice in descent.compare:
        yield replace(descent, optimizer=choice, state=None, compare=())
