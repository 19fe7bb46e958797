"""LaTeX: a document of its own that needs amsmath, amssymb and TikZ; lines are broken here, by width."""

from __future__ import annotations

from derive.dialects.latex import Latex, text
from derive.dialects.measure import Measure, em
from derive.document import Document, Figure, Line, Say, Step, Table
from derive.figures import PREAMBLE, to_tikz
from derive.formula import Formula, Name
from derive.lines import Piece, rows
from derive.printers.common import Printer, Raw, size, template
from derive.spelling import Show, Shown, spell, terms
from derive.values import Values

WIDTH = 40.0  # em that a row may take in the standalone document
SMALLEST = 3  # columns of a matrix that is shortened most
FEWEST_ALIGNED = 24.0


def fitted(piece: Piece, values: Values, measure: Measure, room: float) -> int:
    """How many columns of a matrix may be written out so that no unbreakable term is wider than the room; 0: none fits."""
    for largest in (8, 6, 5, 4, SMALLEST):
        if max(map(em, terms(piece.formula, measure, shower(piece, values, largest)))) <= room:
            return largest
    return 0


def shower(piece: Piece, values: Values, largest: int) -> Show | None:
    def show(name: Name) -> Shown:
        return values.shown(name, largest)

    return show if piece.numbers else None


def broken(line: Line, values: Values, dialect: Latex, width: float) -> list[str]:
    """The right side of a line as rows of LaTeX, none wider than `width` less the target."""
    measure = Measure(dialect.style)
    room = max(width - em(spell(line.target, measure)) - 1.5, FEWEST_ALIGNED / 2)
    found: list[str] = []
    for row in rows(line, values):
        current, used = "", 0.0
        for piece in row:
            largest = fitted(piece, values, measure, room)
            if not largest and piece.formula is not line.target:
                continue
            show = shower(piece, values, largest or SMALLEST)
            sign = r"\approx " if piece.relation == "≈" else "= "
            spelled, measured = (terms(piece.formula, d, show) for d in (dialect, measure))
            if current and used + 1.4 + sum(map(em, measured)) > room:
                found.append(current)
                current, used = "", 0.0
            for i, (term, run) in enumerate(zip(spelled, measured, strict=True)):
                wide = em(run) + (1.4 if i == 0 else 0.0)
                if current and used + wide > room:
                    found.append(current)
                    current, used = (r"\quad " if i else ""), 2.0 if i else 0.0
                current += (sign if i == 0 else "") + term + " "
                used += wide
        found.append(current)
    return [row.strip() for row in found if row.strip()]


def tex_line(line: Line, values: Values, dialect: Latex) -> str:
    """A line as one aligned block, to be copied into a document."""
    body = r" \\ ".join(f"&{row}" for row in broken(line, values, dialect, WIDTH))
    return rf"\begin{{aligned}} {spell(line.target, dialect)} {body} \end{{aligned}}"


class Tex(Printer):
    """A document as LaTeX."""

    largest = 5

    def __init__(self, document: Document) -> None:
        super().__init__(document, Latex(document.style))
        self.shaped = Latex(document.style, shapes=True)

    def escape(self, words: str) -> str:
        return text(words)

    def inline(self, mathematics: str) -> str:
        return f"${mathematics}$"

    def kind(self, block: object) -> str:
        return {Say: "say", Step: "step", Table: "table", Figure: "figure"}[type(block)]

    def lines(self, step: Step) -> list[str]:
        """The rows of one align* environment."""
        found = []
        for line in step.lines:
            values = self.document.values
            dialect = self.shaped if line.shapes else self.dialect
            target = spell(line.target, dialect)
            body = broken(line, values, self.dialect, WIDTH)  # type: ignore[arg-type]
            if line.shapes and line.forms:
                body = self.with_shapes(line, body)
            last = len(body) - 1
            case = rf" && \text{{{self.case(line)}}}" if line.condition is not None else ""
            for i, row in enumerate(body):
                found.append((target if i == 0 else "") + f" &{row}" + (case if i == last else ""))
        return found

    def with_shapes(self, line: Line, body: list[str]) -> list[str]:
        """The last symbolic form once more, with shapes under the matrices, where it is a row's beginning."""
        plain = spell(line.forms[-1].formula, self.dialect)
        shaped = spell(line.forms[-1].formula, self.shaped)
        return [row.replace(plain, shaped, 1) if plain in row else row for row in body]

    def case(self, line: Line) -> str:
        return self.say(Say("page.case", {"condition": Raw(self.condition(line))}))

    def diagram(self, figure: Figure) -> str:
        return to_tikz(figure.network)

    def formula(self, f: Formula) -> str:
        return spell(f, self.dialect)

    def columns(self, table: Table) -> str:
        return "l" * len(table.header)


def needs_cjk(source: str) -> bool:
    """Whether the text has letters that pdfLaTeX's standard fonts lack."""
    return any(ord(c) > 0x24F and not 0x2010 <= ord(c) <= 0x22FF for c in source)


def page(document: Document) -> str:
    printer = Tex(document)
    source = template("document.tex", escaped=False).render(p=printer, document=document, size=size, preamble=PREAMBLE, cjk=False)
    if needs_cjk(source):
        source = template("document.tex", escaped=False).render(p=printer, document=document, size=size, preamble=PREAMBLE, cjk=True)
    return source
