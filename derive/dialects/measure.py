"""How wide a formula is when typeset: spelled as a run of characters whose widths are known."""

from __future__ import annotations

from collections.abc import Sequence

from derive.dialects.text import Text
from derive.formula import Function, Name, Partial, Symbol, Written

#: Widths in em of what is not a letter or digit; with the space that mathematics puts around operators.
WIDTHS = {
    "·": 0.72,
    "⊙": 1.22,
    "=": 1.34,
    "≈": 1.34,
    "+": 1.22,
    "−": 1.22,
    "×": 1.22,
    " ": 0.3,
    "(": 0.42,
    ")": 0.42,
    ",": 0.45,
    ".": 0.28,
    "[": 0.45,
    "]": 0.45,
    "Σ": 1.1,
    "m": 0.85,
    "w": 0.72,
    "M": 1.0,
    "W": 1.05,
    "∂": 0.56,
}
SMALL = 0.72  # size of scripts
LONGEST_LABEL = 16.0  # em


class Widths(dict[str, float]):
    """The widths of characters in em; those of letters and digits are added as they are asked for."""

    def __missing__(self, c: str) -> float:
        return self.setdefault(c, 1.0 if ord(c) > 0x2E80 else 0.54)


WIDTH = Widths(WIDTHS).__getitem__


def em(text: str) -> float:
    """The width of a measured run, in em."""
    return sum(map(WIDTH, text))


def shortened(label: str) -> str:
    """A label that leaves room for a formula around it: what does not fit on paper is cut."""
    if em(label) <= LONGEST_LABEL:
        return label
    size = next(i for i in range(len(label), -1, -1) if em(label[:i]) <= LONGEST_LABEL - 1)
    return label[:size] + "…"


class Measure(Text):
    """Text whose fractions are as wide as their wider half, and whose scripts are small."""

    def small(self, text: str) -> str:
        return text[: max(1, round(len(text) * SMALL))] if text else ""

    def symbol(self, symbol: Symbol | Partial) -> str:
        if isinstance(symbol, Partial):
            return wider("∂" + self.symbol(symbol.of), "∂" + self.symbol(symbol.by)) + " "
        return shortened(symbol.base) + self.small(wider(symbol.sub, symbol.sup + symbol.mark))

    def name(self, name: Name) -> str:
        assert not isinstance(name.symbol, Written)  # it is spelled as the formula it is
        return wider(self.symbol(name.symbol), "10×10" if not name.scalar and name.shape else "")

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        columns = [max((row[i] for row in rows), key=em) for i in range(len(rows[0]))]
        return "[" + "mm".join(columns) + "]"

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        return {"had": "⊙", "dot": " "}.get(head, times or " ").join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return wider(top, bottom) + " "

    def power(self, base: str, exponent: str) -> str:
        return base + self.small(exponent)

    def function(self, head: str, inner: str) -> str:
        return "e" + self.small(inner) if head == "exp" else f"mm{inner}"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        return " " + super().call(function, args, axis)

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        return "mm" + max((value + "mm" + (when or "else") for value, when in rows), key=em)


def wider(one: str, other: str) -> str:
    return max(one, other, key=em)
