"""The first page: what derive is, how to start, and what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from derive.document import Block, Code, Section, Step, say
from derive.passes import select
from derive.printers.site import Goto
from derive.site.gallery import diagrams
from derive.site.pages import PARTS, Page, Site
from derive.solution import solve

START = "python3 -m pip install .\nderive backprop mazur"
SHOWN = ("w5",)  # what is shown of the worked example


def page(site: Site, counts: Mapping[str, int]) -> Page:
    """counts: what the errata come to, for the sentence about them."""
    solution = solve("mazur", lang=site.language, form="scalar")
    lines = select(solution.document, [solution.named(name) for name in SHOWN])
    looks: list[Block] = [say("site.home.picture", page=Goto("gallery/mazur.html", solution.document.title))]
    looks += [*diagrams(solution.document, "home"), *steps(lines.sections)]
    parts = [
        say(f"site.home.to.{part}", page=Goto(path, say(f"site.part.{part}")), **numbers(site, part, counts))
        for part, path in PARTS.items()
        if part != "home"
    ]
    sections = (
        Section("what", say("site.home.what"), (say("site.home.does"), say("site.home.checked"))),
        Section("start", say("site.home.start"), (Code(START, "sh"), say("site.home.started"))),
        Section("looks", say("site.home.looks"), tuple(looks)),
        Section("parts", say("site.home.parts"), tuple(parts)),
    )
    values = solution.document.values.branch(solution.document.values.policy)
    values.home.clear()  # the steps that numbers come from are on another page
    document = replace(
        solution.document, values=values, title="derive", summary=(say("site.home.summary"),), sections=sections
    )
    return Page("index.html", site.words.plain("site.home.title"), replace(document, conventions=(), witnesses=()))


def numbers(site: Site, part: str, counts: Mapping[str, int]) -> dict[str, object]:
    """What the sentence about a part counts."""
    known: dict[str, dict[str, object]] = {
        "gallery": {"examples": len(site.examples)},
        "lessons": {"lessons": len(site.topics)},
        "errata": {"wrong": counts["wrong"], "right": counts["right"]},
    }
    return known.get(part, {})


def steps(sections: tuple[Section, ...]) -> Iterator[Block]:
    for part in sections:
        yield from (block for block in part.blocks if isinstance(block, Step))
