"""Renders the gallery in output/ from the built-in examples and some lessons: `python tests/gallery.py`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from derive.examples import names
from derive.lessons import topics
from derive.solution import solve, write
from derive.teaching import explain

FOLDER = Path(__file__).parent.parent / "output"
#: What each example is shown in, beyond the page and the Markdown.
WISHES: dict[str, dict[str, str]] = {"regression": {"form": "both"}, "batch_3322": {"form": "matrix"}}
EXTRA = {"mazur": {"solution.tex": "latex"}}
CHINESE = "xor"
LESSONS = [
    topic for topic in ("sigmoid", "softmax_cross_entropy", "transpose", "adam", "batch_norm") if topic in topics()
]


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
