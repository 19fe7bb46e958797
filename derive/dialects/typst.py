"""Typst: its mathematics, without the dollar signs, and anybody's text.

Letters and signs stand as Unicode. Brackets that one sees are `\\(` and `\\)`, which need not match; bare ones group.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from derive.dialects.measure import shortened
from derive.formula import Function, Name, Partial, Symbol, Written
from derive.numerals import Numeral
from derive.spelling import Dialect, Style

#: Marks above a letter.
ACCENTS = {"\u0302": "hat", "\u0304": "macron", "\u0303": "tilde"}
TIMES = {"·": " · ", "×": " × ", "": " thin "}
#: Functions Typst knows by name.
OPERATORS = {"ln", "log", "tanh", "sin", "cos", "exp", "max", "min"}
LETTER = re.compile(r"[A-Za-zα-ωΑ-Ωϕϵℓℒ∂∇∞]")
LATIN = re.compile(r"[A-Za-z]+")
TALL = re.compile(r"frac\(|∑|mat\(|cases\(")
#: A string, a sign kept from its meaning, brackets with a name before them, or one character.
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|[A-Za-z.]*\(| [·+−] |.', re.DOTALL)
#: A letter with the mark above it, or one character.
CHARACTER = re.compile(rf"[A-Za-z][{''.join(ACCENTS)}]|.", re.DOTALL)
#: What is set as mathematics in a text too.
SIGN = re.compile(r"[α-ωΑ-Ωϕϵℓ∂∇∞≈≤≥≠≪≫∈∝→←⊙⊤√∑±×·−⋯⌊⌋⌈⌉]")
#: In mathematics it would be a command.
ROOT = {"√": r"\√"}
#: What means something in a text, wherever it stands.
SPECIAL = set("\\*_`$#[]<>@=-+/~'\"{}^&|:")
#: What means something only after what stands before it: a number, a command, the same sign.
FOLLOWING = set(".;(!")


def text(words: str) -> str:
    """Anybody's text, so that Typst sets it and nothing else happens; signs of mathematics as mathematics."""
    found, before = [], " "
    for c in CHARACTER.findall(unicodedata.normalize("NFC", visible(words))):
        if c[1:] or SIGN.fullmatch(c):
            found.append(f"${letters(c) if c[1:] else ROOT.get(c, c)}$")
        elif c in SPECIAL or (c in FOLLOWING and not (before.isalpha() and before.isascii())):
            found.append("\\" + c)
        else:
            found.append(c)
        before = c
    return "".join(found)


def visible(words: str) -> str:
    """Without controls and whatever else has no shape; a line's end is a space."""
    return "".join(" " if c.isspace() else c for c in words if c.isspace() or unicodedata.category(c)[0] != "C")


def string(words: str) -> str:
    """Anybody's text as a string of Typst, in mathematics or in code."""
    return literal(visible(words))


def literal(text: str) -> str:
    """A text as a string of Typst, with all its characters."""
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


@cache
def letters(base: str, *, bold: bool = False) -> str:
    """A letter or word in mathematics."""
    base = shortened(base)
    if base[1:] and base.endswith("′"):
        return f'class("normal", {letters(base[:-1], bold=bold)}^(′))'
    plain, mark = unicodedata.normalize("NFD", base)[:1], unicodedata.normalize("NFD", base)[1:]
    if mark in ACCENTS and LETTER.fullmatch(plain):
        return f"{ACCENTS[mark]}({letters(plain, bold=bold)})"
    if LETTER.fullmatch(base):
        found = f"bold({base})" if bold else base
        return f"upright({found})" if bold and base.isascii() else found
    if base.isascii() and base.isdigit():
        return f"bold({base})" if bold else base
    return f'class("normal", {"bold(" if bold else ""}{string(base)}{")" if bold else ""})'


@cache
def script(written: str) -> str:
    """What stands in a subscript or superscript: digits, single letters, words."""
    marks = "".join(ACCENTS)
    pieces = re.findall(rf"[^\W\d_][{marks}]|[A-Za-z]+|[0-9]+|.", written.replace("-", "−"))
    return "".join(map(piece, pieces))


def piece(found: str) -> str:
    """A part of a script: a letter, a word, digits or a sign."""
    if found in "()[],":
        return "\\" + found
    if found in ".+−=′" or (found.isascii() and found.isdigit()):
        return found
    return letters(found) + " "


def tokens(source: str) -> Iterator[tuple[str, int]]:
    """The tokens of mathematics, each with the number of groups it stands in."""
    depth = 0
    for token in TOKEN.findall(source):
        if token == ")":
            depth -= 1
        yield token, depth
        if token[-1] == "(" and token[0] != "\\":
            depth += 1


def flat(source: str) -> str:
    """Mathematics whose brackets do not grow, so that a row may end between them."""
    found: list[str] = []
    grown: list[int] = []
    for token, depth in tokens(source):
        if token == "lr(":
            grown.append(depth)
        elif token == ")" and grown[-1:] == [depth]:
            grown.pop()
        else:
            found.append(token)
    return "".join(found)


def cut(source: str) -> list[str]:
    """A term in pieces that each begin with a sign of its own, also inside its brackets."""
    found = [""]
    for token, depth in tokens(flat(source)):
        if depth == 0 and token in (" · ", " + ", " − ") and found[-1]:
            found.append("")
        found[-1] += token
    return found


class Typst(Dialect):
    """Formulas as Typst mathematics; with `shapes`, matrices have their shapes under them."""

    brackets = (r"\(", r"\)")

    def __init__(self, style: Style | None = None, *, shapes: bool = False) -> None:
        super().__init__(style)
        self.shapes = shapes

    def symbol(self, symbol: Symbol | Partial) -> str:
        if isinstance(symbol, Partial):
            d = "∂" if symbol.d == "∂" else "upright(d)"
            top = d if symbol.order == 1 else f"{d}^({symbol.order})"
            of = self.symbol(symbol.of) if symbol.of.base else ""
            return f"frac({f'{top} {of}'.strip()}, {d} {self.symbol(symbol.below)})"
        symbol = symbol.raised
        sub = f"_({script(symbol.sub).rstrip()})" if symbol.sub else ""
        above = symbol.sup + symbol.mark
        sup = f"^({script(above).rstrip()})" if above else ""
        return letters(symbol.base, bold=symbol.bold) + sub + sup

    def name(self, name: Name) -> str:
        assert not isinstance(name.symbol, Written)  # it is spelled as the formula it is
        spelled = self.symbol(name.symbol)
        if not self.shapes or name.scalar:
            return spelled
        shape = " × ".join(map(str, name.shape))
        return f"attach(limits({spelled}), b: {shape})"

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        sign = "−" if numeral.negative else ""
        digits = numeral.digits
        if self.style.comma and "." in digits:
            digits = f'class("normal", "{digits.replace(".", ",")}")'
        if numeral.denominator:
            return f"{sign}inline(frac({digits}, {numeral.denominator}))"
        power = "" if numeral.exponent is None else f" × 10^({str(numeral.exponent).replace('-', '−')})"
        return sign + digits + power

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return 'mat(delim: "[", ' + "; ".join(", ".join(row) for row in rows) + ")"

    def bracket(self, inner: str) -> str:
        if TALL.search(inner):
            return rf"lr(\({inner}\))"
        return rf"\({inner}\)"

    def sign(self, sign: str, *, first: bool) -> str:
        return sign if first else f" {sign} "

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        if head == "had":
            return " ⊙ ".join(factors)
        return (" thin " if head == "dot" else TIMES[times]).join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return f"frac({top}, {bottom})"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^({exponent})"

    def transposed(self, base: str) -> str:
        return f"{base}^(⊤)"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        glyph = function.glyph if isinstance(function, Function) else Symbol(function)
        head = glyph.base if glyph.base in OPERATORS else letters(glyph.base)
        if glyph.base not in OPERATORS and LATIN.fullmatch(glyph.base) and glyph.base[1:]:
            head = f"op({string(glyph.base)})"
        inside = self.bracket(r"\, ".join(args))
        between = " " if inside.startswith("lr") else ""  # else the letters would be one name
        return head + "′" * glyph.mark.count("′") + between + inside

    def sum_over(self, inner: str, axis: int | None) -> str:
        index = "" if axis is None else "_(n)" if (axis == 1) == self.style.columns else "_(j)"
        return f"∑{index} {inner}"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        lines = [f"&{value} &&quad {when or string(self.style.otherwise)}" for value, when in rows]
        return f"cases({', '.join(lines)})"

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def both(self, conditions: Sequence[str]) -> str:
        return r"\, ".join(conditions)

    def function(self, head: str, inner: str) -> str:
        match head:
            case "exp":
                return f"e^({inner})"
            case "sqrt" | "abs" | "floor" | "ceil":
                return f"{head}({inner})"
        return "π"
