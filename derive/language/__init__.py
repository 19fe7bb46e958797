"""Sentences by key, in the reader's language. Whole sentences, never built from fragments."""

from __future__ import annotations

import string
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from derive.errors import nearest

LANGUAGES = ("en", "zh")
#: The parts of a table beyond the first, which every page needs; they are read when they are wanted.
PARTS = (
    "check",
    "lint",
    "training",
    "lessons",
    "class",
    "notes",
    "weave",
    "export",
    "reading",
    "notebook",
    "sheet",
    "variants",
    "site",
)


@dataclass(frozen=True, slots=True)
class Both:
    """A sentence that stands in the file of the lesson it belongs to, in every language."""

    en: str
    zh: str


@cache
def table(language: str) -> dict[str, str]:
    """The whole table of one language, flat: `section.forward` -> sentence with {placeholders}."""
    return {key: sentence for name in parts_of(language) for key, sentence in part(name).items()}


def parts_of(language: str) -> tuple[str, ...]:
    """The files of a table, those first that every page needs."""
    return language, *(f"{language}_{part}" for part in PARTS)


@cache
def part(name: str) -> dict[str, str]:
    """One file of a table; those beyond the first are read when they are wanted."""
    text = (Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8")
    return dict(flat(tomllib.loads(text)))


def flat(nested: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in nested.items():
        found += flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, value)]
    return found


class Words:
    """The sentences of one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"unknown language '{language}'.{nearest(language, LANGUAGES)}")
        self.language = language

    @property
    def table(self) -> dict[str, str]:
        return table(self.language)

    def template(self, key: str | Both) -> str:
        """The sentence of a key; `slope.sigmoid` falls back to `slope.other`, so a new op needs no new prose."""
        if isinstance(key, Both):
            return str(getattr(key, self.language))
        for wanted in (key, key.rpartition(".")[0] + ".other"):
            for name in parts_of(self.language):
                if (found := part(name).get(wanted)) is not None:
                    return found
        raise KeyError(f"no sentence '{key}' in {self.language}.toml")

    def parts(self, key: str | Both, args: dict[str, Any]) -> list[Any]:
        """A sentence as texts and the things that stand between them."""
        found: list[Any] = []
        for before, place, _, _ in string.Formatter().parse(self.template(key)):
            if before:
                found.append(before)
            if place is not None:
                found.append(args[place])
        return found

    def plain(self, key: str | Both, **args: Any) -> str:
        """A sentence as text, where everything that goes into it is text."""
        return "".join(str(part) for part in self.parts(key, args))
