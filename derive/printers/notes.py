"""Parts of a document for notes in Markdown: lines without the page around them, in the mathematics of the reader at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from derive.document import Block, Document, Line, Section, Step, Table
from derive.formula import Name
from derive.printers.common import Link, Printer, template
from derive.printers.markdown import DEEPEST, Markdown, printer
from derive.spelling import spell


@dataclass(frozen=True)
class Titles:
    """How titles are set. level: of the headings, from 1; with None there are none, and titles are lines in bold"""

    level: int | None = None

    def section(self, title: str) -> str:
        """The title of a section, which goes without saying where there are no headings."""
        return "" if self.level is None else self.heading(title, 0)

    def step(self, title: str, *, alone: bool) -> str:
        """The title of a step, which goes without saying where it is alone and there are no headings."""
        return "" if alone and self.level is None else self.heading(title, 1)

    def heading(self, title: str, below: int) -> str:
        if self.level is None or self.level + below > DEEPEST:
            return f"**{title}**"
        return f"{'#' * (self.level + below)} {title}"


@dataclass(frozen=True)
class Part:
    """A block with its heading, or a heading alone."""

    heading: str
    block: Block | None = None


def sections(document: Document, flavour: str, titles: Titles) -> str:
    """All sections of a document."""
    p = printer(document, flavour)
    return written(p, list(parts(p, document.sections, titles)))


def parts(p: Markdown, found: Sequence[Section], titles: Titles) -> Iterator[Part]:
    blocks = [block for section in found for block in section.blocks if isinstance(block, (Step, Table))]
    for section in found:
        if heading := titles.section(p.say(section.title)):
            yield Part(heading)
        for block in section.blocks:
            heading = titles.step(p.say(block.title), alone=len(blocks) == 1) if isinstance(block, Step) else ""
            yield Part(heading, block)


def written(p: Markdown, found: Sequence[Part]) -> str:
    return tidy(template("notes.md", escaped=False).render(p=p, parts=found))


def tidy(text: str) -> str:
    """No more than one empty line between others, but as many as there are inside of fences."""
    found: list[str] = []
    fence = ""
    for line in text.strip().splitlines():
        opening = line[: len(line) - len(line.lstrip("`"))]
        if fence and line == fence:
            fence = ""
        elif not fence and len(opening) >= 3:
            fence = opening
        if fence or line.strip() or (found and found[-1]):
            found.append(line.rstrip() if not fence else line)
    return "\n".join(found)


def value(document: Document, name: Name, flavour: str, *, inline: bool) -> str:
    """The number, or the matrix, behind a name."""
    p = printer(document, flavour)
    return mathematics(p, spell(name, p.dialect, p.show), inline=inline)


def line(document: Document, found: Line, flavour: str, *, inline: bool, numbers: bool = True) -> str:
    """A line; without its numbers it is the formula alone."""
    p = printer(document, flavour)
    shown = found if numbers else replace(found, has_value=False, condition=None)
    return p.inline(chain(p, shown)) if inline else p.line(shown)


def chain(p: Printer, found: Line) -> str:
    """A line in one row: target = formula = numbers = value."""
    return p.target(found) + "".join(f" {sign(link)} {link.text}" for link in p.links(found))


def sign(link: Link) -> str:
    return r"\approx" if link.relation == "≈" else "="


def mathematics(p: Markdown, spelled: str, *, inline: bool) -> str:
    return p.inline(spelled) if inline else p.display(spelled)
