"""The lessons: every file here is a topic, its name the topic's id, its `lesson` what is taught.

A new file is all a new topic needs: `derive explain`, `derive list`, the book and the tests find it here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.board import Lesson


@cache
def topics() -> tuple[str, ...]:
    """The ids of all topics, by name."""
    names = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return tuple(sorted(name for name in names if not name.startswith("_")))


def load(topic: str) -> Lesson:
    """The lesson of a topic."""
    found: Lesson = import_module(f"derive.lessons.{topic}").lesson
    return found


def in_order() -> list[str]:
    """The ids in the order of the book: chapter by chapter."""
    from derive.board import CHAPTERS

    return sorted(topics(), key=lambda topic: (CHAPTERS.index(load(topic).chapter), load(topic).position, topic))


def by_chapter() -> dict[str, list[str]]:
    """chapter -> the ids of its lessons, in order."""
    found: dict[str, list[str]] = {}
    for topic in in_order():
        found.setdefault(load(topic).chapter, []).append(topic)
    return found
