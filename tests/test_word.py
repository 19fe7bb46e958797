"""Word: a file that opens, with equations in it, and everybody's text as text."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner
from docx.shared import Pt
from nets import HOSTILE, solved
from reading_omml import M

from derive.cli import main
from derive.dialects.omml import LONG, Omml, cut, fenced, run
from derive.document import Amount, Cell, Question, steps
from derive.formula import Function, Name, Symbol
from derive.printers import FORMATS
from derive.printers.word import Word
from derive.printers.word_grid import PAGE, WordRuler, laid
from derive.sheets.sheet import worksheet
from derive.spelling import spell

W = Name("W1", symbol=Symbol("W", sup="(1)", bold=True), shape=(2, 3), scalar=False)
PARAGRAPH = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"


def test_letters() -> None:
    assert ">a&lt;b</m:t>" in run("a<b") and "\0" not in run("\0")
    assert "𝐖" in spell(W, Omml()) and "limLow" in spell(W, Omml(shapes=True)) and "2×3" in spell(W, Omml(shapes=True))
    assert "′" in spell(Function("f", Symbol("σ", mark="′")) and Name("y", symbol=Symbol("F′")), Omml())
    assert '<m:chr m:val="\u0302"/>' in spell(Name("y", symbol=Symbol("ŷ", sub="1")), Omml())


def test_a_file_of_word() -> None:
    content = solved("hostile").to_docx()
    assert content == solved("hostile").to_docx()
    file = docx.Document(io.BytesIO(content))
    assert file.core_properties.title == solved("hostile").document.title
    words = "\n".join(p.text for p in file.paragraphs)
    assert all(" ".join(text.split()) in words for text in HOSTILE)
    equations = [*file.element.body.iter(f"{{{M}}}oMath")]
    lines = [line for step in steps(solved("hostile").document) for line in step.lines]
    assert len(equations) >= len(lines) > 20
    assert all(equation.getparent().tag in (PARAGRAPH, f"{{{M}}}oMathPara") for equation in equations)
    seen = "".join("".join(equation.itertext()) for equation in equations)
    printed = set(re.findall(r"\d\.\d{3,}", str(solved("hostile").print("text"))))
    assert len(printed) > 15 and {number for number in printed if number not in seen} == set()
    assert len(file.inline_shapes) == 1 and all(row.cells for table in file.tables for row in table.rows)
    assert {p.style.name for p in file.paragraphs if p.text == "Forward pass"} == {"Heading 1"}


def test_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def command(*args: str) -> int:
        return CliRunner().invoke(main, args).exit_code

    assert command("ema", "1", "2", "--beta", "0.9", "--lang", "zh", "-o", "a.docx", "-q") == 0
    assert Path("a.docx").read_bytes().startswith(b"PK")
    Path("work.yaml").write_text("answers: {dL/dw5: 0.09}", encoding="utf-8")
    assert command("check", "mazur", "work.yaml", "-f", "docx", "-q") == 1
    assert Path("output/mazur-check/work.docx").exists()
    monkeypatch.setitem(sys.modules, "docx", None)
    done = CliRunner().invoke(main, ["ema", "1", "2", "--beta", "0.9", "-o", "b.docx"])
    assert done.exit_code == 2 and "derive-backprop[docx]" in done.output and not Path("b.docx").exists()


def texts(row: docx.table._Row) -> list[str]:
    return [
        "".join(node.text or "" for node in cell._tc.iter() if node.tag.endswith("}t")).replace("\u200b", "")
        for cell in row.cells
    ]


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    content = bytes(FORMATS["docx"].print(worksheet("batch_3322").problem))  # type: ignore[arg-type]
    file = docx.Document(io.BytesIO(content))
    page = file.sections[0].page_width - file.sections[0].left_margin - file.sections[0].right_margin
    given, layers, *_ = file.tables
    for table in file.tables:
        widths = [column.width for column in table.columns]
        assert min(widths) > Pt(20) and sum(widths) <= page
        assert all([cell.width for cell in row.cells] == widths for row in table.rows)
    assert sum(column.width for column in layers.columns) < 0.6 * page
    assert given.columns[3].width > 3 * given.columns[0].width  # five columns of numbers, which are all there
    first = texts(given.rows[1])
    assert "⋯" not in first[3] and len(re.findall(r"\d\.\d", first[3])) == 15
    assert "Drawn (xavier_normal)" in [texts(row)[0] for row in given.rows]


def test_matrices_too_wide_lose_columns() -> None:
    class Row(WordRuler):
        def width(self, cell: Cell) -> float:
            return 1000.0 * (1 + cell.largest) if isinstance(cell, Amount) else super().width(cell)

    ruler = Row(solved("mazur").document)
    wide, small = Amount(W, 20), Amount(W, 1)
    for copies, columns in ((1, 5), (2, 3)):
        widths, [[*fewer, left]] = laid(["a"] * copies + ["b"], [[wide] * copies + [small]], ruler)
        assert [cell.largest for cell in fewer] == [columns] * copies and left.largest == 1
        assert sum(widths) <= PAGE
    widths, _ = laid(["a"] * 4, [[wide] * 4], ruler)  # for which there is no room at all
    assert len(set(widths)) == 1 and PAGE - 4 <= sum(widths) <= PAGE


def test_long_brackets_are_cut() -> None:
    one, other = "x" * LONG, f"{run('y')}{run('·')}{run('z')}"
    short = fenced(run("a") + run("+") + run("b"))
    long = fenced(run("−") + run(one) + run("+") + short + run("−") + other)
    pieces = cut(run("k") + run("·") + long)
    seen = ["".join(re.findall("<m:t[^>]*>(.*?)</m:t>", piece)) for piece in pieces]
    assert seen == ["k", f"·(−{one}", "+a+b", "−y", "·z)"] and short in pieces[2]
    assert cut(run("k") + short) == [run("k") + short]


def test_a_question_fits_on_the_page() -> None:
    """The mean loss of a batch is one product, its sum in brackets."""
    sheet = worksheet("xor", hints="formulas").problem
    printer = Word(sheet, docx.Document())
    questions = [block for section in sheet.sections for block in section.blocks if isinstance(block, Question)]
    rows = [
        row for q in questions for part, line in zip(q.parts, q.lines, strict=True) for row in printer.part(part, line)
    ]
    signs = [len(re.sub("<[^>]*>", "", row)) for row in rows]
    assert len(rows) > 2 * sum(len(q.parts) for q in questions) and max(signs) < 110
