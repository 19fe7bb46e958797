"""LaTeX: amsmath and amssymb alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from derive.dialects.measure import shortened
from derive.formula import Function, Name, Partial, Symbol, Written
from derive.numerals import Numeral
from derive.spelling import Dialect, Style

GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "varepsilon",
    "η": "eta",
    "θ": "theta",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "φ": "varphi",
    "ω": "omega",
    "ℓ": "ell",
    "ζ": "zeta",
    "ι": "iota",
    "κ": "kappa",
    "ξ": "xi",
    "υ": "upsilon",
    "χ": "chi",
    "ψ": "psi",
    "ϕ": "phi",
    "ϵ": "epsilon",
    "Γ": "Gamma",
    "Δ": "Delta",
    "Θ": "Theta",
    "Λ": "Lambda",
    "Ξ": "Xi",
    "Π": "Pi",
    "Σ": "Sigma",
    "Υ": "Upsilon",
    "Φ": "Phi",
    "Ψ": "Psi",
    "Ω": "Omega",
    "∂": "partial",
    "∇": "nabla",
    "∞": "infty",
}
ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "−": "$-$",
    "'": "'",
}
SIGNS = {
    "✓": r"$\checkmark$",
    "✗": r"$\times$",
    "↪": r"$\hookrightarrow$",
    "→": r"$\to$",
    "≈": r"$\approx$",
    "⋯": r"$\cdots$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "√": r"$\surd$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "∑": r"$\sum$",
    "⊙": r"$\odot$",
    "½": r"$\frac12$",
    "¼": r"$\frac14$",
    "ᵀ": r"$^\top$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "±": r"$\pm$",
    "≠": r"$\ne$",
    "∈": r"$\in$",
    "∝": r"$\propto$",
    "≪": r"$\ll$",
    "≫": r"$\gg$",
    "←": r"$\gets$",
    "⊤": r"$\top$",
    "′": "$'$",
    "″": "$''$",
}
SCRIPTS = {"<super>": "^", "<sub>": "_"}  # small letters and digits, by what Unicode says they are made of
RELATION = {"≥": r"\ge", "≤": r"\le", ">": ">", "<": "<"}
#: Marks above a letter.
ACCENTS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde"}
#: A letter with such a mark, or any character.
MARKED = re.compile(rf"[^\W\d_][{''.join(ACCENTS)}]|.", flags=re.DOTALL)
TIMES = {"·": r" \cdot ", "×": r" \times ", "": r"\,"}
LETTERS = {**{c: rf"\{name}" for c, name in GREEK.items()}, "ℒ": r"\mathcal{L}"}
#: Signs in a label, as mathematics that MathJax and every TeX know, whatever the fonts.
SPECIAL = {
    "`": r"\text{‘}",
    "\\": r"\backslash{}",
    "^": r"\hat{\ }",
    "~": r"\mathord{\sim}",
    "<": r"\mathord{<}",
    ">": r"\mathord{>}",
    "|": r"\vert{}",
    "…": r"\ldots{}",
    "′": "{}'",
    **{c: rf"\{c}" for c in "{}$&#%_"},
    **{c: letter + "{}" for c, letter in LETTERS.items()},
}
LONGEST_WORD = 24  # letters that need not be broken
#: Functions LaTeX knows by a command of its own.
COMMANDS = {"ln", "log", "tanh", "sin", "cos", "exp", "max", "min"}


def text(words: str) -> str:
    """Anybody's text, so that TeX prints it and nothing else happens."""
    characters = MARKED.findall(decomposed(visible(words)))
    found = [f"${letters(c)}$" if c[1:] else sign(c) for c in characters]
    length = 0
    for i, c in enumerate(found):
        length = 0 if c == " " else length + 1
        if length > LONGEST_WORD:
            found[i] = r"\allowbreak{}" + c
    return "".join(found)


def decomposed(words: str) -> str:
    """Letters that TeX's fonts lack as a letter and the mark above it: ḡ."""
    return "".join(unicodedata.normalize("NFD", c) if "\u0250" <= c < "\u2000" else c for c in words)


def sign(c: str) -> str:
    """One character of a text."""
    if known := ESCAPES.get(c) or (rf"$\{GREEK[c]}$" if c in GREEK else SIGNS.get(c)):
        return known
    kind, _, code = unicodedata.decomposition(c).partition(" ")
    if kind not in SCRIPTS:
        return c
    raised = chr(int(code, 16)).replace("−", "-")
    return f"${SCRIPTS[kind]}{{{letters(raised) if raised.isalpha() else raised}}}$"


def visible(words: str) -> str:
    """Without controls and whatever else has no shape."""
    return "".join(c for c in words if unicodedata.category(c)[0] != "C")


def label(words: str) -> str:
    """Anybody's text in mathematics: words as text, signs as symbols, marks above letters as commands."""
    characters = MARKED.findall(visible(words))
    signs = {c: SPECIAL[c] for c in characters if c in SPECIAL}
    signs |= {c: rf"\{ACCENTS[c[1]]}{{\text{{{c[0]}}}}}" for c in characters if c[1:]}
    runs = groupby(characters, lambda c: c if c in signs else "")
    return "".join(signs[c] * len([*run]) if c else rf"\text{{{''.join(run)}}}" for c, run in runs)


@cache
def letters(base: str, *, bold: bool = False) -> str:
    """A letter or word in mathematics."""
    base = shortened(base)
    if base[1:] and base.endswith("′"):
        return rf"{{{letters(base[:-1], bold=bold)}'}}"
    plain, mark = unicodedata.normalize("NFD", base)[:1], unicodedata.normalize("NFD", base)[1:]
    if mark in ACCENTS:
        return rf"\{ACCENTS[mark]}{{{letters(plain, bold=bold)}}}"
    if base in LETTERS:
        return rf"\boldsymbol{{{LETTERS[base]}}}" if bold else LETTERS[base]
    if base.isascii() and base.isalnum():
        if bold:
            return rf"\mathbf{{{base}}}"
        return base if len(base) == 1 or base.isdigit() else rf"\mathrm{{{base}}}"
    found = MARKED.findall(base)
    if found and all(c[0].isascii() and c[0].isalnum() for c in found):  # dZ̃
        inside = "".join(rf"\{ACCENTS[c[1]]}{{{c[0]}}}" if c[1:] else c for c in found)
        return rf"\mathbf{{{inside}}}" if bold else rf"\mathrm{{{inside}}}"
    return label(base)


@cache
def script(written: str) -> str:
    """What stands in a subscript or superscript: digits, single letters, words."""
    pieces = re.findall(rf"[^\W\d_][{''.join(ACCENTS)}]|[A-Za-z]+|[0-9]+|.", written.replace("−", "-"))
    return "".join(
        piece if piece in "()[],.+-=" or piece.isdigit() else r"\prime" if piece == "′" else letters(piece)
        for piece in pieces
    )


class Latex(Dialect):
    """Formulas as LaTeX mathematics, without delimiters; with `shapes`, matrices have their shapes under them."""

    def __init__(self, style: Style | None = None, *, shapes: bool = False) -> None:
        super().__init__(style)
        self.shapes = shapes

    def symbol(self, symbol: Symbol | Partial) -> str:
        if isinstance(symbol, Partial):
            d = r"\partial " if symbol.d == "∂" else r"\mathrm{d}"
            top = d if symbol.order == 1 else rf"{d.strip()}^{{{symbol.order}}}"
            return rf"\frac{{{top}{self.symbol(symbol.of)}}}{{{d}{self.symbol(symbol.below)}}}"
        symbol = symbol.raised
        sub = f"_{{{script(symbol.sub)}}}" if symbol.sub else ""
        above = symbol.sup + symbol.mark
        sup = f"^{{{script(above)}}}" if above else ""
        return letters(symbol.base, bold=symbol.bold) + sub + sup

    def name(self, name: Name) -> str:
        assert not isinstance(name.symbol, Written)  # it is spelled as the formula it is
        spelled = self.symbol(name.symbol)
        if not self.shapes or name.scalar:
            return spelled
        shape = r" \times ".join(map(str, name.shape))
        return rf"\underset{{{shape}}}{{{spelled}}}"

    def numeral(self, numeral: Numeral, link: str = "") -> str:
        sign = "-" if numeral.negative else ""
        digits = numeral.digits.replace(".", "{,}") if self.style.comma else numeral.digits
        if numeral.denominator:
            return rf"{sign}\tfrac{{{digits}}}{{{numeral.denominator}}}"
        return sign + digits + ("" if numeral.exponent is None else rf" \times 10^{{{numeral.exponent}}}")

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        cells = [[r"\cdots" if cell == "⋯" else cell for cell in row] for row in rows]
        return r"\begin{bmatrix} " + r" \\ ".join(" & ".join(row) for row in cells) + r" \end{bmatrix}"

    def bracket(self, inner: str) -> str:
        if re.search(r"\\frac|\\sum|\\begin|\\tfrac", inner):
            return rf"\left({inner}\right)"
        return f"({inner})"

    def sign(self, sign: str, *, first: bool) -> str:
        plain = "-" if sign == "−" else "+"
        return plain if first else f" {plain} "

    def product(self, factors: Sequence[str], head: str, times: str) -> str:
        if head == "had":
            return r" \odot ".join(factors)
        return (r"\, " if head == "dot" else TIMES[times]).join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def transposed(self, base: str) -> str:
        return f"{base}^{{\\top}}"

    def call(self, function: Function | str, args: Sequence[str], axis: int | None) -> str:
        if isinstance(function, Function):
            head, prime = letters(function.glyph.base), "'" * function.glyph.mark.count("′")
            head = rf"\{function.glyph.base}" if function.glyph.base in COMMANDS else head
        else:
            head, prime = (rf"\{function}" if function in COMMANDS else rf"\mathrm{{{function}}}"), ""
        inner = ", ".join(args)
        return f"{head}{prime}{self.bracket(inner)}"

    def sum_over(self, inner: str, axis: int | None) -> str:
        index = "" if axis is None else "_{n}" if (axis == 1) == self.style.columns else "_{j}"
        return rf"\sum{index} {inner}"

    def cases(self, rows: Sequence[tuple[str, str]]) -> str:
        lines = [
            rf"{value} & {when}" if when else rf"{value} & \text{{{text(self.style.otherwise)}}}"
            for value, when in rows
        ]
        return r"\begin{cases} " + r" \\ ".join(lines) + r" \end{cases}"

    def relation(self, left: str, sign: str, right: str) -> str:
        return f"{left} {RELATION[sign]} {right}"

    def function(self, head: str, inner: str) -> str:
        match head:
            case "exp":
                return f"e^{{{inner}}}"
            case "sqrt":
                return rf"\sqrt{{{inner}}}"
            case "abs":
                return rf"\left|{inner}\right|"
            case "floor":
                return rf"\left\lfloor {inner}\right\rfloor "
            case "ceil":
                return rf"\left\lceil {inner}\right\rceil "
        return r"\pi"
