"""Which mistakes give exactly the number that was written: every rule is worked out on the student's own numbers.

All rules that fit are reported. A step that was not written down may hide the mistake: then each rule is tried there,
one at a time, and followed to the step in question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache, cached_property

import numpy as np

from derive.algebra import Value
from derive.formula import Formula
from derive.homework import ladder, slips
from derive.homework.chains import Chain
from derive.homework.circuit import STEP, Circuit
from derive.homework.compute import number
from derive.homework.ladder import Reference
from derive.homework.marked import Found
from derive.homework.mistakes import mistakes
from derive.homework.policy import Precision
from derive.homework.written import Written

TELLING = 0.25  # of a number: where rounding may have moved it further, it could be anything
MOST_HIDDEN = 60  # unwritten steps in which a mistake is looked for, the nearest first
WIDER = 10  # times the interval of rounding: how near a mistake must come to be worked out with its own interval


class Diagnosis:
    """What may have led to one wrong number.

    chops: whether the student cuts digits off · thorough: whether mistakes in unwritten steps are looked for
    """

    def __init__(
        self,
        circuit: Circuit,
        chain: Chain,
        key: str,
        written: Written,
        precision: Precision,
        *,
        chops: bool = False,
        thorough: bool = True,
    ) -> None:
        self.circuit, self.chain, self.key, self.written = circuit, chain, key, written
        self.precision, self.unit, self.chops = precision, precision.unit(written), chops
        self.thorough = thorough

    def found(self) -> list[Found]:
        """All that fit, the commonest first."""
        hidden = self.hidden() if self.thorough else ()
        all_found = {(f.rule, f.at): f for f in reversed([*self.by_rules(), *hidden, *self.slipped()])}
        ranks = commonness()
        last = (9, len(ranks))
        return sorted(all_found.values(), key=lambda f: (f.at != self.key, *ranks.get(f.rule, last), f.rule))

    # rules ------------------------------------------------------------------------------------------------------------
    def by_rules(self) -> Iterator[Found]:
        """Rules at this step."""
        for rule, formula in self.circuit.wrong(self.key):
            if self.fits(formula, {}):
                yield Found(rule, formula, self.key)

    def hidden(self) -> Iterator[Found]:
        """Rules at the unwritten steps before it."""
        own = self.circuit.entries[self.key].formula
        if own is None:
            return
        seen = set[str]()
        steps = reversed(self.chain.stretch(self.key).unwritten[-MOST_HIDDEN:])
        tried = [(at, rule, formula) for at in steps for rule, formula in self.circuit.wrong(at)]
        for i in self.promising(self.chain.trials(self.key, [(at, formula) for at, _, formula in tried])):
            at, rule, formula = tried[i]
            if rule not in seen and self.fits(own, {at: formula}):
                seen.add(rule)
                yield Found(rule, formula, at)

    def promising(self, values: Value) -> Value:
        """The places of the values that may be what was written, once rounding on the way to them is worked out."""
        rad, due = self.chain.rad(self.key), abs(self.chain.own[self.key])
        share = rad / due if due > rad else self.chain.virtual(self.key, 1.0)
        with np.errstate(all="ignore"):
            near = ladder.half(self.written, self.unit) + WIDER * np.maximum(rad, share * np.abs(values))
            return np.flatnonzero(np.abs(values - self.written.number) <= near)

    def fits(self, formula: Formula, injected: dict[str, Formula]) -> bool:
        """Whether a formula gives what was written: of the student's own numbers, or of the right ones."""
        value, rad = self.chain.spread(formula, self.key, injected)
        if self.follows(value, rad if self.telling(rad) else 0.0):
            return True
        return not injected and self.follows(number(formula, self.circuit.floats))

    def follows(self, value: float, rad: float = 0.0) -> bool:
        """Whether what was written is a value, as this student rounds."""
        return math.isfinite(value) and ladder.follows(self.written, Reference(value, rad), self.unit, chops=self.chops)

    def telling(self, rad: float) -> bool:
        """Whether a number that may have moved so far by rounding can be told from others at all."""
        return rad <= TELLING * abs(self.written.number) or rad <= float(self.unit)

    # slips of the pen -------------------------------------------------------------------------------------------------
    @cached_property
    def targets(self) -> list[Reference]:
        """What it should have been."""
        key = self.key
        own = Reference(self.chain.own[key], self.chain.rad(key))
        return [self.circuit.reference(key), *([own] if self.telling(own.rad) else [])]

    def slipped(self) -> Iterator[Found]:
        """The wrong sign, a power of ten, digits exchanged, another line copied, rounded too early."""
        written, unit, chops, targets = self.written, self.unit, self.chops, self.targets
        if not written.value:
            return
        if any(ladder.slip(written, ladder.MINUS, target, unit, chops=chops) for target in targets):
            yield Found("B3", None, self.key)
        for ten in ladder.TENS:
            if any(ladder.slip(written, ten, target, unit, chops=chops) for target in targets):
                yield Found("X2", None, self.key, {"factor": 1 / ten})
        for swapped in slips.transposed(written):
            if any(ladder.follows(swapped, target, unit, chops=chops) for target in targets):
                yield Found("X3", None, self.key, {"digits": swapped.text})
        yield from self.copied()
        if self.precision.enough(written) and (digits := self.rounded_early()):
            yield Found("X1", None, self.key, {"digits": digits})

    def copied(self) -> Iterator[Found]:
        """The value of another entry of the same quantity, or what was written for another step."""
        entry = self.circuit.entries[self.key]
        if not self.precision.enough(self.written):
            return
        own = [e.name for e in self.circuit.entries.values() if e.kind == STEP] if entry.kind == STEP else None
        s = self.written.number
        reach = max(2 * ladder.half(self.written, self.unit), 1e-8 * abs(s))  # what is farther off is not close
        for name in self.circuit.array(entry.node).ravel() if own is None else own:
            key = name.key
            values = (self.circuit.floats[key], self.chain.own[key], self.chain.used(key))
            near = {value for value in values if abs(value - s) <= reach}
            if key != self.key and any(ladder.close(self.written, Reference(value), self.unit) for value in near):
                yield Found("X4", name, self.key)

    def rounded_early(self) -> int:
        """To how many digits the numbers before it were rounded, if that explains it; else 0."""
        formula = self.circuit.entries[self.key].formula
        stretch = self.chain.stretch(self.key)
        if formula is None or not stretch.written or stretch.unwritten:
            return 0
        for digits in (2, 1):
            values = slips.Rounded(self.chain, digits)
            value = number(formula, values)
            if math.isfinite(value) and ladder.close(self.written, Reference(value), self.unit):
                return digits
        return 0


@cache
def commonness() -> dict[str, tuple[int, int]]:
    """Rule -> (how common it is, its place in the list)."""
    return {mistake.id: (mistake.prior, place) for place, mistake in enumerate(mistakes)}
