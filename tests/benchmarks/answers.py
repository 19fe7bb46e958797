"""What formula answers are measured against: SymPy asked whether the difference simplifies to 0.

The pairs are the right answers of tests/test_equality.py. In SymPy a name is a real symbol; where two formulas are
equal on the network alone, everything behind the weighted sums is put in by its formula first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import test_equality as table

from derive.algebra import evaluate, sympy_algebra
from derive.formula import Formula, Name, substitute

RUNS = 5
LEVELS = ("equivalent", "equal_on_network")
Pair = tuple[table.Sheet, str, Formula]


def identities() -> list[Pair]:
    """(sheet, key, the student's formula) of every answer that is not right at first sight."""
    found: list[Pair] = []
    for make, step, text, level in table.PAIRS:
        if level not in LEVELS:
            continue
        sheet = make()
        (key,) = sheet.names.resolve(step) or ("",)
        found.append((sheet, key, sheet.read(text)))
    return found


def by_derive(pair: Pair) -> float:
    """The best of some runs, once the points of the network are there."""
    sheet, key, student = pair
    assert sheet.judge.compare(student, key).level in LEVELS
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        sheet.judge.compare(student, key)
        times.append(time.perf_counter() - start)
    return min(times)


def written_out(f: Formula, sheet: table.Sheet) -> Formula:
    """The formula in weighted sums and what is given."""

    def swap(name: Name) -> Formula:
        entry = sheet.circuit.entries[name.key]
        return name if entry.formula is None or entry.kind == "z" else written_out(entry.formula, sheet)

    return substitute(f, swap)


def by_sympy(pair: Pair) -> float:
    """One run, with nothing known from another."""
    import sympy as sp
    from sympy.core.cache import clear_cache

    sheet, key, student = pair
    right = sheet.circuit.entries[key].formula
    assert right is not None
    if sheet.judge.compare(student, key).level == "equal_on_network":
        student, right = written_out(student, sheet), written_out(right, sheet)
    a, b = (evaluate(f, lambda name: sp.Symbol(name.key, real=True), sympy_algebra()) for f in (student, right))
    clear_cache()
    start = time.perf_counter()
    sp.simplify(a - b)
    return time.perf_counter() - start


TASKS: dict[str, Callable[[Pair], float]] = {"derive": by_derive, "SymPy": by_sympy}
