"""Pages of the documentation site: documents as HTML, with a menu, links from page to page, and one style for all."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from derive.document import Cell, Document
from derive.printers.common import size, template
from derive.printers.html import Html, font

OUTSIDE = ("https://", "http://")


@dataclass(frozen=True)
class Goto:
    """A link in a cell or a sentence.

    address: the path of a page of the site, with `#anchor` where a part of it is meant, or an address outside
    id: the anchor of the link itself, if it has one
    """

    address: str
    text: Cell
    id: str = ""


@dataclass(frozen=True)
class Typed:
    """What is typed: a command, an option, an id, a few lines of a program."""

    text: str


@dataclass(frozen=True)
class Frame:
    """What a page has of the site around it.

    path: of the page, from the folder of the site · title: in the browser's tab, no other page has it
    parts: (path, name) of the parts of the site · place: which of them the page belongs to · look: its class
    lessons: the topics that the site has a page about
    """

    path: str
    title: str
    parts: tuple[tuple[str, str], ...]
    place: int
    look: str = ""
    lessons: tuple[str, ...] = ()

    def to(self, path: str) -> str:
        """A relative link to another page of the site, or to an anchor of it."""
        where, hash, anchor = path.partition("#")
        return posixpath.relpath(where, posixpath.dirname(self.path) or ".") + hash + anchor

    @property
    def root(self) -> str:
        """The relative way to the folder of the site, with the last slash; "" where the page is in it."""
        return "../" * self.path.count("/")

    @property
    def menu(self) -> list[tuple[str, str]]:
        return [(self.to(path), name) for path, name in self.parts]


class SitePage(Html):
    """A document as a page of the site."""

    def __init__(self, document: Document, frame: Frame) -> None:
        super().__init__(document)
        self.frame = frame

    def cell(self, cell: Cell) -> str:
        match cell:
            case Goto(address=address, text=text, id=id):
                outside = address.startswith(OUTSIDE)
                link = self.linked(self.cell(text), address if outside else self.frame.to(address))
                return Markup(f'<span id="{escape(id)}">{link}</span>') if id else link
            case Typed(text=text):
                return Markup("|<wbr>").join(self.typed(text).split("|"))  # choices may stand on several lines
        return super().cell(cell)

    def address(self, topic: str) -> str:
        return self.frame.to(f"lessons/{topic}.html") if topic in self.frame.lessons else ""


def page(document: Document, frame: Frame) -> str:
    """A whole page."""
    printer = SitePage(document, frame)
    return template("page.html", escaped=True).render(p=printer, document=document, frame=frame, size=size)


def style() -> str:
    """The one style of all pages, with the font inside: browsers do not let a page of a folder load one."""
    return template("site_style.css", escaped=False).render(font=font())


def text_of(document: Document, cells: Sequence[Cell]) -> str:
    """Cells as plain text, for the index of the search."""
    printer = Html(document)
    return " ".join(Markup(printer.cell(cell)).striptags() for cell in cells)


def safe(json: str) -> str:
    """JSON that may stand in a program."""
    return json.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
