"""Sentences by key, in the reader's language. Whole sentences, never built from fragments."""

from __future__ import annotations

import string
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from derive.errors import nearest

LANGUAGES = ("en", "zh")


@cache
def table(language: str) -> dict[str, str]:
    """The table of one language, flat: `section.forward` -> sentence with {placeholders}."""
    text = (Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8")
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
        self.table = table(language)

    def template(self, key: str) -> str:
        """The sentence of a key; `slope.sigmoid` falls back to `slope.other`, so a new op needs no new prose."""
        found = self.table.get(key, self.table.get(key.rpartition(".")[0] + ".other"))
        if found is None:
            raise KeyError(f"no sentence '{key}' in {self.language}.toml")
        return found

    def parts(self, key: str, args: dict[str, Any]) -> list[Any]:
        """A sentence as texts and the things that stand between them."""
        found: list[Any] = []
        for before, place, _, _ in string.Formatter().parse(self.template(key)):
            if before:
                found.append(before)
            if place is not None:
                found.append(args[place])
        return found

    def plain(self, key: str, **args: Any) -> str:
        """A sentence as text, where everything that goes into it is text."""
        return "".join(str(part) for part in self.parts(key, args))
