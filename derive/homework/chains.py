"""A student's own chain of numbers: what each step should have been, given what was written before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
        virtual: Callable[[str, float], float],
        changed: Mapping[str, float] | None = None,
    ) -> None:
        self.circuit, self.written, self.reach, self.virtual = circuit, written, reach, virtual
        self.changed = dict(changed or {})
        self._stretches: dict[str, Stretch] = {}
        self._rads: dict[str, float] = {}

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
        keys, entries, bits = self.circuit.keys, self.circuit.entries, self.behind[key]
        written, unwritten, given = list[str](), list[str](), list[str]()
        while bits:
            lowest = bits & -bits
            bits ^= lowest
            step = keys[lowest.bit_length() - 1]
            found = written if step in self.written else given if entries[step].formula is None else unwritten
            found.append(step)
        return Stretch(tuple(written), tuple(unwritten), tuple(given))

    @cached_property
    def behind(self) -> dict[str, int]:
        """For every entry the stretch before it, as the bits of the places of its steps in the order of computation."""
        found: dict[str, int] = {}
        seen: dict[
            str, int
        ] = {}  # of each entry what a later one has before it: itself, and its own unless it is written
        for place, (key, entry) in enumerate(self.circuit.entries.items()):
            bits = 0
            for parent in entry.parents:
                bits |= seen[parent]
            found[key] = bits
            seen[key] = 1 << place if key in self.written else bits | 1 << place
        return found

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
                    rows[key] = self.moved(key, found, self.virtual(key, self.own[key]))
        return rows

    def moved(self, key: str, row: Value, half: float) -> Value:
        """The row of an entry with its own rounding."""
        if not (half and math.isfinite(half)):
            return row
        found = np.empty(2 * len(self.places) + 1)
        found[:] = row
        place = 2 * self.places[key]
        found[place + 1] += half
        found[place + 2] -= half
        return found

    def rad(self, key: str) -> float:
        """By how much rounding on the way may have moved the own value of a step."""
        if key not in self._rads:
            formula = self.circuit.entries[key].formula
            self._rads[key] = 0.0 if formula is None else self.spread(formula, key)[1]
        return self._rads[key]

    def with_givens(self, key: str, changed: Sequence[tuple[str, float]]) -> Value:
        """What a step should have been with each of some (number of the task, value) in turn: a row."""
        entries, found = self.circuit.entries, Used(self, {})
        for place, (given, value) in enumerate(changed):
            if given not in found:
                found[given] = np.full(len(changed), self.used(given))
            found[given][place] = value
        with np.errstate(all="ignore"):
            for step in (*self.stretch(key).unwritten, key):
                formula = entries[step].formula
                if formula is not None and not found.keys().isdisjoint(entries[step].parents):
                    found[step] = np.real(numbers(formula, found))
        return np.broadcast_to(found.get(key, self.own[key]), len(changed))

    def trials(self, key: str, injected: Sequence[tuple[str, Formula]]) -> Value:
        """What a step should have been with each of some formulas in the place of that of an unwritten step before it."""
        formula, entries, used = self.circuit.entries[key].formula, self.circuit.entries, Used(self, {})
        at: dict[str, list[tuple[int, Formula]]] = {}
        for place, (step, wrong) in enumerate(injected):
            at.setdefault(step, []).append((place, wrong))
        assert formula is not None
        found = Used(self, {})
        with np.errstate(all="ignore"):
            for step in self.stretch(key).unwritten:
                own = entries[step].formula
                if own is None or (step not in at and found.keys().isdisjoint(entries[step].parents)):
                    continue
                row = np.empty(len(injected))
                row[:] = self.used(step) if found.keys().isdisjoint(entries[step].parents) else numbers(own, found)
                for place, wrong in at.get(step, ()):
                    row[place] = np.real(numbers(wrong, used))
                found[step] = row
            return np.broadcast_to(np.real(numbers(formula, found)), len(injected))

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
                    rows[step] = self.moved(step, found, self.virtual(step, spread(found)[0]))
            return spread(numbers(formula, rows))


class Used(dict[str, Value]):
    """The numbers that later steps go on with, some of them changed."""

    def __init__(self, chain: Chain, changed: Mapping[str, Value]) -> None:
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
