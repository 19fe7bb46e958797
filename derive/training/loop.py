"""Long training: a program's steps in stretches, what is recorded on the way, and what makes it stop."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

import numpy as np

from derive.algebra import FLOATS, Value
from derive.build import instance, iteration
from derive.graph import Node, evaluate, leaf
from derive.ids import after, state, timed
from derive.memory import memory_of
from derive.model import Iteration, Model, Pass
from derive.schedules import Pace
from derive.training.batches import Batches
from derive.training.program import Kind, Numbers, Program, StepGraph, state_of, step_graph

MOST_RECORDED = 1_000  # steps up to which every loss is kept
STRETCH = 0.1  # seconds between two looks at the clock
MAX_TRAINED = 100_000_000
MAX_STEPS_EVER = 10**15  # with those before a checkpoint
Stop = Literal["", "until", "interrupted", "diverged"]


class Schedule(Protocol):
    """The learning rates of the steps, counted with those made before.

    A step may be asked for, and its loss told, more than once; the answer must be the same.
    """

    def rate(self, step: int) -> float: ...

    def tell(self, step: int, loss: float) -> None: ...


class Paced:
    """The schedule of a file over the steps: an epoch is once through the batches.

    A schedule that listens is told the mean loss of each epoch, once.
    """

    def __init__(self, pace: Pace, per_epoch: int) -> None:
        self.pace, self.per_epoch = pace, per_epoch
        self.rates: dict[int, float] = {}
        self.losses: list[float] = []

    def rate(self, step: int) -> float:
        epoch = (step - 1) // self.per_epoch
        if self.pace.listening is None:
            return self.pace.rate(epoch + 1)
        return self.rates.setdefault(epoch, self.pace.rate(epoch + 1))

    def tell(self, step: int, loss: float) -> None:
        if self.pace.listening is None or step != len(self.losses) + 1:
            return
        self.losses.append(loss)
        if step % self.per_epoch == 0:
            self.pace.heard(sum(self.losses[-self.per_epoch :]) / self.per_epoch)


@dataclass(frozen=True)
class Course:
    """What training has come to.

    planned, made: steps · losses: before the step, by its number · start, last, end: the numbers before the first
    step, before the last one and after it · loss_before, loss_after: the loss of all samples, at the start and the end
    stopped: why it ended early · at: the step at which something was not finite · culprit: what it was
    """

    planned: int
    made: int
    losses: Mapping[int, float]
    start: Numbers
    last: Numbers
    end: Numbers
    loss_before: float
    loss_after: float
    batches: Batches
    stopped: Stop = ""
    at: int = 0
    culprit: str = ""
    steps_before: int = 0
    until: float | None = None
    schedule: Schedule | None = None
    kind: Kind = "scalar"


@dataclass(frozen=True)
class Mark:
    """A place in training: the numbers after so many steps of this run."""

    numbers: Numbers
    made: int


def recorded(steps: int) -> list[int]:
    """The steps whose loss is kept: all of few; of many the first ones, then some at even distances of both scales."""
    if steps <= MOST_RECORDED:
        return list(range(1, steps + 1))
    found = {*range(1, 101), steps}
    found |= {round(steps ** (i / 200)) for i in range(201)}
    found |= {max(1, round(steps * i / 200)) for i in range(201)}
    return sorted(found)


class Trainer:
    """Makes the steps of one model, with a program for every stretch of steps that have the same formulas."""

    def __init__(
        self,
        model: Model | Batches,
        until: float | None = None,
        schedule: Schedule | None = None,
        kind: Kind | None = None,
    ) -> None:
        self.batches = model if isinstance(model, Batches) else Batches(model, (model,))
        self.until, self.schedule = until, schedule
        model = self.model = self.batches.whole
        self.before = model.steps_before
        remembered, self.shapes = state_of(model)
        parameters = {p.id: model.given[p].value for p in model.carried if p.id not in model.frozen}
        self.start: Numbers = {**parameters, **remembered}
        self.kind: Kind = kind or step_graph(self.batches.at(self.before + 1), self.before + 1, self.shapes).best
        self._graphs: dict[tuple[int, tuple[str, ...]], list[tuple[StepGraph, list[bool]]]] = {}
        self._programs: dict[tuple[int, bool, bool], Program] = {}
        self._safe = False

    # programs -----------------------------------------------------------------------------------------------------------
    def graph(self, numbers: Numbers, t: int) -> StepGraph:
        """The graph that is right for step t."""
        model = self.batches.at(t)
        known = self._graphs.setdefault((id(model), tuple(numbers)), [])
        for graph, truths in known:
            if [condition(t) for condition in graph.conditions] == truths:
                return graph
        graph = step_graph(model, t, {id: shape for id, shape in self.shapes.items() if id in numbers})
        known.append((graph, [condition(t) for condition in graph.conditions]))
        return graph

    def right_until(self, graph: StepGraph, t: int, last: int) -> int:
        """The last step up to `last` for which the graph of step t is right: every condition turns once at most."""
        if len(graph.new) > len(graph.carried) or self.batches.several or self.model.masks_drawn:
            return t
        truths = [condition(t) for condition in graph.conditions]

        def differs(step: int) -> bool:
            return [condition(step) for condition in graph.conditions] != truths

        if not differs(last):
            return last
        return t + bisect_right(range(t + 1, last + 1), False, key=differs)

    def program(self, graph: StepGraph, *, until: bool, safe: bool) -> Program:
        key = (id(graph), until, safe)
        if key not in self._programs:
            scheduled = self.schedule is not None
            self._programs[key] = Program(graph, self.kind, until=until, scheduled=scheduled, safe=safe)
        return self._programs[key]

    # steps --------------------------------------------------------------------------------------------------------------
    def advance(self, mark: Mark, made: int, *, until: bool = True) -> tuple[Mark, float, float]:
        """The steps up to `made`, unless the loss is reached before: (where that leads, the last loss, their sum)."""
        until = until and self.until is not None
        numbers, step, last = mark.numbers, mark.made, made
        loss, total = math.nan, 0.0
        while step < last:
            masks = {m.id: value for m, value in self.batches.at(self.before + step + 1).masks(step + 1).items()}
            graph = self.graph(numbers | masks, self.before + step + 1)
            stop = self.right_until(graph, self.before + step + 1, self.before + last)
            numbers, t, loss, part = self.run(graph, numbers | masks, self.before + step + 1, stop, until)
            numbers = {id: value for id, value in numbers.items() if id not in masks}
            total += part
            step = t - self.before
            if t < stop:
                break
        return Mark(numbers, step), loss, total

    def run(
        self, graph: StepGraph, numbers: Numbers, first: int, last: int, until: bool
    ) -> tuple[Numbers, int, float, float]:
        """Steps of one program; of its safe variant as soon as something has left the range of Python's floats."""
        rate, tell = (None, None) if self.schedule is None else (self.schedule.rate, self.schedule.tell)
        limit = -math.inf if self.until is None else self.until
        if not self._safe:
            try:
                return self.program(graph, until=until, safe=False).run(numbers, first, last, limit, rate, tell)
            except (ArithmeticError, ValueError):
                self._safe = True
        return self.program(graph, until=until, safe=True).run(numbers, first, last, limit, rate, tell)

    def loss(self, numbers: Numbers, step: int = 1) -> float:
        """The loss at some parameters, with the masks of a step."""
        first = self.model.iterations[0].forward
        assert first.loss is not None
        known: dict[Node, Value] = {node: tensor.value for node, tensor in self.model.given.items()}
        known |= {p: numbers[p.id] for p in self.model.carried if p.id in numbers}
        known |= self.model.masks(step)
        with np.errstate(all="ignore"):
            return float(evaluate([first.loss.total], known, FLOATS)[first.loss.total][0, 0])

    # the whole ----------------------------------------------------------------------------------------------------------
    def train(self, steps: int, progress: Callable[[int], None] = lambda made: None) -> Course:
        """Many steps; Ctrl-C keeps what has been made."""
        self.losses: dict[int, float] = {}
        begin = Mark(self.start, 0)
        self.places = begin, begin  # two in a row: there is always a way back to before the last step
        stopped: Stop = ""
        try:
            stopped = self.go(steps, progress)
        except KeyboardInterrupt:
            if not self.places[1].made:
                raise
            stopped = "interrupted"
        return self.ended(steps, stopped)

    def go(self, steps: int, progress: Callable[[int], None]) -> Stop:
        stops, size = recorded(steps), 64
        keep = iter(stops)
        following = next(keep)
        while (mark := self.places[1]).made < steps:
            stop = min(following, mark.made + size)
            began = time.perf_counter()
            reached, loss, total = self.advance(mark, stop)
            if not is_fine(reached.numbers, total):
                return "diverged"
            if reached.made > mark.made:
                self.places = mark, reached
            if reached.made < stop:
                return "until"
            if stop == following:
                self.losses[stop] = loss
                following = next(keep, steps)
            took = time.perf_counter() - began
            if took > 2 * STRETCH:
                size = max(1, size // 2)
            elif took < STRETCH / 2 and stop < following:
                size *= 2
            progress(stop)
        return ""

    def ended(self, planned: int, stopped: Stop) -> Course:
        """What there is now, with the numbers before the last step found again."""
        before, mark = self.places
        culprit, at = "", 0
        if stopped == "diverged":
            mark, at, culprit = self.culprit(before)
        elif mark.made and not math.isfinite(self.loss(mark.numbers, mark.made)):
            stopped, at, culprit = "diverged", mark.made + 1, "L"
            mark = self.advance(before, mark.made - 1, until=False)[0]
        if not mark.made:
            where = self.model.spec.item
            if stopped == "until":
                raise where.error(f"the loss is {self.loss(self.start):.6g} before the first step: nothing to train")
            raise where.error(f"{'the loss' if culprit == 'L' else culprit} is not finite at step {at}")
        before = before if before.made < mark.made else Mark(self.start, 0)
        last = self.advance(before, mark.made - 1, until=False)[0]
        losses = {step: loss for step, loss in self.losses.items() if step <= mark.made}
        losses.setdefault(mark.made, self.advance(last, mark.made, until=False)[1])
        return Course(
            planned, mark.made, dict(sorted(losses.items())), self.start, last.numbers, mark.numbers,
            self.loss(self.start), self.loss(mark.numbers, mark.made), self.batches, stopped, at, culprit, self.before, self.until, self.schedule, self.kind,
        )  # fmt: skip

    def culprit(self, place: Mark) -> tuple[Mark, int, str]:
        """One step at a time: (the last place whose numbers and loss are finite, the step that fails, what fails)."""
        previous = place
        while True:
            reached, loss, _ = self.advance(place, place.made + 1, until=False)
            if not math.isfinite(loss):
                return previous, place.made + 1, "L"
            if wrong := [id for id, value in reached.numbers.items() if not np.isfinite(value).all()]:
                return place, place.made + 1, wrong[0]
            previous, place = place, reached


def is_fine(numbers: Numbers, total: float) -> bool:
    return math.isfinite(total) and all(np.isfinite(value).all() for value in numbers.values())


@dataclass(frozen=True)
class LastStep:
    """The last step as a graph of its own, computed from the numbers before it."""

    iteration: Iteration
    after: Pass
    values: dict[Node, Value] = field(default_factory=dict)

    @property
    def nodes(self) -> list[Node]:
        """Every named node that belongs to the step."""
        number = self.iteration.number
        return [node for node in self.values if node.id.endswith(f"@{number}")]


def last_step(course: Course) -> LastStep:
    """The last step, node by node in float64, under the ids of its number."""
    number, whole = course.made, course.batches.whole
    model = course.batches.at(course.steps_before + number)
    first = model.iterations[0].forward
    kept = (*model.carried, *model.masks_drawn)
    swap = {p: leaf(p.shape, timed(p.id, number), p.role) for p in kept} if number > 1 else {}
    run = instance(first, dict(swap), partial(timed, step=number)) if swap else first
    memory = memory_of(model.spec, first.parameters, model.labels)
    known: dict[Node, Value] = {node: tensor.value for node, tensor in model.given.items()}
    known |= {swap.get(p, p): course.last.get(p.id, known[p]) for p in model.carried}
    known |= {swap.get(mask, mask): value for mask, value in model.masks(number).items()}
    memory.states = {p.id: {} for p in first.parameters}
    for id, value in course.last.items():
        letter, of = state(id)
        if letter:
            old = leaf((value.shape[0], value.shape[1]), f"{id}@{number - 1}", "state")
            memory.states[of][letter], known[old] = old, value
    step = iteration(model.spec, number, run, first, model.frozen, memory)
    known |= {node: tensor.value for node, tensor in memory.given.items()}
    if course.schedule is not None and step.rate is not None:
        known[step.rate] = np.array([[course.schedule.rate(course.steps_before + number)]])
    if whole is not model:
        known |= {node: tensor.value for node, tensor in whole.given.items()}
    every = whole.iterations[0].forward
    moved = {p: step.updated.get(now, now) for p, now in zip(every.parameters, run.parameters, strict=True)}
    if whole is not model:
        known |= whole.masks(number)
    else:
        moved |= {mask: swap.get(mask, mask) for mask in model.masks_drawn}
    again = instance(every.still(), moved, lambda id: timed(after(id), number))
    assert again.loss is not None and run.loss is not None
    lines = [line for lines in step.lines.values() for line in lines]
    ends = [run.loss.total, run.output, *step.gradient.values(), *lines, *step.updated.values(), again.loss.total]
    ends += run.running.values()
    with np.errstate(all="ignore"):
        return LastStep(step, again, evaluate(ends, known, FLOATS))
