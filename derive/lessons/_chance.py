"""Expected values and variances on the board, by going through all outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from derive.board import Board, named
from derive.formula import Apply, Formula, Name, Symbol, Written

_x = Name("x", (), Symbol("x"))
EXPECTED, VARIANCE = named("expected", "E", (_x,), _x), named("variance", "Var", (_x,), _x)  # of a single outcome
Outcomes = Sequence[tuple[Mapping[Name, Any], Fraction]]


def equally(drawn: Sequence[Name], ways: Iterable[Sequence[Any]]) -> Outcomes:
    """All these ways to draw, each with the same probability."""
    found = [dict(zip(drawn, way, strict=True)) for way in ways]
    return [(way, Fraction(1, len(found))) for way in found]


def expectation(f: Formula) -> Written:
    """E(f), as it is written."""
    return Written(Apply(EXPECTED, (f,)))


def mean(b: Board, f: Formula, outcomes: Outcomes) -> Name:
    """E(f)."""
    return b.expected(expectation(f), f, outcomes)


def variance(b: Board, f: Formula, outcomes: Outcomes) -> Name:
    """Var(f), the mean squared distance from E(f)."""
    middle = b.expected("E", f, outcomes)
    return b.expected(Written(Apply(VARIANCE, (f,))), (f - middle) ** 2, outcomes)
