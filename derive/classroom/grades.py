"""grades.csv: one row for each submission, for gradebooks; nothing in it is run by a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from derive.classroom.record import PLACES, Record
from derive.homework.escape import csv_safe

COLUMNS = (
    "student_id",
    "name",
    "status",
    "score",
    "max_score",
    "percent",
    "follow_through",
    "first_error",
    "first_error_label",
    "misconceptions",
    "unreadable",
    "blank",
    "flags",
    "file",
)


def table(records: Sequence[Record], steps: Sequence[tuple[str, str]] = ()) -> str:
    """The table as RFC 4180 has it: CRLF, texts in quotes, so that a semicolon in one starts no cell anywhere.

    There is a column `variant` where somebody has one.
    steps: (key, label) of those that get a column with the points of everybody, where anybody answered it
    """
    answered = {step.key for record in records for step in record.steps}
    keys = [key for key, _ in steps if key in answered]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    variants = any(record.variant for record in records)
    writer.writerow([*COLUMNS, *["variant"] * variants, *map(csv_safe, keys)])
    for record in records:
        which = [csv_safe(record.variant)] * variants
        writer.writerow([*row(record), *which, *points(record, keys)])
    return stream.getvalue()


def row(record: Record) -> list[str | float]:
    """The cells of a submission; one that was not read has no points rather than none of them."""
    read = not record.problem
    numbers = [record.earned, record.most, record.percent, record.follow_through]
    counts = [record.count("unreadable"), record.count("blank")]
    texts = [record.first_error, record.first_label, " ".join(record.misconceptions)]
    flags = [*record.flags, *([record.problem] if record.status == "unreadable" else [])]
    return [
        *map(csv_safe, (record.student, record.name, record.status)),
        *map(number, numbers if read else [""] * 4),
        *map(csv_safe, texts),
        *(counts if read else ["", ""]),
        *map(csv_safe, (" ".join(flags), record.source)),
    ]


def points(record: Record, keys: Sequence[str]) -> Iterator[str | float]:
    """What each step earned; an empty cell where it was not answered."""
    earned = {step.key: round(step.credit * step.weight, PLACES) for step in record.steps}
    yield from (number(earned.get(key, "")) for key in keys)


def number(value: float | str) -> float | str:
    """A whole number of points without `.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
