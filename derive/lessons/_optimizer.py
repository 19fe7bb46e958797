"""Steps of an optimizer on the board, made by its own function in the formula sheet, and the ways it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from derive.board import Board, Sentence
from derive.document import Figure, Line, Step, say
from derive.formula import Formula, Name, Symbol, formula
from derive.language import Both
from derive.optimizers import CONSTANT, OPTIONS, STATES, Update, optimizers
from derive.spec import tree
from derive.studies.calculation import timed
from derive.studies.descent import Descent, Walk, read
from derive.studies.optimizer import contours

Slope = Name | Callable[[Formula], Formula]


class Made(Update):
    """One step of an optimizer, written in names of the board.

    theta: the parameter before it · slope: the gradient there, or as a formula of the place · options: by their letters
    before: what is remembered · index: of this step's quantities and of those before
    rules: what the sheet computes, by letter, in order · new: the parameter after the step
    """

    def __init__(
        self,
        board: Board,
        optimizer: str,
        theta: Name,
        slope: Slope,
        options: MutableMapping[str, Name],
        before: Mapping[str, Name] | None = None,
        *,
        t: int = 2,
        time: Formula | None = None,
        index: tuple[str, str] = ("t", "t−1"),
        **settings: Any,
    ) -> None:
        self.board, self.slope, self.options, self.before, self.index = board, slope, options, before or {}, index
        self.t, self.straight, self.conditions = t, False, []
        self.theta, self.eta = theta, options["lr"]
        self.time = formula(t) if time is None else time
        self.rules: dict[str, Formula] = {}
        self.names: dict[str, Name] = {}
        self.memory: dict[str, Name] = {}
        self.new = optimizers[optimizer](self, **settings)

    @property
    def raw(self) -> Name:
        return self.gradient()

    def gradient(self, weight_decay: Fraction = Fraction(0), maximize: bool = False, at: Formula | None = None) -> Name:
        point = self.theta if at is None else self.line("ahead", at)
        g = self.slope if isinstance(self.slope, Name) else self.line("g", self.slope(point))
        if not weight_decay:
            return g
        return self.line("gtilde", g + self.option("weight_decay", weight_decay) * point)

    def option(self, name: str, value: Fraction) -> Name:
        if name not in self.options:
            self.options[name] = self.board.number(OPTIONS[name], value)
        return self.options[name]

    def epsilon(self, value: Fraction, *, hat: bool = False) -> Name:
        return self.option("epshat" if hat else "eps", value)

    def knows(self, letter: str) -> bool:
        return letter in self.before

    def old(self, letter: str, start: Fraction = Fraction(0), *, single: bool = False) -> Name:
        return self.before.get(letter) or self.board.number(self.symbol(letter, self.index[1]), start)

    def remember(
        self,
        letter: str,
        rule: Callable[[Name], Formula],
        *,
        start: Fraction = Fraction(0),
        first: Formula | None = None,
        single: bool = False,
    ) -> Name:
        found = first if first is not None and letter not in self.before else rule(self.old(letter, start))
        self.memory[letter] = self.line(letter, found)
        return self.memory[letter]

    def line(self, letter: str, formula: Formula) -> Name:
        self.rules[letter] = formula
        self.names[letter] = self.board.defined(self.symbol(letter, self.index[0]), formula)
        return self.names[letter]

    def symbol(self, letter: str, time: str) -> Symbol:
        known = Symbol("θ̃") if letter == "ahead" else STATES.get(letter) or Symbol(letter)
        return known if letter in CONSTANT else timed(known, time)

    def change(self, index: str | None = None) -> Name:
        """Δθ, what the step adds to the parameter."""
        symbol = Symbol("Δθ", self.index[0] if index is None else index)
        return self.board.hold(symbol, self.board.value(self.new - self.theta))

    def written(self, *letters: str, numbers: bool = False) -> tuple[Line, ...]:
        """The lines of the step, all or some of them."""
        return tuple(
            self.board.line(self.names[letter], self.rules[letter], numbers=numbers) for letter in letters or self.rules
        )


def stepped(
    b: Board,
    optimizer: str,
    theta: Name,
    slope: Slope,
    options: MutableMapping[str, Name],
    before: Mapping[str, Name] | None = None,
    time: Name | None = None,
    **settings: Any,
) -> Formula:
    """The parameter after one step, the first if nothing else is said, in letters without the number of the step."""
    t = 1 if time is None else int(b.value(time))
    return Made(b, optimizer, theta, slope, options, before, t=t, time=time, index=("", ""), **settings).new


def worked(
    b: Board,
    optimizer: str,
    slopes: Sequence[Any] | Callable[[Formula], Formula],
    why: Sequence[Sentence],
    *,
    start: Any = 0,
    lr: Any,
    **settings: Any,
) -> Iterator[Step]:
    """Steps of an optimizer in numbers, one for each sentence: on given gradients, or on a slope as a formula."""
    options = {"lr": b.number("η", lr)}
    theta, memory = b.number("θ_0", start), dict[str, Name]()
    for t, reason in enumerate(why, 1):
        slope = slopes if callable(slopes) else b.number(f"g_{t}", slopes[t - 1])
        step = Made(b, optimizer, theta, slope, options, memory, t=t, index=(str(t), str(t - 1)), **settings)
        theta, memory = b.defined(f"θ_{t}", step.new), step.memory
        yield b.step(
            say("step.number", number=t),
            reason,
            *step.written(numbers=True),
            b.line(theta, step.new, numbers=True),
        )


# pictures -----------------------------------------------------------------------------------------------------------------
Runs = Mapping[Any, tuple[str, Mapping[str, Any]]]  # by the label, a text or Both: the optimizer and its options
Way = tuple[tuple[float, ...], ...]  # (x, y, …, f) after every step


@dataclass(frozen=True)
class Hill:
    """What optimizers go down: a function, from a start, for some steps."""

    function: str
    start: tuple[float, ...]
    steps: int

    def way(self, optimizer: str, options: Mapping[str, Any]) -> Way:
        """The steps of an optimizer, as `derive optimizer` makes them."""
        return walked(self, optimizer, tuple(options.items()))

    def ways(self, b: Board, title: Both, runs: Runs) -> Figure:
        """The ways of some optimizers over the level lines of a function of x and y."""
        found = {label: [(row[0], row[1]) for row in self.way(*run)] for label, run in runs.items()}
        behind = contours(self.descent("sgd", ()), np.array([row for way in found.values() for row in way]))
        return b.chart(title, "x", "y", found, style="path", contours=behind)

    def falls(self, b: Board, title: Both, runs: Runs) -> Figure:
        """The function, as the loss L, after every step, on a logarithmic axis."""
        heights = {label: [row[-1] for row in self.way(*run)] for label, run in runs.items()}
        curves = {label: [(float(t), f) for t, f in enumerate(way) if f > LEAST] for label, way in heights.items()}
        return b.chart(title, "t", "L", curves, log_y=True)

    def descent(self, optimizer: str, options: tuple[tuple[str, Any], ...]) -> Descent:
        given = {"optimizer": {optimizer: dict(options)}, "function": self.function, "steps": self.steps}
        return read(tree({**given, "start": list(self.start)}))


LEAST = 1e-12  # what is smaller is as good as 0 in a picture


@cache
def walked(hill: Hill, optimizer: str, options: tuple[tuple[str, Any], ...]) -> Way:
    walk = Walk(hill.descent(optimizer, options))
    course = walk.walk()
    places = zip(course.theta, course.f, strict=True)
    rows = (np.concatenate([walk.known[theta][0], walk.known[f][0]]) for theta, f in places)
    return tuple(tuple(row.tolist()) for row in rows)
