"""Markers in notes: where a block begins and ends, and what stands between.

A marker that begins a block says what is wanted, `derive: net.yaml only=w5`; `/derive` ends it. `derive-defaults: …`
says what holds for the markers after it, and has no end. How markers are told from other text is for `markdown` and
`tex` to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derive.errors import InputError

DEFAULTS = "derive-defaults:"
BEGIN = "derive:"
END = "/derive"


@dataclass(frozen=True)
class Source:
    """The text of notes, and what they are called in errors."""

    file: str
    text: str

    def error(self, problem: str, offset: int) -> InputError:
        """The problem with its line and column, both from 1."""
        before = self.text[:offset].removeprefix("\ufeff")
        line = before.count("\n")
        return InputError(problem, file=self.file, line=line + 1, column=len(before) - (before.rfind("\n") + 1) + 1)


@dataclass(frozen=True)
class Marker:
    """A marker in the text: `text[start:end]`, of one kind of `derive-defaults:`, `derive:`, `/derive`.

    words: what is said after the colon, which begins at `said`
    inside: None for a marker on a line of its own, else the paragraph it stands in, by number
    prefix: what the lines of a block begin with: an indentation, the bars of a quotation
    within: what opens the display of mathematics it stands in, `\\[` or `\\begin{equation}`, in TeX; "" for none
    """

    kind: str
    start: int
    end: int
    words: str
    said: int
    inside: int | None = None
    prefix: str = ""
    within: str = ""

    @property
    def ends(self) -> bool:
        return self.kind == END


@dataclass(frozen=True)
class Block:
    """What a marker asks for goes to `text[start:end]`; a marker without its end gets one."""

    marker: Marker
    start: int
    end: int
    closed: bool = True


def paired(source: Source, markers: Sequence[Marker], single: frozenset[int] = frozenset()) -> Iterator[Block | Marker]:
    """Blocks, and the markers that only say what holds, in the order of the text.

    single: where markers begin that have no end
    Raises InputError for an end without a beginning, and where markers cross.
    """
    waiting: Marker | None = None
    for marker in markers:
        if marker.ends:
            if waiting is None:
                raise source.error("an end without a beginning; blocks cannot stand in one another", marker.start)
            if (marker.inside, waiting.inside) != (None, None) and marker.inside != waiting.inside:
                raise source.error(
                    "markers cross: the block that ends here did not begin in this paragraph", marker.start
                )
            yield Block(waiting, waiting.end, marker.start)
            waiting = None
            continue
        if waiting is not None:
            yield Block(waiting, waiting.end, waiting.end, closed=False)
            waiting = None
        if marker.kind == DEFAULTS or marker.start in single:
            yield marker
        else:
            waiting = marker
    if waiting is not None:
        yield Block(waiting, waiting.end, waiting.end, closed=False)
