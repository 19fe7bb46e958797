"""Quantities worked out without a network: averages, optimizers and schedules by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from derive.algebra import FLOATS, Value
from derive.contract import Contract
from derive.errors import InputError
from derive.formula import Name, Symbol
from derive.graph import Node, evaluate, topological
from derive.labels import Labels
from derive.optimizers import CONSTANT, OPTIONS, SINGLE, STATES
from derive.tensor import Tensor


@dataclass(frozen=True)
class Rows(Contract):
    """How the rows of a calculation are seen from outside: a row of n entries is (n,), a single entry a number."""

    batched: bool = False
    shared: frozenset[str] = frozenset()

    def shape(self, node: Node) -> tuple[int, ...]:
        return () if node.shape[1] == 1 else (node.shape[1],)


@dataclass(frozen=True)
class Calculation:
    """Named quantities, the numbers at their leaves, and how they are written.

    An id is a letter, or a letter at a time, `m@3`. variables: the symbols of the entries of a row
    letters: how letters are written, beside those of optimizers
    """

    ends: tuple[Node, ...]
    given: Mapping[Node, Tensor]
    variables: tuple[Symbol, ...] = (Symbol("θ"),)
    letters: Mapping[str, Symbol] = field(default_factory=dict)
    contract: Contract = Rows()
    labels: Labels = field(default_factory=Labels)
    symbolic: bool = False

    def all_nodes(self) -> list[Node]:
        """Every named node, what is needed first."""
        return [node for node in self.every_node if node.id]

    @cached_property
    def every_node(self) -> list[Node]:
        return topological(*self.ends)

    def numbers(self, settle: Callable[[Node, Value], Value] = lambda node, value: value) -> dict[Node, Value]:
        """float64 values of all nodes."""

        def check(node: Node, value: Value) -> Value:
            if not np.isfinite(value).all():
                raise InputError(f"{node.id or 'an intermediate value'} is not finite")
            return settle(node, value)

        with np.errstate(all="ignore"):
            return evaluate(self.all_nodes(), {n: t.value for n, t in self.given.items()}, FLOATS, check)


class Symbols:
    """Names of a calculation's quantities: m₃ of `m@3`, or m with the index x,3 where there are several variables."""

    def __init__(self, calculation: Calculation) -> None:
        self.calculation = calculation

    def entry(self, node: Node, row: int, column: int, *, delta: bool = False) -> Name:
        """An entry, counted from 0."""
        index = self.calculation.contract.index(node, row, column)
        return Name(node.id, index, self.symbol(node.id, column, of_many=node.shape[1] > 1))

    def whole(self, node: Node, *, delta: bool = False) -> Name:
        if node.shape[1] == 1:
            return self.entry(node, 0, 0)
        letter, _, time = node.id.partition("@")
        base = "θ" if letter == "theta" else self.letter(letter).base
        return Name(node.id, (), Symbol(base, sub=time, bold=True), node.shape, scalar=False)

    def letter(self, letter: str) -> Symbol:
        return self.calculation.letters.get(letter) or STATES.get(letter) or Symbol(letter)

    def symbol(self, id: str, column: int, *, of_many: bool) -> Symbol:
        letter, at, time = id.partition("@")
        if not at:
            return self.calculation.letters.get(letter) or OPTIONS.get(letter) or Symbol(letter)
        variable = self.calculation.variables[column]
        if letter == "theta":
            return timed(variable, time)
        if letter == "ahead":  # the point beside the parameter
            return timed(Symbol(variable.base + "\u0303", variable.sub), time)
        if letter in CONSTANT:
            return STATES[letter]
        base = self.letter(letter)
        several = len(self.calculation.variables) > 1 and letter not in SINGLE and of_many
        return timed(Symbol(base.base, joined(base.sub, variable.text) if several else base.sub, base.sup), time)

    def turned(self, id: str) -> bool:
        return False


def timed(symbol: Symbol, time: str) -> Symbol:
    """A symbol with the number of a step as its last index."""
    return Symbol(symbol.base, joined(symbol.sub, time), symbol.sup, symbol.mark, symbol.bold)


def joined(*indices: str) -> str:
    return ",".join(index for index in indices if index)
