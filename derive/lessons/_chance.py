"""Means and variances found by going through all that can happen; nothing is sampled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import product
from math import prod

from derive.board import Board
from derive.formula import Apply, Formula, Function, Name, Symbol, Written

MEAN, VARIANCE = Function("E", Symbol("E")), Function("Var", Symbol("Var"))
Outcome = tuple[dict[Name, Fraction], Fraction]


def outcomes(names: Iterable[Name], chances: Mapping[Fraction, Fraction]) -> list[Outcome]:
    """Every combination of values that independent quantities can have, with its probability."""
    names = tuple(names)
    return [
        (dict(zip(names, values, strict=True)), prod((chances[value] for value in values), start=Fraction(1)))
        for values in product(chances, repeat=len(names))
    ]


def mean(b: Board, f: Formula, over: list[Outcome], shown: Formula | None = None) -> Name:
    """E(f); `shown` is how f is written inside the brackets."""
    return b.expected(Written(Apply(MEAN, (shown or f,))), f, over)


def variance(b: Board, f: Formula, over: list[Outcome], shown: Formula | None = None) -> Name:
    """Var(f), the mean of the squared distance from the mean."""
    centre = mean(b, f, over)
    return b.expected(Written(Apply(VARIANCE, (shown or f,))), (f - centre) ** 2, over)
