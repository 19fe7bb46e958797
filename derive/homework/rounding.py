"""How a student rounds: what is taken to have happened to the numbers that were not written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from derive.homework import ladder
from derive.homework.ladder import Reference
from derive.homework.policy import Precision
from derive.homework.submission import Rounding
from derive.homework.written import Written

LEAST = 2  # digits of a number on the way


@dataclass(frozen=True)
class Habit:
    """To so many significant digits (`sf`) or decimals (`dp`); `chops` where digits are cut off.

    roundings: as the student says, or all that the digits allow; the coarsest counts, but none is coarser than what is
    asked for: who rounds to fewer digits on the way has rounded too early
    """

    roundings: tuple[Rounding, ...]
    precision: Precision
    chops: bool = False

    @classmethod
    def of(
        cls,
        declared: Rounding | None,
        written: Mapping[str, Written],
        exact: Callable[[str], Reference],
        precision: Precision,
    ) -> Habit:
        """As declared, else as the digits show: constant decimals, else constant significant digits, else as asked for."""
        rounded = {key: w for key, w in written.items() if not w.closed and not ladder.exactly(w, exact(key))}
        chops = any(
            ladder.chopped(w, exact(key), precision.unit(w)) and not ladder.close(w, exact(key), precision.unit(w))
            for key, w in rounded.items()
        )
        roundings = (declared,) if declared else shown(list(rounded.values()), precision)
        return cls(tuple(fine(found, precision) for found in roundings), precision, chops)

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
        return self.share * max(10.0 ** (places * (r.kind == "sf") - r.digits) for r in self.roundings)


def fine(rounding: Rounding, precision: Precision) -> Rounding:
    """A rounding to as many digits as are asked for, if not to more; one digit on the way is always too few."""
    return Rounding(rounding.kind, max(rounding.digits, precision.digits, LEAST))


def shown(written: list[Written], precision: Precision) -> tuple[Rounding, ...]:
    """The roundings that the digits show; constant decimals and constant significant digits may be the same numbers."""
    found = []
    decimals = {w.decimals for w in written}
    if len(decimals) == 1 and len(written) > 1:
        found.append(Rounding("dp", decimals.pop()))
    least, most = {w.significant[0] for w in written}, {w.significant[1] for w in written}
    if least == most and len(least) == 1:
        found.append(Rounding("sf", max(1, least.pop())))
    if not found and precision.decimals is not None:
        found.append(Rounding("dp", precision.decimals))
    return tuple(found) or (Rounding("sf", precision.significant or 3),)
