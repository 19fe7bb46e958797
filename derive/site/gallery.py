"""The gallery: every built-in example, worked, with its file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive import examples
from derive.document import Block, Code, Document, Figure, Section, say
from derive.figures.network import Network
from derive.printers.site import Goto
from derive.site.pages import Page, Site, section
from derive.solution import solve

FORMS = ("scalar", "matrix")


def pages(site: Site) -> Iterator[Page]:
    """The worked pages, unit by unit and in matrices, and the page that shows them all."""
    cards = []
    for name in site.examples:
        solved = {form: solve(name, form=form, lang=site.language).document for form in FORMS}
        for form, document in solved.items():
            title = site.words.plain(f"site.gallery.{form}", title=document.title)
            yield Page(address(name, form), title, noted(document, name, form), look="", found=False)
        cards.append(card(site, name, solved["scalar"]))
    title = site.words.plain("site.part.gallery")
    yield Page("gallery/index.html", title, site.sheet(title, cards, (say("site.gallery.intro"),)), "sheet cards")


def files(site: Site) -> Iterator[tuple[str, bytes]]:
    """The network files, as they ship."""
    for name in site.examples:
        yield f"gallery/{name}.yaml", examples.text(name).encode("utf-8")


def address(name: str, form: str) -> str:
    """The page of an example."""
    return f"gallery/{name}.html" if form == "scalar" else f"gallery/{name}-{form}.html"


def noted(document: Document, name: str, form: str) -> Document:
    """A worked page with its file at the end, and the way to the other form."""
    other = next(f for f in FORMS if f != form)
    link = Goto(address(name, other), say(f"site.gallery.other.{other}"))
    download = Goto(f"gallery/{name}.yaml", f"{name}.yaml")
    file = section("file", say("site.gallery.file"), say("site.gallery.from", file=download), Code(text(name)))
    return replace(
        document, summary=(*document.summary, say("site.gallery.also", other=link)), sections=(*document.sections, file)
    )


def text(name: str) -> str:
    return examples.text(name).strip()


def card(site: Site, name: str, document: Document) -> Section:
    """An example at a glance: its diagram, what it shows, and the ways to it."""
    links = {form: Goto(address(name, form), say(f"site.gallery.form.{form}")) for form in FORMS}
    file = Goto(f"gallery/{name}.yaml", f"{name}.yaml")
    shows: list[Block] = [say(f"site_example.{name}"), say("site.gallery.links", **links, file=file)]
    return section(name, document.title, *diagrams(document, name), *shows)


def diagrams(document: Document, id: str) -> Iterator[Figure]:
    """The diagram of a worked page, without links into it."""
    for part in document.sections:
        for block in part.blocks:
            if isinstance(block, Figure) and isinstance(block.picture, Network):
                edges = tuple(replace(edge, step="") for edge in block.picture.edges)
                yield replace(block, id=f"{id}/network", picture=replace(block.picture, edges=edges))
                return
