"""LaTeX for lecture notes: every piece of a document as a file to be \\input, which needs amsmath and amssymb alone."""

from __future__ import annotations

from derive.document import Block, Code, Document, Figure, Say, Step, Table
from derive.printers.latex import Tex
from derive.printers.pieces import Piece, pieces


def files(document: Document) -> dict[str, str]:
    """Every piece under the name of its file."""
    printer = Fragments(document)
    return {f"{piece.name}.tex": printer.piece(piece) for piece in pieces(document)}


class Fragments(Tex):
    """A document in pieces."""

    def piece(self, piece: Piece) -> str:
        """A piece as the lines of its file."""
        parts = [part for block in piece.blocks for part in self.block(block, headed=piece.whole)]
        if piece.listed:
            parts = [r"\begin{itemize}", *(rf"\item {part}" for part in parts), r"\end{itemize}"]
        return "\n".join([*parts, ""])

    def block(self, block: Block, *, headed: bool) -> list[str]:
        """A block as paragraphs. headed: whether a step has its title above it"""
        match block:
            case Say():
                return [self.say(block)]
            case Step():
                return self.step(block, headed=headed)
            case Table():
                return self.table(block)
            case Figure():
                return []
            case Code():
                return [self.listing(block.text)]

    def step(self, step: Step, *, headed: bool) -> list[str]:
        title = [rf"\par\medskip\noindent\textbf{{{self.say(step.title)}}}\par"] if headed else []
        why = [self.say(reason) for reason in step.why]
        rows = " \\\\\n".join(self.lines(step)) if step.lines else ""
        lines = [rf"\begin{{align*}}{chr(10)}{rows}{chr(10)}\end{{align*}}"] if rows else []
        inner = [part for substep in step.substeps for part in self.step(substep, headed=True)]
        return [*title, *why, *lines, *inner]

    def table(self, table: Table) -> list[str]:
        rows = [" & ".join(map(self.cell, row)) + r" \\" for row in (table.header, *table.rows)]
        columns = "l" * len(table.header)
        return [rf"\begin{{center}}\begin{{tabular}}{{{columns}}}", *rows, r"\end{tabular}\end{center}"]
