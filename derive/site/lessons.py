"""The lessons, each at its own address."""

from __future__ import annotations

from collections.abc import Iterator

from derive.board import said
from derive.document import say
from derive.lessons import by_chapter, load
from derive.printers.site import Goto
from derive.site.pages import Page, Site, section, table
from derive.teaching import explain


def pages(site: Site) -> Iterator[Page]:
    """Every lesson, and the list of them by chapter."""
    chapters = []
    for chapter, every in by_chapter().items():
        topics = [topic for topic in every if topic in site.topics]
        if not topics:
            continue
        rows = [
            (Goto(f"lessons/{topic}.html", said(load(topic).title), topic), said(load(topic).short)) for topic in topics
        ]
        listed = table(f"chapter/{chapter}/table", "lessons", ("lesson", "result"), rows, broken=True)
        chapters.append(section(f"chapter/{chapter}", say(f"chapter.{chapter}"), listed))
        for topic in topics:
            document = explain(topic, lang=site.language).document
            yield Page(
                f"lessons/{topic}.html",
                site.words.plain("site.lesson", title=document.title),
                document,
                look="",
                found=False,
            )
    title = site.words.plain("site.part.lessons")
    yield Page("lessons/index.html", title, site.sheet(title, chapters, (say("site.lessons.intro"),)))
