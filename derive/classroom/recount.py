"""The witness of a class report: its counts, found again in the rows of grades.csv."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence

from derive.checks.errors import Errors
from derive.classroom import grades
from derive.classroom.record import Record
from derive.document import Witness


def recount(records: Sequence[Record], counts: Mapping[str, Counter[str]]) -> Witness:
    """Compares what was counted by steps with what stands in the table by students.

    counts: how often each step got each verdict
    """
    rows = list(csv.DictReader(io.StringIO(grades.table(records), newline="")))
    errors = Errors()
    statuses = Counter(record.status for record in records)
    for status, count in Counter(row["status"] for row in rows).items():
        errors.compare(count, statuses[status], 1.0)
    for verdict in ("blank", "unreadable"):
        strays = sum(step.verdict == verdict and step.key not in counts for one in records for step in one.steps)
        counted = sum(count[verdict] for count in counts.values()) + strays
        errors.compare(sum(int(row[verdict]) for row in rows if row[verdict]), counted, 1.0)
    earned = sum(record.earned for record in records if not record.problem)
    errors.compare(sum(float(row["score"]) for row in rows if row["score"]), earned, 1.0)
    return errors.witness("recount", "page", 1e-9)
