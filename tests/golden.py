"""The golden table: what is said of a number as it is written, by hand; and the same as Markdown.

tests/cases/check_cases.yaml: value (the right one), ask ({significant: 3} if not given), cases: {text: verdict, or
[verdict, note]}, comma (whether numbers have a decimal comma). A known limit is a case whose note begins with "limit:"; its verdict is the real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

from records import recorded
from students import circuit_of

from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.names import Names
from derive.homework.policy import Precision
from derive.homework.reading.numbers import read_number
from derive.homework.symbols import closed_form

MORE = "…"  # at the end of a right value: it has more digits
CASES = Path(__file__).parent / "cases" / "check_cases.yaml"


@dataclass(frozen=True)
class Case:
    """A number as it is written, the right value, the digits asked for, and what is to be said of it."""

    text: str
    value: str
    precision: Precision
    verdict: str
    note: str
    comma: bool = False

    @property
    def asked(self) -> str:
        digits, kind = self.precision.decimals, "d.p."
        return f"{digits} {kind}" if digits is not None else f"{self.precision.significant} s.f."

    def judged(self) -> str:
        """What derive says."""
        exact = Fraction(self.value.removesuffix(MORE))
        written = read_number(self.text, self.comma, lambda text: closed_form(text, names()))
        short = None if self.value.endswith(MORE) else exact
        return ladder.judge(written, Reference(float(exact), 0.0, lambda: exact, short), None, self.precision)


@cache
def names() -> Names:
    """Some names for closed forms, which use none."""
    return circuit_of("mazur").names


def cases() -> Iterator[Case]:
    """All of them, in their order."""
    for group in recorded(CASES):
        ask = group.get("ask", {"significant": 3})
        precision = Precision(ask.get("significant"), ask.get("decimals"))
        for text, said in group["cases"].items():
            verdict, note = said if isinstance(said, list) else (said, "")
            yield Case(text, str(group["value"]), precision, verdict, note, group.get("comma", False))


def table() -> str:
    """All of them as Markdown."""
    rows = [f"| `{c.text}` | {c.value} | {c.asked} | `{c.verdict}` | {c.note} |" for c in cases()]
    return "\n".join(["| written | right | asked for | verdict | |", "|---|---|---|---|---|", *rows])
