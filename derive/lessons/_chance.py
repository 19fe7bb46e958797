"""Means and variances on the board, by going through all outcomes; nothing is sampled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from derive.board import Board
from derive.formula import Apply, Formula, Function, Name, Symbol, Written

E, VAR = Function("E", Symbol("E")), Function("Var", Symbol("Var"))
Outcomes = Sequence[tuple[Mapping[Name, Any], Any]]


def mean(
    b: Board, f: Formula, outcomes: Iterable[tuple[Mapping[Name, Any], Any]], shown: Formula | None = None
) -> Name:
    """E(f). shown: how f is written there, where it stands for a longer formula."""
    return b.expected(Written(Apply(E, (f if shown is None else shown,))), f, outcomes)


def variance(b: Board, f: Formula, outcomes: Outcomes, shown: Formula | None = None) -> Name:
    """Var(f), the mean of the squared distance from the mean."""
    written = Written(Apply(VAR, (f if shown is None else shown,)))
    return b.expected(written, (f - mean(b, f, outcomes)) ** 2, outcomes)


def any_values(b: Board, *names: Name) -> Outcomes:
    """Three outcomes of no symmetry, the same for all of the names together."""
    chances = (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))
    return [({name: some(b) for name in names}, chance) for chance in chances]


def either_sign(name: Name, *sizes: Any) -> Outcomes:
    """Every size with both signs, all equally likely: the mean is 0."""
    return [({name: sign * size}, Fraction(1, 2 * len(sizes))) for size in sizes for sign in (1, -1)]


def together(*independent: Outcomes) -> Outcomes:
    """All outcomes of things that do not depend on one another: the chances are multiplied."""
    return [
        ({name: value for values, _ in row for name, value in values.items()}, prod(chance for _, chance in row))
        for row in product(*independent)
    ]


def some(b: Board) -> Fraction:
    """A drawn number of one digit after the point, not 0."""
    return Fraction(b.random.choice([-1, 1]) * b.random.randint(3, 19), 10)
