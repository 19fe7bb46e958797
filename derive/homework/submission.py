"""What a student handed in, as it was written: nothing here is a number yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ROUNDINGS = ("sf", "dp")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was given for one entry of one step.

    step:    an id or a label, with the entry where it is one of several: `dL/dW2[1,1]`, `w5+`
    value, formula: the texts; None where there is none. Neither: left blank
    place:   where in the file, `answers.yaml:7:5`
    problem: why it cannot be read, where that is known already
    """

    step: str
    value: str | None = None
    formula: str | None = None
    place: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rounding:
    """How the student says numbers were rounded: to so many significant digits (`sf`) or decimals (`dp`)."""

    kind: str
    digits: int


@dataclass(frozen=True, slots=True)
class Submission:
    """One student's answers.

    assignment: the `id` of the network file it answers, if it says so · conventions: what differs from the sheet
    comma: whether numbers have a decimal comma · working: free text, never read by derive
    owner:  whose it is, as the platform says, whatever stands in the file · source: the name of the file · flags: what should be looked at, by key (`id_mismatch`, `late`, …)
    """

    student: str = ""
    name: str = ""
    answers: tuple[Answer, ...] = ()
    assignment: str = ""
    rounding: Rounding | None = None
    comma: bool = False
    conventions: Mapping[str, str] = field(default_factory=dict)
    working: str = ""
    source: str = ""
    owner: str = ""
    flags: tuple[str, ...] = ()
