"""Whose work a file is: ids from the names that learning platforms give to files, and file names made of ids."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from derive.errors import InputError

GROUP = "student_id"
LONGEST = 200  # characters of an id

_MOODLE = re.compile(r"(?P<name>.+)_(?P<student>[0-9]+)_assignsubmission_(?:file|onlinetext)_?", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<student>[0-9]+)_[0-9]+_.+", re.DOTALL)
_SAFE = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_TAKEN = {"grades", "summary", "results", "con", "prn", "aux", "nul"}
_TAKEN |= {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who handed a file in, by its name. platform: whether the id is a platform's own number for the student"""

    student: str
    name: str = ""
    late: bool = False
    platform: bool = False


def cleaned(text: str) -> str:
    """An id or a name as it is compared: composed letters, no spaces around, nothing invisible, of bounded length."""
    text = unicodedata.normalize("NFC", text)
    return "".join(c for c in text if c.isprintable())[:LONGEST].strip()


def owner(parts: tuple[str, ...], pattern: re.Pattern[str] | None = None) -> Owner:
    """The owner of the file at `parts`, the folders and the name below the top; an empty id where there is none.

    pattern: the lecturer's own, with a group `student_id`, searched in the path
    """
    if pattern is not None:
        found = pattern.search("/".join(parts))
        return Owner(cleaned((found and found[GROUP]) or ""))
    if len(parts) > 1:
        if moodle := _MOODLE.fullmatch(parts[0]):
            return Owner(cleaned(moodle["student"]), cleaned(moodle["name"]), platform=True)
        return Owner(cleaned(parts[0]))
    if canvas := _CANVAS.fullmatch(parts[0]):
        return Owner(cleaned(canvas["student"]), cleaned(canvas["name"]), bool(canvas["late"]), platform=True)
    stem, dot, _ = parts[0].rpartition(".")
    return Owner(cleaned(stem if dot else parts[0]))


def pattern_of(written: str | None) -> re.Pattern[str] | None:
    """The lecturer's pattern for ids; InputError where it is none, or has no group `student_id`."""
    if written is None:
        return None
    try:
        pattern = re.compile(written)
    except re.error as error:
        raise InputError(f"not a regular expression: {error}", file="--id-regex") from None
    if GROUP not in pattern.groupindex:
        raise InputError(f"the pattern needs a group (?P<{GROUP}>…)", file="--id-regex")
    return pattern


def slug(student: str, source: str = "") -> str:
    """The name, without a suffix, of the files about a student: the id itself where it is a harmless name.

    Else what is harmless of it, and a hash of all of it; `source` tells two submissions of one student apart. A harmless
    id has no underscore, so that no id can be the name of another's file.
    """
    if not source and _SAFE.fullmatch(student) and student not in _TAKEN:
        return student
    digest = hashlib.sha256(f"{student}\0{source}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    plain = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    return f"{readable or 'student'}_{digest}"
