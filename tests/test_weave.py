"""Notes woven: blocks filled in place, everything else as it was, and every number that of the solution."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_latex import compiled, faults

import derive
from derive.cli import main
from derive.errors import InputError
from derive.printers import FORMATS
from derive.solution import Solution
from derive.weaving import loom

ROOT = Path(__file__).parent.parent
NOTES = ROOT / "output" / "notes"
Run = Callable[..., Result]
_solved: dict[Any, Solution] = {}
_made = loom.made


@pytest.fixture(autouse=True)
def solved_once(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is solved for one test is not solved again for the next; the list tells what a test asked to be solved."""
    asked = []

    def made(command: str, subject: Any, wishes: Any) -> Solution:
        content = subject.read_bytes() if isinstance(subject, Path) else subject
        key = (command, content, *sorted(wishes.items()))
        asked.append(key)
        if key not in _solved:
            _solved[key] = _made(command, subject, wishes)
        return _solved[key]

    monkeypatch.setattr(loom, "made", made)
    return asked


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """derive weave in a folder that has net.yaml, that of the worked notes."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(NOTES / "net.yaml", tmp_path)
    return lambda *args: CliRunner().invoke(main, ["weave", *map(str, args)])


def woven(text: str, name: str = "notes.md", *options: str) -> str:
    """The text, woven in the current folder."""
    Path(name).write_bytes(text.encode())
    done = CliRunner().invoke(main, ["weave", name, *options])
    assert done.exit_code == 0, done.output
    again = Path(name).read_bytes()
    assert CliRunner().invoke(main, ["weave", name, "--check"]).exit_code == 0
    assert CliRunner().invoke(main, ["weave", name]).exit_code == 0
    assert Path(name).read_bytes() == again
    return again.decode()


# blocks ---------------------------------------------------------------------------------------------------------------
def test_a_block_is_filled_and_gets_its_end(run: Run) -> None:
    text = woven("# Mine\n\n<!-- derive: net.yaml only=v1+ -->\n\nmore\n")
    before, after = text.split("<!-- derive: net.yaml only=v1+ -->")
    assert before == "# Mine\n\n" and after.endswith("\n\n<!-- /derive -->\n\nmore\n")
    assert after.startswith("\n\nGradient descent takes a step") and "\\approx 0.6647\n\\end{aligned}\n```\n" in after


def test_a_changed_network_changes_the_block(run: Run) -> None:
    text = woven("<!-- derive: net.yaml line=L -->")
    net = Path("net.yaml").read_text(encoding="utf-8")
    Path("net.yaml").write_text(net.replace("0.5, -0.4", "0.7, -0.4"), encoding="utf-8")
    done = run("notes.md", "--check")
    assert done.exit_code == 1 and "1 of 1" in done.output
    assert Path("notes.md").read_text(encoding="utf-8") == text
    assert run("notes.md").exit_code == 0
    changed = Path("notes.md").read_text(encoding="utf-8")
    assert f"\\approx {float(derive.solve('net.yaml')['L']):.4g}\n" in changed and changed != text


def test_in_a_sentence(run: Run) -> None:
    text = woven(
        "It is <!-- derive: net.yaml value=v1+ -->old<!-- /derive -->, or <!-- derive: net.yaml value='W2+' decimals=1 -->"
        " and <!-- derive: net.yaml symbol=dL/dv1 --> = <!-- derive: net.yaml formula=dL/dv1 -->.\n"
    )
    assert "-->$`0.6647`$<!-- /derive -->, or" in text
    assert r"$`\begin{bmatrix} 0.7 & -0.8 \end{bmatrix}`$<!-- /derive --> and" in text
    assert r"-->$`\frac{\partial L}{\partial v_{1}}`$<!--" in text
    assert r"$`\frac{\partial L}{\partial z_{1}^{(2)}} \cdot \frac{\partial z_{1}^{(2)}}{\partial v_{1}}`$<!--" in text


def test_defaults_hold_from_where_they_stand(run: Run) -> None:
    text = woven(
        "<!-- derive-defaults: net.yaml decimals=2 -->\n\nA <!-- derive: value=L -->, B <!-- derive: value=L significant=6 -->\n\n"
        "<!-- derive-defaults: decimals=1 lang=zh -->\n\nC <!-- derive: value=L -->\n\n<!-- derive: piece=result -->\n"
    )
    assert re.findall(r"`(0\.\d+)`", text)[:3] == ["0.71", f"{float(derive.solve('net.yaml')['L']):.6g}", "0.7"]
    assert "损失" in text


def test_blocks_in_lists_and_quotations(run: Run) -> None:
    text = woven(
        "1. one\n\n   <!-- derive: net.yaml line=z1[1] -->\n\n   two\n\n> <!-- derive: net.yaml line=z1[1] -->\n> said\n"
    )
    assert "\n\n   ```math\n   \\begin{aligned}\n" in text and "\n   <!-- /derive -->\n\n   two\n" in text
    assert "\n>\n> ```math\n> \\begin{aligned}\n" in text and "\n>\n> <!-- /derive -->\n> said\n" in text


def test_blocks_in_admonitions(run: Run) -> None:
    text = '!!! note "Here"\n\n    <!-- derive: net.yaml value=L -->\n\n    and <!-- derive: net.yaml value=L -->, `<!-- derive: x -->`\n'
    found = woven(text + "\nend\n")
    assert "\n\n    ```math\n    0.7105\n    ```\n\n    <!-- /derive -->\n\n    and <!--" in found
    assert found.endswith("-->$`0.7105`$<!-- /derive -->, `<!-- derive: x -->`\n\nend\n")


MARKER = "<!-- derive: nothing.yaml only=w5 -->"
NOT_MARKERS = {
    "fence": f"```html\n{MARKER}\n```\n",
    "longer fence": f"~~~~\n{MARKER}\n~~~\n{MARKER}\n~~~~\n",
    "indented": f"text\n\n    {MARKER}\n",
    "code span": f"Write `{MARKER}` there.\n",
    "code span of two lines": f"Write `` a `\n{MARKER}`` there.\n".replace("\n<", " <"),
    "inside a comment": f"<!-- not yet: {MARKER[:-4]} -->\n",
    "script": f"<script>\n{MARKER}\n</script>\n",
    "escaped": f"\\{MARKER}\n",
    "another word": "<!-- derived: nothing.yaml -->\n<!-- derive this -->\n<!-- /derived -->\n",
    "about derive": "<!-- derive is a tool -->\n\na <!-- Derive: how to use it with lang=zh, say --> b <!-- derive -->\n",
    "nearly one, in code": "Write `<!-- derive net.yaml value=L -->`, or\n\n    <!-- /Derive -->\n",
    "an end in code": "Write `<!-- /derive -->`, or\n\n    <!-- /derive -->\n",
    "code in a list": f"- a\n\n      {MARKER}\n",
}


@pytest.mark.parametrize("text", NOT_MARKERS.values(), ids=NOT_MARKERS)
def test_code_is_not_woven(run: Run, text: str) -> None:
    assert woven(text) == text
    with_one = text + "\n<!-- derive: net.yaml value=L -->\n"
    assert woven(with_one).startswith(text + "\n<!-- derive: net.yaml value=L -->\n\n```math\n0.7105\n")


def test_bytes_around_blocks_stay(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "notes.md"
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbf<!-- derive: ../net.yaml value=L -->\r\nlast \xe4\xb8\xad\t \r\nno end")
    path.chmod(0o640)
    link = tmp_path / "link.md"
    link.symlink_to(path)
    link_folder = run("link.md")
    assert link_folder.exit_code == 2 and "link.md:1:14: there is no file '../net.yaml'" in link_folder.output
    assert run(path).exit_code == 0
    body = b"<!-- derive: ../net.yaml value=L -->\r\n\r\n```math\r\n0.7105\r\n```\r\n\r\n<!-- /derive -->"
    assert path.read_bytes() == b"\xef\xbb\xbf" + body + b"\r\nlast \xe4\xb8\xad\t \r\nno end"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real.md").write_text("A <!-- derive: net.yaml value=L -->\n", encoding="utf-8")
    (tmp_path / "link.md").symlink_to("real.md")
    assert run("link.md").exit_code == 0
    assert (tmp_path / "link.md").is_symlink() and "0.7105" in (tmp_path / "real.md").read_text(encoding="utf-8")


PARTS = [
    "A paragraph with *signs*, `code <!-- derive: x -->` and\nlines.",
    "```\n<!-- derive: nothing.yaml -->\n```",
    "- a list\n- of two",
    "> quoted",
    "code:\n\n    <!-- derive: nothing.yaml -->",
    "<div>\n\nhtml\n\n</div>",
    "| a | b |\n|---|---|\n| 1 | <!-- derive: net.yaml value=L --> |",
    "| a |\n|---|\n| <!-- derive: net.yaml value=L -->5<!-- /derive --> |",
    "In <!-- derive: net.yaml symbol=L -->x<!-- /derive --> and `<!-- derive: x -->` too",
    "<!-- derive: net.yaml line=z2 -->\n\nold\n\n<!-- /derive -->",
    "<!-- derive: net.yaml value=v1 -->",
    "- <!-- derive: net.yaml formula=z1[1] -->",
    "---",
    "$$\nx < y\n$$",
    "<!-- a comment\nof lines -->",
]
FILLED = re.compile(r"(<!-- derive: net[^>]*-->)(?:(?!<!-- derive).)*?(?=<!-- /derive -->)", re.DOTALL)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PARTS), max_size=7), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_notes(run: Run, parts: list[str], newline: str, ended: bool) -> None:
    """Outside of blocks not a byte changes, and weaving twice is weaving once."""
    text = ("\n\n".join(parts) + "\n" * ended).replace("\n", newline)
    found = derive_weave(text)
    kept, given_ = (FILLED.sub(r"\1", t).replace("<!-- /derive -->", "").split() for t in (found, text))
    assert kept == given_
    assert newline not in text or ("\n" in found.replace("\r\n", "")) <= (newline == "\n")
    assert derive_weave(found) == found
    assert found.endswith("\n") == (ended and bool(parts)) or not parts


def derive_weave(text: str) -> str:
    Path("any.md").write_bytes(text.encode())
    derive.weave("any.md")
    return Path("any.md").read_bytes().decode()


# ends that are missing ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("deleted", ["", r"(\r?\n)", r"(\r?\n){2}"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_block_whose_end_was_deleted_is_not_there_twice(run: Run, deleted: str, newline: str) -> None:
    text = "<!-- derive: net.yaml only=v1+ -->\n\nmore\n\n- <!-- derive: net.yaml line=L -->\n\nlast\n"
    whole = woven(text.replace("\n", newline))
    cut = re.sub(rf"(?m)^ *<!-- /derive -->{deleted}", "", whole)
    assert "/derive" not in cut and re.sub(r"\s+", " ", woven(cut)) == re.sub(r"\s+", " ", whole)
    assert woven(cut) == whole or not deleted.endswith("2}")


def test_a_sentence_whose_end_was_deleted(run: Run) -> None:
    whole = woven("It is <!-- derive: net.yaml value=L -->, so.\n")
    assert woven(whole.replace("<!-- /derive -->", "")) == whole


def test_tex_whose_end_was_deleted(run: Run) -> None:
    whole = woven("% derive: net.yaml line=L\n\nmore\n", "notes.tex")
    assert woven(whole.replace("% /derive\n", ""), "notes.tex") == whole


@pytest.mark.parametrize("after", ["old\n", "\n```math\nold\n```\n"])
def test_an_end_that_was_added_before_an_old_copy_is_told(run: Run, after: str) -> None:
    text = "<!-- derive: net.yaml value=L -->\n\nmine\n\n<!-- derive: net.yaml line=L -->\n" + after
    Path("notes.md").write_text(text, encoding="utf-8")
    assert "an end was added" not in run("notes.md", "--check").output
    said = run("notes.md").output.splitlines()
    lines = Path("notes.md").read_text(encoding="utf-8").splitlines()
    at = max(number for number, line in enumerate(lines, 1) if line == "<!-- /derive -->")
    assert len(said) == 2 and said[1].startswith(f"an end was added: notes.md:{at};")
    assert "\n".join(lines[at:]) + "\n" == after


def test_an_old_copy_in_a_sentence_is_told(run: Run) -> None:
    Path("notes.md").write_text("A\nb <!-- derive: net.yaml value=L -->$`7`$\n", encoding="utf-8")
    assert "已补上结束标记：notes.md:2；" in run("notes.md", "--lang", "zh").output


def test_ends_of_new_blocks_are_not_told(run: Run) -> None:
    block = "<!-- derive: net.yaml value=L -->"
    Path("notes.md").write_text(f"{block}\n{block}\n\nmore {block}, then\n\n> {block}\n>\n> said", encoding="utf-8")
    assert run("notes.md").output == "notes.md: blocks changed: 4 of 4\n"


# errors ---------------------------------------------------------------------------------------------------------------
ERRORS = {
    "<!-- derive net.yaml value=L+ -->": "1:1: this comment is no marker, though it looks like one. Did you mean 'derive: net.yaml value=L+'?",
    "中文 <!-- Derive: net.yaml -->": "1:4: this comment is no marker, though it looks like one. Did you mean 'derive: net.yaml'?",
    "a\n\n<!--derive：mazur value=L\nlang=zh-->": "3:1: this comment is no marker, though it looks like one. Did you mean 'derive: mazur value=L lang=zh'?",
    "<!-- derive: net.yaml value=L -->\n\n<!-- /Derive -->": "3:1: this comment is no marker, though it looks like one. Did you mean '/derive'?",
    "<!-- /derive: -->": "1:1: this comment is no marker, though it looks like one. Did you mean '/derive'?",
    "<!-- derive-default: lang=zh -->": "1:1: this comment is no marker, though it looks like one. Did you mean 'derive-defaults: lang=zh'?",
    "<!-- derive: net.yml only=v1 -->": "1:14: there is no file 'net.yml' beside the notes. Did you mean 'net.yaml'?",
    "<!-- derive: net.yaml olny=v1 -->": "1:23: unknown option 'olny'. Did you mean 'only'?",
    "<!-- derive: net.yaml only=q9 -->": "1:23: there is no quantity 'q9'",
    "<!-- derive: net.yaml form=martix -->": "1:23: form must be one of scalar, matrix, both, auto, not 'martix'. Did you mean 'matrix'?",
    "<!-- derive: net.yaml significant=0 -->": "1:23: significant must be a whole number from 1 to 30, not '0'",
    "<!-- derive: net.yaml exact=maybe -->": "1:23: exact must be one of true, false",
    "<!-- derive: net.yaml only -->": "1:23: only needs a value: only=…",
    "<!-- derive: net.yaml only=v1 only=v2 -->": "1:31: only is given twice",
    "<!-- derive: net.yaml only=v1 value=v2 -->": "1:31: only and value cannot both be given",
    "<!-- derive: net.yaml piece=fowrard -->": "1:23: there is no piece 'fowrard'. Did you mean 'forward'?",
    "<!-- derive: net.yaml piece=diagram -->": "1:23: diagram is a picture, which into=… writes as a file",
    "<!-- derive: net.yaml 'only=v1 -->": "1:23: a quotation mark without the one that ends it",
    "<!-- derive: net.yaml into=p -->\n\n<!-- derive: net.yaml into=p lang=zh -->": "3:23: two markers want different files in p",
    "A <!-- derive: net.yaml line=dL/dW2 form=scalar -->": "1:25: dL/dW2 has 2 lines; name an entry",
    "A <!-- derive: net.yaml formula=x -->": "1:25: there is no line about x here",
    "<!-- derive: only=v1 -->": "1:1: which network? Its file is the first word after the colon",
    "<!-- derive: net.yaml width=30 -->": "1:23: width means nothing in notes of this kind",
    "<!-- derive: - only=v1 -->": "1:14: there is no file '-' beside the notes.",
    "<!-- derive: net.yaml into=../there -->": "1:23: into=../there leads out of the folder of the notes",
    "<!-- derive: net.yaml into=net.yaml -->": "1:23: into=net.yaml is no folder",
    "<!-- derive: net.yaml command=explain form=matrix -->": "1:39: explain has no option form",
    "<!-- derive: sigmiod command=explain -->": "1:14: there is no topic 'sigmiod'. Did you mean 'sigmoid'?",
    "<!-- derive-defaults: net.yaml value=v1 -->": "1:32: value is for one marker, no default",
    "中文 <!-- derive: net.yaml only=v1 -->": "1:26: a sentence has room for value=…",
    "a\n\n<!-- derive: net.yaml value=L --> b": "3:1: Markdown is not read beside a marker here",
    "\ufeffa <!-- /derive -->": "1:3: an end without a beginning",
    "<!-- derive: net.yaml only=v1": "1:1: this comment does not end",
    "<!-- derive: net.yaml only=v1 -->\n\n<!-- derive: net.yaml only=v1 -->\n\n<!-- /derive -->\n\n<!-- /derive -->": "7:1: an end without a beginning; blocks cannot stand in one another",
    "a <!-- derive: net.yaml value=L --> b\n\nc <!-- /derive -->": "3:3: markers cross",
    "a <!-- derive: net.yaml value=L --> b\n\n<!-- /derive -->": "3:1: markers cross",
    "<!-- derive: net.yaml value=L -->\n\nb <!-- /derive -->": "3:3: markers cross",
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_errors_have_their_place_and_nothing_is_written(run: Run, text: str) -> None:
    good = "A <!-- derive: net.yaml value=L -->\n"
    Path("a.md").write_text(good, encoding="utf-8")
    Path("b.md").write_text(text, encoding="utf-8")
    done = run("a.md", "b.md")
    assert done.exit_code == 2 and done.output.startswith(f"b.md:{ERRORS[text]}"), done.output
    assert done.output.count("\n") == 1
    assert Path("a.md").read_text(encoding="utf-8") == good and Path("b.md").read_text(encoding="utf-8") == text


def test_errors_of_the_network_have_their_own_place(run: Run) -> None:
    Path("bad.yaml").write_text("inputs: [1]\nlayers: [sigmoyd]\n", encoding="utf-8")
    Path("notes.md").write_text("<!-- derive: bad.yaml command=forward -->\n", encoding="utf-8")
    done = run("notes.md")
    assert done.exit_code == 2 and done.output.startswith("bad.yaml:2:10: layers[0]: unknown"), done.output


@pytest.mark.parametrize("name, problem", [("notes.txt", "notes end in one of .md"), ("gone.md", "cannot be read")])
def test_what_cannot_be_woven(run: Run, name: str, problem: str) -> None:
    done = run(name)
    assert done.exit_code == 2 and f"{name}: {problem}" in done.output


def test_notes_that_are_no_text(run: Run) -> None:
    Path("notes.md").write_bytes(b"ab\xff")
    assert "notes.md: is not UTF-8, from byte 3 on" in run("notes.md").output


def test_notes_that_may_not_be_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "b.md")  # root may write everything
    for name in ("a.md", "b.md"):
        Path(name).write_text("A <!-- derive: net.yaml value=L -->\n", encoding="utf-8")
    assert run("a.md", "b.md").output == "b.md: cannot be written: permission denied\n"
    assert "0.7105" not in Path("a.md").read_text(encoding="utf-8")


# solving, printing ----------------------------------------------------------------------------------------------------
def test_what_is_asked_twice_is_solved_once(run: Run, solved_once: list[Any]) -> None:
    solved_once.clear()
    Path("notes.md").write_text(
        "<!-- derive: net.yaml only=v1 -->\n\nA <!-- derive: net.yaml value=L --> <!-- derive: ./net.yaml value=L -->\n\n"
        "<!-- derive: net.yaml piece=loss headings=2 -->\n\nB <!-- derive: net.yaml value=L decimals=2 -->\n",
        encoding="utf-8",
    )
    assert run("notes.md").exit_code == 0
    assert len(solved_once) == 2


@pytest.mark.parametrize("project", ["_quarto.yml", "myst.yml", "_config.yml", "mkdocs.yml"])
def test_dollars_where_they_are_read(run: Run, project: str) -> None:
    Path("book").mkdir()
    shutil.copy("net.yaml", "book")
    text = "A <!-- derive: net.yaml value=L -->\n\n<!-- derive: net.yaml value=L -->\n"
    assert "$`0.7105`$" in woven(text, "book/notes.md")
    Path(project).touch()
    assert "-->$0.7105$<!--" in (found := woven(text, "book/notes.md")) and "\n\n$$\n0.7105\n$$\n\n" in found
    Path("book/.git").mkdir()
    assert "$`0.7105`$" in woven(text, "book/notes.md")
    assert "-->$0.7105$<!--" in woven(text.replace("value=L", "value=L math=dollars"), "book/notes.md")


def test_the_suffix_and_the_option_choose_too(run: Run) -> None:
    text = "A <!-- derive: net.yaml value=L -->\n"
    assert "-->$0.7105$<!--" in woven(text, "notes.qmd")
    Path("notes.md").write_text(text, encoding="utf-8")
    assert derive.weave("notes.md", math="dollars")[0].changed == 1
    assert "-->$0.7105$<!--" in Path("notes.md").read_text(encoding="utf-8")


def test_words_that_python_gives_are_known_ones(run: Run) -> None:
    Path("notes.md").touch()
    with pytest.raises(
        InputError, match=r"math must be one of github, dollars, not 'dolars'\. Did you mean 'dollars'\?"
    ):
        derive.weave("notes.md", math="dolars")


def test_titles(run: Run) -> None:
    whole = "<!-- derive: net.yaml piece=forward{} -->\n"
    assert "\n**Layer 1: weighted sums**\n" in woven(whole.format(""))
    assert "\n### Forward pass\n\n#### Layer 1: weighted sums\n" in woven(whole.format(" headings=3"))
    assert "\n###### Forward pass\n\n###### Layer 1: weighted sums\n" in woven(whole.format(" headings=6"))
    assert "weighted sums" not in woven(whole.format(" level=brief"))


def test_other_commands(run: Run) -> None:
    Path("averages.yaml").write_text("beta: 0.5\nvalues: [2, 1, 3]\n", encoding="utf-8")
    text = woven(
        "A <!-- derive: averages.yaml command=ema value=s@3 -->\n\n<!-- derive: sigmoid command=explain level=brief -->\n"
    )
    assert f"`{float(derive.study('ema', 'averages.yaml')['s@3']):.4g}`" in text and r"\sigma" in text


def test_bars_do_not_end_cells(run: Run) -> None:
    net = {
        "inputs": [2],
        "targets": [1],
        "layers": [{"linear": {"out": 1, "weight": [[3]], "bias": False}}],
        "loss": "l1",
    }
    Path("absolute.yaml").write_text(json.dumps(net), encoding="utf-8")
    row = woven("| L |\n|---|\n| <!-- derive: absolute.yaml formula=L --> |\n").splitlines()[2]
    assert row.count("|") == 2 and r"\left\vert " in row and r"\right\vert " in row


def test_odd_names_stay_text(run: Run) -> None:
    net = Path("net.yaml").read_text(encoding="utf-8").replace("[[v1, v2]]", "[['$|~<b>', '权重']]")
    Path("odd.yaml").write_text(net, encoding="utf-8")
    marked = '<!-- derive: odd.yaml only="$|~<b>,权重" math={} -->\n'
    assert "<b>" not in woven(marked.format("github")).split("-->")[1]
    assert "<b>" not in woven(marked.format("dollars")).split("-->")[1]


def test_fragments_in_markdown(run: Run, tmp_path: Path) -> None:
    woven("<!-- derive: net.yaml into=parts/net math=dollars -->\n\ntext\n")
    files = {path.name: path.read_bytes() for path in (tmp_path / "parts" / "net").iterdir()}
    printed = FORMATS["markdown-fragments"].files(derive.solve("net.yaml").document)
    texts = {name: text if isinstance(text, bytes) else text.encode() for name, text in printed.items()}
    assert files.keys() - texts.keys() == {"files.sha256"} and {name: files[name] for name in texts} == texts
    assert b"$$\n\\begin{aligned}\n" in files["forward.md"] and files["diagram.svg"].startswith(b"<svg")
    (tmp_path / "parts" / "net" / "forward.md").unlink()
    assert run("notes.md", "--check").exit_code == 1
    assert run("notes.md").exit_code == 0 and (tmp_path / "parts" / "net" / "forward.md").exists()


def test_files_of_others_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "forward.md").write_text("mine\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text("<!-- derive: net.yaml into=. -->\n", encoding="utf-8")
    done = run("notes.md")
    assert done.exit_code == 2 and "1:23: in . there is a file forward.md already" in done.output
    assert {path.name for path in tmp_path.iterdir()} == {"forward.md", "notes.md", "net.yaml"}


# TeX ------------------------------------------------------------------------------------------------------------------
def test_tex(run: Run) -> None:
    text = woven(
        "% derive-defaults: net.yaml form=scalar\n\\begin{verbatim}\n% derive: only=v1\n\\end{verbatim}\nIt is\n"
        "  % derive: value=L\n\\begin{lstlisting}[a]\n% /derive\n\\end{lstlisting}\n%% derive: line=v1+\nold\n%/derive\n\\end{document}",
        "notes.tex",
    )
    assert "% derive: value=L\n  $0.7105$\n  % /derive\n\\begin{lst" in text
    assert "% derive: only=v1\n\\end{verbatim}" in text and "% /derive\n\\end{lstlisting}\n%% derive" in text
    line = text.partition("%% derive: line=v1+\n")[2]
    assert "old" not in line and "\\begin{align*}\nv_{1}^{+} &= v_{1}" in line and "0.6647\n\\end{align*}\n" in line
    assert text.endswith("\n%/derive\n\\end{document}")


def test_frames_of_beamer_have_one_width(run: Run) -> None:
    """What stands between begin and end of a frame must not have a condition around other ends."""
    text = "\\documentclass[t]{%s}\n%% derive: net.yaml line=z2[1]\n"
    assert "\\ifdim" in woven(text % "article", "notes.tex") and "\\ifdim" not in woven(text % "beamer", "notes.tex")
    wide = (text % "beamer").replace("line=", "width=60 line=")
    assert woven(wide, "notes.tex").count("\\\\") < woven(text % "beamer", "notes.tex").count("\\\\")


def test_equations_with_labels(run: Run) -> None:
    text = woven("% derive: net.yaml labels=a width=40 piece=gradient-W2\n\\eqref{a:gradient-W2}\n", "notes.tex")
    assert "\\label{a:gradient-W2" in text
    Path("notes.tex").write_text("% derive: net.yaml labels={} into=parts\n", encoding="utf-8")
    assert run("notes.tex").output.startswith("notes.tex:1:20: '{}' is no prefix of labels")


def test_errors_in_tex(run: Run) -> None:
    Path("notes.tex").write_text("text\n  % derive: net.yaml onyl=v1\n", encoding="utf-8")
    assert run("notes.tex").output.startswith("notes.tex:2:22: unknown option 'onyl'")


ERRORS_OF_TEX = {
    "% derive net.yaml only=w5": "1:1: this comment is no marker, though it looks like one. Did you mean '% derive: net.yaml only=w5'?",
    "  %% /Derive": "1:3: this comment is no marker, though it looks like one. Did you mean '% /derive'?",
    "50\\% of it % derive: net.yaml line=L": "1:12: behind text this is no marker; give '% derive: net.yaml line=L' a line of its own",
    "\\begin{equation}\n% derive: net.yaml line=L\n\\end{equation}": "2:1: a block cannot stand in \\begin{equation}; \\DeriveLine{L} can",
    "\\[ x = % so\n% well\n% derive: net.yaml value=L\n\\]": "3:1: a block cannot stand in \\[; \\DeriveValue{L} can",
    "\\begin{gather*}\\begin{split}a\\end{split}\\\\[2pt]\n  % derive: net.yaml\n": "2:3: a block cannot stand in \\begin{gather*}",
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS_OF_TEX)
def test_what_looks_like_a_marker_in_tex_or_stands_in_a_display(run: Run, text: str) -> None:
    Path("notes.tex").write_text(text, encoding="utf-8")
    done = run("notes.tex")
    assert done.exit_code == 2 and done.output.startswith(f"notes.tex:{ERRORS_OF_TEX[text]}"), done.output
    assert Path("notes.tex").read_text(encoding="utf-8") == text


def test_other_comments_and_code_in_tex(run: Run) -> None:
    text = (
        "% derive is a tool\nText % derive: with the chain rule\n\\verb|% derive: net.yaml| \\lstinline[a=b]{% /derive}\n"
        "\\begin{verbatim}\n% derive net.yaml only=v1\n\\end{verbatim}\n"
    )
    assert woven(text, "notes.tex") == text


@pytest.mark.parametrize(
    "before",
    [
        "\\[ x \\]\n",
        "\\begin{equation}x\\end{equation}\n",
        "\\newcommand{\\be}{\\begin{equation}}\n\\begin{document}\n",
        "\\newcommand{\\be}{\\begin{equation}}\n\nText\n",
        "a \\verb|\\[| b\n% \\[\n",
        "\\begin{tabular}{c}a\\\\[2pt]b\\end{tabular}\n",
    ],
)
def test_blocks_after_displays_are_filled(run: Run, before: str) -> None:
    text = woven(before + "% derive: net.yaml width=60 line=L\n", "notes.tex")
    assert text.startswith(before + "% derive: net.yaml width=60 line=L\n\\begin{align*}\n")


# the worked notes -----------------------------------------------------------------------------------------------------
CITED = re.compile(r"<!-- derive: value=(\S+)[^>]*-->\$`(.*?)`\$<!-- /derive -->")
SHOWN = re.compile(r"(?:% |<!-- )derive: (?:only|line)=(\S+)(.*?)(?:% |<!-- )/derive", re.DOTALL)
RESULT = re.compile(r"(?:=|\\approx) (-?[\d.]+)\s*(?:\\\\)?\n(?! &)")


def as_shown(value: float, number: str) -> bool:
    """Whether a number is that value, rounded to the digits it has."""
    return abs(float(number) - value) <= 0.5000001 * 10.0 ** -len(number.partition(".")[2])


@pytest.fixture(scope="module")
def renewed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the notes after one weight was changed, and they were woven again."""
    folder = tmp_path_factory.mktemp("notes")
    for name in ("notes.md", "notes.tex"):
        shutil.copy(NOTES / name, folder)
    net = (NOTES / "net.yaml").read_text(encoding="utf-8")
    assert net.count("[0.5, -0.4]") == 1
    (folder / "net.yaml").write_text(net.replace("[0.5, -0.4]", "[0.9, -0.4]"), encoding="utf-8")
    assert not any(found.fresh for found in derive.weave(folder / "notes.md", folder / "notes.tex"))
    return folder


@pytest.fixture(scope="module")
def solutions(renewed: Path) -> tuple[Solution, Solution]:
    """Before, and after."""
    return derive.solve(NOTES / "net.yaml"), derive.solve(renewed / "net.yaml")


def test_one_weight_changes_every_number_of_the_notes(renewed: Path, solutions: tuple[Solution, Solution]) -> None:
    before, after = solutions
    texts = [(folder / "notes.md").read_text(encoding="utf-8") for folder in (NOTES, renewed)]
    cited = [CITED.findall(text) for text in texts]
    assert len(cited[0]) == len(cited[1]) == 5
    for (id, old), (same, new) in zip(*cited):
        assert id == same and old != new
        assert as_shown(float(before[id]), old) and as_shown(float(after[id]), new)


@pytest.mark.parametrize("name", ["notes.md", "notes.tex"])
def test_one_weight_changes_every_block_of_the_notes(
    renewed: Path, solutions: tuple[Solution, Solution], name: str
) -> None:
    before, after = solutions
    blocks = [SHOWN.findall((folder / name).read_text(encoding="utf-8")) for folder in (NOTES, renewed)]
    assert len(blocks[0]) == len(blocks[1]) >= 4
    for (names, old), (same, new) in zip(*blocks):
        ids = sorted(names.split(","), key=lambda id: "v1+" not in id)  # in the order of the solution
        assert names == same
        for solution, block in ((before, old), (after, new)):
            found = list(dict.fromkeys(RESULT.findall(block)))
            assert len(found) == len(ids)
            assert all(as_shown(float(solution[id].ravel()[0]), number) for id, number in zip(ids, found))
        assert set(RESULT.findall(old)).isdisjoint(RESULT.findall(new))


def test_the_notes_are_a_document(renewed: Path, solutions: tuple[Solution, Solution], pdflatex: str) -> None:
    """After one command LaTeX finds every number it cites, and room for all of them."""
    values, after = (renewed / "parts" / "derive-values.tex").read_text(encoding="utf-8"), solutions[1]
    cited = re.findall(
        r"\\Derive(?:Value|Line)(?:\[.*?\])?\{([^}]*)\}", (renewed / "notes.tex").read_text(encoding="utf-8")
    )
    assert len(cited) >= 7
    for id in cited:
        (line,) = [line for line in values.splitlines() if f"{{value}}{{{entry(id, after)}}}" in line]
        assert f"{float(after[id].ravel()[0]):.4g}" in line
    assert not faults(compiled(pdflatex, (renewed / "notes.tex").read_text(encoding="utf-8"), renewed, once=True))


def entry(id: str, solution: Solution) -> str:
    """The id under which a number is known: that of its entry, for a label."""
    found = solution.named(id)
    return found[0] + (f"[{','.join(map(str, found[1]))}]" if found[1] else "")


def test_a_piece_that_somebody_changed_stays(run: Run) -> None:
    net, notes = Path("net.yaml"), Path("notes.md")
    notes.write_text("<!-- derive: net.yaml into=parts -->\n", encoding="utf-8")
    assert run("notes.md").exit_code == 0
    piece = Path("parts/forward.md")
    piece.write_text("my own words\n", encoding="utf-8")
    net.write_text(net.read_text(encoding="utf-8").replace("0.5, -0.4", "0.7, -0.4"), encoding="utf-8")
    done = run("notes.md")
    assert done.exit_code == 2 and "was changed since derive wrote it" in done.output
    assert piece.read_text(encoding="utf-8") == "my own words\n"
