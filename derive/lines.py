"""A line of a solution as the equal signs it makes: target = form = numbers = value.

Printers spell these pieces and the witnesses evaluate them, so that what is checked is what is printed.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.algebra import EXACT, UNKNOWN, Value, evaluate
from derive.document import Line, Say, say
from derive.formula import Formula, Name, Number, names
from derive.numerals import Policy
from derive.spelling import Shown
from derive.values import Values

LARGE = 8  # a matrix with more rows or columns is not written out inside a formula


@dataclass(frozen=True)
class Piece:
    """One link of the chain: `relation` (= or ≈) and a formula, in symbols or (`numbers`) with its numbers."""

    relation: str
    formula: Formula
    numbers: bool = False


def pieces(line: Line, values: Values) -> list[Piece]:
    """The right side of a line: its forms in symbols, the last one in numbers, the value. No `=` follows a rounding."""
    found = [Piece("=", form.formula) for form in line.forms if form.symbols]
    if not line.has_value or values.symbolic:
        return found
    last = line.forms[-1] if line.forms else None
    if last is not None and isinstance(last.formula, Number) and not last.formula.text:
        return found
    rounded = relation(line.target, values) == "≈"
    if last is not None and last.numbers and not trivial(last.formula):
        found.append(Piece(relation(last.formula, values), last.formula, numbers=True))
        rounded = rounded or found[-1].relation == "≈"
    if values.policy.as_you_go and last is not None:
        rounded = not values.follows(last.formula, line.target)
    return [*found, Piece("≈" if rounded else "=", line.target, numbers=True)]


def is_value(line: Line, piece: Piece) -> bool:
    """Whether a link is the result of its line: the value of the target, or a constant in its place."""
    if piece.numbers:
        return piece.formula is line.target
    return line.has_value and isinstance(piece.formula, Number) and not piece.formula.text


def trivial(f: Formula) -> bool:
    """Whether the numbers would say nothing more than the value does."""
    return isinstance(f, Name) or not any(True for _ in names(f))


def relation(f: Formula, values: Values) -> str:
    """`=` if what is written in numbers is exactly the value of the formula, else `≈`."""
    found = [*names(f)]
    if all(settled(name, values) for name in found):
        return "="
    if not all(name.scalar for name in found) or isinstance(f, Name):
        return "≈"

    def written(name: Name) -> Value:  # 0 times a rounded number is 0 all the same
        return values.known_exactly(name) if settled(name, values) else UNKNOWN

    return "≈" if evaluate(f, written, EXACT) is UNKNOWN else "="


def settled(name: Name, values: Values) -> bool:
    """Whether what is written for a name is exactly its value."""
    return values.numeral(name).exact if name.scalar else exact(values.shown(name))


def exact(shown: Shown) -> bool:
    if shown.numeral is not None:
        return shown.numeral.exact
    return all(numeral.exact for row in shown.rows for numeral in row if numeral is not None)


def rounding(policy: Policy) -> Say:
    """What = and ≈ mean on this page, and how numbers are rounded."""
    kind = "decimals" if policy.decimals is not None else "significant"
    count = policy.decimals if policy.decimals is not None else policy.significant
    how = "as_you_go" if policy.as_you_go else "exact" if policy.exact else "shown"
    return say(f"convention.rounding.{how}.{kind}", digits=count, ties=say(f"convention.ties.{policy.half}"))
