"""The description of a network: units in columns, and the edges between them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from derive.formula import Symbol

Kind = Literal["input", "hidden", "output", "bias", "target", "loss"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A neuron, an input, a bias (a small +1 node), a target or the loss."""

    id: str
    symbol: Symbol
    value: str = ""
    kind: Kind = "hidden"
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A connection from one unit to another; `step` is the anchor of the step that computes it.

    shortcut: whether it leads past the connections of a block, in an arc
    """

    id: str
    source: str
    target: str
    symbol: Symbol | None = None
    value: str = ""
    step: str = ""
    shortcut: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """Units above one another; if units are omitted, dots stand before the last one.

    A bias belongs to the column it feeds from, so it stands one column to the left of the units it feeds.
    """

    title: str
    units: tuple[Unit, ...]
    omitted: int = 0

    @property
    def rows(self) -> tuple[Unit, ...]:
        """The units that stand in rows: all but the biases."""
        return tuple(unit for unit in self.units if unit.kind != "bias")

    @property
    def biases(self) -> tuple[Unit, ...]:
        """The biases, which stand above the rows."""
        return tuple(unit for unit in self.units if unit.kind == "bias")

    @property
    def size(self) -> int:
        """How many units the column has, drawn or not."""
        return len(self.rows) + self.omitted


@dataclass(frozen=True, slots=True)
class Network:
    """Columns from left to right, and the edges between their units."""

    columns: tuple[Column, ...]
    edges: tuple[Edge, ...]
    title: str

    def __post_init__(self) -> None:
        """Reject ids used twice, edges with an unknown end, and loops, naming the offending id."""
        units = [unit.id for column in self.columns for unit in column.units]
        for ids in (units, [edge.id for edge in self.edges]):
            if repeated := [found for found, times in Counter(ids).items() if times > 1]:
                raise ValueError(repeated[0])
        known = set(units)
        for edge in self.edges:
            if edge.source == edge.target or not {edge.source, edge.target} <= known:
                raise ValueError(edge.id)
