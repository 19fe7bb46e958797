"""Text as the back ends need it: cleaned, measured, shortened, and split into letters, words and signs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import accumulate, takewhile
from typing import Literal

from derive.formula import Symbol

Run = Literal["letter", "word", "sign", "text"]

ELLIPSIS = "…"
SCRIPT = 0.72
"""Size of a sub- or superscript relative to its base."""

_LETTERS = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+")
_LETTER = re.compile(r"[^\W\d_][\u0300-\u036f]*")
_MATHS = re.compile(r"[A-Za-z\u00c0-\u017f\u0300-\u036f\u0370-\u03ff\u2113\u2202\u2207]+")
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
_SCRIPTS = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾"
_SUBSCRIPTS = str.maketrans("0123456789+-=()", _SCRIPTS[:15])
_SUPERSCRIPTS = str.maketrans("0123456789+-=()", _SCRIPTS[15:])
_SCRIPTABLE = re.compile(r"[0-9+=()\-]*")


def clean(text: str) -> str:
    """One line of printable characters, in composed form."""
    spaced = " ".join(text.split())
    return unicodedata.normalize("NFC", "".join(c for c in spaced if unicodedata.category(c) not in _UNPRINTABLE))


@cache
def wide(char: str) -> bool:
    """Whether a character takes a full square, as CJK characters do."""
    return unicodedata.east_asian_width(char) in "WF"


@cache
def char_width(char: str) -> float:
    """Width of a character in em: a slight overestimate for the usual fonts."""
    if unicodedata.combining(char):
        return 0.0
    if wide(char) or char in "…→—":
        return 1.0
    if char in _SCRIPTS:
        return 0.42
    if char in " .,:;'|!ijl()[]":
        return 0.36
    if char in "mwMW%@":
        return 0.88
    return 0.7 if char.isupper() or not char.isascii() else 0.57


def text_width(text: str, size: float) -> float:
    """Estimated width of plain text."""
    return size * sum(map(char_width, text))


def symbol_width(symbol: Symbol, size: float) -> float:
    """Estimated width of a symbol, its scripts one above the other."""
    scripts = max(text_width(symbol.sub, size * SCRIPT), text_width(superscript(symbol), size * SCRIPT))
    return text_width(symbol.base, size) + scripts


def superscript(symbol: Symbol) -> str:
    """What stands above: the superscript followed by the mark of an update."""
    return symbol.sup + symbol.mark


def shorten(text: str, width: float, size: float) -> str:
    """The text, cleaned and cut to a width with an ellipsis."""
    text = clean(text)
    if text_width(text, size) <= width:
        return text
    ends = accumulate(map(char_width, text), initial=char_width(ELLIPSIS))
    kept = sum(1 for _ in takewhile(lambda end: size * end <= width, ends)) - 1
    return text[: max(kept, 0)].rstrip() + ELLIPSIS


def wrapped(text: str, width: float, size: float, most: int) -> list[str]:
    """An enumeration, broken after its commas where it is too wide; the last line is cut if that is not enough."""
    text = clean(text)
    if text_width(text, size) <= width:
        return [text]
    lines: list[str] = []
    for part in text.split(", "):
        if lines and (len(lines) == most or text_width(f"{lines[-1]}, {part},", size) <= width):
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return [shorten(line, width, size) for line in (*(f"{line}," for line in lines[:-1]), lines[-1])]


def shorten_symbol(symbol: Symbol, width: float, size: float) -> Symbol:
    """The symbol, cleaned, each part cut so that the whole stays within a width."""
    base, sub, sup, mark = map(clean, (symbol.base, symbol.sub, symbol.sup, symbol.mark))
    symbol = replace(symbol, base=base, sub=sub, sup=sup, mark=mark)
    if symbol_width(symbol, size) <= width:
        return symbol
    script = size * SCRIPT
    scripts = min(max(text_width(symbol.sub, script), text_width(superscript(symbol), script)), width / 2)
    above = scripts / 2 if sup and mark else scripts
    sub, sup, mark = shorten(sub, scripts, script), shorten(sup, above, script), shorten(mark, above, script)
    return replace(symbol, base=shorten(base, width - scripts, size), sub=sub, sup=sup, mark=mark)


def plain(symbol: Symbol) -> str:
    """A symbol as a line of text: w₁₁⁽¹⁾, or net_h1 where Unicode has no such subscript."""
    base, sub, sup = clean(symbol.base), clean(symbol.sub), clean(superscript(symbol))
    low = sub.translate(_SUBSCRIPTS) if _SCRIPTABLE.fullmatch(sub) else f"_{sub}"
    high = sup.translate(_SUPERSCRIPTS) if _SCRIPTABLE.fullmatch(sup) else f"^{sup}"
    return base + low + high


def runs(text: str) -> Iterator[tuple[str, Run]]:
    """Split into single letters (italic), words (upright), signs and digits, and text outside mathematics (CJK)."""
    end = 0
    for match in _LETTERS.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], "sign"
        found, end = match.group(), match.end()
        if not _MATHS.fullmatch(found):
            yield found, "text"
        else:
            yield found, "letter" if _LETTER.fullmatch(found) else "word"
    if end < len(text):
        yield text[end:], "sign"
