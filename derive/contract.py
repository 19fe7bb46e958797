"""The user's side of ids and shapes: vectors are (units,), batches (samples, units), W is (out, in), a loss is ()."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from derive.algebra import Value
from derive.formula import entry
from derive.graph import Node
from derive.ids import kind, state
from derive.layers import PER_UNIT, SAMPLED, STATISTICS
from derive.optimizers import SINGLE

#: Letters of quantities with more than one entry; all others are single numbers: the loss, the options of an optimizer.
ARRAYS = {"W", "b", "x", "t", "u", "z", "a", "p", "l", "weight", "pos_weight", *SAMPLED, *STATISTICS, *PER_UNIT}


@dataclass(frozen=True)
class Contract:
    """How the matrices of one model are seen from outside."""

    batched: bool
    shared: frozenset[str]  # ids of biases that are one number for all units
    rowwise: frozenset[str] = frozenset()  # ids of statistics that are one number per sample

    def shape(self, node: Node) -> tuple[int, ...]:
        rows, columns = node.shape
        letter, number = kind(node.id)
        if state(node.id)[0] in SINGLE:
            return ()
        if letter == "W":
            return rows, columns
        if letter not in ARRAYS or (letter == "b" and letter + number in self.shared):
            return ()
        if letter + number in self.rowwise:
            return (rows,) if self.batched else ()
        if letter in ("b", "weight", "pos_weight", *STATISTICS, *PER_UNIT):
            return (columns,)
        if letter == "l" and columns == 1:
            return (rows,)
        return (rows, columns) if self.batched else (columns,)

    def index(self, node: Node, row: int, column: int) -> tuple[int, ...]:
        """The 1-based index of the entry in this row and column, counted from 0."""
        match len(self.shape(node)):
            case 0:
                return ()
            case 1:
                return ((row if node.shape[1] == 1 and node.shape[0] > 1 else column) + 1,)
        return row + 1, column + 1

    def squeezed(self, node: Node, matrix: Value) -> Value:
        """A matrix in the shape users see."""
        return np.asarray(matrix).reshape(self.shape(node))

    def entries(self, node: Node) -> Iterator[tuple[int, int, str]]:
        """(row, column, key) of every entry, in reading order."""
        for row in range(node.shape[0]):
            for column in range(node.shape[1]):
                yield row, column, entry(node.id, self.index(node, row, column))
