"""The worked solution of what has no network, sheets and studies: every number with its formula, in order."""

from __future__ import annotations

from collections.abc import Iterator

from derive.document import Block, Form, Line, Step, say
from derive.homework.circuit import Circuit
from derive.reader import Reader


def solution(circuit: Circuit, reader: Reader) -> Iterator[Block]:
    """What is given, as far as something is computed from it, and the steps."""
    entries = circuit.entries.values()
    needed = {key for entry in entries for key in entry.parents}
    given, worked = [], []
    for entry in entries:
        if entry.formula is not None:
            resolved, condition = reader.resolved(entry.formula)
            worked.append(Line(entry.name, (Form(resolved),), condition=condition))
        elif entry.key in needed:
            given.append(Line(entry.name, ()))
    for key, lines in (("given", given), ("worked", worked)):
        if lines:
            yield Step(f"solution/{key}", say(f"check.solution.{key}"), lines=tuple(lines))
