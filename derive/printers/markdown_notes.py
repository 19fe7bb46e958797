"""Parts of a document for notes in Markdown: lines without the page around them, in the mathematics of the reader at hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from derive.document import Block, Document, Figure, Say, Section, Step
from derive.figures.picture import to_svg
from derive.printers.cited import Cited, chain, lines_of
from derive.printers.common import template
from derive.printers.markdown import DEEPEST, Markdown, printer
from derive.printers.pieces import Piece, pieces


@dataclass(frozen=True)
class Titles:
    """How titles are set.

    level: of the headings, from 1; with None there are none, and titles of steps are lines in bold
    bold: whether there are such lines
    """

    level: int | None = None
    bold: bool = True

    def section(self, title: str) -> str:
        """The title of a section, which goes without saying where there are no headings."""
        return "" if self.level is None else self.heading(title, 0)

    def step(self, title: str, below: int, *, alone: bool) -> str:
        """The title of a step, which goes without saying where it is alone and there are no headings."""
        if self.level is None:
            return "" if alone or not self.bold else f"**{title}**"
        return self.heading(title, below)

    def heading(self, title: str, below: int) -> str:
        assert self.level is not None
        return f"{'#' * min(self.level + below, DEEPEST)} {title}"


@dataclass(frozen=True)
class Part:
    """A line of text, such as a heading, a block, or both."""

    text: str
    block: Block | None = None
    listed: bool = False


def sections(document: Document, flavour: str, titles: Titles) -> str:
    """All sections of a document."""
    p = printer(document, flavour)
    blocks = [block for section in document.sections for block in section.blocks]
    return written(p, (part for section in document.sections for part in of(p, section, titles, len(blocks) == 1)))


def of(p: Markdown, section: Section, titles: Titles, alone: bool) -> Iterator[Part]:
    yield Part(titles.section(p.say(section.title)))
    yield from blocks_of(p, section.blocks, titles, 1, alone=alone)


def piece(document: Document, found: Piece, flavour: str, titles: Titles) -> str:
    """One piece of a document, with its title if there are headings; "" where it is but a picture."""
    p = printer(document, flavour)
    if found.listed:
        parts = [Part("", block, listed=True) for block in found.blocks]
    else:
        below = 1 if found.whole else 0
        parts = list(blocks_of(p, found.blocks, titles, below, alone=not found.whole))
    headed = titles.level is not None and (found.whole or found.listed)
    title = [Part(titles.section(p.say(found.title)))] if headed else []
    return written(p, [*title, *parts])


def blocks_of(p: Markdown, blocks: Iterable[Block], titles: Titles, below: int, *, alone: bool) -> Iterator[Part]:
    for block in blocks:
        if isinstance(block, Say) and alone:
            yield Part(p.say(block))
            continue
        step = isinstance(block, Step) and not block.fold
        yield Part(
            titles.step(p.say(block.title), below, alone=alone) if isinstance(block, Step) and step else "", block
        )


def files(document: Document, flavour: str = "dollars") -> dict[str, str | bytes]:
    """Every piece as a file to be included, and the pictures as SVG; what includes files reads dollar signs."""
    found: dict[str, str | bytes] = {}
    for each in pieces(document):
        figure = each.blocks[0]
        if len(each.blocks) == 1 and isinstance(figure, Figure):
            found[f"{each.name}.svg"] = to_svg(figure.picture)
        elif text := piece(document, each, flavour, Titles()):
            found[f"{each.name}.md"] = text + "\n"
    return found


def written(p: Markdown, found: Iterable[Part]) -> str:
    return tidy(template("notes.md", escaped=False).render(p=p, parts=list(found)))


def tidy(text: str) -> str:
    """No more than one empty line between others, but as many as there are inside of fences."""
    found: list[str] = []
    fence = ""
    for line in text.strip().splitlines():
        opening = re.match("`{3,}|", line)
        if fence:
            fence = "" if line == fence else fence
        else:
            fence = opening[0] if opening else ""
            line = line.rstrip()
            if not line and not (found and found[-1]):
                continue
        found.append(line)
    return "\n".join(found)


def sentence(document: Document, what: Cited, id: str, index: tuple[int, ...], flavour: str) -> str:
    """Something cited, to stand in a sentence."""
    p = printer(document, flavour)
    return p.inline(what(p, id, index))


def display(document: Document, what: Cited, id: str, index: tuple[int, ...], flavour: str) -> str:
    """The same on lines of its own; a line, or those of all entries, broken to the width."""
    p = printer(document, flavour)
    if what is chain:
        return "\n\n".join(map(p.line, lines_of(p, id, index)))
    return p.display(what(p, id, index))
