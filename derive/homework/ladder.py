"""The verdict on one number: how what was written lies to the right value, and to the one that follows from own values.

Precision lives in the digits: a number is right if it is within half a unit of its own last written digit. The first
rung of the ladder that fits is the verdict (`derive.homework.marked.VERDICTS`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from derive.homework.policy import Precision
from derive.homework.written import Written

COARSE = 0.05  # of a value: a number whose half unit is more says nothing about it
CLOSED = 1e-9  # the relative error allowed to a fraction, a root or an exponential
LARGE = 0.25  # of a value: a unit that is more is not just its last digit, a movement that is more tells nothing
TIE = 1 + 1e-9  # of half a unit: sums in float64 miss a tie by a little
FLOAT = 8e-16  # relative error of a value computed in float64
POWERS = 6  # of ten that are looked for
TENS = tuple(Fraction(10) ** k for k in range(-POWERS, POWERS + 1) if k)
MINUS = Fraction(-1)


@dataclass(frozen=True)
class Reference:
    """A value to be held against: a float64, how far it may have moved by rounding, and more digits where they count.

    short: whether the value itself ends after a few digits, so that it can be written down exactly
    """

    value: float
    rad: float = 0.0
    precise: Callable[[], Fraction | Decimal] | None = None
    short: Fraction | None = None

    @property
    def decides(self) -> bool:
        """Whether anything can be held against it: it is a number, and rounding has left something of it."""
        return math.isfinite(self.value) and math.isfinite(self.rad)


def close(written: Written, value: Reference, unit: Fraction) -> bool:
    """Whether what was written is the value at half a unit: any way to round at a tie is right.

    The interval of rounding is not counted. Floats decide where they can, exact numbers where it is close.
    """
    s, v = written.number, value.value
    reach = CLOSED * abs(v) if written.closed else half(written, unit)
    away, blur = abs(s - v), FLOAT * max(abs(s), abs(v))
    if away <= reach - blur:
        return True
    if not away <= reach + blur or math.isinf(v):  # nan, too
        return False
    if value.precise is None or written.closed:
        return True
    return abs(written.value - Fraction(value.precise())) <= unit / 2


def half(written: Written, unit: Fraction) -> float:
    """Half a unit as a float64."""
    return (written.unit if unit is written.ulp else float(unit)) / 2


def consistent(written: Written, value: Reference, unit: Fraction) -> bool:
    """Whether what was written lies within half a unit of the value as rounding may have moved it."""
    s, v = written.number, value.value
    if not math.isfinite(v):
        return False
    reach = CLOSED * abs(v) if written.closed else half(written, unit) * TIE
    return math.isfinite(v) and abs(s - v) <= reach + value.rad + FLOAT * max(abs(s), abs(v))


def exactly(written: Written, value: Reference) -> bool:
    """Whether exactly the value was written: then no more digits can be asked for."""
    return value.short is not None and written.value == value.short


def detailed(written: Written, value: Reference) -> bool:
    """Whether a number is given with all the decimals that the value has, or is 0 as that is: more cannot be asked for."""
    if value.short is None:
        return not value.value and not written.value
    return (value.short * Fraction(10) ** written.decimals).denominator == 1


def chopped(written: Written, value: Reference, unit: Fraction, rad: float | None = None) -> bool:
    """Whether digits were cut off instead of rounded. rad: the interval of rounding, that of the value if not given"""
    s, v, rad = written.number, value.value, value.rad if rad is None else rad
    if written.closed or not math.isfinite(v) or not abs(s) <= abs(v) + rad or (s * v < 0 and rad < abs(v)) or s == v:
        return False
    return abs(v - s) < 2 * half(written, unit) / TIE + rad


def follows(written: Written, value: Reference, unit: Fraction, *, chops: bool) -> bool:
    """Whether what was written is a value as rounding may have moved it: rounded, or cut off by who does that."""
    return consistent(written, value, unit) or (chops and chopped(written, value, unit))


def times(written: Written, factor: Fraction) -> Written:
    """A number as it would stand there multiplied by a power of ten, or with the other sign."""
    return replace(written, value=written.value * factor, ulp=written.ulp * abs(factor))


def coarse(written: Written, values: list[Reference], precision: Precision) -> bool:
    """Whether the digits carry no evidence."""
    if written.closed or precision.enough(written) or any(detailed(written, v) for v in values):
        return False
    reach = half(written, precision.unit(written))
    return all(reach > COARSE * abs(v.value) for v in values if not math.isnan(v.value))


def extra(written: Written, precision: Precision) -> int:
    """How many digits more than asked for were written."""
    if written.closed or not written.value:
        return 0
    if precision.decimals is not None:
        return max(0, written.decimals - precision.decimals)
    return max(0, written.significant[0] - (precision.significant or 0))


def padded(written: Written, precision: Precision) -> bool:
    """Whether these digits are zeros."""
    unit = written.ulp * Fraction(10) ** extra(written, precision)
    return (written.value / unit).denominator == 1


def over_precise(written: Written, value: Reference, precision: Precision) -> bool:
    """Whether the number is right at the required precision and was filled up with zeros."""
    more = extra(written, precision)
    return bool(more) and padded(written, precision) and close(written, value, written.ulp * 10**more)


def settled(written: Written, exact: Reference, own: Reference | None, precision: Precision) -> str:
    """The verdict on a number that is right as it stands, or says nothing; "" of any other."""
    unit = precision.unit(written)
    right, follows = close(written, exact, unit), own is not None and consistent(written, own, unit)
    if right and not coarse(written, [exact], precision):
        return "correct" if precision.enough(written) or exactly(written, exact) else "low_precision"
    if own is not None and follows and not coarse(written, [own], precision):
        return "correct_rounding" if precision.enough(written) else "low_precision"
    refs = [exact, *([own] if own is not None else [])]
    return "too_coarse" if right or follows or coarse(written, refs, precision) else ""


def judge(
    written: Written,
    exact: Reference,
    own: Reference | None,
    precision: Precision,
    *,
    chops: bool = False,
    pads: bool = True,
) -> str:
    """The verdict on a number; `correct_rounding` also where it follows from earlier mistakes.

    own: what follows from the student's own earlier values
    chops, pads: whether this student cuts digits off, and fills numbers up with zeros
    """
    if own is not None and not own.decides:
        verdict = judge(written, exact, None, precision, chops=chops, pads=pads)
        return "undecided" if verdict == "error" else verdict
    if verdict := settled(written, exact, own, precision):
        return verdict
    refs = [exact, *([own] if own is not None else [])]
    unit = precision.unit(written)
    if pads and any(over_precise(written, ref, precision) for ref in refs):
        return "over_precise"
    if any(chopped(written, ref, unit, None if chops else 0.0) for ref in refs):
        return "truncated" if precision.enough(written) else "low_precision"
    if any(last_digit(written, ref, unit, precision) for ref in refs):
        return "last_digit"
    return slipped(written, refs, unit, chops=chops)


def last_digit(written: Written, value: Reference, unit: Fraction, precision: Precision) -> bool:
    """Whether it is one unit off, given as precisely as asked for, of a value that has more digits than that."""
    if written.closed or not precision.enough(written) or not math.isfinite(value.value):
        return False
    if 2 * half(written, unit) > LARGE * abs(value.value):
        return False
    if value.short is not None and (value.short / unit).denominator == 1:
        return False
    if precision.decimals is None and 2 * half(written, unit) >= abs(value.value):
        return False  # 1000 is one unit from everything below
    return abs(written.number - value.value) <= 2 * half(written, unit) * (1 + 1e-12)


def slipped(written: Written, refs: list[Reference], unit: Fraction, *, chops: bool = False) -> str:
    """A number that is not the value: the wrong sign, a power of ten beside it, or an error."""
    if any(slip(written, MINUS, ref, unit, chops=chops) for ref in refs):
        return "sign"
    if any(slip(written, ten, ref, unit, chops=chops) for ref in refs for ten in TENS):
        return "power_of_ten"
    return "error"


def slip(written: Written, factor: Fraction, value: Reference, unit: Fraction, *, chops: bool) -> bool:
    """Whether a number is a value with the wrong sign, or beside it by a power of ten."""
    if not (written.value and value.value) or value.rad > LARGE * abs(value.value):
        return False
    f, v = float(factor), value.value
    if abs(written.number * f - v) > 1.001 * (2 * half(written, unit) * abs(f) + value.rad) + 2 * CLOSED * abs(v):
        return False  # far off: most numbers are, by most powers of ten
    return follows(times(written, factor), value, unit * abs(factor), chops=chops)
