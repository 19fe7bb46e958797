"""Reading in the browser: line by line, with numbers or results hidden, with own answers; by keyboard, in print, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import normalize

import golden
import pytest
from nets import HOSTILE, solved

import derive
from derive.document import Line, steps
from derive.formula import names
from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.reading.numbers import read_number
from derive.homework.written import Unreadable
from derive.printers.interactive import gives, precise, result, takes

pytestmark = pytest.mark.xdist_group("reading")

playwright = pytest.importorskip("playwright.sync_api")

SHOWN = "[...document.querySelectorAll('div.line')].filter(e => e.checkVisibility()).length"
ALL = "document.querySelectorAll('div.line').length"
MODES = ["read", "step", "numbers", "results", "try"]


@dataclass
class Tab:
    """A page that is open, and what it did that it should not: requests, messages, dialogs."""

    page: Any
    events: list[str] = field(default_factory=list)

    def __call__(self, script: str, *args: Any) -> Any:
        return self.page.evaluate(script, *args)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def mode(self, name: str) -> None:
        """In this mode, from the beginning."""
        self.page.emulate_media(media="screen")
        for wanted in ("read", name):
            self(f"document.querySelector('button[data-to={wanted}]').click()")

    def text(self, selector: str) -> str:
        return str(self.page.text_content(selector))


@pytest.fixture(scope="module")
def open_tab(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Opens a page, once for all tests, in one browser that is offline."""
    folder = tmp_path_factory.mktemp("pages")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        contexts = {
            scripts: browser.new_context(java_script_enabled=scripts, viewport={"width": 1100, "height": 900})
            for scripts in (True, False)
        }

        @cache
        def opened(name: str, scripts: bool = True, **wishes: Any) -> Tab:
            path: Path = folder / f"{name}.html"
            path.write_text(solved(name, **wishes).to_html(), encoding="utf-8")
            tab = Tab(contexts[scripts].new_page())
            tab.page.on("console", lambda m: tab.events.append(f"console: {m.text}"))
            tab.page.on("pageerror", lambda e: tab.events.append(f"error: {e}"))
            tab.page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else tab.events.append(r.url))
            tab.page.goto(path.as_uri())
            return tab

        yield opened
        browser.close()


def lines_of(name: str) -> list[Line]:
    return [line for step in steps(solved(name).document) for line in step.lines]


# verdicts -------------------------------------------------------------------------------------------------------------
VALUES = ["0.08216704056…", "0.0004385704…", "1.105905967…", "9.96", "0.0995", "99.95", "100", "0", "-0.0381", "1e-9"]
VALUES += ["12345.678", "3/7", "-1/3", "1000", "0.125", "-2.5", "2.5e-300…", "7.00002345e250…", "1", "0.25"]


def written(value: Fraction) -> Iterator[str]:
    """A number, right and wrong, in many spellings."""
    for wrong in (1, -1, Fraction(6, 5), 10, Fraction(1, 1000), Fraction(1003, 1000)):
        number = float(value * wrong)
        for digits in range(6):
            yield f"{number:.{digits}f}" if abs(number) < 1e20 else f"{number:.{digits}e}"
            yield f"{number:.{digits}e}"
            mantissa, exponent = f"{number:.{digits}e}".split("e")
            unit = Fraction(10) ** (int(exponent) - digits)  # cut off, and a unit beside
            yield f"{int(Fraction(number) / unit)}e{int(exponent) - digits}"
            yield f"{round(Fraction(number) / unit) + 1}e{int(exponent) - digits}"
            yield f"{mantissa}00e{exponent}"


ODD = [
    "",
    " ",
    "abc",
    "0x10",
    "1_000",
    "1 000",
    "012",
    "1,5",
    "1.234,5",
    "1,234.5",
    "3/0",
    "03/7",
    "3 / 7",
    "1e309",
    "1e-400",
]
ODD += ["٣", "1" * 41, "nan", "inf", "--1", "+.5", "5.", ".", "-", "−0.0822", "8.22·10⁻²", "8.22×10^-2", "8.22*10^(-2)"]
ODD += [
    "'0.0822",
    "0.0822\u00a0",
    "82.2e-3",
    "0e5",
    "1e3",
    "1.000",
    "1/12",
    "sqrt(2)/2",
    "0.0 8",
    "8,22e-2",
    "-0",
    "0.000",
]


def by_marking(text: str, value: str, comma: bool, precision: Precision) -> str:
    """The verdict of `derive check`, for a first answer."""
    exact = Fraction(value.removesuffix("…"))
    try:
        answer = read_number(text, comma)
    except Unreadable:
        return "unreadable"
    reference = Reference(float(exact), 0.0, lambda: exact, None if value.endswith("…") else exact)
    return ladder.judge(answer, reference, None, precision)


def test_answers_are_judged_as_marking_judges_them(open_tab: Any) -> None:
    """Thousands of answers in one call; what is not offered on a page: closed forms."""
    three, four = Precision(), Precision(None, 4)
    cases = [(text, value, comma, three) for value in VALUES for text in ODD for comma in (False, True)]
    for value in VALUES:
        cases += [(text, value, False, three) for text in written(Fraction(value.removesuffix("…")))]
        cases += [(text, value, False, four) for text in written(Fraction(value.removesuffix("…")))]
    table = [case for case in golden.cases() if not re.search("sqrt|exp|pi", case.text)]
    cases += [(case.text, case.value, case.comma, case.precision) for case in table]
    assert len(table) > 60 and len(cases) > 5000
    judged = """cases => cases.map(([text, value, comma, asked]) => judge(text, value, asked, comma))"""
    asked = [{"significant": p.significant} if p.decimals is None else {"decimals": p.decimals} for *_, p in cases]
    said = open_tab("mazur")(judged, [[*case[:3], wanted] for case, wanted in zip(cases, asked, strict=True)])
    said = ["unreadable" if code == "comma" else code for code in said]
    expected = [by_marking(*case) for case in cases]
    codes = {"correct", "low_precision", "over_precise", "truncated", "last_digit", "too_coarse"}
    assert {*expected} >= codes | {"sign", "power_of_ten", "error", "unreadable"}
    assert [found for found in zip(cases, said, expected, strict=True) if found[1] != found[2]] == []
    assert said[-len(table) :] == [case.verdict for case in table]


def test_results_are_given_with_enough_digits() -> None:
    values = {line.target.key: result(line, solved("mazur").document.values) for line in lines_of("mazur")}
    assert values["z1[1]"] == "0.3775" and values["dL/dW2[1,1]"] == "0.082167040564230778846…"
    fractions = solved("relu_fractions", exact=True).document.values
    exact = [precise(line.target, fractions) for line in lines_of("relu_fractions")]
    assert any("/" in value for value in exact) and not any(value.endswith("…") for value in exact if "/" in value)
    assert {result(line, solved("symbols_only").document.values) for line in lines_of("symbols_only")} == {""}
    slopes = [line for line in lines_of("regression") if line.target.id.startswith("da")]
    assert {result(line, solved("regression").document.values) for line in slopes} <= {"0", "1", ""} | {
        precise(line.target, solved("regression").document.values) for line in slopes
    }
    far = derive.solve(
        {
            "inputs": [1],
            "layers": [{"linear": {"out": 1, "weight": [[1e-305]], "bias": False}}],
            "loss": "mse",
            "targets": [0],
        },
        backward=False,
    )
    shown = {line.target.key: result(line, far.document.values) for step in steps(far.document) for line in step.lines}
    assert shown["z1[1]"] == ""


@pytest.mark.parametrize("name", ["mazur", "batch_3322", "residual", "hostile"])
def test_results_are_those_that_are_printed(name: str) -> None:
    values, found = solved(name).document.values, 0
    for line in lines_of(name):
        if given := result(line, values):
            printed = values.numeral(line.target)
            assert abs(Fraction(given.removesuffix("…")) - printed.fraction) <= printed.ulp / 2, line.target.key
            found += 1
    assert found > 40


def test_marked_work_does_not_give_the_results_away() -> None:
    answers = {"z1[1]": "0.3775", "z1[2]": "0.5", "a1[1]": "0.5933", "dL/dw5": "0.4398"}
    for reveal in ("none", "first", "steps", "all"):
        page = derive.check("mazur", answers, reveal=reveal).to_html()
        assert 'data-value="' not in page and 'data-to="try"' not in page and 'data-to="results"' not in page
        assert "0.08216704056423" not in page
    assert 'data-value="' in derive.solve("mazur").to_html()


# the page in modes ------------------------------------------------------------------------------------------------------
def test_by_keyboard_alone(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.mode("read")
    count = tab(ALL)
    assert tab(SHOWN) > 0 and tab.text("#progress") == ""
    tab.press("ArrowRight")  # keys do nothing while reading
    assert tab("document.querySelectorAll('.later').length") == 0
    tab("document.activeElement.blur()")
    for _ in range(5):
        tab.press("Tab")
        if tab("document.activeElement.dataset.to") == "step":
            break
    tab.press("Enter")
    assert tab("document.body.dataset.mode") == "step"
    assert tab("[...document.querySelectorAll('[aria-pressed=true]')].map(e => e.dataset.to)") == ["step"]
    assert (tab.text("#progress"), tab(SHOWN)) == (f"1 / {count}", 1)
    tab.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert (tab.text("#progress"), tab(SHOWN)) == (f"2 / {count}", 2)
    assert tab.text("#voice").startswith("Line 2 of")
    tab.press("Space", "Control+ArrowRight", "Alt+End")
    assert tab(SHOWN) == 3
    for n in range(4, count + 1):
        tab.press("ArrowRight")
        if n % 20 == 0:
            box = tab("(({top, bottom}) => [top, bottom])(document.querySelector('.current').getBoundingClientRect())")
            assert 0 < box[0] < box[1] <= 901, n
    assert (tab.text("#progress"), tab(SHOWN)) == (f"{count} / {count}", count)
    assert tab("document.querySelectorAll('.later').length") == 0  # what follows the lines stands there again
    tab.press("ArrowRight", "Home")
    assert tab(SHOWN) == 1
    tab.press("End")
    assert tab(SHOWN) == count
    tab.press("?")
    assert tab("document.querySelector('#keys').open")
    tab.press("ArrowLeft", "Escape")
    assert not tab("document.querySelector('#keys').open") and tab.text("#progress") == f"{count} / {count}"
    tab.press("Escape")
    assert tab("document.body.dataset.mode") == "read"
    assert tab("document.querySelectorAll('.later, .current, .now, .used').length") == 0
    assert tab("document.querySelector('main').contains(document.querySelector('figure.diagram'))")
    assert tab.events == []


def test_a_link_reveals_up_to_its_step(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.mode("step")
    tab("location.hash = 'loss/L'")
    reached = "(() => { const e = document.getElementById('loss/L'); return e.checkVisibility() && document.querySelector('.current').closest('.step') === e })()"
    tab.page.wait_for_function(reached)
    assert 1 < tab(SHOWN) < tab(ALL)
    tab("location.hash = 'witnesses'")
    tab.page.wait_for_function("document.getElementById('witnesses').checkVisibility()")
    tab.mode("read")
    tab("history.replaceState(null, '', location.pathname)")


WALK = """() => {
    const found = {}, svg = document.querySelector('figure.diagram svg');
    const lit = tone => [...svg.querySelectorAll('.' + tone)].map(e => e.dataset.unit ?? e.dataset.edge).filter(Boolean);
    for (let last = null; ;) {
        const line = document.querySelector('.current');
        if (line === last) return found;
        found[line.dataset.q] ??= [lit('now'), lit('used'), svg.classList.contains('back')];
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true, cancelable: true}));
        last = line;
    }
}"""


def test_the_diagram_follows(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.mode("step")
    expected = {
        "z1[1]": ({"a1[1]"}, {"W1[1,1]", "W1[1,2]", "x[1]", "x[2]", "b1[1]", "bias1"}),
        "a2[2]": ({"a2[2]"}, set()),
        "L": ({"a2[1]", "a2[2]"}, set()),
        "dL/dW2[1,1]": ({"W2[1,1]"}, {"a2[1]"}),
        "dL/da1[1]": ({"a1[1]"}, {"a2[1]", "a2[2]", "W2[1,1]", "W2[2,1]"}),
        "W1+[2,1]": ({"W1[2,1]"}, set()),
    }
    seen = tab(WALK)
    assert seen.keys() == {line.target.key for line in lines_of("mazur")}
    for key, (now, used) in expected.items():
        assert (set(seen[key][0]), set(seen[key][1])) == (now, used), key
        assert seen[key][2] == key.startswith("d")
    tab.press("Home")
    values = "[...document.querySelectorAll('svg [data-unit^=a] text.ink:not(.symbol)')].filter(e => e.checkVisibility({visibilityProperty: true})).length"
    assert tab(values) == 0
    tab.press("End")
    assert tab(values) == 4
    tab.mode("read")


def test_a_weight_lists_its_lines(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.mode("read")
    expected = [
        line
        for line in lines_of("mazur")
        if {"W2[1,2]", "dL/dW2[1,2]", "W2+[1,2]", "dz2[1]/dW2[1,2]"} & {gives(line), *takes(line).split()}
    ]
    assert len(expected) > 4 and all(any(True for f in line.forms for _ in names(f.formula)) for line in expected)
    tab.page.locator("svg [data-edge='W2[1,2]'] a").focus()
    tab.press("Enter")
    assert tab.page.locator("#uses").is_visible()
    assert tab("document.activeElement.id") == "about"
    assert "w₆" in tab.text("#about")
    assert tab("document.querySelectorAll('#uses li').length") == len(expected)
    marked = "[...document.querySelectorAll('.makes, .takes')].map(e => e.dataset.q)"
    assert sorted(tab(marked)) == sorted(line.target.key for line in expected)
    tab.press("Tab", "Tab", "Enter")
    assert tab("document.activeElement.matches('div.line')")
    tab.press("Escape")
    assert not tab.page.locator("#uses").is_visible() and tab(marked) == []
    assert tab("document.activeElement.closest('[data-edge]').dataset.edge") == "W2[1,2]"
    tab(
        "document.querySelector(\"svg [data-unit='a1[1]'] circle\").dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert tab("document.querySelectorAll('#uses li').length") > 10
    tab.page.click("#uses button")
    tab.press("Tab")
    assert tab.events == []


def test_every_part_of_the_diagram_can_be_asked(open_tab: Any) -> None:
    for name in ("mazur", "batch_3322", "residual"):
        tab = open_tab(name)
        parts = tab(
            "[...document.querySelectorAll('svg [data-unit], svg [data-edge]')].map(e => e.dataset.unit ?? e.dataset.edge)"
        )
        silent = """[...document.querySelectorAll('svg [data-unit], svg [data-edge]')].filter(e => !(e.matches('[role=button]') ||
            e.querySelector('[role=button]'))).map(e => e.dataset.unit ?? e.dataset.edge)"""
        assert [part for part in tab(silent) if not part.startswith(("shortcut", "bias"))] == []
        nameless = (
            "[...document.querySelectorAll('svg [role=button]')].filter(e => !e.getAttribute('aria-label')).length"
        )
        assert parts and tab(nameless) == 0
        assert tab.events == []


COVERED = "[...document.querySelectorAll('.covered')]"


def test_results_are_covered_until_asked_for(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab(
        "document.querySelectorAll('.step').forEach(s => s.style.contentVisibility = 'visible')"
    )  # what is far off counts
    tab.mode("read")
    assert {"0.5933", "0.2984", "0.1385"} <= set(re.findall(r"[\d.]+", tab("document.body.innerText")))
    tab.mode("results")
    results = {"0.5933", "0.7514", "0.2984", "0.08217", "0.1385"}
    assert not {r for r in results if r in tab("document.body.innerText")}
    tab("getSelection().selectAllChildren(document.body)")
    assert not {r for r in results if r in tab("getSelection().toString()")}
    tab("getSelection().removeAllRanges()")
    assert "0.15" in tab("document.querySelector('div.line').innerText")  # what is given is not covered
    readable = [node["name"]["value"] for node in tree(tab) if "name" in node]
    assert readable and not {r for r in results for text in readable if r in text}
    line = "document.querySelector('[data-q=\"a1[1]\"]')"
    tab(f"{line}.querySelector('.v').focus()")
    assert tab("document.activeElement.getAttribute('role')") == "button"
    tab.press("Enter")
    assert "0.5933" in tab(f"{line}.innerText")
    nxt = "document.querySelector('[data-q=\"z2[1]\"]').innerText"
    assert "0.5933" not in tab(nxt)  # a1[2] is not known yet
    tab("document.querySelector('[data-q=\"a1[2]\"] .v').click()")
    assert "0.5933" in tab(nxt) and "1.106" not in tab(nxt)
    tab.mode("read")
    assert tab(COVERED + ".length") == 0
    assert tab("document.querySelectorAll('.l[role], .l[tabindex], .l[aria-label], .shown').length") == 0
    assert "0.2984" in tab("document.body.innerText")


def tree(tab: Tab) -> list[dict[str, Any]]:
    """What a screen reader is told."""
    session = tab.page.context.new_cdp_session(tab.page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [node for node in nodes if not node.get("ignored")]


def test_lines_without_numbers(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.mode("numbers")
    first = "document.querySelector('div.line').innerText.replace(/\\s/g, '')"
    assert normalize("NFKC", tab(first)) == "neth1=w1·i1+w2·i2+b1"
    assert (
        tab(
            "[...document.querySelectorAll('.n, .v, .r, .copy')].filter(e => e.checkVisibility({visibilityProperty: true})).length"
        )
        == 0
    )
    tab.mode("read")


def test_own_answers(open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.mode("try")
    fields = tab.page.locator(".try input")
    keys = list(dict.fromkeys(line.target.key for line in lines_of("mazur")))
    assert fields.count() == len(keys)
    fields.first.focus()
    tab.press("0", ".", "3", "7", "?", "Escape", "ArrowLeft")  # keys are letters here
    assert tab("document.body.dataset.mode") == "try" and fields.first.input_value() == "0.37?"
    fields.first.fill("−0.3775")
    tab.press("Enter")
    assert tab.text(".try output") == "The sign is wrong." and tab.text("#score") == "0 of 1 right"
    fields.first.fill("0.378")
    tab.press("Enter")
    assert tab.text(".try output") == "Right." and tab.text("#score") == "1 of 1 right"
    assert "0.3775" in tab("document.querySelector('div.line').innerText")
    assert tab("document.activeElement.getAttribute('aria-label')").endswith("neth2")
    printed = """() => { for (const field of document.querySelectorAll('.try input')) {
        field.value = field.closest('.line').querySelector('.v').textContent.replace(/^[=≈]/, '').replace('×10', '×10^');
        field.dispatchEvent(new Event('change', {bubbles: true})); } }"""
    tab(printed)
    assert tab.text("#score") == f"{len(keys)} of {len(keys)} right"
    assert tab(COVERED + ".length") == 0
    tab.mode("read")
    assert tab("document.querySelectorAll('.try, input').length") == 0
    assert tab.events == []


# other pages ------------------------------------------------------------------------------------------------------------
def test_pages_nobody_prepared(open_tab: Any) -> None:
    for name, wishes in (("batch_3322", {}), ("hostile", {}), ("softmax_classifier", {"lang": "zh", "form": "both"})):
        tab = open_tab(name, **wishes)
        for mode in MODES:
            tab.mode(mode)
            if mode == "step":
                tab.press("End", "ArrowLeft")
                assert tab("document.querySelectorAll('.later div.line, div.line.later').length") == 1
        tab.mode("read")
        assert tab.events == []
    assert tab.text("button[data-to=try]") == "自己试算"
    tab = open_tab("hostile")
    tab.page.locator("svg [data-edge='W1[1,1]'] a").focus()
    tab.press("Enter")
    assert HOSTILE[0] in tab.text("#about") and tab("document.querySelectorAll('#uses script').length") == 0
    tab.press("Escape")


def test_symbols_have_no_results_to_hide(open_tab: Any) -> None:
    tab = open_tab("symbols_only")
    assert tab(
        "[...document.querySelectorAll('#modes [data-to]')].filter(e => e.checkVisibility()).map(e => e.dataset.to)"
    ) == ["read", "step"]


# print, phones, no scripts ------------------------------------------------------------------------------------------------
PLACES = """[...document.querySelectorAll('main .eq, main .why, main td, main svg, main h2, main h3, header *')]
    .map(e => { const b = e.getBoundingClientRect(); return [b.x, b.y + scrollY, b.width, b.height].map(Math.round).join() })"""


def test_reading_and_print_are_as_without_a_script(open_tab: Any) -> None:
    plain, tab = open_tab("mazur", scripts=False), open_tab("mazur")
    assert plain.page.locator("#modes, #pin, #uses, #keys, input").locator("visible=true").count() == 0
    tab.mode("read")
    for page in (plain, tab):
        page.page.emulate_media(media="print")
        page("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert tab.page.locator("#modes, #pin, #uses, #keys, .copy").locator("visible=true").count() == 0
    assert tab(PLACES) == plain(PLACES)
    tab.mode("step")
    tab.page.emulate_media(media="print")
    tab("dispatchEvent(new Event('beforeprint'))")
    assert tab(SHOWN) == tab(ALL) and tab(PLACES) == plain(PLACES)  # all of it is printed
    tab("dispatchEvent(new Event('afterprint'))")
    tab.mode("results")  # a sheet to fill in
    tab.page.emulate_media(media="print")
    assert "0.2984" not in tab("document.body.innerText")
    tab.mode("read")


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_too_wide_for_a_phone(mode: str, open_tab: Any) -> None:
    tab = open_tab("mazur")
    tab.page.set_viewport_size({"width": 390, "height": 800})
    tab.mode(mode)
    tab("scrollTo(0, 2000)")
    assert tab("document.documentElement.scrollWidth") <= 390
    assert tab("document.querySelector('#modes').getBoundingClientRect().top") == 0  # it stays in sight
    tab.mode("read")
    tab.page.set_viewport_size({"width": 1100, "height": 900})
