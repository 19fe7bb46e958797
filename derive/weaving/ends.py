"""Blocks whose end is not there, because they are new, or because somebody deleted it."""

from __future__ import annotations

from derive.weaving.markers import Block


def reach(text: str, block: Block, filled: str) -> int:
    """Where a block without an end does end: after what it is filled with, if that, printed before, follows already."""
    end = block.start + len(filled)
    whole = block.marker.inside is not None or text[end : end + 1] in "\r\n"
    return end if whole and text.startswith(filled, block.start) else block.end


def repeated(after: str, block: Block, filled: str) -> bool:
    """Whether what comes after a block without an end may be an old copy: text at once, or what begins as it does."""
    if block.marker.inside is not None:
        return after[:1] == filled[:1]
    at_once = opening(after.partition("\n")[2].partition("\n")[0])
    follows = bool(at_once) and not at_once.startswith(("<!--", "%"))
    return follows or opening(after) == opening(filled)


def opening(text: str) -> str:
    """The first line that is not empty, outside of quotations."""
    return next((bare for line in text.split("\n") if (bare := line.strip(" \t\r>"))), "")
