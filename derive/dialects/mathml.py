"""MathML Core, for browsers: bold and script by Unicode letters, every operator with its spacing, numbers as links."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape

from derive.formula import Function, Name, Partial, Symbol, Written
from derive.numerals import Numeral
from derive.spelling import Dialect, Style

BOLD = [("A", "Z", 0x1D400), ("a", "z", 0x1D41A), ("α", "ω", 0x1D6C2), ("Α", "Ω", 0x1D6A8), ("0", "9", 0x1D7CE)]


def bold(word: str) -> str:
    """Mathematical bold letters; what has none stays as it is."""
    for first, last, start in BOLD:
        if len(word) == 1 and first <= word <= last:
            return chr(start + ord(word) - ord(first))
    return word if len(word) == 1 else "".join(bold(part) for part in word)


@cache
def operator(sign: str, space: str = "0", *, form: str = "infix") -> str:
    fixed = ' stretchy="false"' if sign in "()[]|" else ' largeop="false"' if sign == "⊙" else ""
    return f'<mo form="{form}" lspace="{space}" rspace="{space}"{fixed}>{escape(sign)}</mo>'


#: Marks above a letter, as signs of their own (a combining mark would leave its place in an italic letter).
ACCENTS = {"\u0302": "ˆ", "\u0304": "¯", "\u0303": "˜"}


@cache
def letter(base: str) -> str:
    """A letter or word, with the mark above it."""
    plain, accent = unicodedata.normalize("NFD", base)[:1], unicodedata.normalize("NFD", base)[1:]
    if accent in ACCENTS:
        mark = f'<mo stretchy="false">{ACCENTS[accent]}</mo>'
        return f'<mover accent="true"><mi>{escape(plain)}</mi>{mark}</mover>'
    return f"<mi>{escape(base)}</mi>"


def row(inner: str) -> str:
    return f"<mrow>{inner}</mrow>"


@cache
def script(written: str) -> str:
    """What stands in a subscript or superscript, token by token."""
    if "(" in written or "[" in written:
        return f"<mtext>{escape(written)}</mtext>"  # the number of a layer is a label, not a product
    pieces = []
    for piece in re.findall(r"[A-Za-z]+|[0-9]+|.", written):
        if piece.isdigit():
            pieces.append(f"<mn>{piece}</mn>")
        elif piece in "()[],.+-−=′⊤":
            pieces.append(operator("−" if piece == "-" else piece, form="prefix" if piece in "([" else "postfix"))
        else:
            pieces.append(f"<mi>{escape(piece)}</mi>")
    return row("".join(pieces))


class MathML(Dialect):
    """Formulas as the children of a `<math>` element; with `shapes`, every matrix has its shape written under it."""

    def __init__(self, style: Style | None = None, *, shapes: bool = False) -> None:
        super().__init__(style)
        self.shapes = shapes

    def symbol(self, symbol: Symbol | Partial) -> str:
        if isinstance(symbol, Partial):
            d = "<mi>∂</mi>" if symbol.d == "∂" else '<mi mathvariant="normal">d</mi>'
            of = self.symbol(symbol.of) if symbol.of.base else ""
            top = d if symbol.order == 1 else f"<msup>{d}<mn>{symbol.order}</mn></msup>"
            return f"<mfrac>{row(top + of)}{row(d + self.symbol(symbol.below))}</mfrac>"
        symbol = symbol.raised
        base = letter(bold(symbol.base) if symbol.bold else symbol.base)
        above = symbol.sup + symbol.mark
        if symbol.sub and above:
            return f"<msubsup>{base}{script(symbol.sub)}{script(above)}</msubsup>"
        if symbol.sub:
            return f"<msub>{base}{script(symbol.sub)}</msub>"
        return f"<msup>{base}{script(above)}</msup>" if above else base

    def name(self, name: Name) -> str:
        assert not isinstance(name.symbol, Written)  # it is spelled as the formula it is
        spelled = self.symbol(name.symbol)
        if not self.shapes or name.scalar:
            return spelled
        shape = "×".join(map(str, name.shape))
        return f'<munder accentunder="false">{row(spelled)}<mtext class="shape">{shape}</mtext></munder>'

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        sign = operator("−", form="prefix") if numeral.negative else ""
        digits = numeral.digits.replace(".", ",") if self.style.comma else numeral.digits
        if link and not numeral.denominator:  # the sign belongs to what is linked
            sign, digits = "", ("−" if numeral.negative else "") + digits
        shown = f'<a href="#{escape(link)}">{digits}</a>' if link else digits
        if numeral.denominator:
            return sign + f"<mfrac><mn>{shown}</mn><mn>{numeral.denominator}</mn></mfrac>"
        number = f"<mn>{shown}</mn>"
        if numeral.exponent is None:
            return sign + number
        exponent = ('<mo form="prefix" lspace="0" rspace="0">−</mo>' if numeral.exponent < 0 else "") + (
            f"<mn>{abs(numeral.exponent)}</mn>"
        )
        return sign + number + operator("×", "0.15em") + f"<msup><mn>10</mn>{row(exponent)}</msup>"

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        cell = "<mtd>{}</mtd>".format
        body = "".join(
            "<mtr>" + "".join(cell("<mo>⋯</mo>" if c == "⋯" else row(c)) for c in r) + "</mtr>" for r in rows
        )
        left, right = (
            f'<mo form="{form}" stretchy="true" lspace="0" rspace="0">{sign}</mo>'
            for form, sign in (("prefix", "["), ("postfix", "]"))
        )
        return row(f'{left}<mtable class="matrix">{body}</mtable>{right}')

    def bracket(self, inner: str) -> str:
        tall = "true" if re.search("<mfrac|<mtable|<munder", inner) else "false"
        left, right = (
            f'<mo form="{form}" stretchy="{tall}" lspace="0" rspace="0">{sign}</mo>'
            for form, sign in (("prefix", "("), ("postfix", ")"))
        )
        return row(left + inner + right)

    def sign(self, sign: str, *, first: bool) -> str:
        return operator(sign, form="prefix") if first else operator(sign, "0.22em")

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        match head:
            case "had":
                between = operator("⊙", "0.22em")
            case "dot":
                between = '<mspace width="0.12em"/>'
            case _:
                between = operator(times, "0.16em") if times else '<mspace width="0.16em"/>'
        return between.join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{row(top)}{row(bottom)}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{row(base)}{row(exponent)}</msup>"

    def transposed(self, base: str) -> str:
        return f"<msup>{row(base)}{row(operator('⊤'))}</msup>"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        glyph = function.glyph if isinstance(function, Function) else Symbol(function)
        head = f"<mi>{escape(glyph.base)}</mi>" + operator("′") * glyph.mark.count("′")
        inner = (operator(",", form="postfix") + '<mspace width="0.2em"/>').join(args)
        return head + "<mo>&#x2061;</mo>" + self.bracket(inner)

    def sum_over(self, inner: str, axis: int | None) -> str:
        sigma = '<mo form="prefix" largeop="true" movablelimits="false" lspace="0" rspace="0.16em">∑</mo>'
        if axis is None:
            return sigma + inner
        index = "n" if (axis == 1) == self.style.columns else "j"
        return f"<munder>{sigma}<mi>{index}</mi></munder>{inner}"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        body = "".join(
            f"<mtr><mtd>{row(value)}</mtd><mtd>{row(when) if when else f'<mtext>{escape(self.style.otherwise)}</mtext>'}</mtd></mtr>"
            for value, when in rows
        )
        brace = '<mo form="prefix" stretchy="true" lspace="0" rspace="0.1em">{</mo>'
        return row(f'{brace}<mtable class="cases">{body}</mtable>')

    def relation(self, left: str, sign: str, right: str) -> str:
        return left + operator(sign, "0.28em") + right

    def both(self, conditions: Sequence[str]) -> str:
        return (operator(",", form="postfix") + '<mspace width="0.4em"/>').join(conditions)

    def function(self, head: str, inner: str) -> str:
        match head:
            case "exp":
                return f"<msup><mi>e</mi>{row(inner)}</msup>"
            case "sqrt":
                return f"<msqrt>{row(inner)}</msqrt>"
            case "abs" | "floor" | "ceil":
                bars = {"abs": "||", "floor": "⌊⌋", "ceil": "⌈⌉"}[head]
                left, right = (
                    f'<mo form="{form}" stretchy="true" lspace="0" rspace="0">{bar}</mo>'
                    for form, bar in zip(("prefix", "postfix"), bars, strict=True)
                )
                return row(left + inner + right)
        return "<mi>π</mi>"
