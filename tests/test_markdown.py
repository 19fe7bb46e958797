"""The Markdown is what GitHub renders: mathematics it accepts, tables and folded parts that hold, inert text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from nets import HOSTILE, NETS, solved

from derive.examples import names

pytestmark = pytest.mark.xdist_group("markdown")  # one process makes what these tests share

#: Commands that GitHub's MathJax knows; it refuses \operatorname, \mbox and \phantom among others.
ACCEPTED = set(
    re.findall(
        r"\\[a-zA-Z]+",
        r"""
    \alpha \beta \gamma \delta \eta \theta \lambda \mu \rho \sigma \Omega \pi \ell \varepsilon \varphi \Phi \partial \infty
    \frac \tfrac \sqrt \sum \hat \bar \tilde \left \right \bigl \bigr \vert \backslash \ldots \cdots \cdot \times \odot \quad \top \prime
    \approx \le \ge \sim \ln \log \exp \tanh \max \min \begin \end
    \mathbf \boldsymbol \mathrm \mathcal \mathord \text""",
    )
)
PAGES = [*((name, "en") for name in [*names(), *NETS]), ("mazur", "zh")]
FENCE = re.compile(r"^```math\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\$`([^`\n]+)`\$")


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def page(request: pytest.FixtureRequest) -> str:
    name, lang = request.param
    form = "matrix" if name in ("large", "batch_3322") else "auto"
    return solved(name, lang=lang, form=form).to_markdown()


def formulas(page: str) -> list[str]:
    return FENCE.findall(page) + INLINE.findall(page)


def test_mathematics_is_fenced(page: str) -> None:
    assert len(FENCE.findall(page)) == page.count("```math\n") == page.count("\n```\n")
    rest = re.sub("`derive explain [a-z_0-9]+`", "", INLINE.sub("", FENCE.sub("", page)))
    assert "`" not in rest.replace("\\`", "")
    assert "$" not in rest.replace("\\$", "")


def test_mathematics_is_what_github_accepts(page: str) -> None:
    for formula in formulas(page):
        assert set(re.findall(r"\\[a-zA-Z]+", formula)) <= ACCEPTED
        bare = re.sub(r"\\[{}\\]", "", formula)
        assert bare.count("{") == bare.count("}")
        assert sorted(re.findall(r"\\begin(\{\w+\})", formula)) == sorted(re.findall(r"\\end(\{\w+\})", formula))
        assert formula.count(r"\left") == formula.count(r"\right")
        assert "\n\n" not in formula and "```" not in formula


def test_tables_have_equal_columns(page: str) -> None:
    lines = page.split("\n")
    rows = [line for line in lines if line.startswith("|")]
    assert rows
    cells = {i: len(re.findall(r"(?<!\\)\|", line)) for i, line in enumerate(lines) if line.startswith("|")}
    for i, j in pairwise(cells):
        assert j != i + 1 or cells[i] == cells[j], lines[j]
    for i in cells:
        assert i - 1 in cells or lines[i - 1] == "", "a table needs an empty line before it"


def test_folded_parts_are_closed_and_stand_alone(page: str) -> None:
    lines = page.split("\n")
    depth = 0
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if line.startswith("<details>"):
            depth += 1
            assert re.fullmatch(r"<details><summary>[^\\`$]+</summary>", line)
            assert before == after == ""
        if line == "</details>":
            depth -= 1
            assert before == after == ""
        assert depth >= 0
    assert depth == 0


def test_hostile_text_is_inert() -> None:
    page = solved("hostile").to_markdown()
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(page)
    flat = [child for token in tokens for child in [token, *(token.children or [])]]
    html = "".join(token.content for token in flat if token.type in ("html_block", "html_inline"))
    assert set(re.findall(r"</?(\w+)[^>]*>", html)) <= {"details", "summary", "b", "br"}
    assert not [token for token in flat if token.type in ("link_open", "image", "code_block")]
    assert "{" + "{ 7*7 }}" in next(token.content for token in flat if token.type == "inline").replace("\\", "")


def test_hostile_text_is_all_there() -> None:
    title = MarkdownIt().parse(solved("hostile").to_markdown())[1]
    shown = "".join(child.content for child in title.children or [])
    assert shown == " ".join(HOSTILE)
