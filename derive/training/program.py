"""One training step as a Python program, made from the graph: straight-line code in a loop over the steps.

`scalar` programs calculate with floats, every entry a variable of its own; `numpy` programs with arrays, one variable
for each node. The text of a program is made of derive's own ids and of numbers; nothing of a user's file gets into it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from derive.algebra import FLOATS, Value
from derive.build import iteration
from derive.formula import Apply, walk
from derive.graph import Constant, Leaf, Node, Shape, evaluate, leaf, topological
from derive.ids import state, untimed
from derive.memory import memory_of
from derive.model import Iteration, Model
from derive.ops.structural import Linear, MatMul, Spread, Transpose
from derive.tensor import Floats
from derive.training.code import Code, moves, name_of, wrapped
from derive.training.terms import Entry, Sheet, Term, Whole

Kind = Literal["scalar", "numpy"]
Numbers = dict[str, Floats]  # by id: the parameters, and what the optimizer remembers of them (`m.W1`)
CALL = 35  # operations on floats in the time of one of NumPy's on small arrays, measured
MOST_FLOATS = 20_000  # operations in a program that is still compiled in no time


@dataclass(frozen=True)
class StepGraph:
    """One step as a graph: what is carried from step to step, and what becomes of it.

    carried: id -> the leaf before the step · new: id -> the node after it
    constant: the numbers at all leaves that are given · time: the leaf that stands for the number of the step
    conditions: what was asked about that number
    """

    iteration: Iteration
    carried: dict[str, Node]
    new: dict[str, Node]
    constant: dict[Node, Floats]
    time: Node | None
    conditions: tuple[Callable[[int], bool], ...]

    @property
    def loss(self) -> Node:
        assert self.iteration.forward.loss is not None
        return self.iteration.forward.loss.total

    @property
    def best(self) -> Kind:
        """The kind of program that is faster: a call of NumPy takes as long as some tens of operations on floats."""
        floats = calls = 0
        for node in topological(self.loss, *self.new.values()):
            if isinstance(node.op, (Leaf, Constant, Spread, Transpose)):
                continue
            entries, body = node.shape[0] * node.shape[1], getattr(node.op, "body", None)
            heads = 1 if body is None else sum(isinstance(part, Apply) for part in walk(body))
            calls += heads
            floats += entries * (node.inputs[0].shape[1] if isinstance(node.op, (Linear, MatMul)) else heads)
        return "scalar" if floats <= min(CALL * calls, MOST_FLOATS) else "numpy"


def step_graph(model: Model, t: int, states: Mapping[str, Shape] | None = None) -> StepGraph:
    """The graph of step t, counted with those made before, over the parameters of the first worked step.

    states: the shape of what the optimizer remembers before it (`m.W1`); None: at the start, what the file gives
    """
    run = model.iterations[0].forward
    time = leaf((1, 1), "time", "hyper")
    memory = memory_of(model.spec, run.parameters, model.labels, time)
    carried = {node.id: node for node in (*run.parameters, *run.running) if node.id not in model.frozen}
    carried |= {node.id: node for node in model.masks_drawn}
    if states is not None:
        memory.states = {node.id: {} for node in run.parameters}
        for id, shape in states.items():
            letter, of = state(id)
            carried[id] = memory.states[of][letter] = leaf(shape, f"{id}@0", "state")
    step = iteration(model.spec, t - memory.steps_before, run, run, model.frozen, memory)
    new = {node.id: after for node, after in (step.updated | run.running).items()}
    for node in step.updated:
        new |= {f"{letter}.{node.id}": after for letter, after in memory.states[node.id].items()}
    constant = {node: tensor.value for node, tensor in (model.given | memory.given).items()}
    return StepGraph(step, carried, new, constant, time, tuple(memory.conditions))


def state_of(model: Model) -> tuple[Numbers, dict[str, Shape]]:
    """What the optimizer remembers before the first step, as far as it is there, and the shape of all it remembers."""
    graph = step_graph(model, model.steps_before + 1)
    old = {untimed(node.id): value for node, value in graph.constant.items() if node.role == "state"}
    shapes = {id: node.shape for id, node in graph.new.items() if state(id)[0]}
    return {id: old[id] for id in shapes if id in old}, shapes


class Program:
    """The program of a step: `run` makes many of them.

    carried: the ids of what goes from step to step, in order
    until:   whether it stops at a loss · scheduled: whether it asks for the rate of every step
    safe:    whether what leaves the range of floats becomes inf or nan, as in NumPy, instead of an exception
    """

    def __init__(
        self, graph: StepGraph, kind: Kind, *, until: bool = False, scheduled: bool = False, safe: bool = False
    ) -> None:
        self.graph, self.kind = graph, kind
        self.until, self.scheduled, self.safe = until, scheduled, safe
        self.carried = list(graph.carried)
        self.constants: dict[str, Floats] = {}

    @cached_property
    def source(self) -> str:
        """The text of the program."""
        return Writer(self).source()

    @cached_property
    def _run(self) -> Callable[..., Any]:
        names = {**(SAFE if self.safe else FUNCTIONS), **(ARRAYS if self.kind == "numpy" else {})}
        code = compile(self.source, f"<{self.kind} program>", "exec")
        space: dict[str, Any] = {"__builtins__": {"range": range, "float": float}, **WORDS, **names, **self.constants}
        exec(code, space)
        found: Callable[..., Any] = space["run"]
        return found

    def run(
        self,
        numbers: Numbers,
        first: int,
        last: int,
        until: float = -math.inf,
        rate: Callable[[int], float] | None = None,
        tell: Callable[[int, float], None] | None = None,
    ) -> tuple[Numbers, int, float, float]:
        """Steps `first` to `last`: (the numbers after them, the last step made, its loss, the sum of all losses).

        rate: the learning rate of a step, asked at its start · tell: is told the loss of each step
        until: a loss at which no further step is made; it is then the loss that is given
        """
        given = self.packed(numbers)
        with np.errstate(all="ignore"):
            values, made, loss, total = self._run(given, first, last, until, rate, tell)
        return (self.unpacked(values) if made >= first else numbers), made, loss, total

    def packed(self, numbers: Numbers) -> list[Any]:
        if self.kind == "numpy":
            return [numbers[id].copy() for id in self.carried]
        return [value for id in self.carried for value in numbers[id].ravel().tolist()]

    def unpacked(self, values: Sequence[Any]) -> Numbers:
        shapes = {id: self.graph.new.get(id, self.graph.carried.get(id)) for id in self.after}
        if self.kind == "numpy":
            return {
                id: np.array(np.broadcast_to(value, node.shape), dtype=float)
                for (id, node), value in zip(shapes.items(), values, strict=True)
                if node is not None
            }
        found, place = {}, 0
        for id, node in shapes.items():
            assert node is not None
            size = node.shape[0] * node.shape[1]
            found[id] = np.array(values[place : place + size], dtype=float).reshape(node.shape)
            place += size
        return found

    @property
    def after(self) -> list[str]:
        """The ids of what is there after a step: the first one may leave more than it was given."""
        return [*self.carried, *(id for id in self.graph.new if id not in self.graph.carried)]


class Writer:
    """Writes a program: the graph is evaluated over terms, and the terms are written as lines."""

    def __init__(self, program: Program) -> None:
        self.program, self.graph = program, program.graph
        self.scalar = program.kind == "scalar"
        self.sheet = Sheet(Entry if self.scalar else Whole)
        self.names: dict[Term, str] = {}
        self.values: dict[Node, Value] = {}

    def source(self) -> str:
        graph, sheet = self.graph, self.sheet
        known: dict[Node, Value] = {node: self.fixed(node, value) for node, value in graph.constant.items()}
        known |= {node: self.variable(node) for node in graph.carried.values()}
        if graph.time is not None:
            known[graph.time] = self.single(sheet.leaf("t", plain=True))
        if self.program.scheduled and graph.iteration.rate is not None:
            known[graph.iteration.rate] = self.single(sheet.leaf("rate", plain=True))
        self.values = known
        parts = [("forward", [graph.loss]), ("backward", list(graph.iteration.gradient.values()))]
        parts.append(("update", list(graph.new.values())))
        marks: dict[int, str] = {}
        for name, ends in parts:
            marks[len(sheet.terms)] = name
            self.values = evaluate(ends, self.values, sheet.algebra)
        for node, value in self.values.items():
            if node.id and node not in known:
                self.name(node, value)
        return "\n".join(self.text(marks)) + "\n"

    # values -----------------------------------------------------------------------------------------------------------
    def single(self, term: Term) -> Value:
        return np.full((1, 1), term, dtype=object) if self.scalar else term

    def fixed(self, node: Node, value: Floats) -> Value:
        """Given numbers: written into the program, or as an array by name."""
        if self.scalar:
            return np.frompyfunc(self.sheet.number, 1, 1)(value)
        if node.shape == (1, 1):
            return self.sheet.number(float(value[0, 0]))
        name = "given_" + name_of(node.id)
        self.program.constants[name] = np.ascontiguousarray(value)
        return self.sheet.leaf(name, node.shape)

    def variable(self, node: Node) -> Value:
        name = untimed(node.id)
        if not self.scalar:
            return self.sheet.leaf(name_of(name), node.shape)
        found = np.empty(node.shape, dtype=object)
        for row, column in np.ndindex(node.shape):
            found[row, column] = self.sheet.leaf(name_of(name, row, column))
        return found

    def name(self, node: Node, value: Value) -> None:
        id = untimed(node.id) + ("_new" if node.role in ("state", "updated", "running") else "")
        if not self.scalar:
            self.names.setdefault(value, name_of(id.replace("+", "")))
            return
        for (row, column), term in np.ndenumerate(np.broadcast_to(value, node.shape)):
            self.names.setdefault(term, name_of(id.replace("+", ""), row, column))

    def terms(self, node: Node) -> list[Term]:
        value = self.values[node]
        if not self.scalar:
            return [value]
        return list(np.broadcast_to(np.asarray(value, dtype=object), node.shape).ravel())

    # text -------------------------------------------------------------------------------------------------------------
    def text(self, marks: dict[int, str]) -> list[str]:
        graph, program = self.graph, self.program
        (loss,) = self.terms(graph.loss)
        before = [term for node in graph.carried.values() for term in self.terms(node)]
        ends = [term for id, node in graph.carried.items() for term in self.terms(graph.new.get(id, node))]
        more = [term for id in program.after[len(graph.carried) :] for term in self.terms(graph.new[id])]
        code = Code([loss, *ends, *more], self.names, before, program.safe)
        names = [code.locals.get(term, "_") for term in before]
        first = [*unpacking(names), *code.lines(code.fixed), "t, loss, total = first - 1, 0.0, 0.0"]
        body: list[str] = []
        changes = sorted(marks)
        losses = code.live.index(loss) + 1
        body += self.part(code, code.live[:losses], marks, changes)
        body += self.at_loss(code, loss, names)
        body += self.part(code, code.live[losses:], marks, changes)
        kept = [code.fresh("n") for _ in more]
        body += [f"{name} = {code.text(term)}" for name, term in zip(kept, more, strict=True)]
        body += ["# what the next step starts from", *moves(code, before, ends, in_place=not self.scalar)]
        return [
            "def run(carried, first, last, until, rate_of, tell):",
            '    """Training steps `first` to `last`: what they leave, the last step made, its loss, the sum of all."""',
            *indented(first),
            "    for t in range(first, last + 1):",
            *indented(body, 2),
            f"    return [{', '.join([*names, *kept])}], t, loss, total",
        ]

    def part(self, code: Code, terms: Sequence[Term], marks: dict[int, str], changes: list[int]) -> list[str]:
        """The lines of some terms, with a remark where another part of the step begins."""
        lines: list[str] = []
        for term in terms:
            remark = ""
            for line in code.lines([term]):
                while changes and term.made >= changes[0]:
                    remark = f"# {marks[changes.pop(0)]}"
                lines += [remark, line] if remark else [line]
        return lines

    def at_loss(self, code: Code, loss: Term, names: list[str]) -> list[str]:
        text = code.text(loss)
        if not (self.scalar or loss.plain):
            text = f"float({code.text(loss, 9)}[0, 0])"
        lines = [f"loss = {text}", "total += loss"]
        if self.program.until:
            lines += ["if loss <= until:", f"    return [{', '.join(names)}], t - 1, loss, total"]
        if self.program.scheduled:
            lines.insert(0, "rate = rate_of(t)")
            lines.append("tell(t, loss)")
        return lines


def unpacking(names: Sequence[str]) -> list[str]:
    return wrapped(names, "(", ") = carried") if names else []


def indented(lines: Sequence[str], levels: int = 1) -> list[str]:
    return ["    " * levels + line for line in lines]


def lenient(function: Callable[..., float], array: Callable[..., Any]) -> Callable[..., float]:
    """A function of floats that gives what NumPy gives where Python raises an exception."""

    def found(*args: float) -> float:
        try:
            return function(*args)
        except (ArithmeticError, ValueError):
            return float(array(*map(np.float64, args)))

    return found


def power(a: float, b: float) -> float:
    found = a**b
    return found if isinstance(found, float) else math.nan  # a root of a negative number is complex in Python


WORDS = {"inf": math.inf, "nan": math.nan}  # numbers that Python writes as names
FUNCTIONS: dict[str, Callable[..., Any]] = {
    head: getattr(math, head) for head in FLOATS.functions if hasattr(math, head) and head != "pi"
} | {"abs": abs}
SAFE: dict[str, Callable[..., Any]] = {
    **{name: lenient(function, FLOATS.functions[name]) for name, function in FUNCTIONS.items()},
    "divide": lenient(operator.truediv, np.true_divide),
    "power": lenient(power, np.power),
}
ARRAYS: dict[str, Callable[..., Any]] = {
    **{f"np_{head}": function for head, function in FLOATS.functions.items()},
    "where": np.where,
    "spread": np.broadcast_to,
    "sum_along": np.add.reduce,
    "largest_along": np.maximum.reduce,
}
