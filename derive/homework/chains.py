"""A student's own chain of numbers: what each step should have been, given what was written before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from derive.algebra import Value
from derive.formula import Formula, names
from derive.homework.circuit import Circuit, numbers

MOST_SOURCES = 400  # rounded numbers whose effects are followed at once


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
    def rad(self, key: str) -> float:
        """By how much rounding on the way may have moved the own value of a step."""
        formula = self.circuit.entries[key].formula
        return 0.0 if formula is None else self.spread(formula, key)[1]

    def spread(self, formula: Formula, key: str, injected: Mapping[str, Formula] | None = None) -> tuple[float, float]:
        """(the value of a formula in the place of a step's, by how much rounding may have moved it).

        injected: formulas in the place of those of unwritten steps before it
        """
        stretch, injected = self.stretch(key), injected or {}
        extra = [n.key for f in (formula, *injected.values()) for n in names(f)]
        known = {*stretch.written, *stretch.unwritten}
        outside = [k for k in dict.fromkeys(extra) if k in self.written and k not in known]
        sources = [(k, self.reach(k)) for k in (*stretch.written, *outside)]
        sources += [(k, self.virtual(self.own[k])) for k in stretch.unwritten]
        sources = [(k, half) for k, half in sources if half]
        value, rad = math.nan, 0.0
        for start in range(0, max(len(sources), 1), MOST_SOURCES):
            found = self._moved(formula, stretch, injected, sources[start : start + MOST_SOURCES])
            value = float(found[0])
            moved = np.abs(found[1:] - value).reshape(-1, 2)
            rad += float(np.sum(np.max(moved, axis=1))) if moved.size else 0.0
        return value, rad

    def _moved(
        self, formula: Formula, stretch: Stretch, injected: Mapping[str, Formula], sources: list[tuple[str, float]]
    ) -> Value:
        """The values of a formula: as things are, then with each source moved up and down by its half unit."""
        size = 2 * len(sources) + 1
        bumps: dict[str, Value] = {}
        for place, (key, half) in enumerate(sources):
            bump = bumps[key] = np.zeros(size)
            bump[2 * place + 1], bump[2 * place + 2] = half, -half
        values = Lookup(self, bumps)
        for key in stretch.unwritten:
            found = numbers(injected.get(key) or self.circuit.entries[key].formula, values)  # type: ignore[arg-type]
            values[key] = found + bumps[key] if key in bumps else found
        return np.broadcast_to(np.asarray(numbers(formula, values), dtype=float), (size,))


class Lookup(dict[str, Value]):
    """Numbers by key: those that were computed, else those in use, moved by their bumps."""

    def __init__(self, chain: Chain, bumps: Mapping[str, Value]) -> None:
        super().__init__()
        self.chain, self.bumps = chain, bumps

    def __missing__(self, key: str) -> Value:
        used = self.chain.used(key)
        found = self[key] = used + self.bumps[key] if key in self.bumps else used
        return found
