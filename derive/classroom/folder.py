"""What was handed in: a folder, a zip archive or one table, laid out as Moodle, Canvas or the lecturer does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from derive.classroom import archive, entries
from derive.classroom.entries import Entry
from derive.classroom.naming import Owner, owner, pattern_of
from derive.errors import InputError

DATA = (".yaml", ".yml", ".json", ".toml", ".csv", ".tsv")
TEXTS = (".md", ".markdown", ".txt")  # answers too, if nothing else is there: they may be notes
ANSWERS = "answers"
MOST_OF_A_STUDENT = 100  # files
MOST_OF_A_TABLE = 16 * 2**20  # bytes of one CSV with a whole class


@dataclass(frozen=True)
class Handed:
    """One submission: where it lies below the top, whose it is, and its bytes, or why it is not read."""

    source: str
    owner: Owner
    entry: Entry
    table: bool = False

    def read(self) -> bytes:
        return self.entry.read()


@dataclass(frozen=True)
class LeftOut:
    """A file that is nobody's submission, and why."""

    source: str
    code: str


@dataclass(frozen=True)
class Batch:
    """All there is, in the order of the names."""

    handed: tuple[Handed, ...]
    left_out: tuple[LeftOut, ...]


@contextmanager
def discover(path: Path, id_regex: str | None = None) -> Iterator[Batch]:
    """What lies in a folder, a zip archive, or one CSV with many students; readable while the context lasts.

    id_regex: where in a file's path the student's id stands, `(?P<student_id>…)`, in the place of the known layouts
    """
    pattern = pattern_of(id_regex)

    def owned(parts: tuple[str, ...]) -> Owner:
        return owner(parts, pattern)

    if path.is_dir():
        yield sorted_out(entries.walk(path), owned)
    elif path.suffix.lower() == ".zip":
        with archive.opened(path) as opened:
            yield sorted_out(archive.walk(opened), owned)
    elif path.exists():
        entry = Entry((path.name,), lambda: entries.contents(path, MOST_OF_A_TABLE))
        yield Batch((Handed(path.name, Owner(""), entry, table=True),), ())
    else:
        raise InputError("no such file or folder", file=str(path))


def sorted_out(found: Iterable[Entry], owned: Callable[[tuple[str, ...]], Owner]) -> Batch:
    """The submissions among the files: one of each folder, or a file by itself."""
    left_out: list[LeftOut] = []
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in found:
        whose = owned(entry.parts)
        if entry.hidden or entry.problem == "bad_path":  # a path that lies says nothing about its owner
            left_out.append(LeftOut(entry.path, entry.problem or "hidden"))
        elif not whose.student:
            left_out.append(LeftOut(entry.path, entry.problem or "no_id"))
        elif len(entry.parts) == 1 and not readable(entry):
            left_out.append(LeftOut(entry.path, entry.problem or "unknown_kind"))
        else:
            groups.setdefault((entry.parts[0], whose.student), []).append(entry)
    handed = []
    for group in groups.values():
        chosen, others = choose(group)
        handed.append(Handed(chosen.path, owned(group[0].parts), chosen))
        left_out += [LeftOut(entry.path, entry.problem or "beside") for entry in others]
    return Batch(tuple(handed), tuple(left_out))


def readable(entry: Entry, kinds: tuple[str, ...] = DATA + TEXTS) -> bool:
    """Whether its name says that it may hold answers."""
    return entry.parts[-1].lower().endswith(kinds)


def choose(group: list[Entry]) -> tuple[Entry, list[Entry]]:
    """The answers among a student's files, and the others; which it is must not be a guess."""
    top = group[0].parts[:1]
    candidates = [entry for entry in group if readable(entry)]
    named = [entry for entry in candidates if entry.parts[-1].lower().rpartition(".")[0] == ANSWERS]
    data = [entry for entry in candidates if readable(entry, DATA)]
    if len(group) > MOST_OF_A_STUDENT:
        return entries.refused(top, "too_many_files"), []
    likely = named or data or candidates
    if len(likely) == 1:
        return likely[0], [entry for entry in group if entry is not likely[0]]
    if len(group) == 1:
        return entries.refused(top, group[0].problem or "unknown_kind"), []
    return entries.refused(top, "several_files" if candidates else "unknown_kind"), group
