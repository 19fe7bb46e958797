"""Office MathML, the equations of Word: elements of the prefix m, every run of signs in one `m:r`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape

from derive.dialects.mathml import bold
from derive.dialects.measure import shortened
from derive.formula import Function, Name, Partial, Symbol, Written
from derive.numerals import Numeral
from derive.spelling import Dialect, Style

ACCENTS = ("\u0302", "\u0304", "\u0303")
THIN = "\u2009"
SIGNS = set("+−=.,()[]")  # as mathematics they would want something on both sides, which LibreOffice then looks for


def visible(words: str) -> str:
    """Without what XML has no place for, or what has no shape."""
    return "".join(" " if c.isspace() else c for c in words if c.isspace() or unicodedata.category(c)[0] != "C")


@cache
def run(words: str, style: str = "p") -> str:
    """Signs, digits, a word or a letter. style: p upright, i italic; `nor` is text outside mathematics"""
    kind = "<m:nor/>" if style == "nor" else f'<m:sty m:val="{style}"/>'
    return f'<m:r><m:rPr>{kind}</m:rPr><m:t xml:space="preserve">{escape(visible(words))}</m:t></m:r>'


@cache
def letter(base: str) -> str:
    """A letter in italics, or a word upright, with the mark above it."""
    base = shortened(base)
    plain, mark = unicodedata.normalize("NFD", base)[:1], unicodedata.normalize("NFD", base)[1:]
    if mark in ACCENTS:
        return f'<m:acc><m:accPr><m:chr m:val="{mark}"/></m:accPr><m:e>{letter(plain)}</m:e></m:acc>'
    if not base.isalnum() and len(base) > 1:
        return run(base, "nor")
    return run(base, "i" if len(base) == 1 and base.isalpha() else "p")


@cache
def script(written: str) -> str:
    """What stands in a subscript or superscript."""
    words = written.replace("-", "−")
    if set(words) & SIGNS:
        return run(words, "nor")
    return letter(words) if len(unicodedata.normalize("NFC", words)) == 1 else run(words)


def element(name: str, *parts: str, properties: str = "") -> str:
    """An element with its properties and the parts in it."""
    inside = f"<m:{name}Pr>{properties}</m:{name}Pr>" if properties else ""
    return f"<m:{name}>{inside}{''.join(parts)}</m:{name}>"


def e(inner: str) -> str:
    return f"<m:e>{inner}</m:e>"


def fenced(inner: str, left: str = "(", right: str = ")") -> str:
    """Between brackets, which are as tall as what is in them."""
    signs = f'<m:begChr m:val="{left}"/><m:endChr m:val="{right}"/>'
    return element("d", e(inner), properties=signs)


def table(rows: Sequence[Sequence[str]], align: str) -> str:
    """Cells in rows and columns."""
    columns = f'<m:mcs><m:mc><m:mcPr><m:count m:val="{len(rows[0])}"/><m:mcJc m:val="{align}"/></m:mcPr></m:mc></m:mcs>'
    return element("m", *(element("mr", *map(e, row)) for row in rows), properties=columns)


TAG = re.compile(r"<(/?)[^>]*?(/?)>")
BRACKETED = re.compile(re.escape(fenced("\0")).replace("\0", "(.*)"))
LONG = 40  # signs in brackets that need not stay together
OPENING = run("(", "nor")
CUT = {run("+"), run("−"), run("·")}


def raised(base: str, above: str) -> str:
    return element("sSup", e(base), f"<m:sup>{above}</m:sup>")


def children(source: str) -> list[str]:
    """The elements that stand side by side."""
    found, depth, start = [], 0, 0
    for tag in TAG.finditer(source):
        depth += 0 if tag[2] else -1 if tag[1] else 1
        if depth == 0:
            found.append(source[start : tag.end()])
            start = tag.end()
    return found


def flat(source: str) -> list[str]:
    """Elements side by side, also those inside brackets of much, which become signs of a fixed size."""
    found = []
    for child in children(source):
        inside = BRACKETED.fullmatch(child)
        if inside and len(TAG.sub("", child)) > LONG:
            found += [OPENING, *flat(inside[1]), run(")", "nor")]
        else:
            found.append(child)
    return found


def cut(term: str) -> list[str]:
    """A term in pieces that each begin with a sign, also inside its brackets."""
    found, before = [""], OPENING
    for child in flat(term):
        if child in CUT and before != OPENING and found[-1]:
            found.append("")
        found[-1] += child
        before = child
    return found


class Omml(Dialect):
    """Formulas as the children of an `m:oMath`; with `shapes`, matrices have their shapes under them."""

    brackets = ("\0", "\0")  # all of them grow

    def __init__(self, style: Style | None = None, *, shapes: bool = False) -> None:
        super().__init__(style)
        self.shapes = shapes

    def symbol(self, symbol: Symbol | Partial) -> str:
        if isinstance(symbol, Partial):
            d = run(symbol.d, "i" if symbol.d == "∂" else "p")
            top = d if symbol.order == 1 else raised(d, run(str(symbol.order)))
            of = self.symbol(symbol.of) if symbol.of.base else ""
            return self.fraction(top + of, d + self.symbol(symbol.below))
        symbol = symbol.raised
        base = run(bold(symbol.base)) if symbol.bold else letter(symbol.base)
        above = symbol.sup + symbol.mark
        if symbol.sub and above:
            return element("sSubSup", e(base), f"<m:sub>{script(symbol.sub)}</m:sub><m:sup>{script(above)}</m:sup>")
        if symbol.sub:
            return element("sSub", e(base), f"<m:sub>{script(symbol.sub)}</m:sub>")
        return raised(base, script(above)) if above else base

    def name(self, name: Name) -> str:
        assert not isinstance(name.symbol, Written)  # it is spelled as the formula it is
        spelled = self.symbol(name.symbol)
        if not self.shapes or name.scalar:
            return spelled
        return element("limLow", e(spelled), f"<m:lim>{run('×'.join(map(str, name.shape)))}</m:lim>")

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        sign = run("−") if numeral.negative else ""
        digits = run(numeral.digits.replace(".", ",") if self.style.comma else numeral.digits)
        if numeral.denominator:
            return sign + self.fraction(digits, run(numeral.denominator))
        if numeral.exponent is None:
            return sign + digits
        return sign + digits + run("×") + raised(run("10"), run(str(numeral.exponent).replace("-", "−")))

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        cells = [[run(cell) if cell == "⋯" else cell for cell in row] for row in rows]
        return fenced(table(cells, "right"), "[", "]")

    def bracket(self, inner: str) -> str:
        return fenced(inner)

    def sign(self, sign: str, *, first: bool) -> str:
        return run(sign)

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        sign = {"had": "⊙", "dot": THIN}.get(head, times or THIN)
        return run(sign).join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return f"<m:f><m:num>{top}</m:num><m:den>{bottom}</m:den></m:f>"

    def power(self, base: str, exponent: str) -> str:
        return raised(base, exponent)

    def transposed(self, base: str) -> str:
        return raised(base, run("⊤"))

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        glyph = function.glyph if isinstance(function, Function) else Symbol(function)
        head = letter(glyph.base) + (run(glyph.mark) if glyph.mark else "")
        return f"<m:func><m:fName>{head}</m:fName>{e(self.bracket(run(', ').join(args)))}</m:func>"

    def sum_over(self, inner: str, axis: int | None) -> str:
        index = "" if axis is None else letter("n" if (axis == 1) == self.style.columns else "j")
        hidden = "" if index else '<m:subHide m:val="1"/>'
        look = f'<m:chr m:val="∑"/><m:limLoc m:val="undOvr"/>{hidden}<m:supHide m:val="1"/>'
        return element("nary", f"<m:sub>{index}</m:sub><m:sup/>", e(inner), properties=look)

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        cells = [[value, when or run(self.style.otherwise, "nor")] for value, when in rows]
        return fenced(table(cells, "left"), "{", "")

    def relation(self, left: str, sign: str, right: str) -> str:
        return left + run(sign) + right

    def both(self, conditions: Sequence[str]) -> str:
        return run(", ").join(conditions)

    def function(self, head: str, inner: str) -> str:
        match head:
            case "exp":
                return raised(letter("e"), inner)
            case "sqrt":
                return element("rad", "<m:deg/>", e(inner), properties='<m:degHide m:val="1"/>')
            case "abs" | "floor" | "ceil":
                return fenced(inner, *{"abs": "||", "floor": "⌊⌋", "ceil": "⌈⌉"}[head])
        return run("π")
