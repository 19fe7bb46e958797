"""The page in a browser: complete without scripts, nothing fetched, nothing cut off, text that is only ever text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree import ElementTree

import pytest
from nets import HOSTILE, solved

pytestmark = pytest.mark.xdist_group("browser")  # one process makes what these tests share

playwright = pytest.importorskip("playwright.sync_api")

DOCUMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "mazur": ("mazur", {}),
    "regression": ("regression", {"form": "both"}),
    "batch": ("batch_3322", {"form": "matrix"}),
    "softmax": ("softmax_classifier", {"lang": "zh"}),
    "fractions": ("relu_fractions", {}),
    "hostile": ("hostile", {}),
    "long": ("long", {}),
    "wide": ("wide", {}),
    "large": ("large", {"form": "matrix"}),
}
SMALL = {name: document for name, document in DOCUMENTS.items() if name not in ("wide", "large")}
#: MathML Core, without maction and what else has no use here.
CORE = set(
    re.findall(
        r"\w+",
        """
    math semantics annotation mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover
    mtable mtr mtd mstyle mpadded a""",
    )
)
every = pytest.mark.parametrize("name", DOCUMENTS)
few = pytest.mark.parametrize("name", SMALL)


@dataclass
class Tab:
    """A page that is open, and what it did: requests beyond its own file, messages, dialogs."""

    page: Any
    events: list[str] = field(default_factory=list)

    def __call__(self, script: str, *args: Any) -> Any:
        return self.page.evaluate(script, *args)

    def as_opened(self) -> Tab:
        """The page as it was when it was opened: what is folded, and how it is looked at."""
        self.page.set_viewport_size({"width": 1100, "height": 900})
        self.looked_at()
        self("document.querySelectorAll('details').forEach(d => d.open = !foldedAtFirst.includes(d))")
        self("document.querySelectorAll('.step').forEach(s => s.style.contentVisibility = '')")
        return self

    def looked_at(self, *, media: str = "screen", dark: bool = False) -> None:
        self.page.emulate_media(media=media, color_scheme="dark" if dark else "light")

    def reopened(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        self("document.querySelectorAll('details').forEach(d => d.open = true)")
        self("document.querySelectorAll('.step').forEach(s => s.style.contentVisibility = 'visible')")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@cache
def printed(name: str) -> str:
    net, wishes = DOCUMENTS[name]
    return solved(net, **wishes).to_html()


@pytest.fixture(scope="module")
def open_tab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Opens a document, with `scripts` or without, and watches it."""
    folder = tmp_path_factory.mktemp("pages")
    common = {"viewport": {"width": 1100, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}
    contexts = {scripts: browser.new_context(java_script_enabled=scripts, **common) for scripts in (True, False)}

    def open_tab(name: str, *, scripts: bool = True) -> Tab:
        path = folder / f"{name}.html"
        path.write_text(printed(name), encoding="utf-8")
        tab = Tab(contexts[scripts].new_page())
        watched = {
            "console": lambda m: f"console: {m.text}",
            "pageerror": lambda e: f"error: {e}",
            "dialog": lambda d: d.dismiss() or f"dialog: {d.message}",
        }
        for event, told in watched.items():
            tab.page.on(event, lambda what, told=told: tab.events.append(told(what)))
        tab.page.on("request", lambda r: tab.events.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
        tab.page.goto(path.as_uri())
        tab("window.foldedAtFirst = [...document.querySelectorAll('details:not([open])')]")
        return tab

    return open_tab


@pytest.fixture(scope="module")
def visit(open_tab: Any) -> Any:
    """A document as it is when it is opened; it is opened once for all tests that do no more than look and unfold."""
    tabs = cache(open_tab)
    return lambda name, **how: tabs(name, **how).as_opened()


# what the page does by itself ---------------------------------------------------------------------------------------
@every
def test_nothing_is_fetched_and_nothing_complains(name: str, visit: Any) -> None:
    tab = visit(name)
    tab.reopened(1100)
    assert tab.events == []
    assert tab("document.fonts.check('16px \"Derive Math\"')")
    assert tab("document.querySelectorAll('script').length") == 1
    assert tab("document.querySelectorAll('img, iframe, object, embed, link, form, input').length") == 0
    every_link_leads_somewhere(tab)
    everything_has_a_name(tab)


def test_hostile_text_is_only_text(visit: Any) -> None:
    tab = visit("hostile")
    assert tab("document.querySelector('h1').textContent") == " ".join(HOSTILE)
    assert tab("document.title") == " ".join(HOSTILE)
    assert tab("document.querySelectorAll('math a[href]:not([href^=\"#\"]), a[href^=javascript]').length") == 0
    handlers = "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on')))"
    assert tab(handlers + ".length") == 0
    page = tab("document.body.innerText")
    assert "{{ 7*7 }}" in page and r"\input{/etc/passwd}" in page
    assert tab.events == []


# without scripts ----------------------------------------------------------------------------------------------------
@few
def test_the_page_is_complete_without_scripts(name: str, visit: Any) -> None:
    plain, scripted = visit(name, scripts=False), visit(name)
    assert plain.page.locator("button:visible").count() == 0
    assert scripted.page.locator("button:visible").count() > 0
    text = "[...document.querySelectorAll('main, nav, header, footer')].map(e => e.textContent).join()"
    assert plain(text) == scripted(text)
    details = plain.page.locator("main > section > details, main > section > .step > .lines > details")
    for part in details.all()[:3]:
        part.locator("summary").first.click()
        assert part.locator(".eq").first.is_visible()


@few
def test_folded_parts_are_printed(name: str, visit: Any) -> None:
    tab = visit(name, scripts=False)
    tab.looked_at(media="print", dark=True)
    lines = tab.page.locator(".eq")
    assert lines.count() == tab.page.locator(".eq:visible").count() > 0
    heights = tab("[...document.querySelectorAll('details .eq')].map(e => e.getBoundingClientRect().height)")
    assert min(heights, default=1) > 0
    assert contrast(*tab(COLOURS)) > 15
    assert tab("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()") == "#fff"


# links and buttons --------------------------------------------------------------------------------------------------
def every_link_leads_somewhere(tab: Tab) -> None:
    ids = tab("[...document.querySelectorAll('[id]')].map(e => e.id)")
    links = tab("[...document.querySelectorAll('[href]')].map(a => a.getAttribute('href'))")
    assert len(ids) == len(set(ids))
    assert links and {link[0] for link in links} == {"#"}
    assert {link[1:] for link in links} <= set(ids)


def test_a_number_leads_to_its_step(open_tab: Any) -> None:
    tab = open_tab("mazur")
    folded = (
        "[...document.querySelectorAll('math a')].findIndex(a => "
        "document.getElementById(a.getAttribute('href').slice(1)).closest('details:not([open])'))"
    )
    index = tab(folded)
    assert index >= 0, "no number leads into a folded step"
    click = """i => {
        const link = document.querySelectorAll('math a')[i];
        link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}));
        return link.getAttribute('href').slice(1);
    }"""
    id = tab(click, index)
    arrived = "id => location.hash === '#' + id && document.getElementById(id).open !== false"
    tab.page.wait_for_function(arrived, arg=id)
    target = tab.page.locator(f"[id='{id}']")
    assert target.locator(".eq").first.is_visible()
    assert -20 <= target.bounding_box()["y"] <= 900


def test_the_button_copies_latex(open_tab: Any) -> None:
    tab = open_tab("regression")
    button = tab.page.locator("button.copy").first
    assert button.get_attribute("aria-label")
    button.click()
    tab.page.wait_for_selector("button.copy.done")
    copied = tab("navigator.clipboard.readText()")
    assert copied == tab("document.querySelector('.line annotation').textContent")
    for tex in tab("[...document.querySelectorAll('.line annotation')].map(a => a.textContent)"):
        assert re.fullmatch(r"\\begin\{aligned\} .+&.*= .+ \\end\{aligned\}", tex)
        bare = re.sub(r"\\[{}]", "", tex)
        assert bare.count("{") == bare.count("}")
        assert tex.count(r"\left") == tex.count(r"\right")


def everything_has_a_name(tab: Tab) -> None:
    assert tab("document.documentElement.lang") in ("en", "zh-Hans")
    nameless = (
        "[...document.querySelectorAll('button, nav, svg[role], a, summary, th, caption, h1, h2, h3, h4')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim()))"
    )
    assert tab(nameless + ".map(e => e.outerHTML)") == []
    assert tab("[...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1])")[:2] == [1, 2]


# looks --------------------------------------------------------------------------------------------------------------
@every
def test_only_formulas_and_tables_scroll_sideways(name: str, visit: Any) -> None:
    tab = visit(name)
    for width in (1100, 390):
        scrolls_sideways(tab, width)


def scrolls_sideways(tab: Tab, width: int) -> None:
    tab.reopened(width)
    assert tab("document.documentElement.scrollWidth") <= width
    outside = """width => [...document.querySelectorAll('main *, header *')].filter(e =>
        e.getBoundingClientRect().right > width + 1 && !e.closest('.eq, .scroll')).map(e => e.outerHTML.slice(0, 99))"""
    assert tab(outside, width) == []


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("name", ["mazur", "regression", "softmax"])
def test_rows_of_formulas_do_not_touch(name: str, width: int, visit: Any) -> None:
    """Two formulas of a line stand beside or below one another; the button stands apart."""
    tab = visit(name)
    tab.reopened(width)
    meeting = """() => [...document.querySelectorAll('.lines > .line')].flatMap(line => {
        const boxes = [...line.querySelectorAll('math')].map(e => e.getBoundingClientRect());
        return boxes.flatMap((a, i) => boxes.slice(i + 1).filter(b =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1).map(() => line.textContent.slice(0, 99)));
    })"""
    assert tab(meeting) == []
    covered = """[...document.querySelectorAll('.lines > .line')].filter(line => line.querySelector('.eq')
        .getBoundingClientRect().right > line.querySelector('button').getBoundingClientRect().left).length"""
    assert tab(covered) == 0
    clipped = "[...document.querySelectorAll('.eq')].filter(e => e.scrollHeight > e.clientHeight + 1).length"
    assert tab(clipped) == 0


COLOURS = "['color', 'backgroundColor'].map(key => getComputedStyle(document.body)[key])"


def contrast(ink: str, paper: str) -> float:
    """The contrast of two colours by WCAG 2."""
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_ink_stands_out(dark: bool, visit: Any) -> None:
    tab = visit("mazur")
    tab.looked_at(dark=dark)
    ink, paper = tab(COLOURS)
    assert (luminance(paper) < 0.1) == dark
    assert contrast(ink, paper) >= 7
    for selector in (".eq mi", ".eq mn", "td mn", ".eq mn a"):
        assert tab("s => getComputedStyle(document.querySelector(s)).color", selector) == ink
    for selector in (".why", "caption", "nav a", ".seal a", ".note", "svg .muted"):
        key = "fill" if "svg" in selector else "color"
        colour = tab("([s, key]) => getComputedStyle(document.querySelector(s))[key]", [selector, key])
        assert contrast(colour, paper) >= 4.5, selector


def test_pointing_at_a_unit_dims_the_rest(open_tab: Any) -> None:
    tab = open_tab("mazur")
    parts = "[...document.querySelectorAll('svg .part')].map(e => +getComputedStyle(e).opacity)"
    tab.page.mouse.move(0, 0)
    assert set(tab(parts)) == {1}
    tab.page.locator("svg [data-unit]").first.hover()
    tab.page.wait_for_timeout(300)
    opacities = tab(parts)
    assert min(opacities) < 0.5 and max(opacities) == 1
    assert 1 < opacities.count(1) < len(opacities)


# MathML ---------------------------------------------------------------------------------------------------------------
@every
def test_mathml_is_well_formed_core(name: str) -> None:
    found = re.findall(r"<math>.*?</math>", printed(name), re.DOTALL)
    assert found
    for source in found:
        root = ElementTree.fromstring(source)
        assert {element.tag for element in root.iter()} <= CORE
        assert "".join(root.itertext()).strip(), source
        arity = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
        assert all(len(element) == arity.get(element.tag, len(element)) for element in root.iter()), source
