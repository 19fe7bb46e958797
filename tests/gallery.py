"""Renders the gallery in output/ from the built-in examples and some lessons: `python tests/gallery.py`."""

from __future__ import annotations

import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

from derive.classroom.batch import check_class
from derive.examples import names
from derive.homework.checked import check
from derive.homework.reading import parse
from derive.lessons import topics
from derive.solution import solve, write
from derive.teaching import explain
from derive.weaving import weave

FOLDER = Path(__file__).parent.parent / "output"
#: What each example is shown in, beyond the page and the Markdown.
WISHES: dict[str, dict[str, str]] = {"regression": {"form": "both"}, "batch_3322": {"form": "matrix"}}
EXTRA = {"mazur": {"solution.tex": "latex"}}
CHINESE = "xor"
LESSONS = [
    topic for topic in ("sigmoid", "softmax_cross_entropy", "transpose", "adam", "batch_norm") if topic in topics()
]


#: One student's answers to mazur: a factor is missing in ∂E/∂w5, and w5+ follows from that; ∂E/∂w6 has a wrong formula.
ANSWERS = """\
derive_answers: 1
student: {id: s1234567, name: Ada L.}
answers:
  z1: [0.3775, 0.3925]
  a1: [0.5933, 0.5969]
  z2[1]: {value: 1.106, formula: "b2 + w5*a1[1] + w6*a1[2]"}
  a2[1]: 0.7514
  L: 0.2984
  dL/dw5: 0.4399
  w5+: 0.1801
  dL/dw6: {value: 0.0827, formula: "(a2[1] - t1)*a1[2]"}
  w6+: 0.4087
"""
#: A class: right, with common mistakes, with a wrong number that three share, with one that cannot be read.
CLASS = """\
student_id,z1[1],a1[1],z2[1],a2[1],L,dL/dw5,w5+,dL/dw1
s01,0.3775,0.5933,1.106,0.7514,0.2984,0.0822,0.3589,0.000439
s02,0.3775,0.5933,1.106,0.7514,0.2984,0.4399,0.1801,0.00277
s03,0.3775,0.5933,1.106,0.7514,0.2984,0.4399,0.1801,
s04,0.3775,0.5933,1.106,0.7514,0.597,0.0822,0.359,0.00277
s05,0.0275,0.5069,,,,,,
s06,0.3775,0.5933,1.106,0.7514,0.2984,0.0822,0.3178,0.00277
s07,0.3775,0.5393,,,,,,
s08,0.3775,0.5933,1.106,0.7514,0.2984,-0.0822,0.4411,0.000439
s09,0.3775 or 0.3925,0.5933,1.106,0.7514,0.2984,,,
"""


def marked() -> dict[Path, str]:
    """One marked submission, with everything revealed."""
    (submission,) = parse(ANSWERS, "answers.yaml", "yaml")
    found, folder = check("mazur", submission, reveal="all"), Path("check-mazur")
    return {
        folder / "answers.yaml": ANSWERS,
        folder / "answers.html": found.to_html(),
        folder / "answers.md": found.to_markdown(),
    }


def graded() -> dict[Path, str]:
    """What comes of a class, but for the page of each student."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "class.csv").write_text(CLASS, encoding="utf-8")
        check_class("mazur", folder / "class.csv", folder / "results", executor="threads")
        shown = ("summary.html", "summary.md", "grades.csv")
        files = {file: (folder / "results" / file).read_text(encoding="utf-8") for file in shown}
    return {Path("class-mazur") / file: content for file, content in {"class.csv": CLASS, **files}.items()}


def noted() -> dict[Path, str]:
    """The lecture notes with their numbers woven in; the folder of fragments is made by whoever wants the PDF."""
    folder, names = FOLDER / "notes", ("net.yaml", "notes.md", "notes.tex", "latexmkrc")
    with tempfile.TemporaryDirectory() as name:
        there = Path(name)
        for file in names:
            shutil.copy(folder / file, there)
        weave(there / "notes.md", there / "notes.tex", math="github")
        return {Path("notes") / file: (there / file).read_text(encoding="utf-8") for file in names}


@cache
def rendered() -> dict[Path, str]:
    """Every file of the gallery, freshly printed."""
    files: dict[Path, str] = {}
    rows = []
    for name in names():
        solution = solve(name, **WISHES.get(name, {}))
        formats = {"solution.html": "html", "solution.md": "markdown", **EXTRA.get(name, {})}
        for file, format in formats.items():
            files[Path(name) / file] = str(solution.print(format))
        rows.append(
            f"| {solution.document.title} | `derive backprop {name}` | [page]({name}/solution.html) · [Markdown]({name}/solution.md) |"
        )
    files[Path(CHINESE) / "zh.md"] = str(solve(CHINESE, lang="zh").print("markdown"))
    rows.append(f"| {CHINESE}, in Chinese | `derive backprop {CHINESE} --lang zh` | [Markdown]({CHINESE}/zh.md) |")
    for topic in LESSONS:
        lesson, folder = explain(topic), f"explain-{topic}"
        files[Path(folder) / "solution.html"], files[Path(folder) / "solution.md"] = (
            lesson.to_html(),
            lesson.to_markdown(),
        )
        pages = f"[page]({folder}/solution.html) · [Markdown]({folder}/solution.md)"
        rows.append(f"| Lesson: {lesson.document.title} | `derive explain {topic}` | {pages} |")
    files |= {**marked(), **graded(), **noted()}
    rows += [
        "| Homework, marked: [answers](check-mazur/answers.yaml) | `derive check mazur answers.yaml --reveal all` | [page](check-mazur/answers.html) · [Markdown](check-mazur/answers.md) |",
        "| A class, marked: [answers](class-mazur/class.csv) | `derive check mazur class.csv` | [report](class-mazur/summary.html) · [Markdown](class-mazur/summary.md) · [grades](class-mazur/grades.csv) |",
    ]
    rows.append(
        "| Lecture notes whose numbers follow their [network](notes/net.yaml) | `derive weave notes.md notes.tex` | [Markdown](notes/notes.md) · [LaTeX](notes/notes.tex) |"
    )
    rows.append("| How well homework is marked | `python tests/matrix.py` | [figures](marking.md) |")
    head = "# Gallery\n\nThe built-in examples and some of the lessons, as derive prints them. Download a page and open it in a browser; the Markdown shows here.\n\n"
    files[Path("README.md")] = head + "| | command | result |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    return files


def comparable(text: str) -> str:
    """The text without the sizes of rounding errors, which differ from processor to processor."""
    return re.sub(r"\b\d\.\de-\d\d\b", "error", text)


def main() -> None:
    for path, content in rendered().items():
        write(FOLDER / path, content)
        print(FOLDER / path, len(content))


if __name__ == "__main__":
    main()
