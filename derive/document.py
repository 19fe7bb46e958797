"""The worked solution as data: sections of steps, tables and figures. Printers lay it out; nothing here is a sentence.

Prose is a key of the language tables with its arguments (`Say`). Formulas are trees; what number stands for a name
is in the document's `Values`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from derive.addresses import address
from derive.figures.network import Network
from derive.formula import Formula, Name
from derive.language import Both
from derive.spelling import Style
from derive.values import Values

if TYPE_CHECKING:
    from derive.figures.chart import Chart


@dataclass(frozen=True)
class Say:
    """A sentence by key, with what goes into it: formulas, numbers, texts (the author's), or other sentences.

    lesson: the topic in which what it says is derived
    """

    key: str | Both
    args: Mapping[str, Any] = field(default_factory=dict)
    lesson: str = ""


def say(key: str | Both, **args: Any) -> Say:
    return Say(key, args)


@dataclass(frozen=True)
class Form:
    """One way to write the right side of a line, in symbols and, with `numbers`, in numbers."""

    formula: Formula
    numbers: bool = True
    symbols: bool = True


@dataclass(frozen=True)
class Line:
    """target = form = numbers = form = numbers = value. A line without a value is symbols only."""

    target: Name
    forms: tuple[Form, ...]
    has_value: bool = True
    shapes: bool = False  # show the shapes under the symbols
    condition: Formula | None = None  # the case taken


@dataclass(frozen=True)
class Step:
    """Lines that belong together, with the reason; `uses` are the steps whose results it takes."""

    id: str
    title: Say
    why: tuple[Say, ...] = ()
    lines: tuple[Line, ...] = ()
    uses: tuple[str, ...] = ()
    substeps: tuple[Step, ...] = ()
    fold: bool = False


@dataclass(frozen=True)
class Part:
    """One number that is asked for. letter: of several in a question, or "" · typed: what answers call it"""

    letter: str
    typed: str


@dataclass(frozen=True)
class Question(Step):
    """A step that is asked for: each of its lines is a part, with a blank in the place of its value.

    number: from 1 · parts: one for each line · points: what they are worth together
    exercise: the id of the assignment that answers are for
    """

    number: int = 0
    parts: tuple[Part, ...] = ()
    points: str = ""
    exercise: str = ""


@dataclass(frozen=True)
class Blank:
    """A line to write on, in a sentence or a table's cell."""


@dataclass(frozen=True)
class Amount:
    """The number (or matrix, of at most so many columns) behind a name, in a table's cell or a sentence."""

    name: Name
    largest: int = 8


Cell = Any  # a Say, a formula, an Amount, a Blank, a whole number, or a text of the author's


@dataclass(frozen=True)
class Table:
    """Rows of cells under a header. broken: whether its cells hold sentences, which may take several lines."""

    id: str
    title: Say
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    fold: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Code:
    """Lines of a file, as they are typed; in no language, those of somebody's notes."""

    text: str
    language: str = "yaml"


@dataclass(frozen=True)
class Topic:
    """A lesson that is referred to, by its id; in a table's cell or a sentence."""

    id: str
    title: Say


@dataclass(frozen=True)
class Figure:
    """The diagram of the network, or a chart."""

    id: str
    title: Say
    picture: Network | Chart


Block = Say | Step | Table | Figure | Code


@dataclass(frozen=True)
class Section:
    id: str
    title: Say
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Witness:
    """What an independent check found: the largest errors, and how many comparisons stand behind them."""

    name: str
    quantity: str
    max_abs: float
    max_rel: float
    tolerance: float
    compared: int
    ok: bool
    note: Say | None = None


@dataclass(frozen=True)
class Beside:
    """What a student has written for the quantity of a line: a sentence, and of what kind it is.

    kind:  right, near, follow, wrong, open
    named: the sentence with the name of the quantity, for a line that shows a multiple of it
    """

    kind: str
    said: Say
    named: Say


@dataclass(frozen=True)
class Quantity:
    """A quantity by its canonical id, for readers that are machines."""

    role: str
    shape: tuple[int, ...]
    value: Any  # a float64 array in this shape, or None where numbers are missing
    symbol: Name
    labels: Any = None


@dataclass(frozen=True)
class Document:
    """A worked solution, ready to be printed.

    topic: of a lesson, its id · lessons: the address of the page on which all lessons stand, if there is one
    called: the network's name in files that several networks share, that of its own file
    prefix: of the labels that equations get in LaTeX fragments; "" where they get none · chosen: the (id, index) it was cut to
    student: whether it is a student's marked work, or about what to ask of students · marks: what stands beside the lines of some entries, by their ids
    asked: the digits, significant ones or decimals, that marking asks for
    """

    title: str
    sections: tuple[Section, ...]
    values: Values
    style: Style
    language: str = "en"
    summary: tuple[Say, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    conventions: tuple[Say, ...] = ()
    conventions_in_force: Mapping[str, Any] = field(default_factory=dict)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    topic: str = ""
    lessons: str | None = None
    called: str = "network"
    prefix: str = ""
    chosen: tuple[tuple[str, tuple[int, ...]], ...] = ()
    student: bool = False
    marks: Mapping[str, Beside] = field(default_factory=dict)
    asked: tuple[str, int] = ("significant", 3)

    def __post_init__(self) -> None:
        """InputError where lessons is no address that a page may link to."""
        if self.lessons is not None:
            address(self.lessons)


@dataclass(frozen=True)
class Chapter:
    """Lessons that belong together."""

    id: str
    title: Say
    lessons: tuple[Document, ...]


@dataclass(frozen=True)
class Book(Document):
    """All lessons, chapter by chapter; what holds for all of them is said once, by the book."""

    chapters: tuple[Chapter, ...] = ()


def steps(document: Document) -> Iterator[Step]:
    """All steps of a document, substeps after their step."""
    for section in document.sections:
        for block in section.blocks:
            yield from steps_of(block)


def steps_of(block: Block) -> Iterator[Step]:
    if isinstance(block, Step):
        yield block
        for substep in block.substeps:
            yield from steps_of(substep)


def behind(document: Document) -> tuple[str, ...]:
    """The topics of the lessons that derive what a document uses, in the order in which it uses them."""
    found: dict[str, None] = {}
    for section in document.sections:
        for block in section.blocks:
            found |= dict.fromkeys(say.lesson for say in sentences(block) if say.lesson)
    return tuple(found)


def sentences(block: Block) -> Iterator[Say]:
    """The sentences of a block that give reasons, or say what is given."""
    match block:
        case Say():
            yield block
        case Table():
            yield from (cell for row in block.rows for cell in row if isinstance(cell, Say))
        case Step():
            for step in steps_of(block):
                yield from (step.title, *step.why)
