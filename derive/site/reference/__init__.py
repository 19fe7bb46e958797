"""The reference: what there is, from the tables themselves."""

from __future__ import annotations

from collections.abc import Iterator

from derive.site.pages import Page, Site


def pages(site: Site) -> Iterator[Page]:
    title = site.words.plain("site.part.reference")
    yield Page("reference/index.html", title, site.sheet(title, []), "plain")


def files() -> Iterator[tuple[str, bytes]]:
    return iter(())
