"""Small fully connected networks on the board: units from the entries of matrices, and their diagram."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from derive.board import Board, said
from derive.document import Figure, Say
from derive.figures.network import Column, Edge, Kind, Network, Unit
from derive.formula import Formula, Name, Partial, Symbol, add
from derive.language import Both
from derive.measuring import read


def weighted(b: Board, W: Name, x: Name, row: int) -> Formula:
    """The weighted sum of one unit: w₁₁x₁ + w₁₂x₂ of the first row."""
    return add(*(b.entry(W, row, k) * b.entry(x, k) for k in range(1, W.shape[1] + 1)))


def partial(of: str, by: Name) -> Partial:
    """∂L/∂w for a named quantity."""
    assert isinstance(by.symbol, Symbol)
    return Partial(Symbol(of), by.symbol)


def diagram(
    b: Board,
    title: Both | Say,
    columns: Sequence[Sequence[str]],
    edges: str = "",
    bias: bool = False,
    end: Both | None = None,
) -> Figure:
    """A fully connected network by the symbols of its units, columns from left to right.

    edges: the letter of the weights, w⁽¹⁾₂₁ from unit 1 to unit 2; "" leaves them without
    bias: whether every column but the last has a unit +1
    end: what stands over the last column, where that is not the output
    """
    last = len(columns) - 1
    drawn, wires = [], []
    for i, symbols in enumerate(columns):
        kind: Kind = "input" if i == 0 else "output" if i == last else "hidden"
        name = (
            b.words.plain("figure.hidden", k=i)
            if kind == "hidden"
            else b.text(end)
            if kind == "output" and end
            else b.words.plain("figure.inputs" if kind == "input" else "figure.output")
        )
        ones = (Unit(f"bias{i}", Symbol(""), kind="bias", caption="+1"),) if bias and i < last else ()
        units = tuple(Unit(f"u{i},{j}", read(text), kind=kind) for j, text in enumerate(symbols))
        drawn.append(Column(name, (*ones, *units)))
    for i, (left, right) in enumerate(pairwise(columns)):
        for j in range(len(right)):
            layer = f"({i + 1})" if last > 1 else ""
            unit = str(j + 1) if len(right) > 1 else ""
            if bias:
                symbol = Symbol("b", unit, layer) if edges else None
                wires.append(Edge(f"b{i},{j}", f"bias{i}", f"u{i + 1},{j}", symbol))
            for k in range(len(left)):
                symbol = Symbol(edges, f"{unit}{k + 1}", layer) if edges else None
                wires.append(Edge(f"w{i},{j},{k}", f"u{i},{k}", f"u{i + 1},{j}", symbol))
    found = Network(tuple(drawn), tuple(wires), b.text(title) if isinstance(title, Both) else "")
    return Figure(b.new("figure"), said(title), found)
