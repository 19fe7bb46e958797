"""The reference: what there is, from the tables themselves, every formula from the tree that derive computes with."""

from __future__ import annotations

from collections.abc import Iterator

from derive.document import Say, Table, say
from derive.homework.mistakes import mistakes as known_mistakes
from derive.printers.site import Goto
from derive.site.pages import Page, Site, section, table
from derive.site.reference import files as of_files
from derive.site.reference import functions, mistakes, networks, python, symbols, training
from derive.site.reference.files import files

GROUPS = {
    "network": ("layers", "activations", "losses", "penalties", "initializers"),
    "training": ("optimizers", "schedules"),
    "writing": ("notations", "ids"),
    "files": ("net", "answers", "marking", "mistakes"),
    "programs": ("python", "codes"),
}
PAGES = 1 + sum(map(len, GROUPS.values()))
SHEETS = (networks, functions, training, symbols, of_files, mistakes, python)


def pages(site: Site) -> Iterator[Page]:
    """Every page of the reference, and the list of them."""
    for sheet in SHEETS:
        yield from sheet.pages(site)
    title = site.words.plain("site.part.reference")
    sections = [
        section(group, say(f"site.reference.group.{group}"), listed(group, names)) for group, names in GROUPS.items()
    ]
    yield Page("reference/index.html", title, site.sheet(title, sections, (say("site.reference.intro.index"),)))


def listed(group: str, names: tuple[str, ...]) -> Table:
    rows = [(link(name), summary(name)) for name in names]
    return table(f"{group}/table", "pages", ("page", "content"), rows, broken=True)


def summary(name: str) -> Say:
    """What a page holds."""
    counts = {"mistakes": {"count": len(list(known_mistakes))}}
    return say(f"site.reference.intro.{name}", **counts.get(name, {}))


def link(name: str) -> Goto:
    return Goto(f"reference/{name}.html", say(f"site.reference.title.{name}"))


__all__ = ["files", "pages"]
