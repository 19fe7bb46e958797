"""HTML: one file, nothing loaded from elsewhere, complete without JavaScript."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from markupsafe import Markup, escape

from derive.dialects.latex import Latex
from derive.dialects.mathml import MathML, operator
from derive.document import Amount, Book, Cell, Document, Figure, Line, Say
from derive.figures.picture import to_svg
from derive.formula import Formula
from derive.printers.aligned import tex_line
from derive.printers.common import Link, Printer, Raw, each, size, template
from derive.printers.interactive import gives, is_result, quantity, result, takes, verdicts
from derive.spelling import spell


class Html(Printer):
    """A document as HTML with MathML."""

    verdicts = verdicts()

    def __init__(self, document: Document) -> None:
        super().__init__(document, MathML(document.style))
        self.tex = Latex(document.style)
        self.shaped = MathML(document.style, shapes=True)

    def escape(self, text: str) -> str:
        return Markup(escape(text))

    def inline(self, mathematics: str) -> str:
        return Markup(f"<math>{mathematics}</math>")

    def say(self, say: Say) -> str:
        return Markup(super().say(say))

    def typed(self, command: str) -> str:
        return Markup(f"<code>{escape(command)}</code>")

    def linked(self, spelled: str, address: str) -> str:
        return Markup(f'<a href="{escape(address)}">{spelled}</a>')

    def blank(self) -> str:
        return Markup('<span class="blank"></span>')

    def lesson(self, topic: str) -> Markup:
        """The small link after a sentence to the lesson that derives it, or to the list of lessons on this page."""
        address, name = self.address(topic) or f"#lesson/{topic}", f"derive explain {topic}"
        return Markup(f'<a class="lesson" href="{escape(address)}" title="{name}">{self.word("page.lesson")}</a>')

    def anchor(self, id: str) -> str:
        return re.sub(r"[^A-Za-z0-9/._+-]", "-", id)

    def maths(self, line: Line) -> Markup:
        """A line as inline formulas between which the browser may break, and breaks before a relation if it can."""
        dialect = self.shaped if line.shapes else self.dialect
        tex = escape(tex_line(line, self.document.values, self.tex))
        head = f'<math><semantics><mrow>{spell(line.target, dialect)}</mrow><annotation encoding="application/x-tex">{tex}</annotation></semantics></math>'
        return Markup(f'<span class="t">{head}</span>' + "".join(map(self.link, self.chain(line))))

    def about(self, line: Line) -> Markup:
        """What a reader's script may know of a line; of marked work, no result."""
        known = {"q": gives(line), "u": takes(line)}
        if not self.document.student:
            known["value"] = result(line, self.document.values)
        return Markup("".join(f' data-{name}="{escape(text)}"' for name, text in known.items() if text))

    def cell(self, cell: Cell) -> str:
        """A number that is a result is one that a reader may cover."""
        spelled = super().cell(cell)
        if isinstance(cell, Amount) and not self.document.student and is_result(cell.name, self.document.values):
            return Markup(f'<span class="r" data-q="{escape(quantity(cell.name))}">{spelled}</span>')
        return spelled

    def chain(self, line: Line) -> list[Link]:
        """The links of a line, with the shapes of matrices where it is in symbols."""
        plain = self.links(line)
        if not line.shapes:
            return plain
        dialect, self.dialect = self.dialect, self.shaped
        shaped = self.links(line)
        self.dialect = dialect
        return [shaped[i] if link.symbols else link for i, link in enumerate(plain)]

    def link(self, link: Link) -> str:
        """One link of a line: of class n in numbers, v if it is the result."""
        first = f"<math>{operator(link.relation, '0.28em')}{link.terms[0]}</math>"
        kind = "l v" if link.value else "l" if link.symbols else "l n"
        return f'<span class="{kind}">{first}{"".join(f"<wbr><math>{term}</math>" for term in link.terms[1:])}</span>'

    def case(self, line: Line) -> Markup | str:
        return "" if line.condition is None else self.say(Say("page.case", {"condition": Raw(self.condition(line))}))

    def diagram(self, figure: Figure) -> Markup:
        return Markup(to_svg(figure.picture, figure.id))

    def formula(self, f: Formula) -> Markup:
        return Markup(f"<math>{spell(f, self.dialect)}</math>")


def font() -> str:
    data = (Path(__file__).parent.parent / "fonts" / "latin-modern-math.woff2").read_bytes()
    return base64.b64encode(data).decode("ascii")


def page(document: Document) -> str:
    printer = Html(document)
    return template("page.html", escaped=True).render(p=printer, document=document, font=font(), size=size)


def book(document: Book) -> str:
    return template("book.html", escaped=True).render(
        p=Html(document), printer=each(document, Html), document=document, font=font(), size=size
    )
