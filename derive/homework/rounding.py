"""How a student rounds: what is taken to have happened to the numbers that were not written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.submission import Rounding
from derive.homework.written import Written

ENOUGH = 3  # right numbers that show how somebody rounds


@dataclass(frozen=True)
class Habit:
    """To so many significant digits (`sf`) or decimals (`dp`); `chops` where digits are cut off.

    roundings: as the student says, or what the digits allow: the coarsest counts if one is `constant`, else the finest
    """

    roundings: tuple[Rounding, ...]
    precision: Precision
    chops: bool = False
    constant: bool = True

    @classmethod
    def of(
        cls,
        declared: Rounding | None,
        written: Mapping[str, Written],
        values: Callable[[str], tuple[Reference, Reference | None]],
        precision: Precision,
    ) -> Habit:
        """As declared, else as the digits show: constant decimals, constant significant digits, else as asked for.

        values: key -> (the right value, the one that follows from own numbers where all of these are written down)
        """
        exact = {key: values(key)[0] for key in written}
        rounded = {key: w for key, w in written.items() if not w.closed and not ladder.exactly(w, exact[key])}
        cut = [way for key, w in rounded.items() if (way := direction(w, *values(key), precision.unit(w)))]
        chops = "cut" in cut or ("down" in cut and "up" not in cut)
        if declared:
            return cls((finer(declared, precision),), precision, chops)
        right = {key: w for key, w in rounded.items() if ladder.close(w, exact[key], precision.unit(w))}
        used = right if len(right) >= ENOUGH else rounded  # a wrong number may have been written in any way
        filled = padded({key: (w, exact[key]) for key, w in used.items()}, precision)
        roundings, constant = shown(filled, precision)
        return cls(roundings, precision, chops, constant)

    @property
    def share(self) -> float:
        """Of a unit in the last place: how far a rounded number lies from what was rounded, at most."""
        return 1.0 if self.chops else 0.5

    def reach(self, written: Written) -> float:
        """How far a written number may lie from what was rounded."""
        return 2 * self.share * ladder.half(written, self.precision.unit(written))

    def virtual(self, value: float) -> float:
        """The same of a number that was not written down."""
        if value == 0 or not math.isfinite(value):
            return 0.0
        places = math.floor(math.log10(abs(value))) + 1
        units = [10.0 ** (places * (r.kind == "sf") - r.digits) for r in self.roundings]
        return self.share * (max(units) if self.constant else min(units))


def padded(written: Mapping[str, tuple[Written, Reference]], precision: Precision) -> list[Written]:
    """The numbers with the zeros at the end that their author has left out: 0.35 among 0.123, where it is 0.3501."""
    if not written:
        return []
    most = max(w.decimals for w, _ in written.values())
    unit = Fraction(1, 10**most)
    short = [(w, ref) for w, ref in written.values() if w.decimals < most]
    right = [(w, ref) for w, ref in short if ladder.close(w, ref, precision.unit(w))]
    if not right or not all(ladder.close(w, ref, unit) for w, ref in right):
        return [w for w, _ in written.values()]
    filled = {id(w): replace(w, decimals=most) for w, _ in right}
    return [filled.get(id(w), w) for w, _ in written.values()]


def shown(written: list[Written], precision: Precision) -> tuple[tuple[Rounding, ...], bool]:
    """(the roundings that the digits show, whether one of them is kept to throughout).

    Constant decimals and constant significant digits may be the same numbers; where neither is constant there are the
    fewest of both. None is coarser than what is asked for.
    """
    decimals = [w.decimals for w in written]
    least, most = [w.significant[0] for w in written], [w.significant[1] for w in written]
    found = []
    if len(set(decimals)) == 1 and len(written) > 1:
        found.append(Rounding("dp", decimals[0]))
    if len({*least, *most}) == 1:
        found.append(Rounding("sf", least[0]))
    if found or not written:
        return tuple(finer(r, precision) for r in found) or (asked(precision),), True
    return (finer(Rounding("dp", min(decimals)), precision), finer(Rounding("sf", min(most)), precision)), False


def asked(precision: Precision) -> Rounding:
    """The rounding that is asked for."""
    return (
        Rounding("sf", precision.significant or 3) if precision.decimals is None else Rounding("dp", precision.decimals)
    )


def finer(rounding: Rounding, precision: Precision) -> Rounding:
    """A rounding, or the one asked for where that is finer."""
    wanted = asked(precision)
    return wanted if wanted.kind == rounding.kind and wanted.digits > rounding.digits else rounding


def direction(written: Written, exact: Reference, own: Reference | None, unit: Fraction) -> str:
    """Which way a number was rounded: `up` or `down`, both away from 0 and towards it, or `cut` off; "" if that is unknown."""
    refs = [exact] if own is None else [exact, own]
    if not any(ladder.close(written, ref, unit) for ref in refs):
        return "cut" if ladder.chopped(written, exact, unit) else ""
    if own is None:
        return ""
    beyond = {abs(written.number) > abs(ref.value) for ref in refs}
    if len(beyond) > 1:
        return ""
    return "up" if beyond.pop() else "down"
