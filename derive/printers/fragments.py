"""LaTeX for lecture notes: every piece of a document as a file to be \\input, which needs amsmath and amssymb alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from derive.dialects.measure import em
from derive.document import Amount, Block, Cell, Code, Document, Figure, Line, Say, Step, Table
from derive.figures.picture import to_latex
from derive.printers.aligned import WIDEST_TARGET, aligned
from derive.printers.citations import FILE, page
from derive.printers.latex import Tex, because
from derive.printers.pieces import Piece, named, pieces
from derive.printers.widths import SIZES, Ruler, breaks, columns, fitting
from derive.spelling import spell

TAG = 4.5  # em that the number of an equation takes
LETTERS = 26  # equations of a step that are told apart by letters
MATRICES = (5, 4, 3, 2)  # of a matrix in a table, the first of them that fits


def files(document: Document) -> dict[str, str]:
    """Every piece under the name of its file, and the file of values."""
    printer = Fragments(document)
    values = page(document)  # it refuses what is too large
    return {f"{piece.name}.tex": printer.piece(piece) for piece in pieces(document)} | {FILE: values}


class Fragments(Tex):
    """A document in pieces."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.ruler = Ruler(document)
        self.told: dict[tuple[str, int], str] = {}

    def piece(self, piece: Piece) -> str:
        """A piece as the lines of its file, in a group of its own."""
        parts = [part for block in piece.blocks for part in self.block(block, headed=piece.whole)]
        if piece.listed:
            items = [rf"\item {self.say(block)}" for block in piece.blocks if isinstance(block, Say)]
            parts = [r"\begin{itemize}", *items, r"\end{itemize}"]
        comment = f"% {self.words.plain('notes.piece', name=piece.name)}"
        return "\n".join(
            [comment, r"\par\begingroup\sloppy\allowdisplaybreaks\jot=5pt\relax", *parts, r"\par\endgroup", ""]
        )

    def block(self, block: Block, *, headed: bool) -> list[str]:
        """A block as paragraphs. headed: whether steps, tables and charts have their title above them"""
        match block:
            case Say():
                return [self.paragraph(self.say(block))]
            case Step():
                return self.step(block, headed=headed)
            case Table():
                title = [self.heading_of(self.say(block.title))] if headed else []
                return [*title, self.table(block)]
            case Figure():
                title = [self.heading_of(self.caption(block))] if headed and self.caption(block) else []
                return [*title, self.drawn(block)]
            case Code():
                return [self.listing(block.text)]

    def paragraph(self, text: str) -> str:
        return rf"\par\noindent {text}"

    def heading_of(self, title: str) -> str:
        return rf"\par\addvspace{{\medskipamount}}\noindent\textbf{{{title}}}"

    # steps ----------------------------------------------------------------------------------------------------------
    def step(self, step: Step, *, headed: bool) -> list[str]:
        title = [self.heading_of(self.say(step.title))] if headed else []
        # no end of a paragraph before a display: it would set an empty line
        why = [rf"\par\nobreak\noindent {self.say(reason)}" for reason in step.why]
        inner = [part for substep in step.substeps for part in self.step(substep, headed=True)]
        return [*title, *why, *([self.lines_of(step)] if step.lines else []), *inner]

    def lines_of(self, step: Step) -> str:
        """The lines of a step for every width, spelled once."""
        key = step.id, len(step.lines)
        if key not in self.told:
            self.told[key] = fitting(lambda width: self.equations(step, width))
        return self.told[key]

    def equations(self, step: Step, width: float) -> str:
        """The lines of a step no wider than so many em, with numbers where there are labels."""
        if not self.document.prefix:
            return displayed("align*", self.rows(step.lines, width))
        label = f"{self.document.prefix}:{named(step)}"
        if len(step.lines) == 1:
            return displayed("align", numbered(self.rows(step.lines, width - TAG), label))
        targets = [em(spell(line.target, self.ruler.dialect)) for line in step.lines]
        left = max((target for target in targets if target <= width * WIDEST_TARGET), default=0.0)
        rows: list[str] = []
        labels: set[str] = set()
        for line, target in zip(step.lines, targets, strict=True):
            own = "-".join(map(str, (label, *line.target.index)))
            own = "" if own in labels or own == label else own
            labels.add(own)
            rows += numbered(self.rows([line], width - TAG - max(0.0, left - target)), own)
        many = (
            [r"\renewcommand{\theequation}{\theparentequation.\arabic{equation}}"] if len(step.lines) > LETTERS else []
        )
        begin = rf"\begin{{subequations}}\label{{{label}}}"
        return "\n".join([begin, *many, displayed("align", rows), r"\end{subequations}"])

    def rows(self, lines: Sequence[Line], width: float) -> list[str]:
        values, case = self.document.values, lambda line: because(self, line)
        return aligned(lines, values, self.dialect_of, width, case, self.remark)

    # tables ---------------------------------------------------------------------------------------------------------
    def table(self, table: Table) -> str:
        key = f"table {table.id}", len(table.rows)
        if key not in self.told:
            self.told[key] = fitting(lambda width: self.tabular(table, width))
        return self.told[key]

    def tabular(self, table: Table, width: float) -> str:
        """A table in a line of so many em: its columns beside one another, or each row as a paragraph."""
        for size, most in product(SIZES, MATRICES):
            narrower = limited(table, most)
            found = columns(narrower, self.ruler, width, size)
            if found is not None:
                groups = [self.group(narrower.header, group, found.widths) for group in found.groups]
                return centered("\\par\\smallskip\n".join(groups), size)
        rows = limited(table, MATRICES[-1]).rows
        return "\n".join([r"\par{\small", *(self.record(table.header, row) for row in rows), "}"])

    def group(self, header: tuple[Cell, ...], rows: Sequence[tuple[Cell, ...]], widths: tuple[float, ...]) -> str:
        """Some rows of a table, under its header."""
        head, *body = (
            " & ".join(self.fitted(cell, width) for cell, width in zip(row, widths, strict=True)) + self.strut(row)
            for row in (header, *rows)
        )
        kinds = "@{}" + "l" * len(widths) + "@{}"
        return "\n".join(
            [rf"\begin{{tabular}}[b]{{{kinds}}}", r"\hline", rf"{head} \hline", *body, r"\hline", r"\end{tabular}"]
        )

    def strut(self, row: tuple[Cell, ...]) -> str:
        """The end of a row, with room around a matrix of several rows."""
        height = max(map(self.ruler.rows, row))
        if height == 1:
            return r" \\"
        return rf"\rule[-{0.6 * height + 0.2:.2g}em]{{0pt}}{{{1.2 * height + 0.9:.2g}em}} \\"

    def record(self, header: tuple[Cell, ...], row: tuple[Cell, ...]) -> str:
        """A row as a paragraph."""
        cells = (
            self.say(Say("notes.cell", {"name": name, "value": cell}))
            for name, cell in zip(header, row, strict=True)
            if cell != ""
        )
        return self.paragraph(r"\quad ".join(cells))

    def fitted(self, cell: Cell, width: float) -> str:
        """What stands in a cell; words that are wider than the column take several rows."""
        if not breaks(cell) or self.ruler.width(cell) <= width + 0.01:
            return self.cell(cell)
        return rf"\parbox[t]{{{width:.4g}em}}{{\raggedright {self.cell(cell)}\strut}}"

    # figures --------------------------------------------------------------------------------------------------------
    def drawn(self, figure: Figure) -> str:
        return to_latex(figure.picture)


def displayed(environment: str, rows: Sequence[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}"


def numbered(rows: Sequence[str], label: str) -> list[str]:
    """The rows of a line, with its number, and its label if it has one, at the last."""
    *first, last = rows
    return [*(rf"{row} \notag" for row in first), rf"{last} \label{{{label}}}" if label else last]


def centered(tabulars: str, letters: str) -> str:
    """Tables in the middle of the line, on the page of what stands above them."""
    size = rf"{{\centering\{letters}\renewcommand{{\arraystretch}}{{1.2}}%"
    return f"\\par\\nobreak\\smallskip\n{size}\n{tabulars}\\par}}\n\\medskip"


def limited(table: Table, most: int) -> Table:
    """A table whose matrices show at most so many columns."""
    rows = (
        tuple(replace(c, largest=min(c.largest, most)) if isinstance(c, Amount) else c for c in row)
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))
