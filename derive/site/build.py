"""The whole site as files, and the folder they go to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from derive.document import Section, Step
from derive.errors import WitnessError
from derive.files import Earlier, Results
from derive.printers.common import template
from derive.printers.site import Frame, safe, style, text_of
from derive.printers.site import page as printed
from derive.site import corrected, errata, gallery, guide, home, lessons, links, reference
from derive.site.pages import PARTS, Page, Site


@dataclass(frozen=True)
class Built:
    """A site. files: path -> content, in order · pages: how many of them are pages"""

    files: dict[str, bytes]
    pages: int

    @property
    def size(self) -> int:
        return sum(map(len, self.files.values()))

    def save(self, folder: str | Path) -> Earlier:
        """Writes the site, and removes what an earlier one left there."""
        results = Results(Path(folder))
        for path, content in self.files.items():
            results.write(path, content)
        return results.finish()


def build(
    site: Site,
    *,
    stage: Callable[[str], None] = lambda name: None,
    progress: Callable[[int, int], None] = lambda made, planned: None,
) -> Built:
    """The site; the same bytes each time.

    stage, progress: are told what is made
    Raises WitnessError where a page or a published error that it tells of does not hold, or a link leads nowhere.
    """
    files: dict[str, bytes] = {}
    index: list[tuple[str, str, str]] = []
    for made, (planned, page) in enumerate(pages(site, stage)):
        progress(made, planned)
        files[page.path] = printed(page.document, frame(site, page)).encode("utf-8")
        index += indexed(site, page)
    count = len(files)
    stage("print")
    files |= dict(gallery.files(site))
    files |= dict(reference.files())
    files["page.js"] = template("site_page.js", escaped=False).render().encode("utf-8")
    files["style.css"] = style().encode("utf-8")
    entries = safe(json.dumps(index, ensure_ascii=False, separators=(",", ":")))
    files["search.js"] = template("search.js", escaped=False).render(index=entries).encode("utf-8")
    if faults := links.faults(files):
        raise WitnessError(f"the site: {faults[0]}")
    return Built(dict(sorted(files.items())), count)


def pages(site: Site, stage: Callable[[str], None]) -> Iterator[tuple[int, Page]]:
    """Every page, part by part, with how many there are about to be."""
    stage("errata")
    judged = errata.all_judged()
    parts: list[tuple[str, Callable[[], Iterator[Page]]]] = [
        ("home", lambda: iter([home.page(site, errata.totals(judged)), corrected.page(site, judged)])),
        ("guide", lambda: guide.pages(site)),
        ("gallery", lambda: gallery.pages(site)),
        ("lessons", lambda: lessons.pages(site)),
        ("reference", lambda: reference.pages(site)),
    ]
    planned = 5 + len(site.tasks) + len(gallery.FORMS) * len(site.examples) + len(site.topics) + reference.PAGES
    for name, made in parts:
        stage(name)
        for page in made():
            yield planned, page


def frame(site: Site, page: Page) -> Frame:
    """What a page has around it."""
    names = tuple((path, site.words.plain(f"site.part.{part}")) for part, path in PARTS.items())
    title = page.title if page.path == "index.html" else site.words.plain("site.title", title=page.title)
    return Frame(page.path, title, names, list(PARTS).index(page.part), page.look, site.topics)


def indexed(site: Site, page: Page) -> Iterator[tuple[str, str, str]]:
    """A page for the search: (title, address, part), and likewise its sections, and steps with a plain name of their own."""
    part = site.words.plain(f"site.part.{page.part}")
    yield page.title, page.path, part
    sections: tuple[Section, ...] = page.document.sections if page.found else ()
    for section in sections:
        yield text_of(page.document, (section.title,)), f"{page.path}#{section.id}", page.title
        for block in section.blocks:
            if isinstance(block, Step) and "/" not in block.id:
                yield text_of(page.document, (block.title,)), f"{page.path}#{block.id}", page.title
