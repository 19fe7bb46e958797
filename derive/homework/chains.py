"""A student's own chain of numbers: what each step should have been, given what was written before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from derive.algebra import Value
from derive.formula import Formula
from derive.homework.circuit import Circuit
from derive.homework.compute import numbers


@dataclass(frozen=True)
class Stretch:
    """The way from the nearest written steps to one step.

    written: their keys · unwritten: the keys of the computed steps between, in order · given: of the numbers of the task
    """

    written: tuple[str, ...]
    unwritten: tuple[str, ...]
    given: tuple[str, ...]


class Chain:
    """Every entry computed from what was written before it.

    written: the numbers by key · reach: by how much each of them may be off by its rounding
    virtual: (key, value) -> the same of a number that was not written down
    changed: numbers of the task that were copied wrongly
    """

    def __init__(
        self,
        circuit: Circuit,
        written: Mapping[str, float],
        reach: Callable[[str], float],
        virtual: Callable[[float], float],
        changed: Mapping[str, float] | None = None,
    ) -> None:
        self.circuit, self.written, self.reach, self.virtual = circuit, written, reach, virtual
        self.changed = dict(changed or {})
        self._stretches: dict[str, Stretch] = {}

    @cached_property
    def own(self) -> dict[str, float]:
        """What each entry should have been."""
        return self.circuit.chain({**self.changed, **self.written})

    def used(self, key: str) -> float:
        """The number later steps go on with."""
        if key in self.written:
            return self.written[key]
        return self.changed.get(key, self.own[key])

    def stretch(self, key: str) -> Stretch:
        """What lies between the nearest written steps and this one."""
        if key not in self._stretches:
            self._stretches[key] = self._stretch(key)
        return self._stretches[key]

    def _stretch(self, key: str) -> Stretch:
        entries = self.circuit.entries
        written, given, unwritten = dict[str, None](), dict[str, None](), set[str]()
        stack = list(entries[key].parents)
        while stack:
            parent = stack.pop()
            if parent in unwritten or parent in written or parent in given:
                continue
            if parent in self.written:
                written[parent] = None
            elif entries[parent].given:
                given[parent] = None
            else:
                unwritten.add(parent)
                stack.extend(entries[parent].parents)
        order = self.circuit.order
        by_order = order.__getitem__
        return Stretch(
            tuple(sorted(written, key=by_order)),
            tuple(sorted(unwritten, key=by_order)),
            tuple(sorted(given, key=by_order)),
        )

    # rounding on the way ----------------------------------------------------------------------------------------------
    @cached_property
    def places(self) -> dict[str, int]:
        """The numbers that may be off by rounding, each with its place in a row."""
        entries = self.circuit.entries
        rounded = (key for key, entry in entries.items() if entry.formula is not None or key in self.written)
        return {key: place for place, key in enumerate(rounded)}

    @cached_property
    def rows(self) -> Rows:
        """The numbers in use: as they are, then with each of them in turn moved up and down by its half unit.

        One row for every entry; what was written is a source of rounding, and so is what was not written down.
        """
        rows = Rows()
        with np.errstate(all="ignore"):
            for key, entry in self.circuit.entries.items():
                if key in self.written:
                    rows[key] = self.moved(key, self.written[key], self.reach(key))
                elif entry.formula is None:
                    rows[key] = self.used(key)
                else:
                    found = numbers(entry.formula, rows)
                    rows[key] = self.moved(key, found, self.virtual(self.own[key]))
        return rows

    def moved(self, key: str, row: Value, half: float) -> Value:
        """The row of an entry with its own rounding."""
        if not (half and math.isfinite(half)):
            return row
        found = np.array(np.broadcast_to(row, 2 * len(self.places) + 1), dtype=float)
        place = 2 * self.places[key]
        found[place + 1] += half
        found[place + 2] -= half
        return found

    def rad(self, key: str) -> float:
        """By how much rounding on the way may have moved the own value of a step."""
        formula = self.circuit.entries[key].formula
        return 0.0 if formula is None else self.spread(formula, key)[1]

    def with_given(self, key: str, given: str, value: float) -> float:
        """What a step should have been if a number of the task had been another."""
        formula = self.circuit.entries[key].formula
        if formula is None:
            return value if key == given else self.own[key]
        found = Used(self, {given: value})
        with np.errstate(all="ignore"):
            for step in self.stretch(key).unwritten:
                found[step] = numbers(self.circuit.entries[step].formula, found)  # type: ignore[arg-type]
            return float(np.real(numbers(formula, found)))

    def spread(self, formula: Formula, key: str, injected: Mapping[str, Formula] | None = None) -> tuple[float, float]:
        """(the value of a formula in the place of a step's, by how much rounding may have moved it).

        injected: formulas in the place of those of unwritten steps before it
        """
        with np.errstate(all="ignore"):
            if not injected:
                return spread(numbers(formula, self.rows))
            rows = Rows(self.rows)
            entries = self.circuit.entries
            for step in self.stretch(key).unwritten:
                if step in injected or not rows.keys().isdisjoint(entries[step].parents):
                    found = numbers(injected.get(step) or entries[step].formula, rows)  # type: ignore[arg-type]
                    rows[step] = self.moved(step, found, self.virtual(spread(found)[0]))
            return spread(numbers(formula, rows))


class Used(dict[str, float]):
    """The numbers that later steps go on with, some of them changed."""

    def __init__(self, chain: Chain, changed: Mapping[str, float]) -> None:
        super().__init__(changed)
        self.chain = chain

    def __missing__(self, key: str) -> float:
        return self.chain.used(key)


class Rows(dict[str, Value]):
    """Rows of numbers by key, over others in whose place they stand."""

    def __init__(self, under: Mapping[str, Value] | None = None) -> None:
        super().__init__()
        self.under = under

    def __missing__(self, key: str) -> Value:
        if self.under is None:
            raise KeyError(key)
        return self.under[key]


def spread(row: Value) -> tuple[float, float]:
    """(the first number of a row, how far the pairs after it lie from it, added up; but for those that have no value)."""
    found = np.asarray(row, dtype=float)
    if found.ndim == 0:
        return float(found), 0.0
    value = float(found[0])
    with np.errstate(all="ignore"):
        moved = np.abs(found[1:] - value).reshape(-1, 2).max(axis=1)
    return value, float(moved[np.isfinite(moved)].sum())
