"""PDFs: what is on the pages, letters without a font, every engine, and what the command line says of them."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
import typst
from click.testing import CliRunner, Result
from nets import solved

import derive
from derive.cli import main
from derive.cli.options import ENGINE_NAMES
from derive.errors import InputError
from derive.homework.printed import FORMATS as OF_MARKED
from derive.printers import FORMATS
from derive.sheets.sheet import worksheet
from derive.typeset import base, with_tex, with_typst
from derive.typeset.engines import ENGINES, named
from derive.typeset.with_tex import WithPdflatex
from derive.typeset.with_typst import WithTypst

MARGIN = 2.3 / 2.54 * 72
WORD = re.compile(r'xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)" yMax="[\d.]+">(.*?)</word>')


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """derive in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typst on a machine that has no fonts."""
    kept = typst.Compiler

    def without(**options: Any) -> typst.Compiler:
        return kept(**{**options, "ignore_system_fonts": True})

    monkeypatch.setattr(typst, "Compiler", without)


def poppler(program: str, *options: str, pdf: bytes) -> str:
    """What a program that knows nothing of derive sees in a PDF."""
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [program, *options, "-", "-"][: -1 if program == "pdfinfo" else None], input=pdf, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.decode("utf-8")


# pages ----------------------------------------------------------------------------------------------------------------
def test_a_solution_is_on_its_pages() -> None:
    pdf = solved("mazur").to_pdf(engine="typst")
    words = poppler("pdftotext", pdf=pdf)
    printed = set(re.findall(r"\d\.\d{3,}", str(solved("mazur").print("text"))))
    assert len(printed) > 40
    assert {number for number in printed if number not in words} <= {"0.0000"}
    assert pdf == solved("mazur").to_pdf(engine="typst")
    about = poppler("pdfinfo", pdf=pdf)
    assert re.search("Title: +A 2-2-2 sigmoid network", about) and "Date" not in about and "Tagged: " in about
    assert b"/Outlines" in pdf and b"/Lang(en)" in pdf


@pytest.mark.parametrize("net", ["hostile", "long"])
def test_nothing_leaves_the_page(net: str) -> None:
    words = WORD.findall(poppler("pdftotext", "-bbox", pdf=solved(net).to_pdf(engine="typst")))
    assert len(words) > 500
    assert [word for left, right, word in words if float(left) < MARGIN - 1 or float(right) > 595.3 - MARGIN + 1] == []
    assert not any("root:" in word for _, _, word in words)


def test_tables_have_room() -> None:
    pdf = solved("mazur").to_pdf(engine="typst")
    pages = poppler("pdftotext", "-layout", pdf=pdf).split("\f")
    layers = [i for i, page in enumerate(pages) if re.search("^ *Layer +Kind", page, re.M)]
    assert len(layers) == 1 and "Total" in pages[layers[0]] and re.search("^ *Layers$", pages[layers[0]], re.M)
    last = poppler("pdftotext", "-bbox", pdf=pdf).split("<page ")[len(pages) - 1]
    found = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', last)
    boxes = [(*map(float, box), word) for *box, word in found]
    after = [box[4] for box in boxes].index("Witness")
    compared = next(box[0] for box in boxes[after:] if box[4] == "Compared")
    name = [
        box
        for box in boxes[after:]
        if re.sub("[^a-z_]", "", box[4]) in ("half_", "squared_error", "half_squared_error")
    ]
    assert name and all(box[2] < compared for box in name)
    tops = sorted({box[1] for box in boxes[after:] if "total" in box[4]})
    assert len(tops) > 1 and all(
        lower - upper > 20 for upper, lower in itertools.pairwise(tops)
    )  # of two lines of a fraction and space


def test_a_table_higher_than_a_page_is_broken() -> None:
    preamble = str(solved("one").print("typst")).split("#heading", 1)[0]
    few = "#sheet([Title], 1, ([Head],), " + "[#block(height: 9cm)[Row]], " * 4 + ")"
    pages = poppler("pdftotext", "-layout", pdf=WithTypst().pdf(preamble + few)).split("\f")
    assert sum(page.count("Row") for page in pages) == 4 and sum("Row" in page for page in pages) > 1


# letters ----------------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("alone")
def test_letters_that_no_font_has_are_refused(run: Callable[..., Result], tmp_path: Path) -> None:
    done = run("backprop", "mazur", "--lang", "zh", "-f", "pdf", "--pdf-engine", "typst")
    assert done.exit_code == 2 and len(done.output.splitlines()) == 1
    assert "fonts-noto-cjk" in done.output and "--font" in done.output and re.search("[一-鿿]", done.output)
    assert not [*tmp_path.rglob("*.pdf")]


@pytest.mark.usefixtures("alone")
def test_a_font_for_chinese(run: Callable[..., Result], tmp_path: Path) -> None:
    found = (
        subprocess.run(["kpsewhich", "FandolSong-Regular.otf"], capture_output=True, text=True).stdout.strip()
        if shutil.which("kpsewhich")
        else ""
    )
    if not found:
        pytest.skip("no Chinese font at a known place")
    done = run(
        "ema",
        "1",
        "2",
        "--beta",
        "0.9",
        "--lang",
        "zh",
        "-f",
        "pdf",
        "--pdf-engine",
        "typst",
        "--font",
        found,
        "-o",
        "a.pdf",
    )
    assert done.exit_code == 0, done.output
    assert len(re.findall("[一-鿿]", poppler("pdftotext", pdf=(tmp_path / "a.pdf").read_bytes()))) > 100


def test_what_is_no_font_is_refused(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "a.otf").write_text("no font", encoding="utf-8")
    done = run("backprop", "mazur", "-f", "pdf", "--pdf-engine", "typst", "--font", "a.otf")
    assert done.exit_code == 2 and done.output.startswith("a.otf: ")


# engines ----------------------------------------------------------------------------------------------------------------
def test_engines_have_names() -> None:
    assert tuple(ENGINES) == ENGINE_NAMES
    assert [named(name).reads for name in ENGINES] == ["typst", "latex", "latex", "html"]


def test_pdflatex(pdflatex: str) -> None:
    pdf = solved("one").to_pdf(engine="pdflatex")
    assert "One" in poppler("pdftotext", pdf=pdf) and b"(D:19700101" in pdf


def test_tex_says_its_first_error(pdflatex: str) -> None:
    start = r"\documentclass{article}\begin{document}"
    for body, message in [
        (r"\what", "Undefined control sequence"),
        (r"\input{/etc/hosts}", "hosts"),
        (r"\immediate\openout5=/no ", "/no"),
    ]:
        with pytest.raises(InputError, match=message) as found:
            WithPdflatex().pdf(f"{start}\n{body}\n\\end{{document}}")
        assert "\n" not in str(found.value)


def test_chromium_prints_the_page(chromium: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.typeset.with_browser.NAMES", (chromium,))
    pdf = solved("one").to_pdf(engine="chromium")
    assert "One" in poppler("pdftotext", pdf=pdf) and b"(D:20000101000000" in pdf


def test_a_program_has_a_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SECONDS", 0.1)
    if not (sleep := shutil.which("sleep")):
        pytest.skip("no program that waits")
    with pytest.raises(InputError, match="longer than"):
        base.run([sleep, "60"], tmp_path, {})


def test_pdflatex_has_no_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(with_tex, "on_path", lambda names: names[0])
    with pytest.raises(InputError, match="xelatex has them"):
        solved("one", lang="zh").to_pdf(engine="pdflatex")


# the command line -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("engine", [*ENGINES, None])
def test_no_engine(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(with_typst, "find_spec", lambda name: None)
    done = run("ema", "1", "2", "--beta", "0.9", "-f", "pdf", *(["--pdf-engine", engine] if engine else []))
    assert done.exit_code == 2 and len(done.output.splitlines()) == 1 and "derive-backprop[pdf]" in done.output


@pytest.mark.parametrize("option", [("--pdf-engine", "typst"), ("--font", ".")])
def test_options_of_pdfs_are_for_pdfs(run: Callable[..., Result], option: tuple[str, str]) -> None:
    for command in (("backprop", "mazur"), ("lint", "mazur")):
        done = run(*command, *option)
        assert done.exit_code == 2 and "-f pdf" in done.output


def test_a_suffix_names_the_format(run: Callable[..., Result], tmp_path: Path) -> None:
    for name, start in (("a.pdf", b"%PDF"), ("a.typ", b"#set document")):
        assert run("ema", "1", "2", "--beta", "0.9", "-o", name, "-q").exit_code == 0
        assert (tmp_path / name).read_bytes().startswith(start)


def test_marked_work(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "work.yaml").write_text("answers: {dL/dw5: 0.09, 'z1[1]': 0.3775}", encoding="utf-8")
    done = run("check", "mazur", "work.yaml", "-f", "pdf", "-f", "typst", "--reveal", "all", "-q")
    assert done.exit_code == 1, done.output
    assert (tmp_path / "output/mazur-check/work.pdf").read_bytes().startswith(b"%PDF")
    assert "0.09" in (tmp_path / "output/mazur-check/work.typ").read_text(encoding="utf-8")
    (tmp_path / "class").mkdir()
    done = run("check", "mazur", "class", "-f", "pdf")
    assert done.exit_code == 2 and "class" in done.output
    assert "pdf" not in OF_MARKED


def test_worksheets() -> None:
    sheet = worksheet("mazur", hints="formulas")
    source = str(FORMATS["typst"].print(sheet.problem))
    assert source.count("= #blank()") == len(sheet.rows) > 30 and r"#asked([\(a)], $ " in source
    words = poppler("pdftotext", pdf=bytes(FORMATS["pdf"].print(sheet.problem, engine="typst")))  # type: ignore[arg-type]
    assert "Name:" in words and "0.7514" not in words
    word = docx.Document(io.BytesIO(bytes(FORMATS["docx"].print(sheet.problem))))  # type: ignore[arg-type]
    rules = [text for text in word.element.body.itertext() if set(text) == {"_"}]
    assert len(rules) >= len(sheet.rows)


def test_in_python() -> None:
    checked = derive.check("mazur", {"z1[1]": "0.3775"})
    assert checked.to_pdf().startswith(b"%PDF")
    with pytest.raises(InputError, match="own fonts"):
        solved("one").to_pdf(engine="chromium", fonts=["."])
    with pytest.raises(InputError, match=r"typsst'\. Did you mean 'typst'"):
        solved("one").to_pdf(engine="typsst")
    with pytest.raises(InputError, match=r"no\.otf: there is no such font"):
        solved("one").to_pdf(fonts=["no.otf"])


def test_errors_of_our_own_are_not_the_font() -> None:
    with pytest.raises(typst.TypstError, match="unknown variable"):
        WithTypst().pdf("#nothing")
    with pytest.raises(typst.TypstError, match="escape"):
        WithTypst().pdf('#read("../../etc/passwd")')
