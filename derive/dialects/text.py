"""One line of Unicode, for terminals, plain files and measuring widths; or of ASCII."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Function, Name, Partial, Symbol, Written
from derive.numerals import Numeral
from derive.spelling import PRODUCT, Dialect

SUPER = dict(zip("0123456789()+-=n−⊤", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾⁺⁻⁼ⁿ⁻ᵀ", strict=True))
SUB = dict(zip("0123456789()+-−=aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₍₎₊₋₋₌ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
ASCII = {
    **{low: plain for plain, low in SUB.items() if plain.isascii()},
    "•": "*",
    "≠": "!=",
    "±": "+-",
    "∞": "inf",
    "·": "*",
    "×": "x",
    "−": "-",
    "∂": "d",
    "⊙": "(.)",
    "σ": "sigma",
    "η": "eta",
    "δ": "delta",
    "ℓ": "l",
    "≈": "~",
    "∑": "sum",
    "Σ": "sum",
    "≥": ">=",
    "≤": "<=",
    "⋯": "...",
    "√": "sqrt",
    "π": "pi",
    "ŷ": "y^",
    "ŝ": "shat",
    "\u0302": "hat",
    "\u0304": "bar",
    "⌊": "floor(",
    "⌋": ")",
    "⌈": "ceil(",
    "⌉": ")",
    "α": "alpha",
    "β": "beta",
    "′": "'",
    "θ": "theta",
    "λ": "lambda",
    "→": "->",
    "μ": "mu",
    "⊤": "T",
    "ε": "eps",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "’": "'",
    "½": "1/2",
    "…": "...",
    "²": "^2",
    "φ": "phi",
    "Φ": "Phi",
    "∈": "in",
    "ᵀ": "^T",
    "✓": "ok",
    "✗": "x",
    "↪": "->",
    "↦": "->",
    "⁻": "-",
    "¹": "1",
}


def ascii_only(text: str) -> str:
    """The same in ASCII: known signs by name, the rest as its code point."""
    return "".join(c if c.isascii() else ASCII.get(c) or f"\\u{ord(c):04x}" for c in text)


class Text(Dialect):
    """Formulas as a line of Unicode text."""

    fraction_rank = PRODUCT

    def script(self, written: str, table: dict[str, str], mark: str) -> str:
        if not written:
            return ""
        if table.keys() >= {*written}:
            return "".join(map(table.__getitem__, written))
        return mark + (written if len(written) == 1 else f"{{{written}}}")

    def symbol(self, symbol: Symbol | Partial) -> str:
        if isinstance(symbol, Partial):
            order = "" if symbol.order == 1 else self.script(str(symbol.order), SUPER, "^")
            return f"{symbol.d}{order}{self.symbol(symbol.of)}/{symbol.d}{self.symbol(symbol.below)}"
        return (
            symbol.base
            + self.script(symbol.sup, SUPER, "^")
            + self.script(symbol.sub, SUB, "_")
            + (self.script(symbol.mark, SUPER, "^"))
        )

    def name(self, name: Name) -> str:
        assert not isinstance(name.symbol, Written)  # it is spelled as the formula it is
        return self.symbol(name.symbol)

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        sign = "−" if numeral.negative else ""
        digits = numeral.digits.replace(".", ",") if self.style.comma else numeral.digits
        if numeral.denominator:
            return f"{sign}{digits}/{numeral.denominator}"
        if numeral.exponent is None:
            return sign + digits
        return f"{sign}{digits}×10{self.script(str(numeral.exponent), SUPER, '^')}"

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return "[" + "; ".join(" ".join(row) for row in rows) + "]"

    def bracket(self, inner: str) -> str:
        return f"({inner})"

    def sign(self, sign: str, *, first: bool) -> str:
        return sign if first else f" {sign} "

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        if head == "had":
            return " ⊙ ".join(factors)
        if head == "dot":
            return " ".join(factors)
        return (times or " ").join(f"({f})" if is_quotient(f) else f for f in factors)

    def fraction(self, top: str, bottom: str) -> str:
        return f"{top}/{bottom}"

    def power(self, base: str, exponent: str) -> str:
        return base + self.script(exponent, SUPER, "^")

    def transposed(self, base: str) -> str:
        return base + "ᵀ"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        head = function if isinstance(function, str) else function.glyph.base + function.glyph.mark
        return f"{head}({', '.join(args)})"

    def sum_over(self, inner: str, axis: int | None) -> str:
        index = "" if axis is None else "ₙ" if (axis == 1) == self.style.columns else "ⱼ"
        return f"Σ{index} {inner}"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        return (
            "{"
            + "; ".join(
                f"{value} {self.style.given} {when}" if when else f"{value} {self.style.otherwise}"
                for value, when in rows
            )
            + "}"
        )

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def function(self, head: str, inner: str) -> str:
        match head:
            case "exp":
                return "e" + self.script(inner, SUPER, "^")
            case "sqrt":
                return f"√({inner})"
            case "abs":
                return f"|{inner}|"
            case "floor":
                return f"⌊{inner}⌋"
            case "ceil":
                return f"⌈{inner}⌉"
        return "π"


def is_quotient(text: str) -> bool:
    """Whether a slash stands outside all brackets; ∂L/∂w is one letter."""
    if "/" not in text:
        return False
    depth = 0
    for c in text:
        depth += (c in "([{⌊⌈") - (c in ")]}⌋⌉")
        if c == "/" and depth == 0:
            return text[0] not in "∂d|"
    return False


def is_bracketed(text: str) -> bool:
    """Whether one pair of brackets holds the whole text."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return text[0] == "(" and i == len(text) - 1
    return False


class AsciiText(Text):
    """The same for terminals that know ASCII only."""

    def script(self, written: str, table: dict[str, str], mark: str) -> str:
        if not written:
            return ""
        alone = len(written) == 1 or written.isdigit() or is_bracketed(written)
        return mark + (written if alone else f"({written})")

    def transposed(self, base: str) -> str:
        return base + "^T"
