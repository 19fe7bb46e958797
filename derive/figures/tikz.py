"""A network as a TikZ picture, and symbols in TeX."""

from __future__ import annotations

import re
import unicodedata

from derive.figures.geometry import Node, Point, Text, Wire, layout
from derive.figures.network import Network
from derive.figures.text import clean, runs, superscript
from derive.formula import Symbol

PREAMBLE = "\\usepackage{tikz}\n"
"""What a document must load; with characters outside TeX's fonts (CJK) also ctex."""

POINTS = 0.75
_TALLEST = 500.0
_SIZES = (5, 6, 7, 8, 9, 10, 12)
"""Sizes of type that every font of TeX has."""
_NAMES = {c: unicodedata.name(c).split()[3].lower().replace("lamda", "lambda") for c in "αβγδζηθικλμνξπρστυχψω"}
_NAMES |= {c: unicodedata.name(c).split()[3].capitalize().replace("Lamda", "Lambda") for c in "ΓΔΘΛΞΠΣΦΨΩ"}
_NAMES |= {"∂": "partial", "∇": "nabla", "ℓ": "ell", "×": "times", "·": "cdot", "≈": "approx"}
_NAMES |= {"→": "to", "∞": "infty"}
_NAMES |= {
    "≤": "leq",
    "≥": "geq",
    "±": "pm",
    "∑": "sum",
    "∏": "prod",
    "…": "ldots",
    "√": "surd",
    "⌊": "lfloor",
    "⌋": "rfloor",
    "⌈": "lceil",
    "⌉": "rceil",
    "ϕ": "phi",
    "φ": "varphi",
    "ε": "varepsilon",
}
_MATHS = {char: f"\\{name} " for char, name in _NAMES.items()} | {"−": "-", "ο": "o", "′": "'"}
_ACCENTS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde", "\u0307": "dot", "\u20d7": "vec"}
_ESCAPES = {c: f"\\{c}" for c in "{}$&#%_"} | {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}"}
_ESCAPES |= {"~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
_ESCAPES |= {'"': r"{\char34}", "`": r"{\char96}", "[": "{[}", "]": "{]}", ";": "{;}"}
_SCRIPTS = {"<super>": "^", "<sub>": "_"}
_SIGNS = re.compile(r"[0-9()+\-*/=.,:!' ′−×·≈→∞±…∂∇∑∏≤≥]*")
_NUMBER = re.compile(r"[+\-−]?[0-9][0-9./]*…?")
_COLOURS = {"ink": "1F2A37", "muted": "6B7684", "accent": "1D5FA8", "positive": "2B6CB0", "negative": "C05621"}


def to_tikz(network: Network, *, on_slides: bool = False) -> str:
    """A centred picture that shrinks to the width of the line where it must, and `on_slides` to the height of a page."""
    drawing = layout(network)
    bounds = drawing.bounds
    scale = min(POINTS, _TALLEST / bounds.height)
    body = [
        *(f"\\definecolor{{figure{name}}}{{HTML}}{{{colour}}}%" for name, colour in _COLOURS.items()),
        "\\providecommand{\\text}[1]{\\mbox{#1}}%",
        resized(bounds.width * scale, bounds.height * scale, on_slides=on_slides),
        f"\\begin{{tikzpicture}}[x={POINTS}pt,y=-{POINTS}pt,line width=.7pt,inner sep=0pt,outer sep=0pt]",
        f"\\useasboundingbox ({number(bounds.left)},{number(bounds.top)}) rectangle ({number(bounds.right)},{number(bounds.bottom)});",
        *(_wire(wire) for wire in drawing.wires),
        *(line for wire in drawing.wires if wire.texts for line in _label(wire)),
        *(line for node in drawing.nodes for line in _node(node)),
        *(_dot((x, y + dy)) for x, y in drawing.dots for dy in (-8, 0, 8)),
        *(_text(text) for text in drawing.headings),
        "\\end{tikzpicture}}%",
    ]
    return "\n".join(["\\begin{center}", *body, "\\end{center}", ""])


def resized(width: float, height: float, *, on_slides: bool) -> str:
    """The beginning of a box as large as the picture, in points, or as there is room for."""
    if not on_slides:
        return f"\\resizebox{{\\ifdim\\linewidth<{width:.1f}pt \\linewidth\\else {width:.1f}pt\\fi}}{{!}}{{%"
    most = f"\\dimen0=.7\\textheight\\dimen0={width / height:.4f}\\dimen0 "
    limits = "".join(f"\\ifdim\\dimen0>{one}\\dimen0={one}\\fi" for one in ("\\linewidth", f"{width:.1f}pt "))
    return f"{most}{limits}\\edef\\derivewidth{{\\the\\dimen0}}%\n\\resizebox{{\\derivewidth}}{{!}}{{%"


def symbol_tex(symbol: Symbol) -> str:
    """A symbol in TeX's mathematics, without the dollars."""
    base = maths(symbol.base)
    if symbol.bold and "\\text" not in base:
        base = f"\\boldsymbol{{{base}}}" if "\\" in base else f"\\mathbf{{{base}}}"
    sub, sup = maths(symbol.sub), maths(superscript(symbol))
    return f"{{{base}}}" + (f"_{{{sub}}}" if sub else "") + (f"^{{{sup}}}" if sup else "")


def maths(text: str) -> str:
    """Part of a symbol in TeX: letters italic, words upright, everything unusual as text."""
    return "".join(_maths_run(run, kind) for run, kind in runs(clean(text))).strip()


def _maths_run(run: str, kind: str) -> str:
    if kind == "text" or (kind == "sign" and not _SIGNS.fullmatch(run)):
        return f"\\text{{{escape(run)}}}"
    letters = "".join(map(_maths_char, re.findall(r".[\u0300-\u036f]?", run)))
    return f"\\mathrm{{{letters}}}" if kind == "word" else letters


def _maths_char(char: str) -> str:
    """A letter or sign, with its accent as a command."""
    if char in _MATHS:
        return _MATHS[char]
    base, *marks = list(unicodedata.normalize("NFD", char))
    if len(marks) == 1 and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{_MATHS.get(base, base)}}}"
    return char if char.isascii() else f"\\text{{{char}}}"


def escape(text: str) -> str:
    """Text that TeX prints as it stands."""
    return "".join(map(_escaped, re.findall(r".[\u0300-\u036f]?", clean(text))))


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char in _MATHS:
        return f"\\ensuremath{{{_MATHS[char].strip()}}}"
    base, *marks = list(unicodedata.normalize("NFD", char))
    if len(marks) == 1 and marks[0] in _ACCENTS and not (len(char) == 1 and ord(char) < 0x250):  # é is a letter
        return f"\\ensuremath{{\\{_ACCENTS[marks[0]]}{{{_MATHS.get(base, base)}}}}}"
    kind, _, code = unicodedata.decomposition(char[0]).partition(" ")
    if kind not in _SCRIPTS:
        return char
    return f"\\ensuremath{{{_SCRIPTS[kind]}{{{_maths_char(chr(int(code, 16)))}}}}}"


def number(length: float) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{round(length, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _at(point: Point) -> str:
    return f"({number(point[0])},{number(point[1])})"


def _dot(point: Point) -> str:
    return f"\\fill[figuremuted] {_at(point)} circle[radius=1.2pt];"


def _wire(wire: Wire) -> str:
    """The line of an edge."""
    tip = "-stealth," if wire.arrow else ""
    path = f"to {_at(wire.end)}"
    if wire.bend:
        controls = [_third(point, wire.bend) for point in (wire.start, wire.end)]
        path = f".. controls {_at(controls[0])} and {_at(controls[1])} .. {_at(wire.end)}"
    width = number(wire.thickness * POINTS * 0.8)
    return f"\\draw[{tip}figure{wire.tone},line width={width}pt] {_at(wire.start)} {path};"


def _third(point: Point, bend: Point) -> Point:
    """The control point of a cubic curve that equals the quadratic one."""
    return point[0] + 2 * (bend[0] - point[0]) / 3, point[1] + 2 * (bend[1] - point[1]) / 3


def _label(wire: Wire) -> list[str]:
    """The label of an edge, with a filled rectangle behind it."""
    back = wire.label
    if back is None:
        return []
    corners = _at((back.left - 2, back.top)), _at((back.right + 2, back.bottom))
    return [f"\\fill[white] {corners[0]} rectangle {corners[1]};", *map(_text, wire.texts)]


def _node(node: Node) -> list[str]:
    """A unit: its shape and its texts."""
    box, kind = node.box, node.unit.kind
    colour = {"bias": "muted", "target": "muted,densely dashed", "loss": "accent"}.get(kind, "ink")
    if node.round:
        shape = f"{_at((box.x, box.y))} circle[radius={number(box.width / 2 * POINTS)}pt]"
    else:
        shape = f"{_at((box.left, box.top))} rectangle {_at((box.right, box.bottom))}"
    corners = "" if node.round else ",rounded corners=4pt"
    backs = (
        f"\\fill[white] {_at((b.left - 2, b.top))} rectangle {_at((b.right + 2, b.bottom))};"
        for b in (text.box for text in node.texts if text.backed)
    )
    return [f"\\draw[fill=white,draw=figure{colour}{corners}] {shape};", *backs, *map(_text, node.texts)]


def _text(text: Text) -> str:
    """A line of text centred on its point."""
    if isinstance(text.content, Symbol):
        size, content = max(size for size in _SIZES if size <= text.size * POINTS), f"${symbol_tex(text.content)}$"
    else:
        size, content = 9, plain_tex(text.content)
    font = f"\\fontsize{{{size}}}{{{size + 2}}}\\selectfont"
    return f"\\node[figure{text.tone},font={font}] at {_at((text.x, text.y))} {{{content}}};"


def plain_tex(text: str) -> str:
    """Text as it stands, a number with the minus of mathematics."""
    return f"${maths(text)}$" if _NUMBER.fullmatch(text) else escape(text)
