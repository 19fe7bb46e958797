"""What a site is made of: pages, each a document with an address, and files beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from derive import examples
from derive.document import Amount, Block, Cell, Document, Form, Line, Say, Section, Step, Table, say
from derive.language import Words
from derive.lessons import topics
from derive.numerals import Policy
from derive.printers.site import Typed
from derive.site.tasks import tasks
from derive.studies.base import Desk
from derive.studies.calculation import Calculation

#: The parts of the site, in the order of the menu: name -> path of its first page.
PARTS = {
    "home": "index.html",
    "guide": "guide/index.html",
    "gallery": "gallery/index.html",
    "lessons": "lessons/index.html",
    "reference": "reference/index.html",
    "errata": "errata/index.html",
}


@dataclass(frozen=True)
class Option:
    """An option or argument of a command: how it is written, and its help."""

    name: str
    help: str


@dataclass(frozen=True)
class Command:
    """A command of derive, as its own help tells it. usage: its line of usage · help: paragraphs"""

    name: str
    usage: str
    help: tuple[str, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Page:
    """A page of the site.

    path: from the folder of the site · title: among all pages this page's alone · look: classes for its style; "" for a worked page
    found: whether the search knows its sections, not only its title
    """

    path: str
    title: str
    document: Document
    look: str = "sheet"
    found: bool = True

    @property
    def part(self) -> str:
        """The part of the site it belongs to."""
        folder, slash, _ = self.path.partition("/")
        return folder if slash else "home"


@dataclass(frozen=True)
class Site:
    """What pages are made from.

    words: of a language · commands: what the command line offers · examples, topics, tasks: of the gallery, of the
    lessons and of the guide, by their names; all there are, unless a small site is wanted
    """

    words: Words
    commands: tuple[Command, ...] = ()
    examples: tuple[str, ...] = field(default_factory=lambda: tuple(examples.names()))
    topics: tuple[str, ...] = field(default_factory=topics)
    tasks: tuple[str, ...] = field(default_factory=lambda: tuple(task.id for task in tasks()))

    @property
    def language(self) -> str:
        return self.words.language

    def sheet(self, title: str, sections: Sequence[Section], summary: Sequence[Say] = ()) -> Document:
        """A document of its own, which computes nothing."""
        desk = Desk(Calculation((), {}), Policy(), self.words)
        document = desk.document(title, sections, {}, summary=summary)
        return replace(document, conventions=(), conventions_in_force={})


@dataclass
class Anchors:
    """Ids of steps, tables and figures of several documents on one page: each gets a name of its own."""

    taken: dict[str, int] = field(default_factory=dict)

    def of(self, id: str) -> str:
        count = self.taken[id] = self.taken.get(id, 0) + 1
        return id if count == 1 else f"{id}/{count}"


def in_letters(step: Step, id: str) -> Step:
    """A step without its numbers, under another id; the steps inside it likewise."""
    lines = tuple(symbols(line) for line in step.lines)
    inside = tuple(in_letters(inner, f"{id}/{i}") for i, inner in enumerate(step.substeps, 1))
    shown = tuple(line for line in lines if line.forms)
    why = tuple(map(lettered, step.why))
    return replace(step, id=id, title=lettered(step.title), why=why, lines=shown, substeps=inside, uses=(), fold=False)


def lettered(said: Say) -> Say:
    """A sentence with letters in the place of numbers."""
    args = {
        key: arg.name if isinstance(arg, Amount) else lettered(arg) if isinstance(arg, Say) else arg
        for key, arg in said.args.items()
    }
    return replace(said, args=args)


def symbols(line: Line) -> Line:
    """A line as it is written in letters."""
    forms = tuple(Form(form.formula, numbers=False) for form in line.forms if form.symbols)
    return Line(line.target, forms, has_value=False)


def table(id: str, title: str, header: Iterable[str], rows: Iterable[tuple[Cell, ...]], **more: Any) -> Table:
    """A table whose title and headings are sentences of the site."""
    return Table(id, say(f"site.table.{title}"), tuple(say(f"site.head.{h}") for h in header), tuple(rows), **more)


def section(id: str, title: Cell, *blocks: Block) -> Section:
    """A section; its title a sentence, or a name as it is."""
    return Section(id, title if isinstance(title, Say) else say("site.text", text=title), blocks)


def shown(value: Any) -> Cell:
    """A default of an option as it is written in a file."""
    if isinstance(value, bool) or value is None:
        return Typed({True: "true", False: "false", None: "null"}[value])
    if isinstance(value, tuple | list):
        return Typed("[" + ", ".join(plain(part) for part in value) + "]")
    return Typed(plain(value))


def plain(value: Any) -> str:
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    return str(value)
