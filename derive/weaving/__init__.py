"""`derive weave`: notes whose blocks, between markers, are filled with what derive prints, in place."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from derive.errors import InputError
from derive.files import write
from derive.weaving import markdown
from derive.weaving.content import MarkdownPaper, Paper, content
from derive.weaving.loom import Loom, placed
from derive.weaving.markers import Block, Source, paired
from derive.weaving.request import Request, checked, read

#: Files that stand in the folder of notes, or above it, where mathematics is written between dollar signs.
PROJECTS = ("_quarto.yml", "_quarto.yaml", "myst.yml", "_config.yml", "mkdocs.yml", "mkdocs.yaml")
SUFFIXES = (".md", ".markdown", ".qmd", ".rmd")
ALWAYS_DOLLARS = (".qmd", ".rmd")


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
    source = Source(str(path), text_of(path))
    standing = Request(options={"math": math or flavour(path), **({"lang": lang} if lang else {})})
    parts, last, blocks, changed = [], 0, 0, 0
    for found in paired(source, markdown.markers(source)):
        if not isinstance(found, Block):
            standing = read(source, found).over(standing)
            continue
        inside = found.marker.inside is not None
        request = checked(source, read(source, found.marker).over(standing), inside)
        solution = loom.solution(source, request, path.parent)
        try:
            text = content(solution, request, paper(request), inline=inside)
        except InputError as error:
            raise placed(source, request, error, request.wanted) from None
        filled = laid_out(source, found, text)
        blocks, changed = blocks + 1, changed + (filled != source.text[found.start : found.end])
        parts += [source.text[last : found.start], filled]
        last = found.end
    whole = "".join([*parts, source.text[last:]])
    return Planned(Woven(path, blocks, changed), whole.encode("utf-8"))


def paper(request: Request) -> Paper:
    return MarkdownPaper(request.options["math"])


def laid_out(source: Source, block: Block, text: str) -> str:
    """What stands between the markers, with line ends as there are at the first, and the second if it is not there."""
    marker, end = block.marker, "" if block.closed else markdown.ENDING
    if marker.inside is not None:
        return text + end
    rest = source.text[marker.end :]
    newline = "\r\n" if (rest.partition("\n")[0] + "\n" if "\n" in rest else source.text).endswith("\r\n") else "\n"
    rows = ["", "", *text.split("\n"), "", ""]
    return newline.join((marker.prefix + row).rstrip() if i else "" for i, row in enumerate(rows[:-1])) + (
        newline + marker.prefix + end
    )


def flavour(path: Path) -> str:
    """How mathematics is marked where these notes stand: by their suffix, or what stands in their folder or above it."""
    if path.suffix.lower() in ALWAYS_DOLLARS:
        return "dollars"
    for folder in path.resolve().parents:
        if any((folder / name).is_file() for name in PROJECTS):
            return "dollars"
        if (folder / ".git").exists():
            break
    return "github"


def text_of(path: Path) -> str:
    """Notes as they stand there, line ends and all."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"notes end in one of {', '.join(SUFFIXES)}", file=str(path))
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
