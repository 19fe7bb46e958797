"""Word: a file that opens, with equations in it, and everybody's text as text."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner
from nets import HOSTILE, solved
from reading_omml import M

from derive.cli import main
from derive.dialects.omml import Omml, run
from derive.document import steps
from derive.formula import Function, Name, Symbol
from derive.spelling import spell

PARAGRAPH = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"


def test_letters() -> None:
    assert ">a&lt;b</m:t>" in run("a<b") and "\0" not in run("\0")
    W = Name("W1", symbol=Symbol("W", sup="(1)", bold=True), shape=(2, 3), scalar=False)
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
