"""`derive weave`: notes whose blocks, between markers, are filled with what derive prints, in place."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from derive.errors import InputError
from derive.solution import write
from derive.weaving.content import content
from derive.weaving.kinds import flavour, kind_of
from derive.weaving.loom import Loom, placed
from derive.weaving.markers import Block, Source, paired
from derive.weaving.request import Request, checked, default, read


@dataclass(frozen=True)
class Woven:
    """Notes and what became of them. changed: how many of their blocks are not what they were before"""

    path: Path
    blocks: int
    changed: int

    @property
    def fresh(self) -> bool:
        return not self.changed


@dataclass(frozen=True)
class Planned:
    """Notes as they will be."""

    woven: Woven
    text: bytes


def weave(
    *notes: str | Path, check: bool = False, math: str | None = None, lang: str | None = None
) -> tuple[Woven, ...]:
    """Fills the blocks of notes in place; writes nothing at all where one of them cannot be filled.

    notes: Markdown files · check: changes nothing, but says what would be
    math: github or dollars, how mathematics is marked where a marker says nothing; by default what suits the folder
    lang: en or zh, the language where a marker says nothing
    Raises InputError, with the place in the notes, WitnessError where an independent check disagrees.
    """
    loom = Loom()
    planned = [plan(Path(path), loom, math, lang) for path in dict.fromkeys(map(str, notes))]
    if not check:
        for each in planned:
            if not each.woven.fresh:
                put(each.woven.path, each.text)
    return tuple(each.woven for each in planned)


def plan(path: Path, loom: Loom, math: str | None, lang: str | None) -> Planned:
    """The notes with their blocks filled."""
    kind, source = kind_of(path), Source(str(path), text_of(path))
    standing = Request(options={"math": math or flavour(path), **({"lang": lang} if lang else {})})
    parts, last, blocks, changed = [], 0, 0, 0
    for found in paired(source, kind.markers(source)):
        if not isinstance(found, Block):
            standing = default(source, read(source, found)).over(standing)
            continue
        inline = found.marker.inside is not None
        request = checked(source, read(source, found.marker).over(standing), inline)
        solution = loom.solution(source, request, path.parent)
        try:
            text = content(solution, request, kind.paper(request), inline=inline)
        except InputError as error:
            raise placed(source, request, error, request.wanted) from None
        filled = kind.laid_out(source, found, text)
        blocks, changed = blocks + 1, changed + (filled != source.text[found.start : found.end])
        parts += [source.text[last : found.start], filled]
        last = found.end
    whole = "".join([*parts, source.text[last:]])
    return Planned(Woven(path, blocks, changed), whole.encode("utf-8"))


def text_of(path: Path) -> str:
    """Notes as they stand there, line ends and all."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", file=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8, from byte {error.start + 1} on", file=str(path)) from None


def put(path: Path, text: bytes) -> None:
    """Notes written in the place of what they were, with the same mode, also where a link leads to them."""
    path = path.resolve()
    mode = stat.S_IMODE(path.stat().st_mode)
    if not os.access(path, os.W_OK):
        raise InputError("cannot be written: permission denied", file=str(path))
    write(path, text)
    path.chmod(mode)


__all__ = ["Woven", "weave"]
