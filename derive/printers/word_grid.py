"""Tables of Word: every column as wide as what stands in it, all of them together no wider than the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from derive.dialects.measure import Measure
from derive.document import Amount, Cell, Document
from derive.figures.text import wide
from derive.printers.widths import Ruler, breaks, shares

PAGE = 9638  # twips between the margins
BESIDE = 140  # twips that a cell leaves free at its sides
TEXT, MATHEMATICS = 10, 12  # points of an em; LibreOffice sets all mathematics in twelve
TWIPS = 20  # of a point
GAP = "\u2003"  # between the columns of a matrix
#: Widths in em, in the font that is taken where Word's own is missing; another letter is as wide as a digit.
LETTERS = {
    **dict.fromkeys(" .,:;()[]ijlft-_", 0.4),
    **dict.fromkeys("mwMW⊙", 1.0),
    **dict.fromkeys("×→", 1.1),
    "−": 0.84,
    GAP: 0.8,
}
DIGIT, SQUARE = 0.64, 1.1
FEWEST = 3  # columns of a matrix


class WordRuler(Ruler):
    """Cells in twips, as the widest of the usual fonts sets them."""

    largest = 5
    narrowest = 4.5 * TEXT * TWIPS

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.dialect = Close(document.style)

    def extent(self, text: str, cell: Cell) -> float:
        size = TEXT if breaks(cell) and not isinstance(cell, tuple) else MATHEMATICS
        return TWIPS * size * sum(map(letter, text))


class Close(Measure):
    """Matrices whose columns stand close together."""

    def matrix(self, rows: Sequence[Sequence[str]]) -> str:
        return super().matrix(rows).replace("mm", GAP)


def letter(c: str) -> float:
    """The width of a letter, in em."""
    return LETTERS.get(c, SQUARE if wide(c) else DIGIT)


@dataclass(frozen=True)
class Grid:
    """A table, spelled. widths: of its columns, in twips"""

    widths: tuple[int, ...]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def laid(
    header: Sequence[Cell], rows: Sequence[Sequence[Cell]], ruler: Ruler
) -> tuple[tuple[int, ...], Sequence[Sequence[Cell]]]:
    """The widths of the columns, and the rows, with as many columns of wide matrices as there is room for."""
    room = PAGE - BESIDE * len(header)
    amounts = max((sum(isinstance(cell, Amount) for cell in row) for row in rows), default=0)
    few = room / (amounts + 1)
    for columns in range(ruler.largest, FEWEST - 1, -1):
        fewer = [[narrowed(cell, columns) if ruler.width(cell) > few else cell for cell in row] for row in rows]
        if widths := shares((header, *fewer), ruler, room):
            break
    else:  # whose words Word breaks
        natural = [max(map(ruler.width, cells)) for cells in zip(header, *fewer, strict=True)]
        widths = tuple(room * width / sum(natural) for width in natural)
    return tuple(int(width) + BESIDE for width in widths), fewer


def narrowed(cell: Cell, columns: int) -> Cell:
    return replace(cell, largest=min(columns, cell.largest)) if isinstance(cell, Amount) else cell
