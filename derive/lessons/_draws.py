"""What is drawn at random, all ways with the same probability, and how its expected value is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from derive.formula import Apply, Formula, Name, Written
from derive.lessons._chance import E, Outcomes


def equally(drawn: Sequence[Name], ways: Iterable[Sequence[Any]]) -> Outcomes:
    """All these ways to draw, each with the same probability."""
    found = [dict(zip(drawn, way, strict=True)) for way in ways]
    return [(way, Fraction(1, len(found))) for way in found]


def expectation(f: Formula) -> Written:
    """E(f), as it is written."""
    return Written(Apply(E, (f,)))
