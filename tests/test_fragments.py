"""Pieces for lecture notes: their files, and that LaTeX takes them as they are."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import solved

from derive.cli import main
from derive.dialects.latex import letters
from derive.document import Figure, Table
from derive.errors import InputError
from derive.files import LIST
from derive.language import LANGUAGES, Words, part
from derive.numerals import Policy, decimal
from derive.printers.aligned import cut_latex
from derive.printers.citations import FILE, Citations, Rounding, roundings, typings
from derive.printers.fragments import Fragments
from derive.printers.pieces import pieces
from derive.printers.widths import Ruler, columns
from derive.solution import Solution, solve

pytestmark = pytest.mark.xdist_group("fragments")  # one process compiles what these tests share


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


# files ------------------------------------------------------------------------------------------------------------------
def test_a_folder_of_pieces_without_those_of_an_earlier_run(run: Callable[..., Result], tmp_path: Path) -> None:
    folder = tmp_path / "there" / "fragments"
    assert run("backprop", "mazur", "-f", "fragments", "-f", "text", "-o", "there").exit_code == 0
    first = {path.name for path in folder.iterdir()}
    assert {"forward.tex", "forward-2-z.tex", "gradient-W2.tex", "update-W1.tex", "diagram.tex", LIST} <= first
    (folder / "forward.tex").write_text("my own words\n", encoding="utf-8")
    (folder / "mine.tex").write_text("mine\n", encoding="utf-8")
    done = run("backprop", "mazur", "-f", "fragments", "--only", "w5", "-o", "there")
    second = {path.name for path in folder.iterdir()}
    assert {"gradient-W2.tex", "update-W2.tex", "forward.tex", "mine.tex"} <= second < first | {"mine.tex"}
    assert "gradient-W1.tex" not in second and "gradient-W1.tex" in done.output
    assert "forward.tex" in done.output.splitlines()[-1]
    listed = {line.split("  ")[1] for line in (folder / LIST).read_text(encoding="utf-8").splitlines()}
    assert listed == second - {"mine.tex", "forward.tex", LIST}
    assert (tmp_path / "there" / "solution.txt").exists()


@pytest.mark.parametrize("output", ["-", "notes.tex"])
def test_several_files_want_a_folder(run: Callable[..., Result], tmp_path: Path, output: str) -> None:
    done = run("backprop", "mazur", "-f", "fragments", "-o", output)
    assert done.exit_code == 2 and "give a folder" in done.output and not list(tmp_path.iterdir())


def test_a_file_is_no_folder(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "fragments").write_text("mine\n", encoding="utf-8")
    done = run("backprop", "mazur", "-f", "fragments", "-f", "html", "-o", ".")
    assert done.exit_code == 2 and "fragments: cannot be written" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["fragments"]


def test_save_writes_the_folder(tmp_path: Path) -> None:
    solution = solved("mazur")
    assert solution.save(tmp_path, formats=["fragments", "json"]) == [
        tmp_path / "fragments",
        tmp_path / "solution.json",
    ]
    written = {path.name for path in (tmp_path / "fragments").iterdir()}
    assert written == {*solution.pieces("fragments"), LIST}


@pytest.mark.parametrize("name", ["mazur", "adam", "batch_norm", "residual"])
def test_names_of_pieces_are_names_of_files(name: str) -> None:
    found = [piece.name for piece in pieces(solved(name, form="both").document)]
    assert all(re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", one) for one in found)
    assert len({one.lower() for one in found}) == len(found)
    assert {"givens", "forward", "forward-1-z", "matrix-forward-1-z", "conventions", "witnesses"} <= {*found}


def test_names_of_pieces_say_what_they_are() -> None:
    found = {piece.name: piece for piece in pieces(solve("mazur").document)}
    assert {"loss-each", "loss-total", "gradient-z2", "gradient-b1", "after-1-z", "table-summary"} <= {*found}
    (step,) = found["gradient-W2"].blocks
    assert {line.target.id for line in step.lines} == {"dL/dW2"}
    changed = solve("mazur", significant=9, only=["w5"]).document
    assert {piece.name for piece in pieces(changed)} < {*found}


# LaTeX ------------------------------------------------------------------------------------------------------------------
FONTS = r"\usepackage[T1]{fontenc}\usepackage{lmodern}\usepackage{amsmath,amssymb}"
FAULTS = re.compile(r"Overfull|Missing character|undefined|^!|multiply|Warning.*[Rr]eference", re.MULTILINE)
ROUNDINGS = ("", *map(str, range(1, 10)), *(f"decimals={n}" for n in range(10)))
MARK = "cited: "


def compiled(program: str, source: str, folder: Path, *, runs: int = 1) -> tuple[int, str]:
    """The code and the log of the last run, with no shell and no file from outside the folder."""
    (folder / "notes.tex").write_text(source, encoding="utf-8")
    fast = ["-draftmode"] if "pdf" in Path(program).name else ["-no-pdf"]
    environment = {**os.environ, "openin_any": "p", "openout_any": "p", "max_print_line": "9000"}
    command = [program, "-interaction=nonstopmode", "-no-shell-escape", *fast, "notes.tex"]
    for _ in range(runs):
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=120)
    return done.returncode, (folder / "notes.log").read_text(encoding="utf-8", errors="replace")


def lectured(solution: Solution, folder: Path, name: str, begin: str = r"\subsection*{%s}", end: str = "") -> str:
    """The source that inputs the values and every section; `name` is the folder of the pieces."""
    solution.save(folder / name, formats=["fragments"])
    every = pieces(solution.document)
    wanted = [
        p.name
        for p in every
        if (p.whole and p.name != "after-steps") or p.name in ("conventions", "witnesses", "result")
    ]
    body = [f"{begin % one}\\input{{{name}/fragments/{one}}}{end}" for one in wanted]
    return "\n".join([rf"\input{{{name}/fragments/derive-values}}", *body])


def cited(solution: Solution) -> list[tuple[str, str]]:
    """Everything that can be cited as a number, in every rounding."""
    found = Citations(solution.document)
    return [(key(*one), rounding) for one in found.entries for rounding in ROUNDINGS]


def key(id: str, index: tuple[int, ...]) -> str:
    return f"{id}[{','.join(map(str, index))}]" if index else id


@pytest.fixture(scope="module")
def article(pdflatex: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The log of an article with the pieces of a few networks, labels referred to, and numbers told."""
    folder = tmp_path_factory.mktemp("article")
    parts = [lectured(solved(name, **wishes), folder, f"f{i}") for i, (name, wishes) in enumerate(NETWORKS)]
    labelled = lectured(solved("mazur").labelled("mz"), folder, "labelled")
    told = "".join(
        rf"\typeout{{{MARK}{id}|{rounding}|\csname derive@outlined\endcsname{{{rounding}}}{{{id}}}}}"
        for id, rounding in cited(solved("mazur"))
    )
    text = r"""
\DeriveFrom{mazur}
\tableofcontents
\section{From \DeriveValue[3]{w5} to \DeriveValue[3]{w5+}}
As \eqref{mz:gradient-W2-1-1} and \ref{mz:loss-total} say,\footnote{\DeriveLine[2]{z1[1]}, \DeriveFormula{z1[1]}}
$\DeriveSymbol{dL/dw5} \approx \DeriveValue[decimals=2]{dL/dw5}$. \DeriveValue{W1}, \DeriveValue[exact]{z1[1]}.
\[ \DeriveLine[3]{dL/dW2} \]
\begin{figure}\caption{\DeriveValue{L} and then \DeriveValue{L+}, exactly \DeriveValue[exact]{w5}}\end{figure}
{\DeriveFrom{network}\DeriveValue{L}}
\sbox0{\MakeUppercase{\DeriveValue[2]{w1}, \DeriveLine{dL/dw5}, \DeriveValue{W2}}}
\sbox2{\DeriveValue[2]{w1}, \DeriveLine{dL/dw5}, \DeriveValue{W2}}
\typeout{capitals: \the\wd0, \the\wd2}
"""
    body = "\n".join([labelled, *parts, text, told])
    source = rf"\documentclass{{article}}{FONTS}\begin{{document}}{body}\end{{document}}"
    code, log = compiled(pdflatex, source, folder, runs=2)
    assert code == 0, log[-2000:]
    return log


NETWORKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("hostile", {}),
    ("relu_fractions", {"form": "both"}),
    ("symbols_only", {}),
    ("residual", {}),
)


def test_an_article_takes_all_pieces(article: str) -> None:
    assert not [line for line in article.splitlines() if FAULTS.search(line)]
    assert "/etc/passwd" not in article
    (capitals,) = re.findall(r"^capitals: (.*), (.*)$", article, flags=re.MULTILINE)
    assert capitals[0] == capitals[1] != "0.0pt"


def test_tex_chooses_the_rounding_that_was_asked_for(article: str) -> None:
    told = dict(re.findall(rf"^{MARK}(.*?\|.*?)\|(.*)$", article, flags=re.MULTILINE))
    found = Citations(solved("mazur").document)
    assert len(told) == len(found.entries) * len(ROUNDINGS) > 1000
    for one in found.entries:
        for i, rounding in enumerate(ROUNDINGS):
            printed = told[f"{key(*one)}|{rounding}"].replace(" ", "")
            text = found.value(*one, i)
            assert printed == re.sub(r"\\derive@e\{(.*)\}\{(.*)\}", r"\1\\times10^{\2}", text), (one, rounding)


def test_slides_take_all_pieces(pdflatex: str, tmp_path: Path) -> None:
    frame = r"\begin{frame}[allowframebreaks]{%s}"
    parts = lectured(solved("mazur"), tmp_path, "a", frame, r"\end{frame}")
    parts += lectured(solved("softmax_classifier", form="matrix"), tmp_path, "b", frame, r"\end{frame}")
    text = r"\begin{frame}{\DeriveValue{L}}\DeriveFrom{mazur}\section{\DeriveValue[2]{w5+}}\DeriveLine[3]{L}\end{frame}"
    code, log = compiled(
        pdflatex, rf"\documentclass{{beamer}}{FONTS}\begin{{document}}{parts}{text}\end{{document}}", tmp_path
    )
    assert code == 0 and not [line for line in log.splitlines() if FAULTS.search(line)], log[-2000:]


def test_chinese_notes_take_all_pieces(xelatex: str, tmp_path: Path) -> None:
    parts = lectured(solved("chinese"), tmp_path, "a") + lectured(solved("mazur", lang="zh"), tmp_path, "b")
    text = r"\section{权重 \DeriveValue{w5}}{\DeriveFrom{network}权重一：\DeriveValue[2]{权重一+}，\DeriveLine{dL/d权重一}}"
    packages = r"\documentclass[UTF8]{ctexart}\usepackage{amsmath,amssymb}"
    code, log = compiled(xelatex, rf"{packages}\begin{{document}}{parts}{text}\end{{document}}", tmp_path)
    assert code == 0 and not [line for line in log.splitlines() if FAULTS.search(line)], log[-2000:]


ODD = {
    "inputs": [0.05, 0.1],
    "targets": [0.01],
    "layers": [{"linear": {"out": 1, "weight": [[0.15, 1e-7]], "bias": -0.35}}, "sigmoid"],
    "loss": "half_squared_error",
    "optimizer": {"sgd": {"lr": 0.5}},
    "labels": {"W1": [["50%_w", "权{#}重\\^^5c~&$"]]},
}


def test_what_is_wrong_is_named(pdflatex: str, tmp_path: Path) -> None:
    odd = solve(ODD)
    odd.save(tmp_path, formats=["fragments"])
    right = [rf"\DeriveValue{{{typed}{after}}}" for typed in typings("50%_w") for after in ("", "+")]
    right += [rf"\DeriveValue{{{typed}}}" for typed in typings("权{#}重\\^^5c~&$")]
    right += [r"\DeriveValue[ significant = 2 ]{dL/dW1[1,1]}", r"\DeriveLine{L}", r"\DeriveFormula{a1[1]}"]
    wrong = [
        r"\DeriveValue{w9}",
        r"\DeriveLine[12]{L}",
        r"\DeriveLine{x[1]}",
        r"\DeriveValue[exact]{L}",
        r"\DeriveFrom{net}",
    ]
    source = rf"\documentclass{{article}}{FONTS}\input{{fragments/derive-values}}\begin{{document}}%s\end{{document}}"
    assert len(right) == 9
    code, log = compiled(pdflatex, source % "\n".join(right), tmp_path)
    assert code == 0 and not re.search("^!", log, flags=re.MULTILINE), log[-2000:]
    code, log = compiled(pdflatex, source % "\n".join(wrong), tmp_path)
    assert code == 1
    assert re.findall(r"^! Package derive Error: (.*)$", log, flags=re.MULTILINE) == [
        "There is no quantity 'w9' in the network 'network'.",
        "'12' is no rounding.",
        "There is no line of 'x[1]' in the network 'network'.",
        "'L' has no exact value short enough to be printed.",
        "There is no network 'net'.",
    ]


# roundings --------------------------------------------------------------------------------------------------------------
def read(text: str) -> tuple[Fraction, Fraction]:
    """A number as it is printed, and one unit of its last digit."""
    match = re.fullmatch(r"(-?)([0-9.]+)|(-?)\\derive@e\{([0-9.]+)\}\{(-?\d+)\}", text)
    assert match, text
    sign, digits, exponent = (match[3], match[4], int(match[5])) if match[4] else (match[1], match[2], 0)
    scale = Fraction(10) ** exponent
    unit = Fraction(1, 10 ** len(digits.partition(".")[2])) * scale
    return Fraction(digits) * scale * (-1 if sign else 1), unit


numbers = st.decimals(-9999, 9999, allow_nan=False, places=6) | st.sampled_from(
    [
        Decimal(text)
        for text in ("0.5", "2.5", "0.125", "-0.00005", "99995", "1e-7", "0.25", "-1.35", "123456.5", "0", "-0.0")
    ]
)


@settings(max_examples=12)
@given(weights=st.lists(numbers, min_size=3, max_size=3), half=st.sampled_from(["even", "up"]))
def test_every_rounding_is_that_of_the_page(weights: list[Decimal], half: str) -> None:
    """Each number that can be cited is within half a unit of its last digit, and is what numerals print."""
    layer = {"linear": {"out": 1, "weight": [[float(w) for w in weights]], "bias": False}}
    found = Citations(
        solve({"inputs": [1, 1, 1], "layers": [layer], "numbers": {"half": half}}, backward=False).document
    )
    exact = sum((Fraction(repr(float(w))) for w in weights), Fraction(0))
    assert found.document.values.known_exactly(found.lines["z1[1]"].target) == exact
    for i, rounding in enumerate(found.roundings[:-1]):
        text = found.value("z1", (1,), i)
        assert text == found.number.numeral(rounding.policy.numeral(decimal(exact), exact))
        value, unit = read(text)
        assert abs(value - exact) * 2 <= unit or unit < abs(exact)  # a number that is not zero does not show as zero
        assert (value == 0) == (exact == 0)
        tail = found.tail(found.lines["z1[1]"], i)
        assert (r"\approx" in tail) == (value != exact), tail
    for i, weight in enumerate(weights):
        values = {read(found.value("W1", (1, i + 1), n))[0] for n in range(9, 10)}
        assert all(
            abs(value - Fraction(repr(float(weight)))) <= abs(Fraction(repr(float(weight)))) / 10**8 for value in values
        )


@pytest.mark.parametrize("wishes", [{}, {"exact": True}, {"round_as_you_go": True, "decimals": 3}, {"comma": True}])
def test_equal_signs_are_true_in_every_rounding(wishes: dict[str, Any]) -> None:
    """Where a line ends with =, the value it shows is the exact one."""
    found = Citations(solve("relu_fractions", **wishes).document)
    equal = approximate = 0
    for key, line in found.lines.items():
        for i, rounding in enumerate(found.roundings):
            tail = found.tail(line, i)
            if "none" in tail or not line.target.scalar or not tail:
                continue
            shown = found.branches[i].numeral(line.target)
            last = max(tail.rfind(" = "), tail.rfind(r" \approx "))
            if tail[last:].startswith(" = "):
                equal += 1
                assert found.document.values.known_exactly(line.target) == shown.fraction, (key, rounding)
            else:
                approximate += 1
    assert equal > 100 and approximate > 100


def test_the_page_rounds_as_the_page_does() -> None:
    policy = Policy(significant=5, half="up")
    first, *others = roundings(policy)
    assert first == Rounding(("",), policy)
    assert {name for one in others for name in one.names} >= {"1", "significant=9", "decimals=0", "exact"}
    assert all(one.policy.half == "up" for one in others)
    found = Citations(solved("mazur").document)
    assert [found.value("W1", (1, 1), i) for i in (0, 1, 2)] == ["0.15", "0.2", "0.15"]
    assert found.value("W2", (1, 1), 0) == "0.40" and found.value("W2", (1, 1), 20) == r"\derive@f{2}{5}"


def test_too_much_to_cite_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.printers.citations.MOST_CITED", 60)
    with pytest.raises(InputError, match="--only"):
        solved("mazur").pieces("fragments")
    part_of_it = solve("mazur", only=["dL/dW2"])
    text = str(part_of_it.pieces("fragments")[FILE])
    assert r"{value}{dL/dW2}" in text and r"\derive@label{dL/dw5}" in text and "{W1[1,1]}" not in text


# layout -----------------------------------------------------------------------------------------------------------------
def test_labels_belong_to_fragments(run: Callable[..., Result], tmp_path: Path) -> None:
    assert run("backprop", "mazur", "-f", "fragments", "--labels", "mz", "-o", ".").exit_code == 0
    text = (tmp_path / "fragments" / "gradient-W2.tex").read_text(encoding="utf-8")
    assert r"\label{mz:gradient-W2}" in text and text.count(r"\label{mz:gradient-W2-2-1}") == text.count(
        r"\begin{align}"
    )
    for args in (["--labels", "mz"], ["-f", "fragments", "--labels", "m}z"]):
        done = run("backprop", "mazur", *args, "-o", "other")
        assert done.exit_code == 2 and done.output.startswith("--labels: ") and not (tmp_path / "other").exists()


@cache
def tables(name: str) -> tuple[Ruler, list[Table]]:
    document = solved(name).document
    found = [block for piece in pieces(document) for block in piece.blocks if isinstance(block, Table)]
    return Ruler(document), found


@pytest.mark.parametrize("name", ["mazur", "residual", "batch_norm"])
@pytest.mark.parametrize("width", [40.0, 25.0])
def test_no_row_of_a_table_is_lost(name: str, width: float) -> None:
    ruler, every = tables(name)
    for table in every:
        for size in ("small", "footnotesize"):
            if (found := columns(table, ruler, width, size)) is not None:
                assert tuple(row for group in found.groups for row in group) == table.rows


def test_pictures_need_no_package() -> None:
    for name in ("residual", "adam"):
        document = solved(name).document
        figures = [b for piece in pieces(document) for b in piece.blocks if isinstance(b, Figure)]
        for figure in figures:
            tikz, _, own = Fragments(document).drawn(figure).partition("\\else\n")
            assert "tikzpicture" in tikz and r"\begin{picture}" in own and "tikz" not in own and "color" not in own


def test_every_sentence_of_the_pieces_is_said() -> None:
    for language in LANGUAGES:
        words = Words(language)
        printed = "".join(map(str, solved("deep_narrow", lang=language).pieces("fragments").values()))
        cell = words.plain("notes.cell", name=words.plain("table.parameter"), value="")
        assert cell in printed and words.plain("notes.piece", name="forward") in printed
        assert words.plain("notes.values", name="deep_narrow") in printed
        assert set(part(f"{language}_notes")) == {"notes.result", "notes.piece", "notes.cell", "notes.values"}
        assert words.plain("notes.result") in {
            words.plain(piece.title.key) for piece in pieces(solved("mazur", lang=language).document)[-3:]
        }


@pytest.mark.parametrize(
    ("term", "rows"),
    [
        (r"\frac{-(a \cdot b) - (c + d)}{2}", [r"\bigl(-(a", r" \cdot b)", r" - (c", r" + d)\bigr) / 2"]),
        (r" - \frac{a + b}{1 + e^{-x}}", [r" - \bigl(a", r" + b\bigr) / \bigl(1", r" + e^{-x}\bigr)"]),
        (r"\frac{a + b}{2} \cdot c", [r"\frac{a + b}{2}", r" \cdot c"]),
        (r"\frac{a \cdot b}{2}", [r"\frac{a \cdot b}{2}"]),
        (r"\left|a - b\right|", [r"\bigl|a", r" - b\bigr|"]),
    ],
)
def test_a_fraction_wider_than_the_line_becomes_a_quotient(term: str, rows: list[str]) -> None:
    assert cut_latex(term) == rows


def test_marks_above_letters_need_no_font() -> None:
    assert letters("dZ\u0303", bold=True) == r"\mathbf{d\tilde{Z}}"
    assert letters("w\u0302_1") == r"\hat{\text{w}}\_\text{1}"
