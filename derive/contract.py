"""The user's side of ids and shapes: vectors are (units,), batches (samples, units), W is (out, in), a loss is ()."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from derive.algebra import Value
from derive.formula import entry
from derive.graph import Node

_DERIVATIVE = re.compile(r"^d(?P<of>[^/]+)/d(?P<by>.+)$")


@cache
def split(id: str) -> tuple[str, str]:
    """(of, by) of a derivative's id `dL/dW1`; ("", id) of any other."""
    match = _DERIVATIVE.match(id)
    return (match["of"], match["by"]) if match else ("", id)


def multiple(id: str, factor: int) -> str:
    """The id of what a notation shows in a quantity's place: `-1*dL/dz2` where δ is −∂L/∂z."""
    return id if factor == 1 else f"{factor}*{id}"


@cache
def plain(id: str) -> tuple[int, str]:
    """(factor, id of the quantity itself)."""
    factor, star, rest = id.rpartition("*")
    return (int(factor), rest) if star else (1, id)


@cache
def kind(id: str) -> tuple[str, str]:
    """(letter, number) of a quantity: ("a", "1.2") of `a1.2+`; of a derivative, that of what it is taken by."""
    name = split(id)[1].rstrip("+")
    letter = name.rstrip("0123456789.")
    return letter, name[len(letter) :]


@dataclass(frozen=True)
class Contract:
    """How the matrices of one model are seen from outside."""

    batched: bool
    shared: frozenset[str]  # ids of biases that are one number for all units

    def shape(self, node: Node) -> tuple[int, ...]:
        rows, columns = node.shape
        letter, number = kind(node.id)
        if letter == "W":
            return rows, columns
        if letter in ("L", "lr") or (letter == "b" and letter + number in self.shared):
            return ()
        if letter in ("b", "weight", "pos_weight"):
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
