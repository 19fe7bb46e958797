"""LaTeX: a document of its own that needs amsmath, amssymb and TikZ."""

from __future__ import annotations

from typing import Any

from derive.dialects.latex import Latex, text
from derive.dialects.text import ascii_only
from derive.document import Book, Cell, Document, Figure, Line, Question, Say, Step, Table, Topic
from derive.figures.picture import to_tikz
from derive.figures.text import wide
from derive.figures.tikz import PREAMBLE
from derive.formula import Formula
from derive.printers.aligned import WIDTH, aligned
from derive.printers.common import Printer, each, size, template
from derive.spelling import spell

LONGEST_CELL = 40  # letters of a sentence that stand in one row of a table of two columns
LETTER = 4.0  # em that the letter of a part takes
ROOM = "18pt"  # between parts, for working
LONGEST_TITLE = 85  # letters, with the commands, of a title over a table in one row


def because(printer: Printer, line: Line) -> str:
    """The case that applies, in mathematics."""
    if line.condition is None:
        return ""
    condition = printer.condition(line)
    parts = printer.words.parts("page.case", {"condition": line.condition})
    return r"\quad " + "".join(rf"\text{{{part}}}" if isinstance(part, str) else condition for part in parts)


class Tex(Printer):
    """A document as LaTeX."""

    largest = 5

    def __init__(self, document: Document) -> None:
        self.plain = Latex(document.style)
        super().__init__(document, self.plain)
        self.shaped = Latex(document.style, shapes=True)

    def escape(self, words: str) -> str:
        return text(words)

    def inline(self, mathematics: str) -> str:
        return f"${mathematics}$"

    def typed(self, command: str) -> str:
        return rf"\texttt{{{self.escape(command)}}}"

    def blank(self) -> str:
        return r"\rule[-3pt]{3.2cm}{.4pt}"

    def parts(self, question: Question) -> str:
        """The rows of one align* environment: every part with a rule to write on, and room above it for working."""
        found = []
        for part, line in zip(question.parts, question.lines, strict=True):
            rows = aligned([line], self.document.values, self.dialect_of, WIDTH - LETTER)
            rows[0] = (rf"\text{{({part.letter})}}\quad " if part.letter else "") + rows[0]
            ruled = rf"= \text{{{self.blank()}}}"
            hint = " \\\\\n".join(rows)
            found.append(f"{hint} \\\\[{ROOM}]\n &{ruled}" if line.forms else hint + ruled)
        return f" \\\\[{ROOM}]\n".join(found)

    def address(self, topic: str) -> str:
        """The label of a lesson in the same document; without hyperref there are no other links."""
        return f"lesson:{topic}" if self.document.lessons == "" else ""

    def linked(self, spelled: str, address: str) -> str:
        return rf"\hyperref[{address}]{{{spelled}}}"

    def heading(self, title: str) -> str:
        """A title that also stands in the outline of the PDF, where there is no mathematics."""
        spelled = self.escape(title)
        if not set(spelled) & set("$\\"):
            return spelled
        plain = title if self.document.language == "zh" else ascii_only(title)
        outline = "".join(c for c in plain if c.isalnum() or c in " ,-:;().")
        return rf"\texorpdfstring{{{spelled}}}{{{outline}}}"

    def lines(self, step: Step) -> list[str]:
        """The rows of one align* environment."""
        values, case = self.document.values, lambda line: because(self, line)
        return aligned(step.lines, values, self.dialect_of, WIDTH, case, self.remark)

    def remark(self, line: Line) -> str:
        """What a student has written for the quantity of a line."""
        beside = self.beside(line)
        return "" if beside is None else rf"\text{{\small {self.say(beside.said)}}}"

    def dialect_of(self, line: Line) -> Latex:
        return self.shaped if line.shapes else self.plain

    def listing(self, lines: str) -> str:
        """Lines of a file, with their indentation."""
        indented = (
            rf"\hspace*{{{(len(line) - len(line.lstrip())) / 2:g}em}}{text(line.lstrip())}"
            for line in lines.splitlines()
        )
        return r"\begin{flushleft}\ttfamily\small\frenchspacing " + "\\\\\n".join(indented) + r"\end{flushleft}"

    def diagram(self, figure: Figure) -> str:
        return to_tikz(figure.picture)

    def formula(self, f: Formula) -> str:
        return spell(f, self.dialect)

    def boxed(self, cell: Cell, columns: int, remark: bool = False) -> str:
        """What stands in a cell of a table of so many columns; a sentence has rows of its own.

        remark: it is the last of its row and may hold several sentences
        """
        spelled, share = self.cell(cell), 2 / max(columns, 2)
        sentence = isinstance(cell, Say | Topic | str) and letters(spelled) > LONGEST_CELL * share
        width = 0.36 if remark else 0.4 * share
        return rf"\parbox[t]{{{width:.2g}\linewidth}}{{\raggedright {spelled}\strut}}" if sentence else spelled

    def wide(self, table: Table) -> bool:
        """Whether the title of a table is too long to be a row of it."""
        return letters(self.say(table.title)) > LONGEST_TITLE

    def columns(self, table: Table) -> str:
        return "l" * len(table.header)


def letters(spelled: str) -> int:
    """How wide a text is, in letters."""
    seen = spelled.replace(r"\allowbreak{}", "")
    return len(seen) + (0 if seen.isascii() else sum(map(wide, seen)))


def needs_cjk(source: str) -> bool:
    """Whether the text has letters that pdfLaTeX's standard fonts lack."""
    return any(ord(c) > 0x24F and not 0x2010 <= ord(c) <= 0x2026 for c in source)


def page(document: Document) -> str:
    return written("document.tex", p=Tex(document), document=document)


def book(document: Book) -> str:
    return written("book.tex", p=Tex(document), printer=each(document, Tex), document=document)


def written(name: str, **parts: Any) -> str:
    """A template filled; for XeLaTeX and its Chinese fonts where they are needed."""
    wanted = template(name, escaped=False)
    source = wanted.render(**parts, size=size, preamble=PREAMBLE, cjk=False)
    return wanted.render(**parts, size=size, preamble=PREAMBLE, cjk=True) if needs_cjk(source) else source
