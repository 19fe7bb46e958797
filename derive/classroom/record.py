"""A marked submission as a row of the class: plain data that travels between processes and machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from derive.homework.individual import FLAGS as VARIANT_FLAGS
from derive.homework.marked import REVIEW, WRONG, Marked
from derive.homework.submission import Answer, Rounding, Submission

#: What becomes of a submission.
STATUSES = ("graded", "late", "needs_review", "unreadable", "not_submitted")
#: Why a file is not read, whosever it is …
REFUSED = (
    "link",
    "not_a_file",
    "no_permission",
    "too_large",
    "too_deep",
    "empty_folder",
    "same_name",
    "packing",
    "bomb",
)
#: … why a submission has no marks …
UNREAD = (
    *REFUSED,
    *("unreadable", "timeout", "cpu", "memory", "died", "internal", "engine"),
    *("several_students", "several_files", "too_many_files", "too_much", "unknown_kind", "empty", "no_answers"),
)
#: … and why a file is nobody's submission.
PASSED_OVER = (*REFUSED, "hidden", "no_id", "beside", "bad_path", "unknown_kind")
#: What else a person is told about a submission.
FLAGS = (
    *("id_mismatch", "duplicate_id", "not_in_roster", "unread_answers", "same_error", "same_work"),
    *("follow_through_capped", "undecided", "guarded"),
    *VARIANT_FLAGS,
)
PLACES = 5  # of points


@dataclass(frozen=True)
class Step:
    """One mark.

    raw, value: the answer as it was written, and what that is exactly, `411/5000`; "" where it is no number
    found: ids of the mistakes that give what was written · guarded: whether a person should look at it
    """

    key: str
    label: str
    verdict: str
    credit: float
    weight: float
    raw: str = ""
    value: str = ""
    found: tuple[str, ...] = ()
    guarded: bool = False

    @property
    def wrong(self) -> bool:
        return self.verdict in WRONG


@dataclass(frozen=True)
class Record:
    """What became of one student. problem: why it is unreadable, as a code of the language tables · detail: in words

    files: the pages about it by suffix, `html` … · source: where the submission lay
    variant: the id of the variant by which it was marked · other: of the one in which what is wrong in it is right
    """

    student: str
    name: str = ""
    source: str = ""
    problem: str = ""
    detail: str = ""
    earned: float = 0.0
    follow_through: float = 0.0
    most: float = 0.0
    first_error: str = ""
    convention: str = ""
    flags: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""
    other: str = ""

    def __post_init__(self) -> None:
        """Reject a reason that the language tables do not know."""
        if self.problem and self.problem not in (*UNREAD, "not_submitted"):
            raise ValueError(self.problem)

    @property
    def status(self) -> str:
        if self.problem:
            return "not_submitted" if self.problem == "not_submitted" else "unreadable"
        if set(self.flags) - {"late"} or any(step.verdict in REVIEW or step.guarded for step in self.steps):
            return "needs_review"
        return "late" if "late" in self.flags else "graded"

    @property
    def percent(self) -> float:
        """Points out of a hundred; 0 where there was nothing to get."""
        return round(100 * self.earned / self.most, 2) if self.most else 0.0

    @property
    def first_label(self) -> str:
        return next((step.label for step in self.steps if step.key and step.key == self.first_error), "")

    @property
    def misconceptions(self) -> tuple[str, ...]:
        """Ids of all mistakes that were found, each once, in the order of the computation."""
        return tuple(dict.fromkeys(rule for step in self.steps for rule in step.found))

    def count(self, verdict: str) -> int:
        return sum(step.verdict == verdict for step in self.steps)


def plain(marked: Marked) -> dict[str, Any]:
    """What the class needs of a marked submission, as JSON can hold it."""
    steps = [
        {
            "key": mark.key,
            "label": mark.label,
            "verdict": mark.verdict,
            "credit": mark.credit,
            "weight": mark.weight,
            "raw": mark.raw,
            "value": str(mark.read.value) if mark.read is not None else "",
            "found": [found.rule for found in mark.found],
            "guarded": any(note.startswith("guard") for note in mark.notes),
        }
        for mark in marked.marks
    ]
    points = {"earned": marked.earned, "follow_through": marked.follow_through, "most": marked.most}
    return {
        "student": marked.submission.student,
        "name": marked.submission.name,
        "first_error": marked.first_error or "",
        "convention": marked.convention,
        "variant": marked.variant,
        "other": marked.other,
        "flags": flags_of(marked),
        "steps": steps,
        **{name: round(value, PLACES) for name, value in points.items()},
    }


def flags_of(marked: Marked) -> list[str]:
    """What a person is told of a submission, beyond its marks; that it needs one, the status says."""
    unread = ["unread_answers"] if any(mark.verdict == "unreadable" for mark in marked.marks) else []
    return [
        flag for flag in dict.fromkeys((*marked.submission.flags, *marked.flags, *unread)) if flag != "needs_review"
    ]


def record(given: Mapping[str, Any]) -> Record:
    """The row behind what `plain` made of a submission."""
    steps = tuple(Step(**{**step, "found": tuple(step["found"])}) for step in given.get("steps", ()))
    return Record(**{**given, "steps": steps, "flags": tuple(given.get("flags", ()))})


def sent(submission: Submission) -> dict[str, Any]:
    """A submission as JSON can hold it."""
    return asdict(submission)


def received(given: Mapping[str, Any]) -> Submission:
    """The submission that was sent."""
    answers: Sequence[Mapping[str, Any]] = given["answers"]
    rounding = given["rounding"]
    return Submission(
        **{
            **given,
            "answers": tuple(Answer(**answer) for answer in answers),
            "rounding": rounding and Rounding(**rounding),
            "flags": tuple(given["flags"]),
        }
    )
