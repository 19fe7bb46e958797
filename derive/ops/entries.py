"""Formulas of the entries of one row: a function of some variables, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from derive.algebra import Algebra, Value, evaluate
from derive.formula import Formula, Name
from derive.graph import Node, Op, Shape


@dataclass(frozen=True)
class Entries(Op):
    """One entry for each formula, in the entries of a row: f(x, y), or (∂f/∂x, ∂f/∂y)."""

    bodies: tuple[Formula, ...]
    variables: tuple[Name, ...]

    def shape(self, *shapes: Shape) -> Shape:
        return 1, len(self.bodies)

    def eval(self, algebra: Algebra, *values: Value) -> Value:
        (row,) = values
        at = {name: row[:, i : i + 1] for i, name in enumerate(self.variables)}
        found = [np.asarray(evaluate(body, at.__getitem__, algebra)) for body in self.bodies]
        return np.concatenate([np.broadcast_to(entry, (1, 1)) for entry in found], axis=1)

    def vjp(self, g: Node, out: Node, *inputs: Node) -> tuple[Node | None, ...]:
        raise NotImplementedError("a function of variables comes with its gradient")

    def write(self, *formulas: Formula) -> Formula:
        raise NotImplementedError("a function of variables is written entry by entry")
