"""Anybody's text for a spreadsheet: it stays text."""

from __future__ import annotations

import re
import unicodedata

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_FORMULA = "=+-@"


def csv_safe(text: str) -> str:
    """A cell that no spreadsheet runs as a formula: marked with an apostrophe, if it begins like one.

    Full-width signs (`＝`) and signs after spaces or line breaks begin one too. A number (`-0.0822`) stays as it is.

    >>> csv_safe("=1+1"), csv_safe("-0.0822"), csv_safe("Ada")
    ("'=1+1", '-0.0822', 'Ada')
    """
    if _NUMBER.fullmatch(text):
        return text
    text = "".join(char if char in "\t\r\n" or unicodedata.category(char) != "Cc" else "\ufffd" for char in text)
    first = unicodedata.normalize("NFKC", text).lstrip()[:1]
    return f"'{text}" if text[:1] in ("\t", "\r", "\n") or (first and first in _FORMULA) else text
