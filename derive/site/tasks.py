"""The data files of the site: the tasks of the guide, and how such files are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from derive.source import Item, Limits, parse

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Task:
    """A task of the guide, as guide.yaml says.

    files: name -> content · commands: as they are typed · shows: files that are shown afterwards
    """

    id: str
    commands: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    shows: tuple[str, ...] = ()


@cache
def tasks() -> tuple[Task, ...]:
    """All tasks of the guide, in order."""
    return tuple(
        Task(given["id"], tuple(given["commands"]), given.get("files", {}), tuple(given.get("shows", ())))
        for given in data("guide.yaml")
    )


def data(name: str) -> Any:
    """A data file of the site as lists and mappings of the texts that stand there."""
    path = FOLDER / name
    return plain(parse(path.read_text(encoding="utf-8"), name, Limits(literal=True)))


def plain(item: Item) -> Any:
    """A tree without its places."""
    match item.value:
        case dict():
            return {key: plain(value) for key, value in item.value.items()}
        case list():
            return [plain(value) for value in item.value]
    return item.value
