"""Markers in TeX are comments on lines of their own, `% derive: …`; those in verbatim text are text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.weaving.markers import BEGIN, DEFAULTS, END, Marker, Source
from derive.weaving.near import meant, refusal

ENDING = f"% {END}"
VERBATIM = ("verbatim", "Verbatim", "lstlisting", "minted", "comment", "filecontents", "alltt")
_MARKER = re.compile(rf"(?P<indent>[ \t]*)%+[ \t]*(?P<kind>{DEFAULTS}|{BEGIN}|{END}(?=\s|$))(?P<words>[^\r\n]*)")
_OPENED = re.compile(rf"\\begin\s*\{{((?:{'|'.join(VERBATIM)})\*?)\}}")
_BEAMER = re.compile(r"^[^%\n]*\\documentclass\s*(?:\[[^\]]*\])?\s*\{beamer\}", re.MULTILINE)
_DISPLAYS = "equation|align|alignat|flalign|gather|multline|eqnarray|displaymath"
#: What begins and ends a display, and what none goes on beyond.
_DISPLAY = re.compile(
    rf"(?<!\\)(?:\\\\)*(\\\[|\\\]|\\(?:begin|end)\s*\{{(?:{_DISPLAYS})\*?\}}|\\begin\{{document\}}|\A\s*\Z)"
)
_COMMENT = re.compile(r"(?<!\\)(?:\\\\)*%+(.*)")
_CODE = re.compile(
    r"\\(?:[vV]erb\*?|lstinline(?:\[[^\]]*\])?|mintinline\{\w+\})(?:\{[^}]*\}|(?P<quote>[^\w\s{]).*?(?P=quote))"
)
FRAME = 26  # em of a line in a frame of beamer, which cannot hold layouts for several widths


def width(text: str) -> int | None:
    """The width of a line where it has to be known."""
    return FRAME if _BEAMER.search(text) else None


def markers(source: Source) -> list[Marker]:
    """The markers of a text, in order. Raises InputError for a comment that looks like one and is none."""
    return list(found(source))


def found(source: Source) -> Iterator[Marker]:
    closing, display, start = "", "", 0
    for line in source.text.split("\n"):
        if closing:
            closing = "" if closing in line else closing
        elif match := _MARKER.match(line.removeprefix("\ufeff")):
            at = start + len(line) - len(line.removeprefix("\ufeff"))
            begin, end = at + match.end("indent"), at + len(match[0])
            said = at + match.start("words")
            yield Marker(match["kind"], begin, end, match["words"], said, None, match["indent"], display)
        else:
            text = _CODE.sub(lambda code: "x" * len(code[0]), line)
            unmarked(source, text, start)
            text = uncommented(text)
            display = displayed(text, display)
            if opened := _OPENED.search(text):
                ending = f"\\end{{{opened[1]}}}"
                closing = "" if ending in line[opened.end() :] else ending
        start += len(line) + 1


def unmarked(source: Source, line: str, start: int) -> None:
    """Raises InputError if the comment at the end of a line that begins at `start` should be a marker."""
    comment = _COMMENT.search(line)
    marker = meant(comment[1]) if comment else None
    if not comment or not marker:
        return
    at = start + line.index("%", comment.start())
    if line[: at - start].strip("\ufeff \t"):
        raise source.error(f"behind text this is no marker; give '% {marker}' a line of its own", at)
    raise refusal(source, f"% {marker}", at)


def displayed(line: str, display: str) -> str:
    """What opens the display of mathematics in which a line ends; "" outside of all. display: the same for its start"""
    for token in (match[1] for match in _DISPLAY.finditer(line)):
        display = token if token == r"\[" or (token.startswith(r"\begin") and "{document}" not in token) else ""
    return display


def uncommented(line: str) -> str:
    """A line without what its comment says."""
    return re.sub(r"(?<!\\)((?:\\\\)*%).*", r"\1", line)
