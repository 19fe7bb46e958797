"""Markers in TeX are comments on lines of their own, `% derive: …`; those in verbatim text are text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.weaving.markers import BEGIN, DEFAULTS, END, Marker, Source

ENDING = f"% {END}"
VERBATIM = ("verbatim", "Verbatim", "lstlisting", "minted", "comment", "filecontents", "alltt")
_MARKER = re.compile(rf"(?P<indent>[ \t]*)%+[ \t]*(?P<kind>{DEFAULTS}|{BEGIN}|{END}(?=\s|$))(?P<words>[^\r\n]*)")
_OPENED = re.compile(rf"\\begin\s*\{{((?:{'|'.join(VERBATIM)})\*?)\}}")
_BEAMER = re.compile(r"^[^%\n]*\\documentclass\s*(?:\[[^\]]*\])?\s*\{beamer\}", re.MULTILINE)
FRAME = 26  # em of a line in a frame of beamer, which cannot hold layouts for several widths


def width(text: str) -> int | None:
    """The width of a line where it has to be known."""
    return FRAME if _BEAMER.search(text) else None


def markers(source: Source) -> list[Marker]:
    """The markers of a text, in order."""
    return list(found(source.text))


def found(text: str) -> Iterator[Marker]:
    closing, start = "", 0
    for line in text.split("\n"):
        if closing:
            closing = "" if closing in line else closing
        elif match := _MARKER.match(line.removeprefix("\ufeff")):
            at = start + len(line) - len(line.removeprefix("\ufeff"))
            begin, end = at + match.end("indent"), at + len(match[0])
            said = at + match.start("words")
            yield Marker(match["kind"], begin, end, match["words"], said, None, match["indent"])
        elif opened := _OPENED.search(uncommented(line)):
            ending = f"\\end{{{opened[1]}}}"
            closing = "" if ending in line[opened.end() :] else ending
        start += len(line) + 1


def uncommented(line: str) -> str:
    """A line without its comment."""
    return re.sub(r"(?<!\\)((?:\\\\)*)%.*", r"\1", line)
