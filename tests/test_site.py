"""The documentation site: its links, what a browser finds in it, the errata, and what the reference is generated from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

import derive
from derive import examples
from derive.cli import main
from derive.cli.site import commands
from derive.errors import WitnessError
from derive.homework.mistakes import mistakes
from derive.language import Words, part
from derive.layers import layers
from derive.lessons import topics
from derive.losses import losses
from derive.notation import PRESETS
from derive.ops.activations import activations
from derive.optimizers import optimizers
from derive.penalties import penalties
from derive.schedules import schedules
from derive.site import build as building
from derive.site import errata, gallery, links
from derive.site.build import Built, build
from derive.site.pages import Site
from derive.site.reference import training
from derive.site.tasks import tasks as tasks_
from derive.spec import KEYS

pytestmark = pytest.mark.xdist_group("site")  # one process builds what these tests look at

EMPTY = {
    "meta",
    "link",
    "input",
    "br",
    "wbr",
    "img",
    "hr",
    "path",
    "line",
    "circle",
    "rect",
    "polyline",
    "use",
    "stop",
    "mspace",
}


@pytest.fixture(scope="module")
def used() -> set[str]:
    """The keys of the site that were looked up."""
    return set()


@pytest.fixture(scope="module")
def sites(used: set[str]) -> dict[str, Built]:
    """A small site in each language: one example, two lessons, one task; all of the reference and of the errata."""
    look_up = Words.template

    def recorded(self: Words, key: object) -> str:
        if isinstance(key, str):
            used.add(key)
        return look_up(self, key)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "template", recorded)
        found = {}
        for language in ("en", "zh"):
            tasks = ("mend", "program") if language == "en" else ()
            found[language] = build(Site(Words(language), tuple(commands()), ("mazur",), ("adam", "sigmoid"), tasks))
    return found


@pytest.fixture(scope="module")
def english(sites: dict[str, Built]) -> dict[str, str]:
    return texts(sites["en"])


def texts(built: Built) -> dict[str, str]:
    return {path: content.decode("utf-8") for path, content in built.files.items()}


# pages ------------------------------------------------------------------------------------------------------------------
class Balance(HTMLParser):
    """Reads a page and complains of tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        names = [name for name, _ in attrs]
        self.faults += [f"{tag}: {name} twice" for name in names if names.count(name) > 1]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def test_pages_are_well_formed(english: dict[str, str]) -> None:
    for path, text in english.items():
        if path.endswith(".html") and len(text) < 200_000:
            page = Balance()
            page.feed(text)
            page.close()
            assert (page.faults, page.open) == ([], []), path
            assert text.startswith("<!DOCTYPE html>") and text.count("<h1>") == 1, path


def test_nothing_is_fetched_from_elsewhere(sites: dict[str, Built]) -> None:
    for built in sites.values():
        for path, text in texts(built).items():
            assert " at 0x" not in text, path  # an address in memory is another one next time
            if path.endswith(".html"):
                assert "default-src 'none'" in text, path
                fetched = re.findall(r'<(?:link|script|img|iframe)\b[^>]*(?:href|src)="([^"]*)"', text)
                assert fetched and not [address for address in fetched if ":" in address or address.startswith("/")], (
                    path
                )
        assert "url(http" not in texts(built)["style.css"]


def test_dead_links_are_found() -> None:
    """What the build looks for itself: the small sites of these tests have passed it."""
    page = b'<title>%s</title><p id="a"><a href="%s">'
    good = {"a.html": page % (b"A", b"b/c.html#a"), "b/c.html": page % (b"C", b"../a.html")}
    assert links.faults(good) == []
    for bad, fault in [
        (page % (b"A", b"b/d.html"), "leads nowhere"),
        (page % (b"A", b"b/c.html#b"), "no such anchor"),
        (page % (b"A", b"#b"), "no such anchor"),
        (page % (b"C", b"#a"), "are called C"),
        (page % (b"A", b"#a") + b'<p id="a">', "stands 2 times"),
    ]:
        assert [fault in found for found in links.faults({**good, "a.html": bad})] == [True], fault


def test_worked_pages_link_to_the_lessons_there_are(english: dict[str, str]) -> None:
    page = english["gallery/mazur.html"]
    assert 'href="../lessons/sigmoid.html"' in page
    assert "lessons/gradient_descent.html" not in page and "derive explain gradient_descent" in page


def test_the_menu_leads_to_every_part(english: dict[str, str]) -> None:
    for path in ("gallery/mazur.html", "reference/losses.html"):
        for target in ("../index.html", "../guide/index.html", "../errata/index.html", "../lessons/index.html"):
            assert f'href="{target}"' in english[path]
        assert english[path].count("aria-current") == 1


@pytest.mark.browser
def test_the_search_finds_and_no_page_complains(sites: dict[str, Built], tmp_path: Path, chromium: str) -> None:
    from playwright.sync_api import sync_playwright

    sites["en"].save(tmp_path)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        for path in ("index.html", "errata/index.html", "gallery/index.html", "reference/notations.html"):
            page.goto((tmp_path / path).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        page.fill("form.search input", "adam lesson")
        assert page.locator("form.search li").first.inner_text().startswith("Adam (lesson)")
        page.locator("form.search li a").first.click()
        assert page.url.endswith("lessons/adam.html") and page.locator("h1").inner_text() == "Adam"
        browser.close()
    assert said == []


# the reference ----------------------------------------------------------------------------------------------------------
def test_the_reference_has_every_entry_of_every_table(english: dict[str, str]) -> None:
    tables = {
        "activations": activations,
        "layers": [*layers, "linear", "residual"],
        "losses": losses,
        "penalties": penalties,
        "optimizers": optimizers,
        "schedules": schedules,
        "mistakes": [mistake.id for mistake in mistakes],
        "python": [name for name in derive.__all__ if not name.startswith("__")],
    }
    for page, entries in tables.items():
        for name in entries:
            assert f' id="{name}"' in english[f"reference/{page}.html"], (page, name)
    for key in KEYS:
        assert f"<code>{key}</code>" in english["reference/net.html"]
    for preset in PRESETS:
        assert f"<code>{preset}</code>" in english["reference/notations.html"]


def test_every_entry_of_the_reference_has_a_formula(english: dict[str, str]) -> None:
    for page in ("activations", "layers", "losses", "penalties", "optimizers"):
        sections = re.findall(r'<section id="([^"]*)">(.*?)</section>', english[f"reference/{page}.html"], re.DOTALL)
        without = [id for id, text in sections if id != "lessons" and 'class="line"' not in text]
        assert without == [], page


def test_every_command_is_told_with_its_options(english: dict[str, str]) -> None:
    page = english["guide/commands.html"]
    for name, command in main.commands.items():
        section = re.search(rf'<section id="{name}">(.*?)</section>', page, re.DOTALL)
        assert section, name
        for parameter in command.params:
            assert parameter.param_type_name == "argument" or parameter.opts[0] in section[1], (name, parameter.name)


# the guide --------------------------------------------------------------------------------------------------------------
def test_commands_of_the_guide_are_run(english: dict[str, str]) -> None:
    page = english["guide/mend.html"]
    assert "my-net.yaml:5:5: layers[1]: unknown layer &#39;sigmoyd&#39;. Did you mean &#39;sigmoid&#39;?" in page
    assert "$ echo $?\n2" in page


def test_the_search_knows_pages_sections_and_mistakes(english: dict[str, str]) -> None:
    index = json.loads(re.search(r"const index = (.*);$", english["search.js"], re.MULTILINE)[1])  # type: ignore[index]
    addresses = [address for _, address, _ in index]
    assert {"gallery/mazur.html", "reference/losses.html#huber", "reference/mistakes.html#B1"} <= {*addresses}
    assert len(addresses) == len({*addresses})
    assert (
        links.faults({**{path: text.encode() for path, text in english.items()}, "search.html": searched(addresses)})
        == []
    )


def searched(addresses: list[str]) -> bytes:
    """A page of links to all that the search may find."""
    return ("<title>search</title>" + "".join(f'<a href="{address}">' for address in addresses)).encode()


def test_tasks_are_tasks_of_derive() -> None:
    for task in tasks_():
        assert task.commands
        assert {command.split()[1] for command in task.commands} <= set(main.commands)
        assert all(command.startswith("derive ") for command in task.commands)


# the errata -------------------------------------------------------------------------------------------------------------
def test_the_errata_hold_and_their_follow_ons_lead_to_a_reason() -> None:
    judged = errata.all_judged()
    counts = errata.totals(judged)
    assert counts["wrong"] == 58 and counts["wrong"] + counts["left_out"] + 5 == errata.load()[0]["wrong"]
    assert counts["right"] > 150
    for found in judged:
        for erratum in found.errata:
            assert not errata.rounds_to(erratum.exact, erratum.printed.printed)
            assert errata.rounds_to(erratum.exact, erratum.right)
            assert erratum.root in ["", *(root.printed.at for root in found.roots)]


def example(id: str) -> errata.Example:
    return next(found for found in errata.load()[1] if found.id == id)


@pytest.mark.parametrize(
    "change, fault",
    [
        (lambda e: replace(e, wrong=(replace(e.wrong[0], printed="0.157"), *e.wrong[1:])), "is listed as wrong"),
        (lambda e: replace(e, wrong=(e.wrong[0], replace(e.wrong[1], printed="0.9"))), "does not follow"),
        (lambda e: replace(e, wrong=(replace(e.wrong[0], rule="B1"), *e.wrong[1:])), "is not what rule B1 gives"),
        (lambda e: replace(e, wrong=(replace(e.wrong[0], given={"at": "a1[1]"}), *e.wrong[1:])), "is not what"),
        (lambda e: replace(e, right={**e.right, "a1[2]": "0.6"}), "is listed as right"),
        (lambda e: replace(e, right={**e.right, "a9": "0.6"}), "is no number of this example"),
    ],
)
def test_an_erratum_that_does_not_hold_stops_the_build(
    change: Callable[[errata.Example], errata.Example], fault: str
) -> None:
    errata.judge(example("postnetwork"))
    with pytest.raises(WitnessError, match=fault):
        errata.judge(change(example("postnetwork")))


def test_half_a_unit_of_the_last_digit() -> None:
    for value, text, right in [
        (0.12345, "0.1234", True),
        (0.12355, "0.1234", False),
        (0.785, ".78", True),
        (-0.5, "-1", True),
        (3.5e-5, "0.000035", True),
        (0.1 + 0.2, "0.3", True),
        (0.1 + 0.2, "0.30000000000000004", True),
    ]:
        assert errata.rounds_to(value, text) is right, (value, text)


# languages --------------------------------------------------------------------------------------------------------------
def test_every_sentence_is_reached(sites: dict[str, Built], used: set[str]) -> None:
    own = set(part("en_site"))
    left = {
        key
        for key in own - used
        if not key.endswith(".other") and key.split(".")[0] not in ("site_guide", "site_example")
    }
    in_code = (Path(building.__file__).parent.parent / "cli" / "site.py").read_text(encoding="utf-8")
    assert {key for key in left if f'"{key}"' not in in_code} == set()
    expected = {f"site_example.{name}" for name in examples.names()}
    for task in tasks_():
        expected |= {f"site_guide.{task.id}.{key}" for key in ("title", "what")}
        expected |= {f"site_guide.{task.id}.then_{i}" for i, _ in enumerate(task.commands, 1)}
    assert {key for key in own if key.startswith(("site_guide.", "site_example."))} - {"site_example.other"} == expected


def test_chinese_pages_are_chinese(sites: dict[str, Built]) -> None:
    """But for what is somebody else's: docstrings, help texts, titles of examples and of sources."""
    english, chinese = part("en_site"), texts(sites["zh"])
    whole = [text for key, text in english.items() if len(text.split()) > 3 and "{" not in text]
    for path, text in chinese.items():
        if path.endswith(".html"):
            assert 'lang="zh-Hans"' in text
            assert [sentence for sentence in whole if sentence in text] == [], path


# the command ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def run(sites: dict[str, Built], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """derive site in an empty folder, with the small site in the place of the whole."""

    def small(site: Site, **_: object) -> Built:
        return sites[site.language]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(building, "build", small)

    def invoke(*args: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["site", *args])
        return done.exit_code, done.output

    return invoke


def test_the_command_writes_a_folder_and_removes_what_is_old(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, output = run()
    assert code == 0 and "output/site/index.html" in output, output
    folder = tmp_path / "output" / "site"
    listed = (folder / "files.sha256").read_text(encoding="utf-8")
    old, kept = folder / "old" / "page.html", folder / "lessons" / "gone.html"
    old.parent.mkdir()
    for path in (old, kept):
        path.write_bytes(b"x")
        sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        listed += f"{sum}  {path.relative_to(folder).as_posix()}\n"
    kept.write_bytes(b"changed")
    (folder / "files.sha256").write_text(listed, encoding="utf-8")
    code, output = run("--lang", "zh")
    assert code == 0 and not old.parent.exists() and kept.exists() and "lessons/gone.html" in output
    assert "zh-Hans" in (folder / "index.html").read_text(encoding="utf-8")
    assert run("-q") == (0, "")


def test_the_command_refuses_a_file(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "here").write_text("x")
    assert run("-o", "here") == (2, "here: cannot be written: this is no folder\n")


def test_an_erratum_that_no_longer_holds_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(example("postnetwork"), right={"a1[1]": "0.427"})
    monkeypatch.setattr(errata, "load", lambda: ({}, (wrong,)))
    monkeypatch.setattr(errata, "all_judged", errata.all_judged.__wrapped__)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["site"])
    assert done.exit_code == 3 and "a1[1] is listed as right, but 0.427 is not" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_site_is_the_same_bytes_each_time(sites: dict[str, Built]) -> None:
    small = Site(Words("zh"), tuple(commands()), ("mazur",), ("adam", "sigmoid"), ())
    for page in (next(training.pages(small)), *gallery.pages(small)):
        assert building.printed(page.document, building.frame(small, page)).encode() == sites["zh"].files[page.path]


def test_lessons_have_addresses(english: dict[str, str]) -> None:
    assert {"lessons/adam.html", "lessons/sigmoid.html"} <= english.keys() and "adam" in topics()
