"""A marked submission as data: one `Mark` for every answer, and what follows for the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from derive.formula import Formula
from derive.homework.submission import Submission
from derive.homework.written import Written

if TYPE_CHECKING:
    from derive.homework.equality import Equality
    from derive.homework.hints import Hint

#: All verdicts on one answer, best first where that can be said.
VERDICTS = (
    "correct",
    "correct_rounding",
    "over_precise",
    "truncated",
    "other_convention",
    "low_precision",
    "last_digit",
    "other_form",
    "follow_through",
    "undecided",
    "too_coarse",
    "unreadable",
    "blank",
    "sign",
    "power_of_ten",
    "error",
)
#: Verdicts that say that this step itself is wrong.
WRONG = ("error", "sign", "power_of_ten")
#: Verdicts that need a person.
REVIEW = ("undecided",)


@dataclass(frozen=True)
class Found:
    """A mistake that gives what was written: its id, the formula it follows, and the step at which it was made.

    at: the key of the step; another one than the answer's where that step was not written down
    """

    rule: str
    formula: Formula | None
    at: str
    args: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """The verdict on one answer.

    key:     the canonical id of the entry, `dL/dW2[1,1]`; "" where the step is unknown · label: the author's name for it
    read:    the number as it was understood · formula: likewise · problem: why it could not be read
    exact, own: the right value, and the one that follows from the student's own earlier numbers; None without any
    rad:     how far rounding of earlier numbers may have moved the own value
    ulps_exact, ulps_own: how many units of the last written place lie between
    depends: keys of the written steps it was computed from · window: unwritten steps between these and this one
    found:   the mistakes that give exactly what was written, all of them
    value_verdict, formula_verdict: on the number alone and on the formula alone; the worse is the verdict
    equality: of a formula, to the right one · formula_found: the mistakes that give exactly it, among `found`
    hints:   single signs, factors or terms that separate it from the right one
    notes:   keys of further remarks: `inconsistent_with_own`, `guard_trivial`, `out_of_range` …
    """

    key: str
    label: str
    verdict: str
    credit: float
    weight: float = 1.0
    raw: str = ""
    read: Written | None = None
    formula: Formula | None = None
    value_verdict: str = ""
    formula_verdict: str = ""
    equality: Equality | None = None
    problem: str = ""
    exact: float | None = None
    own: float | None = None
    rad: float = 0.0
    ulps_exact: float | None = None
    ulps_own: float | None = None
    depends: tuple[str, ...] = ()
    window: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    formula_found: tuple[Found, ...] = ()
    hints: tuple[Hint, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marked:
    """A whole submission: marks in the order of the computation, unknown steps last.

    first_error: key of the first step that is wrong itself · earned, follow_through, most: points
    convention: the other convention all of it follows, if that is so
    variant: the id of the variant by which it is marked · other: of the one in which what is wrong here is right
    """

    submission: Submission
    marks: tuple[Mark, ...]
    first_error: str | None
    earned: float
    follow_through: float
    most: float
    convention: str = ""
    flags: tuple[str, ...] = ()
    variant: str = ""
    other: str = ""

    @property
    def right(self) -> bool:
        """Whether nothing is wrong and nothing was left unread."""
        return not any(mark.verdict in (*WRONG, "unreadable", "too_coarse", "follow_through") for mark in self.marks)
