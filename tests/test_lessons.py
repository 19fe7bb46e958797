"""Every lesson there is: its witnesses agree, in every language and format; a false one is refused. And the book."""

from __future__ import annotations

import io
import json
import re
import string
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from html import unescape
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result
from test_language import MATHS, WORDS
from test_latex import compiled, faults

from derive import policies
from derive.board import CHAPTERS, Board, Lesson, Mistake, both
from derive.cli import main
from derive.document import Book, Chapter, behind, say, steps
from derive.errors import InputError, WitnessError
from derive.formula import Formula
from derive.language import LANGUAGES, Both, Words
from derive.lessons import by_chapter, in_order, load, topics
from derive.pointers import FUSED, FUSED_KEYS, NORMALIZED_KEYS, OTHERS, topic_of
from derive.printers import FORMATS
from derive.solution import Solution, solve, study
from derive.teaching import bound, explain, explain_all

pytestmark = pytest.mark.xdist_group("lessons")  # one process makes what these tests share

WRITTEN = [name for name, format in FORMATS.items() if format.book]
SAMPLE = topics()[::7]  # of which every format is printed in Chinese
MOST_LINES = 12  # of a network
CHINESE = re.compile("[\u4e00-\u9fff]")


@cache
def lesson(topic: str, lang: str) -> tuple[Solution, str, set[Both]]:
    """A lesson with its page, written once; and the sentences of its own that were said."""
    said: set[Both] = set()
    look_up = Words.template

    def heard(self: Words, key: str | Both) -> str:
        if isinstance(key, Both):
            said.add(key)
        return look_up(self, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "template", heard)
        if lang != "en":  # the same mathematics
            patch.setattr("derive.teaching.WRITINGS", 1)
        solution = explain(topic, lang=lang)
        return solution, str(solution.print("html")), said


def book(lang: str = "en", chosen: Mapping[str, Sequence[str]] | None = None) -> Solution:
    """The book of all lessons, or of some, of those that are written already."""
    chapters = [
        Chapter(id, say(f"chapter.{id}"), tuple(replace(lesson(t, lang)[0].document, lessons="") for t in found))
        for id, found in (chosen or by_chapter()).items()
    ]
    return bound(chapters, policies.read(None, {}), Words(lang))


@cache
def printed(format: str) -> str:
    """The English book in a format."""
    return str(book().print(format))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """derive in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DERIVE_DEBUG", raising=False)
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes these the only lessons there are."""

    def make(**lessons: Lesson) -> None:
        for topic, lesson in lessons.items():
            module = ModuleType(f"derive.lessons.{topic}")
            module.lesson = lesson  # type: ignore[attr-defined]
            monkeypatch.setitem(sys.modules, module.__name__, module)
        for place in ("derive.lessons", "derive.teaching", "derive.solution"):
            monkeypatch.setattr(f"{place}.topics", lambda: tuple(sorted(lessons)))

    return make


def derivation(b: Board, slope: int = 2) -> list[object]:
    x = b.free("x")
    title, why = both("The slope of a square", "平方的斜率"), both("Power rule.", "幂法则。")
    return [b.step(title, why, b.line(b.slope(x**2, x), slope * x))]


def square(position: int = 1, *, slope: int = 2, claim: int | None = None, see: tuple[str, ...] = ()) -> Lesson:
    """A small lesson, true unless it is asked to be false."""

    def wrong(b: Board) -> tuple[Formula, Formula]:
        x = b.free("x")
        return (claim or 0) * x, 2 * x

    mistake = Mistake(both("It is x.", "它是 x。"), both("It is 2x.", "它是 2x。"), wrong)
    return Lesson(
        title=both(f"Square {position}", f"平方 {position}"),
        short=both("The slope of a square.", "平方的斜率。"),
        chapter="gradients",
        position=position,
        derivation=lambda b: derivation(b, slope),  # type: ignore[return-value,arg-type]
        numbers=lambda b: [],
        why=both("It is used everywhere.", "处处都要用到。"),
        mistakes=() if claim is None else (mistake,),
        see=see,
    )


# every lesson -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("topic", topics())
def test_lessons_agree_with_their_witnesses(topic: str, lang: str) -> None:
    solution, page, _ = lesson(topic, lang)
    witnesses = solution.document.witnesses
    assert all(w.ok and w.compared for w in witnesses)
    assert [w.name for w in witnesses] == ["lesson", *["mistakes"] * any(m.claim for m in load(topic).mistakes)]
    assert all(step.why for step in steps(solution.document)), "a step without a reason"
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("topic", SAMPLE)
def test_lessons_print_in_every_format(topic: str) -> None:
    """Alone; the book below prints all of them in every format."""
    for format in WRITTEN:
        assert len(lesson(topic, "en")[0].print(format)) > 500
    data = json.loads(lesson(topic, "en")[0].to_json())
    assert data["sections"][0]["id"] == f"{topic}/derivation" and data["sections"][0]["steps"]


@pytest.mark.parametrize("topic", SAMPLE)
def test_lessons_print_in_chinese(topic: str) -> None:
    for format in WRITTEN:
        found = lesson(topic, "zh")[0].print(format)
        if format == "docx":
            found = zipfile.ZipFile(io.BytesIO(bytes(found))).read("word/document.xml").decode()
        assert CHINESE.search(found) if isinstance(found, str) else found.startswith(b"%PDF")


@pytest.mark.parametrize("topic", topics())
def test_lessons_speak_both_languages(topic: str) -> None:
    for said in lesson(topic, "en")[2] | lesson(topic, "zh")[2]:
        ours, theirs = ({n for _, n, _, _ in string.Formatter().parse(s) if n} for s in (said.en, said.zh))
        assert ours == theirs, said
        assert bool(said.en) == bool(said.zh), said
        if re.search(r"[a-z]{3,} [a-z]{2,}", re.sub(r"\{.*?\}", "", said.en)):
            assert CHINESE.search(said.zh), said
        assert not CHINESE.search(said.en), said
    assert CHINESE.search(load(topic).short.zh)


@pytest.mark.parametrize("topic", topics())
def test_chinese_lessons_have_no_english(topic: str) -> None:
    page = lesson(topic, "zh")[1]
    for cut in (*MATHS, r"<code.*?</code>"):
        page = re.sub(cut, " ", page, flags=re.DOTALL)
    found = WORDS.findall(unescape(re.sub("<[^>]*>", "\n", page)))
    assert [words for words in found if len(words.split()) > 3] == []


@pytest.mark.parametrize("topic", [topic for topic in topics() if load(topic).network])
def test_networks_of_lessons_run(topic: str, tmp_path: Path) -> None:
    net = load(topic).network.strip()
    assert len(net.splitlines()) <= MOST_LINES
    (tmp_path / "net.yaml").write_text(net, encoding="utf-8")
    solution = solve(tmp_path / "net.yaml")
    assert all(w.ok for w in solution.document.witnesses)
    assert "L" in solution.document.quantities


def test_ids_and_places() -> None:
    assert [topic for topic in topics() if not re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", topic)] == []
    assert {load(topic).chapter for topic in topics()} <= set(CHAPTERS)
    places = [(load(topic).chapter, load(topic).position) for topic in in_order()]
    assert sorted({place for place in places if places.count(place) > 1}) == []
    titles = [(load(topic).title.en, load(topic).title.zh) for topic in topics()]
    assert len({en for en, _ in titles}) == len({zh for _, zh in titles}) == len(titles)


def test_related_lessons_exist() -> None:
    missing = {(topic, other) for topic in topics() for other in load(topic).see if other not in topics()}
    assert sorted(missing) == []
    assert [topic for topic in topics() if topic in load(topic).see] == []


def test_chapters_have_titles() -> None:
    for language in LANGUAGES:
        assert all(Words(language).template(f"chapter.{chapter}") for chapter in CHAPTERS)


def test_the_lesson_of_the_readme(only: Callable[..., None]) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    source = next(code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "lesson = Lesson(" in code)
    found: dict[str, Lesson] = {}
    exec(source, found)
    only(square=found["lesson"])
    for lang in LANGUAGES:
        assert explain("square", lang=lang).document.witnesses[0].compared


# refusals -----------------------------------------------------------------------------------------------------------
def test_a_false_lesson_is_refused(run: Callable[..., Result], only: Callable[..., None], tmp_path: Path) -> None:
    only(right=square(1), wrong=square(2, slope=3))
    for what in ("wrong", "--all"):
        done = run("explain", what)
        assert done.exit_code == 3, done.output
        assert "'wrong'" in done.stderr and "The slope of a square" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    assert run("explain", "wrong", "--round-as-you-go").exit_code == 2  # which would leave it unchecked
    assert run("explain", "right", "-q").exit_code == 0


def test_a_mistake_that_is_none_is_refused(only: Callable[..., None]) -> None:
    only(square=square(claim=2))
    with pytest.raises(WitnessError, match=r"'square'.*It is x\..*no mistake"):
        explain("square")
    only(square=square(claim=1))
    assert [w.name for w in explain("square").document.witnesses] == ["lesson", "mistakes"]


def test_an_unknown_topic(run: Callable[..., Result]) -> None:
    with pytest.raises(InputError, match="Did you mean 'sigmoid'"):
        explain("sigmiod")
    done = run("explain", "sigmiod")
    assert done.exit_code == 2 and "'sigmoid'" in done.stderr


@pytest.mark.parametrize("args", [(), ("sigmoid", "--all"), ("--all", "--only", "w1"), ("--all", "-f", "svg")])
def test_wishes_that_cannot_be(run: Callable[..., Result], tmp_path: Path, args: tuple[str, ...]) -> None:
    done = run("explain", *args)
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1, done.output
    assert list(tmp_path.iterdir()) == []


# the book -----------------------------------------------------------------------------------------------------------
def test_the_book_is_written(run: Callable[..., Result], only: Callable[..., None], tmp_path: Path) -> None:
    only(one=square(2, see=("two",)), two=square(1))
    done = run("explain", "--all", *(word for name in WRITTEN for word in ("-f", name)))
    assert done.exit_code == 0, done.output
    written = {path.name for path in (tmp_path / "output" / "lessons").iterdir()}
    assert written == {FORMATS[name].book for name in WRITTEN}
    text = run("explain", "--all", "-o", "-", "--ascii").stdout
    assert text.isascii() and text.index("Square 1") < text.index("Square 2")
    assert "平方 1" in run("explain", "--all", "-o", "-", "--lang", "zh").stdout


def test_the_book_tells_how_far_it_is(only: Callable[..., None]) -> None:
    only(one=square(1), two=square(2))
    told: list[tuple[int, int]] = []
    made = explain_all(progress=lambda *at: told.append(at))
    assert told == [(0, 2), (1, 2)]
    assert isinstance(made.document, Book) and len(made.document.witnesses) == 2


def test_links_in_the_book_lead_somewhere() -> None:
    page, tex, markdown = map(printed, ("html", "latex", "markdown"))
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert set(topics()) <= set(ids)
    assert set(re.findall(r'href="#([^"]*)"', page)) - set(ids) == set()
    assert not re.search(r'(?:src|href)="[^#]', page)
    labels = re.findall(r"\\label\{(.*?)\}", tex)
    assert sorted(labels) == sorted(f"lesson:{topic}" for topic in topics())
    assert set(re.findall(r"\\hyperref\[(.*?)\]", tex)) == set(labels)
    assert (
        set(re.findall(r"\]\(#(.*?)\)", markdown)) == set(re.findall(r'<a id="(.*?)"></a>', markdown)) == set(topics())
    )


def test_the_book_states_every_witness() -> None:
    text = printed("text")
    end = text[text.rindex("agree.\n") :]
    for topic in topics():
        witnesses = lesson(topic, "en")[0].document.witnesses
        rows = [row for row in end.splitlines() if row.startswith(f"  {load(topic).title.en}  ")]
        assert [int(row.removeprefix(f"  {load(topic).title.en}").split()[0]) for row in rows] == [
            w.compared for w in witnesses
        ]


def test_the_book_as_data() -> None:
    data = json.loads(printed("json"))
    assert data["schema"] == "derive-lessons/1"
    assert [each["topic"] for chapter in data["chapters"] for each in chapter["lessons"]] == in_order()


def test_the_book_compiles(pdflatex: str, tmp_path: Path) -> None:
    source = printed("latex")
    assert "{report}" in source  # no letter in it needs XeLaTeX
    log = compiled(pdflatex, source, tmp_path, once=True)  # references are looked at above
    assert [fault for fault in faults(log) if "undefined" not in fault] == []


def test_the_chinese_book_compiles(xelatex: str, tmp_path: Path) -> None:
    first = {id: found[:1] for id, found in by_chapter().items()}  # the others are written in the same way
    source = re.sub(r"\\hyperref\[(.*?)\]", "", str(book("zh", first).print("latex")))
    assert "{ctexrep}" in source
    assert faults(compiled(xelatex, source, tmp_path, settled=False)) == []


def test_derive_list_names_the_lessons(run: Callable[..., Result]) -> None:
    listed = run("list").stdout
    for topic in topics():
        assert re.search(rf"^  {topic} +{re.escape(load(topic).title.en)}$", listed, re.MULTILINE)


# lessons behind a page ----------------------------------------------------------------------------------------------
def test_pages_name_the_lessons_behind_them() -> None:
    solution = solve("mazur")
    assert "sigmoid" in behind(solution.document)
    page = solution.to_html()
    ids = re.findall(r'\bid="([^"]*)"', page)
    assert set(re.findall(r'href="#([^"]*)"', page)) <= set(ids)
    assert 'class="lesson" href="#lesson/sigmoid"' in page and "<code>derive explain sigmoid</code>" in page
    for name in ("latex", "markdown", "text"):
        assert str(solution.print(name)).count("derive explain sigmoid") == 1
    data = json.loads(solution.to_json())
    assert data["lessons"] == list(behind(solution.document))
    slope = next(s for section in data["sections"] for s in section["steps"] if s["id"] == "backward/2/slope")
    assert slope["lessons"] == ["sigmoid"]


def test_pages_link_to_the_book(run: Callable[..., Result], tmp_path: Path) -> None:
    for other in (
        "https://x.org/lessons.html",
        "HTTP://x:80/?a=1&b:2#c",
        "lessons.html",
        "/course/lessons.html",
        "a/b:c",
    ):
        assert solve("mazur").linked(other).document.lessons == other
    address = "../lessons/lessons.html?a=1&b"
    assert run("backprop", "mazur", "--lessons", address, "-f", "html", "-f", "markdown").exit_code == 0
    page = (tmp_path / "output/mazur/solution.html").read_text(encoding="utf-8")
    assert 'href="../lessons/lessons.html?a=1&amp;b#sigmoid"' in page and "#lesson/" not in page
    assert "lessons.html?a=1&amp;b#sigmoid" in (tmp_path / "output/mazur/solution.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "JavaScript:alert(1)", " javascript:x", "java\nscript:x", "javascript&#58;alert(1)", "data:x",
     "file:///etc/passwd", "\\\\evil\\share", "//evil/x", "C:/x", "http:x", "http:///x", "https://x\n", "a\u202eb", "a\x07b"],
)  # fmt: skip
def test_pages_link_to_the_web_and_to_files_beside_them_alone(run: Callable[..., Result], address: str) -> None:
    for command in (("backprop", "mazur"), ("check", "mazur", "answers.yaml")):
        done = run(*command, "--lessons", address, "-o", "x.html")
        assert done.exit_code == 2 and len(done.output.splitlines()) == 1 and "--lessons" in done.output
    with pytest.raises(InputError):
        solve("mazur").linked(address)


def test_some_lines_have_their_own_lessons() -> None:
    assert behind(solve("mazur", only=["dL/dw1"]).document) == tuple(
        topic for topic in ("backprop_equations",) if topic in topics()
    )
    assert "lesson/" not in solve("mazur", level="brief", only=["a1"]).to_html()


def test_lessons_do_not_point_at_themselves() -> None:
    assert behind(lesson("sigmoid", "en")[0].document) == ()


@pytest.mark.parametrize(
    ("key", "topic"),
    [
        ("activation.relu", "relu"),
        ("slope.sigmoid", "sigmoid"),
        ("loss.l1", "mae"),
        ("loss.half_squared_error", "mse"),
        ("why.transpose", "transpose"),
        ("backward.W.hidden", "backprop_equations"),
        ("backward.a.sum", "chain_rule"),
        ("backward.z.output", "chain_rule"),
        ("update.sgd", "gradient_descent"),
        ("update.adam", "adam"),
        ("schedule.step_lr", "step_lr"),
        ("ema.closed", "ema"),
        ("batches.rule", "batches"),
        ("step.z.hidden", "neuron"),
        ("layer.mean.batch_norm", "batch_norm"),
        ("layer.drop.other", "dropout"),
        ("through.residual", "residual"),
        ("penalty.l1", "l1"),
    ],
)
def test_sentences_point_at_lessons(key: str, topic: str) -> None:
    assert topic_of(key, OTHERS, {topic, "l1"}) == topic


def test_what_is_done_together_has_its_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derive.solution.topics", lambda: (*FUSED.values(), "step_lr", "xavier", "ema", "adam"))
    assert "softmax_cross_entropy" in behind(solve("softmax_classifier").document)
    assert {"xavier"} <= set(behind(solve("batch_3322").document))
    assert behind(study("ema", {"beta": 0.9, "values": [1, 2]}).document) == ("ema",)
    assert behind(study("optimizer", {"optimizer": "adam", "gradients": [1]}).document) == ("adam",)
    assert behind(study("schedule", {"schedule": {"step_lr": {"step_size": 2}}}).document) == ("step_lr",)


def test_pointers_are_to_sentences_and_lessons() -> None:
    """What the tables name is there: sentences of these keys, and the lessons."""
    if len(topics()) < 40:
        pytest.skip("most lessons are not written yet")
    known = Words("en").table
    keys = {*OTHERS, *NORMALIZED_KEYS, *FUSED_KEYS}
    assert {key for key in keys if not any(f"{name}.".startswith(f"{key}.") for name in known)} == set()
    assert {*OTHERS.values(), *FUSED.values()} <= set(topics())
