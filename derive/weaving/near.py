"""Comments that look like markers and are none, so that nobody waits for a block that is never filled."""

from __future__ import annotations

import re

from derive.errors import InputError
from derive.weaving.markers import BEGIN, DEFAULTS, END, Source

_END = re.compile(r"\s*/\s*derive\s*[:：]?\s*", re.IGNORECASE)
_BEGIN = re.compile(r"\s*derive(?P<defaults>[-_ ]*defaults?)?(?:\s*[:：]\s*|\s+)(?P<words>\S.*)", re.I | re.S)
_OPTION = r"[a-z_-]+=\S+"
#: A network or an option to begin with, or a word, an example or a topic, and nothing but options after it.
_WORDS = re.compile(rf"""["']?[^\s"']+\.ya?ml["']?(?!\S)|{_OPTION}|[^\s=]+(?:\s+{_OPTION})+\s*\Z""", re.IGNORECASE)


def meant(comment: str) -> str | None:
    """The marker that is meant by what a comment says, as it should be written; None for an ordinary comment."""
    if _END.fullmatch(comment):
        return END
    match = _BEGIN.match(comment)
    if match is None or not _WORDS.match(match["words"]):
        return None
    return " ".join([DEFAULTS if match["defaults"] else BEGIN, *match["words"].split()])


def refusal(source: Source, marker: str, start: int) -> InputError:
    """The error for a comment at `start` that means this marker."""
    return source.error(f"this comment is no marker, though it looks like one. Did you mean '{marker}'?", start)
