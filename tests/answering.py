"""A tiny reader of answers, `step: value` line by line, for tests that are not about reading."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from derive.errors import InputError
from derive.homework.submission import Answer, Submission
from derive.homework.written import Unreadable, Written


def read_number(text: str, comma: bool = False) -> Written:
    """A plain decimal, or one with an exponent."""
    plain = text.strip().replace(",", ".") if comma else text.strip()
    match = re.fullmatch(r"-?(\d*)\.?(\d*)(?:e(-?\d{1,3}))?", plain)
    if match is None or not (match[1] or match[2]):
        raise Unreadable("not a number")
    exponent = int(match[3] or 0) - len(match[2])
    digits = len((match[1] + match[2]).lstrip("0")) or 1
    ulp = Fraction(10) ** exponent
    return Written(text, Fraction(plain), ulp, (digits, digits), max(0, -exponent))


def read(path: str | Path) -> list[Submission]:
    lines = [line for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(": " in line for line in lines):
        raise InputError("not answers", file=str(path))
    pairs = [line.split(": ", 1) for line in lines]
    answers = [Answer(step, value) for step, value in pairs if step != "student"]
    return [Submission(dict(pairs).get("student", ""), answers=tuple(answers))]
