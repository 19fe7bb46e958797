"""Folders of fragments beside notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from derive.errors import InputError
from derive.files import Results, fill


@dataclass(frozen=True)
class Folder:
    """A folder with what is to be in it, by the names of its files."""

    path: Path
    files: Mapping[str, bytes]

    @property
    def fresh(self) -> bool:
        """Whether all this is there, and nothing else of an earlier run."""
        old = [name for name in Results(self.path).listed if name not in self.files and (self.path / name).is_file()]
        return not old and all(content == there(self.path / name) for name, content in self.files.items())

    def write(self) -> None:
        if not self.fresh:
            fill(self.path, self.files)


def folder_of(beside: Path, name: str, files: Mapping[str, str | bytes]) -> Folder:
    """A folder inside the one the notes stand in; nobody else's files are in its way."""
    path = beside / name
    if Path(name).is_absolute() or not path.resolve().is_relative_to(beside.resolve()):
        raise InputError(f"into={name} leads out of the folder of the notes")
    if path.exists() and not path.is_dir():
        raise InputError(f"into={name} is no folder")
    contents = {file: text if isinstance(text, bytes) else text.encode("utf-8") for file, text in files.items()}
    results = Results(path, filled=("*",))
    ours = results.listed
    for file, content in contents.items():
        if (path / file).exists() and there(path / file) != content:
            if file not in ours:
                raise InputError(f"in {name} there is a file {file} already, which derive did not write")
            results.refuse(file)
    return Folder(path, contents)


def there(path: Path) -> bytes | None:
    """What a file holds, None where there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return None
