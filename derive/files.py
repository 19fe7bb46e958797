"""Files written whole or not at all, and folders with a list of what derive wrote there, so that nothing old is taken for new."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from derive.errors import InputError

LIST = "files.sha256"  # as `sha256sum -c` reads it
HEAD = "# derive wrote these files, and removes them when it writes others in their place"
_LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>[^/\\\0]+(?:/[^/\\\0]+)*)")


def write(path: Path, content: str | bytes) -> None:
    """A file, whole or not at all: written beside its place and moved there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".derive-")
    except OSError as error:
        raise InputError(f"cannot be written: {(error.strerror or str(error)).lower()}", file=str(path)) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, 0o666 & ~umask())
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(f"cannot be written: {(error.strerror or str(error)).lower()}", file=str(path)) from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def umask() -> int:
    """The mask for new files; Python can only ask for it by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class Earlier:
    """Files of an earlier run that this one did not write. removed: as derive left them · kept: changed since then"""

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class Results:
    """A folder that is written to, file by file.

    filled: patterns of names that others fill in: such a file is not written over once it was changed
    """

    def __init__(self, folder: Path, filled: Sequence[str] = ()) -> None:
        self.folder, self.filled = folder, filled
        self.sums: dict[str, str] = {}

    def write(self, name: str, content: str | bytes) -> None:
        """A file, whole or not at all. name: with `/` where it is in a folder of the folder"""
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        self.refuse(name)
        if self.behind_link(self.folder / name):
            raise InputError("this is behind a link to another folder", file=str(self.folder / name))
        write(self.folder / name, data)
        self.sums[name] = sum_of(data)

    def refuse(self, name: str) -> None:
        """An InputError for a file that others fill in and that is not as an earlier run left it."""
        path = self.folder / name
        if not any(fnmatchcase(path.name, pattern) for pattern in self.filled) or not path.is_file():
            return
        sum = self.listed.get(name)
        if sum is not None and sum_of(path.read_bytes()) != sum:
            problem = "this was changed since derive wrote it; choose another folder, or remove it"
            raise InputError(problem, file=str(path))

    def finish(self) -> Earlier:
        """Removes what an earlier run wrote and this one did not, unless it was changed, and lists what is there now."""
        removed, kept = [], []
        for name, sum in sorted(self.listed.items()):
            path = self.folder / name
            if name in self.sums or path.is_symlink() or self.behind_link(path) or not path.is_file():
                continue
            if sum_of(path.read_bytes()) == sum:
                path.unlink()
                removed.append(name)
                if path.parent != self.folder and not any(path.parent.iterdir()):
                    path.parent.rmdir()
            else:
                kept.append(name)
        lines = [HEAD, *(f"{sum}  {name}" for name, sum in sorted(self.sums.items()))]
        write(self.folder / LIST, "\n".join(lines) + "\n")
        return Earlier(tuple(removed), tuple(kept))

    @cached_property
    def listed(self) -> dict[str, str]:
        """What the list of an earlier run names: files of this folder, whatever else it says. Read once."""
        path = self.folder / LIST
        if path.is_symlink() or not path.is_file():
            return {}
        head, *rest = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
        if head != HEAD:  # somebody's own sums
            return {}
        lines = map(_LINE.fullmatch, rest)
        inside = (line for line in lines if line is not None and not {".", ".."} & {*line["name"].split("/")})
        return {line["name"]: line["sum"] for line in inside}

    def behind_link(self, path: Path) -> bool:
        """Whether a folder on the way to a file is a link to somewhere else."""
        return any(part.is_symlink() for part in path.parents if self.folder in part.parents)


def fill(folder: Path, files: Mapping[str, str | bytes], filled: Sequence[str] = ()) -> Earlier:
    """Writes files into a folder, and removes those of an earlier run that are not written again. filled: as in `Results`"""
    results = Results(folder, filled)
    for name in files:
        results.refuse(name)
    for name, content in files.items():
        results.write(name, content)
    return results.finish()


def deliver(place: Path, content: str | bytes | Mapping[str, str | bytes]) -> Earlier:
    """Writes what a format gives: a file, or a folder of files without those of an earlier run that are not among them."""
    if isinstance(content, Mapping):
        return fill(place, content)
    write(place, content)
    return Earlier()


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
