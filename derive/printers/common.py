"""What printers share: sentences and lines spelled in a dialect, and templates found and filled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from derive.document import (
    Amount,
    Beside,
    Blank,
    Block,
    Book,
    Cell,
    Document,
    Figure,
    Line,
    Question,
    Say,
    Topic,
    Witness,
    behind,
)
from derive.figures.network import Network
from derive.formula import Formula, Name, entry
from derive.ids import plain
from derive.language import Words
from derive.lines import Piece, is_value, pieces
from derive.spelling import Dialect, Show, Shown, spell, terms
from derive.values import SHOWN_COLUMNS
from derive.version import __version__

if TYPE_CHECKING:
    import jinja2

P = TypeVar("P", bound="Printer")


@dataclass(frozen=True)
class Link:
    """One link of a line's chain: its relation, and the terms between which a line may break."""

    relation: str
    terms: tuple[str, ...]
    symbols: bool = True  # in symbols, not in numbers
    value: bool = False  # what the line ends in

    @property
    def text(self) -> str:
        return "".join(self.terms)


@dataclass(frozen=True)
class Raw:
    """Mathematics already spelled, to stand in a sentence."""

    mathematics: str


class Printer(ABC):
    """A document being spelled in one dialect. Subclasses say how text and inline mathematics are written."""

    largest = SHOWN_COLUMNS

    def __init__(self, document: Document, dialect: Dialect) -> None:
        self.document, self.dialect = document, dialect
        self.words = Words(document.language)
        self.version = __version__

    @abstractmethod
    def escape(self, text: str) -> str:
        """Anybody's text, so that it is only ever text."""

    @abstractmethod
    def inline(self, mathematics: str) -> str:
        """Mathematics inside a sentence."""

    def kind(self, block: Block) -> str:
        """What a template lays it out as."""
        return type(block).__name__.lower()

    # sentences ------------------------------------------------------------------------------------------------------
    def say(self, say: Say) -> str:
        parts = self.words.parts(say.key, dict(say.args))
        return "".join(self.escape(part) if isinstance(part, str) else self.cell(part) for part in parts)

    def word(self, key: str, **args: Any) -> str:
        return self.say(Say(key, args))

    def cell(self, cell: Cell) -> str:
        """What stands in a table's cell or in the place of a sentence."""
        match cell:
            case Say():
                return self.say(cell)
            case Amount():
                return self.inline(self.amount(cell))
            case Blank():
                return self.blank()
            case Topic():
                return self.topic(cell)
            case Raw(mathematics=mathematics):
                return self.inline(mathematics)
            case Formula():
                return self.inline(spell(cell, self.dialect))
            case tuple():
                return self.escape(", ").join(map(self.cell, cell))
        return self.escape(str(cell))

    # questions ------------------------------------------------------------------------------------------------------
    def blank(self) -> str:
        """A line to write on."""
        return "______"

    def asked(self, question: Question) -> str:
        """The heading of a question: its number, what is asked, the points."""
        return self.word("sheet.question", number=str(question.number), title=question.title, points=question.points)

    # lessons --------------------------------------------------------------------------------------------------------
    @cached_property
    def behind(self) -> tuple[str, ...]:
        """The topics of the lessons behind the page."""
        return behind(self.document)

    def topic(self, topic: Topic) -> str:
        """A lesson by its title: a link to it, or the command that writes it."""
        title = self.say(topic.title)
        if address := self.address(topic.id):
            return self.linked(title, address)
        return title + self.escape(" (") + self.command(topic.id) + self.escape(")")

    def command(self, topic: str) -> str:
        """The command that writes a lesson, linked to the lesson where that is known to stand somewhere."""
        command, address = self.typed(f"derive explain {topic}"), self.address(topic)
        return self.linked(command, address) if address else command

    def address(self, topic: str) -> str:
        """Where a lesson stands, if the document knows."""
        return "" if self.document.lessons is None else f"{self.document.lessons}#{topic}"

    def typed(self, command: str) -> str:
        """What one types."""
        return self.escape(command)

    def linked(self, spelled: str, address: str) -> str:
        """A link, in formats that have links."""
        return spelled

    # cells ----------------------------------------------------------------------------------------------------------
    def amount(self, amount: Amount) -> str:
        if self.document.values.symbolic:
            return spell(amount.name, self.dialect)
        largest = min(self.largest, amount.largest)
        return spell(amount.name, self.dialect, lambda name: self.document.values.shown(name, largest))

    def caption(self, figure: Figure) -> str:
        """The title of a chart; a network is known by its looks."""
        return "" if isinstance(figure.picture, Network) else self.say(figure.title)

    def show(self, name: Name) -> Shown:
        return self.document.values.shown(name, self.largest)

    # lines ----------------------------------------------------------------------------------------------------------
    def target(self, line: Line) -> str:
        return spell(line.target, self.dialect)

    def links(self, line: Line) -> list[Link]:
        """The chain of a line, spelled."""
        numeric = not self.document.values.symbolic
        return [
            Link(
                p.relation,
                tuple(terms(p.formula, self.dialect, self.shower(line, p))),
                not p.numbers,
                numeric and is_value(line, p),
            )
            for p in pieces(line, self.document.values)
        ]

    def shower(self, line: Line, piece: Piece) -> Show | None:
        """Numbers for names; a line's own value does not link to itself."""
        if not piece.numbers:
            return None
        return self.unlinked if piece.formula is line.target else self.show

    def unlinked(self, name: Name) -> Shown:
        return self.show(name)._replace(link="")

    def beside(self, line: Line) -> Beside | None:
        """What a student has written for the quantity of a line."""
        factor, id = plain(line.target.id)
        found = self.document.marks.get(entry(id, line.target.index))
        return found if found is None or factor == 1 else replace(found, said=found.named)

    def condition(self, line: Line) -> str:
        """The case that was taken, in symbols and numbers."""
        if line.condition is None:
            return ""
        return spell(line.condition, self.dialect, None if self.document.values.symbolic else self.show)

    # witnesses ------------------------------------------------------------------------------------------------------
    @cached_property
    def passed(self) -> str:
        witnesses = self.document.witnesses
        count = sum(witness.compared for witness in witnesses)
        if len({w.name for w in witnesses}) == 1:
            return self.word("witness.passed_one", count=f"{count:,}")
        return self.word("witness.passed", count=f"{count:,}", witnesses=str(len({w.name for w in witnesses})))

    @cached_property
    def seen(self) -> list[tuple[Witness, tuple[Cell, ...]]]:
        """The witnesses, one of each kind with its worst errors, and what all of that kind looked at."""
        found = [
            (worst, [looked_at(self.document, w) for w in every]) for worst, every in of_kinds(self.document.witnesses)
        ]
        return [(worst, tuple({self.cell(cell): cell for cell in cells}.values())) for worst, cells in found]

    @cached_property
    def kinds(self) -> list[tuple[Witness, str]]:
        """`seen`, spelled."""
        return [(worst, self.cell(cells)) for worst, cells in self.seen]

    @cached_property
    def by_lesson(self) -> list[tuple[Witness, list[tuple[Document, Witness]]]]:
        """Of a book: each kind of witness, with what it found in every lesson."""
        assert isinstance(self.document, Book)
        lessons = [lesson for chapter in self.document.chapters for lesson in chapter.lessons]
        pairs = [(lesson, witness) for lesson in lessons for witness in lesson.witnesses]
        return [(w, [pair for pair in pairs if pair[1].name == w.name]) for w, _ in self.kinds]

    def verdict(self, witness: Witness) -> str:
        return self.say(verdict(witness))


def of_kinds(witnesses: Sequence[Witness]) -> list[tuple[Witness, tuple[Witness, ...]]]:
    """The witnesses kind by kind: one with the worst errors of all, and all of them."""
    found: dict[str, list[Witness]] = {}
    for witness in witnesses:
        found.setdefault(witness.name, []).append(witness)
    return [(joined(same), tuple(same)) for same in found.values()]


def looked_at(document: Document, witness: Witness) -> Cell:
    """What a witness speaks of: a quantity by its symbol, functions by name."""
    if witness.quantity == "page":
        return Say("witness.page")
    quantity = document.quantities.get(witness.quantity)
    return witness.quantity if quantity is None else quantity.symbol


def verdict(witness: Witness) -> Say:
    """What came of a witness."""
    return Say("table.skipped" if not witness.compared else "table.agrees" if witness.ok else "table.disagrees")


def joined(witnesses: list[Witness]) -> Witness:
    """Several witnesses of one kind as one: every comparison counted, the worst errors kept."""
    return replace(
        witnesses[0],
        max_abs=max(w.max_abs for w in witnesses),
        max_rel=max(w.max_rel for w in witnesses),
        compared=sum(w.compared for w in witnesses),
        ok=all(w.ok for w in witnesses),
        note=next((w.note for w in witnesses if w.note is not None), None),
    )


def each(book: Book, printer: Callable[[Document], P]) -> Callable[[Document], P]:
    """The printer of each lesson of a book, made once."""
    made = {lesson.topic: printer(lesson) for chapter in book.chapters for lesson in chapter.lessons}
    return lambda lesson: made[lesson.topic]


def size(number: float) -> str:
    """An error's size in three characters that matter."""
    return "0" if number == 0 else f"{number:.1e}"


def template(name: str, *, escaped: bool) -> jinja2.Template:
    return environment(escaped).get_template(name)


@cache
def environment(escaped: bool) -> jinja2.Environment:
    import jinja2

    cache = jinja2.FileSystemBytecodeCache()  # of this user, in the folder for temporary files
    inside = Path(__file__).parent.parent / "templates"
    folder = inside if inside.is_dir() else inside.parent.parent / "templates"
    common: dict[str, Any] = {
        "loader": jinja2.FileSystemLoader(folder),
        "bytecode_cache": cache,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "undefined": jinja2.StrictUndefined,
    }
    if escaped:
        return jinja2.Environment(autoescape=True, **common)
    # braces and percent signs are TeX's own
    marks = {"block": ("<%", "%>"), "variable": ("<<", ">>"), "comment": ("<#", "#>")}
    for kind, (start, end) in marks.items():
        common |= {f"{kind}_start_string": start, f"{kind}_end_string": end}
    return jinja2.Environment(autoescape=False, **common)
