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


def close(written: Written, value: Reference, unit: Fraction, times: Fraction | None = None) -> bool:
    """Whether what was written, times something, is the value at half a unit: any way to round at a tie is right.

    The interval of rounding is not counted. Floats decide where they can, exact numbers where it is close.
    """
    v = value.value
    if times is None:
        s, reach = written.number, half(written, unit)
    else:
        s, reach = float(written.value * times), half(written, unit) * abs(float(times))
    if written.closed:
        reach = CLOSED * abs(v)
    away, blur = abs(s - v), FLOAT * max(abs(s), abs(v))
    if away <= reach - blur:
        return True
    if not away <= reach + blur:  # nan, too
        return False
    if value.precise is None or written.closed:
        return True
    factor = times or 1
    return abs(written.value * factor - Fraction(value.precise())) <= abs(unit * factor) / 2


def half(written: Written, unit: Fraction) -> float:
    """Half a unit as a float64."""
    return (written.unit if unit is written.ulp else float(unit)) / 2


def consistent(written: Written, value: Reference, unit: Fraction) -> bool:
    """Whether what was written lies within half a unit of the value as rounding may have moved it."""
    s, v = written.number, value.value
    if not math.isfinite(v):
        return False
    reach = CLOSED * abs(v) if written.closed else half(written, unit)
    return abs(s - v) <= reach + value.rad + FLOAT * max(abs(s), abs(v))


def exactly(written: Written, value: Reference) -> bool:
    """Whether exactly the value was written: then no more digits can be asked for."""
    return value.short is not None and written.value == value.short


def chopped(written: Written, value: Reference, unit: Fraction) -> bool:
    """Whether digits were cut off instead of rounded; the interval of rounding is counted."""
    s, v = written.number, value.value
    if written.closed or not math.isfinite(v) or s == v:
        return False
    if not abs(s) <= abs(v) + value.rad or (s * v < 0 and value.rad < abs(v)):
        return False
    return abs(v - s) < 2 * half(written, unit) * (1 + 1e-12) + value.rad


def coarse(written: Written, values: list[Reference], precision: Precision) -> bool:
    """Whether the digits carry no evidence."""
    if written.closed or precision.enough(written) or any(exactly(written, v) for v in values):
        return False
    reach = half(written, precision.unit(written))
    return all(reach > COARSE * abs(v.value) for v in values if not math.isnan(v.value))


def over_precise(written: Written, value: Reference, precision: Precision) -> bool:
    """Whether the number is right at the required precision and was filled up with zeros."""
    if written.closed or not written.value:
        return False
    if precision.decimals is not None:
        extra = written.decimals - precision.decimals
    else:
        extra = written.significant[0] - (precision.significant or 0)
    if extra <= 0:
        return False
    unit = written.ulp * 10**extra
    return (written.value / unit).denominator == 1 and close(written, value, unit)


def judge(
    written: Written, exact: Reference, own: Reference | None, precision: Precision, *, chops: bool = False
) -> str:
    """The verdict on a number; `correct_rounding` also where it follows from earlier mistakes.

    own: what follows from the student's own earlier values · chops: whether this student cuts digits off
    """
    refs = [exact, *([own] if own is not None else [])]
    unit = precision.unit(written)
    if coarse(written, refs, precision):
        return "too_coarse"
    enough = precision.enough(written) or exactly(written, exact)
    if close(written, exact, unit):
        return "correct" if enough else "low_precision"
    if own is not None and consistent(written, own, unit):
        return "correct_rounding" if precision.enough(written) else "low_precision"
    if any(over_precise(written, ref, precision) for ref in refs):
        return "over_precise"
    cut = refs if chops else [replace(ref, rad=0.0) for ref in refs]
    if any(chopped(written, ref, unit) for ref in cut):
        return "truncated"
    if any(last_digit(written, ref, unit, precision) for ref in refs):
        return "last_digit"
    return slipped(written, refs, unit)


def last_digit(written: Written, value: Reference, unit: Fraction, precision: Precision) -> bool:
    """Whether it is one unit off, given as precisely as asked for, of a value that has more digits than that."""
    if written.closed or not precision.enough(written) or not value.value or not math.isfinite(value.value):
        return False
    if value.short is not None and (value.short / unit).denominator == 1:
        return False
    if precision.decimals is None and 2 * half(written, unit) >= abs(value.value):
        return False  # 1000 is one unit from everything below
    return abs(written.number - value.value) <= 2 * half(written, unit) * (1 + 1e-12)


def slipped(written: Written, refs: list[Reference], unit: Fraction) -> str:
    """A number that is not the value: the wrong sign, a power of ten beside it, or an error."""
    nonzero = [ref for ref in refs if ref.value and written.value]
    if any(close(written, ref, unit, MINUS) for ref in nonzero):
        return "sign"
    if any(close(written, ref, unit, ten) for ref in nonzero for ten in TENS):
        return "power_of_ten"
    return "error"
