"""Typst: a document of its own, which needs no package."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from derive.dialects.typst import Typst, cut, literal, string, text, visible
from derive.document import Book, Code, Document, Figure, Line, Question, Step
from derive.figures.still import to_still
from derive.figures.text import wide
from derive.formula import Formula
from derive.printers.aligned import Markup, aligned
from derive.printers.common import Printer, each, size, template
from derive.spelling import spell

WIDTH = 44.0  # em of a row as they are measured, which is a little more than they take
LETTER = 3.0  # em, of a part of a question
MARKUP = Markup("≈", "quad", cut, r'class\("normal", |frac|[\\(){}^_ "]', first='"" ')
LONG_WORD = re.compile(
    r"(?<=[!-~]{24})(?=[!-~])|(?<=[a-z]_)(?=[a-z])"
)  # where a line may end: late, or after an underscore
BREAK = "\u200b"
#: Families of fonts with Chinese letters; the first that there is is taken.
CHINESE = ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "FandolSong", "SimSun", "Noto Sans CJK SC")


class TypstPage(Printer):
    """A document as Typst."""

    largest = 5

    def __init__(self, document: Document) -> None:
        self.plain = Typst(document.style)
        super().__init__(document, self.plain)
        self.shaped = Typst(document.style, shapes=True)

    def escape(self, words: str) -> str:
        return BREAK.join(map(text, LONG_WORD.split(visible(words))))

    def string(self, words: str) -> str:
        return string(words)

    def inline(self, mathematics: str) -> str:
        return f"${mathematics}$"

    def typed(self, command: str) -> str:
        return f"#raw({string(command)})"

    def linked(self, spelled: str, address: str) -> str:
        where = f"label({string(address[1:])})" if address.startswith("#") else string(address)
        return f"#link({where})[{spelled}]"

    def lines(self, step: Step) -> list[str]:
        """The rows of one block of mathematics."""
        return aligned(step.lines, self.document.values, self.dialect_of, WIDTH, self.because, self.remark, MARKUP)

    def blank(self) -> str:
        return "#blank()"

    def parts(self, question: Question) -> list[tuple[str, str]]:
        """(letter, rows of mathematics) of every part, with a rule to write on, and room above it for working."""
        found = []
        for part, line in zip(question.parts, question.lines, strict=True):
            rows = aligned([line], self.document.values, self.dialect_of, WIDTH - LETTER, markup=MARKUP)
            ruled = f"= {self.blank()}"
            rows = [*rows, ' &""', f" &{ruled}"] if line.forms else [*rows[:-1], rows[-1] + ruled]
            found.append((f"\\({part.letter})" if part.letter else "", " \\\n".join(rows)))
        return found

    def because(self, line: Line) -> str:
        """The case that applies, in mathematics."""
        if line.condition is None:
            return ""
        parts = self.words.parts("page.case", {"condition": line.condition})
        condition = self.condition(line)
        return "quad " + " ".join(string(part) if isinstance(part, str) else condition for part in parts)

    def remark(self, line: Line) -> str:
        """What a student has written for the quantity of a line."""
        beside = self.beside(line)
        return "" if beside is None else f"#text(.9em)[{self.say(beside.said)}]"

    def dialect_of(self, line: Line) -> Typst:
        return self.shaped if line.shapes else self.plain

    def listing(self, code: Code) -> str:
        """Lines of a file, as they are typed."""
        lines = r"\n".join(string(line)[1:-1] for line in code.text.splitlines())
        return f'#raw("{lines}", block: true)'

    def picture(self, figure: Figure) -> str:
        """A picture as the bytes of an SVG."""
        return f'image(bytes({literal(to_still(figure.picture))}), format: "svg", alt: {string(self.alt(figure))})'

    def alt(self, figure: Figure) -> str:
        """A picture in words."""
        return self.words.plain(figure.title.key, **figure.title.args)

    def formula(self, f: Formula) -> str:
        return spell(f, self.dialect)


def printed(document: Document, fonts: Sequence[str] = ()) -> str:
    """fonts: families to be tried before all others"""
    parts: dict[str, Any] = {"p": TypstPage(document), "document": document, "size": size}
    if isinstance(document, Book):
        parts["printer"] = each(document, TypstPage)
    wanted = template("book.typ" if isinstance(document, Book) else "document.typ", escaped=False)
    source = wanted.render(**parts, fonts=fonts)
    return wanted.render(**parts, fonts=[*fonts, *CHINESE]) if any(map(wide, source)) else source


page = book = printed
