"""LaTeX that fits where it is put: alternatives for wide and narrow lines, chosen when the text is set."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derive.dialects.latex import LONGEST_WORD
from derive.dialects.measure import Measure, em
from derive.document import Amount, Cell, Document, Say, Table, Topic
from derive.formula import Formula
from derive.printers.common import Printer
from derive.printers.latex import Tex

#: Widths in em for which lines are broken: pages with narrow margins, plain pages, slides, columns.
WIDTHS = (40.0, 31.0, 25.0, 19.0)
SLACK = 1.06  # of these widths that must be there
SIZES = {"small": 0.9, "footnotesize": 0.8}  # of tables
GAP = 1.3  # em between columns
NARROWEST = 4.5  # em of a column of sentences
SLIDE, PAGE = 7.5, 26  # rows of text in a table on a slide, and on a page
ON_SLIDES = 26.0  # em up to which a line is one of a slide


def fitting(text: Callable[[float], str]) -> str:
    """TeX that takes, of the texts for all widths, the widest for which there is room; one text, where they do not differ."""
    texts = [(width, text(width)) for width in WIDTHS]
    found = narrower = texts[-1][1]
    for width, wider in texts[-2::-1]:
        if wider != narrower:
            found = f"\\ifdim\\linewidth<{width * SLACK:.4g}em\\relax\n{found}\n\\else\n{wider}\n\\fi"
        narrower = wider
    return found


class Ruler(Printer):
    """A document as runs of characters whose widths are known."""

    largest = Tex.largest
    narrowest = NARROWEST

    def __init__(self, document: Document) -> None:
        super().__init__(document, Measure(document.style))

    def escape(self, text: str) -> str:
        return text

    def inline(self, mathematics: str) -> str:
        return mathematics

    def extent(self, text: str, cell: Cell) -> float:
        """How wide some of the text of a cell is, in em."""
        return em(text)

    def width(self, cell: Cell) -> float:
        """How wide a cell is when it stands in one row."""
        return self.extent(self.cell(cell), cell)

    def longest(self, cell: Cell) -> float:
        """The width of its longest word: a column cannot be narrower."""
        if not breaks(cell):
            return self.width(cell)
        words = re.split(r"[\s_]+|(?<=[\u2e80-\uffff])", self.cell(cell))
        return max((self.extent(word[:LONGEST_WORD], cell) for word in words), default=0.0)

    def rows(self, cell: Cell) -> int:
        """How many rows a matrix has."""
        if not isinstance(cell, Amount) or cell.name.scalar or self.document.values.symbolic:
            return 1
        return len(self.document.values.shown(cell.name, min(self.largest, cell.largest)).rows)


def breaks(cell: Cell) -> bool:
    """Whether a cell can take several rows: sentences and texts."""
    return isinstance(cell, Say | str | Topic | tuple) and not isinstance(cell, Formula)


@dataclass(frozen=True)
class Columns:
    """How a table is set: the width of each column in em, and the rows that stand together."""

    widths: tuple[float, ...]
    groups: tuple[tuple[tuple[Cell, ...], ...], ...]


def columns(table: Table, ruler: Ruler, width: float, size: str) -> Columns | None:
    """The columns of a table in a line of so many em; None where they do not fit beside one another in this size."""
    room = width / SIZES[size] - GAP * (len(table.header) - 1)
    widths = shares((table.header, *table.rows), ruler, room)
    if widths is None:
        return None
    return Columns(widths, grouped(table, ruler, widths, SLIDE if width <= ON_SLIDES else PAGE))


def shares(rows: Sequence[Sequence[Cell]], ruler: Ruler, room: float) -> tuple[float, ...] | None:
    """The widths of the columns of rows in so much room, as `ruler` measures; None where their words do not fit."""
    every = list(zip(*rows, strict=True))
    natural = [max(map(ruler.width, cells)) for cells in every]
    least = [
        max([max(map(ruler.longest, cells)), *([ruler.narrowest] if any(map(breaks, cells[1:])) else [])])
        for cells in every
    ]
    least = [min(pair) for pair in zip(least, natural, strict=True)]
    if sum(least) > room:
        return None
    spare, wanted = room - sum(least), [n - m for n, m in zip(natural, least, strict=True)]
    share = min(1.0, spare / sum(wanted)) if sum(wanted) else 0.0
    return tuple(m + share * more for m, more in zip(least, wanted, strict=True))


def grouped(
    table: Table, ruler: Ruler, widths: tuple[float, ...], most: float
) -> tuple[tuple[tuple[Cell, ...], ...], ...]:
    """The rows of a table in groups of at most so many rows of text, but for what is taller alone."""

    def height(row: tuple[Cell, ...]) -> float:
        return max(
            1.2 + 0.95 * (ruler.rows(cell) - 1) if not breaks(cell) else math.ceil(ruler.width(cell) / max(width, 1.0))
            for cell, width in zip(row, widths, strict=True)
        )

    heights = [height(row) for row in table.rows]
    head = height(table.header)
    found = packed(heights, most - head)
    level = sum(heights) / len(found)
    while len(packed(heights, level)) > len(found):  # as many groups, of one height
        level *= 1.05
    return tuple(tuple(table.rows[i] for i in group) for group in packed(heights, level))


def packed(heights: list[float], most: float) -> list[list[int]]:
    """Indices in groups that are together at most so high, but for what is higher alone."""
    found: list[list[int]] = [[]]
    used = 0.0
    for i, height in enumerate(heights):
        if found[-1] and used + height > most:
            found.append([])
            used = 0.0
        found[-1].append(i)
        used += height
    return found
