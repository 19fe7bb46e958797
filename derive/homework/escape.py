"""Texts of strangers made harmless where they come out: on a terminal, in a cell of a spreadsheet.

HTML, LaTeX and Markdown have their escapes in the printers.
"""

from __future__ import annotations

import re

from derive.errors import printable

_LINE = re.compile(r"([\n\t])")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?")
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def visible(text: str) -> str:
    """The text with line breaks and tabs, and any other character that does not print as its escape: `\\x1b`."""
    return text if text.isprintable() else "".join(map(_shown, _LINE.split(text.replace("\r\n", "\n"))))


def _shown(part: str) -> str:
    return part if part in ("\n", "\t") else printable(part)


def csv_safe(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula: `'` goes before what begins like one, unless it is a number.

    `-0.0822` stays; `-2+3`, `=A1`, `@SUM(1)` and their full-width kin do not.
    """
    if _NUMBER.fullmatch(text):
        return text
    begins = text[:1] + text.strip(" \u00a0\u3000\"'")[:1]
    return f"'{visible(text)}" if any(char in _FORMULA for char in begins) else visible(text)
