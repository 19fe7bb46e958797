"""Wrong work that several students share. That right work is the same is as it should be, and says nothing.

So does a known mistake: whoever makes it, and rounds alike, gets the same wrong numbers. What counts is a wrong number
that no known mistake gives, and work that is the same to the last digit although it is wrong in more than one way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from derive.classroom.record import Record, Step

CLUSTER = 3  # students from whom on it is no accident


@dataclass(frozen=True)
class Cluster:
    """An unexplained wrong answer, and whose it is. written: as the first of them, in order of ids, wrote it"""

    key: str
    written: str
    students: tuple[str, ...]


def clusters(records: Iterable[Record]) -> list[Cluster]:
    """Equal wrong numbers that nothing explains: the most frequent first, then in order of the students."""
    groups: dict[Hashable, dict[str, Step]] = {}
    for record in records:
        for step in unexplained(record):
            groups.setdefault((step.key, step.value), {}).setdefault(record.student, step)
    large = [group for group in groups.values() if len(group) >= CLUSTER]
    found = [Cluster(group[min(group)].key, group[min(group)].raw, tuple(sorted(group))) for group in large]
    return sorted(found, key=lambda cluster: (-len(cluster.students), cluster.students))


def unexplained(record: Record) -> Iterator[Step]:
    """The wrong numbers of a student that no known mistake gives."""
    return (step for step in record.steps if step.wrong and not step.found and step.value)


def flagged(records: Sequence[Record]) -> list[Record]:
    """The records, those that share an unexplained error, or a whole work that is wrong in several ways, marked so."""
    shared = {(cluster.key, student) for cluster in clusters(records) for student in cluster.students}
    errors = {student for _, student in shared}
    works = same(records, whole)
    made = []
    for record in records:
        flags = ["same_error"] * (record.student in errors) + ["same_work"] * (whole(record) in works)
        made.append(replace(record, flags=(*record.flags, *flags)))
    return made


def same(records: Iterable[Record], of: Callable[[Record], Hashable]) -> set[Hashable]:
    """What enough students have in common; `of` gives None for what does not count."""
    owners: dict[Hashable, set[str]] = {}
    for record in records:
        owners.setdefault(of(record), set()).add(record.student)
    return {thing for thing, students in owners.items() if thing is not None and len(students) >= CLUSTER}


def whole(record: Record) -> Hashable:
    """All answers as they were written, where they are wrong in more ways than one; else None."""
    ways = {step.found or step.key for step in record.steps if step.wrong}
    return frozenset((step.key, step.raw) for step in record.steps) if len(ways) > 1 else None
