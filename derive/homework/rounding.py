"""How a student rounds: what is taken to have happened to the numbers that were not written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.submission import Rounding
from derive.homework.written import Written


@dataclass(frozen=True)
class Habit:
    """To so many significant digits (`sf`) or decimals (`dp`), both where the digits fit both; `chops`: cuts digits off."""

    roundings: tuple[Rounding, ...]
    precision: Precision
    chops: bool = False

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
        rounded = {key: w for key, w in written.items() if not w.closed and not ladder.exactly(w, values(key)[0])}
        cut = [way for key, w in rounded.items() if (way := direction(w, *values(key), precision.unit(w)))]
        chops = "cut" in cut or ("down" in cut and "up" not in cut)
        return cls((declared,) if declared else shown(list(rounded.values()), precision), precision, chops)

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
        most = math.floor(math.log10(abs(value))) + 1
        return max(self.share * 10.0 ** ((0 if r.kind == "dp" else most) - r.digits) for r in self.roundings)


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


def shown(written: list[Written], precision: Precision) -> tuple[Rounding, ...]:
    """The roundings that the digits show."""
    found = []
    decimals = {w.decimals for w in written}
    if len(decimals) == 1 and len(written) > 1:
        found.append(Rounding("dp", decimals.pop()))
    least, most = {w.significant[0] for w in written}, {w.significant[1] for w in written}
    if least == most and len(least) == 1:
        found.append(Rounding("sf", max(1, least.pop())))
    if precision.decimals is not None:
        found = found or [Rounding("dp", precision.decimals)]
    return tuple(found) or (Rounding("sf", precision.significant or 3),)
