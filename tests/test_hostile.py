"""Hostile work on all its ways: nothing in the source could run it, nothing that is printed carries it on.

The corpus itself is read in tests/test_answers.py; here whole submissions are, and formulas made at random.
`python tests/test_hostile.py 100000` tries that many formulas and tells which took longest.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attacks
import pytest

from derive.classroom.batch import check_class
from derive.errors import InputError
from derive.homework.checked import check
from derive.homework.submission import Answer, Submission
from derive.homework.symbols import ALL, closed_form, parse_formula

DERIVE = Path(__file__).parent.parent / "derive"


# the source -----------------------------------------------------------------------------------------------------------
ROOMS = [path for room in ("homework", "classroom") for path in sorted((DERIVE / room).rglob("*.py"))]
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__", "sympify", "parse_expr", "lambdify", "globals", "vars"}
FORBIDDEN_MODULES = {"ast", "code", "codeop", "pickle", "marshal", "shelve", "sympy", "yaml", "ctypes", "runpy", "dill"}
FORBIDDEN_METHODS = {"format", "format_map", "load_all", "unsafe_load", "full_load", "system", "popen"}


def called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        constant = isinstance(node.func.value, ast.Name) and node.func.value.id.isupper()
        return node.func.attr if node.func.attr in FORBIDDEN_METHODS and not constant else ""
    return node.func.id if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_NAMES else ""


def dangers(tree: ast.AST) -> Iterator[str]:
    """What could run, or take apart, a text that a student wrote."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in FORBIDDEN_MODULES:
                yield module
            case ast.Call() if found := called(node):
                yield f"line {node.lineno}: {found}()"


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(DERIVE)))
def test_nothing_runs_what_a_student_wrote(path: Path):
    assert list(dangers(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    ["eval(x)", "import pickle", "from sympy import S", "'{a}'.format(**d)", "import yaml", "os.system(x)", "exec(x)"],
)
def test_dangers_are_seen(source: str):
    assert list(dangers(ast.parse(source)))


# markup ---------------------------------------------------------------------------------------------------------------
def markup() -> list[str]:
    """The texts of items 50, 62 and 71 to 77."""
    found = []
    for case in attacks.cases():
        if case["number"] in (50, 62, *range(71, 78)) and "number" in case["entries"]:
            found += [text for text in map(attacks.made, case["inputs"]) if isinstance(text, str)]
    return [*dict.fromkeys(found), "</pre></code></style></script><script>1</script>", "\n<!-- x -->", "&lt;script&gt;"]


MARKUP = markup()


def hostile(texts: Sequence[str] = MARKUP) -> Submission:
    """Every text as a number, a formula, the name of a step, of the student, of the assignment's convention, as working."""
    steps = [f"dL/dW{k}[{i},{j}]" for k in (1, 2) for i in (1, 2) for j in (1, 2)] + ["z1[1]", "z2[1]", "L"]
    answers = [Answer(step, text, text) for step, text in zip(steps * 9, texts, strict=False)][: len(steps)]
    answers += [Answer(text, text) for text in texts]
    answers += [Answer("w5+", "0.4398"), Answer("a1[1]", "0.7")]
    return Submission(
        texts[0], " ".join(texts), tuple(answers), conventions={"loss": texts[0]}, working="\n".join(texts)
    )


class Tags(HTMLParser):
    """What a browser would see in a page: its tags, and what could act."""

    def __init__(self) -> None:
        super().__init__()
        self.acting: list[str] = []
        self.scripts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.acting += [name for name in given if name.startswith("on")]
        self.acting += [tag] * (tag in ("iframe", "object", "embed", "img", "base", "form", "link"))
        self.scripts += [tag] * (tag == "script")
        self.links += [given[name] or "" for name in ("href", "src", "xlink:href", "action") if name in given]


def seen(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    tags.close()
    return tags


@pytest.fixture(scope="module")
def printed() -> dict[tuple[str, str], str]:
    """The page of hostile work, and of harmless work, in every format."""
    harmless = Submission("s1", "Ada", (Answer("w5+", "0.4398"),), working="so I thought")
    works = {"hostile": hostile(), "harmless": harmless}
    return {
        (name, format): check(attacks.exercise(), work, reveal="all").print(format)
        for name, work in works.items()
        for format in ("html", "markdown", "latex", "text", "json")
    }


def test_a_page_has_no_tags_of_a_student(printed: dict[tuple[str, str], str]):
    found, plain = seen(printed["hostile", "html"]), seen(printed["harmless", "html"])
    assert found.acting == plain.acting and len(found.scripts) == len(plain.scripts)
    assert not [link for link in found.links if "javascript" in link or "tracker" in link or link == "x"]


def test_markdown_has_no_tags_and_no_links_of_a_student(printed: dict[tuple[str, str], str]):
    """Outside of code, where nothing is read as markup."""
    page = re.sub(r"(?ms)^(`{3,})[^\n]*\n.*?^\1$", "", printed["hostile", "markdown"])
    page = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", page)
    assert not re.search(r"(?<!\\)<(?:script|img|svg|mi|!)", page)
    assert not re.search(r"(?<!\\)\]\((?:javascript|http://tracker)", page)


def test_latex_has_no_commands_of_a_student(printed: dict[tuple[str, str], str]):
    _, _, body = printed["hostile", "latex"].partition(r"\begin{document}")
    commands = "input|write|immediate|openout|csname|catcode|def|newcommand|rule|kern|url|includegraphics|html|unicode"
    strange = set(re.findall(rf"\\(?:{commands})\w*", body))
    assert strange <= set(re.findall(rf"\\(?:{commands})\w*", printed["harmless", "latex"].partition("begin{doc")[2]))
    assert body.count(r"\end{document}") == 1


def test_a_terminal_is_told_nothing_but_text(printed: dict[tuple[str, str], str]):
    assert all(char.isprintable() or char == "\n" for char in printed["hostile", "text"])
    assert json.loads(printed["hostile", "json"])["totals"]["earned"] == 0


def test_latex_reads_nothing_else(pdflatex: str, tmp_path: Path):
    """The page compiles, and every file that is read is its own or comes with TeX."""
    latin = hostile([text for text in MARKUP if text.isascii()])  # others need the fonts of Chinese
    (tmp_path / "page.tex").write_text(check(attacks.exercise(), latin, reveal="all").print("latex"))
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-recorder", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    read = [line.split(" ", 1)[1] for line in (tmp_path / "page.fls").read_text().splitlines() if line[:5] == "INPUT"]
    foreign = [path for path in read if not re.search(r"tex|^(\./)?page\.", path, re.IGNORECASE)]
    assert foreign == [] and {path.stem for path in tmp_path.iterdir()} == {"page"}


# a class --------------------------------------------------------------------------------------------------------------
def test_a_class_of_attackers(tmp_path: Path):
    """Every file of the corpus as somebody's work: nothing is written elsewhere, and the others get their marks."""
    top, out = tmp_path / "in", tmp_path / "out"
    top.mkdir()
    suffixes = {"yaml": ".yaml", "json": ".json", "csv": ".csv", "markdown": ".md"}
    for place, (number, entry, _, given) in enumerate(attacks.items()):
        data = given if isinstance(given, bytes) else given.encode("utf-8", "surrogatepass")
        if entry in suffixes and number != 60:  # the long ones of item 60 take seconds to write alone
            (top / f"a{place:03}{suffixes[entry]}").write_bytes(data)
    for place, text in enumerate(MARKUP):
        answers = {"z1[1]": text, text: "1", "L": {"value": "0.298", "formula": text}}
        given = {"student": {"id": f"m{place}", "name": text}, "answers": answers, "working": text}
        (top / f"m{place}.json").write_text(json.dumps(given))
    (top / "good.yaml").write_text("answers:\n  L: 0.298\n  z1[1]: 0.3775\n")
    found = check_class("mazur", top, out, executor="threads", jobs=1, formats=("html", "markdown"))
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}
    table = io.StringIO((out / "grades.csv").read_text(encoding="utf-8"), newline="")
    rows = {row["student_id"]: row for row in csv.DictReader(table)}
    assert rows["good"]["score"] == "2" and len(rows) == len(list(top.iterdir()))
    assert all(record.status in ("graded", "unreadable", "needs_review") for record in found.records)
    for row in rows.values():
        assert not any(cell[:1] in "=+@\t\r" and cell for cell in row.values())
    for page in out.rglob("*.html"):
        tags = seen(page.read_text(encoding="utf-8"))
        assert not tags.acting and not [link for link in tags.links if "javascript" in link or "tracker" in link], page


# formulas at random ---------------------------------------------------------------------------------------------------
GOOD = (
    "(a2[1]-t1)*a2[1]*(1-a2[1])*a1[1]",
    "1/(1+exp(-z1[1]))",
    "w1*x1+w2*x2+b1",
    "max(0, z1[1])",
    "(t1-a2[1])^2/2+(t2-a2[2])^2/2",
    "x1*(w5*dL/dz2[1]+w7*dL/dz2[2])*a1[1]*(1-a1[1])",
)
LEAVES = ("x1", "w1", "z1[1]", "a1[1]", "2", "0.5", "1e9", "t1", "1e-9", "a2[1]", "dL/dz2[1]", "eta", "E")
TOKENS = (*LEAVES, *"+-*/^()[], ", "**", "⁻¹", "²", "√", "×", "−", "w₅", "h1", "e", "π", "1e308", "64", "99999", *ALL)
LETTERS = "0123456789.,eE+-*/^()[]<>|\\`$\"'#&!%@:;~ \t\n\0\x1b×·⁻²é\u200b\u202e\ud800😀abdnW_=xzwtσ"


def expression(chance: random.Random, depth: int) -> str:
    """A formula that can be read."""
    if depth == 0 or chance.random() < 0.2:
        return chance.choice(LEAVES)
    inner = expression(chance, depth - 1)
    match chance.randrange(6):
        case 0 | 1:
            return f"{chance.choice([name for name in ALL if name not in ('max', 'min')])}({inner})"
        case 2:
            return f"max({inner}, {expression(chance, depth - 1)})"
        case 3:
            return f"({inner})^{chance.choice(['2', '64', '(-64)', '0.5', 'x1', '(1/3)'])}"
    return f"({inner}{chance.choice('+-*/')}{expression(chance, depth - 1)})"


def formula(chance: random.Random) -> str:
    """Tokens in any order, a formula, or one that was good and was changed here and there."""
    kind = chance.random()
    if kind < 0.4:
        return "".join(chance.choices(TOKENS, k=chance.choice((1, 3, 6, 12, 40))))
    if kind < 0.55:
        return expression(chance, chance.randint(2, 6))
    text = chance.choice(GOOD)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 1, 1, 2, 9)))
        put = chance.choice(("", chance.choice(LETTERS), chance.choice(TOKENS), text[start:end] * 2))
        text = text[:start] + put + text[end:]
    return text


def tried(count: int, seed: int) -> list[tuple[float, str, str]]:
    """(CPU seconds, what became of it, formula) of so many formulas, the slowest first."""
    circuit, judge = attacks.exercise().circuit, attacks.exercise().marker.judge
    chance, keys = random.Random(seed), [key for key, entry in circuit.entries.items() if not entry.given]
    attacks.read_formula("x1*3 + erf(w1)")
    found = []
    for _ in range(count):
        text, key = formula(chance), chance.choice(keys)
        started = time.process_time()
        try:
            became = judge.compare(parse_formula(text, circuit.names), key).level
        except InputError as error:
            became = "refused"
            assert str(error).isprintable() and len(str(error)) < 600
        found.append((time.process_time() - started, became, text))
        try:
            assert closed_form(text, circuit.names) is not None
        except InputError:
            continue
    return sorted(found, reverse=True)


def test_any_formula_is_compared_or_refused():
    found = tried(2_000, seed=5)
    became = {kind for _, kind, _ in found}
    assert {"refused", "not_equal", "circular"} <= became
    seconds, _, text = found[0]
    assert seconds < 0.5, text  # the worst of 100,000 is some 0.1 s; a formula that hangs takes minutes


if __name__ == "__main__":
    arguments: Any = sys.argv[1:] or ["100000"]
    started = time.process_time()
    worst = tried(int(arguments[0]), seed=1)
    print(f"{len(worst)} formulas in {time.process_time() - started:.0f} s of CPU")
    for seconds, became, text in worst[:10]:
        print(f"{1000 * seconds:6.1f} ms {became:10} {text!r}"[:200])
