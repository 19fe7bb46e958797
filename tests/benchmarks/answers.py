"""What formula answers are measured against: SymPy asked whether the difference simplifies to 0.

The pairs are the right answers of tests/test_equality.py; in SymPy every name is a real symbol, as on paper.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import test_equality as table

from derive.algebra import evaluate, sympy_algebra
from derive.formula import Formula

RUNS = 5
Pair = tuple[table.Sheet, str, Formula]


def identities() -> list[Pair]:
    """(sheet, key, the student's formula) of every answer that is right whatever its names stand for."""
    found: list[Pair] = []
    for make, step, text, level in table.PAIRS:
        if level != "equivalent":
            continue
        sheet = make()
        (key,) = sheet.names.resolve(step) or ("",)
        found.append((sheet, key, sheet.read(text)))
    return found


def by_derive(pair: Pair) -> float:
    """The best of some runs, once the points of the network are there."""
    sheet, key, student = pair
    assert sheet.judge.compare(student, key).level == "equivalent"
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        sheet.judge.compare(student, key)
        times.append(time.perf_counter() - start)
    return min(times)


def by_sympy(pair: Pair) -> float:
    """One run: SymPy keeps what it has simplified."""
    import sympy as sp

    sheet, key, student = pair
    right = sheet.circuit.entries[key].formula
    assert right is not None
    a, b = (evaluate(f, lambda name: sp.Symbol(name.key, real=True), sympy_algebra()) for f in (student, right))
    start = time.perf_counter()
    sp.simplify(a - b)
    return time.perf_counter() - start


TASKS: dict[str, Callable[[Pair], float]] = {"derive": by_derive, "SymPy": by_sympy}
