"""A step of an optimizer, by its own function of the formula sheet, on the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derive.board import Board
from derive.formula import Formula, Name
from derive.optimizers import STATES, Update


class Stepped(Update):
    """One step of a parameter w with the gradient g; `options` names the letters that stand for options.

    t: the number of the step · before: what is remembered from the step before
    """

    def __init__(
        self,
        b: Board,
        w: Name,
        g: Name,
        options: Mapping[str, Name],
        t: Name | None = None,
        before: Mapping[str, Name] | None = None,
    ) -> None:
        t = t or b.number("t", 1)
        self.board, self.theta, self.eta, self.time = b, w, options["lr"], t
        self.t, self.straight = int(b.value(t)), False
        self.node: Any = Itself()  # a name is its own node here
        self.after, self.conditions = {}, []
        self._gradient = lambda point: g  # type: ignore[assignment, return-value]
        self._option = lambda name, value: options[name]  # type: ignore[assignment, return-value]
        self._start = lambda letter, start, single: b.number(letter, start)  # type: ignore[assignment, return-value]
        self._before: Any = before or {}
        self._name = lambda letter: g.id if letter == "g" else letter
        self._started = {}

    def of(self, node: Any) -> Name:
        name: Name = node
        return name

    def line(self, letter: str, formula: Formula) -> Name:
        return self.board.defined(STATES.get(letter, letter), formula)


class Itself:
    """Every name by itself."""

    def __getitem__(self, name: Name) -> Name:
        return name
