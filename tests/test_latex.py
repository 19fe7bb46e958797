"""The LaTeX that derive prints compiles as it stands, and nothing is wider than the page."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from nets import solved

from derive.dialects.latex import LONGEST_WORD, label, letters, text
from derive.examples import names

pytestmark = pytest.mark.xdist_group("latex")  # one process compiles what these tests share

BEGIN, END = r"\begin{document}", r"\end{document}"
MARK = "document: "
FAULTS = re.compile(r"Overfull|Missing character|undefined|^!|multiply defined|Error", re.MULTILINE)
#: What takes TeX long, and nothing else depends on.
LENGTHY = re.compile(r"\\begin\{(align\*|tikzpicture)\}.*?\\end\{\1\}", re.DOTALL)
NOTATIONS = ("mazur", "ng", "haykin", "rows")
#: Everything on a page that is in print: (network, wishes).
DOCUMENTS: dict[str, tuple[str, dict[str, str]]] = {
    **{name: (name, {}) for name in names()},
    **{f"{notation}, both": ("regression", {"notation": notation, "form": "both"}) for notation in NOTATIONS},
    "xor, matrix": ("xor", {"form": "matrix"}),
    "hostile": ("hostile", {}),
    "long": ("long", {}),
    "one": ("one", {}),
    "deep": ("deep", {}),
    "wide": ("wide", {}),
    "batch": ("batch", {"form": "scalar"}),
    "large": ("large", {"form": "matrix"}),
}
CHINESE: dict[str, tuple[str, dict[str, str]]] = {
    "mazur, zh": ("mazur", {"lang": "zh"}),
    "batch_3322, zh": ("batch_3322", {"lang": "zh", "form": "matrix"}),
    "hostile, zh": ("hostile", {"lang": "zh"}),
    "Chinese labels": ("chinese", {}),
}


def compiled(program: str, source: str, folder: Path, *, once: bool = False, settled: bool = True) -> str:
    """The log of the last run, with no shell and no file from outside the folder, and a PDF from it.

    A run takes from the one before it how wide tables are, and references: that one is a sketch of the same, in a tenth of
    the time. once: a single run, and no PDF · settled: a run more where page numbers were others in the sketch
    """
    if once:
        return run(program, source, folder, "-draftmode" if "pdf" in Path(program).name else "-no-pdf")
    run(program, LENGTHY.sub(r"\\rule{1em}{1em}", source), folder)
    log = run(program, source, folder)
    if settled and "Rerun" in log:
        log = run(program, source, folder)
    assert (folder / "solution.pdf").stat().st_size > 1000
    return log


def run(program: str, source: str, folder: Path, *options: str) -> str:
    """The log of one run."""
    (folder / "solution.tex").write_text(source, encoding="utf-8")
    environment = {**os.environ, "openin_any": "p", "openout_any": "p", "max_print_line": "1000"}
    command = [program, "-interaction=batchmode", "-halt-on-error", "-no-shell-escape", *options, "solution.tex"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120)
    log = (folder / "solution.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


def faults(log: str) -> list[str]:
    return [line for line in log.splitlines() if FAULTS.search(line) and "infwarerr" not in line]


def bound(documents: dict[str, tuple[str, dict[str, str]]]) -> str:
    """Documents as one, each on pages of its own and named in the log: they all have the same preamble."""
    sources = {name: solved(net, **wishes).to_latex().partition(BEGIN) for name, (net, wishes) in documents.items()}
    (preamble,) = {preamble for preamble, _, _ in sources.values()}
    bodies = {name: body.partition(END) for name, (_, _, body) in sources.items()}
    assert {rest.strip() for _, _, rest in bodies.values()} == {""}
    parts = [rf"\clearpage\typeout{{{MARK}{name}}}{body}" for name, (body, _, _) in bodies.items()]
    return "\n".join([preamble + BEGIN, *parts, rf"\clearpage\typeout{{{MARK}}}{END}"])


def parted(log: str) -> dict[str, str]:
    """The parts of a log by the names of the documents; what stands before the first and after the last has none."""
    before, *rest = re.split(rf"^{MARK}(.*)$", log, flags=re.MULTILINE)
    found = dict(zip(rest[::2], rest[1::2], strict=True))
    return {**found, "": before + found[""]}


@pytest.fixture(scope="module")
def logs(pdflatex: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return parted(compiled(pdflatex, bound(DOCUMENTS), tmp_path_factory.mktemp("latex")))


@pytest.fixture(scope="module")
def chinese_logs(xelatex: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    source = bound(CHINESE)
    assert "{ctexart}" in source
    return parted(compiled(xelatex, source, tmp_path_factory.mktemp("xelatex")))


def test_a_document_compiles_alone(pdflatex: str, tmp_path: Path) -> None:
    assert not faults(compiled(pdflatex, solved("mazur").to_latex(), tmp_path))


@pytest.mark.parametrize("name", [*DOCUMENTS, ""])
def test_documents_compile(name: str, logs: dict[str, str]) -> None:
    assert not faults(logs[name])
    assert "/etc/passwd" not in logs[name]


@pytest.mark.parametrize("name", [*CHINESE, ""])
def test_chinese_documents_compile(name: str, chinese_logs: dict[str, str]) -> None:
    assert not faults(chinese_logs[name])
    assert "/etc/passwd" not in chinese_logs[name]


def test_every_copied_line_compiles_alone(pdflatex: str, tmp_path: Path) -> None:
    """What the copy button gives needs amsmath and amssymb, and no font encoding."""
    lines = [tex for name in ("hostile", "relu_fractions", "xor") for tex in copied(name)]
    body = "\n".join(rf"\[ {line} \]" for line in lines)
    packages = r"\documentclass{article}\usepackage[margin=1cm,paperwidth=40cm]{geometry}\usepackage{amsmath,amssymb}"
    log = compiled(pdflatex, rf"{packages}\allowdisplaybreaks\begin{{document}}{body}\end{{document}}", tmp_path)
    assert len(lines) > 30
    assert not faults(log)


def copied(name: str) -> list[str]:
    from html import unescape

    page = solved(name).to_html()
    return [unescape(tex) for tex in re.findall(r'<annotation encoding="application/x-tex">(.*?)</annotation>', page)]


def test_labels_are_only_ever_text() -> None:
    assert label(r"\input{a}") == r"\backslash{}\text{input}\{\text{a}\}"
    assert label("$x_1$ & %") == r"\$\text{x}\_\text{1}\$\text{ }\&\text{ }\%"
    assert label("``") == r"\text{‘}\text{‘}"
    assert label("\u202e\x00权") == r"\text{权}"
    assert letters("ℒ") == r"\mathcal{L}"
    assert letters("θ", bold=True) == r"\boldsymbol{\theta}"
    assert letters("a" * 60).endswith(r"\ldots{}")


def test_long_words_may_be_broken() -> None:
    assert text("a" * LONGEST_WORD) == "a" * LONGEST_WORD
    assert text("a" * 60).count(r"\allowbreak{}") == 60 - LONGEST_WORD
    assert r"\allowbreak" not in text("ordinary words " * 9)
