"""How a student rounds: what is taken to have happened to the numbers that were not written down."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.submission import Rounding
from derive.homework.written import Written

USUAL = 0.5  # the share of numbers that makes a habit
ENOUGH = 3  # right numbers that show how somebody rounds
SEEN = 1e-6  # units in the last place: what is less off is not rounded at all
LEFT = 3  # significant digits that are kept of a number too small for the decimals


@dataclass(frozen=True)
class Habit:
    """To so many significant digits (`sf`) or decimals (`dp`).

    roundings: as the student says, or what the digits allow: the coarsest counts if they are a `habit`, else the finest
    chops, pads: whether digits are cut off, and whether digits beyond those asked for are mostly zeros
    """

    roundings: tuple[Rounding, ...]
    precision: Precision
    chops: bool = False
    pads: bool = True
    habit: bool = True

    @classmethod
    def of(
        cls,
        declared: Rounding | None,
        written: Mapping[str, Written],
        values: Callable[[str], tuple[Reference, Reference | None]],
        precision: Precision,
    ) -> Habit:
        """As declared, else as the digits show: decimals or significant digits that most numbers have.

        values: key -> (the right value, the one that follows from own numbers where all of these are written down)
        """
        exact = {key: values(key)[0] for key in written}
        rounded = {key: w for key, w in written.items() if not w.closed and not ladder.exactly(w, exact[key])}
        ways = {direction(w, *values(key), precision.unit(w)) for key, w in rounded.items()}
        chops = "cut" in ways or "up" not in ways  # nothing that was rounded up: then nothing speaks against it
        longer = [ladder.padded(w, precision) for w in rounded.values() if ladder.extra(w, precision)]
        pads = 2 * sum(longer) > len(longer)
        if declared:
            return cls((declared,), precision, chops, pads)
        right = [w for key, w in rounded.items() if ladder.close(w, exact[key], precision.unit(w))]
        used = right if len(right) >= ENOUGH else [*rounded.values()]  # a wrong number may be written in any way
        roundings, habit = shown([w for w in used if w.value], precision)
        return cls(roundings, precision, chops, pads, habit)

    @property
    def share(self) -> float:
        """Of a unit in the last place: how far a rounded number lies from what was rounded, at most."""
        return 1.0 if self.chops else 0.5

    def reach(self, written: Written) -> float:
        """How far a written number may lie from what was rounded."""
        return 2 * self.share * ladder.half(written, self.precision.unit(written))

    def usual(self, value: float) -> float:
        """The same of a number of some size, as this student rounds."""
        if value == 0 or not math.isfinite(value):
            return 0.0
        units = [self.unit(rounding, value) for rounding in self.roundings]
        return self.share * (max(units) if self.habit else min(units))

    def unit(self, rounding: Rounding, value: float) -> float:
        """A unit of the last digit kept of a number: never coarser than what is asked for, whatever somebody says.

        Decimals may leave small numbers fewer digits than are asked for, but only if they are as many themselves.
        """
        wanted, places = asked(self.precision), digits_before(value)
        least = max(10.0**-wanted.digits, 10.0 ** (places - wanted.digits))
        if rounding.kind == wanted.kind == "sf":
            return 10.0 ** (places - max(rounding.digits, wanted.digits))
        return min(10.0 ** ((0 if rounding.kind == "dp" else places) - rounding.digits), least)

    def virtual(self, value: float) -> float:
        """The same of a number that was not written down: nobody goes on with a 0 that decimals would make of it."""
        found = self.usual(value)
        return found if found < abs(value) or not found else self.share * 10.0 ** (digits_before(value) - LEFT)


def digits_before(value: float) -> int:
    """The place of the first digit: 2 for 10 to 99.9, 0 for 0.1 to 0.999."""
    return math.floor(math.log10(abs(value))) + 1


def direction(written: Written, exact: Reference, own: Reference | None, unit: Fraction) -> str:
    """Which way a number was rounded: `up` or `down`, both away from 0 and towards it, or `cut` off; "" if that is unknown."""
    refs = [exact] if own is None else [exact, own]
    if not any(ladder.close(written, ref, unit) for ref in refs):
        return "cut" if ladder.chopped(written, exact, unit) else ""
    if own is None:
        return ""
    beyond = [(abs(written.number) - abs(ref.value)) / float(unit) for ref in refs]
    if min(beyond) > SEEN:
        return "up"
    return "down" if max(beyond) < -SEEN else ""


def shown(written: list[Written], precision: Precision) -> tuple[tuple[Rounding, ...], bool]:
    """(the roundings that the digits show, whether most numbers keep to them).

    As many decimals, or significant digits, as most numbers have; one less where a zero at the end was left out. Where
    there is no such number, the fewest of both.
    """
    if not written:
        return (asked(precision),), True
    counted = {"dp": [w.decimals for w in written], "sf": [w.significant[1] for w in written]}
    shares: dict[Rounding, float] = {}
    for kind, digits in counted.items():
        most, count = max(Counter(digits).items(), key=lambda found: (found[1], -found[0]))
        if len(digits) > (kind == "dp"):
            shares[Rounding(kind, min(d for d in digits if d >= most - 1))] = count / len(digits)
    best = max(shares.values())
    if best > USUAL:
        return tuple(found for found, share in shares.items() if share == best), True
    return tuple(Rounding(kind, min(digits)) for kind, digits in counted.items()), False


def asked(precision: Precision) -> Rounding:
    """The rounding that is asked for."""
    if precision.decimals is not None:
        return Rounding("dp", precision.decimals)
    return Rounding("sf", precision.significant or 3)
