"""Plain text: Unicode, or ASCII for terminals that know nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest

from derive.dialects.text import AsciiText, Text, ascii_only
from derive.document import Block, Book, Code, Document, Figure, Line, Question, Say, Step, Table, Witness
from derive.figures.text import wide
from derive.printers.common import Printer, each, size

WIDTH = 100
OPEN, CLOSE, WIDE = "（「『［《“", "，。、；：？！）」』］》”", r"\u3000-\u9fff\uff00-\uffef"
PIECES = re.compile(rf"[{OPEN}]*(?:[{WIDE}]|[^\s{WIDE}]+)[{CLOSE}]*|\s+")  # of a text, none is broken
FOUND = ("compared", "max_rel", "tolerance", "verdict")  # the columns of a witness


class Terminal(Printer):
    """A document as lines of text."""

    largest = 6

    def __init__(self, document: Document, width: int = WIDTH, *, ascii: bool = False) -> None:
        super().__init__(document, AsciiText(document.style) if ascii else Text(document.style))
        self.width = width

    def escape(self, text: str) -> str:
        return "".join(c for c in text if c.isprintable())

    def inline(self, mathematics: str) -> str:
        return mathematics

    def page(self) -> list[str]:
        document = self.document
        lines = [*self.headed(document.title, "="), *self.lead(), *self.sections()]
        lines += self.listed("section.conventions", map(self.say, document.conventions))
        lines += self.listed("section.lessons", map(self.command, self.behind))
        if not document.witnesses:
            return lines
        return [*lines, *self.headed(self.word("section.witnesses"))[:-1], *self.witnesses()]

    def book(self, book: Book, printer: Callable[[Document], Terminal]) -> list[str]:
        """All lessons one after the other, under their chapters."""
        lines = [*self.headed(book.title, "="), *(row for s in book.summary for row in self.wrapped(self.say(s))), ""]
        lines += self.headed(self.word("page.contents"))
        for chapter in book.chapters:
            lines += [self.say(chapter.title), *(f"  {lesson.title}" for lesson in chapter.lessons), ""]
        for chapter in book.chapters:
            lines += ["", *self.headed(self.say(chapter.title), "=")]
            for lesson in chapter.lessons:
                lines += ["", *self.headed(lesson.title, "="), *printer(lesson).sections()]
        lines += self.listed("section.conventions", map(self.say, book.conventions))
        lines += [*self.headed(self.word("section.witnesses"))[:-1], self.passed, ""]
        header = [self.word(f"table.{k}") for k in ("topic", *FOUND)]
        for witness, pairs in self.by_lesson:
            rows = [[lesson.title, *self.found(w)] for lesson, w in pairs]
            lines += [*self.table([header, *rows], self.word(f"witness.{witness.name}")), ""]
        return lines

    def lead(self) -> list[str]:
        """What stands under the title of marked work; the sections of a worked solution say it themselves."""
        rows = [row for sentence in self.document.summary for row in self.wrapped(self.say(sentence))]
        return [*rows, ""] if self.document.student else []

    def headed(self, title: str, line: str = "-") -> list[str]:
        """A title with a line under it."""
        return [title, line * columns(title), ""]

    def sections(self) -> list[str]:
        lines: list[str] = []
        for section in self.document.sections:
            if blocks := [rows for rows in map(self.block, section.blocks) if rows]:  # a picture is not shown here
                lines += self.headed(self.say(section.title))
            for rows in blocks:
                lines += [*rows, ""]
        return lines

    def listed(self, title: str, sentences: Iterable[str]) -> list[str]:
        """A section of sentences with a dot before each, if there are any."""
        rows = [row for sentence in sentences for row in self.wrapped("• " + sentence)]
        return [*self.headed(self.word(title))[:-1], *rows, ""] if rows else []

    def block(self, block: Block) -> list[str]:
        match block:
            case Say():
                return self.wrapped(self.say(block))
            case Question():
                return self.question(block)
            case Step():
                return self.step(block)
            case Table():
                rows = [self.cells(block.header), *map(self.cells, block.rows)]
                return self.table(rows, self.say(block.title), broken=block.broken)
            case Code():
                return ["    " + self.escape(line) for line in block.text.splitlines()]
            case Figure():
                return []

    def step(self, step: Step) -> list[str]:
        found = [self.say(step.title)]
        for why in step.why:
            found += self.wrapped(self.say(why))
        for line in step.lines:
            found += self.line(line)
        for substep in step.substeps:
            found += ["", *self.step(substep)]
        return found

    def question(self, question: Question) -> list[str]:
        """What is asked for, a line for each part, and a blank behind its equal sign."""
        found = [self.asked(question), *(row for why in question.why for row in self.wrapped(self.say(why)))]
        for part, line in zip(question.parts, question.lines, strict=True):
            rows = self.line(line)
            rows[0] = f"  ({part.letter}){rows[0][1:]}" if part.letter else rows[0]
            rows = [*rows, " " * 6] if line.forms else rows
            found += [*rows[:-1], f"{rows[-1]} = {self.blank()}"]
        return found

    def line(self, line: Line) -> list[str]:
        """target = form = numbers = value; a new row where the width is used up."""
        found, current = [], "  " + self.target(line)
        indent = " " * min(len(current), 24)
        for link in self.links(line):
            for j, term in enumerate(link.terms):
                piece = (f" {link.relation} " if j == 0 else "") + term
                if len(current) + len(piece) > self.width and current.strip():
                    found.append(current)
                    current = indent
                current += piece
        case = f"   ({self.word('page.case', condition=self.condition(line))})" if line.condition is not None else ""
        found.append(current + case)
        if beside := self.beside(line):
            found.append(f"{indent}    {self.say(beside.said)}")
        return found

    def cells(self, cells: tuple[object, ...]) -> list[str]:
        return [self.cell(cell) for cell in cells]

    def table(self, rows: list[list[str]], title: str, *, broken: bool = False) -> list[str]:
        parts = self.fitted(rows) if broken else [[row] for row in rows]
        rows, head = [line for part in parts for line in part], len(parts[0])
        widths = [max(columns(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  " + "  ".join(cell + " " * (w - columns(cell)) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        rule = "  " + "  ".join("-" * w for w in widths)
        return [title, *lines[:head], rule, *lines[head:]]

    def fitted(self, rows: list[list[str]]) -> list[list[list[str]]]:
        """The lines of each row of a table whose widest columns are broken until it fits, or single words are left."""
        cells = list(zip(*rows, strict=True))
        widths = [max(map(columns, column)) for column in cells]
        words = [max(columns(word) for cell in column for word in PIECES.findall(cell) or [""]) for column in cells]
        for _ in range(sum(widths)):
            room = [width - word for width, word in zip(widths, words, strict=True)]
            if sum(widths) + 2 * len(widths) <= self.width or max(room) <= 0:
                break
            widths[max((i for i in range(len(widths)) if room[i] > 0), key=widths.__getitem__)] -= 1
        found = []
        for row in rows:
            lines = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
            found.append([list(line) for line in zip_longest(*lines, fillvalue="")])
        return found

    def witnesses(self) -> list[str]:
        header = [self.word(f"table.{k}") for k in ("witness", "quantity", *FOUND)]
        rows = [[self.word(f"witness.{w.name}"), quantities, *self.found(w)] for w, quantities in self.kinds]
        return self.table([header, *rows], self.passed)

    def found(self, w: Witness) -> list[str]:
        """What a witness has found, as the cells of a row."""
        return [str(w.compared), size(w.max_rel), size(w.tolerance), self.verdict(w)]

    def wrapped(self, text: str) -> list[str]:
        return folded(text, self.width)


def folded(text: str, width: int) -> list[str]:
    """A text in lines of so many columns; between Chinese characters a line may end, but not before a full stop."""
    lines, used = [""], 0
    for piece in PIECES.findall(text):
        if used + columns(piece.rstrip()) > width and lines[-1].strip():
            lines[-1], used = lines[-1].rstrip(), 0
            lines.append("")
            piece = piece.lstrip()
        lines[-1] += piece
        used += columns(piece)
    return lines


def columns(text: str) -> int:
    """Terminal columns: wide characters take two."""
    return len(text) + (0 if text.isascii() else sum(map(wide, text)))


def page(document: Document, *, ascii: bool = False, width: int = WIDTH) -> str:
    return joined(Terminal(document, width, ascii=ascii).page(), ascii)


def book(document: Book, *, ascii: bool = False, width: int = WIDTH) -> str:
    lesson = each(document, lambda lesson: Terminal(lesson, width, ascii=ascii))
    return joined(Terminal(document, width, ascii=ascii).book(document, lesson), ascii)


def joined(rows: Sequence[str], ascii: bool) -> str:
    text = "\n".join(row.rstrip() for row in rows) + "\n"
    return ascii_only(text) if ascii else text
