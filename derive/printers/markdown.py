"""Markdown: as GitHub renders it, with mathematics in fenced `math` blocks, or with it between dollar signs.

Long parts are folded in `<details>`.
"""

from __future__ import annotations

import html
import re

from derive.dialects.latex import Latex
from derive.document import Book, Code, Document, Line, Question, Say
from derive.formula import Formula
from derive.language import Both
from derive.printers.aligned import aligned
from derive.printers.common import Printer, each, size, template
from derive.printers.latex import because
from derive.spelling import spell

WIDTH = 48.0
SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]()#+-!|>~$"} | {"<": "&lt;", "&": "&amp;", "\n": " "})
ENTITIES = {"|": "&#124;", "~": "&#126;", "$": "&#36;"}  # what not every reader takes a backslash before
DEEPEST = 6  # levels of headings
PROSE = str.maketrans({c: f"\\{c}" for c in "\\`*_[]|~$"} | {"<": "&lt;", "&": "&amp;"})


class Markdown(Printer):
    """A document as Markdown."""

    largest = 5
    details = "<details>"

    def __init__(self, document: Document) -> None:
        self.plain = Latex(document.style)
        super().__init__(document, self.plain)
        self.inside = self

    def escape(self, text: str) -> str:
        return text.translate(SPECIAL)

    def say(self, say: Say) -> str:
        parts = self.words.parts(say.key, dict(say.args))
        own = self.words.template(say.key)
        # our own sentences are not anybody's text: only what is put into them is escaped
        written = self.prose if isinstance(say.key, Both) else str
        return "".join(written(part) if isinstance(part, str) and part in own else self.cell(part) for part in parts)

    def prose(self, text: str) -> str:
        """A sentence of a lesson: plain words, in which a bar is a bar."""
        return text.translate(PROSE)

    def inline(self, mathematics: str) -> str:
        return f"$`{unbarred(mathematics)}`$"

    def display(self, mathematics: str) -> str:
        """Mathematics on lines of its own."""
        return f"```math\n{mathematics}\n```"

    def typed(self, command: str) -> str:
        return f"`{command}`"

    def linked(self, spelled: str, address: str) -> str:
        return f"[{spelled}]({html.escape(address).replace(' ', '%20').replace(')', '%29')})"

    def line(self, line: Line) -> str:
        """One block of mathematics."""
        rows = aligned([line], self.document.values, lambda line: self.plain, WIDTH, lambda line: because(self, line))
        inside = " \\\\\n".join(rows)
        beside = self.beside(line)
        below = f"\n\n{self.say(beside.said)}" if beside else ""
        return self.display(f"\\begin{{aligned}}\n{inside}\n\\end{{aligned}}") + below

    def answers(self, question: Question) -> str:
        """A table to write answers into, between the marks by which it is read."""
        header = [self.word(f"table.sheet.{key}") for key in ("step", "symbol", "value", "formula")]
        rows = [header, ["---"] * len(header)]
        for part, line in zip(question.parts, question.lines, strict=True):
            rows.append([self.typed(part.typed), self.inline(self.target(line)), "", ""])
        id = f" id={question.exercise}" if question.exercise else ""
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"<!-- derive:begin{id} -->\n\n{table}\n\n<!-- derive:end -->"

    def fenced(self, code: Code) -> str:
        """Lines of a file between fences that are longer than any in them."""
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code.text)), default=0))
        return f"{fence}{code.language}\n{code.text}\n{fence}"

    def formula(self, f: Formula) -> str:
        return spell(f, self.dialect)


def unbarred(mathematics: str) -> str:
    """Mathematics without bars, which would end the cell of a table."""
    return mathematics.replace(r"\left|", r"\left\vert ").replace(r"\right|", r"\right\vert ")


class Dollars(Markdown):
    """Markdown as Quarto, Jupyter Book and MkDocs read it; what these do not agree on is written in HTML's way."""

    details = '<details markdown="1">'

    def escape(self, text: str) -> str:
        return text.translate(SPECIAL | {ord(c): entity for c, entity in ENTITIES.items()})

    def prose(self, text: str) -> str:
        return text.translate(PROSE | {ord(c): entity for c, entity in ENTITIES.items()})

    def inline(self, mathematics: str) -> str:
        return f"${unbarred(mathematics)}$"

    def display(self, mathematics: str) -> str:
        return f"$$\n{mathematics}\n$$"


class InsideHtml(Markdown):
    """Sentences inside HTML elements, where Markdown is not read."""

    def escape(self, text: str) -> str:
        return html.escape(text)

    def prose(self, text: str) -> str:
        return html.escape(text)


class DollarsInsideHtml(InsideHtml, Dollars):
    """The same with mathematics between dollar signs, which thus are none themselves."""

    def escape(self, text: str) -> str:
        return html.escape(text).replace("$", ENTITIES["$"])

    def prose(self, text: str) -> str:
        return self.escape(text)


#: How mathematics is marked, by name.
FLAVOURS: dict[str, tuple[type[Markdown], type[Markdown]]] = {
    "github": (Markdown, InsideHtml),
    "dollars": (Dollars, DollarsInsideHtml),
}


def printer(document: Document, flavour: str = "github") -> Markdown:
    outside, inside = FLAVOURS[flavour]
    found = outside(document)
    found.inside = inside(document)
    return found


def page(document: Document) -> str:
    return template("page.md", escaped=False).render(p=printer(document), document=document, size=size)


def book(document: Book) -> str:
    return template("book.md", escaped=False).render(
        p=printer(document), printer=each(document, printer), document=document, size=size
    )
