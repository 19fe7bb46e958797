"""`derive weave`: notes whose blocks, between markers, are filled with what derive prints, in place."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from derive.errors import InputError
from derive.files import write
from derive.weaving.content import content, nested
from derive.weaving.ends import reach, repeated
from derive.weaving.folders import Folder, folder_of
from derive.weaving.kinds import Kind, flavour, kind_of
from derive.weaving.loom import Loom, placed
from derive.weaving.markers import DEFAULTS, Block, Source, paired
from derive.weaving.request import OPTIONS, Request, checked, default, read


@dataclass(frozen=True)
class Woven:
    """Notes and what became of them. changed: how many of their blocks, folders included, are not what they were

    ended: lines, from 1, of ends that were added, and what follows them may be an old copy of the block
    """

    path: Path
    blocks: int
    changed: int
    ended: tuple[int, ...] = ()

    @property
    def fresh(self) -> bool:
        return not self.changed


def weave(
    *notes: str | Path, check: bool = False, math: str | None = None, lang: str | None = None
) -> tuple[Woven, ...]:
    """Fills the blocks of notes in place; writes nothing at all where one of them cannot be filled.

    notes: Markdown or TeX files · check: changes nothing, but says what would be
    math: github or dollars, how Markdown marks mathematics where a marker says nothing; by default what suits the folder
    lang: en or zh, the language where a marker says nothing
    Raises InputError, with the place in the notes, WitnessError where an independent check disagrees.
    """
    for option, value in {"math": math, "lang": lang}.items():
        try:
            if value is not None:
                OPTIONS[option](value)
        except ValueError as refusal:
            raise InputError(f"{option} {refusal}") from None
    loom = Loom()
    plans = [Plan(Path(path), loom, math, lang) for path in dict.fromkeys(map(str, notes))]
    folders: dict[Path, Folder] = {}
    for plan in plans:
        plan.make()
        for path, folder in plan.folders.items():
            if path in folders and folders[path].files != folder.files:
                raise InputError(f"{plan.path} wants other files there than {notes[0]}", file=str(path))
            folders[path] = folder
    if not check:
        for plan in plans:
            plan.writable()
        for folder in folders.values():
            folder.write()
        for plan in plans:
            plan.write()
    return tuple(plan.woven for plan in plans)


@dataclass
class Plan:
    """One file of notes as it will be: every block filled, and the folders beside it."""

    path: Path
    loom: Loom
    math: str | None
    lang: str | None
    parts: list[str] = field(default_factory=list)
    folders: dict[Path, Folder] = field(default_factory=dict)
    blocks: int = 0
    changed: int = 0
    ended: list[int] = field(default_factory=list)

    def make(self) -> None:
        """Fills the blocks, one after the other, as the defaults before them say."""
        self.kind: Kind = kind_of(self.path)
        self.source = Source(str(self.path), text_of(self.path))
        standing = Request(options=self.standing())
        markers = self.kind.markers(self.source)
        asked = {marker.start: read(self.source, marker, self.kind.without) for marker in markers if not marker.ends}
        alone = frozenset(start for start, request in asked.items() if request.wanted == "into")
        last = 0
        for found in paired(self.source, markers, alone):
            marker = found.marker if isinstance(found, Block) else found
            if marker.kind == DEFAULTS:
                standing = default(self.source, asked[marker.start]).over(standing)
                continue
            request = checked(self.source, asked[marker.start].over(standing), marker.inside is not None)
            if isinstance(found, Block):
                self.parts.append(self.source.text[last : found.start])
                last = self.fill(found, request)
            else:
                self.put(request)
        self.parts.append(self.source.text[last:])

    def standing(self) -> dict[str, Any]:
        """The options that hold before the notes say anything."""
        own = {"math": self.math or flavour(self.path), "lang": self.lang, "width": self.kind.width(self.source.text)}
        return {option: value for option, value in own.items() if value is not None}

    def fill(self, block: Block, request: Request) -> int:
        """Fills a block; where it ended in the text, with its end, if it has to be added, after what is in its place."""
        if block.marker.within:
            raise nested(self.source, block.marker, request)
        text, between = self.kind.laid_out(self.source, block.marker, self.filled(block, request))
        end = block.end if block.closed else reach(self.source.text, block, text)
        filled = text + between + ("" if block.closed else self.kind.ending)
        self.parts.append(filled)
        self.count(filled == self.source.text[block.start : end])
        if not block.closed and end == block.end and repeated(self.source.text[end:], block, text):
            self.ended.append("".join(self.parts).count("\n") + 1)
        return end

    def filled(self, block: Block, request: Request) -> str:
        """What is printed between the markers of a block."""
        solution = self.loom.solution(self.source, request, self.path.parent)
        inline = block.marker.inside is not None
        try:
            return content(solution, request, self.kind.paper(request), inline=inline)
        except InputError as error:
            raise placed(self.source, request, error, request.wanted) from None

    def put(self, request: Request) -> None:
        """A folder of fragments, for a marker that names one."""
        solution = self.loom.solution(self.source, request, self.path.parent)
        try:
            folder = folder_of(self.path.parent, request.options["into"], self.kind.files(solution, request))
            if self.folders.setdefault(folder.path, folder).files != folder.files:
                raise InputError(f"two markers want different files in {request.options['into']}")
        except InputError as error:
            raise placed(self.source, request, error, "into") from None
        self.count(folder.fresh)

    def count(self, fresh: bool) -> None:
        self.blocks, self.changed = self.blocks + 1, self.changed + (not fresh)

    @property
    def woven(self) -> Woven:
        return Woven(self.path, self.blocks, self.changed, tuple(self.ended))

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def writable(self) -> None:
        """Raises InputError if the notes have to be written and cannot be."""
        if self.text != self.source.text and not os.access(self.path, os.W_OK):
            raise InputError("cannot be written: permission denied", file=str(self.path))

    def write(self) -> None:
        """Writes the notes in the place of what they were, with the same mode, also where a link leads to them."""
        if self.text == self.source.text:
            return
        path = self.path.resolve()
        mode = stat.S_IMODE(path.stat().st_mode)
        write(path, self.text)
        path.chmod(mode)


def text_of(path: Path) -> str:
    """Notes as they stand there, line ends and all."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", file=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8, from byte {error.start + 1} on", file=str(path)) from None


__all__ = ["Woven", "weave"]
