"""Reference of the list of mistakes that marking looks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.document import Step, say
from derive.homework.mistakes import mistakes
from derive.homework.mistakes.base import PARTS, Mistake
from derive.site.pages import Page, Site, section


def pages(site: Site) -> Iterator[Page]:
    title = site.words.plain("site.reference.title.mistakes")
    listed = list(mistakes)
    parts = {letter: [mistake for mistake in listed if mistake.id[0] == letter] for letter in PARTS}
    sections = [
        section(f"part-{letter}", say(f"site.mistakes.{letter}"), *map(told, found))
        for letter, found in parts.items()
        if found
    ]
    intro = (say("site.reference.intro.mistakes", count=len(listed)),)
    yield Page("reference/mistakes.html", title, site.sheet(title, sections, intro))


def told(mistake: Mistake) -> Step:
    """A mistake under its id, what is told of it, and the lesson in which what is right is derived."""
    title = say("check.titled", rule=mistake.id, title=say(f"mistake_title.{mistake.id}"))
    happens = say("site.mistakes.prior", how=say(f"site.mistakes.prior_{mistake.prior}"))
    return Step(mistake.id, title, (replace(say(f"mistake.{mistake.id}"), lesson=mistake.lesson), happens))
