"""Word: a .docx whose equations are Word's own and can be edited."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup, escape

from derive.dialects.measure import Measure, em
from derive.dialects.omml import Omml, cut, run, visible
from derive.document import Book, Cell, Document, Figure, Line, Part, Say, Witness
from derive.errors import InputError
from derive.figures.picture import to_png
from derive.formula import Formula
from derive.printers.aligned import Markup as Around
from derive.printers.aligned import broken
from derive.printers.common import Printer, each, size, template, verdict
from derive.printers.widths import breaks
from derive.printers.word_grid import TEXT, Grid, WordRuler, laid
from derive.spelling import spell

ROOM = 36.0  # em of a row; Word itself breaks what is still too wide, LibreOffice nothing
AROUND = Around(run("≈"), "", cut, "<[^>]*>", equal=run("="))
RULE = "_" * 20  # to write on
BREAK = "\u200b"
NOTHING = Markup(run("\u200b", "nor"))  # before a sign at the beginning of a row: LibreOffice looks for what it joins
WIDEST = 15.5  # cm of a picture
DATE = (1980, 1, 1, 0, 0, 0)  # of the files in the archive: the first that it can hold


class Word(Printer):
    """A document as WordprocessingML. file: what python-docx writes it into, with its pictures"""

    largest = 5

    def __init__(self, document: Document, file: Any) -> None:
        super().__init__(document, Omml(document.style))
        self.shaped = Omml(document.style, shapes=True)
        self.file = file

    def escape(self, text: str) -> str:
        return Markup(f'<w:r><w:t xml:space="preserve">{escape(visible(text))}</w:t></w:r>')

    def inline(self, mathematics: str) -> str:
        return Markup(f"<m:oMath>{mathematics}</m:oMath>")

    def say(self, say: Say) -> str:
        return Markup(super().say(say))

    def typed(self, command: str) -> str:
        return Markup(
            f'<w:r><w:rPr><w:rFonts w:ascii="Courier New" w:hAnsi="Courier New"/></w:rPr><w:t xml:space="preserve">{escape(visible(command))}</w:t></w:r>'
        )

    def linked(self, spelled: str, address: str) -> str:
        if address.startswith("#"):
            return Markup(f'<w:hyperlink w:anchor="{escape(address[1:])}">{spelled}</w:hyperlink>')
        instruction = escape(f' HYPERLINK "{visible(address).replace(chr(34), "%22")}" ')
        return Markup(f'<w:fldSimple w:instr="{instruction}">{spelled}</w:fldSimple>')

    def rows(self, line: Line) -> list[Markup]:
        """A line as one equation, or as several under one another where it is too wide for the page."""
        dialect = self.shaped if line.shapes else self.dialect
        target = spell(line.target, dialect)
        room = ROOM - em(spell(line.target, Measure(dialect.style)))
        values = self.document.values
        first, *rest = broken(line, values, dialect, max(room, ROOM / 2), self.case(line), AROUND) or [""]
        return [Markup(target + first), *(NOTHING + Markup(row) for row in rest)]

    def blank(self) -> str:
        return self.escape(RULE)

    def part(self, part: Part, line: Line) -> list[Markup]:
        """A part of a question as equations, the last of them with a rule to write on."""
        rows, rule = self.rows(line), Markup(run("=") + run(RULE, "nor"))
        rows = [*rows, NOTHING + rule] if line.forms else [*rows[:-1], rows[-1] + rule]
        letter = Markup(run(f"({part.letter})\u2003", "nor")) if part.letter else Markup("")
        return [letter + rows[0], *rows[1:]]

    def case(self, line: Line) -> str:
        """The case that applies, at the end of an equation."""
        if line.condition is None:
            return ""
        parts = self.words.parts("page.case", {"condition": line.condition})
        condition = self.condition(line)
        return run("\u2003", "nor") + "".join(
            run(part, "nor") if isinstance(part, str) else condition for part in parts
        )

    def grid(self, header: Sequence[Cell], rows: Sequence[Sequence[Cell]]) -> Grid:
        """A table that fits on the page."""
        widths, fitting = laid(header, rows, WordRuler(self.document))
        head, *spelled = [[self.in_column(cell) for cell in row] for row in (header, *fitting)]
        return Grid(widths, head, spelled)

    def in_column(self, cell: Cell) -> str:
        """A cell whose text may also break after an underscore."""
        spelled = self.cell(cell)
        return Markup(spelled.replace("_", f"_{BREAK}")) if breaks(cell) else spelled

    @property
    def found_grid(self) -> Grid:
        """All witnesses of the document."""
        rows = [(Say(f"witness.{w.name}"), cells, *found(w)) for w, cells in self.seen]
        return self.grid(found_header("witness", "quantity"), rows)

    def grid_of(self, witnesses: Sequence[tuple[Document, Witness]]) -> Grid:
        """What witnesses of one kind found in the lessons of a book, which are linked."""
        grid = self.grid(found_header("topic"), [(lesson.title, *found(w)) for lesson, w in witnesses])
        rows = [
            [self.linked(title, f"#{lesson.topic}"), *rest]
            for (lesson, _), (title, *rest) in zip(witnesses, grid.rows, strict=True)
        ]
        return replace(grid, rows=rows)

    def picture(self, figure: Figure) -> Markup:
        """A picture as a drawing in a run; its file is put into the archive."""
        from docx.shared import Cm

        part = self.file.part
        inline = part.new_pic_inline(io.BytesIO(to_png(figure.picture)), None, None)
        width, height = inline.extent.cx, inline.extent.cy
        scale = min(1.0, Cm(WIDEST) / width)
        for extent in (inline.extent, inline.graphic.graphicData.pic.spPr.xfrm.ext):
            extent.cx, extent.cy = round(width * scale), round(height * scale)
        inline.docPr.set("descr", self.words.plain(figure.title.key, **figure.title.args))
        return Markup(inline.xml)

    def formula(self, f: Formula) -> Markup:
        return Markup(self.inline(spell(f, self.dialect)))


def found_header(*first: str) -> list[Say]:
    """The titles over what witnesses have found, after the first ones."""
    return [Say(f"table.{key}") for key in (*first, "compared", "max_rel", "tolerance", "verdict")]


def found(witness: Witness) -> list[Cell]:
    """What a witness has found, as the cells of a row."""
    return [str(witness.compared), size(witness.max_rel), size(witness.tolerance), verdict(witness)]


def page(document: Document) -> bytes:
    try:
        import docx
        from docx.oxml import parse_xml
        from docx.shared import Pt
    except ImportError:
        raise InputError(
            "python-docx is not installed: `pip install 'derive-backprop[docx]'` brings it", file="-f docx"
        ) from None
    file = docx.Document()
    file.styles["Table Grid"].font.size = Pt(TEXT)
    parts: dict[str, Any] = {"p": Word(document, file), "document": document, "size": size}
    if isinstance(document, Book):
        parts["printer"] = each(document, lambda lesson: Word(lesson, file))
    name = "word_book.xml" if isinstance(document, Book) else "word.xml"
    body = file.element.body
    for child in list(body):
        body.remove(child)
    body.extend(list(parse_xml(template(name, escaped=True).render(**parts))))
    for i, drawing in enumerate(
        body.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
    ):
        drawing.set("id", str(i + 1))
    properties = file.core_properties
    properties.title, properties.author, properties.comments = document.title[:255], "", ""
    properties.language = document.language
    return packed(file)


book = page


def packed(file: Any) -> bytes:
    """The archive, with no time in it."""
    stream, kept = io.BytesIO(), io.BytesIO()
    file.save(stream)
    with zipfile.ZipFile(stream) as given, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as written:
        for name in given.namelist():
            entry = zipfile.ZipInfo(name, DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(entry, given.read(name))
    return kept.getvalue()
