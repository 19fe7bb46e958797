"""The guide, and the commands as their help tells them."""

from __future__ import annotations

from collections.abc import Iterator

from derive.site.pages import Page, Site


def pages(site: Site) -> Iterator[Page]:
    title = site.words.plain("site.part.guide")
    yield Page("guide/index.html", title, site.sheet(title, []))
