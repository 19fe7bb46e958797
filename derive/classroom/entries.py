"""The files of a folder or an archive, without following, extracting or trusting any of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from derive.errors import InputError

MOST_FILES = 10_000
MOST_BYTES = 256 * 2**20  # of all files together
MOST_OF_ONE = 256 * 2**10  # bytes of one file
DEEPEST = 6


class Refused(Exception):
    """A file that is not read. code: why, as in the language tables: `link`, `too_large` …"""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """A file below the top. read: its bytes, or Refused · problem: why it is refused, where that is known already"""

    parts: tuple[str, ...]
    read: Callable[[], bytes]
    problem: str = ""

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def hidden(self) -> bool:
        """Whether it is a system's own file rather than a student's."""
        return any(part.startswith((".", "~$", "__MACOSX")) or part == "Thumbs.db" for part in self.parts)


def refused(parts: tuple[str, ...], code: str) -> Entry:
    """An entry that is there, and is not read."""

    def read() -> bytes:
        raise Refused(code)

    return Entry(parts, read, code)


def walk(top: Path) -> Iterator[Entry]:
    """All files of a folder in the order of their names; what is no plain file, or lies too deep, is refused."""
    found = 0
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(top.joinpath(*inside)) as listing:
                children = sorted(listing, key=lambda child: os.fsencode(child.name))
        except OSError as error:
            if not inside:
                raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", file=str(top)) from None
            yield refused(inside, "no_permission")
            continue
        found += len(children)
        if found > MOST_FILES:
            raise InputError(f"more than {MOST_FILES:,} files", file=str(top))
        if inside and not children:
            yield refused(inside, "empty_folder")
        deeper = []
        for child in children:
            parts = (*inside, child.name)
            if child.is_symlink():
                yield refused(parts, "link")
            elif not child.is_dir(follow_symlinks=False):
                yield plain(Path(child.path), parts)
            elif len(parts) == DEEPEST:
                yield refused(parts, "too_deep")
            else:
                deeper.append(parts)
        waiting += reversed(deeper)


def plain(path: Path, parts: tuple[str, ...]) -> Entry:
    """A file that is read if, when it is opened, it is a plain one and not too large."""

    def read() -> bytes:
        return contents(path)

    return Entry(parts, read)


def contents(path: Path, most: int = MOST_OF_ONE) -> bytes:
    """The bytes of a plain file; Refused for links, devices, pipes, and what is too large, as opened and not as listed."""
    try:
        # a pipe would wait for a writer, a link lead elsewhere; both flags are POSIX's
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(path, os.O_RDONLY | flags)
    except PermissionError:
        raise Refused("no_permission") from None
    except OSError:
        raise Refused("link" if path.is_symlink() else "not_a_file") from None
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Refused("not_a_file")
        data = stream.read(most + 1)
    return checked(data, most)


def checked(data: bytes, most: int = MOST_OF_ONE) -> bytes:
    """The bytes of a file, if they are neither none nor too many."""
    if not data:
        raise Refused("empty")
    if len(data) > most:
        raise Refused("too_large")
    return data
