"""Plain text: Unicode, or ASCII for terminals that know nothing else."""

from __future__ import annotations

import textwrap
from unicodedata import east_asian_width

from derive.dialects.text import AsciiText, Text, ascii_only
from derive.document import Block, Code, Document, Figure, Line, Say, Step, Table
from derive.printers.common import Printer, size

WIDTH = 100


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
        lines = [document.title, "=" * columns(document.title), ""]
        for section in document.sections:
            title = self.say(section.title)
            blocks = [rows for rows in map(self.block, section.blocks) if rows]
            if blocks:  # a picture is not shown here
                lines += [title, "-" * columns(title), ""]
            for rows in blocks:
                lines += [*rows, ""]
        if document.conventions:
            lines += [
                self.word("section.conventions"),
                "-" * columns(self.word("section.conventions")),
                *(row for s in document.conventions for row in self.wrapped("• " + self.say(s))),
                "",
            ]
        return [
            *lines,
            self.word("section.witnesses"),
            "-" * columns(self.word("section.witnesses")),
            *self.witnesses(),
        ]

    def block(self, block: Block) -> list[str]:
        match block:
            case Say():
                return self.wrapped(self.say(block))
            case Step():
                return self.step(block)
            case Table():
                return self.table([self.cells(block.header), *map(self.cells, block.rows)], self.say(block.title))
            case Code():
                return ["    " + line for line in block.text.splitlines()]
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
        return [*found, current + case]

    def cells(self, cells: tuple[object, ...]) -> list[str]:
        return [self.cell(cell) for cell in cells]

    def table(self, rows: list[list[str]], title: str) -> list[str]:
        widths = [max(columns(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "  " + "  ".join(cell + " " * (w - columns(cell)) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        rule = "  " + "  ".join("-" * w for w in widths)
        return [title, lines[0], rule, *lines[1:]]

    def witnesses(self) -> list[str]:
        header = [
            self.word(f"table.{k}") for k in ("witness", "quantity", "compared", "max_rel", "tolerance", "verdict")
        ]
        rows = [
            [
                self.word(f"witness.{w.name}"),
                quantities,
                str(w.compared),
                size(w.max_rel),
                size(w.tolerance),
                self.verdict(w),
            ]
            for w, quantities in self.kinds
        ]
        return self.table([header, *rows], self.passed)

    def wrapped(self, text: str) -> list[str]:
        return textwrap.wrap(text, self.width) or [""]


def columns(text: str) -> int:
    """Terminal columns: wide characters take two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def page(document: Document, *, ascii: bool = False, width: int = WIDTH) -> str:
    text = "\n".join(row.rstrip() for row in Terminal(document, width, ascii=ascii).page()) + "\n"
    return ascii_only(text) if ascii else text
