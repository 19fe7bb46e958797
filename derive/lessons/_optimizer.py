"""Steps of an optimizer on the board, made by its own function in the formula sheet, and the ways it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from derive.board import Board, Sentence
from derive.document import Figure, Line, Step, say
from derive.formula import Formula, Name, Symbol, formula
from derive.language import Both
from derive.optimizers import CONSTANT, OPTIONS, STATES, Update, optimizers
from derive.spec import tree
from derive.studies.calculation import timed
from derive.studies.descent import Course, Walk, read
from derive.studies.optimizer import contours, points

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


def course(optimizer: str, options: Mapping[str, Any], function: str, start: Sequence[float], steps: int) -> Course:
    """The steps of an optimizer down a function, as `derive optimizer` makes them."""
    given = {"optimizer": {optimizer: dict(options)}, "function": function, "start": list(start), "steps": steps}
    return Walk(read(tree(given))).walk()


def ways(b: Board, title: Both, runs: Runs, function: str, start: Sequence[float], steps: int) -> Figure:
    """The ways of some optimizers over the level lines of a function of x and y."""
    found = [course(name, options, function, start, steps) for name, options in runs.values()]
    trails = [points(b.desk, run, run)[:, :2] for run in found]
    curves = {label: list(map(tuple, trail.tolist())) for label, trail in zip(runs, trails, strict=True)}
    return b.chart(title, "x", "y", curves, style="path", contours=contours(found[0].descent, np.concatenate(trails)))


def falls(b: Board, title: Both, runs: Runs, function: str, start: Sequence[float], steps: int) -> Figure:
    """The function after every step, on a logarithmic axis."""
    curves: dict[str | Both, list[tuple[float, float]]] = {}
    for label, (name, options) in runs.items():
        run = course(name, options, function, start, steps)
        heights = points(b.desk, run, run)[:, -1]
        curves[label] = [(float(t), float(height)) for t, height in enumerate(heights) if height > LEAST]
    return b.chart(title, "t", "f", curves, log_y=True)


LEAST = 1e-12  # what is smaller is as good as 0 in a picture
